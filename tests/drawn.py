"""Things to draw, and what tests ask of what was drawn."""

from __future__ import annotations

from typing import Any

import torch
from matplotlib import pyplot

from coursekit.tensors import Boxes, Image, Keypoints, Mask, Row, Volume

NAN = float("nan")
PHOTO = Image(torch.rand(3, 40, 60))
MASK = Mask(torch.tensor([[0, 1, 1], [2, 2, 2]]), vocab=("sky", "tree", "grass"))
BOXES = Boxes(
    [[2, 4, 30, 30], [NAN] * 4, [40, 20, 58, 39]],
    labels=("cat", "cat", "dog"),
    vocab=("cat", "dog"),
    canvas=(40, 60),
)
EYES = Keypoints(
    [[10, 8], [20, 8], [NAN, NAN]],
    names=("left eye", "right eye", "nose"),
    pairs=(("left eye", "right eye"),),
    canvas=(40, 60),
)
SCAN = Volume(torch.rand(8, 20, 30), spacing=(5, 1, 2), orientation="SPL")
ROW = Row({"age": 39, "job": "nurse", "height": None}, vocabs={"job": ("baker", "nurse")})


def drawn(number: int = 0) -> Any:
    """The numbers of a picture on the newest axes."""
    return pyplot.gca().images[number].get_array()


def texts() -> list[str]:
    """What is written on the newest axes."""
    return [text.get_text() for text in pyplot.gca().texts]


def titles() -> list[str]:
    """What is written above each drawing of the newest figure."""
    return [axes.get_title() for axes in pyplot.gcf().axes]


def legend() -> list[str]:
    """What the legend of the newest axes names."""
    found = pyplot.gca().get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []
