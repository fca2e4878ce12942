"""Steps that can be taken back: each knows how to encode a value for the model and decode it for people.

A transform finds its method by the type it is given, so pictures can be resized while labels pass untouched.
A tuple or dictionary is one more type: what is asked of it is done to each of its elements.

>>> names = Categorize()
>>> names.setup(["sound", "broken", "sound"])
>>> code = names.encode("sound")
>>> int(code), names.decode(code)
(1, 'sound')
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

import torch

from .dispatch import method
from .geometry import Size, resize
from .tensors import Category, Image, Mask, plain, typed_like


class Transform:
    """One step that can be taken and, where that makes sense, taken back.

    To make your own, subclass it and write `encode` for each type it should act on, and `decode` if it can be
    undone. A type without a method passes through unchanged. `setup` sees the training items once, before
    anything is encoded, for steps that must learn something first.

    Attributes:
        random: Whether encoding the same value twice may give different results. Set it to True in a step
            that draws by chance, so that its results are not kept in memory in place of new draws.

    >>> class Double(Transform):
    ...     @method
    ...     def encode(self, x: int): return x * 2
    ...     @method
    ...     def decode(self, x: int): return x // 2
    >>> Double().encode((3, "label"))
    (6, 'label')
    >>> Double().decode({"x": 6})
    {'x': 3}
    """

    random = False

    def setup(self, items: Iterable) -> None:
        """Learn what this step needs from the training items; by default nothing."""

    @method
    def encode(self, x: Any) -> Any:
        """Turn what people use into what the model uses; a type without a method passes through."""
        return x

    @method
    def encode(self, x: tuple) -> tuple:
        return tuple(self._one("encode", number, element) for number, element in enumerate(x))

    @method
    def encode(self, x: dict) -> dict:
        return {name: self._one("encode", name, element) for name, element in x.items()}

    @method
    def decode(self, x: Any) -> Any:
        """Turn it back, as far as that can be done; a type without a method passes through."""
        return x

    @method
    def decode(self, x: tuple) -> tuple:
        return tuple(self._one("decode", number, element) for number, element in enumerate(x))

    @method
    def decode(self, x: dict) -> dict:
        return {name: self._one("decode", name, element) for name, element in x.items()}

    def _one(self, direction: str, place: int | str, element: Any) -> Any:
        try:
            return getattr(self, direction)(element)
        except Exception as error:
            note_step(error, self, direction, f"element {place!r}, {describe(element)}")
            raise

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name[0] != "_")
        return f"{type(self).__name__}({settings})"


class Pipeline(Transform):
    """Several transforms as one: encoded first to last, decoded last to first.

    Args:
        steps: The transforms, in the order they encode.

    >>> pipeline = Pipeline(Categorize(["sound", "broken"]))
    >>> pipeline.decode(pipeline.encode("broken"))
    'broken'
    """

    def __init__(self, *steps: Transform) -> None:
        self.steps = steps

    @property
    def random(self) -> bool:
        """Whether any of the steps draws by chance."""
        return any(step.random for step in self.steps)

    def setup(self, items: Iterable) -> None:
        """Set the steps up one after another, each on items that the steps before it have encoded."""
        for step in self.steps:
            step.setup(items)
            items = Encoded(items, step)

    def encode(self, x: Any) -> Any:
        """Encode with each step in turn."""
        for step in self.steps:
            try:
                x = step.encode(x)
            except Exception as error:
                note_step(error, step, "encode", describe(x))
                raise
        return x

    def decode(self, x: Any) -> Any:
        """Undo the steps, the last one first."""
        for step in reversed(self.steps):
            try:
                x = step.decode(x)
            except Exception as error:
                note_step(error, step, "decode", describe(x))
                raise
        return x

    def __repr__(self) -> str:
        return f"Pipeline({', '.join(map(repr, self.steps))})"


class Encoded:
    """Items that are encoded only when someone walks through them: most steps need no look at the items.

    >>> [int(code) for code in Encoded(["dog"], Categorize(["cat", "dog"]))]
    [1]
    """

    def __init__(self, items: Iterable, step: Transform) -> None:
        self.items, self.step = items, step

    def __iter__(self) -> Iterator[Any]:
        return map(self.step.encode, self.items)


class Categorize(Transform):
    """Number the names of kinds: `"broken"` becomes 0, `"sound"` becomes 1, and back.

    Args:
        vocab: The names in the order of their numbers. Without it, they are read from the training items in
            `setup` and sorted.

    >>> int(Categorize(["cat", "dog"]).encode("dog"))
    1
    """

    def __init__(self, vocab: Iterable[str] | None = None) -> None:
        self.vocab: tuple = tuple(vocab) if vocab is not None else ()

    def setup(self, items: Iterable) -> None:
        """Take the sorted distinct names of the training items, unless names were given."""
        self.vocab = self.vocab or tuple(sorted(set(items)))

    @method
    def encode(self, x: Any) -> Category:
        """Number one name.

        Raises:
            ValueError: A name that is not in the vocabulary.
        """
        try:
            return Category(self.vocab.index(x), vocab=self.vocab)
        except ValueError:
            near = get_close_matches(str(x), map(str, self.vocab), n=1)
            raise ValueError(
                f"{x!r} is not one of the {len(self.vocab)} names seen in the training items "
                f"({list_some(self.vocab)})." + (f" Did you mean {near[0]!r}?" if near else "")
            ) from None

    @method
    def decode(self, x: Category) -> Any:
        return self.vocab[int(x)] if x.ndim == 0 else [self.vocab[int(code)] for code in plain(x)]


class Resize(Transform):
    """Give pictures and masks one size, so that they can be put together into a batch.

    Nothing is decoded: the detail that shrinking took away is gone.

    Args:
        size: `(height, width)` in pixels, or one number for a square.

    >>> Resize(8).encode(Image(torch.zeros(3, 20, 30))).shape
    torch.Size([3, 8, 8])
    """

    def __init__(self, size: Size) -> None:
        self.size = size

    @method
    def encode(self, x: Image) -> Image:
        return resize(x, self.size)

    @method
    def encode(self, x: Mask) -> Mask:
        return resize(x, self.size)


class ToFloat(Transform):
    """Turn pixels that are whole numbers 0..255 into floats 0..1, and back.

    Done on whole batches: four times fewer bytes travel to the device before it than after it.

    >>> ToFloat().encode(Image(torch.full((3, 1, 1), 255, dtype=torch.uint8))).max().item()
    1.0
    """

    @method
    def encode(self, x: Image) -> Image:
        return x if x.is_floating_point() else typed_like(plain(x).float() / 255, x)

    @method
    def decode(self, x: Image) -> Image:
        if not x.is_floating_point():
            return x
        return typed_like((plain(x) * 255).round().clamp(0, 255).byte(), x)


def describe(x: Any) -> str:
    """Say what a value is in a few words, for messages: its type, and its shape if it has one.

    >>> describe(torch.zeros(2, 3))
    'a Tensor of shape (2, 3), torch.float32'
    >>> describe("sound")
    "the str 'sound'"
    """
    if isinstance(x, torch.Tensor):
        return f"a {type(x).__name__} of shape {tuple(x.shape)}, {x.dtype}"
    if isinstance(x, tuple):
        return f"a tuple of {len(x)} ({', '.join(type(element).__name__ for element in x)})"
    text = repr(x)
    return f"the {type(x).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def list_some(names: Iterable, most: int = 6) -> str:
    """Write out a list of names, the first few of it if it is long.

    >>> list_some(range(9), most=3)
    '0, 1, 2 and 6 more'
    """
    names = [str(name) for name in names]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def note_step(error: Exception, step: Transform, direction: str, what: str) -> None:
    """Add to an error which step had been given what; the error itself stays as it is.

    >>> error = ValueError("too big")
    >>> note_step(error, Resize(8), "encode", "a cat")
    >>> error.__notes__
    ['while Resize was to encode a cat']
    """
    note = f"while {type(step).__name__} was to {direction} {what}"
    if not any(
        known.startswith(f"while {type(step).__name__} ") for known in getattr(error, "__notes__", ())
    ):
        error.add_note(note)
