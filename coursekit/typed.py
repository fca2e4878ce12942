"""The typed tensor: how a tensor keeps its type and metadata, and what takes them away.

What keeps the type is written in one table, `KEEPS`, and in the indexing rule, `typed_selection`. Torch
itself is told to give plain tensors for everything; the methods of the table are generated, and set the class
of the fresh result. The kinds themselves, `Image` and the others, are in `tensors`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar, cast

import numpy as np
import torch
from torch.utils.data._utils.collate import collate_tensor_fn, default_collate_fn_map

Typed = TypeVar("Typed", bound="TypedTensor")
Source = TypeVar("Source", bound=torch.Tensor)

KEEPS: dict[str, str] = {
    # The same values elsewhere or in another precision: every type survives this while its dtype suits it.
    "copies": "clone contiguous detach cpu cuda pin_memory to type"
    " double float half bfloat16 long int short byte bool",
    # Values as amounts: only a type for which twice as much means something survives this.
    "amounts": "__neg__ __abs__ abs absolute neg negative add sub subtract mul multiply div divide"
    " true_divide pow square sqrt clamp clip clamp_min clamp_max round floor ceil lerp masked_fill",
    # The same with one operand on either side, where every nanosecond counts.
    "operators": "__add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__ __pow__",
}

FREED = ("names",)  # what torch has given up: in older ones it named axes
generated: set[Callable[..., Any]] = set()  # the methods that were made from `KEEPS`


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

    Where the first axis counts things (`counts = True`: boxes, points, words), any choice among them is of
    the type again, and `row_metadata` names the metadata that have a value for each and are chosen with them.

    Raises `ValueError` for a shape that does not fit the axes, `TypeError` for a dtype that is not among
    `dtypes` (empty: any will do) or for metadata the type does not have.
    """

    axes: ClassVar[tuple[str, ...] | None] = None
    dtypes: ClassVar[tuple[torch.dtype, ...]] = ()
    keeps: ClassVar[tuple[str, ...]] = ("copies",)
    shared_metadata: ClassVar[tuple[str, ...]] = ()
    item_metadata: ClassVar[tuple[str, ...]] = ()
    counts: ClassVar[bool] = False
    row_metadata: ClassVar[tuple[str, ...]] = ()
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
            ours = cls.shared_metadata + cls.item_metadata
            metadata = {name: value for name, value in data.metadata.items() if name in ours} | metadata
        metadata = {name: tuple(one) if isinstance(one, list) else one for name, one in metadata.items()}
        return dressed(cls.read(data, metadata), cls, metadata)

    def __init__(self, data: Any, **metadata: Any) -> None:
        """`__new__` has done it all; this one says what may be given."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        prepare(cls)

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        """Turn what the constructor was given into a tensor, without a copy where that can be."""
        if isinstance(data, np.ndarray):
            if not (data.flags.carray and data.dtype.isnative):
                data = np.require(data, data.dtype.newbyteorder("="), ["C", "W"])
            return torch.from_numpy(data)
        try:
            return torch.as_tensor(data)
        except (RuntimeError, TypeError, ValueError) as error:
            raise TypeError(f"{cls.__name__} is made of numbers; {data!r:.80} came, and {error}.") from None

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

    @classmethod
    def cut(cls, metadata: dict[str, Any], along: Sequence[Any]) -> dict[str, Any]:
        """Say what the metadata become when items are cut along their axes: by default, what they were."""
        return metadata

    @property
    def is_batch(self) -> bool:
        """Whether this is a batch of items instead of one."""
        return self.item_dims is not None and self.dim() == self.item_dims + 1

    @property
    def metadata(self) -> dict[str, Any]:
        """What this tensor knows besides its numbers, by name.

        >>> from coursekit.tensors import Mask
        >>> Mask(torch.zeros(4, 6, dtype=torch.int64), vocab=("sky", "tree")).metadata
        {'vocab': ('sky', 'tree')}
        """
        return {name: getattr(self, name) for name in self.shared_metadata + self.item_metadata}

    def __iter__(self) -> Iterator[Any]:
        return (self[number] for number in range(len(self)))

    def unsqueeze(self, dim: int) -> torch.Tensor:
        """Add an axis; in front of one item it makes a batch of one, anywhere else a plain tensor."""
        return self[None] if dim == 0 else torch.unsqueeze(self, dim)

    def __deepcopy__(self: Typed, memo: dict[int, Any]) -> Typed:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(f"Only a leaf is copied with its gradient; copy {self!r}.detach() instead.")
        result: Any = self.detach().clone().requires_grad_(self.requires_grad)
        memo[id(self)] = result
        result.__dict__.update(copy.deepcopy(self.__dict__, memo))
        result.grad = copy.deepcopy(self.grad, memo)
        return result

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        number = "one number" if self.is_meta or self.dim() else str(self.item())
        parts = ["x".join(map(str, self.shape)) or number, short(self.dtype)]
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
        theirs, ours = getattr(torch.Tensor, name, None), getattr(kind, name, None)
        if theirs is not None and name not in FREED:
            raise TypeError(f"{kind.__name__}: every tensor has {name!r}; give this metadata another name.")
        setattr(kind, name, None if ours is theirs else ours)
    kind.item_dims = None if kind.axes is None else len(kind.axes)
    kind.carries = bool(kind.shared_metadata + kind.item_metadata)
    simple = kind if not kind.carries and is_closed(kind.dtypes) else None
    for group in kind.keeps:
        for name in KEEPS[group].split():
            if (there := getattr(kind, name)) is not getattr(torch.Tensor, name) and there not in generated:
                continue  # This type, or one it inherits from, has its own.
            method = keeping_operator(name, simple) if group == "operators" else keeping(name)
            method.__name__, method.__qualname__ = name, f"{kind.__name__}.{name}"
            method.__doc__ = f"Do what `torch.Tensor.{name}` does, and keep the type if the meaning stays."
            generated.add(method)
            setattr(kind, name, method)
    if "__getitem__" not in kind.__dict__:
        kind.__getitem__ = selecting(kind)  # type: ignore[method-assign]
    torch.serialization.add_safe_globals([kind])
    default_collate_fn_map[kind] = collate_typed


def is_closed(dtypes: Sequence[torch.dtype]) -> bool:
    """Say whether arithmetic among these dtypes and with numbers of Python stays among them.

    >>> is_closed([torch.uint8, torch.float32]), is_closed([torch.int32])
    (True, False)
    """
    some: list[Any] = [torch.empty((), dtype=dtype) for dtype in dtypes]
    return all(torch.result_type(one, other) in dtypes for one in some for other in (*some, 1, 1.0))


def keeping(name: str) -> Callable[..., Any]:
    """Make the method that computes as plain tensors do and gives the result the type of `self`."""
    compute = getattr(torch.Tensor, name)

    def method(self: TypedTensor, *values: Any, **options: Any) -> Any:
        return kept(compute(self, *values, **options), self, *values, *options.values())

    return method


def keeping_operator(name: str, kind: type[TypedTensor] | None) -> Callable[..., Any]:
    """Do what `keeping` does for an operator with two sides, in as few steps as can be.

    `kind` is the type if nothing is to check: it has no metadata, and its dtypes are closed.
    """
    compute, tensor = getattr(torch.Tensor, name), torch.Tensor

    def operator(self: TypedTensor, other: Any) -> Any:
        result = compute(self, other)
        side = type(other)
        # What is no plain tensor is `NotImplemented`: Python then asks the other side.
        if type(self) is kind and (side is kind or side is float or side is int) and type(result) is tensor:
            result.__class__ = kind
            return result
        return kept(result, self, other)

    return operator


def kept(result: Any, source: TypedTensor, *others: Any) -> Any:
    """Make a fresh plain result one of the source's type, in place, if the meaning stays.

    It does not where a typed tensor of another kind is among the `others` that went in, where shape or dtype
    no longer suit the type, or where metadata of items would meet another shape. Such a result comes back as
    it is, and so do what is no plain tensor and everything inside compiled code.

    >>> from coursekit.tensors import Image
    >>> kept(torch.ones(3, 4, 6), Image(torch.zeros(3, 4, 6)), 0.5)
    Image(3x4x6, float32, 1..1)
    """
    kind = type(source)
    if type(result) is not torch.Tensor or not kind.fits(result) or torch.compiler.is_compiling():
        return result
    for other in others:
        if isinstance(other, TypedTensor) and type(other) is not kind:
            return result
    if kind.item_metadata and result.shape != source.shape:
        return result
    result.__class__ = kind
    result.__dict__.update(source.__dict__)
    return result


def selecting(kind: type[TypedTensor]) -> Callable[..., Any]:
    """Make `x[index]` for one type, as fast as can be for the common case: one item of a batch."""
    choose, item_dims, carries = torch.Tensor.__getitem__, kind.item_dims, kind.carries

    def select(self: TypedTensor, index: Any) -> Any:
        result = choose(self, index)
        if type(index) is not int:
            return typed_selection(self, index, result)
        if result.dim() == item_dims:
            result.__class__ = kind
            if carries:
                result.__dict__.update(chosen_metadata(self, (index,)))
        return result

    return select


def typed_selection(source: TypedTensor, index: Any, result: torch.Tensor) -> torch.Tensor:
    """Type what an index chose, if it chose whole items, things they count, or a cut along their axes."""
    kind = type(source)
    items, along = split_index(source, index)
    if (
        type(result) is torch.Tensor
        and kind.item_dims is not None
        and kind.fits(result)
        and all(getattr(part, "ndim", 1) <= 1 and not isinstance(part, bool) for part in items)
        and all(isinstance(part, slice) for part in along[kind.counts :])
        and all(getattr(part, "ndim", 1) == 1 and not isinstance(part, int) for part in along[: kind.counts])
    ):
        result.__class__ = kind
        result.__dict__.update(chosen_metadata(source, items, along))
    return result


def split_index(source: TypedTensor, index: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Take an index apart: what it says of the items of a batch, and what of the axes of each."""
    parts = index if isinstance(index, tuple) else (index,)
    dots = next((place for place, part in enumerate(parts) if part is Ellipsis), None)
    if dots is not None:
        missing = source.dim() - sum(part is not None for part in parts) + 1
        parts = (*parts[:dots], *[slice(None)] * missing, *parts[dots + 1 :])
    leading = 1 if source.is_batch or (parts and parts[0] is None) else 0
    return parts[:leading], parts[leading:]


