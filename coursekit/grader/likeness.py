"""How like two answers are: information for the person who teaches, and never part of a grade.

The answers to all exercises are public, they are the library, and a short question has few right answers.
So what is compared is only ever something to talk about: two syntax trees, without what is easily changed.
The names of parameters and variables, texts, comments, annotations and the way it is laid out do not count;
the names of what is called, the order of steps and the structure do.

>>> mine = fingerprint({"splits": "def group_split(groups, seed): return sorted(groups)"}, "first_model")
>>> yours = fingerprint({"splits": "def group_split(a, b): 'Sort.'; return sorted(a)"}, "first_model")
>>> likeness(mine["splits.group_split"], yours["splits.group_split"])
1.0
"""

from __future__ import annotations

import ast
import hashlib
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..definitions import Function, Statement, Unreadable, is_written, read
from .exercises import Exercise, load
from .starter import by_module, sources

# So many nodes of a syntax tree in a row are one piece: long enough to be rare, short enough to last.
PIECE = 5
# What is read out of a text; a change of it is another number, since fingerprints are kept.
READING = 1
# Levels of a syntax tree; ours have 20.
DEEPEST = 150
# From here on two are nearly equal; and a definition of fewer pieces says nothing about who wrote it.
NEARLY, TELLING = 0.8, 40
# Who is like many is told of so many, and no more than so many others are looked at.
MOST, LOOKED_AT = 5, 50

# The pieces of one definition, as numbers.
Pieces = frozenset[int]


@dataclass(frozen=True)
class Likeness:
    """A definition that equals or nearly equals somebody else's: information for a person, never a score.

    Attributes:
        definition: Such as "splits.group_split".
        learner: Whose it is like; "" for the library's own.
        share: How like it is, up to 1.
    """

    definition: str
    learner: str
    share: float


def likeness(a: Pieces, b: Pieces) -> float:
    """The share of pieces that two definitions have in common, from 0 to 1.

    >>> likeness(frozenset({1, 2, 3}), frozenset({2, 3, 4}))
    0.5
    """
    return len(a & b) / len(a | b) if a or b else 0.0


def fingerprint(files: Mapping[str, str], exercise: str | Exercise) -> dict[str, Pieces]:
    """The pieces of each definition that an exercise asks for, as far as it is written.

    Args:
        files: Each module's text; in one that is no Python nothing is found.
        exercise: Its word; or itself, which is quicker where many are read.

    Raises:
        UnknownExercise: No exercise has that name.
    """
    asked = load(exercise) if isinstance(exercise, str) else exercise
    found = {}
    for module, parts in by_module(asked).items():
        statements = _statements(files.get(module, ""))
        for name in parts:
            nodes = [one.node for one in statements if name in one.names and is_written(one.node)]
            if nodes and not _is_too_deep(nodes):
                found[f"{module}.{name}"] = _pieces(nodes)
    return found


def way_of_reading(exercise: Exercise) -> str:
    """What fingerprints of an exercise depend on besides the text, as a short text that can be compared.

    That is this module, what the exercise asks for, and how this Python builds a syntax tree.

    >>> way_of_reading(load("first_model")) == way_of_reading(load("tensors"))
    False
    """
    asked = {module: list(parts) for module, parts in by_module(exercise).items()}
    return hashlib.sha256(f"{READING} {PIECE} {sys.version_info[:2]} {asked}".encode()).hexdigest()[:16]


