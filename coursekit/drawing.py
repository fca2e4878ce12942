"""How flat things are drawn on given axes: pictures, masks, boxes, key points, words, rows.

Everything is placed by the rule that coordinates follow: the pixel in row r and column c covers c to c + 1
and r to r + 1, so a key point lies where it says on the picture below it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import torch

from .descriptions import box_name, cells_of, class_name
from .figures import INK, LIGHT, PAPER, QUIET, colour_of, inches, ink_on, legend, note
from .tensors import Boxes, DicomImage, Image, Keypoints, Mask, Row, Volume, plain

MOST_NAMES, MOST_ROWS, SHORT = 12, 20, 40
# Values this far outside 0..1 are what resizing leaves behind, not another scale.
NEARLY = 0.02


def picture_size(height: float, width: float, area: float = 3.2 * 3.2) -> tuple[float, float]:
    """Choose width and height in inches of a figure for something of these proportions.

    >>> picture_size(100, 400)
    (6.4, 1.6)
    """
    ratio = min(4.0, max(0.25, width / height)) if width and height else 1.0
    return round((area * ratio) ** 0.5, 2), round((area / ratio) ** 0.5, 2)


def draw_picture(x: Image, axes: Any) -> None:
    """Draw a picture: three channels as colours, one as grey, and note what was not drawn as it is."""
    channels, height, width = x.shape
    if not x.numel():
        note(axes, f"no pixels: {channels} x {height} x {width}")
        return
    values = plain(x.windowed(*window_of(x)) if isinstance(x, DicomImage) else x).detach().cpu()
    if channels not in (1, 3):
        shown = "first 3 are" if channels > 3 else "first is"
        note(axes, f"{channels} channels, of which the {shown} shown")
    pixels = brightness(values[: 3 if channels >= 3 else 1], axes).movedim(0, -1).squeeze(-1)
    axes.imshow(pixels.numpy(), cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0))
    if isinstance(x, DicomImage) and x.spacing is not None:
        axes.set_aspect(x.spacing[0] / x.spacing[1])


def window_of(x: DicomImage | Volume) -> tuple[float, float]:
    """Find the window to look through: the one of the scan, or else one that holds all its values."""
    if x.window is not None and None not in x.window:
        return x.window
    values = plain(x).detach()
    finite = values[values.isfinite()].float()
    low, high = (finite.min().item(), finite.max().item()) if finite.numel() else (0.0, 1.0)
    return (low + high) / 2, max(high - low, 1e-12)


def brightness(values: torch.Tensor, axes: Any) -> torch.Tensor:
    """Bring the values of a picture to 0..1, and note under it whatever that changes.

    Floating point outside 0..1, as after normalising, is stretched from its smallest to its largest value.
    A pixel with NaN becomes pink: grey it could be mistaken for something.
    """
    if not values.is_floating_point():
        return values / 255
    values = values.float()
    finite = values[values.isfinite()]
    low, high = (finite.min().item(), finite.max().item()) if finite.numel() else (0.0, 1.0)
    if low < -NEARLY or high > 1 + NEARLY:
        note(axes, f"values {low:.3g} to {high:.3g}, stretched to black and white")
        values = (values - low) / max(high - low, 1e-12)
    missing = values.isnan().any(dim=0)
    if missing.any():
        note(axes, f"{int(missing.sum()):,} of {missing.numel():,} pixels are NaN (pink)")
        pink = torch.tensor(colour_of(6))[:, None, None]
        values = torch.where(missing, pink, values.expand(3, *missing.shape))
    return values.clamp(0, 1)


def coloured(classes: torch.Tensor, over: bool) -> torch.Tensor:
    """Give each class its colour: (height, width, 4) of 0..1. Numbers below 0 stand for nothing and get none.

    What lies over a picture lets it shine through, and leaves class 0 clear: it is what surrounds things.
    """
    numbers, places = classes.unique(return_inverse=True)
    alpha = [0.0 if n < 0 or (over and n == 0) else 0.55 if over else 1.0 for n in numbers.tolist()]
    colours = [(*colour_of(max(n, 0)), a) for n, a in zip(numbers.tolist(), alpha, strict=True)]
    return torch.tensor(colours)[places]


def explain_classes(present: Sequence[int], vocab: Sequence[str] | None, over: bool, axes: Any) -> None:
    """Name the colours of the classes that are there, if they have names."""
    named = [number for number in present if number >= (1 if over else 0)]
    if vocab is not None:
        if len(named) > MOST_NAMES:
            note(axes, f"{len(named)} classes, of which {MOST_NAMES} are named")
        legend(axes, [(class_name(number, vocab), colour_of(number)) for number in named[:MOST_NAMES]])


def draw_mask(x: Mask, axes: Any, canvas: Sequence[int] | None = None) -> None:
    """Draw a mask in the colours of its classes; with a canvas, over the picture of that size."""
    height, width = canvas or x.shape
    if not x.numel():
        note(axes, f"a mask without pixels: {x.shape[0]} x {x.shape[1]}")
        return
    if (height, width) != tuple(x.shape):
        note(axes, f"the mask, {x.shape[0]} x {x.shape[1]}, is stretched over {height} x {width}")
    classes = plain(x).detach().cpu().long()
    axes.imshow(
        coloured(classes, canvas is not None).numpy(), extent=(0, width, height, 0), interpolation="nearest"
    )
    explain_classes(classes.unique().tolist(), x.vocab, canvas is not None, axes)


def draw_boxes(x: Boxes, axes: Any, canvas: Sequence[int] | None = None) -> None:
    """Draw boxes in the colours of their classes, each with its name; one of NaN is not there."""
    from matplotlib.patches import Rectangle

    lay_canvas(x, axes, canvas)
    present = x.present.tolist()
    for number, (left, top, right, bottom) in enumerate(plain(x).detach().cpu().tolist()):
        if not present[number]:
            continue
        label = x.labels[number] if x.labels is not None else 0
        colour = colour_of(label if isinstance(label, int) else 0, first=1)
        box = Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=2)
        box.set_path_effects(cased(3.5))
        axes.add_patch(box)
        if name := box_name(x, number):
            # Above its box, or inside where there is no room above.
            inside = top < 0.1 * axes.get_ylim()[0]
            write_beside(name, (left, top), (-1, -1 if inside else 1), axes).set(
                color=ink_on(colour), va="top" if inside else "bottom",
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.5},
            )  # fmt: skip


def draw_points(x: Keypoints, axes: Any, canvas: Sequence[int] | None = None) -> None:
    """Draw key points, with their names if these are few. What changes places in a mirror has one colour.

    No lines join them: a line would claim a bone that nobody marked.
    """
    lay_canvas(x, axes, canvas)
    names = x.names or ()
    mates = {right: left for left, right in x.pairs or ()}
    kinds = list(dict.fromkeys(mates.get(name, name) for name in names))
    present = x.present.tolist()
    for number, (across, down) in enumerate(plain(x).detach().cpu().tolist()):
        if not present[number]:
            continue
        kind = kinds.index(mates.get(names[number], names[number])) if names else 0
        colour = colour_of(kind, first=1)
        axes.plot(across, down, "o", markersize=6, color=colour, markeredgecolor=PAPER, clip_on=False)
        if names and len(names) <= MOST_NAMES:
            far = across > 0.75 * axes.get_xlim()[1]
            text = write_beside(names[number], (across, down), (-6 if far else 6, 0), axes)
            text.set(ha="right" if far else "left", va="center", path_effects=cased(2.5))


def write_beside(text: str, place: tuple[float, float], offset: tuple[int, int], axes: Any) -> Any:
    """Write a name beside a place. It takes no room, so that nothing else moves when the place does."""
    written = axes.annotate(text, place, offset, textcoords="offset points", fontsize="small", color=INK)
    written.set(in_layout=False, parse_math=False)
    return written


def cased(width: float) -> list[Any]:
    """Put a white rim around a line or letters, so that they are seen on any picture."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground=PAPER)]


