"""What stands around the text of every page: contents, the lesson's head line, previous and next.

The templates beside this file draw it. A lesson is a page in `lessons/`; part and number follow from
`_toc.yml`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from course_map import LESSONS, drawing, needs, to_do
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

OPENINGS = "book/part_"
# What stands below the words of some pages, by template.
BELOW = {"book/map": "map.html", "book/progress": "progress.html"}
COLAB = "https://colab.research.google.com/github/{owner}/{repository}/blob/{branch}/{word}.ipynb"
KAGGLE = (
    "https://www.kaggle.com/kernels/welcome?src="
    "https://raw.githubusercontent.com/{owner}/{repository}/{branch}/{word}.ipynb"
)


def parts(app: Sphinx) -> list[tuple[str, list[str]]]:
    """The parts of the book with their pages, in order, as `_toc.yml` has them."""
    root = app.config.external_site_map.root
    return [(tree.caption or "", [str(item) for item in tree.items]) for tree in root.subtrees]


def contents(app: Sphinx, page: str) -> list[dict[str, Any]]:
    """All parts with their pages; the page one is on also has its sections."""
    result = []
    lessons: dict[str, dict[str, Any]] = {}
    for caption, pages in parts(app):
        entries = []
        for other in pages:
            entry = {
                "href": "" if other == page else app.builder.get_relative_uri(page, other),
                "title": app.env.titles[other].astext(),
                "number": None,
                "opens": other.startswith(OPENINGS),
                "sections": sections(app, page) if other == page else [],
                "inner": inner(app, page, other),
            }
            if other.startswith(LESSONS):
                entry |= {"number": len(lessons) + 1, "minutes": minutes(app, other), **to_do(app, other)}
                entry["needs"] = [lessons[word] for word in needs(app, other) if word in lessons]
                lessons[entry["word"]] = entry
            entries.append(entry)
        result.append({"caption": caption, "pages": entries})
    return result


def inner(app: Sphinx, page: str, other: str) -> list[dict[str, str]]:
    """The pages that stand under another one, when one is on it or on one of them."""
    pages = [str(item) for tree in app.config.external_site_map[other].subtrees for item in tree.items]
    here = app.builder.get_relative_uri
    return [
        {"href": "" if one == page else here(page, one), "title": app.env.titles[one].astext()}
        for one in pages
        if page in {other, *pages}
    ]


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
    """A lesson names its minutes."""
    page = app.env.docname
    if page.startswith(LESSONS) and not all(minutes(app, page).values()):
        logger.warning("the head needs `minutes:` with `reading` and `exercises`", location=page)


def here(contents: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The part one is in, and the entry of the page one is on."""
    return next((part, entry) for part in contents for entry in part["pages"] if not entry["href"])


def lesson(app: Sphinx, page: str, contents: list[dict[str, Any]]) -> dict[str, Any]:
    """What the head of a lesson shows: its entry in the contents, its part, and where it can be run."""
    part, entry = here(contents)
    word = page.removeprefix(LESSONS)
    return {
        "run": run_links(app, word),
        "notebook": f"{app.builder.get_relative_uri(page, 'notebooks/' + word).removesuffix('.html')}.ipynb",
        "executed": was_executed(app, page),
        "part": part,
        **entry,
    }


def add_context(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    known = page in app.env.titles
    context["contents"] = contents(app, page)
    context["author"] = app.config.author
    context["is_home"] = page == app.config.root_doc
    context["below"] = "home.html" if context["is_home"] else BELOW.get(page)
    context["progress_address"] = f"{app.config.run_address}progress.json" if app.config.run_address else ""
    if page.startswith(OPENINGS):
        open_part(context)
    if page == "book/map":
        context["drawing"] = drawing(context["contents"])
    context["lesson"] = lesson(app, page, context["contents"]) if known and page.startswith(LESSONS) else None
    for role in (' role="list"', ' role="doc-biblioentry"'):  # citations as docutils writes them are no list
        context["body"] = context.get("body", "").replace(role, "")
    if context["lesson"]:
        head = app.builder.templates.render("lesson_head.html", context)
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{head}", 1)


def written_anew(app: Sphinx, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Pages that show other pages' heads are written whenever one of those has changed."""
    shows = [app.config.root_doc, *BELOW, *(page for page in env.found_docs if page.startswith(OPENINGS))]
    return [page for page in shows if page in env.found_docs] if added | changed | removed else []


def open_part(context: dict[str, Any]) -> None:
    """The first page of a part: its number stands over its name, and its lessons below the words."""
    number = r'<h1><span class="part-number">\1<span class="unseen">:</span></span> '
    context["body"] = re.sub(r"<h1>(Part \d+): ", number, context["body"], count=1)
    context["part"] = here(context["contents"])[0]
    context["below"] = "part.html"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("comments_config", {}, "env", dict)  # Jupyter Book sets it, and we load no comments
    app.add_config_value("run_address", "", "env", str)
    app.add_config_value("notebooks_at", "", "html", str)
    app.connect("doctree-read", check_lesson)
    app.connect("html-page-context", add_context)
    app.connect("env-get-outdated", written_anew)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
