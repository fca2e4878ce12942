"""The command line: `coursekit start`, `check`, `watch`, `submit`, `status`, `lesson`, `doctor`, `predict`,
`serve` and `data`; and for who teaches with it, `grade`, `regrade`, `override` and `export`.

It answers at once: nothing here loads torch until a command needs it. What a command returns is part of its
contract: 0 for all passed or done, 1 for a check that failed, 2 for what could not be run.

>>> " ".join(sorted(command.callback.__name__ for command in app.registered_commands))
'check doctor export grade lesson override predict regrade serve start status submit watch'
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from . import __version__, data, workspace
from .classroom.commands import grade, regrade
from .classroom.export_command import export
from .classroom.override_command import override
from .kit import KitError, KitWarning
from .progress import WorkspaceError, WorkspaceWarning, write_whole

FAILED, COULD_NOT_RUN = 1, 2

app = typer.Typer(
    help="Build a small deep-learning library piece by piece, and check each piece against ours.",
    epilog="Example: coursekit start first_model",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.add_typer(data.app, name="data")
app.command(epilog="Example: coursekit grade submissions --due 2026-11-30T18:00 --late 10")(grade)
app.command(epilog="Example: coursekit regrade --exercise first_model")(regrade)
app.command(epilog="Example: coursekit override ana first_model 7 --why 'ill' --who 'R. Lang'")(override)
app.command(epilog="Example: coursekit export first_model --gradescope autograder.zip")(export)

Word = Annotated[
    str, typer.Argument(help="The exercise, such as first_model; `coursekit status` lists them.")
]
WholeKit = Annotated[
    bool, typer.Option("--whole-kit", help="Use all you have written, not only this exercise's part.")
]
Device = Annotated[
    str | None, typer.Option(help="Where to run it: cpu or cuda. By default every device there is.")
]


def main() -> None:
    """What the command `coursekit` runs: known trouble becomes one sentence and a 2, never a traceback."""
    warnings.showwarning = _showing(warnings.showwarning)
    # Windows consoles and pipes may know no ticks and dashes; a wrong character is better than no answer.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app()
    except (KitError, WorkspaceError, LookupError) as error:
        _stop(str(error.args[0] if error.args else error))


def _showing(usual: Any) -> Any:
    def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, KitWarning | WorkspaceWarning):
            typer.echo(str(message), err=True)
        else:
            usual(message, category, *where, **more)

    return show


def _stop(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    sys.exit(COULD_NOT_RUN)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Say which coursekit this is.")] = False,
) -> None:
    if show:
        typer.echo(f"coursekit {__version__}")
        raise typer.Exit


@app.command(epilog="Example: coursekit start first_model")
def start(
    word: Word,
    again: Annotated[
        bool, typer.Option("--again", help="A fresh notebook; yours is kept in copies/.")
    ] = False,
) -> None:
    """Begin an exercise: its notebook, its files in mykit/."""
    from .grader.exercises import load

    notebook = workspace.start(word, again)
    modules = {full.rpartition(".")[0] for full in load(word).yours}
    files = [_shown(workspace.location().kit_file(module)) for module in sorted(modules)]
    typer.echo(f"The notebook: {_shown(notebook)}")
    typer.echo(f"Or write straight into {', '.join(files)}; then: coursekit check {word}")


@app.command(epilog="Example: coursekit check first_model")
def check(
    word: Word,
    whole_kit: WholeKit = False,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check what you have written for an exercise.

    Returns 0 when all passed, 1 when a check failed, 2 when none could be run.
    """
    report = workspace.location().check(word, whole_kit, device)
    typer.echo(report.to_json() if as_json else report.text())
    raise typer.Exit(_code(report))


@app.command(epilog="Example: coursekit submit first_model")
def submit(word: Word) -> None:
    """Check once more, and pack your kit into one zip to hand in.

    Returns 0 when all passed, 1 when it was packed and a check failed, 2 when it could not be packed.
    """
    packed = workspace.location().submit(word)
    typer.echo(f"{packed.report.text()}\n")
    typer.echo(f"Packed: {', '.join(packed.names)}")
    if packed.left_out:
        typer.echo(f"Left out, for they stand in for no module of coursekit: {', '.join(packed.left_out)}")
    typer.echo(f"Hand in {_shown(packed.file)}; a copy of it is kept in copies/.")
    raise typer.Exit(0 if packed.report.passed else FAILED)


@app.command(epilog="Example: coursekit watch first_model")
def watch(word: Word, whole_kit: WholeKit = False, device: Device = None) -> None:
    """Check again each time you save, until Ctrl-C.

    Looks at all files of mykit/. Returns what the last check would.
    """
    space = workspace.location()
    code, seen = COULD_NOT_RUN, None
    try:
        while True:
            if (now := _times(space.kit)) != seen:
                seen = now
                report = space.check(word, whole_kit, device)
                typer.echo(f"\n{time.strftime('%H:%M:%S')}\n{report.text()}\n")
                typer.echo(f"Watching {_shown(space.kit)}; Ctrl-C ends it.")
                code = _code(report)
            time.sleep(0.3)
    except KeyboardInterrupt:
        typer.echo("\nStopped watching.")
    raise typer.Exit(code)


