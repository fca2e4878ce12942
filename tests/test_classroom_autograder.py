"""The autograder for Gradescope, in the layout that is documented, and in a container like its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursekit.classroom import autograder
from coursekit.classroom.autograder import LOCKED_AWAY, NOTHING, ORDINARY, CannotGrade
from coursekit.classroom.autograder_zip import export_gradescope
from coursekit.grader.exercises import UnknownExercise, load
from coursekit.grader.starter import solution
from coursekit.sandbox import why_not
from coursekit.sandbox.call_filter import program
from coursekit.sandbox.shell import bubblewrap

WORD = "first_model"
POINTS = load(WORD).points
# What a container has of root's powers, as Docker gives them to it.
POWERS = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "SYS_CHROOT")


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_gradescope(WORD, tmp_path_factory.mktemp("zip") / "autograder.zip")


@pytest.fixture
def root(zipped: Path, tmp_path: Path) -> Path:
    """The folder `/autograder` as Gradescope lays it out, with an environment that is there already."""
    folder = tmp_path / "autograder"
    for name in ("source", "submission", "results", "python/bin"):
        (folder / name).mkdir(parents=True)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder / "source")
    shutil.copy(folder / "source" / "run_autograder", folder)
    python = folder / "python" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program_file in (python, folder / "run_autograder"):
        program_file.chmod(0o755)
    (folder / "submission_metadata.json").write_text('{"previous_submissions": []}')
    return folder


def hand_in(root: Path, files: dict[str, str]) -> None:
    for module, text in files.items():
        (root / "submission" / f"{module}.py").write_text(text)


def results(root: Path) -> dict[str, Any]:
    return json.loads((root / "results" / "results.json").read_text())


def test_the_zip_has_what_gradescope_asks_for(zipped: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        names = archive.namelist()
        modes = {one.filename: one.external_attr >> 16 & 0o777 for one in archive.infolist()}
        settings = archive.read("settings.sh").decode()
        wanted = archive.read("requirements.txt").decode().split()

    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    assert f"EXERCISE={WORD}\n" in settings
    assert [one for one in names if "_exercises/" in one] == [f"library/coursekit/_exercises/{WORD}.py"]
    assert not [one for one in names if "__pycache__" in one or "_lessons" in one]
    assert not [one for one in wanted if "+" in one or ";" in one]
    assert [one for one in wanted if one.startswith("torch==")]
    again = export_gradescope(WORD, tmp_path / "again.zip")
    assert again.read_bytes() == zipped.read_bytes()
    with pytest.raises(UnknownExercise, match="Did you mean 'first_model'"):
        export_gradescope("first_modle", tmp_path / "none.zip")
    assert [file.name for file in tmp_path.iterdir()] == ["again.zip"]


def test_setup_installs_for_the_other_user_and_tries_the_checks(root: Path, tmp_path: Path) -> None:
    """`apt-get`, `python3` and `uv` are stand-ins here, which only write down what they were asked."""
    stand_ins, said = tmp_path / "bin", tmp_path / "said"
    stand_ins.mkdir()
    note = f'#!/bin/sh\necho "$(basename "$0") $UV_PYTHON_INSTALL_DIR $*" >> {said}\n'
    makes = 'mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/uv"\n'
    for name, more in {"apt-get": "", "python3": f'[ "$2" = venv ] && {{ {makes} }}\n'}.items():
        (stand_ins / name).write_text(note + more + "exit 0\n")
        (stand_ins / name).chmod(0o755)
    (root / "python" / "bin" / "python").write_text(note)
    environment = {"PATH": f"{stand_ins}:{os.environ['PATH']}"}
    subprocess.run(["bash", str(root / "source" / "setup.sh")], cwd="/", env=environment, check=True)
    lines = said.read_text().splitlines()
    pythons = root / "tools" / "pythons"

    assert lines[0].split()[:3] == ["apt-get", "install", "-y"]
    assert [line for line in lines if line.startswith(f"uv {pythons} venv")]
    assert [line for line in lines if "--torch-backend cpu" in line and "requirements.txt" in line]
    assert lines[-1].endswith(f"-m coursekit.classroom.autograder --try {WORD}")
    assert (root / "source").stat().st_mode & 0o777 == 0o700


# Answers all but one part, and tries what a submission in the same container might.
HOSTILE = """
import glob, json, os, signal, time

FORGED = json.dumps({"score": 1000, "tests": []})


def forge():
    for path in ("/autograder/results/results.json", "/autograder/run_autograder"):
        try:
            open(path, "w").write(FORGED)
        except OSError:
            pass


