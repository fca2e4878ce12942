"""Check a learner's kit against an exercise, on their own machine: ask both sides, judge on this one, teach.

>>> check("first_model", Path("no such folder")).problem
'There is no kit in no such folder. `coursekit start first_model` begins one.'
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from . import process
from .batch import Batch, answer_files, devices_here, get_ready
from .exercises import load
from .form import Exercise
from .report import Report


def check(
    word: str,
    kit_folder: Path | str,
    whole_kit: bool = False,
    device: str | None = None,
    seconds: float = 20.0,
    seed: int = 0,
) -> Report:
    """Run every check of an exercise against the kit in a folder.

    Args:
        word: Which exercise.
        kit_folder: The learner's `mykit/`.
        whole_kit: Use all that the learner has written, not only what this exercise asks for.
        device: "cpu" or "cuda"; by default every device there is.
        seconds: The wall clock of one check; what still runs then is ended.
        seed: All inputs follow from it. A learner's checks always ask the same; grading draws a secret one.

    Raises:
        UnknownExercise: No exercise has that name.
        CannotStart: No process could be started for the learner's code.
    """
    exercise, folder = load(word), Path(kit_folder)
    devices = (device,) if device else devices_here()
    with _batch(exercise.source, word, seed, devices, seconds, whole_kit) as batch:
        if problem := _problem(exercise, folder):
            report = batch.untried(problem)
        else:
            get_ready()
            report = batch.check_kit(batch.kit(folder))
    return replace(report, seed=seed)


@lru_cache(maxsize=4)
def _batch(
    source: str, word: str, seed: int, devices: tuple[str, ...], seconds: float, whole_kit: bool
) -> Batch:
    """A learner checks the same exercise again and again, so what ours gives is kept while its text stays."""
    return Batch(word, seed, devices, seconds, lambda new_python: process.start(new_python), whole_kit)


def _problem(exercise: Exercise, folder: Path) -> str:
    """Why nothing can be run at all, in a sentence, or ""."""
    start = f"`coursekit start {exercise.word}`"
    if not folder.is_dir():
        return f"There is no kit in {folder}. {start} begins one."
    files = answer_files(exercise)
    if any((folder / file).is_file() for file in files):
        return ""
    named = " and ".join(f"{folder.name}/{file}" for file in files)
    return f"There is no {named} yet. {start} makes {'it' if len(files) == 1 else 'them'}."
