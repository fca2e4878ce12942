"""What ours gives for each question, and what every known mistake gives: asked once, for however many kits.

All of it runs in processes of our own, where no line of a learner's ever does.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from . import process
from .case import sizes
from .form import Check, Exercise, Wrong
from .mistakes import as_files
from .observing import Kit, Run, Side
from .scenario import Scenario

# What a known mistake may take; one that hangs is known by that.
SECONDS = 5.0


class ReferenceFailed(RuntimeError):
    """Our own library does not get through a check: the fault is ours, never the learner's.

    Attributes:
        run: How far it got.
    """

    def __init__(self, run: Run) -> None:
        why = run.unusable or run.stopped or (f"{run.error.type}: {run.error.text}" if run.error else "")
        super().__init__(
            f"The check {run.scenario.name} could not be asked of our own library ({why}). "
            "This is a fault of the course and not of your code."
        )
        self.run = run


class Reference:
    """The questions of one exercise, with the inputs drawn and what ours gives for them.

    Several threads may ask at once. In a `with` its processes are kept for the next question; what has been
    answered stays known afterwards.

    Args:
        exercise: Whose checks are asked.
        seed: The inputs of every check follow from it, and from nothing that a learner can see.
        devices: Where each question is asked.
    """

    def __init__(self, exercise: Exercise, seed: int, devices: Sequence[str]) -> None:
        self.exercise, self.seed, self.devices = exercise, seed, tuple(devices)
        self._answers: dict[str, list[Run]] = {}
        self._mistakes: dict[tuple[str, int], list[Run]] = {}
        self._asking = {one.name: threading.Lock() for one in exercise.checks}
        self._idle: dict[str, list[Side]] = {"coursekit": [], "mykit": []}

    def __enter__(self) -> Reference:
        return self

    def __exit__(self, *error: object) -> None:
        for idle in self._idle.values():
            while idle:
                _closed(idle.pop())

    def ours(self, check: Check) -> list[Run]:
        """The inputs of a check and what our library gives for them.

        Raises:
            ReferenceFailed: Ours did not get to the end of the scenario.
        """
        with self._asking[check.name]:
            if check.name not in self._answers:
                seed = seed_of(self.seed, f"{self.exercise.word} {check.name}")
                with self.side() as side:
                    found = ask_reference(side, check, self.exercise.source, seed, self.devices)
                self._answers[check.name] = found
            return self._answers[check.name]

    def mistaken(self, wrong: Wrong, check: Check) -> list[Run]:
        """What a known mistake gives for the inputs of a check."""
        key = check.name, self.exercise.wrong.index(wrong)
        ours = self.ours(check)
        with self._asking[check.name]:
            if key not in self._mistakes:
                kit = Kit("mykit", None, frozenset(wrong.replace), files=as_files(wrong.replace))
                with self.side(kit) as side:
                    self._mistakes[key] = [side.run(run, SECONDS, replay_only=True) for run in ours]
            return self._mistakes[key]

    @contextlib.contextmanager
    def side(self, kit: Kit | None = None) -> Iterator[Side]:
        """A process with our library in it, or with a kit of ours, and for nobody else meanwhile."""
        kit = kit or Kit()
        # The library and the mistakes never meet in one process: a mistake may spoil what comes after it.
        idle = self._idle[kit.name]
        try:
            side = idle.pop()
        except IndexError:
            side = Side(kit)
        if side.kit != kit:
            side.use(kit)
        try:
            yield side
        except BaseException:
            _closed(side)
            raise
        idle.append(side)


def _closed(side: Side) -> None:
    # A place that was lost has nothing left to end.
    with contextlib.suppress(process.CannotStart):
        side.close()


def seed_of(secret: int, question: str) -> int:
    """The seed of one question: whoever knows it knows neither the secret nor another question's seed.

    >>> seed_of(1, "first_model accuracy") == seed_of(1, "first_model accuracy")
    True
    >>> seed_of(1, "first_model accuracy") == seed_of(2, "first_model accuracy")
    False
    """
    return int.from_bytes(hmac.digest(str(secret).encode(), question.encode(), hashlib.sha256)[:4], "big")


def ask_reference(side: Side, check: Check, exercise: str, seed: int, devices: tuple[str, ...]) -> list[Run]:
    """Draw a check's inputs and see what ours gives: every size twice, on every device.

    Args:
        side: The reference's process.
        exercise: The text of the exercise's file.
        seed: All draws follow from it.

    Raises:
        ReferenceFailed: Ours did not get to the end of the scenario.
    """
    scenario = Scenario.cut(exercise, check.name)
    runs = []
    for size in range(check.rounds):
        kept: dict[str, Any] = {}
        for repeat in range(2):
            asked = Run(scenario, seed * 1000 + size * 10 + repeat, devices[0], kept)
            first = whole(side.run(asked, process.START))
            kept = sizes(first.drawn)
            runs.append(first)
            for device in devices[1:]:
                runs.append(whole(side.run(replace(first, device=device), process.START, replay_only=True)))
    return runs


def whole(run: Run) -> Run:
    """The run, if it got to its end; `ReferenceFailed` if not."""
    if not run.is_whole:
        raise ReferenceFailed(run)
    return run
