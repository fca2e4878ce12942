"""The plain data that cross between the two sides: JSON and raw bytes, sizes bounded, never pickle.

`encode` copies a value at once to a small typed form; nothing of the learner's is asked to compare, print or
hash itself. `decode` makes plain data of it again, and stops at anything that is not exactly that form.

>>> decode(*encode({"a": (1, 2.5), "b": [float("nan"), None]}))
{'a': (1, 2.5), 'b': [nan, None]}
>>> decode(*encode({1, 2}))
Refused(type='set', why='')
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import Any

DEPTH = 32
COUNT = 500_000
BYTES = 128 * 2**20
# What tensors and arrays may be made of: with others torch and numpy do not know how to compute, print or
# convert, and some of them end Python when it is tried. And so many sizes may a shape have.
WHOLE = [(kind, size) for kind in ("int", "uint") for size in (1, 2, 4, 8)]
TENSORS = {"bool", "float16", "bfloat16", "float32", "float64", "complex64", "complex128"}
TENSORS |= {f"{kind}{8 * size}" for kind, size in WHOLE}
ARRAYS = {"b1", "f2", "f4", "f8", "c8", "c16", *(f"{kind[0]}{size}" for kind, size in WHOLE)}
SIZES = 32
# Keys that share a hash make a dict take quadratic time: of honest ones, next to none do.
ALIKE = 16
# What a type is called and an error says is kept so far, in characters; and so many types that one extends.
NAME, TEXT, BASES = 200, 2000, 50


class BrokenEncoding(ValueError):
    """What came over the pipe is not in the agreed form."""


@dataclass(frozen=True)
class Array:
    """A tensor or array as plain data: `data` lies on the CPU, `device` says where it was."""

    type: str
    dtype: str
    shape: tuple[int, ...]
    device: str
    data: Any
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """An object with named parts: a table, or a data class of the kit."""

    type: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Raised:
    """An exception: its type, the types that one extends, its text. Type "" says that nothing was raised."""

    type: str
    bases: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Refused:
    """A value that cannot cross: its exact type, and why if the type is not reason enough."""

    type: str
    why: str = ""


def type_name(kind: type, kit: str = "") -> str:
    """The name of a type: relative for the kit's own, bare for Python's own, with its module for others."""
    module = str(getattr(kind, "__module__", ""))
    if kit and (module == kit or module.startswith(f"{kit}.")):
        module = module[len(kit) :].lstrip(".")
    if module in ("builtins", ""):
        return kind.__qualname__
    return f"{module}.{kind.__qualname__}"


def raised(error: BaseException | None, kit: str = "") -> Raised:
    """An exception as plain data; None says that nothing was raised."""
    if error is None:
        return Raised("", (), "")
    bases = tuple(type_name(kind, kit) for kind in type(error).__mro__[:-1])
    return Raised(bases[0], bases, BaseException.__str__(error)[:TEXT])


def plain(value: Any) -> Any:
    """What a judge sees: tensors and arrays as themselves, on the CPU, in the same lists and dicts."""
    if isinstance(value, Array):
        return value.data
    if isinstance(value, list | tuple):
        return type(value)(plain(part) for part in value)
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def encode(value: Any, kit: str = "") -> tuple[Any, list[bytes]]:
    """Copy a value to JSON-ready parts and raw bytes; type names are relative to the package `kit`."""
    encoder = _Encoder(kit)
    return encoder.node(value, 0), encoder.buffers


class _Encoder:
    def __init__(self, kit: str) -> None:
        self.kit = kit
        self.buffers: list[bytes] = []
        self.count = 0
        self.bytes = 0

    def node(self, value: Any, depth: int) -> Any:
        kind = type(value)
        self.count += 1
        if depth > DEPTH or self.count > COUNT:
            return _refused(type_name(kind, self.kit), "it is nested too deep or has too many parts")
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": str(value)}
        if kind is list:
            return [self.node(part, depth + 1) for part in value]
        if kind is dict:
            return {"dict": [[self.node(k, depth + 1), self.node(v, depth + 1)] for k, v in value.items()]}
        if kind is tuple or type_name(kind) == "torch.Size":
            return {"tuple": [self.node(part, depth + 1) for part in value]}
        if kind is bytes:
            return {"bytes": self.buffer(value)}
        return self.object(value, kind, depth)

    def object(self, value: Any, kind: type, depth: int) -> Any:
        if isinstance(value, Raised):
            return {"raised": [value.type, list(value.bases), value.text]}
        if issubclass(kind, BaseException):
            return self.object(raised(value, self.kit), Raised, depth)
        torch, numpy, pandas = (sys.modules.get(name) for name in ("torch", "numpy", "pandas"))
        if torch and issubclass(kind, torch.Tensor):
            return self.tensor(value, kind, depth, torch)
        if numpy and (
            kind is numpy.ndarray or (issubclass(kind, numpy.generic) and kind.__module__ == "numpy")
        ):
            return self.array(value, kind, numpy)
        if pandas and kind in (pandas.DataFrame, pandas.Series):
            return self.table(value, kind, depth)
        if hasattr(kind, "__dataclass_fields__") and self.is_of_kit(kind):
            parts = {name: getattr(value, name, None) for name in kind.__dataclass_fields__}
            return self.record(type_name(kind, self.kit), parts, depth)
        return _refused(type_name(kind, self.kit))

    def is_of_kit(self, kind: type) -> bool:
        return bool(self.kit) and str(kind.__module__).startswith(f"{self.kit}.")

    def tensor(self, value: Any, kind: type, depth: int, torch: Any) -> Any:
        name = "Tensor" if kind is torch.Tensor else type_name(kind, self.kit)
        if kind not in (torch.Tensor, torch.nn.Parameter) and not self.is_of_kit(kind):
            return _refused(name)
        with torch._C.DisableTorchFunctionSubclass():
            if value.layout != torch.strided or value.is_meta or value.is_quantized:
                return _refused(name, f"it is not dense: {value.layout} on {value.device}")
            dense = torch.Tensor.as_subclass(value, torch.Tensor).detach()
            dtype = str(dense.dtype).removeprefix("torch.")
            if dtype not in TENSORS or dense.dim() > SIZES:
                return _refused(name, f"its dtype is {dtype}, its shape has {dense.dim()} sizes")
            if dense.numel() * dense.element_size() > BYTES:
                return _refused(name, f"it is too large (shape {tuple(dense.shape)})")
            content = dense.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
        parts = {
            key: part for key, part in vars(value).items() if part is not None and not key.startswith("_")
        }
        about = {
            "type": name,
            "dtype": dtype,
            "shape": list(dense.shape),
            "device": dense.device.type,
            "metadata": self.node(parts, depth + 1),
        }
        return {"tensor": {**about, "data": self.buffer(content)}}

    def array(self, value: Any, kind: type, numpy: Any) -> Any:
        array = numpy.asarray(value)
        if not _can_cross(array.dtype) or array.ndim > SIZES or array.nbytes > BYTES:
            return _refused(type_name(kind), f"its dtype is {array.dtype}, of {array.nbytes} bytes")
        name = "numpy.ndarray" if kind is numpy.ndarray else "numpy number"
        about = {"type": name, "dtype": array.dtype.str, "shape": list(array.shape)}
        return {"numpy": {**about, "data": self.buffer(array.tobytes())}}

    def table(self, value: Any, kind: type, depth: int) -> Any:
        frame = value.to_frame() if kind.__name__ == "Series" else value
        columns = [frame.iloc[:, number] for number in range(frame.shape[1])]
        parts = {
            "columns": list(frame.columns),
            "index": frame.index.tolist(),
            "dtypes": [str(column.dtype) for column in columns],
            "values": [column.tolist() for column in columns],
        }
        return self.record(f"pandas.{kind.__name__}", parts, depth)

    def record(self, name: str, parts: dict[str, Any], depth: int) -> Any:
        return {"record": [name, self.node(parts, depth + 1)]}

    def buffer(self, content: bytes) -> Any:
        self.bytes += len(content)
        if self.bytes > BYTES:
            self.buffers.append(b"")
            return -1
        self.buffers.append(content)
        return len(self.buffers) - 1


def _can_cross(dtype: Any) -> bool:
    """Whether numpy arrays of that dtype may: ordinary numbers, texts and dates."""
    return dtype.kind in "UMm" or dtype.str[1:] in ARRAYS


def _refused(name: str, why: str = "") -> Any:
    return {"refused": [name, why]}


def decode(node: Any, buffers: list[bytes]) -> Any:
    """Make plain data of what `encode` wrote.

    Raises:
        BrokenEncoding: It is not in the agreed form, is nested too deep or has too many parts.
    """
    try:
        return _Decoder(buffers).value(node, 0)
    except BrokenEncoding:
        raise
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
        OverflowError,
        MemoryError,
    ) as error:
        raise BrokenEncoding(f"what came is not in the agreed form ({type(error).__name__})") from error


class _Decoder:
    def __init__(self, buffers: list[bytes]) -> None:
        self.buffers = buffers
        self.count = 0

    def value(self, node: Any, depth: int) -> Any:
        self.count += 1
        if depth > 2 * DEPTH or self.count > 2 * COUNT:
            raise BrokenEncoding("what came is nested too deep or has too many parts")
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if isinstance(node, list):
            return [self.value(part, depth + 1) for part in node]
        ((tag, content),) = node.items()
        return getattr(self, f"on_{tag}")(content, depth + 1)

    def on_float(self, content: str, depth: int) -> float:
        return float(content)

    def on_tuple(self, content: list, depth: int) -> tuple:
        return tuple(self.value(part, depth) for part in content)

    def on_dict(self, content: list, depth: int) -> dict:
        keys = [self.value(key, depth) for key, _ in content]
        if len(set(map(hash, keys))) + ALIKE < len(keys):
            raise BrokenEncoding("what came has keys made to be alike")
        return {key: self.value(part, depth) for key, (_, part) in zip(keys, content, strict=True)}

    def on_bytes(self, content: int, depth: int) -> Any:
        return self.buffers[content] if content >= 0 else Refused("bytes", "it is too large")

    def on_raised(self, content: list, depth: int) -> Raised:
        name, bases, text = content
        return Raised(_short(name), tuple(_short(base) for base in bases[:BASES]), str(text)[:TEXT])

    def on_refused(self, content: list, depth: int) -> Refused:
        name, why = content
        return Refused(_short(name), _short(why))

    def on_record(self, content: list, depth: int) -> Record:
        name, parts = content
        fields = self.value(parts, depth)
        return Record(_short(name), {str(key): part for key, part in fields.items()})

    def on_tensor(self, content: dict, depth: int) -> Any:
        import torch

        if content["dtype"] not in TENSORS:
            raise BrokenEncoding(f"{content['dtype']!r} is no dtype that can cross")
        dtype = getattr(torch, content["dtype"])
        if content["data"] < 0:
            return Refused(_short(content["type"]), "it is too large")
        raw = self.buffers[content["data"]]
        flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
        metadata = self.value(content["metadata"], depth)
        return self.filled(content, content["dtype"], _short(content["device"]), flat, metadata)

    def on_numpy(self, content: dict, depth: int) -> Any:
        import numpy

        dtype = numpy.dtype(str(content["dtype"]))
        if not _can_cross(dtype):
            raise BrokenEncoding(f"{dtype} cannot cross")
        if content["data"] < 0:
            return Refused(_short(content["type"]), "it is too large")
        flat = numpy.frombuffer(self.buffers[content["data"]], dtype=dtype).copy()
        if dtype.kind == "U" and (flat.view(f"{dtype.str[0]}u4") > sys.maxunicode).any():
            raise BrokenEncoding("a text has characters that there are not")
        return self.filled(content, dtype.name, "cpu", flat, {})

    def filled(self, content: dict, dtype: str, device: str, flat: Any, metadata: dict) -> Array:
        if len(content["shape"]) > SIZES:
            raise BrokenEncoding("a shape has too many sizes")
        data = flat.reshape(tuple(int(size) for size in content["shape"]))
        return Array(_short(content["type"]), dtype, tuple(data.shape), device, data, metadata)


def _short(name: Any) -> str:
    return str(name)[:NAME]
