"""Put a learner's own library together: their definitions in place of ours, by name, in every module.

A kit is a folder, `mykit/`, whose files hold only what the learner wrote. Importing `mykit.metrics` takes our
newest `metrics.py` and puts the definitions of `mykit/metrics.py` where ours of the same name stood; a module
the learner has not touched is ours, run once more under the kit's name. So every part of a kit uses the
learner's parts, and the types of one kit are not those of another.

Each definition is compiled from the file it stands in, so a traceback shows the learner's lines in the
learner's file and ours in ours.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     size = Path(folder, "splits.py").write_text("def group_split(groups, valid, seed): return [0], [1]")
...     kit = install("example_kit", folder)
...     kit.splits.random_split(50)
([0], [1])
>>> remove("example_kit")
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from . import definitions
from .definitions import Statement, Unreadable
from .originals import LIBRARY, Original, docstring, homes, modules, source_of, statements

NAME = "mykit"


class KitError(Exception):
    """A kit that cannot be put together; the message says in one sentence which file and line, and why."""


class KitWarning(UserWarning):
    """Something in a kit that has no effect and probably should have."""


def install(
    name: str = NAME,
    folder: Path | str = NAME,
    only: Collection[str] | None = None,
    asked: Collection[str] | None = None,
) -> ModuleType:
    """Make the package `name` importable in this process, put together from `folder` and our modules.

    Calling it again, with the same or another folder, keeps the package object and drops all that was loaded.

    Args:
        name: What the package is called.
        folder: Holds the learner's files; a folder that is empty or missing gives our library unchanged.
        only: Use only these definitions of the learner, as "metrics.accuracy", with the helpers they need.
            By default all are used.
        asked: Never let ours stand in for these: one that is missing raises `NotImplementedError` when it is
            used. By default what `only` names. Any other definition that is still a starter counts as absent.

    Returns:
        The package, with nothing of it loaded but its root.

    Raises:
        KitError: A file in the folder is no module of ours.
    """
    folder = Path(folder).absolute()
    _check_files(folder, only)
    package = sys.modules.get(name) or ModuleType(name)
    remove(name)
    sys.meta_path.insert(0, _Finder(name, folder, only, (only or ()) if asked is None else asked))
    source = importlib.util.spec_from_file_location(name, LIBRARY / "__init__.py")
    assert source is not None
    assert source.loader is not None
    # The root is ours: so `importlib.resources` finds our data files under the kit's name.
    package.__spec__, package.__loader__, package.__file__ = source, source.loader, source.origin
    package.__path__, package.__package__ = [str(LIBRARY)], name
    sys.modules[name] = package
    source.loader.exec_module(package)
    return package


def remove(name: str = NAME) -> None:
    """Forget the kit called `name`: its modules, and how to import more."""
    drop(name)
    sys.modules.pop(name, None)
    sys.meta_path[:] = [one for one in sys.meta_path if not (isinstance(one, _Finder) and one.kit == name)]


def drop(name: str = NAME) -> list[str]:
    """Forget every module of a kit but keep the package itself: `kit.` means the new files from now on.

    Never `importlib.reload`: it would keep what the new file no longer has.

    Returns:
        The modules that had been loaded, as "mykit.metrics".
    """
    package = sys.modules.get(name)
    loaded = sorted(module for module in sys.modules if module.startswith(f"{name}."))
    for module in loaded:
        del sys.modules[module]
        vars(package).pop(module.removeprefix(f"{name}."), None)
    return loaded


def folder_of(name: str = NAME) -> Path | None:
    """The folder of the kit called `name` in this process; nothing if there is no such kit."""
    return next((one.folder for one in sys.meta_path if isinstance(one, _Finder) and one.kit == name), None)


def written(folder: Path | str = NAME) -> dict[str, str]:
    """What the learner has written so far: "metrics.accuracy" and where it stands, "mykit/metrics.py:3".

    A starter that only raises `NotImplementedError` is not counted, nor is what is not a definition of ours.

    Raises:
        KitError: A file cannot be read.
    """
    found = {}
    for file in _files(Path(folder)):
        word = _word(file, Path(folder))
        if word in modules():
            path, text = source_of(word)
            ours = definitions.defined(statements(text, str(path)))
            for statement in _read(file):
                if definitions.is_written(statement.node):
                    place = f"{_short(file)}:{statement.node.lineno}"
                    found.update({f"{word}.{name}": place for name in statement.names if name in ours})
    return found


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write a kit's files, given as module name to source text.

    Raises:
        KitError: One is called what no module can be called.
    """
    for module, text in files.items():
        parts = module.split(".")
        if not all(part.isidentifier() for part in parts):
            raise KitError(f"{module!r} is no name of a module: letters, digits and _ only, dots between.")
        path = folder.joinpath(*parts).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Half characters stay what they are: `text_of` says of which file they are.
        path.write_bytes(text.encode("utf-8", "surrogatepass"))


