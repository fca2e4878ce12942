"""The library as a submission gets it: a copy made up for one exercise, without what that exercise asks for.

It holds what a kit is put together from and what runs it. Of a definition that is asked for there is what the
task shows anyway, its signature and its docstring; in place of its body it says that it is not there. Nothing
of what judges, of the other exercises or of the course is in it, and no bytecode.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from ..definitions import lines_of, parse, read
from ..grader.exercises import load
from ..grader.form import Exercise
from ..grader.runner import WANTED
from ..grader.starter import by_module, without_body
from ..originals import homes

_LIBRARY = Path(__file__).resolve().parents[1]
# What is started inside, what puts a kit together, and all that has a public name; with what they import.
ROOTS = ("api", "kit", "grader.runner", "sandbox.warm")


def masked_library(word: str, folder: Path | str) -> Path:
    """Make a folder that has the package `coursekit` in it, as a submission for one exercise may see it.

    Args:
        word: The exercise whose definitions are left out.
        folder: Where to make it; there must be nothing of that name yet, or an empty folder.

    Returns:
        The folder: what a path for imports names. Everybody may read it.

    Raises:
        UnknownExercise: No exercise has that name.
    """
    exercise, made = load(word), Path(folder) / "coursekit"
    for module in sorted(_needed()):
        text = _source(module).read_text(encoding="utf-8")
        _write(made / _file(module), masked(exercise, module, text))
        for data in _source(module).parent.glob(f"{_source(module).stem}.*"):
            if data.suffix not in (".py", ".pyi") and data.is_file():
                shutil.copyfile(data, made / _file(module).with_suffix(data.suffix))
    root = (_LIBRARY / "__init__.py").read_text(encoding="utf-8")
    _write(made / "__init__.py", root)
    for package in {path.parent for path in made.rglob("*.py")} - {made}:
        _write(package / "__init__.py", '"""A part of coursekit, as far as a submission needs it."""\n')
    modules = sorted(wanted(exercise))
    packages = sorted(_asked_for(exercise).union(*map(_packages, modules)))
    _write(made / "grader" / WANTED, json.dumps({"packages": packages, "modules": modules}))
    for path in [Path(folder), *Path(folder).rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Path(folder)


def masked(exercise: Exercise, module: str, text: str) -> str:
    """A module's text without the bodies of what an exercise asks for.

    >>> from coursekit.grader.exercises import load
    >>> text = masked(load("first_model"), "splits", "def group_split(groups, valid):\\n    return [0], [1]")
    >>> print(text[:83])
    def group_split(groups, valid):
        raise NotImplementedError("group_split is yours
    """
    asked = by_module(exercise).get(module, {})
    lines = lines_of(text)
    for statement in reversed(read(text) if asked else []):
        if asked.keys() & set(statement.names):
            part = slice(statement.first - 1, statement.last)
            lines[part] = lines_of(without_body("\n".join(lines[part]), asked))
    return "\n".join(lines) + "\n"


def wanted(exercise: Exercise) -> set[str]:
    """The modules that an exercise's checks will load: those it names or asks for, and what they import.

    >>> from coursekit.grader.exercises import load
    >>> sorted(wanted(load("finding_the_rate")))[:3]
    ['batches', 'callbacks', 'canvas']
    """
    named = set(re.findall(r"\bkit\.(\w+)", exercise.source))
    modules = {homes().get(name, name) for name in named} | set(by_module(exercise))
    return _reached(module for module in modules if _source(module).is_file())


@cache
def _needed() -> set[str]:
    return _reached(ROOTS)


def _reached(modules: Iterable[str]) -> set[str]:
    """The modules that can be reached from some, wherever in them an import stands."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imported(module)
    return found


@cache
def _imported(module: str) -> list[str]:
    """The modules of ours that a module names in its imports."""
    return list(_names_of_modules(module))


def _names_of_modules(module: str) -> Iterator[str]:
    package = module.split(".")[:-1]
    for node in _statements(parse(_source(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *filter(None, [node.module])]
            for alias in node.names:
                deeper, itself = ".".join([*base, alias.name]), ".".join(base)
                yield from (name for name in (deeper, itself) if name and _source(name).is_file())


def _statements(block: ast.AST) -> Iterator[ast.AST]:
    """All statements in a block, however deep: most of a module is expressions, where no import stands."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(block, part, ()):
            yield node
            yield from _statements(node)


def _asked_for(exercise: Exercise) -> set[str]:
    """The packages that an exercise's own text imports, wherever it does; and what these load late."""
    nodes = list(ast.walk(ast.parse(exercise.source)))
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return found | ({"torch._dynamo"} if "torch.optim." in exercise.source else set())


def _packages(module: str) -> set[str]:
    """What a module imports of other packages as soon as it is imported itself."""
    found: set[str] = set()
    for node in ast.parse(_source(module).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
    return found - {"__future__"}


def _source(module: str) -> Path:
    return _LIBRARY / _file(module)


def _file(module: str) -> Path:
    return Path(*module.split(".")).with_suffix(".py")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
