"""Due dates, what lateness costs, and which submission counts, for any rules and any times."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.classroom.rows import GRADED, OURS, REFUSED, Grade
from coursekit.classroom.rules import (
    RuleError,
    Rules,
    after_lateness,
    counting,
    days_late,
    due_date,
    is_closed,
)

DUE = datetime(2026, 11, 30, 18, tzinfo=UTC)
RULES = Rules(due=DUE, grace_minutes=15, percent_a_day=10, closes_after_days=7)


def grade(
    number: int, points: int = 5, hours: float | None = 0, outcome: str = GRADED, of: int = 10
) -> Grade:
    """A submission handed in so many hours after the due date; its number says when it came into the book."""
    received = None if hours is None else DUE + timedelta(hours=hours)
    came = DUE + timedelta(days=30, seconds=number)
    earned = points if outcome == GRADED else 0
    return Grade(number, number, 1, "version", outcome, earned, of, received, False, came)


times = st.datetimes(datetime(2026, 11, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
rules = st.builds(
    Rules,
    due=times,
    grace_minutes=st.floats(0, 3000),
    percent_a_day=st.floats(0, 100),
    closes_after_days=st.none() | st.floats(0, 30),
    keep=st.sampled_from(["best", "last"]),
)
outcomes = st.sampled_from([GRADED, GRADED, GRADED, REFUSED, OURS])
grades = st.lists(st.tuples(st.integers(0, 10), st.none() | st.floats(-900, 900), outcomes), max_size=6).map(
    lambda some: [grade(n, points, hours, outcome) for n, (points, hours, outcome) in enumerate(some, 1)]
)


# Lateness --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "days"),
    [
        (timedelta(0), 0),
        (timedelta(minutes=15), 0),
        (timedelta(minutes=15, seconds=1), 1),
        (timedelta(days=1), 1),
        (timedelta(days=1, seconds=1), 2),
        (timedelta(days=-3), 0),
    ],
)
def test_a_day_late_is_one_that_has_begun_once_the_grace_is_over(late: timedelta, days: int):
    assert days_late(DUE + late, RULES) == days


def test_lateness_is_the_same_in_every_time_zone():
    there = (DUE + timedelta(hours=30)).astimezone(timezone(timedelta(hours=-9)))

    assert days_late(there, RULES) == 2


@pytest.mark.parametrize(
    ("points", "days", "left"), [(10, 0, 10), (10, 2, 8), (1, 2, 0), (0, 3, 0), (7, 1, 6)]
)
def test_each_day_costs_a_share_of_what_can_be_earned(points: int, days: int, left: float):
    assert after_lateness(points, 10, days, RULES) == left


def test_after_the_last_day_nothing_counts():
    assert not is_closed(DUE + timedelta(days=7), RULES)
    assert is_closed(DUE + timedelta(days=7, seconds=1), RULES)
    counted = counting([grade(1, 10, 24 * 8)], RULES)
    assert counted is not None
    assert (counted.points, counted.days_late) == (0, 8)
    assert counted.remarks == ("Handed in 8 days late, when nothing counted any more.",)


def test_a_grace_longer_than_the_last_day_is_grace():
    late_but_fine = Rules(due=DUE, grace_minutes=3 * 24 * 60, closes_after_days=1)

    assert not is_closed(DUE + timedelta(days=2), late_but_fine)


@given(rules, st.integers(0, 20), st.lists(times, min_size=2, max_size=2))
def test_handing_in_later_never_gives_more(some: Rules, points: int, two: list[datetime]):
    first, second = sorted(two)
    left = [after_lateness(points, 20, days_late(when, some), some) for when in (first, second)]

    assert 0 <= left[1] <= left[0] <= points
    assert not is_closed(first, some) or is_closed(second, some)


# Which counts ----------------------------------------------------------------------------------------------


def test_the_best_counts_after_lateness_and_not_before():
    early, late = grade(1, 7, -1), grade(2, 10, 24 * 5 - 1)

    assert counting([early, late], RULES).grade is early  # type: ignore[union-attr]
    assert counting([early, late], replace(RULES, percent_a_day=5)).grade is late  # type: ignore[union-attr]


def test_of_equals_the_one_handed_in_first_counts():
    assert counting([grade(1, 5, -1), grade(2, 5, -2)], RULES).grade.number == 2  # type: ignore[union-attr]


def test_the_last_counts_by_when_it_was_handed_in_and_not_by_when_it_was_read():
    last = replace(RULES, keep="last")

    assert counting([grade(1, 3, -1), grade(2, 9, -5)], last).grade.number == 1  # type: ignore[union-attr]


def test_what_could_not_be_read_later_takes_nothing_away():
    counted = counting([grade(1, 8, -2), grade(2, 0, -1, REFUSED)], replace(RULES, keep="last"))

    assert counted is not None
    assert (counted.grade.number, counted.points) == (1, 8)
    assert counted.remarks == ("Something handed in later could not be graded; this is from before.",)


def test_nothing_counts_while_the_grader_has_failed_on_the_last():
    failed = [grade(1, 8, -2), grade(2, 0, -1, OURS)]
    last, best = counting(failed, replace(RULES, keep="last")), counting(failed, RULES)

    assert last is not None
    assert (last.grade.number, last.points) == (2, None)
    assert last.remarks == (
        "The grader failed on this, which is not the learner's fault; grading again tries it again.",
    )
    assert best is not None
    assert (best.grade.number, best.points) == (1, 8)
    assert "failed on another submission" in best.remarks[0]


def test_a_failure_before_the_last_is_no_matter():
    counted = counting([grade(1, 0, -2, OURS), grade(2, 8, -1)], replace(RULES, keep="last"))

    assert counted is not None
    assert (counted.grade.number, counted.points) == (2, 8)


def test_only_what_was_refused_counts_nothing():
    counted = counting([grade(1, 0, -2, REFUSED)], RULES)

    assert counted is not None
    assert (counted.points, counted.grade.outcome) == (0, REFUSED)
    assert counting([], RULES) is None


def test_a_time_that_nobody_knows_is_on_time_and_said():
    counted = counting([replace(grade(1, 8, None), marked_late=True)], RULES)

    assert counted is not None
    assert (counted.points, counted.days_late) == (8, 0)
    assert counted.remarks == (
        "When this was handed in is not known, so it counts as on time.",
        "The learning-management system calls this late; by the due date given here it is not.",
    )


def test_without_a_due_date_nothing_is_said_of_time():
    assert counting([grade(1, 8, None)], Rules()).remarks == ()  # type: ignore[union-attr]


@given(grades, rules)
def test_what_counts_is_one_of_those_there_are_and_never_more_than_it_earned(
    some: list[Grade], given_rules: Rules
):
    counted = counting(some, given_rules)

    assert (counted is None) == (not some)
    if counted is None:
        return
    assert counted.grade in some
    if counted.points is None:
        assert counted.grade.outcome == OURS
    else:
        assert 0 <= counted.points <= counted.grade.points
        assert counted.grade.outcome != OURS
    if given_rules.keep == "best" and counted.points is not None:
        alone = [counting([one], given_rules) for one in some if one.outcome == GRADED]
        assert counted.points == max((one.points for one in alone if one), default=0)


@given(grades, rules)
def test_the_order_in_which_they_were_read_is_no_matter(some: list[Grade], given_rules: Rules):
    assert counting(some, given_rules) == counting(some[::-1], given_rules)


# Rules as they are typed and kept --------------------------------------------------------------------------


@given(rules)
def test_a_book_gives_rules_back_as_they_were(some: Rules):
    assert Rules.from_json(some.to_json()) == some


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"keep": "first"}, "What is kept is the best or the last submission, not 'first'."),
        ({"due": DUE, "percent_a_day": 120}, "A late day costs from 0 to 100 percent, not 120."),
        ({"due": DUE, "grace_minutes": -5}, "The grace is a number from 0 on, not -5."),
        ({"due": DUE, "closes_after_days": float("nan")}, "The last day is a number from 0 on, not nan."),
        ({"due": DUE, "percent_a_day": float("nan")}, "A late day costs from 0 to 100 percent, not nan."),
        ({"percent_a_day": 10}, "What lateness costs needs a due date: --due 2026-11-30T18:00."),
        (
            {"due": datetime(2026, 11, 30)},
            "The due date 2026-11-30T00:00:00 says no time zone, such as +01:00.",
        ),
    ],
)
def test_rules_that_make_no_sense_say_what_would(said: dict, sentence: str):
    with pytest.raises(RuleError) as caught:
        Rules(**said)

    assert str(caught.value) == sentence


def test_a_due_date_is_typed_in_several_ways():
    assert due_date("2026-11-30T18:00Z") == DUE
    assert due_date("2026-11-30T19:00+01:00") == DUE
    assert due_date("never") is None
    here = due_date("2026-11-30T18:00")
    assert here is not None
    assert here.utcoffset() is not None
    assert due_date("2026-11-30").strftime("%H:%M:%S") == "23:59:59"  # type: ignore[union-attr]
    with pytest.raises(
        RuleError, match=r"The due date 'tomorrow' cannot be read. Write 2026-11-30, 2026-11-30T18:00"
    ):
        due_date("tomorrow")


def test_rules_read_as_sentences():
    assert RULES.text() == (
        "Due 2026-11-30 18:00 +0000, with 15 minutes of grace; each day late costs 10 % of what can be "
        "earned; nothing counts after 7 days. The best submission counts."
    )
    assert Rules(due=DUE).text() == (
        "Due 2026-11-30 18:00 +0000; each day late costs nothing. The best submission counts."
    )
