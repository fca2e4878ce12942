"""Who grades: threads here, or the workers of a cluster; both take the same work and give the same answers.

What is handed out is plain data and so is what comes back, and each process has one `Station` for a run: a
sandbox and a batch for each exercise, made when first wanted. So whoever hands out the work need not know
where it is done:

    with threads(terms, jobs=2) as crew:
        future = crew.hand_out("metrics", {"metrics": "def accuracy ..."})
        outcome = outcome_of(future)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from ..grader import process
from ..grader.batch import Batch, get_ready
from ..sandbox import Sandbox
from ..sandbox.masking import masked_library
from ..scratch import Scratch

TRIES = 3
PLACES = 4


@dataclass(frozen=True)
class Terms:
    """What holds for every submission of one grading run.

    Attributes:
        seed: The run's secret; all inputs follow from it.
        devices: Where learners' code computes, such as ("cpu", "cuda").
        seconds: The wall clock of one check.
        protected: Whether learners' code runs in the sandbox, or in an ordinary process of the same user.
    """

    seed: int
    devices: tuple[str, ...] = ("cpu",)
    seconds: float = 20.0
    protected: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of one submission.

    Attributes:
        report: The report as JSON; "" when there is `trouble`.
        seconds: How long it took, all tries together.
        trouble: "" or a sentence: the fault is ours or the machine's, never the learner's, and nothing of it
            may count.
    """

    report: str = ""
    seconds: float = 0.0
    trouble: str = ""


@dataclass
class _Place:
    """Where one exercise is graded: its batch, how many threads are at it, and whether it is given up."""

    batch: Batch
    users: int = 0
    is_given_up: bool = False
    stack: ExitStack = field(default_factory=ExitStack)


class Station:
    """Grades submissions, for as many threads as want to; `close` clears it away.

    Each exercise has a place of its own, of some hundred megabytes. There are `PLACES` of them, and more only
    while more are at work at once: for another one that ends which was idle longest.

    Args:
        terms: What holds for all of them.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._places: dict[str, _Place] = {}  # the one that was wanted last is the last
        self._lock = threading.Lock()
        self._is_closed = False

    def grade(self, word: str, files: Mapping[str, str]) -> Outcome:
        """Check files (module to text) against an exercise; what fails through no fault of theirs, again."""
        begun = time.monotonic()
        trouble = ""
        for number in range(TRIES):
            try:
                with self._batch(word, anew=number == TRIES - 1) as batch:
                    report = batch.check(files)
            except Exception as error:
                trouble = f"{type(error).__name__}: {error}"
                continue
            faults = [result.message for result in report.results if result.kind == "ours"]
            if not faults:
                return Outcome(report.to_json(), time.monotonic() - begun)
            trouble = faults[0]
        return Outcome(seconds=time.monotonic() - begun, trouble=trouble)

    def close(self) -> None:
        """End its sandboxes, also those that are at work."""
        with self._lock:
            self._is_closed = True
            for place in self._places.values():
                place.stack.close()
            self._places.clear()

    @contextmanager
    def _batch(self, word: str, anew: bool = False) -> Iterator[Batch]:
        """The batch of an exercise, which is not ended meanwhile.

        Args:
            anew: In another place than before: what that one is made of may be gone, such as a folder that
                somebody tidied away.
        """
        with self._lock:
            if self._is_closed:
                raise process.CannotStart("Grading was ended meanwhile.")
            if anew and (old := self._places.pop(word, None)):
                old.is_given_up = True
                self._leave(old)
            place = self._places.pop(word, None) or self._made(word)
            self._places[word] = place
            place.users += 1
        try:
            yield place.batch
        finally:
            with self._lock:
                place.users -= 1
                self._leave(place)

    def _leave(self, place: _Place) -> None:
        """End a place that is given up, when nobody is at it any more."""
        if place.is_given_up and not place.users:
            place.stack.close()

    def _made(self, word: str) -> _Place:
        """A place for one more exercise."""
        idle = [other for other, place in self._places.items() if not place.users]
        for other in idle[: max(0, len(self._places) + 1 - PLACES)]:
            self._places.pop(other).stack.close()
        terms = self.terms
        with ExitStack() as stack:
            start = self._start(word, stack)
            batch = stack.enter_context(Batch(word, terms.seed, terms.devices, terms.seconds, start))
            get_ready()
            return _Place(batch, stack=stack.pop_all())

    def _start(self, word: str, stack: ExitStack) -> Callable[[bool], process.Job]:
        """What starts learners' code: a sandbox that lacks what the exercise asks for, or a process here.

        The sandbox gets ready while what else is needed does the same.
        """
        if not self.terms.protected:
            return process.start
        process.reserve()
        library = masked_library(word, stack.enter_context(Scratch("library")).path)
        device = "cuda" if "cuda" in self.terms.devices else "cpu"
        sandbox = stack.enter_context(Sandbox(library, device=device))
        sandbox.get_ready()
        return sandbox.start


# A process has one for each run: its threads share it, here as on a cluster's worker.
_stations: dict[Terms, Station] = {}
_lock = threading.Lock()


def grade(terms: Terms, word: str, files: Mapping[str, str]) -> Outcome:
    """Grade a submission at this process's station for these terms."""
    with _lock:
        station = _stations.setdefault(terms, Station(terms))
    return station.grade(word, files)


def close(terms: Terms) -> None:
    """Clear away this process's station for these terms, if there is one."""
    with _lock:
        station = _stations.pop(terms, None)
    if station:
        station.close()


class Crew:
    """Those who grade in one run.

    Args:
        terms: What holds for all of it.
        executor: Has them at work.
        size: How many submissions are graded at once; it may change.
        work: What each of them does.
    """

    def __init__(
        self,
        terms: Terms,
        executor: Executor,
        size: int,
        work: Callable[[Terms, str, dict[str, str]], Outcome] = grade,
    ) -> None:
        self.terms, self.executor, self.size, self.work = terms, executor, size, work

    def hand_out(self, word: str, files: Mapping[str, str]) -> Future[Outcome]:
        """Have a submission graded; twice `size` in hand keep everybody busy. See `outcome_of`."""
        return self.executor.submit(self.work, self.terms, word, dict(files))

    def look(self) -> None:
        """See whether they are all still there; to be asked about once a second.

        Raises:
            ConnectionError: They are gone for good; the message says what to do.
        """


@contextmanager
def threads(terms: Terms, jobs: int) -> Iterator[Crew]:
    """A crew of so many threads in this process."""
    executor = ThreadPoolExecutor(jobs, "grading")
    try:
        yield Crew(terms, executor, jobs)
    finally:
        # What is still at work ends with its sandbox, and a thread that was just beginning with the next one.
        executor.shutdown(wait=False, cancel_futures=True)
        close(terms)
        executor.shutdown()
        close(terms)


def outcome_of(future: Future[Outcome]) -> Outcome:
    """What came of work that is done; an error on the way, such as a worker lost too often, is our trouble.

    Raises:
        ConnectionError: Nobody does it any more; it has to be handed out again.
    """
    try:
        error = future.exception()
    except CancelledError:
        raise ConnectionError("Whoever had this submission in hand has put it down.") from None
    return Outcome(trouble=f"{type(error).__name__}: {error}") if error else future.result()
