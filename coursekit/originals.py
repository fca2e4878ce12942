"""Our own modules as a kit takes them, each read and compiled once: text, statements, code.

>>> source_of("splits")[0].name
'splits.py'
"""

from __future__ import annotations

import ast
import importlib.machinery
from collections.abc import Collection
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType

from . import definitions
from .definitions import Statement

LIBRARY = Path(__file__).parent


@cache
def modules() -> tuple[str, ...]:
    """The modules that a kit may stand in for, such as "metrics" or "widgets.explore".

    >>> "splits" in modules()
    True
    """
    files = [path.relative_to(LIBRARY).with_suffix("") for path in LIBRARY.rglob("*.py")]
    named = [file for file in files if not file.parts[0].startswith("_") and file.name != "__init__"]
    return tuple(sorted(".".join(file.parts) for file in named))


@cache
def homes() -> dict[str, str]:
    """In which module each public name is defined.

    >>> homes()["accuracy"]
    'metrics'
    """
    tree = ast.parse((LIBRARY / "api.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]
    return {alias.name: node.module or "" for node in imports for alias in node.names}


def source_of(word: str) -> tuple[Path, str]:
    """The file of a module, and its text."""
    path = LIBRARY.joinpath(*word.split(".")).with_suffix(".py")
    return path, path.read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def statements(text: str, filename: str) -> list[Statement]:
    """The statements of a module with this text; they are shared, so nobody may change them."""
    return definitions.read(text, filename)


@lru_cache(maxsize=64)
def docstring(text: str) -> str | None:
    """The docstring of a module with this text."""
    return ast.get_docstring(ast.parse(text))


class Original(importlib.machinery.SourceFileLoader):
    """Runs one of our modules as it is, under a kit's name."""

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code, new when its file has changed."""
        return _code(self.path, Path(self.path).stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _code(path: str, _changed: int) -> CodeType | None:
    return importlib.machinery.SourceFileLoader(path, path).get_code(path)


def get_ready(words: Collection[str]) -> None:
    """Read and compile modules before they are wanted: a process that is forked has them then."""
    homes()
    modules()
    for word in words:
        path, text = source_of(word)
        _code(str(path), path.stat().st_mtime_ns)
        for statement in statements(text, str(path)):
            _ = statement.code
        docstring(text)
