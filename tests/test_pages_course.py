"""The way through the course, on the built pages: first page, map, parts, and what was done of it."""

from __future__ import annotations

import importlib
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from browsing import WINDOWS, Quiet, served, violations, visit
from built_book import ROOT, book
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab

HOME, MAP, WHERE = "book/index.html", "book/map.html", "book/progress.html"
LESSON = "lessons/first_model.html"
MORNING = "2026-11-23T08:00:00.000Z"
DONE = {
    "version": 1,
    "read": {"first_model": MORNING, "tensors": MORNING},
    "quizzes": {"first_model/anything": {"right": True, "given": 1, "at": MORNING}},
    "exercises": {
        "first_model": {"points": 16, "of": 16, "at": MORNING},
        "dispatch": {"points": 4, "of": 33, "at": MORNING},
    },
}


def heads() -> dict[str, dict[str, Any]]:
    """The head of each lesson, in the order of the book."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    files = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    words = [file.removeprefix("lessons/") for file in files if file.startswith("lessons/")]
    texts = {word: (ROOT / "lessons" / f"{word}.md").read_text("utf8") for word in words}
    return {word: yaml.safe_load(text.split("---\n")[1]) for word, text in texts.items()}


@pytest.fixture
def tab(browser: Browser, site: str) -> Iterator[Tab]:
    """A reader's tab that must have nothing to complain about."""
    seen = visit(browser, site, **WINDOWS["light"])
    yield seen.open(WHERE)
    seen.tab.context.close()
    assert seen.complaints == []


def go(tab: Tab, page: str) -> Tab:
    tab.goto(f"{tab.evaluate('location.origin')}/{page}")
    return tab


def keep(tab: Tab, what: object) -> None:
    text = what if isinstance(what, str) else json.dumps(what)
    tab.evaluate("(text) => localStorage.setItem('coursekit-progress', text)", text)


def kept(tab: Tab) -> dict[str, Any]:
    return tab.evaluate("coursekit.progress.read()")


def test_each_lesson_names_lessons_before_it_and_only_the_first_needs_none() -> None:
    before: set[str] = set()
    for word, head in heads().items():
        assert set(head["needs"]) <= before, word
        assert bool(head["needs"]) == bool(before), word
        before.add(word)


def test_a_need_that_is_no_lesson_before_fails_the_build_and_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "book" / "sphinx"))
    course_map = importlib.import_module("course_map")
    pages = ["book/index", "lessons/one", "lessons/two", "lessons/three"]
    metadata = {"lessons/two": {"needs": '["one", "three"]'}}
    env = SimpleNamespace(metadata=metadata)
    app = SimpleNamespace(env=env, config=SimpleNamespace(external_site_map=pages))
    with caplog.at_level(logging.WARNING):
        course_map.check_needs(app, env)

    assert caplog.messages == ["it needs 'three', and no lesson before it is called that; there are: one"]
    assert caplog.records[0].location == "lessons/two"


def test_the_map_draws_and_says_what_each_lesson_builds_on(browser: Browser, site: str) -> None:
    """Without scripts, too."""
    tab = visit(browser, site, **WINDOWS["phone"], java_script_enabled=False).open(MAP)
    known = heads()
    numbers = {word: number for number, word in enumerate(known, 1)}
    arcs = [(path["data-from"], path["data-to"]) for path in attributes(tab.content(), "path")]

    assert sorted(arcs) == sorted((need, word) for word, head in known.items() for need in head["needs"])
    for word, head in known.items():
        stop = tab.locator(f"#map-{word.replace('_', '-')}")
        said = re.findall(r"lesson (\d+)", stop.locator(".minutes").inner_text())
        assert [int(number) for number in said] == [numbers[need] for need in head["needs"]]
        assert stop.locator("a.title").get_attribute("href") == f"../lessons/{word}.html"
    tab.context.close()


def attributes(text: str, tag: str) -> list[dict[str, str]]:
    return [
        dict(re.findall(r'([\w-]+)="([^"]*)"', found))
        for found in re.findall(f"<{tag} [^>]*data-[^>]*>", text)
    ]


def test_an_arc_ends_where_its_lesson_stands(tab: Tab) -> None:
    go(tab, MAP)
    far = tab.evaluate("""() => [...document.querySelectorAll(".course-map path")].map((path) => {
        const lesson = document.querySelector(`.stops [data-lesson="${path.dataset.to}"]`);
        const stop = lesson.getBoundingClientRect();
        const end = path.getPointAtLength(path.getTotalLength());
        const at = new DOMPoint(end.x, end.y).matrixTransform(path.getScreenCTM());
        return Math.hypot(at.x - stop.left, at.y - (stop.top + stop.height / 2));
    })""")

    assert max(far) < 3


def test_pointing_at_a_lesson_lights_what_it_needs_and_what_it_leads_to(tab: Tab) -> None:
    go(tab, MAP)
    tab.locator("#map-dispatch a.title").focus()
    lit = tab.locator(".course-map path[data-lit]")

    ends = {(path.get_attribute("data-from"), path.get_attribute("data-to")) for path in lit.all()}
    assert ends == {("tensors", "dispatch"), ("dispatch", "transforms"), ("dispatch", "augment")}


