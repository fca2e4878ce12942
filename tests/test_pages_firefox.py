"""The pages in another browser: they read, search, ask and move in Firefox as they do in Chromium."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import READY, served
from built_book import book
from firefox import Firefox, firefox

RIGHT = "\ue014"
FETCHED = "performance.getEntriesByType('resource').map((one) => one.name)"
SOON = "new Promise((done) => { const look = () => (%s) ? done(true) : setTimeout(look, 50); look(); })"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("profile")) as opened:
        assert book().status == 0, book().output
        yield opened


def wait(tab: Firefox, condition: str) -> None:
    """Wait until a condition holds; the browser gives up after a minute."""
    assert tab.value(SOON % condition)


def test_every_page_is_read_from_a_file(tab: Firefox) -> None:
    tab.complaints.clear()
    tab.width(390)
    for page in book().pages():
        tab.open(page.as_uri())
        wait(tab, READY)
        assert [name for name in tab.value(FETCHED) if not name.startswith(("file:", "data:"))] == [], (
            page.name
        )
        assert tab.value("document.documentElement.scrollWidth <= innerWidth"), page.name

    assert tab.complaints == []


def test_a_slider_moves_by_key(tab: Firefox) -> None:
    tab.open((book().html / "lessons" / "gradient_descent.html").as_uri())
    wait(tab, READY)
    tab.value("document.querySelector('.coursekit-descent input[type=range]').focus()")
    before = tab.value("document.activeElement.value")
    tab.press(RIGHT, RIGHT)

    assert float(tab.value("document.activeElement.value")) > float(before)


def test_a_digit_is_read(tab: Firefox) -> None:
    tab.open((book().html / "book" / "index.html").as_uri())
    tab.value("document.querySelector('.coursekit-digit').scrollIntoView()")
    wait(tab, "document.querySelectorAll('.coursekit-digit button').length > 9")
    tab.value(
        "[...document.querySelectorAll('.coursekit-digit button')]"
        ".find((one) => /7/.test(one.ariaLabel ?? one.title + one.textContent)).click()"
    )
    wait(tab, "/reads a 7/.test(document.querySelector('.coursekit-digit').textContent)")


def test_a_slip_of_the_fingers_still_finds_from_a_file(tab: Firefox) -> None:
    tab.open((book().html / "lessons" / "first_model.html").as_uri())
    tab.value("document.querySelector('input[type=search]').focus()")
    tab.press(*"gradint")
    wait(tab, "/gradient/.test(document.querySelector('.found')?.textContent ?? '')")


def test_an_answer_stays_when_the_page_is_opened_again(tab: Firefox) -> None:
    quiz = "document.querySelector('.quiz[data-kind=single]')"
    marked = f"{quiz}.dataset.state === 'right'"
    with served(book().html) as site:
        tab.open(f"{site}/lessons/first_model.html")
        wait(tab, READY)
        answers = f"[...{quiz}.querySelectorAll('.reasons > li')]"
        place = tab.value(f"{answers}.findIndex((one) => 'right' in one.dataset)")
        tab.value(f"{quiz}.querySelectorAll('fieldset input')[{place}].checked = true")
        tab.value(f"{quiz}.querySelector('form').requestSubmit()")
        wait(tab, marked)
        tab.open(f"{site}/lessons/first_model.html")
        wait(tab, READY)
        assert tab.value(marked)
