"""How much strangers may ask of a service, and what they are told when it is more.

>>> check_photo(b"no photo", most_pixels=100)
Traceback (most recent call last):
coursekit.serving_limits.RefusedError: This is no photo that can be read: send JPEG, PNG, WEBP.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

# Of the many formats that Pillow reads, those that cameras and telephones write.
FORMATS = ("JPEG", "PNG", "WEBP")
# Pixels in a row: no JPEG can have more. A PNG can, and to shrink millions to a hundred takes long.
LONGEST = 2**16


class RefusedError(Exception):
    """A request that is not answered: a status of HTTP, and one sentence for whoever sent it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@dataclass(frozen=True)
class Limits:
    """How much strangers may ask.

    Attributes:
        most_bytes: Of one photo, as it is sent.
        most_pixels: Of one photo, once it is open: a small file can hold a huge picture.
        most_waiting: Requests at once; who comes then is told to come again.
        batch: Photos answered at once, at most.
        wait: Seconds that a photo waits for others to come along.
        patience: Seconds within which a photo has to arrive.
    """

    most_bytes: int = 10 * 2**20
    most_pixels: int = 50_000_000
    most_waiting: int = 128
    batch: int = 16
    wait: float = 0.005
    patience: float = 20.0


def check_photo(data: bytes, most_pixels: int) -> None:
    """Look at the head of a photo, before a pixel of it is decoded."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=FORMATS) as photo:
                width, height = photo.size
    except Image.DecompressionBombError:
        raise RefusedError(422, f"This photo has more than {most_pixels:,} pixels.") from None
    except Exception:  # Whatever a file that is no photo makes a reader stumble over.
        raise RefusedError(415, f"This is no photo that can be read: send {', '.join(FORMATS)}.") from None
    if max(width, height) > LONGEST:
        said = f"This photo has {max(width, height):,} pixels in a row, and {LONGEST:,} are allowed."
        raise RefusedError(422, said)
    if width * height > most_pixels:
        said = f"This photo has {width * height:,} pixels, and {most_pixels:,} are allowed: send it smaller."
        raise RefusedError(422, said)


async def read_photo(request: Any, limits: Limits) -> bytes:
    """The photo that a request brings: as its body, or as the file of a form."""
    whole = read_form if request.headers.get("content-type", "").startswith("multipart/") else read_body
    try:
        return await asyncio.wait_for(whole(request, limits.most_bytes), limits.patience)
    except TimeoutError:
        raise RefusedError(408, f"The photo took more than {limits.patience:g} seconds to arrive.") from None


async def chunks(request: Any, most_bytes: int) -> AsyncGenerator[bytes, None]:
    """What arrives, until it is too much."""
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > most_bytes:
            raise RefusedError(413, f"This photo has more than {most_bytes:,} bytes: send it smaller.")
        yield chunk


async def read_body(request: Any, most_bytes: int) -> bytes:
    """A photo that is all that is sent."""
    return b"".join([chunk async for chunk in chunks(request, most_bytes)])


async def read_form(request: Any, most_bytes: int) -> bytes:
    """The first file of a form."""
    from starlette.formparsers import MultiPartException, MultiPartParser

    try:
        form = await MultiPartParser(request.headers, chunks(request, most_bytes), max_files=1).parse()
    except MultiPartException as error:
        raise RefusedError(415, f"This form cannot be read: {error.message}.") from None
    for value in form.values():
        if not isinstance(value, str):
            return await value.read()
    raise RefusedError(415, "This form brings no file.")
