"""`coursekit override`: points that a person gives, with a reason."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..progress import WorkspaceError
from .commands import Into, book_in, plainly

if TYPE_CHECKING:
    from .gradebook import GradeBook


def override(
    learner: Annotated[str, typer.Argument(help="Whose points.")],
    word: Annotated[str, typer.Argument(help="The exercise.")],
    points: Annotated[float | None, typer.Argument(help="What counts, whatever the checks say.")] = None,
    why: Annotated[str, typer.Option(help="The reason; its learner reads it too.")] = "",
    who: Annotated[str, typer.Option(help="Who decided.")] = "",
    take_back: Annotated[bool, typer.Option("--take-back", help="Let the checks decide again.")] = False,
    new: Annotated[bool, typer.Option("--new", help="Somebody who handed in nothing.")] = False,
    bonus: Annotated[bool, typer.Option("--bonus", help="More points than can be earned.")] = False,
    into: Into = Path("grades"),
) -> None:
    """Give a learner points by hand, with a reason; nothing that was there is lost."""
    from ..grader.exercises import load
    from .results import write_results

    of = load(word).points
    if (points is None) != take_back:
        raise WorkspaceError("Say how many points count, or --take-back to let the checks decide again.")
    if not bonus:
        _refuse_more(word, points or 0, of)
    with plainly(), book_in(into, must_exist=True) as book:
        if not new:
            _refuse_strangers(book, learner)
        book.override(learner, word, points, why, who)
        said = "What the checks gave counts again" if points is None else f"{points:g} of {of} points count"
        typer.echo(f"{learner}, {word}: {said}, says {who}: {why}")
        write_results(book, into)


def _refuse_more(word: str, points: float, of: int) -> None:
    """Say so when somebody would get more than there is: most likely it is a slip of the finger."""
    if points > of:
        raise WorkspaceError(
            f"{word} has {of} points, and {points:g} are more. Did you mean a number from 0 to {of}? --bonus "
            "gives more than can be earned."
        )


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
