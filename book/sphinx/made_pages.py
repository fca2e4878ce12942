"""A page that a lesson made while it was executed, such as one with a model in it; loaded when asked for.

    ```{made-page} Ask the model here
    :credit: solar_cells
    ```

A lesson leaves the page in a folder `page` where it runs; the build keeps it with the results (see
`book/build.py`). Here it is folded, and a browser fetches nothing of it before somebody unfolds it.
"""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from figure_cells import data_line
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

logger = logging.getLogger(__name__)

PLACE = "made_pages"
# Browsers load frames that are hidden, even lazy ones; this one has no address until it is unfolded.
FRAME = """<details class="made-page" data-page="{address}"
ontoggle="this.lastElementChild.src ||= this.dataset.page">
<summary>{title} ({size:.0f} MB)</summary><noscript><p>This needs scripts, and they are off.</p></noscript>
<iframe title="{title}"></iframe></details>"""
MISSING = "This copy is without that page: its lesson was not executed, or could not fetch what it needs."


def kept_pages(app: Sphinx) -> Path:
    """Where the build keeps what lessons made: a folder for each, with their results."""
    return Path(app.config.nb_execution_cache_path or app.outdir) / "pages"


class MadePage(SphinxDirective):
    """The page of the lesson it stands in, folded under a title; without one, a sentence that says so."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"credit": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        word = Path(self.env.docname).name
        page = kept_pages(self.env.app) / word / "index.html"
        self.env.note_dependency(str(page))
        if not page.is_file():
            logger.info(f"{self.env.docname}: left out, since it was not made: {self.arguments[0]}")
            return [nodes.paragraph("", MISSING)]
        size = sum(file.stat().st_size for file in page.parent.rglob("*") if file.is_file()) / 1e6
        here = self.env.app.builder.get_target_uri(self.env.docname)
        address = relative_uri(here, f"{PLACE}/{word}/index.html")
        frame = FRAME.format(title=escape(self.arguments[0]), size=size, address=escape(address))
        shown: list[nodes.Node] = [nodes.raw("", frame, format="html")]
        if "credit" in self.options:
            shown.append(nodes.paragraph("", "", data_line(self.options["credit"])))
        return shown


def copy_pages(app: Sphinx, exception: Exception | None) -> None:
    """Lay the pages that lessons made beside the book's own."""
    if exception or app.builder.name != "html" or not kept_pages(app).is_dir():
        return
    shutil.copytree(kept_pages(app), Path(app.outdir) / PLACE, dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("made-page", MadePage)
    app.connect("build-finished", copy_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
