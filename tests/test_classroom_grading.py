"""Grading as a whole: each submission once, what fails is tried again, nobody pays for another's fault."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hired import OF, WORD, Hired, report

from coursekit.classroom import grading, handing_out
from coursekit.classroom.changes import changes
from coursekit.classroom.crew import Crew, Outcome
from coursekit.classroom.gradebook import BookError, GradeBook
from coursekit.classroom.grading import OTHER, Graded, GradingStopped, conditions, grade, regrade
from coursekit.classroom.handing_out import Hands, Work
from coursekit.classroom.submission import Submission
from coursekit.classroom.which_exercise import CANNOT_TELL, which_exercises
from coursekit.grader import exercises
from coursekit.grader.report import Report, Result
from coursekit.grader.starter import solution, starter

HERE = conditions(["cpu"], 20.0)


def works(count: int) -> list[Work]:
    return [Work(WORD, {"metrics": str(number)}, number) for number in range(count)]


def through(crew: Crew, some: list[Work], patience: float = 60) -> dict[int, Outcome]:
    """All of it through the hands of a crew; each comes back once."""
    hands = Hands(crew, lambda word: patience)
    done = [one for work in some for one in hands.give(work)] + list(hands.rest())
    assert Counter(work.about for work, _ in done) == Counter(work.about for work in some)
    return {work.about: outcome for work, outcome in done}


# Handing out -----------------------------------------------------------------------------------------------


def test_everything_comes_back_once_and_little_is_in_hand():
    crew = Hired(lambda text: report(3))

    assert set(through(crew, works(50))) == set(range(50))
    assert crew.most <= 2 * crew.size + 1


def test_what_was_in_trouble_is_tried_again_alone_when_the_others_are_done():
    def work(text: str) -> Outcome:
        return Outcome(trouble="lost") if crew.seen.count(text) == 1 and int(text) % 7 == 0 else report(3)

    crew = Hired(work)
    done = through(crew, works(30))

    assert not any(outcome.trouble for outcome in done.values())
    assert crew.seen[-5:] == ["0", "7", "14", "21", "28"]
    assert {crew.alone[text] for text in crew.seen[-5:]} == {1}


def test_trouble_that_stays_is_told_and_costs_nobody_else_anything():
    crew = Hired(lambda text: Outcome(trouble="lost") if text == "3" else report(3))
    done = through(crew, works(20))

    assert [number for number, outcome in done.items() if outcome.trouble] == [3]
    assert Counter(crew.seen)["3"] == 2


def test_many_that_wait_are_tried_before_more_is_taken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(handing_out, "WAITING", 5)
    crew = Hired(lambda text: Outcome(trouble="lost") if int(text) % 2 else report(3))
    done = through(crew, works(40))

    assert sum(bool(outcome.trouble) for outcome in done.values()) == 20
    assert crew.seen.index("1", 5) < crew.seen.index("30")


def test_nothing_is_graded_where_our_own_answer_does_not_pass():
    crew = Hired(lambda text: report(0))
    crew.is_well = False
    with pytest.raises(GradingStopped) as caught:
        through(crew, works(20))

    assert str(caught.value) == (
        "Our own answer to first_model does not pass here, so no submission is graded: There is no sandbox "
        "to be had. Grade again when that is mended: it goes on from here."
    )
    assert crew.seen == []


def test_an_answer_of_ours_that_earns_less_than_all_stops_it_too():
    class Broken(Hired):
        def _work(self, text: str) -> Outcome:
            return report(5)

    with pytest.raises(
        GradingStopped, match=r"does not pass here, so no submission is graded: second\. Yours is 1\."
    ):
        through(Broken(lambda text: report(5)), works(5))


def test_when_nothing_works_any_more_grading_stops_and_blames_no_submission():
    def work(text: str) -> Outcome:
        crew.is_well = int(text) < 20
        return report(3) if crew.is_well else Outcome(trouble="lost")

    crew = Hired(work)
    with pytest.raises(GradingStopped, match="Our own answer to first_model does not pass here"):
        through(crew, works(200))

    assert 30 <= len(crew.seen) < 50


def test_many_troublesome_submissions_in_a_row_stop_nothing_while_our_own_answer_passes():
    crew = Hired(lambda text: Outcome(trouble="lost"))
    done = through(crew, works(45))

    assert len(done) == 45
    assert all(outcome.trouble for outcome in done.values())


def test_who_does_not_come_back_is_given_up_and_the_others_go_on():
    free = threading.Event()
    crew = Hired(lambda text: (free.wait(30), report(3))[1] if text == "4" else report(3))
    try:
        done = through(crew, works(12), patience=1.0)
    finally:
        free.set()

    assert [number for number, outcome in done.items() if outcome.trouble] == [4]
    assert done[4].trouble.startswith("The grader itself did not come back with this after ")


def test_when_nobody_comes_back_grading_stops():
    free = threading.Event()
    crew = Hired(lambda text: (free.wait(30), report(3))[1])
    try:
        with pytest.raises(
            GradingStopped, match="None of the 2 who grade came back with what they had in hand"
        ):
            through(crew, works(12), patience=1.0)
    finally:
        free.set()


def test_work_that_was_put_down_is_handed_out_again():
    def work(text: str) -> Outcome:
        if crew.seen.count(text) == 1 and text == "5":
            raise CancelledError
        return report(3)

    crew = Hired(work)

    assert not any(outcome.trouble for outcome in through(crew, works(10)).values())
    assert Counter(crew.seen)["5"] == 2


def test_an_error_of_the_grader_is_trouble_and_no_end():
    def work(text: str) -> Outcome:
        if text == "2":
            raise ZeroDivisionError("by a mistake of ours")
        return report(3)

    done = through(Hired(work), works(5))
    assert done[2].trouble == "ZeroDivisionError: by a mistake of ours"


def test_when_those_who_grade_are_gone_it_ends_at_once():
    class Gone(Hired):
        def look(self) -> None:
            raise ConnectionError("The cluster is gone.")

    with pytest.raises(ConnectionError, match=r"The cluster is gone\."):
        through(Gone(lambda text: report(3)), works(10))


# Grading into a book ---------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path) -> Iterator[GradeBook]:
    with GradeBook(tmp_path / "grades.sqlite") as book:
        yield book


def course(count: int, read: list[str] | None = None) -> Iterator[Submission]:
    """Submissions of so many learners; notes who was read when."""
    for number in range(count):
        if read is not None:
            read.append(f"learner-{number:03}")
        yield Submission(f"learner-{number:03}", {"metrics": f"{number}"}, (WORD,))


def graded(
    book: GradeBook, crew: Crew, some: Iterator[Submission], words: tuple[str, ...] = ()
) -> list[Graded]:
    return list(grade(some, book, book.begin_run(HERE), crew, words))


def rows(book: GradeBook) -> tuple[int, int]:
    """How many results there are but those of ours, and of how many submissions."""
    order = "SELECT count(*), count(DISTINCT submission) FROM grades WHERE outcome <> 'ours'"
    with contextlib.closing(sqlite3.connect(book.path)) as found:
        return found.execute(order).fetchone()


def test_all_are_graded_once_and_the_next_run_hands_out_nothing(book: GradeBook):
    crew = Hired(lambda text: report(int(text) % 5))

    first = graded(book, crew, course(20))
    assert all(one.is_new and one.outcome == "graded" and one.of == OF for one in first)
    assert {row.learner: row.points for row in book.standing(WORD)} == {
        f"learner-{number:03}": number % 5 for number in range(20)
    }
    again = graded(book, crew, course(20))
    assert len(crew.seen) == 20
    assert not any(one.is_new for one in again)
    assert sorted((one.learner, one.points) for one in again) == sorted(
        (one.learner, one.points) for one in first
    )
    assert [run.number for run in book.runs()] == [1, 2]


def test_grading_that_was_stopped_goes_on_with_the_same_secret(book: GradeBook):
    crew = Hired(lambda text: report(3))
    run = book.begin_run(HERE)
    stopped = grade(course(30), book, run, crew)
    for _ in range(7):
        next(stopped)
    stopped.close()

    goes_on = book.begin_run(HERE)
    assert goes_on == run
    rest = list(grade(course(30), book, goes_on, crew))
    assert len(rest) == 30
    assert sum(one.is_new for one in rest) == 30 - 7
    assert rows(book) == (30, 30)


def test_submissions_are_read_as_they_are_wanted(book: GradeBook):
    read: list[str] = []
    crew = Hired(lambda text: report(3))
    ahead = [len(read) - number for number, _ in enumerate(
        grade(course(60, read), book, book.begin_run(HERE), crew)
    )]  # fmt: skip

    assert max(ahead) <= 2 * crew.size + 2


def test_more_exercises_than_have_a_place_at_once_are_graded_in_turn(
    book: GradeBook, monkeypatch: pytest.MonkeyPatch
):
    """To change from one to another takes seconds, and everybody hands in for all of them."""
    monkeypatch.setattr(grading, "PLACES", 1)
    monkeypatch.setattr(grading, "MOST_WAITING", 12)
    crew = Hired(lambda text: report(OF))
    words: list[str] = []
    hand_out = crew.hand_out
    crew.hand_out = lambda word, files: (words.append(word), hand_out(word, files))[1]  # type: ignore[method-assign]
    several = (WORD, "tensors", "learner")
    said = graded(book, crew, (replace(one, words=()) for one in course(10)), several)

    assert {(one.word, one.learner) for one in said} == {
        (word, f"learner-{number:03}") for word in several for number in range(10)
    }
    assert rows(book) == (30, 30)
    changes = sum(one != other for one, other in pairwise(words))
    assert changes < 10  # ten learners, one after the other, would be thirty


def test_a_failure_of_ours_is_kept_apart_and_tried_again_next_time(book: GradeBook):
    broken = Hired(lambda text: Outcome(trouble="The sandbox was lost.") if text == "3" else report(3))
    first = {one.learner: one for one in graded(book, broken, course(6))}
    assert (first["learner-003"].outcome, first["learner-003"].sentence) == ("ours", "The sandbox was lost.")
    assert [row.points for row in book.standing(WORD)] == [3, 3, 3, None, 3, 3]

    mended = Hired(lambda text: report(3))
    graded(book, mended, course(6))
    assert mended.seen == ["3"]
    assert [row.points for row in book.standing(WORD)] == [3] * 6
    assert rows(book) == (6, 6)


def test_what_cannot_be_read_is_refused_once_and_nobody_is_asked(book: GradeBook):
    crew = Hired(lambda text: report(3))
    bad = Submission("eve", {}, (WORD,), problem="This archive holds more than it should.")
    for is_new in (True, False):
        (one,) = graded(book, crew, iter([bad]))
        assert (one.outcome, one.sentence, one.is_new) == ("refused", bad.problem, is_new)

    (row,) = book.standing(WORD)
    assert (row.outcome, row.points, row.of, row.sentence, row.needs_a_look) == (
        "refused", 0, OF, bad.problem, True,
    )  # fmt: skip
    assert crew.seen == []


def test_without_a_word_of_its_exercise_a_submission_is_known_by_what_it_defines(book: GradeBook):
    crew = Hired(lambda text: report(3))
    told = Submission("ada", {"metrics": "def accuracy(predictions, targets): return 1"})
    empty = Submission("bob", {"notes": "x = 1"})
    elsewhere = Submission("eve", {"metrics": "def accuracy(): return 1"}, ("tensors",))

    found = graded(book, crew, iter([told, empty]))
    assert sorted((one.learner, one.word, one.outcome) for one in found) == [
        ("ada", WORD, "graded"), ("bob", "", "refused"),
    ]  # fmt: skip
    assert next(row for row in book.standing("") if row.learner == "bob").sentence == CANNOT_TELL
    assert graded(book, crew, iter([elsewhere]), (WORD,)) == [Graded("eve", "", OTHER, is_new=False)]
    (ordered,) = graded(book, crew, iter([empty]), (WORD,))
    assert (ordered.word, ordered.outcome) == (WORD, "graded")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (starter(WORD), [WORD]),
        (solution(WORD) | starter("tensors"), [WORD]),
        (solution(WORD) | solution("tensors"), [WORD, "tensors"]),
        ({"metrics": "def accuracy(p, t) return 1"}, [WORD]),
        ({"metrics": "if x:\n" + "".join(f"{' ' * n}if x:\n" for n in range(1, 400))}, [WORD]),
        ({"metrics": "(" * 10_000}, [WORD]),
        ({"metrics": "-" * 200_000 + "1"}, [WORD]),
        (solution("gradient_descent") | {"losses": "def softmax(scores) return 1"}, ["gradient_descent"]),
        ({"plans": "def accuracy(p, t): return 1"}, []),
        ({}, []),
    ],
    ids=[
        "begun",
        "two, one written",
        "two",
        "no Python",
        "deep",
        "brackets",
        "signs",
        "one unread",
        "other module",
        "nothing",
    ],
)
def test_exercises_are_told_from_files_of_any_kind(files: dict[str, str], words: list[str]):
    assert which_exercises(files) == words


def test_a_changed_exercise_is_graded_again_and_the_old_result_stays(
    book: GradeBook, monkeypatch: pytest.MonkeyPatch
):
    graded(book, Hired(lambda text: report(2)), course(3))
    monkeypatch.setattr(exercises, "version", lambda word: "changed")
    again = graded(book, Hired(lambda text: report(5)), course(3))

    assert all(one.is_new for one in again)
    assert [(row.points, row.checks) for row in book.standing(WORD)] == [(5, "changed")] * 3
    assert rows(book) == (6, 3)


def test_two_instructors_grade_into_one_book_at_once(tmp_path: Path):
    def work(text: str) -> Outcome:
        time.sleep(0.002)
        return report(int(text) % 5)

    def instructor(_: int) -> int:
        with GradeBook(tmp_path / "grades.sqlite") as book:
            return sum(one.is_new for one in graded(book, Hired(work), course(60)))

    with ThreadPoolExecutor(2) as two:
        new = sum(two.map(instructor, range(2)))
    with GradeBook(tmp_path / "grades.sqlite") as book:
        assert [row.points for row in book.standing(WORD)] == [number % 5 for number in range(60)]
        if len(book.runs()) == 1:  # else the second began when the first had ended, and asks nobody
            assert rows(book) == (60, 60) == (new, new)


@pytest.mark.parametrize("trouble", ["locked", "full"])
def test_a_book_that_cannot_be_written_ends_it_and_the_next_run_goes_on(tmp_path: Path, trouble: str):
    path = tmp_path / "grades.sqlite"
    crew = Hired(lambda text: report(3))
    with GradeBook(path, patience=0.1) as book, contextlib.closing(sqlite3.connect(path)) as other:
        results = grade(course(40), book, book.begin_run(HERE), crew)
        first = [next(results) for _ in range(5)]
        if trouble == "locked":
            other.execute("BEGIN IMMEDIATE")
        else:
            ((pages,),) = book._rows.execute("PRAGMA page_count")
            book._rows.execute(f"PRAGMA max_page_count = {pages + 2}")
        said = "is locked by another program" if trouble == "locked" else "cannot grow: the disk is full"
        with pytest.raises(BookError, match=said):
            first.extend(results)
        assert rows(book) == (len(first), len(first))

    with GradeBook(path) as book:
        assert len(graded(book, crew, course(40))) == 40
        assert rows(book) == (40, 40)
        assert len(book.runs()) == 1


@pytest.mark.soak
def test_ten_thousand_are_stored_once_each_in_memory_that_does_not_grow(tmp_path: Path):
    """By a crew that has no work, so that all memory is the grader's own."""
    crew = Hired(lambda text: report(3))
    with GradeBook(tmp_path / "grades.sqlite") as book:
        held = []
        for number, _ in enumerate(grade(course(10_000), book, book.begin_run(HERE), crew)):
            if number % 1000 == 999:
                held.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6)
                crew.seen.clear()
                crew.alone.clear()
        assert rows(book) == (10_000, 10_000)
        assert max(held) - held[1] < 10  # megabytes
        assert sum(1 for _ in book.standing(WORD)) == 10_000


