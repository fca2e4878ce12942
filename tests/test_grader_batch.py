"""Many kits against one exercise: what is asked once, what each is told, and whose fault it was."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coursekit.grader import exercises, process
from coursekit.grader.batch import Batch
from coursekit.grader.exercises import load, version
from coursekit.grader.job import Job, Stopped
from coursekit.grader.observing import Kit, Run, Side
from coursekit.grader.reference import Reference, seed_of
from coursekit.grader.report import Message, Report, Result
from coursekit.grader.starter import solution
from coursekit.kit import KitError, write_files

TINY = '''"""# Tiny

Two questions.
"""

from coursekit.grader import Wrong, check

yours = {"splits.group_split": "hold out whole groups"}


@check(points=2, rounds=1)
def it_splits(kit, case):
    """Think of the groups."""
    groups = case.shuffled("groups", ["a", "b", "c"] * 9)
    yield "split", kit.group_split(groups, valid=0.5, seed=1)


@check(points=1, rounds=1)
def it_splits_again(kit, case):
    """Think once more."""
    groups = case.shuffled("groups", ["a", "b", "c"] * 9)
    yield "first", kit.group_split(groups, valid=0.5, seed=2)
    (case.folder / "note").write_text("here")
    yield "folder", [one.name for one in case.folder.iterdir()]


wrong = [Wrong("nothing", {"splits.group_split": "def group_split(groups, valid, seed): return [], []"},
               it_splits, "Nothing is held out.")]
'''
OURS = solution("first_model")["splits"]
FUTURE = "from __future__ import annotations"


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Batch]:
    """A batch of an exercise of two checks."""
    (tmp_path / "tiny.py").write_text(TINY)
    monkeypatch.setattr(exercises, "folder", lambda: tmp_path)
    with Batch("tiny", seed=5, devices=("cpu",), seconds=10) as batch:
        yield batch


def kit(lines: str) -> dict[str, str]:
    """A kit whose `group_split` has this body."""
    indented = lines.replace("\n", "\n    ")
    return {"splits": f"import os, signal\n\n\ndef group_split(groups, valid, seed):\n    {indented}\n"}


def test_ours_is_asked_once_for_all_kits(tiny: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    run = Side.run

    def counted(side: Side, one: Run, *rest: float, **named: bool) -> Run:
        asked.append(f"{side.kit.name} {side.kit.files is None} {one.scenario.name}")
        return run(side, one, *rest, **named)

    monkeypatch.setattr(Side, "run", counted)
    reports = [tiny.check(kit("return [], []")) for _ in range(3)]

    assert {report.points for report in reports} == {0}
    assert "Nothing is held out." in reports[2].results[0].message
    assert [one for one in asked if one.startswith("coursekit")] == [
        "coursekit True it_splits",
        "coursekit True it_splits",
        "coursekit True it_splits_again",
        "coursekit True it_splits_again",
    ]
    # Three kits and one known mistake, each asked both checks twice.
    assert len(asked) == 4 + 4 * 4


def test_several_threads_check_at_once_and_none_disturbs_another(tiny: Batch) -> None:
    kits = {
        "ours": ({"splits": OURS}, 3),
        "nothing": (kit("return [], []"), 0),
        "raises": (kit("raise ValueError('mine')"), 0),
    }
    seen: list[tuple[str, Report]] = []

    def work(name: str) -> None:
        seen.extend((name, tiny.check(kits[name][0])) for _ in range(4))

    threads = [threading.Thread(target=work, args=(name,)) for name in [*kits, *kits]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 24
    for name, report in seen:
        assert report.points == kits[name][1], report.text()
        assert ("ValueError: mine" in report.text()) == (name == "raises")


def test_each_check_has_inputs_of_its_own_that_follow_from_the_secret(tiny: Batch) -> None:
    def drawn(seed: int) -> list[object]:
        with Reference(tiny.exercise, seed, ("cpu",)) as reference:
            return [run.drawn["groups"] for check in tiny.exercise.checks for run in reference.ours(check)]

    first, second = drawn(5), drawn(6)

    assert first == drawn(5)
    assert first != second
    assert first[0] != first[2], "the two checks draw the same by name"
    assert seed_of(5, "tiny it_splits") != seed_of(5, "tiny it_splits_again")


def test_a_report_of_a_batch_does_not_tell_the_secret(tiny: Batch) -> None:
    report = tiny.check({"splits": OURS})

    assert report.passed
    assert report.seed is None
    assert json.loads(report.to_json())["seed"] is None


def test_a_kit_that_kills_itself_is_told_so_after_three_times(tiny: Batch, tmp_path: Path) -> None:
    log = tmp_path / "log"
    note = f"open({str(log)!r}, 'a').write('.')"
    (first, _) = tiny.check(kit(f"{note}\nos.kill(os.getpid(), signal.SIGKILL)")).results

    assert first.kind == "stopped"
    assert "most likely for asking for too much memory" in first.message
    assert log.read_text() == "." * 6, "two checks, each asked three times"


def test_one_kill_from_outside_costs_no_points(tiny: Batch, tmp_path: Path) -> None:
    mark = tmp_path / "killed"
    tree = ast.parse(OURS)
    function = tree.body[-1]
    assert isinstance(function, ast.FunctionDef)
    once = f"if not os.path.exists({str(mark)!r}): open({str(mark)!r}, 'w').close(); os.kill(os.getpid(), 9)"
    function.body[1:1] = ast.parse(once).body

    assert tiny.check({"splits": "import os\n" + ast.unparse(tree).replace(FUTURE, "")}).passed
    assert mark.exists()


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("memory", "Your code took more memory than there is for it and was stopped"),
        ("ended", "Your code ended Python (exit status 3) before the check was over"),
    ],
)
def test_how_a_job_ended_is_told(tiny: Batch, why: str, sentence: str) -> None:
    def ending(new_python: bool = False) -> Job:
        job = process.start(new_python)
        end = job._end

        def ended() -> Stopped:
            end()
            return Stopped(why, 3)

        job._end = ended
        return job

    with Batch("tiny", 5, ("cpu",), start=ending) as batch:
        (first, _) = batch.check(kit("os._exit(3)")).results
    assert sentence in first.message


def test_a_place_that_is_lost_is_nobodys_fault(tiny: Batch) -> None:
    def lost(new_python: bool = False) -> Job:
        job = process.start(new_python)
        end = job._end

        def ended() -> Stopped:
            end()
            return Stopped("lost")

        job._end = ended
        return job

    with Batch("tiny", 5, ("cpu",), start=lost) as batch, pytest.raises(process.CannotStart, match="lost"):
        batch.check(kit("os._exit(0)"))


def test_what_cannot_hold_the_answer_is_not_run(tiny: Batch) -> None:
    assert tiny.check({}).problem == "What was handed in has no splits.py, where this exercise is answered."
    assert "1 files with 5.0 million characters" in tiny.check({"splits": "#" * 5_000_000}).problem
    assert {one.kind for one in tiny.check({"metrics": ""}).results} == {"unusable"}


@pytest.mark.parametrize("name", ["../splits", "a b", "", "splits.", "/etc/x"])
def test_a_name_that_is_no_module_is_refused(tiny: Batch, tmp_path: Path, name: str) -> None:
    report = tiny.check({"splits": OURS, name: "x = 1"})

    assert f"{name!r} is no name of a module" in report.problem
    with pytest.raises(KitError, match="is no name of a module"):
        write_files(tmp_path, {name: ""})


def test_half_characters_in_a_file_are_said(tiny: Batch) -> None:
    assert (
        "mykit/splits.py cannot be read: it is no text in UTF-8." in tiny.check({"splits": "\ud800"}).problem
    )


def test_files_that_travel_are_a_kit_like_any_other(tiny: Batch) -> None:
    (first, _) = tiny.check(
        {"splits": "def half(x):\n    return x / 0\n\n\n" + kit("half(4)")["splits"]}
    ).results

    assert "mykit/splits.py, line 2, in half" in first.message


def test_nothing_is_left_in_the_folder_for_such_files(tiny: Batch, tmp_path: Path) -> None:
    folders: list[Path] = []

    def noted(new_python: bool = False) -> Job:
        job = process.start(new_python)
        assert job.folder is not None
        folders.append(job.folder.path)
        return job

    with Batch("tiny", 5, ("cpu",), start=noted) as batch:
        batch.check(kit("open('/dev/null').close()\nwhile True: os._exit(1)"))

    assert folders
    assert not [folder for folder in folders if folder.exists()]


def silent_job(program: str) -> Job:
    """A program that knows nothing of requests, in a job's place."""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    def end() -> Stopped:
        process.kill()
        return Stopped("ended", process.wait())

    return Job(process.stdin, process.stdout, process.stderr, end)  # type: ignore[arg-type]


