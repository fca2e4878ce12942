"""A learner for photos, on real photos of solar cells."""

import pytest
import torch

import coursekit as kit
from coursekit.vision import Head, Network, make_backbone, vision_learner


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
