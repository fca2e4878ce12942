"""Hand work out to those who grade, and take back what came of it: bounded, watched, and tried again.

Before the first submission of an exercise our own answer is graded in the same place, and nothing else is
until that has passed: a place that is broken must not cost anybody points. What fails later through no fault
of the submission waits until the others are done and is then tried alone, since a submission that ends the
place where it runs takes along what runs there beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from ..grader.report import Report
from ..grader.starter import solution
from .crew import TRIES, Crew, Outcome, outcome_of

# So many wait to be tried alone; after so many in a row our own answer has to pass once more.
WAITING, IN_A_ROW = 50, 10


class GradingStopped(RuntimeError):
    """Grading cannot go on; the message says why, and that it counts against nobody."""


@dataclass(frozen=True, eq=False)
class Work:
    """One submission to be graded in one exercise.

    Attributes:
        about: Whatever the one who hands it out wants to know when it comes back.
    """

    word: str
    files: Mapping[str, str]
    about: Any = None


Done = tuple[Work, Outcome]


class Hands:
    """The work that a crew has in hand, at most twice as much as it does at once.

    Args:
        patience: So many seconds until whoever has a submission of that exercise in hand has failed.
    """

    def __init__(self, crew: Crew, patience: Callable[[str], float]) -> None:
        self.crew, self.patience = crew, patience
        self._in_hand: dict[Future[Outcome], tuple[Work, float]] = {}
        self._troubled: list[Work] = []
        self._proved: set[str] = set()
        self._in_a_row = self._lost = 0

    def give(self, work: Work) -> Iterator[Done]:
        """Hand out one piece of work; gives what is done by then.

        Raises:
            GradingStopped: Our own answer does not pass, or nobody comes back.
            ConnectionError: They are gone.
        """
        while len(self._in_hand) >= max(1, 2 * self.crew.size):
            yield from self._take()
        if work.word not in self._proved or self._in_a_row >= IN_A_ROW:
            yield from self._prove(work.word)
        self._hand_out(work)
        if len(self._troubled) >= WAITING:
            yield from self.rest()

    def rest(self) -> Iterator[Done]:
        """Wait for what is in hand, then try again what was in trouble, one at a time."""
        while self._in_hand:
            yield from self._take()
        waiting, self._troubled = self._troubled, []
        for work in waiting:
            yield work, self._alone(work)

    def _hand_out(self, work: Work) -> None:
        future = self.crew.hand_out(work.word, work.files)
        self._in_hand[future] = work, time.monotonic()

    def _take(self) -> Iterator[Done]:
        """What is done after a second at most; trouble is kept for later."""
        for work, outcome in self._finished():
            if not outcome.trouble:
                self._in_a_row = 0
                yield work, outcome
                continue
            self._troubled.append(work)
            self._in_a_row += 1
        yield from self._overdue()

    def _finished(self) -> Iterator[Done]:
        done, _ = wait(self._in_hand, timeout=1.0, return_when=FIRST_COMPLETED)
        self.crew.look()
        for future in done:
            work, _ = self._in_hand.pop(future)
            try:
                yield work, outcome_of(future)
            except ConnectionError:
                self._hand_out(work)

    def _overdue(self) -> Iterator[Done]:
        """What somebody has had in hand for too long: given up, with whoever has it."""
        now = time.monotonic()
        late = [f for f, (work, since) in self._in_hand.items() if now - since > self.patience(work.word)]
        for future in late:
            work, since = self._in_hand.pop(future)
            self._lost += not future.cancel()
            said = f"The grader itself did not come back with this after {now - since:.0f} s."
            yield work, Outcome(seconds=now - since, trouble=said)
        if self._lost >= self.crew.size > 0 and late:
            raise GradingStopped(
                f"None of the {self.crew.size} who grade came back with what they had in hand. Grade again: "
                "it goes on from here, and nothing of this counts."
            )

    def _alone(self, work: Work) -> Outcome:
        """What comes of work while nothing else is in hand."""
        self._hand_out(work)
        while True:
            for _, outcome in [*self._finished(), *self._overdue()]:
                return outcome

    def _prove(self, word: str) -> Iterator[Done]:
        """See our own answer pass, alone: if it does not, no submission is to blame."""
        while self._in_hand:
            yield from self._take()
        for _ in range(TRIES):
            outcome = self._alone(Work(word, solution(word)))
            if not (why := _failing(outcome)):
                self._proved.add(word)
                self._in_a_row = 0
                return
        raise GradingStopped(
            f"Our own answer to {word} does not pass here, so no submission is graded: {why} Grade again "
            "when that is mended: it goes on from here."
        )


def _failing(outcome: Outcome) -> str:
    """Why our own answer did not pass, or ""."""
    if outcome.trouble:
        return outcome.trouble
    fault = Report.from_json(outcome.report).first_fault
    return f"{fault.title}. {' '.join(fault.parts.sentences)}" if fault else ""
