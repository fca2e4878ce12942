"""Where the evidence lies, in any network."""

import pytest
import torch
from torch import nn

from coursekit.backbones import Backbone
from coursekit.evidence import class_number, where_it_looks
from coursekit.interpret import examine
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


def test_the_evidence_lies_where_the_brightness_is(learner):
    picture, evidence = where_it_looks(learner, photo((6, 1)), "bright", stage=1)

    assert picture.shape == (3, 8, 8)
    assert evidence.argmax().item() == 3 * 4 + 0
    assert evidence.max() == 1
    assert (evidence > 0).sum() == 1


def test_a_photo_without_evidence_has_none(learner):
    _, evidence = where_it_looks(learner, photo(), "bright", stage=1)

    assert not evidence.any()


def test_looking_changes_nothing_about_the_learner(learner):
    before = examine(learner).probabilities
    where_it_looks(learner, photo((1, 1)), "bright", stage=1)

    assert torch.equal(examine(learner).probabilities, before)
    assert not learner.model.training


def test_a_model_of_another_kind_is_refused_in_words(learner):
    other = Learner(learner.data, nn.Flatten(), CrossEntropy(), device="cpu")

    with pytest.raises(ValueError, match="no layer of this Flatten gives a grid of features"):
        where_it_looks(other, photo(), "bright")


def test_an_unknown_kind_is_refused_in_words():
    with pytest.raises(ValueError, match="'grey' is not one of the kinds; they are 'dark', 'bright'"):
        class_number("grey", VOCAB)
