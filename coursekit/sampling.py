"""Pictures and volumes read at other places, each by a matrix of its own, in as few passes as can be.

A matrix here says where to look: it moves a place in the new picture to a place in the old one. Both are
measured from the middle, and -1 and 1 are the edges along every axis, so a matrix fits any size. Of pictures
it is `(N, 3, 3)` for (x, y, 1), of volumes `(N, 4, 4)` for (x, y, z, 1); where the last number that it makes
is not 1, the others are divided by it (a perspective).

>>> mirror = torch.tensor([[[-1.0, 0, 0], [0, 1, 0], [0, 0, 1]]])
>>> look(torch.tensor([[[[1.0, 2.0, 3.0]]]]), mirror)
tensor([[[[3., 2., 1.]]]])
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch.nn.functional import adaptive_avg_pool2d, adaptive_avg_pool3d, avg_pool2d, avg_pool3d, grid_sample

MOST_LOOKS = 4  # along each axis of a new pixel; what shrinks more was averaged before
FAR = 1e4  # how many pictures away is beyond all edges
ENDS = {"reflect": "reflection", "border": "border"}


class Shrinking(NamedTuple):
    """How a batch is kept from flickering where it shrinks: averaged before, looked at more often after.

    Attributes:
        before: How many pixels along each axis are first averaged: all pictures shrink by as much.
        looks: How many looks along each axis make a new pixel: some picture shrinks by as much more.
    """

    before: int = 1
    looks: int = 1

    @classmethod
    def of(cls, matrix: torch.Tensor, old: Sequence[int], new: Sequence[int]) -> Shrinking:
        """Find it for matrices on the CPU and the lengths of the old and new pictures.

        What shrinks by less than a third is left to the mixing of neighbours.

        >>> Shrinking.of(torch.eye(3)[None], (64, 64), (16, 16))
        Shrinking(before=4, looks=1)
        """
        axes = len(old)
        to_old, to_new = (torch.tensor(lengths[::-1], dtype=matrix.dtype) for lengths in (old, new))
        # How many old pixels a step of one new pixel covers, in the middle: the columns of this.
        steps = matrix[:, :axes, :axes] * to_old[:, None] / to_new / matrix[:, axes:, axes:]
        covered = torch.linalg.vector_norm(steps, dim=1)
        least, most = torch.stack(covered.aminmax()).tolist()
        before = max(1, math.floor(least + 1e-6))
        return cls(before, max(1, min(MOST_LOOKS, math.ceil(most / before - 1 / 3))))


NO_SHRINKING = Shrinking()


def look(
    pixels: torch.Tensor,
    matrix: torch.Tensor,
    size: Sequence[int] | None = None,
    *,
    edges: Any = 0,
    nearest: bool = False,
    projective: bool = False,
    horizon: bool = False,
    shrinking: Shrinking = NO_SHRINKING,
) -> torch.Tensor:
    """Make new pictures of what matrices look at in old ones.

    Args:
        pixels: `(N, C, H, W)` or `(N, C, D, H, W)`, floating point.
        matrix: Where each looks, on the device of the pixels and of their dtype.
        size: `(H, W)` or `(D, H, W)` of the new ones; by default that of the old ones.
        edges: What is seen beyond the old picture: `"reflect"` mirrors it, `"border"` goes on with its
            outermost pixels, a number (or one for each, `(N, 1, 1, 1)`) is just that.
        nearest: Take one pixel, instead of mixing those around a place.
        projective: Whether the last rows matter. They are known where the matrices were made; to ask for
            them here would mean to wait for the device.
        horizon: Whether some picture sees its horizon (`sees_horizon`); known there as well.
        shrinking: How often to look, so that small detail is averaged and not picked at random.
    """
    size = tuple(size or pixels.shape[2:])
    flat, looks = len(size) == 2, 1 if nearest else shrinking.looks
    if not nearest and shrinking.before > 1:
        average: Any = adaptive_avg_pool2d if flat else adaptive_avg_pool3d
        pixels = average(pixels, [max(1, length // shrinking.before) for length in pixels.shape[2:]])
    places = grid(matrix, [length * looks for length in size], projective)
    places = far_away(places, matrix) if horizon else places
    values = beyond(pixels, places, "nearest" if nearest else "bilinear", edges)
    return (avg_pool2d if flat else avg_pool3d)(values, looks) if looks > 1 else values


def beyond(pixels: torch.Tensor, places: torch.Tensor, mode: str, edges: Any) -> torch.Tensor:
    """Read pixels at places; where there are none, what `edges` says."""
    if isinstance(edges, str):
        return grid_sample(pixels, places, mode, ENDS[edges], align_corners=False)
    if isinstance(edges, torch.Tensor) or edges != 0:  # torch knows of no edges but those of zeros
        return grid_sample(pixels - edges, places, mode, align_corners=False) + edges
    return grid_sample(pixels, places, mode, align_corners=False)


def grid(matrix: torch.Tensor, size: Sequence[int], projective: bool = False) -> torch.Tensor:
    """Compute where the centre of every new pixel looks, as `grid_sample` wants it: `(N, *size, axes)`.

    What one axis adds is a row of numbers; they meet in the last sum, the only one as large as a picture.
    Each coordinate lies together in memory, which `grid_sample` reads faster than pairs.
    """
    axes = len(size)
    rows = matrix if projective else matrix[:, :axes]
    parts = rows[..., axes].reshape(*rows.shape[:2], *[1] * axes)
    for number, length in enumerate(reversed(size)):
        row = centres(length, matrix).reshape(-1, *[1] * number)
        parts = parts + rows[..., number].reshape(*rows.shape[:2], *[1] * axes) * row
    places = parts[:, :axes] / parts[:, axes:] if projective else parts
    return places.movedim(1, -1)


def far_away(places: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Put what is looked at behind the viewer far beyond the edges, lest it be seen again, upside down.

    Args:
        places: What `grid` made of the matrix, projective.
    """
    size = places.shape[1:-1]
    ahead = grid(matrix[:, -1:].expand(-1, len(size), -1), size)
    return torch.where(ahead > 0, places, places * -FAR)


