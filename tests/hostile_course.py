"""The whole hostile corpus through the real command, into a real grade book: one course, whoever grades it.

`python tests/hostile_course.py FOLDER [KIND...]` writes each case as a learner's kit into a folder, an honest
submission after each, has `coursekit grade` grade it, and prints as one line of JSON what is not as it should
be, by learner: nothing, if all is well. It looks at the grade book alone, and at what is left behind.
"""

from __future__ import annotations

import ctypes
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import processes
from faults import PR_SET_CHILD_SUBREAPER
from hostile_cases import EXERCISES, POINTS, Case, cases, kinds, right_files

from coursekit.grader.report import Report

ROOT = Path(__file__).resolve().parent.parent
# The exercises lie beside the cases and not among ours.
COMMAND = """
import sys
from pathlib import Path
from coursekit.grader import exercises
shelf = Path(sys.argv.pop(1))
exercises.folder = lambda: shelf
sys.argv[0] = "coursekit"
from coursekit.cli import main
main()
"""
LEFT_IN = ("/", "/tmp", "/var/tmp", "/dev/shm")
NAMES = ("note-for-the-next", "written-by-a-learner", "pickled", "large", "sparse", "full", "many")
CANARY = "canary-of-the-one-who-grades"
HONEST = "honest after "


def course(kind_names: Iterable[str]) -> dict[str, Case]:
    """Each case of these kinds by the name of its learner, with an honest one after it."""
    handed: dict[str, Case] = {}
    for kind in kind_names:
        for number, case in enumerate(cases(kind)):
            learner = f"{kind}-{number:03}"
            handed[learner] = case
            right, most = right_files(case.exercise), POINTS[case.exercise]
            # No two honest ones are the same, so that each is graded for itself.
            files = {module: f"{text}\n# after {learner}\n" for module, text in right.items()}
            handed[f"{learner}-{HONEST.strip().replace(' ', '-')}"] = Case(
                kind, HONEST + case.name, files, case.exercise, most, most, "", case.seconds
            )
    return handed


def write(folder: Path, handed: dict[str, Case]) -> None:
    """Each learner's kit."""
    for learner, case in handed.items():
        for module, text in case.files.items():
            file = folder / learner / "mykit" / f"{module}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode("utf-8", "surrogatepass"))


def graded(folder: Path, exercise: str, seconds: float, jobs: int) -> tuple[int, str]:
    """Have the command grade what is for one exercise; its code, and what it said."""
    command = [
        sys.executable,
        "-c",
        COMMAND,
        str(EXERCISES),
        "grade",
        str(folder / exercise / f"{seconds:g}"),
    ]
    command += ["--exercise", exercise, "--seconds", f"{seconds:g}", "--jobs", str(jobs)]
    command += ["--into", str(folder / "grades")]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    secret = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "SECRET_OF_THE_GRADER": CANARY}
    done = subprocess.run(command, env=secret, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


Row = tuple[str, int, str, str, str]


def complaints(case: Case, rows: list[Row]) -> Iterator[str]:
    """What is wrong with what stands in the book of one learner."""
    if len(rows) != 1:
        yield f"{len(rows)} results"
        return
    ((outcome, points, text, sentence, notes),) = rows
    report = Report.from_json(text) if text else None
    said = [sentence, report.problem if report else ""]
    said += [result.message for result in report.results] if report else []
    whole = "\n".join([*said, *json.loads(notes)])
    # What cannot be read as text is left out before anything is asked, and the rest is graded.
    is_left_out = "was left out: it " in notes
    if outcome == "ours":
        yield f"is called the grader's fault: {sentence}"
    if not (0 if is_left_out else case.least) <= points <= case.most:
        yield f"{points} points, and not {case.least} to {case.most}"
    if case.says not in whole and outcome == "graded" and not is_left_out:
        yield f"does not say {case.says!r}, but {whole[:200]!r}"
    if points < POINTS[case.exercise] and not whole.strip():
        yield "has no sentence"
    if "LOOT: " in whole or CANARY in whole:
        yield "got hold of something"
    if any(not one.isprintable() for one in whole.replace("\n", "").replace("\t", "")):
        yield "says what a terminal would obey"


def of_learners(book: Path) -> dict[str, list[Row]]:
    """The results of each learner, those that count: the grader's own failures only where nothing else is."""
    found: dict[str, list[Row]] = {}
    with closing(sqlite3.connect(book)) as rows:
        for learner, *result in rows.execute(
            "SELECT learner, outcome, points, report, sentence, notes FROM submissions "
            "LEFT JOIN grades USING (submission) ORDER BY outcome = 'ours'"
        ):
            found.setdefault(learner, []).append(tuple(result))
    return {who: [one for one in came if one[0] != "ours"] or came[:1] for who, came in found.items()}


def traces() -> dict[str, list[str]]:
    """What could be left behind: files, mounts, and processes."""
    files = [str(path) for folder in LEFT_IN for name in NAMES if (path := Path(folder, name)).exists()]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return {"files": files, "mounts": mounts, "processes": sorted(map(str, processes.below(os.getpid())))}


@contextmanager
def foster_parent() -> Iterator[None]:
    """Whatever loses its parent becomes ours meanwhile, so that nothing left behind can hide."""
    library = ctypes.CDLL(None)
    library.prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        library.prctl(PR_SET_CHILD_SUBREAPER, 0)


def main(folder: Path, kind_names: list[str], jobs: int = 2) -> dict[str, list[str]]:
    """Grade the corpus; what is not as it should be, by learner."""
    with foster_parent():
        return _found(folder, course(kind_names or kinds()), jobs)


def _found(folder: Path, handed: dict[str, Case], jobs: int) -> dict[str, list[str]]:
    before = traces()
    found: dict[str, list[str]] = {}
    for exercise, seconds in sorted({(case.exercise, case.seconds) for case in handed.values()}):
        part = {who: one for who, one in handed.items() if (one.exercise, one.seconds) == (exercise, seconds)}
        write(folder / exercise / f"{seconds:g}", part)
        code, said = graded(folder, exercise, seconds, jobs)
        if code not in (0, 1) or "Traceback" in said:
            found[f"the command for {exercise}"] = [f"ended with {code}", said[-2000:]]
    rows = of_learners(folder / "grades" / "grades.sqlite")
    for learner, case in handed.items():
        if faults := list(complaints(case, rows.get(learner, []))):
            found[f"{learner}: {case.name}"] = faults
    after = traces()
    for what, was in before.items():
        if more := sorted(set(after[what]) - set(was)):
            found[f"left behind: {what}"] = more
    return found


if __name__ == "__main__":
    said = main(Path(sys.argv[1]), sys.argv[2:])
    print(json.dumps(said, ensure_ascii=False, indent=1))
    sys.exit(bool(said))
