"""What is wrong with what was seen, if anything: the first thing, in the order a learner meets it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .comparison import compare, form
from .form import Check
from .observing import Run, Seen
from .wording import brief, clean, count, kind

CRASHES = {
    -9: "Python was ended by the system while your code ran, most likely for asking for too much memory.",
    -11: "Python itself crashed while your code ran (a segmentation fault).",
    -6: "Python itself gave up while your code ran (an abort).",
    -24: "Your code computed for longer than it may and was stopped: look for a loop that never ends.",
    -31: "Your code asked the system for something that is not allowed here, and was stopped.",
}
# What errors say when something runs out, and what to say then.
RUN_OUT = {
    "No space left on device": "The disk is full: where checks run there is room for a few small files only.",
    "File too large": "A file grew too large: where checks run there is room for a few small files only.",
    "Too many open files": "Too many files are open at once: close each after use, best by `with`.",
    "Resource temporarily unavailable": "Too many processes were started: here only a few may run at a time.",
    "can't start new thread": "Too many threads were started: here only a few may run at a time.",
    "not enough memory": "Your code asked for more memory than there is for it.",
    "can't allocate memory": "Your code asked for more memory than there is for it.",
    "Cannot allocate memory": "Your code asked for more memory than there is for it.",
    "name resolution": "There is no network where your code is checked: it must do without downloads.",
    "Network is unreachable": "There is no network where your code is checked: it must do without downloads.",
}


@dataclass(frozen=True)
class Fault:
    """The first thing wrong with one check.

    Attributes:
        kind: "differs", "judged", "changed" in a new Python, "again" when made once more, "slow", "raised",
            "unwritten", "stopped", "unusable" or "ours" (our own mistake).
        run: The learner's run in which it was seen.
        label: The value it is about, or "" when there is none.
        sentence: What is wrong.
        agrees: What was right before it, in words.
    """

    kind: str
    run: Run
    sentence: str
    label: str = ""
    seen: Any = None
    ours: Any = None
    line: int = 0
    names: dict[str, Any] | None = None
    agrees: tuple[str, ...] = ()


def fault(check: Check, seen: list[Run], ours: list[Run], seconds: float) -> Fault | None:
    """The first fault among a check's runs, or None: every one of them must be right."""
    for run, reference in zip(seen, ours, strict=False):
        found = _differing(check, run, reference) if run.is_whole else interrupted(run, reference, seconds)
        if found:
            return found
    return None


def changed(today: Run, later: Run, ours: Run, seconds: float) -> Fault | None:
    """What a new Python gave, against what came before: the same question has the same answer later."""
    if not later.is_whole:
        return interrupted(later, ours, seconds)
    for number, (at, one) in enumerate(zip(ours.seen, today.seen, strict=True)):
        other = later.seen[number] if number < len(later.seen) else None
        if other is None or other.label != one.label or compare(other.value, one.value, "exact"):
            gave = f"the same call gave {brief(other.value)}" if other else "no answer came"
            return fault_at("changed", today, at, one, f"in a new Python, as on another day, {gave}.")
    return None


def interrupted(run: Run, reference: Run, seconds: float) -> Fault:
    """A run that did not get to its end."""
    at = reference.seen[min(len(run.seen), len(reference.seen) - 1)]
    blank = Fault("", run, "", line=run.line or at.line, names=at.names)
    if run.unusable:
        return Fault("unusable", run, run.unusable)
    if run.stopped:
        return replace(blank, kind="stopped", sentence=_why_stopped(run, seconds))
    assert run.error is not None
    name = run.lines[-1][2].removesuffix(".__init__") if run.lines else "this part"
    if _is_unwritten(run):
        there = run.error.text if "not there yet" in run.error.text else ""
        return replace(blank, kind="unwritten", sentence=f"You have not written {name} yet. {there}".strip())
    if "SystemExit" in run.error.bases:
        said = "Your code ended Python: take out exit(), quit() or sys.exit()."
        return replace(blank, kind="raised", sentence=said)
    said = f"Your code raised {run.error.type} before it gave an answer."
    if run_out := next((says for words, says in RUN_OUT.items() if words in run.error.text), ""):
        said = run_out
    elif "MemoryError" in run.error.bases:
        said = RUN_OUT["not enough memory"]
    elif "EOFError" in run.error.bases:
        said = "Nobody can type while a check runs: take out input()."
    elif "RecursionError" in run.error.bases:
        said = f"{name} calls itself again and again; nothing tells it when to stop."
    return replace(blank, kind="raised", sentence=said)


