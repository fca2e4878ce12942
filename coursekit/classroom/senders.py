"""Who handed something in, and when, as the downloads of learning-management systems name it.

- Canvas lays all files into one folder: `ruizana_LATE_4711_90210_metrics-1.py` is Ana Ruiz, user 4711, late,
  upload 90210, and her second version; anonymous ones begin with `anon_` and five letters.
- Moodle makes a folder for each: `Ana Ruiz_1327627_assignsubmission_file`, or begins each file's name so.
- Gradescope makes a folder for each, `submission_123456789`, with `submission_metadata.yml` beside them.
- nbgrader collects into `ana/WORD/`, with a `timestamp.txt`, from `ana+WORD+2026-11-22 10:00:00 UTC+chance`.

>>> sender("ruizana_LATE_4711_90210_metrics-1.py")
(Sender(learner='ruizana (4711)', received=None, marked_late=True, word=''), 'metrics-1.py')
>>> sender("Ana Ruiz_1327627_assignsubmission_file_kit.zip")
(Sender(learner='Ana Ruiz (1327627)', received=None, marked_late=False, word=''), 'kit.zip')
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from .contents import LeftOut

METADATA, TIMESTAMP = "submission_metadata.yml", "timestamp.txt"

_CANVAS = re.compile(
    r"(?:(?P<name>[^_].*?)(?P<late>_LATE)?_(?P<id>\d+)|(?P<hidden>anon)(?P<hidden_late>_LATE)?_(?P<mark>\w{5}))"
    r"_(?:\d+_(?P<rest>.+)|text\.html)",
    re.DOTALL,
)
_MOODLE = re.compile(
    r"(?P<name>[^_]+)(?:_(?P<id>\d+))?_assignsubmission_(?:file|onlinetext)(?:_(?P<rest>.*))?", re.DOTALL
)
_NBGRADER = re.compile(
    r"(?P<name>[^+]+)\+(?P<word>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^+]*)(?:\+[\w-]+)?"
)
_TIME = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)\d* ?"
    r"(?P<zone>Z|UTC|[+-]\d\d:?\d\d|[A-Za-z_]+/[\w/+-]+)?"
)


@dataclass(frozen=True)
class Sender:
    """Who handed something in, as a system says it.

    Attributes:
        learner: The name, with the system's number for it where there is one: two may have the same name.
        received: When it came.
        marked_late: Whether the system calls it late.
        word: The assignment that it was handed in for, by the system's name; "" where it does not say.
    """

    learner: str
    received: datetime | None = None
    marked_late: bool = False
    word: str = ""


def sender(name: str) -> tuple[Sender, str] | None:
    """Who handed in a file or folder, and the name it had then ("" for a folder); None for any other name."""
    if found := _NBGRADER.fullmatch(name):
        return Sender(found["name"], moment(found["time"]), word=found["word"]), ""
    if found := _MOODLE.fullmatch(name):
        return Sender(_with_number(found["name"], found["id"])), found["rest"] or ""
    if found := _CANVAS.fullmatch(name):
        learner = _with_number(found["name"] or found["hidden"], found["id"] or found["mark"])
        late = bool(found["late"] or found["hidden_late"])
        return Sender(learner, marked_late=late), found["rest"] or "text.html"
    return None


def _with_number(name: str, number: str | None) -> str:
    return f"{name} ({number})" if number else name


def moment(text: str) -> datetime | None:
    """A time as these systems write it, with its zone; None for anything else.

    >>> str(moment("2026-11-22 10:00:00.123456789 Z")), moment("yesterday")
    ('2026-11-22 10:00:00.123456+00:00', None)
    """
    found = _TIME.fullmatch(text.strip())
    if not found:
        return None
    zone = found["zone"] or "UTC"
    try:
        if "/" in zone:
            return datetime.fromisoformat(found["time"]).replace(tzinfo=ZoneInfo(zone))
        offset = "+00:00" if zone in ("Z", "UTC") else zone
        return datetime.fromisoformat(found["time"] + offset).astimezone(UTC)
    except (ValueError, OSError, OverflowError, LookupError):
        return None


def gradescope(text: str) -> dict[str, list[Sender]]:
    """Who handed in each folder of a download from Gradescope: several for the work of a group.

    Only the names and times are looked at: what tests printed, which the learners' code decided, stands in
    the same file, further in.

    Raises:
        LeftOut: It cannot be read.
    """
    return {folder: _submitters(lines) for folder, lines in _chapters(text)}


_KEPT = ("  :submitters:", "  :created_at:")


def _chapters(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each submission's folder and the lines of it that are wanted, told apart by how far in they stand."""
    folder, wanted = "", False
    lines: list[str] = []
    for line in text.splitlines():
        if found := re.fullmatch(r"(\w+):\s*", line):
            if folder:
                yield folder, lines
            folder, lines, wanted = found[1], [], False
        elif re.match(r"(  )?[^ -]", line):
            wanted = line.startswith(_KEPT)
        if wanted and len(lines) < 200:
            lines.append(line)
    if folder:
        yield folder, lines


def _submitters(lines: list[str]) -> list[Sender]:
    yaml = _yaml()
    try:
        # This loader makes nothing but texts, lists and dicts: no dates, no numbers, no objects.
        known = yaml.load("\n".join(lines), Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
        when = moment(_text(known, ":created_at"))
        return [
            Sender(_with_number(_text(one, ":name"), _text(one, ":sid") or _text(one, ":email")), when)
            for one in known[":submitters"]
            if _text(one, ":name")
        ]
    except (yaml.YAMLError, KeyError, TypeError, RecursionError):
        return []


def _text(known: Any, key: str) -> str:
    """A text in what was read: never a list of lists, which may be endless when it is written out."""
    found = known.get(key) if isinstance(known, dict) else None
    return found if isinstance(found, str) else ""


def _yaml() -> Any:
    try:
        return importlib.import_module("yaml")
    except ModuleNotFoundError:
        raise LeftOut(
            "is written in YAML, which PyYAML reads; it belongs to the extra `grade`: pip install pyyaml"
        ) from None
