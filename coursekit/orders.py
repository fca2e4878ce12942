"""The order of items in one pass: a function of the seed and the number of the pass, and of nothing else.

So it does not matter how many processes read, who else draws, or where a run was cut off: the same seed and
pass give the same order, on every machine. An order is given how many items there are and gives their
numbers; `batch_numbers` cuts these into batches, and takes one process's share where several learn together.

>>> Shuffled()(count=5, seed=1, epoch=0, batch_size=2)
array([4, 0, 1, 2, 3])
>>> [batch.tolist() for batch in batch_numbers(InOrder()(5, 1, 0, 2), 2)]
[[0, 1], [2, 3], [4]]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from .finding import column

Order = Callable[[int, int, int, int], np.ndarray]


@dataclass(frozen=True)
class InOrder:
    """One item after the other, as they stand.

    >>> InOrder()(3, seed=0, epoch=0, batch_size=1)
    array([0, 1, 2])
    """

    def __call__(self, count: int, seed: int, epoch: int, batch_size: int) -> np.ndarray:
        return np.arange(count)


@dataclass(frozen=True)
class Shuffled:
    """Each item once, in an order that is another with each pass.

    >>> Shuffled()(4, seed=0, epoch=0, batch_size=1), Shuffled()(4, seed=0, epoch=1, batch_size=1)
    (array([2, 0, 1, 3]), array([3, 0, 2, 1]))
    """

    def __call__(self, count: int, seed: int, epoch: int, batch_size: int) -> np.ndarray:
        return chance(seed, epoch).permutation(count)


@dataclass(frozen=True)
class _Told:
    """An order that is told something of each item: the values, or what to take of each item to get them."""

    of_items: ClassVar[str]

    def known(self, items: Any) -> Any:
        """The same order with a value for each of these items.

        Raises:
            ValueError: As many values were given as there are other items.
        """
        told = getattr(self, self.of_items)
        values = column(items, told) if isinstance(told, str | int) or callable(told) else told
        if len(values) != len(items):
            raise ValueError(
                f"{type(self).__name__} needs one of its {self.of_items} for each item it orders; got "
                f"{len(values)} for {len(items)} items. If the items were split, say where an item keeps "
                f"it, such as {type(self).__name__}('{self.of_items[:-1]}')."
            )
        return replace(self, **{self.of_items: values})


@dataclass(frozen=True)
class Weighted(_Told):
    """As many draws as there are items, each item as likely as its weight; some come twice, some not at all.

    Args:
        weights: A weight for each item, 0 or more; or the name of the column that has it, or a function of
            the item.

    Raises:
        ValueError: A weight is negative or not finite, or all are 0; raised when the first pass begins.

    >>> Weighted([0, 1, 0])(3, seed=0, epoch=0, batch_size=1)
    array([1, 1, 1])
    """

    weights: Any
    of_items = "weights"

    def __call__(self, count: int, seed: int, epoch: int, batch_size: int) -> np.ndarray:
        weights = np.asarray(self.weights, dtype=np.float64)
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
            wrong = weights[~(np.isfinite(weights) & (weights >= 0))].tolist()[:3]
            raise ValueError(f"weights are finite, 0 or more, and not all 0; these hold {wrong or 'only 0'}.")
        return chance(seed, epoch).choice(count, count, p=weights / weights.sum())


@dataclass(frozen=True)
class Balanced(_Told):
    """As many draws as there are items, each label as likely as every other: rare kinds come again and again.

    Args:
        labels: The label of each item; or the name of the column that has it, or a function of the item.

    >>> counts = np.bincount(Balanced([0] * 900 + [1] * 100)(1000, 0, 0, 1) // 900)
    >>> bool((abs(counts - 500) < 50).all())
    True
    """

    labels: Any
    of_items = "labels"

    def __call__(self, count: int, seed: int, epoch: int, batch_size: int) -> np.ndarray:
        labels = [one.item() if hasattr(one, "item") else one for one in self.labels]
        labels = [
            None if label != label else label for label in labels
        ]  # NaN equals nothing, not even itself.
        counts = Counter(labels)
        return Weighted([1 / counts[label] for label in labels])(count, seed, epoch, batch_size)


@dataclass(frozen=True)
class Bucketed(_Told):
    """Each item once, in batches of near lengths, so that little is filled up; the batches are shuffled.

    Args:
        lengths: The length of each item; or the name of the column that has it, or a function of the item.
        pool: Among how many batches' worth of shuffled items neighbours are looked for: more of them are
            nearer in length, fewer make batches that differ more from pass to pass.

    >>> order = Bucketed([5, 1, 4, 2, 3, 6])(6, seed=0, epoch=0, batch_size=2)
    >>> sorted(sorted(batch.tolist()) for batch in batch_numbers(order, 2))
    [[0, 5], [1, 3], [2, 4]]
    """

    lengths: Any
    pool: int = 100
    of_items = "lengths"

    def __call__(self, count: int, seed: int, epoch: int, batch_size: int) -> np.ndarray:
        draws, lengths = chance(seed, epoch), np.asarray(self.lengths)
        numbers, size = draws.permutation(count), self.pool * batch_size
        pools = [numbers[start : start + size] for start in range(0, count, size)]
        near = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
        whole = count - count % batch_size  # A last batch that is shorter stays the last.
        batches = near[:whole].reshape(-1, batch_size)
        return np.concatenate([draws.permutation(batches).reshape(-1), near[whole:]])


def chance(seed: int, epoch: int) -> np.random.Generator:
    """Where the chance of one pass comes from: the same numbers give the same draws, on every machine."""
    return np.random.default_rng([seed % 2**64, epoch])


def batch_numbers(
    numbers: np.ndarray, batch_size: int, drop_last: bool = False, rank: int = 0, world: int = 1
) -> list[np.ndarray]:
    """Cut an order into batches: all of them, or those of one of several processes that learn together.

    Each process gets as many batches as every other, of the same sizes, and they take turns item by item. If
    the items do not come out even, the first ones of the order come once more at its end; with `drop_last`
    the end is left out instead, so that every batch is full.

    Args:
        numbers: Item numbers, in order.
        batch_size: How many of them stand in a batch of one process.
        drop_last: Leave out what does not fill a batch in every process.
        rank: Which process this is, from 0.
        world: How many processes there are.

    >>> [batch.tolist() for batch in batch_numbers(np.arange(5), 2, rank=1, world=2)]
    [[1, 3], [0]]
    """
    count, together = len(numbers), batch_size * world
    even = count // together * together if drop_last else -(-count // world) * world
    own = np.resize(numbers, even)[rank::world]
    return [own[start : start + batch_size] for start in range(0, len(own), batch_size)]


def rank_and_world() -> tuple[int, int]:
    """Which of how many processes that learn together this is, as `torch.distributed` has it.

    >>> rank_and_world()
    (0, 1)
    """
    distributed = torch.distributed
    if not (distributed.is_available() and distributed.is_initialized()):
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def turns(numbers: np.ndarray) -> np.ndarray:
    """Which time it is that each number comes, from 0: an item drawn twice in a pass is not moved alike.

    >>> turns(np.array([4, 2, 4, 4]))
    array([0, 0, 1, 2])
    """
    by_number = np.argsort(numbers, kind="stable")
    ordered = numbers[by_number]
    begins = np.maximum.accumulate(np.where(np.diff(ordered, prepend=-1) != 0, np.arange(len(numbers)), 0))
    result = np.empty_like(numbers)
    result[by_number] = np.arange(len(numbers)) - begins
    return result
