"""The steps that come with the library: names to numbers, one size, floats, one scale, and chance.

>>> names = Categorize()
>>> names.setup(["sound", "broken", "sound"])
>>> code = names.encode("sound")
>>> int(code), names.decode(code)
(1, 'sound')
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from random import Random
from typing import Any

import numpy as np
import torch

from .dispatch import method
from .geometry import flip, rotate
from .samples import describe, elements, list_some
from .tensors import Category, DicomImage, Image, TypedTensor, Volume, plain, typed_like
from .transforms import RandomTransform, Transform, takes


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
        self._made: dict[Any, Category] = {}  # A category for each name that came, made once.

    def setup(self, items: Iterable) -> None:
        """Take the sorted distinct names of the training items, unless names were given.

        Raises:
            ValueError: There is no name, or one is missing (None or NaN).
            TypeError: The names cannot be sorted, such as texts and numbers together.
        """
        if self.vocab:
            return
        values = (value for item in items for value in elements(item).values())
        # NumPy's numbers and texts become Python's: those can be read back by `torch.load`.
        names = [
            value.item() if isinstance(value, np.number | np.bool_ | np.str_) else value
            for value in values
            if not isinstance(value, torch.Tensor)
        ]
        if not names:
            raise ValueError(
                "Categorize learns names from the training items, and no name came. "
                "(An iterator can be walked through only once: give a list.)"
            )
        if missing := [place for place, name in enumerate(names) if name is None or name != name]:
            raise ValueError(
                f"Categorize learns names, and name {missing[0]} is {names[missing[0]]}"
                f" ({len(missing)} of {len(names)} are missing): leave such items out, or name what they are."
            )
        try:
            self.vocab = tuple(sorted(set(names)))
        except TypeError as error:
            kinds = sorted({type(name).__name__ for name in names})
            raise TypeError(
                f"Categorize sorts the names it learns, and these are of {', '.join(kinds)}: make them texts."
            ) from error

    @method
    def encode(self, x: Any) -> Category:
        """Number one name; tensors are no names, and pass.

        Raises:
            ValueError: A name that is not in the vocabulary.
        """
        with suppress(KeyError, TypeError):
            return self._made[x]
        if x in self.vocab:
            self._made[x] = Category(self.vocab.index(x), vocab=self.vocab)
            return self._made[x]
        if not self.vocab:
            raise ValueError("Categorize knows no names yet: call setup(training items), or give the names.")
        near = get_close_matches(str(x), map(str, self.vocab), n=1)
        raise ValueError(
            f"{x!r} is not one of the {len(self.vocab)} names seen in the training items "
            f"({list_some(self.vocab)})." + (f" Did you mean {near[0]!r}?" if near else "")
        )

    @method
    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return x

    @method
    def encode(self, x: tuple | dict) -> Any:
        return super().encode(x)

    @method
    def decode(self, x: Category) -> Any:
        """Name a number, or each of a batch.

        Raises:
            ValueError: A number that is none of a name.
        """
        codes = plain(x).reshape(-1).tolist()
        for code in codes:
            if not 0 <= code < len(self.vocab):
                raise ValueError(
                    f"{code} numbers none of the {len(self.vocab)} names ({list_some(self.vocab)})."
                )
        names = [self.vocab[code] for code in codes]
        return names if x.ndim else names[0]

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether this may be a name; on the way back, whether it is a category."""
        return super().acts_on(x, direction) and (direction == "decode" or not isinstance(x, torch.Tensor))


class ToFloat(Transform):
    """Turn pixels that are whole numbers 0..255 into floats 0..1, and back.

    Measured values, of a `DicomImage` or a `Volume`, keep their unit: they become floats of the same size.
    Done on whole batches: four times fewer bytes travel to the device before it than after it.

    >>> ToFloat().encode(Image(torch.full((3, 1, 1), 255, dtype=torch.uint8))).max().item()
    1.0
    """

    @method
    def encode(self, x: Image) -> Image:
        return x if x.is_floating_point() else typed_like(plain(x).float() / 255, x)

    @method
    def encode(self, x: DicomImage | Volume) -> Any:
        return x if x.is_floating_point() else typed_like(plain(x).float(), x)

    @method
    def decode(self, x: Image) -> Image:
        if not x.is_floating_point():
            return x
        return typed_like((plain(x) * 255).round().clamp(0, 255).byte(), x)

    @method
    def decode(self, x: DicomImage) -> DicomImage:
        return x


