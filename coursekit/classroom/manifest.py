"""The zip that `coursekit submit` makes: its format, version 1.

A zip archive, its members stored and not compressed, so that the same kit gives the same bytes everywhere:

    submission.json     the manifest, first
    mykit/metrics.py    the learner's files, as they are, one for each module

The manifest is JSON in UTF-8, an object with

    format      "coursekit submission"
    version     1
    words       the exercises it is handed in for, such as ["first_model"]
    coursekit   the version of coursekit that packed it
    packed      when, by the learner's own clock, such as "2026-11-22T10:15:00+01:00"
    checked     what the learner's own check said: {"first_model": {"points": 3, "of": 8}}
    files       each file's {"sha256": "…", "bytes": 123}, by its name in the archive

A reader takes the files that the manifest lists and no others, and refuses an archive of which one is missing
or is not what was packed. What `packed` and `checked` say was written on the learner's machine: it tells a
person something, and decides nothing. A reader refuses a version that it does not know; new keys may appear
within a version, and are ignored.

>>> now = datetime(2026, 11, 22).astimezone()
>>> text = written(["first_model"], {"mykit/metrics.py": b"RATE = 1"}, {}, now)
>>> read_manifest(text).words
('first_model',)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .. import __version__
from .contents import LeftOut

NAME, FORMAT, VERSION = "submission.json", "coursekit submission", 1
MOST_MANIFEST = 200_000


@dataclass(frozen=True)
class Manifest:
    """What a manifest says that is used.

    Attributes:
        words: The exercises.
        packed: When it was packed, by the learner's clock; None when that cannot be read.
        files: The sha256 of each file, by its name in the archive.
    """

    words: tuple[str, ...]
    packed: datetime | None
    files: Mapping[str, str]


def digest(data: bytes) -> str:
    """The sha256 of a file's bytes, as a manifest has it."""
    return hashlib.sha256(data).hexdigest()


def written(
    words: Sequence[str], files: Mapping[str, bytes], checked: Mapping[str, Any], packed: datetime
) -> bytes:
    """A manifest for these files."""
    about = {
        "format": FORMAT,
        "version": VERSION,
        "words": list(words),
        "coursekit": __version__,
        "packed": packed.isoformat(timespec="seconds"),
        "checked": dict(checked),
        "files": {name: {"sha256": digest(data), "bytes": len(data)} for name, data in sorted(files.items())},
    }
    return (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()


def read_manifest(data: bytes) -> Manifest:
    """What a manifest says.

    Raises:
        LeftOut: It cannot be read, or is of a version that is not known here.
    """
    try:
        about = json.loads(data.decode("utf-8-sig"))
        is_ours, version = about["format"] == FORMAT, about["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise LeftOut("is damaged; pack it again with `coursekit submit`") from None
    if not is_ours or type(version) is not int:
        raise LeftOut("is damaged; pack it again with `coursekit submit`")
    if version > VERSION:
        raise LeftOut("was packed by a newer coursekit than this one, which has to be updated to read it")
    try:
        words = tuple(word for word in about["words"][:20] if isinstance(word, str) and word.isidentifier())
        files = {str(name): str(one["sha256"]) for name, one in about["files"].items()}
    except (TypeError, KeyError, AttributeError):
        raise LeftOut("is damaged; pack it again with `coursekit submit`") from None
    return Manifest(words, _time(about.get("packed")), files)


def _time(text: Any) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
        return when if when.tzinfo else None
    except (TypeError, ValueError):
        return None
