"""Changes of colour drawn by chance, each a matrix for each picture, and parts of pictures covered.

A change gives new red, green and blue as sums of the old ones and a constant: a matrix of 4 x 4 for
(red, green, blue, 1). All changes of a picture are multiplied into one, so that its pixels are touched once
and cut off at 0 and 1 once, at the end. A grey picture is one whose three colours are the same.

A change of your own says what it draws, one matrix for each of `count` pictures:

>>> @dataclass(frozen=True)
... class Warmer(ColourChange):
...     '''More red and less blue, by up to a tenth, or the other way round.'''
...     amount: float = 0.1
...     chance: float = 1.0
...     def draw(self, count, chance):
...         red = uniform(chance, count, 1 - self.amount, 1 + self.amount)
...         return torch.stack([red, torch.ones(count), 2 - red, torch.ones(count)], -1).diag_embed()
>>> Recolour(Warmer(0)).encode(Image(torch.full((3, 1, 1), 0.5))).flatten().tolist()
[0.5, 0.5, 0.5]

Pictures are floats 0..1 here; of whole numbers, 0..255, such are made. The values of scans are measurements,
not colours: they stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .dispatch import method
from .draws import Change, Drawing, Range, Setting, around, checked, composed, inverted, uniform
from .sampling import centres
from .steps import ToFloat
from .tensors import DicomImage, Image, plain, typed_like

# How bright red, green and blue look: ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)
# Brightness and two directions of colour, about which hues turn: the YIQ of American television.
YIQ = (LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))


class ColourChange(Change):
    """What all changes of colour have; subclass it and write `draw`.

    >>> class Negative(ColourChange):
    ...     def draw(self, count, chance): return blend(-torch.ones(1), [[0, 0, 0, 0.5]] * 3)
    >>> Recolour(Negative()).encode(Image(torch.zeros(3, 1, 1))).flatten().tolist()
    [1.0, 1.0, 1.0]
    """

    def draw(self, count: int, chance: torch.Generator) -> torch.Tensor:
        """Draw a matrix for each picture: `(count or 1, 4, 4)`, `float64`."""
        raise NotImplementedError(
            f"{type(self).__name__} says what it draws: def draw(self, count, chance), which gives a matrix "
            "of 4 x 4 for each of count pictures."
        )


def blend(share: torch.Tensor, other: Sequence[Sequence[float]]) -> torch.Tensor:
    """Make matrices that keep a share of the picture, and give the rest to what another matrix makes of it.

    >>> blend(torch.tensor([0.5]), [[0, 0, 0, 1]] * 3)[0, 0].tolist()  # half of it, half white
    [0.5, 0.0, 0.0, 0.5]
    """
    share, rest = share.double()[:, None, None], torch.tensor([*other, [0, 0, 0, 1]], dtype=torch.float64)
    return share * torch.eye(4, dtype=torch.float64) + (1 - share) * rest


@dataclass(frozen=True)
class Brightness(ColourChange):
    """All values times a factor, up to so much from 1, or from a pair: torchvision's `adjust_brightness`.

    >>> Brightness((2, 2)).draw(1, torch.Generator())[0].diagonal().tolist()
    [2.0, 2.0, 2.0, 1.0]
    """

    amount: float | Range = 0.2
    chance: float = 1.0

    def draw(self, count: int, chance: torch.Generator) -> torch.Tensor:
        """A factor for each."""
        return blend(uniform(chance, count, *around(1, self.amount)), [[0, 0, 0, 0]] * 3)


@dataclass(frozen=True)
class Contrast(ColourChange):
    """All values further from a middle, or nearer to it, by a factor.

    torchvision's `adjust_contrast` takes the mean brightness of each picture for the middle; here it is the
    same for all, which saves a look at every pixel. With `about` that mean, both are the same.

    >>> Contrast((2, 2)).draw(1, torch.Generator())[0, 0].tolist()
    [2.0, 0.0, 0.0, -0.5]
    """

    amount: float | Range = 0.2
    about: float = 0.5
    chance: float = 1.0

    def draw(self, count: int, chance: torch.Generator) -> torch.Tensor:
        """A factor for each."""
        return blend(uniform(chance, count, *around(1, self.amount)), [[0, 0, 0, self.about]] * 3)


@dataclass(frozen=True)
class Saturation(ColourChange):
    """Colours further from grey, or nearer to it, by a factor: torchvision's `adjust_saturation`.

    >>> Saturation((0, 0)).draw(1, torch.Generator())[0, 0].tolist()
    [0.299, 0.587, 0.114, 0.0]
    """

    amount: float | Range = 0.2
    chance: float = 1.0

    def draw(self, count: int, chance: torch.Generator) -> torch.Tensor:
        """A factor for each."""
        return blend(uniform(chance, count, *around(1, self.amount)), [[*LUMA, 0]] * 3)


@dataclass(frozen=True)
class Hue(ColourChange):
    """All hues turned on by up to so much of a whole turn: from red towards green, or back.

    The turn is one about the grey axis of YIQ: what is grey stays, and so does brightness. torchvision turns
    in HSV, where brightness changes and no matrix will do: the same way, not the same colours.

    >>> Hue(0).draw(1, torch.Generator())[0].diagonal().round().tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    amount: float | Range = 0.05
    chance: float = 1.0

    def draw(self, count: int, chance: torch.Generator) -> torch.Tensor:
        """A turn for each."""
        angle = -2 * math.pi * uniform(chance, count, *around(0, self.amount))
        turn = torch.eye(3, dtype=torch.float64).repeat(count, 1, 1)
        turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
        turn[:, 1, 2], turn[:, 2, 1] = -angle.sin(), angle.sin()
        to_yiq = torch.tensor([YIQ], dtype=torch.float64)
        result = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
        result[:, :3, :3] = composed([to_yiq, turn, inverted(to_yiq)[0]], count, 3)
        return result


