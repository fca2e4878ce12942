"""Many submissions for one exercise: each asked what ours was asked once, judged on this side, put in words.

>>> with Batch("first_model", seed=1, devices=("cpu",)) as batch:
...     print(batch.check({"losses": "def softmax(scores): return scores"}).problem)
What was handed in has no metrics.py or splits.py, where this exercise is answered.
"""

from __future__ import annotations

import glob
import importlib
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import process
from .exercises import load
from .form import Check, Exercise
from .judging import Fault, changed, fault
from .mistakes import nearest
from .observing import Kit, Run, Side
from .reference import Reference, ReferenceFailed
from .report import Message, Report, Result
from .telling import Teller
from .timing import slow

# What a new Python may take to import what a kit needs, before its clock begins.
IMPORTS = 30.0
# A kit that hung once will most likely hang again; the checks after it wait less.
IMPATIENT = 0.1
# What a check of a moment may take on a busy machine, in seconds; less would cost an honest one its points.
BUSY = 3.0
# How often a check is asked when the process was killed from outside, before that is believed.
ATTEMPTS = 3
MOST_FILES, MOST_TEXT = 1_000, 4_000_000
# What stands for a graphics card on Linux: of NVIDIA's, also on a Jetson; in Windows' Linux; of AMD's.
GPU_NODES = ("/dev/nvidia*", "/dev/nvhost*", "/dev/nvmap", "/dev/dxg", "/dev/kfd")


class Batch:
    """Checks kits against one exercise; several threads may do so at once.

    Ours and the known mistakes are asked once for all of them. In a `with`, their processes are kept for the
    next kit, and ended after the last.

    Args:
        word: Which exercise.
        seed: The inputs of every check follow from it. Keep it secret; the same seed asks the same again.
        devices: Such as ("cpu", "cuda"); by default every device there is.
        seconds: The wall clock of one check; what still runs then is ended.
        start: Starts a process for a kit: the place where its code runs.
        whole_kit: Use all that was handed in, not only what this exercise asks for.

    Raises:
        UnknownExercise: No exercise has that name.
    """

    def __init__(
        self,
        word: str,
        seed: int,
        devices: Sequence[str] | None = None,
        seconds: float = 20.0,
        start: process.Place = process.start,
        whole_kit: bool = False,
    ) -> None:
        self.exercise = load(word)
        self.devices = tuple(devices or devices_here())
        self.seconds, self.place, self.whole_kit = seconds, start, whole_kit
        self.reference = Reference(self.exercise, seed, self.devices)

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *error: object) -> None:
        self.reference.__exit__(*error)

    def check(self, files: Mapping[str, str]) -> Report:
        """Check one submission.

        Args:
            files: Each module's text, such as {"metrics": "def accuracy(..."}.

        Raises:
            CannotStart: The place where its code runs was lost or could not be started. That says nothing of
                the submission: check it again.
        """
        problem = self._problem(files)
        return self.untried(problem) if problem else self.check_kit(self.kit(files=dict(files)))

    def kit(self, folder: Path | None = None, files: Mapping[str, str] | None = None) -> Kit:
        """A learner's kit; unless the whole is wanted, only what the exercise asks for counts of it."""
        asked = frozenset(self.exercise.yours)
        return Kit("mykit", folder, None if self.whole_kit else asked, asked, files)

    def check_kit(self, kit: Kit) -> Report:
        """Run every check against a kit; see `check`."""
        with Side(kit, self.place) as learner:
            checker = _Checker(self, learner)
            results = tuple(checker.result(one) for one in self.exercise.checks)
        faults = {result.parts.sentences for result in results if result.kind == "unusable"}
        told = len(faults) == 1 and all(result.kind == "unusable" for result in results)
        problem = next(iter(faults))[0] if told else ""
        return Report(self.exercise.word, self.exercise.title, results, self.devices, problem)

    def untried(self, problem: str) -> Report:
        """The report when nothing can be run, for a reason that concerns the whole kit."""
        message = Message(sentences=(problem,))
        results = tuple(
            Result(one.name, one.title, False, one.points, "unusable", message)
            for one in self.exercise.checks
        )
        return Report(self.exercise.word, self.exercise.title, results, self.devices, problem)

    def _problem(self, files: Mapping[str, str]) -> str:
        """Why nothing can be run at all, in a sentence, or ""."""
        asked = answer_files(self.exercise)
        if not set(asked) & {f"{module.replace('.', '/')}.py" for module in files}:
            named = " or ".join(filter(None, [", ".join(asked[:-1]), asked[-1]]))
            return f"What was handed in has no {named}, where this exercise is answered."
        size = sum(map(len, files.values()))
        if len(files) > MOST_FILES or size > MOST_TEXT:
            came = f"{len(files)} files with {size / 1e6:.1f} million characters"
            read = f"{MOST_FILES} files with {MOST_TEXT // 10**6} million"
            return f"What was handed in has {came}; {read} are read at most. Are there data among them?"
        return ""


