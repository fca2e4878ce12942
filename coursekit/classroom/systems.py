"""Tables that learning-management systems import: for Canvas's gradebook, Moodle's, and Moodle's worksheet.

Who is who is told by what a download names: Canvas its number of a user, Moodle its number of a participant,
Gradescope a student's number or address. Elsewhere it is the learner as the grade book names them, which is
best what they sign in with.

A name is written by whoever bears it, and is never taken for more: no formula (`neutral.cell`), no row of the
system's own. Who has no points yet is left out, or in a table of several exercises has an empty cell there.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import IO

from .neutral import cell
from .rows import Standing
from .senders import NUMBERED, sender

CANVAS_HEAD = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
WORKSHEET_HEAD = (
    "Identifier",
    "Full name",
    "Status",
    "Grade",
    "Maximum grade",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
)


def identity(learner: str, origin: str) -> tuple[str, str, str]:
    """How a learner is named in other systems.

    Args:
        learner: As the grade book names them.
        origin: Where what they handed in was found.

    Returns:
        The name; what tells them apart; and what that is: a number of "canvas" or of "moodle", a number of
        the "institution", or "" for what they sign in with.

    >>> identity("boana (4711)", "week 1/boana_LATE_4711_998_kit.zip")
    ('boana', '4711', 'canvas')
    >>> identity("Ana Bo (ana@uni.example)", "submission_1"), identity("ana", "ana/metrics.py")
    (('Ana Bo', 'ana@uni.example', ''), ('ana', 'ana', ''))
    """
    numbered = NUMBERED.fullmatch(learner)
    if not numbered:
        return learner, learner, ""
    for part in origin.split("/"):
        found = sender(part)
        # Names further in are the learner's to choose; this one named the learner.
        if found and found[0].learner == learner and numbered[2].isdecimal():
            return numbered[1], numbered[2], "moodle" if "_assignsubmission_" in part else "canvas"
    return numbered[1], numbered[2], "" if "@" in numbered[2] else "institution"


def number_of(points: float | None) -> str:
    """Points as these systems read them: a dot, at most two digits behind it, "" for none.

    >>> number_of(7.0), number_of(2 / 3), number_of(None)
    ('7', '0.67', '')
    """
    return "" if points is None else f"{points:.2f}".rstrip("0").rstrip(".")


class _Table:
    """A table with a row for each learner who has points in one of the exercises."""

    def __init__(self, file: IO[str]) -> None:
        self._table = csv.writer(file)

    def add(self, learner: str, rows: Sequence[Standing]) -> None:
        """Add where a learner stands in each exercise, unless there is not one point to tell."""
        points = [number_of(row.points) for row in rows if row.word]
        if any(points):
            origin = next((row.origin for row in rows if row.origin), "")
            name, number, whose = identity(learner, origin)
            self._add(cell(name), cell(number), whose, points)

    def _add(self, name: str, number: str, whose: str, points: list[str]) -> None:
        raise NotImplementedError


class Canvas(_Table):
    """Canvas's gradebook, to import it there under Grades, "Import".

    Args:
        file: Where to.
        titles: The title of each exercise, which is the assignment's name there.
        most: What can be earned in each.
    """

    def __init__(self, file: IO[str], titles: Sequence[str], most: Sequence[int]) -> None:
        super().__init__(file)
        self._table.writerow([*CANVAS_HEAD, *map(cell, titles)])
        self._table.writerow(["    Points Possible", *[""] * (len(CANVAS_HEAD) - 1), *most])

    def _add(self, name: str, number: str, whose: str, points: list[str]) -> None:
        # A student of this name would be taken for the row that says what can be earned.
        student = name.replace("Points Possible", "Points-Possible")
        column = {"canvas": "ID", "institution": "SIS User ID", "": "SIS Login ID"}.get(whose)
        known = [number if head == column else "" for head in CANVAS_HEAD[1:]]
        self._table.writerow([student, *known, *points])


class Moodle(_Table):
    """Moodle's gradebook, to import it there as CSV, mapping the user from the first column.

    Where that cell is empty, Moodle gives the grade to the user of the row before. So there is one such
    column, and it is full in each row. A grade of "-" is none. Participants of a download have a number that
    holds for its assignment only, and are in the worksheet instead; and Canvas's numbers mean others here.

    Args:
        learners: Who they are; what tells them apart is named at the head of the first column.
    """

    def __init__(self, file: IO[str], titles: Sequence[str], learners: Sequence[str]) -> None:
        super().__init__(file)
        known = [identity(learner, "") for learner in learners]
        by = "ID number" if any(whose == "institution" for _, _, whose in known) else "Username"
        by = "Email address" if all("@" in number for _, number, _ in known) else by
        self._table.writerow([by, *map(cell, titles)])

    def _add(self, name: str, number: str, whose: str, points: list[str]) -> None:
        if whose not in ("moodle", "canvas"):
            self._table.writerow([number, *(one or "-" for one in points)])


class MoodleWorksheet:
    """Moodle's offline grading worksheet of one assignment, for those whom a download from there names.

    Args:
        at: Which of the exercises it is for.
    """

    def __init__(self, file: IO[str], at: int) -> None:
        self._table, self._at = csv.writer(file), at
        self._table.writerow(WORKSHEET_HEAD)

    def add(self, learner: str, rows: Sequence[Standing]) -> None:
        """Add where a participant stands, unless there are no points to tell."""
        row = rows[self._at]
        name, number, whose = identity(learner, row.origin)
        if whose == "moodle" and row.points is not None:
            about = [f"Participant {number}", cell(name), "", number_of(row.points), row.of]
            self._table.writerow([*about, "Yes", "-", "-"])
