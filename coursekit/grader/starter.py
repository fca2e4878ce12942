"""The starting point of an exercise, cut out of the library each time it is wanted, and never stored.

What stays of a definition: its decorators, its signature, its docstring with the examples. Its body becomes
one line that says what is to be written there.

>>> text = "def half(x: float) -> float:\\n    '''Half of x.'''\\n    return x / 2"
>>> print(without_body(text, {"half": "half of x"}))
def half(x: float) -> float:
    '''Half of x.'''
    raise NotImplementedError("half is yours to write: half of x")
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from ..definitions import Function, Statement, lines_of, parse, read, used_names
from .exercises import load
from .form import Exercise

_LIBRARY = Path(__file__).resolve().parents[1]


def starter(word: str) -> dict[str, str]:
    """The files a learner begins with: module name to source text.

    Raises:
        UnknownExercise: No exercise has that name.
        LookupError: The library has no definition that the exercise asks for.
    """
    exercise = load(word)
    return {
        module: _file(
            module, [without_body(source, parts) for source in sources(module, list(parts))], list(parts)
        )
        for module, parts in by_module(exercise).items()
    }


def solution(word: str, replace: Mapping[str, str] | None = None) -> dict[str, str]:
    """The same files with the library's own bodies, or others in `replace` ("module.name" to source text)."""
    files = {}
    for module, parts in by_module(load(word)).items():
        texts = dict(zip(parts, sources(module, list(parts)), strict=True))
        texts.update(
            {n: (replace or {})[f"{module}.{n}"].strip() for n in parts if f"{module}.{n}" in (replace or {})}
        )
        files[module] = _file(module, list(texts.values()), list(parts))
    return files


def by_module(exercise: Exercise) -> dict[str, dict[str, str]]:
    """What an exercise asks for, module by module: each name and what it does."""
    modules: dict[str, dict[str, str]] = {}
    for full, says in exercise.yours.items():
        module, _, name = full.rpartition(".")
        modules.setdefault(module, {})[name] = says
    return modules


def sources(module: str, names: list[str]) -> list[str]:
    """The library's text for each of these definitions; one of several methods gives them all."""
    text, statements = _read(module)
    lines = lines_of(text)
    found = []
    for name in names:
        of_name = [s for s in statements if name in s.names and isinstance(s.node, (*Function, ast.ClassDef))]
        if not of_name:
            raise LookupError(f"The library has no definition {module}.{name}; an exercise asks for it.")
        found.append("\n\n\n".join("\n".join(lines[s.first - 1 : s.last]) for s in of_name))
    aliases = {name: ast.unparse(value) for name, value in _aliases(statements).items()}
    return [_spelt_out(one, aliases) for one in found]


def _aliases(statements: list[Statement]) -> dict[str, ast.expr]:
    """The types that a module gives a name of its own, such as `Split = tuple[list[int], list[int]]`."""
    return {
        s.names[0]: s.node.value
        for s in statements
        if isinstance(s.node, ast.Assign)
        and len(s.names) == 1
        and isinstance(s.node.value, ast.Subscript | ast.BinOp)
    }


def _spelt_out(text: str, aliases: Mapping[str, str]) -> str:
    """A definition's text with such names written out in signatures: the learner's file has none of them."""
    lines = lines_of(text)
    functions = [node for node in ast.walk(parse(text)) if isinstance(node, Function)]
    names = [node for one in functions for node in _annotations(one) if node.id in aliases]
    for node in sorted(names, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        line = lines[node.lineno - 1].encode()
        before, after = line[: node.col_offset].decode(), line[node.end_col_offset :].decode()
        lines[node.lineno - 1] = before + aliases[node.id] + after
    return "\n".join(lines)


def _annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.Name]:
    """The names in a signature's annotations."""
    args = [node for node in ast.walk(function.args) if isinstance(node, ast.arg)]
    parts = [function.returns, *(arg.annotation for arg in args)]
    return [node for part in parts if part for node in ast.walk(part) if isinstance(node, ast.Name)]


def without_body(source: str, says: Mapping[str, str]) -> str:
    """A definition's text with its bodies cut out; a class keeps its fields, and its methods lose theirs."""
    lines = lines_of(source)
    for top in reversed(parse(source).body):
        sentence = f"{getattr(top, 'name', '')} is yours to write: {says.get(getattr(top, 'name', ''), '')}"
        functions = (
            [top]
            if isinstance(top, Function)
            else [n for n in getattr(top, "body", []) if isinstance(n, Function)]
        )
        for node in reversed(functions):
            inside = sentence if node is top else f"{getattr(top, 'name', '')}.{node.name} is yours to write"
            _cut(lines, node, inside.rstrip(": "))
    return "\n".join(lines)


