"""Tensors that remember what they are: a picture, a mask, a category.

A photo, the outline someone drew on it and its label are all arrays of numbers. What may be done to them
differs: a photo may be brightened, an outline may not, since class 2 is not "twice as much" as class 1. So
each kind is a type of its own, carries its metadata (the names of its classes, say), and keeps its type
through every operation that keeps its meaning:

>>> photo = Image(torch.zeros(3, 4, 6))
>>> photo + 0.5
Image(3x4x6, float32, 0.5..0.5)
>>> photo.mean()
tensor(0.)

What keeps the type is written in one table, `KEEPS`, and in the indexing rule of `TypedTensor.__getitem__`.
Everything else gives a plain tensor: reductions, comparisons, reshaping, two different types in one operation
(`photo * mask`), every free function (`torch.clamp(photo, 0, 1)`, `torch.stack`, `F.interpolate`) and
everything inside compiled code. So a model, a loss and a gradient only ever see plain tensors. Put the type
back with `typed_like(result, photo)`, take it off with `plain(photo)`; neither copies.

Operations in place (`photo += mask`, `mask.fill_(3)`) change the numbers of the tensor they stand on, and
leave its type as it was.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
import torch
from torch.utils.data._utils.collate import collate_tensor_fn, default_collate_fn_map

from .photos import channels_first, class_numbers, open_photo, to_photo

if TYPE_CHECKING:
    from PIL.Image import Image as Photo

Typed = TypeVar("Typed", bound="TypedTensor")

KEEPS: dict[str, str] = {
    # The same values elsewhere or in another precision: every type survives this while its dtype suits it.
    "copies": "clone contiguous detach cpu cuda pin_memory to type"
    " double float half bfloat16 long int short byte bool",
    # Values as amounts: only a type for which twice as much means something survives this.
    "amounts": "__neg__ __pos__ __abs__ abs absolute neg negative add sub subtract mul multiply div divide"
    " true_divide pow square sqrt clamp clip clamp_min clamp_max round floor ceil lerp masked_fill",
    # The same with one operand on either side, where every nanosecond counts.
    "operators": "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __pow__",
}


class TypedTensor(torch.Tensor):
    """A tensor that knows what it is; the base of `Image`, `Mask`, `Category` and of types of your own.

    A type of your own states what its axes are, which operations keep it (`"amounts", "operators"` of `KEEPS`
    for values that may be added and scaled) and which metadata it carries:

    >>> class Sound(TypedTensor):
    ...     axes = ("time",)
    ...     keeps = ("amounts", "operators")
    ...     item_metadata = ("rate",)
    >>> clip = Sound(torch.zeros(16_000), rate=16_000)
    >>> (clip * 0.5).rate
    16000

    One item has the dimensions `axes` names, a batch has one more in front. `shared_metadata` are the same
    for every item of a batch (the names of the classes); of `item_metadata` a batch has a tuple with one
    value for each item, and indexing the batch indexes them too. An attribute that was not given is `None`.

    Raises `ValueError` for a shape that does not fit the axes, `TypeError` for a dtype that is not among
    `dtypes` (empty: any will do) or for metadata the type does not have.
    """

    axes: ClassVar[tuple[str, ...] | None] = None
    dtypes: ClassVar[tuple[torch.dtype, ...]] = ()
    keeps: ClassVar[tuple[str, ...]] = ("copies",)
    shared_metadata: ClassVar[tuple[str, ...]] = ()
    item_metadata: ClassVar[tuple[str, ...]] = ()
    # Found from the lines above when the class is made, so that an operation need not ask twice.
    item_dims: ClassVar[int | None] = None
    carries: ClassVar[bool] = False

    # Torch is to ask no Python code on each operation: asking costs five times what a small operation does.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    def __new__(cls: type[Typed], data: Any, **metadata: Any) -> Typed:
        for name in metadata:
            if name not in cls.shared_metadata + cls.item_metadata:
                known = ", ".join(cls.shared_metadata + cls.item_metadata) or "none at all"
                raise TypeError(f"{cls.__name__} has no metadata {name!r}; it has: {known}.")
        if isinstance(data, TypedTensor):
            metadata = {name: value for name, value in data.metadata.items() if hasattr(cls, name)} | metadata
        tensor = cls.read(data, metadata)
        cls.check(tensor)
        result = tensor.as_subclass(cls)
        result.__dict__.update(metadata)
        return result

    def __init__(self, data: Any, **metadata: Any) -> None:
        """`__new__` has done it all; this one says what may be given."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        prepare(cls)

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        """Turn what the constructor was given into a tensor, without a copy where that can be."""
        if isinstance(data, np.ndarray):
            return torch.from_numpy(np.require(data, requirements=["C", "W"]))
        return torch.as_tensor(data)

    @classmethod
    def fits(cls, tensor: torch.Tensor) -> bool:
        """Say whether the shape and dtype of a tensor could be those of this type."""
        return (cls.item_dims is None or tensor.dim() - cls.item_dims in (0, 1)) and (
            not cls.dtypes or tensor.dtype in cls.dtypes
        )

    @classmethod
    def check(cls, tensor: torch.Tensor) -> None:
        """Refuse a tensor that cannot be one of this type, and say why."""
        if not cls.fits(tensor):
            axes = " x ".join(cls.axes or ()) or "one number"
            dtypes = ", ".join(map(short, cls.dtypes)) or "any dtype"
            raise ValueError(
                f"{cls.__name__} is {axes} (a batch: one axis more in front) of {dtypes}; got {what(tensor)}."
            )

    @property
    def is_batch(self) -> bool:
        """Whether this is a batch of items instead of one."""
        return self.item_dims is not None and self.dim() == self.item_dims + 1

    @property
    def metadata(self) -> dict[str, Any]:
        """What this tensor knows besides its numbers, by name.

        >>> Mask(torch.zeros(4, 6, dtype=torch.int64), vocab=("sky", "tree")).metadata
        {'vocab': ('sky', 'tree')}
        """
        return {name: getattr(self, name) for name in self.shared_metadata + self.item_metadata}

    def __getitem__(self, index: Any) -> Any:
        result = torch.Tensor.__getitem__(self, index)
        kind = type(self)
        if type(index) is not int:
            return typed_selection(self, index, result)
        if result.dim() == kind.item_dims:
            result.__class__ = kind
            if kind.carries:
                result.__dict__.update(chosen_metadata(self, index))
        return result

    def __iter__(self) -> Iterator[Any]:
        return (self[number] for number in range(len(self)))

    def unsqueeze(self, dim: int) -> torch.Tensor:
        """Add an axis; in front of one item it makes a batch of one, anywhere else a plain tensor."""
        return self[None] if dim == 0 else torch.unsqueeze(self, dim)

    def __deepcopy__(self: Typed, memo: dict[int, Any]) -> Typed:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(
                f"Only a leaf can be copied with its gradient; copy {self!r}.detach() instead."
            )
        result: Any = self.detach().clone().requires_grad_(self.requires_grad)
        memo[id(self)] = result
        result.__dict__.update(copy.deepcopy(self.__dict__, memo))
        result.grad = copy.deepcopy(self.grad, memo)
        return result

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        parts = ["x".join(map(str, self.shape)) or str(self.item()), short(self.dtype)]
        if self.dim() and self.numel() and not self.is_meta:
            parts.append(value_range(self))
        parts += [str(self.device)] if self.device.type != "cpu" else []
        parts += [f"{name}={value!r}" for name, value in self.metadata.items() if value is not None]
        return f"{type(self).__name__}({', '.join(parts)})"

    def __format__(self, specification: str) -> str:
        return format(self.item(), specification) if specification else str(self)


