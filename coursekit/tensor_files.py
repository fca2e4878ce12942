"""Tensor files: tensors and plain data in one file, written whole or not at all, and read without trust.

Such a file is in the safetensors format: a header of JSON, then bare numbers. The tensors stand in it once
each, however many names they have; everything else (numbers, texts, lists, dictionaries) is JSON in the
header's metadata, with a checksum over both. Nothing in it can name code, so reading one runs nothing.

>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as folder:
...     file = Path(folder, "numbers.safetensors")
...     checksum_of_all = write_file(file, {"step": 3, "weights": torch.ones(2)}, "numbers 1")
...     read_file(file, "numbers 1")
{'step': 3, 'weights': tensor([1., 1.])}
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

MOST_TEXT = 64 * 2**20
# How deep what is written may lie (a dictionary takes three levels); Python's own limit may be any.
DEEPEST = 200
NAME = "coursekit"


def packed(x: Any, tensors: dict[Any, tuple[str, Tensor]], path: str = "") -> Any:
    """What JSON can hold of plain data; its tensors are put aside into `tensors`, each of them once.

    A tensor is called by its path: `model.head.weight`. Raises TypeError for what is no plain data.

    >>> aside = {}
    >>> shared = torch.ones(2)
    >>> packed({"a": shared, 3: (shared, None)}, aside), len(aside)
    ({'dict': [['a', {'tensor': 'a'}], [3, {'tuple': [{'tensor': 'a'}, None]}]]}, 1)
    """
    if x is None or isinstance(x, bool | int | float | str):
        return x
    if isinstance(x, Tensor):
        # Tied weights are tensors of their own that share their numbers.
        same = (x.device, x.dtype, x.data_ptr(), x.shape, x.stride())
        return {"tensor": tensors.setdefault(same, (path, x))[0]}
    below = f"{path}." if path else ""
    if isinstance(x, list | tuple):
        content = [packed(one, tensors, f"{below}{number}") for number, one in enumerate(x)]
        return content if isinstance(x, list) else {"tuple": content}
    if isinstance(x, Mapping):
        return {"dict": [[packed(name, {}), packed(x[name], tensors, f"{below}{name}")] for name in x]}
    raise TypeError(
        f"a file holds numbers, texts, lists, dictionaries and tensors; {path or 'this'} is of the type "
        f"{type(x).__name__}. Let state_dict() give such plain data."
    )


def unpacked(data: Any, tensors: Mapping[str, Tensor], depth: int = 0) -> Any:
    """What `packed` was given. Raises ValueError for what it never gives, and for more levels than `DEEPEST`.

    >>> unpacked({"dict": [["a", {"tensor": "a"}]]}, {"a": torch.ones(2)})
    {'a': tensor([1., 1.])}
    """
    if depth > DEEPEST:
        raise ValueError(f"its header is nested more than {DEEPEST} deep")
    if isinstance(data, list):
        return [unpacked(one, tensors, depth + 1) for one in data]
    if not isinstance(data, dict):
        return data
    match next(iter(data.items()), None):
        case "tensor", str(name) if name in tensors:
            return tensors[name]
        case "tuple", list(content):
            return tuple(unpacked(content, tensors, depth + 1))
        case "dict", list(pairs):
            return dict(map(tuple, unpacked(pairs, tensors, depth + 1)))
    raise ValueError("its header holds what is never written there")


def write_file(path: str | os.PathLike[str], data: Any, form: str) -> str:
    """Write plain data with tensors in it; what was at `path` stays until all of the new is on the disk.

    Args:
        path: where to.
        data: numbers, texts, None, tensors, and lists, tuples and dictionaries of these.
        form: what the file is, a word or two and a version: "coursekit checkpoint 1".

    Returns the checksum of all that was written. Raises TypeError for what is no plain data, ValueError for
    two tensors with one path, OSError when there is no place.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    aside: dict[Any, tuple[str, Tensor]] = {}
    text = json.dumps(packed(data, aside))
    tensors = {name: one.detach().cpu().contiguous() for name, one in aside.values()}
    if len(tensors) < len(aside):
        raise ValueError("two tensors would have one name in the file; names of dictionaries hold no dots.")
    # All under one name: of several, safetensors writes them in an order of chance.
    total = str(checksum(text, tensors))
    file = Path(path)
    unfinished = file.with_name(f"{file.name}.unfinished")
    try:
        save_file(tensors, unfinished, {NAME: f"{form}\n{total}\n{text}"})
        put(unfinished, file)
    except (SafetensorError, OSError) as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(f"{file} could not be written: {error}. What was there before still is.") from error
    return total


def put(unfinished: Path, file: Path) -> None:
    """Give a file that is complete the name it shall have, once it is on the disk and not only on its way."""
    with open(unfinished, "rb+") as written:
        os.fsync(written.fileno())
    os.replace(unfinished, file)
    if os.name == "posix":
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def read_file(path: str | os.PathLike[str], form: str, wanted: str | None = None) -> Any:
    """Read what `write_file` wrote, on the CPU. Whatever the file says, no code is run.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is something else, damaged, of another format or of a newer one; or its checksum is not
            the one `wanted`.
    """
    from safetensors import SafetensorError, safe_open

    demand_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            found, _, rest = (file.metadata() or {}).get(NAME, "").partition("\n")
            demand_form(found, form)
            # A copy, as the file may be replaced while these are still in use.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        total, _, text = rest.partition("\n")
        if len(text) > MOST_TEXT:
            raise ValueError(f"its header holds more than {MOST_TEXT // 2**20} MiB of text")
        if total != str(checksum(text, tensors)):
            raise ValueError("it is damaged: its numbers are not those that were written")
        if wanted not in (None, total):
            raise ValueError("it was not saved together with the file beside it")
        return unpacked(json.loads(text), tensors)
    except (SafetensorError, ValueError, TypeError, KeyError, RecursionError) as error:
        word = form.rpartition(" ")[0]
        said = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ValueError(f"{os.fspath(path)} could not be read as a {word}: {said}.") from None


def demand_file(path: str | os.PathLike[str]) -> None:
    """Raise a ValueError unless this is an ordinary file: a link may lead anywhere, a pipe never ends."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise ValueError(f"{os.fspath(path)} is no ordinary file but a link, a folder or a device.")


def demand_form(found: str, form: str) -> None:
    """Raise a ValueError unless a file is of this form: `word version`.

    >>> demand_form("coursekit model 2", "coursekit model 1")
    Traceback (most recent call last):
    ...
    ValueError: it is of version 2, and this library reads version 1: take a newer library
    """
    (word, _, version), (kind, _, newest) = found.rpartition(" "), form.rpartition(" ")
    if word != kind or not version.isdecimal():
        raise ValueError(f"it does not say that it is one, with the format {form!r}")
    if int(version) > int(newest):
        raise ValueError(
            f"it is of version {version}, and this library reads version {newest}: take a newer library"
        )


def checksum(text: str, tensors: Mapping[str, Tensor]) -> int:
    """A number that changes when a bit of the text or of the tensors does (CRC-32).

    >>> checksum("a", {}), checksum("a", {"0": torch.zeros(1)})
    (3904355907, 1651550688)
    """
    total = zlib.crc32(text.encode())
    for name in sorted(tensors):
        numbers: Any = tensors[name].reshape(-1).view(torch.uint8).numpy()
        total = zlib.crc32(numbers, total)
    return total
