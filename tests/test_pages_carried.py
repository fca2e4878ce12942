"""The book as an e-book and as a PDF: whole, still, its pictures described, its links leading somewhere."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from pathlib import Path
from posixpath import dirname, join, normpath
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
import yaml
from built_book import ROOT, book
from playwright.sync_api import Browser

XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
ABOUT: dict[str, Any] = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))


@pytest.fixture
def carry(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The modules that write the book as files; they find those of the pages as they do in a build."""
    for part in ("sphinx", "carry"):
        monkeypatch.syspath_prepend(str(ROOT / "book" / part))
    import epub
    import pdf

    found = ModuleType("carry")
    found.epub, found.pdf = epub, pdf  # type: ignore[attr-defined]
    return found


@pytest.fixture(scope="module")
def ebook(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    assert book().status == 0, book().output
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "book" / "carry"))
        from epub import write_epub

        file = tmp_path_factory.mktemp("carried") / "book.epub"
        write_epub(ROOT, book().html, file, ABOUT)
    return zipfile.ZipFile(file)


def pages(ebook: zipfile.ZipFile) -> dict[str, ElementTree.Element]:
    names = [name for name in ebook.namelist() if name.endswith(".xhtml")]
    return {name: ElementTree.fromstring(ebook.read(name)) for name in names}


def test_the_first_bytes_say_what_it_is_and_the_package_lists_every_file(ebook: zipfile.ZipFile) -> None:
    first = ebook.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert ebook.read("mimetype") == b"application/epub+zip"

    container = ebook.read("META-INF/container.xml").decode()
    assert 'full-path="book/package.opf"' in container
    package = ElementTree.fromstring(ebook.read("book/package.opf"))
    items = {item.attrib["id"]: f"book/{item.attrib['href']}" for item in package.iter(f"{OPF}item")}
    listed = {*items.values(), "mimetype", "META-INF/container.xml", "book/package.opf"}
    assert listed == set(ebook.namelist())
    assert all(item.attrib["media-type"] for item in package.iter(f"{OPF}item"))
    read = [items[entry.attrib["idref"]] for entry in package.iter(f"{OPF}itemref")]
    assert set(read) == set(pages(ebook))


def test_every_lesson_is_in_it_with_its_formulas(ebook: zipfile.ZipFile) -> None:
    titles = {name: page.find(f".//{XHTML}h1") for name, page in pages(ebook).items()}
    lessons = [path.stem for path in (ROOT / "lessons").glob("*.md")]

    assert all(titles[f"book/lessons-{word}.xhtml"] is not None for word in lessons)
    package = ebook.read("book/package.opf").decode()
    for name, page in pages(ebook).items():
        told = re.search(rf'href="{Path(name).name}"[^>]*', package)
        for kind, tag in [
            ("mathml", "{http://www.w3.org/1998/Math/MathML}math"),
            ("svg", "{http://www.w3.org/2000/svg}svg"),
        ]:
            assert told is not None
            assert (kind in told[0].partition("properties=")[2]) == (page.find(f".//{tag}") is not None)


def test_there_is_nothing_to_press_and_every_picture_is_described(ebook: zipfile.ZipFile) -> None:
    controls = {
        f"{XHTML}{tag}" for tag in ("script", "button", "input", "form", "details", "canvas", "iframe")
    }
    for name, page in pages(ebook).items():
        assert not [element.tag for element in page.iter() if element.tag in controls], name
        for image in page.iter(f"{XHTML}img"):
            assert image.attrib["alt"].strip(), name
            assert f"book/{image.attrib['src']}" in ebook.namelist()


def test_every_link_in_it_leads_somewhere_and_no_name_stands_twice(ebook: zipfile.ZipFile) -> None:
    ids = {
        name: Counter(e.attrib["id"] for e in page.iter() if "id" in e.attrib)
        for name, page in pages(ebook).items()
    }
    assert [(name, one) for name, found in ids.items() for one, times in found.items() if times > 1] == []
    for name, page in pages(ebook).items():
        for link in page.iter(f"{XHTML}a"):
            address = urlsplit(link.attrib.get("href", ""))
            if not address.scheme:
                target = normpath(join(dirname(name), unquote(address.path))) if address.path else name
                assert target in ids, f"{name}: {link.attrib}"
                assert not address.fragment or unquote(address.fragment) in ids[target], (
                    f"{name}: {link.attrib}"
                )


def test_answers_stand_after_everything_else_of_their_page(ebook: zipfile.ZipFile) -> None:
    text = ebook.read("book/lessons-first_model.xhtml").decode()
    asked, last = text.index('id="question-1"'), text.index('class="answers"')

    assert asked < last < text.index('id="answer-1"')
    assert text.count('id="question-') == text.count('id="answer-') > 2


def test_chromium_prints_it_with_an_outline(
    browser: Browser, carry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = carry.pdf.chapters(ROOT, book().html)
    some = [chapter for chapter in every if chapter.page in {"book/index", "lessons/first_model"}]
    monkeypatch.setattr(carry.pdf, "chapters", lambda *_: some)
    carry.pdf.write_pdf(ROOT, book().html, tmp_path / "book.pdf", ABOUT)
    content = (tmp_path / "book.pdf").read_bytes()

    assert content.startswith(b"%PDF")
    assert 15 < len(re.findall(rb"/Type\s*/Page\b", content)) < 60
    assert b"/Outlines" in content
    assert b"/StructTreeRoot" in content
    assert len(content) < 6_000_000
    assert not (book().html / "whole.html").exists()


WIDER_THAN_THE_PAPER = """() => {
    const { right } = document.querySelector("main").getBoundingClientRect();
    const wider = [...document.images].filter((one) => one.getBoundingClientRect().right > right + 1);
    return wider.map((one) => one.alt);
}"""


def test_on_paper_no_picture_is_cut_off(
    browser: Browser, carry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def look(command: list[str], **_: Any) -> None:
        tab = browser.new_page()
        tab.emulate_media(media="print")
        tab.goto(command[-1])
        found.append(tab.locator("img").count())
        found.extend(tab.evaluate(WIDER_THAN_THE_PAPER))
        tab.close()

    every = carry.pdf.chapters(ROOT, book().html)
    lessons = [chapter for chapter in every if chapter.page.startswith("lessons/")]
    monkeypatch.setattr(carry.pdf, "chapters", lambda *_: lessons)
    monkeypatch.setattr(carry.pdf.subprocess, "run", look)
    carry.pdf.write_pdf(ROOT, book().html, tmp_path / "book.pdf", ABOUT)

    pictures, *wider = found
    assert pictures > 50
    assert wider == []


def test_without_a_browser_one_sentence_says_so(carry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(carry.pdf.NoBrowser, match="printed by Chromium, and none is here"):
        carry.pdf.browser()
