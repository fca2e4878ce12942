"""What is done to batches before the network, as layers of plain tensors: these can be written as ONNX.

>>> from .steps import ToFloat
>>> layer, made = layer_of(ToFloat(), Image(torch.full((1, 3, 2, 2), 51, dtype=torch.uint8)))
>>> layer, made.unique()
(Scaled(), tensor([0.2000]))
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .steps import Normalize, ToFloat
from .tensors import Image, plain

PROBED_AT_ONCE = 16  # pictures, each with one bright line, to find out what a step does to lines


def layer_of(step: Any, batch: Any) -> tuple[nn.Module, Any]:
    """A layer that does to plain tensors what a step does to a typed batch, and what it makes of an example.

    Raises:
        TypeError: The step has no such form.
    """
    made = step.encode((batch,))[0]
    layer: nn.Module
    if isinstance(step, Normalize):
        shape = (-1, *[1] * (len(batch.axes) - 1))
        layer = Scaled(*(torch.tensor(numbers).reshape(shape) for numbers in (step.mean, step.std)))
    elif isinstance(step, ToFloat):
        divisor = 255.0 if batch.dtype == torch.uint8 else 1.0
        layer = Scaled(torch.zeros(()), torch.tensor(divisor))
    elif isinstance(batch, Image):
        layer = Stretched(step, batch)
    else:
        layer = nn.Identity()
    found = layer(plain(batch))
    if found.shape != made.shape or not torch.allclose(found, plain(made).to(found.dtype), atol=1e-5):
        raise TypeError(
            f"{step} has no form outside Python: it is no ToFloat, no Normalize, and moves pixels otherwise "
            "than by making rows and columns larger or smaller. Do it in the network, as its first layer."
        )
    return layer, made


class Scaled(nn.Module):
    """Take a number away and divide by another, as `ToFloat` and `Normalize` do.

    >>> Scaled(torch.tensor(0.0), torch.tensor(255.0))(torch.tensor([51], dtype=torch.uint8))
    tensor([0.2000])
    """

    mean: Tensor
    spread: Tensor

    def __init__(self, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def forward(self, values: Tensor) -> Tensor:
        """Floats of the same shape."""
        return (values.float() - self.mean) / self.spread


class Stretched(nn.Module):
    """What a step without chance does to pictures, as one matrix for rows and one for columns.

    To resize, to crop and to pad are such: each new row mixes old rows, in every column alike. The matrices
    are found by asking the step what it makes of one bright row, or column, at a time.

    Args:
        step: The step.
        batch: Pictures `(N, C, H, W)` as it gets them.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, step: Any, batch: Any) -> None:
        super().__init__()
        height, width = batch.shape[-2:]
        self.divisor = 255.0 if batch.dtype == torch.uint8 else 1.0
        kind = type(batch)
        bright = [torch.eye(height)[:, None, :, None], torch.eye(width)[:, None, None, :]]
        for name, lines, axis in zip(("rows", "columns"), bright, (-1, -2), strict=True):
            shown = lines.expand(-1, batch.shape[1], height, width)
            made = [
                plain(step.encode((kind(part.contiguous()),))[0])[:, 0]
                for part in shown.split(PROBED_AT_ONCE)
            ]
            # Read in the middle: at the edges there may be padding, which is no part of the line.
            self.register_buffer(name, torch.cat([one.select(axis, one.shape[axis] // 2) for one in made]).T)

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, C, H, W)` pictures as floats `(N, C, h, w)`."""
        return self.rows @ (pictures.float() / self.divisor) @ self.columns.T
