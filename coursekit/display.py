"""Look at anything: one word, `show`, drawn differently for each kind of thing.

>>> from matplotlib import pyplot
>>> show(Image(torch.zeros(3, 8, 8)), title="night")
>>> pyplot.gca().get_title()
'night'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from .dispatch import method
from .tensors import Category, Image, Mask, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's colours (2008), which people with any kind of colour vision can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999")


@method
def show(x: Image, title: str | None = None, axes: Any = None) -> None:
    """Draw a value: a picture, a mask, a name, or a tuple of things that belong together.

    Args:
        x: What to draw. A picture is `(C, H, W)` with one or three channels, 0..255 or 0..1.
        title: What to write above it.
        axes: Where to draw, as matplotlib made it; without it a new figure is made.

    Raises:
        ValueError: A batch came; `show_grid` draws those.

    >>> from matplotlib import pyplot
    >>> show((Image(torch.rand(3, 8, 8)), "noise"))
    >>> pyplot.gca().get_title()
    'noise'
    """
    if x.ndim != 3:
        raise ValueError(
            f"show draws one picture, (C, H, W); this {type(x).__name__} has shape {tuple(x.shape)}. "
            "Draw the pictures of a batch with show_grid(batch)."
        )
    axes = _axes(axes)
    pixels = plain(x).detach().cpu()
    pixels = pixels.clamp(0, 1) if pixels.is_floating_point() else pixels / 255
    axes.imshow(pixels.permute(1, 2, 0).squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=1)
    _finish(axes, title)


@method
def show(x: Mask, title: str | None = None, axes: Any = None) -> None:
    from matplotlib.colors import ListedColormap

    axes = _axes(axes)
    classes = (plain(x).detach().cpu() % len(COLOURS)).numpy()
    axes.imshow(classes, cmap=ListedColormap(COLOURS), vmin=0, vmax=len(COLOURS) - 1, interpolation="nearest")
    _finish(axes, title)


@method
def show(x: Category | str, title: str | None = None, axes: Any = None) -> None:
    axes = _axes(axes)
    axes.text(0.5, 0.5, str(x), ha="center", va="center", fontsize="x-large")
    _finish(axes, title)


@method
def show(x: tuple, title: str | None = None, axes: Any = None) -> None:
    if len(x) == 2 and isinstance(x[1], (str, Category)):
        show(x[0], str(x[1]) if title is None else title, axes)
        return
    axes = _axes(axes)
    for part in x:
        show(part, title, axes)


def show_grid(
    values: Sequence, titles: Sequence[str] | None = None, columns: int = 3, size: float = 2.4
) -> None:
    """Draw several values side by side.

    Args:
        values: What to draw, each as `show` draws it; a batch of pictures is one too.
        titles: What to write above each.
        columns: How many stand beside each other.
        size: Height and width of each, in inches.

    Raises:
        ValueError: Nothing to draw, or another number of titles than of values.

    >>> from matplotlib import pyplot
    >>> show_grid([Image(torch.rand(3, 8, 8)) for _ in range(4)], titles=list("abcd"))
    >>> [axes.get_title() for axes in pyplot.gcf().axes]
    ['a', 'b', 'c', 'd']
    """
    from matplotlib import pyplot

    values = list(values)
    if not values:
        raise ValueError("show_grid needs something to draw; an empty list came.")
    if titles is not None and len(titles) != len(values):
        raise ValueError(
            f"show_grid needs a title for each value: {len(values)} values, {len(titles)} titles."
        )
    columns = min(columns, len(values))
    rows = -(-len(values) // columns)
    figure = pyplot.figure(figsize=(columns * size, rows * (size + 0.35)), layout="constrained")
    for number, value in enumerate(values):
        title = titles[number] if titles is not None else None
        show(value, title, figure.add_subplot(rows, columns, number + 1))


def show_heat(x: Image, heat: torch.Tensor, title: str | None = None, axes: Any = None) -> None:
    """Draw a picture with a glow over it: bright where a number for each place is high.

    Args:
        x: The picture, `(C, H, W)`.
        heat: `(h, w)` numbers of any size, stretched over the picture.

    >>> show_heat(Image(torch.zeros(1, 8, 8)), torch.rand(2, 2))
    """
    axes = _axes(axes)
    show(x, title, axes)
    height, width = x.shape[-2:]
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    glow = plain(heat).detach().cpu().float().numpy()
    axes.imshow(glow, cmap="inferno", alpha=0.5, extent=extent, interpolation="bilinear", vmin=0)


def _axes(axes: Axes | None) -> Axes:
    """The given axes, or those of a new figure."""
    if axes is not None:
        return axes
    from matplotlib import pyplot

    return pyplot.figure(figsize=(3.2, 3.2), layout="constrained").add_subplot()


def _finish(axes: Axes, title: str | None) -> None:
    axes.set_axis_off()
    if title is not None:
        axes.set_title(title, fontsize="medium")
