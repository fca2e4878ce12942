"""Pictures in and out: from files and Pillow to arrays and back, with a plain word for a broken one.

Nothing here knows of tensors; `tensors.Image` and `tensors.Mask` read and write through these functions.
"""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from .decoding import decode, plain_jpeg_size

if TYPE_CHECKING:
    from PIL.Image import Image as Photo

FEW_CHANNELS = (1, 3, 4)
ORIENTATION = 0x0112  # the number under which a camera says how it was held; from 5 on, on its side
AGAIN = "Copy or download it again"
HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1")


class BrokenPhotoError(ValueError):
    """A picture file that cannot be read: the message names it and says what is wrong with it.

    It is a `ValueError`, so a program may catch it alone, to leave out the broken photos among thousands.
    Its `reason` is what is wrong, without the name.

    >>> BrokenPhotoError("cat.jpg is empty", reason="empty").reason
    'empty'
    """

    def __init__(self, message: str, reason: str = "") -> None:
        # One argument is enough: so a loader can raise it again from what a worker said.
        super().__init__(message)
        self.reason = reason


def read_photo(
    path: str | os.PathLike[str], mode: str = "RGB", at_least: int | tuple[int, int] | None = None
) -> np.ndarray:
    """Read a picture file by the fastest way there is: with torchcodec, where that is.

    Args:
        path: The file. Its bytes say what format it has, whatever its name ends in.
        mode: "RGB", or "L" for greyscale.
        at_least: The (height, width) that will do, or one number for both. A JPEG is then decoded at a half,
            a quarter or an eighth, the smallest of them that is still as large, which is quicker the larger
            the photo is. Other formats, and smaller photos, are read as they are.

    Returns:
        (3, height, width) or (1, height, width), `uint8`, upright; see `channels_first`.

    Raises:
        FileNotFoundError: There is no such file. (Other errors of the disk pass as they are.)
        BrokenPhotoError: It is no picture, or a broken one.
        ValueError: A picture of floating point, a size below one pixel.
    """
    from PIL import Image as pillow

    data = file_bytes(path)
    asked = None if at_least is None else wanted_size(at_least)
    # On its side it may be, which only Pillow will tell: so the shorter side is compared with the shorter.
    shrinks = asked and all(
        2 * a <= b for a, b in zip(sorted(asked), sorted(plain_jpeg_size(data) or (0, 0)), strict=True)
    )
    pixels = None if shrinks else decode(data, mode, pillow.MAX_IMAGE_PIXELS or np.inf)
    return channels_first(decoded(data, path, mode, asked), mode) if pixels is None else pixels


def open_photo(path: str | os.PathLike[str]) -> Photo:
    """Open a picture file with Pillow, turn it upright as its camera says (EXIF), and close the file.

    It keeps its own mode: class numbers stay what they are.

    Raises `FileNotFoundError` if there is no such file and `BrokenPhotoError` if it is no picture, or a
    broken one.

    >>> open_photo("no such folder/cat.png")
    Traceback (most recent call last):
    FileNotFoundError: There is no picture at no such folder/cat.png: no such file.
    """
    return decoded(file_bytes(path), path)


def file_bytes(path: str | os.PathLike[str]) -> np.ndarray:
    """Read all bytes of a picture file, `uint8`; what a disk or a permission raises is not the photo's fault.

    Raises `FileNotFoundError` if there is no such file.
    """
    if not os.path.isfile(path):
        reason = "it is a folder" if os.path.isdir(path) else "no such file"
        raise FileNotFoundError(f"There is no picture at {os.fspath(path)}: {reason}.")
    return np.fromfile(path, np.uint8)


def wanted_size(at_least: int | tuple[int, int]) -> tuple[int, int]:
    """Read a (height, width) in pixels, or one number for both."""
    lengths = (at_least, at_least) if isinstance(at_least, int) else tuple(at_least)
    if len(lengths) != 2 or not all(isinstance(length, int) and length > 0 for length in lengths):
        raise ValueError(f"at_least is a (height, width) of one pixel or more; got {at_least!r}.")
    return lengths


def decoded(
    data: np.ndarray,
    path: str | os.PathLike[str],
    mode: str | None = None,
    at_least: tuple[int, int] | None = None,
) -> Photo:
    """Decode the bytes of a picture file with Pillow, upright; a JPEG smaller and without colour if asked."""
    from PIL import Image as pillow
    from PIL import ImageOps, UnidentifiedImageError

    try:
        with pillow.open(BytesIO(data.data)) as photo:
            if at_least or mode == "L":
                lying = at_least and photo.getexif().get(ORIENTATION, 1) >= 5
                photo.draft(mode, (at_least if lying else at_least[::-1]) if at_least else None)
            ImageOps.exif_transpose(photo, in_place=True)
            return photo
    except MemoryError:
        raise
    except UnidentifiedImageError:
        reason = unknown(data.tobytes())
    except pillow.DecompressionBombError as error:
        reason = f"{error} If you trust it, lift the limit: PIL.Image.MAX_IMAGE_PIXELS = None."
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them stumble over.
        reason = broken_off(error)
    raise BrokenPhotoError(f"{os.fspath(path)} is not a picture that can be read: {reason}", reason)


def unknown(data: bytes) -> str:
    """Say what a file that no reader knows seems to be, and what to do about it."""
    if not data:
        return f"it is empty. {AGAIN}."
    if data.lstrip()[:1] in (b"<", b"{"):
        text = " ".join(data[:60].decode("ascii", "replace").split())
        return f"it is text, {text!r}, such as a web site sends in place of a photo. {AGAIN}."
    if data[4:12] in HEIC:
        return (
            "it is a HEIC photo. Save it as JPEG; or pip install pillow-heif, and "
            "call pillow_heif.register_heif_opener()."
        )
    return f"its bytes, {data[:8].hex(' ')} …, are in no picture format that Pillow knows. {AGAIN}."


def broken_off(error: Exception) -> str:
    """Say what made a reader stumble, and what to do about it."""
    reason = str(error) or type(error).__name__
    if "truncated" not in reason.lower():
        return f"{reason}. {AGAIN}."
    return (
        f"its end is missing ({reason}). {AGAIN}; or set PIL.ImageFile.LOAD_TRUNCATED_IMAGES = True, and "
        "what is there is read."
    )


def channels_first(picture: Photo | np.ndarray, mode: str) -> np.ndarray:
    """Make an array (3, height, width) of a picture, or (1, height, width) if `mode` is `L` (greyscale).

    A Pillow picture becomes 8 bits: what is transparent is laid over white, as people see it on a page (other
    libraries drop the transparency, which brings colours to light that nobody was meant to see), and 16 bits
    are brought to 8 by their weight, where Pillow itself would cut them off at 255. An array keeps its
    numbers and may have its channels last, or a batch of them in front.

    Raises `ValueError` for a floating-point picture, which does not say which value is white, and for an
    array whose channels might stand first or last.

    >>> from PIL import Image as pillow
    >>> channels_first(pillow.new("I;16", (2, 1), 65535), "L")
    array([[[255, 255]]], dtype=uint8)
    >>> channels_first(np.zeros((40, 60, 3)), "RGB").shape
    (3, 40, 60)
    """
    if isinstance(picture, np.ndarray):
        array = picture
    else:
        photo = eight_bits(picture)
        array = np.array(photo if photo.mode == mode else photo.convert(mode))
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
    if not photo.has_transparency_data:
        return photo
    white = pillow.new("RGBA", photo.size, "white")
    return pillow.alpha_composite(white, photo.convert("RGBA"))


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
