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

from PIL import Image
from sphinx.application import Sphinx

PICTURE = re.compile(r'<img\b[^>]*\bsrc="([^"]+)"[^>]*>')


@cache
def size(file: Path, changed: float) -> tuple[int, int]:
    """Width and height in pixels."""
    with Image.open(file) as picture:
        return picture.size


def settle(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    sources = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}

    def settled(found: re.Match[str]) -> str:
        tag, file = found[0], sources.get(posixpath.basename(found[1]))
        given = "" if "loading=" in tag else ' loading="lazy"'
        if file is not None and file.suffix != ".svg" and "width=" not in tag:
            given += ' width="{}" height="{}"'.format(*size(file, file.stat().st_mtime))
        return tag.replace("<img", f"<img{given}", 1)

    context["body"] = PICTURE.sub(settled, context.get("body", ""))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", settle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
