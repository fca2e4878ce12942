"""What an instructor looks at first, in sentences: for the terminal and for the head of the overview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..grader.wording import count
from .neutral import line
from .rows import GRADED, MISSING, OURS, REFUSED
from .tally import CheckTally, Tally

# From so many learners on, and such a share of the class, a failure that they share is worth a word.
SHARED, SHARE = 3, 0.05


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Attributes:
        sentence: Plain text; it may hold what learners wrote.
        place: The section of the overview that has more.
    """

    sentence: str
    place: str


def findings(tallies: Sequence[Tally]) -> list[Finding]:
    """What to look at, in the order in which it matters."""
    found = [*_unprotected(tallies), *_to_settle(tallies)]
    several = sum(bool(tally.word) for tally in tallies) > 1
    where = {tally.word: f" ({tally.title or tally.word})" if several else "" for tally in tallies}
    for tally in tallies:
        found += [*_nobody(tally, where), *_worst(tally, where), *_shared(tally)]
    told = {
        "help": "passed no check, and may need help",
        "noted": "handed in something that was left out, or is doubtful",
    }
    for place, words in told.items():
        who = {look.learner for tally in tallies for look in getattr(tally, place)}
        found += [Finding(f"{count(len(who), 'learner')} {words}.", place)] if who else []
    for tally in tallies:
        found += _missing_and_late(tally, where)
    return [*found, *_alike(tallies)]


def summary(tallies: Sequence[Tally]) -> str:
    """What came of the grading, for a terminal.

    >>> from collections import Counter
    >>> print(summary([Tally("metrics", outcomes=Counter({"missing": 2}))]))
    metrics · 2 learners · 0 graded · 2 handed nothing in
    """
    lines = []
    for tally in tallies:
        lines.append(line(_head(tally)))
        lines += [f"    {line(told, 400)}" for told in _points(tally)]
    first = findings(tallies)
    if first:
        lines += ["", "Look at these first:"]
        lines += [f"  {number}. {line(one.sentence, 400)}" for number, one in enumerate(first, 1)]
    return "\n".join(lines)


def _head(tally: Tally) -> str:
    counts = [
        (GRADED, "graded"), (REFUSED, "could not be graded"), (OURS, "the grader failed on"),
        (MISSING, "handed nothing in"),
    ]  # fmt: skip
    told = [
        f"{tally.outcomes[sort]} {words}" for sort, words in counts if tally.outcomes[sort] or sort == GRADED
    ]
    return " · ".join([tally.title or tally.word, count(tally.learners, "learner"), *told])


def _points(tally: Tally) -> list[str]:
    if tally.median is None or not tally.word:
        return []
    full, none = tally.points[tally.of], tally.points[0]
    return [f"median {tally.median:g} of {tally.of}; all points: {full}; none: {none}"]


def _unprotected(tallies: Sequence[Tally]) -> list[Finding]:
    number = sum(tally.unprotected.total() for tally in tallies)
    made = f"{count(number, 'grade')} made without the full sandbox"
    said = f"{made}: a learner's code could have changed what it says."
    return [Finding(said, "made")] if number else []


def _to_settle(tallies: Sequence[Tally]) -> list[Finding]:
    number = sum(len(tally.settle) for tally in tallies)
    failed = sum(tally.outcomes[OURS] for tally in tallies)
    again = f" On {failed} the grader failed: grading again tries them again." if failed else ""
    thing = "submission needs" if number == 1 else "submissions need"
    return [Finding(f"{number} {thing} a person.{again}", "settle")] if number else []


def _nobody(tally: Tally, where: Mapping[str, str]) -> list[Finding]:
    return [
        Finding(
            f'Nobody passed "{one.title}"{where[tally.word]}, and {one.failed} tried: look at the check, and '
            "at what the task says.",
            f"checks-{tally.word}",
        )
        for one in tally.checks.values()
        if not one.right and one.failed >= SHARED
    ]


def _worst(tally: Tally, where: Mapping[str, str]) -> list[Finding]:
    """The check that failed most, and what most of those did."""
    worst = tally.worst_checks()
    if not worst:
        return []
    one = worst[0]
    said = f'"{one.title}"{where[tally.word]} failed most: {one.failed} of {one.count}.'
    known = next((failure for failure in one.worst() if failure.title), None)
    if known:
        looks = "looks" if known.count == 1 else "look"
        said += f' {known.count} of them {looks} like "{known.title}".'
    return [Finding(said, f"checks-{tally.word}")]


def _shared(tally: Tally) -> list[Finding]:
    """Wrong values that many share and no known mistake explains: the task may be at fault."""
    found = []
    for check in tally.checks.values():
        for failure in check.worst():
            is_odd = failure.kind in ("differs", "judged") and not failure.title
            if is_odd and failure.count >= max(SHARED, SHARE * check.count):
                found.append((failure.count, _same(check, failure.count, failure.sentence), tally.word))
    found.sort(key=lambda one: -one[0])
    return [Finding(said, f"checks-{word}") for _, said, word in found[:3]]


def _same(check: CheckTally, number: int, sentence: str) -> str:
    return (
        f'{number} failed "{check.title}" with one and the same answer, which is no mistake that is known: '
        f'"{sentence}" Perhaps the task can be read in another way.'
    )


def _missing_and_late(tally: Tally, where: Mapping[str, str]) -> list[Finding]:
    told = []
    if tally.missing:
        told.append(f"{len(tally.missing)} of {tally.learners} handed nothing in")
    if tally.late:
        told.append(f"{tally.late} came late")
    said = f"{' and '.join(told)}{where[tally.word]}."
    return [Finding(said, "missing" if tally.missing else "everyone")] if told else []


def _alike(tallies: Sequence[Tally]) -> list[Finding]:
    every = [alike for tally in tallies for alike in tally.alike.values()]
    library = {learner for alike in every for learner in alike.library}
    pairs = {pair for alike in every for pair in alike.pairs}
    told = [f"{count(len(library), 'learner')} wrote as the library does"] if library else []
    told += [f"{count(len(pairs), 'pair')} of learners wrote alike"] if pairs else []
    said = f"{', and '.join(told)}. This is information, not a score."
    return [Finding(said, "alike")] if told else []