# Regrading -------------------------------------------------------------------------------------------------


def test_a_regrade_gives_new_results_with_the_old_secret_and_says_what_changed(book: GradeBook):
    run = book.begin_run(HERE)
    list(grade(course(4), book, run, Hired(lambda text: report(2))))
    book.store(run, WORD, Submission("eve", {}, problem="No."), refused())
    ((secret, numbers),) = book.gradable(WORD).items()
    assert (secret, len(numbers)) == (run.secret, 4)  # there is nothing of eve's to be graded

    again = book.begin_run(HERE, "regrade", secret)
    crew = Hired(lambda text: report(2 + (text == "3")))
    assert len(list(regrade(numbers, book, again, crew))) == 4
    (change,) = changes(book, again)
    assert (change.learner, change.before, change.after) == ("learner-003", 2, 3)
    assert [row.points for row in book.standing(WORD)] == [0, 2, 2, 2, 3]
    assert rows(book) == (4 + 1 + 4, 5)
    assert book.gradable(WORD) == {secret: numbers}


def test_a_regrade_that_was_stopped_goes_on(book: GradeBook):
    list(grade(course(20), book, book.begin_run(HERE), Hired(lambda text: report(2))))
    ((secret, numbers),) = book.gradable(WORD).items()
    crew = Hired(lambda text: report(3))
    stopped = regrade(numbers, book, book.begin_run(HERE, "regrade", secret), crew)
    for _ in range(5):
        next(stopped)
    stopped.close()

    run = book.begin_run(HERE, "regrade", secret)
    rest = list(regrade(numbers, book, run, crew))
    assert sum(one.is_new for one in rest) == 15
    assert rows(book) == (40, 20)
    assert len(list(changes(book, run))) == 20  # of the whole run, and not only since it went on


def test_a_change_names_the_checks_that_are_judged_otherwise(book: GradeBook):
    def made(first: bool, second: bool, extra: str = "", worth: int = 4) -> Outcome:
        checks = [Result("a", "the rate", first, 2), Result("b", "the share", second, 3)]
        checks += [Result("d", "the sum", True, worth)]
        checks += [Result("c", extra, True, 1)] if extra else []
        return Outcome(Report(WORD, "Title", tuple(checks), ("cpu",)).to_json())

    list(grade(course(1), book, book.begin_run(HERE), Hired(lambda text: made(True, False))))
    ((secret, numbers),) = book.gradable(WORD).items()
    run = book.begin_run(HERE, "regrade", secret)
    list(regrade(numbers, book, run, Hired(lambda text: made(False, True, "the rest", 5))))

    (change,) = changes(book, run)
    assert change.text() == (
        "learner-000, first_model: 6 → 9 of 11 points (the rate: fails now; the share: passes now; "
        "the sum: counts 5 points and not 4; the rest: new, passes)"
    )


def refused():
    from coursekit.classroom import records

    return records.Result("refused", exercises.version(WORD), 0, OF, "", "No.")
