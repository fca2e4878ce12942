"""Pictures in and out: from files and Pillow to arrays and back, with a plain word for a broken one.

Nothing here knows of tensors; `tensors.Image` and `tensors.Mask` read and write through these functions.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image as Photo

FEW_CHANNELS = (1, 3, 4)


class BrokenPhotoError(ValueError):
    """A picture file that cannot be read: the message names it and says what is wrong with it.

    It is a `ValueError`, so a program may catch it alone, to leave out the broken photos among thousands.

    >>> issubclass(BrokenPhotoError, ValueError)
    True
    """


def open_photo(path: str | os.PathLike[str]) -> Photo:
    """Open a picture file with Pillow, turn it upright as its camera says (EXIF), and close the file.

    Raises `FileNotFoundError` if there is no such file and `BrokenPhotoError` if it is no picture, or a
    broken one.

    >>> open_photo("no such folder/cat.png")
    Traceback (most recent call last):
    FileNotFoundError: There is no picture at no such folder/cat.png: no such file.
    """
    from PIL import Image as pillow
    from PIL import ImageOps, UnidentifiedImageError

    path = Path(path)
    if not path.is_file():
        reason = "it is a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"There is no picture at {path}: {reason}.")
    try:
        with pillow.open(path) as photo:
            return ImageOps.exif_transpose(photo)
    except UnidentifiedImageError:
        reason = "its bytes are in no picture format that Pillow knows."
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them stumble over.
        reason = str(error) or type(error).__name__
    raise BrokenPhotoError(f"{path.name} is not a picture that can be read: {reason}")


def channels_first(picture: Photo | np.ndarray, mode: str) -> np.ndarray:
    """Make an array (3, height, width) of a picture, or (1, height, width) if `mode` is `L` (greyscale).

    A Pillow picture becomes 8 bits: transparency is dropped, and 16 bits are brought to 8 by their weight,
    where Pillow itself would cut them off at 255. An array keeps its numbers and may have its channels last,
    or a batch of them in front.

    Raises `ValueError` for a floating-point picture, which does not say which value is white, and for an
    array whose channels might stand first or last.

    >>> from PIL import Image as pillow
    >>> channels_first(pillow.new("I;16", (2, 1), 65535), "L")
    array([[[255, 255]]], dtype=uint8)
    >>> channels_first(np.zeros((40, 60, 3)), "RGB").shape
    (3, 40, 60)
    """
    array = picture if isinstance(picture, np.ndarray) else np.array(eight_bits(picture).convert(mode))
    if array.ndim == 2 and mode == "L":
        return array[None]
    if array.ndim not in (3, 4) or array.shape[-1] not in FEW_CHANNELS:
        return array
    if isinstance(picture, np.ndarray) and array.shape[-3] in FEW_CHANNELS:
        raise ValueError(
            f"Do the channels stand first or last in an array of shape {array.shape}? "
            f"Say so with a tensor, channels first: torch.from_numpy(array)."
        )
    return np.moveaxis(array, -1, -3)


def eight_bits(photo: Photo) -> Photo:
    """Make a picture that Pillow converts to `RGB` or `L` without loss of meaning."""
    from PIL import Image as pillow

    if photo.mode == "F":
        raise ValueError(
            "a floating-point picture does not say which value is white; scale an array to 0..1."
        )
    if photo.mode.startswith("I"):
        values = np.asarray(photo).astype(np.int64)
        if values.size and not 0 <= values.min() <= values.max() <= 65535:
            raise ValueError(f"its values, {values.min()}..{values.max()}, are not those of 8 or 16 bits.")
        return pillow.fromarray((values / 257).round().astype(np.uint8))
    return photo.convert("RGBA") if "transparency" in photo.info else photo


def class_numbers(picture: Photo | np.ndarray) -> np.ndarray:
    """Read the `int64` class numbers of a mask: its values or the indices of its palette, not scaled.

    An array of something else than whole numbers comes back as it is. Raises `ValueError` for a picture with
    more than one number for each pixel.

    >>> from PIL import Image as pillow
    >>> class_numbers(pillow.new("P", (3, 1), 2))
    array([[2, 2, 2]])
    """
    if not isinstance(picture, np.ndarray) and picture.mode not in ("1", "L", "P", "I", "I;16"):
        raise ValueError(
            f"a mask has one whole number for each pixel; this picture has the mode {picture.mode}."
        )
    array = np.asarray(picture)
    return array.astype(np.int64) if array.dtype.kind in "bui" else array


def to_photo(array: np.ndarray) -> Photo:
    """Make a Pillow picture of (height, width) or (1, 3 or 4 channels, height, width).

    Floating point is taken as 0..1 and clipped to it. Raises `ValueError` for values or channels that a
    picture of 8 bits cannot hold.

    >>> to_photo(np.ones((3, 4, 6), dtype=np.float32)).getpixel((0, 0))
    (255, 255, 255)
    """
    from PIL import Image as pillow

    if array.ndim == 3 and len(array) not in FEW_CHANNELS:
        raise ValueError(f"A picture has 1, 3 or 4 channels, not {len(array)}.")
    if array.dtype.kind == "f":
        array = (np.nan_to_num(array).clip(0, 1) * 255).round()
    elif array.size and not 0 <= array.min() <= array.max() <= 255:
        raise ValueError(f"A picture holds 0..255, and these values are {array.min()}..{array.max()}.")
    array = array.astype(np.uint8)
    if array.ndim == 3:
        array = array[0] if len(array) == 1 else array.transpose(1, 2, 0)
    return pillow.fromarray(array)
