"""The built book: no warning, every lesson executed, every link leads somewhere, nothing from elsewhere."""

from __future__ import annotations

import doctest
import gzip
import importlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from browsing import served, violations, visit
from built_book import ROOT, Build, Page, book, run_build, small_book

import coursekit
from coursekit.lessons import words
from coursekit.sources import table

# What a reader on a phone loads before reading, figures apart, in bytes as they travel.
FIRST_VIEW = 350_000


@pytest.mark.parametrize(
    "module",
    [
        "course_map",
        "data_samples",
        "mathml",
        "measurements",
        "reference_entry",
        "reference_page",
        "search_index",
        "tidy_tables",
        "widgets",
    ],
)
def test_examples_in_the_extension_are_right(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "book" / "sphinx"))
    found = doctest.testmod(importlib.import_module(module))

    assert found.attempted
    assert not found.failed


@pytest.fixture(scope="module")
def built() -> Build:
    assert book().status == 0, book().output
    return book()


def pages(built: Build) -> list[Page]:
    return [Page(path) for path in built.pages()]


def test_the_build_has_no_warning(built: Build) -> None:
    assert "WARNING" not in built.output


def test_every_lesson_was_executed(built: Build) -> None:
    texts = {word: Page(built.html / "lessons" / f"{word}.html").text for word in words()}

    assert [word for word, text in texts.items() if "has not been executed here" in text] == []


def test_links_and_anchors_lead_somewhere(built: Build) -> None:
    ids = {path.resolve(): Page(path).ids for path in built.html.rglob("*.html")}
    lost = []
    for page in pages(built):
        for given in page.find("a", "link", "script", "img", "source"):
            address = urlsplit(given.get("href") or given.get("src") or "")
            if address.scheme or address.netloc:
                continue
            target = (page.path.parent / unquote(address.path)).resolve() if address.path else page.path
            target, anchor = target.resolve(), unquote(address.fragment)
            if not target.exists() or (anchor and anchor not in ids.get(target, {anchor})):
                lost.append(f"{page.path.name}: {address.geturl()}")

    assert lost == []


def test_nothing_on_a_page_comes_from_another_host(built: Build) -> None:
    """Links may lead away; what the browser loads by itself may not."""
    away = [
        f"{page.path.name}: {address}"
        for page in pages(built)
        for given in page.find("link", "script", "img", "source", "iframe", "video", "audio")
        for address in (given.get("href", ""), given.get("src", ""))
        if urlsplit(address).netloc and given.get("rel") != "canonical"
    ]
    sheets = "\n".join(path.read_text("utf8") for path in built.html.rglob("*.css"))

    assert away == []
    assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]*", sheets) == []


def test_every_picture_has_an_authored_alternative_text(built: Build) -> None:
    pictures = [(page.path.name, given) for page in pages(built) for given in page.find("img")]
    automatic = re.compile(r"^$|.*_images|.*\.(png|svg|jpg)$")

    assert [(name, given["src"]) for name, given in pictures if automatic.match(given.get("alt", ""))] == []


def test_no_formula_is_left_as_typed(built: Build) -> None:
    typed = {page.path.name: re.findall(r"\$[^$\n]+\$|\\\(|\\frac", page.text) for page in pages(built)}

    assert {name: found for name, found in typed.items() if found} == {}


def reference(built: Build) -> list[Page]:
    return [Page(path) for path in sorted((built.html / "book").glob("reference_*.html"))]


def test_the_reference_shows_every_public_name_once(built: Build) -> None:
    shown = [name for page in reference(built) for name in page.ids]

    assert [name for name in dir(coursekit) if shown.count(f"coursekit.{name}") != 1] == []
    front = Page(built.html / "book" / "reference.html")
    linked = {given.get("href", "").partition("#")[2] for given in front.find("a")}
    assert [name for name in dir(coursekit) if f"coursekit.{name}" not in linked] == []


def test_a_name_of_the_reference_has_its_picture_its_code_and_its_lessons(built: Build) -> None:
    ground = (built.html / "book" / "reference_ground.html").read_text(encoding="utf-8")
    entry = ground.partition('id="coursekit.show"')[2].partition('id="coursekit.show_grid"')[0]

    assert "show.webp" in entry
    assert "The code of" in entry
    assert "../lessons/first_model.html" in entry
    apart = (built.html / "book" / "reference_apart.html").read_text(encoding="utf-8")
    assert 'class="coursekit-descent' in apart


