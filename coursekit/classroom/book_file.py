"""The file of a grade book: made or opened, known by its mark, and its troubles said in one sentence.

`gradebook.sql` says what lies in it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..progress import WorkspaceError

MARK, FORMAT = 0x67726164, 2  # "grad"
_SCHEMA = Path(__file__).with_name("gradebook.sql")
_OLDEST = (3, 37)  # the first SQLite with strict tables


class BookError(WorkspaceError):
    """A grade book that cannot be read or written, or not so; the message says what to do."""


class BookFile:
    """A grade book's file, open; use it in a `with`. It is made when there is none.

    Args:
        path: Where.
        patience: So many seconds another program may keep it locked.

    Raises:
        BookError: It cannot be opened, or is no grade book, or one of a newer format.
    """

    def __init__(self, path: Path | str, patience: float = 60.0) -> None:
        self.path = Path(path)
        self._rows = open_book(self.path, patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was stored is in it."""
        self._rows.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of it is stored, or nothing."""
        with plainly(self.path):
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._rows.execute("COMMIT")
            except BaseException:
                if self._rows.in_transaction:  # a full disk ends the transaction by itself
                    self._rows.execute("ROLLBACK")
                raise

    def _do(self, order: str, *values: Any) -> sqlite3.Cursor:
        return self._rows.execute(order, values)

    def _all(self, order: str, *values: Any) -> list[tuple]:
        with plainly(self.path), closing(self._rows.execute(order, values)) as cursor:
            return cursor.fetchall()


def open_book(path: Path, patience: float) -> sqlite3.Connection:
    """Open a grade book, or make one; other programs may do the same at this moment.

    Args:
        patience: So many seconds another program may keep it locked.

    Raises:
        BookError: It cannot be had; see `plainly`.
    """
    if sqlite3.sqlite_version_info < _OLDEST:
        raise BookError(
            f"A grade book needs SQLite 3.37 or newer; this Python came with {sqlite3.sqlite_version}."
        )
    _make_private(path)
    with plainly(path):
        rows = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
        try:
            _set_up(rows, path, patience)
        except BaseException:
            rows.close()
            raise
    return rows


def _make_private(path: Path) -> None:
    """Have an empty file there that nobody else may read; SQLite's files beside it get the same mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    except OSError as error:
        raise BookError(
            f"{path} cannot be made or opened: {error.strerror}. Choose another folder."
        ) from None


def _set_up(rows: sqlite3.Connection, path: Path, patience: float) -> None:
    """Look whose file it is before anything in it is changed; fill it when it is empty."""
    # Another program may be filling it at this moment, so nothing that is seen now counts but the whole.
    if _format(rows, path) < FORMAT:
        rows.execute("BEGIN IMMEDIATE")
        there = _format(rows, path)
        if not there:
            _refuse_others(rows, path)
        for order in _orders(since=there):
            rows.execute(order)
        rows.execute(f"PRAGMA application_id = {MARK}")
        rows.execute(f"PRAGMA user_version = {FORMAT}")
        rows.execute("COMMIT")
    _let_many_in(rows, patience)
    rows.execute("PRAGMA synchronous = FULL")  # what was said to be stored survives a power cut
    rows.execute("PRAGMA foreign_keys = ON")
    rows.execute("PRAGMA recursive_triggers = ON")  # else REPLACE deletes past the triggers


def _let_many_in(rows: sqlite3.Connection, patience: float) -> None:
    """Let readers in beside a writer; before this order alone SQLite does not wait for others itself."""
    until = time.monotonic() + patience
    while rows.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            rows.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _format(rows: sqlite3.Connection, path: Path) -> int:
    """The format of a grade book, one that we know; 0 where it is none."""
    ((mark,),) = rows.execute("PRAGMA application_id")
    ((newest,),) = rows.execute("PRAGMA user_version")
    if mark == MARK and newest > FORMAT:
        raise BookError(
            f"{path} is a grade book of format {newest}, and this coursekit knows format {FORMAT}: it was "
            "written by a newer one. Update coursekit; nothing was changed."
        )
    return newest if mark == MARK else 0


def _refuse_others(rows: sqlite3.Connection, path: Path) -> None:
    ((mark,),) = rows.execute("PRAGMA application_id")
    if mark or rows.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise BookError(f"{path} is a database of another program. Choose another file; nothing was changed.")


def _orders(since: int) -> Iterator[str]:
    """The orders of the schema that are newer than a format, one at a time.

    `executescript` would end the transaction.
    """
    order, of_format = "", 1
    for line in _SCHEMA.read_text(encoding="utf-8").splitlines():
        if line.startswith("-- Since format "):
            of_format = int(line.split()[3].rstrip(":"))
        order += line.partition("--")[0] + "\n"
        if sqlite3.complete_statement(order):
            if of_format > since:
                yield order
            order = ""


@contextmanager
def plainly(path: Path) -> Iterator[None]:
    """Say what SQLite could not do with the file in one sentence.

    Raises:
        BookError: It could not.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        said = _SENTENCES.get(code, f"cannot be used: {error}.")
        raise BookError(f"{path} {said}") from error


_STORED = "What was stored before is whole"
_SENTENCES = {
    sqlite3.SQLITE_BUSY: "is locked by another program. Let it finish, or end it, and try again.",
    sqlite3.SQLITE_READONLY: "may not be written. Let its owner grade, or choose another folder.",
    sqlite3.SQLITE_FULL: f"cannot grow: the disk is full. {_STORED}; make room and try again.",
    sqlite3.SQLITE_IOERR: f"cannot be read or written by this disk. {_STORED}; look at the disk, make room, "
    "and try again.",
    sqlite3.SQLITE_CORRUPT: "is damaged. Take your newest copy of it; `sqlite3 FILE .recover` may save what "
    "came since.",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened, or the files beside it cannot be made. Look who owns the "
    "folder.",
    sqlite3.SQLITE_NOTADB: "is no grade book. Choose another file; nothing was changed.",
}


def now() -> str:
    """This moment, as a book notes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def moment(text: str) -> datetime:
    """A time that a book notes."""
    return datetime.fromisoformat(text)


def utf8(text: str) -> str:
    """Text as a file can hold it: names of files may hold half characters, which are shown as numbers.

    >>> utf8("caf\\udce9")
    'caf\\\\udce9'
    """
    return text.encode("utf-8", "backslashreplace").decode()
