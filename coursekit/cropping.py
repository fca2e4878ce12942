"""Bring single items to one size, each in its own way of losing or keeping what does not fit.

What is cut out here keeps its dtype, and shrinks with its detail averaged: done in the workers, item by item,
so that a batch can be made. Cut a little more than the model needs (`Resize(256, "crop")`), and let `Augment`
turn, cut and shrink the whole batch at once on the device (`size=224`): pixels are then mixed twice, and no
empty corner comes into sight.

>>> import torch
>>> photo, nose = Image(torch.zeros(3, 30, 60)), Keypoints([[30, 15]], canvas=(30, 60))
>>> [fitted(x, 20, "crop").shape for x in (photo, nose)], fitted(nose, 20, "pad").tolist()
([torch.Size([3, 20, 20]), torch.Size([1, 2])], [[10.0, 10.0]])
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Any

from torch.nn.functional import pad

from .canvas import axes_of, canvases, changed, read_lengths
from .dispatch import method
from .geometry import Size, crop, resize
from .places import carry, stretching
from .tensors import (
    Boxes,
    DicomImage,
    Image,
    Keypoints,
    Mask,
    PointCloud,
    TypedTensor,
    Volume,
    VolumeMask,
    plain,
)
from .transforms import RandomTransform, Transform, takes
from .warping import smallest

Range = tuple[float, float]
FITS = ("squeeze", "crop", "pad")
TRIES = 10


def fitted(x: Any, size: Any, fit: str = "squeeze") -> Any:
    """Bring something to a size.

    Args:
        x: What `geometry.resize` takes.
        size: (height, width), of volumes (depth, height, width), or one number for all.
        fit: `"squeeze"` changes the shape of things; `"crop"` takes the largest part in the middle that has
            the shape of the size; `"pad"` shows all, and adds zeros around it (the smallest value of scans).

    >>> import torch
    >>> fitted(Mask(torch.ones(2, 4, dtype=torch.uint8)), 4, "pad")[:, 0].tolist()
    [0, 1, 1, 0]
    """
    if fit == "squeeze":
        return resize(x, size)
    old, new = canvases(x, "resize")[0], read_lengths(x, size, "resize", "size")
    ratios = [was / now for was, now in zip(old, new, strict=True)]
    if fit == "crop":
        length = [whole(now * min(ratios), was) for was, now in zip(old, new, strict=True)]
        return resize(crop(x, middle(old, length), tuple(length)), new)
    length = [whole(was / max(ratios), now) for was, now in zip(old, new, strict=True)]
    return padded(resize(x, tuple(length)), middle(new, length), new)


def whole(length: float, like: float) -> float:
    """Round a length to pixels, at least one, where its canvas is made of such; else leave it.

    >>> whole(2.6, 40), whole(2.6, 40.5)
    (3, 2.6)
    """
    return max(1, round(length)) if isinstance(like, int) else length


def middle(old: Sequence[float], length: Sequence[float]) -> tuple[Any, ...]:
    """Find the corner of a part that lies in the middle.

    >>> middle((5, 8), (2, 8))
    (1, 0)
    """
    return tuple(whole_part(was - now, was) for was, now in zip(old, length, strict=True))


def whole_part(free: float, like: float) -> float:
    """Halve what is free, down to whole pixels where there are such."""
    return int(free // 2) if isinstance(like, int) else free / 2


@method
def padded(x: Image | Mask | Volume | VolumeMask, corner: Any, size: Any) -> Any:
    """Lay something into a larger canvas, its first corner at a place of that."""
    values, axes = plain(x), len(axes_of(x))
    ends = [now - start - was for now, start, was in zip(size, corner, values.shape[-axes:], strict=True)]
    amounts = [number for pair in zip(reversed(corner), reversed(ends), strict=True) for number in pair]
    if not isinstance(x, DicomImage | Volume):
        return changed(x, pad(values, amounts))
    least = smallest((values if x.is_batch else values[None]).flatten(1)[:, None, None])
    least = least.reshape(*values.shape[: x.is_batch], *[1] * (axes + 1))
    return changed(x, pad(values - least, amounts) + least)


@method
def padded(x: Boxes | Keypoints | PointCloud, corner: Any, size: Any) -> Any:
    count = len(x) if x.is_batch else 1
    return carry(x, stretching([(1,) * len(corner)], [corner], len(corner)), [tuple(size)] * count)


class Resize(Transform):
    """Give pictures, masks and what lies on them one size, so that they can be put together into a batch.

    It takes every type that `geometry.resize` takes. Nothing is decoded: the detail that shrinking took away
    is gone.

    Args:
        size: `(height, width)` in pixels, or one number for a square.
        fit: What becomes of another shape: `"squeeze"`, `"crop"` or `"pad"`; see `fitted`.

    >>> import torch
    >>> Resize(8).encode(Image(torch.zeros(3, 20, 30))).shape
    torch.Size([3, 8, 8])
    """

    def __init__(self, size: Size, fit: str = "squeeze") -> None:
        if fit not in FITS:
            raise ValueError(f'Resize knows the fits "squeeze", "crop" and "pad"; got {fit!r}.')
        self.size, self.fit = size, fit

    @method
    def encode(self, x: TypedTensor) -> Any:
        return fitted(x, self.size, self.fit) if takes(resize, x, self.size) else x

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether `resize` has a method for this type."""
        return direction == "encode" and takes(resize, x, self.size)


