"""Everything that is read of a grade book, written into a folder: pages, tables for other systems, JSON.

    grades/
        overview.html                 the class at a glance, for the instructor
        feedback/LEARNER.html         a page for each learner
        grades.json                   everything, for programs
        canvas.csv, moodle.csv        for the grade books of these systems
        moodle/WORD.csv               Moodle's grading worksheet of one assignment
    gradescope/WORD/LEARNER.json  results.json, as Gradescope's autograders write it

Nothing in the folder is the record: that is the grade book alone, and all of this can be written again.

`grades.json` is `{"format": 1, "learners": [...]}`, sorted by learner; each has a `learner` and a list of
`exercises`, each of these `word`, `outcome` ("graded", "refused", "ours", "missing", or "untold" where what
came may be for it), `points` (null where nothing counts yet), `of`, `earned` (before late rules and
overrides), `days_late`, `received`, `graded`, `remarks`, `sentence`, `notes`, `override`, `submission`,
`sha256`, `checks` (their version), `made` (versions and device), `likenesses` and `results`: for each check
`name`, `passed`, `points`, `of`, `kind`, `mistake`. Texts stand in it as they came: they are data, for a
program to put in its place with care.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from ..grader import exercises
from ..grader.report import Report, Result
from ..grader.wording import clean
from .feedback import feedback_page
from .findings import summary
from .likenesses import likenesses
from .neutral import file_name
from .overview import Line, overview_page
from .rows import MISSING, UNTOLD, Standing
from .systems import Canvas, Moodle, MoodleWorksheet
from .tally import Tally

if TYPE_CHECKING:
    from .gradebook import GradeBook
    from .rules import Rules

FORMAT = 1


# Gradescope shows a learner at most so much of one output, and a page of it is enough.
MOST_OUTPUT = 8000


class Table(Protocol):
    """Something that grows by a learner."""

    def add(self, learner: str, rows: Sequence[Standing]) -> None:
        """Add where a learner stands in each exercise."""


class ResultsError(OSError):
    """The results could not be written; the message says where and why, and that no grade is lost."""


def write_results(book: GradeBook, folder: Path, rules: Rules | None = None) -> str:
    """Write all that is read of a grade book.

    Args:
        folder: Where to; files of the same names are replaced, each whole or not at all.
        rules: What counts; by default the rules of each exercise in the book.

    Returns:
        What came of it, in a few lines for a terminal.

    Raises:
        ResultsError: Something could not be written; the grade book is as it was.
    """
    tallies = [_tally(word) for word in [*book.words(), *_untold(book)]]
    lines: list[Line] = []
    try:
        with _tables(book, folder, tallies) as tables:
            for learner, rows in _learners(book, tallies, rules):
                reports = [_report(row) for row in rows]
                for tally, row, report in zip(tallies, rows, reports, strict=True):
                    tally.add(row, report)
                for table in tables:
                    table.add(learner, rows)
                _write_pages(folder, learner, rows, reports)
                lines.append(Line.of(learner, rows))
        with _writing(folder / "overview.html") as file:
            file.write(overview_page(tallies, lines))
    except OSError as error:
        if isinstance(error, ResultsError):
            raise
        raise ResultsError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}. The grade book is "
            "whole; `coursekit grade` writes the results again."
        ) from None
    return f"{summary(tallies)}\n\nThe class at a glance: {folder / 'overview.html'}"


def _untold(book: GradeBook) -> list[str]:
    """The exercise without a name, where something came in of which could not be told what it is for."""
    return [""] if any(row.outcome != MISSING for row in book.standing("")) else []


def _tally(word: str) -> Tally:
    """The tally of an exercise, also of one that is not there any more."""
    try:
        exercise = exercises.load(word)
    except exercises.UnknownExercise:
        return Tally(word, word or "Not told for which exercise")
    return Tally(word, exercise.title, exercise.points)


def _learners(
    book: GradeBook, tallies: Sequence[Tally], rules: Rules | None
) -> Iterator[tuple[str, list[Standing]]]:
    """Each learner with where they stand in each exercise; one learner at a time is in memory."""
    alike = [likenesses(book, tally.word, rules) for tally in tallies]
    for rows in zip(*(book.standing(tally.word, rules) for tally in tallies), strict=True):
        learner, both = rows[0].learner, zip(rows, alike, strict=True)
        yield learner, _with_untold([replace(row, likenesses=found.get(learner, ())) for row, found in both])


def _with_untold(rows: list[Standing]) -> list[Standing]:
    """Where somebody handed in what may be for any exercise, nobody can say that nothing came for one."""
    if all(row.word or row.outcome == MISSING for row in rows):
        return rows
    may_be = [row.outcome == MISSING and row.override is None for row in rows]
    return [replace(row, outcome=UNTOLD) if one else row for row, one in zip(rows, may_be, strict=True)]


def _report(row: Standing) -> Report | None:
    try:
        return Report.from_json(row.report) if row.report else None
    except ValueError as error:
        again = f"`coursekit regrade` makes a new one for {row.learner} in {row.word}."
        raise ResultsError(f"{error} {again}") from None


# Files ----------------------------------------------------------------------------------------------------


@contextmanager
def _writing(path: Path) -> Iterator[IO[str]]:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.unfinished")
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _write_pages(
    folder: Path, learner: str, rows: Sequence[Standing], reports: Sequence[Report | None]
) -> None:
    """What one learner reads: a page, and for each exercise a file for Gradescope."""
    name = file_name(learner)
    shown = [(row, report) for row, report in zip(rows, reports, strict=True) if row.word or row.handed_in]
    with _writing(folder / "feedback" / f"{name}.html") as file:
        file.write(feedback_page(learner, shown))
    for row, report in shown:
        if row.word and row.outcome not in (MISSING, UNTOLD):
            notes = [*row.remarks, row.sentence, *row.notes]
            with _writing(folder / "gradescope" / row.word / f"{name}.json") as file:
                file.write(gradescope_results(report, notes, row.points or 0.0))


@contextmanager
def _tables(book: GradeBook, folder: Path, tallies: Sequence[Tally]) -> Iterator[list[Table]]:
    """The files that grow by each learner."""
    named = [tally for tally in tallies if tally.word]
    titles = [tally.title for tally in named]
    with ExitStack() as stack:

        def file(name: str) -> IO[str]:
            return stack.enter_context(_writing(folder / name))

        yield [
            Canvas(file("canvas.csv"), titles, [tally.of for tally in named]),
            Moodle(file("moodle.csv"), titles, book.learners()),
            *(MoodleWorksheet(file(f"moodle/{one.word}.csv"), at) for at, one in enumerate(named)),
            stack.enter_context(Everything(file("grades.json"))),
        ]


class Everything:
    """`grades.json`, learner by learner; its form stands at the head of this module."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._between = file, "\n"
        file.write(f'{{"format": {FORMAT}, "learners": [')

    def __enter__(self) -> Everything:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.write("\n]}\n")

    def add(self, learner: str, rows: Sequence[Standing]) -> None:
        """Add a learner."""
        known = [_known(row) for row in rows if row.word or row.handed_in]
        text = json.dumps({"learner": learner, "exercises": known}, ensure_ascii=True)
        self._file.write(f"{self._between}{text}")
        self._between = ",\n"