def chosen_metadata(source: TypedTensor, items: Sequence[Any], along: Sequence[Any] = ()) -> dict[str, Any]:
    """Index the metadata as the tensor was indexed: those of items by `items`, those of rows by `along`."""
    chosen, kind = dict(source.__dict__), type(source)
    for name in kind.item_metadata if items else ():
        chosen[name] = picked(chosen.get(name), items[0])
    for name in kind.row_metadata if along else ():
        values = chosen.get(name)
        if values is not None and name in kind.item_metadata and items and not isinstance(items[0], int):
            chosen[name] = tuple(picked(one, along[0]) for one in values)
        else:
            chosen[name] = picked(values, along[0])
    return kind.cut(chosen, along)


def picked(values: Any, index: Any) -> Any:
    """Choose from a tuple what an index chooses from an axis of that length.

    The index may be a number, a slice, a list, a tensor or array of numbers or of True and False; a single
    number gives the value itself. The index `None` makes a tuple of one, as it makes a batch of one item. And
    `None` instead of a tuple, for what nobody said, stays `None`.

    >>> spacings = (0.5, 1.0, 2.0)
    >>> picked(spacings, 1), picked(spacings, [2, 0]), picked(spacings, torch.tensor([True, False, True]))
    (1.0, (2.0, 0.5), (0.5, 2.0))
    """
    if values is None or isinstance(index, (slice, int)):
        return values if values is None else values[index]
    if index is None:
        return (values,)
    numbers = torch.arange(len(values))[index.cpu() if isinstance(index, torch.Tensor) else index].tolist()
    return values[numbers] if isinstance(numbers, int) else tuple(values[number] for number in numbers)


