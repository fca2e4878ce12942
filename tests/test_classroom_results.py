"""What is written of a grade book: whatever learners call themselves, it is read as text and nothing else."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas
import pytest
from gradebooks import DUE, HOSTILE, WORD, add, hostile_class, report
from hypothesis import given
from hypothesis import strategies as st

from coursekit.classroom import likenesses
from coursekit.classroom.gradebook import GradeBook
from coursekit.classroom.neutral import cell, file_name, line, tag
from coursekit.classroom.results import ResultsError, gradescope_results, write_results
from coursekit.classroom.rules import Rules
from coursekit.classroom.submission import OWN_CLOCK
from coursekit.classroom.systems import CANVAS_HEAD, WORKSHEET_HEAD, identity
from coursekit.grader.exercises import load
from coursekit.grader.starter import solution

TITLE = load(WORD).title


@pytest.fixture
def book(tmp_path: Path) -> Iterator[GradeBook]:
    """An empty grade book."""
    with GradeBook(tmp_path / "grades.sqlite") as book:
        yield book


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a class in which every name and every message is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    with hostile_class(folder / "grades.sqlite") as book:
        (folder / "said.txt").write_text(write_results(book, folder / "out"), encoding="utf-8")
    return folder


def formulas(text: str) -> list[str]:
    """What a spreadsheet could take for a formula, whatever it divides lines at, and if it drops quotes."""
    parts = [part.lstrip(' "') for part in re.split("[,;|\t]", text)]
    return [part for part in parts if part.startswith(tuple("=+-@%\uff1d\uff0b\uff0d\uff20")) and part != "-"]


def rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


# Text ----------------------------------------------------------------------------------------------------


@given(st.text(alphabet=st.one_of(st.sampled_from("=+-@;,|\t\n\r \"'\uff1dx"), st.characters()), max_size=20))
def test_no_cell_begins_a_formula_wherever_a_line_is_divided(text: str) -> None:
    assert formulas(cell(text)) == [] or cell(text) == "-"
    assert cell(text).isprintable()


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_file_is_one_learners_alone_and_stays_in_its_folder(one: str, other: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*-[0-9a-f]{8}", file_name(one))
    assert (file_name(one).lower() == file_name(other).lower()) == (one == other)


def test_a_line_shows_what_is_not_to_be_seen() -> None:
    assert line("Ana\u202egnp.exe\x1b[2J\n\tBo") == "Ana\\u202egnp.exe\\x1b[2J Bo"
    assert line("e\u0301" + "\u0301" * 3) == "e\u0301\u0301\\u0301\\u0301"
    assert tag("<a href='x'>&\x00") == "&lt;a href=&#x27;x&#x27;&gt;&amp;\\x00"


# Hostile names and messages ------------------------------------------------------------------------------


def test_a_hostile_class_is_written_whole_and_nothing_lies_elsewhere(hostile: Path) -> None:
    files = {file.relative_to(hostile).parts[:2] for file in hostile.rglob("*") if file.is_file()}
    pages = list((hostile / "out" / "feedback").iterdir())

    assert {name for name in files if name[0] == "out"} == {
        ("out", name)
        for name in (
            "overview.html",
            "feedback",
            "grades.json",
            "canvas.csv",
            "moodle.csv",
            "gradescope",
            "moodle",
        )
    }
    assert len(pages) == 2 * len(HOSTILE)
    assert len({page.name.lower() for page in pages}) == len(pages)


def test_spreadsheets_find_no_formula(hostile: Path) -> None:
    for name in ("canvas.csv", "moodle.csv"):
        assert [
            found for row in rows(hostile / "out" / name) for text in row if (found := formulas(text))
        ] == []
        # Not every spreadsheet heeds the quotes around a cell.
        lines = (hostile / "out" / name).read_text(encoding="utf-8").splitlines()
        assert [found for line in lines if (found := formulas(line))] == []


def test_tables_read_back_as_they_were_written(hostile: Path) -> None:
    table = pandas.read_csv(hostile / "out" / "canvas.csv", dtype=str, keep_default_na=False)

    assert list(table.columns) == [*CANVAS_HEAD, TITLE]
    assert len(table) == 2 * len(HOSTILE) + 1
    assert [
        row[0].strip() for row in rows(hostile / "out" / "canvas.csv") if "Points Possible" in row[0]
    ] == ["Points Possible"]
    assert {"Zoë", "山田", "'=1 too", "x;'=1+1"} <= set(table["Student"])
    assert set(table["SIS Login ID"][1:]) >= {"Zoë", "محمد"}


def test_programs_read_the_names_as_they_were(hostile: Path) -> None:
    known = json.loads((hostile / "out" / "grades.json").read_text(encoding="utf-8"))

    assert known["format"] == 1
    assert {"<script>alert(1)</script>", "Ana\u202egnp.exe"} <= {one["learner"] for one in known["learners"]}
    assert len(known["learners"]) == 2 * len(HOSTILE)


def test_the_terminal_is_told_nothing_to_obey(hostile: Path) -> None:
    said = (hostile / "said.txt").read_text(encoding="utf-8")

    assert f"{TITLE} · {2 * len(HOSTILE)} learners" in said
    assert all(one.isprintable() for one in said.replace("\n", ""))


# Grades for other systems --------------------------------------------------------------------------------


def test_canvas_gets_its_own_numbers_and_nothing_for_what_does_not_count(book: GradeBook) -> None:
    of = load(WORD).points
    add(book, "boana (4711)", report({}), origin="submissions.zip/boana_LATE_4711_998_kit-1.zip")
    add(book, "Ana Bo (ana@uni.example)", report({}), origin="assignment_1_export/submission_17/metrics.py")
    add(book, "Chi Do (00123)", report({}), origin="assignment_1_export/submission_18/metrics.py")
    add(book, "dora", report({"what_has_no_method_passes": "differs"}))
    add(book, "emil", None)
    add(book, "fay", "kit.zip is no zip archive.")
    write_results(book, book.path.parent)

    assert rows(book.path.parent / "canvas.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", TITLE],
        ["    Points Possible", "", "", "", "", str(of)],
        ["Ana Bo", "", "", "ana@uni.example", "", str(of)],
        ["Chi Do", "", "00123", "", "", str(of)],
        ["boana", "4711", "", "", "", str(of)],
        ["dora", "", "", "dora", "", str(of - 1)],
        ["fay", "", "", "fay", "", "0"],
    ]


def test_a_number_in_a_name_that_no_system_gave_is_no_number_of_canvas(book: GradeBook) -> None:
    """The part of a path that names the learner counts; what a learner calls a file inside does not."""
    inside = "eve/eve_4711_998_kit.zip"

    assert identity("eve", inside) == ("eve", "eve", "")
    assert identity("eve (4711)", "eve (4711)/eve_4711_998_kit.zip")[2] in ("canvas", "institution")


def test_moodle_gets_users_by_one_full_column_and_participants_in_their_worksheet(book: GradeBook) -> None:
    add(book, "Ana Ruiz (1327627)", report({}), origin="Ana Ruiz_1327627_assignsubmission_file/kit.zip")
    add(book, "bo", report({"what_has_no_method_passes": "differs"}))
    add(book, "chi", None)
    # Canvas's number of a user is somebody else's in Moodle.
    add(book, "boana (4711)", report({}), origin="boana_4711_998_kit.zip")
    add(book, "bo", report({}, "tensors"), word="tensors")
    write_results(book, book.path.parent)
    of = load(WORD).points

    assert rows(book.path.parent / "moodle.csv")[1:] == [["bo", str(load("tensors").points), str(of - 1)]]
    assert rows(book.path.parent / "moodle" / f"{WORD}.csv") == [
        [*WORKSHEET_HEAD],
        ["Participant 1327627", "Ana Ruiz", "", str(of), str(of), "Yes", "-", "-"],
    ]


def test_moodles_column_is_named_by_what_learners_are_known_by(book: GradeBook) -> None:
    add(book, "ana@uni.example", report({}))
    write_results(book, book.path.parent)

    assert rows(book.path.parent / "moodle.csv")[0][0] == "Email address"


def test_points_after_late_rules_are_what_other_systems_get(book: GradeBook) -> None:
    add(book, "ana", report({}), received=DUE + timedelta(hours=30))
    book.set_rules(WORD, Rules(due=DUE, percent_a_day=1.5))
    write_results(book, book.path.parent)
    of = load(WORD).points
    (one,) = json.loads((book.path.parent / "grades.json").read_text())["learners"]
    (page,) = (book.path.parent / "gradescope" / WORD).iterdir()

    assert rows(book.path.parent / "canvas.csv")[2][-1] == f"{of * 0.97:g}"
    assert json.loads(page.read_text())["score"] == of * 0.97
    assert one["exercises"][0]["earned"] == of
    assert one["exercises"][0]["days_late"] == 2
    assert "2 days late" in json.loads(page.read_text())["output"]


def test_gradescope_reads_plain_text_and_one_test_a_check() -> None:
    found = json.loads(
        gradescope_results(report({"what_has_no_method_passes": "raised"}, said="<b>\x1b[2J"), ["A note."])
    )
    exercise = load(WORD)
    test = next(one for one in found["tests"] if one["status"] == "failed")

    assert {"output_format", "test_output_format", "test_name_format"} <= found.keys()
    assert {found[name] for name in found if name.endswith("_format")} == {"text"}
    assert (found["score"], sum(one["max_score"] for one in found["tests"])) == (
        exercise.points - 1,
        exercise.points,
    )
    assert len(found["tests"]) == len(exercise.checks)
    assert "<b>\\x1b[2J" in test["output"]
    assert found["output"] == "A note."


# The whole ------------------------------------------------------------------------------------------------


def test_the_summary_says_what_to_look_at_first(book: GradeBook) -> None:
    for number in range(12):
        fault = ("differs", "makes a list") if number < 5 else "differs" if number < 9 else "unwritten"
        add(book, f"learner {number:02}", report({"each_element_finds_its_own_method": fault}))
    add(book, "ours", None)
    add(book, "unreadable", "kit.zip is no zip archive.")
    add(book, "other", report({}, "tensors"), word="tensors", notes=("notes.txt is no Python: left out.",))
    add(book, "syntax", replace(report({}, "tensors"), problem="There is no such file."), word="tensors")
    for name in "abcd":  # all hang, which says nothing of the task
        add(book, f"hangs {name}", report({"it_carries_the_data_block": "stopped"}))
    said = write_results(book, book.path.parent)

    assert said.count("one and the same answer") == 1
    assert (
        f"{TITLE} · 20 learners · 16 graded · 1 could not be graded · 1 the grader failed on · 2 handed"
        in said
    )
    assert "1. 2 submissions need a person. On 1 the grader failed: grading again tries them again." in said
    assert (
        f'"each element finds its own method" ({TITLE}) failed most: 9 of 16. 5 of them look like "makes'
        in said
    )
    assert "1 learner passed no check, and may need help." in said
    assert "1 learner handed in something that was left out, or is doubtful." in said
    assert (
        '4 failed "each element finds its own method" with one and the same answer, which is no mistake'
        in said
    )


def test_a_check_that_nobody_passes_is_looked_at_itself(book: GradeBook) -> None:
    for name in ("ana", "bo", "chi"):
        add(
            book,
            name,
            report({"what_has_no_method_passes": "raised", "it_carries_the_data_block": "unwritten"}),
        )
    said = write_results(book, book.path.parent)

    assert 'Nobody passed "what has no method passes", and 3 tried: look at the check' in said
    assert 'Nobody passed "it carries' not in said


EACH = """
def each(sample, change):
    {0} = []
    for {1} in sample:
        if isinstance({1}, (list, tuple)) and len({1}) > 3:
            {0}.append(type({1})(change({2}) for {2} in {1}))
        elif {1} is not None and {1} != "nothing":
            {0}.extend([change({1}), change(change({1}))])
        else:
            {0}.insert(0, {1})
    return sorted({0}, key=lambda {2}: str({2})[::-1])
