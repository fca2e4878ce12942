"""Pictures: the room for each is there from the start, and it comes when somebody reads near it.

Without their sizes text would move each time one arrives; and on a slow line all of them at once would keep
back what the page needs to be used.
"""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

PICTURE = re.compile(r'<img\b[^>]*\bsrc="([^"]+)"[^>]*>')


@cache
def size(file: Path, changed: float) -> tuple[int, int]:
    """Width and height in pixels; those of a drawing are its view box, often in points."""
    if file.suffix == ".svg":
        drawing = ElementTree.parse(file).getroot()
        if not (box := drawing.get("viewBox")):
            raise ExtensionError(f"{file}: a drawing needs a viewBox, so that its room on a page is known")
        scale = 96 / 72 if drawing.get("width", "").endswith("pt") else 1
        _, _, width, height = map(float, re.split(r"[\s,]+", box.strip()))
        return round(width * scale), round(height * scale)
    with Image.open(file) as picture:
        return picture.size


def settle(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    sources = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}

    def settled(found: re.Match[str]) -> str:
        tag, file = found[0], sources.get(posixpath.basename(found[1]))
        given = "" if "loading=" in tag else ' loading="lazy"'
        if file is not None and "width=" not in tag:
            given += ' width="{}" height="{}"'.format(*size(file, file.stat().st_mtime))
        return tag.replace("<img", f"<img{given}", 1)

    context["body"] = PICTURE.sub(settled, context.get("body", ""))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", settle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
