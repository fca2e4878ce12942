"""One message over a pipe: a fixed head with two sizes, a JSON part, then raw bytes.

>>> import io
>>> pipe = io.BytesIO()
>>> write_frame(pipe, {"is": "yield"}, [b"abc"])
>>> _ = pipe.seek(0)
>>> read_frame(pipe)
({'is': 'yield', 'weight': 235}, [b'abc'])
"""

from __future__ import annotations

import json
import operator
import struct
from typing import Any, BinaryIO

from .encoding import BYTES, COUNT, BrokenEncoding

_HEAD = struct.Struct(">4sQQ")
_MARK = b"ckg1"
JSON_BYTES = 32 * 2**20
# Each of these may become an object of its own in memory, many times as large as its text.
PARTS, MOST_PARTS = (b"[", b"{", b","), 4 * COUNT
TEXT_WEIGHS = 8


def write_frame(pipe: BinaryIO, message: dict[str, Any], buffers: list[bytes] | None = None) -> None:
    """Send one message."""
    buffers = buffers or []
    text = json.dumps({**message, "sizes": [len(one) for one in buffers]}).encode()
    pipe.write(_HEAD.pack(_MARK, len(text), sum(map(len, buffers))))
    pipe.write(text)
    for one in buffers:
        pipe.write(one)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """Receive one message; None at the end of the pipe. Its `weight`: bytes it takes in memory, about.

    Raises:
        BrokenEncoding: It is larger than allowed (seen before it is read), cut short or no such message.
    """
    head = pipe.read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise BrokenEncoding("a message was cut short")
    mark, text_size, total = _HEAD.unpack(head)
    if mark != _MARK or text_size > JSON_BYTES or total > BYTES:
        raise BrokenEncoding("a message has the wrong mark or is too large")
    text, content = pipe.read(text_size), pipe.read(total)
    if len(text) < text_size or len(content) < total:
        raise BrokenEncoding("a message was cut short")
    return _parts(text, content)


def _parts(text: bytes, content: bytes) -> tuple[dict[str, Any], list[bytes]]:
    if sum(map(text.count, PARTS)) > MOST_PARTS:
        raise BrokenEncoding("a message has too many parts")
    try:
        message = json.loads(text)
        sizes = [operator.index(size) for size in message.pop("sizes")]
        message["weight"] = TEXT_WEIGHS * len(text) + len(content)
        if min(sizes, default=0) < 0 or sum(sizes) != len(content):
            raise BrokenEncoding("a message has the wrong sizes")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BrokenEncoding("a message is not in the agreed form") from error
    buffers, start = [], 0
    for size in sizes:
        buffers.append(content[start : start + size])
        start += size
    return message, buffers
