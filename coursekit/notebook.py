"""`%%kit` and `check` in a notebook: a cell becomes part of the learner's library.

`%load_ext coursekit.notebook` makes both known, and so does `from coursekit.notebook import check`. They work
wherever IPython does: Jupyter, VS Code, Colab, Kaggle.

>>> made_by_a_kit({"x": 1, "_": 2})
{}
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from . import kit, workspace
from .kit import NAME, KitError, KitWarning
from .progress import WorkspaceError

if TYPE_CHECKING:
    from .grader.report import Report

_ERRORS = (KitError, WorkspaceError)


def check(word: str, whole_kit: bool = False, device: str | None = None) -> Report:
    """Check the learner's answer to an exercise; a notebook shows the report as a table.

    Args:
        word: The exercise, such as "first_model".
        whole_kit: Use all that the learner wrote, not just this exercise's part over our everything else.
        device: Where to run it, such as "cuda"; by default on every device there is.

    Raises:
        WorkspaceError: There is no such exercise or device, or nothing was started here.
    """
    try:
        return workspace.location().check(word, whole_kit, device)
    except LookupError as error:
        raise WorkspaceError(str(error)) from None


def kit_cell(line: str, cell: str) -> None:
    """`%%kit metrics`: make this cell's definitions the learner's part of `mykit/metrics.py`.

    A definition takes the place of the one of the same name; the rest of the file stays. From then on `kit.`
    means the new code, and variables that the old code made are named.

    Raises:
        WorkspaceError: There is no such module.
        KitError: The cell is no Python (nothing is written), or what it defines cannot be put together.
    """
    module = line.strip().removesuffix(".py")
    if not module:
        raise WorkspaceError("Say which module the cell belongs to, for instance `%%kit metrics`.")
    space = workspace.current()
    put = space.put(module, cell, lines_before=1)
    for sentence in _what_was_put(put, space.folder):
        print(sentence)
    _files.note_use()
    _begin_anew(space.kit)
    _files.catch_up()
    if _files.in_use:
        # Where nothing was imported yet, the first cell of a notebook answers at once.
        _import_aloud(f"{NAME}.{module}")


def _what_was_put(put: workspace.Put, folder: Path) -> list[str]:
    written = [name for name in put.names if name not in put.unwritten]
    where = put.file.relative_to(folder).as_posix()
    said = (
        [f"{where}: {_listed(written)} {'is' if len(written) == 1 else 'are'} now yours."] if written else []
    )
    if put.unwritten:
        said.append(f"{where}: {_listed(put.unwritten)} still to be written; until then ours stands in.")
    if not put.names:
        said.append(f"{where}: nothing is defined in this cell.")
    for text in put.left_out:
        said.append(
            f"Left out, as it defines nothing: `{text.splitlines()[0]}`. Try things in a cell of their own."
        )
    if put.copy:
        said.append(f"The file as it was is kept in {put.copy.relative_to(folder).as_posix()}.")
    return said


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _begin_anew(folder: Path) -> None:
    """Let `mykit` mean the files as they are now, and name the variables that are older."""
    old = made_by_a_kit(_shell().user_ns) if _shell() else {}
    if kit.folder_of(NAME) == folder:
        kit.drop(NAME)
    else:
        kit.install(NAME, folder)
    if old:
        names = _listed([f"{name} ({kind})" for name, kind in old.items()])
        print(f"Made by the old code: {names}. Run the cells that made them again.")


def _import_aloud(name: str) -> None:
    """Import a module of the kit, and print what it warns of as plain sentences."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", KitWarning)
        importlib.import_module(name)
    for warning in caught:
        if issubclass(warning.category, KitWarning):
            print(warning.message)
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def made_by_a_kit(variables: Mapping[str, Any]) -> dict[str, str]:
    """The variables whose type, or who themselves, come from the learner's kit: name to what they are.

    >>> accuracy = FunctionType(made_by_a_kit.__code__, {"__name__": "mykit.metrics"}, "accuracy")
    >>> made_by_a_kit({"score": accuracy, "kit": kit, "rate": 0.1})
    {'score': 'accuracy'}
    """
    found = {}
    for name, value in variables.items():
        itself = isinstance(value, (type, FunctionType, MethodType, ModuleType))
        what = value if itself else type(value)
        home = what.__name__ if isinstance(value, ModuleType) else what.__module__
        if str(home).startswith(f"{NAME}.") and not name.startswith("_"):
            found[name] = what.__name__
    return found


class _FileWatch:
    """Notices, before a cell runs, that a file of the kit was edited since the cell before."""

    def __init__(self) -> None:
        self.seen: dict[Path, int] = {}
        self.in_use = False

    def note_use(self) -> None:
        """Whether anything of the kit, or what it needs, was ever loaded."""
        loaded = any(name == "torch" or name.startswith(f"{NAME}.") for name in sys.modules)
        self.in_use = self.in_use or loaded

    def begin(self, result: Any = None) -> None:
        """After a cell: from now on there is something to compare with."""
        self.seen = self.seen or self._times()

    def look(self, info: Any = None) -> None:
        """Before a cell: let `mykit` mean the new files."""
        now = self._times()
        changed = sorted(file.name for file in {**self.seen, **now} if self.seen.get(file) != now.get(file))
        folder = kit.folder_of(NAME)
        self.note_use()
        if folder and self.seen and changed and self.in_use:
            print(f"Edited since the last cell: {_listed(changed)}. {NAME} is put together anew.")
            _begin_anew(folder)
        self.seen = now

    def catch_up(self) -> None:
        """What was written just now is known."""
        self.seen = self._times()

    def _times(self) -> dict[Path, int]:
        folder = kit.folder_of(NAME)
        return {file: file.stat().st_mtime_ns for file in folder.rglob("*.py")} if folder else {}


_files = _FileWatch()


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext coursekit.notebook` calls; doing it twice is no harm."""
    if shell.magics_manager.magics["cell"].get("kit") is kit_cell:
        return
    shell.register_magic_function(kit_cell, "cell", "kit")
    shell.user_ns.setdefault("check", check)
    shell.events.register("pre_run_cell", _files.look)
    shell.events.register("post_run_cell", _files.begin)
    shell.set_custom_exc(_ERRORS, _show_sentence)
    # Now `import mykit` works in any folder, and means our library until something is written.
    space = workspace.location()
    if str(space.folder) not in sys.path:
        sys.path.insert(0, str(space.folder))
    if kit.folder_of(NAME) != space.kit:
        kit.install(NAME, space.kit)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext coursekit.notebook` calls; the kit itself stays importable."""
    shell.magics_manager.magics["cell"].pop("kit", None)
    shell.events.unregister("pre_run_cell", _files.look)
    shell.events.unregister("post_run_cell", _files.begin)
    shell.set_custom_exc((), None)


def _show_sentence(
    shell: Any, kind: type, error: BaseException, trace: Any, tb_offset: Any = None
) -> list[str]:
    """Show one of our errors as the sentence it is, without our own lines above it."""
    said = [f"{kind.__name__}: {error}"]
    shell._showtraceback(kind, error, said)
    return said


def _shell() -> Any:
    """The running IPython, if there is one; nothing is imported for it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


if _shell():
    load_ipython_extension(_shell())
