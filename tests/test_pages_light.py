"""What keeps a page light: one script, plain code, pictures that wait; what stands below comes last."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from browsing import CLOSED, WAITING, WINDOWS, Visit, visit
from built_book import ROOT, Page, book
from playwright.sync_api import Browser, expect
from sphinx.errors import ExtensionError

from coursekit.lessons import words

LESSON = "lessons/first_model.html"
# What a browser says of a slow line, and of a quick one.
LINE = "Object.defineProperty(Navigator.prototype, 'connection', {{ value: {{ rtt: {} }} }})"


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """One of the book's own extensions of Sphinx, by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "book" / "sphinx"))
    return importlib.import_module


@pytest.fixture
def page_files(extension: Callable[[str], ModuleType]) -> ModuleType:
    return extension("page_files")


@pytest.fixture
def late(browser: Browser, site: str) -> Iterator[Visit]:
    """Somebody with a phone on a slow line, who has not been here before and does nothing yet."""
    seen = visit(browser, site, **WINDOWS["phone"])
    seen.tab.add_init_script(LINE.format(300))
    yield seen
    seen.tab.context.close()
    assert seen.complaints == []


@pytest.mark.parametrize("page", ["book/index.html", LESSON, "book/progress.html"])
def test_a_page_brings_its_styles_and_asks_for_one_script(page: str) -> None:
    shown = Page(book().html / page)
    assert [given for given in shown.find("link") if given.get("rel") == "stylesheet"] == []
    assert len(shown.find("style")) == 1
    scripts = [given["src"] for given in shown.find("script") if given.get("src")]

    assert [name for name in scripts if "/widgets/" not in name] == ["../_static/book.js"]


def test_all_styles_and_scripts_are_put_together(page_files: ModuleType) -> None:
    for kind, names in (("styles", page_files.STYLES), ("scripts", page_files.SCRIPTS)):
        assert sorted(path.stem for path in (ROOT / "book" / kind).iterdir()) == sorted(names)


def test_a_script_that_fails_leaves_the_others(
    browser: Browser, page_files: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "scripts").mkdir()
    for name in page_files.SCRIPTS:
        (tmp_path / "scripts" / f"{name}.js").write_text(f"window.{name} = true;\n", "utf-8")
    (tmp_path / "scripts" / "marks.js").write_text('throw new Error("no marks");\n', "utf-8")
    tab = browser.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.set_content(f"<script>{page_files.script(tmp_path)}</script>")

    ran = [name for name in page_files.SCRIPTS if tab.evaluate(f"window.{name} === true")]

    assert ran == [name for name in page_files.SCRIPTS if name != "marks"]
    assert errors == ["no marks"]
    tab.close()


def test_code_has_a_tag_around_what_is_coloured_and_nothing_else(
    extension: Callable[[str], ModuleType],
) -> None:
    text = "".join((book().html / "lessons" / f"{word}.html").read_text(encoding="utf-8") for word in words())
    blocks = re.findall(r'<div class="highlight"><pre>(.*?)</pre>', text, re.DOTALL)
    used = set(re.findall(r'<span class="([^"]+)">', " ".join(blocks)))

    assert {"k", "s2", "mi"} <= used <= extension("plain_code").coloured()


@pytest.mark.parametrize("page", ["book/speed.html", *(f"lessons/{word}.html" for word in words())])
def test_a_picture_has_its_room_from_the_start_and_waits(page: str) -> None:
    text = (book().html / page).read_text(encoding="utf-8")
    pictures = re.findall(r"<img\b[^>]*>", text.partition("<article>")[2])

    assert pictures
    assert [
        tag for tag in pictures if not all(f" {name}=" in tag for name in ("width", "height", "loading"))
    ] == []


@pytest.mark.parametrize(
    ("written", "size"),
    [('viewBox="0 0 40 30"', (40, 30)), ('width="30pt" height="15pt" viewBox="0, 0, 30, 15"', (40, 20))],
)
def test_a_drawing_has_the_room_of_its_view_box(
    extension: Callable[[str], ModuleType], tmp_path: Path, written: str, size: tuple[int, int]
) -> None:
    drawing = tmp_path / "drawing.svg"
    drawing.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" {written}/>')

    assert extension("page_pictures").size(drawing, 0) == size


