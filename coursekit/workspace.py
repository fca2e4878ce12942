"""The learner's folder: their kit and their notebooks.

One folder holds all that is theirs, and nothing in it is overwritten without a dated copy:

    mykit/        what they wrote, a file for each module of ours they take part in
    exercises/    a notebook for each exercise they started
    lessons/      their copies of lessons
    copies/       what stood there before, and what was handed in
    .coursekit/   marks the folder; holds their progress

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     put = Workspace(Path(folder)).put("splits", "def group_split(groups, valid, seed): return [0], [1]")
>>> put.names
['group_split']
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import definitions, kit
from .definitions import Unreadable
from .progress import Progress, WorkspaceError, trying, write_whole

if TYPE_CHECKING:
    from .grader.report import Report

MARK = ".coursekit"

_ROOT = '''\
"""My own deep-learning library: what I wrote here stands in for coursekit's definitions of the same name.

Made by coursekit, which puts the two together; there is nothing to write in this file.
"""

from coursekit.kit import install

install(__name__, __path__[0])
'''


@dataclass(frozen=True)
class Put:
    """What `Workspace.put` did.

    Attributes:
        file: Where the definitions are now.
        names: What was put there, without imports.
        unwritten: Those of them that are still starters.
        left_out: Lines that define nothing, which stay out of the kit.
        copy: The file as it was, when something the learner wrote was replaced.
    """

    file: Path
    names: list[str]
    unwritten: list[str]
    left_out: list[str]
    copy: Path | None


@dataclass(frozen=True)
class Packed:
    """What `Workspace.submit` did.

    Attributes:
        file: The zip to hand in.
        copy: A dated copy of it.
        names: The files of the kit that are in it, such as "metrics.py".
        left_out: Python files in the kit's folder that stand in for no module of ours.
        report: What the check said just before.
    """

    file: Path
    copy: Path | None
    names: list[str]
    left_out: list[str]
    report: Report


def location() -> Workspace:
    """Where the workspace is, or would be.

    What `COURSEKIT_WORKSPACE` names; else the nearest marked folder, from here upwards; else this folder. In
    a checkout of coursekit it is `workspace/`, which git ignores.
    """
    if named := os.environ.get("COURSEKIT_WORKSPACE"):
        return Workspace(Path(named).expanduser().absolute())
    above = [Path.cwd(), *Path.cwd().parents]
    inside = [folder / "workspace" for folder in above if (folder / "coursekit/kit.py").exists()]
    marked = [folder for folder in [*above, *inside] if (folder / MARK).is_dir()]
    return Workspace([*marked, *inside, Path.cwd()][0])


def current() -> Workspace:
    """The workspace we are in, made if there is none yet; see `location`.

    Raises:
        WorkspaceError: It cannot be made.
    """
    return location().make()


def start(word: str, again: bool = False) -> Path:
    """Start an exercise in the current workspace; see `Workspace.start`."""
    return location().start(word, again)


def lesson_copy(word: str) -> Path:
    """The learner's own copy of a lesson in the current workspace, made once; see `Workspace.lesson_copy`."""
    return location().lesson_copy(word)


def place(notebook: dict[str, Any] | Path, name: str, again: bool = False) -> Path:
    """Put a notebook into the current workspace, once; see `Workspace.place`."""
    return location().place(notebook, name, again)


