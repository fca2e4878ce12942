"""Schedules: plain functions of progress."""

from __future__ import annotations

import pytest

from coursekit.schedules import cosine, one_cycle


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
