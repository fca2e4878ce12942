"""Due dates, what lateness costs, and which of several submissions counts. Nothing here reads or writes.

>>> rules = Rules(due=datetime(2026, 11, 30, 18, tzinfo=UTC), percent_a_day=10)
>>> days = days_late(datetime(2026, 12, 1, 20, tzinfo=UTC), rules)
>>> days, after_lateness(8, 10, days, rules)
(2, 6.0)
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from .rows import GRADED, OURS, REFUSED, Grade

DAY = timedelta(days=1)
BEST, LAST = "best", "last"


class RuleError(ValueError):
    """A rule that makes no sense; the message says what would."""


@dataclass(frozen=True)
class Rules:
    """How submissions of one exercise count.

    Attributes:
        due: Until when it is on time; None: nothing is late.
        grace_minutes: So long after the due date is still on time.
        percent_a_day: For each day late, begun ones included, so much of what can be earned is taken off.
        closes_after_days: So many days after the due date nothing counts any more; None: it always counts.
        keep: "best" (what counts most) or "last" (the last that could be graded).
    """

    due: datetime | None = None
    grace_minutes: float = 0
    percent_a_day: float = 0
    closes_after_days: float | None = None
    keep: str = BEST

    def __post_init__(self) -> None:
        if self.due is not None and self.due.tzinfo is None:
            raise RuleError(f"The due date {self.due.isoformat()} says no time zone, such as +01:00.")
        if self.keep not in (BEST, LAST):
            raise RuleError(f"What is kept is the best or the last submission, not {self.keep!r}.")
        if not 0 <= self.percent_a_day <= 100:
            raise RuleError(f"A late day costs from 0 to 100 percent, not {self.percent_a_day:g}.")
        for name, number in (("grace", self.grace_minutes), ("last day", self.closes_after_days or 0)):
            if not (math.isfinite(number) and number >= 0):
                raise RuleError(f"The {name} is a number from 0 on, not {number:g}.")
        late = self.grace_minutes or self.percent_a_day or self.closes_after_days is not None
        if late and self.due is None:
            raise RuleError("What lateness costs needs a due date: --due 2026-11-30T18:00.")

    def to_json(self) -> str:
        """The rules as JSON, as a grade book keeps them."""
        return json.dumps(asdict(self) | {"due": self.due.isoformat() if self.due else None})

    @classmethod
    def from_json(cls, text: str) -> Rules:
        """Rules from what `to_json` gave."""
        said = json.loads(text)
        return cls(**said | {"due": datetime.fromisoformat(said["due"]) if said["due"] else None})

    def text(self) -> str:
        """The rules in a sentence or two.

        >>> Rules(keep="last").text()
        'There is no due date. The last submission counts.'
        """
        if self.due is None:
            said = "There is no due date."
        else:
            said = f"Due {self.due:%Y-%m-%d %H:%M %z}"
            said += f", with {self.grace_minutes:g} minutes of grace" if self.grace_minutes else ""
            costs = f"{self.percent_a_day:g} % of what can be earned" if self.percent_a_day else "nothing"
            said += f"; each day late costs {costs}"
            closes = self.closes_after_days
            said += f"; nothing counts after {closes:g} days." if closes is not None else "."
        return f"{said} The {self.keep} submission counts."


def due_date(text: str) -> datetime | None:
    """A due date as it is typed: a day lasts until its end, and without a zone it is this machine's.

    Raises:
        RuleError: It is no date.

    >>> due_date("2026-11-30T18:00+01:00").isoformat(), due_date("never")
    ('2026-11-30T18:00:00+01:00', None)
    """
    if text == "never":
        return None
    try:
        due = datetime.fromisoformat(text)
    except ValueError:
        raise RuleError(
            f"The due date {text!r} cannot be read. Write 2026-11-30, 2026-11-30T18:00, with a zone "
            "2026-11-30T18:00+01:00, or never."
        ) from None
    if len(text) <= len("2026-11-30"):
        due = due.replace(hour=23, minute=59, second=59)
    return due if due.tzinfo else due.astimezone()


@dataclass(frozen=True)
class Counted:
    """The grade that counts, and what became of its points.

    Attributes:
        points: After lateness; None when nothing counts (yet).
    """

    grade: Grade
    points: float | None
    days_late: int
    remarks: tuple[str, ...]


def days_late(received: datetime, rules: Rules) -> int:
    """How many days after the due date, begun ones included; none within the grace."""
    if rules.due is None or received <= rules.due + timedelta(minutes=rules.grace_minutes):
        return 0
    return math.ceil((received - rules.due) / DAY)


def is_closed(received: datetime, rules: Rules) -> bool:
    """Whether it came when nothing counted any more."""
    if rules.due is None or rules.closes_after_days is None or not days_late(received, rules):
        return False
    return received > rules.due + rules.closes_after_days * DAY


def after_lateness(points: float, of: float, days: int, rules: Rules) -> float:
    """What is left of the points after so many days late: never less than nothing."""
    return round(max(0.0, points - days * rules.percent_a_day / 100 * of), 2)


def counting(grades: Sequence[Grade], rules: Rules) -> Counted | None:
    """Which of one learner's grades in an exercise counts, and for how much; None where there is none.

    A submission that was refused counts only where nothing else does, and one that the grader failed on
    never counts: with "last" nothing counts until that is mended, with "best" what is there counts so far.
    """
    graded = [_counted(grade, rules) for grade in grades if grade.outcome == GRADED]
    ours = [grade for grade in grades if grade.outcome == OURS]
    refused = [grade for grade in grades if grade.outcome == REFUSED]
    newest = max(ours, key=_when, default=None)
    waits = rules.keep == LAST and all(_when(one.grade) < _when(newest) for one in graded if newest)
    if newest and (waits or not graded):
        return Counted(newest, None, 0, (_WAITING,))
    if not graded:
        return Counted(max(refused, key=_when), 0.0, 0, ()) if refused else None
    chosen = max(graded, key=(lambda one: _when(one.grade)) if rules.keep == LAST else _worth)
    later = [one for one in refused if _when(one) > _when(chosen.grade)]
    remarks = [_REFUSED_LATER] if later else []
    remarks += [_MAY_RISE] if ours else []
    return Counted(chosen.grade, chosen.points, chosen.days_late, (*chosen.remarks, *remarks))


_WAITING = "The grader failed on this, which is not the learner's fault; grading again tries it again."
_MAY_RISE = "The grader failed on another submission of this learner; grading again tries it again."
_NO_TIME = "When this was handed in is not known, so it counts as on time."
_MARKED = "The learning-management system calls this late; by the due date given here it is not."
_REFUSED_LATER = "Something handed in later could not be graded; this is from before."


def _counted(grade: Grade, rules: Rules) -> Counted:
    """A grade with what its lateness costs, and why."""
    if rules.due is None:
        return Counted(grade, float(grade.points), 0, ())
    days = days_late(grade.received, rules) if grade.received else 0
    marked = (_MARKED,) if grade.marked_late and not days else ()
    if grade.received is None:
        return Counted(grade, float(grade.points), 0, (_NO_TIME, *marked))
    if is_closed(grade.received, rules):
        return Counted(grade, 0.0, days, (f"Handed in {_days(days)} late, when nothing counted any more.",))
    points = after_lateness(grade.points, grade.of, days, rules)
    lost = grade.points - points
    said = f"Handed in {_days(days)} late, which costs {lost:g} of {grade.points} points."
    return Counted(grade, points, days, (said,) if days else marked)


def _days(number: int) -> str:
    return f"{number} day" if number == 1 else f"{number} days"


def _when(grade: Grade) -> tuple[datetime, int]:
    """The order of submissions: when they were handed in, else when they came into the book."""
    return (grade.received or grade.came).astimezone(UTC), grade.submission


def _worth(one: Counted) -> tuple[float, int, float, int]:
    """What is best: most points, and of equals the one that was handed in first."""
    when, number = _when(one.grade)
    return one.points or 0.0, -one.days_late, -when.timestamp(), -number
