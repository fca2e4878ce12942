"""What stands around the text of every page: contents, the lesson's head line, previous and next.

The templates beside this file draw it. A lesson is a page in `lessons/`; part and number follow from
`_toc.yml`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from coursekit.lessons import Release, lesson_notebook

logger = logging.getLogger(__name__)

LESSONS = "lessons/"
COLAB = "https://colab.research.google.com/github/{owner}/{repository}/blob/{branch}/{word}.ipynb"
KAGGLE = (
    "https://www.kaggle.com/kernels/welcome?src="
    "https://raw.githubusercontent.com/{owner}/{repository}/{branch}/{word}.ipynb"
)


def parts(app: Sphinx) -> list[tuple[str, list[str]]]:
    """The parts of the book with their pages, in order, as `_toc.yml` has them."""
    root = app.config.external_site_map.root
    return [(tree.caption or "", [str(item) for item in tree.items]) for tree in root.subtrees]


def place(app: Sphinx, page: str) -> tuple[str, int]:
    """The part a lesson stands in, and its number, counted through all parts."""
    number = 0
    for caption, pages in parts(app):
        for other in pages:
            number += other.startswith(LESSONS)
            if other == page:
                return caption, number
    raise LookupError(f"{page} is not in _toc.yml")


def contents(app: Sphinx, page: str) -> list[dict[str, Any]]:
    """All parts with their pages; the page one is on also has its sections."""
    number = 0
    result = []
    for caption, pages in parts(app):
        entries = []
        for other in pages:
            number += other.startswith(LESSONS)
            entries.append(
                {
                    "href": "" if other == page else app.builder.get_relative_uri(page, other),
                    "title": app.env.titles[other].astext(),
                    "number": number if other.startswith(LESSONS) else None,
                    "minutes": minutes(app, other) if other.startswith(LESSONS) else None,
                    "sections": sections(app, page) if other == page else [],
                }
            )
        result.append({"caption": caption, "pages": entries})
    return result


def sections(app: Sphinx, page: str) -> list[tuple[str, str]]:
    """Anchor and title of each section right under the page's title."""
    top = app.env.tocs[page]
    titles = top[0][1].children if len(top) and len(top[0]) > 1 else []
    links = [next(item.findall(nodes.reference), None) for item in titles]
    return [(link["anchorname"], link.astext()) for link in links if link is not None]


def was_executed(app: Sphinx, page: str) -> bool:
    return bool(getattr(app.env, "nb_metadata", {}).get(page, {}).get("exec_data"))


def run_links(app: Sphinx, word: str) -> list[tuple[str, str]]:
    """Where the reader can run a lesson, as (words, address): only places that exist for this build."""
    config = app.config
    links = []
    if config.run_address:
        links.append(("Run this lesson", f"{config.run_address}{word}"))
    if config.notebooks_at and config.release_file:
        owner, repository, branch = config.notebooks_at.split("/", 2)
        names = {"owner": owner, "repository": repository, "branch": branch, "word": word}
        links += [("Run in Colab", COLAB.format(**names)), ("Run in Kaggle", KAGGLE.format(**names))]
    return links


def minutes(app: Sphinx, page: str) -> dict[str, int]:
    """Reading and exercise minutes, from the head of the lesson's file."""
    try:
        given = json.loads(app.env.metadata[page]["minutes"])  # the parser keeps nested values as JSON
        return {kind: int(given[kind]) for kind in ("reading", "exercises")}
    except (KeyError, TypeError, ValueError):
        return {"reading": 0, "exercises": 0}


def check_lesson(app: Sphinx, document: nodes.document) -> None:
    """A lesson names its minutes, and can be turned into a notebook."""
    page = app.env.docname
    if not page.startswith(LESSONS):
        return
    if not all(minutes(app, page).values()):
        logger.warning("the head needs `minutes:` with `reading` and `exercises`", location=page)
    try:
        lesson_notebook(page.removeprefix(LESSONS))
    except (LookupError, ValueError) as error:
        logger.warning(f"no notebook can be made: {error}", location=page)


def lesson(app: Sphinx, page: str) -> dict[str, Any]:
    part, number = place(app, page)
    word = page.removeprefix(LESSONS)
    return {
        "part": part,
        "number": number,
        "minutes": minutes(app, page),
        "run": run_links(app, word),
        "notebook": f"{app.builder.get_relative_uri(page, 'notebooks/' + word).removesuffix('.html')}.ipynb",
        "executed": was_executed(app, page),
    }


def add_context(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    known = page in app.env.titles
    context["contents"] = contents(app, page)
    context["author"] = app.config.author
    context["is_home"] = page == app.config.root_doc
    context["lesson"] = lesson(app, page) if known and page.startswith(LESSONS) else None
    for role in (' role="list"', ' role="doc-biblioentry"'):  # citations as docutils writes them are no list
        context["body"] = context.get("body", "").replace(role, "")
    if context["lesson"]:
        head = app.builder.templates.render("lesson_head.html", context)
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{head}", 1)


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    """The notebooks to download, beside the pages."""
    import nbformat

    if exception or app.builder.name != "html":
        return
    release = Release.parse(app.config.release_file)
    for page in sorted(app.env.found_docs):
        if page.startswith(LESSONS):
            word = page.removeprefix(LESSONS)
            path = app.builder.outdir / "notebooks" / f"{word}.ipynb"
            path.parent.mkdir(exist_ok=True)
            with suppress(LookupError, ValueError):  # said when the lesson was read
                notebook = nbformat.from_dict(lesson_notebook(word, release, guard=True))
                path.write_text(nbformat.writes(notebook), encoding="utf8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("comments_config", {}, "env", dict)  # Jupyter Book sets it, and we load no comments
    app.add_config_value("run_address", "", "env", str)
    app.add_config_value("notebooks_at", "", "html", str)
    app.add_config_value("release_file", "", "html", str)
    app.connect("doctree-read", check_lesson)
    app.connect("html-page-context", add_context)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