class Normalize(Transform):
    """Bring each channel to mean 0 and standard deviation 1, and back: no channel is louder than another.

    A channel is one of a picture or a volume, a column of a row (columns of kinds are left alone), or one
    of a type of your own whose first axis is named "channels".
    NaN means "not there": it is left out when mean and deviation are learned, and stays NaN. A channel that
    is the same everywhere becomes 0.

    Args:
        mean: One number for each channel. Without it, both are learned from the training items in `setup`,
            exactly, in one pass, whatever the sizes of the items.
        std: The standard deviation of each channel, more than 0.

    Raises:
        ValueError: Mean and deviation do not fit each other; while learning, no item or no number came;
            while encoding, nothing was learned yet, or the channels or the dtype do not fit.

    >>> scale = Normalize()
    >>> scale.setup([Image(torch.tensor([0.0, 1.0]).reshape(1, 1, 2))])
    >>> scale
    Normalize(mean=(0.5,), std=(0.5,))
    >>> scale.encode(Image(torch.ones(1, 1, 3))).tolist()
    [[[1.0, 1.0, 1.0]]]
    """

    def __init__(self, mean: Sequence[float] | None = None, std: Sequence[float] | None = None) -> None:
        self.mean, self.std = each_channel(mean), each_channel(std)
        counts = {len(self.mean or ()), len(self.std or ())}
        if (mean is None) != (std is None) or len(counts) > 1 or min(self.std or (1,)) <= 0:
            raise ValueError(
                "Normalize has a mean and a std above 0 for each channel, or neither to learn both; "
                f"got mean={mean}, std={std}."
            )

    def setup(self, items: Iterable) -> None:
        """Learn mean and standard deviation from the training items, unless they were given."""
        if self.mean is None:
            values = (x for item in items for x in elements(item).values() if self.acts_on(x))
            self.mean, self.std = learn_scale(map(self._checked, values))

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether this has channels, or columns."""
        return isinstance(x, TypedTensor) and (x.axes or ("",))[0] in ("channels", "columns")

    @method
    def encode(self, x: TypedTensor) -> Any:
        """Subtract the mean and divide by the deviation."""
        if not self.acts_on(x):
            return x
        mean, std = self._shaped(x)
        return typed_like((plain(x) - mean) / std, x)

    @method
    def decode(self, x: TypedTensor) -> Any:
        """Multiply by the deviation and add the mean."""
        if not self.acts_on(x):
            return x
        mean, std = self._shaped(x)
        return typed_like(plain(x) * std + mean, x)

    def _shaped(self, x: Any) -> list[torch.Tensor]:
        """Mean and deviation, shaped to meet the channels of a value, where it is."""
        if self.mean is None or self.std is None:
            raise ValueError(
                "Normalize has learned nothing yet: call setup(training items), or give mean and std."
            )
        shape = (-1, *[1] * (len(x.axes) - 1))
        if self._checked(x).shape[-len(shape)] != len(self.mean):
            raise ValueError(f"Normalize knows {len(self.mean)} channels; this is {describe(x)}.")
        numbers = (self.mean, self.std)
        return [torch.tensor(one, dtype=x.dtype, device=x.device).reshape(shape) for one in numbers]

    def _checked(self, x: Any) -> Any:
        if not x.is_floating_point():
            raise ValueError(f"Normalize works on floats; this is {describe(x)}. Put ToFloat() before it.")
        return x


def each_channel(numbers: Any) -> tuple[float, ...] | None:
    """Read a number for each channel, from a list, an array or a tensor; one alone is of one channel."""
    if numbers is None:
        return None
    return tuple(torch.as_tensor(numbers, dtype=torch.float64).reshape(-1).tolist())


def check_learned(count: torch.Tensor, mean: torch.Tensor) -> None:
    """Refuse a scale of no numbers, or of infinite ones."""
    if not mean.dim():
        raise ValueError(
            "Normalize learns from the training items, and none came that has channels: pictures, volumes, "
            'rows, types of your own whose axes begin with "channels". (An iterator can be walked through '
            "only once: give a list.)"
        )
    if not (count.all() and mean.isfinite().all()):
        raise ValueError(
            "Normalize learns from the training items, and needs a finite number in every channel; it found "
            f"{count.long().tolist()} in each, their mean {mean.tolist()}."
        )


def learn_scale(values: Iterable[TypedTensor]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over all values, in one pass.

    What is known of the values so far and what is found in the next are joined as in Chan, Golub and LeVeque
    (1983), "Algorithms for computing the sample variance": as exact as a second pass.

    >>> from .tensors import Row
    >>> learn_scale([Row([1.0, 5.0]), Row([3.0, 5.0])])
    ((2.0, 5.0), (1.0, 1.0))
    """
    count = mean = spread = torch.zeros(())
    kinds = torch.zeros((), dtype=torch.bool)
    for x in values:
        here = plain(x).detach().cpu().double().movedim(-len(x.axes or ()), 0)
        here = here.reshape(len(here), -1)
        if mean.dim() and len(here) != len(mean):
            raise ValueError(f"Normalize has met {len(mean)} channels so far; this is {describe(x)}.")
        there = ~here.isnan()
        more = there.sum(1)
        own = here.where(there, 0).sum(1) / more.clamp(min=1)
        apart, share = own - mean, more / (count + more).clamp(min=1)
        spread = spread + (here - own[:, None]).where(there, 0).square().sum(1) + apart**2 * count * share
        count, mean = count + more, mean + apart * share
        vocabs = getattr(x, "vocabs", None) or [None] * len(here)
        kinds = torch.tensor([vocab is not None for vocab in vocabs])
    check_learned(count, mean)
    std = (spread / count).sqrt()
    # What differs by less than a float can hold is rounding, and so is what is no float of its own.
    floats = torch.finfo(torch.float32)
    std = std.where(std > (mean.abs() * floats.eps).clamp(min=floats.tiny), 1)
    return tuple(mean.where(~kinds, 0).tolist()), tuple(std.where(~kinds, 1).tolist())


