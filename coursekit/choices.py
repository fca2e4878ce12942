"""Which of several methods fits a call best, and the words that say why, or why none does.

>>> from .dispatch import method
>>> @method
... def double(x: int): return x + x
>>> double("tea")
Traceback (most recent call last):
coursekit.choices.NoMethodError: double has no method for (str).
It can take: int.
Closest:
  double(x: int), <doctest coursekit.choices[1]>:1; here x is str
To add one, write @double.method above def _(x: str).
"""

from __future__ import annotations

import functools
import html
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .signatures import Method, Missing, Parameter, names


class Column(NamedTuple):
    """What the methods of a word take at one position of a call."""

    position: int
    allowed: list[tuple[type, ...]]  # for each method, by its number
    takers: dict[type, int]  # the numbers of the methods that take a type, as bits: quick to intersect
    abstract: list[type]  # those types that can be fitted without being inherited from

    @classmethod
    def of(cls, position: int, allowed: list[tuple[type, ...]]) -> Column:
        """Gather what each method allows at a position."""
        takers: dict[type, int] = {}
        for number, kinds in enumerate(allowed):
            for kind in kinds:
                takers[kind] = takers.get(kind, 0) | 1 << number
        plain_check = type.__subclasscheck__
        abstract = [kind for kind in takers if type(kind).__subclasscheck__ is not plain_check]
        return cls(position, allowed, takers, abstract)


def lineage(kind: type, column: Column) -> list[type]:
    """List what a type is, nearest first, as far as methods ask for it: its ancestors, then what it fits."""
    if kind is Missing:
        return [kind] if kind in column.takers else []
    near = [ancestor for ancestor in kind.__mro__ if ancestor in column.takers]
    return near + [base for base in column.abstract if base not in near and issubclass(kind, base)]


def ancestor(kind: type, allowed: Sequence[type]) -> type:
    """Find which of the allowed types is nearest to one that fits: an ancestor, else what it merely fits."""
    near = next((base for base in kind.__mro__ if base in allowed), None)
    return near or next(base for base in allowed if issubclass(kind, base))


def as_near(one: Sequence[type], other: Sequence[type], kind: type) -> bool:
    """Say whether the types `one` come at least as near to an argument of type `kind` as `other` do."""
    mine, theirs, line = ancestor(kind, one), ancestor(kind, other), kind.__mro__
    if mine is theirs:
        return all(base in other or (base is not Missing and issubclass(base, tuple(other))) for base in one)
    if mine in line and theirs in line:
        return line.index(mine) < line.index(theirs)
    return issubclass(mine, theirs)


def nearest(fitting: Sequence[Sequence[tuple[type, ...]]], kinds: Sequence[type]) -> list[int]:
    """Find, among the methods that fit a call, those that no other method is nearer than.

    In one argument, the method is nearer that takes the nearer ancestor of the argument's type: the type
    itself, then its bases in the order of `kind.__mro__`. A method is nearer than another if it is at least
    as near in every argument and nearer in some.

    Args:
        fitting: For each method that fits, and in it for each argument, the types that it takes.
        kinds: The types of the arguments.

    Returns:
        Their places in `fitting`, ascending: one if the call is clear, several if it is ambiguous.

    >>> nearest([[(object,)], [(int,)]], [bool])
    [1]
    >>> nearest([[(int,), (object,)], [(object,), (int,)]], [bool, bool])
    [0, 1]
    """

    def nearer(one: Sequence[tuple[type, ...]], other: Sequence[tuple[type, ...]]) -> bool:
        return all(map(as_near, one, other, kinds)) and not all(map(as_near, other, one, kinds))

    return [place for place, one in enumerate(fitting) if not any(nearer(other, one) for other in fitting)]


