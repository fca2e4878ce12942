"""Walk an item, and a batch, through every step of a data block, and keep what happened to it on the way.

>>> import torch
>>> from .creating import Create
>>> from .tensors import Image
>>> walk = Walk()
>>> walk.through([Create(Image)], torch.zeros(3, 2, 2), "input").shape
torch.Size([3, 2, 2])
>>> walk.rows[0][:3]
('Create', 'input', 'a Tensor of shape (3, 2, 2), torch.float32')
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from .batches import collate
from .blocks import Parts, Sampled
from .files import file_of
from .finding import taken
from .samples import describe, elements, last_note, list_some, note_step, remade, shortened
from .tensors import TypedTensor
from .transforms import Transform, done

Row = tuple[str, str, str, str, str]


class Halted(Exception):
    """A step failed: which, on what, and with which error.

    Attributes:
        step: What the step is called.
        given: What the step was given: by the name of each side or element, in words.
        error: What it raised.
        item: The number of the item, where it is about one.
        side: "input", "target", or "" where it is about both.
    """

    def __init__(self, step: str, given: dict[str, str], error: Exception, side: str = "") -> None:
        super().__init__(str(error))
        self.step, self.given, self.error, self.side = step, given, error, side
        self.item: int | None = None
        self.file = ""


class Walk:
    """What was done to the elements of a sample.

    Attributes:
        rows: A line for each step and element: the step, the element, what went in, what came out, and
            whether it can go back.
    """

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def item(self, raw: Any, sample: Sampled, further: Sequence[Transform]) -> Any:
        """Walk one raw item through the steps of its input, of its target, and of both together."""
        made = []
        for (pipeline, take), side in zip(sample.sides, ("input", "target"), strict=False):
            value = self.attempt(f"taking the {side}", raw, partial(taken, raw, take), side)
            made.append(self.through(pipeline.steps, value, side))
        return self.through(further, tuple(made), "")

    def taken(self, raw: Any, sample: Sampled) -> None:
        """Take what the steps of an item begin with, and no more."""
        try:
            for (_, take), side in zip(sample.sides, ("input", "target"), strict=False):
                self.attempt(f"taking the {side}", raw, partial(taken, raw, take), side)
        except Halted as halted:
            halted.item, halted.file = 0, file_of(raw)
            raise

    def through(self, steps: Sequence[Transform], x: Any, side: str) -> Any:
        """Walk a value through steps."""
        for step in steps:
            if isinstance(step, Parts):
                parts = [
                    self.through(part.steps, self.part(x, place, side), f"{side} {place!r}")
                    for place, part in step.placed()
                ]
                x = remade(step.parts, parts)
                continue
            made = self.attempt(type(step).__name__, x, partial(step.encode, x), side, step)
            self.note(step, x, made, side)
            x = made
        return x

    def part(self, x: Any, place: Any, side: str) -> Any:
        """One of several values."""
        return self.attempt(f"taking {side} {place!r}", x, lambda: x[place], side)

    def attempt(
        self, name: str, x: Any, do: Callable[[], Any], side: str, step: Transform | None = None
    ) -> Any:
        """Do it; an error is told with what was there."""
        try:
            return do()
        except Exception as error:
            where = side
            if step is not None:
                note_step(error, step, "encode", x)
                if failing := last_note(error).path:
                    where = called(failing, side)
            raise Halted(name, said(x, side), error, where) from error

    def note(self, step: Transform, x: Any, made: Any, side: str) -> None:
        """Keep what a step did to each element."""
        after = elements(made)
        if len(elements(x)) != len(after):
            self.rows.append((type(step).__name__, side or "the sample", told(x), told(made), ""))
            return
        for path, element in elements(x).items():
            became = done(step, element, after.get(path, made))
            self.rows.append((type(step).__name__, called(path, side), told(element), *became))

    def together(self, samples: Sequence[Any], numbers: Sequence[int]) -> Any:
        """Put samples, which have these numbers, together into a batch."""
        try:
            batch = collate(samples, lambda place: f"item {numbers[place]}")
        except Exception as error:
            raise Halted("collate", unlike(samples, numbers), error) from error
        made = elements(batch)
        for path, element in elements(samples[0]).items():
            self.rows.append(
                ("collate", called(path, ""), f"{len(samples)} of {told(element)}", told(made.get(path)), "")
            )
        return batch


def unlike(samples: Sequence[Any], numbers: Sequence[int]) -> dict[str, str]:
    """The first sample and the first that is unlike it, for what cannot be put together."""
    first = {path: describe(element) for path, element in elements(samples[0]).items()}
    for sample, number in zip(samples, numbers, strict=True):
        other = {path: describe(element) for path, element in elements(sample).items()}
        differ = [path for path in first if first[path] != other.get(path)]
        if differ:
            name = called(differ[0], "")
            return {
                f"{name} of item {numbers[0]}": first[differ[0]],
                f"{name} of item {number}": other.get(differ[0], "nothing"),
            }
    return said(samples[0], "")


def called(path: tuple, side: str) -> str:
    """What an element of a sample is called: `input`, `target 'mask'`."""
    if side or not path:
        return " ".join([side or "the sample", *(repr(place) for place in path)])
    name = ("input", "target")[path[0]] if path[0] in (0, 1) else repr(path[0])
    return " ".join([name, *(repr(place) for place in path[1:])])


def said(x: Any, side: str) -> dict[str, str]:
    """What a value, or each element of a sample, is, by what it is called."""
    if side:
        return {side: told(x)}
    return {called(path, ""): told(element) for path, element in elements(x).items()}


def told(x: Any) -> str:
    """Say what a value is in words that need no Python.

    >>> told("cat"), told(3), told(None), told([1, 2])
    ("the text 'cat'", 'the number 3', 'nothing (None)', 'a list of 2')
    """
    if x is None:
        return "nothing (None)"
    if isinstance(x, str):
        return f"the text {shortened(repr(x), 100)}"
    if isinstance(x, bool | int | float):
        return repr(x) if isinstance(x, bool) else f"the number {x!r}"
    if isinstance(x, os.PathLike):
        return f"the {'folder' if os.path.isdir(x) else 'file'} {os.fspath(x)!r}"
    if isinstance(x, dict):
        return f"a record of {len(x)} ({list_some(x)})"
    if hasattr(x, "iloc") and hasattr(x, "columns"):
        return f"a table of {len(x)} rows ({list_some(x.columns)})"
    if isinstance(x, np.ndarray):
        return f"an array of shape {x.shape}, {x.dtype}"
    if isinstance(x, TypedTensor) and not x.dim():
        return repr(x)
    return f"a {type(x).__name__} of {len(x)}" if isinstance(x, list | set) else describe(x)