def prepare(kind: type[TypedTensor]) -> None:
    """Give a new type its methods from `KEEPS`, and make it known to `torch.load` and `DataLoader`."""
    for name in kind.shared_metadata + kind.item_metadata:
        if hasattr(torch.Tensor, name):
            raise TypeError(f"{kind.__name__}: every tensor has {name!r}; give this metadata another name.")
        setattr(kind, name, getattr(kind, name, None))
    kind.item_dims = None if kind.axes is None else len(kind.axes)
    kind.carries = bool(kind.shared_metadata + kind.item_metadata)
    for group in kind.__dict__.get("keeps", ()):
        make = keeping_operator if group == "operators" else keeping
        for name in KEEPS[group].split():
            method = make(name)
            method.__name__, method.__qualname__ = name, f"{kind.__name__}.{name}"
            method.__doc__ = (
                f"Do what `torch.Tensor.{name}` does, and stay a typed tensor if the meaning stays."
            )
            setattr(kind, name, method)
    torch.serialization.add_safe_globals([kind])
    default_collate_fn_map[kind] = collate_typed


def keeping(name: str) -> Callable[..., Any]:
    """Make the method that computes as plain tensors do and gives the result the type of `self`."""
    compute = getattr(torch.Tensor, name)

    def method(self: TypedTensor, *values: Any, **options: Any) -> Any:
        result = compute(self, *values, **options)
        kind = type(self)
        for value in (*values, *options.values()):
            if isinstance(value, TypedTensor) and type(value) is not kind:
                return result
        return dress(result, self)

    return method


