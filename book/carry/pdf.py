"""The book as one PDF, for paper and for reading where there is no browser: Chromium prints it.

It has an outline, and tags that tell a screen reader what is a heading, a list or a table.
"""

from __future__ import annotations

import posixpath
import shutil
import subprocess
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from page_files import style_sheet
from whole import Chapter, chapters, lead, pictures

HERE = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>{title}</title>
<style>{style}</style></head>
<body><main>{body}</main></body></html>
"""


class NoBrowser(RuntimeError):
    """There is nothing here that could print the book."""


def browser() -> str:
    """The Chromium of this machine.

    Raises:
        NoBrowser: There is none; the message says what would help.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise NoBrowser("a PDF is printed by Chromium, and none is here (Debian: apt-get install chromium)")
    return found


def write_pdf(root: Path, html: Path, file: Path, about: dict[str, Any]) -> None:
    """Print the pages of a built book into one file."""
    found = chapters(root, html)
    for chapter in found:
        join(chapter, {c.page for c in found})
    body = title_page(about) + contents(found) + "".join(str(chapter.text) for chapter in found)
    style = style_sheet(root / "book").replace('url("fonts/', 'url("_static/fonts/')
    style += (HERE / "pdf.css").read_text(encoding="utf-8")
    whole = html / "whole.html"  # beside the pages, whose pictures and letters it shows
    whole.write_text(PAGE.format(title=escape(about["title"]), style=style, body=body), "utf-8")
    try:
        command = [browser(), "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        command += ["--generate-pdf-document-outline", "--export-tagged-pdf", f"--print-to-pdf={file}"]
        subprocess.run([*command, whole.as_uri()], check=True, capture_output=True, timeout=300)
    finally:
        whole.unlink()


def anchor(page: str, inside: str) -> str:
    return f"{page}--{inside}".replace("/", "-") if inside else page.replace("/", "-")


def join(chapter: Chapter, there: set[str]) -> None:
    """Make a page a part of one document: its names its own, its links and pictures where they are now."""
    for element in chapter.text.find_all(id=True):
        element["id"] = anchor(chapter.page, element["id"])
    chapter.text["id"] = anchor(chapter.page, "")
    lead(chapter, lambda page, inside: f"#{anchor(page, inside)}" if page in there else None)
    for image, path in pictures(chapter):
        image["src"] = posixpath.normpath(path)


def title_page(about: dict[str, Any]) -> str:
    title, author = escape(about["title"]), escape(about["author"])
    rights = "Text: CC BY 4.0. Code: Apache 2.0. Data: as each caption says."
    return f'<header class="title-page"><p class="title">{title}</p><p>{author}</p><p>{rights}</p></header>'


def contents(found: list[Chapter]) -> str:
    lines = []
    for part, group in groupby(found, key=lambda chapter: chapter.part):
        entries = "".join(f'<li><a href="#{anchor(c.page, "")}">{escape(c.title)}</a></li>' for c in group)
        lines.append(f"<p>{escape(part)}</p><ul>{entries}</ul>")
    return f'<nav class="whole-contents" aria-label="Contents"><h2>Contents</h2>{"".join(lines)}</nav>'
