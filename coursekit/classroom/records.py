"""What a grade book records: runs, submissions and results, a submission together with its result."""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from .book_file import BookFile, moment, now, utf8
from .rows import Conditions, Run

if TYPE_CHECKING:
    from .submission import Submission

# Of a submission's results the newest counts; a failure of the grader's own only where there is no other.
NEWEST = (
    "SELECT grade FROM grades WHERE submission = s.submission ORDER BY outcome = 'ours', grade DESC LIMIT 1"
)


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


class Records(BookFile):
    """The runs, submissions and results of a grade book."""

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
            told = (purpose, f"{kept:x}", *astuple(conditions), now())
            marks = ", ".join("?" * len(told))
            number = self._do(f"INSERT INTO runs VALUES (NULL, {marks})", *told).lastrowid
            return self._run(int(number or 0))

    def end_run(self, run: Run) -> None:
        """Note that a run came to its end, so that nobody goes on with it."""
        with self._writing():
            self._do("INSERT OR IGNORE INTO endings VALUES (?, ?)", run.number, now())

    def store(self, run: Run, word: str, submission: Submission, result: Result) -> bool:
        """Store a submission with its result, in one transaction.

        Args:
            word: The exercise it was graded in; "" where it could not be told.

        Returns:
            Whether the result is new; False when the submission has one in this run.
        """
        with self._writing():
            number = self._hand_in(word, submission)
            return self._grade(run, number, result)

    def store_again(self, run: Run, submission: int, result: Result) -> bool:
        """Store another result of a submission that is in the book; as `store`."""
        with self._writing():
            return self._grade(run, submission, result)

    def runs(self) -> list[Run]:
        """All runs, the oldest first."""
        return list(self._runs("1"))

    def result(self, word: str, submission: Submission, conditions: Conditions, checks: str) -> Result | None:
        """The result, without its report, that another run would only give again; None when there is none."""
        rows = self._all(
            'SELECT outcome, checks, points, "of", sentence, g.seconds '
            "FROM submissions s JOIN grades g USING (submission) JOIN runs r USING (run) "
            "WHERE word = ? AND learner = ? AND sha256 = ? AND received = ? AND outcome <> 'ours' "
            "AND checks = ? AND coursekit = ? AND torch = ? AND devices = ? AND unprotected IN ('', ?) "
            "ORDER BY grade DESC LIMIT 1",
            *_identity(word, submission), checks, conditions.coursekit, conditions.torch, conditions.devices,
            conditions.unprotected,
        )  # fmt: skip
        if not rows:
            return None
        outcome, checks, points, of, sentence, seconds = rows[0]
        return Result(outcome, checks, points, of, "", sentence, seconds)

    def results(self, run: Run) -> Iterator[tuple[int, Result, Result | None]]:
        """What a run gave: each submission with its result, and the one it had before."""
        before = (
            "SELECT grade FROM grades WHERE submission = g.submission AND grade < g.grade "
            "AND run <> g.run AND outcome <> 'ours' ORDER BY grade DESC LIMIT 1"
        )
        rows = self._all(
            f"SELECT submission, grade, ({before}) FROM grades g WHERE run = ? AND outcome <> 'ours' "
            "ORDER BY submission, grade", run.number,
        )  # fmt: skip
        for submission, grade, earlier in rows:
            yield submission, self._result(grade), self._result(earlier) if earlier else None

    def is_done(self, run: Run, submission: int, checks: str) -> bool:
        """Whether a submission has its result in this run."""
        order = "SELECT 1 FROM grades WHERE submission = ? AND run = ? AND checks = ? AND outcome <> 'ours'"
        return bool(self._all(order, submission, run.number, checks))

    def gradable(self, word: str) -> dict[int, list[int]]:
        """The submissions of an exercise that can be graded again, by the secret they were asked with."""
        rows = self._all(
            f"SELECT secret, s.submission FROM submissions s JOIN grades g ON g.grade = ({NEWEST}) "
            "JOIN runs USING (run) WHERE word = ? AND outcome <> 'refused' ORDER BY s.submission", word,
        )  # fmt: skip
        found: dict[int, list[int]] = {}
        for secret, submission in rows:
            found.setdefault(int(secret, 16), []).append(submission)
        return found

    def whose(self, submission: int) -> tuple[str, str]:
        """The learner and the exercise of a submission."""
        (row,) = self._all("SELECT learner, word FROM submissions WHERE submission = ?", submission)
        return row

    def files(self, submission: int) -> dict[str, str]:
        """The files of a submission: module to source text."""
        ((packed,),) = self._all(
            "SELECT files FROM contents JOIN submissions USING (sha256) WHERE submission = ?", submission
        )
        return json.loads(zlib.decompress(packed))

    def fingerprint(self, sha256: str, word: str, way: str) -> dict[str, list[int]] | None:
        """What was kept of a content to compare it by; None where nothing was, or read in another way."""
        order = "SELECT pieces FROM fingerprints WHERE sha256 = ? AND word = ? AND way = ?"
        rows = self._all(order, sha256, word, way)
        return json.loads(zlib.decompress(rows[0][0])) if rows else None

    def keep_fingerprints(
        self, word: str, way: str, found: Mapping[str, Mapping[str, Collection[int]]]
    ) -> None:
        """Keep what contents are compared by, all in one transaction.

        Args:
            way: How they were read: `likeness.way_of_reading`.
            found: By the content's sha256, what `likeness.fingerprint` gave.
        """
        with self._writing():
            for sha256, parts in found.items():
                text = json.dumps({name: sorted(pieces) for name, pieces in parts.items()})
                packed = zlib.compress(text.encode())
                self._do("INSERT OR IGNORE INTO fingerprints VALUES (?, ?, ?, ?)", sha256, word, way, packed)

    def _runs(self, condition: str, *values: Any) -> Iterator[Run]:
        for row in self._all(f"SELECT * FROM runs r WHERE {condition} ORDER BY run", *values):
            number, purpose, secret, *conditions, began = row
            yield Run(number, purpose, int(secret, 16), Conditions(*conditions), moment(began))

    def _run(self, number: int) -> Run:
        (run,) = self._runs("run = ?", number)
        return run

    def _result(self, grade: int) -> Result:
        order = 'SELECT outcome, checks, points, "of", report, sentence, seconds FROM grades WHERE grade = ?'
        return Result(*self._all(order, grade)[0])

    def _hand_in(self, word: str, submission: Submission) -> int:
        """The number of a submission, which comes in if it is not there."""
        files = json.dumps(dict(submission.files), sort_keys=True).encode()
        self._do("INSERT OR IGNORE INTO contents VALUES (?, ?)", submission.sha256, zlib.compress(files))
        identity = _identity(word, submission)
        about = utf8(submission.origin), json.dumps([utf8(note) for note in submission.notes])
        self._do(
            "INSERT OR IGNORE INTO submissions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            *identity, int(submission.marked_late), now(), *about,
        )  # fmt: skip
        ((number,),) = self._all(
            "SELECT submission FROM submissions "
            "WHERE word = ? AND learner = ? AND sha256 = ? AND received = ?",
            *identity,
        )  # fmt: skip
        return number

    def _grade(self, run: Run, submission: int, result: Result) -> bool:
        told = (result.checks, result.outcome, result.points, result.of, utf8(result.report),
                utf8(result.sentence), result.seconds, now())  # fmt: skip
        done = self._do(
            "INSERT INTO grades VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            submission, run.number, *told,
        )  # fmt: skip
        return done.rowcount == 1


def _identity(word: str, submission: Submission) -> tuple[str, str, str, str]:
    """What makes two submissions one: the exercise, the learner, the content and when it was handed in."""
    received = submission.received.astimezone(UTC).isoformat() if submission.received else ""
    return word, utf8(submission.learner), submission.sha256, received
