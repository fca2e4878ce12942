"""A rate dragged along the curve of a trial, and beside it what training with that rate did.

Nothing is trained in the page: the curve and the losses of a run with each of some rates are measured
beforehand, and drawn. So it works in Jupyter, in a saved notebook, and on a page of the book opened from a
file. Where scripts are not allowed, curve and runs are shown side by side. Nothing moves by itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ..finding_the_rate import RateCurve, smooth
from .stills import still
from .widget import Widget

# More points than this no screen of this size can show.
MOST_POINTS = 120


@dataclass(frozen=True, repr=False)
class RateDrag(Widget):
    """A curve of rates to drag along; a notebook shows it. Made by `drag_rate`.

    What `live()` shows has the `rate` that was dragged to in its `state`.

    >>> curve = RateCurve(tuple(10 ** (n / 10 - 5) for n in range(50)), (2.3,) * 30 + (1.0,) * 20)
    >>> drag_rate(curve, {0.001: [2.3, 2.2, 2.1], 0.1: [2.3, 0.9, 0.4]})
    RateDrag(2 rates from 0.001 to 0.1)
    """

    name = "rate"

    def __repr__(self) -> str:
        rates = [row["rate"] for row in self.data["runs"]]
        return f"RateDrag({len(rates)} rates from {rates[0]:g} to {rates[-1]:g})"


def drag_rate(curve: RateCurve, runs: Mapping[float, Sequence[float]]) -> RateDrag:
    """Put a rate on the curve of a trial, to be dragged along it, beside what training with it did.

    Args:
        curve: What `find_rate` found.
        runs: For each of at least two rates the losses of training with it, a number for each batch, as
            `learner.recorder.losses` holds them; inf and nan are where it was lost.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        ValueError: Fewer than two runs, a rate that is not positive, a run or a curve without a number.

    >>> curve = RateCurve(tuple(10 ** (n / 10 - 5) for n in range(50)), (2.3,) * 30 + (1.0,) * 20)
    >>> drag_rate(curve, {0.001: [2.3, 2.2, 2.1], 0.1: [2.3, 0.9, 0.4]})
    RateDrag(2 rates from 0.001 to 0.1)
    """
    if len(runs) < 2 or min(runs) <= 0:
        raise ValueError(
            f"a rate is dragged from one run to another: runs holds the losses of at least two positive "
            f"rates, as {{0.01: [...], 0.1: [...]}}; got {sorted(runs)}."
        )
    trial = [
        point for point in zip(curve.rates, smooth(curve.losses), strict=True) if math.isfinite(point[1])
    ]
    rows = [{"rate": rate, **thinned(runs[rate])} for rate in sorted(runs)]
    empty = [row["rate"] for row in rows if not row["losses"]]
    if empty or len(trial) < 2:
        what = f"The run with the rate {empty[0]:g}" if empty else "The curve"
        raise ValueError(f"{what} has no loss that is a number to begin with, so there is nothing to draw.")
    suggestion = None
    with suppress(ValueError):
        suggestion = curve.suggestion
    data = {"trial": trial, "runs": rows, "suggestion": suggestion, "batches": max(map(len, runs.values()))}
    return RateDrag(in_words(data), still(lambda _: draw(data)), data)


def thinned(losses: Sequence[float]) -> dict[str, Any]:
    """Of a run the smoothed losses, as many as can be seen, of how many batches, and whether it was lost.

    >>> thinned([2.0, 1.0, float("nan"), 1.0])
    {'losses': [2.0, 1.0], 'batches': 2, 'lost': True}
    """
    kept = list(takewhile(math.isfinite, losses))
    means = smooth(kept)
    step = max(1, math.ceil(len(means) / MOST_POINTS))
    shown = [*means[:-1:step], *means[-1:]]
    return {
        "losses": [float(f"{loss:.4g}") for loss in shown],
        "batches": len(kept),
        "lost": len(kept) < len(losses),
    }


def in_words(data: dict[str, Any]) -> str:
    """Which runs there are, and where each ended."""
    ends = [
        f"{row['rate']:g}: {'lost' if row['lost'] else format(row['losses'][-1], '.3g')}"
        for row in data["runs"]
    ]
    first, last = data["trial"][0][0], data["trial"][-1][0]
    marked = "no suggestion" if data["suggestion"] is None else f"the suggestion {data['suggestion']:.2g}"
    return (
        f"The loss of a trial over the rate, from {first:.2g} to {last:.2g}, with {marked} marked; beside it "
        f"the losses of runs with some rates. Where each run ended: {', '.join(ends)}."
    )


def draw(data: dict[str, Any]) -> None:
    """Draw the curve and all runs, side by side."""
    from matplotlib import pyplot

    _, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.plot(*zip(*data["trial"], strict=True), linewidth=2)
    left.set(xscale="log", xlabel="learning rate", ylabel="loss", title="a trial of all rates")
    top = data["trial"][0][1] * 1.4
    left.set_ylim(0, top)
    if data["suggestion"] is not None:
        left.axvline(data["suggestion"], linestyle="--", color="black", linewidth=1)
    for row in data["runs"]:
        count = len(row["losses"])
        batches = [number * (row["batches"] - 1) / max(count - 1, 1) for number in range(count)]
        right.plot(batches, row["losses"], label=f"{row['rate']:g}")
    right.set(xlabel="batch", ylabel="loss", title="training with one rate")
    right.set_ylim(0, top)
    right.legend(fontsize="small")
