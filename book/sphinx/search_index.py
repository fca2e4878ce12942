"""What the search knows: the words of every section, glossary term and public name, in one file.

The file is a classic script, `_static/search_index.js`, since a page read from a disk may load a script and
nothing else; `search.js` asks for it when somebody begins to search. Answers that are folded until one has
tried, formulas, the reference's examples, and what cells printed are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from lesson_directives import Details
from page_frame import LESSONS
from sphinx import addnodes
from sphinx.application import Sphinx

# A question may be found, and its answer only by answering.
ASKED = "quiz"
# What a reference says before it is resolved, where the author gave it no words.
NAMES_ONLY = {"ref", "numref", "doc", "myst", "p", "t"}


class Part(NamedTuple):
    """One place that can be found: where it is, what it is called, its text and its code."""

    anchor: str
    title: str
    prose: list[str]
    code: list[str]


def words(node: nodes.Node) -> str:
    """The text of a node, less formulas and the bare names of references.

    >>> words(nodes.paragraph("", "", nodes.Text("the  sum "), nodes.math("", "x^2"), nodes.Text("is")))
    'the sum is'
    """

    def pieces(node: nodes.Node) -> Iterator[str]:
        if isinstance(node, nodes.Text):
            yield node.astext()
        silent = isinstance(node, nodes.math | nodes.raw | addnodes.index) or (
            isinstance(node, addnodes.pending_xref)
            and not node.get("refexplicit")
            and node.get("reftype") in NAMES_ONLY
        )
        for child in () if silent else node.children:
            yield from pieces(child)

    return re.sub(r" (?=[,.;:)])", "", " ".join("".join(pieces(node)).split()))


def is_left_out(node: nodes.Node) -> bool:
    """Whether it is an answer, came out of a cell, or is an example in the reference."""
    if not isinstance(node, nodes.Element):
        return False
    answers = isinstance(node, Details) and ASKED in node.parent.get("classes", [])
    printed = node.get("nb_element") == "mime_bundle" or "output" in node.get("classes", [])
    example = node.get("language") == "pycon"
    return bool(answers or printed or example or "answer" in node.get("classes", []))


def opened(node: nodes.Node) -> Part | None:
    """The part that begins with a node: a section, a term of the glossary, a public name."""
    if isinstance(node, nodes.section) and isinstance(node[0], nodes.title):
        return Part(node["ids"][0], words(node[0]), [], [])
    if isinstance(node, nodes.definition_list_item) and isinstance(node.parent.parent, addnodes.glossary):
        return Part(node[0]["ids"][0], words(node[0]), [], [])
    if isinstance(node, addnodes.desc) and node[0]["ids"]:
        return Part(node[0]["ids"][0], node[0]["ids"][0].replace("coursekit.", "kit.", 1), [], [])
    return None


def parts_of(document: nodes.document) -> list[Part]:
    """Everything in a page that can be found, in its order."""
    found: list[Part] = []

    def walk(node: nodes.Node, part: Part | None) -> None:
        if is_left_out(node):
            return
        if new := opened(node):
            found.append(part := new)
        text = part and isinstance(node, nodes.TextElement) and not isinstance(node, nodes.title | nodes.term)
        if part and isinstance(node, nodes.literal_block | addnodes.desc_signature):
            part.code.append(" ".join(node.astext().split()))
        elif part and text and isinstance(node, nodes.TextElement):
            part.prose.append(words(node))
        else:
            for child in node.children:
                walk(child, part)

    walk(document, None)
    return found


def note_parts(app: Sphinx, document: nodes.document) -> None:
    """Keep with the environment what a page says: the next build reads only pages that changed."""
    env: Any = app.env
    env.search_parts = getattr(env, "search_parts", {})
    env.search_parts[env.docname] = [
        (part.anchor, part.title, " ".join(part.prose), " ".join(part.code)) for part in parts_of(document)
    ]


def without_sphinx_search(app: Sphinx) -> None:
    """Sphinx would write an index of its own, and a page for it."""
    if app.builder.name == "html":
        app.builder.search = False  # type: ignore[attr-defined]


def search_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield "search", {}, "search.html"


def in_order(app: Sphinx) -> list[str]:
    """Every page of the book, as `_toc.yml` has them, pages below others too."""
    site = app.config.external_site_map

    def below(page: str) -> Iterator[str]:
        yield page
        for tree in site[page].subtrees:
            for item in tree.items:
                yield from below(str(item))

    return list(below(site.root.docname))


def index(app: Sphinx) -> dict[str, list[Any]]:
    """Pages as address, title and number of the lesson; parts as number of the page, anchor, and texts."""
    pages, sections, number = [], [], 0
    for page in in_order(app):
        is_lesson = page.startswith(LESSONS)
        number += is_lesson
        sections += [(len(pages), *part) for part in app.env.search_parts[page]]  # type: ignore[attr-defined]
        address = app.builder.get_target_uri(page)
        pages.append((address, app.env.titles[page].astext(), number if is_lesson else 0))
    return {"pages": pages, "sections": sections}


def write_index(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    text = json.dumps(index(app), ensure_ascii=False, separators=(",", ":"))
    file = Path(app.outdir) / "_static" / "search_index.js"
    file.write_text(f"(window.coursekit ??= {{}}).searchIndex = {text};\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", without_sphinx_search)
    app.connect("doctree-read", note_parts)
    app.connect("html-collect-pages", search_page)
    app.connect("build-finished", write_index)
    # What is noted is not brought together from several processes.
    return {"parallel_read_safe": False, "parallel_write_safe": True}
