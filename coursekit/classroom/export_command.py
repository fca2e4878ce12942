"""`coursekit export`: an exercise in the form of another grader."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..progress import WorkspaceError

_GRADESCOPE_SAYS = """\
{file}: upload it under "Configure Autograder", give the assignment {points} points and the container 3 GB
of memory or more: three processes there hold torch.
Learners hand in there what `coursekit submit {word}` packs, the files of their mykit/, or the notebook."""
_NBGRADER_SAYS = """{file}
Next, in {course}: nbgrader generate_assignment {word}"""
_BOTH_SAY = "Its reports say what that grader does not protect; `coursekit grade` takes the same submissions."


def export(
    word: Annotated[str, typer.Argument(help="The exercise, such as first_model.")],
    gradescope: Annotated[
        Path | None, typer.Option(help="Write an autograder for Gradescope: this zip.", metavar="FILE.zip")
    ] = None,
    nbgrader: Annotated[
        Path | None, typer.Option(help="Write an assignment into this course of nbgrader.", metavar="FOLDER")
    ] = None,
) -> None:
    """Write an exercise for another grader: Gradescope, nbgrader or both.

    Both run the same checks, and neither can keep the learner's code apart from what judges it as
    `coursekit grade` does.
    """
    from ..grader.exercises import load
    from .autograder_zip import export_gradescope
    from .exports import export_nbgrader

    points = load(word).points
    if gradescope is None and nbgrader is None:
        raise WorkspaceError("Say for whom: --gradescope FILE.zip, --nbgrader FOLDER, or both.")
    try:
        if gradescope is not None:
            export_gradescope(word, gradescope)
            typer.echo(_GRADESCOPE_SAYS.format(file=gradescope, points=points, word=word))
        if nbgrader is not None:
            file = export_nbgrader(word, nbgrader)
            typer.echo(_NBGRADER_SAYS.format(file=file, course=nbgrader, word=word))
    except OSError as error:
        raise WorkspaceError(f"{error.filename} cannot be written: {error.strerror}.") from None
    typer.echo(_BOTH_SAY)
