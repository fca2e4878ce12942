"""A loss stepped down by hand: the page goes where gradient descent goes, and all can use and hear it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from browsing import WINDOWS, jupyterlab, run_first_cell, violations, visit
from playwright.sync_api import Browser, Locator
from playwright.sync_api import Page as Tab
from torch import Tensor

from coursekit.widgets.descents import step_down

MINUS = "\N{MINUS SIGN}"

pytestmark = pytest.mark.usefixtures("fresh_figures")


def bowl(w: Tensor) -> Tensor:
    return (w - 0.4) ** 2 + 0.1


def two_valleys(w: Tensor) -> Tensor:
    return w**4 - 2 * w**2 + 0.3 * w


def surprise(w: Tensor) -> Tensor:
    """Bounded slopes, and pictures in float32, as a lesson's."""
    lean = torch.linspace(-2, 3, 50)
    return torch.nn.functional.softplus(-w * lean).mean()


# What a page is given ---------------------------------------------------------------------------------------


def test_the_curve_is_measured_in_the_picture_and_far_beside_it():
    places = step_down(bowl, start=-0.2, ends=(-1, 2)).data["places"]

    assert [place[0] for place in places] == sorted(place[0] for place in places)
    assert sum(-1 <= at <= 2 for at, _, _ in places) == 241
    assert [places[0][0], places[-1][0]] == pytest.approx([-1 - 3e6, 2 + 3e6])
    for at, loss, slope in places:
        assert loss == pytest.approx((at - 0.4) ** 2 + 0.1)
        assert slope == pytest.approx(2 * (at - 0.4), rel=1e-6, abs=1e-7)


def test_where_a_loss_is_no_number_outside_the_picture_it_ends():
    places = step_down(lambda w: w - torch.log(w), start=1, ends=(0.1, 3)).data["places"]

    assert places[0][0] == 0.1
    assert places[-1][0] > 1e6


def test_the_slider_of_rates_reaches_a_tenth_and_ten_times():
    assert step_down(bowl, 0, rate=0.1).data["rates"][:3] == [0.01, 0.011, 0.012]
    rates = step_down(bowl, 0, rate=0.37).data["rates"]
    assert {0.37, 0.037 // 0.01 * 0.01, 3.0, 1.1} <= set(rates)
    assert rates == sorted(rates)


def test_without_ends_nought_and_the_start_are_in_the_picture():
    assert repr(step_down(bowl, start=-0.5)) == "Descent(w from -1 to 1)"
    assert repr(step_down(bowl, start=4, name="knob")) == "Descent(knob from -5 to 5)"


def test_the_html_holds_everything_and_no_text_ends_it_early():
    name = "</script> & “w”"
    text = step_down(bowl, 0, name=name)._repr_html_()

    assert json.loads(re.findall(r'json">(.*?)</script>', text)[0])["name"] == name
    assert text.count("</script>") == 2
    assert not re.search(r"https?://(?!www.w3.org/2000/svg)", text)
    assert len(text) < 70_000


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: step_down(bowl, start=3, ends=(0, 1)), "in the picture, 0 to 1; start=3 is not there"),
        (lambda: step_down(bowl, start=0, rate=-0.1), "a number above 0; got rate=-0.1"),
        (lambda: step_down(lambda w: w * torch.ones(3), 0), r"shape \(3,\). Is a mean\(\) missing\?"),
        (lambda: step_down(lambda w: w.item() ** 2, 0), r"tensor without axes; got 1\.0"),
        (
            lambda: step_down(lambda w: (w > torch.zeros(3)).float().mean(), 0),
            "no gradient.*Comparing, count",
        ),
        (lambda: step_down(lambda w: w.log(), 0.5), "loss at -1 is nan.*choose `ends`"),
    ],
)
def test_what_cannot_be_walked_on_is_refused_in_words(call: Callable[[], Any], words: str):
    with pytest.raises(ValueError, match=words):
        call()


# In browsers ------------------------------------------------------------------------------------------------


def page_with(folder: Path, *made: Any) -> str:
    """The address of a page that holds these, as a file."""
    html = "".join(one._repr_html_() for one in made)
    head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Steps</title>"
    look = (
        "<meta name='viewport' content='width=device-width'><style>:root { color-scheme: light dark }</style>"
    )
    (folder / "page.html").write_text(
        f"{head}{look}<main><h1>Steps</h1>{html}</main></html>", encoding="utf-8"
    )
    return (folder / "page.html").as_uri()


def numbers(widget: Locator) -> list[float]:
    """What the table says: the parameter, the loss, the slope, and where the next step leads."""
    cells = widget.get_by_role("cell").all_text_contents()
    return [float(cell.replace(MINUS, "-").replace(" · 10^", "e")) for cell in cells]


def by_torch(loss: Callable[[Tensor], Tensor], w: float, rate: float) -> tuple[float, float, float]:
    parameter = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    value = loss(parameter)
    value.backward()
    return value.item(), parameter.grad.item(), w - rate * parameter.grad.item()