@pytest.mark.parametrize("window", ["light", "phone"])
def test_the_first_screen_says_what_this_is_and_where_to_begin(
    browser: Browser, site: str, window: str
) -> None:
    tab = visit(browser, site, **WINDOWS[window]).open(HOME)
    height = tab.viewport_size["height"] if tab.viewport_size else 0
    places = [tab.locator(one).bounding_box() for one in (".hero h1", ".hero .lead", ".hero .main-action")]
    widget = tab.locator(".hero .coursekit-widget").bounding_box()

    assert all(place and place["y"] + place["height"] < height for place in places)
    assert widget
    # On a phone it begins on the first screen, else all of it is there.
    assert widget["y"] + (0 if window == "phone" else widget["height"]) < height
    tab.context.close()


def test_the_first_page_leads_back_to_where_one_was(tab: Tab) -> None:
    go(tab, HOME)
    assert tab.locator(".go-on").inner_text() == "Start with lesson 1"

    go(tab, "lessons/dispatch.html")
    section = tab.locator(".contents li ul a").nth(4)
    section.click()
    tab.locator(".contents li ul a.seen").wait_for()
    wanted = f"lessons/dispatch.html{section.get_attribute('href')}"
    tab.wait_for_function(
        "(end) => localStorage.getItem('coursekit-place').includes(end)", arg=wanted.partition("#")[2]
    )
    go(tab, HOME)
    link = tab.locator(".go-on")
    assert re.fullmatch(r"Go on with lesson \d+", link.inner_text())
    assert str(link.get_attribute("href")).endswith(wanted)


@pytest.mark.parametrize(
    "text", ["{", '{"lesson": "no_such"}', '"x"', '{"lesson": "tensors", "section": "javascript:1"}']
)
def test_a_place_that_is_not_there_harms_nothing(tab: Tab, text: str) -> None:
    tab.evaluate("(text) => localStorage.setItem('coursekit-place', text)", text)
    go(tab, HOME)

    assert str(tab.locator(".go-on").get_attribute("href")).endswith(".html")


def test_what_was_done_shows_wherever_its_lesson_is_named(tab: Tab) -> None:
    keep(tab, DONE)
    signs = {}
    for page, where in (
        (HOME, ".road"),
        (MAP, ".course-map"),
        ("book/part_1.html", ".road"),
        (LESSON, ".contents"),
    ):
        go(tab, page)
        first = tab.locator(f'{where} [data-lesson="first_model"] .done').first
        signs[page] = (first.get_attribute("data-state"), first.text_content())
        assert page != MAP or violations(tab) == []

    assert set(signs.values()) == {("all", ", read, exercise passed")}
    assert tab.locator('.contents [data-lesson="tensors"] .done').get_attribute("data-state") == "read"
    assert tab.locator('.contents [data-lesson="dispatch"] .done').get_attribute("data-state") == "begun"
    assert tab.locator('.contents [data-lesson="learner"] .done').get_attribute("data-state") is None
    expect(tab.locator("#exercise-first-model .gained")).to_have_text("passed, 16 of 16 points")


def test_the_page_where_you_are_counts(tab: Tab) -> None:
    keep(tab, DONE)
    go(tab, WHERE)
    rows = [row.inner_text().split("\t")[1:] for row in tab.locator(".progress tbody tr").all()]

    assert len(rows) == len(heads())
    assert rows[0][0] != "no"
    assert re.fullmatch(r"1 of \d+", rows[0][1])
    assert rows[0][2] == "16 of 16"
    points = sum(int(row[2].rpartition(" ")[2]) for row in rows)
    assert tab.locator("[data-sum]").all_inner_texts()[::2] == [f"2 of {len(rows)}", f"20 of {points}"]
    assert (rows[1][0], rows[-1][2][:5]) == ("no", "0 of ")


def test_a_lesson_is_read_when_its_end_was_seen_or_the_reader_says_so(tab: Tab) -> None:
    tab.clock.install()
    go(tab, LESSON)
    end = tab.get_by_role("checkbox", name="I have read this lesson")
    end.scroll_into_view_if_needed()
    tab.wait_for_timeout(200)
    tab.clock.run_for(1_000)
    assert kept(tab)["read"] == {}
    tab.clock.run_for(1_500)
    assert end.is_checked()
    assert list(kept(tab)["read"]) == ["first_model"]

    end.uncheck()
    tab.clock.run_for(5_000)
    assert kept(tab)["read"] == {}
    assert not end.is_checked()


def test_progress_goes_out_as_a_file_and_comes_in_again(tab: Tab, tmp_path: Path) -> None:
    keep(tab, DONE)
    tab.evaluate("localStorage.setItem('coursekit-place', '{}')")
    tab.reload()
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save it as a file").click()
    file = tmp_path / "progress.json"
    download.value.save_as(file)
    tab.get_by_role("button", name="Forget everything").click()
    tab.get_by_role("button", name="Forget it").click()
    tab.get_by_text("Forgotten.").wait_for()
    assert kept(tab)["read"] == {}
    assert tab.evaluate("localStorage.getItem('coursekit-place')") is None

    tab.get_by_label("Add a file").set_input_files(file)
    tab.get_by_text("2 lessons, 1 quiz and 2 exercises came in.").wait_for()
    assert kept(tab) == DONE
    assert tab.locator('.progress [data-lesson="tensors"] [data-shows="read"]').inner_text() != "no"


