"""Say what your data are, once: what is an input, what is a target, which items are held out.

>>> import pandas
>>> table = pandas.DataFrame({"photo": [torch.zeros(3, 8, 8, dtype=torch.uint8)] * 4, "label": list("abab")})
>>> data = DataBlock(inputs=Image, targets=Category, split=([0, 1], [2, 3])).loaders(table)
>>> inputs, targets = data.one_batch()
>>> inputs.shape, data.vocab
(torch.Size([2, 3, 8, 8]), ('a', 'b'))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .loaders import Items, Loader, Loaders
from .samples import describe, list_some
from .splits import Split, check_split
from .steps import Categorize, ToFloat
from .tensors import Category, Image
from .transforms import Pipeline, Transform

Take = str | int | Callable[[Any], Any]


class Create(Transform):
    """Make a typed value from what an item holds: a file name becomes a picture, numbers become a mask.

    Args:
        kind: The type to make. What is of that type already stays as it is.

    >>> Create(Image).encode(torch.zeros(3, 2, 2)).shape
    torch.Size([3, 2, 2])
    """

    def __init__(self, kind: Callable[[Any], Any]) -> None:
        self.kind = kind

    def encode(self, x: Any) -> Any:
        """Make the value."""
        return x if isinstance(self.kind, type) and isinstance(x, self.kind) else self.kind(x)


@dataclass(frozen=True)
class Block:
    """How one input or target is made, and what is done to it before the model sees it.

    Give a type where a block is asked for and you get the usual block of that type. Make your own to say
    otherwise, or add it to `BLOCKS` to make it the usual one of a type of yours.

    Attributes:
        item: Transforms of one item, in order, on the processor.
        batch: Transforms of whole batches, on the device.

    >>> Block.of(Category).item
    (Categorize(vocab=()),)
    """

    item: Sequence[Transform] = ()
    batch: Sequence[Transform] = ()

    @staticmethod
    def of(kind: Any) -> Block:
        """The block for a type: its own entry in `BLOCKS` or the nearest of the types it comes from.

        Raises:
            TypeError: Neither a block nor a type came.
        """
        if isinstance(kind, Block):
            return kind
        if not isinstance(kind, type):
            raise TypeError(
                f"inputs and targets are types, such as Image or Category, or a Block; {describe(kind)} came."
            )
        for base in kind.__mro__:
            if base in BLOCKS:
                return BLOCKS[base](kind)
        return Block(item=(Create(kind),))


BLOCKS: dict[type, Callable[[type], Block]] = {
    Image: lambda kind: Block(item=(Create(kind),), batch=(ToFloat(),)),
    Category: lambda kind: Block(item=(Categorize(),)),
}


@dataclass
class DataBlock:
    """What your data are, in one place: the kinds, where to find them, what is held out.

    Args:
        inputs: The type of what goes in, such as `Image`, or a `Block`.
        targets: The type of what should come out, such as `Category`, or a `Block`.
        split: Which items are learned from and which held out: a pair of lists of item numbers, or a function
            that is given the items (a table: the table) and returns such a pair.
        input_from: Where an item keeps its input: the name of a column or key, a position, or a function.
        target_from: Likewise for the target.
        find: Turns the source into items, for sources that are not a table or a sequence of items already.
        item_transforms: Further steps for each item, the pair of its input and its target, such as
            `Resize(160)`.
        batch_transforms: Further steps for each batch, on the device.

    >>> pairs = [(torch.zeros(3, 4, 4), "dark"), (torch.ones(3, 4, 4), "bright")] * 2
    >>> block = DataBlock(Image, Category, split=([0, 1], [2, 3]), input_from=0, target_from=1)
    >>> block.loaders(pairs).vocab
    ('bright', 'dark')
    """

    inputs: Any
    targets: Any
    split: Split | Callable[[Any], Split]
    input_from: Take = "photo"
    target_from: Take = "label"
    find: Callable[[Any], Sequence] | None = None
    item_transforms: Sequence[Transform] = ()
    batch_transforms: Sequence[Transform] = ()

    def loaders(
        self,
        source: Any,
        batch_size: int = 32,
        seed: int = 0,
        device: torch.device | str = "cpu",
        workers: int = 0,
    ) -> Loaders:
        """Find, split and encode the items of a source, and put them together into batches.

        What must be learned from the data, such as the names of the kinds, is learned from the training items
        alone. What is drawn by chance follows from the seed, the pass and the number of the item. Held-out
        items and predictions do without the steps that draw.

        Args:
            source: A table, a sequence of items, or whatever `find` understands.
            batch_size: How many items stand in a batch.
            seed: The same seed gives the same order of training items and the same draws.
            device: Where batches go; a learner moves them to its own device.
            workers: How many processes read items ahead.

        Raises:
            ValueError: No items, or a split that does not fit them.
            KeyError: An item does not have what `input_from` or `target_from` names.
        """
        items = self._items(source)
        train, valid = check_split(self.split(source) if callable(self.split) else self.split, len(items))
        inputs, targets = Block.of(self.inputs), Block.of(self.targets)
        pair = _Pair(self.input_from, self.target_from, Pipeline(*inputs.item), Pipeline(*targets.item))
        learned = Items([items[number] for number in train], Pipeline(pair, *self.item_transforms), seed=seed)
        learned.pipeline.setup(learned.raw)
        held_out = Items([items[number] for number in valid], learned.pipeline.calm())
        options: dict[str, Any] = {"seed": seed, "device": device, "workers": workers}
        batch = Pipeline(*inputs.batch, *targets.batch, *self.batch_transforms)
        batch.setup(Loader(learned, batch_size, **options))
        return Loaders(
            Loader(learned, batch_size, batch, shuffle=True, **options),
            Loader(held_out, batch_size, batch.calm(), **options),
            Pipeline(*inputs.item, *self.item_transforms).calm(),
            Pipeline(*targets.item, *self.item_transforms).calm(),
        )

    def _items(self, source: Any) -> Sequence:
        found = self.find(source) if self.find else source
        if hasattr(found, "to_dict") and hasattr(found, "columns"):
            found = found.to_dict("records")
        items = found if isinstance(found, Sequence) else list(found)
        if not items:
            raise ValueError(f"no item was found in {describe(source)}.")
        return items


class _Pair(Transform):
    """Make the input and the target of one item."""

    def __init__(self, input_from: Take, target_from: Take, inputs: Pipeline, targets: Pipeline) -> None:
        self.input_from, self.target_from = input_from, target_from
        self.inputs, self.targets = inputs, targets
        self.random = inputs.random or targets.random

    def setup(self, items: Iterable) -> None:
        """Set each pipeline up on its own part of the items."""
        for pipeline, take in ((self.inputs, self.input_from), (self.targets, self.target_from)):
            pipeline.setup([taken(item, take) for item in items])

    def calm(self) -> _Pair:
        """The same without what draws by chance."""
        return _Pair(self.input_from, self.target_from, self.inputs.calm(), self.targets.calm())

    def reseed(self, *numbers: int) -> None:
        """Start the chance of both pipelines again."""
        self.inputs.reseed(*numbers, 0)
        self.targets.reseed(*numbers, 1)

    def encode(self, x: Any) -> Any:
        """Encode both, each with its own pipeline."""
        return self.inputs.encode(taken(x, self.input_from)), self.targets.encode(taken(x, self.target_from))


def taken(item: Any, take: Take) -> Any:
    """Take the input or the target out of an item.

    Args:
        item: A row of a table, a dictionary, a tuple, anything.
        take: The name of a column or key, a position, or a function of the item.

    Raises:
        KeyError: The item does not have it; the message lists what it has.

    >>> taken({"photo": "1.jpg", "label": "cat"}, "label")
    'cat'
    >>> taken("cat_1.jpg", lambda name: name.split("_")[0])
    'cat'
    """
    if callable(take):
        return take(item)
    try:
        return item[take]
    except (KeyError, IndexError, TypeError) as error:
        holds = f"it has {list_some(item)}" if isinstance(item, dict) else f"it is {describe(item)}"
        raise KeyError(
            f"an item has no {take!r}; {holds}. "
            "Say where inputs and targets are with input_from and target_from."
        ) from error