def alike(
    word: str, fingerprints: Mapping[str, Mapping[str, Pieces]], nearly: float = NEARLY
) -> dict[str, list[Likeness]]:
    """For each learner, what of theirs is like the library's or somebody else's; the likest first.

    Definitions so short that everybody writes them alike are left out, and of many that one is like a few
    are named.

    Args:
        word: The exercise.
        fingerprints: By learner, what `fingerprint` gives.
        nearly: The share from which on two are alike.
    """
    files = {m: "\n\n\n".join(sources(m, list(parts))) for m, parts in by_module(load(word)).items()}
    found: dict[str, list[Likeness]] = defaultdict(list)
    for definition, ours in fingerprint(files, word).items():
        same: dict[Pieces, list[str]] = defaultdict(list)
        for who, one in fingerprints.items():
            if len(one.get(definition, ())) >= TELLING:
                same[one[definition]].append(who)
        near = _near(same, nearly)
        for pieces, group in same.items():
            others = [(share, who) for share, other in near[pieces] for who in same[other][:MOST]]
            if (share := likeness(pieces, ours)) >= nearly:
                others.append((share, ""))
            for who in group:
                equal = [(1.0, other) for other in group[: MOST + 1] if other != who]
                best = sorted([*equal, *others], key=lambda one: (-one[0], one[1]))[:MOST]
                found[who] += [Likeness(definition, other, share) for share, other in best]
    return {who: sorted(ones, key=lambda one: -one.share) for who, ones in found.items() if ones}


def _near(sets: Iterable[Pieces], nearly: float) -> dict[Pieces, list[tuple[float, Pieces]]]:
    """For each set the others that share so much with it, without comparing each with each.

    Two sets that have most of their pieces in common also have one of their rarest few in common, so only
    those that meet there are compared.
    """
    counts = Counter(piece for pieces in sets for piece in pieces)
    meeting: dict[int, list[Pieces]] = defaultdict(list)
    found: dict[Pieces, list[tuple[float, Pieces]]] = defaultdict(list)
    for pieces in sets:
        rarest = sorted(pieces, key=lambda piece: (counts[piece], piece))
        rarest = rarest[: len(pieces) - math.ceil(nearly * len(pieces)) + 1]
        met = Counter(other for piece in rarest for other in meeting[piece][-LOOKED_AT:])
        for other, _ in met.most_common(LOOKED_AT):
            if (share := likeness(pieces, other)) >= nearly:
                found[pieces].append((share, other))
                found[other].append((share, pieces))
        for piece in rarest:
            meeting[piece].append(pieces)
    return found


def _statements(text: str) -> list[Statement]:
    try:
        return read(text)
    except Unreadable:
        return []


def _is_too_deep(nodes: list[ast.stmt]) -> bool:
    """Whether a definition is nested as nobody nests by hand: counted, as Python's own limit moves about."""
    waiting: list[tuple[ast.AST, int]] = [(node, 1) for node in nodes]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            return True
        waiting += [(part, depth + 1) for part in ast.iter_child_nodes(node)]
    return False


def _pieces(nodes: list[ast.stmt]) -> Pieces:
    """The pieces of a definition; one that comes again counts again."""
    words = [word for node in nodes for word in _Plain(node).words(node)]
    rows = Counter(tuple(words[at : at + PIECE]) for at in range(max(1, len(words) - PIECE + 1)))
    return frozenset(_number(f"{row} {time}") for row, times in rows.items() for time in range(times))


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=5).digest(), "big")


class _Plain:
    """Reads a syntax tree as words, in which what is easily changed is all the same."""

    def __init__(self, node: ast.AST) -> None:
        bound = [
            one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        ]
        given = [one.arg for one in ast.walk(node) if isinstance(one, ast.arg)]
        self.places = {name: f"name {number}" for number, name in enumerate(dict.fromkeys([*given, *bound]))}

    def words(self, node: ast.AST) -> Iterator[str]:
        """A node's kind and what it names, then those of its parts, in order."""
        yield type(node).__name__.removeprefix("Ann")  # with an annotation or without
        if isinstance(node, ast.Name):
            yield self.places.get(node.id, node.id)
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant):
            # What a text says is easily changed.
            yield type(node.value).__name__ if isinstance(node.value, str) else repr(node.value)[:40]
        for part in self.parts(node):
            yield from self.words(part)

    def parts(self, node: ast.AST) -> Iterator[ast.AST]:
        """What counts of a node: not its docstring, its annotations, and how a name is used."""
        left_out: list[ast.AST | None] = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, (*Function, ast.ClassDef)) and ast.get_docstring(node, clean=False) is not None:
            left_out.append(node.body[0])
        for part in ast.iter_child_nodes(node):
            if part not in left_out and not isinstance(part, ast.expr_context):
                yield part
