"""A crew that does as it is told, and notes what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from coursekit.classroom.crew import Crew, Outcome, Terms
from coursekit.grader import exercises
from coursekit.grader.report import Message, Report, Result
from coursekit.grader.starter import solution

WORD = "first_model"
OF = exercises.load(WORD).points
OURS = "".join(solution(WORD).values())


def report(points: int, word: str = WORD) -> Outcome:
    """A report of one check that passed and one that did not, if there was anything left to earn."""
    if points == OF:
        return Outcome(Report(word, "Title", (Result("all", "all", True, OF),), ("cpu",)).to_json(), 0.1)
    failed = Result("second", "second", False, OF - points, "differs", Message(sentences=("Yours is 1.",)))
    first = Result("first", "first", True, points)
    return Outcome(Report(word, "Title", (first, failed), ("cpu",)).to_json(), 0.1)


class Hired(Crew):
    """A crew that does as it is told: `work` gives an outcome for the text of a file, or raises.

    Our own answer, which every crew has to pass with, passes as long as `is_well`.
    """

    is_well = True

    def __init__(self, work: Callable[[str], Outcome], size: int = 2) -> None:
        super().__init__(Terms(1), ThreadPoolExecutor(size), size)
        self.by_text = work
        self.lock = threading.Lock()
        self.seen: list[str] = []
        self.in_hand = self.most = 0
        self.alone: dict[str, int] = {}

    def hand_out(self, word: str, files: Mapping[str, str]) -> Future[Outcome]:
        with self.lock:
            self.in_hand += 1
            self.most = max(self.most, self.in_hand)
        future = self.executor.submit(self._work, "".join(files.values()))
        future.add_done_callback(self._done)
        return future

    def _work(self, text: str) -> Outcome:
        if text == OURS:
            return report(OF) if self.is_well else Outcome(trouble="There is no sandbox to be had.")
        with self.lock:
            self.seen.append(text)
            self.alone[text] = self.in_hand
        return self.by_text(text)

    def _done(self, future: Future[Outcome]) -> None:
        with self.lock:
            self.in_hand -= 1
