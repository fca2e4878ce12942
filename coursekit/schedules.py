"""Schedules: how fast to learn, and when.

A schedule is a plain function of how far training has come, from 0 (start) to 1 (end), that gives the part of
the learning rate to use. The callback `Schedule` asks it before each batch.
"""

from __future__ import annotations

import math


def cosine(progress: float, start: float = 1.0, end: float = 0.0) -> float:
    """From `start` to `end` along half a cosine wave: slow at both ends, fastest in the middle.

    `progress` runs from 0 to 1 (ValueError outside); the answer is a factor of the learning rate.

    >>> [round(cosine(p), 3) for p in (0, 0.25, 0.5, 0.75, 1)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"progress runs from 0 (start of training) to 1 (its end); {progress} lies outside.")
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def one_cycle(progress: float, warm_up: float = 0.25, start: float = 0.04, end: float = 1e-5) -> float:
    """Up from `start` to 1 during the first `warm_up` part of training, then down to `end`, both as `cosine`.

    The slow start lets a new head settle before big steps; the long slow end lets the weights come to rest.
    `progress` and `warm_up` run from 0 to 1 (ValueError outside); the answer is a factor of the learning
    rate.

    >>> [round(one_cycle(p), 3) for p in (0, 0.125, 0.25, 0.5, 1)]
    [0.04, 0.52, 1.0, 0.75, 0.0]
    """
    if not 0 <= warm_up <= 1:
        raise ValueError(
            f"warm_up is the part of training spent rising, from 0 to 1; {warm_up} lies outside."
        )
    if progress < warm_up:
        return cosine(progress / warm_up, start, 1.0)
    return cosine((progress - warm_up) / (1 - warm_up) if warm_up < 1 else progress, 1.0, end)