@dataclass(frozen=True)
class Workspace:
    """A learner's folder; `current()` finds it.

    Args:
        folder: Where it is.
    """

    folder: Path

    @property
    def kit(self) -> Path:
        """The folder of the learner's package."""
        return self.folder / kit.NAME

    def kit_file(self, module: str) -> Path:
        """Where the learner's part of a module stands, or would."""
        return self.kit.joinpath(*module.split(".")).with_suffix(".py")

    @property
    def progress(self) -> Progress:
        """How far the learner has come."""
        return Progress(self.folder)

    def make(self) -> Workspace:
        """Make what is missing: the folders, and the kit's `__init__.py`."""
        for folder in (self.folder / MARK, self.kit):
            make_folder(folder)
        root = self.kit / "__init__.py"
        if not root.exists() or root.read_bytes() != _ROOT.encode():
            self.keep(root)
            write_whole(root, _ROOT)
        return self

    def keep(self, file: Path) -> Path | None:
        """Keep a dated copy of a file, below `copies/`; nothing if there is no such file."""
        if not file.exists():
            return None
        near = self.folder / "copies" / file.relative_to(self.folder).parent
        make_folder(near)
        copy, number = near / f"{file.stem}.{datetime.now():%Y-%m-%d_%H-%M-%S}{file.suffix}", 1
        while copy.exists():
            number += 1
            copy = copy.with_name(f"{copy.stem.partition('~')[0]}~{number}{file.suffix}")
        trying(copy, lambda: shutil.copy2(file, copy))
        return copy

    def put(self, module: str, text: str, name: str = "the cell", lines_before: int = 0) -> Put:
        """Put the definitions of a text into the learner's file of a module, by name.

        Everything else in the file stays as it is. If one of the two cannot be read, nothing is written. When
        something the learner wrote is replaced, a dated copy of the file is kept.

        Args:
            module: A module of coursekit, such as "metrics".
            text: Python source.
            name: What to call the text in a message.
            lines_before: How many lines stand above it there.

        Raises:
            KitError: The text or the file is no Python.
            WorkspaceError: There is no such module, or the file cannot be written.
        """
        if module not in kit.modules():
            raise WorkspaceError(f"coursekit has no module {module!r}; {kit.nearest_module(module)}")
        file = self.kit_file(module)
        old = kit.text_of(file) if file.exists() else ""
        try:
            came = definitions.read(text)
        except Unreadable as error:
            raise kit.KitError(f"{error.sentence(name, lines_before)} Nothing was written.") from None
        try:
            there = definitions.read(old)
            new, left_out = definitions.merge(old, text)
        except Unreadable as error:
            sentence = error.sentence(f"{self.kit.name}/{file.name}")
            raise kit.KitError(f"{sentence} Mend it first: nothing was written.") from None
        names = list(dict.fromkeys(key for s in came if not s.is_import for key in s.keys))
        unwritten = [name for s in came if not definitions.is_written(s.node) for name in s.keys]
        lost = any(set(s.keys) & set(names) and definitions.is_written(s.node) for s in there)
        copy = self._write(file, new, lost and new != old)
        return Put(file, names, unwritten, left_out, copy)

    def _write(self, file: Path, text: str, with_copy: bool) -> Path | None:
        self.make()
        make_folder(file.parent)
        copy = self.keep(file) if with_copy else None
        write_whole(file, text)
        return copy

    def place(self, notebook: dict[str, Any] | Path, name: str, again: bool = False) -> Path:
        """Put a notebook into the workspace, once: one that is there is the learner's, and stays.

        Args:
            notebook: In the form of nbformat 4, or a file to copy.
            name: Where, such as "lessons/first_model.ipynb".
            again: Put a fresh one there, and keep the one that was there as a dated copy.

        Returns:
            Where it is.

        Raises:
            WorkspaceError: It cannot be written.
        """
        file = self.make().folder / name
        if file.exists() and not again:
            return file
        source = notebook if isinstance(notebook, dict) else json.loads(notebook.read_text(encoding="utf-8"))
        self._write(file, json.dumps(source, indent=1, ensure_ascii=False) + "\n", with_copy=True)
        return file

    def lesson_copy(self, word: str) -> Path:
        """The learner's own copy of a lesson, as a notebook, made once.

        Raises:
            LookupError: There is no such lesson; the message names the nearest.
            WorkspaceError: It cannot be written, or what makes notebooks is not installed.
        """
        from .lessons import lesson_notebook

        file = self.folder / "lessons" / f"{word}.ipynb"
        if file.exists():
            return file
        try:
            notebook = lesson_notebook(word)
        except ModuleNotFoundError as error:
            raise WorkspaceError(
                f"A lesson becomes a notebook with the help of {error.name}, which is not installed; "
                f"it belongs to the extra `notebook`: pip install {error.name}"
            ) from None
        return self.place(notebook, f"lessons/{word}.ipynb")

    def start(self, word: str, again: bool = False) -> Path:
        """Start an exercise: its notebook, and a starter in the kit for each definition that is not there.

        Args:
            word: The exercise.
            again: Make a fresh notebook; the one that was there is kept as a dated copy. The kit stays.

        Returns:
            The notebook.

        Raises:
            LookupError: There is no such exercise; the message names the nearest.
        """
        from .grader.exercises import load
        from .grader.starter import starter

        exercise, starters = load(word), starter(word)
        for module, text in starters.items():
            self._begin(module, text)
        notebook = self.place(exercise_notebook(exercise, starters), f"exercises/{word}.ipynb", again)
        self.progress.note(word)
        return notebook

    def _begin(self, module: str, text: str) -> None:
        """Put a starter into the kit, except for what is there already."""
        file = self.kit_file(module)
        if not file.exists():
            self._write(file, text, with_copy=False)
            return
        there = self._pieces(file)
        for name, source in definitions.pieces(text).items():
            if name not in there:
                self.put(module, source)

    def _pieces(self, file: Path) -> dict[str, str]:
        try:
            return definitions.pieces(kit.text_of(file))
        except Unreadable as error:
            raise kit.KitError(f"{error.sentence(f'{self.kit.name}/{file.name}')} Mend it first.") from None

    def check(self, word: str, whole_kit: bool = False, device: str | None = None) -> Report:
        """Check the learner's answer to an exercise, and note what came of it.

        Args:
            word: The exercise.
            whole_kit: Use all that the learner wrote, not just this exercise's part over our everything else.
            device: Where to run it, such as "cuda"; by default on every device there is.

        Raises:
            LookupError: There is no such exercise; the message names the nearest.
            WorkspaceError: Nothing was started here, there is no such device, or no process can be started.
        """
        from .grader import checking, exercises, process

        exercises.load(word)
        if not (self.folder / MARK).is_dir():
            raise WorkspaceError(f"{self.folder} is no workspace yet: `coursekit start {word}` makes one.")
        if device:
            _refuse_missing(device)
        try:
            report = checking.check(word, self.kit, whole_kit=whole_kit, device=device)
        except process.CannotStart as error:
            raise WorkspaceError(str(error)) from None
        checks = {result.name: result.passed for result in report.results}
        self.progress.note(word, passed=report.passed, points=report.points, of=report.of, checks=checks)
        return report

    def submit(self, word: str) -> Packed:
        """Check an exercise once more, and pack the whole kit into one zip to hand in, passed or not.

        Raises:
            LookupError: There is no such exercise; the message names the nearest.
            KitError: A file of the kit cannot be read, here or by a grader.
            WorkspaceError: Nothing was written yet, or the zip cannot be written.
        """
        from .classroom.packing import kit_files, packed_kit

        report = self.check(word)
        names, left_out = kit_files(self.kit)
        if not names:
            raise WorkspaceError(report.problem or f"There is nothing in {self.kit} to hand in yet.")
        checked = {word: {"points": report.points, "of": report.of}}
        file = self.folder / f"{word}.zip"
        write_whole(file, packed_kit(self.kit, [word], checked, datetime.now().astimezone()))
        return Packed(file, self.keep(file), names, left_out, report)

    def jupyter_path(self) -> Path:
        """A folder for `JUPYTER_PATH`: its Python kernel knows `%%kit`, `check` and the learner's kit.

        Raises:
            WorkspaceError: It cannot be written.
        """
        command = [
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--ext=coursekit.notebook",
        ]
        path = os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))
        kernel = {
            "argv": command,
            "display_name": "Python 3 (coursekit)",
            "language": "python",
            "env": {"PYTHONPATH": path, "COURSEKIT_WORKSPACE": str(self.folder)},
            "metadata": {"debugger": True},
        }
        folder = self.make().folder / MARK / "jupyter"
        make_folder(folder / "kernels" / "python3")
        write_whole(folder / "kernels" / "python3" / "kernel.json", json.dumps(kernel, indent=1) + "\n")
        return folder


