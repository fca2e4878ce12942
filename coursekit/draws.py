"""How a batch step draws: on the host, a row of numbers for each item, sent to the device in one copy.

A step that draws says in `numbers` what it draws for so many items; everything else is done here. The numbers
follow from one seed, so they are the same on every device, and for everything that lies on the same canvas.

>>> from coursekit.dispatch import method
>>> from coursekit.tensors import Row
>>> class Louder(Drawing):
...     def numbers(self, setting, chance): return {"by": uniform(chance, (setting.count, 1), 2, 2)}
...     @method
...     def apply(self, x: Row, drawn): return x * drawn.of(x).device["by"]
>>> Louder().encode(Row(torch.ones(3, 2)))[0].tolist()
[2.0, 2.0]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import isfinite
from numbers import Real
from random import Random
from typing import Any

import torch

from .canvas import axes_of, canvases, each
from .samples import describe, elements, kind_of
from .tensors import DicomImage, PointCloud, TypedTensor
from .transforms import RandomTransform

Range = tuple[float, float]


def uniform(chance: torch.Generator, count: int | tuple[int, ...], low: float, high: float) -> torch.Tensor:
    """Draw numbers evenly between two others, `float64`.

    >>> uniform(torch.Generator().manual_seed(0), 3, 5, 5).tolist()
    [5.0, 5.0, 5.0]
    """
    size = count if isinstance(count, tuple) else (count,)
    return torch.rand(size, generator=chance, dtype=torch.float64) * (high - low) + low


def around(middle: float, amount: float | Range) -> Range:
    """Read a range: a number is as far to either side of the middle, a pair is from one to the other.

    Raises:
        ValueError: It is neither a finite number nor a pair of such.

    >>> around(0, 10), around(1, 0.5), around(1, (2, 3))
    ((-10, 10), (0.5, 1.5), (2, 3))
    """
    pair = tuple(amount) if isinstance(amount, (tuple, list)) else (amount, amount)
    if len(pair) != 2 or not all(isinstance(one, Real) and isfinite(one) for one in pair):
        raise ValueError(
            f"How much is drawn is a number, such as 0.1, or a pair, such as (0, 0.1); got {amount!r}."
        )
    return pair if isinstance(amount, (tuple, list)) else (middle - pair[0], middle + pair[1])


def composed(matrices: Iterable[torch.Tensor], count: int, side: int) -> torch.Tensor:
    """Multiply matrices into one for each item, which does at once what they do one after another.

    Args:
        matrices: What is done, the first first; each `(count, side, side)`, or `(1, side, side)` for all.
        count: How many items there are.
        side: How many rows and columns a matrix has.

    Returns:
        `(count, side, side)`, on the device of the matrices; if there are none, `float64` on the CPU, and
        nothing is changed by it.

    >>> one_more, twice = torch.tensor([[[1.0, 1], [0, 1]]]), torch.tensor([[[2.0, 0], [0, 1]]])
    >>> composed([one_more, twice], 1, 2)[0, 0].tolist()  # 2 (x + 1)
    [2.0, 2.0]
    """
    nothing = torch.eye(side, dtype=torch.float64).expand(count, side, side)
    return reduce(lambda done, matrix: matrix @ done.to(matrix), matrices, nothing)


def inverted(matrices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Invert matrices `(N, 3, 3)` or `(N, 4, 4)`, and give their determinants `(N,)` as well.

    Those of 3 x 3 are written out: torch's own way wakes every thread of the processor for the smallest of
    matrices, and where other processes are at work that takes longer than all the rest of a draw.

    >>> back, size = inverted(torch.tensor([[[2.0, 0, 4], [0, 1, 0], [0, 0, 1]]]))
    >>> back[0, 0].tolist(), size.tolist()
    ([0.5, 0.0, -2.0], [2.0])
    """
    if matrices.shape[-1] != 3:
        return torch.linalg.inv(matrices), torch.linalg.det(matrices)
    one, two, three = matrices.unbind(1)
    across = torch.linalg.cross(two, three), torch.linalg.cross(three, one), torch.linalg.cross(one, two)
    size = (one * across[0]).sum(1)
    return torch.stack(across, -1) / size[:, None, None], size


class Change:
    """What movements and changes of colour share: they draw a matrix for each picture, or leave it alone.

    Attributes:
        chance: How often it happens to a picture at all, 0..1.
    """

    chance: float = 1.0

    def happening(self, drawn: torch.Tensor, count: int, chance: torch.Generator) -> torch.Tensor:
        """Bring what was drawn to one square matrix for each, which does nothing where it does not happen.

        Raises:
            ValueError: Something else was drawn than a matrix for each.
        """
        side = drawn.shape[-1]
        if tuple(drawn.shape) not in ((count, side, side), (1, side, side)):
            raise ValueError(
                f"{type(self).__name__}.draw gives a matrix for each of {count}, ({count}, {side}, {side}); "
                f"it gave {tuple(drawn.shape)}."
            )
        drawn = drawn.to(torch.float64).expand(count, side, side)
        if self.chance >= 1:
            return drawn
        happens = torch.rand(count, generator=chance) < self.chance
        return torch.where(happens[:, None, None], drawn, torch.eye(side, dtype=torch.float64))


