"""What each term of the glossary means, in one file: pages show it where a term is used (`terms.js`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

FILE = "term_definitions.js"


def note_terms(app: Sphinx, document: nodes.document) -> None:
    """Keep the definitions of a page that has a glossary, as HTML, by their anchors."""
    env: Any = app.env
    env.term_definitions = getattr(env, "term_definitions", {})
    items = [item for part in document.findall(addnodes.glossary) for item in part.findall(is_term)]
    if items:
        env.term_definitions[env.docname] = {item[0]["ids"][0]: (item[0].astext(), item[1]) for item in items}


def is_term(node: nodes.Node) -> bool:
    return isinstance(node, nodes.definition_list_item)


def meaning(app: Sphinx, definition: nodes.definition) -> str:
    """A definition as HTML; what it links to is in the glossary itself."""
    copy = definition.deepcopy()
    for link in list(copy.findall(addnodes.pending_xref)):
        link.replace_self(link.children)
    return "".join(app.builder.render_partial(part)["fragment"] for part in copy.children)  # type: ignore[attr-defined]


def write_definitions(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    found = [item for page in app.env.term_definitions.values() for item in page.items()]  # type: ignore[attr-defined]
    terms = {anchor: {"term": term, "meaning": meaning(app, what)} for anchor, (term, what) in found}
    text = json.dumps(terms, ensure_ascii=False, separators=(",", ":"))
    file = Path(app.outdir) / "_static" / FILE
    file.write_text(f"(window.coursekit ??= {{}}).terms = {text};\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-read", note_terms)
    app.connect("build-finished", write_definitions)
    # What is noted is not brought together from several processes.
    return {"parallel_read_safe": False, "parallel_write_safe": True}
