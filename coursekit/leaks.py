"""Look for what makes a number at the end worth nothing: labels that are missing, items on both sides.

>>> file_number("no such file") is None
True
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from .blocks import Sampled
from .finding import Take, cheap_column, is_missing
from .samples import describe
from .splits import Split
from .steps import Categorize
from .transforms import Pipeline
from .vocabularies import MultiCategorize


def check_labels(items: Sequence, sample: Sampled) -> None:
    """Refuse items whose label is missing, where looking at all labels costs little.

    Raises:
        ValueError: Some are missing; the message names how many and the first.
    """
    name = sample.target_from
    labels = None if sample.targets is None else cheap_column(items, name)
    missing = [place for place, label in enumerate(labels or ()) if is_missing(label)]
    if missing:
        several = isinstance(first_step(sample.targets), MultiCategorize)
        none_of_them = f" If an empty cell means none of the names: table[{name!r}].fillna('') says so."
        raise ValueError(
            f"{len(missing)} of {len(items)} items have no target: {name!r} is missing in "
            f"item {missing[0]}{', among others' if len(missing) > 1 else ''}. Leave such items out, in a "
            f"table by table = table.dropna(subset=[{name!r}]); or fill them in.{none_of_them * several}"
        )


def check_kinds(items: Sequence, sample: Sampled, split: Split) -> None:
    """Refuse held-out items of kinds that no training item has, where looking at all labels costs little.

    Otherwise they would be met after the first epoch of learning, which may be hours from here.

    Raises:
        ValueError: There are such items; the message names the first.
    """
    unseen = unseen_kinds(items, sample, split)
    if unseen:
        step, number = first_step(sample.targets), unseen[0]
        try:
            step.encode(kinds_of(items, sample)[number])
        except ValueError as error:
            error.add_note(f"while item {number} was looked at, one of {len(unseen)} held out of such kinds")
            raise


def unseen_kinds(items: Sequence, sample: Sampled, split: Split) -> list[int]:
    """The numbers of held-out items whose kind no training item has, as far as that can be told at once."""
    if not (kinds := kinds_of(items, sample)):
        return []
    known = set(first_step(sample.targets).vocab)
    return [
        number for number in split[1] if isinstance(kinds[number], str | int) and kinds[number] not in known
    ]


def kinds_of(items: Sequence, sample: Sampled) -> list:
    """The kind of each item, if targets are kinds and looking at all of them costs little; else nothing."""
    is_kind = isinstance(first_step(sample.targets), Categorize)
    return (cheap_column(items, sample.target_from) or []) if is_kind else []


def first_step(pipeline: Pipeline | None) -> Any:
    """What a side of an item begins with; None if nothing is done there."""
    return pipeline.steps[0] if pipeline and pipeline.steps else None


def check_answer(sample: Sampled) -> None:
    """Refuse inputs among which the target stands as well.

    What goes in and comes out alone may be the same, such as a text that is to be told on.

    Raises:
        ValueError: A column is one of several inputs, and the target.
    """
    answers = names_in(sample.target_from)
    given = names_in(sample.input_from) if isinstance(sample.input_from, list | tuple | dict) else []
    told = [name for name in given if name in answers]
    if told and sample.targets is not None:
        raise ValueError(
            f"{told[0]!r} goes in and is to come out as well: the model would only have to copy it. Leave it "
            "out of input_from."
        )


def names_in(take: Take) -> list:
    """The names of columns in what says where an item keeps something."""
    if isinstance(take, dict):
        take = list(take.values())
    return [name for one in take for name in names_in(one)] if isinstance(take, list | tuple) else [take]


def check_leaks(items: Sequence, sample: Sampled, split: Split) -> None:
    """Refuse a split with the same file or object as an input on both sides, and a target among the inputs.

    Raises:
        ValueError: There is one; the message names it and the two items.
    """
    check_answer(sample)
    inputs = cheap_column(items, sample.input_from)
    if inputs is None:
        return
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
