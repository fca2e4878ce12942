"""The class list: who should have handed something in, and who did that nobody expected.

>>> people = read_roster_text("name,e-mail\\nAna Ruiz,ana@uni.example\\nBen Li,ben@uni.example\\n")
>>> Presence.of(people, ["Ana Ruiz (1327627)", "ghost"])
Presence(missing=('Ben Li',), strangers=('ghost',))
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..progress import WorkspaceError
from .neutral import line
from .senders import NUMBERED

MOST_BYTES, MOST_PEOPLE, MOST_NAMES = 2**24, 200_000, 20
# What a column may be called in which somebody's names stand, also in exports of Canvas and Moodle.
NAMES = {
    "name", "full name", "fullname", "student", "learner", "id", "id number", "sid", "sis user id",
    "sis login id", "username", "user", "login", "email", "e-mail", "email address", "e-mail address",
}  # fmt: skip
FIRST, LAST = {"first name", "given name"}, {"last name", "surname", "family name"}
# Canvas's second row, which is nobody.
_NOBODY = "points possible"

Person = tuple[str, ...]


def read_roster(path: Path) -> list[Person]:
    """Everybody on a class list: a name on each line, or a table (CSV) with a line for each.

    Args:
        path: The file. Where a table has heads that are known, as in exports of Canvas and Moodle, only these
            columns are read; else all of them are names of that person.

    Raises:
        WorkspaceError: It cannot be read, or nobody stands in it.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise WorkspaceError(f"The class list {path} is larger than {MOST_BYTES // 2**20} MiB.")
        people = read_roster_text(data.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8, with a line for each"
        raise WorkspaceError(f"The class list {path} cannot be read: {why}.") from None
    if not people:
        raise WorkspaceError(f"Nobody stands on the class list {path}.")
    return people


def read_roster_text(text: str) -> list[Person]:
    """The people of a class list, each with all names that they are known by, the first to print."""
    first = text.partition("\n")[0]
    between = max(",;\t", key=first.count)
    rows = [[_plain(cell) for cell in row] for row in csv.reader(text.splitlines(), delimiter=between)]
    rows = [row for row in rows if any(row)]
    heads = [head.casefold() for head in rows[0]] if rows else []
    has_heads = bool({*heads} & (NAMES | FIRST | LAST))
    people = (_person(row, heads if has_heads else []) for row in rows[has_heads:])
    return [one for one in people if one and one[0].casefold() != _NOBODY][:MOST_PEOPLE]


def _person(row: Sequence[str], heads: Sequence[str]) -> Person:
    if not heads:
        return tuple(filter(None, row))[:MOST_NAMES]
    told = dict(zip(heads, row, strict=False))
    parts = [next((told[head] for head in told if head in which), "") for which in (FIRST, LAST)]
    names = [" ".join(filter(None, parts)), *(told[head] for head in heads if head in NAMES and head in told)]
    return tuple(dict.fromkeys(filter(None, names)))[:MOST_NAMES]


def _plain(cell: str) -> str:
    return line(" ".join(cell.split()), 120)


@dataclass(frozen=True)
class Presence:
    """Who of a class list is not there, and who is there and not on it.

    >>> Presence.of([("Ana Ruiz", "ana@uni.example")], ["ana@uni.example"])
    Presence(missing=(), strangers=())
    """

    missing: tuple[str, ...]
    strangers: tuple[str, ...]

    @classmethod
    def of(cls, people: Sequence[Person], learners: Collection[str]) -> Presence:
        """Compare a class list with the learners of a grade book, as these are called there.

        Somebody is found by any of their names, or by the name or number that a download gave them. Two who
        are called the same are told apart by what else is known of them.
        """
        by_key: dict[str, list[int]] = {}
        for number, person in enumerate(people):
            for name in person:
                by_key.setdefault(name.casefold(), []).append(number)
        found: set[int] = set()
        strangers = []
        for learner in sorted(learners):
            meant = [number for key in _keys(learner) for number in by_key.get(key, ())]
            free = [number for number in meant if number not in found]
            found.update(free[:1])
            strangers += [] if meant else [learner]
        missing = [person[0] for number, person in enumerate(people) if number not in found]
        return cls(tuple(missing), tuple(strangers))


def _keys(learner: str) -> list[str]:
    """What a learner of the book may stand as on a list: the number first, as it is nobody else's."""
    numbered = NUMBERED.fullmatch(learner)
    names = [numbered[2], learner, numbered[1]] if numbered else [learner]
    return [_plain(name).casefold() for name in names]