def rank(asked: Sequence[tuple[Column, type]], count: int) -> tuple[list[int], list[int]]:
    """Find the methods that fit a call: those that no other is nearer than, and those passed over."""
    bits, fitting = (1 << count) - 1, []
    for column, kind in asked:
        bits &= functools.reduce(operator.or_, map(column.takers.__getitem__, lineage(kind, column)), 0)
    while bits:
        lowest = bits & -bits
        fitting.append(lowest.bit_length() - 1)
        bits ^= lowest
    best = fitting
    # What was left out decides only between methods that are as near to what was given.
    for left_out in (False, True) if len(fitting) > 1 else ():
        asking = [(column.allowed, kind) for column, kind in asked if (kind is Missing) == left_out]
        takes = [[allowed[number] for allowed, _ in asking] for number in best]
        best = [best[place] for place in nearest(takes, [kind for _, kind in asking])]
    return best, [one for one in fitting if one not in best]


class NoMethodError(TypeError):
    """No method fits the types of a call."""


class AmbiguousMethodError(TypeError):
    """Several methods fit the types of a call, and none of them best."""


@dataclass
class Call:
    """A call to a word, as far as its methods are chosen by it."""

    word: str
    given: tuple[type, ...]  # the types of all positional arguments, `Missing` where one was left out
    common: list[Parameter]  # the parameters of the word
    classes: list[type]  # inside a class: those that have the word, nearest first

    @property
    def owner(self) -> bool:
        """Whether the first argument is the `self` of a class, which goes without saying."""
        return bool(self.classes)

    @property
    def title(self) -> str:
        """The word as one would write it from outside: `turn`, or `Scale.encode` inside a class."""
        return f"{self.classes[0].__name__}.{self.word}" if self.owner else self.word

    def __str__(self) -> str:
        kinds = [names([kind]) for kind in self.given[self.owner :] if kind is not Missing]
        return f"({', '.join(few(kinds))})"

    def misfits(self, method: Method) -> list[tuple[str, type]]:
        """List the arguments that a method does not take, by parameter and type."""
        result = []
        for position, kind in enumerate(self.given):
            allowed = method.kinds(position, self.common)
            if kind not in allowed if kind is Missing else not issubclass(kind, allowed):
                result.append((parameter_name(method, position), kind))
        return result

    def settled(self, methods: Sequence[Method]) -> str:
        """Write the parameters of a method that would be nearer to this call than all of these methods."""
        parts = []
        for position, kind in list(enumerate(self.given))[self.owner :]:
            if kind is Missing:
                continue
            here = [method.kinds(position, self.common) for method in methods]
            choices = [tuple(base for base in one if base is not Missing) for one in here]
            allowed = [base for one in choices for base in one]
            nearest = next((base for base in kind.__mro__ if base in allowed), kind)
            # Best with what else stands there: a method for `None` alone leaves `str | None` unsettled.
            whole = [one for one in choices if nearest in one and all(as_near(one, b, kind) for b in choices)]
            text = names((whole or [(nearest,)])[0])
            name = parameter_name(methods[0], position)
            parts.append(name if nearest is object else f"{name}: {text}")
        return ", ".join(["self"] * self.owner + few(parts))


def few(parts: list[str]) -> list[str]:
    """Cut a long list short.

    >>> few(["int"] * 200)
    ['int', 'int', 'int', 'int', 'int', '... 200 in all']
    """
    return parts if len(parts) <= 8 else [*parts[:5], f"... {len(parts)} in all"]


def parameter_name(method: Method, position: int) -> str:
    """Name the parameter of a method at a position, if it has one."""
    names_there = [parameter.name for parameter in method.parameters]
    return names_there[position] if position < len(names_there) else f"argument_{position + 1}"


def ambiguous(call: Call, best: Sequence[Method]) -> str:
    """Say that several methods fit equally well, and which one would settle it."""
    lines = [f"  {method}, {method.place}" for method in best]
    settled = f"def _({call.settled(best)})"
    return "\n".join(
        [
            f"{call.title} is ambiguous for {call}: these methods fit equally well.",
            *lines,
            f"To settle it, write @{call.title}.method above {settled}.",
        ]
    )