@app.command(epilog="Example: coursekit status")
def status(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="A file to write, for the book's page Where you are.")
    ] = None,
) -> None:
    """Say what is started and passed, with points."""
    from .grader.exercises import words

    space = workspace.location()
    if json_file:
        write_whole(json_file, space.progress.for_pages())
        typer.echo(f"Written: {json_file}. The book's page Where you are adds it to what it knows.\n")
    known = words()
    progress = {word: space.progress.of(word) for word in space.progress.words()}
    width = max(map(len, [*known, *progress, "exercise"]))
    points = sum(one.get("points", 0) for one in progress.values())
    typer.echo(f"{space.folder}: {points} {'point' if points == 1 else 'points'} so far.\n")
    for word in known + [word for word in progress if word not in known]:
        typer.echo(f"{word:{width}}  {_standing(progress.get(word, {}))}".rstrip())


def _standing(known: dict[str, Any]) -> str:
    """Where an exercise stands, in a few words.

    >>> _standing({"started": "2026-11-22T10:00:00+00:00", "passed": False, "points": 3, "of": 8})
    'started   3 of 8 points'
    """
    if "passed" in known:
        gained = f"{known.get('points', 0)} of {known.get('of', 0)} points"
        return f"{'passed' if known['passed'] else 'started':8}  {gained}"
    return "started   not checked yet" if known else "not started"


@app.command(epilog="Example: coursekit lesson first_model")
def lesson(word: Annotated[str, typer.Argument(help="The lesson, such as first_model.")]) -> None:
    """Make your own copy of a lesson, a notebook, once."""
    typer.echo(_shown(workspace.lesson_copy(word)))


@app.command(epilog="Example: coursekit doctor")
def doctor() -> None:
    """Look whether this machine can run the course.

    Python, packages, the workspace, a real computation on each device. Returns 2 if something needs a look.
    """
    from .diagnosis import findings

    sound = True
    for fine, sentence in findings():
        sound = sound and fine
        typer.echo(f"{'ok  ' if fine else 'look'}  {sentence}")
    raise typer.Exit(0 if sound else COULD_NOT_RUN)


@app.command(epilog="Example: coursekit predict cells photo.jpg")
def predict(
    folder: Annotated[Path, typer.Argument(help="What save_model wrote.")],
    photos: Annotated[
        list[str], typer.Argument(help="Photos, or whatever the model was trained on files of.")
    ],
    device: Annotated[str | None, typer.Option(help="Where to compute: cpu or cuda.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each answer as a line of JSON.")] = False,
) -> None:
    """Print what a saved model says of each photo.

    Returns 0 when all were answered, 2 when the model or a photo could not be read.
    """
    from .inference import load_model

    sound = True
    try:
        model = load_model(folder, device=device)
    except (OSError, ValueError, RuntimeError) as error:
        _stop(str(error))
    for photo in photos:
        try:
            answer = model.predict(photo)
        except (OSError, ValueError, TypeError) as error:
            sound = False
            typer.echo(str(error), err=True)
            continue
        about = {"photo": photo, "answer": answer.label, "probabilities": answer.probabilities}
        typer.echo(json.dumps(about) if as_json else f"{photo}: {answer}")
    raise typer.Exit(0 if sound else COULD_NOT_RUN)


@app.command(epilog="Example: coursekit serve cells")
def serve(
    folder: Annotated[Path, typer.Argument(help="What save_onnx or save_model wrote.")],
    port: Annotated[int, typer.Option(help="Where to listen.", min=0, max=65535)] = 8000,
    host: Annotated[
        str, typer.Option(help="Who is served: by default this machine alone, for nobody has to sign in.")
    ] = "127.0.0.1",
    most_bytes: Annotated[int, typer.Option(help="Of one photo, as it is sent.")] = 10 * 2**20,
    batch: Annotated[int, typer.Option(help="How many photos are answered at once, at most.")] = 16,
    wait: Annotated[float, typer.Option(help="Seconds that a photo waits for others to come along.")] = 0.005,
) -> None:
    """Serve a model: a page to drop a photo on, and answers by HTTP, until Ctrl-C."""
    from .serving import Limits, serve

    typer.echo(f"{folder}: http://{host}:{port}  (Ctrl-C ends it)")
    try:
        serve(folder, host, port, Limits(most_bytes=most_bytes, batch=batch, wait=wait))
    except (ImportError, OSError, ValueError) as error:
        _stop(str(error))


def _code(report: Any) -> int:
    if report.passed:
        return 0
    unable = report.problem or any(result.kind == "ours" for result in report.results)
    return COULD_NOT_RUN if unable else FAILED


def _times(folder: Path) -> dict[Path, int]:
    """When each file of a kit was last written; one that vanishes meanwhile is not there."""
    times = {}
    for file in folder.rglob("*.py"):
        try:
            times[file] = file.stat().st_mtime_ns
        except OSError:
            continue
    return times


def _shown(path: Path) -> str:
    """A path as one would type it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
