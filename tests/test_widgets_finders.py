"""A rate chosen along a trial's curve: on a page it can be looked at, in a notebook Python reads it."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from browsing import WINDOWS, jupyterlab, run_first_cell, run_next_cell, violations, visit
from playwright.sync_api import Browser, Locator
from playwright.sync_api import Page as Tab
from widget_pages import demand_access, page_with

from coursekit.finding_the_rate import RateCurve
from coursekit.learner import Learner
from coursekit.widgets.finders import choose_rate

MINUS = "\N{MINUS SIGN}"

pytestmark = pytest.mark.usefixtures("fresh_figures")

RATES = tuple(10 ** (number / 14 - 6) for number in range(98))
CURVE = RateCurve(RATES, tuple(2.3 - 2 / (1 + 0.02 / one) + max(0, 5 * (one - 0.3)) for one in RATES))
FLAT = RateCurve(RATES, (1.0,) * 98)

MAKE = """
import torch
from torch import nn
import coursekit as kit

_ = torch.manual_seed(0)
inputs = torch.randn(256, 8)
batches = [(inputs[one::8], (inputs[one::8].sum(dim=1) > 0).long()) for one in range(8)]
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
learner = kit.Learner((batches, None), model, nn.CrossEntropyLoss(), device="cpu")
"""


def learner() -> Learner:
    made: dict[str, Any] = {}
    exec(MAKE, made)
    return made["learner"]


class Page:
    """What a live widget tells a page, in place of one."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.data, self.state = {}, {"rate": 0.5}

    def send(self, words: dict[str, Any]) -> None:
        self.told.append(words)


def test_before_anything_moves_the_rate_is_the_suggestion() -> None:
    choice = choose_rate(CURVE)

    assert choice.rate == CURVE.suggestion
    assert repr(choice) == f"RateChoice(rate {CURVE.suggestion:.2g}, of 98 tried)"
    assert "Smoothed, it begins at 2.3, is lowest at the rate" in choice.alt


def test_where_nothing_was_learned_there_is_no_rate_and_the_page_says_why() -> None:
    choice = choose_rate(FLAT)

    assert repr(choice) == "RateChoice(nothing chosen, of 98 tried)"
    with pytest.raises(ValueError, match="no rate makes this model learn"):
        _ = choice.rate
    assert "no rate makes this model learn: " not in choice._repr_html_().partition("<script>")[0][:200]
    assert "no rate makes this model learn" in choice._repr_html_()


def test_a_learner_is_tried_at_once_and_stays_as_it_was() -> None:
    tried = learner()
    before = [weights.clone() for weights in tried.model.parameters()]
    choice = choose_rate(tried, start=1e-4, end=1, steps=60)

    assert (choice.curve.rates[0], len(choice.curve.rates)) == (1e-4, 60)
    assert all(map(torch.equal, before, tried.model.parameters()))


def test_what_a_page_asks_for_is_tried_and_told() -> None:
    tried = learner()
    choice = choose_rate(tried, steps=20)
    page = choice._live = Page()
    callbacks = list(tried.callbacks)
    choice._try_again(page, {"start": 1e-3, "end": 1, "steps": 50}, [])

    assert [words for words in page.told if words["done"]] == [
        {"done": number, "of": 50} for number in (10, 20, 30, 40, 50)
    ]
    assert page.told[-1] == {"done": 0}
    assert (len(page.data["losses"]), page.state, len(choice.curve.rates)) == (50, {}, 50)
    assert tried.callbacks == callbacks


def test_a_trial_that_fails_leaves_the_last_one_and_says_so() -> None:
    choice = choose_rate(learner(), steps=20)
    page, curve = Page(), choice.curve
    choice._live = page
    choice._try_again(page, {"start": 1, "end": 1, "steps": 50}, [])

    (words,) = page.told
    assert words["failed"].startswith("The trial ended with ValueError: rates are tried from a low one to")
    assert (choice.curve, choice.rate) == (curve, 0.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: choose_rate(RateCurve((0.1, 1.0), (math.nan, 1.0))), "nothing to draw"),
        (lambda: choose_rate(learner(), start=1, end=0.1), "from a low one to a higher one"),
    ],
)
def test_what_is_no_trial_is_refused_in_words(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


# In browsers ------------------------------------------------------------------------------------------------


def go_along(place: Tab | Locator) -> None:
    """From end to end with the keyboard alone, hearing what each rate would do."""
    slider, said = place.get_by_role("slider", name="learning rate"), place.get_by_role("status")
    assert "The suggestion: a fifth of" in str(said.text_content())
    slider.press("ArrowRight")
    assert "A bold choice." in str(said.text_content())
    for key, words in [("Home", "Too low"), ("End", "Too high")]:
        slider.press(key)
        assert words in str(said.text_content())
    place.get_by_role("img", name="The mark stands at").wait_for()


@pytest.mark.parametrize("window", ["light", "phone at night"])
def test_on_a_page_it_is_looked_along_and_has_no_dead_control(
    browser: Browser, tmp_path: Path, window: str
) -> None:
    with page_with(browser, tmp_path, choose_rate(CURVE), window=window) as tab:
        go_along(tab)

        assert tab.get_by_role("button").count() + tab.get_by_role("combobox").count() == 0
        demand_access(tab)


def test_a_pointer_drags_the_mark(browser: Browser, tmp_path: Path) -> None:
    with page_with(browser, tmp_path, choose_rate(CURVE), choose_rate(FLAT)) as tab:
        box = tab.locator("svg.trial").first.bounding_box()
        assert box is not None
        tab.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + 40)
        tab.mouse.down()
        tab.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40, steps=3)
        tab.mouse.up()

        first, second = tab.get_by_role("slider").all()
        assert 1e-5 < float(str(first.get_attribute("aria-valuetext")).replace(MINUS, "-")) < 1e-3
        assert "no rate makes this model learn" in str(tab.get_by_role("status").last.text_content())
        second.press("End")
        assert second.get_attribute("aria-valuetext") == "8"


def test_in_jupyterlab_python_reads_the_rate_and_tries_again(browser: Browser, tmp_path: Path) -> None:
    with jupyterlab(tmp_path, f"{MAKE}\nchoice = kit.choose_rate(learner)\nchoice") as lab:
        tab = visit(browser, lab, **WINDOWS["dark"]).tab
        run_first_cell(tab, lab)
        shown = tab.locator(".coursekit-finder")
        go_along(shown)
        assert [said for said in violations(tab) if "coursekit" in said] == []
        shown.get_by_role("slider").press("Home")
        assert run_next_cell(tab, "print(choice.rate)") == "1e-06"
        shown.get_by_role("combobox", name="to").select_option("1")
        shown.get_by_role("button", name="Try these rates").press("Enter")
        shown.get_by_text("The suggestion: a fifth of").wait_for()
        code = "print(choice.rate == choice.curve.suggestion, choice.curve.rates[-1])"
        assert run_next_cell(tab, code) == "True 1.0"
        tab.context.close()