class Recolour(Drawing):
    """Change the colours of pictures by any changes, multiplied into one: pixels are touched once.

    Args:
        changes: What to do, in this order, such as `Brightness(0.2), Hue(0.05)`.

    Only pictures are changed, and of these no scans. Values are cut off at 0 and 1.

    >>> Recolour(Brightness((0.5, 0.5))).encode(Image(torch.ones(3, 1, 1))).flatten().tolist()
    [0.5, 0.5, 0.5]
    """

    def __init__(self, *changes: ColourChange) -> None:
        said = "Recolour takes changes, such as Recolour(Brightness(0.2), Hue(0.05))"
        self.changes = checked(changes, ColourChange, said)

    def __repr__(self) -> str:
        return f"Recolour({', '.join(map(repr, self.changes))})"

    def calm(self) -> ToFloat:
        """What is left without chance: floats 0..1."""
        return ToFloat()

    def numbers(self, setting: Setting, chance: torch.Generator) -> dict[str, torch.Tensor]:
        """Draw all changes, and make one matrix of them."""
        drawn = (
            change.happening(change.draw(setting.count, chance), setting.count, chance)
            for change in self.changes
        )
        return {"colours": composed(drawn, setting.count, 4)[:, :3]}

    @method
    def apply(self, x: Image, drawn: Any) -> Any:
        return repainted(x, drawn.of(x).device)


