"""Find the items in whatever data come as: a table, a folder, arrays, a data set of another library.

An item is what one input and one target are made from. Most are records, dictionaries by the name of the
column; they are read when they are asked for, and not before.

>>> items = find_items({"weight": [3.1, 4.0], "label": ["lamb", "calf"]})
>>> items[1], column(items, "label")
({'weight': 4.0, 'label': 'calf'}, ['lamb', 'calf'])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import IterableDataset

from .dispatch import method
from .files import find_files, record_of
from .samples import describe, list_some

Take = str | int | list | tuple | dict | Callable[[Any], Any] | None

INPUT_NAMES = ("photo", "file", "image", "text", "input")
TARGET_NAMES = ("label", "target")
TABLES = (".csv", ".tsv", ".csv.gz", ".csv.xz", ".csv.bz2", ".csv.zip", ".tsv.gz", ".tsv.xz")


class Found(Sequence):
    """Items that are made when they are asked for; the base of the kinds below.

    Attributes:
        names: The names that each item has, for items that are records.
        cheap: Whether walking through one column costs little: nothing is opened or decoded for it.
    """

    names: Sequence = ()
    cheap = True

    def item(self, number: int) -> Any:
        """Make one item."""
        raise NotImplementedError

    def column(self, name: Any) -> list:
        """What all items have under a name."""
        return [item[name] for item in self]

    def __getitem__(self, number: Any) -> Any:
        if isinstance(number, slice):
            return Chosen(self, range(len(self))[number])
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no item {number}; there are {len(self)}.")
        return self.item(int(number) % len(self))


class Table(Found):
    """The rows of a pandas frame, each a dictionary of Python's own numbers and texts.

    >>> import pandas
    >>> Table(pandas.DataFrame({"age": [39, 50], "job": ["nurse", "baker"]}))[1]
    {'age': 50, 'job': 'baker'}
    """

    def __init__(self, frame: Any) -> None:
        self.frame, self.names = frame, list(frame.columns)
        twice = [name for place, name in enumerate(self.names) if name in self.names[:place]]
        if twice:
            raise ValueError(f"the table has more than one column {twice[0]!r}: give each a name of its own.")
        self._arrays: dict[Any, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def item(self, number: int) -> dict:
        """One row by the names of its columns."""
        return {name: cell(self.array(name)[number]) for name in self.names}

    def column(self, name: Any) -> list:
        """One column as a list."""
        return self.array(name).tolist()

    def array(self, name: Any) -> np.ndarray:
        """One column as an array, of numbers or of objects; read once from the frame, which may be slow."""
        if name not in self._arrays:
            column, dtype = self.frame[name], self.frame.dtypes[name]
            is_plain = isinstance(dtype, np.dtype) and dtype.kind in "biuf"
            objects = () if is_plain else map(cell, np.asarray(column, dtype=object))
            self._arrays[name] = np.asarray(column) if is_plain else np.fromiter(objects, object, len(column))
        return self._arrays[name]


class Cells(Mapping):
    """Several rows of a table at once: an array of cells for each column.

    >>> import pandas
    >>> Cells(Table(pandas.DataFrame({"age": [39, 50, 41]})), [2, 0])["age"]
    array([41, 39])
    """

    def __init__(self, table: Table, numbers: Sequence[int]) -> None:
        self.table, self.numbers = table, numbers

    def __getitem__(self, name: Any) -> np.ndarray:
        return self.table.array(name)[self.numbers]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.table.names)

    def __len__(self) -> int:
        return len(self.table.names)


def cells_of(items: Sequence, numbers: Sequence[int]) -> Cells | None:
    """The cells of several items at once, if the items are rows of a table."""
    if isinstance(items, Chosen):
        return cells_of(items.items, [items.numbers[number] for number in numbers])
    return Cells(items, numbers) if isinstance(items, Table) else None


class Columns(Found):
    """Arrays, tensors or lists of one length, side by side: a dictionary gives records, a tuple tuples.

    Columns of pandas go by the place of a value, whatever their index says; a table gives records.

    Raises:
        ValueError: They differ in length.

    >>> Columns((np.zeros((2, 3)), ["a", "b"]))[1]
    (array([0., 0., 0.]), 'b')
    """

    def __init__(self, columns: Mapping | tuple) -> None:
        of_names = isinstance(columns, Mapping)
        self.names = list(columns) if of_names else range(len(columns))
        placed = {name: by_place(columns[name]) for name in self.names}
        self.columns: Any = placed if of_names else tuple(placed.values())
        lengths = {name: length_of(self.columns[name]) for name in self.names}
        if len(set(lengths.values())) != 1:
            said = ", ".join(f"{name!r} has {'no' if n is None else n}" for name, n in lengths.items())
            raise ValueError(
                f"the columns of one source hold one value for each item, so they are equally long; {said}."
            )

    def __len__(self) -> int:
        return len(self.columns[self.names[0]])

    def item(self, number: int) -> Any:
        """What stands at one place in each column."""
        values = [cell(self.columns[name][number]) for name in self.names]
        return dict(zip(self.names, values, strict=True)) if isinstance(self.columns, dict) else tuple(values)

    def column(self, name: Any) -> list:
        """One column as a list."""
        return list(map(cell, self.columns[name]))


def by_place(column: Any) -> Any:
    """A column whose values are asked for by their place: those of pandas go by the names in an index."""
    if not hasattr(column, "iloc"):
        return column
    return Table(column) if hasattr(column, "columns") else column.array


class Rows(Found):
    """The rows of a `Dataset` of Hugging Face, with the names of classes in place of their numbers."""

    cheap = False

    def __init__(self, dataset: Any) -> None:
        self.dataset, self.names = dataset, list(dataset.column_names)
        self.classes = {name: class_names(dataset.features[name]) for name in self.names}

    def __len__(self) -> int:
        return len(self.dataset)

    def item(self, number: int) -> dict:
        """One row by the names of its columns."""
        return {name: renamed(value, self.classes[name]) for name, value in self.dataset[number].items()}

    def column(self, name: Any) -> list:
        """One column, and no other is decoded for it."""
        return [renamed(value, self.classes[name]) for value in self.dataset[name]]


class Indexed(Found):
    """The items of anything that has a length and can be asked for its items by number."""

    cheap = False

    def __init__(self, source: Any) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def item(self, number: int) -> Any:
        """One item."""
        return self.source[number]


class Chosen(Found):
    """Some of the items, by their numbers, in that order.

    >>> list(Chosen("abc", [2, 0]))
    ['c', 'a']
    """

    def __init__(self, items: Sequence, numbers: Sequence[int]) -> None:
        self.items, self.numbers = items, numbers
        self.names, self.cheap = getattr(items, "names", ()), is_cheap(items)

    def __len__(self) -> int:
        return len(self.numbers)

    def item(self, number: int) -> Any:
        """One of the chosen."""
        return self.items[self.numbers[number]]

    def column(self, name: Any) -> list:
        """A column of the chosen."""
        values = column(self.items, name)
        return [values[number] for number in self.numbers]


@dataclass(frozen=True)
class Together:
    """Make one item of all rows with the same value in a column: `find=Together("image")` for a row a box.

    What is the same in all rows of an item stays one value; of the rest the item has a list.

    >>> rows = {"image": ["a", "b", "a"], "left": [3, 5, 8], "ward": [1, 2, 1]}
    >>> Together("image")(rows)[0]
    {'image': 'a', 'left': [3, 8], 'ward': 1}
    """

    column: str

    def __call__(self, source: Any) -> list[dict]:
        """Find the rows of a source, and put those together that belong together."""
        found: dict[Any, list[dict]] = {}
        for row in find_items(source):
            found.setdefault(taken(row, self.column), []).append(row)
        return [{name: agreed([row[name] for row in rows]) for name in rows[0]} for rows in found.values()]


def agreed(values: list) -> Any:
    """The value, if all are the same; else the list of them."""
    return values[0] if all(value == values[0] for value in values) else values


@method
def find_items(source: Any) -> Sequence:
    """List the items of a source, by what it is.

    Args:
        source: A pandas frame, or the name of a CSV file: each row is an item. A folder: each photo in it (if
            there is none: each scan, or each text), with `file`, `label` (the name of the folder it lies in),
            `part` (the first folder below the source) and `folder` (the source). A dictionary or a tuple of
            equally long lists, arrays or tensors. A `Dataset` of Hugging Face or of torch. A list, anything
            with a length and numbered items, and anything else that can be walked through and ends.

    Returns:
        A sequence of items. For a source of a kind of your own, write `@find_items.method` above a function.

    Raises:
        TypeError: Nothing that items could be found in, such as a set, whose order changes.
        ValueError: No item was found, or columns of different lengths.
        FileNotFoundError: There is no such folder or file.

    >>> find_items([("a", 1), ("b", 2)])[1]
    ('b', 2)
    >>> list(find_items(word for word in ("wax", "wane")))
    ['wax', 'wane']
    """
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        return some(Table(source), source)
    if hasattr(source, "column_names") and hasattr(source, "features"):
        return some(Rows(source), source)
    if isinstance(source, AbstractSet) or (not hasattr(source, "__iter__") and not has_numbers(source)):
        raise TypeError(
            f"items are found in tables, folders, arrays, lists and data sets; {describe(source)} came. "
            "(A set has no order: give sorted(it).) Say how with find=, a function that gives a list."
        )
    if isinstance(source, Sequence):
        return some(source, source)
    return some(Indexed(source) if has_numbers(source) else list(source), source)


@method
def find_items(source: str | Path | os.PathLike) -> Sequence:
    path = os.fspath(source)
    if path.lower().endswith(TABLES) and os.path.isfile(path):
        return find_items(read_table(path))
    return [record_of(file, path) for file in find_files(path)]


@method
def find_items(source: dict | Mapping) -> Sequence:
    if source and all(hasattr(part, "column_names") for part in source.values()):
        rows = [(Rows(part), name) for name, part in source.items()]
        return [{**row, "part": name} for part, name in rows for row in part]
    return some(Columns(source), source) if source else some([], source)


@method
def find_items(source: tuple) -> Sequence:
    are_columns = len(source) > 1 and all(isinstance(one, list) or hasattr(one, "shape") for one in source)
    return some(Columns(source) if are_columns else source, source)


def some(items: Sequence, source: Any) -> Sequence:
    """The items, if there is one."""
    if len(items) == 0:
        raise ValueError(f"no item was found in {describe(source)}.")
    return items


def read_table(path: str) -> Any:
    """Read a CSV file; its columns may be parted by commas, semicolons or tabs, its decimals by commas.

    A column with numbers that begin with zeros, 0042, is one of names, and stays as it is written.

    Raises:
        ValueError: It is not written in UTF-8, or its rows are not equally long.
    """
    import pandas

    try:
        head = pandas.read_csv(path, sep="\x00", nrows=1, header=None, engine="python").iloc[0, 0]
        mark = max(",;\t", key=str(head).count)
        texts = pandas.read_csv(path, sep=mark, dtype=str)
        cells = {name: texts[name].dropna().str for name in texts if texts[name].notna().any()}
        commas = mark != "," and any(column.fullmatch(r"-?\d+,\d+").all() for column in cells.values())
        names = {name: str for name, column in cells.items() if column.fullmatch(r"0\d+").any()}
        return pandas.read_csv(path, sep=mark, decimal="," if commas else ".", dtype=names)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not written in UTF-8 ({error.reason} at byte {error.start}). If it comes from a "
            f"spreadsheet: pandas.read_csv({path!r}, encoding='cp1252'), and give what that reads. (With "
            "sep=';', decimal=',' if columns are parted by semicolons.)"
        ) from None
    except pandas.errors.ParserError as error:
        raise ValueError(f"{path} could not be read as a table: {error}.") from None


def taken(item: Any, take: Take) -> Any:
    """Take the input or the target out of an item.

    Args:
        item: A row of a table, a dictionary, a tuple, anything.
        take: The name of a column or key, a position, a list of names (a dictionary of these comes out), or a
            function of the item; a tuple or a dictionary of these for several; None for the item as it is.

    Raises:
        KeyError: The item does not have it; the message lists what it has.

    >>> taken({"photo": "1.jpg", "label": "cat"}, "label")
    'cat'
    >>> taken({"age": 39, "job": "nurse", "name": "Ann"}, ["age", "job"])
    {'age': 39, 'job': 'nurse'}
    >>> taken("cat_1.jpg", lambda name: name.split("_")[0])
    'cat'
    """
    if take is None:
        return item
    if callable(take):
        return take(item)
    if isinstance(take, list):
        return {name: taken(item, name) for name in take}
    if isinstance(take, tuple):
        return tuple(taken(item, one) for one in take)
    if isinstance(take, dict):
        return {name: taken(item, one) for name, one in take.items()}
    try:
        return item[take]
    except (KeyError, IndexError, TypeError) as error:
        near = nearest(take, item) if isinstance(item, Mapping) else None
        do = SAY_WHERE if near is None else f"Did you mean {near!r}?"
        raise KeyError(Lacking(f"an item has no {take!r}; {held(item)}. {do}")) from error


class Lacking(str):
    """A message that `KeyError`, which shows what it is given as Python would write it, shows as it is."""

    __repr__ = str.__str__


SAY_WHERE = "Say where inputs and targets are with input_from and target_from."


def usual_take(item: Any, names: Sequence[str], place: int) -> Take:
    """Where an item most likely keeps its input or target: under the first of these names, or at a position.

    Raises:
        KeyError: A record that has none of the names, or no such position.

    >>> usual_take({"file": "1.jpg", "label": "cat"}, INPUT_NAMES, 0), usual_take(("1.jpg", "cat"), (), 1)
    ('file', 1)
    """
    if isinstance(item, Mapping):
        there = [name for name in names if name in item]
        if not there:
            raise KeyError(Lacking(f"an item has none of {list_some(names)}; {held(item)}. {SAY_WHERE}"))
        return there[0]
    if isinstance(item, tuple | list) and len(item) > place:
        return place
    if place == 0:
        return None
    raise KeyError(Lacking(f"an item holds no target that could be found; {held(item)}. {SAY_WHERE}"))


def nearest(name: Any, names: Iterable) -> Any:
    """The name that was most likely meant, in other letters or nearly so; None if none is near.

    >>> nearest("Patient ", ["ward", "patient"])
    'patient'
    """
    alike = {str(one).strip().casefold(): one for one in names}
    near = get_close_matches(str(name).strip().casefold(), alike, n=1)
    return alike[near[0]] if near else None


def held(item: Any) -> str:
    """Say what there is to take from an item."""
    return f"it has {list_some(item, most=12)}" if isinstance(item, Mapping) else f"it is {describe(item)}"


def column(items: Sequence, take: Take) -> list:
    """What is taken from every item, as a list; in one go where the items are a table.

    >>> column([("a", 1), ("b", 2)], 1)
    [1, 2]
    """
    if isinstance(items, Found) and isinstance(take, str | int) and take in items.names:
        return items.column(take)
    return [taken(item, take) for item in items]


def is_cheap(items: Sequence) -> bool:
    """Whether walking through all items opens and decodes nothing."""
    return items.cheap if isinstance(items, Found) else isinstance(items, list | tuple)


def cheap_column(items: Sequence, take: Take) -> list | None:
    """What all items have under a name or at a position, if nothing is opened to see it; else None."""
    return column(items, take) if isinstance(take, str | int) and is_cheap(items) else None


def is_missing(value: Any) -> bool:
    """Whether a cell says that there is nothing: None or NaN.

    >>> is_missing(None), is_missing(float("nan")), is_missing(0), is_missing("")
    (True, True, False, False)
    """
    return value is None or (isinstance(value, float) and value != value)


def cell(value: Any) -> Any:
    """NumPy's single numbers and texts as Python's; None for what pandas says is missing."""
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64 | np.timedelta64):
        return value.item()
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def length_of(values: Any) -> int | None:
    """How many values a column has; None for what is no column."""
    return None if isinstance(values, str | bytes) or not hasattr(values, "__len__") else len(values)


def has_numbers(source: Any) -> bool:
    """Whether items can be asked for by number; if not, they can only be walked through.

    >>> has_numbers([3, 4]), has_numbers(iter([3, 4]))
    (True, False)
    """
    streamed = isinstance(source, IterableDataset)
    return not streamed and hasattr(source, "__len__") and hasattr(source, "__getitem__")


def class_names(feature: Any) -> Sequence[str] | None:
    """The names of the classes that a column of a Hugging Face data set numbers, alone or in lists."""
    names = getattr(feature, "names", None)
    inner = getattr(feature, "feature", None)
    return names if names is not None or inner is None else class_names(inner)


def renamed(value: Any, names: Sequence[str] | None) -> Any:
    """A class's name in place of its number; -1, which says that nobody knows, is None."""
    if names is None or value is None:
        return value
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [renamed(one, names) for one in value]
    return names[value] if isinstance(value, int) and value >= 0 else None
