"""Files in folders: found in the same order everywhere, and told apart by their names.

>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as folder:
...     for name in ("ripe_02.jpg", "raw_01.jpg", "notes.xlsx"):
...         _ = Path(folder, name).write_text("")
...     [record["label"] for record in FileNames("{label}_{number}.jpg")(folder)]
['raw', 'ripe']
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from .samples import elements, list_some

# What is looked for in a folder: the first of these families that is there at all.
FAMILIES = {
    "photos": (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
    "scans": (".dcm", ".nii", ".nii.gz"),
    "texts": (".txt",),
}

# What reads files that hold all items, for those who give the file in place of what it holds.
READERS = {
    ".parquet": "pandas.read_parquet({})",
    ".xlsx": "pandas.read_excel({})",
    ".jsonl": "pandas.read_json({}, lines=True)",
    ".json": "json.load(open({})), a list with a dictionary for each item",
    ".npz": "dict(numpy.load({}))",
    ".npy": "(numpy.load({}), labels)",
    ".zip": "the folder that it unpacks to",
}


def find_files(folder: str | os.PathLike[str], endings: Sequence[str] | None = None) -> list[Path]:
    """List the files in a folder and all folders below, sorted by name; hidden ones are left out.

    A folder that is linked to is looked into as well, once, so that links in a circle come to an end.

    Args:
        folder: Where to look.
        endings: Which files, such as `(".jpg", ".png")`, large or small letters; `("",)` is every file.
            Without it, photos; if there is none, scans; if there is none, texts.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: It holds no such file; the message says what it holds.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("b.JPG", "a.jpg", ".hidden.jpg", "table.csv"):
    ...         _ = Path(folder, name).write_text("")
    ...     [file.name for file in find_files(folder)]
    ['a.jpg', 'b.JPG']
    """
    top = Path(folder).expanduser()
    if not top.is_dir():
        if top.exists():
            by = READERS.get(top.suffix.lower(), "a list of its items, or a pandas table, one row for each")
            raise FileNotFoundError(
                f"{top} is a file, and no table that is read here; a folder or a CSV file is looked for. "
                f"Give what the file holds: {by.format(repr(str(top)))}."
            )
        raise FileNotFoundError(
            f"{top} does not exist; a folder is looked for"
            + ("." if top.is_absolute() else f" in the folder Python runs in, {Path.cwd()}.")
        )
    every = sorted(walk(top), key=lambda file: file.parts)
    for family in FAMILIES.values() if endings is None else (tuple(map(str.lower, endings)),):
        if found := [file for file in every if file.name.lower().endswith(family)]:
            return found
    asked = "photo, scan or text" if endings is None else f"file that ends in {list_some(endings)}"
    usual = Counter(file.suffix for file in every).most_common(1)
    raise ValueError(
        f"no {asked} was found in {top}, which holds {said(every)}. "
        f"Say which files are items: find=FileNames('*{usual[0][0] if usual else '.wav'}')."
    )


def walk(top: Path) -> Iterator[Path]:
    """Every file below a folder that is not hidden; each folder once, real ones before those linked to."""
    waiting, seen = [top], set()
    while waiting:
        for path, folders, files in os.walk(waiting.pop(0)):
            here = os.stat(path)
            if (here.st_dev, here.st_ino) in seen:
                folders.clear()
                continue
            seen.add((here.st_dev, here.st_ino))
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            waiting += [Path(path, name) for name in folders if os.path.islink(os.path.join(path, name))]
            yield from (Path(path, name) for name in files if not name.startswith("."))


def said(files: Sequence[Path]) -> str:
    """Say what files there are, by their endings."""
    counts = Counter(file.suffix or "without an ending" for file in files)
    kinds = [f"{count} {ending}" for ending, count in counts.most_common()]
    return f"{len(files)} files: {list_some(kinds)}" if files else "no file"


def record_of(file: Path, folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file's place says of it: its folder is its label, the first folder below the source its part.

    >>> [record_of(Path(f"pets/{name}.jpg"), "pets")["part"] for name in ("train/cat/1", "2")]
    ['train', '']
    """
    top = Path(folder).expanduser()
    inside = file.relative_to(top).parts
    part = readable(inside[0]) if len(inside) > 1 else ""
    return {"file": file, "label": readable(file.parent.name), "part": part, "folder": top}


