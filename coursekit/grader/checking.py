"""Check a learner's kit against an exercise: ask both sides, judge on this one, say it so that it teaches.

>>> check("first_model", Path("no such folder")).problem
'There is no kit in no such folder. `coursekit start first_model` begins one.'
"""

from __future__ import annotations

import importlib
import time
from contextlib import ExitStack
from pathlib import Path

from . import process
from .exercises import load
from .form import Check, Exercise, Wrong
from .judging import Fault, changed, fault
from .mistakes import nearest, sentence
from .observing import Kit, ReferenceFailed, Run, Side, ask_reference
from .report import Message, Report, Result
from .timing import slow
from .wording import brief, clean, count

# A kit that hung once will most likely hang again; the checks after it wait less.
IMPATIENT = 0.1


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
    devices = (device,) if device else _devices()
    problem = _problem(exercise, folder)
    if problem:
        return _untried(exercise, devices, problem, seed)
    kit = Kit("mykit", folder, None if whole_kit else frozenset(exercise.yours), frozenset(exercise.yours))
    with ExitStack() as stack:
        checker = _Checker(exercise, kit, devices, seconds, seed, stack)
        results = tuple(checker.result(one) for one in exercise.checks)
    faults = {result.parts.sentences for result in results if result.kind == "unusable"}
    told = next(iter(faults))[0] if len(faults) == 1 and all(r.kind == "unusable" for r in results) else ""
    return Report(word, exercise.title, results, devices, told, seed)


def _devices() -> tuple[str, ...]:
    process.reserve()  # it imports torch while we do
    torch = importlib.import_module("torch")
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def _problem(exercise: Exercise, folder: Path) -> str:
    """Why nothing can be run at all, in a sentence, or ""."""
    start = f"`coursekit start {exercise.word}`"
    if not folder.is_dir():
        return f"There is no kit in {folder}. {start} begins one."
    files = sorted({f"{full.rpartition('.')[0].replace('.', '/')}.py" for full in exercise.yours})
    if any((folder / file).is_file() for file in files):
        return ""
    named = " and ".join(f"{folder.name}/{file}" for file in files)
    return f"There is no {named} yet. {start} makes {'it' if len(files) == 1 else 'them'}."


def _untried(exercise: Exercise, devices: tuple[str, ...], problem: str, seed: int) -> Report:
    message = Message(sentences=(problem,))
    results = [Result(one.name, one.title, False, one.points, "unusable", message) for one in exercise.checks]
    return Report(exercise.word, exercise.title, tuple(results), devices, problem, seed)


_answers: dict[tuple[str, int, tuple[str, ...], str], list[Run]] = {}


