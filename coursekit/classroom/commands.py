"""`coursekit grade`, `regrade` and `override`: what an instructor types.

What they return is part of their contract: 0 when everything has a grade, 1 when something is for a person to
look at (refused, or not graded through no fault of its learner), 2 when they could not run or were stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..progress import WorkspaceError

if TYPE_CHECKING:
    from .gradebook import GradeBook
    from .grading import Graded
    from .ordering import Order

A_LOOK, COULD_NOT_RUN = 1, 2
BOOK = "grades.sqlite"

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
) -> None:
    """Grade submissions into a grade book, and write what is read of it.

    What has a result already is not graded again, so the same command goes on where it was stopped. Rules of
    lateness are kept in the book, for each exercise, until others are given. Returns 0 when everything is
    graded, 1 when something is for a person to look at, 2 when it could not run or was stopped.
    """
    from .intake import read_submissions

    given = _rules(due, grace_minutes=grace, percent_a_day=late, closes_after_days=closes, keep=keep)
    with _plainly() as came, _book(into) as book:
        _try_rules(book, exercise, given)
        order = _order(exercise, jobs, device, seconds, allow_unprotected, cluster)
        came.add(order.grade(read_submissions(folders), book), _about_how_many(folders))
        _refuse_nothing(came, folders, exercise)
        _keep_rules(book, exercise or came.words, given)
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

    with _plainly() as came, _book(into, must_exist=True) as book:
        order = _order(exercise, jobs, device, seconds, allow_unprotected, cluster)
        changed = 0
        for run, results in order.regrade(book):
            came.add(results)
            for change in changes(book, run):
                typer.echo(change.text())
                changed += 1
        typer.echo(f"{_many(changed, 'result')} changed." if changed else "Nothing changed.")
        _finish(book, into, came)


def override(
    learner: Annotated[str, typer.Argument(help="Whose points.")],
    word: Annotated[str, typer.Argument(help="The exercise.")],
    points: Annotated[float | None, typer.Argument(help="What counts, whatever the checks say.")] = None,
    why: Annotated[
        str, typer.Option(help="The reason; it stands in the book and on the learner's page.")
    ] = "",
    who: Annotated[str, typer.Option(help="Who decided.")] = "",
    take_back: Annotated[bool, typer.Option("--take-back", help="Let the checks decide again.")] = False,
    new: Annotated[bool, typer.Option("--new", help="Somebody who handed in nothing.")] = False,
    into: Into = Path("grades"),
) -> None:
    """Give a learner points by hand, with a reason; nothing that was there is lost."""
    from ..grader.exercises import load
    from .results import write_results

    of = load(word).points
    if (points is None) != take_back:
        raise WorkspaceError("Say how many points count, or --take-back to let the checks decide again.")
    with _plainly(), _book(into, must_exist=True) as book:
        if not new:
            _refuse_strangers(book, learner)
        book.override(learner, word, points, why, who)
        said = "What the checks gave counts again" if points is None else f"{points:g} of {of} points count"
        typer.echo(f"{learner}, {word}: {said}, says {who}: {why}")
        write_results(book, into)


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
    from .results import write_results

    typer.echo(write_results(book, into))
    typer.echo(came.text())
    raise typer.Exit(A_LOOK if came.refused or came.ours else 0)


@contextmanager
def _book(into: Path, must_exist: bool = False) -> Iterator[GradeBook]:
    from .gradebook import GradeBook

    if must_exist and not (into / BOOK).exists():
        raise WorkspaceError(f"There is no grade book in {into}. `coursekit grade FOLDER` makes one.")
    with GradeBook(into / BOOK) as book:
        yield book


@contextmanager
def _plainly() -> Iterator[_Came]:
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

    with _plainly():
        said = {"due": due_date(due)} if due else {}
    return said | {name: value for name, value in others.items() if value is not None}


def _try_rules(book: GradeBook, words: list[str] | None, given: dict[str, Any]) -> None:
    """See that the rules make sense before hours are spent."""
    for word in words or book.words() or [""]:
        replace(book.rules(word), **given)


def _keep_rules(book: GradeBook, words: Iterable[str], given: dict[str, Any]) -> None:
    for word in words:
        book.set_rules(word, replace(book.rules(word), **given))


def _order(*told: Any) -> Order:
    from .ordering import Order

    return Order.of(*told)


def _refuse_nothing(came: _Came, folders: Iterable[Path], words: list[str] | None) -> None:
    """Say so when there was nothing to grade: most likely it is another folder that was meant."""
    if came.count == came.other:
        asked = f" for {' or '.join(words)}" if words else ""
        raise WorkspaceError(f"Nothing{asked} was found in {', '.join(map(str, folders))}.")


def _refuse_strangers(book: GradeBook, learner: str) -> None:
    """Say so when the book does not know somebody: most likely a name was mistyped."""
    known = book.learners()
    if learner not in known:
        # Downloads add the system's number to a name, which nobody types by heart.
        begins = [name for name in known if name.casefold().startswith(learner.casefold())]
        near = begins if len(begins) == 1 else get_close_matches(learner, known, n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        raise WorkspaceError(
            f"The grade book knows nobody called {learner!r}.{meant} --new adds somebody who handed in "
            "nothing."
        )


def _about_how_many(folders: Iterable[Path]) -> int | None:
    """As many as there are files and folders; to know it better, all would have to be read twice."""
    if not all(folder.is_dir() for folder in folders):
        return None
    return sum(1 for folder in folders for _ in folder.iterdir())


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
