"""The page for those who teach: every command on it runs, in the order in which it stands there."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coursekit import cli, workspace
from coursekit.grader.starter import solution, starter
from coursekit.kit import write_files
from coursekit.sandbox import why_not

BOOK = Path(__file__).parent.parent / "book"
PAGE = (BOOK / "instructors.md").read_text(encoding="utf-8")
COMMANDS = "".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)).splitlines()
WORD = "first_model"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what two learners handed in, and a workspace that a third works in."""
    if reasons := why_not():
        message = f"there is no sandbox here: {' '.join(reasons)}"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    monkeypatch.chdir(tmp_path)
    workspace.start(WORD)
    write_files(tmp_path / "mykit", solution(WORD))
    write_files(tmp_path / "submissions" / "ana", solution(WORD))
    write_files(tmp_path / "submissions" / "ben", starter(WORD))
    (tmp_path / "class.csv").write_text("name\nana\nben\neve\n")
    return tmp_path


def test_every_command_of_the_page_runs(course: Path) -> None:
    assert len(COMMANDS) >= 7
    for command in COMMANDS:
        program, *words = shlex.split(command)
        done = CliRunner().invoke(cli.app, words)

        assert program == "coursekit"
        assert done.exit_code == 0, f"{command}: {done.output} {done.exception}"
    for name in re.findall(r"^\| `([^`{]+?)`", PAGE, re.MULTILINE):
        assert list((course / "grades").rglob(Path(name).name.replace("LEARNER", "*").replace("WORD", "*")))
    assert (course / "autograder.zip").exists()
    assert list((course / "copies").iterdir())


def test_the_threat_model_says_the_worst_first() -> None:
    text = (BOOK / "threat_model.md").read_text(encoding="utf-8")
    first = re.findall(r"^## (.+)", text, re.MULTILINE)[0]

    assert "the answers are public" in first
    assert text.index("What is not protected") > text.index("How we know")
