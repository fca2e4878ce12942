"""A fault in words: what was asked, what came, the nearest known mistake, and what to do next."""

from __future__ import annotations

from .form import Check, Wrong
from .job import KEPT_OUTPUT
from .judging import Fault
from .mistakes import sentence
from .observing import Run
from .report import Message
from .wording import brief, clean, count


class Teller:
    """Tells the faults of one kit; what was told at one check is not told in full at the next.

    Args:
        word: The exercise.
        devices: Where the kit is asked.
    """

    def __init__(self, word: str, devices: tuple[str, ...]) -> None:
        self.word, self.devices = word, devices
        self.told: dict[str, str] = {}  # each known mistake that was named, and the check that named it

    def message(
        self, check: Check, found: Fault, seen: list[Run], wrong: Wrong | None, printed: str
    ) -> Message:
        """What is said of a fault.

        Args:
            seen: All runs of the learner's kit, as far as it got.
            wrong: The nearest known mistake.
            printed: What the kit's code printed meanwhile.
        """
        known = self._known(check, found, wrong) if wrong else ""
        sentences = [*_sentences(wrong, check, found, known), _agreeing(found, seen, self.devices)]
        run = found.run
        call = run.scenario.call(found.line, run.drawn, found.names or {}, run.device)
        yours, theirs = _values(found)
        return Message(
            call=clean(call),
            trace=_trace(found),
            yours=yours,
            ours=theirs,
            sentences=tuple(one for one in sentences if one),
            printed=_first_lines(printed),
            hint=check.hint,
            where=f'Read again: lesson {self.word}, "{check.lesson}".' if check.lesson else "",
        )

    def _known(self, check: Check, found: Fault, wrong: Wrong) -> str:
        """A known mistake's sentence, in full at the first check that shows it."""
        said = sentence(wrong, check, found, self.told.get(wrong.title, ""))
        if said:
            self.told.setdefault(wrong.title, check.title)
        return said


def _sentences(wrong: Wrong | None, check: Check, found: Fault, known: str) -> list[str]:
    """What is wrong, then the nearest known mistake."""
    if wrong is None or not known:
        return [found.sentence]
    # With the mistake named, "Yours is 1, ours 2." under the two values says nothing new.
    bare = wrong.caught_by is check and found.label and found.sentence.startswith("Yours is ")
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
    if len(printed.encode("utf-8", "replace")) >= KEPT_OUTPUT:
        more = ["… and more, not kept"]
    return "\n".join([clean(line[:160]) for line in lines[:most]] + more)
