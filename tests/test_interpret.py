"""Looking at a model: its worst mistakes, and where its evidence lies."""

import pytest
import torch
from torch import nn

from coursekit.backbones import Backbone
from coursekit.interpret import Interpretation, examine, top_losses
from coursekit.learner import Learner
from coursekit.loaders import Loader, Loaders
from coursekit.losses import CrossEntropy
from coursekit.recipes import Recipe
from coursekit.steps import Categorize, ToFloat
from coursekit.tensors import Category, Image
from coursekit.transforms import Pipeline
from coursekit.vision import Network

VOCAB = ("dark", "bright")


class Brightest(nn.Module):
    """A head that finds a photo bright when any place of it is."""

    def forward(self, features):
        bright = features.amax((1, 2, 3))
        return torch.stack([1 - bright, bright], dim=1)


def photo(*bright_places):
    pixels = torch.zeros(3, 8, 8, dtype=torch.uint8)
    for row, column in bright_places:
        pixels[:, row, column] = 255
    return Image(pixels)


@pytest.fixture
def learner():
    """A learner that is right by construction, with one item whose label is wrong."""
    body = Backbone([nn.Identity(), nn.AvgPool2d(2), nn.Identity()], channels=3)
    items = [(photo(), 0), (photo((6, 1)), 1), (photo(), 1)]
    items = [(picture, Category(label, vocab=VOCAB)) for picture, label in items]
    loaders = [Loader(items, batch_transforms=Pipeline(ToFloat())) for _ in range(2)]
    data = Loaders(*loaders, Recipe(Pipeline(), Pipeline(Categorize(VOCAB)), Pipeline(ToFloat())))
    return Learner(data, Network(body, Brightest()), CrossEntropy(), device="cpu")


def test_the_worst_mistake_comes_first(learner):
    seen = examine(learner)

    assert seen.worst(1) == [2]
    assert seen.verdict(2) == "said dark (73%), is bright"
    assert torch.equal(seen.photos[1], photo((6, 1)))
    assert (seen.probability_of("bright") > 0.5).tolist() == [False, False, False]


def test_there_are_never_more_mistakes_than_items():
    seen = Interpretation([None], torch.tensor([[1.0, 0.0]]), torch.tensor([0]), torch.tensor([0.0]), VOCAB)

    assert seen.worst(9) == [0]


def test_the_worst_come_first_equals_stay_in_order_and_nan_is_worst():
    losses = torch.tensor([0.5, 2.0, 0.5, float("nan"), 2.0])

    assert top_losses(losses, count=3) == [3, 1, 4]
    assert top_losses(losses, count=9) == [3, 1, 4, 0, 2]
    assert top_losses(losses[:0]) == []


def test_one_loss_for_all_has_no_worst():
    with pytest.raises(ValueError, match=r'one loss for each item.* shape \(\)\. .*reduction="none"'):
        top_losses(torch.tensor(0.5))
