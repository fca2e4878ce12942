"""Read a Python file as a list of named definitions, and put definitions in place by name.

A kit rests on one rule: what a file defines at its top level is known by name, and a definition of the same
name takes its place. Nothing is run here; files are only read.

>>> [statement.names for statement in read("import math\\n\\ndef area(r):\\n    return math.pi * r * r\\n")]
[('math',), ('area',)]
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from types import CodeType

# Annotations stay text in every file of a kit, as they do in ours: names in them need not exist at run time.
FLAGS = annotations.compiler_flag
_parsing = threading.Lock()

Function = (ast.FunctionDef, ast.AsyncFunctionDef)
Import = (ast.Import, ast.ImportFrom)


class Unreadable(Exception):
    """Text that is not Python: the `reason`, the `line` (from 1; 0 when unknown) and that line's `text`."""

    def __init__(self, reason: str, line: int = 0, text: str = "") -> None:
        super().__init__(reason)
        self.reason, self.line, self.text = reason, line, text.strip()

    def sentence(self, where: str, lines_before: int = 0) -> str:
        """One sentence about it, for a text called `where` that begins after some other lines.

        >>> Unreadable("expected ':'", 2, "def accuracy(p, t)").sentence("mykit/metrics.py")
        "mykit/metrics.py, line 2, `def accuracy(p, t)`, cannot be read as Python: expected ':'."
        """
        text = self.text if len(self.text) <= 80 else f"{self.text[:77]}..."
        place = f", line {self.line + lines_before}, `{text}`," if self.line else ""
        return f"{where}{place} cannot be read as Python: {self.reason}."


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement at the top level of a file, and the lines that hold it.

    Attributes:
        node: Its syntax tree.
        names: What it binds; empty for a statement that only does something. An unnamed method, the `_` below
            a `@rotate.method`, goes by `rotate(x: Boxes)`.
        first: Its first line, counted from 1, with its decorators and the comment right above it.
        last: Its last line.
        filename: The file it was read from.
    """

    node: ast.stmt
    names: tuple[str, ...]
    first: int
    last: int
    filename: str

    @cached_property
    def code(self) -> CodeType:
        """What runs it, compiled once for every kit that it goes into."""
        # One that stands alone would be taken for the docstring of its module.
        is_text = isinstance(self.node, ast.Expr) and isinstance(self.node.value, ast.Constant)
        tree = ast.Module([] if is_text else [self.node], [])
        return compile(tree, self.filename, "exec", flags=FLAGS, dont_inherit=True)

    @property
    def is_import(self) -> bool:
        """Whether it is an import and nothing else."""
        return isinstance(self.node, Import)

    @property
    def extends(self) -> str:
        """The function a `@rotate.method` above it adds to, or nothing."""
        return _extends(self.node)

    @property
    def keys(self) -> tuple[str, ...]:
        """The names, where several methods of one function are told apart by the types they take."""
        marks = [ast.unparse(decorator) for decorator in getattr(self.node, "decorator_list", ())]
        if isinstance(self.node, Function) and (self.extends or "method" in marks):
            return (f"{self.extends or self.node.name}({ast.unparse(self.node.args)})",)
        return self.names


def read(source: str, filename: str = "<text>") -> list[Statement]:
    """The statements of a file, without its docstring and its `from __future__` lines.

    Raises:
        Unreadable: The text is no Python; the reason, line and text say where.
    """
    try:
        tree = parse(source, filename)
        compile(tree, filename, "exec", flags=FLAGS, dont_inherit=True)  # finds a `return` outside a function
    except SyntaxError as error:
        text = "".join(lines_of(source)[(error.lineno or 0) - 1 : error.lineno or 0])
        raise Unreadable(error.msg, error.lineno or 0, text) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(str(error) or "it is nested too deeply") from None
    body = tree.body[1:] if ast.get_docstring(tree) is not None else tree.body
    lines = lines_of(source)
    statements = []
    for node in body:
        if not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            names, last = tuple(dict.fromkeys(bound_names(node))), node.end_lineno or node.lineno
            statements.append(Statement(node, names, _first_line(node, lines), last, filename))
    return statements


def parse(source: str, filename: str = "<text>") -> ast.Module:
    """The syntax tree of a text, as `ast.parse` gives it, but one thread at a time.

    Python before 3.11.8 and 3.12.2 counts the depth of all trees in one place, and two at once end in a
    SystemError (https://github.com/python/cpython/issues/106905).
    """
    with _parsing:
        return ast.parse(source, filename)


def lines_of(source: str) -> list[str]:
    """The lines of a text as Python counts them (`str.splitlines` also breaks at form feeds and the like)."""
    return source.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def _first_line(node: ast.stmt, lines: list[str]) -> int:
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return first


def bound_names(node: ast.AST) -> Iterator[str]:
    """The names that a statement binds where it stands.

    >>> list(bound_names(ast.parse("left, (right, *rest) = pair").body[0]))
    ['left', 'right', 'rest']
    """
    if isinstance(node, Function) and node.name == "_" and _extends(node):
        yield f"{_extends(node)}({ast.unparse(node.args)})"
    elif isinstance(node, (*Function, ast.ClassDef)):
        yield node.name
    elif isinstance(node, Import):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (
            name.id for target in targets for name in ast.walk(target)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        )  # fmt: skip
    elif isinstance(node, (ast.If, ast.Try)):
        for child in ast.iter_child_nodes(node):
            yield from bound_names(child)
    elif isinstance(node, ast.ExceptHandler):
        for child in node.body:
            yield from bound_names(child)


def _extends(node: ast.AST) -> str:
    for decorator in getattr(node, "decorator_list", ()):
        if isinstance(decorator, ast.Attribute) and decorator.attr == "method":
            return ast.unparse(decorator.value)
    return ""


def used_names(node: ast.AST, at_once: bool = False) -> set[str]:
    """The names that a statement reads; with `at_once` only those it reads while it is being defined.

    >>> line = ast.parse("def scaled(x, by=FACTOR): return helper(x) * by").body[0]
    >>> sorted(used_names(line)), sorted(used_names(line, at_once=True))
    (['FACTOR', 'by', 'helper', 'x'], ['FACTOR'])
    """
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    children: Iterable[ast.AST | None] = ast.iter_child_nodes(node)
    if at_once and isinstance(node, (*Function, ast.Lambda)):
        decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
        children = [*decorators, *node.args.defaults, *node.args.kw_defaults]
    elif at_once and isinstance(node, ast.AnnAssign):
        children = [node.value]
    return set().union(*(used_names(child, at_once) for child in children if child is not None))


def is_written(node: ast.AST) -> bool:
    """Whether a definition is more than a starter, whose functions only raise `NotImplementedError`.

    >>> is_written(ast.parse("def accuracy(p, t):\\n    raise NotImplementedError('Write accuracy')").body[0])
    False
    """
    if isinstance(node, ast.ClassDef):
        functions = [child for child in node.body if isinstance(child, Function)]
        return not functions or any(is_written(child) for child in functions)
    if not isinstance(node, Function):
        return True
    body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
    return not (
        len(body) == 1
        and isinstance(body[0], ast.Raise)
        and body[0].exc is not None
        and "NotImplementedError" in used_names(body[0].exc)
    )


def pieces(source: str) -> dict[str, str]:
    """The text of each definition by name: the methods of one function together, the imports with the first.

    >>> pieces("import math\\n\\ndef a(): ...\\n\\ndef b(): ...\\n")
    {'a': 'import math\\n\\n\\ndef a(): ...', 'b': 'def b(): ...'}
    """
    lines = lines_of(source)
    found: dict[str, str] = {}
    head: list[str] = []
    for statement in read(source):
        text = "\n".join(lines[statement.first - 1 : statement.last])
        name = statement.names[0] if statement.names else ""
        if statement.is_import or not name:
            head.append(text)
        elif name in found:
            found[name] += f"\n\n\n{text}"
        else:
            found[name] = "\n\n\n".join(filter(None, ["\n".join(head), text]))
            head = []
    return found


def defined(statements: Iterable[Statement]) -> dict[str, Statement]:
    """The functions, classes and constants of a file by name; what it imports is not its own."""
    named = (Import, ast.If, ast.Try)
    return {name: s for s in statements if not isinstance(s.node, named) for name in s.names}


def with_helpers(theirs: list[Statement], wanted: set[str], taken: Collection[str]) -> list[Statement]:
    """The statements that define the wanted names and, one from another, all they need of the same file.

    Args:
        theirs: The statements of a file.
        wanted: The names to define.
        taken: Names that are not helpers, since somebody else defines them.

    >>> file = read("import math, os\\ndef half(x): return x / 2\\ndef area(d): return half(d) ** 2")
    >>> [statement.names for statement in with_helpers(file, {"area"}, {"area", "volume"})]
    [('half',), ('area',)]
    """
    found = [s for s in theirs if wanted & {*s.names, s.extends}]
    while True:
        needed = wanted.union(*(used_names(s.node) for s in found)) - (set(taken) - wanted)
        more = [s for s in theirs if s in found or needed & {*s.names, s.extends}]
        if len(more) == len(found):
            return more
        found = more


def put_in_place(ours: list[Statement], theirs: list[Statement]) -> list[Statement]:
    """Our statements with each of theirs where ours of the same name stood, their helpers as they are needed.

    A helper that nothing needs while the file is being run (one called from another's body) comes last.

    >>> ours = read("def a(): return 1\\nTABLE = [a()]\\ndef b(): return a()\\n")
    >>> theirs = read("def spare(): ...\\nTWO = 2\\ndef a(x=TWO): return x\\n")
    >>> [statement.names[0] for statement in put_in_place(ours, theirs)]
    ['TWO', 'a', 'TABLE', 'b', 'spare']
    """
    by_name: dict[str, list[Statement]] = {}
    for statement in theirs:
        for name in statement.names:
            by_name.setdefault(name, []).append(statement)
    places = defined(ours).keys() & by_name.keys()
    helpers = {name: found for name, found in by_name.items() if name not in places}
    result: dict[Statement, None] = {}
    for statement in ours:
        if not statement.names or not set(statement.names) <= places:
            result[statement] = None
        for name in statement.names:
            for replacement in by_name[name] if name in places else ():
                result |= dict.fromkeys(_after_its_helpers(replacement, helpers, set(result)))
    for statement in theirs:
        result |= dict.fromkeys(_after_its_helpers(statement, helpers, set(result)))
    return list(result)


def _after_its_helpers(
    statement: Statement, helpers: dict[str, list[Statement]], seen: set[Statement], at_once: bool = True
) -> Iterator[Statement]:
    """The statement, and before it what it needs while it is being defined."""
    if statement in seen:
        return
    seen.add(statement)
    for name in sorted(used_names(statement.node, at_once)):
        for helper in helpers.get(name, ()):
            # A helper may be called at once, so all that its body needs must be there too.
            yield from _after_its_helpers(helper, helpers, seen, at_once=False)
    yield statement


def merge(old: str, new: str) -> tuple[str, list[str]]:
    """Put the definitions of one text into another by name, keeping everything else where and as it is.

    Args:
        old: The text of a file.
        new: The text whose definitions and imports take their place in it, or are added at its end.

    Returns:
        The new text of the file, and the lines of `new` that define nothing and so were left out.

    Raises:
        Unreadable: Either text is no Python.

    >>> print(merge("RATE = 1\\n\\ndef a(): return 1\\n", "def a(): return 2\\n")[0])
    RATE = 1
    <BLANKLINE>
    def a(): return 2
    <BLANKLINE>
    """
    kept, came = _blocks(old), _blocks(new)
    bound = {name for block in came for name in block.names}
    gone = [block for block in kept if block.names and set(block.names) <= bound]
    lines, inserts = lines_of(old), _places(kept, gone, came)
    hidden = {number for block in gone for number in _with_blank_lines(block, lines, block.first in inserts)}
    text: list[str] = []
    for number in range(1, len(lines) + 2):
        text += inserts.get(number, [])
        text += lines[number - 1 : number] if number not in hidden else []
    for piece in inserts.get(_AT_END, []):
        gap = [""] * 2 if "\n" in piece or piece.startswith(("def ", "class ", "@")) else []
        text = _without_blank_end(text)
        text += [*(gap if text else []), piece]
    return "\n".join(text) + "\n", [block.text for block in came if not block.names]


_AT_END = 0


@dataclass(frozen=True)
class _Block:
    """Statements that share a line, and their text."""

    names: tuple[str, ...]
    first: int
    last: int
    text: str
    is_import: bool


def _blocks(source: str) -> list[_Block]:
    lines = lines_of(source)
    blocks: list[_Block] = []
    for statement in read(source):
        names, first, is_import = statement.keys, statement.first, statement.is_import
        if blocks and blocks[-1].last >= first:
            before = blocks.pop()
            names, first, is_import = before.names + names, before.first, before.is_import and is_import
        text = "\n".join(lines[first - 1 : statement.last])
        blocks.append(_Block(names, first, statement.last, text, is_import))
    return blocks


def _places(kept: list[_Block], gone: list[_Block], came: list[_Block]) -> dict[int, list[str]]:
    """Above which old line each new block goes: where its name was; else imports first, the rest last."""
    after_imports = max((block.last + 1 for block in kept if block.is_import), default=_AT_END)
    first = after_imports or min((block.first for block in kept), default=_AT_END)
    places: dict[int, list[str]] = {}
    for block in came:
        if block.names:
            homes = [old.first for old in gone if set(old.names) & set(block.names)]
            home = homes[0] if homes else first if block.is_import else _AT_END
            places.setdefault(home, []).append(block.text)
    return places


def _with_blank_lines(block: _Block, lines: list[str], replaced: bool) -> range:
    """The lines a block leaves behind: its own and, when nothing comes in its place, the gap below it."""
    last = block.last
    while not replaced and last < len(lines) and not lines[last].strip():
        last += 1
    return range(block.first, last + 1)


def _without_blank_end(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines
