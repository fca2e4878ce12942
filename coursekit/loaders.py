"""Put items together into batches, on the device that computes, and take batches apart again.

Thin on top of torch's `DataLoader`, which does the counting, shuffling and parallel reading; what is added is
that items keep their types on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import (
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    default_collate,
)

from .batches import to_device
from .samples import describe
from .transforms import Pipeline, Transform

if TYPE_CHECKING:
    from .recipes import Recipe

Item = tuple[Any, Any]


def collate(values: Sequence[Any]) -> Any:
    """Stack values of one kind into a batch of that kind; tuples are stacked place by place.

    Args:
        values: Tensors of one shape, typed or plain, numbers, or tuples of these.

    Returns:
        A batch with one more dimension in front, of the type the values have.

    Raises:
        ValueError: The shapes differ.

    >>> collate([torch.zeros(2), torch.ones(2)]).shape
    torch.Size([2, 2])
    """
    first = values[0]
    if isinstance(first, tuple):
        return tuple(collate(column) for column in zip(*values, strict=True))
    shapes = sorted({tuple(value.shape) for value in values if isinstance(value, torch.Tensor)})
    if len(shapes) > 1:
        raise ValueError(
            f"a batch needs items of one shape, but these {type(first).__name__}s have {len(shapes)}: "
            f"{', '.join(map(str, shapes[:3]))}{' ...' if len(shapes) > 3 else ''}. "
            "Give the data block a step that makes them equal, such as item_transforms=[Resize(160)]."
        )
    return default_collate(list(values))


class Items(Dataset):
    """The items of one side of a split, encoded when they are asked for and kept from then on if they fit.

    Args:
        raw: What each item is made from.
        pipeline: Turns one raw item into a pair of input and target.
        most_bytes: Keep encoded items in memory if all of them together are no larger than this, so that
            files are read and resized only once. Items that are drawn by chance are never kept.
        seed: Where chance starts. What is drawn for an item follows from the seed, the pass and the number of
            the item, not from the order in which, or the process where, items are made.

    An item is asked for by its number, or by `(pass, number)`; the number alone is the item of pass 0.

    >>> items = Items([("a", "b")], Pipeline())
    >>> len(items), items[0]
    (1, ('a', 'b'))
    """

    def __init__(self, raw: Sequence, pipeline: Transform, most_bytes: int = 2**30, seed: int = 0) -> None:
        self.raw, self.pipeline, self.most_bytes, self.seed = raw, pipeline, most_bytes, seed
        self._kept: dict[int, Item] = {}
        self._keeps: bool | None = False if pipeline.random else None

    def __len__(self) -> int:
        return len(self.raw)

    def __getitem__(self, place: int | tuple[int, int]) -> Item:
        epoch, number = place if isinstance(place, tuple) else (0, place)
        if number in self._kept:
            return self._kept[number]
        if self.pipeline.random:
            self.pipeline.reseed(self.seed, epoch, number)
        try:
            item = self.pipeline.encode(self.raw[number])
        except Exception as error:
            error.add_note(f"while item {number} was made, from {describe(self.raw[number])}")
            raise
        if self._keeps is None:
            self._keeps = size_in_bytes(item) * len(self) <= self.most_bytes
        if self._keeps:
            self._kept[number] = item
        return item


def size_in_bytes(item: Any) -> int:
    """How much memory the tensors of an item take.

    >>> size_in_bytes((torch.zeros(2, 3), 7))
    24
    """
    if isinstance(item, tuple):
        return sum(map(size_in_bytes, item))
    return item.numel() * item.element_size() if isinstance(item, torch.Tensor) else 0


class Passes(Sampler):
    """The numbers that a sampler gives, each with the pass it belongs to: draws differ between passes.

    >>> passes = Passes([5, 7])
    >>> list(passes), list(passes)
    ([(0, 5), (0, 7)], [(1, 5), (1, 7)])
    """

    def __init__(self, numbers: Any) -> None:
        self.numbers, self.begun = numbers, 0

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        number, self.begun = self.begun, self.begun + 1
        return ((number, place) for place in self.numbers)


class Loader:
    """Batches of items, encoded and on the device, as often as they are walked through.

    Args:
        items: What to draw from.
        batch_size: How many items stand in a batch.
        batch_transforms: Steps that are done on whole batches, on the device.
        shuffle: Whether each pass has another order; the orders follow from the seed.
        seed: The same seed gives the same orders.
        device: Where batches go.
        workers: How many processes read ahead; 0 reads in this one.

    >>> loader = Loader([(torch.zeros(2), 0), (torch.ones(2), 1), (torch.ones(2), 1)], batch_size=2)
    >>> [targets.tolist() for inputs, targets in loader]
    [[0, 1], [1]]
    """

    def __init__(
        self,
        items: Any,
        batch_size: int = 32,
        batch_transforms: Pipeline | None = None,
        shuffle: bool = False,
        seed: int = 0,
        device: torch.device | str = "cpu",
        workers: int = 0,
    ) -> None:
        if len(items) == 0:
            raise ValueError("a loader needs at least one item; none came.")
        self.items, self.device = items, torch.device(device)
        self.batch_size = batch_size
        self.batch_transforms = batch_transforms or Pipeline()
        generator = torch.Generator().manual_seed(seed)
        self._loader = DataLoader(
            items,
            batch_size,
            sampler=_order(items, generator if shuffle else None),
            collate_fn=collate,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=self.device.type == "cuda",
            generator=generator,
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        for batch in self._loader:
            yield self.batch_transforms.encode(to_device(batch, self.device))


def _order(items: Any, generator: torch.Generator | None) -> Sampler:
    """The order of one pass after the other: shuffled by a generator, or as the items stand."""
    order: Sampler = RandomSampler(items, generator=generator) if generator else SequentialSampler(items)
    return Passes(order) if isinstance(items, Items) else order


class Loaders:
    """What a learner learns from: a training and a validation loader, and the way back from numbers to names.

    Made by `DataBlock.loaders`.

    Attributes:
        train: Batches to learn from, in a new order each time.
        valid: Batches that were held out, always in the same order.
        recipe: What inference needs: how inputs are made, and what targets mean.

    >>> from .recipes import Recipe
    >>> items = [(torch.zeros(2), torch.tensor(0)), (torch.ones(2), torch.tensor(1))]
    >>> data = Loaders(Loader(items), Loader(items[:1]), Recipe(Pipeline(), Pipeline(), Pipeline()))
    >>> [target.item() for _, target in data.decode_batch(data.one_batch())]
    [0, 1]
    """

    def __init__(self, train: Loader, valid: Loader, recipe: Recipe) -> None:
        self.train, self.valid, self.recipe = train, valid, recipe

    @property
    def device(self) -> torch.device:
        """Where the batches are."""
        return self.train.device

    @property
    def vocab(self) -> tuple:
        """The names of the kinds that targets have, in the order of their numbers; empty for others."""
        return self.recipe.vocab

    def to(self, device: torch.device | str) -> Loaders:
        """From now on put batches on this device; gives the same loaders back."""
        self.train.device = self.valid.device = torch.device(device)
        return self

    def one_batch(self) -> Any:
        """The first batch of the next pass through the training items."""
        return next(iter(self.train))

    def new(self, source: Any) -> Loader:
        """Batches of new items without targets, made as the held-out ones are: a photo folder, a table."""
        return self.recipe.loader(source, self.valid.batch_size, self.device)

    def encode_item(self, x: Any) -> Any:
        """Make a batch of one from something like what the inputs were made from, for a prediction."""
        return self.recipe.encode(x, self.device)

    def decode_target(self, target: Any) -> Any:
        """Turn a target back into what people call it."""
        return self.recipe.decode_target(target)

    def decode_batch(self, batch: Any) -> list[tuple]:
        """Take a batch apart into items in people's terms: pictures in 0..255, names instead of numbers."""
        return self.recipe.decode_batch(batch)

    def show_batch(self, count: int = 9) -> Any:
        """Draw the first items of a training batch with their targets."""
        from .display import show_grid

        return show_grid(self.decode_batch(self.one_batch())[:count])
