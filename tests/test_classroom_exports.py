"""An exercise for other graders, really run there: nbgrader itself, Gradescope's layout as documented."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coursekit.classroom import notebook_points
from coursekit.classroom.exports import BEGIN, END, assignment, export_nbgrader, is_answer
from coursekit.classroom.notebook_points import NOTE, points
from coursekit.cli import app
from coursekit.grader.exercises import UnknownExercise, load, words
from coursekit.grader.starter import solution

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".peers" / "bench-grading"
WORD = "first_model"


@pytest.mark.parametrize("word", words())
def test_every_exercise_is_an_assignment(word: str) -> None:
    nbformat = pytest.importorskip("nbformat")
    notebook, exercise = assignment(word), load(word)
    nbformat.validate(nbformat.from_dict(notebook))
    ids = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in notebook["cells"]]
    known = [one for one in ids if one]
    checks = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]

    assert len(known) == len(set(known))
    assert [cell["metadata"]["nbgrader"]["points"] for cell in checks] == [
        one.points for one in exercise.checks
    ]
    for cell in filter(is_answer, notebook["cells"]):
        assert cell["source"].count(BEGIN) == cell["source"].count(END) > 0
    # What is wrong, and so the answer to what is right, is told by no cell.
    assert not any(one.says in json.dumps(notebook) for one in exercise.wrong)


def test_an_exercise_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnknownExercise, match="Did you mean 'first_model'"):
        export_nbgrader("first_modle", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner()
    both = run.invoke(app, ["export", WORD, "--gradescope", "a.zip", "--nbgrader", "course"])
    none = run.invoke(app, ["export", WORD])
    (tmp_path / "file").touch()
    into_a_file = run.invoke(app, ["export", WORD, "--nbgrader", "file"])

    assert both.exit_code == 0, both.output
    assert 'a.zip: upload it under "Configure Autograder", give the assignment 16 points' in both.output
    assert "in course: nbgrader generate_assignment first_model" in both.output
    assert "what that grader does not protect" in both.output
    assert (tmp_path / "a.zip").exists()
    assert str(none.exception) == "Say for whom: --gradescope FILE.zip, --nbgrader FOLDER, or both."
    assert "cannot be written: Not a directory." in str(into_a_file.exception)


def test_the_settings_of_a_course_stay(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("mine")
    file = export_nbgrader(WORD, tmp_path)

    assert file == tmp_path / "source" / WORD / f"{WORD}.ipynb"
    assert (tmp_path / "nbgrader_config.py").read_text() == "mine"


class TestPoints:
    @pytest.fixture
    def kit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("COURSEKIT_WORKSPACE", str(tmp_path))
        notebook_points._report.cache_clear()
        (tmp_path / "mykit").mkdir()
        return tmp_path / "mykit"

    def test_a_check_that_passes_gives_its_points(self, kit: Path, capfd: pytest.CaptureFixture[str]) -> None:
        for module, text in solution(WORD).items():
            (kit / f"{module}.py").write_text(text)
        given = [points(WORD, one.name) for one in load(WORD).checks]
        said = capfd.readouterr()

        assert given == [one.points for one in load(WORD).checks]
        assert said.err == ""  # anything there costs the points
        assert said.out.count("see the note at its top") == len(given)

    def test_one_that_fails_gives_none_and_teaches(
        self, kit: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (kit / "metrics.py").write_text("def accuracy(predictions, targets):\n    return 7\n")
        given = points(WORD, "accuracy_is_the_share_of_right_guesses")

        assert given == 0
        assert "Hint: Find each row's guess" in capfd.readouterr().out
        # A kit that has changed is checked again.
        (kit / "metrics.py").write_text(solution(WORD)["metrics"])
        assert points(WORD, "accuracy_is_the_share_of_right_guesses") == 2

    def test_a_kit_that_is_not_there_says_so(self, kit: Path, capfd: pytest.CaptureFixture[str]) -> None:
        assert points(WORD, load(WORD).checks[0].name) == 0
        assert "yet." in capfd.readouterr().out

    def test_a_check_that_there_is_not_is_named(self, kit: Path) -> None:
        with pytest.raises(LookupError, match="has no check 'some'; it has sure_cases_come_out_right, "):
            points(WORD, "some")


@pytest.fixture
def nbgrader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs nbgrader in a course's folder, and gives what it printed; it is fetched if it is not there."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    importlib.import_module("peers").fetch_group("bench-grading")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(PEERS)]),
        "PATH": os.pathsep.join([str(PEERS / "bin"), os.environ["PATH"]]),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


SCORES = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db", "coursekit") as book:
    handed_in = book.assignment_submissions("%s")
    print(json.dumps({one.student.id: [one.score, one.max_score] for one in handed_in}))
"""


def hand_in(course: Path, learner: str, write: Callable[[dict[str, Any]], str]) -> None:
    """The released notebook with each answer as that learner writes it."""
    released = json.loads((course / "release" / WORD / f"{WORD}.ipynb").read_text())
    for cell in filter(is_answer, released["cells"]):
        cell["source"] = write(cell)
    file = course / "submitted" / learner / WORD / f"{WORD}.ipynb"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(released))


@pytest.mark.soak
def test_nbgrader_really_grades_it(nbgrader: Callable[..., str], tmp_path: Path) -> None:
    export_nbgrader(WORD, tmp_path)
    nbgrader("-m", "nbgrader", "generate_assignment", WORD)
    released = (tmp_path / "release" / WORD / f"{WORD}.ipynb").read_text()
    answers = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell["source"]
        for cell in filter(is_answer, assignment(WORD)["cells"])
    }

    def right(cell: dict[str, Any]) -> str:
        return answers[cell["metadata"]["nbgrader"]["grade_id"]]

    def wrong(cell: dict[str, Any]) -> str:
        return right(cell).replace("1 - accuracy(predictions, targets)", "accuracy(predictions, targets)")

    def noisy(cell: dict[str, Any]) -> str:
        module, _, text = right(cell).partition("\n")
        return f"{module}\nimport sys, warnings\n{text}".replace(
            BEGIN, "print('to the errors', file=sys.stderr); warnings.warn('dear me')"
        )

    hand_in(tmp_path, "noisy", noisy)
    hand_in(tmp_path, "wrong", wrong)
    hand_in(tmp_path, "starter", lambda cell: cell["source"])
    nbgrader("-m", "nbgrader", "autograde", WORD)
    nbgrader("-m", "nbgrader", "generate_feedback", WORD)
    scores = json.loads(nbgrader("-c", SCORES % WORD))
    whole = load(WORD).points
    feedback = (tmp_path / "feedback" / "wrong" / WORD / f"{WORD}.html").read_text()

    assert "BEGIN SOLUTION" not in released
    assert "1 - accuracy(predictions, targets)" not in released
    assert scores["noisy"] == [whole, whole]
    assert scores["starter"] == [0, whole]
    assert 0 < scores["wrong"][0] < whole
    assert "error rate is the share of wrong guesses" in feedback
    assert "cannot say that nobody meddled" in feedback
    assert NOTE.split(":")[0] in feedback
