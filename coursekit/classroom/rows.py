"""What a grade book says, row by row: runs, grades, overrides, and where each learner stands.

>>> Override(points=7.5, why="the due date was moved for her", who="R. Lang", when=None).points
7.5
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..grader.likeness import Likeness

GRADED, REFUSED, OURS, MISSING, UNTOLD = "graded", "refused", "ours", "missing", "untold"


@dataclass(frozen=True)
class Conditions:
    """Where and with what a grade is made.

    Attributes:
        devices: Where learners' code computed: "cpu" or "cpu,cuda".
        seconds: The wall clock of one check.
        unprotected: What was missing of the sandbox, as sentences; empty when all of it was there.
    """

    coursekit: str
    python: str
    torch: str
    devices: str
    seconds: float
    machine: str
    unprotected: str = ""


@dataclass(frozen=True)
class Run:
    """One grading run: all its inputs follow from one secret number.

    Attributes:
        number: Its number in the book.
        purpose: "grade", or "regrade" when stored submissions were graded again.
        began: When it was begun.
    """

    number: int
    purpose: str
    secret: int
    conditions: Conditions
    began: datetime


@dataclass(frozen=True)
class Grade:
    """A submission and its newest result.

    Attributes:
        number: Of the result, in the order in which results were stored; 0 while there is none.
        submission: The number of the submission in the book.
        run: The number of the run that made the result.
        checks: The version of the exercise that it was graded by.
        outcome: "graded", "refused" (nothing could be graded) or "ours" (the grader failed; never counted).
        received: When it was handed in, if that is known.
        marked_late: Whether the learning-management system called it late.
        came: When it came into the book.
        sentence: Why it was not graded, else "".
    """

    number: int
    submission: int
    run: int
    checks: str
    outcome: str
    points: int
    of: int
    received: datetime | None
    marked_late: bool
    came: datetime
    sentence: str = ""


@dataclass(frozen=True)
class Override:
    """Points that a person gave, and why; points of None take an earlier override back."""

    points: float | None
    why: str
    who: str
    when: datetime | None


@dataclass(frozen=True)
class Standing:
    """Where a learner stands in one exercise: the grade that counts, and what a person may want to know.

    Attributes:
        outcome: That of the grade that counts: "graded", "refused", "ours"; "missing" when nothing was handed
            in, which an override may have settled; "untold" when something was, and may be for this exercise.
        points: What counts, after late rules and overrides; None when nothing counts (yet).
        of: What can be earned.
        earned: What the checks gave, before late rules and overrides; None when nothing was graded.
        days_late: Days after the due date, begun ones included.
        received: When the submission that counts was handed in, if that is known.
        handed_in: How many submissions there are.
        remarks: What came to the points or against them, in sentences.
        report: The report as JSON (`Report.from_json` reads it); "" when there is none.
        sentence: Why it was not graded, else "".
        submission: Its number in the book; None when there is none.
        notes: What was left out of it or doubtful, in sentences.
        run, checks, graded: The run and the version of the exercise that made the grade, and when.
    """

    learner: str
    word: str
    outcome: str
    points: float | None
    of: int
    earned: int | None = None
    days_late: int = 0
    received: datetime | None = None
    handed_in: int = 0
    remarks: tuple[str, ...] = ()
    report: str = ""
    sentence: str = ""
    submission: int | None = None
    sha256: str = ""
    origin: str = ""
    notes: tuple[str, ...] = ()
    override: Override | None = None
    run: Run | None = None
    checks: str = ""
    graded: datetime | None = None
    likenesses: tuple[Likeness, ...] = ()

    @property
    def needs_a_look(self) -> bool:
        """Whether a person should look at it: it was refused, or the grader failed, and nobody settled it."""
        return self.override is None and self.outcome in (REFUSED, OURS)
