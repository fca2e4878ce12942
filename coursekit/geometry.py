"""Move things in space: one word for each movement, computed differently for each kind of thing.

>>> photo, outline = Image(torch.zeros(3, 40, 60)), Mask(torch.zeros(40, 60, dtype=torch.uint8))
>>> flower = Boxes([[10, 5, 30, 25]], canvas=(40, 60))
>>> rotate((photo, outline, flower, "a flower"), 90)[2:]
(Boxes(1x4, float32, 5..50, canvas=(60, 40)), 'a flower')
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch

from .canvas import (
    angle,
    axes_of,
    axis_number,
    by,
    canvases,
    changed,
    each,
    mirrored_letters,
    plane,
    read_lengths,
    swapped,
    turned_letters,
)
from .dispatch import method
from .places import carry, in_space, lost, stretching
from .samples import kind_of, remade
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
from .warping import beside, is_quarter, nearest, rounded, smoothed, turning, warp, working_dtype

# One length for each axis, such as (height, width), or one number for all.
Size = int | tuple
Picture = TypeVar("Picture", bound=Image)
Grid = TypeVar("Grid", bound=Image | Mask | Volume | VolumeMask)
Places = TypeVar("Places", Boxes, Keypoints, PointCloud)
Flat = TypeVar("Flat", Boxes, Keypoints)
Several = TypeVar("Several", bound=tuple | dict)


@method
def rotate(x: Picture, degrees: Any, *, fill: float = 0) -> Picture:
    """Turn counterclockwise, as one sees it, about the middle.

    By a quarter everything turns with the canvas and nothing is lost: 4 x 6 becomes 6 x 4, and four quarters
    are no turn at all. By any other angle the canvas stays as it is, what leaves it is lost, and the corners
    are filled. Spacing counts: what is round in millimetres stays round.

    Args:
        x: A picture, mask, box, point, cloud or volume, or a batch; or a tuple or dictionary of these, in
            which anything else stays as it is.
        degrees: By how much.
        fill: What the corners of pictures, masks and volumes are filled with: 0, but the smallest value of
            each `DicomImage` and `Volume`, where 0 may mean water. What lies on them has no corners to fill.
        axis: Of volumes and clouds, what to turn about: `"depth"` (by default), `"height"` or `"width"`. The
            slices across it turn as they are shown.

    Returns:
        The same type and dtype. Pictures are mixed from four neighbours, masks are not. A box holds the
        corners it had, as far as they are on the canvas; places that have left it are rows of NaN.

    Raises:
        ValueError: An angle or axis that is none, a fill the dtype cannot hold, boxes or key points without a
            canvas.

    >>> rotate(Image(torch.zeros(3, 4, 6)), 90).shape
    torch.Size([3, 6, 4])
    >>> rotate(Keypoints([[6, 0]], canvas=(4, 6)), 90)[0].tolist()
    [0.0, 0.0]
    """
    return turn_grid(x, degrees, fill=fill)


@method
def rotate(x: DicomImage, degrees: Any, *, fill: float | None = None) -> DicomImage:
    return turn_grid(x, degrees, fill=fill)


@method
def rotate(x: Mask, degrees: Any, *, fill: int = 0) -> Mask:
    return turn_grid(x, degrees, fill=fill, nearest=True)


@method
def rotate(x: Volume, degrees: Any, *, axis: str = "depth", fill: float | None = None) -> Volume:
    return turn_grid(x, degrees, axis, fill=fill)


@method
def rotate(x: VolumeMask, degrees: Any, *, axis: str = "depth", fill: int = 0) -> VolumeMask:
    return turn_grid(x, degrees, axis, fill=fill, nearest=True)


@method
def rotate(x: Flat, degrees: Any, *, fill: Any = None) -> Flat:
    return turn_places(x, degrees)


@method
def rotate(x: PointCloud, degrees: Any, *, axis: str = "depth", fill: Any = None) -> PointCloud:
    """In a canvas a cloud turns as its volume does; in the world about the origin, seen from above.

    >>> rotate(PointCloud([[1, 0, 5]]), 90).tolist()
    [[0.0, 1.0, 5.0]]
    """
    if any(each(x, "canvas")):
        return turn_places(x, degrees, axis)
    still = 2 - axis_number(x, axis, "rotate")
    matrix = turning(angle(degrees), [(0, 0)])  # y is up here: x and y change their parts
    return carry(x, in_space(matrix, (still + 2) % 3, (still + 1) % 3))


@method
def rotate(x: Several, degrees: Any, **options: Any) -> Several:
    check_pixels(x, degrees)
    return inside(x, rotate, degrees, **options)


@method
def flip(x: Grid, axis: Any = "width") -> Grid:
    """Mirror along an axis, by its name: `"width"` changes left and right, `"height"` upside and down.

    Args:
        x: What `rotate` takes.
        axis: `"height"`, `"width"`, or `"depth"` of a volume or cloud. A cloud without a canvas is mirrored
            at the origin.

    Returns:
        The same type. In a mirror a left eye is a right eye: the `pairs` of key points change places. The
        `orientation` of a volume says where the patient's left is now. Twice is no change at all.

    Raises:
        ValueError: An axis that is not there; boxes or key points without a canvas.

    >>> flip(Mask(torch.tensor([[1, 2, 3]]))).tolist()
    [[3, 2, 1]]
    >>> flip(Boxes([[0, 0, 2, 1]], canvas=(4, 6))).tolist()
    [[4.0, 0.0, 6.0, 1.0]]
    """
    number = axis_number(x, axis, "flip")
    letters = [mirrored_letters(one, number) for one in each(x, "orientation")]
    return changed(x, plain(x).flip(number - len(axes_of(x))), orientation=letters)


@method
def flip(x: Boxes, axis: Any = "width") -> Boxes:
    return mirror_places(x, axis)


@method
def flip(x: Keypoints, axis: Any = "width") -> Keypoints:
    return partners_swapped(mirror_places(x, axis))


@method
def flip(x: PointCloud, axis: Any = "width") -> PointCloud:
    return mirror_places(x, axis)


@method
def flip(x: Several, axis: Any = "width") -> Several:
    return inside(x, flip, axis)


@method
def resize(x: Picture, size: Any) -> Picture:
    """Give another height and width, averaging neighbours where a picture shrinks.

    The shape is not kept: a wide picture made square looks squeezed. A `spacing` follows, so that the whole
    is as many millimetres as before. Boxes and points, which need a canvas for it, stay on what they mark.

    Args:
        x: What `rotate` takes.
        size: `(height, width)` in pixels, of volumes `(depth, height, width)` in voxels, of a cloud in the
            unit of its points; or one number for all.

    Returns:
        The same type and dtype in the new size. No class of a mask is ever invented.

    Raises:
        ValueError: A size below one pixel, a picture without pixels, places without a canvas.

    >>> resize(Image(torch.zeros(3, 40, 60)), (10, 15)).shape
    torch.Size([3, 10, 15])
    >>> resize(Mask(torch.tensor([[0, 2]])), (1, 4))[0].tolist()
    [0, 0, 2, 2]
    """
    height, width = new_lengths(x, size)
    pixels = smoothed(plain(x).reshape(-1, *x.shape[-3:]), height, width)
    return respaced(x, pixels.reshape(*x.shape[:-2], height, width))


@method
def resize(x: Mask | VolumeMask, size: Any) -> Any:
    classes = plain(x)
    for place, new in enumerate(new_lengths(x, size), -len(axes_of(x))):
        classes = classes.index_select(place, nearest(x.shape[place], new, x.device))
    return respaced(x, classes)


@method
def resize(x: Volume, size: Any) -> Volume:
    depth, height, width = new_lengths(x, size)
    voxels = plain(x).to(working_dtype(x.dtype)).reshape(-1, *x.shape[-3:])
    # Slice by slice, and then along the depth, with all pixels of a slice in one row.
    slices = smoothed(voxels, height, width).flatten(-2)[:, None]
    whole = smoothed(slices, depth, height * width)
    return respaced(x, rounded(whole, x).reshape(*x.shape[:-3], depth, height, width))


@method
def resize(x: Places, size: Any) -> Places:
    new = read_lengths(x, size, "resize", "size")
    scales = [tuple(to / was for to, was in zip(new, old, strict=True)) for old in canvases(x, "resize")]
    return carry(x, stretching(scales, [(0,) * len(new)] * len(scales), len(new)), [new] * len(scales))


@method
def resize(x: Several, size: Any) -> Several:
    check_units(x, "resize")
    return inside(x, resize, size)


@method
def crop(x: Grid, corner: Any, size: Any) -> Grid:
    """Cut a part out, given by its first corner and its size; pixels are not copied.

    Args:
        x: What `rotate` takes.
        corner: `(top, left)` in pixels, of volumes `(front, top, left)` in voxels, of a cloud in the unit of
            its points.
        size: `(height, width)` or `(depth, height, width)` in the same unit.

    Returns:
        The same type. Boxes keep what is left of them; places that are not on the part are rows of NaN.

    Raises:
        ValueError: A part that reaches beyond the canvas; boxes or points without a canvas.

    >>> crop(Mask(torch.arange(6).reshape(2, 3)), (0, 1), (2, 2)).tolist()
    [[1, 2], [4, 5]]
    >>> crop(Keypoints([[2, 1], [0, 0]], canvas=(2, 3)), (0, 1), (2, 2)).tolist()
    [[1.0, 1.0], [nan, nan]]
    """
    corner, size = part(x, corner, size)
    values = plain(x)
    for dim, (start, length) in enumerate(zip(corner, size, strict=True), -len(size)):
        values = values.narrow(dim, start, length)
    return changed(x, values)


@method
def crop(x: Places, corner: Any, size: Any) -> Places:
    corner, size = part(x, corner, size)
    matrix = stretching([(1,) * len(corner)], [tuple(-start for start in corner)], len(corner))
    return lost(carry(x, matrix, [size] * len(canvases(x, "crop"))))


@method
def crop(x: Several, corner: Any, size: Any) -> Several:
    check_units(x, "crop")
    return inside(x, crop, corner, size)


def turn_grid(x: Any, degrees: Any, axis: str = "depth", **sampling: Any) -> Any:
    """Turn what lies on a grid, in the plane across an axis: slices are planes that turn alike."""
    degrees, (rows, columns) = angle(degrees), plane(x, axis)
    quarters, dims = round(degrees / 90), (rows - len(axes_of(x)), columns - len(axes_of(x)))
    letters = [turned_letters(one, quarters, rows, columns) for one in each(x, "orientation")]
    spacing = each(x, "spacing")
    if is_quarter(degrees):
        turned = torch.rot90(plain(x), quarters % 4, dims)
        spacing = [swapped(one, rows, columns) if quarters % 2 else one for one in spacing]
        return changed(x, turned, orientation=letters, spacing=spacing)
    planes = plain(x).movedim(dims, (-2, -1))
    square = [(1, 1) if one is None else (one[rows], one[columns]) for one in spacing]
    matrix = turning(degrees, [tuple(planes.shape[-2:])] * len(square), square)
    pixels = (planes if x.is_batch else planes[None])[:, None].flatten(1, -3)
    turned = warp(pixels, matrix, **sampling).reshape(planes.shape).movedim((-2, -1), dims)
    return changed(x, turned, orientation=letters)


def turn_places(x: Any, degrees: Any, axis: str = "depth") -> Any:
    """Turn what lies on a canvas as the canvas turns."""
    degrees, (rows, columns), last = angle(degrees), plane(x, axis), len(axes_of(x)) - 1
    known = canvases(x, "rotate")
    matrix = turning(degrees, [(canvas[rows], canvas[columns]) for canvas in known])
    matrix = matrix if last == 1 else in_space(matrix, last - columns, last - rows)
    if not is_quarter(degrees):
        return lost(carry(x, matrix))
    return carry(x, matrix, [swapped(one, rows, columns) if degrees % 180 else one for one in known])


def mirror_places(x: Any, axis: str) -> Any:
    """Mirror what lies on a canvas, or a cloud of the world at the origin."""
    number, count = axis_number(x, axis, "flip"), len(axes_of(x))
    free = isinstance(x, PointCloud) and not any(each(x, "canvas"))
    far = [0] if free else [canvas[number] for canvas in canvases(x, "flip")]
    scale = tuple(-1 if place == number else 1 for place in range(count))
    shifts = [tuple(length if place == number else 0 for place in range(count)) for length in far]
    return carry(x, stretching([scale] * len(shifts), shifts, count))


def partners_swapped(x: Keypoints) -> Keypoints:
    """Let the `pairs` of key points change places: what was a left eye is a right eye in a mirror.

    >>> eyes = Keypoints([[1, 1], [2, 2]], names=("left", "right"), pairs=(("left", "right"),))
    >>> partners_swapped(eyes).tolist()
    [[2.0, 2.0], [1.0, 1.0]]
    """
    names, partners = x.names or (), dict(x.pairs or ())
    partners |= {other: one for one, other in partners.items()}
    # Of points that were chosen from more, a partner may be missing.
    swaps = {name: other for name, other in partners.items() if name in names and other in names}
    if not swaps:
        return x
    rows = [names.index(swaps.get(name, name)) for name in names]
    return changed(x, plain(x).index_select(-2, beside(rows, x, torch.int64)))


def new_lengths(x: Any, size: Any) -> tuple[int, ...]:
    """Read the size to make of a picture or volume, and see that there is something to make it from."""
    lengths = read_lengths(x, size, "resize", "size")
    if 0 in x.shape:
        raise ValueError(f"resize needs pixels to start from; this {type(x).__name__} is {tuple(x.shape)}.")
    return lengths


def respaced(x: Any, values: torch.Tensor) -> Any:
    """Give resized values the type of `x`, and the spacing with which they are as long as before."""
    count = len(axes_of(x))
    ratios = [was / now for was, now in zip(x.shape[-count:], values.shape[-count:], strict=True)]
    spacing = [
        one and tuple(length * ratio for length, ratio in zip(one, ratios, strict=True))
        for one in each(x, "spacing")
    ]
    return changed(x, values, spacing=spacing)


def part(x: Any, corner: Any, size: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Read the corner and size of a part; `ValueError` if it is not within the canvas of every item."""
    corner, size = read_lengths(x, corner, "crop", "corner"), read_lengths(x, size, "crop", "size")
    ends = [start + length for start, length in zip(corner, size, strict=True)]
    for canvas in canvases(x, "crop"):
        if min(corner) < 0 or any(end > length for end, length in zip(ends, canvas, strict=True)):
            raise ValueError(
                f"crop stays within the canvas: {by(size)} from {corner} on ends at {by(ends)}, "
                f"and this {type(x).__name__} is {by(canvas)}."
            )
    return corner, size