def _known(row: Standing) -> dict[str, Any]:
    """What `grades.json` says of where a learner stands in one exercise."""
    plain = (
        "word", "outcome", "points", "of", "earned", "days_late", "remarks", "sentence", "notes", "handed_in",
        "submission", "sha256", "origin", "checks",
    )  # fmt: skip
    told: dict[str, Any] = {name: getattr(row, name) for name in plain}
    told |= {name: _time(getattr(row, name)) for name in ("received", "graded")}
    told["likenesses"] = [asdict(one) for one in row.likenesses]
    told["override"] = asdict(row.override) | {"when": _time(row.override.when)} if row.override else None
    told["made"] = asdict(row.run.conditions) if row.run else None
    results = json.loads(row.report)["results"] if row.report else []
    names = ("name", "passed", "points", "of", "kind", "mistake", "seconds")
    told["results"] = [{name: result[name] for name in names} for result in results]
    return told


def _time(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def gradescope_results(report: Report | None, notes: Sequence[str], points: float | None = None) -> str:
    """A report in the form that Gradescope reads as `results.json`.

    Every text is marked as plain: at the top Gradescope would otherwise take it for HTML.

    Args:
        report: None where nothing was graded.
        notes: What is said above the checks, in sentences.
        points: What counts, where that is not what the checks gave.

    >>> json.loads(gradescope_results(None, ["This is no Python."]))["score"]
    0.0
    """
    tests = [] if report is None else [_test(result) for result in report.results]
    about = [*notes, report.problem if report else ""]
    earned = report.points if report else 0
    told = {
        "score": float(earned if points is None else points),
        "output": "\n\n".join(clean(one, MOST_OUTPUT) for one in about if one),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
    return json.dumps(told, ensure_ascii=True, indent=1)


def _test(result: Result) -> dict[str, Any]:
    """One check as Gradescope's test case."""
    return {
        "name": clean(result.title, 200),
        "score": float(result.points),
        "max_score": float(result.of),
        "status": "passed" if result.passed else "failed",
        "output": clean(result.message, MOST_OUTPUT),
        "extra_data": {"kind": result.kind, "mistake": result.mistake},
    }
