"""What a class did with an exercise, counted: which checks failed, in which ways, and who needs a person.

Failures that are the same are counted together: by the known mistake that they look like, else by what came.
All of a run are asked the same, so the same thought gives the same wrong value. What many get wrong in one
way is worth a word in the next lesson, or it says that the task can be read in another way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..grader.report import Report, Result
from .rows import GRADED, MISSING, OURS, UNTOLD, Standing
from .submission import OWN_CLOCK

FEW = 3


@dataclass
class Failure:
    """One way in which a check failed.

    Attributes:
        title: The known mistake's title, or "" for what looks like none that is known.
        sentence: What one of those learners read.
        kind: Of the fault, as in `Result`.
        count: How many learners.
        learners: The first few of them.
    """

    title: str
    sentence: str
    kind: str
    count: int = 0
    learners: list[str] = field(default_factory=list)

    def add(self, learner: str) -> None:
        """Count one learner."""
        self.count += 1
        if len(self.learners) < FEW:
            self.learners.append(learner)


@dataclass
class CheckTally:
    """One check over the class: each learner is in one of the four counts."""

    title: str
    of: int
    right: int = 0
    wrong: int = 0
    stopped: int = 0
    unwritten: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many learners were asked."""
        return self.right + self.wrong + self.stopped + self.unwritten

    @property
    def failed(self) -> int:
        """How many wrote something that did not pass."""
        return self.wrong + self.stopped

    def worst(self) -> list[Failure]:
        """The ways in which it failed, the most frequent first."""
        return sorted(self.failures.values(), key=lambda failure: -failure.count)

    def add(self, learner: str, result: Result) -> None:
        """Count one learner's result."""
        sort = sort_of(result)
        setattr(self, sort, getattr(self, sort) + 1)
        if sort not in ("wrong", "stopped"):
            return
        failure = Failure(result.mistake, _sentence(result), result.kind)
        self.failures.setdefault(_what_came(result), failure).add(learner)


def _sentence(result: Result) -> str:
    """What was read first: what is wrong, and for a known mistake also why."""
    return " ".join(result.parts.sentences[: 2 if result.mistake else 1])


def _what_came(result: Result) -> str:
    """What is the same for all who failed a check in the same way."""
    if result.mistake or result.kind == "slow":
        return result.mistake or result.kind
    parts = result.parts
    return "\n".join([*parts.sentences[:1], parts.yours, parts.trace.rpartition("\n")[2]])


def sort_of(result: Result) -> str:
    """Which of the four a result is; "stopped" is what did not run to its end."""
    if result.passed:
        return "right"
    return {"unwritten": "unwritten", "stopped": "stopped", "unusable": "stopped"}.get(result.kind, "wrong")


@dataclass(frozen=True)
class Look:
    """Somebody to look at, and why: a sentence."""

    learner: str
    word: str
    why: str


@dataclass
class Alike:
    """Who wrote a definition as others did.

    Attributes:
        library: Whose is like the library's, and how much.
        pairs: Two whose are more like each other than like the library's, and how much.
    """

    library: dict[str, float] = field(default_factory=dict)
    pairs: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass
