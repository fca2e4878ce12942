"""Pictures computed anew: turned, bent to a matrix, made larger or smaller.

Every function takes plain pixels `(N, C, H, W)` of any dtype on any device and answers in the same dtype; the
type and the metadata of things are for `geometry` to keep. A movement is a matrix of 2 x 3 numbers
`[[a, b, s], [c, d, t]]` that moves the place (x, y) to (ax + by + s, cx + dy + t), in pixels from the top
left corner; there may be one for each picture. `places` moves points by the same matrix.

>>> half_a_turn = turning(180, [(1, 3)])
>>> warp(torch.tensor([[[[1.0, 2.0, 3.0]]]]), half_a_turn, nearest=True)
tensor([[[[3., 2., 1.]]]])
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import torch
from torch.nn.functional import grid_sample, interpolate

Lengths = Sequence[tuple[float, ...]]


def turning(degrees: float, canvases: Lengths, spacings: Lengths | None = None) -> torch.Tensor:
    """Make the matrices that turn canvases of (height, width) counterclockwise about their middle.

    A canvas keeps its size, unless it is turned by a number of quarters: then it turns as well, and the
    numbers are exact. Where pixels are not square, `spacings` says how (high, wide) they are.

    Returns:
        One matrix for each canvas, or a single one if they are all alike: `(N or 1, 2, 3)`, `float64`.

    >>> turning(90, [(2, 3), (2, 3)]).tolist()
    [[[0.0, 1.0, 0.0], [-1.0, 0.0, 3.0]]]
    """
    sine, cosine = sine_and_cosine(degrees)
    swap = is_quarter(degrees) and sine != 0
    matrices = []
    for (height, width), (high, wide) in zip(canvases, spacings or [(1, 1)] * len(canvases), strict=True):
        new_high, new_wide = (wide, high) if swap else (high, wide)
        a, b = cosine * wide / new_wide, sine * high / new_wide
        c, d = -sine * wide / new_high, cosine * high / new_high
        new_height, new_width = (width, height) if swap else (height, width)
        shift_x = (new_width - a * width - b * height) / 2
        shift_y = (new_height - c * width - d * height) / 2
        matrices.append(((a, b, shift_x), (c, d, shift_y)))
    alike = matrices[:1] if len(set(matrices)) == 1 else matrices
    return torch.tensor(alike, dtype=torch.float64).reshape(-1, 2, 3)


def is_quarter(degrees: float) -> bool:
    """Say whether an angle is a quarter turn or several: then pixels only change places."""
    return degrees % 90 == 0


def sine_and_cosine(degrees: float) -> tuple[float, float]:
    """Compute both, without the rounding of pi where the angle is a number of quarter turns."""
    if is_quarter(degrees):
        return ((0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0))[int(degrees // 90) % 4]
    angle = math.radians(degrees)
    return math.sin(angle), math.cos(angle)


def warp(
    pixels: torch.Tensor, matrix: torch.Tensor, *, fill: float | None = 0, nearest: bool = False
) -> torch.Tensor:
    """Move the pixels of pictures by a matrix, or by one for each picture; the canvas stays.

    Args:
        pixels: `(N, C, H, W)`.
        matrix: `(N or 1, 2, 3)`: where places go to.
        fill: What stands where nothing came from; `None` for the smallest value of each picture.
        nearest: Pick the pixel that each centre came from, instead of mixing the four around that place.

    Inside the old picture nothing is mixed with what fills the rest. Gradients flow to floating-point pixels
    unless `nearest`. Raises `ValueError` for a fill that the dtype cannot hold.

    >>> warp(torch.tensor([[[[1, 2, 3]]]]), torch.tensor([[[1.0, 0, 1], [0, 1, 0]]]), nearest=True)
    tensor([[[[0, 1, 2]]]])
    """
    check_fill(fill, pixels.dtype)
    if pixels.numel() == 0:
        return pixels
    x, y = origins(matrix, pixels)
    values = picked(pixels, x, y) if nearest else rounded(mixed(pixels, x, y), pixels)
    outside = (torch.maximum(x.abs(), y.abs()) > 1)[:, None]
    if fill is None:
        return torch.where(outside, smallest(pixels), values)
    return values.masked_fill_(outside, fill)


def mixed(pixels: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mix the four pixels around each place."""
    grid = torch.stack([x, y], -1).expand(len(pixels), -1, -1, -1)
    return grid_sample(pixels.to(x.dtype), grid, padding_mode="border", align_corners=False)