def readable(name: str) -> str:
    r"""A name that can be printed: bytes of it that are no UTF-8 are written out.

    >>> print(readable(os.fsdecode(b"caf\xe9")))
    caf\xe9
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class FileNames:
    """Find the files whose names follow a pattern, and read the parts of the names: `find=FileNames(...)`.

    Args:
        pattern: Such as `"{label}_{number}.jpg"` or `"{part}/images/{name}.png"`: a name in braces is a part
            that each record then has, `*` is anything in between. It is compared with the end of the path.

    Called with a folder it gives records with `file`, `label`, `part` and `folder`, as `find_items` does, and
    with the parts of the name. Files with other names are left out.

    Raises:
        FileNotFoundError: There is no such folder.
        ValueError: No file has such a name; the message shows the names there are.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "cow_7.wav").write_text("")
    ...     FileNames("{label}_{number}.wav")(folder)[0]["number"]
    '7'
    """

    pattern: str

    def __call__(self, folder: str | os.PathLike[str]) -> list[dict[str, Any]]:
        """Read the files of a folder."""
        files, shape = find_files(folder, ("",)), re.compile(self.expression(), re.DOTALL)
        found = [(file, shape.fullmatch(file.as_posix())) for file in files]
        records = [{**record_of(file, folder), **named(match)} for file, match in found if match]
        if not records:
            names = list_some(
                [readable(str(file.relative_to(Path(folder).expanduser()))) for file in files], 3
            )
            raise ValueError(f"no file in {folder} has a name like {self.pattern!r}; there is {names}.")
        return records

    def expression(self) -> str:
        """The pattern as a regular expression."""
        parts, seen = [], set()
        for text, name, _, _ in Formatter().parse(self.pattern):
            parts += ["[^/]*".join(map(re.escape, text.split("*")))]
            if name:
                parts += [f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+?)"]
                seen.add(name)
        return "(?:.*/)?" + "".join(parts)


def named(match: re.Match[str]) -> dict[str, str]:
    """The named parts of a name, such that they can be printed."""
    return {name: readable(value) for name, value in match.groupdict().items()}


@dataclass(frozen=True)
class FilePath:
    """Write the name of a file from what a record holds: `input_from=FilePath("pictures/{id}.png")`.

    Args:
        pattern: A path with names of columns in braces; of a path, `{file.stem}` is its name without the
            ending, and `{folder}` the folder a record was found in.

    Raises:
        KeyError: The record does not have such a column.

    >>> FilePath("scans/{patient}/{number:03}.png")({"patient": "P7", "number": 5}).as_posix()
    'scans/P7/005.png'
    """

    pattern: str

    def __call__(self, record: Mapping[str, Any]) -> Path:
        """Write the path for one record."""
        try:
            return Path(self.pattern.format_map(record)).expanduser()
        except (KeyError, AttributeError) as error:
            raise KeyError(
                f"{self.pattern!r} asks for {error}, and an item has {list_some(record)}"
            ) from None


def file_of(raw: Any) -> str:
    """The first name of a file in an item, for people to look at; empty if there is none.

    >>> file_of({"label": "cat", "file": "cats/1.jpg"}), file_of("2.jpg"), file_of(3)
    ('cats/1.jpg', '2.jpg', '')
    """
    values = elements(raw).values() if isinstance(raw, tuple | dict) else [raw]
    files = [os.fspath(x) for x in values if isinstance(x, os.PathLike) and not os.path.isdir(x)]
    texts = [x for x in values if isinstance(x, str) and re.fullmatch(r".{1,250}\.\w{1,5}", x)]
    return next(iter(files + texts), "")
