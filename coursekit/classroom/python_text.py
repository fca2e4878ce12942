"""Python text from strangers: whether it is text that can be read at all, and whose definitions it holds.

Text is only ever parsed, and only after a look at its size; what is nested too deeply to be walked through is
left out, so that nothing that reads it later can fall over it.

>>> home_of(text_of(b"def accuracy(predictions, targets): ..."))
{'metrics'}
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache

from .. import kit
from ..definitions import Function, Statement, Unreadable, defined, parse, read
from ..grader.exercises import load, words
from .contents import LeftOut

MOST_TEXT = 100_000  # bytes; the longest module of the library has a fifth of that
MOST_NESTED = 150  # levels of the syntax tree; ours have 20
MOST_COMPILED = 200_000  # nodes of it, with all copies that the compiler makes
MOST_DOUBTS = 50
# Letters that turn the direction in which a line is shown: the code is then not what it seems to be.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_OTHER_ENCODINGS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


@lru_cache
def modules() -> frozenset[str]:
    """The modules that a kit may stand in for, such as "metrics"."""
    return frozenset(kit.modules())


@lru_cache
def _homes() -> dict[str, frozenset[str]]:
    """In which modules each name that an exercise asks for is defined."""
    asked = [full.rpartition(".") for word in words() for full in load(word).yours]
    return {name: frozenset(home for home, _, one in asked if one == name) for _, _, name in asked}


def text_of(data: bytes) -> str:
    """The text of a Python file.

    Raises:
        LeftOut: It is no text in UTF-8, or no text at all, or nested too deeply.
    """
    for mark, name in _OTHER_ENCODINGS:
        if data.startswith(mark):
            raise LeftOut(f"is text in {name}; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LeftOut("is no text in UTF-8; save it as UTF-8") from None
    if "\0" in text:
        raise LeftOut("holds a NUL byte, which Python does not read")
    tame(text)
    return text


def tame(text: str) -> int:
    """Refuse Python that would choke whoever reads it; text that is no Python at all is let through.

    Returns:
        How much it becomes when it is compiled, in nodes of the syntax tree.

    Raises:
        LeftOut: It is nested too deeply, or becomes too much when it is compiled.
    """
    try:
        tree = _parsed(text)
    except (SyntaxError, ValueError):
        return 0
    except (RecursionError, MemoryError):
        raise LeftOut("is nested too deeply to be read") from None
    level: list[ast.AST] = [tree]
    for _ in range(MOST_NESTED):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise LeftOut("is nested too deeply to be read")
    size, _ = _compiled_size(tree)
    if size > MOST_COMPILED:
        raise LeftOut("has `finally` with too many ways through it to be read")
    return size


def _compiled_size(node: ast.AST) -> tuple[int, int]:
    """How many nodes Python compiles for a node, and how many ways lead out of it.

    Each way out of a `try`, such as a `return`, gets a copy of its `finally`: one in another, eighteen deep,
    are 600 letters, and a gigabyte when they are compiled.
    """
    if isinstance(node, ast.Try | ast.TryStar):
        first = [_compiled_size(part) for part in (*node.body, *node.handlers, *node.orelse)]
        last = [_compiled_size(part) for part in node.finalbody]
        ways = sum(out for _, out in first)
        copies = 2 + ways
        return sum(size for size, _ in first) + copies * sum(size for size, _ in last) + 1, (
            ways + copies * sum(out for _, out in last)
        )
    parts = [_compiled_size(part) for part in ast.iter_child_nodes(node)]
    leaves = isinstance(node, ast.Return | ast.Break | ast.Continue)
    outwards = 0 if isinstance(node, Function) else sum(out for _, out in parts)
    return sum(size for size, _ in parts) + 1, outwards + leaves


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a doubtful escape is the learner's affair
        return parse(text)


def statements(text: str) -> list[Statement]:
    """The statements of a text.

    Raises:
        Unreadable: It is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(text)


def home_of(text: str) -> set[str]:
    """The modules whose definitions, as exercises ask for them, stand in a text.

    Raises:
        LeftOut: It is no Python.
    """
    try:
        names = defined(statements(text))
    except Unreadable as error:
        raise LeftOut(
            f"cannot be read: {error.sentence('it').removeprefix('it').lstrip(', ')[:-1]}"
        ) from None
    return {home for name in names for home in _homes().get(name, ())}


def doubts(text: str) -> Iterator[str]:
    """What a person should know of a text, as ends of sentences: letters that are not what they seem."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TURNS.search(line):
            yield f"turns the direction of line {number} with the letter {_called(found[0])}"
            break
    try:
        names = [] if text.isascii() else list(defined(statements(text)))
    except Unreadable:
        return
    for name in [name for name in names if not name.isascii() and len(name) < 40][:MOST_DOUBTS]:
        foreign = [letter for letter in name if not letter.isascii()]
        if near := get_close_matches(name, _homes(), 1, 0.6):
            yield f"defines a name that looks like {near[0]} but holds the letter {_called(foreign[0])}"


def _called(letter: str) -> str:
    return f"U+{ord(letter):04X}, {unicodedata.name(letter, 'which has no name').lower()}"
