"""What a check asks: the part of an exercise file that travels, and how one of its lines reads in a message.

Only the scenario's own text goes to the learner's side, with the imports and helpers it uses: never a judge,
a wrong answer, a hint or the task.

>>> text = '''
... import math
... limit = 3
... def helper(): return limit
... @check(points=1)
... def one(kit, case):
...     "The hint."
...     n = case.integer("items", 1, 9)
...     yield "first", kit.first(n, helper())
... '''
>>> scenario = Scenario.cut(text, "one")
>>> print(scenario.source)
limit = 3
def helper():
    return limit
def one(kit, case):
    n = case.integer('items', 1, 9)
    yield ('first', kit.first(n, helper()))
>>> print(scenario.call(6, {"items": 5}, {}))
n = 5
kit.first(n, helper())
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..definitions import bound_names, parse, used_names
from .wording import brief, laid_out

_AUTHORING = ("coursekit", "__future__")
_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
_LINES = (ast.Assign, ast.AnnAssign, ast.Expr, ast.Import, *_DEFINITIONS)


@dataclass(frozen=True)
class Scenario:
    """One scenario as it travels: its function's name, and source text that stands alone."""

    name: str
    source: str

    @classmethod
    def cut(cls, exercise: str, name: str) -> Scenario:
        """Cut the scenario `name` out of an exercise's text, with the imports and helpers it uses."""
        found: dict[str, ast.stmt] = {}
        for node in parse(exercise).body:
            if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_AUTHORING)):
                found.update(dict.fromkeys(bound_names(node), node))
        needed, open_names = {name}, [name]
        while open_names:
            news = used_names(_bare(found[open_names.pop()])) & found.keys() - needed
            needed |= news
            open_names += sorted(news)
        chosen = dict.fromkeys(node for key, node in found.items() if key in needed)
        ordered = sorted(chosen, key=lambda node: node.lineno)
        return cls(
            name, "\n".join(ast.unparse(ast.fix_missing_locations(_bare(node))) for node in ordered).strip()
        )

    @cached_property
    def _function(self) -> ast.FunctionDef:
        (found,) = [
            node
            for node in parse(self.source).body
            if isinstance(node, ast.FunctionDef) and node.name == self.name
        ]
        return found

    def call(self, line: int, draws: Mapping[str, Any], names: Mapping[str, Any], device: str = "cpu") -> str:
        """The lines a learner would type to see it for themselves: what a line of the scenario asks.

        Args:
            line: The line of `source` that was running.
            draws: What was drawn, put in place of `case.integer(...)` and the like.
            names: Loop variables and other simple values at that moment.
            device: What stands in place of `case.device`.
        """
        statement = self._statement_at(line)
        if statement is None:
            return ""
        asked = _asked(statement)
        before = self._needed_before(statement, used_names(asked) - names.keys())
        told = {name for node in before for name in bound_names(node)}
        simple = sorted((used_names(asked) & names.keys()) - told)
        shown = [f"{name} = {brief(names[name])}" for name in simple]
        told_first = [_filled(node, draws, device) for node in before]
        return "\n".join([*told_first, *shown, _filled(asked, draws, device)])

    def _statement_at(self, line: int) -> ast.stmt | None:
        """The innermost statement that holds a line."""
        inside = [
            node
            for node in ast.walk(self._function)
            if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0)
        ]
        return max(inside, key=lambda node: (node.lineno, -(node.end_lineno or 0)), default=None)

    def _needed_before(self, statement: ast.stmt, wanted: set[str]) -> list[ast.stmt]:
        """The lines above a statement that give it its names, in order, and the classes it uses."""
        found: list[ast.stmt] = []
        around = [node for node in parse(self.source).body if isinstance(node, ast.ClassDef)]
        above = [node for node in [*around, *_lines(self._function)] if node.lineno < statement.lineno]
        for node in sorted(above, key=lambda node: -node.lineno):
            if isinstance(node, ast.Expr):
                # A bare call may change what it is given: it belongs to the story.
                needed = not isinstance(node.value, ast.Yield) and bool(used_names(node) & (wanted | {"kit"}))
            else:
                # `@turn.method` above a definition adds to `turn`.
                marks = [used_names(mark) - {"kit"} for mark in getattr(node, "decorator_list", ())]
                needed = bool(set(bound_names(node)).union(*marks) & wanted)
            if needed:
                wanted = wanted | (set() if _is_draw(getattr(node, "value", None)) else used_names(node))
                found.insert(0, node)
        return found


def _lines(block: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a block that may matter to a later one; what stands in a definition belongs to it."""
    for node in ast.iter_child_nodes(block):
        if isinstance(node, _LINES):
            yield node
        elif isinstance(node, ast.stmt | ast.excepthandler):
            yield from _lines(node)


def _is_draw(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("case.")


def _bare(node: ast.stmt) -> ast.stmt:
    """A definition without its decorators and docstring; anything else as it is."""
    if not isinstance(node, _DEFINITIONS):
        return node
    node = copy.deepcopy(node)
    node.decorator_list = []
    if ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:] or [ast.Pass()]
    return node


def _asked(statement: ast.stmt) -> ast.AST:
    """What a statement asks for: the value of a `yield label, value`, else the statement itself."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield):
        pair = statement.value.value
        if isinstance(pair, ast.Tuple) and len(pair.elts) >= 2:
            return pair.elts[1]
    return statement


class _Fill(ast.NodeTransformer):
    def __init__(self, draws: Mapping[str, Any], device: str) -> None:
        self.draws, self.device = draws, device
        self.values: dict[str, str] = {}

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return ast.Constant(self.device) if ast.unparse(node) == "case.device" else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = ast.unparse(node.func)
        if name == "case.raises" and len(node.args) == 1 and isinstance(node.args[0], ast.Lambda):
            return node.args[0].body
        if name == "case.timed" and node.args:
            return ast.Call(node.args[0], node.args[1:], [])
        first = node.args[0] if node.args else None
        drawn = str(first.value) if isinstance(first, ast.Constant) else ""
        if name.startswith("case.") and drawn in self.draws:
            stand_in = f"drawn_{len(self.values)}_"
            self.values[stand_in] = laid_out(self.draws[drawn])
            return ast.Name(stand_in, ast.Load())
        return node


def _filled(node: ast.AST, draws: Mapping[str, Any], device: str) -> str:
    """A statement as text, with what was drawn in the place of each draw."""
    fill = _Fill(draws, device)
    text = _brief(ast.fix_missing_locations(fill.visit(copy.deepcopy(node))))
    for stand_in, value in fill.values.items():
        before, _, after = text.partition(stand_in)
        if before != text:  # a draw inside another is not shown
            margin = " " * len(before.rpartition("\n")[2])
            text = before + value.replace("\n", f"\n{margin}") + after
    return text


def _brief(node: ast.AST) -> str:
    """A statement as text; a definition of one short line stays on one, and methods stand close."""
    if not isinstance(node, _DEFINITIONS):
        return ast.unparse(node)
    marks = [f"@{ast.unparse(decorator)}" for decorator in node.decorator_list]
    parts = [_brief(part) for part in node.body]
    bare = copy.copy(node)
    bare.decorator_list, bare.body = [], [ast.Pass()]
    head = ast.unparse(bare).removesuffix("\n    pass")
    if len(parts) == 1 and "\n" not in parts[0] and not isinstance(node.body[0], _DEFINITIONS):
        return "\n".join([*marks, f"{head} {parts[0]}"])
    return "\n".join([*marks, head, *(f"    {line}" for part in parts for line in part.split("\n"))])
