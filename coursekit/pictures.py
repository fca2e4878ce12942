"""Pictures on a grid of pixels: photos, grey photos, and masks that say what each pixel belongs to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np
import torch

from .photos import BrokenPhotoError, channels_first, class_numbers, open_photo, read_photo, to_photo
from .typed import TypedTensor, plain, what

if TYPE_CHECKING:
    from PIL.Image import Image as Photo


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the name of a file before what is said against its picture."""
    try:
        yield
    except BrokenPhotoError:
        raise
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


class Raster(TypedTensor):
    """What lies on a grid of pixels and is kept in picture files: the part that `Image` and `Mask` share."""

    torchvision_name: ClassVar[str]

    @classmethod
    def open(cls: type[Picture], path: str | os.PathLike[str], **metadata: Any) -> Picture:
        """Read a picture file, turned upright as its camera says (EXIF), and close it.

        Raises `FileNotFoundError` if there is no such file, `BrokenPhotoError` naming it if it is no picture
        or a broken one, and `ValueError` naming it if the picture cannot become this type.
        """
        with naming(path):
            return cls(open_photo(path), **metadata)

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        if isinstance(data, np.ndarray) or hasattr(data, "getbands"):
            data = cls.to_array(data)
        elif isinstance(data, (str, os.PathLike)):
            return cls.open(data)
        return super().read(data, metadata)

    @classmethod
    def to_array(cls, picture: Photo | np.ndarray) -> np.ndarray:
        """Bring a Pillow picture or an array into the axes and numbers of this type."""
        return np.asarray(picture)

    def to_tv(self) -> torch.Tensor:
        """Make the torchvision `tv_tensor` of this kind, without a copy; `Image(it)` is the way back."""
        from torchvision import tv_tensors  # type: ignore[import-untyped]

        return getattr(tv_tensors, self.torchvision_name)(plain(self))

    def to_pil(self) -> Photo:
        """Make a Pillow picture of one item, 8 bits a channel; floating point is taken as 0..1.

        Raises `ValueError` for a batch and for values or channels that a picture cannot hold.
        """
        if self.is_batch:
            raise ValueError(
                f"to_pil makes one picture, and this is a batch of {len(self)}: batch[0].to_pil()."
            )
        values = plain(self).detach().cpu()
        return to_photo((values.float() if values.is_floating_point() else values).numpy())


Picture = TypeVar("Picture", bound=Raster)


class Image(Raster):
    """A picture, channels first: (channels, height, width), or a batch (count, channels, height, width).

    Values are `uint8`, 0..255, or floating point, 0..1 by convention (not after normalising). Give it a path,
    a Pillow picture, a NumPy array with the channels first or last, or a tensor with the channels first,
    which is not copied:

    >>> Image(torch.arange(72, dtype=torch.uint8).reshape(3, 4, 6))
    Image(3x4x6, uint8, 0..71)
    >>> Image(np.zeros((40, 60, 3), dtype=np.uint8))
    Image(3x40x60, uint8, 0..0)

    Files and Pillow pictures become `uint8` RGB: what is transparent is laid over white, 16 bits become 8.
    """

    axes = ("channels", "height", "width")
    dtypes: ClassVar[tuple[torch.dtype, ...]] = (
        torch.uint8,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.float64,
    )
    keeps = ("amounts", "operators")
    torchvision_name = "Image"
    pillow_mode: ClassVar[str] = "RGB"

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, at_least: int | tuple[int, int] | None = None, **metadata: Any
    ) -> Self:
        """Read a picture file, turned upright as its camera says (EXIF), by the fastest way there is.

        Args:
            path: The file. Its bytes say what format it has, whatever its name ends in.
            at_least: The (height, width) that will do, in pixels, or one number for both: a large JPEG is
                then decoded smaller at once, at a half, a quarter or an eighth, but never below this. A photo
                of 12 megapixels takes half the time then, or a seventh of what Pillow takes. Masks, boxes and
                points that were made for the whole photo do not fit such a one. In a data block:
                `Create(Image, at_least=224)`.
            metadata: What this type carries.

        Raises:
            FileNotFoundError: There is no such file.
            BrokenPhotoError: It is no picture, or a broken one; the message names it.
            ValueError: The picture cannot become this type; the message names it.
        """
        with naming(path):
            return cls(torch.from_numpy(read_photo(path, cls.pillow_mode, at_least)), **metadata)

    @classmethod
    def to_array(cls, picture: Photo | np.ndarray) -> np.ndarray:
        return channels_first(picture, cls.pillow_mode)

    @classmethod
    def check(cls, tensor: torch.Tensor) -> None:
        try:
            super().check(tensor)
        except ValueError as error:
            if torch.uint8 not in cls.dtypes or tensor.dtype in cls.dtypes:
                raise
            do = (
                "Numbers beyond 255 are divided by the most there can be: (array / 10_000).astype('float32')."
            )
            raise ValueError(f"{error} {do}") from None
        channels, _, width = tensor.shape[-3:]
        if cls.pillow_mode == "L" and channels != 1:
            raise ValueError(f"{cls.__name__} has one channel; got {what(tensor)}.")
        if width in (1, 3, 4) and channels > 16:
            raise ValueError(
                f"{cls.__name__} has its channels first; in {what(tensor)} they seem to stand last. "
                "Move them: tensor.movedim(-1, -3)."
            )


class GrayImage(Image):
    """A picture with one channel: (1, height, width), or a batch (count, 1, height, width); else as `Image`.

    >>> GrayImage(np.zeros((4, 6), dtype=np.uint8))
    GrayImage(1x4x6, uint8, 0..0)
    """

    pillow_mode = "L"


class Mask(Raster):
    """Which class each pixel belongs to: (height, width) of whole numbers, or a batch (count, height, width).

    `vocab` names the classes. Paths, Pillow pictures and arrays become `int64`; of a palette picture the
    numbers are the palette's, and nothing is scaled. A tensor is not copied and keeps its dtype.

    >>> Mask(torch.tensor([[0, 1], [1, 1]]), vocab=("sky", "tree"))
    Mask(2x2, int64, 0..1, vocab=('sky', 'tree'))

    Class 2 is not twice class 1, so a sum or a product with a mask is a plain tensor.
    """

    axes = ("height", "width")
    dtypes = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
    shared_metadata = ("vocab",)
    torchvision_name = "Mask"
    vocab: tuple[str, ...] | None

    @classmethod
    def to_array(cls, picture: Photo | np.ndarray) -> np.ndarray:
        return class_numbers(picture)
