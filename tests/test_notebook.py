"""`%%kit` and `check` in a real kernel: what a learner types is what runs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import nbclient
import nbformat
import pytest

import coursekit
from coursekit import workspace
from coursekit.workspace import Workspace

ROOT = str(Path(coursekit.__file__).parents[1])
BEGIN = "%load_ext coursekit.notebook\nimport mykit as kit"
OURS = str(coursekit.random_split(2))
FIRST = "%%kit splits\ndef group_split(groups, valid=0.2, seed=0):\n    return ['mine'], [len(list(groups))]"


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The folder in which the kernels start; not a workspace yet."""
    monkeypatch.delenv("COURSEKIT_WORKSPACE", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")])))
    # A kernel reads and writes its settings and history here, not in the home of whoever runs the tests.
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path)


def execute(space: Workspace, *cells: str) -> list[str]:
    """Run cells in one fresh kernel, and give what stands under each: text, results, errors."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(textwrap.dedent(cell)) for cell in cells]
    )
    resources = {"metadata": {"path": str(space.folder)}}
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", allow_errors=True, resources=resources
    )
    client.execute()
    return [shown(cell) for cell in notebook.cells]


def shown(cell: nbformat.NotebookNode) -> str:
    """All that stands under a cell."""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {})
        answer = data.get("text/html", data.get("text/plain", ""))
        parts.append("".join(output.get("text", "")) + "\n".join(output.get("traceback", [])) + answer)
    return "\n".join(part.strip() for part in parts)


def test_a_cell_becomes_part_of_the_kit(space: Workspace):
    answers = execute(
        space,
        BEGIN,
        "split = kit.random_split\nbefore = kit.random_split(50)\nnumber = 3",
        FIRST,
        "kit.random_split(50), split is kit.random_split, kit is __import__('mykit')",
        "%%kit splits\ndef group_split(groups, valid=0.2, seed=0):\n    return [2], []\n\nprint(kit)",
        "kit.random_split(50)",
        "kit.random_split.__module__, kit.accuracy.__module__, kit.Learner.__module__",
    )

    assert answers[:2] == ["", ""]
    assert answers[2].splitlines() == [
        "mykit/splits.py: group_split is now yours.",
        "Made by the old code: split (random_split). Run the cells that made them again.",
    ]
    assert answers[3] == "((['mine'], [50]), False, True)"
    assert answers[4].splitlines()[:2] == [
        "mykit/splits.py: group_split is now yours.",
        "Left out, as it defines nothing: `print(kit)`. Try things in a cell of their own.",
    ]
    assert answers[4].splitlines()[2].startswith("The file as it was is kept in copies/mykit/splits.20")
    assert answers[5] == "([2], [])"
    assert answers[6] == "('mykit.splits', 'mykit.metrics', 'mykit.learner')"
    assert space.kit_file("splits").read_text().count("def group_split") == 1


def test_a_cell_that_cannot_be_read_changes_nothing(space: Workspace):
    answers = execute(
        space,
        BEGIN,
        FIRST,
        "%%kit splits\n\ndef group_split(groups) return 1",
        "%%kit splitz\ndef group_split(): ...",
        "%%kit\ndef group_split(): ...",
        "kit.splits.random_split(50)",
    )

    assert answers[2] == (
        "KitError: the cell, line 3, `def group_split(groups) return 1`, cannot be read as Python: "
        "expected ':'. Nothing was written."
    )
    assert answers[3] == "WorkspaceError: coursekit has no module 'splitz'; did you mean splits?"
    assert answers[4] == "WorkspaceError: Say which module the cell belongs to, for instance `%%kit metrics`."
    assert answers[5] == "(['mine'], [50])"


def test_an_error_while_the_kit_is_put_together_is_one_sentence(space: Workspace):
    answers = execute(
        space,
        BEGIN,
        "kit.splits",
        "%%kit splits\nTABLE = colour",
        "kit.splits.random_split(3)",
        "%%kit splits\nTABLE = 1\ndef group_splitt(): ...",
        "kit.splits.random_split(2)",
    )
    sentence = (
        "KitError: mykit/splits.py, line 1, `TABLE = colour`, raised NameError: name 'colour' is not defined"
    )

    assert answers[2].splitlines() == ["mykit/splits.py: TABLE is now yours.", sentence]
    assert answers[3] == sentence
    assert answers[4].splitlines()[-1] == (
        "mykit/splits.py, line 4, defines group_splitt, which our splits does not have; "
        "did you mean group_split?"
    )
    assert answers[5] == OURS


def test_a_starter_leaves_ours_in_place(space: Workspace):
    answers = execute(
        space,
        BEGIN,
        "%%kit splits\ndef group_split(groups):\n    raise NotImplementedError",
        "kit.splits.random_split(2)",
    )

    assert answers[1] == "mykit/splits.py: group_split still to be written; until then ours stands in."
    assert answers[2] == OURS


def test_editing_the_file_works_too(space: Workspace):
    answers = execute(
        space,
        BEGIN,
        FIRST,
        "split = kit.splits.random_split\nsplit(1)",
        "from pathlib import Path\nfile = Path('mykit/splits.py')\n"
        "size = file.write_text(file.read_text().replace('mine', 'edited'))",
        "kit.splits.random_split(1)",
        "kit.splits.random_split(1)",
    )

    assert [line for line in answers[4].splitlines() if line] == [
        "Edited since the last cell: splits.py. mykit is put together anew.",
        "Made by the old code: split (random_split). Run the cells that made them again.",
        "(['edited'], [1])",
    ]
    assert answers[5] == "(['edited'], [1])"


def test_a_kernel_that_knows_the_kit_from_the_start(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    """As `make learn` starts it: nothing to load, and any folder will do."""
    monkeypatch.setenv("JUPYTER_PATH", str(space.jupyter_path()))
    answers = execute(space, FIRST, "import mykit as kit\nkit.splits.random_split(4), check.__name__")

    assert answers == ["mykit/splits.py: group_split is now yours.", "((['mine'], [4]), 'check')"]


def test_loading_twice_is_no_harm(space: Workspace):
    answers = execute(
        space,
        "from coursekit.notebook import check",
        "%load_ext coursekit.notebook",
        "%reload_ext coursekit.notebook",
        FIRST,
        "%unload_ext coursekit.notebook",
        FIRST,
    )

    assert answers[:3] == ["", "", ""]
    assert answers[3] == "mykit/splits.py: group_split is now yours."
    assert "UsageError: Cell magic `%%kit` not found." in answers[5]


def test_an_exercise_from_start_to_points(space: Workspace):
    """The notebook as `coursekit start` writes it, then filled in."""
    notebook = nbformat.read(workspace.start("first_model"), as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    answers = execute(
        Workspace(space.folder / "exercises"),
        *code,
        "from coursekit.workspace import current\ncurrent().progress.of('first_model')['points']",
        """
        %%kit metrics
        def accuracy(predictions, targets):
            return (predictions.argmax(-1) == targets).float().mean()

        def error_rate(predictions, targets):
            return 1 - accuracy(predictions, targets)
        """,
        "report = check('first_model')\nreport.points, report.of",
        "check('frist_model')",
    )
    checks = [answer for source, answer in zip(code, answers, strict=False) if source.startswith("check(")]

    assert len(checks) == 3
    assert all("0 of" in answer for answer in checks)
    assert answers[-4] == "0"
    points, of = (int(number) for number in answers[-2].strip("()").split(","))
    assert 0 < points < of
    known = space.progress.of("first_model")
    assert (known["passed"], known["points"]) == (False, points)
    assert answers[-1] == "WorkspaceError: There is no exercise 'frist_model'. Did you mean 'first_model'?"


def test_the_extension_loads_nothing_heavy():
    heavy = {"torch", "numpy", "IPython", "typer"}
    code = f"import sys, coursekit.notebook; print(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert answer.stdout.strip() == "[]"
