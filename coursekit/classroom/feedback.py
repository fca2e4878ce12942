"""What a learner reads of a grade: a page of their own, with the same messages as their own checks gave them.

    page = feedback_page("ada", standings)

It says what counts and how that came about, names no other learner, and asks nobody for anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..grader.report import Report
from ..grader.wording import count
from .neutral import tag
from .page import page
from .rows import GRADED, MISSING, OURS, UNTOLD, Standing


def feedback_page(learner: str, rows: Sequence[tuple[Standing, Report | None]]) -> str:
    """The page of one learner.

    Args:
        learner: Who.
        rows: Where they stand in each exercise, with its report where there is one.

    >>> page = feedback_page("<Ada>", [(Standing("<Ada>", "metrics", "missing", None, 8), None)])
    >>> "Nothing was handed in for metrics." in page, "<Ada>" in page
    (True, False)
    """
    head = [
        '<p class="quiet">Feedback for</p>',
        f"<h1><bdi>{tag(learner, 200)}</bdi></h1>",
        _total([row for row, _ in rows]),
    ]
    return page(f"Feedback for {learner}", [*head, *(_exercise(row, report) for row, report in rows)])


def points_of(points: float | None, of: float) -> str:
    """Points in words.

    >>> points_of(7.5, 10), points_of(None, 10)
    ('7.5 of 10 points', 'no points yet, of 10')
    """
    return f"no points yet, of {of:g}" if points is None else f"{points:g} of {of:g} points"


def moment(time: datetime) -> str:
    """A time to the minute, with its zone, as it is on this machine."""
    return f"{time.astimezone():%Y-%m-%d %H:%M %Z}"


def _total(rows: Sequence[Standing]) -> str:
    if len(rows) < 2:
        return ""
    known = [row.points for row in rows if row.points is not None]
    together = points_of(sum(known) if known else None, sum(row.of for row in rows))
    return f'<p class="large">{together} in {count(len(rows), "exercise")}</p>'


def _exercise(row: Standing, report: Report | None) -> str:
    title = report.title if report else row.word
    parts = [
        "<section>",
        f"<h2>{tag(title)}</h2>",
        f'<p class="large">{points_of(row.points, row.of)}</p>',
        *(f'<p class="note">{tag(remark)}</p>' for remark in row.remarks),
        *(f"<p>{tag(sentence)}</p>" for sentence in _how_it_went(row)),
        report.html() if report else "",
        *(f'<p class="quiet">{tag(sentence)}</p>' for sentence in _how_it_was_made(row)),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def _how_it_went(row: Standing) -> list[str]:
    """Why there are no checks to read, where there are none; and what was odd about what was handed in."""
    said = []
    if row.outcome == MISSING:
        said.append(f"Nothing was handed in for {row.word}.")
    elif row.outcome == UNTOLD:
        said.append(f"What you handed in may be for {row.word}; that could not be told.")
    elif row.outcome == OURS:
        said.append(
            "It could not be graded yet, by a fault of the grader's, not yours; it will be graded again."
        )
    elif row.sentence:
        said.append(row.sentence)
    return [*said, *row.notes]


def _how_it_was_made(row: Standing) -> list[str]:
    """Which submission counts, and what graded it."""
    said = []
    if row.submission is not None:
        came = f", {moment(row.received)}" if row.received else ""
        which = (
            f"The one that counts of the {row.handed_in} you handed in" if row.handed_in > 1 else "Handed in"
        )
        said.append(f"{which}: {row.origin or 'your files'}{came} (sha256 {row.sha256[:12]}…).")
    if row.run and row.outcome == GRADED:
        made = row.run.conditions
        when = f" on {moment(row.graded)}" if row.graded else ""
        said.append(
            f"Graded{when} by coursekit {made.coursekit}, torch {made.torch}, on {made.devices}, "
            f"with version {row.checks[:12]} of the checks."
        )
        if made.unprotected:
            said.append(f"It was graded without the full sandbox. {made.unprotected}")
    return said
