"""How courses of 10, 300, 2,000 and 10,000 are graded, each by one command: how fast, with how much memory.

The command is `coursekit grade`, with all protections on and everything that it writes: the grade book, a
page for each learner, the overview, the tables. Submissions are those of `grading_peers`, three functions
in several right and wrong ways. While it runs the grader's memory is looked at, and how many results are
stored by then; afterwards the rows of the grade book are counted, and their points compared with what each
submission should get.

Bounds: no submission is lost, stored twice or has other points than it should; what the grader holds when all
are graded is at most a tenth more than when a tenth was. `COUNTS`, from the environment, are other sizes.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from grading_peers import earned, learner_name, our_command, write_course
from record import record

COUNTS = tuple(int(one) for one in os.environ.get("COUNTS", "10 300 2000 10000").split())
FLAT = 1.1
PAGE = os.sysconf("SC_PAGE_SIZE")


class Look(NamedTuple):
    """One look at a grader that runs.

    Attributes:
        stored: How many results its book has by then.
        grader: Bytes that it holds itself.
        below: Bytes that all it has started hold, what they share counted for each.
    """

    stored: int
    grader: int
    below: int


def looks(process: subprocess.Popen[bytes], book: Path) -> Iterator[Look]:
    """Look twice a second, until it ends."""
    while process.poll() is None:
        yield Look(stored(book), held(process.pid), sum(map(held, below(process.pid))))
        time.sleep(0.5)


def stored(book: Path) -> int:
    """How many results are in a book; none while it is not there."""
    try:
        with closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True)) as rows:
            return rows.execute("SELECT count(*) FROM grades").fetchone()[0]
    except sqlite3.Error:
        return 0


def held(number: int) -> int:
    """Bytes of memory that a process holds; none when it has ended."""
    try:
        return int(Path(f"/proc/{number}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def below(number: int) -> list[int]:
    """The processes that a process has started, and they in turn."""
    try:
        lists = [file.read_text() for file in Path(f"/proc/{number}/task").glob("*/children")]
    except OSError:
        return []
    children = [int(child) for text in lists for child in text.split()]
    return children + [one for child in children for one in below(child)]


def graded(folder: Path, count: int) -> dict[str, Any]:
    """Grade a course of so many; a line of the table."""
    command = our_command(folder, folder / "grades")
    book = folder / "grades" / "grades.sqlite"
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        seen = list(looks(process, book))
    taken = time.perf_counter() - began
    first = next((look for look in seen if look.stored * 10 >= count), seen[-1])
    last = next((look for look in seen if look.stored >= count), seen[-1])
    return {
        "submissions": count,
        "seconds": round(taken, 1),
        "a second, all in all": round(count / taken, 1),
        "MB when a tenth was graded": round(first.grader / 1e6, 1),
        "MB when all were": round(last.grader / 1e6, 1),
        "MB at most": round(max(look.grader for look in seen) / 1e6, 1),
        "MB at most of what it started": round(max(look.below for look in seen) / 1e6),
        **faults(book, count),
        "ended with": process.returncode,
    }


def faults(book: Path, count: int) -> dict[str, int]:
    """Submissions that are lost, that stand or were graded twice, and that have the wrong points."""
    with closing(sqlite3.connect(book)) as rows:
        found = rows.execute(
            "SELECT learner, points, outcome FROM submissions LEFT JOIN grades USING (submission)"
        ).fetchall()
    points = {learner: earned_ for learner, earned_, outcome in found if outcome == "graded"}
    right = {learner_name(number): earned(number) for number in range(count)}
    return {
        "lost": len(right.keys() - points.keys()),
        "doubled": len(found) - len({learner for learner, _, _ in found}),
        "wrong points": sum(points[one] != right[one] for one in right.keys() & points.keys()),
    }


def main() -> int:
    """How many bounds were broken."""
    rows, broken = [], 0
    for count in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            write_course(Path(folder), count)
            rows.append(graded(Path(folder), count))
        row = rows[-1]
        print(row, flush=True)
        wrong = any(row[name] for name in ("lost", "doubled", "wrong points", "ended with"))
        grows = row["MB when all were"] > FLAT * row["MB when a tenth was graded"]
        broken += wrong + grows
    record("course_sizes", rows)
    return broken


if __name__ == "__main__":
    sys.exit(main())
