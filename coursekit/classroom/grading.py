"""Grade submissions into a grade book: each once, whatever happens on the way.

What a `Crew` makes of them is stored as it comes. A submission whose grading failed through no fault of its
own is stored as "ours": it never counts, and the next run tries it again. Nothing is kept in memory but what
is in hand, so ten thousand need no more than ten.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of

from .. import __version__
from ..grader import exercises
from ..grader.process import START
from ..grader.report import Report
from .crew import PLACES, TRIES, Crew, Outcome
from .gradebook import GradeBook
from .handing_out import Done, GradingStopped, Hands, Work
from .records import Result
from .rows import GRADED, OURS, REFUSED, Conditions, Run
from .submission import Submission
from .which_exercise import CANNOT_TELL, chosen

__all__ = ["Graded", "GradingStopped", "conditions", "grade", "regrade"]

OTHER = "other"
# So many characters of submissions wait at most for the turn of their exercise.
MOST_WAITING = 2**26


@dataclass(frozen=True)
class Graded:
    """What came of one submission in one exercise.

    Attributes:
        outcome: "graded", "refused" or "ours"; of one that is not new, "graded"; "other" where the submission
            says that it is for other exercises, and nothing of it was asked or stored.
        sentence: Why it was not graded, else "".
        is_new: Whether it was stored now; else its result was in the book already.
    """

    learner: str
    word: str
    outcome: str
    points: int = 0
    of: int = 0
    sentence: str = ""
    is_new: bool = True


def conditions(
    devices: Sequence[str], seconds: float, unprotected: str = "", machine: str = ""
) -> Conditions:
    """What a run is made with, on this machine or on others that have the same packages.

    >>> conditions(["cpu"], 20.0).devices
    'cpu'
    """
    return Conditions(
        coursekit=__version__,
        python=platform.python_version(),
        torch=version_of("torch"),
        devices=",".join(devices),
        seconds=seconds,
        machine=machine or f"{platform.node()} ({platform.machine()})",
        unprotected=unprotected,
    )


def grade(
    submissions: Iterable[Submission], book: GradeBook, run: Run, crew: Crew, words: Sequence[str] = ()
) -> Iterator[Graded]:
    """Grade submissions, and store each with what came of it.

    One that has a result of the same content, learner, checks, versions and device in the book is not graded
    again. What is in hand when this ends early is graded by the next run.

    Args:
        submissions: Read one at a time, as they are wanted.
        run: As `book.begin_run` gave it.
        words: The exercises to grade; by default what each submission says, or else what it defines.

    Raises:
        BookError: The book cannot be written.
        GradingStopped: Those who grade fail again and again, or do not come back.
        ConnectionError: Those who grade are gone.
    """
    desk = _Desk(book, run, crew)
    for submission in submissions:
        asked = chosen(words, submission.words, submission.files)
        if not asked:
            yield Graded(submission.learner, "", OTHER, is_new=False)
        for word in asked:
            problem = submission.problem or ("" if word else CANNOT_TELL)
            if known := book.result(word, submission, run.conditions, desk.exercise(word).version):
                yield _graded(submission.learner, word, known, is_new=False)
            elif problem:
                yield desk.refused(word, submission, problem)
            else:
                yield from desk.give(word, submission.files, submission)
    yield from desk.rest()


def regrade(submissions: Iterable[int], book: GradeBook, run: Run, crew: Crew) -> Iterator[Graded]:
    """Grade submissions that are in the book again, by their numbers; each gets a new result beside the old.

    The same secret asks the same again, so what changes comes from the checks or the versions.

    Raises:
        BookError, GradingStopped, ConnectionError: As `grade`.
    """
    desk = _Desk(book, run, crew)
    for number in submissions:
        learner, word = book.whose(number)
        if book.is_done(run, number, desk.exercise(word).version):
            yield Graded(learner, word, GRADED, is_new=False)
        else:
            yield from desk.give(word, book.files(number), Stored(number, learner))
    yield from desk.rest()


@dataclass(frozen=True)
class Stored:
    """A submission that is in the book already."""

    number: int
    learner: str


@dataclass(frozen=True)
class _Exercise:
    """What a result says of its exercise."""

    version: str
    of: int
    checks: int


class _Desk:
    """Where what is handed out comes back, and is stored."""

    def __init__(self, book: GradeBook, run: Run, crew: Crew) -> None:
        self.book, self.run = book, run
        self.hands = Hands(crew, self.patience)
        self._exercises: dict[str, _Exercise] = {}
        self._at_once: set[str] = set()
        self._later: dict[str, list[Work]] = {}
        self._waiting = 0

    def exercise(self, word: str) -> _Exercise:
        """What is known of an exercise, as it was when it was first wanted; of "" that it is none."""
        if not word:
            return _Exercise("", 0, 0)
        if word not in self._exercises:
            whole = exercises.load(word)
            self._exercises[word] = _Exercise(exercises.version(word), whole.points, len(whole.checks))
        return self._exercises[word]

    def patience(self, word: str) -> float:
        """How long whoever grades may take, waiting in line included, before they count as lost.

        Each check keeps a wall clock of its own, so this is what is left when all else has failed.
        """
        return START + 2 * TRIES * (self.exercise(word).checks + 1) * self.run.conditions.seconds

    def give(self, word: str, files: Mapping[str, str], about: Submission | Stored) -> Iterator[Graded]:
        """Hand a submission out, or keep it for its turn; gives what came back meanwhile.

        To change from one exercise to another and back takes seconds, so only as many as have a place at once
        are graded as they come.
        """
        work = Work(word, files, about)
        if word in self._at_once or len(self._at_once) < PLACES:
            self._at_once.add(word)
            yield from map(self._store, self.hands.give(work))
            return
        self._later.setdefault(word, []).append(work)
        self._waiting += sum(map(len, files.values()))
        if self._waiting > MOST_WAITING:
            yield from self._in_turn()

    def _in_turn(self) -> Iterator[Graded]:
        """Hand out what waited, one exercise after the other."""
        later, self._later, self._waiting = self._later, {}, 0
        for works in later.values():
            for work in works:
                yield from map(self._store, self.hands.give(work))

    def rest(self) -> Iterator[Graded]:
        """Hand out what waited, and wait for all that is handed out; then the run is over."""
        yield from self._in_turn()
        yield from map(self._store, self.hands.rest())
        self.book.end_run(self.run)

    def refused(self, word: str, submission: Submission, problem: str) -> Graded:
        """Store a submission of which nothing can be graded."""
        about = self.exercise(word)
        result = Result(REFUSED, about.version, 0, about.of, "", problem)
        is_new = self.book.store(self.run, word, submission, result)
        return _graded(submission.learner, word, result, is_new)

    def _store(self, done: Done) -> Graded:
        work, outcome = done
        about, result = work.about, self._result(work.word, outcome)
        if isinstance(about, Stored):
            is_new = self.book.store_again(self.run, about.number, result)
        else:
            is_new = self.book.store(self.run, work.word, about, result)
        return _graded(about.learner, work.word, result, is_new)

    def _result(self, word: str, outcome: Outcome) -> Result:
        checks, of = self.exercise(word).version, self.exercise(word).of
        if outcome.trouble:
            return Result(OURS, checks, 0, of, "", outcome.trouble, outcome.seconds)
        report = Report.from_json(outcome.report)
        return Result(GRADED, checks, report.points, report.of, outcome.report, "", outcome.seconds)


def _graded(learner: str, word: str, result: Result, is_new: bool) -> Graded:
    return Graded(learner, word, result.outcome, result.points, result.of, result.sentence, is_new)
