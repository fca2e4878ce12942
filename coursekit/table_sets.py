"""Sets of tables and of running texts: `open_table` for all of the first, `open_text` for all of the others.

Which there are, and what one row holds, stands in `sources.table()` and on the page of data sets. A set that
cannot be had raises `SourceError`, which says what to do.
"""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import TYPE_CHECKING

from .samples import list_some
from .sources import fetch, find

if TYPE_CHECKING:
    import pandas

TABLES, TEXTS = (".csv", ".csv.xz", ".pkl.compress"), (".txt", ".txt.xz")
# Columns that hold moments; read as such they can be put in order.
MOMENTS = {"bicycles": {"dteday": "%m/%d/%Y"}, "transformer": {"date": "%Y-%m-%d %H:%M:%S"}}


def open_table(name: str, part: str | None = None) -> pandas.DataFrame:
    """Get a set that is a table, such as `adult` or `pigs`, whatever kind of file it is kept in.

    Args:
        name: A name of the table of data sets.
        part: Which of its tables, where a set has several: of `movielens` "ratings", "movies", "tags" or
            "links".

    Returns:
        A row for each item, its columns as their makers called them; dates as `datetime64`.

    Raises:
        SourceError: It cannot be had.
        KeyError: There is no such set, or no such part of it.
        ValueError: The set is no table.

    >>> open_table("pigs")[["Pig", "Litter", "Time", "Weight"]].head(2)
        Pig  Litter  Time    Weight
    0  4601       1     1  26.50000
    1  4601       1     2  27.59999
    """
    import pandas

    if find(name).package == "scikit-learn":
        return _of_scikit_learn(name)
    file = _choose(name, part, TABLES)
    if file.suffix == ".compress":  # A pickle, read only because its checksum is the one we know.
        return pandas.read_pickle(file, compression="xz").drop(columns="rownames")
    rows = pandas.read_csv(file)
    for column, form in MOMENTS.get(name, {}).items():
        rows[column] = pandas.to_datetime(rows[column], format=form)
    # Remarks someone left beside a table have no name.
    return rows[[column for column in rows if not column.startswith("Unnamed: ")]]


def open_text(name: str, part: str | None = None) -> str:
    """Get a set that is one long text, such as `shakespeare`.

    Args:
        name: A name of the table of data sets.
        part: Which of its texts, where a set has several: of `wikitext2` "valid" or "test".

    Raises:
        SourceError: It cannot be had.
        KeyError: There is no such set, or no such part of it.
        ValueError: The set is no text.

    >>> open_text("pigs")
    Traceback (most recent call last):
    ValueError: 'pigs' is no text: it is loaded by kit.open_table("pigs").
    """
    file = _choose(name, part, TEXTS)
    content = file.read_bytes()
    return (lzma.decompress(content) if file.suffix == ".xz" else content).decode("utf-8")


def _of_scikit_learn(name: str) -> pandas.DataFrame:
    """Its tables keep the names of columns and kinds in its own code."""
    from sklearn import datasets  # type: ignore[import-untyped]

    fetch(name)
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    return bunch.data.assign(target=[bunch.target_names[number] for number in bunch.target])


def _choose(name: str, part: str | None, endings: tuple[str, ...]) -> Path:
    """The file of a set with one of these endings, or of several the one that is called `part`."""
    source, folder = find(name), fetch(name)
    paths = [folder / file.path for file in source.files] if source.kind == "package" else folder.rglob("*")
    files = {
        path.name.removesuffix(ending).removeprefix(f"{name}_"): path
        for path in sorted(paths)
        for ending in endings
        if path.name.endswith(ending)
    }
    if not files or f"open_{'table' if endings is TABLES else 'text'}" not in source.load:
        kind = "table" if endings is TABLES else "text"
        raise ValueError(f"{name!r} is no {kind}: it is loaded by {source.load}.")
    if part is None and len(files) == 1:
        return next(iter(files.values()))
    if part not in files:
        asked = f"no part {part!r}" if part else "several parts, so say which"
        raise KeyError(f"{name!r} has {asked}: {list_some(files, len(files))}")
    return files[part]