def _refuse_missing(device: str) -> None:
    """Say in one sentence that a device is not there; torch is loaded to find out."""
    kind, torch = device.partition(":")[0], importlib.import_module("torch")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    without = "Without the choice of a device a check uses every one there is."
    if kind not in there:
        raise WorkspaceError(f"There is no kind of device called {kind!r}; say cpu, cuda or mps. {without}")
    if not there[kind]:
        raise WorkspaceError(
            f"No {kind} device is seen here, so nothing can be checked on {device}. {without}"
        )


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing."""
    trying(folder, lambda: folder.mkdir(parents=True, exist_ok=True))


def exercise_notebook(exercise: Any, starters: dict[str, str]) -> dict[str, Any]:
    """The notebook of an exercise: the task, then for each definition a cell to write and one to check.

    Args:
        exercise: As `grader.exercises.load` gives it.
        starters: For each module, the definitions with their bodies cut out.
    """
    cells = [
        ("markdown", exercise.task),
        ("code", "from coursekit.notebook import check  # this also makes %%kit known\nimport mykit as kit"),
    ]
    for module, text in starters.items():
        for name, source in definitions.pieces(text).items():
            about = exercise.yours.get(f"{module}.{name}", "")
            cells.append(("markdown", f"**`{name}`**: {about}" if about else f"**`{name}`**"))
            cells += [("code", f"%%kit {module}\n\n{source}"), ("code", f'check("{exercise.word}")')]
    made = []
    for number, (kind, source) in enumerate(cells):
        cell = {"cell_type": kind, "id": f"{exercise.word[:50]}-{number}", "metadata": {}, "source": source}
        made.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
