"""An exercise in the form of other graders: an assignment for nbgrader, an autograder zip for Gradescope.

Neither can keep what `coursekit grade` promises, that the learner's code runs locked away and never beside
what judges it. Both run the same checks and say what they do not protect, on every report.

>>> notebook = assignment("first_model")
>>> [cell["metadata"]["nbgrader"]["grade_id"] for cell in notebook["cells"] if is_answer(cell)]
['answer-metrics-accuracy', 'answer-metrics-error_rate', 'answer-splits-group_split']
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import definitions
from ..grader.exercises import load
from ..grader.form import Exercise
from ..grader.starter import solution, with_marks
from .notebook_points import NOTE

Cell = dict[str, Any]

# What nbgrader cuts out of a notebook when it makes the learners' version.
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
SCHEMA = 3

_ABOUT = """\
Write each part where its cell says so, and leave the first line of the cell, `%%kit`, as it is: it puts what
you wrote into your library. Then run the cells below *Checks*; you may do so as often as you like. Each says
what it found and gives its points.
"""
_BEGIN_CELL = """\
import os

os.environ["COURSEKIT_WORKSPACE"] = os.getcwd()  # what you write is kept beside this notebook

import coursekit.notebook  # this makes %%kit known
from coursekit.classroom.notebook_points import points"""
_CONFIGURATION = """\
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "coursekit"
# Seconds for a cell. The checks end what hangs by themselves, and say so, if they are given the time.
c.Execute.timeout = 600
"""


def export_nbgrader(word: str, course: Path) -> Path:
    """Write an exercise into the folder of a course for nbgrader.

    `nbgrader generate_assignment WORD`, `autograde`, `generate_feedback` and so on then work as for any other
    assignment. Where nbgrader runs its kernels coursekit must be installed.

    Args:
        word: The exercise.
        course: The course's folder. `nbgrader_config.py` is written too, unless there is one.

    Returns:
        The notebook, `source/WORD/WORD.ipynb`, with the answers in it.

    Raises:
        UnknownExercise: There is no such exercise.
        OSError: It cannot be written.
    """
    file = course / "source" / word / f"{word}.ipynb"
    text = json.dumps(assignment(word), indent=1, ensure_ascii=False) + "\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    if not (course / "nbgrader_config.py").exists():
        (course / "nbgrader_config.py").write_text(_CONFIGURATION, encoding="utf-8")
    return file


def assignment(word: str) -> dict[str, Any]:
    """An exercise as the notebook that an instructor keeps: task, answers between marks, checks with points.

    Raises:
        UnknownExercise: There is no such exercise.
    """
    exercise = load(word)
    cells = [
        _cell("markdown", exercise.task, "task", locked=True),
        _cell("markdown", f"{_ABOUT}\n> **What these points say.** {NOTE}", "about", locked=True),
        _cell("code", _BEGIN_CELL, "begin", locked=True),
        *_answers(exercise),
        _cell("markdown", "## Checks", "checks", locked=True),
        *(_check(exercise.word, one.name, one.title, one.points) for one in exercise.checks),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"{word[:50]}-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def is_answer(cell: Cell) -> bool:
    """Whether a cell of an assignment is one that learners write in."""
    return bool(cell["metadata"].get("nbgrader", {}).get("solution"))


def _answers(exercise: Exercise) -> Iterator[Cell]:
    """For each definition what it is to do, and a cell with the answer between marks."""
    for module, text in solution(exercise.word).items():
        for name, source in definitions.pieces(text).items():
            about = exercise.yours.get(f"{module}.{name}", "")
            yield _cell("markdown", f"**`{name}`**: {about}" if about else f"**`{name}`**")
            marked = f"%%kit {module}\n\n{with_marks(source, BEGIN, END)}"
            yield _cell("code", marked, f"answer-{module}-{name}", solution=True)


def _check(word: str, name: str, title: str, points: int) -> Cell:
    source = f"# {title}\npoints({word!r}, {name!r})".replace("'", '"')
    return _cell("code", source, f"check-{name}", grade=True, locked=True, points=points)


def _cell(kind: str, source: str, grade_id: str = "", **about: Any) -> Cell:
    """A cell; with a `grade_id` it is one that nbgrader knows and keeps an eye on."""
    known = {"grade": False, "locked": False, "schema_version": SCHEMA, "solution": False, "task": False}
    grade_id = re.sub(r"[^A-Za-z0-9_]+", "-", grade_id).strip("-")
    metadata = {"nbgrader": {**known, "grade_id": grade_id, **about}} if grade_id else {}
    cell = {"cell_type": kind, "metadata": metadata, "source": source}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