def meddle():
    forge()
    for path in glob.glob("/autograder/source/**") + ["/autograder/submission_metadata.json"]:
        try:
            print("FOUND", path, open(path).read(50))
        except OSError:
            pass
    for number in range(1, 200):
        try:
            if number != os.getpid():
                os.kill(number, signal.SIGKILL)
        except OSError:
            pass
    if os.fork() == 0:
        os.setsid()
        while True:
            forge()
            time.sleep(0.01)


def accuracy(predictions, targets):
    meddle()
    return (predictions.argmax(1) == targets).float().mean()


def error_rate(predictions, targets):
    return accuracy(predictions, targets)
"""


@pytest.fixture
def in_container(root: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
    """Runs the autograder at `/autograder`, as root, with Docker's powers and without namespaces."""
    bwrap = bubblewrap()
    if os.geteuid() != 0 or bwrap is None:
        if os.environ.get("CI") == "true" and os.geteuid() == 0:
            pytest.fail("bubblewrap is not installed")
        pytest.skip("a container as Gradescope has it takes root and bubblewrap")
    command = [bwrap, "--unshare-pid", "--die-with-parent", "--clearenv"]
    for name in ("bin", "sbin", "lib", "lib64", "usr", "etc"):
        path = Path("/", name)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            command += ["--ro-bind", str(path), str(path)]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in dict.fromkeys([sys.base_prefix, sys.prefix]):
        for above in reversed(Path(path).parents[:-1]):
            command += ["--perms", "0755", "--dir", str(above)]
        command += ["--ro-bind", path, path]
    command += ["--bind", str(root), "/autograder", "--chdir", "/autograder"]
    for power in POWERS:
        command += ["--cap-add", f"CAP_{power}"]
    command += ["--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin"]

    def run() -> subprocess.CompletedProcess[str]:
        descriptor = os.memfd_create("filter")
        try:
            os.write(descriptor, program())
            os.lseek(descriptor, 0, os.SEEK_SET)
            return subprocess.run(
                [*command, "--seccomp", str(descriptor), "--", "/autograder/run_autograder"],
                pass_fds=[descriptor],
                capture_output=True,
                text=True,
            )
        finally:
            os.close(descriptor)

    return run


def test_a_submission_in_the_same_container_cannot_reach_its_grade(
    root: Path, in_container: Callable[[], subprocess.CompletedProcess[str]]
) -> None:
    hand_in(root, {**solution(WORD), "metrics": HOSTILE})
    script = (root / "run_autograder").read_text()
    done = in_container()
    assert done.returncode == 0, done.stdout + done.stderr
    told = results(root)

    assert "No sandbox here:" in done.stdout
    assert "All inputs follow from the seed" in done.stdout
    assert told["score"] == POINTS - 2
    assert [one["name"] for one in told["tests"] if one["status"] == "failed"] == [
        "error rate is the share of wrong guesses"
    ]
    assert ORDINARY in told["output"]
    assert "FOUND" not in json.dumps(told) + done.stdout
    assert (root / "run_autograder").read_text() == script


@pytest.mark.soak
def test_with_a_sandbox_the_code_is_locked_away(root: Path) -> None:
    if missing := why_not():
        if os.environ.get("CI") == "true":
            pytest.fail(" ".join(missing))
        pytest.skip("there is no sandbox here")
    hand_in(root, solution(WORD))
    done = subprocess.run([str(root / "run_autograder")], cwd=root, capture_output=True, text=True)
    told = results(root)

    assert done.returncode == 0, done.stderr
    assert told["score"] == POINTS
    assert LOCKED_AWAY in told["output"]


def test_nothing_is_no_fault_of_ours(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert autograder.main([str(root), WORD]) == 0
    assert results(root)["score"] == 0
    assert results(root)["output"]
    assert NOTHING


def test_where_nothing_can_be_graded_no_score_is_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_place(word: str) -> None:
        raise CannotGrade("there is no Python.")

    hand_in(root, solution(WORD))
    monkeypatch.setattr(autograder, "place", no_place)

    assert autograder.main([str(root), WORD]) == 1
    assert not (root / "results" / "results.json").exists()
    assert "not the learner's fault: there is no Python." in capsys.readouterr().out


def test_an_ordinary_user_without_a_sandbox_grades_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autograder.availability, "why_not", lambda: ["No bubblewrap."])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(CannotGrade, match=r"start run_autograder as root.*No bubblewrap\."):
        autograder.place(WORD).__enter__()
