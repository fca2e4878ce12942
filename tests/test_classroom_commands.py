"""What an instructor types: what it returns, what it says, and that it goes on where it was stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hired import OF, WORD, Hired, report
from typer.testing import CliRunner

import coursekit
from coursekit import cli
from coursekit.classroom import ordering
from coursekit.classroom.crew import Crew, Outcome, Terms
from coursekit.classroom.gradebook import GradeBook
from coursekit.classroom.records import Result
from coursekit.classroom.rows import Standing
from coursekit.classroom.submission import Submission
from coursekit.grader import exercises
from coursekit.grader.starter import solution, starter
from coursekit.progress import WorkspaceError

ROOT = str(Path(coursekit.__file__).parents[1])

# The real command where there is no sandbox to be had.
REAL = """
import sys
from coursekit.classroom import ordering
ordering.why_not = lambda: ["This machine has no namespaces."]
sys.argv[0] = "coursekit"
from coursekit.cli import main
main()
"""


class Desk:
    """The commands, in a folder of their own, with a crew that does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work: Callable[[str], Outcome] = lambda text: report(3)
        self.missing: list[str] = []
        self.terms: list[Terms] = []
        self.asked: list[str] = []

    def hand_in(self, learner: str, text: str = "RATE = 1") -> None:
        kit = self.folder / "in" / learner / "mykit"
        kit.mkdir(parents=True, exist_ok=True)
        (kit / "metrics.py").write_text(f"def accuracy(predictions, targets):\n    {text}\n    return 1\n")

    @contextlib.contextmanager
    def threads(self, terms: Terms, jobs: int) -> Iterator[Crew]:
        self.terms.append(terms)
        crew = Hired(self.work, jobs)
        yield crew
        self.asked += crew.seen

    def run(self, *words: str) -> tuple[int, str]:
        """The command's code and all it says, known errors as `main` says them."""
        result = CliRunner().invoke(cli.app, list(words))
        if isinstance(result.exception, WorkspaceError | LookupError):
            return 2, str(result.exception.args[0])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    def rows(self, word: str = WORD) -> dict[str, Standing]:
        with GradeBook("grades/grades.sqlite") as book:
            return {row.learner: row for row in book.standing(word)}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ordering, "threads", desk.threads)
    monkeypatch.setattr(ordering, "devices_here", lambda: ("cpu",))
    monkeypatch.setattr(ordering, "why_not", lambda: desk.missing)
    for learner in ("ada", "bob"):
        desk.hand_in(learner)
    return desk


# Grading ---------------------------------------------------------------------------------------------------


def test_a_folder_becomes_a_book_and_what_is_read_of_it(desk: Desk):
    code, said = desk.run("grade", "in")

    assert code == 0
    assert "2 results stored." in said
    assert {learner: row.points for learner, row in desk.rows().items()} == {"ada": 3, "bob": 3}
    written = {file.name for file in (desk.folder / "grades").iterdir()}
    assert {
        "grades.sqlite",
        "grades.json",
        "canvas.csv",
        "moodle.csv",
        "overview.html",
        "feedback",
    } <= written
    assert json.loads((desk.folder / "grades/grades.json").read_text())["format"] == 1


def test_the_same_command_again_grades_only_what_is_new(desk: Desk):
    desk.run("grade", "in")
    desk.hand_in("eve")
    code, said = desk.run("grade", "in")

    assert code == 0
    assert "1 result stored; 2 were in the book already." in said
    assert len(desk.asked) == 3
    first, second = desk.terms
    assert first.seed != second.seed  # a run that came to its end has told its inputs on the learners' pages


def test_what_a_person_must_look_at_is_a_1(desk: Desk):
    (desk.folder / "in" / "eve.zip").write_bytes(b"PK\x03\x04 and no more")
    code, said = desk.run("grade", "in")
    assert (code, desk.rows()["ada"].points) == (1, 3)
    assert "1 could not be read" in said

    desk.work = lambda text: Outcome(trouble="The sandbox was lost.")
    desk.hand_in("ida")
    code, said = desk.run("grade", "in")
    assert code == 1
    assert "the grader failed on 1: grading again tries them again" in said
    assert desk.rows()["ida"].sentence == "The sandbox was lost."


