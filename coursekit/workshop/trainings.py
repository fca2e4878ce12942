"""One training of a studio: its code is run, watched while it runs, and may be stopped; the model stays.

The plan's own lines are executed, so that who copies them does the same.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..callbacks import Callback, CancelFit
from .changes import Change, Changes
from .cleaners import Cleaner, quietly
from .scripts import HEAD, Plan

if TYPE_CHECKING:
    from ..learner import Learner

# A plot that moves five times a second looks alive; more points than these no screen tells apart.
SECONDS_BETWEEN, MOST_POINTS = 0.2, 240
# Trainings draw from the same source of random numbers, so in one kernel there is one at a time.
TURN = threading.Lock()


class Watch(Callback):
    """Tells how a training goes, and ends it when it is asked to.

    Args:
        batches: How many batches there will be in all.
        tell: Is called with nothing, a few times a second.

    >>> watch = Watch(10, lambda: None)
    >>> watch.view()["share"]
    0.0
    """

    order = 85

    def __init__(self, batches: int, tell: Callable[[], Any]) -> None:
        self.batches, self.tell = batches, tell
        self.done = 0
        self.losses: list[list[float]] = []
        self.rows: list[list[float]] = []
        self.stop, self._told, self._began = threading.Event(), 0.0, time.perf_counter()

    def before_fit(self, learner: Learner) -> None:
        if self.stop.is_set():
            raise CancelFit

    def before_train(self, learner: Learner) -> None:
        if not self.losses:
            self._began = time.perf_counter()

    def after_batch(self, learner: Learner) -> None:
        if learner.training:
            self.done += 1
            self._keep(float(learner.loss.detach()))
        if self.stop.is_set():
            raise CancelFit
        if time.perf_counter() - self._told > SECONDS_BETWEEN:
            self._told = time.perf_counter()
            self.tell()

    def after_epoch(self, learner: Learner) -> None:
        row = learner.recorder.rows[-1]
        if math.isfinite(row.get("valid loss", math.nan)):  # nothing else can be drawn
            self.rows.append([self.done, row["valid loss"], row.get("accuracy", math.nan)])
        self.tell()

    def _keep(self, loss: float) -> None:
        """Keep a loss to be drawn; of a long training every second one, then every fourth, and so on."""
        if math.isfinite(loss):
            self.losses.append([self.done, loss])
        if len(self.losses) > 2 * MOST_POINTS:
            self.losses = self.losses[::2]

    def view(self) -> dict[str, Any]:
        """What is to be seen."""
        share = min(1.0, self.done / max(self.batches, 1))
        gone = time.perf_counter() - self._began
        left = gone / share - gone if self.done > 2 else None
        return {
            "batches": self.batches,
            "share": share,
            "losses": [[batch, round(loss, 4)] for batch, loss in self.losses],
            "rows": [[batch, round(loss, 4), round(right, 4)] for batch, loss, right in self.rows],
            "left": None if left is None else round(left),
        }


@dataclass
class Training:
    """A plan, and what came of it.

    Attributes:
        plan: How to train.
        code: The lines before the plan's own, which make the table of photos.
        kind: The type of the photos.
        number: Which training of its folder this is, from 1.
        changes: The changes to labels it was told of.
        names: What the code made, once it ran.
        watch: How it goes.
        cleaner: What the model says about each photo, once it was asked.
        accuracy: The share of held-out photos it names as people did.
    """

    plan: Plan
    code: str
    kind: str = "Image"
    number: int = 1
    changes: frozenset[Change] = frozenset()
    names: dict[str, Any] = field(default_factory=dict, repr=False)
    watch: Watch | None = None
    cleaner: Cleaner | None = None
    accuracy: float = math.nan
    always: float = math.nan
    stopped: bool = False
    seconds: float = 0.0

    @property
    def learner(self) -> Learner:
        """The learner that was trained."""
        return self.names["learner"]

    def run(self, changes: Changes, tell: Callable[[], Any], stop: threading.Event) -> None:
        """Run the code: make the table and the learner, train, ask about every photo."""
        with TURN:
            began = time.perf_counter()
            names: dict[str, Any] = {}
            execute(HEAD + self.code + self.plan.learner_code(self.kind), names)
            learner = names["learner"]
            self.watch = Watch(self.plan.rounds * len(learner.data.train), tell)
            self.watch.stop = stop
            with quietly(learner):
                learner.callbacks.append(self.watch)
                try:
                    execute(self.plan.training_code(), names)
                finally:
                    learner.callbacks.remove(self.watch)
            self.stopped, self.seconds = stop.is_set(), time.perf_counter() - began
            self.cleaner = Cleaner(learner, changes)
        self.names = names
        self.accuracy, self.always = self.cleaner.accuracy(), self.cleaner.always()

    def sentence(self) -> str:
        """What came of it."""
        held = [one for one in self.cleaner.items if one.side == "held out"] if self.cleaner else []
        right = sum(one.said == one.label for one in held)
        end = (
            f", stopped after {self.watch.done} of {self.watch.batches} steps"
            if self.stopped and self.watch
            else ""
        )
        return (
            f"Training {self.number}{end}: names {right} of {len(held)} held-out photos right "
            f"({self.accuracy:.0%}). Always saying the most frequent kind would be right in "
            f"{self.always:.0%}."
        )

    def view(self, changes: frozenset[Change]) -> dict[str, Any]:
        """What is to be seen of it, beside others, when these changes have been made by now."""
        plan = self.plan
        return {
            "number": self.number,
            "text": self.sentence(),
            "how": f"{plan.backbone}, {plan.learning}, {plan.epochs} times, rate {plan.rate:g}, "
            f"{plan.size} pixels, {len(self.changes)} changes, {self.seconds:.0f} s",
            "since": len({one.item for one in changes ^ self.changes}),
        }


def execute(code: str, names: dict[str, Any]) -> None:
    """Run lines of code in these names, as a notebook runs a cell.

    >>> names = {}
    >>> execute("two = 1 + 1", names)
    >>> names["two"]
    2
    """
    exec(compile(code, "<studio>", "exec"), names)
