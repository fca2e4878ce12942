"""Ranking: the numbers of scikit-learn, ties included, whatever sizes batches have."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn import metrics as judge

from coursekit.ranking import AveragePrecision, Ranking, RocAuc, TopAccuracy
from coursekit.tensors import Category

BOTH = pytest.mark.parametrize(
    ("kind", "expected"),
    [(RocAuc, judge.roc_auc_score), (AveragePrecision, judge.average_precision_score)],
    ids=["ROC AUC", "average precision"],
)


def measure(metric, predictions, targets, size):
    metric.reset()
    for batch in zip(predictions.split(size), targets.split(size), strict=True):
        metric.update(*batch)
    return metric.value()


@BOTH
@settings(max_examples=40, deadline=None)
@given(seed=some.integers(0, 10**6), count=some.integers(6, 60), size=some.integers(1, 60))
def test_several_labels_with_many_ties(kind, expected, seed, count, size):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(-3, 4, (count, 2), generator=generator).float()
    targets = torch.randint(0, 2, (count, 2), generator=generator).float()
    targets[0], targets[1] = 0, 1  # both kinds are there

    assert measure(kind(), scores, targets, size) == pytest.approx(expected(targets, scores, average="macro"))
    assert measure(kind(of=1), scores, targets, size) == pytest.approx(expected(targets[:, 1], scores[:, 1]))


@BOTH
@settings(max_examples=25, deadline=None)
@given(seed=some.integers(0, 10**6), count=some.integers(8, 60), size=some.integers(1, 60))
def test_one_class_an_item(kind, expected, seed, count, size):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(count, 3, generator=generator) + 5 * torch.randn(count, 1, generator=generator)
    targets = torch.randint(0, 3, (count,), generator=generator)
    targets[:3] = torch.arange(3)
    chances = scores.double().softmax(1)
    each = [expected(targets == number, chances[:, number]) for number in range(3)]

    assert measure(kind(), scores, targets, size) == pytest.approx(sum(each) / 3)
    assert measure(kind(of=2), scores, targets, size) == pytest.approx(each[2])


@settings(max_examples=25, deadline=None)
@given(
    seed=some.integers(0, 10**6), count=some.integers(1, 60), k=some.integers(1, 4), size=some.integers(1, 60)
)
def test_top_k(seed, count, k, size):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(count, 4, generator=generator)
    targets = torch.randint(0, 4, (count,), generator=generator)
    expected = (scores.argsort(dim=1, descending=True)[:, :k] == targets[:, None]).any(1).float().mean()

    assert measure(TopAccuracy(k), scores, targets, size) == pytest.approx(expected.item(), abs=1e-6)


def test_top_k_is_scikit_learns():
    scores, targets = torch.randn(200, 6), torch.randint(0, 6, (200,))
    expected = judge.top_k_accuracy_score(targets, scores, k=3, labels=range(6))

    assert measure(TopAccuracy(3), scores, targets, 32) == pytest.approx(expected)


@BOTH
def test_what_nobody_knows_is_left_out(kind, expected):
    torch.manual_seed(0)
    scores, targets = torch.randn(40, 2), torch.randint(0, 2, (40, 2)).float()
    targets[torch.rand(40, 2) < 0.3] = math.nan
    known = [~targets[:, number].isnan() for number in range(2)]
    each = [expected(targets[one, number], scores[one, number]) for number, one in enumerate(known)]

    assert measure(kind(), scores, targets, 9) == pytest.approx(sum(each) / 2)


@BOTH
def test_what_cannot_be_told_apart_is_no_number(kind, expected):
    assert math.isnan(kind().value())
    assert math.isnan(measure(kind(of=1), torch.randn(4, 2), torch.zeros(4).long(), 2))


def test_a_class_is_asked_for_by_name():
    metric = RocAuc(of="broken")
    metric.update(torch.eye(2), Category(torch.tensor([0, 1]), vocab=("sound", "broken")))

    assert (metric.name, metric.value()) == ("ROC AUC of broken", 1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: RocAuc().update(torch.zeros(4, 2), torch.zeros(3)), "4 items and there are 3 targets"),
        (lambda: RocAuc().update(torch.zeros(4), torch.zeros(4)), "one score for each class"),
        (lambda: TopAccuracy(5).update(torch.zeros(4, 2), torch.zeros(4)), "top 5 of 2 classes"),
        (lambda: TopAccuracy(1).update(torch.zeros(4, 2), torch.zeros(3)), "4 items and there are 3 targets"),
    ],
)
def test_what_cannot_be_ranked(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_ranking_of_ones_own_must_say_how():
    with pytest.raises(NotImplementedError, match="must say how to rank"):
        measure(Ranking(), torch.eye(2), torch.arange(2), 2)
