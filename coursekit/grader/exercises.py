"""Find exercises and read them.

In a checkout they lie in `exercises/` beside the package; an installed wheel carries them inside it.

>>> "first_model" in words()
True
>>> load("first_modle")
Traceback (most recent call last):
    ...
coursekit.grader.exercises.UnknownExercise: There is no exercise 'first_modle'. Did you mean 'first_model'?
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

from ..definitions import lines_of, read, with_helpers
from .form import Check, Exercise

_PACKAGE = Path(__file__).resolve().parents[1]


class UnknownExercise(LookupError):
    """There is no exercise of that name; the message names the nearest one."""


def folder() -> Path:
    """Where the exercise files lie: `coursekit/_exercises` in a wheel, `exercises` in a checkout."""
    carried = _PACKAGE / "_exercises"
    return carried if carried.is_dir() else _PACKAGE.parent / "exercises"


def words() -> list[str]:
    """The names of all exercises, in alphabetical order, without importing any of them."""
    return sorted(path.stem for path in folder().glob("*.py") if not path.stem.startswith("_"))


def load(word: str) -> Exercise:
    """Read the exercise called `word`.

    Raises:
        UnknownExercise: No exercise has that name; a LookupError.
        TypeError: Its file lacks a part of the form.
    """
    known = words()
    if word not in known:
        raise UnknownExercise(_unknown(word, known))
    path = folder() / f"{word}.py"
    module = _run(word, path)
    checks = tuple(value for value in vars(module).values() if isinstance(value, Check))
    for part, there in (
        ("a docstring", module.__doc__),
        ("yours", vars(module).get("yours")),
        ("checks", checks),
    ):
        if not there:
            raise TypeError(
                f"exercises/{word}.py has no {part.removeprefix('a ')}; every exercise needs {part}."
            )
    return Exercise(
        word=word,
        task=inspect.cleandoc(module.__doc__ or ""),
        yours=dict(module.yours),
        checks=checks,
        wrong=tuple(vars(module).get("wrong", ())),
        right=tuple(vars(module).get("right", ())),
        source=path.read_text(encoding="utf-8"),
    )


def version(word: str) -> str:
    """What decides a grade, as a checksum: the exercise's file, and ours of what it asks for.

    The helpers that these definitions use in their own modules belong to them; the rest of the library has
    the version of coursekit.

    Raises:
        UnknownExercise: No exercise has that name.

    >>> len(version("first_model"))
    64
    """
    exercise = load(word)
    content = hashlib.sha256(exercise.source.encode())
    asked = {full.rpartition(".")[0] for full in exercise.yours}
    for module in sorted(asked):
        text = _PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
        wanted = {full.rpartition(".")[2] for full in exercise.yours if full.rpartition(".")[0] == module}
        lines = lines_of(text)
        for statement in with_helpers(read(text), wanted, ()):
            part = "\n".join(lines[statement.first - 1 : statement.last])
            content.update(f"\n\n{module}\n{part}".encode())
    return content.hexdigest()


def _run(word: str, path: Path) -> ModuleType:
    """Run an exercise file as a module of its own, afresh each time."""
    name = f"coursekit_exercise_{word}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _unknown(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    if near:
        return f"There is no exercise {word!r}. Did you mean {near[0]!r}?"
    return f"There is no exercise {word!r}. There are: {', '.join(known) or 'none yet'}."