def lay_canvas(x: Boxes | Keypoints, axes: Any, picture: Sequence[int] | None) -> None:
    """Prepare an empty canvas for what has no picture under it, or say that it belongs to another one."""
    if picture is not None:
        if x.canvas is not None and tuple(x.canvas) != tuple(picture):
            kind = type(x).__name__.lower()
            note(axes, f"the {kind} are for {x.canvas[0]} x {x.canvas[1]}, not {picture[0]} x {picture[1]}")
        return
    from matplotlib.patches import Rectangle

    height, width = canvas_of(x)
    paper = Rectangle((0, 0), width, height, facecolor=LIGHT, edgecolor=QUIET, linewidth=0.8, zorder=0)
    paper.set_clip_on(False)
    axes.add_patch(paper)
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")


def canvas_of(x: Boxes | Keypoints) -> tuple[float, float]:
    """Find height and width of the canvas: the one that is known, or one that holds all there is."""
    if x.canvas is not None and not x.is_batch:
        return x.canvas
    rows = plain(x).detach().cpu().float().reshape(-1, 2)
    farthest = rows[rows.isfinite().all(dim=-1)]
    if not len(farthest):
        return 1.0, 1.0
    width, height = (max(1.0, 1.05 * value) for value in farthest.amax(dim=0).tolist())
    return height, width


def draw_words(text: str, axes: Any) -> None:
    """Write a name or an amount, large and in the middle."""
    lines = textwrap.wrap(text, max(8, int(9 * inches(axes)[0])))
    axes.text(
        0.5, 0.5, "\n".join(lines), transform=axes.transAxes, ha="center", va="center", color=INK,
        fontsize="x-large", linespacing=1.4, parse_math=False,
    )  # fmt: skip


def draw_text(text: str, axes: Any) -> None:
    """Write a text, broken into lines; what does not fit is left out, and noted."""
    if len(text) <= SHORT:
        draw_words(text, axes)
        return
    width, height = inches(axes)
    lines = [
        line for part in text.split("\n") for line in textwrap.wrap(part, max(12, int(12.5 * width))) or [""]
    ]
    room = max(1, int(height / 0.21))
    written = axes.text(0, 1, "\n".join(lines[:room]), transform=axes.transAxes, va="top", color=INK)
    written.set(linespacing=1.4, parse_math=False)
    if len(lines) > room:
        note(axes, f"the first {room} of {len(lines):,} lines")


def draw_row(x: Row, axes: Any) -> None:
    """Draw a row of a table: names on the left, values on the right."""
    draw_cells(x.names or [f"column {number}" for number in range(len(x))], cells_of(x), axes)


def draw_cells(names: Sequence[Any], values: Sequence[str], axes: Any) -> None:
    """Draw names on the left and what stands under each on the right."""
    cells = list(zip(map(str, names), values, strict=True))[:MOST_ROWS]
    axes.set(xlim=(0, 1), ylim=(max(1, len(cells), inches(axes)[1] / 0.35), 0))
    for number, (name, cell) in enumerate(cells):
        if number % 2 == 0:
            axes.axhspan(number, number + 1, color=LIGHT, linewidth=0)
        for across, text, colour, side in ((0.03, name, QUIET, "left"), (0.97, cell, INK, "right")):
            written = axes.text(across, number + 0.5, text, ha=side, va="center", fontsize="medium")
            written.set(color=colour, parse_math=False)
    if len(names) > MOST_ROWS:
        note(axes, f"the first {MOST_ROWS} of {len(names)} columns")
