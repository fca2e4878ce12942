"""The grade book keeps all it was told, once, through kills, full disks, locks and other people's files."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import coursekit
from coursekit.classroom.book_file import FORMAT
from coursekit.classroom.gradebook import BookError, GradeBook
from coursekit.classroom.records import Result
from coursekit.classroom.rows import Conditions
from coursekit.classroom.rules import Rules
from coursekit.classroom.submission import Submission

ROOT = str(Path(coursekit.__file__).parents[1])
HERE = Conditions("0.1.0", "3.11.7", "2.13.0", "cpu", 20.0, "this machine")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

# Another program that stores results into a book: learner after learner, a line for each that is stored.
STORING = """
import sys
from coursekit.classroom.gradebook import GradeBook
from coursekit.classroom.records import Result
from coursekit.classroom.rows import Conditions
from coursekit.classroom.submission import Submission

path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with GradeBook(path) as book:
    run = book.begin_run(Conditions("0.1.0", "3.11.7", "2.13.0", "cpu", 20.0, "this machine"))
    for number in range(first, last):
        one = Submission(f"learner {number}", {"metrics": f"RATE = {number}"})
        book.store(run, "metrics", one, Result("graded", "checks", 3, 8, "{}" * 500))
        print(number, flush=True)
"""


@pytest.fixture
def book(tmp_path: Path):
    with GradeBook(tmp_path / "grades.sqlite") as book:
        yield book


def handed_in(
    learner: str = "ada", text: str = "RATE = 1", hours: float | None = 0, **more: object
) -> Submission:
    received = None if hours is None else NOON + timedelta(hours=hours)
    return Submission(learner, {"metrics": text}, received=received, **more)  # type: ignore[arg-type]


def graded(points: int = 3, checks: str = "checks") -> Result:
    return Result("graded", checks, points, 8, '{"format": 1}', seconds=0.5)


def storing(path: Path, first: int, last: int, **settings: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STORING, str(path), str(first), str(last)]
    environment = {**os.environ, "PYTHONPATH": ROOT}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **settings
    )  # type: ignore[call-overload, no-any-return]


def counts(path: Path) -> tuple[int, int, int]:
    """How many submissions, results, and different submissions that have one."""
    with contextlib.closing(sqlite3.connect(path)) as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert rows.execute("PRAGMA foreign_key_check").fetchall() == []
        (found,) = rows.execute(
            "SELECT (SELECT count(*) FROM submissions), (SELECT count(*) FROM grades), "
            "(SELECT count(DISTINCT submission) FROM grades)"
        )
    return found


# Runs and secrets ------------------------------------------------------------------------------------------


def test_a_run_that_did_not_end_is_gone_on_with_and_one_that_did_is_not(book: GradeBook):
    first = book.begin_run(HERE)

    assert book.begin_run(HERE) == first
    book.end_run(first)
    second = book.begin_run(HERE)
    assert second.number != first.number
    assert second.secret != first.secret
    assert [run.number for run in book.runs()] == [1, 2]


def test_a_run_under_other_conditions_has_another_secret(book: GradeBook):
    first = book.begin_run(HERE)
    others = [
        Conditions(**{**vars(HERE), name: other})
        for name, other in [("torch", "2.14.0"), ("devices", "cuda"), ("coursekit", "0.2.0"),
                            ("unprotected", "No sandbox."), ("machine", "another"), ("seconds", 60.0)]
    ]  # fmt: skip

    secrets = {book.begin_run(other).secret for other in others} | {first.secret}
    assert len(secrets) == len(others) + 1


def test_a_regrade_asks_with_the_secret_it_is_given(book: GradeBook):
    first = book.begin_run(HERE)
    again = book.begin_run(HERE, "regrade", first.secret)

    assert (again.secret, again.purpose) == (first.secret, "regrade")
    assert again.number != first.number
    assert book.begin_run(HERE, "regrade", first.secret) == again


# Results ---------------------------------------------------------------------------------------------------


def test_a_submission_has_one_result_in_a_run(book: GradeBook):
    run = book.begin_run(HERE)

    assert book.store(run, "metrics", handed_in(), graded(3))
    assert not book.store(run, "metrics", handed_in(), graded(5))
    (row,) = book.standing("metrics")
    assert (row.learner, row.points, row.of, row.handed_in) == ("ada", 3, 8, 1)
    assert counts(book.path) == (1, 1, 1)


@pytest.mark.parametrize(
    ("what", "again"),
    [
        ({}, False),
        ({"torch": "2.14.0"}, True),
        ({"coursekit": "0.2.0"}, True),
        ({"devices": "cuda"}, True),
        ({"python": "3.13.0"}, False),
        ({"machine": "another"}, False),
        ({"unprotected": "No sandbox."}, False),
    ],
)
def test_what_would_give_another_result_is_graded_again(book: GradeBook, what: dict, again: bool):
    book.store(book.begin_run(HERE), "metrics", handed_in(), graded())

    found = book.result("metrics", handed_in(), Conditions(**{**vars(HERE), **what}), "checks")
    assert (found is None) == again


def test_a_result_without_protection_does_not_stand_in_for_one_with_it(book: GradeBook):
    open_to_all = Conditions(**{**vars(HERE), "unprotected": "No sandbox."})
    book.store(book.begin_run(open_to_all), "metrics", handed_in(), graded())

    assert book.result("metrics", handed_in(), HERE, "checks") is None
    assert book.result("metrics", handed_in(), open_to_all, "checks")


@pytest.mark.parametrize("other", [handed_in("bob"), handed_in(text="RATE = 2"), handed_in(hours=1)])
def test_another_learner_content_or_time_is_another_submission(book: GradeBook, other: Submission):
    run = book.begin_run(HERE)
    book.store(run, "metrics", handed_in(), graded())

    assert book.result("metrics", other, HERE, "checks") is None
    assert book.store(run, "metrics", other, graded())


def test_the_same_time_in_another_zone_is_the_same_submission(book: GradeBook):
    from zoneinfo import ZoneInfo

    book.store(book.begin_run(HERE), "metrics", handed_in(), graded())
    elsewhere = Submission("ada", {"metrics": "RATE = 1"}, received=NOON.astimezone(ZoneInfo("Asia/Tokyo")))

    assert book.result("metrics", elsewhere, HERE, "checks")


def test_other_checks_give_a_new_result_beside_the_old_and_it_counts(book: GradeBook):
    run = book.begin_run(HERE)
    book.store(run, "metrics", handed_in(), graded(3, "old"))

    assert book.result("metrics", handed_in(), HERE, "new") is None
    assert book.store(run, "metrics", handed_in(), graded(6, "new"))
    (row,) = book.standing("metrics")
    assert (row.points, row.checks, row.handed_in) == (6, "new", 1)
    assert counts(book.path) == (1, 2, 1)


def test_a_failure_of_ours_never_counts_and_leaves_room_for_the_result(book: GradeBook):
    run = book.begin_run(HERE)
    failed = Result("ours", "checks", 0, 8, "", "The sandbox was lost.")
    assert book.store(run, "metrics", handed_in(), failed)
    (waiting,) = book.standing("metrics")
    assert (waiting.outcome, waiting.points, waiting.needs_a_look) == ("ours", None, True)
    assert waiting.sentence == "The sandbox was lost."
    assert book.result("metrics", handed_in(), HERE, "checks") is None

    assert book.store(run, "metrics", handed_in(), graded(5))
    assert book.store(run, "metrics", handed_in(), failed)  # and one that comes after takes nothing away
    (row,) = book.standing("metrics")
    assert (row.outcome, row.points, row.needs_a_look) == ("graded", 5, False)


def test_what_was_handed_in_is_kept_whole(book: GradeBook):
    files = {"metrics": "RATE = '\\udce9 ß \U0001f600'\n" * 1000, "splits": ""}
    book.store(book.begin_run(HERE), "metrics", Submission("ada", files), graded())
    (row,) = book.standing("metrics")

    assert row.submission is not None
    assert book.files(row.submission) == files
    assert book.whose(row.submission) == ("ada", "metrics")


def test_what_contents_are_compared_by_is_kept_for_each_way_of_reading(book: GradeBook):
    book.store(book.begin_run(HERE), "metrics", handed_in(), graded())
    content = handed_in().sha256
    book.keep_fingerprints("metrics", "one way", {content: {"metrics.accuracy": frozenset({3, 2**39})}})
    book.keep_fingerprints("metrics", "another", {content: {}})

    assert book.fingerprint(content, "metrics", "one way") == {"metrics.accuracy": [3, 2**39]}
    assert book.fingerprint(content, "metrics", "another") == {}
    assert book.fingerprint(content, "metrics", "a third") is None
    assert book.fingerprint(content, "splits", "one way") is None


def test_half_characters_in_names_and_sentences_can_be_stored(book: GradeBook):
    one = Submission(
        "ad\udce9", {}, origin="caf\udce9/ad", notes=("\ud800 left out",), problem="caf\udce9 is no zip."
    )
    book.store(
        book.begin_run(HERE), "metrics", one, Result("refused", "checks", 0, 8, "", "caf\udce9 is no zip.")
    )
    (row,) = book.standing("metrics")

    assert (row.learner, row.origin, row.notes) == ("ad\\udce9", "caf\\udce9/ad", ("\\ud800 left out",))
    assert (row.outcome, row.points, row.sentence) == ("refused", 0, "caf\\udce9 is no zip.")


def test_impossible_points_are_not_stored_and_neither_is_their_submission(book: GradeBook):
    run = book.begin_run(HERE)
    for points in (-1, 9):
        with pytest.raises(BookError, match="CHECK constraint failed"):
            book.store(run, "metrics", handed_in(), graded(points))

    assert counts(book.path) == (0, 0, 0)


# Where learners stand --------------------------------------------------------------------------------------


def test_everybody_the_book_knows_has_a_row_in_each_exercise(book: GradeBook):
    run = book.begin_run(HERE)
    book.store(run, "metrics", handed_in("bob"), graded())
    book.store(run, "tensors", handed_in("ada"), graded())

    assert [(row.learner, row.outcome, row.of) for row in book.standing("metrics")] == [
        ("ada", "missing", 8), ("bob", "graded", 8),
    ]  # fmt: skip
    assert book.words() == ["metrics", "tensors"]


def test_rules_are_kept_in_the_book_and_decide_what_counts(book: GradeBook):
    run = book.begin_run(HERE)
    book.store(run, "metrics", handed_in(text="first", hours=-1), graded(4))
    book.store(run, "metrics", handed_in(text="second", hours=20), graded(8))
    book.set_rules("metrics", Rules(due=NOON, percent_a_day=10, keep="last"))
    (row,) = book.standing("metrics")

    assert (row.points, row.earned, row.days_late, row.handed_in) == (7.2, 8, 1, 2)
    assert row.remarks == ("Handed in 1 day late, which costs 0.8 of 8 points.",)
    (best,) = book.standing("metrics", Rules())
    assert (best.points, best.remarks) == (8, ())
    book.set_rules("metrics", Rules(due=NOON, percent_a_day=10, keep="last"))
    with contextlib.closing(sqlite3.connect(book.path)) as rows:
        assert rows.execute("SELECT count(*) FROM rules").fetchone() == (1,)  # nothing new was said


def test_an_override_counts_with_its_reason_until_it_is_taken_back(book: GradeBook):
    book.store(book.begin_run(HERE), "metrics", handed_in(), graded(3))
    book.override("ada", "metrics", 7.5, why="the task was unclear", who="R. Lang")
    (row,) = book.standing("metrics")

    assert (row.points, row.earned, row.override and row.override.who) == (7.5, 3, "R. Lang")
    assert row.remarks == ("R. Lang gave 7.5 points: the task was unclear",)
    book.override("ada", "metrics", None, why="it was clear", who="R. Lang")
    (row,) = book.standing("metrics")
    assert (row.points, row.override, row.remarks) == (3, None, ())


def test_what_comes_after_an_override_is_said_not_to_count(book: GradeBook):
    book.override("ada", "metrics", 2, why="by mouth", who="R. Lang")
    time.sleep(0.002)
    book.store(book.begin_run(HERE), "metrics", handed_in(), graded(8))
    (row,) = book.standing("metrics")

    assert row.points == 2
    assert row.remarks[-1] == "Something was handed in since then, and does not count."


@pytest.mark.parametrize(
    ("points", "why", "who", "sentence"),
    [
        (-1, "w", "me", "Points are a number from 0 on, not -1."),
        (float("nan"), "w", "me", "Points are a number from 0 on, not nan."),
        (float("inf"), "w", "me", "Points are a number from 0 on, not inf."),
        (1, " ", "me", "An override says why: --why 'the due date was moved'."),
        (1, "w", "", "An override says who: --who 'R. Lang'."),
    ],
)
def test_an_override_needs_points_a_reason_and_a_name(
    book: GradeBook, points: float, why: str, who: str, sentence: str
):
    with pytest.raises(BookError) as caught:
        book.override("ada", "metrics", points, why, who)

    assert str(caught.value) == sentence
    assert book.learners() == []


def test_nothing_can_be_changed_or_removed(book: GradeBook):
    run = book.begin_run(HERE)
    book.store(run, "metrics", handed_in(), graded())
    book.override("ada", "metrics", 1, why="w", who="me")
    book.set_rules("metrics", Rules(keep="last"))
    book.set_roster([("ada",)])
    book.end_run(run)
    book.keep_fingerprints("metrics", "way", {handed_in().sha256: {"metrics.accuracy": {1, 2}}})
    with contextlib.closing(sqlite3.connect(book.path)) as rows:
        tables = [name for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert len(tables) == 9
        for table in tables:
            (column,) = rows.execute(f"SELECT name FROM pragma_table_info('{table}') LIMIT 1").fetchone()
            assert rows.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)
            for order in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
                with pytest.raises(sqlite3.IntegrityError, match="a grade book keeps all it was told"):
                    rows.execute(order)


# Several at once -------------------------------------------------------------------------------------------


def test_several_programs_make_one_book_and_write_into_it_at_once(tmp_path: Path):
    path = tmp_path / "grades.sqlite"
    programs = [storing(path, first, first + 40) for first in (0, 0, 20)]
    for program in programs:
        _, errors = program.communicate(timeout=60)
        assert (program.returncode, errors) == (0, "")

    assert counts(path) == (60, 60, 60)
    with GradeBook(path) as book:
        assert len(book.runs()) == 1  # all of them joined the one that was begun first
        assert len(list(book.standing("metrics"))) == 60
    assert os.listdir(tmp_path) == ["grades.sqlite"]


def test_many_who_make_one_book_at_the_same_moment_all_get_it(tmp_path: Path):
    together = threading.Barrier(6)

    def make(number: int) -> int:
        together.wait()
        with GradeBook(tmp_path / f"{number}.sqlite") as book:
            return book.begin_run(HERE).number

    with ThreadPoolExecutor(6) as six:
        for number in range(12):
            assert set(six.map(make, [number] * 6)) == {1}


def test_a_program_that_is_killed_leaves_each_submission_with_its_result_or_not_at_all(tmp_path: Path):
    path = tmp_path / "grades.sqlite"
    stored = 0
    for kill in range(6):
        program = storing(path, 0, 400)
        assert program.stdout is not None
        lines = [program.stdout.readline() for _ in range(1 + 13 * kill)]
        program.send_signal(signal.SIGKILL)
        lines += program.communicate()[0].splitlines()
        found = counts(path)
        assert found[0] == found[1] == found[2] >= max(stored, len([line for line in lines if line.strip()]))
        stored = found[0]

    program = storing(path, 0, 400)
    assert program.communicate(timeout=60)[1] == ""
    assert counts(path) == (400, 400, 400)


def test_a_book_that_is_moved_with_its_files_has_all_that_was_stored(tmp_path: Path):
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    program = storing(there / "grades.sqlite", 0, 400)
    assert program.stdout is not None
    for _ in range(30):
        program.stdout.readline()
    program.kill()
    program.communicate()
    stored = len(os.listdir(there))
    shutil.move(there, here)

    assert stored == 3  # the book, and two files beside it that a program which ends well takes away
    assert counts(here / "grades.sqlite")[0] >= 30


# Trouble in sentences --------------------------------------------------------------------------------------


def test_a_locked_book_is_waited_for_and_then_named(tmp_path: Path):
    path = tmp_path / "grades.sqlite"
    with GradeBook(path, patience=0.1) as book, contextlib.closing(sqlite3.connect(path)) as other:
        run = book.begin_run(HERE)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BookError) as caught:
            book.store(run, "metrics", handed_in(), graded())
        assert str(caught.value) == (
            f"{path} is locked by another program. Let it finish, or end it, and try again."
        )
        other.rollback()
        assert book.store(run, "metrics", handed_in(), graded())


def limited(most: int):
    """Let a program write files of so many bytes at most: to SQLite that is a disk with no room."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return limit


