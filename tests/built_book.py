"""The book, built once for all tests of a worker, and what they ask of its pages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).parent.parent
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Build:
    """What a build of the book left behind."""

    html: Path
    status: int
    output: str

    def pages(self) -> list[Path]:
        """Every page, less the one at the top that only points to the first, and those that lessons made."""
        every = [path for path in self.html.rglob("*.html") if path.parent != self.html]
        ours = sorted(path for path in every if "made_pages" not in path.parts)
        return [*ours, *(self.html / name for name in ("search.html", "genindex.html"))]


def run_build(root: Path, *arguments: str) -> Build:
    """Run the build of a book, as a process of its own."""
    command = [sys.executable, str(root / "book" / "build.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root)
    return Build(root / "_build" / "html", done.returncode, done.stdout + done.stderr)


@cache
def book() -> Build:
    """The whole book; what was executed before with the same code is not executed again."""
    out = tempfile.mkdtemp(prefix="coursekit-book-")
    build = run_build(ROOT, "--out", out)
    return Build(Path(out) / "html", build.status, build.output)


HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
minutes:
  reading: 1
  exercises: 1
---

# A page
"""


def small_book(folder: Path, **lessons: str) -> Path:
    """A book of our own frame with other lessons, to see what its build makes of them."""
    for name in ("book", "coursekit", "requirements", "exercises"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "_config.yml", folder)
    (folder / "lessons").mkdir()
    for word, text in lessons.items():
        (folder / "lessons" / f"{word}.md").write_text(HEAD + text, encoding="utf-8")
    (folder / "book" / "index.md").write_text("# A book\n", encoding="utf-8")
    chapters = [{"file": f"lessons/{word}"} for word in lessons] + [{"file": "book/glossary"}]
    toc = {"format": "jb-book", "root": "book/index", "parts": [{"caption": "All", "chapters": chapters}]}
    (folder / "_toc.yml").write_text(json.dumps(toc), encoding="utf-8")
    return folder


@dataclass
class Page(HTMLParser):
    """The elements of a page that tests ask for."""

    path: Path
    ids: set[str] = field(default_factory=set)
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.elements.append((tag, given))
        if "id" in given:
            self.ids.add(given["id"])
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "pre", "code"} & set(self._open):
            self.text += data

    def find(self, *tags: str) -> list[dict[str, str]]:
        return [given for tag, given in self.elements if tag in tags]
