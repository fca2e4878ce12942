"""What a function says of itself: the types its annotations allow, and what several functions have in common.

`dispatch` chooses by it; here is only the reading.

>>> import sys
>>> def turn(photo: str, degrees: int | float = 90): ...
>>> print(read_method(turn, "turn", sys._getframe()))
turn(photo: str, degrees: int | float = 90)
"""

from __future__ import annotations

import inspect
import itertools
import os
import types
import typing
from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

REQUIRED = inspect.Parameter.empty


class Missing:
    """The type of an optional argument that was left out."""

    def __repr__(self) -> str:
        return "..."


MISSING = Missing()


class Parameter(NamedTuple):
    """One positional parameter of a method: the types it takes, and its default or `REQUIRED`."""

    name: str
    kinds: tuple[type, ...]
    default: Any
    by_name: bool

    def __str__(self) -> str:
        text = self.name if self.kinds == (object,) else f"{self.name}: {names(self.kinds)}"
        return text if self.default is REQUIRED else f"{text} = {self.default!r}"


@dataclass(eq=False)
class Method:
    """One of the functions that share a word, and the types it is for."""

    function: Callable[..., Any]
    word: str
    place: str
    parameters: tuple[Parameter, ...]
    rest: Parameter | None  # `*values`, if it has that
    keywords: dict[str, Any]  # the keyword-only parameters and their defaults
    any_keyword: bool  # whether it has `**keywords`

    def kinds(self, position: int, common: Sequence[Parameter]) -> tuple[type, ...]:
        """Say which types may stand at a position of a call to the word, whose parameters are `common`."""
        if position >= len(self.parameters):
            if self.rest is not None:
                return (*self.rest.kinds, Missing)
            named = position < len(common) and common[position].by_name
            by_name = named and (self.any_keyword or common[position].name in self.keywords)
            return (object, Missing) if by_name else (Missing,)
        own = self.parameters[position]
        default = common[position].default if position < len(common) else REQUIRED
        if (
            default is REQUIRED
            or own.default is REQUIRED
            or (default is not MISSING and isinstance(default, own.kinds))
        ):
            return own.kinds
        return (*own.kinds, type(default))

    def __str__(self) -> str:
        parts = [str(parameter) for parameter in self.parameters]
        parts += [] if self.rest is None else [f"*{self.rest}"]
        parts += [f"{name}=..." for name in self.keywords] + ["**keywords"] * self.any_keyword
        return f"{self.word}({', '.join(parts)})"


def names(kinds: Sequence[type], separator: str = " | ") -> str:
    """Name types as one would write them: `int | None`."""
    return separator.join(
        "None" if kind is types.NoneType else kind.__qualname__.split("<locals>.")[-1] for kind in kinds
    )


def read_method(function: Callable[..., Any], word: str, frame: types.FrameType | None) -> Method:
    """Read what a function says of its parameters; without a frame, as one that takes anything.

    `frame` is where its annotations stand; a name that is not there yet raises `NameError`.
    """
    source = inspect.unwrap(function)
    code, notes, defaults = source.__code__, source.__annotations__, source.__defaults__ or ()
    place = f"{'/'.join(code.co_filename.split(os.sep)[-2:])}:{code.co_firstlineno}"
    count, only = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    has_rest, any_keyword = (
        bool(code.co_flags & inspect.CO_VARARGS),
        bool(code.co_flags & inspect.CO_VARKEYWORDS),
    )

    def kinds(name: str) -> tuple[type, ...]:
        try:
            return read_annotation(notes.get(name, object), frame, source.__globals__) if frame else (object,)
        except (TypeError, NameError, AttributeError, SyntaxError) as error:
            raise type(error)(f"{word} at {place}, parameter {name}: {error}") from None

    padded = (REQUIRED,) * (count - len(defaults)) + defaults
    parameters = tuple(
        Parameter(name, kinds(name), default, position >= code.co_posonlyargcount)
        for position, (name, default) in enumerate(zip(code.co_varnames[:count], padded, strict=True))
    )
    keywords = {
        name: (source.__kwdefaults__ or {}).get(name, REQUIRED) for name in code.co_varnames[count:only]
    }
    name = code.co_varnames[only] if has_rest else ""
    rest = Parameter(name, kinds(name), REQUIRED, False) if has_rest else None
    return Method(function, word, place, parameters, rest, keywords, any_keyword)


def read_annotation(note: Any, frame: types.FrameType, module: dict[str, Any]) -> tuple[type, ...]:
    """Turn an annotation into the types it allows; `TypeError` says why it cannot be one."""
    origin, inner = typing.get_origin(note), typing.get_args(note)
    if isinstance(note, (str, typing.ForwardRef)):
        text = note if isinstance(note, str) else note.__forward_arg__
        inner = (eval(text, module, ChainMap(*visible(frame))),)
    elif note is None or note is Any:
        inner = (object if note is Any else types.NoneType,)
    elif isinstance(note, (tuple, typing.TypeVar)):
        inner = note if isinstance(note, tuple) else note.__constraints__ or (note.__bound__ or object,)
    elif origin is typing.Annotated or type(note).__name__ == "TypeAliasType":
        inner = (note.__value__ if origin is None else inner[0],)
    elif isinstance(note, type) and origin in (None, note):
        issubclass(int, note)  # A protocol that cannot be checked says so here.
        return (note,)
    elif origin not in (typing.Union, types.UnionType):
        if origin is None or inner:
            raise TypeError(why_not(note, origin))
        inner = (origin,)
    return tuple(dict.fromkeys(kind for part in inner for kind in read_annotation(part, frame, module)))


