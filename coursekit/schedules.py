"""Schedules: how fast to learn, and when.

A schedule is a plain function of how far training has come, from 0 (start) to 1 (end), that gives the part of
the learning rate to use. The callback `Schedule` asks it before each batch. Arguments of one's own are bound
by `functools.partial(one_cycle, warm_up=0.1)`; `warmed_up` and `joined` make schedules out of others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

Function = Callable[[float], float]


def linear(progress: float, start: float = 1.0, end: float = 0.0) -> float:
    """From `start` to `end` along a straight line.

    `progress` runs from 0 to 1 (ValueError outside, as for all schedules); the answer is a factor of the
    learning rate.

    >>> [linear(p) for p in (0, 0.25, 1)]
    [1.0, 0.75, 0.0]
    """
    _check_progress(progress)
    return start + (end - start) * progress


def cosine(progress: float, start: float = 1.0, end: float = 0.0) -> float:
    """From `start` to `end` along half a cosine wave: slow at both ends, fastest in the middle.

    `progress` runs from 0 to 1 (ValueError outside); the answer is a factor of the learning rate.

    >>> [round(cosine(p), 3) for p in (0, 0.25, 0.5, 0.75, 1)]
    [1.0, 0.854, 0.5, 0.146, 0.0]
    """
    _check_progress(progress)
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def one_cycle(progress: float, warm_up: float = 0.25, start: float = 0.04, end: float = 1e-5) -> float:
    """Up from `start` to 1 during the first `warm_up` part of training, then down to `end`, both as `cosine`.

    The slow start lets a new head settle before big steps; the long slow end lets the weights come to rest.
    `progress` and `warm_up` run from 0 to 1 (ValueError outside); the answer is a factor of the learning
    rate.

    >>> [round(one_cycle(p), 3) for p in (0, 0.125, 0.25, 0.5, 1)]
    [0.04, 0.52, 1.0, 0.75, 0.0]
    """
    _check_part("warm_up", "the part of training spent rising, from 0 to 1", warm_up)
    _check_progress(progress)
    if progress < warm_up:
        return cosine(progress / warm_up, start, 1.0)
    return cosine((progress - warm_up) / (1 - warm_up) if warm_up < 1 else progress, 1.0, end)


def flat_cosine(progress: float, flat: float = 0.7, end: float = 0.0) -> float:
    """All of the rate for the first `flat` part of training, then down to `end` as `cosine`.

    Where to stop can be decided late: the flat part may last as long as it helps.

    >>> [round(flat_cosine(p), 3) for p in (0, 0.7, 0.85, 1)]
    [1.0, 1.0, 0.5, 0.0]
    """
    _check_part("flat", "the part of training before the fall, from 0 to 1", flat)
    return joined((flat, partial(linear, end=1.0)), (1 - flat, partial(cosine, end=end)))(progress)


def cosine_restarts(progress: float, cycles: int = 3, longer: float = 1.0, end: float = 0.0) -> float:
    """Down as `cosine`, up again at once, and down again: `cycles` times, each `longer` times the one before.

    SGDR (Loshchilov and Hutter 2017): at the end of each cycle is a model that can be kept. ValueError for
    fewer than 1 cycle, and for `longer` that is not positive.

    >>> [round(cosine_restarts(p, cycles=2), 3) for p in (0, 0.25, 0.49, 0.5, 0.75, 1)]
    [1.0, 0.5, 0.001, 1.0, 0.5, 0.0]
    """
    if cycles < 1 or longer <= 0:
        raise ValueError(f"there is at least 1 cycle, and longer is positive; got {cycles} and {longer}.")
    fall = partial(cosine, end=end)
    return joined(*((longer**number, fall) for number in range(cycles)))(progress)


def step_decay(progress: float, at: Sequence[float] = (0.5, 0.75), factor: float = 0.1) -> float:
    """Down at once at each place in `at`, every time to `factor` of what it was.

    >>> [round(step_decay(p), 3) for p in (0, 0.49, 0.5, 0.8)]
    [1.0, 1.0, 0.1, 0.01]
    """
    _check_progress(progress)
    return factor ** sum(progress >= place for place in at)


def warmed_up(schedule: Function, part: float = 0.1, start: float = 0.0) -> Function:
    """A schedule that first rises in a line from `start`, for `part` of training, and then is `schedule`.

    It rises to where `schedule` begins; that then takes the rest of training.

    >>> [round(warmed_up(cosine, part=0.2)(p), 3) for p in (0, 0.1, 0.2, 0.6, 1)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    _check_part("part", "the part of training spent rising, from 0 to 1", part)
    return joined((part, partial(linear, start=start, end=schedule(0.0))), (1 - part, schedule))


def joined(*parts: tuple[float, Function]) -> Function:
    """One schedule after the other: each is given with its share of training, and goes from 0 to 1 in it.

    The shares need not add up to 1. ValueError when one is negative, or all are 0.

    >>> up_and_down = joined((1, partial(linear, start=0, end=1)), (3, cosine))
    >>> [round(up_and_down(p), 3) for p in (0, 0.125, 0.25, 0.625, 1)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    shares = [share for share, _ in parts]
    whole = sum(shares)
    if not whole > 0 or min(shares) < 0:
        raise ValueError(f"schedules are joined by shares of training, none negative; got {shares}.")

    last = [part for share, part in parts if share][-1]

    def schedule(progress: float) -> float:
        _check_progress(progress)
        place = progress * whole
        for share, part in parts:
            if place < share:
                return part(place / share)
            place -= share
        return last(1.0)

    return schedule


def show_schedule(**schedules: Function) -> None:
    """Draw schedules over the course of training, each under the name it is given by.

    The matplotlib figure's attribute `alt_text` says in words where each begins, is highest and ends.

    >>> from matplotlib import pyplot
    >>> show_schedule(fall=cosine)
    >>> pyplot.gcf().alt_text
    'Part of the learning rate over training. fall: begins at 1, is highest at 0 % with 1, ends at 0.'
    """
    from matplotlib import pyplot

    figure: Any
    figure, axes = pyplot.subplots(figsize=(6, 3), layout="constrained")
    told = []
    for name, schedule in schedules.items():
        values = [schedule(number / 400) for number in range(401)]
        axes.plot([number / 4 for number in range(401)], values, label=name)
        highest = max(range(401), key=values.__getitem__)
        told.append(
            f"{name}: begins at {values[0]:.2g}, is highest at {highest / 4:.0f} % with "
            f"{values[highest]:.2g}, ends at {round(values[-1], 3):.2g}"
        )
    axes.set(xlabel="training, %", ylabel="part of the rate")
    axes.legend()
    figure.alt_text = f"Part of the learning rate over training. {'; '.join(told)}."


def _check_progress(progress: float) -> None:
    if not 0 <= progress <= 1:
        raise ValueError(f"progress runs from 0 (start of training) to 1 (its end); {progress} lies outside.")


def _check_part(name: str, meaning: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is {meaning}; {value} lies outside.")
