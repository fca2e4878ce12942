"""Flipbooks: pictures drawn beforehand, and a slider to go through them, with or without a kernel.

A flipbook is HTML with its pictures and a small script inside. That is all it needs in Jupyter, VS Code and
Colab, in a saved notebook, and on a page of the book opened from a file; where scripts are not allowed, as in
a notebook that is not trusted, its first picture is shown. Nothing moves by itself.
"""

from __future__ import annotations

import html
import importlib.resources
import io
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..display import VIEWERS, show
from ..drawing import draw_picture, picture_size, window_of
from ..figures import PAPER, framed
from ..scenes import name_sides
from ..screens import find_style
from ..tensors import DicomImage, Volume

if TYPE_CHECKING:
    from PIL.Image import Image as Photo

# A page holds all pictures of its flipbooks: 24 of these are as large as one photo.
MOST_BYTES = 25_000
MOST_SLICES = 24
# Dots in an inch: a little finer than it is shown, for screens with small pixels.
DOTS, SHOWN_DOTS = 150, 100
QUALITIES = (88, 78, 66, 54, 42)


@dataclass(frozen=True)
class Frame:
    """One picture of a flipbook.

    Attributes:
        value: What it was drawn for, in words: `30°`.
        alt: What is to be seen.
        picture: The picture itself, in WebP.
    """

    value: str
    alt: str
    picture: bytes

    @property
    def address(self) -> str:
        """The picture as an address that holds all of it."""
        return f"data:image/webp;base64,{b64encode(self.picture).decode()}"


@dataclass(frozen=True)
class Flipbook:
    """Pictures to go through with a slider; a notebook shows them. Made by `flipbook`.

    Attributes:
        label: What the slider changes.
        frames: The pictures, in order, all of one size.
        size: How wide and high they are shown, in pixels of a page.
        start: The number of the one that is shown first.

    >>> book = Flipbook("part", (Frame("0", "Nothing.", b""), Frame("1", "All.", b"")), (320, 240), start=1)
    >>> book
    Flipbook(part: 2 pictures, 0 to 1)
    """

    label: str
    frames: tuple[Frame, ...]
    size: tuple[int, int]
    start: int

    def __repr__(self) -> str:
        first, last = self.frames[0].value, self.frames[-1].value
        return f"Flipbook({self.label}: {len(self.frames)} pictures, {first} to {last})"

    def _repr_html_(self) -> str:
        first, (width, height) = self.frames[self.start], self.size
        frames = [{"value": one.value, "alt": one.alt, "picture": one.address} for one in self.frames]
        # Written so that no text in it can end the element it stands in.
        data = json.dumps({"label": self.label, "start": self.start, "frames": frames}).replace(
            "<", "\\u003c"
        )
        script = importlib.resources.files(__package__).joinpath("flipbook.js").read_text("utf-8")
        return (
            '<div class="coursekit-flipbook">'
            f'<img src="{first.address}" alt="{html.escape(first.alt)}" width="{width}" '
            f'height="{height}" style="max-width: 100%; height: auto">'
            f'<script type="application/json">{data}</script></div>'
            f"<script>{script}</script>"
        )


