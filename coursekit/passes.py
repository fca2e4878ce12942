"""Passes through items, batch by batch: planned by their numbers, or walked through as they come.

Both kinds are asked for a walk through one pass from one of its batches on, and give batches on the device,
each with its number.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from .held import Held, NotHeldError, index_on
from .orders import Order, batch_numbers, rank_and_world, turns
from .reading import Asked, Broken, Items, Reader, Stream
from .transfer import on_device


class Workers:
    """The processes that read ahead, or this one.

    Args:
        count: How many processes; 0 reads in this one.
        start_method: How they begin: "fork", "spawn", or None, as Python does on this system.
        broken: Where to list what could not be read, each item once.
    """

    def __init__(
        self, count: int = 0, start_method: str | None = None, broken: list[Broken] | None = None
    ) -> None:
        self.count, self.start_method = count, start_method
        self.broken: list[Broken] = [] if broken is None else broken
        self._loader: DataLoader | None = None
        self._asked: list[Asked] = []
        self._busy = False

    def __getstate__(self) -> dict[str, Any]:
        # Processes stay where they are.
        return self.__dict__ | {"_loader": None, "_asked": [], "_busy": False}

    def read(self, reader: Dataset, asked: list[Asked], device: torch.device) -> Iterator[Any]:
        """The batches that were asked for, one after the other; the processes wait for the next call then."""
        if not asked:
            return iter(())  # No process begins for nothing.
        if self.count == 0 and device.type != "cuda":
            return self._heard(map(reader.__getitem__, asked))
        return self._heard(self._read_ahead(reader, asked, device))

    def _read_ahead(self, reader: Dataset, asked: list[Asked], device: torch.device) -> Iterator[Any]:
        """Read by processes that stay; while one walk has these, another one has processes of its own."""
        if self._busy:
            yield from self._begun(self._started(reader, device, sampler=asked))
            return
        # The list is the loader's sampler, so its processes stay while what is asked of them changes.
        self._asked[:] = asked
        if self._loader is None or self._loader.pin_memory != (device.type == "cuda"):
            self._loader = self._started(reader, device, sampler=self._asked, lasting=True)
        self._busy = True
        try:
            yield from self._begun(self._loader)
        finally:
            self._busy = False

    def walk(self, stream: Stream, device: torch.device) -> Iterator[Any]:
        """The batches of a stream."""
        return self._heard(self._begun(self._started(stream, device)))

    def stop(self) -> None:
        """Let the processes go: nothing is to be read any more."""
        self._loader = None

    def _started(
        self, source: Any, device: torch.device, sampler: Any = None, lasting: bool = False
    ) -> DataLoader:
        return DataLoader(
            source,
            batch_size=None,  # What it gives are batches already.
            sampler=sampler,
            collate_fn=as_it_is,
            num_workers=self.count,
            persistent_workers=lasting and self.count > 0,
            pin_memory=device.type == "cuda",
            multiprocessing_context=self.start_method if self.count else None,
            generator=torch.Generator(),  # Lest torch's own chance move on with every pass.
        )

    def _begun(self, loader: DataLoader) -> Iterator[Any]:
        """Begin to read; processes that begin by "spawn" are handed the items as a file would keep them."""
        try:
            return iter(loader)
        except Exception as error:
            if self.count:
                error.add_note(
                    "while workers were started. Unless they fork, they are given the items by pickle: "
                    "functions and types of your own must stand in a module that can be imported, not in a "
                    "notebook and not as a lambda. Or read here: workers=0."
                )
            raise

    def _heard(self, answers: Iterable[tuple[Any, list[Broken]]]) -> Iterator[Any]:
        """The batches alone; what could not be read is listed, and told once."""
        known = {one.number for one in self.broken}
        for batch, broken in answers:
            for one in broken:
                if one.number not in known:
                    known.add(one.number)
                    self.broken.append(one)
                    warnings.warn(f"left out, as it cannot be read: {one}", stacklevel=2)
            yield batch


def as_it_is(batch: Any) -> Any:
    """Leave a batch as the reader made it."""
    return batch


@dataclass
class Numbered:
    """Passes through items that are asked for by number, in an order that follows from seed and pass.

    Args:
        items: What to read.
        batch_size: How many stand in a batch.
        workers: Who reads.
        order: Gives the numbers of one pass.
        seed: The same seed gives the same orders.
        drop_last: Leave out what does not fill a batch.
        held: Where items are kept once they were read, if they are.
        must_hold: Whether to raise an error if they cannot be.

    >>> from .orders import InOrder
    >>> from .reading import as_items
    >>> passes = Numbered(as_items(range(5)), 2, Workers(), InOrder())
    >>> [(number, batch.tolist()) for number, batch in passes.walk(0, 1, torch.device("cpu"))]
    [(1, [2, 3]), (2, [4])]
    """

    items: Items
    batch_size: int
    workers: Workers
    order: Order
    seed: int = 0
    drop_last: bool = False
    held: Held | None = None
    must_hold: bool = False

    def __len__(self) -> int:
        _, world = rank_and_world()
        if self.drop_last:
            return len(self.items) // (self.batch_size * world)
        return math.ceil(math.ceil(len(self.items) / world) / self.batch_size)

    def walk(self, epoch: int, start: int, device: torch.device) -> Iterator[tuple[int, Any]]:
        """The batches of a pass from one on: what is held is chosen, everything else is read."""
        plan = [(asked, self.is_held(asked)) for asked in self.plan(epoch)[start:]]
        missing = [asked for asked, held in plan if not held]
        if self.held and not missing:
            self.rest()
        chosen = choose(self.held, [asked.numbers for asked, held in plan if held], device)
        read = on_device(self.workers.read(Reader(self.items), missing, device), device)
        for number, (asked, held) in enumerate(plan, start):
            batch = next(chosen if held else read)
            if not held:
                self.hold(asked.numbers, batch)
            if batch is not None:
                yield number, batch

    def plan(self, epoch: int) -> list[Asked]:
        """What is to be read for each batch of a pass; what could not be read before is left out."""
        rank, world = rank_and_world()
        numbers = self.order(len(self.items), self.seed, epoch, self.batch_size * world)
        gone = [one.number for one in self.workers.broken]
        plan = []
        times = turns(numbers) if self.items.random else np.zeros_like(numbers)
        cut = [batch_numbers(one, self.batch_size, self.drop_last, rank, world) for one in (numbers, times)]
        for own, time in zip(*cut, strict=True):
            there = ~np.isin(own, gone)
            plan.append(Asked(epoch, own[there], time[there]))
        return plan

    def is_held(self, asked: Asked) -> bool:
        """Whether a batch need not be read."""
        return self.held is not None and len(asked.numbers) > 0 and self.held.has(asked.numbers)

    def hold(self, numbers: np.ndarray, batch: Any) -> None:
        """Keep what was read, if it is to be kept and can be."""
        if self.held is None or batch is None:
            return
        if gone := [one.number for one in self.workers.broken]:
            numbers = numbers[~np.isin(numbers, gone)]
        try:
            self.held.put(numbers, batch)
        except NotHeldError as error:
            if self.must_hold:
                raise NotHeldError(f"the items cannot be held on the device: {error}") from None
            self.held = None

    def rest(self) -> None:
        """Everything is held: nobody reads ahead any more, and nothing is kept a second time."""
        self.workers.stop()
        self.items.forget()


def choose(held: Held | None, wanted: list[np.ndarray], device: torch.device) -> Iterator[Any]:
    """Batches of held items; their numbers go to the device all at once."""
    if held is None or not wanted:
        return
    index = index_on(np.concatenate(wanted), device).split([len(numbers) for numbers in wanted])
    for numbers, places in zip(wanted, index, strict=True):
        yield held.pick(numbers, places)


class Streamed:
    """Passes through items that can only be walked through, in the order they come.

    >>> from .reading import as_items
    >>> passes = Streamed(as_items(iter("abc")), 2, Workers())
    >>> list(passes.walk(0, 0, torch.device("cpu")))
    [(0, ('a', 'b')), (1, ('c',))]
    """

    def __init__(self, items: Items, batch_size: int, workers: Workers, drop_last: bool = False) -> None:
        self.items, self.batch_size, self.workers, self.drop_last = items, batch_size, workers, drop_last

    def __len__(self) -> int:
        what = type(self.items.raw).__name__
        raise TypeError(f"a {what} can only be walked through: nobody knows how many batches it will give.")

    def walk(self, epoch: int, start: int, device: torch.device) -> Iterator[tuple[int, Any]]:
        """The batches of a pass from one on; those before it are made and thrown away."""
        stream = Stream(self.items, self.batch_size, self.drop_last, epoch, rank_and_world())
        batches = on_device(islice(self.workers.walk(stream, device), start, None), device)
        return ((number, batch) for number, batch in enumerate(batches, start) if batch is not None)
