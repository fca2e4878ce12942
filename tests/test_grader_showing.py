"""A report on a page and in a notebook: points first, the fault to read first open, all of it heard."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import jupyterlab, run_first_cell, violations, visit
from playwright.sync_api import Browser, Locator
from playwright.sync_api import Page as Tab
from widget_pages import demand_access, page_with

from coursekit.grader.report import Message, Report, Result

REPORT = """
from coursekit.grader.report import Message, Report, Result

differs = Message(
    call="pipeline = Pipeline(Scale(2.0), Shift(1.0))\\npipeline.decode(pipeline.encode(5.0))",
    yours="tensor([[4.5, 1.0],\\n        [2.0, 3.0]])",
    ours="tensor([[5.0, 1.0],\\n        [2.0, 3.0]])",
    sentences=("Encoding agrees.",),
    hint="Undo the last step first.",
)
raised = Message(call="Pipeline(3)", trace="mykit/transforms.py, line 14\\nTypeError: <b>", printed="hello")
results = (
    Result("encodes", "encoding works", True, 2),
    Result("decodes", "decoding gives back the original", False, 3, "differs", differs),
    Result("refuses", "it refuses what is no step", False, 2, "raised", raised),
)
report = Report("transforms", "Taking it off again", results, ("cpu",))
"""
SUMMARY = "Taking it off again · 2 of 7 points."


def example() -> Report:
    made: dict[str, Report] = {}
    exec(REPORT, made)
    return made["report"]


def test_points_stand_first_and_each_check_has_its_part_of_the_bar() -> None:
    page = example().html()
    order = [page.index(words) for words in (SUMMARY, 'class="bar"', "✓ encoding works", "✗ decoding gives")]

    assert order == sorted(order)
    assert page.count('<span class="right" style="flex: 2">') == 1
    assert page.count('<span style="flex: 3">') == page.count('<span style="flex: 2">') == 1
    assert page.count("<details open>") == 1
    assert page.count("<details>") == 1
    assert "<script" not in page


def test_what_differs_between_two_values_is_marked() -> None:
    page = example().html()

    assert "<dd>tensor([[<mark>4.5</mark>, 1.0],\n        [2.0, 3.0]])</dd>" in page
    assert "<dd>tensor([[<mark>5.0</mark>, 1.0],\n        [2.0, 3.0]])</dd>" in page


@pytest.mark.parametrize(
    ("yours", "ours", "shown"),
    [
        ("[1, 2]", "[1, 2, 3]", ("[1, 2]", "[1, 2<mark>, 3</mark>]")),
        ("<a>", "<b>", ("&lt;<mark>a</mark>&gt;", "&lt;<mark>b</mark>&gt;")),
        ("5.0", "tensor(5.0)", ("5.0", "tensor(5.0)")),
        ("[1, 1]", "[1]", ("[1<mark>, 1</mark>]", "[1]")),
        ("\x1b[31m", "[31m", ("<mark>\\x1b</mark>[31m", "[31m")),
    ],
)
def test_marks_stand_in_escaped_text(yours: str, ours: str, shown: tuple[str, str]) -> None:
    page = Message(call="f()", yours=yours, ours=ours).html()

    assert f"<dt>yours</dt><dd>{shown[0]}</dd><dt>ours</dt><dd>{shown[1]}</dd>" in page


def test_a_report_without_a_check_has_no_bar() -> None:
    results = (Result("one", "one", False, 2, "unusable"),)
    page = Report("tiny", "Tiny", results, ("cpu",), "mykit/splits.py: <no> Python.").html()

    assert "mykit/splits.py: &lt;no&gt; Python." in page
    assert 'class="bar"' not in page


# In browsers ------------------------------------------------------------------------------------------------


def hear_it(place: Tab | Locator) -> None:
    """The points and the first fault are read aloud; what is said next takes their place."""
    place.get_by_role("status").get_by_text(f"{SUMMARY} ✗ decoding gives back").wait_for(state="attached")


def read_it(place: Tab | Locator) -> None:
    """With the keyboard alone: fold the first fault, and open all."""
    first, second = place.locator("details").all()
    assert first.get_attribute("open") is not None
    first.locator("summary").press("Enter")
    assert first.get_attribute("open") is None
    everything = place.get_by_role("button", name="Open all")
    everything.press("Enter")
    assert (first.get_attribute("open"), second.get_attribute("open")) == ("", "")
    place.get_by_text("Hint: Undo the last step first.").wait_for()
    place.get_by_role("button", name="Fold all").press(" ")
    assert place.locator("details[open]").count() == 0


@pytest.mark.parametrize("window", ["light", "phone at night"])
def test_on_a_page_it_is_read_with_the_keyboard(browser: Browser, tmp_path: Path, window: str) -> None:
    with page_with(browser, tmp_path, example(), window=window) as tab:
        demand_access(tab)
        hear_it(tab)
        read_it(tab)


def test_without_scripts_it_says_the_same_and_has_no_dead_control(browser: Browser, tmp_path: Path) -> None:
    with page_with(browser, tmp_path, example(), java_script_enabled=False) as tab:
        tab.get_by_text("Undo the last step first.").wait_for()

        assert tab.get_by_role("button").count() == 0
        assert not tab.get_by_text("TypeError").is_visible()
        tab.locator("summary").last.press("Enter")
        assert tab.get_by_text("TypeError").is_visible()


def test_in_jupyterlab_it_is_heard_and_keeps_its_keys(browser: Browser, tmp_path: Path) -> None:
    with jupyterlab(tmp_path, f"{REPORT}\nreport") as lab:
        seen = visit(browser, lab, color_scheme="dark", permissions=["clipboard-read", "clipboard-write"])
        run_first_cell(seen.tab, lab)
        shown = seen.tab.locator(".coursekit-report")
        hear_it(shown)
        shown.get_by_role("button", name="Copy what was asked").first.press("Enter")
        shown.get_by_text("Copied", exact=True).wait_for()
        assert "pipeline.decode" in seen.tab.evaluate("navigator.clipboard.readText()")
        assert [said for said in violations(seen.tab) if "coursekit-report" in said] == []
        read_it(shown)
        seen.tab.context.close()
