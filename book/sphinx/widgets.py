"""What moves in a page: its scripts and its pictures are files of the site, and a browser fetches each once.

A widget comes out of a cell as HTML with everything inside, since a notebook has no other files. On a page
that is no lesson, a directive shows one:

    ```{widget} kit.step_down(lambda w: w**2, start=0.8)
    :alt: A bowl with a ball in it.
    :caption: Where does it come to rest?
    ```
"""

from __future__ import annotations

import re
from base64 import b64decode
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

import coursekit
from coursekit.widgets import modules
from coursekit.widgets.widget import Widget

logger = logging.getLogger(__name__)

WIDGETS = "_static/widgets"
WIDGET = 'class="coursekit-'
NAME = re.compile(r'class="coursekit-(\w+)"')
PICTURE = re.compile(r"data:image/(\w+);base64,([A-Za-z0-9+/=]+)")
BYTES = re.compile(r"data:application/octet-stream;base64,([A-Za-z0-9+/=]+)")
# A widget writes no "<" into its data.
DATA = re.compile(r'<script type="application/json">([^<]{8000,})</script>')
SCRIPT = re.compile(r"<script>.*?</script>", re.DOTALL)
ANY_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
WITHOUT_ALT = "a widget without a text alternative: give it `alt`"


def named_after(held: bytes, folder: Path, ending: str, content: bytes) -> str:
    """Write a file that is named after what it holds, so that a browser may keep it; its name."""
    name = f"{sha256(held).hexdigest()[:16]}.{ending}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return name


def with_files(text: str, folder: Path, address: str) -> str:
    """Write the pictures inside a text into a folder, and name their addresses instead.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with_files('<img src="data:image/webp;base64,AAAA">', Path(folder), "../_images")
    '<img src="../_images/709e80c88487a241.webp">'
    """

    def write(found: re.Match[str]) -> str:
        content = b64decode(found[2])
        return f"{address}/{named_after(content, folder, found[1], content)}"

    return PICTURE.sub(write, text)


def with_bytes(text: str, folder: Path, address: str) -> str:
    """Write other bytes inside a text, such as weights, into scripts: from a disk a page reads no others.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(with_bytes('"data:application/octet-stream;base64,AAAA"', Path(folder), "widgets"))
    ...     print(Path(folder, "709e80c88487a241.js").read_text())
    "widgets/709e80c88487a241.js"
    document.currentScript.bytes = "AAAA";
    """

    def write(found: re.Match[str]) -> str:
        script = f'document.currentScript.bytes = "{found[1]}";'
        return f"{address}/{named_after(b64decode(found[1]), folder, 'js', script.encode())}"

    return BYTES.sub(write, text)


def with_data(text: str, folder: Path, address: str) -> str:
    """Write what a widget shows, where it is much, into a script: a page is read before its widgets move.

    >>> import tempfile
    >>> much = "0" * 8000
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with_data(f'<script type="application/json">"{much}"</script>', Path(folder), "..")
    '<script type="application/json" data-from="../dcd5a1a40dfeb697.js"></script>'
    """

    def write(found: re.Match[str]) -> str:
        script = f"document.currentScript.values = {found[1]};"
        name = named_after(found[1].encode(), folder, "js", script.encode())
        return f'<script type="application/json" data-from="{address}/{name}"></script>'

    return DATA.sub(write, text)


def widgets_in(bundle: nodes.Element) -> list[nodes.raw]:
    """What moves in a page: HTML of ours that a cell gave out."""
    return [raw for raw in bundle.findall(nodes.raw) if WIDGET in raw.astext()]


def name_widget(raw: nodes.raw, alt: str, cell: nodes.container) -> None:
    """Say of a widget as a whole what it shows; its pictures have texts of their own."""
    if not alt:
        logger.warning("a figure without alternative text: give its cell `alt`", location=cell)
    raw.replace_self(nodes.raw("", named(raw.astext(), alt), format="html"))


def named(text: str, alt: str) -> str:
    """The HTML of a widget as a group with a name."""
    return text.replace(WIDGET, f'role="group" aria-label="{escape(alt)}" {WIDGET}', 1)


class ShownWidget(SphinxDirective):
    """A widget that an expression makes, with `kit` the library."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"alt": directives.unchanged, "caption": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        if not (alt := " ".join(self.options.get("alt", "").split())):
            logger.warning(WITHOUT_ALT, location=self.get_location())
        raw = nodes.raw("", named(self.widget()._repr_html_(), alt), format="html")
        self.set_source_info(raw)
        if "caption" not in self.options:
            return [raw]
        words, messages = self.parse_inline(self.options["caption"])
        return [nodes.figure("", raw, nodes.caption("", "", *words), classes=["cell-figure"]), *messages]

    def widget(self) -> Widget:
        """What the expression makes; the page is made anew when any module of the widgets changes."""
        expression = self.arguments[0]
        try:
            made = eval(expression, {"kit": coursekit})
        except Exception as error:
            raise self.error(f"{expression}: {type(error).__name__}: {error}") from error
        if not isinstance(made, Widget):
            raise self.error(f"{expression} makes no widget, but {type(made).__name__}: {made!r:.80}")
        for module in Path(modules.__file__).parent.glob("*.py"):  # a widget may show what another one trains
            self.env.note_dependency(str(module))
        return made


class LightWidgets(SphinxPostTransform):
    """Take pictures and scripts out of the widgets of a page; in a book on paper their stills are left."""

    default_priority = 220
    formats = ("html",)

    def run(self, **_: Any) -> None:
        builder, used = self.app.builder, set()
        here = builder.get_target_uri(self.env.docname)
        for raw in list(self.document.findall(nodes.raw)):
            if WIDGET not in (text := raw.astext()):
                continue
            text = with_files(text, Path(builder.outdir) / "_images", relative_uri(here, "_images"))
            text = with_bytes(text, Path(builder.outdir) / WIDGETS, relative_uri(here, WIDGETS))
            if builder.name == "html":
                text = with_data(text, Path(builder.outdir) / WIDGETS, relative_uri(here, WIDGETS))
            used.update(name for name in NAME.findall(text) if name in modules.names())
            pattern = SCRIPT if builder.name == "html" else ANY_SCRIPT
            raw.replace_self(nodes.raw("", pattern.sub("", text), format="html"))
        for name in sorted(used) if builder.name == "html" else ():
            write_script(Path(builder.outdir) / WIDGETS, name)
            address = relative_uri(here, f"{WIDGETS}/{name}.js")
            self.document += nodes.raw("", f'<script src="{address}" async></script>', format="html")


def write_script(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.js").write_text(modules.classic(name), encoding="utf8")


def renew_scripts(app: Sphinx, exception: Exception | None) -> None:
    """A script that changed is new also for the pages that were not written this time."""
    if exception is None and app.builder.name == "html":
        folder = Path(app.builder.outdir) / WIDGETS
        for name in modules.names():
            if (folder / f"{name}.js").exists():
                write_script(folder, name)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("widget", ShownWidget)
    app.add_post_transform(LightWidgets)
    app.connect("build-finished", renew_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
