"""The command line: answers at once, in sentences, with exit codes one can rely on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import types
import warnings
from pathlib import Path

import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner, Result

import coursekit
from coursekit import cli
from coursekit.grader import checking, process
from coursekit.progress import WorkspaceError
from coursekit.workspace import Workspace

COMMAND = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'coursekit'; from coursekit.cli import main; main()",
]
ROOT = str(Path(coursekit.__file__).parents[1])


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The folder we are in, not a workspace yet."""
    monkeypatch.delenv("COURSEKIT_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    return Workspace(tmp_path)


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The real command, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": ROOT, "PYTHONIOENCODING": "utf-8", **settings}
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, env=environment, encoding="utf-8"
    )


def report(passed: bool, problem: str = "", kind: str = "differs") -> types.SimpleNamespace:
    """A report of two checks, of which the second one decides."""
    results = [
        types.SimpleNamespace(name="first", passed=True, kind=""),
        types.SimpleNamespace(name="second", passed=passed, kind="" if passed else kind),
    ]
    points = 3 if passed else 1
    return types.SimpleNamespace(
        passed=passed, problem=problem, results=results, points=points, of=3, text=lambda: "in words",
        to_json=lambda: json.dumps({"points": points}),
    )  # fmt: skip


def check(monkeypatch: pytest.MonkeyPatch, answer: object, *options: str) -> Result:
    """`coursekit check first_model` in a workspace, where the grader gives this answer."""
    Workspace(Path.cwd()).make()

    def answered(*given: object, **named: object) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(checking, "check", answered)
    return CliRunner().invoke(cli.app, ["check", "first_model", *options])


# Answers --------------------------------------------------------------------------------------------------


def test_every_command_has_help_with_an_example():
    for command in cli.app.registered_commands:
        name = command.callback.__name__  # type: ignore[union-attr]
        told = CliRunner().invoke(cli.app, [name, "--help"])

        assert told.exit_code == 0
        assert f"Example: coursekit {name}" in told.output


def test_status_before_and_after(space: Workspace):
    before = CliRunner().invoke(cli.app, ["status"])
    assert before.output.startswith(f"{space.folder}: 0 points so far.")
    assert re.search("first_model +not started", before.output)
    assert list(space.folder.iterdir()) == []

    space.progress.note("first_model")
    assert re.search("first_model +started +not checked yet", CliRunner().invoke(cli.app, ["status"]).output)
    space.progress.note("first_model", passed=True, points=1, of=1)
    after = CliRunner().invoke(cli.app, ["status"])
    assert "1 point so far." in after.output
    assert re.search("first_model +passed +1 of 1 points", after.output)


def test_status_writes_what_the_pages_take_in(space: Workspace, tmp_path: Path):
    space.progress.note("first_model", passed=True, points=8, of=8)
    file = tmp_path / "mine.json"
    answer = CliRunner().invoke(cli.app, ["status", "--json", str(file)])

    assert answer.output.startswith(f"Written: {file}. The book's page Where you are adds it")
    assert json.loads(file.read_text())["exercises"]["first_model"]["points"] == 8


def test_status_does_not_load_torch(space: Workspace):
    code = "from coursekit.cli import app; app(['status'], standalone_mode=False); print([*sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
        check=True,
    )

    assert "'coursekit.cli'" in answer.stdout
    assert not {"'torch'", "'numpy'", "'IPython'", "'coursekit.api'"} & set(answer.stdout.split(", "))


def test_a_damaged_note_is_told_and_set_aside(space: Workspace):
    space.progress.note("first_model")
    (space.progress.folder / "first_model.json").write_text("{")
    answer = run("status", COURSEKIT_WORKSPACE=str(space.folder))

    assert answer.returncode == 0
    assert answer.stderr.startswith("What was noted about first_model could not be read (")
    assert re.search("first_model +not started", answer.stdout)


def test_starting_says_where_to_write(space: Workspace):
    answer = CliRunner().invoke(cli.app, ["start", "first_model"])

    assert answer.exit_code == 0
    assert answer.output.splitlines() == [
        f"The notebook: {Path('exercises', 'first_model.ipynb')}",
        f"Or write straight into {Path('mykit', 'metrics.py')}, {Path('mykit', 'splits.py')}; "
        "then: coursekit check first_model",
    ]


def test_a_lesson_is_copied(space: Workspace):
    answer = CliRunner().invoke(cli.app, ["lesson", "first_model"])

    assert (answer.exit_code, answer.output.strip()) == (0, str(Path("lessons", "first_model.ipynb")))


# What it returns ------------------------------------------------------------------------------------------


