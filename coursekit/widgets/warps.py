"""A sample under sliders: picture, mask, points and boxes moved together, by one matrix that is shown.

The page itself computes, as the library does: pictures are mixed from four neighbours, masks are picked,
places are carried along. So it works in Jupyter, in a saved notebook, and on a page of the book opened from
a file. Where scripts are not allowed, the sample is shown as it is. Nothing moves by itself.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..canvas import by, canvases
from ..descriptions import alt_text, box_name, class_name
from ..display import show
from ..drawing import window_of
from ..figures import colour_of
from ..geometry import resize
from ..samples import describe, elements
from ..tensors import Boxes, DicomImage, Image, Keypoints, Mask, plain
from .stills import still
from .widget import Widget

if TYPE_CHECKING:
    from PIL.Image import Image as Photo
    from torch import Tensor

# The longer side of what is moved. It is computed anew while a slider moves, on telephones too.
MOST_PIXELS = 224
# A page carries the picture as it is if it can, or else as good as it can be in this size.
MOST_BYTES = 80_000
QUALITIES = (95, 90, 80, 70)
# Where nothing moves, and between which ends each slider goes.
ENDS = {"zoom": (0.5, 2.0), "shear": (-45, 45), "rotate": (-180, 180), "shift": (-50, 50)}


@dataclass(frozen=True, repr=False)
class WarpSliders(Widget):
    """A sample and sliders that move it; a notebook shows them. Made by `warp_sliders`.

    What `live()` shows has in its `state` where the sliders stand, and the `matrix` that they make.

    >>> import torch
    >>> warp_sliders(Image(torch.linspace(0, 1, 32).expand(3, 24, 32).contiguous()), rotate=30)
    WarpSliders(24 x 32 pixels)
    """

    name = "warp"

    def __repr__(self) -> str:
        return f"WarpSliders({by(self.data['size'][::-1])} pixels)"


def warp_sliders(
    sample: Any,
    zoom: float = 1.0,
    shear: float = 0.0,
    rotate: float = 0.0,
    flip: bool = False,
    shift: float = 0.0,
    look: Sequence[float] | None = None,
) -> WarpSliders:
    """Put a sample under sliders that zoom, shear, rotate, flip and shift all of it, in that order.

    The five make one matrix, which is shown. A switch does one warp by it, or five, one after the other; two
    magnified parts show what each leaves of the picture. The numbers are those that the library computes.

    Args:
        sample: An `Image`, and what lies on it: at most one `Mask`, any `Keypoints` and `Boxes`, alone or in
            tuples and dictionaries. It is made smaller if a side is longer than 224 pixels.
        zoom: Where the sliders begin: how many times as large, 0.5 to 2;
        shear: by which angle upright lines lean to the right, in degrees, -45 to 45;
        rotate: by how much it is turned counterclockwise, in degrees, -180 to 180;
        flip: whether left and right change places;
        shift: how far to the right, in per cent of the width, -50 to 50.
        look: The place (x, y) in the picture whose surroundings are magnified; its middle by default.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        ValueError: Not one picture, several masks, parts of another size than the picture, a value beyond the
            end of its slider.

    >>> import torch
    >>> eyes = Keypoints([[10, 8], [20, 8]], canvas=(24, 32))
    >>> warp_sliders((Image(torch.zeros(3, 24, 32)), eyes), rotate=30)
    WarpSliders(24 x 32 pixels)
    """
    start = {"zoom": zoom, "shear": shear, "rotate": rotate, "shift": shift}
    for name, (least, most) in ENDS.items():
        if not least <= start[name] <= most:
            raise ValueError(
                f"the slider {name!r} goes from {least} to {most}; {start[name]!r} was asked for."
            )
    found = parts_of(sample)
    picture, mask, places = shrunk(*found)
    height, width = picture.shape[-2:]
    scale = width / found[0].shape[-1]
    place = [width / 2, height / 2] if look is None else [float(number) * scale for number in look]
    data = {"start": start | {"flip": bool(flip)}, "look": place} | written_out(picture, mask, places)
    return WarpSliders(alt_text(sample), still(show, sample), data)


def written_out(picture: Image, mask: Mask | None, places: list) -> dict[str, Any]:
    """Write a picture and what lies on it, for the script."""
    height, width = picture.shape[-2:]
    return {
        "size": [width, height],
        "picture": b64encode(saved(photo_of(picture))).decode(),
        **about_mask(mask),
        "points": [about_points(one) for one in places if isinstance(one, Keypoints)],
        "boxes": [box for one in places if isinstance(one, Boxes) for box in about_boxes(one)],
    }


def parts_of(sample: Any) -> tuple[Image, Mask | None, list[Keypoints | Boxes]]:
    """Find the picture in a sample, its mask, and what else lies on it; `ValueError` if they do not fit."""
    found = list(elements(sample).values())
    pictures = [one for one in found if isinstance(one, Image)]
    masks = [one for one in found if isinstance(one, Mask)]
    places = [one for one in found if isinstance(one, Keypoints | Boxes)]
    if len(pictures) != 1 or len(masks) > 1 or any(one.is_batch for one in (*pictures, *masks, *places)):
        raise ValueError(
            "warp_sliders takes one picture, with at most one mask, and what lies on them: one item, no "
            f"batch; got {describe(sample)}."
        )
    (picture,) = pictures
    for one in (*masks, *places):
        (canvas,) = canvases(one, "warp_sliders")
        if canvas != tuple(picture.shape[-2:]):
            raise ValueError(
                f"what lies on a picture has its size: {describe(one)} is for {by(canvas)} pixels, "
                f"and the picture has {by(picture.shape[-2:])}."
            )
    return picture, masks[0] if masks else None, places


def shrunk(picture: Image, mask: Mask | None, places: list) -> tuple[Image, Mask | None, list]:
    """Make a picture and what lies on it smaller, if it is too large to be moved quickly."""
    height, width = picture.shape[-2:]
    scale = MOST_PIXELS / max(height, width)
    if scale >= 1:
        return picture, mask, places
    size = max(1, round(height * scale)), max(1, round(width * scale))
    smaller = resize((picture, *places), size)
    return smaller[0], mask if mask is None else resize(mask, size), list(smaller[1:])


def photo_of(picture: Image) -> Photo:
    """Make a photo of a picture, of a scan through its window."""
    if isinstance(picture, DicomImage):
        picture = Image(plain(picture.windowed(*window_of(picture))))
    return picture.to_pil().convert("RGB")


def saved(photo: Photo) -> bytes:
    """Save a photo as WebP, without any loss if it is light enough then."""
    ways: list[dict[str, Any]] = [{"lossless": True}, *({"quality": quality} for quality in QUALITIES)]
    for options in ways:
        file = io.BytesIO()
        photo.save(file, "webp", method=6, **options)
        if file.tell() <= MOST_BYTES:
            break
    return file.getvalue()


def about_mask(mask: Mask | None) -> dict[str, Any]:
    """Write the classes of a mask as a picture, and how each is called and coloured."""
    if mask is None:
        return {"mask": None, "classes": []}
    numbers = plain(mask).detach().cpu().long()
    classes = [
        {
            "number": number,
            "name": class_name(number, mask.vocab) if mask.vocab else "",
            "colour": [round(255 * part) for part in colour_of(number)],
        }
        for number in numbers.unique().tolist()
        if number > 0
    ]
    return {"mask": two_bytes(numbers), "classes": classes}


def two_bytes(numbers: Tensor) -> str:
    """Write whole numbers from 0 to 65,535 as a picture without loss: low bytes are red, high ones green."""
    from PIL import Image as pictures

    file = io.BytesIO()
    parts = (numbers & 255, (numbers >> 8) & 255, 0 * numbers)
    channels = [pictures.fromarray(one.byte().numpy()) for one in parts]
    pictures.merge("RGB", channels).save(file, "webp", lossless=True, method=6)
    return b64encode(file.getvalue()).decode()


def about_points(points: Keypoints) -> dict[str, Any]:
    """Write key points: their names and places, and for each which row is its partner in a mirror."""
    names = points.names or ()
    partners = {one: other for pair in points.pairs or () for one, other in (pair, pair[::-1])}
    rows = [
        names.index(partners[name]) if partners.get(name) in names else row for row, name in enumerate(names)
    ]
    return {
        "names": list(names) or None,
        "partners": rows or list(range(len(points))),
        "places": present_rows(points),
    }


def about_boxes(boxes: Boxes) -> list[dict[str, Any]]:
    """Write boxes: of each its name and edges."""
    return [
        {"name": box_name(boxes, number) or "", "edges": row}
        for number, row in enumerate(present_rows(boxes))
    ]


def present_rows(places: Keypoints | Boxes) -> list[list[float] | None]:
    """List the rows of points or boxes, with None for one that is not there."""
    rows, present = plain(places).detach().cpu().float().tolist(), places.present.tolist()
    return [row if there else None for row, there in zip(rows, present, strict=True)]
