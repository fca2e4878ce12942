"""Hand work out to those who grade, and take back what came of it: bounded, watched, and tried again.

What fails through no fault of the submission waits until the others are done and is then tried alone: a
submission that ends the place where it runs takes along what runs there beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any

from ..grader.exercises import load
from .crew import Crew, Outcome, outcome_of

# So many wait to be tried alone; after so many in a row it is seen whether those who grade are well.
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
        self._in_a_row = self._lost = 0

    def give(self, work: Work) -> Iterator[Done]:
        """Hand out one piece of work; gives what is done by then.

        Raises:
            GradingStopped: Those who grade are not well.
            ConnectionError: They are gone.
        """
        while len(self._in_hand) >= max(1, 2 * self.crew.size):
            yield from self._take()
        if self._in_a_row >= IN_A_ROW:
            yield from self._see_whether_well(work.word)
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

    def _see_whether_well(self, word: str) -> Iterator[Done]:
        """Have an empty submission graded alone: if that fails too, no submission is to blame."""
        while self._in_hand:
            yield from self._take()
        modules = {name.rpartition(".")[0] for name in load(word).yours}
        outcome = self._alone(Work(word, dict.fromkeys(modules, "")))
        if outcome.trouble:
            raise GradingStopped(
                f"Nothing can be graded any more, and no submission is to blame. {outcome.trouble} "
                "Grade again when that is mended: it goes on from here."
            )
        self._in_a_row = 0
