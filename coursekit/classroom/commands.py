"""`coursekit grade` and `regrade`: what an instructor types; and what all commands on a grade book share.

What they return is part of their contract: 0 when everything has a grade, 1 when something is for a person to
look at (refused, or not graded through no fault of its learner), 2 when they could not run or were stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..progress import WorkspaceError

if TYPE_CHECKING:
    from .gradebook import GradeBook
    from .grading import Graded
    from .ordering import Order
    from .roster import Person

A_LOOK, COULD_NOT_RUN = 1, 2
BOOK = "grades.sqlite"
# So many names are said of those that nobody expected.
SOME = 10

Into = Annotated[Path, typer.Option(help="The folder of the grade book and of what is written from it.")]
Words = Annotated[
    list[str] | None,
    typer.Option("--exercise", "-e", help="Only this exercise; several times for several.", metavar="WORD"),
]
Jobs = Annotated[int | None, typer.Option(help="How many at once; by default one for each core.", min=1)]
Device = Annotated[
    str | None, typer.Option(help="Where learners' code computes: cpu or cuda. By default all there is.")
]
Seconds = Annotated[float, typer.Option(help="The wall clock of one check.", min=1)]
Unprotected = Annotated[
    bool, typer.Option("--allow-unprotected", help="Grade even where learners' code cannot be locked away.")
]
Cluster = Annotated[
    str | None, typer.Option(help="Grade on this Dask cluster: tls://HOST:PORT.", metavar="ADDRESS")
]


Due = Annotated[
    str | None, typer.Option(help="Until when it is on time: 2026-11-30T18:00, or never.", metavar="TIME")
]
Grace = Annotated[float | None, typer.Option(help="So many minutes after that are still on time.")]
Late = Annotated[
    float | None, typer.Option(help="Each day late costs so many percent of what can be earned.")
]
Closes = Annotated[float | None, typer.Option(help="So many days after that nothing counts.")]
Roster = Annotated[
    Path | None, typer.Option(help="The class list: a name on each line, or a table (CSV).", metavar="FILE")
]
Keep = Annotated[str | None, typer.Option(help="Which submission counts: best or last.")]


def grade(
    folders: Annotated[list[Path], typer.Argument(help="What was handed in: folders, zips, downloads.")],
    exercise: Words = None,
    into: Into = Path("grades"),
    jobs: Jobs = None,
    device: Device = None,
    seconds: Seconds = 20.0,
    due: Due = None,
    grace: Grace = None,
    late: Late = None,
    closes: Closes = None,
    keep: Keep = None,
    allow_unprotected: Unprotected = False,
    cluster: Cluster = None,
    roster: Roster = None,
) -> None:
    """Grade submissions into a grade book, and write what is read of it.

    What has a result already is not graded again, so the same command goes on where it was stopped. Rules of
    lateness are kept in the book, for each exercise, until others are given. Returns 0 when everything is
    graded, 1 when something is for a person to look at, 2 when it could not run or was stopped.
    """
    from .intake import read_submissions

    given = _rules(due, grace_minutes=grace, percent_a_day=late, closes_after_days=closes, keep=keep)
    with plainly() as came, book_in(into) as book:
        people = _tried(book, exercise, given, roster)
        order = _order(exercise, jobs, device, seconds, allow_unprotected, cluster)
        came.add(order.grade(read_submissions(folders), book), _about_how_many(folders))
        _refuse_nothing(came, folders, exercise)
        _keep(book, exercise or came.words, given, people)
        _finish(book, into, came)


def regrade(
    exercise: Words = None,
    into: Into = Path("grades"),
    jobs: Jobs = None,
    device: Device = None,
    seconds: Seconds = 20.0,
    allow_unprotected: Unprotected = False,
    cluster: Cluster = None,
) -> None:
    """Grade all submissions of a grade book again, and say what changed.

    For when a check was mended. Each submission is asked what it was asked before; its new result counts, and
    the one before stays in the book. Returns what `grade` returns.
    """
    from .changes import changes

    with plainly() as came, book_in(into, must_exist=True) as book:
        order = _order(exercise, jobs, device, seconds, allow_unprotected, cluster)
        changed = 0
        for run, results in order.regrade(book):
            came.add(results)
            for change in changes(book, run):
                typer.echo(change.text())
                changed += 1
        typer.echo(f"{_many(changed, 'result')} changed." if changed else "Nothing changed.")
        _finish(book, into, came)


@dataclass
class _Came:
    """What came of a command so far."""

    count: int = 0
    new: int = 0
    refused: int = 0
    ours: int = 0
    other: int = 0
    words: list[str] = field(default_factory=list)

    def add(self, results: Iterator[Graded], about: int | None = None) -> None:
        """Take results as they come, and show how many there are, how quickly, and how long it will take."""
        from tqdm import tqdm

        for graded in tqdm(results, total=about, unit=" submissions", disable=None):
            self.count += 1
            self.new += graded.is_new
            self.refused += graded.outcome == "refused"
            self.ours += graded.outcome == "ours"
            self.other += graded.outcome == "other"
            if graded.word and graded.word not in self.words:
                self.words.append(graded.word)

    def text(self) -> str:
        said = [f"{_many(self.new, 'result')} stored"]
        known = self.count - self.new - self.other
        said += [f"{known} were in the book already"] if known else []
        said += [f"{self.other} say that they are for other exercises"] if self.other else []
        said += [f"{self.refused} could not be read"] if self.refused else []
        said += [f"the grader failed on {self.ours}: grading again tries them again"] if self.ours else []
        return "; ".join(said) + "."


def _finish(book: GradeBook, into: Path, came: _Came) -> None:
    """Write what is read of the book, say what came, and end with what that returns."""
    from .neutral import line
    from .results import write_results

    typer.echo(write_results(book, into))
    if strangers := book.presence().strangers:
        named = ", ".join(line(one, 60) for one in strangers[:SOME])
        more = f" and {len(strangers) - SOME} more" if len(strangers) > SOME else ""
        typer.echo(f"Not on the class list: {named}{more}.")
    typer.echo(came.text())
    raise typer.Exit(A_LOOK if came.refused or came.ours else 0)


@contextmanager
def book_in(into: Path, must_exist: bool = False) -> Iterator[GradeBook]:
    """The grade book in a folder; one that is new and stays empty is not kept.

    Raises:
        WorkspaceError: There is none, and there has to be; or it cannot be used.
    """
    from .gradebook import GradeBook

    is_new = not (into / BOOK).exists()
    if must_exist and is_new:
        raise WorkspaceError(f"There is no grade book in {into}. `coursekit grade FOLDER` makes one.")
    with ExitStack() as stack:
        book = stack.enter_context(GradeBook(into / BOOK))
        if is_new:
            stack.callback(_remove_if_empty, book, into)
        yield book


def _remove_if_empty(book: GradeBook, into: Path) -> None:
    """Take away a book in which nothing stands, and its folder if nothing else is in it."""
    if not book.learners():
        book.close()
        for ending in ("", "-wal", "-shm"):  # and no copy that somebody laid beside it
            (into / f"{BOOK}{ending}").unlink(missing_ok=True)
        with suppress(OSError):
            into.rmdir()


@contextmanager
def plainly() -> Iterator[_Came]:
    """Known trouble as one sentence, and Ctrl-C as an orderly end."""
    from .handing_out import GradingStopped
    from .rules import RuleError

    came = _Came()
    try:
        yield came
    except KeyboardInterrupt:
        typer.echo(f"\nStopped. {came.text()} The same command goes on from here.", err=True)
        raise typer.Exit(COULD_NOT_RUN) from None
    except (RuleError, GradingStopped, OSError, ImportError) as error:
        raise WorkspaceError(str(error)) from None


def _rules(due: str | None, **others: Any) -> dict[str, Any]:
    """What was said of the rules, as fields of `Rules`; what was not said stays as it is."""
    from .rules import due_date

    said: dict[str, Any] = {}
    with plainly():
        if due:
            said = {"due": due_date(due)}
    if said and not said["due"]:  # then nothing is late any more
        said |= {"grace_minutes": 0, "percent_a_day": 0, "closes_after_days": None}
    return said | {name: value for name, value in others.items() if value is not None}


def _tried(
    book: GradeBook, words: list[str] | None, given: dict[str, Any], roster: Path | None
) -> list[Person]:
    """See that the rules make sense before hours are spent; who stands on the class list, if there is one."""
    from .roster import read_roster

    for word in words or book.words() or [""]:
        replace(book.rules(word), **given)
    return read_roster(roster) if roster else []


def _keep(book: GradeBook, words: Iterable[str], given: dict[str, Any], people: list[Person]) -> None:
    """Keep the rules and the class list, where some were given."""
    for word in words:
        book.set_rules(word, replace(book.rules(word), **given))
    if people:
        book.set_roster(people)


def _order(*told: Any) -> Order:
    from .ordering import Order

    return Order.of(*told)


def _refuse_nothing(came: _Came, folders: Iterable[Path], words: list[str] | None) -> None:
    """Say so when there was nothing to grade: most likely it is another folder that was meant."""
    if came.count == came.other:
        asked = f" for {' or '.join(words)}" if words else ""
        raise WorkspaceError(f"Nothing{asked} was found in {', '.join(map(str, folders))}.")


def _about_how_many(folders: Iterable[Path]) -> int | None:
    """As many as there are files and folders; to know it better, all would have to be read twice."""
    if not all(folder.is_dir() for folder in folders):
        return None
    return sum(1 for folder in folders for _ in folder.iterdir())


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