class Tally:
    """One exercise over the class.

    Attributes:
        title: That of the exercise, or its word while no report tells.
        of: What can be earned.
        outcomes: How many learners' grades have each outcome.
        points: How many learners have so many points, of those that count.
        checks: By name, in the order of the exercise.
        mistakes: The known mistakes that were made, by title, wherever they were first seen.
        settle: What only a person can settle.
        noted: What was left out of a submission, or is doubtful.
        help: Whose files could not be run, or who wrote everything and passed nothing.
        late: How many submissions that count came after the due date.
        alike: For each definition, who wrote alike.
        origins: What made the grades: how many of each.
        own_clocks: How many were handed in at a time that only the learner's own clock tells.
    """

    word: str
    title: str = ""
    of: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    points: Counter[float] = field(default_factory=Counter)
    checks: dict[str, CheckTally] = field(default_factory=dict)
    mistakes: dict[str, Failure] = field(default_factory=dict)
    settle: list[Look] = field(default_factory=list)
    noted: list[Look] = field(default_factory=list)
    help: list[Look] = field(default_factory=list)
    late: int = 0
    missing: list[str] = field(default_factory=list)
    alike: dict[str, Alike] = field(default_factory=dict)
    origins: Counter[str] = field(default_factory=Counter)
    unprotected: Counter[str] = field(default_factory=Counter)
    own_clocks: int = 0

    def add(self, row: Standing, report: Report | None) -> None:
        """Count where one learner stands."""
        if row.outcome == UNTOLD or (row.outcome == MISSING and not row.word):
            return  # They may have handed something in; or there is nothing that they could have.
        self.title = self.title or (report.title if report else "")
        self.of = max(self.of, row.of)
        self.outcomes[row.outcome] += 1
        self.late += row.days_late > 0
        if row.points is not None:
            self.points[row.points] += 1
        if row.outcome == MISSING and row.override is None:
            self.missing.append(row.learner)
        self._add_likenesses(row)
        if row.run and row.outcome == GRADED:
            self.origins[origin(row)] += 1
            self.own_clocks += OWN_CLOCK in row.notes
            self.unprotected.update(
                [row.run.conditions.unprotected] if row.run.conditions.unprotected else []
            )
        if report and row.outcome == GRADED:
            self._add_results(row.learner, report)
        self._look(row, report)

    def _add_results(self, learner: str, report: Report) -> None:
        made: set[str] = set()
        for result in report.results:
            self.checks.setdefault(result.name, CheckTally(result.title, result.of)).add(learner, result)
            if result.mistake and result.mistake not in made:
                mistake = Failure(result.mistake, _sentence(result), result.kind)
                self.mistakes.setdefault(result.mistake, mistake).add(learner)
                made.add(result.mistake)

    def _add_likenesses(self, row: Standing) -> None:
        """Note who wrote alike; two who are both as much like the library are no pair for that."""
        ours = {one.definition: one.share for one in row.likenesses if not one.learner}
        for one in row.likenesses:
            alike = self.alike.setdefault(one.definition, Alike())
            if not one.learner:
                alike.library[row.learner] = one.share
            elif one.share > ours.get(one.definition, 0):
                first, second = sorted((row.learner, one.learner))
                alike.pairs[first, second] = one.share

    def _look(self, row: Standing, report: Report | None) -> None:
        """Note whether a person should look, and why; what a person has settled needs none."""
        if row.override is not None:
            return
        if row.needs_a_look:
            again = "It does not count, and is graded again next time: " if row.outcome == OURS else ""
            self.settle.append(Look(row.learner, row.word, f"{again}{row.sentence}"))
        elif doubts := [note for note in row.notes if note != OWN_CLOCK]:
            self.noted.append(Look(row.learner, row.word, " ".join(doubts)))
        if report and report.problem:
            self.help.append(Look(row.learner, row.word, report.problem))
        elif report and row.earned == 0 and _all_written(report.results):
            self.help.append(Look(row.learner, row.word, "Everything is written, and no check passed."))

    @property
    def median(self) -> float | None:
        """The middle of the points that count."""
        ordered = sorted(self.points.elements())
        if not ordered:
            return None
        middle = len(ordered) // 2
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

    @property
    def learners(self) -> int:
        """How many learners there are, those with nothing handed in among them."""
        return self.outcomes.total()

    def most_made(self) -> list[Failure]:
        """The known mistakes, those made most first."""
        return sorted(self.mistakes.values(), key=lambda mistake: -mistake.count)

    def worst_checks(self) -> list[CheckTally]:
        """The checks that failed, those that failed most first."""
        return sorted((one for one in self.checks.values() if one.failed), key=lambda one: -one.failed)


def _all_written(results: Iterable[Result]) -> bool:
    return all(result.kind != "unwritten" for result in results)


def origin(row: Standing) -> str:
    """What made a grade, in a line: versions, device, machine."""
    assert row.run is not None
    made = row.run.conditions
    return (
        f"checks {row.checks[:12]} · coursekit {made.coursekit} · Python {made.python} · torch {made.torch}"
        f" · {made.devices} · {made.machine}"
    )
