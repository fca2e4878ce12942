"""Predictions: what a model says about an item, in people's terms, whatever kind of thing targets are."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch

import coursekit as kit
from coursekit.creating import CreateKeypoints
from coursekit.predictions import Prediction, read_scores

SCORES = torch.tensor([[0.0, 2.0], [1.0, 0.0]])


class Several:
    """Reads scores as several yes or no."""

    def activation(self, scores):
        return scores.sigmoid()

    def decode(self, scores):
        return scores > 0


class Asis:
    """Reads scores as the answer."""

    def decode(self, scores):
        return scores


def data_with(targets, examples, **metadata) -> kit.Loaders:
    """Loaders of four small photos, each with one of two targets."""
    photos = [
        {"photo": torch.zeros(3, 8, 6, dtype=torch.uint8), "what": examples[number % 2]}
        for number in range(4)
    ]
    block = kit.DataBlock(
        kit.Image, targets, split=([0, 1], [2, 3]), input_from="photo", target_from="what", **metadata
    )
    return block.loaders(photos)


def test_one_class_prints_as_one_line():
    prediction = Prediction("b", torch.zeros(2), {"a": 0.25, "b": 0.75})

    assert repr(prediction) == "b (probability 0.750)"
    assert (prediction.label, prediction.probability) == ("b", 0.75)


def test_several_names_print_side_by_side():
    both = {"a": 0.6, "b": 0.75}

    assert repr(Prediction(["a", "b"], SCORES, both)) == "a (probability 0.600), b (probability 0.750)"
    assert repr(Prediction([], SCORES, both)) == Prediction([], SCORES, both).label == "none"
    assert Prediction(["a"], SCORES, both).probability is None


def test_a_category_is_called_by_its_name():
    data = data_with(kit.Category, ["sound", "broken"])
    found = read_scores(SCORES, kit.CrossEntropy(), data)

    assert [one.value for one in found] == ["sound", "broken"]
    assert found[0].probabilities == pytest.approx({"broken": 0.1192, "sound": 0.8808}, abs=1e-4)
    assert found[1].scores.tolist() == [1, 0]


def test_several_categories_are_a_list_of_names():
    data = data_with(kit.MultiCategory, [["wet", "old"], ["old"]])
    found = read_scores(torch.tensor([[2.0, 2.0], [-1.0, 3.0], [-1.0, -1.0]]), Several(), data)

    assert [one.value for one in found] == [["old", "wet"], ["wet"], []]
    assert set(found[0].probabilities) == {"old", "wet"}


def test_a_mask_is_a_mask_with_its_names():
    data = data_with(kit.Create(kit.Mask, vocab=("sky", "tree")), [torch.zeros(8, 6).long()] * 2)
    scores = torch.zeros(1, 2, 8, 6)
    scores[:, 1, :4] = 1
    (found,) = read_scores(scores, kit.CrossEntropy(), data, torch.zeros(1, 3, 8, 6))

    assert type(found.value) is kit.Mask
    assert found.value.vocab == ("sky", "tree")
    assert found.value.sum() == 24
    assert found.probabilities is None


def test_points_know_the_picture_they_lie_on_and_their_names():
    data = data_with(CreateKeypoints(names=("nose", "tail")), [[[1, 2], [3, 4]]] * 2)
    inputs = kit.Image(torch.zeros(1, 3, 8, 6))
    (found,) = read_scores(torch.tensor([[[2.0, 3.0], [4.0, 5.0]]]), Asis(), data, inputs)

    assert type(found.value) is kit.Keypoints
    assert (found.value.canvas, found.value.names) == ((8, 6), ("nose", "tail"))
    assert found.value.tolist() == [[2, 3], [4, 5]]


@pytest.mark.parametrize("scores", [torch.tensor([64.5, 3.0]), torch.tensor([[64.5], [3.0]])])
def test_an_amount_has_its_unit(scores):
    data = data_with(kit.Create(kit.Target, unit="kg"), [1.0, 2.0])
    found = read_scores(scores, Asis(), data)

    assert str(found[0].value) == repr(found[0]) == "64.5 kg"


def test_a_number_is_a_number():
    data = data_with(kit.Create(float), [1.0, 2.0])

    assert [one.value for one in read_scores(torch.tensor([64.5, 3.0]), Asis(), data)] == [64.5, 3]


@pytest.mark.parametrize(
    ("targets", "examples", "kind", "shown"),
    [
        (kit.Category, ["sound", "broken"], str, r"(sound|broken) \(probability 0\.\d{3}\)"),
        (kit.MultiCategory, [["wet", "old"], ["old"]], list, r"none|(wet|old) .*"),
        (CreateKeypoints(names=("nose", "tail")), [[[1, 2], [3, 4]]] * 2, kit.Keypoints, "Keypoints.*canvas"),
        (kit.Create(kit.Mask, vocab=("sky", "tree")), [torch.zeros(8, 6).long()] * 2, kit.Mask, "Mask.*tree"),
        (kit.Create(kit.Target, unit="kg"), [1.0, 2.0], kit.Target, r"-?[\d.e-]+ kg"),
    ],
)
def test_a_learner_for_photos_answers_in_the_targets_terms(targets, examples, kind, shown):
    data = data_with(targets, examples)
    quiet = {"callbacks": [kit.Progress("off")], "device": "cpu", "metrics": []}
    learner = kit.vision_learner(data, "small_cnn", pretrained=False, **quiet)
    photo = torch.randint(0, 256, (3, 8, 6), dtype=torch.uint8)
    found = learner.predict(photo)

    assert type(found.value) is kind
    assert re.match(shown, repr(found))
    assert [type(one.value) for one in learner.predict_all([photo, photo])] == [kind] * 2


def test_data_of_ones_own_may_name_classes_only():
    data = SimpleNamespace(vocab=("low", "high"))

    assert read_scores(SCORES, kit.CrossEntropy(), data)[0].value == "high"
    assert read_scores(SCORES, kit.CrossEntropy(), None)[0].label == "1"


def test_names_and_scores_are_as_many():
    with pytest.raises(ValueError, match="gives 2 scores an item, and the data name 3 classes: a, b, c"):
        read_scores(SCORES, kit.CrossEntropy(), SimpleNamespace(vocab="abc"))


def test_what_nobody_can_read_is_what_the_model_gave():
    found = read_scores({"start": SCORES, "end": SCORES}, torch.nn.MSELoss(), None)

    assert len(found) == 2
    assert found[0].value["start"].tolist() == [0, 2]
