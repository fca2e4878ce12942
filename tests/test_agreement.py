"""Agreement: the numbers of scikit-learn, whatever sizes batches have."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from sklearn import metrics as judge

from coursekit.agreement import (
    F1,
    Agreement,
    DiceScore,
    IntersectionOverUnion,
    LabelAccuracy,
    MeanPrecision,
    MeanRecall,
    count_agreement,
)
from coursekit.tensors import Category

JUDGES = {
    F1: judge.f1_score,
    DiceScore: judge.f1_score,
    MeanPrecision: judge.precision_score,
    MeanRecall: judge.recall_score,
    IntersectionOverUnion: judge.jaccard_score,
}
EACH = pytest.mark.parametrize("kind", JUDGES, ids=lambda kind: kind.__name__)


def measure(metric, predictions, targets, sizes):
    """The value over batches of these sizes, and of what is left."""
    metric.reset()
    for batch in zip(predictions.split(sizes), targets.split(sizes), strict=True):
        metric.update(*batch)
    return metric.value()


def cut(count, seed):
    """Sizes of batches that make `count` together."""
    generator = numpy.random.default_rng(seed)
    places = sorted({0, count, *generator.integers(0, count + 1, 4).tolist()})
    return [after - before for before, after in pairwise(places)]


def of_ones(kind, true, said):
    """The judge's number of one class, nan for a share of nothing."""
    if kind is IntersectionOverUnion:  # whose judge knows no nan
        return judge.jaccard_score(true, said) if (true | said).any() else math.nan
    return JUDGES[kind](true, said, zero_division=numpy.nan)


@EACH
@settings(max_examples=25, deadline=None)
@given(seed=some.integers(0, 10**6), count=some.integers(1, 60), classes=some.integers(2, 5))
def test_one_class_an_item(kind, seed, count, classes):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(count, classes, generator=generator)
    targets = torch.randint(0, classes, (count,), generator=generator)
    said = scores.argmax(1)
    options = {"zero_division": 0}

    for average in ("macro", "micro"):
        expected = JUDGES[kind](targets, said, average=average, **options)
        assert measure(kind(average=average), scores, targets, cut(count, seed)) == pytest.approx(expected)
    metric = kind(of=1)
    value = measure(metric, scores, targets, cut(count, seed))
    expected = of_ones(kind, targets == 1, said == 1)
    assert value == pytest.approx(expected, nan_ok=True)
    assert metric.by_class()["1"] == pytest.approx(value, nan_ok=True)


@EACH
@settings(max_examples=15, deadline=None)
@given(seed=some.integers(0, 10**6), count=some.integers(1, 60), labels=some.integers(2, 4))
def test_several_labels(kind, seed, count, labels):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(count, labels, generator=generator)
    targets = torch.randint(0, 2, (count, labels), generator=generator).float()
    thresholds = torch.rand(labels, generator=generator).tolist()
    said = scores.sigmoid() > torch.tensor(thresholds)
    there = (said | (targets > 0)).any(dim=0)
    each = JUDGES[kind](targets, said, average=None, zero_division=0)

    value = measure(kind(thresholds=thresholds), scores, targets, cut(count, seed))
    assert value == pytest.approx(each[there.numpy()].mean() if there.any() else math.nan, nan_ok=True)
    micro = measure(kind(average="micro", thresholds=thresholds), scores, targets, cut(count, seed))
    expected = of_ones(kind, targets.flatten() > 0, said.flatten())
    assert micro == pytest.approx(expected, nan_ok=True)


@EACH
def test_pixels_of_masks_without_those_that_nobody_knows(kind):
    torch.manual_seed(0)
    scores, targets = torch.randn(7, 3, 5, 6), torch.randint(0, 3, (7, 5, 6))
    unsure = torch.rand(7, 5, 6) < 0.2
    said = scores.argmax(1)
    expected = JUDGES[kind](targets[~unsure], said[~unsure], average="macro")

    assert measure(kind(ignored=255), scores, targets.masked_fill(unsure, 255), 2) == pytest.approx(expected)


def test_labels_that_nobody_knows_do_not_count():
    scores, targets = torch.randn(50, 3), torch.randint(0, 2, (50, 3)).float()
    targets[torch.rand(50, 3) < 0.3] = math.nan
    f1, accuracy = F1(), LabelAccuracy()
    columns = [
        (scores[:, n][~targets[:, n].isnan()] > 0, targets[:, n][~targets[:, n].isnan()]) for n in range(3)
    ]
    said, true = torch.cat([one for one, _ in columns]), torch.cat([one for _, one in columns])

    expected = numpy.mean([judge.f1_score(true, said) for said, true in columns])
    assert measure(f1, scores, targets, 7) == pytest.approx(expected)
    assert measure(accuracy, scores, targets, 7) == pytest.approx(judge.accuracy_score(true, said))


@settings(max_examples=25, deadline=None)
@given(seed=some.integers(0, 10**6), count=some.integers(1, 60))
def test_label_accuracy(seed, count):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(count, 3, generator=generator)
    targets = torch.randint(0, 2, (count, 3), generator=generator)
    said, sizes = (scores > 0).long(), cut(count, seed)

    assert measure(LabelAccuracy(), scores, targets, sizes) == pytest.approx(
        1 - judge.hamming_loss(targets, said)
    )
    whole = measure(LabelAccuracy(whole=True), scores, targets, sizes)
    assert whole == pytest.approx(judge.accuracy_score(targets, said))


def test_classes_are_asked_for_by_name_and_told_by_name():
    targets = Category(torch.tensor([0, 1, 1]), vocab=("sound", "broken"))
    metric = F1(of="broken")
    metric.update(torch.tensor([[1.0, 0], [0, 1], [1, 0]]), targets)

    assert metric.name == "F1 of broken"
    assert metric.value() == pytest.approx(2 / 3)
    assert metric.by_class() == pytest.approx({"sound": 2 / 3, "broken": 2 / 3})


def test_nothing_seen_is_no_number():
    assert all(math.isnan(kind().value()) for kind in [*JUDGES, LabelAccuracy])
    assert F1().by_class() == {}


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: F1(average="weighted"), '"macro" or "micro"; \'weighted\' is neither'),
        (lambda: F1().update(torch.zeros(4, 2), torch.zeros(3)), "4 items and there are 3 targets"),
        (lambda: LabelAccuracy().update(torch.zeros(4, 2), torch.zeros(4)), r"\(4, 2\) and targets \(4,\)"),
        (lambda: F1(of=7).update(torch.zeros(4, 2), torch.zeros(4).long()), "no class number 7"),
    ],
)
def test_what_cannot_be_counted(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_share_of_ones_own_must_be_said():
    metric = Agreement()
    metric.update(torch.zeros(1, 2), torch.zeros(1).long())
    with pytest.raises(NotImplementedError, match="must say which share it is"):
        metric.value()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
def test_counting_waits_for_no_device():
    scores, targets = torch.randn(9, 3, device="cuda"), torch.randint(0, 3, (9,), device="cuda")
    several = torch.randint(0, 2, (9, 3), device="cuda").float()
    torch.cuda.set_sync_debug_mode("error")
    try:
        count_agreement(scores, targets, ignored=2)
        count_agreement(scores, several)
    finally:
        torch.cuda.set_sync_debug_mode("default")
