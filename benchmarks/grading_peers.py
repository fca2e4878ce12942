"""One toy assignment in the form of three graders, and its submissions: three small functions of tensors.

nbgrader and otter-grader run a notebook; ours runs the functions alone. All three ask the same of the same
definitions, two points each, and each says what every submission earned.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers import PEERS

GROUP = "bench-grading"
RIGHT = {
    "accuracy": "def accuracy(predictions, targets):\n"
    "    return (predictions.argmax(1) == targets).float().mean()",
    "error_rate": "def error_rate(predictions, targets):\n"
    "    return (predictions.argmax(1) != targets).float().mean()",
    "softmax": "def softmax(scores, dim=1):\n    return torch.softmax(scores, dim)",
}
WRONG = {
    "accuracy": "def accuracy(predictions, targets):\n    return (predictions.argmax(1) == targets).sum()",
    "error_rate": "def error_rate(predictions, targets):\n"
    "    return (predictions.argmin(1) != targets).float().mean()",
    "softmax": "def softmax(scores, dim=1):\n    raise NotImplementedError",
}
POINTS = 2
MODULES = {"accuracy": "metrics", "error_rate": "metrics", "softmax": "losses"}
# What a test of the other two asserts.
ASSERTED = {
    "accuracy": "assert abs(accuracy(torch.eye(3), torch.tensor([0, 1, 1])).item() - 2 / 3) < 1e-6",
    "error_rate": "assert abs(error_rate(torch.eye(3), torch.tensor([0, 1, 1])).item() - 1 / 3) < 1e-6",
    "softmax": "assert torch.equal(softmax(torch.zeros(1, 2)), torch.full((1, 2), 0.5))",
}
OURS = '''"""# Three small functions

Of tensors.
"""

from coursekit.grader import check

yours = {
    "metrics.accuracy": "the share of right guesses",
    "metrics.error_rate": "the share of wrong guesses",
    "losses.softmax": "probabilities from scores",
}


@check(points=2, rounds=1)
def accuracy_is_a_share(kit, case):
    """Count what is right."""
    yield "a batch", kit.accuracy(case.tensor("scores", (6, 3)), case.labels("targets", 6, classes=3))


@check(points=2, rounds=1)
def error_rate_is_a_share(kit, case):
    """Count what is wrong."""
    yield "a batch", kit.error_rate(case.tensor("scores", (6, 3)), case.labels("targets", 6, classes=3))


@check(points=2, rounds=1)
def probabilities_add_up(kit, case):
    """Divide by the sum."""
    yield "a batch", kit.softmax(case.tensor("scores", (6, 3)))
'''


def answers(number: int) -> dict[str, str]:
    """The definitions of one submission: of ten, seven are right and three get another part wrong.

    >>> [len(set(answers(number).values()) - set(RIGHT.values())) for number in range(10)]
    [0, 1, 0, 0, 1, 0, 0, 0, 1, 0]
    """
    wrong = {1: "accuracy", 4: "error_rate", 8: "softmax"}.get(number % 10)
    return {name: WRONG[name] if name == wrong else text for name, text in RIGHT.items()}


def earned(number: int) -> int:
    """What that submission should get."""
    return sum(POINTS for name, text in answers(number).items() if text == RIGHT[name])


def kit_files(number: int) -> dict[str, str]:
    """A submission as ours takes it: module to text, no two the same."""
    files: dict[str, str] = {}
    for name, text in answers(number).items():
        begun = files.setdefault(MODULES[name], f"# submission {number}\nimport torch\n")
        files[MODULES[name]] = f"{begun}\n\n{text}\n"
    return files


def write_course(folder: Path, count: int) -> None:
    """The exercise as ours takes it, and a folder for each learner."""
    (folder / "exercises").mkdir()
    (folder / "exercises" / "toy.py").write_text(OURS)
    for number in range(count):
        kit = folder / "submissions" / learner_name(number) / "mykit"
        kit.mkdir(parents=True)
        for module, text in kit_files(number).items():
            (kit / f"{module}.py").write_text(text)


# The exercise lies beside the submissions and not among ours.
_GRADES = """
import sys
from pathlib import Path
from coursekit.grader import exercises
shelf = Path(sys.argv.pop(1))
exercises.folder = lambda: shelf
from coursekit.cli import main
main()
"""


def our_command(folder: Path, into: Path, *more: str) -> list[str]:
    """`coursekit grade` for what `write_course` wrote; the grade book comes into another folder."""
    command = [sys.executable, "-c", _GRADES, str(folder / "exercises"), "grade", str(folder / "submissions")]
    return [*command, "--exercise", "toy", "--into", str(into), *more]


def learner_name(number: int) -> str:
    """What a learner is called, so that sorting keeps their order."""
    return f"learner-{number:05}"


def nbgrader(folder: Path, count: int) -> tuple[Callable[[], Any], Callable[[], list[float]]]:
    """A course for nbgrader with so many submissions: what grades them, and what says the points."""
    tests = [_cell(f"assert_{name}", text, points=POINTS) for name, text in ASSERTED.items()]
    _write(folder / "source/toy/toy.ipynb", [*_solution_cells(0), *tests])
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.course_id = 'toy'\n")
    _run(folder, "-m", "nbgrader", "generate_assignment", "toy")
    for number in range(count):
        _write(folder / f"submitted/s{number:03}/toy/toy.ipynb", [*_solution_cells(number), *tests])

    def points() -> list[float]:
        said = _run(folder, "-c", _NBGRADER_POINTS)
        return [json.loads(said)[f"s{number:03}"] for number in range(count)]

    return lambda: _run(folder, "-m", "nbgrader", "autograde", "toy"), points


_NBGRADER_POINTS = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db", "toy") as book:
    print(json.dumps({one.student.id: one.score for one in book.assignment_submissions("toy")}))
"""


