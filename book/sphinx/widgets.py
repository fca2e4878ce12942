"""Pictures inside widgets become files beside the page, which stays light; what a widget runs comes once.

A widget comes out of a cell as HTML with everything inside, since a notebook has no other files.
"""

from __future__ import annotations

import re
from base64 import b64decode
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

logger = logging.getLogger(__name__)

WIDGET = 'class="coursekit-'
PICTURE = re.compile(r"data:image/(\w+);base64,([A-Za-z0-9+/=]+)")
SCRIPT = re.compile(r"<script>.*?</script>", re.DOTALL)


def with_files(text: str, folder: Path, address: str) -> str:
    """Write the pictures inside a text into a folder, and name their addresses instead.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with_files('<img src="data:image/webp;base64,AAAA">', Path(folder), "../_images")
    '<img src="../_images/709e80c88487a241.webp">'
    """

    def write(found: re.Match[str]) -> str:
        content = b64decode(found[2])
        name = f"{sha256(content).hexdigest()[:16]}.{found[1]}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        return f"{address}/{name}"

    return PICTURE.sub(write, text)


def widgets_in(bundle: nodes.container) -> list[nodes.raw]:
    """What moves in a page: HTML of ours that a cell gave out."""
    return [raw for raw in bundle.findall(nodes.raw) if WIDGET in raw.astext()]


def name_widget(raw: nodes.raw, alt: str, cell: nodes.container) -> None:
    """Say of a widget as a whole what it shows; its pictures have texts of their own."""
    if not alt:
        logger.warning("a figure without alternative text: give its cell `alt`", location=cell)
    text = raw.astext().replace(WIDGET, f'role="group" aria-label="{escape(alt)}" {WIDGET}', 1)
    raw.replace_self(nodes.raw("", text, format="html"))


class LightWidgets(SphinxPostTransform):
    """Take pictures and repeated scripts out of the widgets of a page."""

    default_priority = 220
    formats = ("html",)

    def run(self, **_: Any) -> None:
        builder, scripts = self.app.builder, set()
        address = relative_uri(builder.get_target_uri(self.env.docname), "_images")
        for raw in list(self.document.findall(nodes.raw)):
            if WIDGET not in (text := raw.astext()):
                continue
            text = with_files(text, Path(builder.outdir) / "_images", address)
            scripts.update(SCRIPT.findall(text))
            raw.replace_self(nodes.raw("", SCRIPT.sub("", text), format="html"))
        # At the end of the page, after all widgets that a script looks for.
        self.document += [nodes.raw("", script, format="html") for script in sorted(scripts)]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_post_transform(LightWidgets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