def keeping_operator(name: str) -> Callable[..., Any]:
    """Do what `keeping` does for an operator with two sides, in as few steps as can be."""
    compute = getattr(torch.Tensor, name)

    def operator(self: TypedTensor, other: Any) -> Any:
        result = compute(self, other)
        kind, side = type(self), type(other)
        if isinstance(other, TypedTensor) and side is not kind:
            return result
        # A result that is no plain tensor here is `NotImplemented`: Python then asks the other side.
        if side is torch.Tensor or kind.carries or type(result) is not torch.Tensor:
            return dress(result, self)
        result.__class__ = kind
        return result

    return operator


def dress(result: Any, source: TypedTensor) -> Any:
    """Make a fresh plain result one of the source's type in place, if shape and dtype still suit it."""
    kind = type(source)
    if type(result) is torch.Tensor and kind.fits(result):
        if kind.item_metadata and result.shape != source.shape:
            return result
        result.__class__ = kind
        result.__dict__.update(source.__dict__)
    return result


def typed_selection(source: TypedTensor, index: Any, result: torch.Tensor) -> torch.Tensor:
    """Type what an index chose, if it chose whole items or cut along the axes of each."""
    kind = type(source)
    parts = index if isinstance(index, tuple) else (index,)
    leading = 1 if source.is_batch or (parts and parts[0] is None) else 0
    if (
        kind.item_dims is not None
        and type(result) is torch.Tensor
        and result.dim() - kind.item_dims in (0, 1)
        and all(isinstance(part, slice) or part is Ellipsis for part in parts[leading:])
        and all(getattr(part, "ndim", 1) <= 1 for part in parts[:leading])
    ):
        result.__class__ = kind
        result.__dict__.update(chosen_metadata(source, *parts[:leading]))
    return result


def chosen_metadata(source: TypedTensor, *lead: Any) -> dict[str, Any]:
    """Index the metadata of a batch as the batch was indexed; nothing in `lead` leaves all as it is."""
    chosen = dict(source.__dict__)
    for name in source.item_metadata if lead and lead[0] is not Ellipsis else ():
        values, index = getattr(source, name), lead[0]
        if index is None or values is None:
            chosen[name] = values if values is None else (values,)
            continue
        numbers = torch.arange(len(values))[
            index.cpu() if isinstance(index, torch.Tensor) else index
        ].tolist()
        chosen[name] = values[numbers] if isinstance(numbers, int) else tuple(values[n] for n in numbers)
    return chosen


def collate_typed(items: Sequence[Typed], *, collate_fn_map: Any = None) -> Typed:
    """Make one batch of several items of one type, their metadata with them; `DataLoader` does it by itself.

    >>> collate_typed([Category(0, vocab=("cat", "dog")), Category(1, vocab=("cat", "dog"))])
    Category(2, int64, 0..1, vocab=('cat', 'dog'))

    Raises `ValueError` if the items differ in type, in shape, or in metadata that a batch has only once.
    """
    first, kind = items[0], type(items[0])
    for number, item in enumerate(items):
        alike = type(item) is kind and item.shape == first.shape
        if not alike or any(getattr(item, name) != getattr(first, name) for name in kind.shared_metadata):
            raise ValueError(
                "Items of one batch have the same type, shape and shared metadata; "
                f"item 0 is {first!r}, item {number} is {item!r}."
            )
    result = collate_tensor_fn(items).as_subclass(kind)
    result.__dict__.update(first.__dict__)
    result.__dict__.update(
        {name: tuple(getattr(item, name) for item in items) for name in kind.item_metadata}
    )
    return result


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Take the type off a tensor, without a copy; a plain tensor comes back as it is.

    >>> plain(Category(1))
    tensor(1)
    """
    return tensor if type(tensor) is torch.Tensor else tensor.as_subclass(torch.Tensor)


def typed_like(result: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Give what a free function returned the type and metadata of what went in, without a copy.

    >>> photo = Image(torch.zeros(3, 4, 6))
    >>> typed_like(torch.flip(photo, [-1]), photo)
    Image(3x4x6, float32, 0..0)

    A plain source gives a plain result. Raises `ValueError` or `TypeError` if the result cannot be of that
    type.
    """
    if not isinstance(source, TypedTensor):
        return plain(result)
    kind = type(source)
    kind.check(result)
    typed = plain(result).as_subclass(kind)
    typed.__dict__.update(source.__dict__)
    return typed