def test_a_process_that_does_not_read_can_be_ended_while_a_large_request_is_on_its_way() -> None:
    job = silent_job("import time; time.sleep(60)")
    with pytest.raises(Stopped, match="hung"):
        list(job.ask({"do": "run"}, [bytes(2**21)], 0.3))

    ending = threading.Thread(target=job.end, daemon=True)
    ending.start()
    ending.join(20)
    assert not ending.is_alive()


FLOOD = """
import struct, sys
text = b'{"is": "yield", "sizes": [], "value": "' + b"x" * 2**23 + b'"}'
while True:
    sys.stdout.buffer.write(struct.pack(">4sQQ", b"ckg1", len(text), 0) + text)
"""


def test_answers_that_would_fill_our_memory_are_not_all_taken() -> None:
    with silent_job(FLOOD) as job:
        answers = job.ask({"do": "run"}, [], 60)
        with pytest.raises(Stopped, match="broken"):
            next(number for number, _ in enumerate(answers) if number > 5)


@pytest.mark.usefixtures("tiny")
def test_starting_the_place_is_not_the_code_s_time() -> None:
    def slow_start(new_python: bool = False) -> Job:
        time.sleep(1.2)
        return process.start(new_python)

    with Batch("tiny", 5, ("cpu",), seconds=1.0, start=slow_start) as batch:
        report = batch.check(kit("4"))

    assert not [result.title for result in report.results if result.kind == "stopped"]


