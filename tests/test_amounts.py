"""Amounts: the numbers of scikit-learn, whatever sizes batches have."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as some
from sklearn import metrics as judge
from torch.nn import functional

from coursekit.amounts import (
    R2,
    MeanAbsoluteError,
    MeanPointDistance,
    Perplexity,
    RootMeanSquaredError,
    Sums,
)

KINDS = {
    MeanAbsoluteError: judge.mean_absolute_error,
    RootMeanSquaredError: lambda true, said: math.sqrt(judge.mean_squared_error(true, said)),
    R2: judge.r2_score,
}


def measure(metric, predictions, targets, size):
    metric.reset()
    for batch in zip(predictions.split(size), targets.split(size), strict=True):
        metric.update(*batch)
    return metric.value()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=30, deadline=None)
@given(
    seed=some.integers(0, 10**6),
    count=some.integers(2, 60),
    size=some.integers(1, 60),
    middle=some.sampled_from([0.0, 1e4]),
    shape=some.sampled_from([(), (1,), (3,)]),
)
def test_errors_of_amounts_far_from_0_and_near(kind, seed, count, size, middle, shape):
    generator = torch.Generator().manual_seed(seed)
    said, true = (middle + torch.randn(2, count, *shape, generator=generator)).unbind()
    assume(true.std(dim=0).min() > 0.01)

    expected = KINDS[kind](true.double().numpy(), said.double().numpy())
    assert measure(kind(), said, true, size) == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_points_that_nobody_saw_do_not_count():
    torch.manual_seed(0)
    said, true = torch.randn(11, 4, 2), torch.randn(11, 4, 2)
    true[torch.rand(11, 4) < 0.4] = math.nan
    away = (said - true).norm(dim=-1)

    assert measure(MeanPointDistance(), said, true, 3) == pytest.approx(away[~away.isnan()].mean().item())
    assert math.isnan(measure(MeanPointDistance(), said, torch.full_like(true, math.nan), 3))


@settings(max_examples=20, deadline=None)
@given(seed=some.integers(0, 10**6), size=some.integers(1, 12))
def test_perplexity_is_the_exponential_of_the_mean_surprise_of_what_counts(seed, size):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(12, 5, 7, generator=generator)
    targets = torch.randint(0, 5, (12, 7), generator=generator)
    expected = functional.cross_entropy(scores.double(), targets, ignore_index=0).exp().item()

    assert measure(Perplexity(ignored=0), scores, targets, size) == pytest.approx(expected)


def test_r2_of_one_amount_over_and_over_is_no_number():
    assert math.isnan(measure(R2(), torch.randn(5), torch.ones(5), 2))


def test_nothing_seen_is_no_number():
    assert all(math.isnan(kind().value()) for kind in [*KINDS, MeanPointDistance, Perplexity])


def test_half_precision_is_summed_in_double():
    said, true = torch.full((3000,), 1.0, dtype=torch.float16), torch.zeros(3000, dtype=torch.float16)

    assert measure(MeanAbsoluteError(), said, true, 1000) == 1.0


@pytest.mark.parametrize(
    ("metric", "predictions", "targets", "words"),
    [
        (MeanAbsoluteError(), (4, 1), (4,), r"absolute error compares.*\(4, 1\) and targets \(4,\)"),
        (Perplexity(), (4, 2), (3,), "4 items and there are 3 targets"),
    ],
)
def test_shapes_that_do_not_fit(metric, predictions, targets, words):
    with pytest.raises(ValueError, match=words):
        metric.update(torch.zeros(predictions), torch.zeros(targets))


def test_sums_of_ones_own_must_be_said():
    with pytest.raises(NotImplementedError, match="must say what is summed"):
        Sums("mine").update(torch.zeros(1), torch.zeros(1))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
@pytest.mark.parametrize("kind", KINDS)
def test_sums_wait_for_no_device(kind):
    said, true = torch.randn(2, 9, device="cuda")
    metric = kind()
    torch.cuda.set_sync_debug_mode("error")
    try:
        metric.update(said, true)
        metric.update(said, true)
    finally:
        torch.cuda.set_sync_debug_mode("default")
