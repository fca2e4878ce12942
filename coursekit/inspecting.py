"""Look through photos before training: which of thousands cannot be read, and what is wrong with each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from .files import FAMILIES, find_files
from .photos import BrokenPhotoError, channels_first, open_photo

if TYPE_CHECKING:
    import pandas


def check_photos(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], threads: int | None = None
) -> pandas.DataFrame:
    """Decode every photo of a folder, or of a list of files, and tell which are broken, and why.

    Args:
        source: A folder, looked through with all folders below; or the files themselves, such as a column of
            a table.
        threads: How many photos are decoded at the same time: as many as there are processors, if not said.

    Returns:
        A table with a row for each photo, the broken ones first: its `file`, its `problem` (nothing for a
        sound one), the `height` and `width` it has when it is held upright, in pixels, and the `mode` of its
        colours as Pillow names it ("RGB", "L" for grey, "P" for a palette, "CMYK" for four inks …).

    Raises:
        FileNotFoundError: There is no such folder. (A file that is missing is a problem of that file.)
        ValueError: There is no photo in it.

    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "cat.jpg").write_text("")
    ...     table = check_photos(folder)
    >>> table["problem"].tolist()
    ['it is empty. Copy or download it again.']

    The sound ones are `table[table["problem"] == ""]`.
    """
    import pandas
    from tqdm import tqdm

    if isinstance(source, str | os.PathLike):
        source = find_files(source, FAMILIES["photos"])
    files = list(source)
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        found = list(tqdm(pool.map(looked_at, files), total=len(files), unit="photo", leave=False))
    table = pandas.DataFrame(found, columns=["file", "problem", "height", "width", "mode"])
    table = table.astype({"height": "Int64", "width": "Int64"})
    return table.sort_values("problem", key=lambda said: said == "", kind="stable", ignore_index=True)


def looked_at(file: str | os.PathLike[str]) -> dict[str, Any]:
    """Decode one photo: what it is, or what is wrong with it."""
    about: dict[str, Any] = {"file": os.fspath(file), "problem": ""}
    try:
        photo = open_photo(file)
        about |= {"height": photo.height, "width": photo.width, "mode": photo.mode}
        channels_first(photo, "RGB")
    except BrokenPhotoError as error:
        about["problem"] = error.reason
    except (OSError, ValueError) as error:
        about["problem"] = str(error)
    return about
