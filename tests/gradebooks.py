"""Grade books of made-up classes for tests: reports by hand, and names as nobody would wish them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from coursekit.classroom.gradebook import GradeBook
from coursekit.classroom.records import Result as Stored
from coursekit.classroom.rows import GRADED, OURS, REFUSED, Conditions
from coursekit.classroom.submission import Submission
from coursekit.grader.exercises import load
from coursekit.grader.report import Message, Report, Result

WORD = "transforms"
HERE = Conditions("0.1.0", "3.11.2", "2.11.0", "cpu", 20.0, "grader.uni.example")
DUE = datetime(2026, 11, 20, 18, tzinfo=UTC)

# What a name or a message may be made of to do harm where it is read.
HOSTILE = [
    "<script>alert(1)</script>", '"><img src=https://evil.example/x onerror=alert(1)>', "</title></style><b>",
    '=HYPERLINK("https://evil.example";"grade")', "+1+1", "-2+3", "@SUM(1;2)", "\t=1", "\r=1", "\uff1d1+1",
    "x;=1+1", 'x",=1+1', "x,\n=1", "Ana\u202egnp.exe", "\x1b[2J\x1b]0;owned\x07", "..", "../../etc/passwd",
    "CON", "a/b\\c:d", "Points Possible", "    Points Possible", "z" + "\u0301" * 40, "\ud800", "&lt;",
    "{title}{parts}", "x" * 300, "'", "Zoë", "山田", "محمد",
]  # fmt: skip


def report(points: dict[str, int | str | tuple[str, str]], word: str = WORD, said: str = "") -> Report:
    """A report of the exercise's own checks.

    Args:
        points: For a check's name 1 where it passed, else its kind of fault, or that and the known mistake;
            all others passed.
        said: What stands in every message, wherever a learner's text may come to stand.
    """
    exercise = load(word)
    results = []
    for check in exercise.checks:
        came = points.get(check.name, 1)
        kind, mistake = came if isinstance(came, tuple) else (came if isinstance(came, str) else "", "")
        parts = Message(f"f({said})", said, said, "ours", (f"{kind} {said}".strip(),), said, check.hint)
        results.append(
            Result(
                check.name,
                check.title,
                not kind,
                check.points,
                kind,
                parts if kind else Message(),
                0.1,
                mistake,
            )
        )
    return Report(word, exercise.title, tuple(results), ("cpu",))


def add(
    book: GradeBook,
    learner: str,
    came: Report | str | None,
    received: datetime | None = DUE,
    origin: str = "",
    unprotected: str = "",
    word: str = WORD,
    notes: tuple[str, ...] = (),
    files: Mapping[str, str] | None = None,
) -> None:
    """Store a submission: graded with a report, refused with a sentence, or with None failed on by us."""
    conditions = replace(HERE, unprotected=unprotected)
    run = book.begin_run(conditions)
    files = files or {"metrics": f"# {learner!r}"}
    one = Submission(learner, files, (), received, origin or f"{learner}/kit.zip", notes)
    if isinstance(came, Report):
        result = Stored(GRADED, "c" * 64, came.points, came.of, came.to_json(), seconds=0.1)
    elif came is None:
        result = Stored(OURS, "c" * 64, of=load(WORD).points, sentence="no process could be started.")
    else:
        result = Stored(REFUSED, "", of=load(WORD).points, sentence=came)
    book.store(run, word, one, result)


def hostile_class(path: Path) -> GradeBook:
    """A book in which all names and all messages are hostile."""
    book = GradeBook(path)
    checks = [check.name for check in load(WORD).checks]
    for number, name in enumerate(HOSTILE):
        faults = {
            checks[number % len(checks)]: ("differs", name),
            checks[(number + 3) % len(checks)]: "raised",
        }
        add(book, name, report(faults, said=name), origin=f"{name}/kit.zip", notes=(f"{name} was left out.",))
        book.override(f"{name} too", WORD, 3, why=name, who=name)
    return book
