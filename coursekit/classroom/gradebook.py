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
import secrets
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .book_file import BookError, BookFile
from .rows import GRADED, MISSING, Conditions, Grade, Override, Run, Standing
from .rules import Counted, Rules, counting

if TYPE_CHECKING:
    from .submission import Submission

__all__ = ["BookError", "GradeBook", "Result"]


@dataclass(frozen=True)
class Result:
    """What came of a submission, as it is to be stored.

    Attributes:
        outcome: "graded", "refused" or "ours".
        checks: The version of the exercise that it was graded by.
        report: As JSON; "" when there is none.
        sentence: Why it was not graded, else "".
    """

    outcome: str
    checks: str = ""
    points: int = 0
    of: int = 0
    report: str = ""
    sentence: str = ""
    seconds: float = 0.0


class GradeBook(BookFile):
    """A grade book in a file, made when there is none; use it in a `with`.

    Args:
        path: Where.
        patience: So many seconds another program may keep it locked.

    Raises:
        BookError: It cannot be opened, or is no grade book, or one of a newer format.
    """

    # Writing ----------------------------------------------------------------------------------------------

    def begin_run(self, conditions: Conditions, purpose: str = "grade", secret: int | None = None) -> Run:
        """Begin a run, or go on with one of the same conditions that did not come to its end.

        Args:
            purpose: "grade" or "regrade".
            secret: What its inputs follow from; by default a new secret, or that of the run gone on with.
        """
        with self._writing():
            there = [
                run
                for run in self._runs("NOT EXISTS (SELECT 1 FROM endings e WHERE e.run = r.run)")
                if (run.conditions, run.purpose) == (conditions, purpose) and secret in (None, run.secret)
            ]
            if there:
                return there[-1]
            kept = secrets.randbits(128) if secret is None else secret
            told = (purpose, f"{kept:x}", *astuple(conditions), _now())
            marks = ", ".join("?" * len(told))
            number = self._do(f"INSERT INTO runs VALUES (NULL, {marks})", *told).lastrowid
            return self._run(int(number or 0))

    def end_run(self, run: Run) -> None:
        """Note that a run came to its end, so that nobody goes on with it."""
        with self._writing():
            self._do("INSERT OR IGNORE INTO endings VALUES (?, ?)", run.number, _now())

    def store(
        self,
        run: Run,
        word: str,
        submission: Submission,
        result: Result,
        marks: Mapping[str, str] | None = None,
    ) -> bool:
        """Store a submission with its result, in one transaction.

        Args:
            word: The exercise it was graded in; "" where it could not be told.
            marks: The fingerprint of each of its definitions.

        Returns:
            Whether the result is new; False when the submission has one in this run.
        """
        with self._writing():
            number = self._hand_in(word, submission)
            for definition, mark in (marks or {}).items():
                self._do("INSERT OR IGNORE INTO fingerprints VALUES (?, ?, ?)", number, definition, mark)
            return self._grade(run, number, result)

    def store_again(self, run: Run, submission: int, result: Result) -> bool:
        """Store another result of a submission that is in the book; as `store`."""
        with self._writing():
            return self._grade(run, submission, result)

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
            told = (word, _text(learner), points, _text(why.strip()), _text(who.strip()), _now())
            self._do("INSERT INTO overrides VALUES (NULL, ?, ?, ?, ?, ?, ?)", *told)

    def set_rules(self, word: str, rules: Rules) -> None:
        """Keep the rules of an exercise; those before stay readable in the file."""
        if rules.to_json() == self.rules(word).to_json():
            return
        with self._writing():
            self._do("INSERT INTO rules VALUES (NULL, ?, ?, ?)", word, rules.to_json(), _now())

    # Reading ----------------------------------------------------------------------------------------------

    def words(self) -> list[str]:
        """The exercises that something was handed in or overridden for."""
        rows = self._all("SELECT word FROM submissions UNION SELECT word FROM overrides ORDER BY word")
        return [word for (word,) in rows if word]

    def learners(self) -> list[str]:
        """Everybody the book knows of."""
        rows = self._all(
            "SELECT learner FROM submissions UNION SELECT learner FROM overrides ORDER BY learner"
        )
        return [learner for (learner,) in rows]

    def rules(self, word: str) -> Rules:
        """The rules of an exercise as they were last set."""
        rows = self._all("SELECT said FROM rules WHERE word = ? ORDER BY rules DESC LIMIT 1", word)
        return Rules.from_json(rows[0][0]) if rows else Rules()

    def runs(self) -> list[Run]:
        """All runs, the oldest first."""
        return list(self._runs("1"))

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
        newest = (
            "SELECT grade FROM grades WHERE submission = s.submission "
            "ORDER BY outcome = 'ours', grade DESC LIMIT 1"
        )
        rows = self._all(
            'SELECT g.grade, s.submission, g.run, g.checks, g.outcome, g.points, g."of", s.received, '
            "s.marked_late, s.came, g.sentence FROM submissions s "
            f"JOIN grades g ON g.grade = ({newest}) WHERE word = ? AND learner = ? ORDER BY s.submission",
            word, learner,
        )  # fmt: skip
        return [_grade(*row) for row in rows]

    def has_result(self, word: str, submission: Submission, conditions: Conditions, checks: str) -> bool:
        """Whether that content of that learner has a result which another run would only give again."""
        rows = self._all(
            "SELECT 1 FROM submissions s JOIN grades g USING (submission) JOIN runs r USING (run) "
            "WHERE word = ? AND learner = ? AND sha256 = ? AND received = ? AND outcome <> 'ours' "
            "AND checks = ? AND coursekit = ? AND torch = ? AND devices = ? "
            "AND unprotected IN ('', ?) LIMIT 1",
            *_identity(word, submission), checks, conditions.coursekit, conditions.torch, conditions.devices,
            conditions.unprotected,
        )  # fmt: skip
        return bool(rows)

    def files(self, submission: int) -> dict[str, str]:
        """The files of a submission: module to source text."""
        ((packed,),) = self._all(
            "SELECT files FROM contents JOIN submissions USING (sha256) WHERE submission = ?", submission
        )
        return json.loads(zlib.decompress(packed))

    def report(self, grade: int) -> str:
        """The report of a result, as JSON; "" when there is none."""
        rows = self._all("SELECT report FROM grades WHERE grade = ?", grade)
        return rows[0][0] if rows else ""

    # Inside -----------------------------------------------------------------------------------------------

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
            graded=_known(graded),
        )

    def _override(self, word: str, learner: str) -> Override | None:
        rows = self._all(
            "SELECT points, why, who, given FROM overrides WHERE word = ? AND learner = ? "
            "ORDER BY override DESC LIMIT 1", word, learner,
        )  # fmt: skip
        if not rows or rows[0][0] is None:
            return None
        points, why, who, given = rows[0]
        return Override(points, why, who, _known(given))

    def _runs(self, condition: str, *values: Any) -> Iterator[Run]:
        for row in self._all(f"SELECT * FROM runs r WHERE {condition} ORDER BY run", *values):
            number, purpose, secret, *conditions, began = row
            yield Run(number, purpose, int(secret, 16), Conditions(*conditions), _known(began))

    def _run(self, number: int) -> Run:
        (run,) = self._runs("run = ?", number)
        return run

    def _hand_in(self, word: str, submission: Submission) -> int:
        """The number of a submission, which comes in if it is not there."""
        files = json.dumps(dict(submission.files), sort_keys=True).encode()
        self._do("INSERT OR IGNORE INTO contents VALUES (?, ?)", submission.sha256, zlib.compress(files))
        identity = _identity(word, submission)
        about = _text(submission.origin), json.dumps([_text(note) for note in submission.notes])
        self._do(
            "INSERT OR IGNORE INTO submissions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            *identity, int(submission.marked_late), _now(), *about,
        )  # fmt: skip
        ((number,),) = self._all(
            "SELECT submission FROM submissions "
            "WHERE word = ? AND learner = ? AND sha256 = ? AND received = ?",
            *identity,
        )  # fmt: skip
        return number

    def _grade(self, run: Run, submission: int, result: Result) -> bool:
        told = (result.checks, result.outcome, result.points, result.of, _text(result.report),
                _text(result.sentence), result.seconds, _now())  # fmt: skip
        done = self._do(
            "INSERT INTO grades VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            submission, run.number, *told,
        )  # fmt: skip
        return done.rowcount == 1


def _identity(word: str, submission: Submission) -> tuple[str, str, str, str]:
    """What makes two submissions one: the exercise, the learner, the content and when it was handed in."""
    received = submission.received.astimezone(UTC).isoformat() if submission.received else ""
    return word, _text(submission.learner), submission.sha256, received


def _grade(*row: Any) -> Grade:
    *about, received, marked_late, came, sentence = row
    number, submission, run, checks, outcome, points, of = about
    when = _time(received), bool(marked_late), _known(came)
    return Grade(number, submission, run, checks, outcome, points, of, *when, sentence)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _known(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(text: str) -> str:
    """Text as UTF-8 can hold it: names of files may hold half characters."""
    return text.encode("utf-8", "backslashreplace").decode()
