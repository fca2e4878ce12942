"""Threads that grade: what is lost through no fault of a submission is tried again, and nothing is left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import pytest

from coursekit.classroom import crew
from coursekit.classroom.crew import Outcome, Terms, outcome_of, threads
from coursekit.grader import process
from coursekit.grader.report import Report
from coursekit.grader.starter import solution, starter

WORD = "gradient_descent"
# These are about who grades and not about the sandbox, which has tests of its own.
TERMS = Terms(seed=2**100 + 5, protected=False)


class Losing:
    """A place that is lost as often as it is told to be, and then starts processes as ever."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, new_python: bool = False) -> process.Job:
        if self.left:
            self.left -= 1
            raise process.CannotStart("The sandbox was lost just now.")
        return process.start(new_python)


def test_many_are_graded_at_once_and_each_gets_its_own() -> None:
    kits = [solution(WORD) if number % 2 else starter(WORD) for number in range(8)]
    with threads(TERMS, jobs=3) as hands:
        outcomes = [outcome_of(one) for one in [hands.hand_out(WORD, kit) for kit in kits]]

    reports = [Report.from_json(one.report) for one in outcomes]
    assert [report.passed for report in reports] == [False, True] * 4
    assert {report.points for report in reports[::2]} == {0}
    assert all(one.seconds > 0 and one.trouble == "" for one in outcomes)


@pytest.mark.parametrize(("times", "is_graded"), [(2, True), (3, False)])
def test_a_lost_place_is_tried_again_and_never_counts(
    monkeypatch: pytest.MonkeyPatch, times: int, is_graded: bool
) -> None:
    losing = Losing(times)
    monkeypatch.setattr(crew.Station, "_start", lambda station, word, stack: losing)
    with threads(TERMS, jobs=1) as hands:
        outcome = outcome_of(hands.hand_out(WORD, solution(WORD)))

    assert (outcome.trouble == "") == is_graded
    assert outcome.report if is_graded else "The sandbox was lost just now." in outcome.trouble


def test_a_fault_of_ours_is_trouble_and_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(batch: object, files: object) -> None:
        raise ZeroDivisionError("a judge divided by nothing")

    monkeypatch.setattr(crew.Batch, "check", broken)
    with threads(TERMS, jobs=1) as hands:
        outcome = outcome_of(hands.hand_out(WORD, solution(WORD)))

    assert (outcome.report, outcome.trouble) == ("", "ZeroDivisionError: a judge divided by nothing")


def test_leaving_early_puts_down_what_was_not_begun() -> None:
    """As Ctrl-C does: nobody waits for a thousand submissions that nobody wants any more."""
    kit, futures = starter(WORD), []

    def leave() -> None:
        with threads(TERMS, jobs=1) as hands:
            futures.extend(hands.hand_out(WORD, kit) for _ in range(1000))
            outcome_of(futures[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert sum(future.cancelled() for future in futures) > 900
    assert crew._stations == {}
    assert [one.name for one in threading.enumerate() if one.name.startswith("grading")] == []
    with pytest.raises(ConnectionError, match="has put it down"):
        outcome_of(futures[-1])


def test_an_error_on_the_way_is_trouble() -> None:
    future: Future[Outcome] = Future()
    future.set_exception(MemoryError("the worker died four times"))

    assert outcome_of(future) == Outcome(trouble="MemoryError: the worker died four times")


def test_each_run_has_a_station_of_its_own() -> None:
    with ThreadPoolExecutor(2) as executor:
        both = [TERMS, replace(TERMS, seed=TERMS.seed + 1)]
        list(executor.map(lambda terms: crew.grade(terms, WORD, {}), both))
        assert set(crew._stations) == set(both)
        for terms in both:
            crew.close(terms)
            crew.close(terms)
    assert crew._stations == {}


def test_only_so_many_exercises_have_a_place_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For another one that ends which was idle longest; what is at work stays."""
    monkeypatch.setattr(crew, "PLACES", 2)
    monkeypatch.setattr(crew, "get_ready", lambda: None)
    ended: list[str] = []
    made = crew.Station._start

    def start(station: crew.Station, word: str, stack: ExitStack) -> Callable[[bool], process.Job]:
        stack.callback(ended.append, word)
        return made(station, word, stack)

    monkeypatch.setattr(crew.Station, "_start", start)
    station = crew.Station(TERMS)
    for word in ("tensors", "learner", "tensors"):
        assert station.grade(word, {}).trouble == ""
    with station._batch("tensors"), station._batch("learner"):
        station.grade("dispatch", {})
        assert ended == []
    station.grade("transforms", {})
    assert ended == ["tensors", "learner"]
    station.grade("dispatch", {})
    station.grade("production", {})
    assert ended == ["tensors", "learner", "transforms"]
    station.close()
    assert set(ended[3:]) == {"dispatch", "production"}
    assert "Grading was ended meanwhile." in station.grade(WORD, {}).trouble


def test_a_place_that_somebody_tidied_away_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of hours must not end because the folder for what does not last was swept."""
    made: list[str] = []
    gone = Losing(times=1000)

    def start(station: crew.Station, word: str, stack: ExitStack) -> Callable[[bool], process.Job]:
        made.append(word)
        stack.callback(made.append, "ended")
        return process.start if len(made) > 1 else gone

    monkeypatch.setattr(crew.Station, "_start", start)
    with threads(TERMS, jobs=1) as hands:
        first, second = (outcome_of(hands.hand_out(WORD, solution(WORD))) for _ in range(2))
        assert (first.trouble, second.trouble) == ("", "")
        assert made == [WORD, "ended", WORD]
    assert made == [WORD, "ended", WORD, "ended"]
