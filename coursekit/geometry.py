"""Move things in space: one word for each movement, computed differently for each kind of thing.

>>> resize(Image(torch.zeros(3, 40, 60)), 20).shape
torch.Size([3, 20, 20])
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import interpolate

from .dispatch import method
from .tensors import Image, Mask, plain, typed_like

# (height, width), or one number for both.
Size = int | tuple


@method
def resize(x: Image, size: Size) -> Image:
    """Give a picture another height and width, averaging neighbours where it shrinks.

    Args:
        x: `(C, H, W)`, or a batch `(N, C, H, W)`; whole numbers 0..255 or floats.
        size: `(height, width)` in pixels, or one number for a square. The shape is not kept: a wide picture
            made square looks squeezed.

    Returns:
        The same type and dtype in the new size.

    Raises:
        ValueError: A size below one pixel, or a picture without pixels.

    >>> resize(Image(torch.zeros(3, 40, 60)), (10, 15)).shape
    torch.Size([3, 10, 15])
    """
    height, width = _checked_size(x, size)
    pixels = _batch(x)
    smooth = interpolate(pixels, (height, width), mode="bilinear", antialias=True)
    return _dressed(x, smooth.reshape(*x.shape[:-2], height, width))


@method
def resize(x: Mask, size: Size) -> Mask:
    """Give a mask another height and width by picking the nearest pixel: no class is ever invented.

    >>> resize(Mask(torch.tensor([[0, 2]])), (1, 4))[0].tolist()
    [0, 0, 2, 2]
    """
    height, width = _checked_size(x, size)
    rows = _nearest(x.shape[-2], height, x.device)
    columns = _nearest(x.shape[-1], width, x.device)
    return typed_like(plain(x)[..., rows[:, None], columns], x)


def _batch(x: Image) -> torch.Tensor:
    """The plain pixels as `(N, C, H, W)`, in a dtype that can be averaged on every device."""
    pixels = plain(x).reshape(-1, *x.shape[-3:])
    return pixels if pixels.is_floating_point() or pixels.device.type == "cpu" else pixels.float()


def _dressed(x: Any, values: torch.Tensor) -> Any:
    """Give averaged values the dtype and type of `x`."""
    return typed_like((values if x.is_floating_point() else values.round()).to(x.dtype), x)


def _nearest(old: int, new: int, device: torch.device) -> torch.Tensor:
    """For each of `new` pixels, the number of the old pixel its centre falls on."""
    centres = (torch.arange(new, device=device) + 0.5) * (old / new)
    return centres.long().clamp(max=old - 1)


def _checked_size(x: Any, size: Size) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int) else size
    if height < 1 or width < 1:
        raise ValueError(f"resize makes pictures of at least 1 x 1 pixels; {height} x {width} was asked for.")
    if 0 in x.shape:
        raise ValueError(f"resize needs pixels to start from; this {type(x).__name__} is {tuple(x.shape)}.")
    return height, width
