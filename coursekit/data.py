"""The commands `coursekit data list`, `fetch`, `verify` and `where`: which data sets there are, and where.

They return 0 for done, 1 for a set that is damaged, 2 for one that cannot be had.

>>> [command.callback.__name__ for command in app.registered_commands]
['list_', 'fetch', 'verify', 'where']
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

DAMAGED, NOT_HAD = 1, 2

app = typer.Typer(
    help="The data sets of the course: which there are, and where they lie.", no_args_is_help=True
)

Names = Annotated[
    list[str], typer.Argument(help="Data sets, such as clothes; `coursekit data list` has all.")
]
SomeNames = Annotated[
    list[str] | None, typer.Argument(help="Data sets, such as clothes; without any, all that are here.")
]


@app.command("list", epilog="Example: coursekit data list")
def list_() -> None:
    """Say which data sets there are: kind, size, licence, and whether each is on this machine."""
    from .sources import location, table

    rows = [("name", "kind", "size", "licence", "here")]
    here = 0
    for name, source in sorted(table().items()):
        is_here = location(name) is not None
        here += is_here
        rows.append((name, source.kind, source.size, source.licence, "yes" if is_here else "no"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
    typer.echo(f"\n{here} of {len(rows) - 1} are here; `coursekit data fetch NAME` gets one more.")


@app.command(epilog="Example: coursekit data fetch clothes pets")
def fetch(names: Names) -> None:
    """Get data sets, so that they are here when there is no network. What broke off goes on."""
    from .sources import SourceError, find
    from .sources import fetch as get

    failed = False
    for name in [find(name).name for name in names]:
        try:
            typer.echo(f"{name} is in {get(name)}")
        except SourceError as error:
            failed = True
            typer.echo(f"{name}: {error}", err=True)
    raise typer.Exit(NOT_HAD if failed else 0)


@app.command(epilog="Example: coursekit data verify clothes")
def verify(names: SomeNames = None) -> None:
    """Hash what is here again, and say what is damaged and what to do.

    Returns 0 when all is whole, 1 when something is damaged, 2 when a set asked for is not here.
    """
    from .sources import faults, find, location, table

    code = 0
    for name in [find(name).name for name in names] if names else sorted(filter(location, table())):
        if location(name) is None:
            typer.echo(f"{name} is not on this machine: `coursekit data fetch {name}` gets it.", err=True)
            code = NOT_HAD
            continue
        found = faults(name)
        typer.echo(f"{'damaged' if found else 'whole  '}  {name}")
        for fault in found:
            typer.echo(f"         {fault}")
            code = code or DAMAGED
    raise typer.Exit(code)


@app.command(epilog="Example: coursekit data where clothes")
def where(names: SomeNames = None) -> None:
    """Say in which folder data sets lie; without names, where they are looked for and kept."""
    from .sources import cache_folder, find, location, release

    for name in [find(name).name for name in names or ()]:
        typer.echo(f"{name}  {location(name) or 'not on this machine'}")
    if not names:
        typer.echo(
            f"looked in first  {os.environ.get('COURSEKIT_DATA') or 'nothing: COURSEKIT_DATA is not set'}"
        )
        typer.echo(f"fetched from     {release() or 'no data release is known to this version'}")
        typer.echo(f"kept in          {cache_folder()}")