def nearest_module(word: str, ending: str = "") -> str:
    """The end of a sentence about a module that is not there: the nearest one, or all with public names.

    >>> nearest_module("splts", ".py")
    'did you mean splits.py?'
    """
    close = get_close_matches(word.lower(), modules(), 1, 0.6)
    if close:
        return f"did you mean {close[0]}{ending}?"
    return f"there are {', '.join(sorted({name + ending for name in homes().values()}))}."


class _Finder(importlib.abc.MetaPathFinder):
    """Answers for every module below one kit's package."""

    def __init__(self, kit: str, folder: Path, only: Collection[str] | None, asked: Collection[str]) -> None:
        self.kit, self.folder, self.only, self.asked = kit, folder, only, asked

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(f"{self.kit}."):
            return None
        word = fullname.removeprefix(f"{self.kit}.")
        package = LIBRARY.joinpath(*word.split("."), "__init__.py")
        if package.exists():
            return importlib.util.spec_from_file_location(
                fullname, package, submodule_search_locations=[str(package.parent)]
            )
        if word not in modules():
            message = f"{self.kit} has no module {word}; {nearest_module(word)}"
            raise ModuleNotFoundError(message, name=fullname)
        theirs = self.folder.joinpath(*word.split(".")).with_suffix(".py")
        asked = _of_module(word, self.asked)
        chosen = None if self.only is None else _of_module(word, self.only)
        if not asked and (chosen == set() or not theirs.exists()):
            path = str(source_of(word)[0])
            return importlib.util.spec_from_file_location(fullname, path, loader=Original(fullname, path))
        # The path names no file: the loader gives its text, and data files are looked for beside it.
        loader = _Loader(fullname, theirs, chosen, asked)
        return importlib.util.spec_from_file_location(fullname, loader.path, loader=loader)


def _of_module(word: str, names: Collection[str]) -> set[str]:
    return {name.rpartition(".")[2] for name in names if name.rpartition(".")[0] == word}


class _Loader(importlib.abc.Loader):
    """Runs one of our modules with the learner's definitions in their places."""

    def __init__(
        self, fullname: str, theirs: Path, chosen: Collection[str] | None, asked: Collection[str]
    ) -> None:
        self.word = fullname.partition(".")[2]
        self.theirs, self.chosen, self.asked = theirs, chosen, asked
        self.ours, self.text = source_of(self.word)
        self.path = str(self.ours.with_name(f"{self.ours.stem} with {'.'.join(theirs.parts[-2:])}"))

    def get_source(self, fullname: str) -> str:
        """Our lines, those replaced left empty, and then the learner's: `inspect` looks for a class here."""
        lines = definitions.lines_of(self.text)
        for statement in statements(self.text, str(self.ours)):
            if statement.names and set(statement.names) <= self._names:
                lines[statement.first - 1 : statement.last] = [""] * (statement.last - statement.first + 1)
        return "\n".join([*lines, self.theirs.read_text(encoding="utf-8") if self.theirs.exists() else ""])

    def exec_module(self, module: ModuleType) -> None:
        """Run the two files as one, each statement compiled from where it stands."""
        linecache.cache.pop(self.path, None)
        linecache.checkcache(str(self.theirs))
        module.__doc__ = docstring(self.text)
        ours, theirs = statements(self.text, str(self.ours)), self._their_statements()
        self._names = {name for statement in theirs for name in statement.names}
        try:
            for statement in definitions.put_in_place(ours, theirs):
                exec(statement.code, vars(module))
        except (Exception, SystemExit) as error:
            self._explain(error)
            raise
        _count_lines_from(len(definitions.lines_of(self.text)), vars(module), self._names)

    def _their_statements(self) -> list[Statement]:
        """What counts of the learner's file: the chosen definitions, those begun, and starters asked for."""
        ours = definitions.defined(statements(self.text, str(self.ours)))
        theirs = _read(self.theirs) if self.theirs.exists() else []
        if self.chosen is None:
            for line, note in _notes(self.word, ours, theirs, _short(self.theirs)):
                warnings.warn_explicit(note, KitWarning, str(self.theirs), line)
        else:
            theirs = definitions.with_helpers(theirs, set(self.chosen), ours)
        begun = {name for s in theirs if definitions.is_written(s.node) for name in s.names}
        absent = ours.keys() - begun - set(self.asked)
        missing = set(self.asked) - {name for s in theirs for name in s.names}
        return [s for s in theirs if not absent & set(s.names)] + [
            statement for name in sorted(missing) for statement in self._starter(name, ours[name].node)
        ]

    def _starter(self, name: str, ours: ast.stmt) -> list[Statement]:
        """Stands for a definition that was asked for and is not there: it says so when it is used."""
        message = f"Write {name} in {_short(self.theirs)}: it is not there yet."
        others = definitions.defined(_read(self.theirs)) if self.theirs.exists() else {}
        if close := get_close_matches(name, list(others), 1, 0.8):
            message += f" Is {close[0]}, in line {others[close[0]].node.lineno}, meant to be {name}?"
        body = f"(*given, **named):\n  raise NotImplementedError({message!r})"
        text = (
            f"class {name}:\n def __init__{body}" if isinstance(ours, ast.ClassDef) else f"def {name}{body}"
        )
        return definitions.read(text, str(self.theirs))

    def _explain(self, error: Exception | SystemExit) -> None:
        """Raise one sentence instead of an error that the learner's file has part in."""
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename != str(self.theirs):
            trace = trace.tb_next
        circle = "partially initialized module" in str(error)
        if isinstance(error, KitError) or (circle and not trace):
            return  # said already, or the file whose import closes the circle is further out
        said = f"raised {type(error).__name__}: {error}"
        where = f"{_short(self.theirs)} does not fit the rest of our {self.ours.name}, which"
        if trace:
            line = linecache.getline(str(self.theirs), trace.tb_lineno).strip()
            where = f"{_short(self.theirs)}, line {trace.tb_lineno}, `{line}`,"
        if circle:
            said = (
                f"closes a circle of imports: what it asks for needs {self.word} itself, which is not ready "
                "yet. Import it inside the function that uses it."
            )
        raise KitError(f"{where} {said}") from error.with_traceback(trace)


