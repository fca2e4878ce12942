"""Photos made small, to be looked at by the dozen."""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING, Any

from ..photos import decoded, eight_bits, file_bytes

if TYPE_CHECKING:
    from PIL.Image import Image as Photo

# The longer side of a small picture, in pixels.
SMALL = 192


def shrunk(file: str | os.PathLike[str]) -> tuple[bytes, Any]:
    """A photo as a small JPEG and its size in pixels; or nothing, and what is wrong with it."""
    try:
        photo = decoded(file_bytes(file), file, "RGB", (SMALL, SMALL))
        return as_small(photo), photo.size
    except (OSError, ValueError, MemoryError) as error:
        return b"", (getattr(error, "reason", "") or str(error)).partition("; or ")[0].rstrip(".")


def as_small(photo: Photo) -> bytes:
    """A small JPEG of a photo."""
    small, kept = eight_bits(photo).convert("RGB"), BytesIO()
    small.thumbnail((SMALL, SMALL))
    small.save(kept, "JPEG", quality=82)
    return kept.getvalue()
