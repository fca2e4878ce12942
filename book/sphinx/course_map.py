"""What each lesson builds on, and how that is drawn: a list of lessons with an arc for each need beside it.

A lesson's head names its `needs:`; arcs and words are both made from that, so a reader without eyes for the
one has the other. The drawing is made at build: no script, and it prints.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from coursekit.grader import exercises

logger = logging.getLogger(__name__)

LESSONS = "lessons/"
WIDTH = 100  # of the drawing, in its own units; a row is as high


@dataclass(frozen=True)
class Arc:
    """A line from a lesson down to one that builds on it."""

    start: str
    end: str
    path: str


def needs(app: Sphinx, page: str) -> list[str]:
    """The lessons that a lesson builds on, from the head of its file."""
    given = json.loads(app.env.metadata.get(page, {}).get("needs", "[]"))
    return [str(word) for word in given] if isinstance(given, list) else []


def check_needs(app: Sphinx, env: Any) -> None:
    """What a lesson builds on is a lesson, and comes before it."""
    before: list[str] = []
    for page in map(str, app.config.external_site_map):
        if not page.startswith(LESSONS):
            continue
        for word in needs(app, page):
            if word not in before:
                known = ", ".join(before) or "none"
                said = f"it needs {word!r}, and no lesson before it is called that; there are: {known}"
                logger.warning(said, location=page)
        before.append(page.removeprefix(LESSONS))


def to_do(app: Sphinx, page: str) -> dict[str, Any]:
    """What there is to do in a lesson: its word, how many questions, and the points of its exercise."""
    word = page.removeprefix(LESSONS)
    questions = len(app.env.metadata[page].get("quizzes", []))
    return {"word": word, "questions": questions, "points": points(word)}


@cache
def points(word: str) -> int:
    """What an exercise can give; 0 without one, or where its file is broken, which the lesson says."""
    with suppress(LookupError, TypeError, SyntaxError):
        return sum(check.points for check in exercises.load(word).checks)
    return 0


def drawing(contents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The arcs beside the list of lessons, and how high they are; the list is that of the contents."""
    rows: list[str | None] = []
    builds_on: dict[str, list[str]] = {}
    for part in contents:
        lessons = [entry for entry in part["pages"] if entry["number"]]
        rows += [None, *(entry["word"] for entry in lessons)] if lessons else []
        builds_on |= {entry["word"]: [need["word"] for need in entry["needs"]] for entry in lessons}
    return {"arcs": arcs(rows, builds_on), "width": WIDTH, "rows": len(rows)}


def arcs(rows: Sequence[str | None], builds_on: dict[str, list[str]]) -> list[Arc]:
    """An arc for each need; a row is a lesson, or the heading of a part.

    The further it reaches, the wider it swings out, so that no arc hides another.

    >>> arcs([None, "one", "two"], {"two": ["one"]})
    [Arc(start='one', end='two', path='M100 150C34 150 34 250 100 250')]
    """
    drawn = []
    longest = max(len(rows) - 1, 2)
    for end, wanted in builds_on.items():
        for start in wanted:
            if start not in rows or end not in rows:
                continue  # said by `check_needs`
            first, last = rows.index(start), rows.index(end)
            out = round(WIDTH - 100 * ((last - first) / longest) ** 0.6)
            top, bottom = (round(WIDTH * (row + 0.5)) for row in (first, last))
            drawn.append(Arc(start, end, f"M{WIDTH} {top}C{out} {top} {out} {bottom} {WIDTH} {bottom}"))
    return drawn


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("env-check-consistency", check_needs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
