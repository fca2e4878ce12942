"""Pictures for where nothing moves: what draws a figure is let draw, and it is saved as light WebP."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..display import VIEWERS, show
from ..figures import PAPER
from .widget import DOTS

if TYPE_CHECKING:
    from PIL.Image import Image as Photo

# A page holds all pictures of its flipbooks: 24 of these are as large as one photo.
MOST_BYTES = 25_000
QUALITIES = (88, 78, 66, 54, 42)


def still(draw: Callable[[Any], Any], value: Any = None) -> bytes:
    """Make a picture in WebP of what a function draws, with `show` or with matplotlib, or of what it returns.

    >>> still(lambda value: [[0, 1]])[8:12]
    b'WEBP'
    """
    with drawn_by(draw, value) as figure:
        photo = photographed(figure)
    return compressed(photo, photo.size)


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