class CentreCrop(Transform):
    """Cut the middle out of pictures, masks and what lies on them; nothing is made larger or smaller.

    Args:
        size: (height, width) in pixels, or one number for a square.

    Raises:
        ValueError: The part is larger than the picture.

    >>> import torch
    >>> CentreCrop(2).encode(Mask(torch.arange(16).reshape(4, 4))).tolist()
    [[5, 6], [9, 10]]
    """

    def __init__(self, size: Size) -> None:
        self.size = size

    @method
    def encode(self, x: TypedTensor) -> Any:
        return cut_middle(x, self.size) if takes(crop, x, 0, self.size) else x

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether `crop` has a method for this type."""
        return direction == "encode" and takes(crop, x, 0, self.size)


def cut_middle(x: Any, size: Any) -> Any:
    """Cut a part of a size out of the middle."""
    length = read_lengths(x, size, "crop", "size")
    return crop(x, middle(canvases(x, "crop")[0], length), length)


class RandomResizedCrop(RandomTransform):
    """Cut a part out by chance and bring it to one size: pictures, masks and what lies on them alike.

    As torchvision's of the same name: of ten parts that are drawn the first that lies within the picture is
    taken. Of volumes every slice is cut alike. Held-out items lose only what stands over (`calm`).

    Args:
        size: (height, width) in pixels, or one number for a square.
        scale: Smallest and largest share of the picture's area.
        ratio: Smallest and largest width by height of the part.

    Raises:
        ValueError: A share of the area beyond 0..1, or a pair that is none.

    >>> import torch
    >>> RandomResizedCrop(8).encode(Image(torch.zeros(3, 20, 30))).shape
    torch.Size([3, 8, 8])
    """

    def __init__(self, size: Size, scale: Range = (0.35, 1.0), ratio: Range = (3 / 4, 4 / 3)) -> None:
        check_parts(scale, ratio, "RandomResizedCrop")
        self.size, self.scale, self.ratio = size, scale, ratio

    def calm(self) -> Resize:
        """The largest part in the middle, in the same size."""
        return Resize(self.size, "crop")

    def draw(self, chance: Random) -> Any:
        """Ten areas and shapes, and how far down and to the right the part lies, 0..1."""
        low, high = map(math.log, self.ratio)
        parts = [(chance.uniform(*self.scale), math.exp(chance.uniform(low, high))) for _ in range(TRIES)]
        return parts, (chance.random(), chance.random())

    @method
    def apply(self, x: TypedTensor, drawn: Any) -> Any:
        return resize(cut_part(x, *drawn), self.size) if takes(resize, x, self.size) else x

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether `resize` has a method for this type."""
        return direction == "encode" and takes(resize, x, self.size)


def check_parts(scale: Any, ratio: Any, word: str) -> None:
    """Refuse parts that cannot be cut out.

    >>> check_parts((0.35, 1.0), (3 / 4, 4 / 3), "Crop")
    """
    for pair, most in ((scale, 1.0), (ratio, math.inf)):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not 0 < pair[0] <= pair[1] <= most:
            raise ValueError(
                f"{word} takes the smallest and the largest share of the area, such as (0.35, 1), and of "
                f"width by height, such as (3/4, 4/3); got {scale!r} and {ratio!r}."
            )


def cut_part(x: Any, parts: Sequence[tuple[float, float]], place: Sequence[float]) -> Any:
    """Cut out the first part that lies within the picture, of several given by area and width by height.

    `place` is how far down and to the right it lies, 0..1.

    >>> import torch
    >>> cut_part(Mask(torch.arange(16).reshape(4, 4)), [(2, 1), (0.25, 1)], (0, 1)).tolist()
    [[2, 3], [6, 7]]
    """
    *rest, height, width = canvases(x, "crop")[0]
    pixels = height * width
    sides = [((area / ratio * pixels) ** 0.5, (area * ratio * pixels) ** 0.5) for area, ratio in parts]
    high, wide = next((one for one in sides if one[0] <= height and one[1] <= width), sides[0])
    length = whole(min(high, height), height), whole(min(wide, width), width)
    free = height - length[0], width - length[1]
    corner = [whole_part(2 * share * more, height) for share, more in zip(place, free, strict=True)]
    return crop(x, (*[0] * len(rest), *corner), (*rest, *length))
