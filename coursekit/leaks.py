"""Look for what makes a number at the end worth nothing: labels that are missing, items on both sides.

>>> file_number("no such file") is None
True
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from .blocks import Sampled
from .finding import column, is_cheap, is_missing
from .samples import describe
from .splits import Split


def check_labels(items: Sequence, sample: Sampled) -> None:
    """Refuse items whose label is missing, where looking at all labels costs little.

    Raises:
        ValueError: Some are missing; the message names how many and the first.
    """
    if sample.targets is None or not is_cheap(items) or not isinstance(sample.target_from, str | int):
        return
    missing = [place for place, label in enumerate(column(items, sample.target_from)) if is_missing(label)]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(items)} items have no target: {sample.target_from!r} is missing in "
            f"item {missing[0]}{', among others' if len(missing) > 1 else ''}. Leave such items out, in a "
            f"table by table = table.dropna(subset=[{sample.target_from!r}]); or fill them in."
        )


def check_leaks(items: Sequence, sample: Sampled, split: Split) -> None:
    """Refuse a split with the same file, or the very same object, as an input on both sides.

    Raises:
        ValueError: There is one; the message names it and the two items.
    """
    if not is_cheap(items) or not isinstance(sample.input_from, str | int):
        return
    inputs = column(items, sample.input_from)
    keys = [identity(x) for x in inputs]
    learned = {keys[item]: item for item in reversed(split[0]) if keys[item] is not None}
    both = [item for item in split[1] if keys[item] in learned]
    if both:
        first, other = learned[keys[both[0]]], both[0]
        is_file = isinstance(inputs[other], str | os.PathLike)
        what, called = (
            ("file", repr(os.fspath(inputs[other]))) if is_file else ("object", describe(inputs[other]))
        )
        raise ValueError(
            f"the same {what} is to be learned from and held out: item {first} and item {other} are both "
            f"{called} ({len(both)} held-out items in all). What belongs together stays "
            f"together: split=GroupSplit({sample.input_from!r}); or leave out what stands there twice."
        )


def identity(x: Any) -> Any:
    """What makes two inputs the same: the file that a path leads to, or being one object; None if neither."""
    if isinstance(x, str | os.PathLike):
        return file_number(x)
    return None if isinstance(x, int | float | bytes | None) or not hasattr(x, "__len__") else id(x)


def file_number(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """The number of a file on its disk, the same by every name and link; None if there is no file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
