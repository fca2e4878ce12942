"""Say how the items of a data block are split: by chance, by a column, by time, by folder, in turns.

Each is called with the items that were found, and gives a split of them. It prints as it is written.

>>> items = [{"patient": "a"}, {"patient": "a"}, {"patient": "b"}]
>>> GroupSplit("patient", valid=0.5)(items)
([0, 1], [2])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .finding import Take, column
from .samples import list_some
from .splits import Split, fold_split, group_split, known, random_split, stratified_split, time_split

# Names of what is held out for another day. What is called so is not learned from by an oversight.
HELD_OUT = {
    "valid",
    "validation",
    "val",
    "test",
    "testing",
    "dev",
    "eval",
    "holdout",
    "unlabelled",
    "unlabeled",
}


class Splitter:
    """What splits items; the base of the kinds below."""

    def __call__(self, items: Sequence) -> Split:
        """Split the items."""
        raise NotImplementedError(f"{type(self).__name__} says how it splits: def __call__(self, items).")


@dataclass(frozen=True)
class RandomSplit(Splitter):
    """Hold out single items by chance; see `random_split` for when that is right.

    >>> RandomSplit(0.5)(["a", "b", "c", "d"])
    ([0, 2], [1, 3])
    """

    valid: float = 0.2
    seed: int = 0

    def __call__(self, items: Sequence) -> Split:
        return random_split(len(items), self.valid, self.seed)

    def __str__(self) -> str:
        return f"{self.valid:.0%} of the items, chosen at random"


@dataclass(frozen=True)
class GroupSplit(Splitter):
    """Hold out whole groups by chance: `column` says which items belong together; see `group_split`.

    >>> GroupSplit("ward")([{"ward": "a"}, {"ward": "b"}])
    ([0], [1])
    """

    column: Take
    valid: float = 0.2
    seed: int = 0

    def __call__(self, items: Sequence) -> Split:
        return group_split(
            known(column(items, self.column), f"group, {self.column!r}"), self.valid, self.seed
        )

    def __str__(self) -> str:
        return f"{self.valid:.0%} of the groups that {self.column!r} names, chosen at random"


@dataclass(frozen=True)
class StratifiedSplit(Splitter):
    """Hold out the same share of each kind that `column` names; see `stratified_split`.

    >>> StratifiedSplit("label", 0.5)([{"label": name} for name in "aabb"])
    ([0, 2], [1, 3])
    """

    column: Take = "label"
    valid: float = 0.2
    seed: int = 0

    def __call__(self, items: Sequence) -> Split:
        return stratified_split(column(items, self.column), self.valid, self.seed)

    def __str__(self) -> str:
        return f"{self.valid:.0%} of each kind of {self.column!r}, chosen at random"


@dataclass(frozen=True)
class TimeSplit(Splitter):
    """Learn from what came before and hold out what came last, as `column` says; see `time_split`.

    >>> TimeSplit("year", 0.5)([{"year": 2021}, {"year": 2020}])
    ([1], [0])
    """

    column: Take
    valid: float = 0.2

    def __call__(self, items: Sequence) -> Split:
        return time_split(column(items, self.column), self.valid)

    def __str__(self) -> str:
        return f"the last {self.valid:.0%} by {self.column!r}"


@dataclass(frozen=True)
class ColumnSplit(Splitter):
    """Hold out the items for which a column has a certain value, as those who made the data chose.

    Args:
        column: Which column says it.
        valid: Its value in items to hold out, or a list of values.
        train: Its value, or values, in items to learn from; by default all others. Items with neither stand
            on no side.

    Raises:
        ValueError: No item has such a value; or others seem to be meant for a test, and `train` is not given.

    >>> ColumnSplit("part", valid="test")([{"part": "train"}, {"part": "test"}])
    ([0], [1])
    """

    column: Take
    valid: Any = True
    train: Any = None

    def __call__(self, items: Sequence) -> Split:
        values = column(items, self.column)
        there = sorted(set(values), key=str)
        wanted = several(self.valid)
        others = [value for value in there if value not in wanted]
        learned = others if self.train is None else several(self.train)
        for value in (*wanted, *learned):
            if value not in there:
                raise ValueError(
                    f"no item has {value!r} in {self.column!r}; there is {list_some(map(repr, there))}."
                )
        aside = [value for value in learned if str(value).lower() in HELD_OUT]
        if self.train is None and aside:
            raise ValueError(
                f"{self.column!r} has {list_some(map(repr, there))}; with valid={self.valid!r} the model "
                f"would learn from {aside[0]!r} too. Say what it learns from: train="
                f"{next((value for value in others if value not in aside), 'train')!r}."
            )
        places = [[n for n, value in enumerate(values) if value in side] for side in (learned, wanted)]
        return places[0], places[1]

    def __str__(self) -> str:
        return f"the items whose {self.column!r} is {list_some(map(repr, several(self.valid)))}"


@dataclass(frozen=True)
class FolderSplit(Splitter):
    """Hold out the files in a folder, such as `test`, that lies directly in the source.

    >>> FolderSplit("test")([{"part": "train"}, {"part": "test"}])
    ([0], [1])
    """

    valid: Any = "test"
    train: Any = None

    def __call__(self, items: Sequence) -> Split:
        return ColumnSplit("part", self.valid, self.train)(items)

    def __str__(self) -> str:
        return f"the files in the folder {list_some(map(repr, several(self.valid)))}"


@dataclass(frozen=True)
class FoldSplit(Splitter):
    """Hold out one of several parts, in turn (cross-validation); see `fold_split`.

    `groups` says which items belong together, and are not parted.

    >>> [FoldSplit(2, fold)(["a", "b", "c", "d"])[1] for fold in range(2)]
    [[1, 2], [0, 3]]
    """

    folds: int = 5
    fold: int = 0
    groups: Take = None
    seed: int = 0

    def __call__(self, items: Sequence) -> Split:
        groups = len(items) if self.groups is None else column(items, self.groups)
        return fold_split(groups, self.folds, self.fold, self.seed)

    def __str__(self) -> str:
        together = "" if self.groups is None else f", {self.groups!r} kept together"
        return f"part {self.fold + 1} of {self.folds}{together}"


def several(value: Any) -> list:
    """A value, or several of them, as a list."""
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