def test_the_page_of_data_sets_shows_each_with_its_licence_and_a_sample(built: Build) -> None:
    page = Page(built.html / "book" / "data.html")
    links = [given.get("href") for given in page.find("a")]
    pictures = " ".join(given["src"] for given in page.find("img"))

    for name, source in table().items():
        assert f"data-set-{name.replace('_', '-')}" in page.ids
        assert {source.licence_url, source.origin} <= set(links)
        assert all(f"../lessons/{word}.html" in links for word in source.lessons)
    # What packages carry is always here.
    assert all(f"/{name}.webp" in pictures for name in ("solar_cells", "digits", "ct_slice", "brain"))


def test_a_set_that_is_not_here_says_so_on_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("COURSEKIT_DATA", raising=False)
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "cache"))
    folder = small_book(tmp_path)
    keep_only(folder / "coursekit" / "sources.toml", "settings", "pets", "digits", "cifar10", "shakespeare")
    with (folder / "_toc.yml").open("w") as toc:
        chapters = [{"file": f"book/{word}"} for word in ("glossary", "data", "bibliography")]
        parts = [{"caption": "All", "chapters": chapters}]
        json.dump({"format": "jb-book", "root": "book/index", "parts": parts}, toc)
    build = run_build(folder, "--none")

    assert build.status == 0, build.output
    page = Page(folder / "_build" / "html" / "book" / "data.html")
    assert page.path.read_text(encoding="utf-8").count("No sample: where this page was made, ") == 3
    assert [file.name for file in (folder / "_build" / "html" / "_images").iterdir()] == ["digits.webp"]


def keep_only(file: Path, *names: str) -> None:
    """Leave these sets in a table."""
    rows = re.split(r"\n(?=\[)", file.read_text(encoding="utf-8"))
    file.write_text("\n".join(row for row in rows if row.startswith(tuple(f"[{name}]" for name in names))))


def test_each_figure_made_from_data_says_whose_they_are(built: Build) -> None:
    for word in words():
        text = (ROOT / "lessons" / f"{word}.md").read_text(encoding="utf-8")
        shown = (built.html / "lessons" / f"{word}.html").read_text(encoding="utf-8")

        credited = re.findall(r"^(?::?data|:credit):", text, re.MULTILINE)
        assert len(credited) == shown.count('class="data-line"')


def test_the_notebooks_to_download_are_there(built: Build) -> None:
    for word in words():
        nbformat.validate(nbformat.read(built.html / "notebooks" / f"{word}.ipynb", as_version=4))


def test_a_lesson_is_light(built: Build) -> None:
    for word in words():
        page = Page(built.html / "lessons" / f"{word}.html")
        links = [given for given in page.find("link", "script") if given.get("rel") not in {"next", "prev"}]
        names = [given.get("href") or given.get("src") for given in links]
        files = {page.path, *((page.path.parent / name).resolve() for name in names if name)}
        files |= set((built.html / "_static" / "fonts").glob("*.woff2"))

        assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= FIRST_VIEW


FAULTS = """
A {term}`nonsense`, and $\\\\unknowncommand{x}$, and {kit}`nothing_of_ours`, in
{measured}`no_benchmark: ours: ns` seconds.

```{code-cell}
from matplotlib import pyplot
pyplot.figure(figsize=(1, 1)).add_subplot();
```

```{code-cell}
---
alt: A square.
data: nobodys_data
---
pyplot.figure(figsize=(1, 1)).add_subplot();
```

:::{exercise} no_such_exercise
:::

:::{source} splits.no_such_function
:::

:::{quiz} a-question
A question without an answer?
:::

:::{quiz} one-choice
A question?

- (x) The only choice.

  There is no other.
:::

:::{predict} printed
:seen: fine = (\\d+)
What is printed?

- = 3

  Three.
:::

:::{quiz} printed
The same name?

---
Again.
:::
"""