class _Checker:
    """One exercise against one kit: both sides, and what has been learnt about the kit so far."""

    def __init__(
        self,
        exercise: Exercise,
        kit: Kit,
        devices: tuple[str, ...],
        seconds: float,
        seed: int,
        stack: ExitStack,
    ) -> None:
        self.exercise, self.devices, self.seed = exercise, devices, seed
        self.kit, self.seconds = kit, seconds
        self.told: dict[str, str] = {}  # each known mistake that was named, and the check that named it
        self.reference, self.learner = stack.enter_context(Side(Kit())), stack.enter_context(Side(kit))

    def result(self, one: Check) -> Result:
        """Ask both sides one check's question and judge it."""
        allowed = self.seconds
        try:
            ours = self.ours(one)
            self.learner.forget_printed()
            seen = self.theirs(ours)
            found = fault(one, seen, ours, allowed)
            if found is None and one.another_day:
                found = self.another_day(seen[0], ours[0])
            begun = time.monotonic()
            if found is None:
                found = slow(one, ours, self.learner, self.reference, allowed)
        except ReferenceFailed as error:
            return Result(one.name, one.title, False, one.points, "ours", Message(sentences=(str(error),)))
        took = sum(run.seconds for run in seen) + time.monotonic() - begun
        if found is None:
            return Result(one.name, one.title, True, one.points, seconds=took)
        message, mistake = self.message(one, found, seen, ours)
        return Result(one.name, one.title, False, one.points, found.kind, message, took, mistake)

    def ours(self, one: Check) -> list[Run]:
        """The inputs and what our library gives for them; asked once for each seed."""
        key = (self.exercise.source, self.seed, self.devices, one.name)
        if key not in _answers:
            _answers[key] = ask_reference(self.reference, one, self.exercise.source, self.seed, self.devices)
        return _answers[key]

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
            self.seconds = min(self.seconds, max(1.0, self.seconds * IMPATIENT))
        return runs

    def another_day(self, today: Run, ours: Run) -> Fault | None:
        """Ask once more in a new Python: what came today must come again."""
        with Side(self.kit, new_python=True) as side:
            return changed(today, side.run(ours, process.START, replay_only=True), ours)

    def message(self, one: Check, found: Fault, seen: list[Run], ours: list[Run]) -> tuple[Message, str]:
        """A fault in words: what was asked, what came, the nearest known mistake, and what to do next.

        Returns:
            The message, and the title of that mistake, or "".
        """
        if found.kind in ("unusable", "ours"):
            return Message(sentences=(found.sentence,)), ""
        wrong = nearest(self.exercise, one, found, seen, ours) if len(seen) == len(ours) else None
        known = self.known(one, found, wrong) if wrong else ""
        sentences = [*_sentences(wrong, one, found, known), _agreeing(found, seen, self.devices)]
        run = found.run
        call = run.scenario.call(found.line, run.drawn, found.names or {}, run.device)
        yours, theirs = _values(found)
        message = Message(
            call=clean(call),
            trace=_trace(found),
            yours=yours,
            ours=theirs,
            sentences=tuple(one for one in sentences if one),
            printed=_first_lines(self.learner.printed()),
            hint=one.hint,
            where=f'Read again: lesson {self.exercise.word}, "{one.lesson}".' if one.lesson else "",
        )
        return message, wrong.title if wrong else ""

    def known(self, one: Check, found: Fault, wrong: Wrong) -> str:
        """A known mistake's sentence, in full at the first check that shows it."""
        said = sentence(wrong, one, found, self.told.get(wrong.title, ""))
        if said:
            self.told.setdefault(wrong.title, one.title)
        return said


def _sentences(wrong: Wrong | None, one: Check, found: Fault, known: str) -> list[str]:
    """What is wrong, then the nearest known mistake."""
    if wrong is None or not known:
        return [found.sentence]
    # With the mistake named, "Yours is 1, ours 2." under the two values says nothing new.
    bare = wrong.caught_by is one and found.label and found.sentence.startswith("Yours is ")
    return [known] if bare or known == found.sentence else [found.sentence, known]


def _values(found: Fault) -> tuple[str, str]:
    """What came and what ours gives, where there are two values to show."""
    if found.kind == "judged":
        return brief(found.seen), f"{brief(found.ours)}  (one of several right answers)"
    if found.kind == "slow":
        return found.seen, found.ours
    if found.label and found.kind in ("differs", "changed", "again"):
        return brief(found.seen), brief(found.ours)
    return "", ""


def _trace(found: Fault) -> str:
    """The learner's own lines on the way to an error, then the error itself."""
    run = found.run
    if run.error is None or found.kind == "unwritten":
        return ""
    lines = [f"  {file}, line {line}, in {name}\n    {text}" for file, line, name, text in run.lines]
    return "\n".join([*lines, f"  {brief(run.error)}"])


def _agreeing(found: Fault, seen: list[Run], devices: tuple[str, ...]) -> str:
    """What was right already: values before this one, sizes before this one, another device."""
    parts = []
    if found.agrees:
        asked = f" Not yet: {found.label}." if found.label else ""
        parts.append(f"Agrees: {', '.join(found.agrees[:3])}.{asked}")
    if found.run.device != devices[0] and found.kind == "differs":
        parts.append(f"On {devices[0]} it is right; on {found.run.device} it is not.")
    elif number := next((n for n, run in enumerate(seen) if run is found.run), 0):
        before = number // len(devices) or 1
        parts.append(f"It was right for the first {'input' if before == 1 else f'{before} inputs'}.")
    return " ".join(parts)


def _first_lines(printed: str, most: int = 8) -> str:
    lines = printed.rstrip("\n").split("\n")
    more = [f"… {count(len(lines) - most, 'more line')}"] if len(lines) > most else []
    if len(printed.encode("utf-8", "replace")) >= process.KEPT_OUTPUT:
        more = ["… and more, not kept"]
    return "\n".join([clean(line[:160]) for line in lines[:most]] + more)
