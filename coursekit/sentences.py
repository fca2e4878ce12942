"""A data block said in a sentence or two, as people would say it.

>>> take_said(["age", "job"]), split_said(([0, 1], [2]))
("the columns 'age', 'job'", 'Learned from: 2 items, held out: 1')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .blocks import Block
from .finding import Take
from .samples import list_some, with_article
from .splitters import Splitter
from .transforms import Transform

if TYPE_CHECKING:
    from .datablock import DataBlock


def sentence(block: DataBlock) -> str:
    """Say what a data block is, as people would.

    >>> from .datablock import DataBlock
    >>> from .splitters import GroupSplit
    >>> from .tensors import Category, Image
    >>> print(DataBlock(Image, Category, GroupSplit("cow"), input_from="photo", target_from="sick"))
    An Image goes in, made from 'photo', and a Category is to come out, as 'sick' says. Held out: 20% of the \
groups that 'cow' names, chosen at random.
    """
    words = f"{kinds_said(block.inputs)} {'go' if is_several(block.inputs) else 'goes'} in, made from "
    words += take_said(block.input_from, "photo, file, image, text or input")
    if block.targets is not None:
        words += (
            f", and {kinds_said(block.targets)} {'are' if is_several(block.targets) else 'is'} to come out"
        )
        words += f", as {take_said(block.target_from, 'label or target')} says"
    said = [words[0].upper() + words[1:], f"{split_said(block.split)}"]
    if block.groups is not None:
        said.append(f"What has the same {take_said(block.groups, '')} stays on one side")
    if block.item_transforms:
        said.append(f"Each item passes {', then '.join(map(step_said, block.item_transforms))}")
    if block.batch_transforms:
        said.append(f"Each batch passes {', then '.join(map(step_said, block.batch_transforms))}")
    return ". ".join(said) + "."


def is_several(kinds: Any) -> bool:
    """Whether more than one thing is meant."""
    name = getattr(kinds, "__name__", "")
    return (isinstance(kinds, tuple | dict) and len(kinds) > 1) or with_article(name or "x") == name


def kinds_said(kinds: Any) -> str:
    """Name one kind, or several."""
    if isinstance(kinds, dict):
        return joined([f"{kinds_said(kind)} ({name})" for name, kind in kinds.items()])
    if isinstance(kinds, tuple):
        return joined([kinds_said(kind) for kind in kinds])
    if isinstance(kinds, type):
        return with_article(kinds.__name__)
    if isinstance(kinds, Block):
        return f"what {', '.join(map(repr, kinds.item)) or 'an item holds'} makes"
    return f"what {kinds!r} makes" if isinstance(kinds, Transform) else repr(kinds)


def step_said(step: Any) -> str:
    """Name a step; a function, which is none, by its name."""
    return repr(step) if isinstance(step, Transform) else getattr(step, "__name__", repr(step))


def take_said(take: Take, usual: str = "own value") -> str:
    """Say where something is kept."""
    if take is None:
        return f"its {usual}"
    if isinstance(take, int):
        return f"position {take} of an item"
    if isinstance(take, list):
        return f"the columns {list_some(map(repr, take))}"
    if isinstance(take, tuple):
        return joined([take_said(one, usual) for one in take])
    if isinstance(take, dict):
        return joined([f"{take_said(one, usual)} ({name})" for name, one in take.items()])
    name = getattr(take, "__name__", None)
    return f"what {name if name and name != '<lambda>' else 'a function'} gives" if name else repr(take)


def split_said(split: Any) -> str:
    """Say what is held out."""
    if isinstance(split, Splitter):
        return f"Held out: {split}"
    if callable(split):
        name = getattr(split, "__name__", "<lambda>")
        return f"What is held out, {'a function' if name == '<lambda>' else name} decides"
    try:
        counts = [len(side) for side in split]
        return f"Learned from: {counts[0]} item{'s' * (counts[0] != 1)}, held out: {counts[1]}"
    except (TypeError, IndexError):
        return f"The split is {split!r:.60}"


def joined(names: Sequence[str]) -> str:
    """Write out a list with an "and"."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