"""


def test_who_wrote_alike_is_known_to_the_instructor_alone(book: GradeBook) -> None:
    """Other names and other spaces do not hide it; and what is like the library is told apart."""
    add(book, "ana", report({}), files={"samples": EACH.format("found", "one", "x")})
    add(book, "bo", report({}), files={"samples": EACH.format("result", "part", "y").replace("    ", "  ")})
    add(book, "chi", report({}), files=solution(WORD))
    said = write_results(book, book.path.parent)
    known = json.loads((book.path.parent / "grades.json").read_text(encoding="utf-8"))["learners"]
    page = (book.path.parent / "feedback" / f"{file_name('ana')}.html").read_text(encoding="utf-8")
    likenesses = [one["exercises"][0]["likenesses"] for one in known]

    assert "1 learner wrote as the library does, and 1 pair of learners wrote alike. This is" in said
    assert likenesses[0] == [{"definition": "samples.each", "learner": "bo", "share": 1.0}]
    assert {one["learner"] for one in likenesses[2]} == {""}
    assert file_name("bo") not in page
    assert "alike" not in page


def test_who_wrote_alike_is_read_out_of_each_text_once(
    book: GradeBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand of them are minutes; what an override or another evening writes again is quick."""
    add(book, "ana", report({}), files={"samples": EACH.format("found", "one", "x")})
    add(book, "bo", report({}), files={"samples": EACH.format("result", "part", "y")})
    monkeypatch.setattr(likenesses, "AT_ONCE", 1)
    found = likenesses.likenesses(book, WORD)
    add(book, "chi", report({}), files={"samples": ""})
    likenesses.likenesses(book, WORD)
    monkeypatch.delattr(likenesses, "fingerprint")

    assert likenesses.likenesses(book, WORD) == found
    assert set(found) == {"ana", "bo"}


