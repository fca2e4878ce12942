"""Grading that is killed at random moments, in every part, and must end as if nothing had happened.

`python tests/faults.py FOLDER COUNT KILLS WORKERS` grades a course of COUNT submissions again and again, and
each time something is lost by SIGKILL, at a random moment: by turns the grader, one of the processes that the
grader started (the warm process, what locks it in, the process of a learner), and, if WORKERS are wanted,
one of a cluster. Whenever the command says that all is done, every submission must stand in the grade book
once, with the points that are its due, and then another book is begun; at the end no process may be left. One
line of JSON says what was seen.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path

from clusters import ROOT, Cluster, cluster
from processes import below, command

from coursekit.grader.exercises import load
from coursekit.grader.starter import solution, starter

WORD = "gradient_descent"
COMMAND = [sys.executable, "-c", "from coursekit.cli import main; main()", "grade"]
PR_SET_CHILD_SUBREAPER = 36
GIVE_UP = 300.0
BOOK = "grades.sqlite"
# What is done instead of an answer.
ODD = {
    "ends Python": "import os; os._exit(0)",
    "raises": "raise OSError('no')",
    "leaves a child": "import os, time; os.fork() or time.sleep(600)",
}
WORTH = {"right": load(WORD).points, "starter": 0} | dict.fromkeys(ODD, 0)


def kits() -> dict[str, dict[str, str]]:
    """Submissions of several kinds, by name: module to text."""
    names = {full: full.rpartition(".")[2] for full in load(WORD).yours}
    odd = {
        kind: solution(WORD, {full: f"def {name}(*given, **more): {does}" for full, name in names.items()})
        for kind, does in ODD.items()
    }
    return {"right": solution(WORD), "starter": starter(WORD), **odd}


def write_course(folder: Path, count: int) -> dict[str, str]:
    """A folder of that many submissions of each kind in turn; each learner's kind."""
    kinds, course = kits(), {}
    for number in range(count):
        learner, kind = f"learner-{number:05}", list(kinds)[number % len(kinds)]
        kit = folder / learner / "mykit"
        kit.mkdir(parents=True)
        for module, text in kinds[kind].items():
            (kit / f"{module}.py").write_text(f"{text}\n# {number}\n", encoding="utf-8")
        course[learner] = kind
    return course


def grade(course: Path, into: Path, *more: str) -> subprocess.Popen[bytes]:
    """`coursekit grade` in a process of its own; what it says comes into a file beside the grades."""
    command = [*COMMAND, str(course), "--exercise", WORD, "--into", str(into), *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with into.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def nothing_left(but: Iterable[int] = (), patience: float = 10.0) -> bool:
    """Whether all that was started has ended, but some processes and what is below them.

    What has lost its parent is ours by then, and counts.
    """
    until = time.monotonic() + patience
    while True:
        left = below(os.getpid()).difference(but, *map(below, but))
        if not left or time.monotonic() > until:
            break
        time.sleep(0.05)
    for one in left:
        print("left behind:", command(one)[:200], file=sys.stderr)
    return not left


def points(book: Path) -> dict[str, list[int]]:
    """Each learner's points: of every submission that stands in the book, of every result it has."""
    found: dict[str, list[int]] = {}
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(_read_only(book)) as rows:
        for learner, earned in rows.execute(
            "SELECT learner, points FROM submissions LEFT JOIN grades USING (submission) "
            "WHERE outcome IS NULL OR outcome <> 'ours'"
        ):
            found.setdefault(learner, []).append(earned)
    return found


def _read_only(book: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{book}?mode=ro", uri=True)


def kill(number: int) -> bool:
    """End a process at once; whether it was still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)
        return True
    return False


class Course:
    """A course that is graded again and again.

    Attributes:
        seen: How many processes were killed, how many books were finished, how many of them were right, and
            how often something was left behind.
    """

    def __init__(self, folder: Path, count: int, made: Cluster | None) -> None:
        self.folder, self.count, self.made = folder, count, made
        self.chance = random.Random(os.getpid())
        self.kinds = write_course(folder / "course", count)
        self.seen = {"kills": 0, "books": 0, "right": 0, "left behind": 0}

    @property
    def into(self) -> Path:
        """Where it is graded into now."""
        return self.folder / f"grades-{self.seen['books']}"

    def attempt(self, lose: Callable[[subprocess.Popen[bytes]], bool] | None, *more: str) -> None:
        """Grade, and lose something on the way; another book is begun when this one is done."""
        process = grade(self.folder / "course", self.into, *more)
        try:
            if lose:
                self.wait_for_a_moment(process)
                self.seen["kills"] += lose(process)
            process.wait(GIVE_UP)
        finally:
            process.kill()
            process.wait()
        if process.returncode not in (0, 1, -signal.SIGKILL):
            said = self.into.with_suffix(".log").read_text()
            raise SystemExit(f"The grader ended with {process.returncode}: {said}")
        parts = [self.made.scheduler, *self.made.workers] if self.made else []
        self.seen["left behind"] += not nothing_left([one.pid for one in parts if one.poll() is None])
        if process.returncode == 0:
            self.seen["right"] += self.is_right(points(self.into / BOOK))
            self.seen["books"] += 1

    def wait_for_a_moment(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until some of the submissions have a result, any number of them, and a little longer."""
        some, until = self.chance.randrange(self.count), time.monotonic() + GIVE_UP
        while process.poll() is None and len(points(self.into / BOOK)) < some and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(self.chance.uniform(0, 0.5 if some else 10))

    def is_right(self, found: dict[str, list[int]]) -> bool:
        """Whether everybody has one result, and it is the one that is due."""
        return found == {learner: [WORTH[kind]] for learner, kind in self.kinds.items()}

    def lose_the_grader(self, process: subprocess.Popen[bytes]) -> bool:
        """End the grader, if it is still there; whether it was."""
        return process.poll() is None and kill(process.pid)

    def lose_what_it_started(self, process: subprocess.Popen[bytes]) -> bool:
        """End one of the processes below the grader, if there is one."""
        there = below(process.pid)
        return bool(there) and kill(self.chance.choice(sorted(there)))

    def lose_a_worker(self, process: subprocess.Popen[bytes]) -> bool:
        """End a worker, whatever it does; another one takes its place."""
        assert self.made is not None
        is_lost = kill(self.chance.choice([one.pid for one in self.made.workers if one.poll() is None]))
        self.made.add_worker()
        return is_lost


def main(folder: Path, count: int, kills: int, workers: int) -> dict[str, int]:
    """Grade a course of so many submissions until so many processes were lost; what was seen."""
    # Whatever loses its parent becomes ours, so that nothing left behind can hide.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    with cluster(workers) if workers else contextlib.nullcontext() as made:
        course = Course(folder, count, made)
        ways = [(course.lose_the_grader, ()), (course.lose_what_it_started, ())]
        ways += [(course.lose_a_worker, ("--cluster", made.address))] if made else []
        for lose, more in cycle(ways):
            if course.seen["kills"] >= kills:
                break
            course.attempt(lose, *more)
        while not course.seen["books"]:
            course.attempt(None)
    course.seen["left behind"] += not nothing_left()
    return course.seen


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
