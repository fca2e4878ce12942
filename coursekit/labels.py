"""What is said about a thing: its category, several of them, an amount, a text, a row of a table.

>>> print(Category(1, vocab=("sound", "broken")), "|", Target(12.5, unit="kg"), "|", Text("a crack"))
broken | 12.5 kg | a crack
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .padding import Counted
from .samples import in_digits, list_some
from .typed import TypedTensor, plain, typed_selection


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
            data = number_of(data, vocab, cls)
        if isinstance(data, int) and vocab is not None and not 0 <= data < len(vocab):
            raise ValueError(f"{cls.__name__} {data} has no name; the vocabulary is {vocab!r}, from 0.")
        return super().read(data, metadata)

    def __str__(self) -> str:
        numbers: list[int] = plain(self).reshape(-1).tolist()
        return ", ".join(name_of(number, self.vocab) for number in numbers)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        if self.dim() or self.vocab is None or self.is_meta:
            return super().__repr__()
        return f"{type(self).__name__}({self.item()}, {str(self)!r})"


class MultiCategory(TypedTensor):
    """Which of several kinds a thing is, when it may be none or many: (classes,) of 0 and 1, or a batch.

    Made from the names that hold, or from the zeros and ones; `float32` unless a tensor says otherwise, since
    that is what losses for several labels compare with.

    >>> seen = MultiCategory(["dog", "cat"], vocab=("cat", "cow", "dog"))
    >>> seen.tolist(), str(seen)
    ([1.0, 0.0, 1.0], 'cat, dog')

    Raises `ValueError` for a name that is not in the vocabulary, and for another count of numbers than names.
    """

    axes = ("classes",)
    dtypes = (
        torch.float32,
        torch.bool,
        torch.int64,
        torch.uint8,
        torch.float16,
        torch.bfloat16,
        torch.float64,
    )
    shared_metadata = ("vocab",)
    vocab: tuple[str, ...] | None

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        vocab = metadata.get("vocab")
        if isinstance(data, (list, tuple, set, frozenset)) and all(isinstance(one, str) for one in data):
            if vocab is None:
                raise ValueError(f"{cls.__name__} of names needs the vocabulary: vocab=('cat', 'dog').")
            numbers = {number_of(name, vocab, cls) for name in data}
            data = torch.tensor([float(number in numbers) for number in range(len(vocab))])
        tensor = super().read(data, metadata)
        if vocab is not None and tensor.dim() and tensor.shape[-1] != len(vocab):
            raise ValueError(f"{cls.__name__} has {len(vocab)} names and {tensor.shape[-1]} numbers.")
        return tensor

    def __str__(self) -> str:
        items = plain(self) if self.is_batch else plain(self)[None]
        return "; ".join(
            ", ".join(name_of(number, self.vocab) for number in (item > 0.5).nonzero().flatten().tolist())
            for item in items
        )


class Target(TypedTensor):
    """An amount to be told, with its unit: one `float32` number, or a batch of them (count,).

    >>> price = Target(250_000, unit="€")
    >>> print(price, (price / 2).unit)
    250000 € €
    """

    axes = ()
    dtypes = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
    keeps = ("amounts", "operators")
    shared_metadata = ("unit",)
    unit: str | None

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        tensor = super().read(data, metadata)
        return tensor if tensor.is_floating_point() else tensor.float()

    def __str__(self) -> str:
        numbers: list[float] = plain(self).reshape(-1).tolist()
        return ", ".join(f"{in_digits(number)} {self.unit or ''}".rstrip() for number in numbers)


class Text(Counted):
    """Words or characters as the numbers they have in a vocabulary: (tokens,) of `int64`, or a batch.

    Without `vocab` the numbers are the Unicode numbers of the characters; with it, those of its entries, and
    a text is taken apart at its spaces.

    >>> Text("Öl").tolist(), str(Text("Öl"))
    ([214, 108], 'Öl')
    >>> Text("no crack", vocab=("crack", "no")).tolist()
    [1, 0]

    Raises `ValueError` for a word that the vocabulary does not have.
    """

    axes = ("tokens",)
    dtypes = (torch.int64,)
    shared_metadata = ("vocab",)
    vocab: tuple[str, ...] | None

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        vocab = metadata.get("vocab")
        if isinstance(data, str):
            data = data.split() if vocab is not None else [ord(character) for character in data]
        if isinstance(data, Sequence) and any(isinstance(token, str) for token in data):
            data = [number_of(token, vocab, cls) for token in data]
        return (
            torch.tensor(data, dtype=torch.int64) if isinstance(data, list) else super().read(data, metadata)
        )

    def __str__(self) -> str:
        texts = [plain(self)] if not self.is_batch else plain(self)
        if self.vocab is None:
            # What fills a text up is often -1, which is no character; it is shown as Unicode asks for.
            return "\n".join(
                "".join(chr(n) if 0 <= n <= 0x10FFFF else "\ufffd" for n in text.tolist()) for text in texts
            )
        return "\n".join(" ".join(name_of(n, self.vocab) for n in text.tolist()) for text in texts)


class Row(TypedTensor):
    """One line of a table: (columns,) of `float32`, or a batch of lines (count, columns).

    `names` are those of the columns. A column of kinds holds the number of a kind, and `vocabs` names them:
    for each column a tuple of names, or `None` for a column of amounts. An amount that is missing is NaN.

    >>> row = Row({"age": 39, "job": "nurse"}, vocabs={"job": ("baker", "nurse")})
    >>> row.tolist(), row["age"], row["job"]
    ([39.0, 1.0], 39.0, 'nurse')

    Raises `ValueError` for a text in a column without a vocabulary, or a count of names that does not fit.
    """

    axes = ("columns",)
    dtypes = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
    counts = True
    shared_metadata = ("names", "vocabs")
    row_metadata = ("names", "vocabs")
    names: tuple[str, ...] | None
    vocabs: tuple[tuple[str, ...] | None, ...] | None

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        if isinstance(data, Mapping) or hasattr(data, "to_dict"):
            cells = dict(data)
            metadata["names"] = names = tuple(map(str, cells))
            vocabs = cls.read_vocabs(metadata, names)
            numbers = [cell_number(*cell) for cell in zip(names, cells.values(), vocabs, strict=True)]
            return torch.tensor(numbers, dtype=torch.float32)
        tensor = super().read(data, metadata)
        if metadata.get("names") is not None:
            count = len(metadata["names"])
            cls.read_vocabs(metadata, metadata["names"])
            if tensor.dim() and tensor.shape[-1] != count:
                raise ValueError(f"{cls.__name__} has {count} names and {tensor.shape[-1]} numbers.")
        return tensor if tensor.is_floating_point() else tensor.float()

    @classmethod
    def read_vocabs(cls, metadata: dict[str, Any], names: Sequence[str]) -> tuple:
        """Bring `vocabs`, which may be given for some columns by name, into the order of the columns."""
        vocabs = metadata.get("vocabs")
        if isinstance(vocabs, Mapping):
            unknown = [name for name in vocabs if name not in names]
            if unknown:
                raise ValueError(f"{cls.__name__} has no column {unknown[0]!r}; it has {', '.join(names)}.")
            metadata["vocabs"] = vocabs = tuple(tuple(vocabs[n]) if n in vocabs else None for n in names)
        return vocabs or (None,) * len(names)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, str):
            return typed_selection(self, index, super().__getitem__(index))
        if self.names is None or index not in self.names:
            raise KeyError(
                f"this row has no column {index!r}; it has {', '.join(self.names or ('no names',))}"
            )
        place = self.names.index(index)
        column = plain(self)[..., place]
        vocab = self.vocabs[place] if self.vocabs else None
        if self.is_batch:
            return column
        return column.item() if vocab is None else name_of(int(column), vocab)

    def __str__(self) -> str:
        if self.is_batch or self.names is None:
            return repr(self)
        cells = ((name, self[name]) for name in self.names)
        return ", ".join(f"{name} {c if isinstance(c, str) else in_digits(c)}" for name, c in cells)


def number_of(name: str, vocab: Sequence[str] | None, kind: type) -> int:
    """Look a name up in a vocabulary; `ValueError` if it is not there."""
    if vocab is None or name not in vocab:
        raise ValueError(f"The vocabulary of this {kind.__name__} has no {name!r}; it is {some(vocab)}.")
    return vocab.index(name)


def some(vocab: Sequence[str] | None) -> str:
    """Write out a vocabulary, the first names of it if it is long."""
    if vocab is None or len(vocab) <= 8:
        return repr(vocab)
    return list_some(map(repr, vocab), most=8)


def name_of(number: int, vocab: Sequence[str] | None) -> str:
    """Name a number, or write it out if the vocabulary does not go that far."""
    return str(vocab[number]) if vocab is not None and 0 <= number < len(vocab) else str(number)


def cell_number(name: str, value: Any, vocab: Sequence[str] | None) -> float:
    """Turn one cell of a table into a number: an amount, or the number of its kind."""
    if vocab is not None:
        return float(number_of(str(value), vocab, Row))
    try:
        return float("nan") if value is None else float(value)
    except (TypeError, ValueError):
        raise ValueError(
            f"The column {name!r} of a Row holds {value!r}, which is no number. If it is a kind of thing, "
            f"name the kinds of this column: vocabs={{{name!r}: ({str(value)!r}, ...)}}."
        ) from None
