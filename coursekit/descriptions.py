"""What is to be seen, in a sentence: for who does not see the picture, and for pages that do not load it.

>>> alt_text((Image(torch.zeros(3, 40, 60)), "night"))
'A colour picture, 40 pixels high and 60 wide, titled “night”.'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch

from .dispatch import method
from .samples import in_digits, list_some
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
    TypedTensor,
    Volume,
    VolumeMask,
    plain,
)

# What is said beside a picture instead of being drawn.
Words = Category | MultiCategory | Target | str | int | float
MOST_THINGS, MOST_LETTERS = 6, 200


@method
def alt_text(x: Image) -> str:
    """Say in a sentence or two what `show` draws: sizes, names, shares and places, read from the data.

    What a photo means only a person can say; a lesson's figures have texts that somebody wrote. Teach it a
    type of your own as you teach `show`: `@alt_text.method`.

    >>> boxes = Boxes([[0, 0, 9, 9], [40, 20, 60, 40]], labels=("cat", "dog"), vocab=("cat", "dog"))
    >>> alt_text(boxes)
    '2 boxes: cat at 4, 4, dog at 50, 30.'
    """
    if x.is_batch:
        return several(x)
    channels, height, width = x.shape
    kind = {1: "grey picture", 3: "colour picture"}.get(channels, f"picture of {channels} channels")
    return f"A {kind}, {height} pixels high and {width} wide."


@method
def alt_text(x: DicomImage) -> str:
    if x.is_batch:
        return several(x)
    height, width = x.shape[-2:]
    size = f"{height} pixels high and {width} wide"
    if x.spacing is not None:
        size += f" ({height * x.spacing[0]:.0f} x {width * x.spacing[1]:.0f} mm)"
    return f"A slice of a scan, {size}{window_text(x)}."


@method
def alt_text(x: Mask | VolumeMask) -> str:
    """Say which classes a mask holds, and how much of it each takes."""
    if x.is_batch:
        return several(x)
    size = f"{x.shape[-2]} pixels high and {x.shape[-1]} wide"
    if isinstance(x, VolumeMask):
        size = f"of {' x '.join(map(str, x.shape))} voxels, in three slices through its middle"
    return f"A mask {size}: {classes_of(x)}."


@method
def alt_text(x: Boxes) -> str:
    if x.is_batch:
        return several(x)
    there = [number for number, present in enumerate(x.present.tolist()) if present]
    names = [box_name(x, number) for number in there]
    rows = plain(x).detach().cpu().float()
    middles = (rows[:, :2] + rows[:, 2:]) / 2
    places = [f"{name or 'one'} {place(middles[n], x.canvas)}" for name, n in zip(names, there, strict=True)]
    if len(places) > MOST_THINGS:
        places = [f"{count} {name}" for name, count in Counter(filter(None, names)).most_common()]
    return sentence(counted(len(there), "box", "boxes"), places)


@method
def alt_text(x: Keypoints) -> str:
    if x.is_batch:
        return several(x)
    there = [number for number, present in enumerate(x.present.tolist()) if present]
    rows = plain(x).detach().cpu().float()
    names = x.names or ["one"] * len(x)
    places = [f"{names[number]} {place(rows[number], x.canvas)}" for number in there]
    if x.names is None and len(there) > MOST_THINGS:
        places = []
    missing = len(x) - len(there)
    said = counted(len(there), "point", "points") + (f" ({missing} more not to be seen)" if missing else "")
    return sentence(said, places)


@method
def alt_text(x: PointCloud) -> str:
    if x.is_batch:
        return several(x)
    rows = plain(x).detach().cpu()[x.present.cpu()]
    if not len(rows):
        return "A cloud of no points."
    ranges = [
        f"{axis} from {low:.3g} to {high:.3g}"
        for axis, low, high in zip("xyz", rows.amin(0)[:3].tolist(), rows.amax(0)[:3].tolist(), strict=True)
    ]
    return f"A cloud of {counted(len(rows), 'point', 'points')} in space: {', '.join(ranges)}."


@method
def alt_text(x: Volume) -> str:
    if x.is_batch:
        return several(x)
    sizes = x.shape[-3:]
    size = f"{' x '.join(map(str, sizes))} voxels"
    if x.spacing is not None:
        lengths = (f"{n * distance:.0f}" for n, distance in zip(sizes, x.spacing, strict=True))
        size += f" ({' x '.join(lengths)} mm)"
    across = f"across depth, height and width{window_text(x)}"
    return f"Three slices through the middle of a scan of {size}, {across}."


@method
def alt_text(x: Text | Category | MultiCategory | Target | str | int | float) -> str:
    words = " ".join(said(x).split())
    return f"The text “{words[:MOST_LETTERS]}{' ...' if len(words) > MOST_LETTERS else ''}”."


@method
def alt_text(x: Row) -> str:
    if x.is_batch:
        return several(x)
    names = x.names or tuple(f"column {number}" for number in range(len(x)))
    cells = [f"{name} {cell}" for name, cell in zip(names, cells_of(x), strict=True)]
    return f"A row of a table: {', '.join(cells[:20])}{' and more' if len(cells) > 20 else ''}."


@method
def alt_text(x: tuple) -> str:
    """Say what lies on what, and what stands above it."""
    titles = [said(part) for part in x if isinstance(part, Words)]
    parts = [part for part in x if not isinstance(part, Words)]
    if not parts:
        return together([("", alt_text(part)) for part in x])
    first = alt_text(parts[0]).removesuffix(".")
    others = [
        f"with a mask: {classes_of(part)}"
        if isinstance(part, Mask | VolumeMask)
        else f"with {lower(alt_text(part))}"
        for part in parts[1:]
    ]
    return ", ".join([first, *others, *(f"titled “{title}”" for title in titles[:1])]) + "."


@method
def alt_text(x: dict) -> str:
    if x and all(isinstance(part, Words) for part in x.values()):
        cells = [f"{name} {said(part)}" for name, part in x.items()]
        return f"A row of a table: {', '.join(cells[:20])}{' and more' if len(cells) > 20 else ''}."
    return together([(str(name), alt_text(part)) for name, part in x.items()])


@method
def alt_text(x: list) -> str:
    return together([("", alt_text(part)) for part in x])


@method
def alt_text(x: Any) -> str:
    """Say of what nobody has described what it is, and no more."""
    if not isinstance(x, torch.Tensor):
        return f"A drawing of a {type(x).__name__}."
    return f"A drawing of a {type(x).__name__}, {' x '.join(map(str, x.shape)) or 'one number'}."


def several(x: TypedTensor) -> str:
    """Say what a batch holds, by its first items."""
    return together([("", alt_text(x[number])) for number in range(min(len(x), 12))], len(x))


def together(parts: Sequence[tuple[str, str]], total: int = 0) -> str:
    """Put the titles and the descriptions of several drawings into one text; what is alike is said once.

    >>> together([("a", "The text “1”."), ("b", "The text “1”.")])
    '2 drawings, titled “a”, “b”. Each: The text “1”.'
    """
    titles, texts = [title.strip() for title, _ in parts], [text for _, text in parts]
    quoted = [f"“{title}”" for title in titles if title]
    if len(parts) == 1:
        add = quoted and quoted[0] not in texts[0]
        return f"{texts[0].removesuffix('.')}, titled {quoted[0]}." if add else texts[0]
    count = f"{len(parts)} drawings" + (f", the first of {total}" if total > len(parts) else "")
    if len(set(texts)) == 1 and parts:
        return f"{count}{', titled ' + ', '.join(quoted) if quoted else ''}. Each: {texts[0]}"
    each = [f"{title}: {text}" if title else text for title, text in zip(titles, texts, strict=True)]
    return f"{count}. {' '.join(f'({number + 1}) {one}' for number, one in enumerate(each))}"


def said(x: Any) -> str:
    """Write out what is said beside a picture: a category, several, an amount, a title."""
    if isinstance(x, float):
        return in_digits(x)
    return str(x) or ("none of them" if isinstance(x, MultiCategory) else "")


def cells_of(x: Row) -> list[str]:
    """Write out the cells of a row: names of kinds, amounts, and `missing` for NaN."""
    numbers: list[float] = plain(x).tolist()
    if x.names is None:
        return [amount(number) for number in numbers]
    cells = [number if number != number else x[name] for name, number in zip(x.names, numbers, strict=True)]
    return [cell if isinstance(cell, str) else amount(cell) for cell in cells]


def amount(number: float) -> str:
    return "missing" if number != number else f"{number:.6g}"


def classes_of(x: Mask | VolumeMask) -> str:
    """Name the classes of a mask with their shares, the largest first."""
    numbers, counts = plain(x).detach().cpu().unique(return_counts=True)
    shares = sorted(zip((-counts).tolist(), numbers.tolist(), strict=True))
    return (
        list_some(
            [f"{class_name(number, x.vocab)} {share(-count / x.numel())}" for count, number in shares],
            MOST_THINGS,
        )
        or "empty"
    )


def box_name(x: Boxes, number: int) -> str:
    """Name the class of a box; nothing if it has none."""
    return "" if x.labels is None else class_name(x.labels[number], x.vocab)


def class_name(number: Any, vocab: Sequence[str] | None) -> str:
    """Name a class, or write its number out as one.

    >>> class_name(1, ("sky", "tree")), class_name(7, ("sky", "tree")), class_name("car", None)
    ('tree', 'class 7', 'car')
    """
    if isinstance(number, str):
        return number
    number = int(number)
    return vocab[number] if vocab is not None and 0 <= number < len(vocab) else f"class {number}"


def place(point: torch.Tensor, canvas: Sequence[float] | None) -> str:
    """Say where on the canvas a place (x, y) is, in thirds."""
    x, y = point.tolist()
    if canvas is None:
        return f"at {x:.0f}, {y:.0f}"
    height, width = canvas
    down, across = (("top", "", "bottom")[third(y / height)], ("left", "", "right")[third(x / width)])
    words = " ".join(filter(None, [down, across]))
    return f"at the {words}" if words else "in the middle"


def third(part: float) -> int:
    return min(2, max(0, int(part * 3)))


def window_text(x: DicomImage | Volume) -> str:
    """Say which values are black and which white."""
    if x.window is None or None in x.window:
        return ""
    centre, width = x.window
    return f", values from {centre - width / 2:g} (black) to {centre + width / 2:g} (white)"


def share(part: float) -> str:
    return "under 1 %" if part < 0.01 else f"{part:.0%}".replace("%", " %")


def counted(count: int, one: str, many: str) -> str:
    """Count things in words: `no boxes`, `1 box`, `12,000 points`."""
    return f"{count:,} {one if count == 1 else many}" if count else f"no {many}"


def sentence(counted_things: str, parts: Sequence[str]) -> str:
    """Begin with how many there are, and go on with which and where, as far as a sentence can hold it."""
    text = f"{counted_things}: {list_some(parts, MOST_THINGS)}" if parts else counted_things
    return text[0].upper() + text[1:] + "."


def lower(text: str) -> str:
    """Let a sentence go on in another one."""
    return (text[0].lower() + text[1:]).removesuffix(".")
