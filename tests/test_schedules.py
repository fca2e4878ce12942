"""Schedules: plain functions of progress."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from matplotlib import pyplot
from torch import nn

from coursekit.schedules import (
    cosine,
    cosine_restarts,
    flat_cosine,
    joined,
    linear,
    one_cycle,
    show_schedule,
    step_decay,
    warmed_up,
)

EVERY = [linear, cosine, one_cycle, flat_cosine, cosine_restarts, step_decay, warmed_up(cosine)]


def test_cosine_goes_from_start_to_end_and_never_back():
    values = [cosine(step / 100, start=1.0, end=0.1) for step in range(101)]

    assert (values[0], values[50], values[-1]) == pytest.approx((1.0, 0.55, 0.1))
    assert values == sorted(values, reverse=True)


def test_one_cycle_rises_to_one_and_falls_to_nearly_nothing():
    values = [one_cycle(step / 100) for step in range(101)]

    assert (values[0], values[25], values[-1]) == pytest.approx((0.04, 1.0, 1e-5))
    assert values[:26] == sorted(values[:26])
    assert values[25:] == sorted(values[25:], reverse=True)


@pytest.mark.parametrize("warm_up", [0.0, 1.0])
def test_one_cycle_may_have_one_side_only(warm_up):
    values = [one_cycle(step / 10, warm_up=warm_up) for step in range(10)]

    assert values == sorted(values, reverse=warm_up == 0)


def test_progress_lies_between_start_and_end():
    with pytest.raises(ValueError, match=r"from 0 \(start of training\) to 1 \(its end\); 1.5 lies outside"):
        cosine(1.5)
    with pytest.raises(
        ValueError, match="warm_up is the part of training spent rising, from 0 to 1; 2 lies outside"
    ):
        one_cycle(0.5, warm_up=2)


@pytest.mark.parametrize("schedule", EVERY)
@pytest.mark.parametrize("progress", [-0.01, 1.01, float("nan")])
def test_every_schedule_says_where_progress_lies(schedule, progress):
    with pytest.raises(ValueError, match=f"to 1 .its end.; {progress} lies outside"):
        schedule(progress)


@pytest.mark.parametrize("schedule", EVERY)
def test_every_schedule_stays_within_the_rate_and_ends_low(schedule):
    values = [schedule(step / 300) for step in range(301)]

    assert 0 <= min(values) <= max(values) <= 1
    assert max(values) == pytest.approx(1)
    assert values[-1] <= 0.01 + 1e-9


def test_linear_is_torchs():
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=20)
    for step in range(20):
        assert linear(step / 20, 1.0, 0.1) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()


def test_restarts_are_torchs():
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2)
    for step in range(70):  # 10 + 20 + 40
        expected = optimizer.param_groups[0]["lr"]
        assert cosine_restarts(step / 70, cycles=3, longer=2) == pytest.approx(expected)
        optimizer.step()
        scheduler.step()


def test_flat_then_down():
    assert [flat_cosine(p, flat=0.5) for p in (0, 0.2, 0.5)] == [1, 1, 1]
    assert flat_cosine(0.75, flat=0.5, end=0.2) == pytest.approx(0.6)
    assert flat_cosine(1.0, flat=0.5, end=0.2) == pytest.approx(0.2)
    assert flat_cosine(0.3, flat=1.0) == flat_cosine(1.0, flat=1.0) == 1


def test_steps_fall_where_they_are_told_to():
    values = [step_decay(p / 10, at=(0.3, 0.6), factor=0.5) for p in range(11)]

    assert values == [1] * 3 + [0.5] * 3 + [0.25] * 5


def test_a_warm_up_reaches_what_follows_it():
    schedule = warmed_up(partial(linear, start=0.8, end=0.1), part=0.25, start=0.2)

    assert [round(schedule(p), 3) for p in (0, 0.125, 0.25, 1)] == [0.2, 0.5, 0.8, 0.1]
    assert warmed_up(cosine, part=0)(0.5) == pytest.approx(cosine(0.5))
    assert warmed_up(cosine, part=1)(1) == pytest.approx(1)


@given(some.lists(some.floats(0.01, 5), min_size=1, max_size=6), some.floats(0, 1))
def test_joined_schedules_go_on_each_from_0_to_1(shares, progress):
    seen = []

    def note(number, progress):
        seen.append((number, progress))
        return 1.0

    joined(*((share, partial(note, number)) for number, share in enumerate(shares)))(progress)
    ((number, part),) = seen

    assert 0 <= part <= 1
    done = sum(shares[:number]) + part * shares[number]
    assert done == pytest.approx(progress * sum(shares), abs=1e-9)


@pytest.mark.parametrize("shares", [(0, 0), (1, -0.5)])
def test_shares_that_join_nothing(shares):
    with pytest.raises(ValueError, match="shares of training, none negative"):
        joined(*((share, cosine) for share in shares))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: flat_cosine(0.5, flat=2),
            "flat is the part of training before the fall, from 0 to 1; 2 lies",
        ),
        (lambda: cosine_restarts(0.5, cycles=0), "at least 1 cycle, and longer is positive; got 0"),
        (lambda: cosine_restarts(0.5, longer=0), "got 3 and 0"),
        (lambda: warmed_up(cosine, part=-1), "part is the part of training spent rising, from 0 to 1; -1"),
    ],
)
def test_parts_of_training_lie_between_nothing_and_all(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_schedules_are_drawn_and_told():
    show_schedule(one_cycle=one_cycle, steps=step_decay)
    figure = pyplot.gcf()

    assert "one_cycle: begins at 0.04, is highest at 25 % with 1, ends at 0" in figure.alt_text
    assert "steps: begins at 1, is highest at 0 % with 1, ends at 0.01." in figure.alt_text
    assert [line.get_label() for line in figure.axes[0].lines] == ["one_cycle", "steps"]
    pyplot.close(figure)