def check_pixels(x: tuple | dict, degrees: Any) -> None:
    """Refuse to turn what lies on pixels that are not square beside what knows nothing of that."""
    elements = x.values() if isinstance(x, dict) else x
    oblong = [one for one in elements if isinstance(one, DicomImage) and not has_square_pixels(one)]
    unaware = [kind_of(one) for one in elements if isinstance(one, Mask | Boxes | Keypoints)]
    if oblong and unaware and not is_quarter(angle(degrees)):
        raise ValueError(
            f"{kind_of(oblong[0])} has pixels of {by(each(oblong[0], 'spacing')[0])} mm and turns in "
            f"millimetres, {unaware[0]} beside it in pixels: they would no longer fit. Make them square "
            "first: resize all of them to as many pixels as the picture is long and wide."
        )


def has_square_pixels(x: DicomImage) -> bool:
    """Say whether pixels are as high as wide, as they are where nothing is known."""
    return all(one is None or one[0] == one[1] for one in each(x, "spacing"))


def check_units(x: tuple | dict, word: str) -> None:
    """Refuse one size for a cloud and a volume with a spacing: lengths for one, voxels for the other."""
    elements = list(x.values()) if isinstance(x, dict) else x
    volumes = [element for element in elements if isinstance(element, Volume | VolumeMask)]
    in_units = any(one is not None and {*one} != {1} for volume in volumes for one in each(volume, "spacing"))
    if in_units and any(isinstance(element, PointCloud) for element in elements):
        raise ValueError(
            f"{word} counts in voxels of a volume, but in the unit of the points of a PointCloud; where the "
            f"volume has a spacing these are not the same. Call {word} for each of them."
        )


def inside(x: Any, word: Any, *values: Any, **options: Any) -> Any:
    """Do what a word says to each element of a tuple or dictionary that it has a method for.

    The rest stays as it is, except arrays and plain tensors of two axes and more: they may be pictures.
    """

    def one(place: Any, element: Any) -> Any:
        fits = any(isinstance(element, known.parameters[0].kinds) for known in word.methods)
        if not fits and (isinstance(element, TypedTensor) or getattr(element, "ndim", 0) < 2):
            return element
        try:
            return word(element, *values, **options)
        except Exception as error:
            error.add_note(f"while {word.__name__} was at element {place!r}, {kind_of(element)}")
            raise

    parts = x.items() if isinstance(x, dict) else enumerate(x)
    return remade(x, [one(place, element) for place, element in parts])
