"""A list of changes to labels: made by a person, kept in a CSV file, applied to a table. No photo is touched.

>>> from tempfile import TemporaryDirectory
>>> import pandas
>>> table = pandas.DataFrame({"photo": ["a.jpg", "b.jpg", "c.jpg"], "label": ["cat", "cat", "dog"]})
>>> with TemporaryDirectory() as folder:
...     changes = Changes(Path(folder, "changes.csv"))
...     changes.decide("b.jpg", "cat", "dog")
...     changes.decide("c.jpg", "dog", "", "blurred")
...     apply_changes(table, Path(folder, "changes.csv"))["label"].tolist()
['cat', 'dog']
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..samples import list_some

if TYPE_CHECKING:
    import pandas

# How the reasons begin for which photos are left out by themselves; for the first, whatever is decided.
UNREADABLE, COPY, LONELY = "it cannot be read", "it is the same photo as", "it is the only photo of"
PHOTO_NAMES = ("photo", "file", "image")
LABEL_NAMES = ("label", "target")


@dataclass(frozen=True)
class Change:
    """One decision about one item.

    Attributes:
        item: Its file; of items without files, the number of the row, from 0.
        was: The label it had.
        now: The label it gets; nothing if it is left out.
        why: A reason, if one was given.
    """

    item: str
    was: str
    now: str
    why: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether a person decided it."""
        return not self.why.startswith((UNREADABLE, COPY, LONELY))


