"""The grade book: every submission, result and override, in one SQLite file where rows only ever come in.

Several programs may write into one book at once, and one that is killed leaves it whole: a submission comes
in together with its result, or not at all. The file is for the instructor's eyes alone, since it holds the
secrets that inputs follow from; it may be moved, with the files beside it that begin with its name.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder, GradeBook(f"{folder}/grades.sqlite") as book:
...     book.override("ada", "metrics", 7, why="handed in on paper", who="R. Lang")
...     [(row.learner, row.points, row.outcome) for row in book.standing("metrics")]
[('ada', 7.0, 'missing')]
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from .book_file import BookError, moment, now, utf8
from .records import NEWEST, Records
from .roster import Person, Presence
from .rows import GRADED, MISSING, Grade, Override, Standing
from .rules import Counted, Rules, counting

__all__ = ["BookError", "GradeBook"]


class GradeBook(Records):
    """A grade book in a file, made when there is none; use it in a `with`.

    Args:
        path: Where.
        patience: So many seconds another program may keep it locked.

    Raises:
        BookError: It cannot be opened, or is no grade book, or one of a newer format.
    """

    def override(self, learner: str, word: str, points: float | None, why: str, who: str) -> None:
        """Give a learner points whatever the checks say, or with None take an override back.

        Raises:
            BookError: The points are no number from 0 on, or it is not said why or by whom.
        """
        if points is not None and not (math.isfinite(points) and points >= 0):
            raise BookError(f"Points are a number from 0 on, not {points:g}.")
        for text, missing in ((why, "why: --why 'the due date was moved'"), (who, "who: --who 'R. Lang'")):
            if not text.strip():
                raise BookError(f"An override says {missing}.")
        with self._writing():
            told = (word, utf8(learner), points, utf8(why.strip()), utf8(who.strip()), now())
            self._do("INSERT INTO overrides VALUES (NULL, ?, ?, ?, ?, ?, ?)", *told)

    def set_rules(self, word: str, rules: Rules) -> None:
        """Keep the rules of an exercise; those before stay readable in the file."""
        if rules.to_json() == self.rules(word).to_json():
            return
        with self._writing():
            self._do("INSERT INTO rules VALUES (NULL, ?, ?, ?)", word, rules.to_json(), now())

    def rules(self, word: str) -> Rules:
        """The rules of an exercise as they were last set."""
        rows = self._all("SELECT said FROM rules WHERE word = ? ORDER BY rules DESC LIMIT 1", word)
        return Rules.from_json(rows[0][0]) if rows else Rules()

    def set_roster(self, people: Sequence[Person]) -> None:
        """Keep the class list; those before stay readable in the file."""
        if list(people) == self.roster():
            return
        with self._writing():
            self._do("INSERT INTO rosters VALUES (NULL, ?, ?)", utf8(json.dumps(people)), now())

    def roster(self) -> list[Person]:
        """The class list as it was last given: everybody's names; empty when there is none."""
        rows = self._all("SELECT said FROM rosters ORDER BY roster DESC LIMIT 1")
        return [tuple(names) for names in json.loads(rows[0][0])] if rows else []

    def presence(self) -> Presence:
        """Who of the class list the book does not know, and whom it knows that is not on the list."""
        people = self.roster()
        return Presence.of(people, self._known()) if people else Presence((), ())

    def words(self) -> list[str]:
        """The exercises that something was handed in or overridden for."""
        rows = self._all("SELECT word FROM submissions UNION SELECT word FROM overrides ORDER BY word")
        return [word for (word,) in rows if word]

    def learners(self) -> list[str]:
        """Everybody the book knows of, and who else is on the class list."""
        return sorted({*self._known(), *self.presence().missing})

    def _known(self) -> list[str]:
        """Who handed something in, or was given points."""
        rows = self._all(
            "SELECT learner FROM submissions UNION SELECT learner FROM overrides ORDER BY learner"
        )
        return [learner for (learner,) in rows]

    def standing(self, word: str, rules: Rules | None = None) -> Iterator[Standing]:
        """Where each learner that the book knows stands in an exercise, by name, one at a time.

        Args:
            rules: By default those that were last set.
        """
        rules = rules or self.rules(word)
        of = self._all(
            'SELECT g."of" FROM grades g JOIN submissions USING (submission) WHERE word = ? '
            "ORDER BY grade DESC LIMIT 1", word,
        )  # fmt: skip
        for learner in self.learners():
            yield self._standing(learner, word, rules, of[0][0] if of else 0)

    def grades(self, word: str, learner: str) -> list[Grade]:
        """The newest result of each submission of a learner; a failure of ours only where nothing else is."""
        rows = self._all(
            'SELECT g.grade, s.submission, g.run, g.checks, g.outcome, g.points, g."of", s.received, '
            "s.marked_late, s.came, g.sentence FROM submissions s "
            f"JOIN grades g ON g.grade = ({NEWEST}) WHERE word = ? AND learner = ? ORDER BY s.submission",
            word, learner,
        )  # fmt: skip
        return [_grade(*row) for row in rows]

    def _standing(self, learner: str, word: str, rules: Rules, of: int) -> Standing:
        grades = self.grades(word, learner)
        counted, override = counting(grades, rules), self._override(word, learner)
        row = Standing(learner, word, MISSING, None, of, handed_in=len(grades), override=override)
        if counted:
            row = self._counted(row, counted)
        if override is None:
            return row
        newer = any(grade.came > override.when for grade in grades if override.when)
        said = [f"{override.who} gave {override.points:g} points: {override.why}"]
        said += ["Something was handed in since then, and does not count."] if newer else []
        return replace(row, points=override.points, remarks=(*row.remarks, *said))

    def _counted(self, row: Standing, counted: Counted) -> Standing:
        """The row, with all that is known of the grade that counts."""
        grade = counted.grade
        ((sha256, origin, notes, report, graded),) = self._all(
            "SELECT sha256, origin, notes, report, graded FROM grades JOIN submissions USING (submission) "
            "WHERE grade = ?", grade.number,
        )  # fmt: skip
        return replace(
            row,
            outcome=grade.outcome,
            points=counted.points,
            of=grade.of or row.of,
            earned=grade.points if grade.outcome == GRADED else None,
            days_late=counted.days_late,
            received=grade.received,
            remarks=counted.remarks,
            report=report,
            sentence=grade.sentence,
            submission=grade.submission,
            sha256=sha256,
            origin=origin,
            notes=tuple(json.loads(notes)),
            run=self._run(grade.run),
            checks=grade.checks,
            graded=moment(graded),
        )

    def _override(self, word: str, learner: str) -> Override | None:
        rows = self._all(
            "SELECT points, why, who, given FROM overrides WHERE word = ? AND learner = ? "
            "ORDER BY override DESC LIMIT 1", word, learner,
        )  # fmt: skip
        if not rows or rows[0][0] is None:
            return None
        points, why, who, given = rows[0]
        return Override(points, why, who, moment(given))


def _grade(*row: Any) -> Grade:
    *about, received, marked_late, came, sentence = row
    number, submission, run, checks, outcome, points, of = about
    when = moment(received) if received else None, bool(marked_late), moment(came)
    return Grade(number, submission, run, checks, outcome, points, of, *when, sentence)
