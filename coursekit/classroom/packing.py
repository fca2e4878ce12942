"""Pack a kit into the one zip that is handed in (its format: `manifest`).

>>> import tempfile
>>> from datetime import datetime
>>> from .intake import read_submissions
>>> with tempfile.TemporaryDirectory() as folder:
...     size = Path(folder, "metrics.py").write_text("RATE = 1")
...     packed = packed_kit(Path(folder), ["first_model"], {}, datetime.now().astimezone())
...     size = Path(folder, "first_model.zip").write_bytes(packed)
...     [one.words for one in read_submissions([Path(folder, "first_model.zip")])]
[('first_model',)]
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from .. import kit
from .contents import LeftOut
from .manifest import NAME, written
from .python_text import MOST_TEXT, modules, text_of

# The time of every member, the oldest that a zip can say: when it was packed stands in the manifest.
_TIME = (1980, 1, 1, 0, 0, 0)
_ORDINARY_FILE = 0o100644 << 16


def packed_kit(folder: Path, words: Sequence[str], checked: Mapping[str, Any], packed: datetime) -> bytes:
    """The zip of a kit; the same kit, words and time give the same bytes.

    Args:
        folder: The learner's `mykit/`.
        words: The exercises that it is handed in for.
        checked: What the learner's own check said of each: points, and of how many.
        packed: The time now, with its zone.

    Raises:
        KitError: A file cannot be read, here or by a grader.
    """
    contents = {f"{kit.NAME}/{name}": _checked(folder / name) for name in kit_files(folder)[0]}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {NAME: written(words, contents, checked, packed), **contents}.items():
            member = zipfile.ZipInfo(name, _TIME)
            member.external_attr, member.create_system = _ORDINARY_FILE, 3
            archive.writestr(member, data)
    return buffer.getvalue()


def kit_files(folder: Path) -> tuple[list[str], list[str]]:
    """The files of a kit that stand in for a module of ours, and the other Python files in it, by name."""
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.py"))
    own = [name for name in names if name.removesuffix(".py").replace("/", ".") in modules()]
    return own, [name for name in names if name not in own and not name.endswith("__init__.py")]


def _checked(file: Path) -> bytes:
    """A file as it is packed, when a grader can read it: what it would leave out can still be mended here."""
    data = kit.text_of(file).encode()
    try:
        if len(data) > MOST_TEXT:
            raise LeftOut(f"is larger than {MOST_TEXT:,} bytes")
        text_of(data)
    except LeftOut as error:
        raise kit.KitError(f"{kit.NAME}/{file.name} cannot be handed in: it {error}.") from None
    return data
