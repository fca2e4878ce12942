"""Hold some items back, so that a model is judged on what it has never seen.

A split is a pair of lists, `(train, valid)`, of item numbers. Anything that gives such a pair can stand where
one of these functions stands. What splits the items of a data block by one of their columns: `splitters`.

>>> train, valid = random_split(10, valid=0.3)
>>> len(train), len(valid)
(7, 3)
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

Split = tuple[list[int], list[int]]


def random_split(count: int, valid: float = 0.2, seed: int = 0) -> Split:
    """Hold out single items, chosen at random.

    Right only when no two items belong together. Photos of one patient, sentences of one contract or cells of
    one solar panel do: use `group_split` for those.

    Args:
        count: How many items there are.
        valid: The share of items to hold out, between 0 and 1.
        seed: The same seed gives the same split, on every machine.

    Returns:
        The item numbers to learn from and those held out, both ascending, at least one in each.

    Raises:
        ValueError: Fewer than two items, or a share that is not between 0 and 1.

    >>> random_split(6, valid=0.5, seed=1)
    ([2, 3, 5], [0, 1, 4])
    """
    return group_split(range(count), valid, seed)


def group_split(groups: Iterable, valid: float = 0.2, seed: int = 0) -> Split:
    """Hold out whole groups, chosen at random, so that nothing on one side has a sibling on the other.

    Args:
        groups: For each item, the name of the group it belongs to: numbers, texts, a column of a table.
        valid: The share of the *groups* to hold out, between 0 and 1.
        seed: The same seed gives the same split, on every machine.

    Returns:
        The item numbers to learn from and those held out, both ascending, at least one group in each.

    Raises:
        ValueError: Fewer than two groups, or a share that is not between 0 and 1.

    >>> group_split(["ann", "ann", "bob", "bob", "cleo"], valid=0.4, seed=0)
    ([0, 1, 4], [2, 3])
    """
    groups = list(groups)
    names = sorted(set(groups))
    held_out = set(random.Random(seed).sample(names, _held_out_count(len(names), valid)))
    return _sides(len(groups), {item for item, group in enumerate(groups) if group in held_out})


def _held_out_count(count: int, valid: float) -> int:
    """How many of `count` groups a share of `valid` holds out: rounded, never none, never all."""
    if not 0 < valid < 1:
        raise ValueError(
            f"valid is the share to hold out, so it lies between 0 and 1; it was {valid!r}. "
            "To hold out a fifth, write valid=0.2."
        )
    if count < 2:
        raise ValueError(
            "a split needs at least two items or groups, one to learn from and one to hold out; there was "
            f"{count}. Is there one item only, or are all in one group?"
            if count
            else "there is nothing to split: no item came."
        )
    return min(max(round(valid * count), 1), count - 1)


def stratified_split(labels: Iterable, valid: float = 0.2, seed: int = 0) -> Split:
    """Hold out the same share of each kind, so that rare kinds are neither lost nor left unjudged.

    As `random_split`, it is right only when no two items belong together.

    Args:
        labels: The kind of each item.
        valid: The share of the items of each kind to hold out, between 0 and 1.
        seed: The same seed gives the same split, on every machine.

    Returns:
        The item numbers to learn from and those held out, both ascending, of each kind at least one in each.

    Raises:
        ValueError: A kind with a single item, a missing label, or a share that is not between 0 and 1.

    >>> stratified_split(["cat"] * 6 + ["owl"] * 2, valid=0.3)
    ([0, 1, 2, 4, 7], [3, 5, 6])
    """
    labels = known(labels, "label")
    places: dict[Any, list[int]] = {}
    for item, label in enumerate(labels):
        places.setdefault(label, []).append(item)
    alone = [label for label, items in places.items() if len(items) < 2]
    if alone:
        kinds = "this kind has" if len(alone) == 1 else f"and {len(alone) - 1} more kinds each have"
        raise ValueError(
            f"{alone[0]!r}: {kinds} a single item, which cannot be learned from and held out as well. Gather "
            "more, join rare kinds into one, or leave them out."
        )
    chance, held_out = random.Random(seed), set()
    for label in sorted(places, key=str):
        held_out.update(chance.sample(places[label], _held_out_count(len(places[label]), valid)))
    return _sides(len(labels), held_out)


def time_split(times: Iterable, valid: float = 0.2) -> Split:
    """Learn from what came before, and hold out what came last, as it will be when the model is used.

    Items of the same time are never torn apart, so that a few more or fewer than the share may be held out.

    Args:
        times: When each item was: numbers, dates, or texts such as "2024-05-31" that sort as their times do.
        valid: The share of items to hold out, between 0 and 1.

    Returns:
        The item numbers to learn from and those held out, both ascending, at least one in each.

    Raises:
        ValueError: A missing time, only one time, or a share that is not between 0 and 1.
        TypeError: Texts that do not sort as their times do, such as "31.5.2024".

    >>> time_split([2021, 2019, 2020, 2021, 2018], valid=0.2)
    ([1, 2, 4], [0, 3])
    """
    times = known(times, "time")
    for time in times:
        if isinstance(time, str) and not re.match(r"\d{4}(-\d\d(-\d\d([T ]\d\d:\d\d.*)?)?)?$", time):
            raise TypeError(
                f"times are numbers, dates, or texts such as '2024-05-31', which sort as their times do; "
                f"{time!r} does not. Read them first: table['date'] = pandas.to_datetime(table['date'])."
            )
    moments = sorted(set(times))
    if len(moments) == 1:
        raise ValueError(f"all {len(times)} items are of one time, {moments[0]}: nothing comes after it.")
    wanted, late, counts = _held_out_count(len(times), valid), 0, Counter(times)
    first = len(moments)
    while first > 1 and late < wanted:
        first -= 1
        late += counts[moments[first]]
    # The last moment taken may be a crowd: leave it if that comes nearer to the share.
    if first + 1 < len(moments) and late - wanted > wanted - (late - counts[moments[first]]):
        first += 1
    return _sides(len(times), {item for item, time in enumerate(times) if time >= moments[first]})


def fold_split(groups: Iterable | int, folds: int = 5, fold: int = 0, seed: int = 0) -> Split:
    """Hold out one of several parts, so that in as many rounds each item is held out once (cross-validation).

    Args:
        groups: How many items there are; or the group of each item, and no group is torn apart.
        folds: How many parts.
        fold: Which of them is held out in this round, counted from 0.
        seed: The same seed gives the same parts.

    Returns:
        The item numbers to learn from and those held out, both ascending.

    Raises:
        ValueError: Fewer groups than parts, fewer than two parts, or no such part.

    >>> sorted(item for fold in range(3) for item in fold_split(7, folds=3, fold=fold)[1])
    [0, 1, 2, 3, 4, 5, 6]
    """
    groups = known(range(groups) if isinstance(groups, int) else groups, "group")
    sizes = Counter(groups)
    if not 2 <= folds <= len(sizes) or not 0 <= fold < folds:
        raise ValueError(
            f"{folds} parts are made of at least as many groups, and fold counts them from 0; there are "
            f"{len(sizes)} groups, and fold={fold!r} was asked for. At least 2 parts."
        )
    names = sorted(sizes)
    random.Random(seed).shuffle(names)
    # Large groups first, each into the part that is the smallest yet: the parts come out about equally large.
    parts: list[set] = [set() for _ in range(folds)]
    filled = [0] * folds
    for name in sorted(names, key=sizes.__getitem__, reverse=True):
        smallest = filled.index(min(filled))
        parts[smallest].add(name)
        filled[smallest] += sizes[name]
    return _sides(len(groups), {item for item, group in enumerate(groups) if group in parts[fold]})


def known(values: Iterable, what: str) -> list:
    """The values as a list, if none is missing.

    Raises:
        ValueError: One is None or NaN.
    """
    values = list(values)
    missing = [place for place, value in enumerate(values) if value is None or value != value]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(values)} items have no {what} (the first is item {missing[0]}): on "
            "which side do they belong? Fill them in, or leave such items out."
        )
    return values


def _sides(count: int, held_out: set) -> Split:
    """The numbers of the items on each side, ascending."""
    return [item for item in range(count) if item not in held_out], sorted(held_out)


def check_split(split: Sequence[Sequence[int]], count: int, groups: Sequence | None = None) -> Split:
    """Make sure that a split fits the items it is used on and leaks nothing, and return it as two lists.

    Args:
        split: A pair of sequences of item numbers.
        count: How many items there are.
        groups: For each item, what it must not be parted from: its patient, say. None is of no group.

    Raises:
        ValueError: Not a pair, a number that is no item, an empty side, an item twice on one side or on both
            sides, or a group on both sides.

    >>> check_split(([0, 1], [2]), 3)
    ([0, 1], [2])
    """
    try:
        sides = [list(side) for side in split]
        train, valid = ([int(item) for item in side] for side in sides)
    except (TypeError, ValueError):
        parts = f"; {len(split)} parts came" if hasattr(split, "__len__") else f"; {split!r:.60} came"
        share = f" A share says not which: RandomSplit({split})." if isinstance(split, float) else ""
        raise ValueError(f"a split is a pair (train, valid) of item numbers{parts}.{share}") from None
    if any(type(item).__name__ in ("bool", "bool_") for item in sides[0]):
        raise ValueError(
            "a split is a pair (train, valid) of item numbers; True and False came. The numbers of the items "
            "that are True: numpy.flatnonzero(mask)."
        )
    for name, side in (("train", train), ("valid", valid)):
        _check_side(name, side, count)
    both = sorted(set(train) & set(valid))
    if both:
        raise ValueError(
            f"{len(both)} items stand on both sides of the split (the first is item {both[0]}): "
            "the model would be tested on what it was taught."
        )
    if groups is not None:
        _check_groups(train, valid, groups)
    return train, valid


def _check_side(name: str, side: list[int], count: int) -> None:
    """Refuse a side without items, with numbers that are none, or with an item twice."""
    if not side:
        raise ValueError(
            f"the {name} side of the split is empty; both sides need at least one item"
            + (", and there is only one item in all." if count == 1 else ".")
        )
    stray = [item for item in side if not 0 <= item < count]
    if stray:
        raise ValueError(
            f"the {name} side of the split names item {stray[0]}, but there are {count} items, "
            f"numbered 0 to {count - 1}. Was the split made from other items?"
        )
    if len(set(side)) < len(side):
        item, times = Counter(side).most_common(1)[0]
        raise ValueError(f"item {item} stands {times} times on the {name} side of the split.")


def _check_groups(train: list[int], valid: list[int], groups: Sequence) -> None:
    """Refuse a split that tears a group apart."""
    learned = {groups[item]: item for item in reversed(train) if groups[item] is not None}
    torn = {groups[item]: item for item in reversed(valid) if groups[item] in learned}
    if torn:
        group, item = next(reversed(torn.items()))
        raise ValueError(
            f"{len(torn)} groups stand on both sides of the split: {group!r}, for one, with item "
            f"{learned[group]} to learn from and item {item} held out. What the model learned of a group it "
            "would be praised for knowing. Hold out whole groups: GroupSplit(column), or group_split(names)."
        )