def test_a_full_disk_is_named_and_what_was_stored_is_whole(tmp_path: Path):
    path = tmp_path / "grades.sqlite"
    program = storing(path, 0, 4000, preexec_fn=limited(400_000))
    lines, errors = program.communicate(timeout=60)

    assert program.returncode == 1
    assert f"BookError: {path} cannot" in errors
    assert "What was stored before is whole; " in errors
    found = counts(path)
    assert 0 < found[0] == found[1] == found[2] >= len(lines.splitlines())
    program = storing(path, 0, 500)  # there is room again
    assert program.communicate(timeout=60)[1] == ""
    assert counts(path)[0] >= 500


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full_to_the_last_byte(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True
    ).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        path = disk / "grades.sqlite"
        program = storing(path, 0, 4000)
        lines, errors = program.communicate(timeout=60)
        assert f"BookError: {path} cannot" in errors
        shutil.copytree(disk, tmp_path / "copy")
        found = counts(tmp_path / "copy" / "grades.sqlite")
        assert 0 < found[0] == found[1] == found[2] >= len(lines.splitlines())
    finally:
        subprocess.run(["umount", disk], check=True)


def test_other_peoples_files_are_named_and_left_as_they_are(tmp_path: Path):
    other = tmp_path / "addresses.sqlite"
    with contextlib.closing(sqlite3.connect(other)) as rows:
        rows.execute("CREATE TABLE addresses (name TEXT)")
        rows.commit()
    text = tmp_path / "grades.csv"
    text.write_text("learner,points\n" * 100)
    before = other.read_bytes(), text.read_bytes()

    with pytest.raises(
        BookError, match=r"is a database of another program\. Choose another file; nothing was changed."
    ):
        GradeBook(other)
    with pytest.raises(BookError, match=r"is no grade book\. Choose another file; nothing was changed."):
        GradeBook(text)
    assert (other.read_bytes(), text.read_bytes()) == before


