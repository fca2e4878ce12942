"""Lesson 1 in the other ways it can be run: on a learner's library, and as the notebook people download.

The book's build executes it at full size, on ours. Here the photos are shrunk and training is short, so that
the ways are tried and not the model; `make soak` does both at full size.
"""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from bare import Machine

from coursekit.grader.exercises import load
from coursekit.grader.mistakes import as_files
from coursekit.lessons import lesson_notebook

ROOT = Path(__file__).parent.parent
SMALLER = {
    "kit.Resize(160)": "kit.Resize(48)",
    "learner.fit_one_cycle(2": "learner.fit_one_cycle(1",
    "larger.fine_tune(epochs)": "larger.fine_tune(epochs, frozen_epochs=0, groups=1)",
    "if torch.cuda.is_available() else (32, 1)": "if False else (16, 1)",
    "isin(new_blocks)].copy()": "isin(new_blocks)].head(20).copy()",
}
PARTS = {
    "metrics": """
        def accuracy(predictions, targets):
            '''How often the largest score is at the right place.'''
            right = predictions.max(dim=1).indices.eq(targets)
            return right.sum() / len(targets)


        def error_rate(predictions, targets):
            '''How often it is not.'''
            return 1 - accuracy(predictions, targets)
        """,
    "splits": """
        import random


        def group_split(groups, valid=0.2, seed=0):
            '''Shuffle the names of the groups, and hold the first ones out.'''
            names = sorted(set(groups))
            random.Random(seed).shuffle(names)
            held_out = names[: round(valid * len(names))]
            sides = [], []
            for item, group in enumerate(groups):
                sides[group in held_out].append(item)
            return sides
        """,
}


def test_what_the_page_says_of_its_table_is_what_was_measured() -> None:
    """In "Why some cells were held out" and "Is that good?"; measured by `benchmarks/first_model.py`."""
    results = json.loads((ROOT / "benchmarks" / "results" / "first_model.json").read_text(encoding="utf-8"))
    constant, brightness, lesson, careless = (row["accuracy"] for row in results["rows"])
    found = [row["recall"] for row in results["rows"]]

    assert min(careless) > max(lesson)
    assert sorted(ours > simple for ours, simple in zip(lesson, brightness, strict=True)) == [
        False,
        True,
        True,
    ]
    assert sum(lesson) > sum(brightness) > sum(constant)
    third = lesson.index(min(lesson))
    assert lesson[third] < brightness[third]
    assert found[2][third] > found[1][third]
    assert lesson[third] == constant[third]
    assert 0.7 < found[2][third] < 0.75
    assert max(found[2]) > min(found[3])
    assert found[0] == [0, 0, 0]


def edited(notebook: dict, edits: dict[str, str]) -> dict:
    """The notebook with pieces of its code replaced, each of which has to be there."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for old, new in edits.items():
        assert any(old in cell["source"] for cell in code), f"lesson 1 no longer says {old}"
        for cell in code:
            cell["source"] = cell["source"].replace(old, new)
    return notebook


def run(cells: list[dict], folder: Path, kernel: str = "python3") -> list[Any]:
    """Execute cells in a fresh kernel that starts in this folder; an error in a cell is an error here."""
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook, timeout=1200, kernel_name=kernel, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    return notebook.cells


def run_on(machine: Machine, notebook: dict, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Execute a notebook where there is nothing but what its first cell installs."""
    for name, value in machine.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    ask = code("import coursekit\nprint(coursekit.__file__)")

    *cells, answer = run([*map(nbformat.from_dict, notebook["cells"]), ask], folder, "bare")

    assert printed(answer).startswith(str(machine.folder))
    assert "%pip install" in cells[0]["source"]
    return cells


def code(source: str) -> dict:
    head, _, rest = source.partition("\n")
    return nbformat.v4.new_code_cell(f"{head}\n{textwrap.dedent(rest).strip()}".strip())


def printed(cell: Any) -> str:
    outputs = cell["outputs"]
    return "".join(output.get("text", "") + output.get("data", {}).get("text/html", "") for output in outputs)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which a kernel finds our library, and nothing of the home of whoever runs this."""
    monkeypatch.delenv("COURSEKIT_WORKSPACE", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    return tmp_path


sizes = pytest.mark.parametrize(
    "edits", [SMALLER, pytest.param({}, marks=pytest.mark.soak)], ids=["small", "full"]
)


@sizes
def test_the_notebook_that_people_download_runs_from_top_to_bottom(
    folder: Path, edits: dict, bare_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = edited(lesson_notebook("first_model", bare_machine.release), edits)

    cells = run_on(bare_machine, notebook, folder, monkeypatch)

    assert any("recall of broken" in printed(cell) for cell in cells if cell["cell_type"] == "code")


@sizes
def test_the_lesson_runs_on_a_learners_library(folder: Path, edits: dict) -> None:
    lesson = edited(
        lesson_notebook("first_model"), {**edits, "import coursekit as kit": "import mykit as kit"}
    )
    loop = as_files(load("learner").right[0].replace)
    parts = [code(f"%%kit {module}\n{text}") for module, text in {**PARTS, **loop}.items()]
    ask = code(
        """
        import inspect
        print(inspect.getsourcefile(kit.accuracy), inspect.getsourcefile(kit.group_split))
        print(type(learner).__module__, learner.metrics.metrics[0].function is kit.accuracy)
        parts = learner.run, learner.step, learner.metrics.after_batch
        print(*map(inspect.getsourcefile, parts))
        """
    )

    cells = run(
        [code("%load_ext coursekit.notebook"), *parts, *map(nbformat.from_dict, lesson["cells"]), ask], folder
    )

    theirs, trained, driven = printed(cells[-1]).splitlines()
    assert theirs == f"{folder / 'mykit' / 'metrics.py'} {folder / 'mykit' / 'splits.py'}"
    assert trained == "mykit.learner True"
    assert driven.split() == [str(folder / "mykit" / f"{name}.py") for name in ("loop", "loop", "callbacks")]
