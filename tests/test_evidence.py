"""Where the evidence lies, in any network."""

import pytest
import torch
from brightest import VOCAB, Brightest, brightness_learner, photo
from torch import nn

from coursekit.backbones import Backbone, make_backbone
from coursekit.evidence import class_number, show_where_it_looks, where_it_looks
from coursekit.heads import AmountHead, Head, Network
from coursekit.interpret import examine
from coursekit.learner import Learner
from coursekit.loaders import Loader, Loaders
from coursekit.losses import CrossEntropy
from coursekit.recipes import Recipe
from coursekit.steps import Categorize, ToFloat
from coursekit.tensors import Category, Image
from coursekit.transforms import Pipeline
from coursekit.unets import UNet


@pytest.fixture
def learner():
    return brightness_learner()


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


def data_of(photos):
    """Loaders of photos, and the way from one photo to a batch."""
    items = [(one, Category(0, vocab=VOCAB)) for one in photos]
    recipe = Recipe(Pipeline(), Pipeline(Categorize(VOCAB)), Pipeline(ToFloat()))
    return Loaders(*[Loader(items, batch_transforms=Pipeline(ToFloat())) for _ in range(2)], recipe)


class Anything(nn.Module):
    """A network of somebody else's: no stages, and an activation that changes what it is given."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.AvgPool2d(2), nn.ReLU(inplace=True), nn.AvgPool2d(2))
        self.pool, self.head = nn.AdaptiveMaxPool2d(1), Brightest()

    def forward(self, photos):
        return self.head(self.pool(self.features(photos)))


def test_in_any_network_it_looks_at_the_last_layer_with_places_or_at_the_one_named():
    learner = Learner(data_of([photo()]), Anything(), CrossEntropy(), device="cpu")

    _, coarse = where_it_looks(learner, photo((6, 1)), "bright")
    assert (coarse.shape, coarse.argmax().item()) == ((2, 2), 2)

    _, finer = where_it_looks(learner, photo((6, 1)), 1, layer=learner.model.features[0])
    assert (finer.shape, finer.argmax().item()) == ((4, 4), 3 * 4)


def test_a_layer_without_places_is_refused_in_words():
    learner = Learner(data_of([photo()]), Anything(), CrossEntropy(), device="cpu")

    with pytest.raises(ValueError, match=r"this AdaptiveMaxPool2d is of shape \(1, 3, 1, 1\)\. Take"):
        where_it_looks(learner, photo(), "bright", layer=learner.model.pool)
    with pytest.raises(ValueError, match="only a backbone has stages; this model is a Anything"):
        where_it_looks(learner, photo(), "bright", stage=2)


def test_a_stage_that_there_is_not_is_refused_in_words(learner):
    with pytest.raises(ValueError, match="the body has stages 0 to 2; stage=3 was asked for"):
        where_it_looks(learner, photo(), "bright", stage=3)


@pytest.mark.parametrize("name", ["torchvision/resnet18", "timm/vit_tiny_patch16_224", "resnet10"])
def test_every_backbone_can_be_looked_into(name):
    pytest.importorskip(name.partition("/")[0] if "/" in name else "torch")
    body = make_backbone(name, pretrained=False)
    size = body.size or 64
    bright = Image(torch.randint(0, 255, (3, size, size), dtype=torch.uint8))
    learner = Learner(data_of([bright]), Network(body, Head(body.channels, 2)), CrossEntropy(), device="cpu")

    _, evidence = where_it_looks(learner, bright, "bright")

    assert evidence.shape == ((14, 14) if body.size else (4, 4))
    assert 0 <= evidence.min() <= evidence.max() <= 1


def test_of_masks_all_pixels_of_a_class_are_asked_and_of_an_amount_the_amount():
    body = Backbone([nn.Conv2d(3, 4, 3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1)], channels=4)
    masks = Learner(data_of([photo()]), UNet(body, classes=2), CrossEntropy(), device="cpu")
    assert where_it_looks(masks, photo((6, 1)), "bright")[1].shape == (4, 4)

    amount = Learner(data_of([photo()]), Network(body, AmountHead(4)), nn.MSELoss(), device="cpu")
    assert where_it_looks(amount, photo((6, 1)))[1].shape == (4, 4)
    with pytest.raises(ValueError, match="which of its 2 answers"):
        where_it_looks(masks, photo((6, 1)))


def test_where_the_glow_is_is_said_in_words(learner):
    from matplotlib import pyplot

    show_where_it_looks(learner, photo((6, 1)), "bright", stage=1)
    assert pyplot.gcf().alt_text.count("with a glow that is brightest in the lower left") == 1

    show_where_it_looks(learner, photo(), "bright", stage=1)
    assert "nothing speaks for it" in pyplot.gcf().alt_text
    pyplot.close("all")


def test_data_that_make_no_batch_of_one_photo_are_refused_in_words():
    batches = [(torch.rand(2, 3, 8, 8), torch.tensor([0, 1]))]
    learner = Learner((batches, None), Anything(), CrossEntropy(), device="cpu")

    with pytest.raises(TypeError, match="makes a batch of one item"):
        where_it_looks(learner, torch.rand(3, 8, 8), 1)
