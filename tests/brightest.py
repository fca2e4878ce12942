"""A learner for photos that is right by construction, for tests that look at what a model does."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from coursekit.backbones import Backbone
from coursekit.heads import Network
from coursekit.learner import Learner
from coursekit.loaders import Loader, Loaders
from coursekit.losses import CrossEntropy
from coursekit.recipes import Recipe
from coursekit.steps import Categorize, ToFloat
from coursekit.tensors import Category, Image
from coursekit.transforms import Pipeline

VOCAB = ("dark", "bright")


class Brightest(nn.Module):
    """A head that finds a photo bright when any place of it is."""

    def forward(self, features: Tensor) -> Tensor:
        bright = features.amax((1, 2, 3))
        return torch.stack([1 - bright, bright], dim=1)


def photo(*bright_places: tuple[int, int]) -> Image:
    """A dark photo of 8 by 8 pixels, but for these (row, column)."""
    pixels = torch.zeros(3, 8, 8, dtype=torch.uint8)
    for row, column in bright_places:
        pixels[:, row, column] = 255
    return Image(pixels)


def brightness_learner() -> Learner:
    """It is right about all of its items but one, whose label is wrong."""
    body = Backbone([nn.Identity(), nn.AvgPool2d(2), nn.Identity()], channels=3)
    items = [(photo(), 0), (photo((6, 1)), 1), (photo(), 1)]
    labelled = [(picture, Category(label, vocab=VOCAB)) for picture, label in items]
    loaders = [Loader(labelled, batch_transforms=Pipeline(ToFloat())) for _ in range(2)]
    data = Loaders(*loaders, Recipe(Pipeline(), Pipeline(Categorize(VOCAB)), Pipeline(ToFloat())))
    return Learner(data, Network(body, Brightest()), CrossEntropy(), device="cpu")