def sees_horizon(matrix: torch.Tensor) -> bool:
    """Say whether a corner of a picture looks where the ground ends, for matrices on the CPU.

    >>> sees_horizon(torch.tensor([[[1.0, 0, 0], [0, 1, 0], [0, 0.5, 1]]]))
    False
    """
    last = matrix[:, -1]
    least: Any = (last[:, -1] - last[:, :-1].abs().sum(1)).min().tolist()
    return least <= 0


def centres(length: int, like: torch.Tensor) -> torch.Tensor:
    """Say where the centres of so many pixels in a row are, if -1 and 1 are its ends.

    >>> centres(4, torch.zeros(()))
    tensor([-0.7500, -0.2500,  0.2500,  0.7500])
    """
    return torch.arange(1 - length, length, 2, device=like.device, dtype=like.dtype) / length


def mirror(pixels: torch.Tensor, matrix: torch.Tensor, host: torch.Tensor) -> torch.Tensor:
    """Mirror pictures whose matrices do nothing else: no pixel is computed anew.

    Args:
        pixels: `(N, C, ...)` of any dtype.
        matrix: Where they look, with ones or minus ones in the diagonal and else zeros.
        host: The same on the CPU.

    >>> both = torch.tensor([[-1.0, 1, 1], [1, 1, 1]]).diag_embed()
    >>> mirror(torch.tensor([[[[1, 2]]], [[[3, 4]]]]), both, both).flatten().tolist()
    [2, 1, 3, 4]
    """
    for axis in range(pixels.dim() - 2):
        turned = [number < 0 for number in host[:, axis, axis].tolist()]
        if all(turned):
            pixels = pixels.flip(-1 - axis)
        elif any(turned):
            where = (matrix[:, axis, axis] < 0).reshape(-1, *[1] * (pixels.dim() - 1))
            pixels = torch.where(where, pixels.flip(-1 - axis), pixels)
    return pixels
