"""A learner for photos, on real photos of solar cells."""

import pytest
import torch

import coursekit as kit
from coursekit.backbones import make_backbone
from coursekit.heads import Head, Network
from coursekit.vision import vision_learner


@pytest.fixture(scope="module")
def data():
    cells = kit.solar_cells()
    cells = cells[cells["sure"]].groupby("label").head(24)
    return kit.DataBlock(
        inputs=kit.GrayImage,
        targets=kit.Category,
        split=kit.random_split(len(cells), valid=0.34),
        item_transforms=[kit.Resize(64)],
    ).loaders(cells, batch_size=8)


@pytest.fixture(scope="module")
def learner(data):
    kit.seed_everything(0)
    learner = vision_learner(data, metrics=[kit.accuracy, kit.Recall("broken")], device="cpu")
    learner.fine_tune(1)
    return learner


def test_the_head_follows_from_the_targets(learner):
    assert learner.model.head.scores.out_features == 2


def test_training_makes_the_loss_smaller(learner):
    losses = learner.recorder.losses

    assert sum(losses[-4:]) < sum(losses[:4])


def test_a_prediction_speaks_in_names(learner, data):
    prediction = learner.predict(kit.solar_cells()["photo"][0])

    assert prediction.label in data.vocab
    assert prediction.probability == pytest.approx(prediction.probabilities[prediction.label])
    assert sum(prediction.probabilities.values()) == pytest.approx(1)


def test_parameter_groups_hold_every_parameter_once():
    network = Network(make_backbone("efficientnet_lite0", pretrained=False), Head(1280, 2))
    groups = network.parameter_groups()

    assert len(groups) == 3
    assert sorted(map(id, (p for group in groups for p in group))) == sorted(map(id, network.parameters()))


def test_an_unknown_backbone_is_refused_in_words():
    with pytest.raises(ValueError, match="no backbone 'resnet'; did you mean 'resnet50'"):
        make_backbone("resnet")


def test_one_kind_alone_is_refused_in_words(data):
    one = kit.DataBlock(kit.Image, kit.Category, split=([0], [1]), item_transforms=[kit.Resize(8)]).loaders(
        [{"photo": torch.zeros(3, 8, 8, dtype=torch.uint8), "label": "sound"} for _ in range(2)]
    )

    with pytest.raises(ValueError, match="needs at least two; the targets have 1: sound"):
        vision_learner(one)


def test_looking_back_finds_the_worst_mistakes(learner, data):
    seen = kit.examine(learner)

    worst = seen.worst(3)

    assert seen.losses[worst[0]] == seen.losses.max()
    assert seen.probabilities.shape == (len(data.valid.items), 2)
    torch.testing.assert_close(
        seen.probability_of("broken") + seen.probability_of("sound"), torch.ones(len(seen.targets))
    )
    seen.show_worst(3)


def test_where_it_looks_is_a_grid_over_the_photo(learner):
    picture, evidence = kit.where_it_looks(learner, kit.solar_cells()["photo"][0], "broken")

    assert picture.shape == (1, 64, 64)
    assert evidence.shape == (4, 4)
    assert 0 <= evidence.min() <= evidence.max() <= 1


def test_an_unknown_kind_is_refused_in_words(learner):
    with pytest.raises(ValueError, match="'cracked' is not one of the kinds; they are 'broken', 'sound'"):
        kit.where_it_looks(learner, kit.solar_cells()["photo"][0], "cracked")


@pytest.fixture
def made():
    """Loaders of a few photos of any number of channels and size."""

    def make(channels=3, size=32, targets=kit.Category):
        photos = [torch.randint(0, 255, (channels, size, size), dtype=torch.uint8) for _ in range(8)]
        items = [{"photo": kit.Image(one), "label": "ab"[n % 2]} for n, one in enumerate(photos)]
        split = ([0, 1, 2, 3, 4, 5], [6, 7])
        return kit.DataBlock(kit.Image, targets, split=split).loaders(items, batch_size=4)

    return make


def test_photos_of_four_channels_learn_from_weights_for_three(made):
    learner = vision_learner(made(channels=4), device="cpu", callbacks=[kit.Progress("off")])
    learner.fine_tune(1)

    assert learner.model.body.input_channels == 4
    assert learner.predict(torch.randint(0, 255, (4, 32, 32), dtype=torch.uint8)).label in "ab"


@pytest.mark.parametrize("backbone", ["torchvision/regnet_x_400mf", "timm/convnext_atto", "resnet10"])
def test_backbones_of_all_makers_learn(made, backbone):
    pytest.importorskip(backbone.partition("/")[0] if "/" in backbone else "torch")
    quiet = {"device": "cpu", "callbacks": [kit.Progress("off")]}
    learner = vision_learner(made(size=64), backbone, pretrained=False, **quiet)
    learner.fine_tune(1)

    assert len(learner.groups) == 3
    assert list(learner.recorder.rows[-1]) == ["epoch", "train loss", "valid loss", "accuracy", "seconds"]


def test_no_metrics_are_no_metrics(made):
    assert vision_learner(made(), metrics=[], pretrained=False, device="cpu").metrics.metrics == []


def test_photos_of_a_size_that_the_backbone_does_not_take_are_refused_in_words(made):
    pytest.importorskip("timm")
    with pytest.raises(ValueError, match=r"photos of 224 by 224 pixels, and these are 32 by 32: .*\(224\)"):
        vision_learner(made(), "timm/vit_tiny_patch16_224", pretrained=False)


def test_what_are_no_pairs_of_a_photo_and_a_target_is_refused_in_words(made):
    with pytest.raises(ValueError, match=r"pairs of a photo and a target.*these items are tuple of 1"):
        vision_learner(made(targets=None))


def test_masks_of_another_size_than_their_photos_are_refused_in_words():
    shrunk = kit.Block(item=[kit.Create(kit.Mask, vocab=("sky", "tree")), kit.Resize(8)])
    photos = torch.randint(0, 255, (4, 3, 16, 16), dtype=torch.uint8)
    items = [(photo, torch.zeros(16, 16, dtype=torch.int64)) for photo in photos]
    inputs = kit.Block(item=[kit.Create(kit.Image), kit.Resize(16)])
    with pytest.raises(ValueError, match=r"16 (by|x) 16.* 8 (by|x) 8"):
        vision_learner(kit.DataBlock(inputs, shrunk, split=([0, 1], [2, 3])).loaders(items))
