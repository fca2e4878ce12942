"""Whole batches augmented on the device: every picture by a draw of its own, in a handful of passes.

>>> augment = Augment(rotate=15, size=32)
>>> photos = Image(torch.rand(4, 3, 40, 60))
>>> outlines = Mask(torch.zeros(4, 40, 60, dtype=torch.uint8))
>>> [part.shape for part in augment.encode((photos, outlines))]
[torch.Size([4, 3, 32, 32]), torch.Size([4, 32, 32])]

`Augment` is the easy way in: plain arguments, good defaults. It is put together from three steps that can be
used alone: `Warp` moves by any movements (see `movements`), `Recolour` changes colours and `Erase` covers a
part (see `colours`). What happens to which picture is drawn on the host and sent to the device in one small
copy: the same on every device, in any number of workers, and nothing ever waits for the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from operator import mul
from typing import Any

import torch

from .canvas import changed, each, facing
from .colours import Brightness, Contrast, Erase, Hue, Recolour, Saturation, repaint
from .dispatch import method
from .draws import Drawing, Drawn, Range, Setting, checked, composed, inverted
from .geometry import partners_swapped
from .movements import Crop, Fit, Flip, Frame, Movement, Perspective, Rotate, Shear, Zoom
from .places import carry, lost
from .sampling import Shrinking, look, mirror, sees_horizon
from .tensors import (
    Boxes,
    DicomImage,
    Image,
    Keypoints,
    Mask,
    PointCloud,
    TypedTensor,
    Volume,
    VolumeMask,
    plain,
)
from .warping import smallest

Sizes = int | tuple[int, ...] | None
Edges = str | float
COLOURS = ("brightness", "contrast", "saturation", "hue")
# The arguments of `Augment` that are a chance or an amount: 0 leaves them out.
DRAWN = ("flip", "upside_down", "rotate", "shear", "perspective", *COLOURS, "erase")


class Warp(Drawing):
    """Move pictures and all that lies on them by any movements, multiplied into one: pixels are mixed once.

    Args:
        movements: What to do, in this order, such as `Flip(), Rotate(10)`.
        size: (height, width) of the result, or one number for a square; of volumes (depth, height, width).
            By default all keeps its size. Without a `Fit` or `Crop` among the movements a picture of another
            shape is squeezed.
        edges: What is seen beyond the edges of the old picture: `"reflect"` mirrors it, `"border"` goes on
            with its outermost pixels, a number fills. In place of a number, scans (`DicomImage`, `Volume`)
            are filled with the smallest value of each, where 0 might mean water, and masks with class 0.

    It moves everything by the same draw: pictures, mixed from neighbours and averaged where they shrink;
    masks, whose classes are picked and never mixed; key points, boxes with their labels, volumes, clouds.
    Places that leave the canvas are rows of NaN. A batch has one draw for each item, and one item is a batch
    of one. Pictures of whole numbers 0..255 become floats 0..1; the values of scans become floats and keep
    their unit. Where nothing but mirrors is drawn, pixels come out as they went in.

    Raises:
        TypeError: Something among the movements that is none.
        ValueError: Edges that are none; in `encode`, a sample whose parts are not equally many.

    >>> from coursekit.movements import Flip
    >>> Warp(Flip(chance=1)).encode(Keypoints([[1, 1]], canvas=(4, 6))).tolist()
    [[5.0, 1.0]]
    """

    def __init__(self, *movements: Movement, size: Sizes = None, edges: Edges = "reflect") -> None:
        self.movements = checked(
            movements, Movement, "Warp takes movements, such as Warp(Flip(), Rotate(10))"
        )
        if edges not in ("reflect", "border") and not isinstance(edges, (int, float)):
            raise ValueError(f'What is beyond the edges is "reflect", "border" or a number; got {edges!r}.')
        lengths = (1,) if size is None else tuple(size) if isinstance(size, (tuple, list)) else (size,)
        right = len(lengths) in (1, 2, 3)
        if not right or not all(isinstance(length, int) and length > 0 for length in lengths):
            raise ValueError(f"A size is (height, width) in whole pixels, or one number; got {size!r}.")
        self.size, self.edges = size, edges

    def __repr__(self) -> str:
        movements = "".join(f"{movement!r}, " for movement in self.movements)
        return f"Warp({movements}size={self.size!r}, edges={self.edges!r})"

    @property
    def random(self) -> bool:
        """Whether any of the movements draws by chance."""
        return any(movement.random for movement in self.movements)

    def calm(self) -> Warp:
        """What is left without chance: the size, crops from the middle, and floats where it makes such."""
        left = [movement.calm() for movement in self.movements]
        still = [movement for movement in left if movement is not None]
        return Warp(*still, size=self.size, edges=self.edges)

    def numbers(self, setting: Setting, chance: torch.Generator) -> dict[str, torch.Tensor]:
        """Draw all movements and make one matrix of them: where pixels look, and where places go."""
        count = setting.count
        if setting.lengths[0] is None:  # In the world y leads up.
            up = torch.tensor([1.0, -1, 1, 1], dtype=torch.float64)
            return {"forward": self.product(Frame.of(count), 3, chance, world=True) * up * up[:, None]}
        old, new = x_first(setting.lengths, count), x_first(self.lengths(setting), count)
        known = [one or (1,) * setting.axes for one in setting.spacing]
        real = old * x_first(known, count)
        source = real[:, 0] / real[:, 1]
        aspect = source if self.size is None else new[:, 0] / new[:, 1]
        # In the frame half the height is 1, in `look` half of each axis: these are the frame's edges.
        edges = torch.cat([real / real[:, 1:2], torch.ones(count, 1)], 1)
        edges[:, 0] = aspect
        forward = self.product(Frame(aspect, source), setting.axes, chance)
        forward = forward * edges[:, None] / edges[..., None]
        looks, goes = both_ways(forward, old, new)
        return {
            "look": looks,
            "forward": goes,
            "over": -inverted(forward)[1][:, None],  # above 0 where a picture is seen in a mirror
        }

    def product(self, frame: Frame, axes: int, chance: torch.Generator, world: bool = False) -> torch.Tensor:
        """Draw every movement, and multiply those known to what has so many axes, or to the world."""
        drawn = []
        for movement in self.movements:
            matrix = movement.happening(movement.draw(frame, chance), frame.count, chance)
            if axes == 3 and not (world and movement.of_canvas):
                drawn.append(movement.in_space(matrix))
            elif axes == 2 and movement.plane == (0, 1):
                drawn.append(matrix)
        return composed(drawn, frame.count, axes + 1)

    def lengths(self, setting: Setting) -> tuple[Any, ...]:
        """List how large each item will be; a size of two numbers leaves the depth of volumes as it is."""
        if self.size is None:
            return setting.lengths
        size = (self.size,) * setting.axes if isinstance(self.size, int) else tuple(self.size)
        return tuple((*old[: -len(size)], *size[-len(old) :]) for old in setting.lengths)

    @method
    def apply(self, x: Image, drawn: Any) -> Any:
        values = self.looked(x, drawn)
        return self.finished(x, values if x.is_floating_point() else values / 255, drawn)

    @method
    def apply(self, x: DicomImage | Volume | Mask | VolumeMask, drawn: Any) -> Any:
        return self.finished(x, self.looked(x, drawn), drawn)

    @method
    def apply(self, x: Boxes | PointCloud, drawn: Any) -> Any:
        return self.carried(x, drawn)

    @method
    def apply(self, x: Keypoints, drawn: Any) -> Any:
        moved = self.carried(x, drawn)
        swapped = partners_swapped(moved)
        if swapped is moved:
            return moved
        over = drawn.of(x).device["over"][:, None] > 0
        return changed(moved, torch.where(over if x.is_batch else over[0], plain(swapped), plain(moved)))

    def carried(self, x: Any, drawn: Drawn) -> Any:
        """Move places, and lose those that have left the canvas; the world has none."""
        setting, forward = drawn.setting(x), drawn.of(x).device["forward"]
        if setting.lengths[0] is None:
            return carry(x, forward)
        new = list(self.lengths(setting))
        return lost(carry(x, forward, new if len(new) == setting.count else new * setting.count))

    def looked(self, x: Any, drawn: Drawn) -> torch.Tensor:
        """Read a batch of pictures or volumes where they look; floats, but classes in their own dtype."""
        is_mask, fills = isinstance(x, Mask | VolumeMask), not isinstance(self.edges, str)
        setting, numbers = drawn.setting(x), drawn.of(x)
        old, new = setting.lengths[0], self.lengths(setting)[0]
        matrix = numbers.host["look"]
        pixels = plain(x) if x.is_batch else plain(x)[None]
        pixels = pixels[:, None] if is_mask else pixels.to(numbers.device["look"].dtype)
        if old == new and is_close(matrix.abs(), torch.eye(len(matrix[0]))):
            values = mirror(pixels, numbers.device["look"], matrix)
        else:
            # Class numbers are as large as a dtype allows; these are exact up to 2 ** 53.
            wide = is_mask and x.dtype in (torch.int32, torch.int64) and x.device.type != "mps"
            dtype = torch.float64 if wide else numbers.device["look"].dtype
            values = look(
                pixels.to(dtype),
                numbers.device["look"].to(dtype),
                new,
                edges=0 if fills and is_mask else smallest_of(pixels) if fills and is_scan(x) else self.edges,
                nearest=is_mask,
                projective=not is_close(matrix[:, -1, :-1], torch.zeros(1)),
                horizon=sees_horizon(matrix),
                shrinking=Shrinking.of(matrix, old, new),
            ).to(pixels.dtype)
        return values[:, 0] if is_mask else values

    def finished(self, x: Any, values: torch.Tensor, drawn: Drawn) -> Any:
        """Give what was read the type of what it was read from, and say what has become of its axes."""
        setting = drawn.setting(x)
        spacing, letters = each(x, "spacing"), each(x, "orientation")
        if spacing[0] is not None:
            # What is drawn makes things look larger; how large a pixel is does not change by it.
            grown = self.calm().numbers(setting, torch.Generator())["forward"].diagonal(dim1=1, dim2=2)
            steps = (1 / grown[:, :-1].flip(1)).tolist()
            spacing = [tuple(map(mul, one, by)) for one, by in zip(spacing, steps, strict=True)]
        if letters[0] is not None:
            forward = drawn.of(x).host["forward"][:, :-1, :-1].tolist()
            letters = [facing(one, matrix) for one, matrix in zip(letters, forward, strict=True)]
        values = values.to(x.dtype) if x.is_floating_point() else values
        return changed(x, values if x.is_batch else values[0], spacing=spacing, orientation=letters)


def is_scan(x: Any) -> bool:
    """Say whether values are measurements, among which 0 has a meaning of its own."""
    return isinstance(x, DicomImage | Volume)


def smallest_of(pixels: torch.Tensor) -> torch.Tensor:
    """Find the smallest value of each picture or volume, in the shape that meets them."""
    return smallest(pixels.flatten(2)[..., None]).reshape(-1, *[1] * (pixels.dim() - 1))


def is_close(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Compare numbers on the host; no number is asked for one by one, as that would be on a device."""
    apart: Any = (one - other).abs().max().tolist()
    return apart < 1e-9