def test_a_book_of_a_newer_format_is_left_to_a_newer_coursekit(book: GradeBook):
    book.close()
    with contextlib.closing(sqlite3.connect(book.path)) as rows:
        rows.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(
        BookError, match=rf"is a grade book of format {FORMAT + 1}, and this coursekit knows format"
    ):
        GradeBook(book.path)


def test_an_empty_file_becomes_a_book(tmp_path: Path):
    """A program that was killed right at the beginning leaves one."""
    path = tmp_path / "grades.sqlite"
    path.touch()
    with GradeBook(path) as book:
        assert book.learners() == []


def test_a_damaged_book_is_named(book: GradeBook):
    run = book.begin_run(HERE)
    for number in range(200):
        book.store(run, "metrics", handed_in(f"learner {number}"), graded())
    book.close()
    whole = book.path.read_bytes()
    book.path.write_bytes(whole[:4096] + os.urandom(len(whole) - 4096))
    with (
        pytest.raises(BookError, match=r"is damaged\. Take your newest copy of it"),
        GradeBook(book.path) as damaged,
    ):
        list(damaged.standing("metrics"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(BookError, match=r"cannot be made or opened: .* Choose another folder."):
        GradeBook(tmp_path / "file" / "grades.sqlite")


def test_nobody_else_may_read_a_book(tmp_path: Path):
    with GradeBook(tmp_path / "new" / "grades.sqlite") as book:
        book.begin_run(HERE)
        modes = {oct(file.stat().st_mode & 0o777) for file in book.path.parent.iterdir()}

        assert modes == {"0o600"}
        assert len(list(book.path.parent.iterdir())) == 3
        assert oct(book.path.parent.stat().st_mode & 0o777) == "0o700"


def test_a_book_of_an_older_format_gets_what_is_new_and_keeps_all_it_has(book: GradeBook):
    book.override("ada", "tensors", 3, "by mouth", "me")
    book.close()
    with contextlib.closing(sqlite3.connect(book.path)) as rows:
        rows.execute("DROP TABLE rosters")
        rows.execute("PRAGMA user_version = 1")
    with GradeBook(book.path) as newer:
        newer.set_roster([("ada", "7"), ("bob",)])
        newer.set_roster([("ada", "7"), ("eve",)])
        assert newer.roster() == [("ada", "7"), ("eve",)]
        assert newer.learners() == ["ada", "eve"]
        assert [(row.learner, row.points) for row in newer.standing("tensors")] == [("ada", 3), ("eve", None)]