def test_each_fault_of_a_page_fails_the_build_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    raises = "\n```{code-cell}\nfine = 1\n```\n\n```{code-cell}\nfine / 0\n```\n"
    build = run_build(small_book(tmp_path, faults=FAULTS.replace("\\\\", "\\"), raises=raises))

    assert build.status == 1
    for expected in [
        r"faults\.md:\d+: WARNING: term not in glossary: 'nonsense'",
        r"faults\.md:\d+: WARNING: \\unknowncommand is not a command that can be turned into MathML",
        r"faults\.md:\d+: WARNING: py:obj reference target not found: coursekit\.nothing_of_ours",
        r"faults\.md:\d+: ERROR: no figure 'no_benchmark: ours: ns': there are no results of 'no_benchmark'",
        r"faults\.md:\d+: WARNING: a figure without alternative text",
        r"faults\.md:\d+: WARNING: There is no data set 'nobodys_data'",
        r"faults\.md:\d+: ERROR: There is no exercise 'no_such_exercise'",
        r"faults\.md:\d+: ERROR: coursekit/splits\.py has no definition 'no_such_function'",
        r"faults\.md:40: ERROR: below a line '---' has to stand what a good answer says",
        r"faults\.md:46: ERROR: one choice alone is no choice",
        r"faults\.md:61: ERROR: another quiz of this page is called 'printed'",
        r"faults\.md:\d+: WARNING: no cell of this page printed what `seen` looks for",
        r"faults\.md: WARNING: no notebook can be made",
        r"Not executed: raises",
        r"Failed: lessons/raises\.md, line 22, code cell 2: ZeroDivisionError: division by zero",
    ]:
        assert re.search(expected, build.output), f"{expected}\n\n{build.output}"
    assert "has not been executed here" in Page(build.html / "lessons" / "raises.html").text


FIGURE = """
```{code-cell}
:alt: A square.
:caption: Old words.
from matplotlib import pyplot
pyplot.figure(figsize=(1, 1)).add_subplot();
```
"""


def test_a_new_caption_does_not_execute_a_lesson_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    folder = small_book(tmp_path, plain=FIGURE)
    first = run_build(folder)
    lesson = folder / "lessons" / "plain.md"
    lesson.write_text(lesson.read_text("utf8").replace("Old words", "New words"), encoding="utf-8")
    second = run_build(folder)

    assert (first.status, second.status) == (0, 0), first.output + second.output
    assert "plain: its results are kept from before" in second.output
    assert "New words" in Page(folder / "_build" / "html" / "lessons" / "plain.html").text


PAGE_OF_A_LESSON = """
```{code-cell}
from pathlib import Path

Path("page").mkdir()
text = "<!DOCTYPE html><html lang='en'><title>A model</title><main><h1>Ask me</h1></main>"
Path("page", "index.html").write_text(text + 900_000 * " ")
```

```{made-page} Ask the model
:credit: digits
```
"""


def test_a_page_that_a_lesson_made_waits_until_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Any
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    folder = small_book(tmp_path, model=PAGE_OF_A_LESSON, none="\n```{made-page} Ask the model\n```\n")
    build = run_build(folder)
    assert build.status == 0, build.output
    assert "is without that page" in Page(build.html / "lessons" / "none.html").text
    with served(build.html) as site:
        one = visit(browser, site)
        asked: list[str] = []
        one.tab.on("request", lambda request: asked.append(request.url))
        tab = one.open("lessons/model.html")
        tab.wait_for_timeout(300)
        assert not [address for address in asked if "made_pages" in address]
        assert violations(tab) == []
        tab.get_by_text("Ask the model (1 MB)").press("Enter")
        tab.frame_locator("iframe[title='Ask the model']").get_by_text("Ask me").wait_for()
        assert one.complaints == []


def test_a_page_offers_only_places_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    folder = small_book(tmp_path, plain="\nWords.\n\n:::{exercise} first_model\n:::\n")
    page = folder / "_build" / "html" / "lessons" / "plain.html"
    notebook = folder / "_build" / "html" / "notebooks" / "plain.ipynb"
    wheel = f"https://example.org/coursekit.whl#sha256={'0' * 64}"

    def places(*arguments: str) -> list[str]:
        build = run_build(folder, *arguments)
        assert build.status == 0, build.output
        links = [given["href"] for given in Page(page).find("a")]
        return [link for link in links if re.search("/run/|google|kaggle|ipynb", link)]

    assert places("--notebooks-at", "me/book/notebooks") == ["../notebooks/plain.ipynb"]
    assert wheel not in notebook.read_text("utf8")
    edit = "https://github.com/me/book/edit/main/"
    assert edit not in page.read_text("utf8")
    assert places(
        *("--notebooks-at", "me/book/notebooks", "--release-file", wheel, "--run-address", "/run/"),
        *("--edit-at", edit),
    ) == [
        "/run/plain",
        "https://colab.research.google.com/github/me/book/blob/notebooks/plain.ipynb",
        "https://www.kaggle.com/kernels/welcome"
        "?src=https://raw.githubusercontent.com/me/book/notebooks/plain.ipynb",
        "../notebooks/plain.ipynb",
        "/run/exercise/first_model",
    ]
    assert wheel in notebook.read_text("utf8")
    assert f"{edit}lessons/plain.md" in [given.get("href") for given in Page(page).find("a")]
    assert "Edit this page" not in (page.parent.parent / "genindex.html").read_text("utf8")
