"""Samples: values that belong together in a tuple or a dictionary, and how messages speak of them.

>>> elements(("photo", {"label": "cat"}))
{(0,): 'photo', (1, 'label'): 'cat'}
>>> named((1, "label")), describe("cat")
("element 'label' of element 1", "the str 'cat'")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from os import PathLike, fsdecode
from typing import Any

import torch

Path = tuple[Any, ...]  # where an element stands in a sample: its number or name, in each tuple or dictionary


def elements(x: Any) -> dict[Path, Any]:
    """All values in a sample, through tuples and dictionaries, by where they stand.

    >>> elements((1, {"a": 2}))
    {(0,): 1, (1, 'a'): 2}
    >>> elements("label")
    {(): 'label'}
    """
    if not isinstance(x, (tuple, dict)):
        return {(): x}
    parts = x.items() if isinstance(x, dict) else enumerate(x)
    return {(place, *path): value for place, part in parts for path, value in elements(part).items()}


def each(step: Any, direction: str, do: Callable[[Any], Any], x: Any) -> Any:
    """Do it to each element of a tuple or dictionary, and make one of the same kind of the results.

    An error is given a note of which step was to do what to which element.

    >>> each("a step", "encode", str, {"width": 3})
    {'width': '3'}
    """
    made: list[Any] = []
    try:
        for element in x if type(x) is tuple else values(x):
            made.append(do(element))
    except Exception as error:
        place = len(made)
        note_step(
            error, step, direction, values(x)[place], (list(x)[place] if isinstance(x, dict) else place,)
        )
        raise
    return tuple(made) if type(x) is tuple else remade(x, made)


def values(x: tuple | dict) -> Sequence[Any]:
    """The elements of a tuple or dictionary."""
    return tuple(x.values()) if isinstance(x, dict) else x


def remade(x: tuple | dict, made: Sequence[Any]) -> Any:
    """A tuple or dictionary of the kind of `x` with other elements: a named tuple keeps its names.

    >>> from collections import namedtuple
    >>> remade(namedtuple("Size", "height width")(4, 6), [2, 3])
    Size(height=2, width=3)
    """
    if isinstance(x, dict):
        same = x.copy() if type(x) is dict else copy(x)
        same.update(zip(x, made, strict=True))
        return same
    return x._make(made) if hasattr(x, "_make") else tuple(made)


def describe(x: Any) -> str:
    """Say what a value is in a few words, for messages: its type, and its shape if it has one.

    >>> describe(torch.zeros(2, 3))
    'a Tensor of shape (2, 3), torch.float32'
    >>> describe("sound"), describe({"age": 3, "kind": "hen"})
    ("the str 'sound'", 'a dict of 2 (age, kind)')
    """
    if isinstance(x, torch.Tensor):
        return f"{kind_of(x)} of shape {tuple(x.shape)}, {x.dtype}"
    if isinstance(x, tuple):
        return f"a tuple of {len(x)} ({', '.join(type(element).__name__ for element in x)})"
    if isinstance(x, dict):
        return f"a dict of {len(x)} ({list_some(x)})"
    if isinstance(x, PathLike):
        return f"the file {shortened(fsdecode(x), at_end=False)!r}"
    return f"the {type(x).__name__} {shortened(repr(x))}"


def shortened(text: str, most: int = 60, at_end: bool = True) -> str:
    """The first line of a text, cut where it is long: at its end, or before it, as for the name of a file.

    >>> shortened("/data/cells/one.png", most=12), shortened("/data/cells/one.png", most=12, at_end=False)
    ('/data/cel...', '...s/one.png')
    """
    line = text.partition("\n")[0]
    if len(line) <= most:
        return line
    return f"{line[: most - 3]}..." if at_end else f"...{line[3 - most :]}"


def in_digits(number: float) -> str:
    """Write out an amount with as many digits as float32 has; more would be made up.

    >>> in_digits(torch.tensor(64.8).item()), in_digits(250_000.0), in_digits(1e7)
    ('64.8', '250000', '10000000')
    """
    return f"{float(f'{number:.7g}'):.10g}"


def kind_of(x: Any) -> str:
    """The type of a value with its article: an Image, a Mask, Boxes.

    >>> kind_of(1), kind_of("a"), kind_of(None)
    ('an int', 'a str', 'a NoneType')
    """
    return with_article(type(x).__name__)


def with_article(name: str) -> str:
    """A name with its article, if it is not of several things.

    >>> with_article("Image"), with_article("Boxes")
    ('an Image', 'Boxes')
    """
    several = name.endswith("s") and not name.endswith("ss")
    return name if several else f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"


def named(path: Path) -> str:
    """Say where an element stands: `element 0`, `element 'box' of element 1`, or that it is the whole."""
    return " of ".join(f"element {place!r}" for place in reversed(path)) or "the value"


def list_some(names: Iterable, most: int = 6) -> str:
    """Write out a list of names, the first few of it if it is long.

    >>> list_some(range(9), most=3)
    '0, 1, 2 and 6 more'
    """
    names = [str(name) for name in names]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def setting_said(value: Any) -> str:
    """Write a setting of a step as Python would, but of many names, such as a learned vocabulary, the first.

    >>> setting_said(0.5), setting_said(tuple("abcdefghijklmnop"))
    ('0.5', "('a', 'b', 'c', 'd', 'e', 'f' and 10 more)")
    """
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name!r}: {setting_said(one)}' for name, one in value.items())}}}"
    if isinstance(value, tuple | list) and len(value) > 12 and isinstance(value[0], str):
        return f"({list_some(map(repr, value))})"
    return repr(value)


class Note(str):
    """A note on an error that programs can read too: which step, and where in its sample the element stood.

    >>> error = ValueError("too big")
    >>> note_step(error, object(), "encode", "a cat", path=(1,))
    >>> error.__notes__
    ["while object was to encode element 1, the str 'a cat'"]
    >>> last_note(error).path
    (1,)
    """

    step: Any
    path: Path
    what: str

    @classmethod
    def of(cls, step: Any, direction: str, what: str, path: Path) -> Note:
        """Write a note."""
        where = f"{named(path)}, " if path else ""
        note = cls(f"while {type(step).__name__} was to {direction} {where}{what}")
        note.step, note.path, note.what = step, path, what
        return note


def last_note(error: Exception) -> Any:
    """The last note that says which step an error passed; None if it passed no step."""
    notes = reversed(getattr(error, "__notes__", ()))
    return next((note for note in notes if isinstance(note, Note)), None)


def note_step(error: Exception, step: Any, direction: str, x: Any, path: Path = ()) -> None:
    """Add to an error which step had been given what: one note a step, which names the way to the element."""
    last = last_note(error)
    if last is None or last.step is not step:
        error.add_note(Note.of(step, direction, describe(x), path))
    elif path:
        error.__notes__[error.__notes__.index(last)] = Note.of(step, direction, last.what, path + last.path)