def answer_files(exercise: Exercise) -> list[str]:
    """The files that an exercise is answered in, such as "metrics.py"."""
    return sorted({f"{full.rpartition('.')[0].replace('.', '/')}.py" for full in exercise.yours})


def devices_here() -> tuple[str, ...]:
    """Every kind of device that this machine has."""
    if sys.platform == "linux" and not any(glob.glob(node) for node in GPU_NODES):
        return ("cpu",)  # to know that, torch need not be imported
    get_ready()
    torch = importlib.import_module("torch")
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def get_ready() -> None:
    """Import what judging needs, while the process kept in reserve imports the same for itself."""
    process.reserve()
    importlib.import_module("torch")


class _Checker:
    """The checks of one kit, and what has been learnt about it so far."""

    def __init__(self, batch: Batch, learner: Side) -> None:
        self.batch, self.learner = batch, learner
        self.seconds, self.begun = batch.seconds, 0.0
        self.teller = Teller(batch.exercise.word, batch.devices)

    def result(self, one: Check) -> Result:
        """Ask both sides one check's question, judge it, and say it in words."""
        try:
            found, seen = self.found(one)
        except ReferenceFailed as error:
            return Result(one.name, one.title, False, one.points, "ours", Message(sentences=(str(error),)))
        took = sum(run.seconds for run in seen) + time.monotonic() - self.begun
        if found is None:
            return Result(one.name, one.title, True, one.points, seconds=took)
        message, mistake = self.message(one, found, seen)
        return Result(one.name, one.title, False, one.points, found.kind, message, took, mistake)

    def found(self, one: Check) -> tuple[Fault | None, list[Run]]:
        """The first fault and all runs; what was killed from outside is asked again before it is believed."""
        for attempt in range(ATTEMPTS):
            is_last = attempt == ATTEMPTS - 1
            try:
                found, seen = self.asked(one)
            except ReferenceFailed as error:
                if is_last or not was_killed(error.run):
                    raise
                continue
            if is_last or found is None or not was_killed(found.run):
                break
        return found, seen

    def asked(self, one: Check) -> tuple[Fault | None, list[Run]]:
        """Ask one check's question; the first fault, and all runs as far as it got."""
        ours = self.batch.reference.ours(one)
        allowed = self.seconds
        self.learner.forget_printed()
        seen = self.theirs(ours)
        found = fault(one, seen, ours, allowed)
        if found is None and one.another_day:
            found = self.another_day(seen[0], ours[0])
        self.begun = time.monotonic()  # starting another Python is not the learner's time
        if found is None and any(value.at_most for run in ours for value in run.seen):
            with self.batch.reference.side() as reference:
                found = slow(one, ours, self.learner, reference, allowed)
        return found, seen

    def theirs(self, ours: list[Run]) -> list[Run]:
        """What the learner's kit gives for the same inputs, as far as the wall clock lets it."""
        runs: list[Run] = []
        left = self.seconds
        for asked in ours:
            run = self.learner.run(asked, left, replay_only=True)
            runs.append(run)
            left -= run.seconds
            if run.stopped or run.unusable:
                break
        if runs[-1].stopped == "hung":
            self.seconds = min(self.seconds, max(BUSY, self.seconds * IMPATIENT))
        return runs

    def another_day(self, today: Run, ours: Run) -> Fault | None:
        """Ask once more in a new Python: what came today must come again."""
        seconds = self.seconds + IMPORTS
        with Side(self.learner.kit, self.batch.place, new_python=True) as side:
            return changed(today, side.run(ours, seconds, replay_only=True), ours, seconds)

    def message(self, one: Check, found: Fault, seen: list[Run]) -> tuple[Message, str]:
        """A fault in words, and the title of the nearest known mistake, or ""."""
        if found.kind in ("unusable", "ours"):
            return Message(sentences=(found.sentence,)), ""
        reference, exercise = self.batch.reference, self.batch.exercise
        wrong = None
        if len(seen) == len(reference.ours(one)):
            wrong = nearest(exercise, one, found, seen, lambda wrong: reference.mistaken(wrong, one))
        message = self.teller.message(one, found, seen, wrong, self.learner.printed())
        return message, wrong.title if wrong else ""


def was_killed(run: Run) -> bool:
    """Whether somebody ended the process at once: perhaps its own code, perhaps the system or a person."""
    return run.stopped == "ended" and run.status == -signal.SIGKILL
