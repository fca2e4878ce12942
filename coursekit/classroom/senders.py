"""Who handed something in, and when, as the downloads of learning-management systems name it.

- Canvas lays all files into one folder: `ruizana_LATE_4711_90210_metrics-1.py` is Ana Ruiz, user 4711, late,
  upload 90210, and her second version; without names it is `LATE_anon_aB3dE_90210_metrics.py`.
- Moodle makes a folder for each: `Ana Ruiz_1327627_assignsubmission_file`, or begins each file's name so.
- Gradescope makes a folder for each, `submission_123456789`, with `submission_metadata.yml` beside them.
- nbgrader collects into `ana/WORD/`, with a `timestamp.txt`, from `ana+WORD+2026-11-22 10:00:00 UTC+chance`.

>>> sender("ruizana_LATE_4711_90210_metrics-1.py")
(Sender(learner='ruizana (4711)', received=None, marked_late=True, word=''), 'metrics-1.py')
>>> sender("Ana Ruiz_1327627_assignsubmission_file_kit.zip")
(Sender(learner='Ana Ruiz (1327627)', received=None, marked_late=False, word=''), 'kit.zip')
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

METADATA, TIMESTAMP = "submission_metadata.yml", "timestamp.txt"

_CANVAS = re.compile(
    r"(?:(?P<name>[^_].*?)(?P<late>_LATE)?_(?P<id>\d+)|(?P<hidden_late>LATE_)?(?P<hidden>anon)_(?P<mark>\w{5}))"
    r"_(?:\d+_(?P<rest>.+)|(?P<page>text|link)\.html)",
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
        return Sender(learner, marked_late=late), found["rest"] or f"{found['page']}.html"
    return None


# What `_with_number` gives: a name, and what a system tells them apart by.
NUMBERED = re.compile(r"(.+) \(([^()]+)\)", re.DOTALL)


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

    Only the lines with names and times are looked at, told by how far in they stand: what tests printed,
    which learners' code decided, stands in the same file, further in. So nothing reads all that
    YAML can be.

    >>> gradescope("submission_1:\\n  :submitters:\\n  - :name: Ana Ruiz\\n    :sid: '0123'")
    {'submission_1': [Sender(learner='Ana Ruiz (0123)', received=None, marked_late=False, word='')]}
    """
    known: dict[str, list[Sender]] = {}
    for folder, people, created in _chapters(text):
        when = moment(created)
        known[folder] = [
            Sender(_with_number(one["name"], one.get("sid") or one.get("email")), when)
            for one in people
            if one.get("name")
        ]
    return known


_MOST_IN_A_GROUP = 100
_OF_A_PERSON = re.compile(r"(?P<before> +(?P<dash>- )?):(?P<key>\w+):(?P<value>.*)")


def _chapters(text: str) -> Iterator[tuple[str, list[dict[str, str]], str]]:
    """Of each submission its folder, the people, and the time when it was made."""
    folder, created, section, column = "", "", "", 0
    people: list[dict[str, str]] = []
    for line in text.splitlines():
        if line[:1] not in ("", " "):
            if folder:
                yield folder, people, created
            folder = found[1] if (found := re.fullmatch(r"(\w+):\s*", line)) else ""
            people, created, section, column = [], "", "", 0
        elif found := re.fullmatch(r"  :(\w+):(.*)", line):
            section = found[1]
            created = _scalar(found[2]) if section == "created_at" else created
        elif section == "submitters" and (found := _OF_A_PERSON.fullmatch(line)):
            column = column or len(found["before"])
            # What stands further in is the text of a name that has several lines.
            if len(found["before"]) == column and len(people) < _MOST_IN_A_GROUP:
                people += [{}] if found["dash"] or not people else []
                people[-1].setdefault(found["key"], _scalar(found["value"]))
    if folder:
        yield folder, people, created


def _scalar(text: str) -> str:
    """A text as YAML writes it on one line: plain, or in one of two kinds of quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(re.sub(r"\\x([0-9A-Fa-f]{2})", r"\\u00\1", text)))
        except ValueError:
            return text
    return text