def test_nothing_to_grade_is_a_2(desk: Desk):
    (desk.folder / "empty").mkdir()

    assert desk.run("grade", "empty") == (2, "Nothing was found in empty.")
    assert desk.run("grade", "in", "-e", "tensor")[1].startswith(
        "There is no exercise 'tensor'. Did you mean"
    )
    code, said = desk.run("grade", "nowhere")
    assert code == 2
    assert "nowhere" in said


@pytest.mark.parametrize(
    "words", [("grade", "empty"), ("grade", "in", "-e", "tensor"), ("grade", "in", "--due", "x")]
)
def test_a_book_in_which_nothing_stands_is_not_kept(desk: Desk, words: tuple[str, ...]):
    (desk.folder / "empty").mkdir()
    assert desk.run(*words)[0] == 2
    assert not (desk.folder / "grades").exists()

    (desk.folder / "grades").mkdir()
    for name in ("notes.txt", "grades.sqlite.last-year"):
        (desk.folder / "grades" / name).write_text("mine")
    desk.run(*words)
    assert {file.name for file in (desk.folder / "grades").iterdir()} == {
        "notes.txt",
        "grades.sqlite.last-year",
    }

    desk.run("grade", "in")
    before = sorted(desk.rows())
    assert desk.run(*words)[0] == 2
    assert sorted(desk.rows()) == before == ["ada", "bob"]


def test_a_class_list_says_who_handed_nothing_in_and_who_is_a_stranger(desk: Desk):
    (desk.folder / "class.csv").write_text(
        "Student,ID,SIS Login ID\n    Points Possible,,\nAda,7,ada\nEve,8,eve\n"
    )
    code, said = desk.run("grade", "in", "--roster", "class.csv")

    assert code == 0
    assert "1 of 3 handed nothing in" in said
    assert "Not on the class list: bob." in said
    assert (desk.rows()["Eve"].outcome, desk.rows()["Eve"].points) == ("missing", None)
    assert next((desk.folder / "grades/feedback").glob("Eve*.html"))
    desk.hand_in("eve")
    code, said = desk.run("grade", "in")  # the list is kept in the book
    assert "handed nothing in" not in said
    assert set(desk.rows()) == {"ada", "bob", "eve"}


def test_a_class_list_that_cannot_be_read_is_said_before_anything_is_graded(desk: Desk):
    (desk.folder / "class.xlsx").write_bytes(b"PK\x03\x04\xff\xfe")
    (desk.folder / "nobody.csv").write_text("name,email\n")

    assert desk.run("grade", "in", "--roster", "class.xlsx") == (
        2, "The class list class.xlsx cannot be read: it is no text in UTF-8, with a line for each.",
    )  # fmt: skip
    assert (
        desk.run("grade", "in", "--roster", "nobody.csv")[1] == "Nobody stands on the class list nobody.csv."
    )
    assert desk.run("grade", "in", "--roster", "gone.csv")[1].startswith(
        "The class list gone.csv cannot be read"
    )
    assert desk.terms == []


def test_what_may_be_for_any_exercise_is_not_called_nothing(desk: Desk):
    """A file that cannot be read, called after its learner: which exercise it is for, nobody knows."""
    (desk.folder / "in" / "eve.py").write_text("def accuracy(predictions, targets:\n    return 1\n")
    code, said = desk.run("grade", "in")

    assert code == 1
    assert "handed nothing in" not in said
    known = json.loads((desk.folder / "grades/grades.json").read_text())["learners"]
    eve = next(one for one in known if one["learner"] == "eve")
    assert {one["word"]: one["outcome"] for one in eve["exercises"]} == {WORD: "untold", "": "refused"}
    page = next((desk.folder / "grades/feedback").glob("eve*.html")).read_text()
    assert "What you handed in may be for first_model; that could not be told." in page


def test_where_our_own_answer_does_not_pass_it_is_a_2(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Hired, "is_well", False)
    code, said = desk.run("grade", "in")

    assert code == 2
    assert said.startswith(
        "Our own answer to first_model does not pass here, so no submission is graded: There"
    )


