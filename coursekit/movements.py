"""Movements drawn by chance, each a matrix for each picture: flip, rotate, zoom, shear, shift, tilt, crop.

A movement sees a picture in its **frame**: the middle is (0, 0), x runs to the right and y down, and half the
height is 1, so the right edge is at the frame's `aspect`, its width by its height. There a turn is a turn,
whatever the size of the picture, and a matrix of 3 x 3 numbers moves (x, y, 1); where the third number it
makes is not 1, the first two are divided by it (a perspective).

A movement of your own says what it draws, one matrix for each of `frame.count` pictures:

>>> @dataclass(frozen=True)
... class Wobble(Movement):
...     '''Make a picture wider by up to a tenth and lower by as much, or the other way round.'''
...     amount: float = 0.1
...     chance: float = 1.0
...     def draw(self, frame, chance):
...         wider = uniform(chance, frame.count, 1 - self.amount, 1 + self.amount)
...         return matrices((wider, 0, 0), (0, 1 / wider, 0))
>>> Wobble(0).draw(Frame.of(1), torch.Generator())[0].diagonal().tolist()
[1.0, 1.0, 1.0]

All chance comes from the generator that is handed over, on the CPU: so draws are the same on every device.
`augment.Warp` multiplies the matrices of all movements into one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from .cropping import TRIES, check_parts
from .draws import Change, Range, around, one_of, uniform

# Coordinates of space are x, y, z; a movement of the slices across an axis moves two of these.
PLANES = {"depth": (0, 1), "height": (0, 2), "width": (1, 2)}


@dataclass(frozen=True)
class Frame:
    """What a movement may know of the pictures: how many, and how wide for their height.

    Attributes:
        aspect: Width by height of what will be seen, `(count,)`, `float64`.
        source: Width by height of what the pictures were.
    """

    aspect: torch.Tensor
    source: torch.Tensor

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self.aspect)

    @classmethod
    def of(cls, count: int, aspect: float = 1, source: float | None = None) -> Frame:
        """Make the frame of pictures that are all alike."""
        lengths = torch.tensor([aspect, aspect if source is None else source], dtype=torch.float64)
        return cls(*lengths[:, None].expand(2, count))


def matrices(*rows: Sequence[Any]) -> torch.Tensor:
    """Make matrices of rows of three, in which every number is one for all or one for each: `(N, 3, 3)`.

    A third row that is not given is (0, 0, 1).

    >>> matrices((1, 0, torch.tensor([5, 6])), (0, 1, 0))[:, 0].tolist()
    [[1.0, 0.0, 5.0], [1.0, 0.0, 6.0]]
    """
    rows = rows if len(rows) == 3 else (*rows, (0, 0, 1))
    numbers = [torch.as_tensor(one, dtype=torch.float64) for row in rows for one in row]
    return torch.stack(torch.broadcast_tensors(*numbers), -1).reshape(-1, 3, 3)


class Movement(Change):
    """What all movements have; subclass it and write `draw`.

    Attributes:
        plane: Which two of x, y and z it moves; what is flat is moved in the plane of x and y only.
        of_canvas: Whether it speaks of the edges of a picture: a cloud of points that stands in the world,
            without a canvas, has none, and stays as it is.
        random: Whether it draws by chance.

    >>> class Turnover(Movement):
    ...     def draw(self, frame, chance): return matrices((-1, 0, 0), (0, -1, 0))
    >>> Turnover().happening(Turnover().draw(Frame.of(2), torch.Generator()), 2, torch.Generator()).shape
    torch.Size([2, 3, 3])
    """

    plane: tuple[int, int] = PLANES["depth"]
    of_canvas: ClassVar[bool] = False
    random: ClassVar[bool] = True

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """Draw a matrix for each picture: `(frame.count or 1, 3, 3)`, `float64`."""
        raise NotImplementedError(
            f"{type(self).__name__} says what it draws: def draw(self, frame, chance), which gives a matrix "
            "of 3 x 3 for each of frame.count pictures."
        )

    def calm(self) -> Movement | None:
        """What is left of it without chance; by default nothing."""
        return None if self.random else self

    def in_space(self, matrix: torch.Tensor) -> torch.Tensor:
        """Let the matrices move two of three coordinates: `(N, 4, 4)`."""
        places = torch.tensor([*self.plane, 3])
        result = torch.eye(4, dtype=matrix.dtype).repeat(len(matrix), 1, 1)
        result[:, places[:, None], places] = matrix
        return result


@dataclass(frozen=True)
class Flip(Movement):
    """Mirror along an axis, as `geometry.flip`: `"width"` changes left and right.

    >>> Flip().draw(Frame.of(1), torch.Generator())[0].diagonal().tolist()
    [-1.0, 1.0, 1.0]
    """

    axis: str = "width"
    chance: float = 0.5

    def __post_init__(self) -> None:
        one_of(self.axis, tuple(PLANES), "Flip knows the axes")

    @property
    def plane(self) -> tuple[int, int]:  # type: ignore[override]
        """Where the axis lies: depth only in space."""
        return PLANES["height" if self.axis == "depth" else "depth"]

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """The same for all that are flipped."""
        across = self.axis == "width"
        return matrices((-1 if across else 1, 0, 0), (0, 1 if across else -1, 0))


@dataclass(frozen=True)
class Rotate(Movement):
    """Turn about the middle by up to so many degrees to either side, or by a pair's, counterclockwise.

    Of volumes and clouds, `axis` is what to turn about: the slices across it turn as they are shown.

    >>> Rotate((180, 180)).draw(Frame.of(1), torch.Generator())[0].diagonal().tolist()
    [-1.0, -1.0, 1.0]
    """

    degrees: float | Range
    axis: str = "depth"
    chance: float = 1.0

    def __post_init__(self) -> None:
        one_of(self.axis, tuple(PLANES), "Rotate takes degrees, 10 or a pair (10, 20), and knows the axes")

    @property
    def plane(self) -> tuple[int, int]:  # type: ignore[override]
        """The plane of the slices that turn."""
        return PLANES[self.axis]

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """An angle for each."""
        angle = uniform(chance, frame.count, *around(0, self.degrees)).deg2rad()
        sine, cosine = angle.sin(), angle.cos()
        return matrices((cosine, sine, 0), (-sine, cosine, 0))


@dataclass(frozen=True)
class Zoom(Movement):
    """Make everything larger by up to a factor, or by one between two; volumes along all three axes.

    >>> Zoom((2, 2)).draw(Frame.of(1), torch.Generator())[0].diagonal().tolist()
    [2.0, 2.0, 1.0]
    """

    factor: float | Range = (1.0, 1.1)
    chance: float = 1.0

    def __post_init__(self) -> None:
        if min(self.ends()) <= 0:
            raise ValueError(f"Zoom makes things so many times as large, more than 0; got {self.factor!r}.")

    def ends(self) -> Range:
        """The smallest and the largest factor."""
        return around(0, self.factor if isinstance(self.factor, (tuple, list)) else (1.0, self.factor))

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """A factor for each."""
        factor = uniform(chance, frame.count, *self.ends())
        return matrices((factor, 0, 0), (0, factor, 0))

    def in_space(self, matrix: torch.Tensor) -> torch.Tensor:
        """Along the depth as along the others."""
        result = super().in_space(matrix)
        result[:, 2, 2] = matrix[:, 0, 0]
        return result


@dataclass(frozen=True)
class Shear(Movement):
    """Slant by up to so many degrees to either side: rows slide along the width, or columns the height.

    >>> Shear((45, 45)).draw(Frame.of(1), torch.Generator())[0, 0].round().tolist()
    [1.0, -1.0, 0.0]
    """

    degrees: float | Range
    axis: str = "width"
    chance: float = 1.0

    def __post_init__(self) -> None:
        known = ("height", "width")
        one_of(self.axis, known, "Shear takes degrees, 10 or a pair (10, 20), and knows the axes")

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """An angle for each; its sign is torchvision's."""
        slide = -uniform(chance, frame.count, *around(0, self.degrees)).deg2rad().tan()
        return (
            matrices((1, slide, 0), (0, 1, 0)) if self.axis == "width" else matrices((1, 0, 0), (slide, 1, 0))
        )