def test_a_drawing_without_a_view_box_is_named(
    extension: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    drawing = tmp_path / "drawing.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="40"/>')

    with pytest.raises(ExtensionError, match=r"drawing\.svg: a drawing needs a viewBox"):
        extension("page_pictures").size(drawing, 0)


@pytest.mark.parametrize("page", ["book/index.html", "book/touch.html", "lessons/dispatch.html"])
def test_what_a_widget_shows_is_fetched_when_it_opens(late: Visit, page: str) -> None:
    text = (book().html / page).read_text(encoding="utf-8")
    beside = re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    tab = late.tab
    fetched = "performance.getEntriesByName(new URL('{}', location).href).length"

    assert max(map(len, beside), default=0) < 8000
    addresses = re.findall(r'<script type="application/json" data-from="(.+?)"', text)
    assert addresses
    tab.goto(f"{late.site}/{page}", wait_until="load")
    tab.keyboard.press("ArrowDown")
    tab.wait_for_function(" && ".join(fetched.format(one) for one in addresses))
    tab.wait_for_function(f"!{CLOSED}")


def test_a_widget_whose_data_do_not_come_keeps_its_picture(browser: Browser, site: str) -> None:
    tab = visit(browser, site, **WINDOWS["light"]).tab
    address = re.findall(
        r'data-from="../(_static.+?)"', (book().html / "lessons/dispatch.html").read_text("utf-8")
    )
    tab.route(f"**/{address[0]}", lambda route: route.abort())
    widget = tab.locator(".coursekit-kinds")

    with tab.expect_event("pageerror", lambda error: address[0] in str(error)):
        tab.goto(f"{site}/lessons/dispatch.html", wait_until="load")
        widget.scroll_into_view_if_needed()
    expect(widget).not_to_have_attribute("data-open", "")
    expect(widget.locator("img").first).to_be_visible()
    tab.context.close()


def test_what_stands_below_comes_at_a_sign_of_somebody(late: Visit) -> None:
    tab = late.tab
    tab.goto(f"{late.site}/{LESSON}", wait_until="load")
    assert tab.evaluate(CLOSED) > 8
    assert tab.evaluate(WAITING)
    tab.keyboard.press("Shift")
    tab.wait_for_function(f"!({CLOSED} || {WAITING})")


def test_who_goes_to_a_place_on_the_page_finds_it_where_it_stays(late: Visit) -> None:
    tab = late.tab
    tab.goto(f"{late.site}/{LESSON}", wait_until="load")
    # Again and again, as the script may come late; well before a page opens that nobody touches.
    go = "document.querySelectorAll('.contents li ul a')[4].click()"
    tab.wait_for_function(f"{go} ?? !({WAITING})", timeout=6000)


def test_a_question_is_there_for_who_scrolls_to_it(late: Visit) -> None:
    tab = late.tab
    tab.goto(f"{late.site}/{LESSON}", wait_until="load")
    box = tab.locator(".quiz[data-quiz]").last

    box.evaluate("(box) => box.scrollIntoView()")

    expect(box.locator("form")).to_be_visible()


def test_somebody_who_gives_no_sign_finds_everything_after_a_while(late: Visit) -> None:
    late.tab.goto(f"{late.site}/{LESSON}", wait_until="load")

    assert late.tab.evaluate(CLOSED) > 8
    late.tab.wait_for_function(f"!{CLOSED}", timeout=30_000)


@pytest.mark.parametrize("address", [f"{LESSON}#what-you-can-do-now", "book/glossary.html"])
def test_who_comes_to_a_place_finds_it_where_it_stays(late: Visit, address: str) -> None:
    late.tab.goto(f"{late.site}/{address}", wait_until="load")

    assert not late.tab.evaluate(WAITING)


def test_letters_of_our_own_wait_on_a_slow_line_and_are_there_for_the_next_page(late: Visit) -> None:
    tab, letters = late.tab, "getComputedStyle(document.body).fontFamily"
    tab.goto(f"{late.site}/{LESSON}", wait_until="load")

    assert "Source Serif" not in tab.evaluate(letters)
    tab.wait_for_function("localStorage.getItem('fonts')")
    assert "Source Serif" not in tab.evaluate(letters)
    tab.goto(f"{late.site}/lessons/tensors.html", wait_until="load")
    assert "Source Serif" in tab.evaluate(letters)


@pytest.mark.parametrize("browser_says", [LINE.format(50), "delete Navigator.prototype.connection"])
def test_on_a_quick_line_letters_of_our_own_are_there_at_once(
    browser: Browser, site: str, browser_says: str
) -> None:
    tab = visit(browser, site, **WINDOWS["phone"]).tab
    tab.add_init_script(browser_says)
    tab.goto(f"{site}/{LESSON}", wait_until="load")

    assert "Source Serif" in tab.evaluate("getComputedStyle(document.body).fontFamily")
    tab.context.close()


def test_who_comes_back_to_a_page_finds_all_of_it_at_once(late: Visit) -> None:
    late.tab.goto(f"{late.site}/{LESSON}", wait_until="networkidle")
    late.tab.reload(wait_until="load")

    assert late.tab.evaluate(CLOSED) == 0
    assert not late.tab.evaluate(WAITING)
