"""What each page brings, styles and mark, and its one script, put together from the files that hold them.

On a slow line each file costs a way there and back, and nothing is drawn before the styles are there; a page
that brings them itself is drawn that much earlier.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from coursekit.widgets import modules

STYLES = ("frame", "text", "code", "boxes", "course", "quiz", "finding")
SCRIPTS = ("loading", "progress", "marks", "book", "search", "terms", "quiz", "progress_page")


def style_sheet(book: Path) -> str:
    """All of `styles/` without comments and indents; what comes later wins."""
    text = "".join((book / "styles" / f"{name}.css").read_text("utf-8") for name in STYLES)
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))


# On a new page people see the text first; then one part runs after another, with room between them for what
# people do.
RUN = """
const run = (part) => { try { part(); } catch (error) { reportError(error); } };
const runNext = () => { if (parts.length) { run(parts.shift()); setTimeout(runNext); } };
if (document.documentElement.dataset.rest === "later") requestAnimationFrame(() => setTimeout(runNext));
else parts.forEach(run);
"""


def script(book: Path) -> str:
    """All of `scripts/`; one that fails says so to the browser, and the others run all the same.

    They have `from_page`, what the widgets' `page.js` lends.
    """
    parts = ((book / "scripts" / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    listed = "".join(f"() => {{\n{part}}},\n" for part in parts)
    return f"(() => {{\n{modules.lent('page')}const parts = [\n{listed}];{RUN}}})();\n"


def read_what_is_inside(app: Sphinx, config: Config) -> None:
    """The styles and the mark, as settings, so that all pages are written again when one has changed."""
    book = Path(app.srcdir) / "book"
    config["page_style"] = style_sheet(book)
    config["page_mark"] = (book / "assets" / "pictures" / "mark.svg").read_text("utf-8").strip()


def add_what_is_inside(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    context |= {"page_style": app.config.page_style, "page_mark": app.config.page_mark}


def write_script(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.name == "html":
        file = Path(app.outdir) / "_static" / "book.js"
        file.write_text(script(Path(app.srcdir) / "book"), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    for name in ("page_style", "page_mark"):
        app.add_config_value(name, "", "html", str)
    app.connect("config-inited", read_what_is_inside)
    app.connect("html-page-context", add_what_is_inside)
    app.connect("build-finished", write_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
