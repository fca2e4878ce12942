"""What an autograder zip runs in Gradescope's container: grade one submission, write one `results.json`.

`python -m coursekit.classroom.autograder /autograder WORD` reads `submission/`, never runs a line of it in
this process, and writes `results/results.json`, which only this process can. Where the fault is ours it
writes none and ends with 1: Gradescope then says that the autograder failed, and no points are lost.

`--try WORD` grades our own answer instead, so that a broken installation is seen when the image is built.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..grader.batch import Batch
from ..grader.process import CannotStart, Job
from ..grader.report import Report
from ..grader.starter import solution
from ..progress import write_whole
from ..sandbox import Sandbox, availability
from ..sandbox.masking import masked_library
from .intake import read_submissions
from .ordinary_user import OrdinaryUser
from .results import gradescope_results

TRIES = 3
LOCKED_AWAY = (
    "Graded in a container of Gradescope's: your code ran locked away from what judges it, as far as a "
    "container that is not the course's own can promise that."
)
ORDINARY = (
    "Graded in a container of Gradescope's, which does not let the course lock code away. Yours ran beside "
    "the checks, as another user of the same machine and with its network, so these points cannot promise "
    "what `coursekit grade` does, that nobody meddled."
)

NOTHING = "There is nothing in what you handed in: upload the files of your mykit/, or your notebook."


class CannotGrade(RuntimeError):
    """Nothing can be graded here, through no fault of the learner's; the message says why."""


def grade(root: Path, word: str) -> None:
    """Grade what lies in `submission/` and write `results/results.json`.

    Raises:
        CannotGrade: Nothing here can run code apart from this process, or the checks themselves failed.
    """
    submissions = list(read_submissions([root / "submission"]))
    files = {module: text for one in submissions for module, text in one.files.items()}
    notes = [note for one in submissions for note in (one.problem, *one.notes) if note]
    report = None
    if files:
        report, note = checked(word, files)
        notes.append(note)
    write_whole(root / "results" / "results.json", gradescope_results(report, notes or [NOTHING]))


def checked(word: str, files: Mapping[str, str]) -> tuple[Report, str]:
    """The report on a kit's files (module to text), and a sentence on how far what ran was kept apart.

    Raises:
        CannotGrade: As in `grade`.
    """
    with place(word) as (start, note):
        for _ in range(TRIES):
            seed = secrets.randbits(60)
            print(f"All inputs follow from the seed {seed}.", flush=True)
            try:
                with Batch(word, seed, devices=("cpu",), start=start) as batch:
                    report = batch.check(files)
            except CannotStart as error:
                faults = [str(error)]
                continue
            faults = [result.message for result in report.results if result.kind == "ours"]
            if not faults:
                return report, note
    raise CannotGrade(faults[0])


@contextmanager
def place(word: str) -> Iterator[tuple[Callable[..., Job], str]]:
    """Where the learner's code runs, as far away as can be had here, and what that is worth.

    Raises:
        CannotGrade: Neither a sandbox nor another user is to be had.
    """
    missing = availability.why_not()
    if missing and os.geteuid() != 0:
        raise CannotGrade(
            "The learner's code would run as the user who judges it: start run_autograder as root, as "
            f"Gradescope does. (There is no sandbox either: {' '.join(missing)})"
        )
    with tempfile.TemporaryDirectory(prefix="library-") as folder:
        library = masked_library(word, Path(folder))
        os.chmod(folder, 0o755)
        if missing:
            print("No sandbox here:", *missing, flush=True)
            yield OrdinaryUser(library).start, ORDINARY
        else:
            with Sandbox(library) as sandbox:
                yield sandbox.start, LOCKED_AWAY


def main(arguments: list[str]) -> int:
    """What is run in the container; the exit status."""
    where, word = arguments
    try:
        if where != "--try":
            grade(Path(where), word)
            return 0
        report, note = checked(word, solution(word))
    except CannotGrade as error:
        print(f"Nothing was graded, and that is not the learner's fault: {error}")
        return 1
    print(report.text(), note, sep="\n\n")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