def collate_typed(items: Sequence[Typed], *, collate_fn_map: Any = None) -> Typed:
    """Make one batch of several items of one type, their metadata with them; `DataLoader` does it by itself.

    >>> from coursekit.tensors import Category
    >>> collate_typed([Category(0, vocab=("cat", "dog")), Category(1, vocab=("cat", "dog"))])
    Category(2, int64, 0..1, vocab=('cat', 'dog'))

    What is known of no item is `None`. Raises `ValueError` if the items differ in type, in shape, or in
    metadata that a batch has only once.
    """
    first, kind, names = items[0], type(items[0]), type(items[0]).shared_metadata
    shape, shared = first.shape, [getattr(first, name) for name in names]
    for number, item in enumerate(items):
        if type(item) is not kind or item.shape != shape or [getattr(item, n) for n in names] != shared:
            raise ValueError(
                "Items of one batch have the same type, shape and shared metadata; "
                f"item 0 is {first!r}, item {number} is {item!r}."
            )
    own: Any = {name: tuple([getattr(item, name) for item in items]) for name in kind.item_metadata}
    own = {name: values if any(one is not None for one in values) else None for name, values in own.items()}
    return dressed(collate_tensor_fn(items), kind, first.__dict__ | own)


def plain(tensor: torch.Tensor) -> torch.Tensor:
    """Take the type off a tensor, without a copy; a plain tensor comes back as it is.

    >>> from coursekit.tensors import Category
    >>> plain(Category(1))
    tensor(1)
    """
    if type(tensor) is torch.Tensor:
        return tensor
    # Compiled code cannot follow `as_subclass`; there a view is plain.
    return tensor.view_as(tensor) if torch.compiler.is_compiling() else tensor.as_subclass(torch.Tensor)


