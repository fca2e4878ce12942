"""Photos in five lines: a pretrained network, a head made for your targets, and a learner that knows both.

>>> net = Network(efficientnet_lite0(), Head(1280, 2))
>>> net(torch.zeros(2, 3, 64, 64)).shape
torch.Size([2, 2])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .backbones import Backbone, efficientnet_lite0
from .learner import Learner
from .loaders import Loaders
from .losses import CrossEntropy
from .sources import fetch

BACKBONES = {"efficientnet_lite0": efficientnet_lite0}


class Head(nn.Module):
    """Turn a grid of features into one score for each class.

    The mean over the grid says how much of a feature there is, the maximum whether it is there at all: a
    crack is thin, and the mean alone would hardly see it.

    Args:
        channels: How many features the backbone gives for each place.
        classes: How many classes there are.
        dropout: The share of features that is hidden at random while training.

    >>> Head(8, classes=3)(torch.zeros(2, 8, 4, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(self, channels: int, classes: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.scale = nn.BatchNorm1d(2 * channels)
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(2 * channels, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Map `(N, channels, H, W)` features to `(N, classes)` scores."""
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1)
        return self.scores(self.dropout(self.scale(pooled)))


class Network(nn.Module):
    """A backbone and a head, one after the other.

    Attributes:
        body: Turns photos into features; pretrained.
        head: Turns features into scores; new.

    >>> model = Network(make_backbone("efficientnet_lite0", pretrained=False), Head(1280, classes=2))
    >>> [len(group) for group in model.parameter_groups()]
    [72, 75, 4]
    """

    def __init__(self, body: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, photos: Tensor) -> Tensor:
        """Map `(N, C, H, W)` photos in 0..1 to `(N, classes)` scores."""
        return self.head(self.body(photos))

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """The parameters from general to special: the early stages, the late stages, the head.

        Early stages see edges and spots, which every photo has; late ones see whole things. So the late ones
        have more to learn about new photos, and the head has everything to learn.
        """
        stages = list(self.body.stages)
        middle = len(stages) // 2 + 1
        early, late = stages[:middle], stages[middle:]
        return [_parameters(early), _parameters(late), _parameters([self.head])]


def vision_learner(
    data: Loaders,
    backbone: str | Backbone = "efficientnet_lite0",
    metrics: Sequence[Any] = (),
    pretrained: bool = True,
    **options: Any,
) -> Learner:
    """A learner for photos: the head and the loss follow from the targets, the body comes pretrained.

    Args:
        data: What `DataBlock.loaders` gave, with a `Category` as target.
        backbone: The name of a backbone, or one you made.
        metrics: What to report after each epoch, such as `accuracy`.
        pretrained: Whether the body starts from its weights; else from random numbers.
        options: What else `Learner` takes.

    Raises:
        ValueError: The targets are no categories, or there is no backbone of that name.

    >>> from .datablock import DataBlock
    >>> from .tensors import Category, Image
    >>> photos = [{"photo": torch.zeros(3, 32, 32, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> data = DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos)
    >>> learner = vision_learner(data, pretrained=False, device="cpu")
    >>> learner.model.head.scores.out_features
    2
    """
    if len(data.vocab) < 2:
        raise ValueError(
            f"vision_learner tells kinds of photo apart, so it needs at least two; the targets have "
            f"{len(data.vocab)}: {', '.join(map(str, data.vocab)) or 'none'}. Is targets=Category, and does "
            "each kind have photos on the training side?"
        )
    body = make_backbone(backbone, pretrained) if isinstance(backbone, str) else backbone
    model = Network(body, Head(body.channels, len(data.vocab)))
    return Learner(data, model, CrossEntropy(), metrics=metrics, **options)


def make_backbone(name: str, pretrained: bool = True) -> Backbone:
    """Make a backbone by name, with its pretrained weights if wanted.

    Raises:
        ValueError: There is no backbone of that name.
        SourceError: Its weights cannot be had.

    >>> make_backbone("efficientnet_lite0", pretrained=False).channels
    1280
    """
    if name not in BACKBONES:
        raise ValueError(f"there is no backbone {name!r}; there is {', '.join(map(repr, BACKBONES))}.")
    weights = next(fetch(name).glob("*.pth")) if pretrained else None
    return BACKBONES[name](weights)


def _parameters(layers: Iterable[nn.Module]) -> list[nn.Parameter]:
    return [parameter for layer in layers for parameter in layer.parameters()]