def test_whose_clock_told_the_time_is_no_doubt_about_the_work(book: GradeBook) -> None:
    """Each that `coursekit submit` packed has it: a list of everybody would hide those who need a look."""
    add(book, "ana", report({}), notes=(OWN_CLOCK,))
    add(book, "bo", report({}), notes=(OWN_CLOCK, "notes.txt was left out."))
    said = write_results(book, book.path.parent)
    page = (book.path.parent / "overview.html").read_text(encoding="utf-8")

    assert "1 learner handed in something that was left out, or is doubtful." in said
    assert "notes.txt was left out." in page
    assert "own clock told when it was handed in" in page
    assert OWN_CLOCK not in page


def test_what_cannot_be_told_an_exercise_is_to_be_settled(book: GradeBook) -> None:
    add(book, "ana", report({}))
    add(book, "bo", "kit.zip holds no Python.", word="")
    said = write_results(book, book.path.parent)

    assert "1 submission needs a person." in said
    assert "Not told for which exercise · 1 learner · 0 graded · 1 could not be graded\n\n" in said
    assert f"{TITLE} · 1 learner · 1 graded\n" in said  # of bo nobody knows
    assert len(rows(book.path.parent / "canvas.csv")[0]) == len(CANVAS_HEAD) + 1


def test_an_empty_book_gives_empty_results(book: GradeBook) -> None:
    assert "The class at a glance:" in write_results(book, book.path.parent)
    assert json.loads((book.path.parent / "grades.json").read_text()) == {"format": 1, "learners": []}


def test_writing_again_changes_nothing_and_leaves_nothing_unfinished(book: GradeBook) -> None:
    add(book, "ana", report({"what_has_no_method_passes": "differs"}))
    out = book.path.parent / "out"

    def contents() -> dict[str, bytes]:
        write_results(book, out)
        return {str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*") if file.is_file()}

    assert contents() == contents()
    assert not list(out.rglob("*unfinished*"))


def test_a_full_disk_is_one_sentence_and_the_old_page_stays(
    book: GradeBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(book, "ana", report({}))
    write_results(book, book.path.parent)
    before = (book.path.parent / "canvas.csv").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "overview.html")

    monkeypatch.setattr("coursekit.classroom.results.os.replace", full)
    with pytest.raises(
        ResultsError, match=r"overview.html cannot be written: No space left on device. The grade"
    ):
        write_results(book, book.path.parent)

    assert (book.path.parent / "canvas.csv").read_bytes() == before


def test_results_are_written_without_torch() -> None:
    """Results are read and written on the instructor's machine, at once."""
    code = "import sys, coursekit.classroom.results; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
