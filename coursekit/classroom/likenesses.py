"""Whose answer is like whose, over a grade book: information for an instructor, never part of a grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grader.exercises import UnknownExercise
from ..grader.likeness import Pieces, alike, fingerprint
from .rows import GRADED, Likeness

if TYPE_CHECKING:
    from .gradebook import GradeBook
    from .rules import Rules


def likenesses(book: GradeBook, word: str, rules: Rules | None = None) -> dict[str, tuple[Likeness, ...]]:
    """For each learner whose submission is like the library or like somebody else's: in what, and how much.

    Only submissions that count are compared. It takes some hundredths of a second for each.

    Args:
        rules: What counts; by default the exercise's rules in the book.
    """
    found: dict[str, dict[str, Pieces]] = {}
    of_content: dict[str, dict[str, Pieces]] = {}
    kept: dict[Pieces, Pieces] = {}  # equal ones are one in memory
    try:
        for row in book.standing(word, rules):
            if row.outcome == GRADED and row.submission is not None:
                if row.sha256 not in of_content:
                    parts = fingerprint(book.files(row.submission), word)
                    of_content[row.sha256] = {name: kept.setdefault(one, one) for name, one in parts.items()}
                found[row.learner] = of_content[row.sha256]
        told = alike(word, found)
    except UnknownExercise:
        return {}
    return {
        learner: tuple(Likeness(one.definition, one.learner, one.share) for one in ones)
        for learner, ones in told.items()
    }
