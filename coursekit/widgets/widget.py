"""What every widget is: a still picture, what its script is given, and two ways to be shown.

As HTML it holds everything and needs no kernel: that is how a notebook shows it, how it survives saving, and
how it comes onto a page of the book. `live()` shows the same with a kernel behind it, so that Python can read
what a person chose.
"""

from __future__ import annotations

import html
import io
import json
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from . import modules

# Dots in an inch: pictures are drawn a little finer than they are shown, for screens with small pixels.
DOTS, SHOWN_DOTS = 150, 100


@dataclass(frozen=True)
class Widget:
    """Something to be moved by hand, on a page or in a notebook. The kinds of widgets inherit from it.

    Attributes:
        alt: What is to be seen before anything moves, in words.
        still: The same as a picture in WebP, or as HTML that says everything; shown where no scripts run.
        data: What the script is given: numbers, text, lists and dictionaries.
    """

    name: ClassVar[str]

    alt: str
    still: bytes | str
    data: dict[str, Any]

    def _repr_html_(self) -> str:
        # Written so that no text in it can end the element it stands in.
        data = json.dumps(self.data, allow_nan=False).replace("<", "\\u003c")
        return (
            f'<div class="coursekit-{self.name}">{self._still_html()}'
            f'<script type="application/json">{data}</script></div>'
            f"<script>{modules.classic(self.name)}</script>"
        )

    def _still_html(self) -> str:
        """What is seen where no scripts run; a picture takes its room before it is there."""
        from PIL import Image

        if isinstance(self.still, str):
            return self.still
        size = Image.open(io.BytesIO(self.still)).size
        width, height = (round(length * SHOWN_DOTS / DOTS) for length in size)
        return (
            f'<img src="{webp_address(self.still)}" alt="{html.escape(self.alt)}" '
            f'width="{width}" height="{height}" style="max-width: 100%; height: auto">'
        )

    def live(self) -> Any:
        """Show it with a kernel behind it: `state` of the result holds what a person has chosen so far.

        Returns:
            An `anywidget.AnyWidget` with two dictionaries, `data` and `state`. Keep it in a name, show it as
            the last line of a cell, move something, and read `state` in another cell.

        Raises:
            ImportError: The package anywidget, of the extra `notebook`, is missing.
        """
        return kind(self.name)(data=self.data)


def webp_address(picture: bytes) -> str:
    """A picture in WebP as an address that holds all of it."""
    return f"data:image/webp;base64,{b64encode(picture).decode()}"


@cache
def kind(name: str) -> Any:
    """The class of live widgets of a name."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ImportError(
            f"a live widget needs {error.name}, of the extra `notebook`: pip install {error.name}. "
            "Without it the same is shown without a kernel: leave .live() out."
        ) from None
    parts = {one: traitlets.Dict().tag(sync=True) for one in ("data", "state")}
    return type(name.capitalize(), (anywidget.AnyWidget,), {"_esm": modules.live(name), **parts})
