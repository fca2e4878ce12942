"""Searching: as one types, in spite of slips, by key, from a file too; and no answer is given away."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import WINDOWS, violations, visit, wait_until_ready
from built_book import book
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab
from test_quizzes import quizzes, words

LESSON = "lessons/gradient_descent.html"


@pytest.fixture(params=["light", "phone at night"])
def tab(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[Tab]:
    seen = visit(browser, site, **WINDOWS[request.param])
    yield seen.open(LESSON)
    seen.tab.context.close()
    assert seen.complaints == []


def index() -> dict[str, Any]:
    text = (book().html / "_static" / "search_index.js").read_text(encoding="utf-8")
    return json.loads(text[text.index(".searchIndex = ") + 15 : text.rindex(";")])


def test_a_slip_of_the_fingers_still_finds(tab: Tab) -> None:
    tab.keyboard.press("Control+k")
    tab.keyboard.type("gradint descent")
    found = tab.locator(".found")
    found.get_by_role("link", name="gradient descent").first.wait_for()

    assert found.get_by_role("status").inner_text().endswith("taking “gradient” for “gradint”")
    assert "gradient" in found.locator("mark").all_inner_texts()
    assert violations(tab) == []
    assert not tab.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_search_is_called_from_within_a_widget(browser: Browser, site: str) -> None:
    seen = visit(browser, site, **WINDOWS["light"])
    tab = seen.open("lessons/gradient_descent.html")
    tab.locator(".coursekit-descent input[type=range]").first.focus()
    tab.keyboard.press("Control+k")

    expect(tab.get_by_role("searchbox", name="Search the book")).to_be_focused()
    tab.context.close()


def test_arrows_enter_and_escape_do_what_they_say(tab: Tab) -> None:
    field = tab.get_by_role("searchbox", name="Search the book")
    field.fill("gradient descent")
    tab.locator(".found a").nth(1).wait_for()
    focused = "document.activeElement.matches('.found a') ? document.activeElement.href : ''"

    tab.keyboard.press("ArrowDown")
    first = tab.evaluate(focused)
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowUp")
    assert first == tab.evaluate(focused) == tab.locator(".found a").first.evaluate("link => link.href")

    tab.keyboard.type("s")
    assert field.input_value() == "gradient descents"
    tab.keyboard.press("Escape")
    assert not tab.locator(".found").is_visible()
    assert tab.evaluate("document.activeElement.name") == "q"

    field.fill("gradient descent")
    tab.locator(".found a").first.wait_for()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_url(first)


def test_enter_leads_to_all_that_is_found(tab: Tab) -> None:
    field = tab.get_by_role("searchbox", name="Search the book")
    field.fill("learning rate")
    field.press("Enter")
    tab.wait_for_url("**/search.html?q=learning+rate")
    tab.locator(".found-all a").nth(12).wait_for()

    again = tab.locator(".search-again input")
    again.fill("zyxwv")
    tab.get_by_text("The book does not say that anywhere.").wait_for()
    assert tab.url.endswith("?q=zyxwv")


def test_it_works_from_a_file(browser: Browser, site: str) -> None:
    seen = visit(browser, "file://", **WINDOWS["light"])
    seen.tab.goto((book().html / LESSON).resolve().as_uri())
    wait_until_ready(seen.tab)
    seen.tab.keyboard.press("Control+k")
    seen.tab.keyboard.type("solar cell")
    seen.tab.locator(".found a", has_text="Is this solar cell broken?").click()
    seen.tab.wait_for_url("**/first_model.html#*")
    seen.tab.wait_for_load_state("networkidle")
    seen.tab.goto((book().html / "search.html").resolve().as_uri() + "?q=solar")
    seen.tab.locator(".found-all a").first.wait_for()
    seen.tab.locator(".search-again input").fill("softmax")
    seen.tab.locator(".found-all a", has_text="kit.softmax").first.wait_for()

    assert seen.complaints == []
    seen.tab.context.close()


def with_a_slip(word: str, rnd: random.Random) -> str:
    """One letter left out, swapped, put in, or another."""
    at, letter = rnd.randrange(1, len(word) - 1), rnd.choice("abcdefghijklmnopqrstuvwxyz")
    return rnd.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
        ]
    )


def test_every_title_is_among_the_first_three_even_with_a_slip(browser: Browser, site: str) -> None:
    """Every title of up to five words that stands once in the book, with a slip in one longer word."""
    rnd, asked = random.Random(5), []
    titles = [title for _, _, title, _, _ in index()["sections"]]
    counts = Counter(titles)
    for section, title in enumerate(titles):
        words = re.findall(r"\w+", title.removeprefix("kit."))
        long = [word for word in words if len(word) > 4]
        if counts[title] == 1 and long and len(words) < 6:
            word = rnd.choice(long)
            slip = " ".join(with_a_slip(each, rnd) if each == word else each for each in words)
            asked.append((section, " ".join(words), slip))
    tab = visit(browser, site).open(LESSON)
    places = tab.evaluate(
        """async (asked) => {
            const place = async (query, section) =>
                (await coursekit.search(query)).hits.findIndex((hit) => hit.section === section);
            return Promise.all(asked.map(([section, ...queries]) =>
                Promise.all(queries.map((query) => place(query, section)))));
        }""",
        asked,
    )
    tab.context.close()

    assert len(asked) > 300
    right, slipped = (
        sum(0 <= place < 3 for place in column) / len(asked) for column in zip(*places, strict=True)
    )
    assert right > 0.99
    assert slipped > 0.97


def test_answers_are_not_found(site: str) -> None:
    """Each answer that is folded until one has tried: none of its longer sentences stands in the index."""
    texts = " ".join(" ".join(section[3:]) for section in index()["sections"])
    asked = [quiz for word in words() for quiz in quizzes(word)]
    answers = [text for quiz in asked for text in (quiz.closing, *(answer.why for answer in quiz.answers))]
    plain = re.compile(r"[A-Z][a-z ,]{45,}\.")

    assert answers
    for answer in answers:
        for sentence in plain.findall(" ".join(answer.split())):
            assert sentence not in texts
