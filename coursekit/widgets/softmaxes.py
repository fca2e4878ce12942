"""Scores made into shares by softmax, with a temperature: all of them under sliders, and every step in sight.

The page computes what torch's `softmax` makes of scores divided by a temperature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..descriptions import alt_text
from ..tensors import GrayImage, Image
from .digit_reader import divided_digits, trained_reader
from .stills import still
from .warps import photo_of, saved
from .widget import Widget, webp_address

# More rows than these are no longer seen at once.
MOST = 12
TEMPERATURES = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, repr=False)
class SoftmaxSliders(Widget):
    """Scores, a temperature, and the shares they lead to; a notebook shows them. Made by `softmax_sliders`.

    What `live()` shows has in its `state` the `scores`, the `temperature` and the `shares`.

    >>> SoftmaxSliders("Two scores.", b"", {"names": ["cat", "dog"], "temperature": 1.0})
    SoftmaxSliders(cat, dog, at temperature 1)
    """

    name = "softmax"

    def __repr__(self) -> str:
        return f"SoftmaxSliders({', '.join(self.data['names'])}, at temperature {self.data['temperature']:g})"


def softmax_sliders(
    scores: Mapping[Any, Any] | None = None, temperature: float = 1.0, picture: Image | None = None
) -> SoftmaxSliders:
    """Put scores under sliders, and a temperature, to see which shares softmax makes of them.

    Args:
        scores: For each name a number: a model's answer to one item. By default the ones that the network of
            `draw_digit` has for a digit that it is not sure of, with the picture of it.
        temperature: What scores are divided by at first, from 0.1 to 10.
        picture: What the scores are for, to be shown beside them.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        ValueError: Fewer than two scores or more than 12, one that is no finite number, a temperature beyond
            the ends of its slider.

    >>> softmax_sliders({"cat": 2.0, "dog": 1.0, "hen": -1.0})
    SoftmaxSliders(cat, dog, hen, at temperature 1)
    """
    if scores is None:
        scores, picture = doubtful_digit()
    numbers = checked(scores, temperature)
    names, shares = list(map(str, scores)), shares_of(numbers, temperature)
    data: dict[str, Any] = {
        "names": names,
        "scores": numbers,
        "ends": [math.floor(min(numbers)) - 3, math.ceil(max(numbers)) + 3],
        "temperature": temperature,
        "temperatures": sorted({*TEMPERATURES, temperature}),
    }
    if picture is not None:
        data |= {"picture": webp_address(saved(photo_of(picture))), "alt": alt_text(picture)}
    found = [f"{name} {100 * share:.1f} %" for name, share in zip(names, shares, strict=True)]
    alt = f"What softmax makes of {len(names)} scores at temperature {temperature:g}: {', '.join(found)}."
    return SoftmaxSliders(alt, still(lambda _: draw(names, shares)), data)


def checked(scores: Mapping[Any, Any], temperature: float) -> list[float]:
    """The scores as numbers, if there is something to be shown of them."""
    numbers = [float(score) for score in scores.values()]
    if not 2 <= len(numbers) <= MOST or not all(map(math.isfinite, numbers)):
        raise ValueError(
            f"softmax_sliders takes 2 to {MOST} scores that are finite numbers; got {dict(scores)}."
        )
    if not TEMPERATURES[0] <= temperature <= TEMPERATURES[-1]:
        raise ValueError(
            f"the slider of temperatures goes from {TEMPERATURES[0]} to {TEMPERATURES[-1]}; "
            f"{temperature!r} was asked for."
        )
    return numbers


def doubtful_digit() -> tuple[dict[str, float], Image]:
    """The scores of the digit that the reader of `draw_digit` is least sure of, and did not learn from."""
    known, reader = divided_digits(), trained_reader()
    with torch.inference_mode():
        scores = reader.network(known.pictures[known.valid])
    best = scores.topk(2).values
    doubt = int((best[:, 0] - best[:, 1]).argmin())
    rounded = {str(digit): round(score, 2) for digit, score in enumerate(scores[doubt].tolist())}
    return rounded, GrayImage(known.pictures[known.valid[doubt]])


def shares_of(scores: list[float], temperature: float) -> list[float]:
    """What softmax makes of scores.

    >>> [round(share, 3) for share in shares_of([1.0, 0.0], 1.0)]
    [0.731, 0.269]
    """
    powers = [math.exp((score - max(scores)) / temperature) for score in scores]
    return [power / sum(powers) for power in powers]


def draw(names: list[str], shares: list[float]) -> Any:
    """Draw the shares as bars, for where nothing can move."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 0.6 + 0.35 * len(names)), layout="constrained")
    axes.barh(names, shares)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="share")
    return figure
