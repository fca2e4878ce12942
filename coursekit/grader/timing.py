"""Whether the learner's code is quick enough: both sides make the same call in turn, with the clock outside.

A busy machine only ever makes a call longer. So the shortest of several is what each side takes, as soon as
others came near it; and where that is too long for the learner's, both are asked more often before it is
believed. What a process says about its own time counts for nothing, and what it gives is compared each time.

A process says when its calls are over, so that sending the value is not on the clock. One that says so too
early, or computes while it should only prepare, has taken longer than ours around its calls: that is added.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace

from .form import Check
from .judging import Fault, fault_at, interrupted, unlike
from .observing import Run, Seen, Side
from .process import START
from .reference import whole

# How often each side is asked: to pass, to fail, and at most.
FEW, MORE, MANY = 5, 15, 60
# So many times, of which the longest is so much longer than the shortest, show what it takes.
STEADY, NEAR = 3, 1.15
# Calls to warm up; then each side makes several at a time, so that ours take so many seconds, but no more
# calls than this, nor ones that give more bytes than that.
WARM, LONG, MOST, MUCH = 3, 0.01, 32, 16 * 2**20
AGAIN = (
    "That was when the call was made again, with the items of its inputs in another order: was an answer "
    "kept from before?"
)


def slow(check: Check, ours: list[Run], learner: Side, reference: Side, seconds: float) -> Fault | None:
    """The first timed call that takes the learner's side too long, or gives something else when made again.

    Args:
        ours: What the reference gave; of each device the last run is made again, now on both sides.
        seconds: The wall clock for all of it.

    Raises:
        ReferenceFailed: Ours does not give its answer again.
    """
    begun = time.monotonic()
    for asked in {run.device: run for run in ours}.values():
        timed = [seen for seen in asked.seen if seen.at_most]
        if not timed:
            continue
        whole(reference.run(asked, START, replay_only=True))
        run = learner.run(asked, seconds, replay_only=True)
        if not run.is_whole:
            return interrupted(run, asked, seconds)
        for at in timed:
            with one_thread():
                found = _Race(check, at, asked, run, begun, seconds).fault(learner, reference)
            if found:
                return found
    return None


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread here: others wait for work with a core each, which is then missing."""
    torch = importlib.import_module("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Race:
    """One timed call, made by both sides in turn."""

    def __init__(self, check: Check, at: Seen, asked: Run, run: Run, begun: float, seconds: float) -> None:
        self.check, self.at, self.asked, self.run = check, at, asked, run
        self.begun, self.seconds = begun, seconds
        self.at_most = at.at_most or math.inf
        self.once = math.inf
        self.ours: list[float] = []
        self.yours: list[float] = []
        self.besides: list[float] = []  # what ours takes around its calls
        self.in_all: list[float] = []  # what yours takes with all that is around them

    @property
    def fastest(self) -> float:
        """What one call of yours takes, wherever the time was spent."""
        return max(min(self.yours), min(self.in_all) - min(self.besides))

    @property
    def ratio(self) -> float:
        return self.fastest / min(self.ours)

    @property
    def is_decided(self) -> bool:
        """Whether both sides were asked often enough to see what they take."""
        enough = FEW if self.ratio <= self.at_most else MORE
        return len(self.ours) >= enough and all(
            sorted(times)[STEADY - 1] <= NEAR * min(times) for times in (self.ours, self.yours)
        )

    @property
    def at_once(self) -> int:
        """How many answers can come together, since all of them are looked at."""
        data = getattr(self.at.value, "data", None)
        return MUCH // max(1, getattr(data, "nbytes", 1))

    @property
    def left(self) -> float:
        """The seconds that the wall clock leaves."""
        return self.begun + self.seconds - time.monotonic()

    def fault(self, learner: Side, reference: Side) -> Fault | None:
        """Ask until it is decided, or time is up."""
        for number in range(WARM + MANY):
            times = 1 if number < WARM else max(1, min(MOST, math.ceil(LONG / self.once), self.at_once))
            order = secrets.randbits(32)  # which order comes is not to be known before
            with learner.held():  # what is left running, or computes ahead, would slow ours down
                ours = whole(reference.again(self.asked, self.at.label, order, times, START))
            yours = learner.again(self.run, self.at.label, order, times, max(1.0, self.left))
            if found := self.other(yours, ours):
                return found
            if number < WARM:
                self.once = min(self.once, ours.seconds)
                continue
            self.ours.append(ours.seconds / times)
            self.yours.append(yours.seconds / times)
            self.besides.append(ours.beside / times)
            self.in_all.append((yours.seconds + yours.beside) / times)
            if self.is_decided or self.left < 0:
                break
        return self.too_slow() if self.ratio > self.at_most else None

    def other(self, yours: Run, ours: Run) -> Fault | None:
        """What is wrong with what came this time: every call has to give what ours gives."""
        if not yours.is_whole:
            return interrupted(yours, self.asked, self.seconds)
        wanted = ours.seen[0].value
        came = yours.seen[0].value if yours.seen else None
        if not isinstance(came, list) or len(came) != len(wanted):
            return fault_at("again", self.run, self.at, None, f"no answer came. {AGAIN}")
        for one, right in zip(came, wanted, strict=True):
            seen, at = replace(yours.seen[0], value=one), replace(self.at, value=right)
            if said := unlike(self.check, seen, at):
                return fault_at("again", self.run, at, seen, f"{said} {AGAIN}")
        return None

    def too_slow(self) -> Fault:
        """How much too slow, and on what."""
        sizes = [" x ".join(map(str, shape)) for shape in self.at.shapes]
        inputs = f", with inputs of {' and '.join(dict.fromkeys(sizes))}" if sizes else ""
        said = (
            f"yours takes {self.ratio:.2g} times as long as ours; {self.at_most:g} times would do. This is "
            f"on {self.run.device}{inputs}. The usual cause is a loop in Python over what torch can do at "
            "once."
        )
        fault = fault_at("slow", self.run, self.at, None, said)
        return replace(fault, seen=_milliseconds(self.fastest), ours=_milliseconds(min(self.ours)))


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms"