def _notes(word: str, ours: Collection[str], theirs: list[Statement], file: str) -> Iterator[tuple[int, str]]:
    """Line and sentence for what in a learner's file probably should be otherwise."""
    public = homes()
    unused = set(ours) - {name for statement in theirs for name in statement.names}
    for statement in theirs:
        line = statement.node.lineno
        where = f"{file}, line {line},"
        if statement.is_import and "coursekit" in ast.unparse(statement.node).replace(".", " ").split():
            yield line, f"{where} imports coursekit, whose types are not this kit's: {_OWN_IMPORT}"
        for name in definitions.defined([statement]).keys() - ours:
            close = [] if name.startswith("_") else get_close_matches(name, unused, 1, 0.8)
            if close:
                yield (
                    line,
                    f"{where} defines {name}, which our {word} does not have; did you mean {close[0]}?",
                )
            elif name in public:
                yield (
                    line,
                    f"{where} defines {name}: that belongs in {public[name]}.py, here nothing uses it.",
                )


_OWN_IMPORT = "write `from .tensors import Image` and the like."


def _check_files(folder: Path, only: Collection[str] | None) -> None:
    """Refuse a file that stands in for nothing: what is in it would silently not count."""
    asked = modules() if only is None else {name.rpartition(".")[0] for name in only}
    for file in _files(folder):
        word = _word(file, folder)
        if word not in modules() and (only is None or get_close_matches(word.lower(), asked, 1, 0.6)):
            raise KitError(f"{_short(file)} matches no module of coursekit; {nearest_module(word, '.py')}")


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.rglob("*.py"))
    hidden = [any(part.startswith(".") for part in file.relative_to(folder).parts) for file in files]
    return [file for file, skip in zip(files, hidden, strict=True) if not skip and file.name != "__init__.py"]


def _word(file: Path, folder: Path) -> str:
    return ".".join(file.relative_to(folder).with_suffix("").parts)


def _short(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _read(file: Path) -> list[Statement]:
    """The statements of a learner's file, or one sentence about why it cannot be read."""
    try:
        return definitions.read(text_of(file), str(file))
    except Unreadable as error:
        raise KitError(error.sentence(_short(file))) from None


def text_of(file: Path) -> str:
    """The text of a learner's file.

    Raises:
        KitError: It cannot be opened, or is no text in UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise KitError(f"{_short(file)} cannot be read: it is no text in UTF-8.") from None
    except OSError as error:
        raise KitError(f"{_short(file)} cannot be opened: {error.strerror}.") from None


def _count_lines_from(start: int, namespace: dict[str, Any], names: Collection[str]) -> None:
    """From Python 3.13 a class knows its line: let the learner's count from where `get_source` has them."""
    for name in names:
        value = namespace.get(name)
        if isinstance(value, type) and "__firstlineno__" in vars(value):
            value.__firstlineno__ += start  # type: ignore[attr-defined]
