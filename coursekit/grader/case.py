"""Inputs of a scenario: drawn once beside the reference, recorded by name, and played back to the learner.

>>> first = Case(seed=7)
>>> n = first.integer("items", 50, 200)
>>> again = Case(seed=99, recorded=first.drawn)
>>> again.integer("items", 50, 200) == n
True
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

Value = TypeVar("Value")

# What decides how large the inputs are; these come twice, so that a second call of the same size is seen too.
SIZES = (int, str)


class NotRecorded(Exception):
    """A scenario asked the learner's side for a draw that the reference never made."""


# What is shown again for a timed call is smaller by this much at most, far more than any tolerance forgives.
SMALLER = 1e-2


def _anew(values: Any, order: Any, factors: Any) -> Any:
    """A tensor or an array with its items in that order, each multiplied if its numbers have fractions.

    What is multiplied is a copy, and in place: so it stays the type of tensor that it is.
    """
    taken = values[order]
    shape = (len(order), *[1] * (taken.ndim - 1))
    if hasattr(taken, "is_floating_point"):
        import torch

        by = torch.as_tensor(factors, dtype=taken.dtype, device=taken.device).reshape(shape)
        return taken.mul_(by) if taken.is_floating_point() else taken
    return taken * factors.astype(taken.dtype).reshape(shape) if taken.dtype.kind == "f" else taken


@dataclass(frozen=True)
class Timed:
    """A call whose time counts: what it gave, and all that it takes to make it again."""

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    at_most: float
    result: Any

    def anew(self, name: str) -> tuple[Any, ...]:
        """Copies of the inputs for another call: what is asked is like it and yet was never asked before.

        Their items come in another order, the same in all of them, and each item's numbers are a little
        smaller by a factor of its own, where they have fractions. So an answer that was kept from an earlier
        call is of no use, neither a whole one nor one for an item.
        """
        import numpy

        def drawn(count: int) -> tuple[Any, Any]:
            chance = numpy.random.default_rng([*name.encode()])
            return chance.permutation(count), 1 - SMALLER * chance.random(count)

        return tuple(_anew(one, *drawn(len(one))) if getattr(one, "ndim", 0) else one for one in self.inputs)

    @property
    def shapes(self) -> list[list[int]]:
        """The shapes of those inputs that have one."""
        return [list(one.shape) for one in self.inputs if getattr(one, "ndim", 0)]


class Case:
    """What a scenario gets beside the kit: named draws, a folder, what was printed, errors as values.

    Attributes:
        device: Where tensors are drawn: "cpu" or "cuda".
        drawn: Every draw so far, by name.
    """

    def __init__(
        self,
        seed: int,
        recorded: dict[str, Any] | None = None,
        device: str = "cpu",
        new_folder: Callable[[], Path] | None = None,
        printed: Callable[[], str] = lambda: "",
        replay_only: bool = False,
    ) -> None:
        self.device = device
        self.drawn: dict[str, Any] = {}
        self._seed, self._recorded = seed, recorded or {}
        self._new_folder, self._printed, self._replay_only = new_folder, printed, replay_only

    def _draw(self, name: str, make: Callable[[random.Random], Value]) -> Value:
        """The recorded value of that name, or a new one: the same for the same seed."""
        if name in self._recorded:
            value = self._recorded[name]
        elif self._replay_only:
            raise NotRecorded(f"the draw {name!r} was not made beside the reference")
        else:
            value = make(random.Random(f"{self._seed}/{name}"))
        self.drawn[name] = value
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return self._draw(name, lambda chance: chance.randint(low, high))

    def choice(self, name: str, options: Sequence[Value]) -> Value:
        """One of the options."""
        return self._draw(name, lambda chance: chance.choice(options))

    def shuffled(self, name: str, items: Sequence[Value]) -> list[Value]:
        """The items in another order, as a list."""
        return list(self._draw(name, lambda chance: chance.sample(items, len(items))))

    def integers(self, name: str, count: int, low: int, high: int) -> list[int]:
        """`count` whole numbers from `low` to `high`, both included, as a list."""
        return list(self._draw(name, lambda chance: [chance.randint(low, high) for _ in range(count)]))

    def floats(self, name: str, count: int, low: float = -1.0, high: float = 1.0) -> list[float]:
        """`count` numbers between `low` and `high`, as a list."""
        return list(self._draw(name, lambda chance: [chance.uniform(low, high) for _ in range(count)]))

    def tensor(
        self, name: str, shape: Sequence[int], low: float = -1.0, high: float = 1.0, dtype: Any = None
    ) -> Any:
        """A tensor of numbers between `low` and `high`, on the case's device, float32 by default."""
        import torch

        def make(chance: random.Random) -> torch.Tensor:
            generator = torch.Generator().manual_seed(chance.getrandbits(60))
            return (torch.rand(tuple(shape), generator=generator) * (high - low) + low).to(dtype=dtype)

        return self._draw(name, make).clone().to(self.device)

    def labels(self, name: str, count: int, classes: int) -> Any:
        """Class numbers from 0 to `classes` - 1: an int64 tensor of shape (count,), on the case's device."""
        import torch

        def make(chance: random.Random) -> torch.Tensor:
            return torch.tensor([chance.randrange(classes) for _ in range(count)], dtype=torch.int64)

        return self._draw(name, make).clone().to(self.device)

    def __getitem__(self, name: str) -> Any:
        """What was drawn under that name; for judges."""
        return self.drawn[name]

    @cached_property
    def folder(self) -> Path:
        """A folder of this scenario's own, empty at first, and gone with the process."""
        if self._new_folder is None:
            raise RuntimeError("a judge has no folder; let the scenario yield what it found there.")
        return self._new_folder()

    @property
    def printed(self) -> str:
        """What was printed since the scenario began, or since this was last asked."""
        return self._printed()

    def raises(self, function: Callable[[], Any]) -> BaseException | Any:
        """The error that `function()` raises, as a value; "nothing was raised" is a value too."""
        from .encoding import raised

        try:
            function()
        except NotImplementedError:
            raise
        except Exception as error:
            return error
        return raised(None)

    def timed(self, function: Callable[..., Any], *inputs: Any, at_most: float = 3.0) -> Timed:
        """What `function(*inputs)` gives, in a time that counts: `yield "64 turns", case.timed(kit.turn, x)`.

        Its value is compared as any other. If all values of the check are right, both sides are asked for it
        again in turn, with the clock outside, and the learner's may take `at_most` times as long as ours.

        Args:
            function: What is timed, and nothing that need not be: prepare the inputs before.
            inputs: Tensors and arrays come again with their items (the first axis) in another order, and
                numbers with fractions up to a hundredth smaller; anything else as it is.
            at_most: Well above what another right way takes, well below what a loop over the items does.
        """
        return Timed(function, inputs, at_most, function(*inputs))


def sizes(drawn: dict[str, Any]) -> dict[str, Any]:
    """The draws that a repeat keeps, so that the same sizes come with other contents."""
    return {name: value for name, value in drawn.items() if type(value) in SIZES}
