"""A loss to be stepped down by hand: choose a rate, press Step, and see where the slope leads.

The loss and its slope are measured beforehand, at some hundred places; the page goes between them along a
curve of the third degree, which is exact for a parabola. So it works in Jupyter, in a saved notebook, and on
a page of the book opened from a file. Where scripts are not allowed, the curve is shown as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .stills import still
from .widget import Widget

# Places in the picture, and on each side of it as far as a ball may fly before it is lost.
INSIDE, OUTSIDE, FURTHEST = 241, 60, 1e6
# What a slider of rates stops at, in each power of ten.
STOPS = (1, 1.1, 1.2, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)

Place = tuple[float, float, float]


@dataclass(frozen=True, repr=False)
class Descent(Widget):
    """A loss with a ball on it; a notebook shows them. Made by `step_down`.

    What `live()` shows has in its `state` where the ball is: `at`, `loss`, `slope`, the `rate`, and `steps`.

    >>> step_down(lambda w: w**4 - w**2, start=0.1, rate=0.2)
    Descent(w from -1 to 1)
    """

    name = "descent"

    def __repr__(self) -> str:
        first, last = self.data["ends"]
        return f"Descent({self.data['name']} from {first:g} to {last:g})"


def step_down(
    loss: Callable[[Tensor], Tensor],
    start: float,
    rate: float = 0.1,
    ends: tuple[float, float] | None = None,
    name: str = "w",
) -> Descent:
    """Put a ball on a loss of one parameter, to be stepped downhill by hand: w becomes w - rate * slope.

    Args:
        loss: Is given one number, a tensor without axes, and returns one: your own model's loss, or any
            function that torch can differentiate.
        start: Where the ball begins. It can be moved.
        rate: The learning rate to begin with, above 0. A slider goes to a tenth of it and to ten times it.
        ends: What the picture shows of the parameter; by default from -a to a, with 0 and the start in it.
        name: What the parameter is called.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        ValueError: A start outside the picture, a rate that is none, a loss that is not one number, has no
            gradient, or is infinite or nan somewhere in the picture.

    >>> step_down(lambda w: (w - 1) ** 2, start=-0.5, rate=0.1)
    Descent(w from -1 to 1)
    """
    first, last = ends or (-max(1.0, 1.25 * abs(start)), max(1.0, 1.25 * abs(start)))
    demand_sense(start, rate, first, last)
    places = measured(loss, float(first), float(last))
    data = {
        "name": name,
        "start": start,
        "rate": rate,
        "rates": rates_around(rate),
        "ends": [first, last],
        "places": [[float(f"{number:.9g}") for number in place] for place in places],
    }
    alt = f"The loss over {name}, from {first:g} to {last:g}, with a ball at {start:g}."
    return Descent(alt, still(lambda _: draw(places, data)), data)


def demand_sense(start: float, rate: float, first: float, last: float) -> None:
    """Refuse a start that is not in the picture, and a rate that is none."""
    if not first <= start <= last:
        raise ValueError(
            f"the ball begins in the picture, {first:g} to {last:g}; start={start!r} is not there."
        )
    if not 0 < rate < math.inf:
        raise ValueError(f"a learning rate is a number above 0; got rate={rate!r}.")


def measured(loss: Callable[[Tensor], Tensor], first: float, last: float) -> list[Place]:
    """Measure a loss and its slope in the picture, and beside it as far as both are numbers."""
    width = last - first
    inside = [loss_and_slope(loss, first + width * number / (INSIDE - 1)) for number in range(INSIDE)]
    if lost := [place for place in inside if not all(map(math.isfinite, place))]:
        raise ValueError(
            f"the loss at {lost[0][0]:.6g} is {lost[0][1]:g}, and its slope {lost[0][2]:g}: choose `ends` "
            "between which both are numbers."
        )
    sides: list[list[Place]] = []
    for edge, way in (first, -1), (last, 1):
        side: list[Place] = []
        for number in range(1, OUTSIDE + 1):
            far = (FURTHEST + 1) ** (number / OUTSIDE) - 1
            place = loss_and_slope(loss, edge + way * width * far)
            if not all(map(math.isfinite, place)):
                break
            side.append(place)
        sides.append(side)
    return [*sides[0][::-1], *inside, *sides[1]]


def loss_and_slope(loss: Callable[[Tensor], Tensor], at: float) -> Place:
    """Where, how high and how steep a loss is there."""
    parameter = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    value = loss(parameter)
    if not isinstance(value, Tensor) or value.ndim:
        shape = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise ValueError(f"a loss is one number, a tensor without axes; got {shape}. Is a mean() missing?")
    if not value.requires_grad:
        raise ValueError(
            "this loss has no gradient: nothing in it can be followed back to the parameter. Comparing, "
            "counting, rounding and item() end the way back."
        )
    (slope,) = torch.autograd.grad(value, parameter)
    return at, value.item(), slope.item()


def rates_around(rate: float) -> list[float]:
    """What the slider of rates stops at: from a tenth of a rate to ten times it, the rate among them."""
    power = math.floor(math.log10(rate) + 1e-9)
    stops = [float(f"{stop}e{power + more}") for more in (-1, 0, 1) for stop in STOPS]
    return sorted({float(rate), *stops})


def draw(places: list[Place], data: dict[str, Any]) -> Any:
    """Draw the curve with the ball at its start, for where nothing can move."""
    from matplotlib import pyplot

    first, last = data["ends"]
    shown = [place for place in places if first <= place[0] <= last]
    nearest = min(shown, key=lambda place: abs(place[0] - data["start"]))
    figure, axes = pyplot.subplots(figsize=(5, 3), layout="constrained")
    axes.plot([place[0] for place in shown], [place[1] for place in shown])
    axes.plot(*nearest[:2], "o", markersize=9)
    axes.set(xlabel=data["name"], ylabel="loss")
    return figure
