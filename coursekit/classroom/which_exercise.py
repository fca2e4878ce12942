"""Which exercises a submission is for: what was ordered, what it says, or else what it defines.

>>> which_exercises({"metrics": "def accuracy(predictions, targets): return 1"})
['first_model']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from .. import definitions
from ..grader import exercises

CANNOT_TELL = (
    "Which exercise this is for cannot be told: it names none, and defines nothing that one asks for. If you "
    "know, `--exercise WORD` grades it."
)


def chosen(ordered: Sequence[str], said: Sequence[str], files: Mapping[str, str]) -> list[str]:
    """The exercises to grade a submission in: none when it is for others; "" when none can be told.

    Args:
        ordered: What the instructor asked for, if anything; then only that is graded.
        said: What the submission says it is for, if anything.
        files: Module to text.

    >>> chosen(["tensors"], ["tensors", "learner"], {}), chosen([], ["learner"], {})
    (['tensors'], ['learner'])
    >>> chosen(["tensors"], [], {}), chosen(["tensors"], ["learner"], {}), chosen([], [], {})
    (['tensors'], [], [''])
    """
    known = [word for word in said if word in exercises.words()]
    if ordered:
        return [word for word in ordered if not known or word in known]
    return known or which_exercises(files) or [""]


def which_exercises(files: Mapping[str, str]) -> list[str]:
    """The exercises that files answer: those of which a part is written, or else at least begun.

    A file that cannot be read belongs to these where one of them asks for its module, and else answers all
    that do: its learner is to hear of it.
    """
    begun: set[str] = set()
    written: set[str] = set()
    unread: set[str] = set()
    for module, text in files.items():
        try:
            for name, statement in definitions.defined(definitions.read(text)).items():
                begun.add(f"{module}.{name}")
                written |= {f"{module}.{name}"} if definitions.is_written(statement.node) else set()
        except (definitions.Unreadable, RecursionError, MemoryError):
            unread.add(module)
    found = [word for word, asked in _asked().items() if asked & written]
    unread -= {_module(name) for word in found for name in _asked()[word]}
    found += [word for word, asked in _asked().items() if unread & set(map(_module, asked))]
    return found or [word for word, asked in _asked().items() if asked & begun]


@cache
def _asked() -> dict[str, frozenset[str]]:
    """What each exercise asks for: "module.name"."""
    return {word: frozenset(exercises.load(word).yours) for word in exercises.words()}


def _module(name: str) -> str:
    return name.rpartition(".")[0]
