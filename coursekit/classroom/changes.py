"""What a regrade changed: whose points, from what to what, and by which checks.

>>> print(Change("ada", "metrics", 3, 5, 8, ("the rate is a share: passes now",)).text())
ada, metrics: 3 → 5 of 8 points (the rate is a share: passes now)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..grader.report import Report
from ..grader.report import Result as CheckResult
from .gradebook import GradeBook
from .records import Result
from .rows import Run


@dataclass(frozen=True)
class Change:
    """One submission whose result is another one now.

    Attributes:
        before, after: Points; before is None where there was no result.
        checks: For each check that is judged otherwise, its title and how.
    """

    learner: str
    word: str
    before: int | None
    after: int
    of: int
    checks: tuple[str, ...]

    def text(self) -> str:
        """The change in a line."""
        before = "nothing" if self.before is None else self.before
        about = f" ({'; '.join(self.checks)})" if self.checks else ""
        return f"{self.learner}, {self.word}: {before} → {self.after} of {self.of} points{about}"


def changes(book: GradeBook, run: Run) -> Iterator[Change]:
    """What became another one in a run, one submission at a time."""
    for submission, now, before in book.results(run):
        checks = _judged_otherwise(before, now)
        if before is None or checks or (before.points, before.of) != (now.points, now.of):
            learner, word = book.whose(submission)
            yield Change(learner, word, before.points if before else None, now.points, now.of, checks)


def _judged_otherwise(before: Result | None, now: Result) -> tuple[str, ...]:
    """Each check that passes or fails now and did not before, counts otherwise, or is new or gone."""
    old, new = _checks(before), _checks(now)
    said = []
    for name in dict.fromkeys([*old, *new]):
        if name not in old:
            said.append(f"{name}: new, {_outcome(new[name].passed)}")
        elif name not in new:
            said.append(f"{name}: gone")
        else:
            worth = old[name].of, new[name].of
            told = [f"counts {worth[1]} points and not {worth[0]}"] if worth[0] != worth[1] else []
            told += [f"{_outcome(new[name].passed)} now"] if old[name].passed != new[name].passed else []
            said += [f"{name}: {' and '.join(told)}"] if told else []
    return tuple(said) if before else ()


def _checks(result: Result | None) -> dict[str, CheckResult]:
    """Each check's result by its title."""
    if result is None or not result.report:
        return {}
    return {one.title: one for one in Report.from_json(result.report).results}


def _outcome(passed: bool) -> str:
    return "passes" if passed else "fails"
