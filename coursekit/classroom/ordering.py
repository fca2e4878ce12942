"""What is ordered of a grading run: which exercises, on what, by whom, and how safely.

>>> Order.of(["first_model"], jobs=2, device="cpu", allow_unprotected=True).words
('first_model',)
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ..grader import exercises
from ..grader.batch import devices_here
from ..progress import WorkspaceError
from ..sandbox.availability import why_not
from .cluster import workers
from .crew import Crew, Terms, threads
from .gradebook import GradeBook
from .grading import Graded, conditions, grade, regrade
from .rows import Run
from .submission import Submission


@dataclass(frozen=True)
class Order:
    """How submissions are to be graded.

    Attributes:
        words: Only these exercises; empty: whatever was handed in.
        jobs: How many submissions at once, on this machine.
        devices: Where learners' code computes.
        seconds: The wall clock of one check.
        unprotected: What is missing of the sandbox here, in sentences; "" when nothing is.
        cluster: The address of a cluster that grades; "" for this machine.
    """

    words: tuple[str, ...] = ()
    jobs: int = 1
    devices: tuple[str, ...] = ("cpu",)
    seconds: float = 20.0
    unprotected: str = ""
    cluster: str = ""

    @classmethod
    def of(
        cls,
        words: Sequence[str] | None = None,
        jobs: int | None = None,
        device: str | None = None,
        seconds: float = 20.0,
        allow_unprotected: bool = False,
        cluster: str | None = None,
    ) -> Order:
        """An order as it was given, with the rest found out; exercises and devices must be there.

        Raises:
            UnknownExercise: No exercise has that name; a LookupError.
            WorkspaceError: There is no such device, or learners' code cannot be locked away here.
        """
        for word in words or ():
            exercises.load(word)
        devices = _devices(device, bool(cluster))
        # Submissions that share a graphics card take its memory from each other.
        at_once = 1 if "cuda" in devices else _cores()
        unprotected = "" if cluster else _unprotected(allow_unprotected)
        return cls(tuple(words or ()), jobs or at_once, devices, seconds, unprotected, cluster or "")

    def grade(self, submissions: Iterable[Submission], book: GradeBook) -> Iterator[Graded]:
        """Grade submissions as ordered; see `grading.grade`."""
        run = self._begin(book, "grade")
        with self._crew(run) as crew:
            yield from grade(submissions, book, run, crew, self.words)

    def regrade(self, book: GradeBook) -> Iterator[tuple[Run, Iterator[Graded]]]:
        """Grade what is in the book again, a run for each secret there was; see `grading.regrade`."""
        again: dict[int, list[int]] = {}
        # An exercise that is gone keeps the grades it gave.
        for word in self.words or [word for word in book.words() if word in exercises.words()]:
            for secret, numbers in book.gradable(word).items():
                again.setdefault(secret, []).extend(numbers)
        for secret, numbers in again.items():
            run = self._begin(book, "regrade", secret)
            yield run, self._again(numbers, book, run)

    def _again(self, numbers: Sequence[int], book: GradeBook, run: Run) -> Iterator[Graded]:
        with self._crew(run) as crew:
            yield from regrade(numbers, book, run, crew)

    def _begin(self, book: GradeBook, purpose: str, secret: int | None = None) -> Run:
        machine = f"a cluster at {self.cluster}" if self.cluster else ""
        made = conditions(self.devices, self.seconds, self.unprotected, machine)
        return book.begin_run(made, purpose, secret)

    def _crew(self, run: Run) -> AbstractContextManager[Crew]:
        terms = Terms(run.secret, self.devices, self.seconds, protected=not self.unprotected)
        if self.cluster:
            return workers(self.cluster, terms, self.words or exercises.words())
        return threads(terms, self.jobs)


def _cores() -> int:
    """The cores that we may use, where the system tells, else those there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _devices(device: str | None, is_cluster: bool) -> tuple[str, ...]:
    """Where to compute: what was asked for if it is there, else all there is; a cluster has to be told."""
    here = ("cpu",) if is_cluster else devices_here()
    if device is None:
        return here
    if device not in ("cpu", "cuda"):
        raise WorkspaceError(f"There is no kind of device called {device!r}; say cpu or cuda.")
    if device not in here and not is_cluster:
        raise WorkspaceError(f"No {device} device is seen here. Without --device every one there is is used.")
    return (device,)


def _unprotected(is_allowed: bool) -> str:
    """What is missing of the sandbox, when grading without it is allowed."""
    missing = " ".join(why_not())
    if missing and not is_allowed:
        raise WorkspaceError(
            f"Learners' code cannot be locked away here, so nothing was graded. {missing} With "
            "--allow-unprotected it runs as you do, with all that you may read and write, and every report "
            "says so."
        )
    return missing