def what(tensor: torch.Tensor) -> str:
    """Describe a tensor for an error: `a float32 tensor of shape (4, 6) on cpu`."""
    return f"a {short(tensor.dtype)} tensor of shape {tuple(tensor.shape)} on {tensor.device}"


def short(dtype: torch.dtype) -> str:
    """Name a dtype without its module: `float32`."""
    return str(dtype).removeprefix("torch.")


def value_range(tensor: torch.Tensor) -> str:
    """Say between which values a tensor lies: `0..255`, `0.0118..0.98`."""
    low, high = plain(tensor).min().item(), plain(tensor).max().item()
    return f"{low:.3g}..{high:.3g}" if tensor.is_floating_point() else f"{low}..{high}"


prepare(TypedTensor)


class Raster(TypedTensor):
    """What lies on a grid of pixels and is kept in picture files: the part that `Image` and `Mask` share."""

    torchvision_name: ClassVar[str]

    @classmethod
    def open(cls: type[Picture], path: str | os.PathLike[str], **metadata: Any) -> Picture:
        """Read a picture file, turned upright as its camera says (EXIF), and close it.

        Raises `FileNotFoundError` if there is no such file, `ValueError` naming the file if it is no picture
        or cannot become this type.
        """
        photo = open_photo(path)
        try:
            return cls(photo, **metadata)
        except ValueError as error:
            raise ValueError(f"{os.path.basename(path)}: {error}") from None

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        if isinstance(data, (str, os.PathLike)):
            return cls.open(data)
        if isinstance(data, np.ndarray) or hasattr(data, "getbands"):
            data = cls.to_array(data)
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

    Files and Pillow pictures become `uint8` RGB: transparency is dropped, 16 bits become 8.
    """

    axes = ("channels", "height", "width")
    dtypes = (torch.uint8, torch.float32, torch.float16, torch.bfloat16, torch.float64)
    keeps = ("amounts", "operators")
    torchvision_name = "Image"
    pillow_mode: ClassVar[str] = "RGB"

    @classmethod
    def to_array(cls, picture: Photo | np.ndarray) -> np.ndarray:
        return channels_first(picture, cls.pillow_mode)

    @classmethod
    def check(cls, tensor: torch.Tensor) -> None:
        super().check(tensor)
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


class Category(TypedTensor):
    """Which of several kinds a thing is: one `int64` number, or a batch of them (count,).

    `vocab` names the kinds; given it, a name will do for the number:

    >>> label = Category(1, vocab=("sound", "broken"))
    >>> print(label, int(label), Category("sound", vocab=label.vocab))
    broken 1 sound

    Raises `ValueError` for a name or a number that the vocabulary does not have. Numbers in a tensor are not
    looked at, since on another device that would mean waiting for it.
    """

    axes = ()
    dtypes = (torch.int64,)
    shared_metadata = ("vocab",)
    vocab: tuple[str, ...] | None

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        vocab = metadata.get("vocab")
        if isinstance(data, str):
            if vocab is None or data not in vocab:
                raise ValueError(f"The vocabulary of this Category has no {data!r}; it is {vocab!r}.")
            data = vocab.index(data)
        if isinstance(data, int) and vocab is not None and not 0 <= data < len(vocab):
            raise ValueError(f"Category {data} has no name; the vocabulary is {vocab!r}, from 0.")
        return super().read(data, metadata)

    def __str__(self) -> str:
        numbers: list[int] = plain(self).reshape(-1).tolist()
        return ", ".join(str(number) if self.vocab is None else self.vocab[number] for number in numbers)
