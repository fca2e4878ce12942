"""What a term means stands beside it, for mouse, keyboard and finger; it goes when it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import WINDOWS, violations, visit, wait_until_ready
from built_book import book
from playwright.sync_api import Browser, Locator
from playwright.sync_api import Page as Tab

LESSON = "lessons/gradient_descent.html"


@pytest.fixture
def tab(browser: Browser, site: str) -> Iterator[Tab]:
    seen = visit(browser, site, **WINDOWS["light"])
    yield seen.open(LESSON)
    seen.tab.context.close()
    assert seen.complaints == []


def word(tab: Tab, said: str = "broadcasting") -> Locator:
    return tab.locator("a:has(> .std-term)", has_text=said).first


def test_the_mouse_shows_it_may_move_onto_it_and_takes_it_away(tab: Tab) -> None:
    card = tab.get_by_role("tooltip")
    word(tab).hover()
    card.get_by_text("Shapes are matched from the right.").wait_for()
    assert word(tab).get_attribute("aria-describedby") == card.get_attribute("id")
    assert violations(tab) == []

    card.hover()
    tab.wait_for_timeout(400)
    assert card.is_visible()
    tab.get_by_role("heading", level=1).hover(force=True)
    card.wait_for(state="hidden")
    assert word(tab).get_attribute("aria-describedby") is None


def test_the_keyboard_shows_it_and_escape_takes_it_away_where_one_is(tab: Tab) -> None:
    word(tab).focus()
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Tab")
    card = tab.get_by_role("tooltip")
    card.wait_for()

    tab.keyboard.press("Escape")
    assert not card.is_visible()
    assert word(tab).evaluate("link => link === document.activeElement")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/glossary.html#term-broadcasting")


@pytest.mark.parametrize("place", ["http", "file"])
def test_a_first_tap_shows_it_and_a_second_leads_to_the_glossary(
    browser: Browser, site: str, place: str
) -> None:
    seen = visit(browser, site if place == "http" else "file://", has_touch=True, **WINDOWS["phone at night"])
    seen.tab.goto(f"{site}/{LESSON}" if place == "http" else (book().html / LESSON).resolve().as_uri())
    wait_until_ready(seen.tab)
    word(seen.tab).tap()
    card = seen.tab.get_by_role("tooltip")
    card.get_by_text("Tap the word again for the glossary.").wait_for()
    assert not seen.tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    edges = card.bounding_box()
    assert edges is not None
    assert 0 <= edges["x"] <= 390 - edges["width"]

    word(seen.tab).tap()
    seen.tab.wait_for_url("**/glossary.html#term-broadcasting")
    seen.tab.wait_for_load_state("networkidle")
    seen.tab.context.close()
    assert seen.complaints == []


def test_the_index_is_in_the_contents(tab: Tab) -> None:
    tab.get_by_role("navigation", name="Contents").get_by_role("link", name="Index", exact=True).click()
    tab.wait_for_url("**/genindex.html")

    assert tab.get_by_role("link", name="gradient descent").is_visible()
    assert (
        tab.get_by_role("link", name="Learner (class in coursekit)")
        .or_(tab.get_by_role("link", name="coursekit.Learner"))
        .count()
    )
    tab.wait_for_load_state("networkidle")