class RandomFlip(RandomTransform):
    """Mirror a sample by chance: picture, mask, points and boxes together.

    Args:
        chance: How often, 0..1.
        axis: Along which axis: "width" is left-right, "height" upside down.

    >>> RandomFlip(chance=1).encode(Image(torch.tensor([0.0, 1.0]).reshape(1, 1, 2))).tolist()
    [[[1.0, 0.0]]]
    """

    def __init__(self, chance: float = 0.5, axis: str = "width") -> None:
        if not 0 <= chance <= 1:
            raise ValueError(f"RandomFlip flips with a chance from 0 to 1; got {chance!r}.")
        self.chance, self.axis = chance, axis

    def draw(self, chance: Random) -> bool:
        """Flip or not."""
        return chance.random() < self.chance

    @method
    def apply(self, x: TypedTensor, drawn: Any) -> Any:
        return moved(flip, x, self.axis) if drawn else x

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether `flip` has a method for this type."""
        return direction == "encode" and takes(flip, x, self.axis)


class RandomRotate(RandomTransform):
    """Turn a sample by chance: picture, mask, points and boxes by the same angle.

    Args:
        degrees: The largest angle, to either side, or a pair: the smallest and the largest,
            counterclockwise.

    >>> RandomRotate((90, 90)).encode(Image(torch.zeros(3, 4, 6))).shape
    torch.Size([3, 6, 4])
    """

    def __init__(self, degrees: float | tuple[float, float]) -> None:
        self.degrees = degrees

    def draw(self, chance: Random) -> float:
        """The angle."""
        low, high = self.degrees if isinstance(self.degrees, tuple) else (-self.degrees, self.degrees)
        return chance.uniform(low, high)

    @method
    def apply(self, x: TypedTensor, drawn: Any) -> Any:
        return moved(rotate, x, drawn)

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether `rotate` has a method for this type."""
        return direction == "encode" and takes(rotate, x, 0.0)


def moved(word: Any, x: Any, *how: Any) -> Any:
    """Do what a word of `geometry` says to every type it takes, also to those it is taught later.

    >>> moved(flip, Category(1), "width")
    Category(1, int64)
    """
    return word(x, *how) if takes(word, x, *how) else x
