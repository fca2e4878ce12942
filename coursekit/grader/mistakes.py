"""The nearest known mistake: which of an exercise's wrong answers gives exactly what was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .comparison import compare
from .encoding import Array, Refused
from .form import Check, Exercise, Wrong
from .judging import Fault
from .observing import Run
from .wording import brief


def as_files(replace: Mapping[str, str]) -> dict[str, str]:
    """Definitions by full name, gathered into the files of a kit."""
    files: dict[str, str] = {}
    for full, text in replace.items():
        module = full.rpartition(".")[0]
        files[module] = files.get(module, "") + text.strip() + "\n\n\n"
    return files


def nearest(
    exercise: Exercise, check: Check, fault: Fault, seen: list[Run], runs_of: Callable[[Wrong], list[Run]]
) -> Wrong | None:
    """The wrong answer that does the same for every input, or at least at the value in question.

    Args:
        seen: What the learner's gave.
        runs_of: What a wrong answer gives for the same inputs.
    """
    if fault.kind not in ("differs", "judged", "changed", "raised", "slow"):
        return None
    likely = sorted(exercise.wrong, key=lambda wrong: wrong.caught_by is not check)
    is_slow = fault.kind == "slow"
    if is_slow:  # all values are right: what is caught here all the same is caught for its time
        likely = [wrong for wrong in likely if wrong.caught_by is check]
    found = None
    for wrong in likely:
        runs = runs_of(wrong)
        if all(_same(a, b) for a, b in zip(seen, runs, strict=True)):
            return wrong
        here = wrong.caught_by is check and fault.label and not is_slow
        if here and _same_at(fault.label, seen, runs):
            found = found or wrong
    return found


def _same(a: Run, b: Run) -> bool:
    """Whether two runs saw the same values and ended the same way."""
    ends = [(run.stopped, run.error and (run.error.type, run.error.text)) for run in (a, b)]
    if ends[0] != ends[1] or len(a.seen) != len(b.seen):
        return False
    return all(x.label == y.label and _equal(x.value, y.value) for x, y in zip(a.seen, b.seen, strict=True))


def _same_at(label: str, a: list[Run], b: list[Run]) -> bool:
    pairs = [
        (x.value, y.value)
        for one, other in zip(a, b, strict=True)
        for x, y in zip(one.seen, other.seen, strict=False)
        if x.label == y.label == label
    ]
    return bool(pairs) and all(_equal(x, y) for x, y in pairs)


def _equal(x: Any, y: Any) -> bool:
    # What cannot be compared is at least the same sort of thing.
    return x.type == y.type if isinstance(x, Refused) and isinstance(y, Refused) else compare(x, y) is None


def sentence(wrong: Wrong, check: Check, fault: Fault, told_at: str = "") -> str:
    """A known mistake's sentence with what was seen and drawn filled in, or the check that has told it.

    Args:
        told_at: The title of the check where the learner has read the sentence already, or "".

    Returns:
        The sentence, or "" where a value it speaks of is not there.
    """
    if told_at and wrong.caught_by is not check:
        return f'It is the same mistake as in "{told_at}".'
    values = {**fault.run.drawn, **({"yours": fault.seen, "ours": fault.ours} if fault.label else {})}
    try:
        return wrong.says.format(**{name: brief(_number_of(value)) for name, value in values.items()})
    except KeyError:
        return ""


def _number_of(value: Any) -> Any:
    """The number in a tensor of one; anything else as it is."""
    return value.data.item() if isinstance(value, Array) and not value.shape else value
