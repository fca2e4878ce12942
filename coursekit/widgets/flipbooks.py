"""Flipbooks: pictures drawn beforehand, and a slider to go through them, with or without a kernel.

A flipbook is HTML with its pictures and a small script inside. That is all it needs in Jupyter, VS Code and
Colab, in a saved notebook, and on a page of the book opened from a file; where scripts are not allowed, as in
a notebook that is not trusted, its first picture is shown. Nothing moves by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..display import VIEWERS
from ..drawing import draw_picture, picture_size, window_of
from ..figures import framed
from ..scenes import name_sides
from ..screens import find_style
from ..tensors import DicomImage, Volume
from .stills import compressed, drawn_by, photographed
from .widget import Widget, webp_address

MOST_SLICES = 24


@dataclass(frozen=True, repr=False)
class Flipbook(Widget):
    """Pictures to go through with a slider; a notebook shows them. Made by `flipbook`.

    What `live()` shows has the `value` of the picture that is seen, in words, in its `state`.

    >>> flipbook(lambda power: [[number**power for number in range(5)]], [1, 2, 3], "power")
    Flipbook(power: 3 pictures, 1 to 3)
    """

    name = "flipbook"

    def __repr__(self) -> str:
        values = [frame["value"] for frame in self.data["frames"]]
        return f"Flipbook({self.data['label']}: {len(values)} pictures, {values[0]} to {values[-1]})"


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
        words.append(with_unit(value, unit))
        with drawn_by(draw, value) as figure:
            texts.append(alt(value) if alt else getattr(figure, "alt_text", "") or f"{label} {words[-1]}")
            photos.append(photographed(figure))
    size = max(photo.width for photo in photos), max(photo.height for photo in photos)
    pictures = [compressed(photo, size) for photo in photos]
    rows = zip(words, texts, map(webp_address, pictures), strict=True)
    frames = [{"value": word, "alt": text, "picture": address} for word, text, address in rows]
    first = 0 if start is None else values.index(start)
    return Flipbook(texts[first], pictures[first], {"label": label, "start": first, "frames": frames})


def with_unit(value: Any, unit: str) -> str:
    """A value as its slider says it; a unit that is a word stands apart.

    >>> with_unit(30.0, "°"), with_unit(3, "mm")
    ('30°', '3 mm')
    """
    number = f"{value:.6g}" if isinstance(value, float) else str(value)
    return number + (f" {unit}" if unit[:1].isalpha() else unit)


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