def checked(changes: Sequence[Any], kind: type[Change], said: str) -> tuple[Any, ...]:
    """Refuse what is no change of a kind, and a chance that is none."""
    for change in changes:
        if not isinstance(change, kind):
            raise TypeError(f"{said}; got {change!r}.")
        if not 0 <= change.chance <= 1:
            raise ValueError(f"{type(change).__name__} happens with a chance from 0 to 1; got {change!r}.")
    return tuple(changes)


def one_of(value: str, known: Sequence[str], word: str) -> None:
    """Refuse a name that is not among those that are known.

    >>> one_of("width", ("height", "width"), "Flip knows the axes")
    """
    if value not in known:
        raise ValueError(f"{word} {', '.join(map(repr, known))}; got {value!r}.")


@dataclass(frozen=True)
class Setting:
    """What a draw may know: how many items, and how large each is.

    Attributes:
        count: How many items there are.
        lengths: (height, width) or (depth, height, width): one for each, or one if all are alike; `None` of
            what has no edges, such as a cloud that stands in the world.
        spacing: The same for what is known of the size of pixels.
        axes: How many axes of space there are.
    """

    count: int
    lengths: tuple[Any, ...] = (None,)
    spacing: tuple[Any, ...] = (None,)
    axes: int = 2

    @classmethod
    def of(cls, x: Any, spacing: Sequence[Any] | None = None, word: str = "It") -> Setting:
        """Find it out; one item is a batch of one. Flat things are spaced as the scan they lie on."""
        if not axes_of(x):
            return cls(len(x) if x.is_batch else 1)
        if x.is_batch and not len(x):
            raise ValueError(f"{word} needs at least one item; there is {describe(x)}.")
        known, axes = each(x, "spacing"), len(axes_of(x))
        if axes == 2 and known[0] is None and spacing is not None:
            known = list(spacing)
        lengths = [None] if stands_in_world(x) else canvases(x, word)
        return cls(len(x) if x.is_batch else 1, alike(lengths), alike(known), axes)


def alike(values: Sequence[Any]) -> tuple[Any, ...]:
    """Keep one of values that are all alike.

    >>> alike([(4, 6), (4, 6)]), alike([1, 2])
    (((4, 6),), (1, 2))
    """
    return tuple(values[:1]) if len(set(values)) == 1 else tuple(values)


def stands_in_world(x: Any) -> bool:
    """Say whether this is a cloud without a canvas, about the origin of the world."""
    return isinstance(x, PointCloud) and not any(each(x, "canvas"))


class Numbers:
    """Numbers by name, one row for each item.

    Attributes:
        host: As they were drawn, `float64`, on the CPU.
        device: Where the batch is, in its precision: brought there in one copy that nobody waits for.
    """

    def __init__(self, host: dict[str, torch.Tensor], device: torch.device, dtype: torch.dtype) -> None:
        self.host = host
        rows = torch.cat([numbers.flatten(1) for numbers in host.values()], 1).to(dtype)
        columns = rows.to(device, non_blocking=True).split([one[0].numel() for one in host.values()], 1)
        self.device = {
            name: column.reshape(numbers.shape)
            for (name, numbers), column in zip(host.items(), columns, strict=True)
        }


class Drawn:
    """What was drawn for one sample: a seed, and the numbers that follow for what is in the sample."""

    def __init__(self, seed: int, step: Drawing) -> None:
        self.seed, self.step = seed, step
        self.first: Any = None
        self.spacing: Sequence[Any] | None = None
        self._made: dict[Any, Numbers] = {}

    def setting(self, x: TypedTensor) -> Setting:
        """Say what may be known of something in the sample.

        Raises:
            ValueError: The sample holds batches of different counts.
        """
        setting = Setting.of(x, self.spacing, type(self.step).__name__)
        self.first = self.first or (setting.count, kind_of(x))
        if setting.count != self.first[0]:
            raise ValueError(
                f"{type(self.step).__name__} changes all of a sample alike, and beside {self.first[1]} of "
                f"{self.first[0]} there is {kind_of(x)} of {setting.count}."
            )
        return setting

    def of(self, x: TypedTensor) -> Numbers:
        """Find the numbers for something in the sample, where it is."""
        setting, dtype = self.setting(x), torch.float64 if x.dtype == torch.float64 else torch.float32
        key = (setting, x.device, dtype)
        if key not in self._made:
            host = self.step.numbers(setting, torch.Generator().manual_seed(self.seed))
            self._made[key] = Numbers(host, x.device, dtype)
        return self._made[key]


class Drawing(RandomTransform):
    """A step that draws a row of numbers for each item of a batch, and uses them where the batch is."""

    def numbers(self, setting: Setting, chance: torch.Generator) -> dict[str, torch.Tensor]:
        """Draw numbers by name, each `(setting.count, ...)`, on the CPU."""
        raise NotImplementedError(
            f"{type(self).__name__} says what it draws: def numbers(self, setting, chance)."
        )

    def draw(self, chance: Random) -> Drawn:
        """Draw a seed; what follows from it depends on what is in the sample."""
        return Drawn(chance.getrandbits(63), self)

    def encode(self, x: Any) -> Any:
        """Draw, and do what was drawn to every element of the sample."""
        drawn = self.draw(self.generator)
        scans = [one for one in elements(x).values() if isinstance(one, DicomImage)]
        drawn.spacing = each(scans[0], "spacing") if scans else None
        return self.apply(x, drawn)
