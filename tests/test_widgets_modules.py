"""Scripts are written once, as modules; what a notebook and a page get is one script that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import WINDOWS, visit
from playwright.sync_api import Browser

from coursekit.widgets import modules


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of scripts in place of ours; what was read before is forgotten."""
    monkeypatch.setattr(modules, "files", lambda _: tmp_path)
    for made in (modules.live, modules.classic):
        made.cache_clear()
        monkeypatch.setattr(modules, made.__name__, made.__wrapped__)
    (tmp_path / "page.js").write_text("export function openAll(name, render) { said = render(); }\n", "utf8")
    return tmp_path


# Makes a module of a text and loads it.
LOAD = "import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))"

SHARED = """// What others need.
const secret = 3;
export const twice = (number) => 2 * number;
export function triple(number) {
  return secret * number;
}
export async function later() { return secret; }
"""


def test_siblings_are_put_in_once_and_keep_their_secrets(browser: Browser, scripts: Path) -> None:
    (scripts / "shared.js").write_text(SHARED, "utf8")
    middle = 'import { triple } from "./shared.js";\nexport const six = (number) => 2 * triple(number);\n'
    (scripts / "middle.js").write_text(middle, "utf8")
    widget = (
        'import { later, twice } from "./shared.js";\nimport { six } from "./middle.js";\n'
        f"const secret = 1;\nfunction render() {{ return [twice(5), six(5), secret]; }}\n{modules.END}\n"
    )
    (scripts / "widget.js").write_text(widget, "utf8")
    classic, live = modules.classic("widget"), modules.live("widget")
    tab = visit(browser, "about:", **WINDOWS["light"]).tab

    assert tab.evaluate(f"() => {{ let said; {classic}; return said; }}") == [10, 30, 1]
    assert tab.evaluate(f"(text) => {LOAD}.then((made) => made.default.render())", live) == [10, 30, 1]
    assert classic.count("const secret = 3") == live.count("const secret = 3") == 1
    tab.context.close()


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ('import { one as two } from "./shared.js";', 1),
        ('import { one,\n  two } from "./shared.js";', 1),
        ('import shared from "./shared.js";', 1),
        ('import * as shared from "./shared.js";', 1),
        ('import { one } from "https://example.org/shared.js";', 1),
        ("\nexport { one };", 2),
        ("\n\nexport let one = 1;", 3),
        ("export default function render() {}", 1),
        ("export class One {}", 1),
        ("const here = import.meta.url;", 1),
    ],
)
def test_a_form_it_does_not_know_is_named_with_file_and_line(scripts: Path, written: str, line: int) -> None:
    (scripts / "widget.js").write_text(f"{written}\n{modules.END}\n", "utf8")

    with pytest.raises(SyntaxError, match=rf"^widget\.js, line {line}: this cannot be put into one script"):
        modules.classic("widget")


def test_a_name_that_a_sibling_does_not_lend_is_named(scripts: Path) -> None:
    """A module would not be loaded; without this, the name would be undefined in the middle of a lesson."""
    (scripts / "shared.js").write_text("export const one = 1;\nconst two = 2;\n", "utf8")
    (scripts / "widget.js").write_text(
        f'\nimport {{ one, two }} from "./shared.js";\n{modules.END}\n', "utf8"
    )

    with pytest.raises(SyntaxError, match=r"^widget\.js, line 2: shared\.js exports no two\."):
        modules.live("widget")


def test_scripts_that_need_each_other_are_named(scripts: Path) -> None:
    (scripts / "widget.js").write_text(f'import {{ one }} from "./shared.js";\n{modules.END}\n', "utf8")
    (scripts / "shared.js").write_text('import { two } from "./widget.js";\nexport const one = 1;\n', "utf8")

    with pytest.raises(SyntaxError, match=r"widget\.js needs itself: widget, which needs shared, which"):
        modules.classic("widget")


def test_what_is_said_of_imports_in_words_is_no_import(scripts: Path) -> None:
    text = f'// import nothing\nconst word = "import it";\n{modules.END}\n'
    (scripts / "widget.js").write_text(text, "utf8")

    assert "import nothing" not in modules.live("widget")


@pytest.mark.parametrize("make", ["live", "classic"])
def test_a_script_that_is_not_there_is_named(scripts: Path, make: str) -> None:
    with pytest.raises(LookupError, match=r"there is no script other\.js beside"):
        getattr(modules, make)("other")
    (scripts / "widget.js").write_text(f'import {{ one }} from "./other.js";\n{modules.END}\n', "utf8")
    with pytest.raises(LookupError, match=r"there is no script other\.js beside"):
        getattr(modules, make)("widget")


def test_only_what_can_be_shown_is_a_widget(scripts: Path) -> None:
    (scripts / "shared.js").write_text("export const one = 1;\n", "utf8")
    (scripts / "widget.js").write_text(f"const render = null;\n{modules.END}\n", "utf8")

    assert modules.names() == ["widget"]


@pytest.mark.parametrize("name", modules.names())
def test_each_script_of_ours_runs_as_a_module_and_as_a_classic_script(browser: Browser, name: str) -> None:
    """Without any of its kind on the page a classic script has nothing to do, and complains of nothing."""
    seen = visit(browser, "about:", **WINDOWS["light"])
    loaded = seen.tab.evaluate(
        f"(text) => {LOAD}.then((one) => typeof one.default.render)", modules.live(name)
    )

    assert loaded == "function"
    seen.tab.evaluate("(text) => { (0, eval)(text); }", modules.classic(name))
    assert seen.complaints == []
    assert not re.search(r"^\s*(import|export)\b", modules.classic(name), re.MULTILINE)
    seen.tab.context.close()


@pytest.mark.parametrize("name", modules.names())
def test_nothing_of_ours_moves_by_itself(name: str) -> None:
    """What goes to its new place smoothly does so only for those who do not mind."""
    script = modules.live(name)

    assert not re.search("setInterval|@keyframes|animation:", script)
    assert "transition:" not in script or "prefers-reduced-motion: reduce" in script
