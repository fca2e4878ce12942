"""The fastest decoder of photos that is well kept, for the two kinds of file that most photos come in.

That is torchcodec's (https://github.com/meta-pytorch/torchcodec), which took the place of torchvision's. It
stands on the same libraries as Pillow, libjpeg-turbo and libpng, and gives the same pixels, without the
copies that Pillow makes on the way. It is looked for and never needed: where it is not installed, or not for
the torch that is, and for every file that is out of the ordinary, Pillow serves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

# Markers that begin a JPEG's frame and tell its size (T.81, table B.1); the three left out stand for tables.
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# A camera's turn that stands in a note of Adobe's (XMP) is read by Pillow alone.
TURNED_BY_NOTE = b"tiff:Orientation"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Kinds of colour in a PNG (1: grey, 2: RGB) that become a mode without a choice of how.
COLOURS = {"RGB": (0, 2), "L": (0,)}
# What a PNG may hold that changes none of its pixels. Not here: transparency, a camera's turn, films.
HARMLESS = set(b"IHDR IDAT IEND pHYs gAMA sRGB cHRM iCCP sBIT bKGD tIME tEXt".split())
# Texts that some programs put a camera's turn into begin with these.
NOTES = (b"Raw", b"XML")
CODEC_MODES = {"RGB": "RGB", "L": "GRAY"}


def decode(data: np.ndarray, mode: str, most_pixels: float) -> np.ndarray | None:
    """Decode the bytes of a JPEG or PNG file, upright; None if that is better left to Pillow.

    Left to Pillow is any other format; what has more pixels than `most_pixels`, since a small file can claim
    billions; what is broken, so that it can say in which way; a PNG with transparency, a palette or 16 bits.

    Args:
        data: The bytes of the file, `uint8`, writable.
        mode: "RGB" or "L", greyscale.
        most_pixels: How many pixels a picture may have.

    Returns:
        (3, height, width), or (1, height, width) for "L", `uint8`; exactly Pillow's numbers.
    """
    size = plain_jpeg_size(data) or plain_png_size(data, mode)
    if size is None or size[0] * size[1] > most_pixels or (read := _decoder()) is None:
        return None
    try:
        return read(torch.from_numpy(data), mode=CODEC_MODES[mode]).numpy()
    except RuntimeError:
        return None


def plain_jpeg_size(data: np.ndarray) -> tuple[int, int] | None:
    """Find the (height, width) of a JPEG file without decoding it; None if it is none, or turned by a note.

    Args:
        data: The bytes of the file, `uint8`.

    A file is a row of segments, each with its length, before the pixels (ITU-T T.81, annex B):

    >>> start = b"\\xff\\xd8\\xff\\xc0\\x00\\x11\\x08\\x00\\x28\\x00\\x3c\\x03"
    >>> plain_jpeg_size(np.frombuffer(start, np.uint8))
    (40, 60)
    """
    raw, place = data.data, 2
    if bytes(raw[:2]) != b"\xff\xd8":
        return None
    while place + 9 <= len(raw) and raw[place] == 0xFF:
        if raw[place + 1] in FRAMES:
            turned = TURNED_BY_NOTE in bytes(raw[:place])
            height, width = (int.from_bytes(raw[place + at : place + at + 2]) for at in (5, 7))
            return None if turned else (height, width)
        # A marker may be drawn out by any number of FF before it.
        place += 1 if raw[place + 1] == 0xFF else 2 + int.from_bytes(raw[place + 2 : place + 4])
    return None


def plain_png_size(data: np.ndarray, mode: str) -> tuple[int, int] | None:
    """Find the (height, width) of a PNG file whose pixels mean what they are; None if it is none.

    Args:
        data: The bytes of the file, `uint8`.
        mode: "RGB" or "L": to make grey of colours is left to Pillow, which rounds.

    A file is a row of chunks, each with its length and name (https://www.w3.org/TR/png-3/#5Chunk-layout).

    >>> plain_png_size(np.frombuffer(b"GIF89a", np.uint8), "RGB")
    """
    raw, place = data.data, len(SIGNATURE)
    if bytes(raw[:place]) != SIGNATURE or len(raw) < 33 or raw[24] != 8 or raw[25] not in COLOURS[mode]:
        return None
    while place + 8 <= len(raw):
        name, beginning = bytes(raw[place + 4 : place + 8]), bytes(raw[place + 8 : place + 11])
        if name not in HARMLESS or (name == b"tEXt" and beginning in NOTES):
            return None
        place += 12 + int.from_bytes(raw[place : place + 4])
    return int.from_bytes(raw[20:24]), int.from_bytes(raw[16:20])


@cache
def _decoder() -> Callable[..., Any] | None:
    """Find torchcodec's decoder; one made for another torch fails in loading its own libraries."""
    try:
        from torchcodec.decoders import decode_image  # type: ignore[import-not-found]
    except (ImportError, OSError, RuntimeError):
        return None
    return decode_image
