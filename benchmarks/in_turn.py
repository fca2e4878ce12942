"""Time several ways of doing one thing so that a busy machine disturbs little.

The ways take turns in samples of parts of a millisecond, what counts is the processor's time, and what is
reported is the median: of the times, and of the ratios of samples that were taken one right after the other.
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Mapping
from statistics import median
from typing import Any


class Taken:
    """Nanoseconds of each sample of each way, all taken in turn.

    >>> taken = Taken({"a": [2.0, 4.0, 3.0], "b": [4.0, 8.0, 9.0]})
    >>> taken.nanoseconds("b"), taken.times("b", "a")
    (8.0, 2.0)
    """

    def __init__(self, samples: Mapping[str, list[float]]) -> None:
        self.samples = dict(samples)

    def nanoseconds(self, way: str) -> float:
        """Say what one call took, in the middle of all samples."""
        return median(self.samples[way])

    def times(self, way: str, other: str) -> float:
        """Say how many times as long a way took as another, in the middle of all turns."""
        pairs = zip(self.samples[way], self.samples[other], strict=True)
        return median(one / two for one, two in pairs)


def in_turn(statements: Mapping[str, tuple[str, dict[str, Any]]], turns: int, calls: int) -> Taken:
    """Run each statement `calls` times with its names, all of them in turn, `turns` times over."""
    timers = {
        way: timeit.Timer(statement, globals=names, timer=time.process_time)
        for way, (statement, names) in statements.items()
    }
    samples: dict[str, list[float]] = {way: [] for way in timers}
    for timer in timers.values():
        timer.timeit(calls)
    for _ in range(turns):
        for way, timer in timers.items():
            samples[way].append(timer.timeit(calls) / calls * 1e9)
    return Taken(samples)