def otter(folder: Path, count: int) -> tuple[Callable[[], Any], Callable[[], list[float]]]:
    """Tests for otter-grader and so many submissions: what grades them, and says the points."""
    for name, text in ASSERTED.items():
        case = {"code": f">>> import torch\n>>> {text}", "hidden": False, "locked": False, "points": POINTS}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": name, "points": None, "suites": [suite]}
        file = folder / "tests" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
    for number in range(count):
        _write(folder / f"s{number:03}.ipynb", _solution_cells(number))
    _run(folder, "-m", "otter", "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment")
    said: list[float] = []

    def grade() -> None:
        said.extend(json.loads(_run(folder, "-c", _OTTER_GRADES, str(count)).splitlines()[-1]))

    return grade, lambda: said


_OTTER_GRADES = """
import json, sys
from otter.api import grade_submission
names = [f"s{number:03}.ipynb" for number in range(int(sys.argv[1]))]
points = [grade_submission(name, "autograder.zip", quiet=True).total for name in names]
print()
print(json.dumps(points))
"""


def _solution_cells(number: int) -> list[dict[str, Any]]:
    first = _cell("begin", f"# submission {number}\nimport torch", solution=True)
    return [first, *(_cell(name, text, solution=True) for name, text in answers(number).items())]


def _cell(grade_id: str, source: str, points: int = 0, solution: bool = False) -> dict[str, Any]:
    about = {"grade_id": grade_id, "grade": bool(points), "locked": bool(points), "solution": solution}
    known = {**about, "points": points, "schema_version": 3, "task": False}
    cell = {"cell_type": "code", "id": grade_id, "metadata": {"nbgrader": known}, "source": source}
    return {**cell, "execution_count": None, "outputs": []}


def _write(file: Path, cells: list[dict[str, Any]]) -> None:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(notebook))


def _run(folder: Path, *arguments: str) -> str:
    """Run Python where the peers are at hand, in that folder; what it printed."""
    there = PEERS / GROUP
    environment = {
        **os.environ,
        "PYTHONPATH": str(there),
        "PATH": os.pathsep.join([str(there / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        # Nobody's settings count, and nothing is written to anybody's home.
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
        "IPYTHONDIR": str(folder / "ipython"),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments[:3])} failed:\n{done.stderr[-2000:]}")
    return done.stdout
