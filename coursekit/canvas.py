"""What has a place in space says where: its axes by name, how long they are, and which way they lead.

Pictures and volumes have their axes in the shape, and perhaps a `spacing`; boxes and points have a `canvas`.
Here is how to read these, of one item or of each in a batch, and what a movement makes of them.

>>> from coursekit.tensors import Keypoints, Volume
>>> axes_of(Volume(torch.zeros(2, 8, 8))), axes_of(Keypoints([[1, 2]]))
(('depth', 'height', 'width'), ('height', 'width'))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import torch

from .samples import kind_of
from .typed import TypedTensor, dressed

AXES = ("depth", "height", "width")
OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))


def axes_of(x: Any) -> tuple[str, ...]:
    """Name the axes of space that something has, in the order of their lengths."""
    return getattr(x, "canvas_axes", None) or tuple(axis for axis in x.axes if axis in AXES)


def axis_number(x: Any, axis: str, word: str) -> int:
    """Find the number of an axis among those of `x`; `ValueError` names what there is."""
    known = axes_of(x)
    if axis not in known:
        raise ValueError(f"{word} of {kind_of(x)} knows the axes {', '.join(known)}; got {axis!r}.")
    return known.index(axis)


def plane(x: Any, axis: str = "depth") -> tuple[int, int]:
    """Number the two axes that turn: of a volume those of the slices across `axis`."""
    turning = list(range(len(axes_of(x))))
    if len(turning) == 3:
        turning.remove(axis_number(x, axis, "rotate"))
    return turning[0], turning[1]


def each(x: TypedTensor, name: str) -> list[Any]:
    """List a piece of metadata, one value for each item of a batch; `None` where it is not known.

    >>> from coursekit.tensors import Boxes
    >>> each(Boxes([[0, 0, 2, 2]], canvas=(4, 6)), "canvas")
    [(4, 6)]
    """
    value = getattr(x, name, None)
    if not x.is_batch:
        return [value]
    return [None] * len(x) if value is None else list(value)


def for_items(value: Any, count: int | None, read: Callable[[Any], Any]) -> Any:
    """Read metadata that are lengths themselves: of one item, or of each in a batch of `count`.

    One that is given for a whole batch is that of each of its items.

    >>> for_items((24, 32), None, tuple), for_items((24, 32), 2, tuple)
    ((24, 32), ((24, 32), (24, 32)))
    >>> for_items(((24, 32), None), 2, tuple)
    ((24, 32), None)
    """
    value = in_python(value)
    if count is None or not isinstance(value, tuple):
        return read(value)
    if any(isinstance(one, (int, float)) for one in value):
        return (read(value),) * count
    return tuple(one if one is None else read(one) for one in value)


def in_python(value: Any) -> Any:
    """Make tuples of lists, arrays and tensors, and Python's numbers of theirs: these compare and are saved.

    >>> in_python([torch.tensor([24, 32]), None])
    ((24, 32), None)
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    return tuple(map(in_python, value)) if isinstance(value, (list, tuple)) else value


def changed(x: Any, values: torch.Tensor, **metadata: Sequence[Any]) -> Any:
    """Give values the type and metadata of `x`, save those that changed, given one for each item.

    What `x` knows nothing of stays unknown.
    """
    known = {name: new for name, new in metadata.items() if getattr(x, name, None) is not None}
    new = {name: tuple(items) if x.is_batch else items[0] for name, items in known.items()}
    return dressed(values, type(x), x.__dict__ | new)


def canvases(x: Any, word: str) -> list[tuple[float, ...]]:
    """List how large the canvas of each item is; `ValueError` says how to give it if that is not known."""
    if not hasattr(x, "canvas_axes"):
        return [tuple(x.shape[-len(axes_of(x)) :])] * (len(x) if x.is_batch else 1)
    known = each(x, "canvas")
    if None in known:
        example = f"{type(x).__name__}(x, canvas=({', '.join(axes_of(x))}))"
        raise ValueError(f"{word} of {kind_of(x)} needs to know how large its canvas is: {example}.")
    return known


def read_lengths(x: Any, given: Any, word: str, what: str) -> tuple[Any, ...]:
    """Read a size or a corner: a number for each axis of `x`, or one for all; `ValueError` if it is none."""
    axes, is_grid = axes_of(x), not hasattr(x, "canvas_axes")
    numbers = tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(axes)
    right = all(
        isinstance(number, Integral if is_grid else Real) and math.isfinite(number) for number in numbers
    )
    if len(numbers) != len(axes) or not right:
        raise ValueError(
            f"{word} of {kind_of(x)} takes the {what} as ({', '.join(axes)}){' in whole pixels' * is_grid}, "
            f"or as one number for all; got {given!r}."
        )
    if what == "size" and min(numbers) < (1 if is_grid else 1e-30):
        least = f"of at least {by([1] * len(axes))} pixels" if is_grid else "larger than nothing"
        raise ValueError(f"{word} makes things {least}; {by(numbers)} was asked for.")
    return numbers


def by(numbers: Sequence[float]) -> str:
    """Write lengths as people do: `4 x 6`."""
    return " x ".join(f"{number:g}" for number in numbers)


def swapped(values: Any, one: int, other: int) -> Any:
    """Let two values of a tuple change places, as a quarter turn does with lengths; `None` stays `None`."""
    if values is None:
        return None
    result = list(values)
    result[one], result[other] = result[other], result[one]
    return tuple(result)


def turned_letters(orientation: str | None, quarters: int, rows: int, columns: int) -> str | None:
    """Say where the axes lead in a patient after quarter turns of the plane of two of them.

    >>> turned_letters("SPL", 1, 1, 2)
    'SRP'
    """
    if orientation is None:
        return None
    letters = list(orientation)
    for _ in range(quarters % 4):
        letters[rows], letters[columns] = OPPOSITE[letters[columns]], letters[rows]
    return "".join(letters)


def mirrored_letters(orientation: str | None, axis: int) -> str | None:
    """Say where the axes lead in a patient after one was mirrored.

    >>> mirrored_letters("SPL", 2)
    'SPR'
    """
    if orientation is None:
        return None
    return orientation[:axis] + OPPOSITE[orientation[axis]] + orientation[axis + 1 :]


def facing(orientation: str | None, matrix: Sequence[Sequence[float]]) -> str | None:
    """Say where the axes lead in a patient after a movement: each takes the letter it comes nearest to.

    `matrix` moves x, y and z, and so counts the axes from the last.

    >>> facing("SPL", [[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    'ILP'
    """
    if orientation is None:
        return None
    letters = ""
    for row in reversed(matrix):
        nearest = max(range(3), key=lambda axis: abs(row[axis]))
        letter = orientation[2 - nearest]
        letters += letter if row[nearest] > 0 else OPPOSITE[letter]
    return letters


def angle(degrees: Any) -> float:
    """Read an angle in degrees; `ValueError` if it is none."""
    if isinstance(degrees, Real) and math.isfinite(degrees):
        return float(degrees)
    raise ValueError(f"rotate turns by a number of degrees, such as 30; got {degrees!r}.")
