"""JPEG files: their size, told by their first bytes, and their pixels, by the fastest decoder well kept.

That is torchcodec's (https://github.com/meta-pytorch/torchcodec), which took the place of torchvision's. It
stands on the same libjpeg-turbo as Pillow and gives the same pixels, without the copies that Pillow makes on
the way. It is looked for and never needed: where it is not installed, or not for the torch that is, Pillow
serves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

# Markers that begin a frame and tell its size (T.81, table B.1); the three left out stand for tables.
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
CODEC_MODES = {"RGB": "RGB", "L": "GRAY"}
# A camera's turn that stands in a note of Adobe's (XMP) is read by Pillow alone.
TURNED_BY_NOTE = b"tiff:Orientation"


def jpeg_size(data: np.ndarray) -> tuple[int, int] | None:
    """Find the (height, width) that a JPEG file says it has, without decoding it; None if it says none.

    Args:
        data: The bytes of the file, `uint8`.

    A file is a row of segments, each with its length, before the pixels (ITU-T T.81, annex B):

    >>> jpeg_size(np.frombuffer(b"\\xff\\xd8\\xff\\xc0\\x00\\x11\\x08\\x00\\x28\\x00\\x3c\\x03", np.uint8))
    (40, 60)
    >>> jpeg_size(np.frombuffer(b"GIF89a", np.uint8))
    """
    found = _frame(data.data)
    return found[:2] if found else None


def decode_jpeg(data: np.ndarray, mode: str, most_pixels: float) -> np.ndarray | None:
    """Decode the bytes of a JPEG file, upright; None if that is better left to Pillow.

    Left to Pillow is what is no JPEG, has more pixels than `most_pixels` (a small file can claim billions),
    is broken, so that it can say in which way, or has its turn where torchcodec does not look for it.

    Args:
        data: The bytes of the file, `uint8`, writable.
        mode: "RGB" or "L", greyscale.
        most_pixels: How many pixels a picture may have.

    Returns:
        (3, height, width), or (1, height, width) for "L", `uint8`; exactly Pillow's numbers.
    """
    found = _frame(data.data)
    decode = _decoder() if found else None
    if found is None or decode is None or found[0] * found[1] > most_pixels:
        return None
    if TURNED_BY_NOTE in data[: found[2]].tobytes():
        return None
    try:
        return decode(torch.from_numpy(data), mode=CODEC_MODES[mode]).numpy()
    except RuntimeError:
        return None


def _frame(data: memoryview) -> tuple[int, int, int] | None:
    """Height, width, and where in the file that is said."""
    place = 2
    if bytes(data[:2]) != b"\xff\xd8":
        return None
    while place + 9 <= len(data) and data[place] == 0xFF:
        if data[place + 1] in FRAMES:
            return (
                int.from_bytes(data[place + 5 : place + 7]),
                int.from_bytes(data[place + 7 : place + 9]),
                place,
            )
        # A marker may be drawn out by any number of FF before it.
        place += 1 if data[place + 1] == 0xFF else 2 + int.from_bytes(data[place + 2 : place + 4])
    return None


@cache
def _decoder() -> Callable[..., Any] | None:
    """Find torchcodec's decoder; one made for another torch fails in loading its own libraries."""
    try:
        from torchcodec.decoders import decode_jpeg as decode  # type: ignore[import-not-found]
    except (ImportError, OSError, RuntimeError):
        return None
    return decode