class Erase(Drawing):
    """Cover a rectangle of some pictures, so that a model learns to look at more than one part.

    Zhong et al. (2020), "Random erasing data augmentation", with a colour in place of noise.

    Args:
        chance: How many of the pictures.
        area: Smallest and largest share of the picture that is covered.
        ratio: Smallest and largest height by width of the rectangle, as shares of the picture's.
        fill: What it is covered with: a number, one for each channel (such as the mean of the data), or
            `"random"`, a colour drawn for each picture.

    Only pictures are changed, and of these no scans; what lies on them stays. Values are cut off at 0 and 1.

    >>> Erase(chance=1, area=(1, 1), ratio=(1, 1)).encode(Image(torch.ones(3, 1, 1))).flatten().tolist()
    [0.5, 0.5, 0.5]
    """

    def __init__(
        self, chance: float = 0.25, area: Range = (0.02, 0.2), ratio: Range = (0.3, 3.3), fill: Any = 0.5
    ) -> None:
        if not 0 <= chance <= 1:
            raise ValueError(f"Erase happens with a chance from 0 to 1; got {chance!r}.")
        pairs = all(isinstance(one, (tuple, list)) and len(one) == 2 for one in (area, ratio))
        if not (pairs and 0 <= area[0] <= area[1] <= 1 and 0 < ratio[0] <= ratio[1]):
            raise ValueError(
                "Erase takes the smallest and the largest share of the picture, such as (0.02, 0.2), and of "
                f"height by width, such as (0.3, 3.3); got {area!r} and {ratio!r}."
            )
        self.chance, self.area, self.ratio, self.fill = chance, area, ratio, fill

    def calm(self) -> ToFloat:
        """What is left without chance: floats 0..1."""
        return ToFloat()

    def numbers(self, setting: Setting, chance: torch.Generator) -> dict[str, torch.Tensor]:
        """Draw left, top, right and bottom, from -1 to 1, then what to cover with."""
        count = setting.count
        area = uniform(chance, count, *self.area)
        ratio = uniform(chance, count, *map(math.log, self.ratio)).exp()
        half = torch.stack([(area / ratio).sqrt(), (area * ratio).sqrt()], -1).clamp(max=1)
        middle = uniform(chance, (count, 2), -1, 1) * (1 - half)
        happens = torch.rand((count, 1), generator=chance) < self.chance
        half = torch.where(happens, half, -1)  # below 0 nothing lies inside
        if self.fill == "random":
            fill = uniform(chance, (count, 3), 0, 1)
        else:
            fill = torch.as_tensor(self.fill, dtype=torch.float64).reshape(1, -1).expand(count, -1)
        return {"erased": torch.cat([middle - half, middle + half, fill], -1)}

    @method
    def apply(self, x: Image, drawn: Any) -> Any:
        return repainted(x, drawn.of(x).device)


def repainted(x: Any, numbers: dict[str, torch.Tensor]) -> Any:
    """Do to pictures what was drawn, save to scans; whole numbers become floats 0..1."""
    if isinstance(x, DicomImage):
        return x
    pixels, scale = plain(x), 1.0
    if not pixels.is_floating_point():
        pixels, scale = pixels.float(), 1 / 255
    values = repaint(pixels if x.is_batch else pixels[None], numbers, scale)
    return typed_like(values if x.is_batch else values[0], x)


def repaint(pixels: torch.Tensor, numbers: dict[str, torch.Tensor], scale: float = 1.0) -> torch.Tensor:
    """Change the colours of pixels `(N, C, H, W)`, and cover parts, as far as any of it was drawn.

    Args:
        pixels: Floating point.
        numbers: Perhaps `colours`, `(N, 3, 4)`; perhaps `erased`, rows of left, top, right, bottom and fill.
        scale: What pixels are first multiplied with, so that they are 0..1.
    """
    colours, erased = numbers.get("colours"), numbers.get("erased")
    if colours is not None:
        pixels = mixed_colours(pixels, colours.to(pixels.dtype), scale)
    elif scale != 1:
        pixels = pixels * scale
    if erased is not None:
        low, high = bounds(erased.to(pixels.dtype), pixels)
        return pixels.clamp_(low, high) if colours is not None else pixels.clamp(low, high)
    return pixels if colours is None else pixels.clamp_(0, 1)


def mixed_colours(pixels: torch.Tensor, colours: torch.Tensor, scale: float) -> torch.Tensor:
    """Give each pixel the colours that a matrix makes of its own; channels that are not three are grey."""
    if pixels.shape[1] == 3:
        mix, constant = colours[..., :3], colours[..., 3:]
        return torch.baddbmm(constant, mix, pixels.flatten(2), alpha=scale).reshape(pixels.shape)
    factor, constant = colours[:, 0, :3].sum(1), colours[:, 0, 3]
    return torch.addcmul(constant[:, None, None, None], pixels, factor[:, None, None, None], value=scale)


def bounds(erased: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Say between which values pixels are: 0 and 1, and inside a covered rectangle twice its fill.

    So one pass over the pixels both covers and cuts off.
    """
    height, width = pixels.shape[-2:]
    left, top, right, bottom = erased[:, :4, None, None, None].unbind(1)
    x, y = centres(width, erased), centres(height, erased)[:, None]
    columns, rows = ((left < x) & (x < right)).to(erased.dtype), ((top < y) & (y < bottom)).to(erased.dtype)
    fill = erased[:, 4:, None, None]
    fill = fill if fill.shape[1] == pixels.shape[1] else fill[:, :1]
    ends = torch.arange(2, device=erased.device, dtype=erased.dtype).reshape(2, 1, 1, 1, 1)
    return torch.addcmul(ends, rows, columns * (fill - ends))
