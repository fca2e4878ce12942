"""The one style sheet and the one script of every page, put together from the files they are written in.

On a slow line each file costs a way there and back, and many at once share the line.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from coursekit.widgets import modules

STYLES = ("frame", "text", "code", "boxes", "course", "quiz", "finding")
SCRIPTS = ("loading", "progress", "marks", "book", "search", "terms", "quiz", "progress_page")


def style_sheet(book: Path) -> str:
    """All of `styles/`; what comes later wins."""
    return "".join((book / "styles" / f"{name}.css").read_text("utf-8") for name in STYLES)


def script(book: Path) -> str:
    """All of `scripts/`; one that fails says so to the browser, and the others run all the same.

    They have `from_page`, what the widgets' `page.js` lends.
    """
    parts = ((book / "scripts" / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    tried = (f"try {{\n{part}}} catch (error) {{ reportError(error); }}\n" for part in parts)
    return f"(() => {{\n{modules.lent('page')}{''.join(tried)}}})();\n"


def write_files(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    book, static = Path(app.srcdir) / "book", Path(app.outdir) / "_static"
    (static / "book.css").write_text(style_sheet(book), encoding="utf-8")
    (static / "book.js").write_text(script(book), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
