"""What the inputs and targets of an item are: how each kind is made, and prepared for the model.

>>> Block.of(Image)
Block(item=(Create(Image),), batch=(ToFloat(),))
>>> Block.of((Image, Category)).item
(Parts(parts=(Pipeline(Create(Image)), Pipeline(Categorize(vocab=())))),)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .batches import collate
from .creating import Create, CreateBoxes, CreateKeypoints
from .finding import Cells, Take, cells_of, column, taken
from .samples import describe, named, remade, values
from .steps import Categorize, Normalize, ToFloat
from .tensors import Boxes, Category, Image, Keypoints, MultiCategory, Row, TypedTensor, Volume
from .transforms import Pipeline, Transform
from .vocabularies import MultiCategorize, Tabulate


class Parts(Transform):
    """Several values side by side, each with a pipeline of its own: two inputs, three targets.

    Args:
        parts: The pipelines, in a tuple or by name; values come and go in the same form.

    >>> Parts({"kind": Pipeline(Categorize(["a", "b"])), "raw": Pipeline()}).encode({"kind": "b", "raw": 3})
    {'kind': Category(1, 'b'), 'raw': 3}
    """

    def __init__(self, parts: tuple | dict) -> None:
        self.parts = parts

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether any of them draws by chance."""
        return any(part.random for part in values(self.parts))

    def setup(self, items: Iterable) -> None:
        """Set each pipeline up on its own part of the items."""
        for place, part in self.placed():
            part.setup([item[place] for item in items])

    def calm(self) -> Parts:
        """The same without what draws by chance."""
        return Parts(remade(self.parts, [part.calm() for part in values(self.parts)]))

    def reseed(self, *numbers: int) -> None:
        """Start the chance of each pipeline again."""
        for number, part in enumerate(values(self.parts)):
            part.reseed(*numbers, number)

    def encode(self, x: Any) -> Any:
        """Encode each part with its own pipeline."""
        return self.each("encode", x)

    def decode(self, x: Any) -> Any:
        """Decode each part with its own pipeline."""
        return self.each("decode", x)

    def each(self, direction: str, x: Any) -> Any:
        """Give each part to its own pipeline."""
        made = []
        for place, part in self.placed():
            try:
                made.append(getattr(part, direction)(x[place]))
            except Exception as error:
                error.add_note(f"while {named((place,))} of {len(values(self.parts))} was to be {direction}d")
                raise
        return remade(self.parts, made)

    def placed(self) -> Iterator[tuple[Any, Pipeline]]:
        """Each pipeline with its name or number."""
        yield from self.parts.items() if isinstance(self.parts, dict) else enumerate(self.parts)


class Sampled(Parts):
    """Make the sample of one item: its input and its target, or its input alone.

    Args:
        input_from: Where an item keeps its input, as `taken` understands it.
        target_from: Likewise for the target.
        inputs: What is done to the input.
        targets: What is done to the target; None where there is none.

    >>> Sampled(0, 1, Pipeline(), Pipeline()).encode(("photo", "label", "rest"))
    ('photo', 'label')
    """

    def __init__(
        self, input_from: Take, target_from: Take, inputs: Pipeline, targets: Pipeline | None = None
    ) -> None:
        self.input_from, self.target_from = input_from, target_from
        self.inputs, self.targets = inputs, targets

    @property
    def parts(self) -> tuple:  # type: ignore[override]
        """The pipeline of the input, and that of the target if there is one."""
        return (self.inputs,) if self.targets is None else (self.inputs, self.targets)

    @property
    def sides(self) -> list[tuple[Pipeline, Take]]:
        """Each pipeline with where its values are taken from."""
        return list(zip(self.parts, (self.input_from, self.target_from), strict=False))

    def setup(self, items: Sequence) -> None:  # type: ignore[override]
        """Set each pipeline up on its own part of the items."""
        for pipeline, take in self.sides:
            pipeline.setup(Taken(items, take, is_tabular(pipeline, take)))

    def calm(self) -> Sampled:
        """The same without what draws by chance."""
        targets = None if self.targets is None else self.targets.calm()
        return Sampled(self.input_from, self.target_from, self.inputs.calm(), targets)

    def encode(self, x: Any) -> Any:
        """Encode both, each with its own pipeline."""
        return tuple([pipeline.encode(taken(x, take)) for pipeline, take in self.sides])

    def encode_rows(self, rows: Cells) -> tuple | None:
        """The batch of many rows of a table, made at once; None if the steps need one after the other.

        At once go columns that become a `Row`. Of the target, each different value is encoded once.
        """
        if (
            not is_tabular(self.inputs, self.input_from)
            or not isinstance(self.target_from, str | int | None)
            or self.random
        ):
            return None
        inputs = self.inputs.encode(taken(rows, self.input_from))
        if self.targets is None:
            return (inputs,)
        places: dict[Any, int] = {}
        which = [places.setdefault(value, len(places)) for value in taken(rows, self.target_from).tolist()]
        return inputs, collate([self.targets.encode(value) for value in places])[torch.tensor(which)]