def test_a_report_can_be_read_back() -> None:
    message = Message(call="kit.a()", sentences=("one \ud800", "two ✗"), printed="x\x1b[31m", hint="Look.")
    results = (
        Result("a", "A", False, 2, "differs", message, 0.1 + 0.2, "nothing"),
        Result("b", "B", True, 1),
    )
    report = Report("word", "Word", results, ("cpu", "cuda"), "", 7)

    assert Report.from_json(report.to_json()) == report
    assert Report.from_json(report.to_json()).text() == report.text()
    report.to_json().encode("ascii")
    with pytest.raises(ValueError, match=r"has the format 1; this coursekit reads the format \d"):
        Report.from_json(json.dumps({"format": 1}))
    with pytest.raises(ValueError, match="This is no report in JSON"):
        Report.from_json("{}")
    with pytest.raises(ValueError, match="This is no report in JSON"):
        Report.from_json("nonsense")


def test_the_version_of_an_exercise_is_what_decides_its_grades(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = version("first_model")
    assert whole == version("first_model")
    assert whole != version("production")
    package = Path(exercises.__file__).parents[1]
    copy = tmp_path / "coursekit"
    copy.mkdir()
    monkeypatch.setattr(exercises, "_PACKAGE", copy)
    monkeypatch.setattr(exercises, "folder", lambda: package.parent / "exercises")

    def with_text(old: str, new: str) -> str:
        for module in ("metrics", "splits"):
            text = (package / f"{module}.py").read_text()
            (copy / f"{module}.py").write_text(text.replace(old, new))
        return version("first_model")

    assert with_text("", "") == whole or with_text("no such line", "") == whole
    assert with_text("def group_split(", "def group_split( ") != whole
    assert with_text("def time_split(", "def time_split( ") == whole, "nobody asks for that one"
    assert load("first_model").word == "first_model"


def test_a_kit_says_what_it_is_to_the_other_side() -> None:
    request = Kit("mykit", None, frozenset({"b.c", "a.b"}), frozenset({"a.b"}), {"a": "x = 1"}).request()

    assert request["files"] == {"a": "x = 1"}
    assert (request["only"], request["asked"]) == (["a.b", "b.c"], ["a.b"])
    json.dumps(request)
