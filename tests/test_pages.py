"""Every page in a real browser: no error, no other host, no axe-core violation, none wider than a phone."""

from __future__ import annotations

import pytest
from browsing import WINDOWS, violations, visit
from built_book import book
from playwright.sync_api import Browser

LESSON = "lessons/first_model.html"


@pytest.mark.parametrize("window", ["light", "phone"])
def test_every_page_works_for_everyone(browser: Browser, site: str, window: str) -> None:
    """By day and by night: what a reader switches on an open page, which changes nothing but its colours."""
    seen = visit(browser, site, **WINDOWS[window])
    for path in book().pages():
        page = path.relative_to(book().html).as_posix()
        tab = seen.open(page + ("?q=loss" if page == "search.html" else ""))
        if page == "search.html":
            tab.locator(".found-all a").first.wait_for()
        for found in violations(tab):
            seen.note(f"{page}: {found}")
        if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
            seen.note(f"{page} is wider than the window")
        tab.emulate_media(color_scheme="dark")
        for found in violations(tab, "color-contrast", "link-in-text-block"):
            seen.note(f"{page} at night: {found}")
        tab.emulate_media(color_scheme="light")
    seen.tab.context.close()

    assert not seen.complaints, "\n".join(seen.complaints)


def test_what_is_folded_is_right_for_everyone_when_open(browser: Browser, site: str) -> None:
    seen = visit(browser, site, **WINDOWS["phone at night"])
    tab = seen.open(LESSON)
    tab.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    tab.get_by_role("button", name="Contents").click()

    assert violations(tab) == []
    tab.context.close()


def test_the_contents_open_on_a_phone_and_close_by_key(browser: Browser, site: str) -> None:
    tab = visit(browser, site, **WINDOWS["phone"]).open(LESSON)
    contents = tab.get_by_role("navigation", name="Contents")
    assert not contents.is_visible()

    tab.get_by_role("button", name="Contents").press("Enter")
    assert contents.get_by_role("link", name="Glossary").is_visible()

    tab.keyboard.press("Escape")
    assert not contents.is_visible()
    tab.context.close()


def test_the_theme_is_chosen_and_remembered(browser: Browser, site: str) -> None:
    tab = visit(browser, site, **WINDOWS["light"]).open(LESSON)
    paper = "getComputedStyle(document.body).backgroundColor"
    day = tab.evaluate(paper)
    button = tab.get_by_role("button", name="Theme")
    button.click()
    button.click()

    assert button.text_content() == "Theme: dark"
    assert tab.evaluate(paper) != day
    tab.reload()
    assert tab.get_by_role("button", name="Theme").text_content() == "Theme: dark"
    tab.context.close()


def test_an_answer_stays_folded_until_it_is_asked_for(browser: Browser, site: str) -> None:
    tab = visit(browser, site, **WINDOWS["light"]).open(LESSON)
    answer = tab.locator(".quiz details").first
    assert not answer.locator("p").first.is_visible()

    answer.locator("summary").press("Enter")
    assert answer.locator("p").first.is_visible()
    tab.context.close()


def test_code_is_copied_as_it_is_written(browser: Browser, site: str) -> None:
    window = {**WINDOWS["light"], "permissions": ["clipboard-read", "clipboard-write"]}
    tab = visit(browser, site, **window).open(LESSON)
    cell = tab.locator(".cell_input").first
    cell.get_by_role("button", name="Copy").click()
    cell.get_by_role("button", name="Copied").wait_for()

    assert tab.evaluate("navigator.clipboard.readText()") == cell.locator("pre").inner_text().strip()
    tab.context.close()


def test_wide_code_is_reached_by_key(browser: Browser, site: str) -> None:
    tab = visit(browser, site, **WINDOWS["phone"]).open(LESSON)
    unreachable = """[...document.querySelectorAll("pre, .table-frame, .formula")]
        .filter(box => box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0).length"""

    assert tab.evaluate(unreachable) == 0
    tab.context.close()


def test_the_book_is_read_without_scripts(browser: Browser, site: str) -> None:
    tab = visit(browser, site, **WINDOWS["phone"], java_script_enabled=False).open(LESSON)

    assert tab.locator("h1").is_visible()
    assert not tab.get_by_role("button", name="Theme").count()
    tab.get_by_role("button", name="Contents").click()
    assert tab.get_by_role("link", name="Glossary").first.is_visible()
    tab.context.close()


def test_the_book_is_read_from_a_file(browser: Browser, site: str) -> None:
    seen = visit(browser, "file://", **WINDOWS["light"])
    seen.tab.goto((book().html / LESSON).resolve().as_uri())

    assert seen.complaints == []
    seen.tab.context.close()
