"""Write steps and their settings as plain data that JSON can hold, and make them again of it.

A file names classes, and says nothing of what they do: the library's own are looked up among what is loaded,
a user's own are handed over. Nothing is imported, and no code is run, because a file says so.

>>> from .steps import Categorize
>>> written(Categorize(["sound", "broken"]))
{'make': 'steps.Categorize', 'with': {'vocab': {'tuple': ['sound', 'broken']}}}
>>> made(written(Categorize(["sound", "broken"])), {})
Categorize(vocab=('sound', 'broken'))
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import torch

from .finding import cell
from .samples import describe, list_some
from .tensors import TypedTensor
from .transforms import Step

PACKAGE = __name__.rpartition(".")[0]
DEEPEST = 40
NO_DATA = (
    "a file holds numbers, texts, lists, types and steps; {} is none of them. Write a class that is told "
    "such things, and makes what you have here from them in its constructor."
)


def written(x: Any) -> Any:
    """What JSON can hold of a value: plain data, a type, or a step with its settings.

    A step keeps each setting under the name that its constructor has for it; so all of it can be read.

    Raises:
        TypeError: A function, or another value that is no plain data; a step that would lose something.

    >>> written(("wax", None, float("nan")))
    {'tuple': ['wax', None, {'float': 'nan'}]}
    """
    x = cell(x)
    if x is None or isinstance(x, bool | int | str):
        return x
    if isinstance(x, float):
        return x if math.isfinite(x) else {"float": str(x)}
    if isinstance(x, list):
        return [written(one) for one in x]
    if type(x) is tuple or isinstance(x, torch.Size):
        return {"tuple": [written(one) for one in x]}
    if isinstance(x, dict):
        return {"dict": [[written(name), written(value)] for name, value in x.items()]}
    if isinstance(x, Path):
        return {"path": str(x)}
    if isinstance(x, type) and may_be_named(x):
        return {"type": name_of(x)}
    if may_be_named(type(x)):
        return written_step(x)
    if callable(x):
        raise TypeError(
            f"a file holds data, and {getattr(x, '__name__', describe(x))} is a function, which is code. "
            "Make a step of it, class Mine(Transform) with the function as its encode, and hand that class "
            "over when the file is loaded: types=[Mine]."
        )
    raise TypeError(NO_DATA.format(describe(x)))


def written_step(step: Any) -> dict[str, Any]:
    """A step by the name of its class and its settings.

    Raises:
        TypeError: It keeps no such setting, or knows more than its constructor is told.
    """
    rest, settings = settings_of(step)
    kind = type(step)
    again = kind(*rest, **settings)
    told = {*inspect.signature(kind).parameters, *settings}
    for name, value in vars(step).items():
        if name[0] != "_" and name not in told and repr(vars(again).get(name)) != repr(value):
            raise TypeError(
                f"{kind.__name__} has learned {name!r}, which a file would lose: {kind.__name__}(...) does "
                f"not take it. Let its constructor take {name}=, and keep it under that name."
            )
    data: dict[str, Any] = {"make": name_of(kind)}
    data |= {"of": [written(one) for one in rest]} if rest else {}
    return data | {"with": {name: written(value) for name, value in settings.items()}}


def settings_of(step: Any) -> tuple[tuple, dict[str, Any]]:
    """What a step's constructor is to be given to make it again: positions, then names."""
    rest: tuple = ()
    settings: dict[str, Any] = {}
    for name, parameter in inspect.signature(type(step)).parameters.items():
        if not hasattr(step, name):
            raise TypeError(
                f"{type(step).__name__} is told {name!r} and keeps nothing of that name, so it cannot be "
                f"saved. In its constructor write: self.{name} = {name}. If it is somebody else's, let a "
                "class of your own make it."
            )
        value = getattr(step, name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            rest = tuple(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            settings |= value
        else:
            settings[name] = value
    return rest, settings


def may_be_named(kind: type) -> bool:
    """Whether a file may name a class: a kind of step or tensor, or one that only holds settings."""
    return issubclass(kind, Step | TypedTensor) or (is_dataclass(kind) and own_name(kind) is not None)


def own_name(kind: type) -> str | None:
    """What the library calls a class of its own, `steps.Resize`; None if it is somebody else's."""
    package, _, module = kind.__module__.rpartition(".")
    return f"{module}.{kind.__name__}" if package == PACKAGE else None


def name_of(kind: type) -> str:
    """What a file calls a class: the library's by its module, a user's own by its name alone."""
    return own_name(kind) or kind.__name__


def made(data: Any, types: Mapping[str, type], depth: int = 0) -> Any:
    """Make a value again of what `written` made of it.

    Args:
        data: What JSON held.
        types: The user's own classes by their names.
        depth: How deep it lies in the file.

    Raises:
        ValueError: What `written` never writes; a class that neither the library nor `types` has.
    """
    if depth > DEEPEST:
        raise ValueError(f"it is nested more than {DEEPEST} deep, which no recipe is.")
    if isinstance(data, list):
        return [made(one, types, depth + 1) for one in data]
    if not isinstance(data, dict):
        return data
    if "make" in data and set(data) <= {"make", "of", "with"}:
        return made_step(data, types, depth)
    if len(data) != 1:
        raise ValueError(f"it holds {list_some(data)} together, which no recipe has.")
    what, value = next(iter(data.items()))
    if what == "type":
        return find_class(value, types)
    if what == "float" and value in ("nan", "inf", "-inf"):
        return float(value)
    if what == "path" and isinstance(value, str):
        return Path(value)
    if what == "tuple" and isinstance(value, list):
        return tuple(made(value, types, depth + 1))
    if what == "dict" and isinstance(value, list) and all(isinstance(pair, list) for pair in value):
        return dict(made(pair, types, depth + 1) for pair in value)
    raise ValueError(f"it holds a {what!r}, which no recipe has.")


def made_step(data: dict[str, Any], types: Mapping[str, type], depth: int) -> Any:
    """Make a step again."""
    kind = find_class(data["make"], types)
    rest = made(data.get("of", []), types, depth + 1)
    settings = {name: made(value, types, depth + 1) for name, value in data.get("with", {}).items()}
    try:
        return kind(*rest, **settings)
    except TypeError as error:
        raise ValueError(
            f"{kind.__name__} could not be made: {error}. Was the file written by another version?"
        ) from None


def find_class(name: Any, types: Mapping[str, type]) -> Any:
    """The class of a name: one of the library that is loaded, or one that was handed over.

    Raises:
        ValueError: There is none, or none that a file may name.
    """
    module, _, word = str(name).rpartition(".")
    if not module and word not in types:
        raise ValueError(
            f"it uses {word}, a class that does not come with the library. Hand it over when you load: "
            f"types=[{word}]."
        )
    found = of_the_library(module, word) if module else types[word]
    if not isinstance(found, type) or not may_be_named(found):
        raise ValueError(f"it names {name!r}, and the library has no such type or step.")
    return found


def of_the_library(module: str, word: str) -> Any:
    """A class of the library: of that module, or of the one it has moved to since the file was written."""
    loaded = [one for name, one in list(sys.modules.items()) if name.rpartition(".")[0] == PACKAGE]
    loaded.sort(key=lambda one: one.__name__ != f"{PACKAGE}.{module}")
    found = (vars(one).get(word) for one in loaded)
    return next((one for one in found if isinstance(one, type) and own_name(one) is not None), None)