class Taken:
    """What is taken from each item, taken when someone walks through it; from rows of a table, all at once.

    >>> list(Taken([{"age": 3}, {"age": 5}], "age"))
    [3, 5]
    """

    def __init__(self, items: Sequence, take: Take, at_once: bool = False) -> None:
        self.items, self.take, self.at_once = items, take, at_once

    def __iter__(self) -> Iterator[Any]:
        # Items that a pipeline of somebody else hands on may only be walked through, and have no length.
        counted = self.at_once and hasattr(self.items, "__len__")
        cells = cells_of(self.items, range(len(self.items))) if counted else None
        return iter(column(self.items, self.take) if cells is None else [taken(cells, self.take)])


def is_tabular(pipeline: Pipeline, take: Take) -> bool:
    """Whether a pipeline makes rows of listed columns, and has no other steps than know batches of these.

    A function is written for one row: what it does to whole columns may be something else.
    """
    if not isinstance(take, list):
        return False
    kinds = [type(step) for step in pipeline.steps]
    return kinds[:1] == [Tabulate] and set(kinds) <= {Tabulate, Normalize}


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
        """The block for what a data block is told: a type, a transform, a block; a tuple or dict of these.

        The block of a type is its own entry in `BLOCKS`, or that of the nearest of the types it comes from.

        Raises:
            TypeError: None of these came.
        """
        if isinstance(kind, Block):
            return kind
        if isinstance(kind, Transform):
            return Block(item=(kind,))
        if isinstance(kind, tuple | dict) and kind:
            return side_by_side(kind)
        if not isinstance(kind, type):
            raise TypeError(
                "inputs and targets are types, such as Image or Category, or a Block, a transform, or "
                f"several of these in a tuple or a dictionary; {describe(kind)} came."
            )
        if issubclass(kind, Transform):
            raise TypeError(f"{kind.__name__} is a kind of step; give a step: {kind.__name__}(...).")
        if issubclass(kind, torch.Tensor | np.ndarray) and not issubclass(kind, TypedTensor):
            raise TypeError(
                f"{kind.__name__} does not say what its numbers are. Give a type that does, such as Image or "
                "Row, one of your own, or TypedTensor, if it does not matter."
            )
        for base in kind.__mro__:
            if base in BLOCKS:
                return BLOCKS[base](kind)
        return Block(item=(Create(kind),))


def side_by_side(kinds: tuple | dict) -> Block:
    """One block of several: each value has its own steps; what is done to batches goes by type, and once."""
    blocks = [Block.of(kind) for kind in values(kinds)]
    steps = {repr(step): step for block in blocks for step in block.batch}
    parts = remade(kinds, [Pipeline(*block.item) for block in blocks])
    return Block(item=(Parts(parts),), batch=tuple(steps.values()))


BLOCKS: dict[type, Callable[[type], Block]] = {
    Image: lambda kind: Block(item=(Create(kind),), batch=(ToFloat(),)),
    Volume: lambda kind: Block(item=(Create(kind),), batch=(ToFloat(),)),
    Boxes: lambda kind: Block(item=(CreateBoxes(kind),)),
    Keypoints: lambda kind: Block(item=(CreateKeypoints(kind),)),
    Category: lambda kind: Block(item=(Categorize(),)),
    MultiCategory: lambda kind: Block(item=(MultiCategorize(),)),
    Row: lambda kind: Block(item=(Tabulate(), Normalize())),
}


def every_step(step: Any) -> Iterator[Transform]:
    """A step and all that stand in it: those of a pipeline, and those of its parts.

    >>> [type(step).__name__ for step in every_step(Pipeline(*Block.of((Image, Category)).item))]
    ['Parts', 'Create', 'Categorize']
    """
    inner = getattr(step, "steps", None)
    if not isinstance(step, Pipeline):
        yield step
        inner = values(step.parts) if isinstance(step, Parts) else ()
    for one in inner or ():
        yield from every_step(one)
