"""Grading that is killed at random moments, in every part, and must end as if nothing had happened.

`python tests/faults.py FOLDER KILLS COUNT` grades a course of COUNT submissions again and again. By turns it
kills the grader, or something that the grader started (the warm process, what locks it in, a learner's
process), or a worker of a cluster; each time by SIGKILL, after a random time, and grades again until the
command says that all is done. Then every submission must stand in the grade book once, with the points it
gets when nobody disturbs, and no process may be left. One line of JSON says what was seen.
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
from pathlib import Path

from clusters import ROOT, Cluster, cluster

from coursekit.grader.starter import solution, starter

WORD = "gradient_descent"
COMMAND = [sys.executable, "-c", "from coursekit.cli import main; main()", "grade"]
PR_SET_CHILD_SUBREAPER = 36
GIVE_UP = 300.0
BOOK = "grades.sqlite"
ODD = {
    "ends Python": "import os\nos._exit(0)\n",
    "raises": "raise OSError('no')\n",
    "leaves a child": "import os, time\nif os.fork() == 0:\n    time.sleep(600)\n",
}


def kits() -> dict[str, dict[str, str]]:
    """Submissions of several kinds, by name: module to text."""
    right = solution(WORD)
    odd = {name: {**right, "losses": line + right["losses"]} for name, line in ODD.items()}
    return {"right": right, "starter": starter(WORD), **odd}


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


def below(number: int) -> list[int]:
    """The processes that a process has started, and they in turn, as /proc shows them."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                status = (entry / "stat").read_text()
            except OSError:
                continue
            parent, dead = int(status.rpartition(")")[2].split()[1]), status.rpartition(")")[2].split()[0]
            if dead != "Z":
                parents.setdefault(parent, []).append(int(entry.name))
    found, look = [], [number]
    while look:
        children = parents.get(look.pop(), [])
        found += children
        look += children
    return found


def nothing_left(but: Iterable[int] = (), patience: float = 10.0) -> bool:
    """Whether all that was started has ended, but some processes and what is below them.

    What has lost its parent is ours by then, and counts.
    """
    until = time.monotonic() + patience
    while True:
        left = set(below(os.getpid())).difference(but, *map(below, but))
        if not left or time.monotonic() > until:
            break
        time.sleep(0.05)
    for one in left:
        with contextlib.suppress(OSError):
            print("left behind:", Path(f"/proc/{one}/cmdline").read_bytes()[:200], file=sys.stderr)
    return not left


def points(book: Path) -> dict[str, list[int]]:
    """Each learner's points: of every submission that stands in the book, of every result it has."""
    found: dict[str, list[int]] = {}
    with contextlib.closing(sqlite3.connect(book)) as rows:
        for learner, earned in rows.execute(
            "SELECT learner, points FROM submissions LEFT JOIN grades USING (submission) "
            "WHERE outcome IS NULL OR outcome <> 'ours'"
        ):
            found.setdefault(learner, []).append(earned)
    return found


def kill(number: int) -> bool:
    """End a process at once; whether it was still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)
        return True
    return False


def until_done(
    start: Callable[[], subprocess.Popen[bytes]], disturb: Callable[[subprocess.Popen[bytes]], bool]
) -> int:
    """Grade again and again, disturbed each time, until the command says that all is done; the kills."""
    killed, until = 0, time.monotonic() + GIVE_UP
    while time.monotonic() < until:
        process = start()
        try:
            killed += disturb(process)
            process.wait(GIVE_UP)
        finally:
            process.kill()
            process.wait()
        if process.returncode == 0:
            return killed
        if process.returncode not in (1, -signal.SIGKILL):
            raise SystemExit(f"the grader ended with {process.returncode}")
    raise SystemExit(f"grading was not done after {GIVE_UP:.0f} s")


class Course:
    """A course that is graded again and again, each time into another grade book.

    Attributes:
        seen: How many processes were killed, how many books were written, how many of them were right, and
            after how many something was left behind.
        longest: How many seconds it takes when nobody disturbs.
    """

    def __init__(self, folder: Path, count: int, made: Cluster, chance: random.Random) -> None:
        self.folder, self.made, self.chance = folder, made, chance
        self.kinds = write_course(folder / "course", count)
        self.seen = {"kills": 0, "books": 0, "right": 0, "left behind": 0}
        self.worth: dict[str, list[int]] = {}
        self.longest = 0.0
        begun = time.monotonic()
        self.round(lambda process: False)
        self.longest = time.monotonic() - begun

    def round(self, disturb: Callable[[subprocess.Popen[bytes]], bool], *more: str) -> None:
        """Grade it into a new book, and look at what is in it then and what is left elsewhere."""
        into = self.folder / f"book-{self.seen['books']}"
        self.seen["kills"] += until_done(lambda: grade(self.folder / "course", into, *more), disturb)
        self.seen["books"] += 1
        found = points(into / BOOK)
        self.worth = self.worth or found
        self.seen["right"] += found == self.worth and self.is_whole(found)
        parts = [one.pid for one in [self.made.scheduler, *self.made.workers] if one.poll() is None]
        self.seen["left behind"] += not nothing_left(parts)

    def is_whole(self, found: dict[str, list[int]]) -> bool:
        """Whether everybody has one result, and all with the same kind of submission the same."""
        each = {(kind, *found.get(learner, ())) for learner, kind in self.kinds.items()}
        return len(each) == len(set(self.kinds.values())) and {len(one) for one in each} == {2}

    def soon(self) -> None:
        """Wait for a random part of the time that the whole takes."""
        time.sleep(self.chance.uniform(0, self.longest))

    def lose_the_grader(self, process: subprocess.Popen[bytes]) -> bool:
        """End the grader, if it is still there; whether it was."""
        self.soon()
        return process.poll() is None and kill(process.pid)

    def lose_what_it_started(self, process: subprocess.Popen[bytes]) -> bool:
        """End one of the processes below the grader, if there is one."""
        self.soon()
        there = below(process.pid)
        return bool(there) and kill(self.chance.choice(there))

    def lose_a_worker(self, process: subprocess.Popen[bytes]) -> bool:
        """End a worker, whatever it does; another one takes its place."""
        self.soon()
        is_lost = kill(self.chance.choice([one.pid for one in self.made.workers if one.poll() is None]))
        self.made.add_worker()
        return is_lost


def main(folder: Path, kills: int, count: int) -> dict[str, int]:
    """Grade a course of so many submissions until that many processes have been killed; what was seen."""
    # Whatever loses its parent becomes ours, so that nothing left behind can hide.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    with cluster(workers=2) as made:
        course = Course(folder, count, made, random.Random(os.getpid()))
        ways = [
            lambda: course.round(course.lose_the_grader),
            lambda: course.round(course.lose_what_it_started),
            lambda: course.round(course.lose_a_worker, "--cluster", made.address),
        ]
        while course.seen["kills"] < kills:
            ways[course.seen["books"] % len(ways)]()
    course.seen["left behind"] += not nothing_left()
    return course.seen


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
