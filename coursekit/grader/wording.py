"""Values in words: short, safe to print, and never by asking a learner's object to print itself.

>>> brief([0, 1, 2, 3]), brief({"a": 1.23456789})
('[0, 1, 2, 3]', "{'a': 1.23457}")
>>> brief(list(range(100)))
'[0, 1, 2, 3, 4, 5, 6, 7, … 100 items]'
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .encoding import Array, Raised, Record, Refused

WIDTH = 88
FEW = 8


def clean(text: str, limit: int = 4000) -> str:
    """Text that is safe to print: escapes and half characters are shown, not obeyed; long text is cut.

    >>> clean("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    if len(text) > limit:
        cut = f"{text[:limit]}… ({len(text) - limit} more characters)"
        text = min(text, cut, key=len)  # a few characters are shorter than the words that stand for them
    if text.replace("\n", "").replace("\t", "").isprintable():  # as nearly all text is
        return text
    return "".join(one if one in "\n\t" or one.isprintable() else ascii(one)[1:-1] for one in text)


def brief(value: Any, depth: int = 0) -> str:
    """A value in at most a line or so: numbers to six digits, the first few of many."""
    if isinstance(value, bool | int) or value is None:
        return _clipped(repr(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str | bytes):
        return _clipped(clean(repr(value)))
    if isinstance(value, list | tuple):
        return _sequence(value, depth)
    if isinstance(value, dict):
        pairs = [
            f"{brief(key, depth + 1)}: {brief(part, depth + 1)}" for key, part in list(value.items())[:FEW]
        ]
        return "{" + _listed(pairs, len(value)) + "}"
    return _object(value, depth)


def laid_out(value: Any) -> str:
    """A value as one would type it; a small table of numbers has a line for each row.

    >>> import torch
    >>> print(laid_out(torch.tensor([[0.25, 1.0], [2.0, -1 / 3]])))
    tensor([[  0.25,    1.0],
            [   2.0, -0.333]])
    """
    data = value.data if isinstance(value, Array) else value
    shape = tuple(getattr(data, "shape", ()))
    if len(shape) != 2 or not 0 < shape[0] <= 10 or not 0 < shape[1] <= 6:
        return brief(value)
    rows = [[_number(one, 3) if isinstance(one, float) else str(one) for one in row] for row in data.tolist()]
    width = max(len(one) for row in rows for one in row)
    lines = [f"[{', '.join(one.rjust(width) for one in row)}]" for row in rows]
    joined = ",\n        ".join(lines)
    return f"tensor([{joined}])"


def kind(value: Any) -> str:
    """What sort of thing a value is, with its article: "a list", "a tensor", "an Image".

    >>> kind([1]), kind(None), kind(3)
    ('a list', 'None', 'a whole number')
    """
    plain = {
        bool: "True or False",
        int: "a whole number",
        float: "a number",
        str: "a text",
        type(None): "None",
    }
    if type(value) in plain:
        return plain[type(value)]
    if isinstance(value, Raised):
        return a(value.type) if value.type else "no error"
    name = value.type if isinstance(value, Array | Record | Refused) else type(value).__name__
    return a(clean("tensor" if name == "Tensor" else name, 80))


# Modules whose types are known by their own name: "an Image", not "a pictures.Image".
FAMILIAR = ("labels.", "pictures.", "points.", "torch.", "typed.", "volumes.")


def a(noun: str) -> str:
    """A noun with its article.

    >>> a("Image"), a("list"), a("numpy.ndarray")
    ('an Image', 'a list', 'a numpy.ndarray')
    """
    last = noun.rpartition(".")[2] if noun.startswith(FAMILIAR) else noun
    return f"{'an' if last[:1].lower() in 'aeiou' else 'a'} {last}"


def count(number: int, noun: str) -> str:
    """A number of things.

    >>> count(1, "item"), count(3, "item")
    ('1 item', '3 items')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _number(value: float, digits: int = 6) -> str:
    if not math.isfinite(value):
        return str(value)
    text = f"{value:.{digits}g}"
    return text if any(mark in text for mark in ".en") else f"{text}.0"


def _sequence(value: list | tuple, depth: int) -> str:
    few = FEW if depth == 0 or all(isinstance(part, int | float) for part in value) else 4
    parts = [brief(part, depth + 1) for part in value[:few]]
    inside = _listed(parts, len(value))
    if isinstance(value, list):
        return f"[{inside}]"
    return f"({inside},)" if len(value) == 1 else f"({inside})"


def _listed(parts: Iterable[str], total: int) -> str:
    parts = list(parts)
    more = [f"… {total} items"] if total > len(parts) else []
    return ", ".join([*parts, *more])


def _object(value: Any, depth: int) -> str:
    if isinstance(value, Array):
        return _array(value)
    if isinstance(value, Record):
        return f"{clean(value.type, 80)} with {brief(value.fields, depth + 1)}"
    if isinstance(value, Raised):
        return f"{clean(value.type, 80)}: {clean(value.text, 300)}" if value.type else "no error"
    if isinstance(value, Refused):
        return kind(value)
    if not hasattr(value, "dtype"):
        return _clipped(clean(repr(value)))  # a complex number, a date: what tensors and arrays are made of
    return _array(Array("Tensor", str(value.dtype).rpartition(".")[2], tuple(value.shape), "cpu", value))


def _array(value: Array) -> str:
    size = math.prod(value.shape)
    name = {"Tensor": "tensor", "numpy.ndarray": "array", "numpy number": value.dtype}.get(
        value.type, value.type
    )
    name = clean(name, 80).rpartition(".")[2]
    if size <= 2 * FEW:
        return f"{name}({brief(value.data.tolist(), 1)})"
    few = brief(value.data.reshape(-1)[:FEW].tolist(), 1)[1:-1]
    return f"{name} of shape {value.shape}, {value.dtype}: {few}, …"


def _clipped(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
