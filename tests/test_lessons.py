"""Lessons as notebooks: valid, plain, the same code, and a cell that knows our package from another's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

from coursekit import lessons
from coursekit.lessons import Release, lesson_notebook, read_lesson, words

RELEASE = Release("https://example.org/coursekit-1-py3-none-any.whl", "0" * 64)


def sources(notebook: dict, kind: str) -> list[str]:
    return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("word", words())
@pytest.mark.parametrize("install", [None, RELEASE])
def test_a_notebook_is_valid_and_always_the_same(word: str, install: Release | None) -> None:
    notebook = lesson_notebook(word, install)

    nbformat.validate(nbformat.from_dict(notebook))
    assert lesson_notebook(word, install) == notebook


@pytest.mark.parametrize("word", words())
def test_its_code_is_the_lessons_code(word: str) -> None:
    lesson = jupytext.reads(read_lesson(word), fmt="md:myst")
    code = [cell.source for cell in lesson.cells if cell.cell_type == "code"]

    assert sources(lesson_notebook(word), "code") == code
    assert sources(lesson_notebook(word, RELEASE), "code")[2:] == code


@pytest.mark.parametrize("word", words())
def test_nothing_is_left_that_only_the_book_understands(word: str) -> None:
    text = "\n".join(sources(lesson_notebook(word), "markdown"))
    text = re.sub(r"```.*?```|``.*?``", "", text, flags=re.DOTALL)

    assert re.findall(r"\{[\w:-]+\}`|^:::|^```\{|^\(.+\)=$|^% |^\+\+\+|\[\^", text, re.MULTILINE) == []


@pytest.mark.parametrize("word", words())
def test_data_are_credited_in_the_notebook_too(word: str) -> None:
    figures = len(re.findall(r"^:?data:", read_lesson(word), re.MULTILINE))

    assert "\n".join(sources(lesson_notebook(word), "markdown")).count("Data: [") == figures


def test_the_first_cell_installs_one_file_by_its_checksum() -> None:
    first = sources(lesson_notebook("first_model", RELEASE), "code")[0]

    assert f'@ {RELEASE.address}#sha256={RELEASE.sha256}"' in first
    assert "pip install coursekit" not in first


def guard(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the cell that looks whose coursekit this is, in a Python that sees only `folder`."""
    cell = sources(lesson_notebook("first_model", guard=True), "code")[0]
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(folder)!r})\n{cell}"]
    return subprocess.run(command, capture_output=True, text=True)


def test_our_own_package_passes() -> None:
    assert guard(Path(lessons.__file__).parents[1]).returncode == 0


def test_somebody_elses_package_gets_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "coursekit").mkdir()
    (tmp_path / "coursekit" / "__init__.py").write_text("")

    assert "somebody else's package" in guard(tmp_path).stderr


def test_no_package_gets_one_sentence(tmp_path: Path) -> None:
    assert "coursekit is not installed here" in guard(tmp_path).stderr


def test_an_unknown_lesson_is_answered_with_the_nearest() -> None:
    with pytest.raises(LookupError, match=r"There is no lesson 'first_modle'. Did you mean 'first_model'\?"):
        lesson_notebook("first_modle")


def test_syntax_no_notebook_knows_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = read_lesson("first_model").partition("\n# ")[0]
    (tmp_path / "strange.md").write_text(f"{head}\n# Title\n\n:::{{tab-set}}\nx\n:::\n")
    monkeypatch.setattr(lessons, "folder", lambda: tmp_path)

    line = head.count("\n") + 4
    with pytest.raises(
        ValueError, match=rf"lessons/strange\.md, line {line}: the directive \{{tab-set\}} cannot"
    ):
        lesson_notebook("strange")
