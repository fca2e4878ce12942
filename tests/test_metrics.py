"""Metrics: right over batches of unequal size, and plain about what does not fit."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
from sklearn.metrics import accuracy_score, precision_score, recall_score

from coursekit import metrics
from coursekit.metrics import Mean, Metric, Precision, Recall, accuracy, count_items, error_rate
from coursekit.tensors import Category

VOCAB = ("sound", "broken", "unsure")


@pytest.fixture
def answers():
    """Scores and class numbers of 103 items: a number that no batch size divides."""
    torch.manual_seed(0)
    return torch.randn(103, 3), torch.randint(0, 3, (103,))


@pytest.mark.parametrize("batch_size", [1, 7, 32, 103, 500])
@pytest.mark.parametrize(
    ("metric", "judge"),
    [
        (Mean(accuracy), accuracy_score),
        (Mean(error_rate), lambda true, said: 1 - accuracy_score(true, said)),
        (Recall(of="broken"), lambda true, said: recall_score(true == 1, said == 1)),
        (Precision(of="broken"), lambda true, said: precision_score(true == 1, said == 1)),
        (Recall(of=2), lambda true, said: recall_score(true == 2, said == 2)),
    ],
    ids=lambda part: getattr(part, "name", ""),
)
def test_agrees_with_scikit_learn_over_batches_of_unequal_size(answers, metric, judge, batch_size):
    scores, targets = answers
    metric.reset()
    for start in range(0, len(scores), batch_size):
        batch = slice(start, start + batch_size)
        metric.update(scores[batch], Category(targets[batch], vocab=VOCAB))

    assert metric.value() == pytest.approx(judge(targets.numpy(), scores.argmax(1).numpy()), abs=1e-7)


@pytest.mark.parametrize("function", [accuracy, error_rate])
def test_gives_one_plain_float32_number_also_for_typed_targets(function):
    value = function(torch.eye(3), Category([0, 1, 2], vocab=VOCAB))

    assert type(value) is torch.Tensor
    assert (value.shape, value.dtype) == ((), torch.float32)


@pytest.mark.parametrize("function", [accuracy, error_rate])
def test_is_short_enough_to_be_rebuilt_in_the_first_exercise(function):
    lines = inspect.getsource(function).replace(inspect.getdoc(function) or "", "").splitlines()
    body = inspect.getsource(function).split('"""')[2].strip().splitlines()

    assert lines
    assert len(body) <= 6


@pytest.mark.parametrize("metric", [accuracy, error_rate, Recall(of=0).update, Precision(of=0).update])
def test_says_which_shapes_do_not_fit(metric):
    with pytest.raises(ValueError, match=r"Scores of shape \(4, 2\) need targets of shape \(4,\)"):
        metric(torch.zeros(4, 2), torch.zeros(3, dtype=torch.long))


@pytest.mark.parametrize(
    ("scores", "targets", "words"),
    [
        ((4, 2), (3,), "answered for 4 items and there are 3 targets"),
        ((4, 2), (), "answered for 4 items and there are no targets"),
        ((4, 2), (4, 2), "one-hot, one column a class: targets.argmax"),
        ((4, 2), (4, 1), r"targets.squeeze\(-1\) takes it off"),
        ((4, 2, 5, 5), (4,), "pooling or nn.Flatten"),
        ((4,), (4,), r"have shape \(items, classes\), as \(64, 2\); these have shape \(4,\)"),
    ],
)
def test_names_the_usual_cause_of_a_misfit(scores, targets, words):
    with pytest.raises(ValueError, match=words):
        accuracy(torch.zeros(scores), torch.zeros(targets))


def test_nothing_seen_gives_nan():
    assert math.isnan(Mean(accuracy).value())
    assert math.isnan(Recall(of=0).value())
    assert torch.isnan(accuracy(torch.zeros(0, 2), torch.zeros(0)))


def test_recall_of_a_class_that_nobody_has_is_nan_and_not_a_claim():
    recall, precision = Recall(of=1), Precision(of=1)
    for metric in (recall, precision):
        metric.update(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))

    assert math.isnan(recall.value())
    assert math.isnan(precision.value())


def test_recall_says_which_classes_there_are():
    with pytest.raises(ValueError, match="no class 'brocken'; the classes are sound, broken, unsure"):
        Recall(of="brocken").update(torch.eye(3), Category([0, 1, 2], vocab=VOCAB))
    with pytest.raises(ValueError, match=r"carry no vocab.*as in Recall\(of=1\)"):
        Recall(of="broken").update(torch.eye(3), torch.tensor([0, 1, 2]))
    with pytest.raises(
        ValueError, match="no class number 3: the predictions have 3 columns, so classes 0 to 2"
    ):
        Recall(of=3).update(torch.eye(3), torch.tensor([0, 1, 2]))


def test_a_function_may_give_a_number_and_must_give_one():
    mean = Mean(lambda predictions, targets: 0.5, name="half")
    mean.update(torch.eye(2), torch.tensor([0, 1]))
    each = Mean(lambda predictions, targets: targets.float(), name="each")

    assert mean.value() == 0.5
    with pytest.raises(ValueError, match=r"each gave a tensor of shape \(2,\): take its mean"):
        each.update(torch.eye(2), torch.tensor([0, 1]))


def test_names_are_words():
    assert Mean(error_rate).name == "error rate"
    assert Mean(lambda predictions, targets: predictions.sum(), name="sum").name == "sum"
    assert Recall(of="broken").name == "recall of broken"
    assert Precision(of="broken", name="precision").name == "precision"


def test_reset_forgets():
    for metric in (Mean(accuracy), Recall(of=1)):
        metric.update(torch.eye(2), torch.tensor([1, 0]))
        metric.reset()
        metric.update(torch.eye(2), torch.tensor([0, 1]))

        assert metric.value() == 1


def test_a_metric_of_your_own_is_told_what_it_lacks():
    with pytest.raises(NotImplementedError, match=r"must say how to look at a batch: def update\(self"):
        Metric().update(None, None)
    with pytest.raises(NotImplementedError, match="how to forget"):
        Metric().reset()
    with pytest.raises(NotImplementedError, match="what came out"):
        Metric().value()


def test_items_are_counted_in_batches_of_any_form():
    assert count_items({"a": "text", "b": torch.zeros(3, 2)}) == 3
    assert count_items(None) == 0
    assert count_items(torch.tensor(1.0)) == 0


def test_updating_makes_nobody_wait(monkeypatch):
    metric, recall = Mean(accuracy), Recall(of="broken")

    def wait(*_):
        raise AssertionError("the host waited for the device")

    for name in ("item", "tolist", "__bool__", "__float__", "__int__", "cpu", "numpy"):
        monkeypatch.setattr(torch.Tensor, name, wait)
    for one in (metric, recall):
        one.update(torch.eye(3), Category(torch.arange(3), vocab=VOCAB))
    monkeypatch.undo()

    assert metric.value() == recall.value() == 1


def test_every_public_name_has_an_example():
    for name in ("accuracy", "error_rate", "Mean", "Metric", "Recall", "Precision"):
        assert ">>>" in getattr(metrics, name).__doc__
