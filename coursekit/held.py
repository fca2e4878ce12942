"""Items held on the device: put there batch by batch as they are read, and from then on chosen from there.

An epoch over a set that lies there reads no file, makes no item and copies nothing to the device; a batch
costs one selection for each tensor of it.

>>> held = Held(count=3, most_bytes=1000)
>>> held.put(np.array([2, 0]), (torch.tensor([[9.0], [7.0]]), torch.tensor([1, 0])))
>>> held.has(np.array([0, 2])), held.has(np.array([0, 1]))
(True, False)
>>> held.pick(np.array([0, 2]), torch.tensor([0, 2]))
(tensor([[7.],
        [9.]]), tensor([0, 1]))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .batches import to_device
from .reading import size_in_bytes
from .samples import describe, elements, remade, values
from .tensors import TypedTensor, plain


class NotHeldError(ValueError):
    """Items that cannot be held on the device: the message says why."""


class Held:
    """The items of one loader, where its batches go.

    Args:
        count: How many items there are.
        most_bytes: Hold them if all of them together take no more memory than this; of the memory that a GPU
            has left, no more than half.
    """

    def __init__(self, count: int, most_bytes: int) -> None:
        self.count, self.most_bytes = count, most_bytes
        self.there = np.zeros(count, dtype=bool)
        self.shelves: Any = None

    def has(self, numbers: np.ndarray) -> bool:
        """Whether all these items are here."""
        return bool(self.there[numbers].all())

    def put(self, numbers: np.ndarray, batch: Any) -> None:
        """Keep the items of a batch, which have these numbers.

        Raises:
            NotHeldError: They are too large together, their shapes differ, or a batch is more than tensors.
        """
        if self.shelves is None:
            self.check_room(batch)
            self.shelves = mapped(lambda part: Shelf(part, self.count), batch)
        places: dict[torch.device, Tensor] = {}
        for shelf, part in zip(elements(self.shelves).values(), elements(batch).values(), strict=True):
            if shelf is not None:
                if part.device not in places:
                    places[part.device] = index_on(numbers, part.device)
                shelf.put(numbers, places[part.device], part)
        self.there[numbers] = True

    def check_room(self, batch: Any) -> None:
        """Refuse items that would take more memory than they may."""
        tensors = [part for part in elements(batch).values() if isinstance(part, Tensor)]
        needed = size_in_bytes(batch) // max((len(part) for part in tensors), default=1) * self.count
        most = self.most_bytes
        if tensors and tensors[0].is_cuda:
            most = min(most, torch.cuda.mem_get_info(tensors[0].device)[0] // 2)
        if needed > most:
            raise NotHeldError(f"they would take {needed:,} bytes, and {most:,} are allowed.")

    def pick(self, numbers: np.ndarray, index: Tensor) -> Any:
        """A batch of the items with these numbers; `index` is the same numbers, on the device."""
        return mapped(lambda shelf: shelf.pick(numbers, index), self.shelves)

    def to(self, device: torch.device) -> None:
        """Hold everything on another device."""
        for shelf in elements(self.shelves).values():
            if shelf is not None:
                shelf.data = to_device(shelf.data, device)


class Shelf:
    """One element of all items: their numbers in one tensor, and beside it what is known of each."""

    def __init__(self, batch: Any, count: int) -> None:
        if not isinstance(batch, Tensor):
            raise NotHeldError(f"a batch of them holds {describe(batch)}.")
        if batch.requires_grad:
            raise NotHeldError("gradients are to reach what they were made from, so they are made anew.")
        self.kind, self.shape, self.count = type(batch), batch.shape[1:], count
        self.data = torch.empty(count, *self.shape, dtype=batch.dtype, device=batch.device)
        self.of_items = getattr(batch, "item_metadata", ())
        self.shared = {name: value for name, value in batch.__dict__.items() if name not in self.of_items}
        self.known: dict[str, list] = {}

    def put(self, numbers: np.ndarray, index: Tensor, batch: Tensor) -> None:
        """Keep a batch of it."""
        shared = {name: value for name, value in batch.__dict__.items() if name not in self.of_items}
        alike = type(batch) is self.kind and batch.shape[1:] == self.shape and shared == self.shared
        if not alike or batch.dtype != self.data.dtype or getattr(batch, "length", None) is not None:
            raise NotHeldError(f"their shapes, or what is known of them, differ: {describe(batch)} came.")
        self.data.index_copy_(0, index, plain(batch))
        for name in self.of_items:
            if (of_these := getattr(batch, name)) is not None:
                known = self.known.setdefault(name, [None] * self.count)
                for number, value in zip(numbers.tolist(), of_these, strict=True):
                    known[number] = value

    def pick(self, numbers: np.ndarray, index: Tensor) -> Tensor:
        """A batch of it."""
        chosen = self.data.index_select(0, index)
        if not issubclass(self.kind, TypedTensor):
            return chosen
        batch = chosen.as_subclass(self.kind)
        batch.__dict__.update(self.shared)
        for name, known in self.known.items():
            setattr(batch, name, tuple([known[number] for number in numbers.tolist()]))
        return batch


def mapped(change: Callable[[Any], Any], x: Any) -> Any:
    """Change each element of a sample, and leave None where there is None."""
    if isinstance(x, (tuple, dict)):
        return remade(x, [mapped(change, part) for part in values(x)])
    return None if x is None else change(x)


def index_on(numbers: np.ndarray, device: torch.device) -> Tensor:
    """Numbers as a tensor on a device, without waiting for it."""
    index = torch.as_tensor(numbers, dtype=torch.int64)
    return (index.pin_memory() if device.type == "cuda" else index).to(device, non_blocking=True)