def test_a_file_that_is_no_progress_is_refused_in_a_sentence(tab: Tab, tmp_path: Path) -> None:
    keep(tab, DONE)
    (tmp_path / "shopping.json").write_text("[1]")
    tab.get_by_label("Add a file").set_input_files(tmp_path / "shopping.json")

    tab.get_by_text("This is no progress file").wait_for()
    assert kept(tab) == DONE


def test_forgetting_asks_first(tab: Tab) -> None:
    keep(tab, DONE)
    tab.get_by_role("button", name="Forget everything").click()
    assert violations(tab) == []
    tab.keyboard.press("Enter")  # what has the focus keeps it

    assert not tab.get_by_role("dialog").is_visible()
    tab.get_by_role("button", name="Forget everything").click()
    tab.keyboard.press("Escape")
    assert kept(tab) == DONE


def test_a_damaged_store_is_told_in_a_sentence_on_a_whole_page(tab: Tab) -> None:
    keep(tab, '{"version": 1, "read": ')
    go(tab, MAP)
    said = tab.locator(".notice")
    assert "could not be read; it begins anew" in said.inner_text()
    assert violations(tab) == []

    said.get_by_role("button", name="Close").click()
    assert not said.is_visible()
    tab.reload()
    assert tab.locator("h1").is_visible()
    assert not said.is_visible()


def test_under_make_learn_points_come_by_themselves(tab: Tab) -> None:
    """The server's answer is stood in for; test_server.py asks the real one."""
    passed = {"points": 22, "of": 22, "at": MORNING}
    answer = {"version": 1, "read": {}, "quizzes": {}, "exercises": {"tensors": passed}}
    tab.route("**/run/progress.json", lambda route: route.fulfill(json=answer))
    page = (
        (book().html / LESSON)
        .read_text("utf8")
        .replace("<body", '<body data-progress="/run/progress.json"', 1)
    )
    tab.route(f"**/{LESSON}", lambda route: route.fulfill(body=page, content_type="text/html"))
    go(tab, LESSON)

    tab.locator('.contents [data-lesson="tensors"] .done[data-state="begun"]').wait_for()
    assert kept(tab)["exercises"] == {"tensors": passed}


SHIFTS = """() => new Promise((done) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { sum += entry.value; }))
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => done(sum), 400);
})"""


class InPieces(Quiet):
    """A server that sends a page in small pieces, each late enough for the last one to be seen."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        is_page = self.path.endswith(".html")
        while piece := source.read(3000 if is_page else -1):
            outputfile.write(piece)
            time.sleep(0.04 if is_page else 0)


@pytest.mark.parametrize("window", ["light", "phone"])
@pytest.mark.parametrize("server", [Quiet, InPieces])
def test_nothing_moves_while_a_page_comes(browser: Browser, server: type[Quiet], window: str) -> None:
    moved = {}
    for page in (HOME, LESSON, MAP, WHERE, "book/part_1.html", "book/speed.html"):
        with served(book().html, server) as site:
            tab = visit(browser, site, **WINDOWS[window]).open(page)
            moved[page] = tab.evaluate(SHIFTS)
            tab.context.close()

    assert {page: sum for page, sum in moved.items() if sum > 0.01} == {}


def test_a_page_is_printed_without_its_frame_and_with_its_answers(tab: Tab) -> None:
    go(tab, LESSON)
    tab.emulate_media(media="print")

    assert not tab.locator(".top").is_visible()
    assert not tab.locator("nav.contents").is_visible()
    assert not tab.locator(".lesson-end").is_visible()
    folded = tab.locator("article details:not([open]) p").first
    assert folded.bounding_box()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_contents_show_where_one_is_among_pages_below_another(tab: Tab) -> None:
    go(tab, "book/reference_data.html")
    here = tab.locator(".contents [aria-current=page]")

    assert here.inner_text() == "Reference: data"
    parent = tab.locator(".contents > ul > li", has=tab.locator("[aria-current=page]")).locator(":scope > a")
    assert parent.inner_text() == "Reference"
    assert here.bounding_box()["y"] < tab.viewport_size["height"]  # type: ignore[index]


def test_a_part_opens_with_its_number_and_its_lessons(tab: Tab) -> None:
    go(tab, "book/part_2.html")

    assert tab.get_by_role("heading", level=1).inner_text().split("\n")[0].startswith("Part 2")
    links = [link.get_attribute("href") for link in tab.locator(".road a").all()]
    assert links[:2] == ["../lessons/gradient_descent.html", "../lessons/finding_the_rate.html"]
    assert not tab.locator(".contents li a", has_text="Part 2").count()
    assert tab.locator(".contents .part [aria-current]").inner_text().startswith("Part 2")
