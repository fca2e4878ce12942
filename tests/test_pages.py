"""Every page in a real browser: no error, no other host, no axe-core violation, none wider than a phone."""

from __future__ import annotations

import functools
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from built_book import book
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab

pytestmark = pytest.mark.xdist_group("book")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
WINDOWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "phone at night": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
LESSON = "lessons/first_model.html"


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not report each file."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the built book on this machine."""
    assert book().status == 0, book().output
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(book().html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one a skip with that name, or on the build machine a failure."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        message = "there is no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A tab, and what it complained about."""

    tab: Tab
    site: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tab.set_default_timeout(10_000)
        self.tab.on("console", lambda said: said.type in {"error", "warning"} and self.note(said.text))
        self.tab.on("pageerror", lambda error: self.note(str(error)))
        self.tab.on("requestfailed", lambda request: self.note(f"failed: {request.url}"))
        self.tab.on("request", self.look_at)

    def look_at(self, request: Any) -> None:
        if not request.url.startswith((self.site, "data:", "blob:", "file:")):
            self.note(f"another host: {request.url}")

    def note(self, what: str) -> None:
        self.complaints.append(what)

    def open(self, page: str) -> Tab:
        self.tab.goto(f"{self.site}/{page}", wait_until="load")
        return self.tab


def visit(browser: Browser, site: str, **window: Any) -> Visit:
    return Visit(browser.new_context(**window).new_page(), site)


@pytest.mark.parametrize("window", WINDOWS)
def test_every_page_works_for_everyone(browser: Browser, site: str, window: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    seen, axe = visit(browser, site, **WINDOWS[window]), Axe()
    for path in book().pages():
        page = path.relative_to(book().html).as_posix()
        tab = seen.open(page + ("?q=loss" if page == "search.html" else ""))
        if page == "search.html":
            tab.locator("#search-results li").first.wait_for()
        for found in axe.run(tab).response["violations"]:
            nodes = [" ".join(node["target"]) for node in found["nodes"][:4]]
            seen.note(f"{page}: {found['id']} ({found['impact']}): {found['help']}: {nodes}")
        if tab.evaluate("document.documentElement.scrollWidth > innerWidth"):
            seen.note(f"{page} is wider than the window")
    seen.tab.context.close()

    assert not seen.complaints, "\n".join(seen.complaints)


def test_what_is_folded_is_right_for_everyone_when_open(browser: Browser, site: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    seen = visit(browser, site, **WINDOWS["phone at night"])
    tab = seen.open(LESSON)
    tab.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    tab.get_by_role("button", name="Contents").click()

    assert [found["id"] for found in Axe().run(tab).response["violations"]] == []
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
    answer = tab.locator(".selfcheck details").first
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


def test_searching_finds_the_lesson(browser: Browser, site: str) -> None:
    tab = visit(browser, site, **WINDOWS["light"]).open("search.html?q=solar+cell")

    tab.locator("#search-results a", has_text="Is this solar cell broken?").first.wait_for()
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