def test_without_the_sandbox_nothing_is_graded_unless_that_is_allowed(desk: Desk):
    desk.missing = ["This kernel has no namespaces.", "It has no filter of system calls."]
    code, said = desk.run("grade", "in")
    assert code == 2
    assert said.startswith(
        "Learners' code cannot be locked away here, so nothing was graded. This kernel has no namespaces. It "
        "has no filter of system calls. With --allow-unprotected it runs as you do"
    )
    assert desk.asked == []

    assert desk.run("grade", "in", "--allow-unprotected")[0] == 0
    assert not desk.terms[0].protected
    run = desk.rows()["ada"].run
    assert run is not None
    assert run.conditions.unprotected == " ".join(desk.missing)
    page = next((desk.folder / "grades/feedback").glob("ada*.html")).read_text()
    assert "This kernel has no namespaces." in page


def test_where_the_sandbox_is_there_it_is_used_although_doing_without_is_allowed(desk: Desk):
    desk.run("grade", "in", "--allow-unprotected", "--seconds", "5", "--jobs", "3", "--device", "cpu")

    assert desk.terms[0].protected
    assert (desk.terms[0].seconds, desk.terms[0].devices) == (5.0, ("cpu",))
    assert desk.run("grade", "in", "--device", "cuda") == (
        2, "No cuda device is seen here. Without --device every one there is is used.",
    )  # fmt: skip
    assert desk.run("grade", "in", "--device", "gpu")[1].startswith("There is no kind of device called 'gpu'")


def test_rules_are_kept_until_others_are_given(desk: Desk):
    os.utime(desk.folder / "in")
    desk.run("grade", "in", "--due", "2026-11-30T18:00Z", "--late", "10", "--grace", "15", "--keep", "last")
    desk.run("grade", "in", "--closes", "7")
    with GradeBook("grades/grades.sqlite") as book:
        rules = book.rules(WORD)

    assert rules.text() == (
        "Due 2026-11-30 18:00 +0000, with 15 minutes of grace; each day late costs 10 % of what can be "
        "earned; nothing counts after 7 days. The last submission counts."
    )
    assert desk.run("grade", "in", "--due", "never")[0] == 0
    with GradeBook("grades/grades.sqlite") as book:
        assert book.rules(WORD).text() == "There is no due date. The last submission counts."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--due", "soon"], "The due date 'soon' cannot be read."),
        (["--late", "10"], "What lateness costs needs a due date: --due 2026-11-30T18:00."),
        (["--keep", "first"], "What is kept is the best or the last submission, not 'first'."),
    ],
)
def test_rules_that_make_no_sense_are_said_before_anything_is_graded(
    desk: Desk, words: list[str], sentence: str
):
    code, said = desk.run("grade", "in", *words)

    assert code == 2
    assert said.startswith(sentence)
    assert desk.terms == []


# Regrading and overriding ----------------------------------------------------------------------------------


def test_a_regrade_asks_the_same_again_and_says_what_changed(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk.run("grade", "in")
    monkeypatch.setattr(exercises, "version", lambda word: "mended")
    desk.work = lambda text: report(5)
    code, said = desk.run("regrade")

    assert code == 0
    assert "ada, first_model: 3 → 5 of 16 points" in said
    assert "2 results changed." in said
    assert {row.points for row in desk.rows().values()} == {5}
    assert desk.terms[0].seed == desk.terms[1].seed
    assert "Nothing changed." in desk.run("regrade")[1]
    assert desk.run("regrade", "--into", "elsewhere") == (
        2, "There is no grade book in elsewhere. `coursekit grade FOLDER` makes one.",
    )  # fmt: skip


def test_an_exercise_that_is_gone_keeps_the_grades_it_gave(desk: Desk):
    desk.run("grade", "in")
    with GradeBook("grades/grades.sqlite") as book:
        run = book.begin_run(book.runs()[0].conditions)
        gone = Submission("ada", {"metrics": "RATE = 1"})
        book.store(run, "last_year", gone, Result("graded", "old", 4, 8, report(4, "last_year").report))

    assert desk.run("regrade")[0] == 0
    assert desk.rows("last_year")["ada"].points == 4


def test_points_given_by_hand_count_and_are_on_the_page(desk: Desk):
    desk.run("grade", "in")
    code, said = desk.run("override", "ada", WORD, "7.5", "--why", "was ill", "--who", "R. Lang")

    assert (code, said) == (0, f"ada, first_model: 7.5 of {OF} points count, says R. Lang: was ill\n")
    assert desk.rows()["ada"].points == 7.5
    assert "was ill" in next((desk.folder / "grades/feedback").glob("ada*.html")).read_text()
    assert "7.5" in (desk.folder / "grades/canvas.csv").read_text()
    desk.run("override", "ada", WORD, "--take-back", "--why", "was not ill", "--who", "R. Lang")
    assert desk.rows()["ada"].points == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["adda", WORD, "1", "--why", "w", "--who", "me"],
         "The grade book knows nobody called 'adda'. Did you mean 'ada'? --new adds somebody who handed in "
         "nothing."),
        (["AD", WORD, "1", "--why", "w", "--who", "me"],
         "The grade book knows nobody called 'AD'. Did you mean 'ada'?"),
        (["ada", WORD, "1", "--who", "me"], "An override says why: --why 'the due date was moved'."),
        (["ada", WORD, "1", "--why", "w"], "An override says who: --who 'R. Lang'."),
        (["ada", WORD, "--why", "w", "--who", "me"],
         "Say how many points count, or --take-back to let the checks decide again."),
        (["ada", "first", "1", "--why", "w", "--who", "me"], "There is no exercise 'first'."),
        (["ada", WORD, "70", "--why", "w", "--who", "me"],
         f"first_model has {OF} points, and 70 are more. Did you mean a number from 0 to {OF}? --bonus gives "
         "more than can be earned."),
    ],
)  # fmt: skip
def test_an_override_that_cannot_be_meant_is_not_given(desk: Desk, words: list[str], sentence: str):
    desk.run("grade", "in")
    code, said = desk.run("override", *words)

    assert code == 2
    assert said.startswith(sentence)
    assert desk.rows()["ada"].override is None


