"""The notebook of each lesson, beside its page, to download: made anew when the lesson is read anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from page_frame import LESSONS
from sphinx.application import Sphinx
from sphinx.util import logging

from coursekit.lessons import Release, lesson_notebook

logger = logging.getLogger(__name__)


def make_notebook(app: Sphinx, document: nodes.document) -> None:
    """Make the notebook of a lesson; what cannot be shown in one is a warning that names the page."""
    env: Any = app.env
    if not env.docname.startswith(LESSONS):
        return
    env.notebooks = getattr(env, "notebooks", {})
    release = Release.parse(app.config.release_file)
    try:
        made = lesson_notebook(env.docname.removeprefix(LESSONS), release, guard=True)
        env.notebooks[env.docname] = nbformat.writes(nbformat.from_dict(made))
    except (LookupError, ValueError) as error:
        logger.warning(f"no notebook can be made: {error}", location=env.docname)


def write_notebooks(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    folder = Path(app.outdir) / "notebooks"
    folder.mkdir(exist_ok=True)
    for page, text in getattr(app.env, "notebooks", {}).items():
        if page in app.env.found_docs:
            (folder / f"{page.removeprefix(LESSONS)}.ipynb").write_text(text, encoding="utf8")


def setup(app: Sphinx) -> dict[str, bool]:
    # Another release is another first cell of every notebook.
    app.add_config_value("release_file", "", "env", str)
    app.connect("doctree-read", make_notebook)
    app.connect("build-finished", write_notebooks)
    # What is made is not brought together from several processes.
    return {"parallel_read_safe": False, "parallel_write_safe": True}
