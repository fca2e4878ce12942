"""A convolution done by hand: a kernel of nine weights slid over a picture, with every product in sight.

The page computes what torch's `conv2d` does without padding, from the bytes of the picture. So it works in
Jupyter, in a saved notebook, and on a page of the book opened from a file.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..canvas import by
from ..descriptions import alt_text
from ..geometry import resize
from ..samples import describe
from ..tensors import GrayImage, Image
from .stills import still
from .warps import photo_of
from .widget import Widget

# The longer side of the picture: each pixel must be large enough to be seen.
MOST_PIXELS = 64
KERNELS = {
    "upright edges": ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1)),
    "lying edges": ((-1, -1, -1), (0, 0, 0), (1, 1, 1)),
    "outlines": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
    "softer": ((0.1, 0.1, 0.1), (0.1, 0.2, 0.1), (0.1, 0.1, 0.1)),
    "sharper": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "as it was": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
}


@dataclass(frozen=True, repr=False)
class KernelSlide(Widget):
    """A picture with a kernel to slide over it; a notebook shows them. Made by `slide_kernel`.

    What `live()` shows has in its `state` where the kernel lies, `row` and `column`, its `weights`, and the
    `sum` there.

    >>> KernelSlide("A photo.", b"", {"size": [32, 24], "kernels": [{"name": "softer"}]})
    KernelSlide(24 x 32 pixels, 1 kernel)
    """

    name = "convolution"

    def __repr__(self) -> str:
        count = len(self.data["kernels"])
        return f"KernelSlide({by(self.data['size'][::-1])} pixels, {count} kernel{'s' * (count != 1)})"


def slide_kernel(picture: Image, kernels: Mapping[str, Any] | None = None) -> KernelSlide:
    """Lay a kernel of 3 x 3 weights on a picture, to be slid over it by hand, and changed.

    At each place nine pixels are multiplied with the nine weights; the products, added up, are one pixel of
    the answer. That is a convolution, as `torch.nn.functional.conv2d` computes it, without padding.

    Args:
        picture: One `Image`. Colours become grey, and it is made smaller if a side is longer than 64 pixels.
        kernels: By name, 3 x 3 numbers each, such as the ones that a network has learned; the first is the
            one to begin with. By default some that are known to find edges, or to make a picture softer.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        ValueError: No picture, or one smaller than 3 x 3; a kernel that is not 3 x 3 numbers; no kernel.

    >>> slide_kernel(Image(torch.zeros(3, 24, 32)))
    KernelSlide(24 x 32 pixels, 6 kernels)
    """
    if not isinstance(picture, Image) or picture.ndim != 3 or min(picture.shape[-2:]) < 3:
        raise ValueError(
            f"a kernel of 3 x 3 is slid over one picture at least as large; got {describe(picture)}."
        )
    grey = bytes_of(picture)
    height, width = grey.shape
    rows = [weights_of(name, kernel) for name, kernel in (KERNELS if kernels is None else kernels).items()]
    if not rows:
        raise ValueError("kernels holds no kernel; give at least one, as {'mine': [[0, 0, 0], ...]}.")
    alt = alt_text(GrayImage(grey[None]))
    data = {
        "size": [width, height],
        "pixels": b64encode(grey.numpy().tobytes()).decode(),
        "kernels": rows,
        "start": [(height - 2) // 2, (width - 2) // 2],
        "alt": alt,
    }
    return KernelSlide(alt, still(lambda _: draw(grey, rows[0])), data)


def bytes_of(picture: Image) -> Tensor:
    """The picture in grey, small enough: (height, width) of bytes."""
    height, width = picture.shape[-2:]
    scale = min(1.0, MOST_PIXELS / max(height, width))
    small = resize(picture, (max(3, round(height * scale)), max(3, round(width * scale))))
    photo = photo_of(small if scale < 1 else picture).convert("L")
    return torch.frombuffer(bytearray(photo.tobytes()), dtype=torch.uint8).reshape(photo.height, photo.width)


def weights_of(name: str, kernel: Any) -> dict[str, Any]:
    """Write a kernel for the script; `ValueError` if it is not 3 x 3 numbers."""
    try:
        weights = torch.as_tensor(kernel, dtype=torch.float64).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        weights = torch.empty(0)
    if weights.shape != (3, 3) or not weights.isfinite().all():
        raise ValueError(f"a kernel is 3 x 3 numbers, [[-1, 0, 1], ...]; {name!r} is {describe(kernel)}.")
    return {"name": str(name), "weights": [float(f"{one:.4g}") for one in weights.flatten().tolist()]}


def answer(grey: Tensor, kernel: Tensor) -> Tensor:
    """What a kernel answers to a picture: two rows and two columns less.

    >>> answer(torch.ones(3, 4), torch.ones(3, 3)).tolist()
    [[9.0, 9.0]]
    """
    return torch.nn.functional.conv2d(grey.double()[None, None], kernel.double()[None, None])[0, 0]


def draw(grey: Tensor, kernel: dict[str, Any]) -> Any:
    """Draw the picture and the answer of the first kernel, for where nothing can move."""
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(7, 3.6), layout="constrained")
    left.imshow(grey.numpy(), cmap="gray", vmin=0, vmax=255)
    found = answer(grey, torch.tensor(kernel["weights"]).reshape(3, 3))
    right.imshow(found.numpy(), cmap="gray")
    for axes, title in (left, "picture"), (right, f"answer: {kernel['name']}"):
        axes.set(title=title, xticks=[], yticks=[])
    return figure
