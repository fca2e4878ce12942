"""Points for the cells of a notebook that nbgrader grades: each check is a cell, its value the points.

nbgrader takes a number that a cell gives for its points, anything on the error stream for none, and no output
at all for all of them. So a cell here gives a number whatever happens to the learner's code, and its words go
to the ordinary output.
"""

from __future__ import annotations

import functools
import warnings
from pathlib import Path

from .. import workspace
from ..grader import checking
from ..grader.report import Report

NOTE = (
    "nbgrader runs these checks in the process of the notebook itself, where other cells can reach them: the "
    "points say what the checks saw, and cannot say that nobody meddled. `coursekit grade` runs the same "
    "checks on the same notebooks with the learner's code locked away, and keeps the two sides apart."
)
_SHORT = "(Checked inside the notebook, where other cells can reach the checks: see the note at its top.)"


def points(word: str, name: str) -> int:
    """Check what the notebook's `%%kit` cells wrote, say what came of one check, and give its points.

    All checks run when the first is asked for, and again only when the kit has changed.

    Args:
        word: The exercise.
        name: The check.

    Raises:
        LookupError: There is no such exercise, or it has no such check.
        CannotStart: The course's fault, not the learner's: no process could be started.
    """
    folder = workspace.location().kit
    # What stands on the error stream would cost the points of correct code.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = _report(word, folder, _texts(folder))
    for result in report.results:
        if result.name == name:
            said = report.problem or result.message
            print("\n\n".join(filter(None, [result.heading(report.devices), said, _SHORT])))
            return result.points
    named = ", ".join(result.name for result in report.results)
    raise LookupError(f"The exercise {word} has no check {name!r}; it has {named}.")


@functools.lru_cache(maxsize=1)
def _report(word: str, folder: Path, texts: tuple[tuple[str, bytes], ...]) -> Report:
    """The report on a kit as its files are now."""
    return checking.check(word, folder)


def _texts(folder: Path) -> tuple[tuple[str, bytes], ...]:
    return tuple((str(file), file.read_bytes()) for file in sorted(folder.rglob("*.py")))
