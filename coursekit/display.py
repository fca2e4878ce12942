"""Look at anything: one word, `show`, drawn differently for each kind of thing.

>>> from matplotlib import pyplot
>>> show(Image(torch.zeros(3, 8, 8)), title="night")
>>> pyplot.gca().get_title()
'night'

This module says what can be shown. How it is drawn stands in `drawing` (what is flat) and `scenes` (what is
in space), on which paper in `figures`, and what is said of it in `descriptions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from .descriptions import Words, said
from .dispatch import method
from .drawing import (
    MOST_NAMES,
    canvas_of,
    draw_boxes,
    draw_cells,
    draw_mask,
    draw_picture,
    draw_points,
    draw_row,
    draw_text,
    draw_words,
    picture_size,
)
from .figures import INK, WRONG, begin, framed, grid
from .scenes import draw_cloud, draw_slices
from .tensors import (
    Boxes,
    Category,
    DicomImage,
    Image,
    Keypoints,
    Mask,
    MultiCategory,
    PointCloud,
    Row,
    Target,
    Text,
    Volume,
    VolumeMask,
    plain,
)

# Where something else can show a value better than a still picture, a notebook with a slider say, it enters
# itself here: for a type what draws it, given value and title. Only figures of their own are drawn by it.
VIEWERS: dict[type, Callable[[Any, str | None], None]] = {}

Flat = Image | Mask | Boxes | Keypoints

# What is drawn chooses the method, and nothing else. `title`, a text, is `Any` here so that a method for a
# type of your own, which may be a kind of one of these, need not say the same of it.


@method
def show(x: Image, title: Any = None, axes: Any = None) -> None:
    """Draw a value: a picture, a mask, boxes, a scan, points in space, a name, or what belongs together.

    Args:
        x: What to draw. A picture is `(C, H, W)`, 0..255 or 0..1; other floating-point values are stretched,
            and a line under the picture says so. In a tuple, masks, boxes and key points lie over the picture
            before them, and a name becomes the title; a dict shows each part under its name. A batch is drawn
            as a grid of its first items.
        title: What to write above it.
        axes: Where to draw, as matplotlib made it; without it a new figure is made. That figure knows what is
            to be seen in it: `figure.alt_text`.

    Raises:
        NoMethodError: Nobody has said how to draw such a thing; `@show.method` above a function that takes
            `(x, title, axes)` says it.
        ValueError: A batch was to be drawn into given axes.

    >>> from matplotlib import pyplot
    >>> from .photo_sets import flower
    >>> photo, mask, box, points = flower()
    >>> show((photo, box, points, "dahlia"))
    >>> pyplot.gca().get_title()
    'dahlia'
    """
    for picture, place in framed(x, title, axes, picture_size(*x.shape[-2:])):
        draw_picture(picture, place)


@method
def show(x: DicomImage, title: Any = None, axes: Any = None) -> None:
    """Draw a slice through its window, so that a millimetre is as wide as it is high."""
    height, width = x.shape[-2:]
    down, across = x.spacing if x.spacing is not None and not x.is_batch else (1.0, 1.0)
    for picture, place in framed(x, title, axes, picture_size(height * down, width * across)):
        draw_picture(picture, place)


@method
def show(x: Mask, title: Any = None, axes: Any = None) -> None:
    """Draw a mask with a colour for each class, and a legend if the classes have names."""
    width, height = picture_size(*x.shape[-2:])
    for mask, place in framed(x, title, axes, (width, height + legend_room(x))):
        draw_mask(mask, place)


@method
def show(x: Boxes, title: Any = None, axes: Any = None) -> None:
    """Draw boxes on an empty canvas."""
    for boxes, place in framed(x, title, axes, picture_size(*canvas_of(x))):
        draw_boxes(boxes, place)


@method
def show(x: Keypoints, title: Any = None, axes: Any = None) -> None:
    """Draw key points on an empty canvas."""
    for points, place in framed(x, title, axes, picture_size(*canvas_of(x))):
        draw_points(points, place)


@method
def show(x: PointCloud, title: Any = None, axes: Any = None) -> None:
    """Draw points in space as seen from outside."""
    for cloud, place in framed(x, title, axes, (4.2, 3.5)):
        draw_cloud(cloud, place)


@method
def show(x: Volume, title: Any = None, axes: Any = None) -> None:
    """Draw the three middle slices of a scan; in a notebook, a slider goes through its depth."""
    if axes is None and not x.is_batch and Volume in VIEWERS:
        VIEWERS[Volume](x, title)
        return
    for scan, place in framed(x, title, axes, (6.4, 2.6)):
        draw_slices(scan, None, place)


@method
def show(x: VolumeMask, title: Any = None, axes: Any = None) -> None:
    """Draw the three middle slices of a mask in space."""
    for mask, place in framed(x, title, axes, (6.4, 2.6 + legend_room(x))):
        draw_slices(None, mask, place)


@method
def show(
    x: Category | MultiCategory | Target | str | int | float, title: Any = None, axes: Any = None
) -> None:
    """Write a name or an amount."""
    for words, place in framed(said(x), title, axes, (3.2, 1.0)):
        draw_words(words, place)


@method
def show(x: Text, title: Any = None, axes: Any = None) -> None:
    """Write a text, broken into lines."""
    for text, place in framed(x, title, axes, (6.0, 0.5 + 0.21 * min(12, len(x) / 60))):
        draw_text(str(text), place)


@method
def show(x: Row, title: Any = None, axes: Any = None) -> None:
    """Draw a row of a table as two columns: names and values."""
    for row, place in framed(x, title, axes, (3.6, 0.28 * min(20, x.shape[-1]) + 0.2)):
        draw_row(row, place)


@method
def show(x: tuple, title: Any = None, axes: Any = None) -> None:
    """Draw what belongs together: one over the other where that can be, else beside each other."""
    words = [part for part in x if isinstance(part, Words)]
    parts = [part for part in x if not isinstance(part, Words)]
    if words and parts and title is None:
        title = ", ".join(map(said, words))
    if not parts:
        parts = words
    if len(parts) == 1:
        show(parts[0], title, axes)
    elif parts and belongs_on_one_picture(parts):
        draw_over(parts, x, title, axes)
    elif len(parts) == 2 and isinstance(parts[0], Volume) and isinstance(parts[1], VolumeMask):
        for _, place in framed(x, title, axes, (6.4, 2.6 + legend_room(x))):
            draw_slices(parts[0], parts[1], place)
    else:
        beside(parts, [""] * len(parts), x, title, axes)


@method
def show(x: dict, title: Any = None, axes: Any = None) -> None:
    """Draw the parts beside each other, each under its name; words and amounts as a row of a table."""
    if x and all(isinstance(part, Words) for part in x.values()):
        for _, place in framed(x, title, axes, (3.6, 0.28 * min(20, len(x)) + 0.2)):
            draw_cells(list(x), list(map(said, x.values())), place)
        return
    beside(list(x.values()), list(map(str, x)), x, title, axes)


@method
def show(x: list, title: Any = None, axes: Any = None) -> None:
    """Draw each beside the others."""
    beside(x, [""] * len(x), x, title, axes)


def belongs_on_one_picture(parts: Sequence[Any]) -> bool:
    """Whether all may lie over the first: masks, boxes and key points of one thing, at most one picture."""
    flat = [part for part in parts if isinstance(part, Flat) and not part.is_batch]
    return len(flat) == len(parts) and not any(isinstance(part, Image) for part in parts[1:])


def draw_over(parts: Sequence[Any], x: tuple, title: str | None, axes: Any) -> None:
    """Draw masks, boxes and key points over a picture, or over the first of them."""
    first = parts[0]
    size = tuple(first.shape[-2:]) if isinstance(first, Image | Mask) else None
    width, height = picture_size(*(size or canvas_of(first)))
    for _, place in framed(x, title, axes, (width, height + legend_room(x))):
        for part in parts:
            canvas = None if part is first else size
            if isinstance(part, Image):
                draw_picture(part, place)
            elif isinstance(part, Mask):
                draw_mask(part, place, canvas)
            elif isinstance(part, Boxes):
                draw_boxes(part, place, canvas)
            else:
                draw_points(part, place, canvas)


def beside(parts: Sequence[Any], titles: Sequence[str | None], x: Any, title: str | None, axes: Any) -> None:
    """Draw several things in a row: in a figure of their own, or within given axes."""
    if not parts:
        raise ValueError(f"show needs something to draw; an empty {type(x).__name__} came.")
    if axes is None:
        figure = draw_grid(parts, titles, min(3, len(parts)), 2.4)[0].figure
        if title is not None:
            figure.set_figheight(figure.get_figheight() + 0.3)
            figure.suptitle(title, fontsize="medium", color=INK, parse_math=False)
        return
    begin(axes, x, title)
    width = 1 / len(parts)
    for number, (part, name) in enumerate(zip(parts, titles, strict=True)):
        show(part, name, axes.inset_axes((number * width, 0, 0.96 * width, 1)))


def show_grid(
    values: Sequence, titles: Sequence[str] | None = None, columns: int = 3, size: float = 2.4
) -> None:
    """Draw several values side by side.

    Args:
        values: What to draw, each as `show` draws it; a batch is one too, and all of it is drawn.
        titles: What to write above each; without them, of pairs with a name, the names.
        columns: How many stand beside each other.
        size: Height and width of each, in inches.

    Raises:
        ValueError: Nothing to draw, no column, or another number of titles than of values.

    >>> from matplotlib import pyplot
    >>> from .geometry import rotate
    >>> from .photo_sets import flower
    >>> photo = flower()[0]
    >>> show_grid([rotate(photo, degrees) for degrees in (0, 30, 60, 90)], titles=["0°", "30°", "60°", "90°"])
    >>> [axes.get_title() for axes in pyplot.gcf().axes]
    ['0°', '30°', '60°', '90°']
    """
    values = list(values)
    if not values:
        raise ValueError("show_grid needs something to draw; an empty list came.")
    if columns < 1:
        raise ValueError(f"show_grid needs at least one column; got {columns}.")
    if titles is not None and len(titles) != len(values):
        raise ValueError(
            f"show_grid needs a title for each value: {len(values)} values, {len(titles)} titles."
        )
    if titles is None and all(is_named(value) for value in values):
        values, titles = [x for x, _ in values], [said(name) for _, name in values]
    draw_grid(values, titles or [None] * len(values), columns, size)


def is_named(x: Any) -> bool:
    """Whether something is a pair of what can be drawn and what it is called."""
    return isinstance(x, tuple) and len(x) == 2 and isinstance(x[1], Words) and not isinstance(x[0], Words)


def draw_grid(values: Sequence[Any], titles: Sequence[str | None], columns: int, size: float) -> list[Any]:
    """Draw each value in its place, and give the places."""
    typical = sorted(map(proportion, values))[len(values) // 2]
    height = size * typical + 0.35 + max(map(legend_room, values))
    places = grid(len(values), min(columns, len(values)), size, height)
    for value, title, place in zip(values, titles, places, strict=True):
        begin(place, value, title)
        show(value, title, place)
    return places


def proportion(x: Any) -> float:
    """Say how high something is drawn for its width; what has no pixels has room for a square."""
    first = x[0] if isinstance(x, tuple) and x else x
    if not isinstance(first, Image | Mask) or not first.numel():
        return 1.0
    width, height = picture_size(*first.shape[-2:])
    return min(1.5, height / width)


def legend_room(x: Any) -> float:
    """Say how many inches a legend needs below a drawing: a line for every three classes."""
    parts = [part for part in (x if isinstance(x, tuple) else (x,)) if isinstance(part, Mask | VolumeMask)]
    names = max((len(part.vocab) for part in parts if part.vocab is not None), default=0)
    return 0.1 + 0.22 * (-(-min(names, MOST_NAMES) // 3) + (names > MOST_NAMES)) if names else 0.0


def show_results(inputs: Sequence, targets: Sequence, predictions: Sequence, count: int = 9) -> None:
    """Draw inputs with what is true and what was predicted; what is wrong has a cross and a red frame.

    Names and amounts are written above each input. Masks, boxes and the like are drawn: a row has the input,
    the truth and the prediction. Only names can be right or wrong; an amount is never quite right.

    Args:
        inputs: What the model was given: a batch or a list.
        targets: What is true of each.
        predictions: What the model said, of the same types as the targets.
        count: Draw only the first ones.

    Raises:
        ValueError: Nothing to draw, or another number of one than of the others.

    >>> from matplotlib import pyplot
    >>> from .photo_sets import flower, temple
    >>> show_results([flower()[0], Image.open(temple())], ["flower", "temple"], ["flower", "flower"])
    >>> [axes.get_title() for axes in pyplot.gcf().axes]
    ['✓ flower', '✗ said flower, is temple']
    """
    counts = len(inputs), len(targets), len(predictions)
    if len(set(counts)) > 1 or not counts[0]:
        raise ValueError(
            "show_results needs a target and a prediction for each input; there are "
            f"{counts[0]} inputs, {counts[1]} targets and {counts[2]} predictions."
        )
    rows = list(zip(inputs, targets, predictions, strict=True))[:count]
    if all(isinstance(truth, Words) and isinstance(guess, Words) for _, truth, guess in rows):
        verdicts = [verdict(truth, guess) for _, truth, guess in rows]
        places = draw_grid([x for x, _, _ in rows], verdicts, 3, 2.4)
        for place, text in zip(places, verdicts, strict=True):
            if text.startswith("✗"):
                mark_wrong(place)
        return
    cells = [cell for x, truth, guess in rows for cell in (x, together(x, truth), together(x, guess))]
    draw_grid(cells, ["input", "truth", "prediction"] * len(rows), 3, 2.4)


def together(x: Any, about: Any) -> Any:
    """An input with what is known about it, if that can be drawn over it; else only that."""
    over_scan = isinstance(x, Volume) and isinstance(about, VolumeMask)
    return (x, about) if over_scan or belongs_on_one_picture([x, about]) else about


def verdict(truth: Any, guess: Any) -> str:
    """Say what was predicted and what is true.

    >>> verdict("dog", "cat"), verdict(2.0, 1.5)
    ('✗ said cat, is dog', 'said 1.5, is 2')
    """
    if isinstance(truth, Category | MultiCategory | str):
        right = said(truth) == said(guess)
        return f"✓ {said(guess)}" if right else f"✗ said {said(guess)}, is {said(truth)}"
    return f"said {said(guess)}, is {said(truth)}"


def mark_wrong(axes: Any) -> None:
    """Put a red frame around a drawing, and let its title be as red."""
    from matplotlib.patches import Rectangle

    axes.title.set_color(WRONG)
    frame = Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, clip_on=False)
    axes.add_patch(frame)
    frame.set(edgecolor=WRONG, linewidth=3, gid="wrong")


def show_heat(x: Image, heat: torch.Tensor, title: str | None = None, axes: Any = None) -> None:
    """Draw a picture with a glow over it: bright where a number for each place is high.

    Args:
        x: The picture, `(C, H, W)`.
        heat: `(h, w)` numbers of any size, stretched over the picture.

    >>> from .photo_sets import flower
    >>> show_heat(flower()[0], torch.tensor([[0.0, 0.2, 0.0], [0.1, 1.0, 0.1]]))
    """
    height, width = x.shape[-2:]
    for picture, place in framed(x, title, axes, picture_size(height, width)):
        draw_picture(picture, place)
        glow = plain(heat).detach().cpu().float().numpy()
        extent = (0, width, height, 0)
        place.imshow(glow, cmap="inferno", alpha=0.5, extent=extent, interpolation="bilinear", vmin=0)
