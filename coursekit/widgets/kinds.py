"""Things of several kinds, turned at once by one angle: a photo, a mask, boxes and points, a scan, a cloud.

The page turns each of them as `rotate` does, from the numbers that it is given. So it works in Jupyter, in a
saved notebook, and on a page of the book opened from a file.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..canvas import canvases
from ..descriptions import alt_text, class_name
from ..dispatch import method
from ..display import show_grid
from ..drawing import window_of
from ..figures import colour_of
from ..geometry import resize, rotate
from ..samples import describe, elements
from ..tensors import Boxes, DicomImage, Image, Keypoints, Mask, PointCloud, Volume, plain
from .stills import still
from .warps import about_boxes, about_mask, about_points, photo_of, two_bytes
from .widget import Widget

# The longest side of what a page turns while a slider moves, on telephones too, and the points of a cloud.
MOST_PIXELS, MOST_VOXELS, MOST_POINTS = 160, 56, 2000


@dataclass(frozen=True, repr=False)
class TurnedTogether(Widget):
    """Things under one slider that turns them all; a notebook shows them. Made by `turn_together`.

    What `live()` shows has in its `state` the angle, `degrees`.

    >>> TurnedTogether("A photo.", b"", {"things": [{"title": "photo"}, {"title": "outline"}]})
    TurnedTogether(photo, outline)
    """

    name = "kinds"

    def __repr__(self) -> str:
        return f"TurnedTogether({', '.join(thing['title'] for thing in self.data['things'])})"


def turn_together(things: Mapping[str, Any], start: int = 30) -> TurnedTogether:
    """Put things of several kinds under one slider, which turns them all by the same angle.

    Each is turned as `rotate` turns it. What is large is made smaller first.

    Args:
        things: By name: an `Image`, a `Mask`, a `DicomImage`, a `Volume`, a `PointCloud`; `Boxes` or
            `Keypoints`, or a tuple of these.
        start: The angle to begin with, in whole degrees counterclockwise, -180 to 180.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        ValueError: An angle beyond the ends of the slider, nothing to turn, or places without a canvas.
        TypeError: Something that is of none of these kinds.

    >>> photo, outline = Image(torch.zeros(3, 24, 32)), Mask(torch.zeros(24, 32, dtype=torch.uint8))
    >>> turn_together({"photo": photo, "outline": outline}, start=45)
    TurnedTogether(photo, outline)
    """
    if not things or start not in range(-180, 181):
        what = f"start={start!r}" if things else "no things"
        raise ValueError(f"turn_together turns things by whole degrees from -180 to 180; got {what}.")
    parts = [{"title": str(title), **written_out(thing)} for title, thing in things.items()]
    alt = ". ".join(f"{title}: {alt_text(thing)}".rstrip(".") for title, thing in things.items())
    turned = [rotate(thing, start) for thing in things.values()]
    picture = still(lambda _: show_grid(turned, titles=list(map(str, things)), size=2))
    return TurnedTogether(
        f"{alt}. All are turned by {start} degrees.", picture, {"things": parts, "start": start}
    )


@method
def written_out(x: DicomImage) -> dict[str, Any]:
    """Write a thing for the script: its kind, how it is turned, and its numbers."""
    small = shrunk(x, MOST_PIXELS)
    return {
        "kind": "scan",
        "how": "numbers are mixed; corners get the smallest",
        "spacing": list(small.spacing or (1, 1)),
        "unit": " HU" if small.window is not None else "",
        **numbers(plain(small)[0], x),
    }


@method
def written_out(x: Image) -> dict[str, Any]:
    photo = photo_of(shrunk(x, MOST_PIXELS))
    file = io.BytesIO()
    photo.save(file, "webp", quality=90, method=6)
    return {
        "kind": "photo",
        "how": "colours are mixed, of four pixels each",
        "size": list(photo.size),
        "file": b64encode(file.getvalue()).decode(),
    }


@method
def written_out(x: Mask) -> dict[str, Any]:
    small = shrunk(x, MOST_PIXELS)
    ground = {"number": 0, "name": class_name(0, x.vocab) if x.vocab else "", "colour": colour(0)}
    about = about_mask(small)
    about["classes"].insert(0, ground)
    return {"kind": "mask", "how": "classes are picked, never mixed", "size": [*small.shape[::-1]], **about}


@method
def written_out(x: Volume) -> dict[str, Any]:
    small = shrunk(x, MOST_VOXELS)
    depth, height, width = small.shape[1:]
    return {
        "kind": "volume",
        "how": "two directions turn, the third stays",
        "spacing": list(small.spacing[1:] if small.spacing else (1, 1)),
        "up": (x.orientation or "").startswith("S"),
        **numbers(plain(small)[0].reshape(depth * height, width), x),
        "size": [width, height, depth],
    }


@method
def written_out(x: PointCloud) -> dict[str, Any]:
    (canvas,) = canvases(x, "turn_together")
    places = plain(x).detach().cpu().float()[x.present.cpu()]
    places = places[:: -(-len(places) // MOST_POINTS) or 1].clamp(min=0)
    scale = min(64, int(65535 / max(canvas)))  # so finely that nobody sees it, in two bytes
    return {
        "kind": "cloud",
        "how": "x and y are moved, z is left alone",
        "size": list(canvas[::-1]),
        "up": True,
        "scale": scale,
        "places": b64encode((places * scale).round().to(torch.uint16).numpy().tobytes()).decode(),
    }


@method
def written_out(x: Boxes | Keypoints | tuple | dict) -> dict[str, Any]:
    parts = list(elements(x).values())
    if not parts or not all(isinstance(one, Boxes | Keypoints) for one in parts):
        raise TypeError(f"turn_together turns boxes and points that belong together; got {describe(x)}.")
    small = [shrunk(one, MOST_PIXELS) for one in parts]
    height, width = canvases(small[0], "turn_together")[0]
    return {
        "kind": "places",
        "how": "points are carried; a box holds its corners",
        "size": [width, height],
        "points": [about_points(one) for one in small if isinstance(one, Keypoints)],
        "boxes": [box for one in small if isinstance(one, Boxes) for box in about_boxes(one)],
    }


def shrunk(x: Any, most: int) -> Any:
    """Make a thing smaller, if its longest side is longer than this."""
    flat = isinstance(x, Boxes | Keypoints)
    lengths = canvases(x, "turn_together")[0] if flat else plain(x).shape[0 if isinstance(x, Mask) else 1 :]
    scale = most / max(lengths)
    return x if scale >= 1 else resize(x, tuple(max(1, round(length * scale)) for length in lengths))


def numbers(values: Tensor, x: DicomImage | Volume) -> dict[str, Any]:
    """Write the numbers of a scan in steps from the least, and the window that they are seen through.

    Whole numbers are given as they are; others in steps so small that nobody sees them.
    """
    exact = values.detach().cpu().double().nan_to_num()
    least, spread = exact.min().item(), (exact.max() - exact.min()).item()
    step = 1.0 if not values.is_floating_point() and spread < 65536 else spread / 65535 or 1.0
    centre, width = window_of(x)
    return {
        "size": [*values.shape[::-1]],
        "file": two_bytes(((exact - least) / step).round().long()),
        "least": least,
        "step": step,
        "window": [centre - width / 2, centre + width / 2],
    }


def colour(number: int) -> list[int]:
    """The colour of a class, as the page writes it."""
    return [round(255 * part) for part in colour_of(number)]
