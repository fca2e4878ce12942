"""What leads on from a page besides its text: the index, where its source is changed, the book as a file."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx


def edit_address(app: Sphinx, page: str) -> str:
    """Where a page's source is changed; nothing where no address is configured, or the page has no source."""
    known = app.config.edit_at and page in app.env.found_docs
    return f"{app.config.edit_at}{app.env.doc2path(page, base=False)}" if known else ""


def general_index(app: Sphinx, page: str) -> dict[str, Any]:
    """The entry of the index in the contents: Sphinx makes it, and no file in `_toc.yml` is it."""
    href = "" if page == "genindex" else app.builder.get_relative_uri(page, "genindex")
    return {"href": href, "title": "Index", "sections": []}


def add_links(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    context["edit_address"] = edit_address(app, page)
    context["carried"] = [(kind.upper(), context["pathto"](f"book.{kind}", 1)) for kind in app.config.carried]
    context["contents"][-1]["pages"].append(general_index(app, page))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_config_value("edit_at", "", "html", str)
    app.add_config_value("carried", [], "html", list)
    app.connect("html-page-context", add_links, priority=600)  # after the contents are there
    return {"parallel_read_safe": True, "parallel_write_safe": True}