def no_method(call: Call, methods: Sequence[Method]) -> str:
    """Say that no method fits, what there is, and what to do next."""
    first = [kind for method in methods for kind in method.kinds(int(call.owner), call.common)]
    kinds = [kind for kind in dict.fromkeys(first) if kind not in (object, Missing)]
    unlike: dict[str, Method] = {}
    for method in methods:
        unlike.setdefault(str(method), method)  # one that a class overrides need not stand twice
    closest = sorted(unlike.values(), key=lambda method: distance(call, method))[:3]
    lines = [f"{call.title} has no method for {call}."]
    lines += [f"It can take: {names(kinds, ', ')}."] * bool(kinds)
    for kind in call.given[call.owner : call.owner + 1]:
        special = [other for other in kinds if kind is not object and issubclass(other, kind)]
        if special and kind not in special:
            lines.append(
                f"{names([kind])} could be several of these; say which, such as {names(special[:1])}(x)."
            )
    lines += ["Closest:", *(f"  {method}, {method.place}; here {but(call, method)}" for method in closest)]
    if any(names([kind]) == names([other]) and kind is not other for kind in call.given for other in kinds):
        lines.append("Two different classes have the same name here: was one of them defined again?")
    parts = ["self"] * call.owner
    for position, kind in list(enumerate(call.given))[call.owner :]:
        name = parameter_name(closest[0], position)
        parts += [] if kind is Missing else [f"{name}: {names([kind])}"]
    return "\n".join(
        [*lines, f"To add one, write @{call.title}.method above def _({', '.join(few(parts))})."]
    )


def distance(call: Call, method: Method) -> float:
    """Count the arguments of a call that a method does not take, related ones a little less."""
    related = 0
    for position, kind in enumerate(call.given):
        allowed = method.kinds(position, call.common)
        related += max(len({*kind.__mro__} & {*base.__mro__}) for base in allowed)
    return len(call.misfits(method)) - related / 100


def but(call: Call, method: Method) -> str:
    """Say what keeps a method from taking a call."""
    return ", ".join(
        f"{name} is left out" if kind is Missing else f"{name} is {names([kind])}"
        for name, kind in call.misfits(method)
    )


@dataclass
class Choice:
    """The method that would run for a call, and why; it prints as a small table."""

    call: Call
    method: Method
    passed_over: list[Method]  # those that fit, but not as nearly

    def reasons(self) -> list[tuple[str, str]]:
        """Say for each argument which parameter takes it, and what its type is to the annotation."""
        result = []
        for position, kind in enumerate(self.call.given):
            allowed = self.method.kinds(position, self.call.common)
            near = object if kind is Missing else ancestor(kind, allowed)
            why = "" if near is kind else f" is a kind of {names([near])}"
            why = ", as anything is taken" if near is object else why
            if kind is not Missing:
                result.append((parameter_name(self.method, position), names([kind]) + why))
        return result[self.call.owner :]

    def __repr__(self) -> str:
        lines = [f"{self.call.title}{self.call} runs {self.method}, {self.method.place}"]
        lines += [f"  {name}: {why}" for name, why in self.reasons()]
        lines += [f"  fits less nearly: {method}, {method.place}" for method in self.passed_over]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [[f"{self.call.title}{self.call} runs {self.method}", self.method.place]]
        rows += [list(reason) for reason in self.reasons()]
        return table(rows + [[f"fits less nearly: {method}", method.place] for method in self.passed_over])


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out as an HTML table whose first row is its head.

    >>> table([["place"], ["a.py:3"]])
    '<table><thead><tr><th scope="col">place</th></tr></thead><tbody><tr><td>a.py:3</td></tr></tbody></table>'
    """
    cells = [[html.escape(text) for text in row] for row in rows]
    head = "".join(f'<th scope="col">{text}</th>' for text in cells[0])
    body = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in row)}</tr>" for row in cells[1:])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
