"""Say what your data are, once: what is an input, what is a target, which items are held out.

>>> import pandas
>>> from .tensors import Category, Image
>>> photos = [torch.zeros(3, 8, 8, dtype=torch.uint8) for _ in range(4)]
>>> table = pandas.DataFrame({"photo": photos, "label": list("abab")})
>>> block = DataBlock(inputs=Image, targets=Category, split=([0, 1], [2, 3]))
>>> data = block.loaders(table)
>>> inputs, targets = data.one_batch()
>>> inputs.shape, data.vocab
(torch.Size([2, 3, 8, 8]), ('a', 'b'))
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from .blocks import Block, Sampled, every_step
from .creating import Create, ShareCanvas
from .finding import INPUT_NAMES, TARGET_NAMES, Chosen, Table, Take, column, find_items, usual_take
from .leaks import check_kinds, check_labels, check_leaks
from .loaders import Items, Loader, Loaders
from .recipes import Recipe
from .sentences import sentence
from .splits import Split, check_split
from .splitters import Splitter
from .summaries import BlockSummary
from .tensors import Boxes, Keypoints, Mask
from .transforms import Pipeline, Transform


@dataclass
class DataBlock:
    """What your data are, in one place: the kinds, where to find them, what is held out.

    Args:
        inputs: The type of what goes in, such as `Image`; a transform or a `Block`, to say how it is made;
            or several of these, in a tuple or by name in a dictionary. A model gets several inputs as
            `model(*inputs)` or `model(**inputs)`.
        targets: Likewise for what should come out; None for data without targets.
        split: Which items are learned from and which held out: a splitter such as `GroupSplit("patient")`, a
            pair of lists of item numbers, or a function that is given the items (a table: the table) and
            returns such a pair.
        input_from: Where an item keeps its input: the name of a column or key, a position, a function, a list
            of columns (for a `Row`); for several inputs as many of these, in a tuple or dictionary. Without
            it the first of `photo`, `file`, `image`, `text` and `input` that items have, or position 0.
        target_from: Likewise for the target; without it `label` or `target`, or position 1.
        find: Turns the source into items or into something `find_items` knows, such as
            `FileNames("{label}_{number}.jpg")`.
        groups: A column that says which items belong together, such as the patient. A split with one of these
            on both sides is refused.
        item_transforms: Further steps for each item, the pair of its input and its target, such as
            `Resize(160)`.
        batch_transforms: Further steps for each batch, on the device.

    >>> from .tensors import Category, Image
    >>> pairs = [(torch.zeros(3, 4, 4) + n, name) for n, name in enumerate(["dark", "bright"] * 2)]
    >>> block = DataBlock(Image, Category, split=([0, 1], [2, 3]))
    >>> block.loaders(pairs).vocab
    ('bright', 'dark')
    """

    inputs: Any
    targets: Any
    split: Split | Callable[[Any], Split]
    input_from: Take = None
    target_from: Take = None
    find: Callable[[Any], Any] | None = None
    groups: Take = None
    item_transforms: Sequence[Transform] = ()
    batch_transforms: Sequence[Transform] = ()

    def __post_init__(self) -> None:
        for name in ("item_transforms", "batch_transforms"):
            if isinstance(getattr(self, name), Transform):
                raise TypeError(f"{name} is a list of steps, also of one: {name}=[{getattr(self, name)!r}].")

    def loaders(
        self,
        source: Any,
        batch_size: int = 32,
        seed: int = 0,
        device: torch.device | str = "cpu",
        workers: int = 0,
        *,
        order: Any = None,
        drop_last: bool = False,
        broken: str = "raise",
        **options: Any,
    ) -> Loaders:
        """Find, split and encode the items of a source, and put them together into batches.

        What must be learned from the data, such as the names of the kinds, is learned from the training items
        alone. What is drawn by chance follows from the seed, the pass and the number of the item. Held-out
        items and predictions do without the steps that draw.

        The block and its steps stay as they are: they may be used again, with other data or another split.

        Args:
            source: A table, a folder, arrays, a list of items: whatever `find_items`, or `find`, understands.
            batch_size: How many items stand in a batch.
            seed: The same seed gives the same order of training items and the same draws.
            device: Where batches go; a learner moves them to its own device.
            workers: How many processes read items ahead.
            order: Another order of the training items than shuffled: `Balanced("label")`, for instance.
            drop_last: Leave out a last training batch that is not full.
            broken: What to do with an item whose file cannot be read: "raise" the error, or "skip" the item.
            options: Further ones of both loaders, such as `hold` and `start_method`; see `Loader`.

        Raises:
            ValueError: No items, a split that does not fit them or that leaks, or labels that are missing.
            KeyError: An item does not have what `input_from` or `target_from` names.
        """
        options |= {"seed": seed, "device": device, "workers": workers}
        training = {"order": order, "drop_last": drop_last}
        return make_loaders(self.unlearned(), source, batch_size, options, training, broken)

    def unlearned(self) -> DataBlock:
        """The same block with copies of its steps: what these learn, the steps of this one do not."""
        steps = ("inputs", "targets", "item_transforms", "batch_transforms")
        return replace(self, **{name: copy.deepcopy(getattr(self, name)) for name in steps})

    def summary(self, source: Any, batch_size: int = 8) -> BlockSummary:
        """Walk one item and one batch through every step, and say what happens to them; raises nothing.

        Where something fails, it says at which step and on which item, what went in on both sides of the
        sample, and what is the usual cause.

        Args:
            source: What `loaders` is to be given.
            batch_size: How many items to put together, from each side of the split.
        """
        return BlockSummary(self, source, batch_size)

    def __str__(self) -> str:
        return sentence(self)

    def find_items(self, source: Any) -> Sequence:
        """The items of a source."""
        return find_items(self.find(source) if self.find else source)

    def sample(self, items: Sequence) -> Sampled:
        """The step that makes the sample of an item, not yet set up."""
        input_from = self._place(self.input_from, self.inputs, INPUT_NAMES, items[0])
        inputs = Pipeline(*Block.of(self.inputs).item)
        if self.targets is None:
            return Sampled(input_from, None, inputs)
        target_from = self._place(self.target_from, self.targets, TARGET_NAMES, items[0])
        return Sampled(input_from, target_from, inputs, Pipeline(*Block.of(self.targets).item))

    @staticmethod
    def _place(take: Take, kinds: Any, names: Sequence[str], item: Any) -> Take:
        """Where items keep a value, if need be by its usual name or position."""
        if take is not None:
            return take
        if isinstance(kinds, dict):
            return {name: name for name in kinds}
        return usual_take(item, names, 0 if names is INPUT_NAMES else 1)

    def split_items(self, items: Sequence, sample: Sampled) -> Split:
        """Split the items, and refuse a split that leaks."""
        split: Any = self.split
        if isinstance(split, type):
            raise TypeError(f"a split is written with brackets: split={split.__name__}(…).")
        if callable(split):
            split = split(
                items.frame if isinstance(items, Table) and not isinstance(split, Splitter) else items
            )
        groups = None if self.groups is None else column(items, self.groups)
        checked = check_split(split, len(items), groups)
        check_leaks(items, sample, checked)
        return checked

    def batch_steps(self) -> list[Transform]:
        """What is done to batches: the steps of inputs and targets, each once, then further ones."""
        both = tuple(kind for kind in (self.inputs, self.targets) if kind is not None)
        return [*Block.of(both).batch, *self.batch_transforms]

    def further_steps(self, sample: Sampled) -> list[Transform]:
        """What is done to each sample; first, what lies on a picture is told how large that is."""
        steps = [step for pipeline, _ in sample.sides for step in every_step(pipeline)]
        kinds = [step.kind for step in steps if isinstance(step, Create) and isinstance(step.kind, type)]
        lies_on_a_picture = any(issubclass(kind, Boxes | Keypoints | Mask) for kind in kinds)
        return [*[ShareCanvas()] * lies_on_a_picture, *self.item_transforms]


def make_loaders(
    block: DataBlock,
    source: Any,
    batch_size: int,
    options: dict[str, Any],
    training: dict[str, Any] | None = None,
    broken: str = "raise",
) -> Loaders:
    """Find, split, learn, encode, and put together: what all answers of a data block lead to.

    Steps are set up on the training items alone; held-out items and the recipe get what does not draw.

    Args:
        block: Says what to find, take, split and do; its own steps are set up.
        source: What the block finds items in.
        batch_size: How many items stand in a batch.
        options: `seed`, `device` and `workers`, for every `Loader`.
        training: Options of the training loader alone.
        broken: What becomes of items that cannot be read; see `Items`.

    >>> from .tensors import Category, Target
    >>> block = DataBlock(Target, Category, split=([0, 1], [2]))
    >>> data = make_loaders(block, [(3.0, "a"), (5.0, "b"), (7.0, "a")], 2, {"seed": 0})
    >>> data.vocab, data.recipe.encode(4.0).tolist()
    (('a', 'b'), [4.0])
    """
    items = block.find_items(source)
    sample = block.sample(items)
    check_labels(items, sample)
    train, valid = block.split_items(items, sample)
    further = block.further_steps(sample)
    learned = Items(Chosen(items, train), Pipeline(sample, *further), seed=options["seed"], broken=broken)
    learned.pipeline.setup(learned.raw)
    check_kinds(items, sample, (train, valid))
    held_out = Items(Chosen(items, valid), learned.pipeline.calm(), broken=broken)
    batch = Pipeline(*block.batch_steps())
    batch.setup(Loader(learned, batch_size, **options | {"hold": False}))
    made = [Pipeline(*pipeline.steps, *further).calm() for pipeline, _ in sample.sides]
    return Loaders(
        Loader(learned, batch_size, batch, shuffle=True, **options, **training or {}),
        Loader(held_out, batch_size, batch.calm(), **options),
        Recipe(made[0], made[1] if made[1:] else None, batch.calm(), sample.input_from),
    )