def with_marks(source: str, begin: str, end: str) -> str:
    """A definition's text with a line before and one after each body, for tools that cut it out themselves.

    >>> text = "def half(x: float) -> float:\\n    '''Half of x.'''\\n    return x / 2"
    >>> print(with_marks(text, "# from here", "# to here"))
    def half(x: float) -> float:
        '''Half of x.'''
        # from here
        return x / 2
        # to here
    """
    lines = lines_of(source)
    for top in reversed(parse(source).body):
        inside = [top] if isinstance(top, Function) else getattr(top, "body", [])
        for node in reversed([one for one in inside if isinstance(one, Function)]):
            head, body = _parts(lines, node)
            indent = " " * (node.col_offset + 4)
            lines[: node.end_lineno] = [*head, indent + begin, *body, indent + end]
    return "\n".join(lines)


def _cut(lines: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef, sentence: str) -> None:
    """Replace the body of one function, in place."""
    indent = " " * (node.col_offset + 4)
    escaped = sentence.replace("\\", "\\\\").replace('"', '\\"')
    kept = [*_parts(lines, node)[0], f'{indent}raise NotImplementedError("{escaped}")']
    lines[: node.end_lineno or node.lineno] = kept


def _parts(lines: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[list[str], list[str]]:
    """All lines up to a function's body, with its docstring, and those of the body."""
    first, last = node.body[0], node.end_lineno or node.lineno
    if ast.get_docstring(node, clean=False) is not None:
        return lines[: first.end_lineno], lines[first.end_lineno : last]
    if first.lineno == _signature_end(node):
        line, indent = lines[first.lineno - 1].encode(), " " * (node.col_offset + 4)
        head, body = line[: first.col_offset].decode().rstrip(), line[first.col_offset :].decode()
        return [*lines[: first.lineno - 1], head], [indent + body, *lines[first.lineno : last]]
    above = first.lineno - 1
    while lines[above - 1].lstrip().startswith("#"):
        above -= 1
    return lines[:above], lines[above:last]


def _signature_end(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The last line of a signature, for a body that stands on it."""
    parts = [node.args.args, node.args.kwonlyargs, node.args.posonlyargs]
    ends = [one.end_lineno or 0 for part in parts for one in part]
    return max([node.lineno, *ends, node.returns.end_lineno or 0 if node.returns else 0])


def _file(module: str, texts: list[str], names: list[str]) -> str:
    """A learner's file: the imports its definitions may want, then the definitions."""
    imports = _imports(module, names)
    parts = ["from __future__ import annotations", *([imports] if imports else [])]
    return "\n\n".join(parts) + "\n\n\n" + "\n\n\n".join(texts) + "\n"


def _imports(module: str, names: list[str]) -> str:
    """The library's imports that these definitions use, in its order."""
    _, statements = _read(module)
    used: set[str] = set()
    for statement in statements:
        if set(names) & set(statement.names):
            used |= _all_names(statement)
    used = used.union(*(used_names(value) for name, value in _aliases(statements).items() if name in used))
    chosen = []
    for statement in statements:
        if statement.is_import and set(statement.names) & used:
            node = statement.node
            assert isinstance(node, ast.Import | ast.ImportFrom)
            node.names = [one for one in node.names if (one.asname or one.name.partition(".")[0]) in used]
            chosen.append(ast.unparse(node))
    return "\n".join(chosen)


def _all_names(statement: Statement) -> set[str]:
    """What a definition reads, its annotations and the examples in its docstring included."""
    documented = (
        ast.get_docstring(statement.node) if isinstance(statement.node, (*Function, ast.ClassDef)) else ""
    )
    examples = [line for line in (documented or "").splitlines() if line.lstrip().startswith((">>>", "..."))]
    return used_names(statement.node) | set(re.findall(r"\w+", "\n".join(examples)))


def _read(module: str) -> tuple[str, list[Statement]]:
    path = _LIBRARY.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        raise LookupError(f"The library has no module {module}; an exercise asks for it.")
    text = path.read_text(encoding="utf-8")
    return text, read(text)
