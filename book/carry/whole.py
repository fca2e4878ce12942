"""The pages of the book as one text to carry away: in order, still, and with nothing to press.

Paper and e-book readers run no scripts and fold nothing: answers that are folded on a page stand at its end,
asides stand open, and what only a browser can do is left out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

# Controls, and what is said about them; code that the reference shows folded, since it is in the library.
LEFT_OUT = (
    "script, noscript, style, template, button, form, input, select, textarea, canvas, .headerlink, .run, "
    ".copy, .exercise .main-action, .hint, .actions, .not-executed, .made-page"
)
# Pages that only a browser can fill.
PAGES_LEFT_OUT = {"book/progress"}
BROWSERS_ONLY = ("tabindex", "loading", "popover", "download", "target", "valign", "halign")


@dataclass
class Chapter:
    """A page of the book: its name in `_toc.yml`, the part it stands in, its title, its text."""

    page: str
    part: str
    title: str
    text: Tag


def chapters(root: Path, html: Path) -> list[Chapter]:
    """Every page, read from the built book and made still."""
    return [
        read(html, page, part) for part, page in pages_of(root / "_toc.yml") if page not in PAGES_LEFT_OUT
    ]


def pages_of(toc: Path) -> Iterator[tuple[str, str]]:
    """Part and name of each page, in order."""
    content = yaml.safe_load(toc.read_text(encoding="utf-8"))

    def below(entries: list[dict[str, Any]], part: str) -> Iterator[tuple[str, str]]:
        for entry in entries:
            yield part, entry["file"]
            yield from below(entry.get("sections", []), part)

    yield "", content["root"]
    for part in content["parts"]:
        yield from below(part["chapters"], part["caption"])


def read(html: Path, page: str, part: str) -> Chapter:
    soup = BeautifulSoup((html / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    text = soup.select_one("main article")
    assert text is not None
    for found in text.select(LEFT_OUT):
        found.decompose()
    put_answers_last(soup, text)
    open_asides(soup, text)
    for element in text.find_all(True):
        for name in BROWSERS_ONLY:
            del element[name]
    heading = text.find("h1")
    assert heading is not None
    text.name = "section"
    return Chapter(page, part, " ".join(heading.get_text(" ").split()), text)


def put_answers_last(soup: BeautifulSoup, text: Tag) -> None:
    """Answers that wait until one has tried go to the end of the page; a link leads there, and one back."""
    asked = text.select(".quiz details")
    answers = soup.new_tag("section", attrs={"class": "answers"})
    heading = soup.new_tag("h2")
    heading.string = "Answers"
    answers.append(heading)
    for number, folded in enumerate(asked, start=1):
        answer = soup.new_tag("div", attrs={"id": f"answer-{number}"})
        answer.append(_link(soup, f"#question-{number}", f"Question {number}"))
        folded.summary.decompose()
        answer.extend(list(folded.contents))
        answers.append(answer)
        to_answer = _link(soup, f"#answer-{number}", f"Question {number}: the answer is at the end")
        to_answer["id"] = f"question-{number}"
        folded.replace_with(to_answer)
    if asked:
        text.append(answers)


def _link(soup: BeautifulSoup, address: str, words: str) -> Tag:
    paragraph = soup.new_tag("p", attrs={"class": "to-and-fro"})
    link = soup.new_tag("a", href=address)
    link.string = words
    paragraph.append(link)
    return paragraph


def open_asides(soup: BeautifulSoup, text: Tag) -> None:
    """What is folded stands open under its title; code that the reference folds is left to the library."""
    for folded in text.find_all("details"):
        title = folded.summary
        if title.get_text().startswith("The code of"):
            folded.decompose()
            continue
        title.name = "p"
        title["class"] = "aside-title"
        folded.name = "div"
        folded["class"] = "aside"


def lead(chapter: Chapter, address: Callable[[str, str], str | None]) -> None:
    """Give each link into the book another address, by page and anchor; without one only its words stay."""
    for link in chapter.text.find_all("a", href=True):
        given = urlsplit(link["href"])
        if given.scheme or given.netloc:
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(chapter.page), unquote(given.path)))
        page = path.removesuffix(".html") if given.path else chapter.page
        new = address(page, unquote(given.fragment))
        if new is None:
            link.unwrap()
        else:
            link["href"] = new


def pictures(chapter: Chapter) -> Iterator[tuple[Tag, str]]:
    """Each picture and where it lies, from the root of the built book."""
    for image in chapter.text.find_all("img"):
        if not image["src"].startswith("data:"):
            path = posixpath.join(posixpath.dirname(chapter.page), unquote(image["src"]))
            yield image, posixpath.normpath(path)