def _is_unwritten(run: Run) -> bool:
    """Whether a starter was called; torch raises NotImplementedError too, for what it cannot do."""
    error, last = run.error, run.lines[-1][3] if run.lines else ""
    if error is None or "NotImplementedError" not in error.bases:
        return False
    return last.startswith("raise NotImplementedError") or "not there yet" in error.text


def _why_stopped(run: Run, seconds: float) -> str:
    if run.stopped == "hung":
        after = f"after {seconds:g} {'second' if seconds == 1 else 'seconds'}"
        return f"Your code was still running {after} and was stopped: look for a loop that never ends."
    if run.stopped == "memory":
        return "Your code took more memory than there is for it and was stopped: look for what keeps growing."
    if run.stopped == "flooded":
        return "Your code printed more than 10 MB and was stopped: look for a print inside a loop."
    if run.stopped == "broken":
        return (
            "What came back from your code cannot be read. Does it write to files or pipes it did not open?"
        )
    if run.status < 0:
        return CRASHES.get(run.status, f"Python itself was ended while your code ran (signal {-run.status}).")
    ended = f"Your code ended Python (exit status {run.status}) before the check was over"
    return f"{ended}: take out os._exit() and the like."


def _differing(check: Check, run: Run, reference: Run) -> Fault | None:
    """A whole run: first its form, then what our value or the judge says."""
    agrees: list[str] = []
    for number, ours in enumerate(reference.seen):
        seen = run.seen[number] if number < len(run.seen) else None
        if seen is None or seen.label != ours.label:
            return fault_at(
                "differs", run, ours, None, f"this check expected {ours.label!r} here, and it did not come."
            )
        if said := unlike(check, seen, ours):
            return fault_at("differs", run, ours, seen, said, agrees)
        agrees.append(f"{seen.label} ({brief(seen.value)})" if len(brief(seen.value)) < 30 else seen.label)
    if len(run.seen) > len(reference.seen):
        more = count(len(run.seen) - len(reference.seen), "value")
        return fault_at("differs", run, reference.seen[-1], None, f"{more} more came than ours gives.")
    return _judged(check, run, reference) if check.judge_function else None


def unlike(check: Check, seen: Seen, ours: Seen) -> str | None:
    """How a value is unlike ours, if it is; where a judge decides, only in its form."""
    try:
        if check.judge_function:
            return form(seen.value, ours.value)
        return compare(seen.value, ours.value, ours.how)
    except Exception as error:
        # Our own values can be compared, so it is what came that cannot.
        return f"yours is {kind(seen.value)}, which cannot be compared with ours ({type(error).__name__})."


def _judged(check: Check, run: Run, reference: Run) -> Fault | None:
    assert check.judge_function is not None
    try:
        complaints = list(check.judge_function(run.values(), reference.case(), reference.values()))
    except Exception as error:
        return _unjudged(check, run, reference, f"{type(error).__name__}: {clean(str(error), 200)}")
    for label, sentence in complaints:
        ours = next(one for one in reference.seen if one.label == label)
        seen = next(one for one in run.seen if one.label == label)
        return fault_at("judged", run, ours, seen, sentence)
    return None


def _unjudged(check: Check, run: Run, reference: Run, error: str) -> Fault:
    """A judge that stumbled: over what came; or, if ours' own values make it stumble, too, by our mistake."""
    assert check.judge_function is not None
    try:
        list(check.judge_function(reference.values(), reference.case(), reference.values()))
    except Exception:
        said = f"The check could not judge what came back ({error})."
        return Fault("ours", run, f"{said} That is a fault of the course, not yours.")
    said = f"what came is not of a form that can be judged ({error})."
    return fault_at("differs", run, reference.seen[0], run.seen[0], said)


def fault_at(
    kind: str, run: Run, ours: Seen, seen: Seen | None, said: str, agrees: list[str] | None = None
) -> Fault:
    sentence = said[:1].upper() + said[1:]
    value = seen.value if seen else None
    return Fault(
        kind, run, sentence, ours.label, value, ours.value, ours.line, ours.names, tuple(agrees or ())
    )
