"""Notebooks from strangers: the cells that count, without running or showing anything.

What a notebook holds for each module, the first way that finds something:

1. cells that begin with `%%kit metrics`, as in the course's own notebooks, and cells that carry the tag
   `metrics`;
2. every code cell, if together they define something that an exercise asks for: then only definitions and
   imports are taken, no experiments.

A definition that stands in several cells counts as it stands in the last. Outputs are never looked at.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..definitions import Function, Statement, Unreadable, lines_of
from .contents import LeftOut
from .python_text import MOST_COMPILED, MOST_TEXT, home_of, modules, statements, tame

MOST_NOTEBOOK = 32 * 2**20
# What JSON is made of: each may become an object of its own in memory.
MOST_PARTS = 1_000_000

_MAGIC = re.compile(r"[%!?]|[\w, .]+= ?[%!]|[\w.]+\?\??$")
_DEFINITION = (*Function, ast.ClassDef)
_TIMING = re.compile(r"%%(?:time|timeit|capture|prun)\b")


@dataclass
class Notebook:
    """What counts of a notebook.

    Attributes:
        files: Each module's source text.
        by_name: Whether it was found by the names of definitions alone.
        notes: Ends of sentences about cells that were left out or stand twice.
    """

    files: dict[str, str] = field(default_factory=dict)
    by_name: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Cell:
    number: int
    module: str
    text: str


def read_notebook(data: bytes) -> Notebook:
    """What counts of the bytes of a notebook.

    Raises:
        LeftOut: It is no notebook that can be read, or nothing in it counts.
    """
    cells = list(_code(_cells(_decoded(data))))
    notebook = Notebook()
    for module in sorted({cell.module for cell in cells} - {""}):
        own = [cell for cell in cells if cell.module == module]
        if module in modules():
            notebook.files[module] = _joined(own, notebook.notes)
        else:
            notebook.notes.append(f"says %%kit in cell {own[0].number}, and then no module of coursekit")
    if not notebook.files:
        text = _joined(cells, notebook.notes)
        notebook.files, notebook.by_name = dict.fromkeys(sorted(home_of(text)), text), True
    if not notebook.files:
        raise LeftOut("; it ".join([_NOTHING, *notebook.notes[:1]]))
    return notebook


_NOTHING = "defines nothing that an exercise asks for; begin a cell with %%kit and its module"


def _decoded(data: bytes) -> dict[str, Any]:
    if sum(data.count(mark) for mark in (b"[", b"{", b",")) > MOST_PARTS:
        raise LeftOut("has too much in it; clear its outputs and save it again")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise LeftOut("is no text in UTF-8, so no notebook") from None
    except (ValueError, RecursionError, MemoryError):
        raise LeftOut("is broken: no notebook can be read from it; open it, and save it again") from None
    if not isinstance(notebook, dict):
        raise LeftOut("is no notebook: it is JSON of another kind")
    return notebook


def _cells(notebook: dict[str, Any]) -> list[Any]:
    """The cells of a notebook in the form of nbformat 4, or 3, which had them in worksheets."""
    kind = notebook.get("nbformat")
    if kind == 3:
        sheets = notebook.get("worksheets")
        pages = [page for page in sheets if isinstance(page, dict)] if isinstance(sheets, list) else []
        return [cell for page in pages for cell in page.get("cells") or [] if isinstance(cell, dict)]
    if kind != 4:
        raise LeftOut("is no notebook in the form of today; open it in Jupyter, and save it again")
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise LeftOut("is no notebook that can be read: it has no cells")
    return cells


def _code(cells: list[Any]) -> Iterator[_Cell]:
    """The code cells that hold Python, each with the module it says it is for, or ""."""
    size = 0
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", cell.get("input", ""))
        if isinstance(source, list):
            source = "".join(part for part in source if isinstance(part, str))
        if not isinstance(source, str) or "\0" in source:
            continue
        size += len(source)
        if size > MOST_TEXT:
            raise LeftOut(f"has more than {MOST_TEXT:,} letters of code")
        first, _, rest = source.lstrip().partition("\n")
        if first.startswith("%%kit"):
            yield _Cell(number, first[5:].strip().removesuffix(".py") or "?", rest)
        elif not first.startswith("%%") or _TIMING.match(first):
            yield _Cell(number, _tag(cell), source if not first.startswith("%%") else rest)


def _tag(cell: dict[str, Any]) -> str:
    about = cell.get("metadata")
    tags = about.get("tags") if isinstance(about, dict) else None
    known = (
        [tag for tag in tags if isinstance(tag, str) and tag in modules()] if isinstance(tags, list) else []
    )
    return known[0] if known else ""


def _joined(cells: list[_Cell], notes: list[str]) -> str:
    """The definitions of several cells as one file: of each function or class the last, in their order."""
    parts: dict[tuple[int, int], str] = {}
    before: dict[str, tuple[int, int]] = {}
    for number, text, found in _parsed(cells, notes):
        lines = lines_of(text)
        for statement in found:
            if not statement.names:
                continue
            here = (number, statement.first)
            parts[here] = "\n".join(lines[statement.first - 1 : statement.last])
            for key in statement.keys if isinstance(statement.node, _DEFINITION) else ():
                if (earlier := before.get(key, here)) != here and parts.pop(earlier, ""):
                    notes.append(f"defines {key[:60]} in cells {earlier[0]} and {number}; the last counts")
                before[key] = here
    return "\n\n\n".join(parts.values()) + "\n"


def _parsed(cells: list[_Cell], notes: list[str]) -> Iterator[tuple[int, str, list[Statement]]]:
    """The number, text and statements of each cell that can be read; the others are noted."""
    compiled = 0
    for cell in cells:
        try:
            text, size, found = _statements(cell.text)
        except (Unreadable, LeftOut) as error:
            said = error.sentence("that") if isinstance(error, Unreadable) else f"that {error}."
            notes.append(f"has a cell, number {cell.number}, {said[:-1]}")
            continue
        if (compiled := compiled + size) > MOST_COMPILED:
            raise LeftOut("has too much code in it")
        yield cell.number, text, found


def _statements(text: str) -> tuple[str, int, list[Statement]]:
    """A cell's text, what it becomes and its statements; lines that only IPython reads are left empty."""
    try:
        return text, tame(text), statements(text)
    except Unreadable:
        plain = "\n".join("" if _MAGIC.match(line.strip()) else line for line in lines_of(text))
        return plain, tame(plain), statements(plain)