def picked(pixels: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Pick the pixel at each place, in any dtype: no number comes out that was not there."""
    height, width = pixels.shape[-2:]
    column = ((x + 1) * (width / 2)).long().clamp(0, width - 1)
    row = ((y + 1) * (height / 2)).long().clamp(0, height - 1)
    numbers = (row * width + column).flatten(1)[:, None]
    return pixels.flatten(2).take_along_dim(numbers, 2).reshape(pixels.shape)


def origins(matrix: torch.Tensor, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute x and y of the places that the centres of the pixels came from, each `(N or 1, H, W)`.

    As `grid_sample` wants them, they go from -1 at the first edge of the picture to 1 at the last.
    """
    height, width = pixels.shape[-2:]
    dtype = working_dtype(pixels.dtype)
    a, b, s, c, d, t = beside(matrix, pixels, dtype).reshape(-1, 6, 1, 1).unbind(1)
    x = torch.arange(width, device=pixels.device, dtype=dtype) + 0.5 - s
    y = torch.arange(height, device=pixels.device, dtype=dtype)[:, None] + 0.5 - t
    area = a * d - b * c
    from_x, from_y = 2 / (width * area), 2 / (height * area)
    # A row and a column are scaled before they become a whole picture of numbers.
    return (d * from_x * x - 1) - b * from_x * y, (a * from_y * y - 1) - c * from_y * x


def smallest(pixels: torch.Tensor) -> torch.Tensor:
    """Find the smallest number in each picture, `(N, 1, 1, 1)`; what is no number does not count."""
    values = pixels.detach()
    values = values.nan_to_num(nan=math.inf) if values.is_floating_point() else values
    return values.amin((1, 2, 3), keepdim=True)


def check_fill(fill: float | None, dtype: torch.dtype) -> None:
    """Refuse a fill that pixels of a dtype cannot have."""
    if fill is None:
        return
    if not isinstance(fill, Real):
        raise ValueError(f"The corners are filled with one number, such as 0; fill is {fill!r}.")
    if dtype.is_floating_point:
        return
    low, high = (0, 1) if dtype == torch.bool else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
    if not (low <= fill <= high and fill == int(fill)):
        raise ValueError(
            f"The corners are filled with a whole {dtype} number, {low} to {high}; fill is {fill}."
        )


def smoothed(pixels: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Give pictures another size, mixing neighbours, and averaging all that fall together where they shrink.

    >>> smoothed(torch.tensor([[[[0.0, 4.0]]]]), 1, 1)
    tensor([[[[2.]]]])
    """
    native = pixels.dtype == torch.uint8 and pixels.device.type == "cpu"
    values = pixels if native else pixels.to(working_dtype(pixels.dtype))
    return rounded(interpolate(values, (height, width), mode="bilinear", antialias=True), pixels)


def nearest(old: int, new: int, device: torch.device) -> torch.Tensor:
    """For each of `new` pixels in a row, find the number of the old pixel that its centre falls on.

    >>> nearest(2, 4, torch.device("cpu"))
    tensor([0, 0, 1, 1])
    """
    centres = (torch.arange(new, device=device) + 0.5) * (old / new)
    return centres.long().clamp(max=old - 1)


def working_dtype(dtype: torch.dtype) -> torch.dtype:
    """Say what to compute in, so that nothing is lost, and every device can."""
    return torch.float64 if dtype in (torch.float64, torch.int32) else torch.float32


def rounded(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Bring computed values back to a dtype: to the nearest whole number where it has only those."""
    whole = values.is_floating_point() and not like.is_floating_point()
    return (values.round() if whole else values).to(like.dtype)


def beside(numbers: Any, like: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Bring numbers to where a tensor is, without waiting for that device."""
    return torch.as_tensor(numbers).to(device=like.device, dtype=dtype, non_blocking=True)
