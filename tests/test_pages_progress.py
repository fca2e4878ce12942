"""What a reader has done is kept in their browser, survives damage, and goes out and in as text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import served, visit
from built_book import ROOT
from playwright.sync_api import Browser
from playwright.sync_api import Error as PageError
from playwright.sync_api import Page as Tab

KEY = "coursekit-progress"
NOTHING = {"version": 1, "read": {}, "quizzes": {}, "exercises": {}}
MORNING, EVENING = "2026-11-23T08:00:00.000Z", "2026-11-23T20:00:00.000Z"
PAGE = (
    '<!DOCTYPE html><html lang="en"><title>A page</title><link rel="icon" href="data:,">'
    '<script src="progress.js"></script>'
)
KNOWN = {
    "version": 1,
    "read": {"first_model": MORNING},
    "quizzes": {"first_model/loss": {"right": True, "given": 2, "at": MORNING}},
    "exercises": {"first_model": {"points": 3, "of": 8, "at": MORNING}},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page with the script and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "book" / "scripts" / "progress.js", folder)
    (folder / "page.html").write_text(PAGE)
    with served(folder) as address:
        yield address


@pytest.fixture
def tab(browser: Browser, site: str) -> Iterator[Tab]:
    seen = visit(browser, site)
    yield seen.open("page.html")
    seen.tab.context.close()
    assert seen.complaints == []


def ask(tab: Tab, what: str, given: Any = None) -> Any:
    return tab.evaluate(f"(given) => {{ const progress = coursekit.progress; return {what}; }}", given)


def keep(tab: Tab, text: str) -> None:
    """What was in the browser before the page came."""
    tab.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, text])
    tab.reload()


def test_a_change_is_there_when_the_page_is_opened_again(tab: Tab) -> None:
    assert ask(tab, "progress.read()") == NOTHING

    ask(tab, "progress.change((mine) => { Object.assign(mine, given) })", KNOWN)
    tab.reload()
    assert ask(tab, "progress.read()") == KNOWN
    assert ask(tab, "progress.trouble") == ""


def test_what_is_read_is_a_copy(tab: Tab) -> None:
    ask(tab, "void (progress.read().read.first_model = given)", MORNING)

    assert ask(tab, "progress.read()") == NOTHING


def test_two_tabs_undo_nothing_of_each_other_and_hear_of_it(tab: Tab, site: str) -> None:
    other = tab.context.new_page()
    other.goto(f"{site}/page.html")
    tab.evaluate("void coursekit.progress.onchange((now) => { window.heard = now; })")
    ask(other, "progress.change((mine) => { mine.read.tensors = given })", EVENING)

    assert tab.wait_for_function("window.heard").json_value()["read"] == {"tensors": EVENING}
    ask(tab, "progress.change((mine) => { mine.read.learner = given })", MORNING)
    assert ask(other, "progress.read().read") == {"tensors": EVENING, "learner": MORNING}


def test_who_listens_can_stop_and_one_that_fails_silences_nobody(browser: Browser, site: str) -> None:
    seen = visit(browser, site)
    tab = seen.open("page.html")
    heard = tab.evaluate("""() => {
        const heard = [], { progress } = coursekit;
        progress.onchange(() => { throw new Error("mine alone"); });
        const stop = progress.onchange((now) => heard.push(Object.keys(now.read).length));
        progress.change((mine) => { mine.read.a = "2026-11-23"; });
        stop();
        progress.change((mine) => { mine.read.b = "2026-11-23"; });
        return heard;
    }""")
    tab.context.close()

    assert heard == [1]
    assert seen.complaints
    assert all("mine alone" in said for said in seen.complaints)


@pytest.mark.parametrize("damage", ["{", "[1, 2]", "null", '"text"', '{"version": 7}', "\0", "{}"])
def test_a_damaged_store_is_set_aside_with_a_word(tab: Tab, damage: str) -> None:
    keep(tab, damage)

    assert ask(tab, "progress.read()") == NOTHING
    assert ask(tab, "progress.trouble").endswith("could not be read; it begins anew.")
    assert tab.evaluate("localStorage.getItem('coursekit-progress-set-aside')") == damage
    ask(tab, "progress.change((mine) => { mine.read.tensors = given })", EVENING)
    tab.reload()
    assert ask(tab, "[progress.read().read, progress.trouble]") == [{"tensors": EVENING}, ""]


def test_damaged_entries_cost_nothing_but_themselves(tab: Tab) -> None:
    strange = {
        "read": {"first_model": MORNING, "tensors": 5, "learner": "yesterday"},
        "quizzes": {"a/b": {"right": "yes", "at": MORNING}, "__proto__": {"right": True, "at": MORNING}},
        "exercises": [1],
    }
    keep(tab, json.dumps({"version": 1} | strange))

    now = ask(tab, "progress.read()")
    assert now["read"] == {"first_model": MORNING}
    assert now["exercises"] == {}
    assert ask(tab, "Object.keys(progress.read().quizzes)") == ["__proto__"]
    assert ask(tab, "progress.trouble").endswith("The rest is here.")
    assert not tab.evaluate("'right' in {}")
    tab.reload()
    assert ask(tab, "progress.read() && progress.trouble") == ""


def test_what_goes_out_comes_in_and_the_later_entry_counts(tab: Tab) -> None:
    ask(tab, "progress.change((mine) => { Object.assign(mine, given) })", KNOWN)
    text = ask(tab, "progress.export()")
    ask(tab, "progress.clear()")
    assert ask(tab, "progress.read()") == NOTHING

    assert ask(tab, "progress.import(given)", text) == "1 lesson, 1 quiz and 1 exercise came in."
    assert ask(tab, "progress.read()") == KNOWN
    passed, older = {"points": 8, "of": 8, "at": EVENING}, {"points": 0, "of": 8, "at": "2026-01-01"}
    for entry in (passed, older):
        text = json.dumps(NOTHING | {"exercises": {"first_model": entry}})
        assert ask(tab, "progress.import(given)", text) == "0 lessons, 0 quizzes and 1 exercise came in."
    assert ask(tab, "progress.read().exercises.first_model") == passed
    assert ask(tab, "progress.read().read") == KNOWN["read"]


def test_what_cannot_all_be_read_says_how_much(tab: Tab) -> None:
    text = json.dumps(NOTHING | {"read": {"a": MORNING, "b": "never", "c": None}})

    said = "1 lesson, 0 quizzes and 0 exercises came in. 2 entries could not be read."
    assert ask(tab, "progress.import(given)", text) == said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"exercises": {}}', "first_model,8,8"])
def test_a_text_that_is_no_progress_changes_nothing(tab: Tab, text: str) -> None:
    ask(tab, "progress.change((mine) => { Object.assign(mine, given) })", KNOWN)
    with pytest.raises(PageError, match="This is no progress file: export one here, or write one with"):
        ask(tab, "progress.import(given)", text)

    assert ask(tab, "progress.read()") == KNOWN


@pytest.mark.parametrize(
    "refusal",
    [
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException(); } })",
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }",
    ],
)
def test_without_storage_the_page_works_until_it_is_left(browser: Browser, site: str, refusal: str) -> None:
    seen = visit(browser, site)
    seen.tab.add_init_script(refusal)
    tab = seen.open("page.html")
    ask(tab, "progress.change((mine) => { mine.read.tensors = given })", EVENING)

    assert ask(tab, "progress.read().read") == {"tensors": EVENING}
    assert ask(tab, "progress.trouble").startswith("This browser keeps nothing for this page")
    assert json.loads(ask(tab, "progress.export()"))["read"] == {"tensors": EVENING}
    ask(tab, "progress.clear()")
    assert ask(tab, "progress.read()") == NOTHING
    tab.context.close()
    assert seen.complaints == []


def test_from_a_file_too(browser: Browser, tmp_path: Path) -> None:
    shutil.copy(ROOT / "book" / "scripts" / "progress.js", tmp_path)
    (tmp_path / "page.html").write_text(PAGE)
    seen = visit(browser, "file://")
    seen.tab.goto((tmp_path / "page.html").as_uri())
    ask(seen.tab, "progress.change((mine) => { mine.read.tensors = given })", EVENING)
    seen.tab.reload()

    assert ask(seen.tab, "progress.read().read") == {"tensors": EVENING}
    seen.tab.context.close()
    assert seen.complaints == []
