"""The book as an EPUB 3, for e-book readers: every page, still, with its formulas and pictures."""

from __future__ import annotations

import mimetypes
import uuid
import zipfile
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any

from whole import Chapter, chapters, lead, pictures

HERE = Path(__file__).resolve().parent
PAGE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><meta charset="utf-8"/><title>{title}</title><link rel="stylesheet" href="epub.css"/></head>
<body>{body}</body>
</html>
"""
PACKAGE = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="book">urn:uuid:{identifier}</dc:identifier>
<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator><dc:language>en</dc:language>
<dc:rights>CC BY 4.0; data as each caption says</dc:rights>
<meta property="dcterms:modified">{moment}</meta>
<meta property="schema:accessMode">textual</meta><meta property="schema:accessMode">visual</meta>
<meta property="schema:accessModeSufficient">textual</meta>
<meta property="schema:accessibilityFeature">alternativeText</meta>
<meta property="schema:accessibilityFeature">MathML</meta>
<meta property="schema:accessibilityFeature">tableOfContents</meta>
<meta property="schema:accessibilityHazard">none</meta>
<meta property="schema:accessibilitySummary">Every picture has a text alternative; formulas are MathML.</meta>
</metadata>
<manifest>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="style" href="epub.css" media-type="text/css"/>
<item id="cover" href="cover.svg" media-type="image/svg+xml" properties="cover-image"/>
{items}
</manifest>
<spine><itemref idref="nav"/>{spine}</spine>
</package>
"""
CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>
"""


def file_name(page: str) -> str:
    return page.replace("/", "-") + ".xhtml"


def write_epub(root: Path, html: Path, file: Path, about: dict[str, Any]) -> None:
    """Write the e-book, from the pages of a built book."""
    found = chapters(root, html)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        # First and not compressed, so that the first bytes of the file say what it is.
        book.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        book.writestr("META-INF/container.xml", CONTAINER)
        book.write(HERE / "epub.css", "book/epub.css")
        book.writestr("book/cover.svg", cover(root, about))
        names = picture_names(found)
        for path, name in names.items():
            book.write(html / path, f"book/{name}")
        for chapter in found:
            book.writestr(f"book/{file_name(chapter.page)}", page(chapter, {c.page for c in found}))
        book.writestr("book/nav.xhtml", contents(found, about["title"]))
        book.writestr("book/package.opf", package(found, names, about))


def cover(root: Path, about: dict[str, Any]) -> str:
    """The front: the picture of the first page, the title in lines, and whose it is."""
    picture = (root / "book" / "assets" / "pictures" / "cells.svg").read_text(encoding="utf-8")
    pieces = about["title"].split(", ")
    lines = [f'<tspan x="60" y="{600 + 76 * line}">{escape(p)}</tspan>' for line, p in enumerate(pieces)]
    return Template((HERE / "cover.svg").read_text(encoding="utf-8")).substitute(
        picture=picture, lines="".join(lines), author=escape(about["author"])
    )


def picture_names(found: list[Chapter]) -> dict[str, str]:
    """Where each picture lies in the built book, and in this one; the pages are led there."""
    names: dict[str, str] = {}
    for chapter in found:
        for image, path in pictures(chapter):
            names.setdefault(path, f"pictures/{len(names):03}{Path(path).suffix}")
            image["src"] = names[path]
    return names


def page(chapter: Chapter, there: set[str]) -> str:
    def address(other: str, anchor: str) -> str | None:
        if other not in there:
            return None
        return ("" if other == chapter.page else file_name(other)) + (f"#{anchor}" if anchor else "") or "#"

    lead(chapter, address)
    for drawing in chapter.text.find_all("svg"):  # what HTML knows by itself, XML has to be told
        drawing["xmlns"] = "http://www.w3.org/2000/svg"
        if "viewbox" in drawing.attrs:
            drawing["viewBox"] = drawing.attrs.pop("viewbox")
    return PAGE.format(title=escape(chapter.title), body=chapter.text.decode(formatter="minimal"))


def contents(found: list[Chapter], title: str) -> str:
    """The table of contents that a reader's menu shows, with the parts."""
    lines = []
    for part, group in groupby(found, key=lambda chapter: chapter.part):
        entries = "".join(f'<li><a href="{file_name(c.page)}">{escape(c.title)}</a></li>' for c in group)
        lines.append(f"<li><span>{escape(part)}</span><ol>{entries}</ol></li>" if part else entries)
    body = f'<nav epub:type="toc" role="doc-toc"><h1>{escape(title)}</h1><ol>{"".join(lines)}</ol></nav>'
    return PAGE.format(title=escape(title), body=body)


def package(found: list[Chapter], names: dict[str, str], about: dict[str, Any]) -> str:
    items, spine = [], []
    for number, chapter in enumerate(found):
        kinds = " ".join(kind for tag, kind in (("math", "mathml"), ("svg", "svg")) if chapter.text.find(tag))
        holds = f' properties="{kinds}"' if kinds else ""
        name = f'href="{file_name(chapter.page)}" media-type="application/xhtml+xml"'
        items.append(f'<item id="page-{number}" {name}{holds}/>')
        spine.append(f'<itemref idref="page-{number}"/>')
    for number, name in enumerate(names.values()):
        kind = mimetypes.guess_type(name)[0]
        items.append(f'<item id="picture-{number}" href="{name}" media-type="{kind}"/>')
    return PACKAGE.format(
        identifier=uuid.uuid5(uuid.NAMESPACE_URL, f"{about['title']} by {about['author']}"),
        title=escape(about["title"]),
        author=escape(about["author"]),
        moment=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        items="\n".join(items),
        spine="".join(spine),
    )
