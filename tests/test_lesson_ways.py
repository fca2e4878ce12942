"""Lessons in their other ways: as the notebook people download, on a machine that has nothing else, and on a
kit that somebody else wrote.

The book's build executes each once, on our library. Here two of them, another two with each commit, run in
both other ways; `make soak` runs all. Lesson 1 has tests of its own, in `test_first_model`.
"""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bare import Machine
from test_first_model import ROOT, code, edited, folder, printed, run, run_on

from coursekit.grader.exercises import load, words
from coursekit.grader.mistakes import as_files
from coursekit.lessons import lesson_notebook

__all__ = ["folder"]  # the fixture

LESSONS = sorted(path.stem for path in (ROOT / "lessons").glob("*.md") if path.stem != "first_model")


def chosen() -> list[str]:
    """Two lessons, other ones with another commit."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    return random.Random(commit).sample(LESSONS, min(2, len(LESSONS)))


def others_parts() -> dict[str, str]:
    """A kit in which everything that an exercise asks for is written in another way than ours."""
    replace: dict[str, str] = {}
    for word in words():
        for right in load(word).right[:1]:
            replace |= right.replace
    return as_files(replace)


two_or_all = pytest.mark.parametrize(
    "word", [pytest.param(word, marks=[] if word in chosen() else pytest.mark.soak) for word in LESSONS]
)


@two_or_all
def test_the_notebook_that_people_download_runs_from_top_to_bottom(
    folder: Path, word: str, bare_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = run_on(bare_machine, lesson_notebook(word, bare_machine.release), folder, monkeypatch)

    assert [cell for cell in cells if cell["cell_type"] == "code"]


@two_or_all
def test_a_lesson_runs_on_a_kit_that_somebody_else_wrote(folder: Path, word: str) -> None:
    lesson: Any = edited(lesson_notebook(word), {"import coursekit as kit": "import mykit as kit"})
    parts = [code(f"%%kit {module}\n{text}") for module, text in others_parts().items()]
    ask = code(
        """
        import inspect
        print(inspect.getsourcefile(kit.accuracy))
        """
    )

    cells = run(
        [code("%load_ext coursekit.notebook"), *parts, *map(nbformat.from_dict, lesson["cells"]), ask], folder
    )

    assert printed(cells[-1]).strip() == str(folder / "mykit" / "metrics.py")
