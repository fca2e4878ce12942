"""Scores made into shares by hand: the page computes what torch's softmax does, and all can use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from browsing import WINDOWS
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from widget_pages import demand_access, page_with

from coursekit.widgets import softmaxes
from coursekit.widgets.softmaxes import softmax_sliders

pytestmark = pytest.mark.usefixtures("fresh_figures")

SCORES = {"three": 4.1, "eight": 3.2, "five": 1.7, "nine": -0.4}


def by_torch(scores: Any, temperature: float) -> list[float]:
    return (torch.tensor(list(scores), dtype=torch.float64) / temperature).softmax(0).tolist()


def shares(tab: Tab) -> list[float]:
    """What the page says, as parts of 1."""
    written = tab.locator(".share").all_inner_texts()
    return [float(one.removesuffix(" %")) / 100 for one in written]


def warm(tab: Tab, place: int) -> None:
    put = "(one, value) => { one.value = value; one.dispatchEvent(new Event('input')); }"
    tab.get_by_role("slider", name="temperature").evaluate(put, place)


# What a page is given ---------------------------------------------------------------------------------------


def test_it_says_what_it_shows():
    widget = softmax_sliders(SCORES)

    assert repr(widget) == "SoftmaxSliders(three, eight, five, nine, at temperature 1)"
    assert widget.alt == (
        "What softmax makes of 4 scores at temperature 1: three 66.3 %, eight 27.0 %, five 6.0 %, nine 0.7 %."
    )
    assert len(widget._repr_html_()) < 40_000


def test_a_temperature_of_ones_own_is_a_stop_of_the_slider():
    stops = softmax_sliders(SCORES, temperature=0.7).data["temperatures"]

    assert stops == sorted(stops)
    assert {0.1, 0.7, 1, 10} <= set(stops)


def test_without_scores_a_real_digit_is_in_doubt(monkeypatch: pytest.MonkeyPatch):
    pictures = torch.zeros(3, 1, 28, 28)
    known = type("Known", (), {"pictures": pictures, "valid": [0, 2]})
    answers = torch.tensor([[5.0, 1.0], [2.0, 1.9]])
    monkeypatch.setattr(softmaxes, "divided_digits", lambda: known)
    reader = type("Reader", (), {"network": staticmethod(lambda inputs: answers)})
    monkeypatch.setattr(softmaxes, "trained_reader", lambda: reader)
    data = softmax_sliders().data

    assert (data["names"], data["scores"]) == (["0", "1"], [2.0, 1.9])
    assert data["alt"] == "A grey picture, 28 pixels high and 28 wide."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (({"cat": 1.0},), "2 to 12 scores that are finite"),
        ((dict.fromkeys(range(13), 0.0),), "2 to 12 scores"),
        (({"cat": 1.0, "dog": float("inf")},), "finite numbers; got {'cat'"),
        ((SCORES, 0.01), "from 0.1 to 10; 0.01 was asked for"),
    ],
)
def test_what_makes_no_shares_is_refused_in_words(arguments: Any, words: str):
    with pytest.raises(ValueError, match=words):
        softmax_sliders(*arguments)


# The same numbers as torch ----------------------------------------------------------------------------------


def test_the_shares_are_those_of_torch_at_every_temperature(browser: Browser, tmp_path: Path):
    widget = softmax_sliders(SCORES)
    with page_with(browser, tmp_path, widget) as tab:
        for place, temperature in enumerate(widget.data["temperatures"]):
            warm(tab, place)
            assert shares(tab) == pytest.approx(by_torch(SCORES.values(), temperature), abs=0.00051)


def test_large_scores_do_not_overflow(browser: Browser, tmp_path: Path):
    scores = {"much": 900.0, "less": 899.0, "none": -900.0}
    with page_with(browser, tmp_path, softmax_sliders(scores)) as tab:
        assert shares(tab) == pytest.approx(by_torch(scores.values(), 1), abs=0.00051)


# By hand ----------------------------------------------------------------------------------------------------


def test_the_buttons_show_what_matters(browser: Browser, tmp_path: Path):
    with page_with(browser, tmp_path, softmax_sliders(SCORES)) as tab:
        before = shares(tab)
        for _ in range(6):  # further than the slider went at first
            tab.get_by_role("button", name="Add 1 to each score").press("Enter")
        assert tab.locator(".scores .value").all_inner_texts() == ["10.1", "9.2", "7.7", "5.6"]
        assert shares(tab) == before
        tab.get_by_role("button", name="As it was").press("Enter")
        tab.get_by_role("button", name="Double each score").press("Enter")
        doubled = shares(tab)
        assert doubled == pytest.approx(by_torch(SCORES.values(), 0.5), abs=0.00051)
        tab.get_by_role("button", name="As it was").press("Enter")
        assert shares(tab) == before


def test_the_sentence_tells_why(browser: Browser, tmp_path: Path):
    with page_with(browser, tmp_path, softmax_sliders(SCORES, temperature=0.5)) as tab:
        said = tab.get_by_role("status")
        assert said.inner_text() == (
            "three is 0.9 ahead of eight. Divided by the temperature 0.5, that is 1.8; and e to the 1.8 is "
            "6.05. So three gets 6.05 times the share of eight."
        )
        for _ in range(9):
            tab.get_by_role("slider", name="eight").press("ArrowRight")
        assert said.inner_text().startswith("three and eight have the same score")


@pytest.mark.parametrize("window", WINDOWS)
def test_everybody_can_use_it(browser: Browser, tmp_path: Path, window: str):
    with page_with(browser, tmp_path, softmax_sliders(SCORES), window=window) as tab:
        slider = tab.get_by_role("slider", name="nine")
        slider.press("ArrowUp")
        assert slider.get_attribute("aria-valuetext") == "nine: score \N{MINUS SIGN}0.3, share 0.8 %"
        tab.get_by_role("slider", name="temperature").press("ArrowRight")
        assert "temperature 1.25" in tab.get_by_role("status").inner_text()
        demand_access(tab)


@pytest.mark.parametrize(("motion", "seconds"), [("reduce", 0.0), ("no-preference", 0.25)])
def test_bars_grow_only_for_those_who_like_motion(
    browser: Browser, tmp_path: Path, motion: str, seconds: float
):
    with page_with(browser, tmp_path, softmax_sliders(SCORES), reduced_motion=motion) as tab:
        took = tab.locator(".bar > *").first.evaluate("(one) => getComputedStyle(one).transitionDuration")
        assert float(took.removesuffix("s")) == pytest.approx(seconds)


def test_without_scripts_the_shares_are_shown(browser: Browser, tmp_path: Path):
    with page_with(browser, tmp_path, softmax_sliders(SCORES), java_script_enabled=False) as tab:
        shown = tab.get_by_role("img", name="three 66.3 %")
        assert shown.evaluate("(image) => image.naturalWidth") > 100
        assert tab.get_by_role("slider").count() == 0
