"""The learner's folder: found again, never overwritten without a copy."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest

from coursekit import workspace
from coursekit.kit import KitError
from coursekit.progress import WorkspaceError
from coursekit.workspace import MARK, Workspace, current, location

NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace that is the folder we are in."""
    monkeypatch.delenv("COURSEKIT_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path).make()


# Where it is ----------------------------------------------------------------------------------------------


def test_it_is_found_from_any_folder_below(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    below = space.folder / "lessons" / "deeper"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    assert location() == space


def test_a_setting_comes_first(space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COURSEKIT_WORKSPACE", str(tmp_path / "elsewhere"))

    assert current().folder == tmp_path / "elsewhere"
    assert (tmp_path / "elsewhere" / "mykit" / "__init__.py").is_file()


def test_in_a_checkout_it_is_the_folder_that_git_ignores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("COURSEKIT_WORKSPACE", raising=False)
    (tmp_path / "coursekit").mkdir()
    (tmp_path / "coursekit" / "kit.py").touch()
    (tmp_path / "lessons").mkdir()
    monkeypatch.chdir(tmp_path / "lessons")

    assert current().folder == tmp_path / "workspace"
    assert location() == current()


def test_checking_where_nothing_was_started(tmp_path: Path):
    with pytest.raises(WorkspaceError) as caught:
        Workspace(tmp_path).check("first_model")
    assert str(caught.value) == f"{tmp_path} is no workspace yet: `coursekit start first_model` makes one."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ("gpu", "There is no kind of device called 'gpu'; say cpu, cuda or mps."),
        ("cuda:1", "No cuda device is seen here, so nothing can be checked on cuda:1."),
    ],
)
def test_a_device_that_is_not_there(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, device: str, sentence: str
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)

    with pytest.raises(WorkspaceError) as caught:
        space.check("first_model", device=device)
    assert str(caught.value) == f"{sentence} Without the choice of a device a check uses every one there is."


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(
        WorkspaceError, match=r"file/\.coursekit cannot be written: .*COURSEKIT_WORKSPACE=FOLDER"
    ):
        Workspace(tmp_path / "file").make()


# The kit --------------------------------------------------------------------------------------------------


def test_definitions_are_put_into_the_kit_by_name(space: Workspace):
    space.put("splits", "HALF = 0.5\n\ndef group_split(groups): return 1\n")
    put = space.put("splits", "# Better.\ndef group_split(groups): return 2\n\nprint('tried')\n")

    text = space.kit_file("splits").read_text()
    assert text == "HALF = 0.5\n\n\n# Better.\ndef group_split(groups): return 2\n"
    assert (put.names, put.unwritten, put.left_out) == (["group_split"], [], ["print('tried')"])
    assert put.copy is not None
    assert put.copy.read_text() == "HALF = 0.5\n\n\ndef group_split(groups): return 1\n"
    assert put.copy.relative_to(space.folder).as_posix().startswith("copies/mykit/splits.2")


def test_no_copy_is_kept_where_nothing_is_lost(space: Workspace):
    starter = "def group_split(groups):\n    raise NotImplementedError('Write it.')\n"
    assert space.put("splits", starter).unwritten == ["group_split"]
    assert space.put("splits", "def group_split(groups): return 1\n").copy is None
    assert space.put("splits", "def group_split(groups): return 1\n").copy is None
    assert space.put("splits", "def random_split(count): return 1\n").copy is None


def test_copies_of_one_second_are_all_kept(space: Workspace):
    for number in range(4):
        space.put("splits", f"def group_split(groups): return {number}\n")

    kept = sorted(file.read_text() for file in (space.folder / "copies" / "mykit").iterdir())
    assert kept == [f"def group_split(groups): return {number}\n" for number in range(3)]


def test_a_text_that_is_no_python_changes_nothing(space: Workspace):
    space.put("splits", "def group_split(groups): return 1\n")

    with pytest.raises(KitError) as caught:
        space.put("splits", "\ndef group_split(groups) return 2\n", lines_before=1)
    assert str(caught.value) == (
        "the cell, line 3, `def group_split(groups) return 2`, cannot be read as Python: expected ':'. "
        "Nothing was written."
    )
    assert space.kit_file("splits").read_text() == "def group_split(groups): return 1\n"


def test_a_file_that_is_no_python_is_not_written_over(space: Workspace):
    space.kit_file("splits").write_text("def group_split(:\n")

    with pytest.raises(KitError) as caught:
        space.put("splits", "def group_split(groups): return 1\n")
    assert str(caught.value) == (
        "mykit/splits.py, line 1, `def group_split(:`, cannot be read as Python: invalid syntax. "
        "Mend it first: nothing was written."
    )
    assert space.kit_file("splits").read_text() == "def group_split(:\n"


def test_an_unknown_module(space: Workspace):
    with pytest.raises(WorkspaceError, match=r"^coursekit has no module 'metrix'; did you mean metrics\?$"):
        space.put("metrix", "def accuracy(): ...\n")


def test_an_init_of_their_own_is_kept_as_a_copy(space: Workspace):
    root = space.kit / "__init__.py"
    root.write_text("print('mine')\n")
    space.make()

    assert "coursekit.kit" in root.read_text()
    assert [file.read_text() for file in (space.folder / "copies" / "mykit").iterdir()] == ["print('mine')\n"]


# Notebooks ------------------------------------------------------------------------------------------------


def test_a_notebook_is_placed_once(space: Workspace):
    file = workspace.place(NOTEBOOK, "lessons/first_model.ipynb")
    file.write_text("hours of work")

    assert space.place(NOTEBOOK, "lessons/first_model.ipynb") == file
    assert file.read_text() == "hours of work"


def test_a_fresh_notebook_keeps_the_one_that_was_there(space: Workspace):
    file = space.place(NOTEBOOK, "exercises/first_model.ipynb")
    file.write_text("hours of work")
    space.place(NOTEBOOK, "exercises/first_model.ipynb", again=True)

    assert json.loads(file.read_text()) == NOTEBOOK
    (copy,) = (space.folder / "copies" / "exercises").iterdir()
    assert copy.read_text() == "hours of work"
    assert copy.suffix == ".ipynb"


def test_a_notebook_file_can_be_placed(space: Workspace, tmp_path: Path):
    source = tmp_path / "made.ipynb"
    source.write_text(json.dumps(NOTEBOOK))

    assert json.loads(space.place(source, "lessons/made.ipynb").read_text()) == NOTEBOOK


def test_a_lesson_is_copied_once(space: Workspace):
    file = workspace.lesson_copy("first_model")
    nbformat.validate(nbformat.read(file, as_version=4))
    file.write_text("hours of work")

    assert file == space.folder / "lessons" / "first_model.ipynb"
    assert workspace.lesson_copy("first_model").read_text() == "hours of work"


def test_a_lesson_without_the_notebook_extra(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "jupytext", None)

    with pytest.raises(WorkspaceError) as caught:
        space.lesson_copy("first_model")
    assert str(caught.value) == (
        "A lesson becomes a notebook with the help of jupytext, which is not installed; "
        "it belongs to the extra `notebook`: pip install jupytext"
    )


# Exercises ------------------------------------------------------------------------------------------------


def test_starting_an_exercise_makes_its_notebook_and_its_starters(space: Workspace):
    notebook = nbformat.read(workspace.start("first_model"), as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    stubs = [source for source in code if source.startswith("%%kit ")]

    assert notebook.cells[0].source.startswith("# ")
    assert [source.split()[1] for source in stubs] == ["metrics", "metrics", "splits"]
    assert all("raise NotImplementedError" in source for source in stubs)
    assert code.count('check("first_model")') == len(stubs)
    assert "def accuracy" in space.kit_file("metrics").read_text()
    assert space.progress.of("first_model").keys() == {"started"}


def test_starting_again_keeps_what_the_learner_wrote(space: Workspace):
    notebook = workspace.start("first_model")
    notebook.write_text("hours of work")
    space.kit_file("metrics").write_text("def accuracy(p, t): return 'mine'\n")
    workspace.start("first_model")

    assert notebook.read_text() == "hours of work"
    text = space.kit_file("metrics").read_text()
    assert "'mine'" in text
    assert text.count("def accuracy") == text.count("def error_rate") == 1


def test_an_unknown_exercise_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("COURSEKIT_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(LookupError, match=r"no exercise 'frist_model'\. Did you mean 'first_model'"):
        workspace.start("frist_model")
    assert list(tmp_path.iterdir()) == []


def test_the_kernel_of_a_workspace_knows_the_kit(space: Workspace):
    kernel = json.loads((space.jupyter_path() / "kernels" / "python3" / "kernel.json").read_text())

    assert "--ext=coursekit.notebook" in kernel["argv"]
    assert kernel["env"]["PYTHONPATH"].startswith(str(space.folder))
    assert (space.folder / MARK).is_dir()