def typed_like(result: torch.Tensor, source: Source) -> Source:
    """Give what a free function returned the type and metadata of what went in, without a copy.

    >>> from coursekit.tensors import Image
    >>> photo = Image(torch.zeros(3, 4, 6))
    >>> typed_like(torch.flip(photo, [-1]), photo)
    Image(3x4x6, float32, 0..0)

    A plain source gives a plain result. Raises `ValueError` if the result cannot be of that type, or has
    another number of items than its metadata.
    """
    if not isinstance(source, TypedTensor):
        return cast(Source, plain(result))
    return dressed(result, type(source), source.__dict__)


def dressed(tensor: torch.Tensor, kind: type[Typed], metadata: dict[str, Any]) -> Typed:
    """View a tensor as one of a type, with metadata of its own; neither is the tensor copied nor changed.

    >>> from coursekit.tensors import Mask
    >>> dressed(torch.zeros(4, 6, dtype=torch.uint8), Mask, {"vocab": ("sky", "tree")})
    Mask(4x6, uint8, 0..0, vocab=('sky', 'tree'))

    Raises `ValueError` if the tensor cannot be of that type (`kind.check`), or if it is a batch and metadata
    of items are not as many as its items (`check_counts`).
    """
    kind.check(tensor)
    check_counts(tensor, kind, metadata)
    result = tensor.as_subclass(kind)
    result.__dict__.update(metadata)
    return result


def check_counts(tensor: torch.Tensor, kind: type[TypedTensor], metadata: dict[str, Any]) -> None:
    """Refuse metadata of items that do not have one value for each item of a batch."""
    is_batch = kind.item_dims is not None and tensor.dim() == kind.item_dims + 1
    for name in kind.item_metadata if is_batch else ():
        value = metadata.get(name)
        if value is not None and not (isinstance(value, tuple) and len(value) == len(tensor)):
            right = f"is a batch of {len(tensor)}, so it has a tuple of {len(tensor)} {name}"
            raise ValueError(f"{what(tensor)} {right}; got {value!r}.")


def what(tensor: torch.Tensor) -> str:
    """Describe a tensor for an error: `a float32 tensor of shape (4, 6) on cpu`."""
    article = "an" if short(tensor.dtype).startswith("i") else "a"
    return f"{article} {short(tensor.dtype)} tensor of shape {tuple(tensor.shape)} on {tensor.device}"


def short(dtype: torch.dtype) -> str:
    """Name a dtype without its module: `float32`."""
    return str(dtype).removeprefix("torch.")


def value_range(tensor: torch.Tensor) -> str:
    """Say between which values a tensor lies: `0..255`, `0.0118..0.98`."""
    values = plain(tensor)
    if not values.is_floating_point():
        return f"{values.min().item()}..{values.max().item()}"
    there = values[~values.isnan()]
    if not there.numel():
        return "all NaN"
    return f"{there.min():.3g}..{there.max():.3g}{' and NaN' if len(there) < values.numel() else ''}"


prepare(TypedTensor)
