"""Hold some items back, so that a model is judged on what it has never seen.

A split is a pair of lists, `(train, valid)`, of item numbers. Anything that gives such a pair can stand where
one of these functions stands.

>>> train, valid = random_split(10, valid=0.3)
>>> len(train), len(valid)
(7, 3)
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

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
    train = [item for item, group in enumerate(groups) if group not in held_out]
    return train, [item for item, group in enumerate(groups) if group in held_out]


def _held_out_count(count: int, valid: float) -> int:
    """How many of `count` groups a share of `valid` holds out: rounded, never none, never all."""
    if not 0 < valid < 1:
        raise ValueError(
            f"valid is the share to hold out, so it lies between 0 and 1; it was {valid!r}. "
            "To hold out a fifth, write valid=0.2."
        )
    if count < 2:
        raise ValueError(
            f"a split needs at least two groups, one to learn from and one to hold out; there was {count}. "
            "Are all items in one group?"
            if count
            else "there is nothing to split: no item came."
        )
    return min(max(round(valid * count), 1), count - 1)


def check_split(split: Sequence[Sequence[int]], count: int) -> Split:
    """Make sure that a split fits the items it is used on, and return it as two lists.

    Args:
        split: A pair of sequences of item numbers.
        count: How many items there are.

    Raises:
        ValueError: Not a pair, an item on both sides, a number that is no item, or an empty side.

    >>> check_split(([0, 1], [2]), 3)
    ([0, 1], [2])
    """
    if len(split) != 2:
        raise ValueError(f"a split is a pair (train, valid) of item numbers; {len(split)} parts came.")
    train, valid = [[int(item) for item in side] for side in split]
    for name, side in (("train", train), ("valid", valid)):
        if not side:
            raise ValueError(f"the {name} side of the split is empty; both sides need at least one item.")
        stray = [item for item in side if not 0 <= item < count]
        if stray:
            raise ValueError(
                f"the {name} side of the split names item {stray[0]}, but there are {count} items, "
                f"numbered 0 to {count - 1}. Was the split made from other items?"
            )
    both = sorted(set(train) & set(valid))
    if both:
        raise ValueError(
            f"{len(both)} items stand on both sides of the split (the first is item {both[0]}): "
            "the model would be tested on what it was taught."
        )
    return train, valid