def why_not(note: Any, origin: Any) -> str:
    """Explain why an annotation cannot choose a method."""
    if not isinstance(origin, type) or origin is type:
        return (
            f"{note!r} is no type that an argument could be an instance of, so no method can be chosen by it."
        )
    return (
        f"{note!r} cannot choose a method: only the type of an argument is looked at, and that is "
        f"{names([origin])} whatever is inside. Annotate {names([origin])}, and look inside in the method."
    )


def visible(frame: types.FrameType) -> Iterator[Any]:
    """List the names an annotation can see from where it stands: a class body sees what is around it, too."""
    while not frame.f_code.co_flags & inspect.CO_NEWLOCALS and frame.f_locals is not frame.f_globals:
        yield frame.f_locals
        frame = typing.cast(types.FrameType, frame.f_back)
    yield frame.f_locals


def common_parameters(methods: Sequence[Method]) -> list[Parameter]:
    """Find the positional parameters of a word: as many as its longest method has, named where all agree.

    A default stands where all methods have the same; where they differ, or some lack the parameter, `MISSING`
    does.
    """
    places = itertools.zip_longest(*(method.parameters for method in methods), fillvalue=None)
    common: list[Parameter] = []
    for here in places:
        own = [parameter for parameter in here if parameter is not None]
        alike = len(own) == len(here) and same([parameter.default for parameter in own])
        named = all(parameter.by_name and parameter.name == own[0].name for parameter in own)
        common.append(Parameter(own[0].name, (), own[0].default if alike else MISSING, named))
    nameless = max((number for number, parameter in enumerate(common, 1) if not parameter.by_name), default=0)
    # Python wants every parameter in front of a nameless one to be nameless as well.
    return [
        parameter if number >= nameless else parameter._replace(name=f"argument_{number}", by_name=False)
        for number, parameter in enumerate(common)
    ]


def common_keywords(methods: Sequence[Method]) -> dict[str, Any] | None:
    """Find the keyword-only parameters of a word; `None` where methods differ and any keyword must pass."""
    first = methods[0].keywords
    for method in methods:
        if method.any_keyword or list(method.keywords) != list(first):
            return None
        if not all(same([default, method.keywords[name]]) for name, default in first.items()):
            return None
    return first


def same(values: Sequence[Any]) -> bool:
    """Say whether all values are one and the same default."""
    first = values[0]
    simple = type(first) in (bool, int, float, str, bytes)
    return all(
        value is first or (simple and type(value) is type(first) and value == first) for value in values
    )


NOT_READY = "    return _start_(_values_, _keywords_)\n"
# Look-up and call in one line save a tenth of the time. A `KeyError` out of the method, and not out of the
# look-up, is known by its traceback: it has come through another frame.
READY = """\
    try:
        return _chosen_{steps}({call})
    except _KeyError_ as _error_:
        if _error_.__traceback__.tb_next is not None:
            raise
    return _choose_({choice})({call})
"""


def write_parameters(
    common: Sequence[Parameter], keywords: dict[str, Any] | None, has_rest: bool
) -> tuple[str, list[Any]]:
    """Write the parameters of the function that a word is, with their defaults to be found in a list.

    >>> write_parameters([Parameter("x", (), REQUIRED, True)], {"size": 3}, has_rest=False)
    ('x, *, size=_defaults_[1]', [<class 'inspect._empty'>, 3])
    """
    everything = [
        *common,
        *(Parameter(name, (), default, True) for name, default in (keywords or {}).items()),
    ]
    texts = [
        parameter.name if parameter.default is REQUIRED else f"{parameter.name}=_defaults_[{number}]"
        for number, parameter in enumerate(everything)
    ]
    nameless = sum(not parameter.by_name for parameter in common)
    texts.insert(len(common), "*_rest_" if has_rest else "*" * bool(keywords))
    texts.insert(nameless, "/" * bool(nameless))
    texts.append("**_keywords_" * (keywords is None))
    return ", ".join(filter(None, texts)), [parameter.default for parameter in everything]


def write_body(
    common: Sequence[Parameter], keywords: dict[str, Any] | None, positions: Sequence[int], generation: int
) -> str:
    """Write the body of the function that a word is.

    `positions` are those whose types choose; one after the last parameter stands for `*rest`.
    """
    has_rest = len(common) in positions
    arguments = [parameter.name for parameter in common] + ["*_rest_"] * has_rest
    options = ["**_keywords_"] if keywords is None else [f"{name}={name}" for name in keywords]
    steps = [f"[_type_({common[position].name})]" for position in positions if position < len(common)]
    steps += ["[tuple(map(_type_, _rest_))]"] * has_rest
    return READY.format(
        steps="".join(steps) or "[None]",
        choice=", ".join([str(generation), *arguments]),
        call=", ".join([*arguments, *options]),
    )