@dataclass(frozen=True)
class Shift(Movement):
    """Move along both axes by up to a share of the width and of the height, or by a pair's: right and down.

    >>> Shift(0).draw(Frame.of(1), torch.Generator())[0, :2, 2].tolist()
    [0.0, 0.0]
    """

    share: float | Range = 0.1
    chance: float = 1.0
    of_canvas: ClassVar[bool] = True

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """A way along each axis for each: the whole width is twice the aspect, the whole height 2."""
        across, down = 2 * uniform(chance, (2, frame.count), *around(0, self.share))
        return matrices((1, 0, across * frame.aspect), (0, 1, down))


@dataclass(frozen=True)
class Perspective(Movement):
    """Tilt away from the viewer: at an edge all is smaller or larger by up to about this share, or a pair's.

    >>> Perspective(0).draw(Frame.of(1), torch.Generator())[0, 2].tolist()
    [0.0, 0.0, 1.0]
    """

    share: float | Range = 0.2
    chance: float = 1.0
    of_canvas: ClassVar[bool] = True

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """A tilt about each axis for each."""
        across, down = uniform(chance, (2, frame.count), *around(0, self.share))
        return matrices((1, 0, 0), (0, 1, 0), (across / frame.aspect, down, 1))


@dataclass(frozen=True)
class Crop(Movement):
    """Choose a part by its area and shape, and make it fill the frame: the usual "random resized crop".

    Of ten parts that are drawn the first that lies within the picture is taken, as torchvision does, and if
    none does the first, cut off. Without chance it is the largest part in the middle that has the shape of
    the frame.

    Args:
        scale: Smallest and largest share of the picture's area.
        ratio: Smallest and largest width by height of the part, in pixels.

    >>> quarter = Crop(scale=(0.25, 0.25), ratio=(1, 1)).draw(Frame.of(1), torch.Generator())
    >>> quarter[0].diagonal().tolist()
    [2.0, 2.0, 1.0]
    """

    scale: Range = (0.35, 1.0)
    ratio: Range = (3 / 4, 4 / 3)
    chance: float = 1.0
    of_canvas: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_parts(self.scale, self.ratio, "Crop")

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """A part for each."""
        tries = (frame.count, TRIES)
        area = uniform(chance, tries, *self.scale)
        ratio = uniform(chance, tries, *map(math.log, self.ratio)).exp() / frame.source[:, None]
        wide, high = (area * ratio).sqrt(), (area / ratio).sqrt()
        fits = (wide <= 1) & (high <= 1)
        first = fits.to(torch.uint8).argmax(1, keepdim=True)
        wide, high = (one.gather(1, first)[:, 0].clamp(max=1) for one in (wide, high))
        free_x, free_y = uniform(chance, (2, frame.count), -1, 1)
        return to_frame(frame, wide, high, free_x * (1 - wide), free_y * (1 - high))

    def calm(self) -> Movement:
        """The largest part in the middle."""
        return Fit("crop")


