"""The form of an exercise: checks that ask, judges that decide, wrong answers that are known.

An exercise is one Python file. Its docstring is the task, `yours` names what the learner writes, every
`@check` is a scenario that asks and records, and `wrong` holds mistakes that people make.

>>> @check(points=2)
... def halves_add_up(kit, case):
...     '''Both halves together are the whole.'''
...     n = case.integer("items", 4, 9)
...     yield "halves", kit.halve(n)
>>> halves_add_up.title, halves_add_up.points, halves_add_up.hint
('halves add up', 2, 'Both halves together are the whole.')
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Scenario = Callable[[Any, Any], Iterator[tuple]]
Judge = Callable[[dict[str, Any], Any, dict[str, Any]], Iterator[tuple[str, str]]]


@dataclass(eq=False)
class Check:
    """One question put to the learner's code, and how many points its answer is worth.

    Attributes:
        name: The scenario's function name, unique within its exercise.
        points: What it counts, at least 1.
        hint: The scenario's docstring: one sentence shown when the check fails.
        lesson: The heading of the lesson's section to read again, or "".
        rounds: How many different sizes of inputs are drawn; each is asked twice.
        another_day: Ask once more in a new Python, where hashes and unseeded chance are others; the same
            must come.
        judge_function: Decides on the trusted side, where several answers are right; else ours is compared.
    """

    scenario: Scenario
    points: int
    lesson: str = ""
    rounds: int = 2
    another_day: bool = False
    judge_function: Judge | None = None
    name: str = field(init=False)
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.scenario.__name__
        self.hint = inspect.cleandoc(self.scenario.__doc__ or "")
        if not inspect.isgeneratorfunction(self.scenario):
            raise TypeError(f"the check {self.name} yields nothing; a scenario yields `label, value` pairs.")
        if not self.hint:
            raise TypeError(f"the check {self.name} has no docstring; it is the hint that a learner reads.")

    @property
    def title(self) -> str:
        """The name as words: `nothing_is_lost` reads "nothing is lost"."""
        return self.name.replace("_", " ")

    def judge(self, function: Judge) -> Judge:
        """Let `function(seen, case, ours)` decide; it yields `label, sentence` for what is wrong.

        `seen` and `ours` map each label to plain data; `case[name]` is what was drawn. It never runs
        beside the learner's code.
        """
        self.judge_function = function
        return function


def check(
    *, points: int, lesson: str = "", rounds: int = 2, another_day: bool = False
) -> Callable[[Scenario], Check]:
    """Make a check of a scenario: a generator `(kit, case)` of `label, value` or `label, value, how`.

    `how` says what counts as equal: "close" (the default; a tolerance that fits the dtype), "exact",
    "same set" or "up to sign". The other arguments are those of `Check`.
    """
    return lambda scenario: Check(scenario, points, lesson, rounds, another_day)


@dataclass(eq=False)
class Wrong:
    """A mistake that people make, kept to prove that it is caught and to name it when it is met.

    Attributes:
        title: What is wrong with it, in a few words.
        replace: The definitions it gets wrong: "module.name" to source text.
        caught_by: The check that must fail.
        says: The sentence the learner reads. `{yours}`, `{ours}` and the names of draws are filled in.
    """

    title: str
    replace: dict[str, str]
    caught_by: Check
    says: str


@dataclass(eq=False)
class Right:
    """Another way to do it right, kept to prove that no check asks for our way alone."""

    title: str
    replace: dict[str, str]


@dataclass(eq=False)
class Exercise:
    """A whole exercise, as read from its file.

    Attributes:
        word: The word it shares with its module, lesson and tests.
        task: The docstring: Markdown, its first line a heading.
        yours: What the learner writes: "module.name" to what that part does.
        checks: In the order of the file.
        source: The text of the file; scenarios are cut from it.
    """

    word: str
    task: str
    yours: dict[str, str]
    checks: tuple[Check, ...]
    wrong: tuple[Wrong, ...]
    right: tuple[Right, ...]
    source: str

    @property
    def title(self) -> str:
        """The heading of the task, or the word where there is none."""
        first = self.task.splitlines()[0] if self.task else ""
        return first.lstrip("# ").strip() or self.word.replace("_", " ")

    @property
    def points(self) -> int:
        """What all checks together count."""
        return sum(check.points for check in self.checks)

    def check_named(self, name: str) -> Check:
        """The check of that name; KeyError names those there are."""
        for one in self.checks:
            if one.name == name:
                return one
        raise KeyError(f"{self.word} has no check {name!r}; it has {', '.join(c.name for c in self.checks)}.")