def test_all_passed_is_0_and_noted(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    answer = check(monkeypatch, report(passed=True))

    assert (answer.exit_code, answer.output) == (0, "in words\n")
    assert space.progress.of("first_model")["checks"] == {"first": True, "second": True}


def test_a_check_that_failed_is_1(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    assert check(monkeypatch, report(passed=False)).exit_code == 1
    assert space.progress.of("first_model")["points"] == 1


@pytest.mark.parametrize("answer", [report(False, problem="There is no kit."), report(False, kind="ours")])
def test_what_could_not_be_run_is_2(space: Workspace, monkeypatch: pytest.MonkeyPatch, answer: object):
    assert check(monkeypatch, answer).exit_code == 2


def test_a_process_that_cannot_be_started_is_2(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    answer = check(monkeypatch, process.CannotStart("No process can be started."))

    assert isinstance(answer.exception, WorkspaceError)
    monkeypatch.setattr(sys, "argv", ["coursekit", "check", "first_model"])
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # the command sets its own
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ended.value.code, capsys.readouterr().err) == (2, "No process can be started.\n")


def test_checking_where_nothing_was_started_is_2_and_makes_nothing(space: Workspace):
    answer = run("check", "first_model")

    assert (answer.returncode, answer.stderr) == (
        2,
        f"{space.folder} is no workspace yet: `coursekit start first_model` makes one.\n",
    )
    assert list(space.folder.iterdir()) == []


def test_json_for_other_programs(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    answer = check(monkeypatch, report(passed=False), "--json")

    assert (answer.exit_code, json.loads(answer.output)) == (1, {"points": 1})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["chekc", "first_model"], "Did you mean 'check'?"),
        (["check", "frist_model"], "There is no exercise 'frist_model'. Did you mean 'first_model'?"),
        (["start", "frist_model"], "There is no exercise 'frist_model'. Did you mean 'first_model'?"),
        (["watch", "frist_model"], "There is no exercise 'frist_model'. Did you mean 'first_model'?"),
        (["lesson", "frist_model"], "There is no lesson 'frist_model'. Did you mean 'first_model'?"),
    ],
)
def test_an_unknown_name_is_2_and_names_the_nearest(space: Workspace, words: list[str], sentence: str):
    answer = run(*words)

    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
    assert list(space.folder.iterdir()) == []


def test_a_workspace_that_cannot_be_made_is_2(space: Workspace):
    (space.folder / "file").touch()
    answer = run("start", "first_model", COURSEKIT_WORKSPACE=str(space.folder / "file"))

    assert answer.returncode == 2
    assert "cannot be written" in answer.stderr
    assert "Traceback" not in answer.stderr


# Watching -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process on Windows")
def test_watching_checks_again_on_saving_and_ends_cleanly(space: Workspace):
    space.make()
    fake = (
        "import types; from coursekit.grader import checking; count = [0]\n"
        "def check(word, folder, **named):\n"
        "    count[0] += 1\n"
        "    return types.SimpleNamespace(passed=False, problem='', results=[], points=count[0], of=9,\n"
        "                                 text=lambda: f'answer {count[0]}')\n"
        "checking.check = check\n"
        "from coursekit.cli import main; import sys; sys.argv[1:] = ['watch', 'first_model']; main()\n"
    )
    watching = subprocess.Popen(
        [sys.executable, "-u", "-c", fake],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert watching.stdout is not None
    said: list[str] = []

    def read_until(text: str) -> None:
        while text not in "".join(said):
            line = watching.stdout.readline()  # type: ignore[union-attr]
            assert line, watching.stderr.read()  # type: ignore[union-attr]
            said.append(line)

    read_until("Ctrl-C ends it.")
    time.sleep(0.05)
    space.kit_file("metrics").write_text("def accuracy(p, t): return 1\n")
    read_until("answer 2")
    read_until("Ctrl-C ends it.")
    watching.send_signal(signal.SIGINT)
    rest, errors = watching.communicate(timeout=20)

    assert (watching.returncode, errors) == (1, "")
    assert rest.strip().endswith("Stopped watching.")
    assert space.progress.of("first_model")["points"] == 2


# Predicting -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos of two kinds, and a model that was saved beside them."""
    folder = tmp_path_factory.mktemp("cells")
    for number in range(6):
        place = folder / "photos" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Pillow.new("RGB", (20, 16), (40 * number, 90, 9)).save(place / f"{number}.png")
    block = coursekit.DataBlock(
        coursekit.Image,
        coursekit.Category,
        split=([0, 1, 2, 3], [4, 5]),
        item_transforms=[coursekit.Resize(16)],
    )
    data = block.loaders(folder / "photos")
    coursekit.save_model(
        coursekit.vision_learner(data, "small_cnn", pretrained=False, device="cpu"), folder / "model"
    )
    return folder


def test_photos_are_answered_line_by_line_and_what_cannot_be_read_is_told(cells: Path):
    """In a process that has loaded no more than it needs."""
    photo, broken = str(cells / "photos" / "a" / "0.png"), cells / "broken.png"
    broken.write_text("no photo")
    done = run("predict", str(cells / "model"), photo, str(broken), photo, "--device", "cpu")

    lines = done.stdout.splitlines()
    assert done.returncode == 2
    assert lines == lines[:1] * 2
    assert re.fullmatch(re.escape(photo) + r": [ab] \(probability 0\.\d{3}\)", lines[0])
    assert "broken.png is not a picture that can be read" in done.stderr
    assert "Traceback" not in done.stderr


def test_answers_are_also_had_as_json(cells: Path):
    photo = str(cells / "photos" / "b" / "1.png")
    done = CliRunner().invoke(cli.app, ["predict", str(cells / "model"), photo, "--json"])
    answer = json.loads(done.stdout)

    assert done.exit_code == 0
    assert list(answer) == ["photo", "answer", "probabilities"]
    assert answer["probabilities"][answer["answer"]] == max(answer["probabilities"].values())


def test_no_model_is_told_in_a_sentence(cells: Path):
    done = CliRunner().invoke(cli.app, ["predict", str(cells / "photos"), "a.png"])

    assert done.exit_code == 2
    assert "there is no model in" in done.stderr
