"""A rate dragged along a trial: the page draws what was measured, and all can use and hear it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import WINDOWS, jupyterlab, run_first_cell, violations, visit
from playwright.sync_api import Browser, Locator
from playwright.sync_api import Page as Tab

from coursekit.finding_the_rate import RateCurve
from coursekit.widgets.rates import MOST_POINTS, RateDrag, drag_rate, thinned

pytestmark = pytest.mark.usefixtures("fresh_figures")

MAKE = """
import math

rates = tuple(10 ** (number / 14 - 6) for number in range(98))
curve = kit.RateCurve(rates, tuple(2.3 - 2 / (1 + 0.02 / one) + max(0, 5 * (one - 0.3)) for one in rates))
runs = {one: [2.3 * math.exp(-one * batch / 3) for batch in range(200)] for one in (1e-4, 0.01, 0.03, 0.1)}
runs |= {1.0: [2.3 + batch / 9 for batch in range(200)], 3.0: [2.3, 5.0] + [math.nan] * 198}
drag = kit.drag_rate(curve, runs)
"""


def example() -> RateDrag:
    import coursekit

    made: dict[str, Any] = {"kit": coursekit}
    exec(MAKE, made)
    return made["drag"]


# What a page is given ---------------------------------------------------------------------------------------


def test_every_run_is_given_as_it_was_measured():
    data = example().data

    assert [row["rate"] for row in data["runs"]] == [1e-4, 0.01, 0.03, 0.1, 1, 3]
    assert data["runs"][0] == {"rate": 1e-4, **thinned([2.3 * math.exp(-1e-4 * b / 3) for b in range(200)])}
    assert data["runs"][-1] == {"rate": 3, "losses": [2.3, 5.0], "batches": 2, "lost": True}
    assert 0.01 < data["suggestion"] < 0.1
    assert len(data["trial"]) == 98


@pytest.mark.parametrize("count", [1, 2, MOST_POINTS, MOST_POINTS + 1, 1000])
def test_long_runs_keep_their_ends(count: int):
    losses = [float(number) for number in range(count)]
    row = thinned(losses)

    assert len(row["losses"]) <= MOST_POINTS + 1
    assert (row["losses"][0], row["losses"][-1]) == (0, count - 1)


def test_words_and_picture_say_where_each_run_ended():
    drag = example()

    assert "0.0001: 2.29, 0.01: 1.19, 0.03: 0.314" in drag.alt
    assert drag.alt.endswith("1: 24.4, 3: lost.")
    assert re.search(r"suggestion 0\.0\d+ marked", drag.alt)
    assert repr(drag) == "RateDrag(6 rates from 0.0001 to 3)"
    assert drag.still[8:12] == b"WEBP"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: drag_rate(RateCurve((0.1, 1.0), (1.0, 0.5)), {0.1: [1.0]}), r"two positive rates.*\[0.1\]"),
        (lambda: drag_rate(RateCurve((0.1, 1.0), (1.0, 0.5)), {0: [1.0], 1: [1.0]}), "two positive rates"),
        (
            lambda: drag_rate(RateCurve((0.1, 1.0), (1.0, 0.5)), {0.1: [math.nan], 1: [1.0]}),
            "The run with the rate 0.1 has no loss that is a number",
        ),
        (
            lambda: drag_rate(RateCurve((0.1, 1.0), (math.nan, 0.5)), {0.1: [1.0], 1: [1.0]}),
            "The curve has no loss that is a number",
        ),
    ],
)
def test_what_cannot_be_dragged(call: Callable[[], Any], words: str):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_trial_without_a_suggestion_is_drawn_without_one():
    flat = RateCurve(tuple(10 ** (number - 9) for number in range(20)), (1.0,) * 20)

    assert drag_rate(flat, {0.1: [1.0, 0.9], 1.0: [1.0, 2.0]}).data["suggestion"] is None


# In browsers ------------------------------------------------------------------------------------------------


def page_with(folder: Path, *made: Any) -> str:
    """The address of a page that holds these, as a file."""
    head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Rates</title>"
    look = (
        "<meta name='viewport' content='width=device-width'><style>:root { color-scheme: light dark }</style>"
    )
    html = "".join(one._repr_html_() for one in made)
    page = folder / "page.html"
    page.write_text(f"{head}{look}<main><h1>Rates</h1>{html}</main></html>", encoding="utf-8")
    return page.as_uri()


def use_it(place: Tab | Locator) -> None:
    """Go along the rates with the keyboard alone, and hear what became of each run."""
    slider, said = place.get_by_role("slider", name="learning rate"), place.get_by_role("status")
    slider.press("Home")
    for rate, words in [
        ("0.0001", "nothing was learned. The steps were too short"),
        ("0.01", "It learns, but slowly"),
        ("0.03", "It learns, but slowly"),
        ("0.1", "The loss went from 2.30 to 0.00. No other run came so low."),
        ("1", "nothing was learned. The steps were so long"),
        ("3", "The loss became no number"),
    ]:
        assert slider.get_attribute("aria-valuetext") == rate
        assert words in str(said.text_content())
        place.get_by_role("img", name=f"The mark stands at {rate}, the suggestion is").wait_for()
        place.get_by_role("img", name=f"in training with the rate {rate}, among").wait_for()
        slider.press("ArrowRight")


@pytest.mark.parametrize("window", WINDOWS)
def test_on_a_page_the_keyboard_drags_it(browser: Browser, tmp_path: Path, window: str):
    seen = visit(browser, "file://", **WINDOWS[window])
    seen.tab.goto(page_with(tmp_path, example()))
    use_it(seen.tab)

    assert not seen.tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert seen.complaints == []
    assert violations(seen.tab) == []
    seen.tab.context.close()


def test_a_pointer_drags_the_mark_to_the_nearest_rate(browser: Browser, tmp_path: Path):
    tab = visit(browser, "file://", **WINDOWS["light"]).tab
    tab.goto(page_with(tmp_path, example()))
    chart, slider = tab.locator("svg.trial"), tab.get_by_role("slider")
    box = chart.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + box["width"] * 0.98, middle)
    tab.mouse.down()
    assert slider.get_attribute("aria-valuetext") == "3"
    tab.mouse.move(box["x"] + box["width"] * 0.2, middle, steps=3)
    assert slider.get_attribute("aria-valuetext") == "0.0001"
    tab.mouse.up()
    tab.mouse.move(box["x"] + box["width"] * 0.98, middle)
    assert slider.get_attribute("aria-valuetext") == "0.0001"
    tab.context.close()


def test_the_chosen_run_is_drawn_as_far_as_it_went(browser: Browser, tmp_path: Path):
    tab = visit(browser, "file://", **WINDOWS["light"]).tab
    tab.goto(page_with(tmp_path, example()))
    path = tab.locator("svg.run .chosen path")
    places = [float(x) for x in re.findall(r"[ML]([\d.]+),", str(path.get_attribute("d")))]
    assert (places[0], places[-1]) == (38, 330)
    tab.get_by_role("slider").press("End")
    assert len(re.findall("[ML]", str(path.get_attribute("d")))) == 2
    tab.context.close()


def test_without_scripts_curve_and_runs_are_shown_and_no_dead_control(browser: Browser, tmp_path: Path):
    tab = visit(browser, "file://", **WINDOWS["phone"], java_script_enabled=False).tab
    tab.goto(page_with(tmp_path, example()))

    shown = tab.get_by_role("img", name="The loss of a trial over the rate")
    assert shown.evaluate("(image) => image.naturalWidth") > 100
    assert tab.get_by_role("slider").count() == 0
    tab.context.close()


def test_in_jupyterlab_it_works_the_same(browser: Browser, tmp_path: Path):
    with jupyterlab(tmp_path, f"import coursekit as kit\n{MAKE}\ndrag") as lab:
        tab = visit(browser, lab, **WINDOWS["dark"]).tab
        run_first_cell(tab, lab)
        tab.get_by_role("slider", name="learning rate").wait_for()
        use_it(tab.locator(".coursekit-rate"))
        tab.context.close()