def flipbook(
    draw: Callable[[Any], Any],
    values: Sequence[Any],
    label: str = "step",
    unit: str = "",
    start: Any = None,
    alt: Callable[[Any], str] | None = None,
) -> Flipbook:
    """Draw a picture for each value, and put them behind a slider that needs no kernel.

    Args:
        draw: Is given one value. It draws a figure, with `show` or with matplotlib, or returns a figure, or
            something that `show` draws.
        values: What to draw for, in order; up to some thirty keep a page light.
        label: What the slider changes, such as `"angle"`.
        unit: What is written after a value, such as `"°"`.
        start: The value to begin with, one of `values`; the first by default.
        alt: Says what is to be seen for a value. By default what `show` wrote, see `alt_text`.

    Returns:
        The flipbook, which a notebook shows if it is the last line of a cell.

    Raises:
        ValueError: No values, a start that is none of them, or nothing, or several figures, drawn for one.

    >>> import torch
    >>> from coursekit.tensors import Image
    >>> flipbook(lambda part: Image(torch.full((3, 8, 8), part)), [0.0, 0.5, 1.0], "brightness")
    Flipbook(brightness: 3 pictures, 0 to 1)
    """
    values = list(values)
    if not values:
        raise ValueError("a flipbook needs a value for each picture; an empty list came.")
    if start is not None and start not in values:
        raise ValueError(f"the start of a flipbook is one of its values, {values}; got {start!r}.")
    words, texts, photos = [], [], []
    for value in values:
        number = f"{value:.6g}" if isinstance(value, float) else str(value)
        words.append(number + (f" {unit}" if unit[:1].isalpha() else unit))
        with drawn_by(draw, value) as figure:
            texts.append(alt(value) if alt else getattr(figure, "alt_text", "") or f"{label} {words[-1]}")
            photos.append(photographed(figure))
    size = max(photo.width for photo in photos), max(photo.height for photo in photos)
    pictures = [compressed(photo, size) for photo in photos]
    frames = tuple(map(Frame, words, texts, pictures))
    shown = round(size[0] * SHOWN_DOTS / DOTS), round(size[1] * SHOWN_DOTS / DOTS)
    return Flipbook(label, frames, shown, 0 if start is None else values.index(start))


@contextmanager
def drawn_by(draw: Callable[[Any], Any], value: Any) -> Iterator[Any]:
    """Let a picture be drawn for a value, and close its figure afterwards."""
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    open_before = set(pyplot.get_fignums())
    viewers = dict(VIEWERS)
    VIEWERS.clear()  # within a picture there can be no slider
    try:
        result = draw(value)
        figure = result if isinstance(result, Figure) else getattr(result, "figure", None)
        if figure is None and result is not None and set(pyplot.get_fignums()) == open_before:
            show(result)
        new = [number for number in pyplot.get_fignums() if number not in open_before]
        if figure is None and len(new) != 1:
            raise ValueError(
                f"each picture of a flipbook is one figure; for {value!r}, {len(new) or 'none'} were drawn. "
                "Let the function draw one, or return what is to be shown."
            )
        yield figure or pyplot.figure(new[0])
    finally:
        VIEWERS.update(viewers)
        for number in set(pyplot.get_fignums()) - open_before:
            pyplot.close(number)


def photographed(figure: Any) -> Photo:
    """Make a picture of a figure."""
    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS, pil_kwargs={"compress_level": 1})
    return Image.open(drawn).convert("RGB")


def compressed(photo: Photo, size: tuple[int, int]) -> bytes:
    """Save a picture as WebP, as good as can be in a size that a page can carry many times.

    It is put in the middle of a card, so that all pictures of a flipbook are of one size and nothing below
    them moves.
    """
    from PIL import Image

    card = Image.new("RGB", size, PAPER)
    card.paste(photo, ((size[0] - photo.width) // 2, (size[1] - photo.height) // 2))
    for quality in QUALITIES:
        file = io.BytesIO()
        card.save(file, "webp", quality=quality, method=4)
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue()


def go_through(x: Volume, title: str | None = None) -> None:
    """Show a scan slice by slice, as a flipbook through its depth."""
    from IPython.display import display

    depth, height, width = x.shape[-3:]
    count = min(depth, MOST_SLICES)
    numbers = [int((number + 0.5) * depth / count) for number in range(count)]
    spacing = x.spacing[1:] if x.spacing is not None else (1.0, 1.0)
    window, size = window_of(x), picture_size(height * spacing[0], width * spacing[1])

    def draw(number: int) -> None:
        slice_ = DicomImage(x.slice(number), window=window)
        for one, place in framed(slice_, title, None, size):
            draw_picture(one, place)
            if x.orientation:
                name_sides(x.orientation, 0, (0, width, height, 0), False, place)

    display(flipbook(draw, numbers, "depth", start=numbers[count // 2]))


if find_style() == "notebook":
    VIEWERS[Volume] = go_through