class Changes:
    """Decisions, the latest of each item, written to a file as soon as they are made.

    Args:
        file: Where they are kept, as CSV; what it holds already is taken up. None keeps them in memory.

    Raises:
        ValueError: The file is no list of changes.

    >>> changes = Changes()
    >>> changes.decide("7", "sound", "broken")
    >>> changes.decide("7", "sound", "")
    >>> changes.undo()
    'is broken again'
    >>> changes["7"].now, len(changes)
    ('broken', 1)
    """

    def __init__(self, file: str | os.PathLike[str] | None = None) -> None:
        self.file = Path(file) if file is not None else None
        self._past: list[tuple[str, Change | None]] = []
        there = self.file is not None and self.file.exists()
        self._made = {one.item: one for one in (read_changes(self.file) if there else ())}  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._made)

    def __iter__(self) -> Any:
        return iter(self._made.values())

    def __getitem__(self, item: str) -> Change:
        return self._made[item]

    def __contains__(self, item: object) -> bool:
        return item in self._made

    def decide(self, item: str, was: str, now: str, why: str = "") -> None:
        """Give an item another label, or none to leave it out; its old one takes the change back."""
        self._past.append((item, self._made.get(item)))
        self._put(item, None if now == was else Change(item, was, now, why))

    def undo(self) -> str:
        """Take the last decision back; what is so again, or nothing if there is none."""
        if not self._past:
            return ""
        item, before = self._past.pop()
        self._put(item, before)
        if before is None:
            return "is as it was"
        return f"is {before.now} again" if before.now else "is left out again"

    def restore(self, item: str) -> None:
        """Give an item back the label it had.

        Raises:
            ValueError: It was left out because it cannot serve.
        """
        one = self._made[item]
        if one.why.startswith(UNREADABLE):
            raise ValueError(f"{Path(item).name} stays out: {one.why}")
        self.decide(item, one.was, one.was)

    def leave_out(self, reasons: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Leave out items for a reason; what a person decided about one already stays.

        What was left out by itself before, and has no reason any more, comes in again: it was mended, or is
        no longer the only one.
        """
        kept = {one.item: one for one in self if one.by_hand or one.item not in labels}
        new = {item: Change(item, labels[item], "", why) for item, why in reasons.items() if item not in kept}
        if kept | new != self._made:
            self._made = kept | new
            self.write()

    def set_aside(self) -> str:
        """Begin anew without what a person decided; the list so far stays, in a file whose name is given.

        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     changes = Changes(Path(folder, "changes.csv"))
        ...     changes.decide("7", "sound", "broken")
        ...     changes.set_aside(), len(changes), len(read_changes(Path(folder, "changes-aside.csv")))
        ('changes-aside.csv', 0, 1)
        """
        if self.file is None:
            raise ValueError("these changes are in no file: take them back one by one.")
        names = (f"{self.file.stem}-aside{f'-{number}' * (number > 1)}.csv" for number in count(1))
        aside = next(file for file in map(self.file.with_name, names) if not file.exists())
        os.replace(self.file, aside)
        self._made, self._past = {one.item: one for one in self if not one.by_hand}, []
        self.write()
        return aside.name

    def view(self) -> dict[str, Any]:
        """What is to be seen of them in a page."""
        shown = [
            vars(one) | {"name": Path(one.item).name, "fixed": one.why.startswith(UNREADABLE)} for one in self
        ]
        return {"changes": shown, "undo": self.may_undo, "file": str(self.file or "")}

    @property
    def may_undo(self) -> bool:
        """Whether there is a decision to take back."""
        return bool(self._past)

    def _put(self, item: str, change: Change | None) -> None:
        if change is None:
            self._made.pop(item, None)
        else:
            self._made[item] = change
        self.write()

    def write(self) -> None:
        """Put them down where they are kept: all, or after a failure what was there before."""
        if self.file is None:
            return
        unfinished = self.file.with_name(f"{self.file.name}.unfinished")
        with unfinished.open("w", encoding="utf-8", newline="") as opened:
            rows = csv.writer(opened)
            rows.writerow([field.name for field in fields(Change)])
            rows.writerows([shortened(one.item, self.file), one.was, one.now, one.why] for one in self)
        os.replace(unfinished, self.file)

    def table(self) -> pandas.DataFrame:
        """The changes as a table with the columns `item`, `was`, `now` and `why`."""
        import pandas

        return pandas.DataFrame([astuple(one) for one in self], columns=[one.name for one in fields(Change)])


def read_changes(file: str | os.PathLike[str]) -> list[Change]:
    """Read a list of changes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no list of changes.
    """
    with open(file, encoding="utf-8", newline="") as opened:
        rows = csv.DictReader(opened)
        names = [field.name for field in fields(Change)]
        if rows.fieldnames is None or {*names} - {*rows.fieldnames}:
            raise ValueError(
                f"{os.fspath(file)} is no list of changes: its first line names the columns "
                f"{', '.join(names)}, and here it is {','.join(rows.fieldnames or ['nothing'])!r}."
            )
        made = [Change(*(str(row[name] or "") for name in names)) for row in rows]
    return [replace(one, item=lengthened(one.item, Path(file))) for one in made]


def shortened(item: str, file: Path) -> str:
    """A photo's file as it is written into a list: from the list's own folder on, so both may move together.

    >>> shortened(os.path.abspath("photos/1.jpg"), Path("changes.csv")), shortened("7", Path("changes.csv"))
    ('photos/1.jpg', '7')
    """
    here = Path(os.path.abspath(file)).parent
    path = Path(item)
    return path.relative_to(here).as_posix() if path.is_absolute() and path.is_relative_to(here) else item


def lengthened(item: str, file: Path) -> str:
    """The file that a list means; what is no file stays as it is.

    >>> lengthened("7", Path("changes.csv"))
    '7'
    """
    path = Path(os.path.abspath(file)).parent / item
    return str(path) if "/" in item or path.is_file() else item


def apply_changes(
    table: pandas.DataFrame, changes: str | os.PathLike[str] | pandas.DataFrame
) -> pandas.DataFrame:
    """Apply a list of changes to a table of photos: some rows get another label, some are left out.

    Args:
        table: With the photo's file in a column `photo`, `file` or `image`, and its label in `label` or
            `target`.
        changes: The CSV file that `studio` or `clean` wrote, or a table with its columns: `item` (the file,
            or the number of the row), `was`, `now` (nothing: leave it out) and `why`.

    Returns:
        A new table, with new row numbers; the given one stays as it is.

    Raises:
        ValueError: The list is of another table: no item, or a label that is neither the old nor the new one.

    >>> import pandas
    >>> table = pandas.DataFrame({"file": ["a.jpg", "b.jpg"], "label": ["cat", "cat"]})
    >>> changes = pandas.DataFrame([{"item": "b.jpg", "was": "cat", "now": "dog", "why": ""}])
    >>> apply_changes(table, changes)["label"].tolist(), table["label"].tolist()
    (['cat', 'dog'], ['cat', 'cat'])
    """
    made = changes_of(changes)
    label = next((name for name in LABEL_NAMES if name in table.columns), None)
    if label is None:
        raise ValueError(
            "the labels of a table stand in a column `label` or `target`; this one has "
            f"{list_some(table.columns)}."
        )
    found = found_in(table, made)
    labels, names = list(table[label]), {str(name): name for name in table[label]}
    for place, one in found.items():
        if one.now and str(labels[place]) not in (one.was, one.now):
            raise ValueError(
                f"the list changes {one.item!r} from {one.was!r} to {one.now!r}, and in the table it is "
                f"{labels[place]!r}."
            )
        labels[place] = names.get(one.now, one.now)
    kept = [place for place in range(len(table)) if place not in found or found[place].now]
    return table.assign(**{label: labels}).iloc[kept].reset_index(drop=True)


def changes_of(changes: str | os.PathLike[str] | pandas.DataFrame) -> list[Change]:
    """The changes in a file, or in a table."""
    if isinstance(changes, str | os.PathLike):
        return read_changes(changes)
    return [Change(*(str(row[field.name]) for field in fields(Change))) for _, row in changes.iterrows()]


def found_in(table: pandas.DataFrame, made: list[Change]) -> dict[int, Change]:
    """The changes of items that stand in a table, by their rows; ValueError if there is not one."""
    places = places_of(table)
    found = {places[name]: one for one in made for name in {one.item, os.path.abspath(one.item)} & {*places}}
    if made and not found:
        raise ValueError(
            f"none of the {len(made)} changes is of an item of this table: the first is of "
            f"{made[0].item!r}. Is the list of another folder?"
        )
    return found


def places_of(table: pandas.DataFrame) -> dict[str, int]:
    """Where the item of each name stands in a table: by its file, or else by its number."""
    column = next((name for name in PHOTO_NAMES if name in table.columns), None)
    numbers = {str(number): number for number in range(len(table))}
    if column is None or not all(isinstance(one, str | os.PathLike) for one in table[column]):
        return numbers
    return {os.path.abspath(one): number for number, one in enumerate(table[column])}