def test_each_step_leads_where_gradient_descent_leads(browser: Browser, tmp_path: Path):
    walks = [(bowl, -0.2, 0.1), (bowl, 0.9, 0.9), (two_valleys, 1.6, 0.05), (surprise, -1.0, 1.0)]
    made = [step_down(loss, start, rate) for loss, start, rate in walks]
    seen = visit(browser, "file://", **WINDOWS["light"])
    seen.tab.goto(page_with(tmp_path, *made))

    for widget, (loss, w, rate) in zip(seen.tab.locator(".coursekit-descent").all(), walks, strict=True):
        for _ in range(8):
            height, slope, then = by_torch(loss, w, rate)
            assert numbers(widget) == pytest.approx([w, height, slope, then - w], abs=0.0011, rel=0.003)
            widget.get_by_role("button", name="Step").click()
            w = then
    assert seen.complaints == []
    seen.tab.context.close()


def use_it(place: Tab | Locator) -> None:
    """Go down, and fly off, with the keyboard alone; hear what became of it."""
    step, said = place.get_by_role("button", name="Step").first, place.get_by_role("status").first
    step.press("Enter")
    assert said.text_content() == "Step 1: the loss fell from 0.460 to 0.330."
    place.get_by_role("img", name=f"After 1 steps the ball is at w = {MINUS}0.080").first.wait_for()
    rate = place.get_by_role("slider", name="rate").first
    assert rate.get_attribute("aria-valuetext") == "0.1"
    for _ in range(15):
        rate.press("ArrowRight")
    assert rate.get_attribute("aria-valuetext") == "1.5"
    step.press(" ")
    assert "past the bottom, and up the other side" in str(said.text_content())
    step.press(" ")
    assert "out of the picture" in str(said.text_content())
    rate.press("End")
    for _ in range(9):
        if step.is_enabled():
            step.press("Enter")
    assert "flew off" in str(said.text_content())
    again = place.get_by_role("button", name="Start again").first
    assert again.evaluate("(one) => one === document.activeElement")
    again.press("Enter")
    assert step.is_enabled()
    start = place.get_by_role("slider", name="start").first
    assert start.get_attribute("aria-valuetext") == f"w = {MINUS}0.200"
    start.press("End")
    place.get_by_role("img", name="After 0 steps the ball is at w = 1.400").first.wait_for()


@pytest.mark.parametrize("window", WINDOWS)
def test_on_a_page_the_keyboard_steps_down(browser: Browser, tmp_path: Path, window: str):
    seen = visit(browser, "file://", **WINDOWS[window])
    seen.tab.goto(page_with(tmp_path, step_down(bowl, -0.2, ends=(-0.6, 1.4))))
    use_it(seen.tab)

    assert not seen.tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert seen.complaints == []
    assert violations(seen.tab) == []
    seen.tab.context.close()


def test_what_happened_is_said(browser: Browser, tmp_path: Path):
    tab = visit(browser, "file://", **WINDOWS["light"]).tab
    tab.goto(page_with(tmp_path, step_down(bowl, -0.2, rate=0.5), step_down(bowl, -0.2, rate=0.8)))
    for button in tab.get_by_role("button", name="Step").all():
        button.click()

    first, second = tab.get_by_role("status").all_text_contents()
    assert first.endswith("The slope is nearly 0 here, so steps hardly move it any more.")
    assert second.endswith("with a jump to the other side of the valley.")
    tab.context.close()


@pytest.mark.parametrize(("motion", "seconds"), [("reduce", 0.0), ("no-preference", 0.35)])
def test_the_ball_rolls_only_for_those_who_like_motion(
    browser: Browser, tmp_path: Path, motion: str, seconds: float
):
    tab = visit(browser, "file://", **WINDOWS["light"], reduced_motion=motion).tab
    tab.goto(page_with(tmp_path, step_down(bowl, -0.2)))
    took = tab.locator(".ball").evaluate("(one) => getComputedStyle(one).transitionDuration")

    assert math.isclose(float(took.removesuffix("s")), seconds)
    tab.context.close()


def test_without_scripts_the_curve_is_shown_and_no_dead_control(browser: Browser, tmp_path: Path):
    tab = visit(browser, "file://", **WINDOWS["phone"], java_script_enabled=False).tab
    tab.goto(page_with(tmp_path, step_down(bowl, -0.2)))

    shown = tab.get_by_role("img", name="The loss over w, from -1 to 1, with a ball at -0.2.")
    assert shown.evaluate("(image) => image.naturalWidth") > 100
    assert tab.get_by_role("slider").count() + tab.get_by_role("button").count() == 0
    tab.context.close()


def test_in_jupyterlab_it_works_the_same(browser: Browser, tmp_path: Path):
    code = "import coursekit as kit\n\nkit.step_down(lambda w: (w - 0.4) ** 2 + 0.1, -0.2, ends=(-0.6, 1.4))"
    with jupyterlab(tmp_path, code) as lab:
        tab = visit(browser, lab, **WINDOWS["dark"]).tab
        run_first_cell(tab, lab)
        tab.get_by_role("button", name="Step", exact=True).wait_for()
        use_it(tab.locator(".coursekit-descent"))
        tab.context.close()