@dataclass(frozen=True)
class Fit(Movement):
    """Bring a whole picture into a frame of another shape, without chance.

    Args:
        method: `"crop"` fills the frame and loses what stands over, `"pad"` shows all and leaves edges free,
            `"squeeze"` does neither and changes the shape of things.

    >>> wide = Frame.of(1, aspect=1, source=2)
    >>> [Fit(method).draw(wide, torch.Generator())[0].diagonal().tolist()[:2] for method in ("crop", "pad")]
    [[2.0, 1.0], [1.0, 0.5]]
    """

    method: str = "crop"
    of_canvas: ClassVar[bool] = True
    random: ClassVar[bool] = False

    def __post_init__(self) -> None:
        one_of(self.method, ("crop", "pad", "squeeze"), "Fit knows the methods")

    def draw(self, frame: Frame, chance: torch.Generator) -> torch.Tensor:
        """Without a draw: the part, or more than all, that fills the frame."""
        wide, high = frame.aspect / frame.source, frame.source / frame.aspect
        if self.method == "squeeze":
            return matrices((1, 0, 0), (0, 1, 0))
        one = torch.ones_like(wide)
        take = torch.minimum if self.method == "crop" else torch.maximum
        return to_frame(frame, take(wide, one), take(high, one))


def to_frame(frame: Frame, wide: Any, high: Any, x: Any = 0, y: Any = 0) -> torch.Tensor:
    """Make matrices that let a part fill the frame.

    Args:
        frame: What will be filled.
        wide: Share of the width that the part has, `(N,)`.
        high: Share of the height.
        x: Where its middle is, from -1 at the left edge of the picture to 1 at the right.
        y: The same from top to bottom.
    """
    return matrices((1 / wide, 0, -x * frame.aspect / wide), (0, 1 / high, -y / high))