def test_more_points_than_there_are_have_to_be_meant(desk: Desk):
    desk.run("grade", "in")

    assert desk.run("override", "ada", WORD, "18", "--bonus", "--why", "a proof", "--who", "me")[0] == 0
    assert desk.rows()["ada"].points == 18


def test_somebody_who_handed_in_nothing_can_be_given_points(desk: Desk):
    desk.run("grade", "in")

    assert desk.run("override", "ida", WORD, "4", "--new", "--why", "by mouth", "--who", "me")[0] == 0
    assert desk.rows()["ida"].points == 4


# For real --------------------------------------------------------------------------------------------------


def real(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", REAL, *words]
    environment = {**os.environ, "PYTHONPATH": ROOT, "PYTHONIOENCODING": "utf-8"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, env=environment, start_new_session=True, **pipes)  # type: ignore[call-overload, no-any-return]


def test_ctrl_c_ends_it_in_order_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Real kits in real processes; what the sandbox does for them is tried elsewhere."""
    monkeypatch.chdir(tmp_path)
    right = solution(WORD)
    kinds = {
        "1-right": right,
        "2-starter": starter(WORD),
        "4-wrong": {**right, "metrics": "def accuracy(predictions, targets): return 0\n"},
        "3-ends": {"metrics": "import os\ndef accuracy(predictions, targets): os._exit(0)\n"},
        "5-right": right,
    }
    for learner, files in kinds.items():
        for module, text in files.items():
            file = tmp_path / "in" / learner / "mykit" / f"{module}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    words = ("grade", "in", "--allow-unprotected", "--jobs", "1", "--seconds", "20", "-e", WORD)
    book = tmp_path / "grades" / "grades.sqlite"

    stopped = real(*words)
    while stored(book) < 2 and stopped.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            stopped.wait(0.05)
    stopped.send_signal(signal.SIGINT)
    _, said = stopped.communicate(timeout=120)
    assert stopped.returncode == 2, said
    assert "The same command goes on from here." in said
    assert "Traceback" not in said
    assert 2 <= stored(book) < len(kinds)

    goes_on = real(*words)
    _, said = goes_on.communicate(timeout=300)
    assert goes_on.returncode == 0, said
    with GradeBook(book) as whole:
        assert len(whole.runs()) == 1
        points = {row.learner: row.points for row in whole.standing(WORD)}
    assert points["1-right"] == points["5-right"] == OF
    assert 0 < (points["4-wrong"] or 0) < OF
    assert {points[learner] for learner in ("2-starter", "3-ends")} == {0}
    assert stored(book) == len(kinds)


def stored(book: Path) -> int:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True)) as rows:
            return rows.execute("SELECT count(*) FROM grades").fetchone()[0]
    except sqlite3.OperationalError:  # it is not there yet
        return 0
