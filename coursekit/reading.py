"""Read items and put them together into batches, here or in processes that read ahead.

Whoever reads is told the pass and the numbers of the items, and gives back the batch with a list of what
could not be read. Nothing depends on who reads, or on what was read before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from .batches import collate
from .blocks import Sampled
from .files import file_of
from .finding import cells_of
from .photos import BrokenPhotoError
from .samples import describe
from .scans import BrokenScanError
from .transforms import Pipeline, Transform

Item = tuple[Any, Any]
UNREADABLE = (OSError, BrokenPhotoError, BrokenScanError)


class Broken(NamedTuple):
    """An item that was left out, since its file could not be read.

    >>> print(Broken(7, "cat.png", "its end is missing."))
    item 7, cat.png: its end is missing.
    """

    number: int
    file: str
    reason: str

    def __str__(self) -> str:
        return f"item {self.number}, {self.file}: {self.reason}"


class Asked(NamedTuple):
    """The items of one batch: their numbers, and which time it is that each comes in this pass, from 0."""

    epoch: int
    numbers: np.ndarray
    turns: np.ndarray


class Items(Dataset):
    """The items of one side of a split, encoded when they are asked for and kept from then on if they fit.

    Args:
        raw: What each item is made from: a sequence, or something to walk through that has no length.
        pipeline: Turns one raw item into a pair of input and target.
        most_bytes: Keep encoded items in memory if all of them together are no larger than this, so that
            files are read and resized only once. Items that are drawn by chance are never kept.
        seed: Where chance starts. What is drawn for an item follows from the seed, the pass and the number of
            the item, not from the order in which, or the process where, items are made.
        broken: What a loader does with an item whose file cannot be read: "raise" the error, or "skip": leave
            the item out of its batch, warn once, and list it in `Loader.broken`.

    An item is asked for by its number, or by `(pass, number)`; the number alone is the item of pass 0.

    Raises:
        ValueError: `broken` is neither of the two.

    >>> from .transforms import Pipeline
    >>> items = Items([("a", "b")], Pipeline())
    >>> len(items), items[0]
    (1, ('a', 'b'))
    """

    def __init__(
        self,
        raw: Any,
        pipeline: Transform,
        most_bytes: int = 2**30,
        seed: int = 0,
        broken: str = "raise",
    ) -> None:
        if broken not in ("raise", "skip"):
            raise ValueError(f'broken files "raise" an error, or one tells to "skip" them; got {broken!r}.')
        self.raw, self.pipeline, self.most_bytes, self.seed = raw, pipeline, most_bytes, seed
        self.skips, self.random = broken == "skip", pipeline.random
        self.broken: list[Broken] = []
        self._kept: dict[int, Item] = {}
        self._keeps: bool | None = False if self.random else None

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, place: int | tuple[int, int]) -> Item:
        epoch, number = place if isinstance(place, tuple) else (0, place)
        return self.get(number, epoch)

    def get(self, number: int, epoch: int, turn: int = 0) -> Item:
        """One item as it is in a pass, the first time it comes in that pass or a later one."""
        if number in self._kept:
            return self._kept[number]
        item = self.make(self.raw[number], number, epoch, turn)
        if self._keeps is None:
            self._keeps = size_in_bytes(item) * len(self) <= self.most_bytes
        if self._keeps:
            self._kept[number] = item
        return item

    def rows(self, numbers: Sequence[int]) -> Any:
        """The batch of several items made at once, if they are rows of a table and the steps allow it."""
        steps: Any = getattr(self.pipeline, "steps", ())
        if [type(step) for step in steps] != [Sampled] or (cells := cells_of(self.raw, numbers)) is None:
            return None
        with suppress(Exception):  # Item by item it comes out which of them is at fault.
            return steps[0].encode_rows(cells)

    def make(self, raw: Any, number: int, epoch: int, turn: int = 0) -> Item:
        """Make an item from its raw form."""
        if self.random:
            self.pipeline.reseed(self.seed, epoch, number, *([turn] if turn else []))
        try:
            return self.pipeline.encode(raw)
        except Exception as error:
            error.add_note(f"while item {number} was made, from {describe(raw)}")
            raise

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": {}}  # A process that reads ahead keeps what it reads itself.

    def forget(self) -> None:
        """Keep no encoded items any more, as they are kept elsewhere."""
        self._kept, self._keeps = {}, False


def as_items(source: Any) -> Items:
    """Items of whatever a loader is given: what is none yet comes as it is, and is not kept."""
    return source if isinstance(source, Items) else Items(source, Pipeline(), most_bytes=-1)


def size_in_bytes(item: Any) -> int:
    """How much memory the tensors of an item, or of a batch, take.

    >>> size_in_bytes((torch.zeros(2, 3), 7, {"mask": torch.zeros(5, dtype=torch.bool)}))
    29
    """
    if isinstance(item, (tuple, dict)):
        return sum(map(size_in_bytes, item.values() if isinstance(item, dict) else item))
    return item.numel() * item.element_size() if isinstance(item, torch.Tensor) else 0


class Reader(Dataset):
    """Gives whole batches: what was asked for, put together, and what of it could not be read.

    >>> Reader(as_items([(1, "a"), (2, "b"), (3, "c")]))[Asked(0, np.array([2, 0]), np.array([0, 0]))]
    ((tensor([3, 1]), ['c', 'a']), [])
    """

    def __init__(self, items: Items) -> None:
        self.items = items

    def __getitem__(self, asked: Asked) -> tuple[Any, list[Broken]]:
        items, numbers = self.items, asked.numbers.tolist()
        if (batch := items.rows(numbers)) is not None:
            return batch, []
        places = [
            (number, asked.epoch, turn) for number, turn in zip(numbers, asked.turns.tolist(), strict=True)
        ]
        return read_batch(numbers, places, items.get, items.raw, items.skips)


class Stream(IterableDataset):
    """Gives whole batches of what can only be walked through, as `Reader` does of what has numbers.

    Several processes that read ahead take turns batch by batch, so that the order stays what it is in one;
    several that learn together take turns item by item, and what does not come out even at the end is left
    out. A torch `IterableDataset` shares its items out itself, as torch asks it to, and is taken as it comes.

    >>> [batch.tolist() for batch, _ in Stream(as_items(iter([5, 6, 7])), batch_size=2)]
    [[5, 6], [7]]
    """

    def __init__(
        self,
        items: Items,
        batch_size: int,
        drop_last: bool = False,
        epoch: int = 0,
        rank_and_world: tuple[int, int] = (0, 1),
    ) -> None:
        self.items, self.batch_size, self.epoch = items, batch_size, epoch
        self.shares_out = isinstance(items.raw, IterableDataset)  # each process is given items of its own
        self.rank, self.world = (0, 1) if self.shares_out else rank_and_world
        self.evenly = drop_last or self.world > 1

    def __iter__(self) -> Iterator[tuple[Any, list[Broken]]]:
        reader = None if self.shares_out else get_worker_info()
        for place, together in enumerate(self.rounds()):
            if reader is None or place % reader.num_workers == reader.id:
                yield self.batch(together[self.rank :: self.world])

    def rounds(self) -> Iterator[list[tuple[int, Any]]]:
        """What all processes that learn together take in one step: raw items with their numbers."""
        source, size = enumerate(self.items.raw), self.batch_size * self.world
        while (together := list(islice(source, size))) and (len(together) == size or not self.evenly):
            yield together

    def batch(self, numbered: list[tuple[int, Any]]) -> tuple[Any, list[Broken]]:
        """Make the items of one batch, and put them together."""
        raw, asked = dict(numbered), [(one, number, self.epoch) for number, one in numbered]
        return read_batch(list(raw), asked, self.items.make, raw, self.items.skips)


def read_batch(
    numbers: Sequence[int], asked: Iterable[tuple], make: Callable[..., Any], raw: Any, skips: bool
) -> tuple[Any, list[Broken]]:
    """Make some items and put them together.

    Args:
        numbers: Those of the items.
        asked: For each item what `make` is given.
        make: Makes an item.
        raw: What each item is made from, by its number; for messages.
        skips: Whether items whose file cannot be read are left out.

    Returns:
        The batch (None if nothing could be read), and what was left out.
    """
    made, there, broken = [], [], []
    for number, what in zip(numbers, asked, strict=True):
        try:
            made.append(make(*what))
            there.append(number)
        except UNREADABLE as error:
            if not skips:
                raise
            broken.append(
                Broken(
                    number, file_of(raw[number]) or describe(raw[number]), str(error) or type(error).__name__
                )
            )

    def called(place: int) -> str:
        return f"item {there[place]}, {describe(raw[there[place]])}"

    return collate(made, called) if made else None, broken
