"""Whose answer is like whose, over a grade book: information for an instructor, never part of a grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grader.exercises import Exercise, UnknownExercise, load
from ..grader.likeness import Likeness, Pieces, alike, fingerprint, way_of_reading
from .rows import GRADED, Standing

if TYPE_CHECKING:
    from .gradebook import GradeBook
    from .rules import Rules

# So many new fingerprints are stored at once: each time waits for the disk.
AT_ONCE = 200


def likenesses(book: GradeBook, word: str, rules: Rules | None = None) -> dict[str, tuple[Likeness, ...]]:
    """For each learner whose submission is like the library or like somebody else's: in what, and how much.

    Only submissions that count are compared. The first time takes some thousandths of a second for each; what
    was read is kept in the book.

    Args:
        rules: What counts; by default the exercise's rules in the book.
    """
    try:
        exercise = load(word)
    except UnknownExercise:
        return {}
    found: dict[str, dict[str, Pieces]] = {}
    with _Fingerprints(book, exercise) as fingerprints:
        for row in book.standing(word, rules):
            if row.outcome == GRADED:
                found[row.learner] = fingerprints.of(row)
    return {learner: tuple(ones) for learner, ones in alike(word, found).items()}


class _Fingerprints:
    """The fingerprints of what was handed in for an exercise: kept ones, and new ones which are then kept."""

    def __init__(self, book: GradeBook, exercise: Exercise) -> None:
        self._book, self._exercise, self._way = book, exercise, way_of_reading(exercise)
        self._known: dict[str, dict[str, Pieces]] = {}
        self._once: dict[Pieces, Pieces] = {}  # equal ones are one in memory
        self._new: dict[str, dict[str, Pieces]] = {}

    def __enter__(self) -> _Fingerprints:
        return self

    def __exit__(self, *error: object) -> None:
        self._keep()

    def of(self, row: Standing) -> dict[str, Pieces]:
        """The fingerprint of the submission that counts."""
        if row.sha256 not in self._known:
            kept = self._kept(row.sha256)
            parts = self._made(row) if kept is None else kept
            self._known[row.sha256] = {name: self._once.setdefault(one, one) for name, one in parts.items()}
        return self._known[row.sha256]

    def _kept(self, sha256: str) -> dict[str, Pieces] | None:
        kept = self._book.fingerprint(sha256, self._exercise.word, self._way)
        return None if kept is None else {name: frozenset(one) for name, one in kept.items()}

    def _made(self, row: Standing) -> dict[str, Pieces]:
        made = fingerprint(self._book.files(row.submission or 0), self._exercise)
        self._new[row.sha256] = made
        if len(self._new) >= AT_ONCE:
            self._keep()
        return made

    def _keep(self) -> None:
        new, self._new = self._new, {}
        if new:
            self._book.keep_fingerprints(self._exercise.word, self._way, new)
