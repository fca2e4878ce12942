"""Boxes, key points and clouds moved by a matrix, and what becomes of those that leave the canvas.

A movement of places in a picture is 2 x 3 numbers, as in `warping`, and in space 3 x 4; there may be one for
each item of a batch.

>>> far_right = Keypoints([[1, 2], [5, 2]], canvas=(4, 6))
>>> lost(carry(far_right, stretching([(1, 1)], [(0, 3)]))).tolist()
[[4.0, 2.0], [nan, nan]]
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch

from .canvas import axes_of, changed, each
from .dispatch import method
from .tensors import Boxes, Keypoints, PointCloud, plain
from .warping import Lengths, beside, working_dtype

Points = TypeVar("Points", Keypoints, PointCloud)


@method
def carry(x: Points, matrix: torch.Tensor, new: list | None = None) -> Points:
    """Move places by a matrix, to canvases of a new size."""
    values = move(plain(x) if x.is_batch else plain(x)[None], matrix)
    return changed(x, values.reshape(x.shape), canvas=new or each(x, "canvas"))


@method
def carry(x: Boxes, matrix: torch.Tensor, new: list | None = None) -> Boxes:
    """Move the four corners of each box; the new one holds them all."""
    left, top, right, bottom = plain(x).unbind(-1)
    corners = torch.stack([left, top, right, top, right, bottom, left, bottom], -1)
    corners = corners.reshape(len(x) if x.is_batch else 1, 4 * x.shape[-2], 2)
    moved = move(corners, matrix).reshape(*x.shape[:-1], 4, 2)
    return changed(x, torch.cat([moved.amin(-2), moved.amax(-2)], -1), canvas=new or each(x, "canvas"))


@method
def lost(x: Points) -> Points:
    """Make what is not on the canvas rows of NaN."""
    ends = far_corner(x)
    values = plain(x)[..., : ends.shape[-1]]
    outside = ((values < 0) | (values > ends)).any(-1, keepdim=True)
    return changed(x, plain(x).masked_fill(outside, torch.nan))


@method
def lost(x: Boxes) -> Boxes:
    """Cut boxes off at the edges of the canvas; of which nothing is left, they are rows of NaN."""
    ends = far_corner(x)
    first, last = plain(x).split(2, -1)
    gone = ((last <= 0) | (first >= ends)).any(-1, keepdim=True)
    kept = torch.cat([torch.maximum(first, 0 * ends), torch.minimum(last, ends)], -1)
    return changed(x, kept.masked_fill(gone, torch.nan))


def far_corner(x: Any) -> torch.Tensor:
    """Find the largest x, y (and z) of each canvas: `(1, axes)`, or `(N, 1, axes)` of a batch."""
    ends = torch.tensor([canvas[::-1] for canvas in each(x, "canvas")])
    return beside(ends, x, x.dtype).reshape(*x.shape[:-2], 1, len(axes_of(x)))


def in_space(matrix: torch.Tensor, column: int, row: int) -> torch.Tensor:
    """Let matrices `(N, 2, 3)` for x and y move two of three coordinates, by their numbers: `(N, 3, 4)`.

    >>> in_space(torch.tensor([[[0, 1, 5], [-1, 0, 7]]]), 0, 2).tolist()  # x and z; y stays
    [[[0, 0, 1, 5], [0, 1, 0, 0], [-1, 0, 0, 7]]]
    """
    result = torch.eye(3, 4, dtype=matrix.dtype).repeat(len(matrix), 1, 1)
    result[:, [[column], [row]], [column, row, 3]] = matrix
    return result


def stretching(scales: Lengths, shifts: Lengths, axes: int = 2) -> torch.Tensor:
    """Make matrices that scale and then shift each axis; scales and shifts are (height, width) and so on.

    >>> stretching([(2, 3)], [(0, -1)]).tolist()
    [[[3.0, 0.0, -1.0], [0.0, 2.0, 0.0]]]
    """
    scale, shift = (
        torch.tensor(numbers, dtype=torch.float64).reshape(-1, axes).flip(-1) for numbers in (scales, shifts)
    )
    return torch.cat([scale.diag_embed(), shift[..., None]], -1)


def move(places: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Move places by a matrix, or by one for each item.

    Args:
        places: `(N, points, columns)` of floating point: x and y, or x, y and z, then what travels along.
        matrix: `(N or 1, 2, 3)`, or `(N or 1, 3, 4)` in space. With one row more, `(N or 1, 3, 3)` or
            `(N or 1, 4, 4)`, what is moved is divided by what that row makes (a perspective); places that
            come to lie behind the viewer are rows of NaN.

    Half precision is moved in `float32`: it could not tell the pixels of a large picture apart.

    >>> move(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1, 0, 10], [0, 2, 0]]]))
    tensor([[[11.,  4.]]])
    """
    matrix = beside(matrix, places, working_dtype(places.dtype))[:, None]
    axes = matrix.shape[-1] - 1
    moved = (matrix[..., :axes] * places[..., None, :axes]).sum(-1) + matrix[..., axes]
    if matrix.shape[-2] > axes:
        moved, ahead = moved.split((axes, 1), -1)
        moved = moved / ahead.masked_fill(ahead <= 0, torch.nan)
    return torch.cat([moved.to(places.dtype), places[..., axes:]], -1)