def x_first(lengths: Sequence[Any], count: int) -> torch.Tensor:
    """Make rows of lengths along x, y (and z), one for each item, from (height, width) and so on.

    >>> x_first([(4, 6)], 2).tolist()
    [[6.0, 4.0], [6.0, 4.0]]
    """
    return torch.tensor(lengths, dtype=torch.float64).flip(-1).expand(count, -1)


def both_ways(
    forward: torch.Tensor, old: torch.Tensor, new: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Make the two matrices of a movement: where the pixels of the new picture look, and where places go.

    Args:
        forward: Where everything goes, `(N, 3, 3)` or `(N, 4, 4)`, measured from the middle: -1 and 1 are
            the edges of the picture along each axis.
        old: How long each axis was, x first: `(N or 1, 2)` or `(N or 1, 3)`.
        new: How long each axis will be.

    Returns:
        What leads from a place in the new picture to one in the old, from the middle as well; and what leads
        from pixels of the old picture to pixels of the new one.

    >>> to_the_right = torch.tensor([[[1.0, 0, 0.5], [0, 1, 0], [0, 0, 1]]])
    >>> looks, goes = both_ways(to_the_right, torch.tensor([[8.0, 6]]), torch.tensor([[8.0, 6]]))
    >>> looks[0, 0].tolist(), goes[0, 0].tolist()  # a quarter of the width: back, and forth by 2 pixels
    ([1.0, 0.0, -0.5], [1.0, 0.0, 2.0])
    """
    to_middle = torch.cat([2 / old, torch.ones_like(old[:, :1])], 1).diag_embed()
    to_middle[:, :-1, -1] = -1
    return inverted(forward)[0], composed([to_middle, forward, from_middle(new)], *forward.shape[:2])


def from_middle(lengths: torch.Tensor) -> torch.Tensor:
    """Make matrices that lead from -1..1 along each axis to 0..length."""
    half = torch.cat([lengths / 2, torch.ones_like(lengths[:, :1])], 1)
    result = half.diag_embed()
    result[:, :, -1] = half
    return result


@dataclass(eq=False, repr=False)
class Augment(Drawing):
    """Augment whole batches: pictures and all that lies on them moved, colours changed, parts covered.

    Where something is a number or a pair, a number is how far to go at most, to either side, and a pair from
    where to where; 0 leaves it out.

    Args:
        size: (height, width) of the result, or one number for a square; by default all keeps its size.
        crop: Smallest and largest share of the picture that is cut out and fills the result, such as
            (0.35, 1); by default nothing is cut out.
        fit: How a whole picture is brought to another shape: `"crop"`, `"pad"` or `"squeeze"`; see `Fit`.
        flip: How often left and right change; `True` for half the time.
        upside_down: How often upside and down change.
        rotate: Degrees.
        zoom: A factor to make everything larger, at most, or from where to where.
        shear: Degrees.
        perspective: By what share an edge is nearer or further away.
        brightness: By how much the factor differs from 1; so for contrast and saturation.
        contrast: The same.
        saturation: The same.
        hue: How much of a whole turn.
        erase: How often a rectangle is covered.
        chance: How often each of the others happens to a picture.
        edges: What is seen beyond the edges of the old picture; see `Warp`.

    Pictures become floats 0..1, so that no `ToFloat` is needed; it belongs before `Normalize`. What is beyond
    0 and 1 is cut off where colours change: pictures that hold measurements want `Warp`. Held-out
    batches are only brought to the same size, from the middle (`calm`). What `Warp` has no method for passes
    through; a type of your own moves along once you write one, with `@Warp.apply.method` above it.

    >>> Augment(size=16).calm().encode(Image(torch.full((1, 3, 20, 30), 255, dtype=torch.uint8)))
    Image(1x3x16x16, float32, 1..1)
    """

    size: Sizes = None
    crop: Range | None = None
    fit: str = "crop"
    flip: float = 0.5
    upside_down: float = 0.0
    rotate: float | Range = 10.0
    zoom: float | Range = (1.0, 1.1)
    shear: float | Range = 0.0
    perspective: float = 0.0
    brightness: float | Range = 0.2
    contrast: float | Range = 0.2
    saturation: float | Range = 0.2
    hue: float | Range = 0.03
    erase: float = 0.0
    chance: float = 1.0
    edges: Edges = "reflect"

    def __post_init__(self) -> None:
        often = self.chance
        movements = [
            (True, Crop(self.crop) if self.crop else Fit(self.fit)),
            (self.flip, Flip(chance=0.5 if self.flip is True else self.flip)),
            (self.upside_down, Flip("height", chance=0.5 if self.upside_down is True else self.upside_down)),
            (self.zoom not in (0, 1, (1, 1)), Zoom(self.zoom, chance=often)),
            (self.rotate, Rotate(self.rotate, chance=often)),
            (self.shear, Shear(self.shear, chance=often)),
            (self.perspective, Perspective(self.perspective, chance=often)),
        ]
        colours = [
            (self.brightness, Brightness(self.brightness, chance=often)),
            (self.contrast, Contrast(self.contrast, chance=often)),
            (self.saturation, Saturation(self.saturation, chance=often)),
            (self.hue, Hue(self.hue, chance=often)),
        ]
        self._warp = Warp(*[one for asked, one in movements if asked], size=self.size, edges=self.edges)
        self._recolour = Recolour(*[one for asked, one in colours if asked])
        self._erase = Erase(self.erase)

    def __repr__(self) -> str:
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        told = [f"{one.name}={values[one.name]!r}" for one in fields(self) if values[one.name] != one.default]
        return f"Augment({', '.join(told)})"

    @property
    def random(self) -> bool:
        """Whether anything is drawn by chance."""
        return self._warp.random or bool(self._recolour.changes) or self.erase > 0

    def calm(self) -> Augment:
        """The same without chance: one size, floats 0..1, and nothing else."""
        fit = "crop" if self.crop else self.fit
        nothing: Any = dict.fromkeys(DRAWN, 0.0)
        return replace(self, crop=None, fit=fit, zoom=(1, 1), **nothing)

    def numbers(self, setting: Setting, chance: torch.Generator) -> dict[str, torch.Tensor]:
        """Draw all that was asked for."""
        numbers = self._warp.numbers(setting, chance)
        numbers |= self._recolour.numbers(setting, chance) if self._recolour.changes else {}
        return numbers | (self._erase.numbers(setting, chance) if self.erase else {})

    @method
    def apply(self, x: Image, drawn: Any) -> Any:
        values = self._warp.looked(x, drawn)
        values = repaint(values, drawn.of(x).device, 1.0 if x.is_floating_point() else 1 / 255)
        return self._warp.finished(x, values, drawn)

    @method
    def apply(self, x: DicomImage | TypedTensor, drawn: Any) -> Any:
        return self._warp.apply(x, drawn)  # type: ignore[arg-type]

    def acts_on(self, x: Any, direction: str = "encode") -> bool:
        """Whether `Warp` has a method for a value of this type."""
        return self._warp.acts_on(x, direction)
