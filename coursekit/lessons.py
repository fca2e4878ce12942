"""Lessons as notebooks: for the learner's workspace, for Colab and Kaggle, and to download.

A lesson is written once, as Markdown in `lessons/`; its notebooks are made from it and never kept beside it.

>>> notebook = lesson_notebook("first_model")
>>> [cell["cell_type"] for cell in notebook["cells"]][:2]
['markdown', 'code']
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .markdown import UnknownSyntax, labels, plain_markdown
from .sources import table

_PACKAGE = Path(__file__).resolve().parent

_INSTALL = """\
# Set-up for a machine that is not yours: the released file this lesson was made with, checked by its sha256.
%pip install --quiet "coursekit-topdown[lessons] @ {address}#sha256={sha256}"
"""

_GUARD = """\
# Somebody else's package is called coursekit too; this lesson needs ours.
from importlib.util import find_spec

if find_spec("coursekit") is None:
    raise SystemExit("coursekit is not installed here: the book's set-up page says how.")
if find_spec("coursekit.lessons") is None:
    raise SystemExit("This coursekit is somebody else's package: remove it, then follow the set-up page.")
"""


@dataclass(frozen=True)
class Release:
    """The wheel that generated notebooks install: where it lies and what it must hash to.

    >>> Release("https://example.org/coursekit.whl", "abc")
    Traceback (most recent call last):
        ...
    ValueError: a release needs the sha256 of its wheel, 64 hexadecimal digits; 'abc' came
    """

    address: str
    sha256: str

    @classmethod
    def parse(cls, setting: str) -> Release | None:
        """Read `ADDRESS#sha256=HEX`; an empty setting is no release."""
        address, _, sha256 = setting.partition("#sha256=")
        return cls(address, sha256) if setting else None

    def __post_init__(self) -> None:
        if len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(
                f"a release needs the sha256 of its wheel, 64 hexadecimal digits; {self.sha256!r} came"
            )


def folder() -> Path:
    """Where the lessons lie: `coursekit/_lessons` in a wheel, `lessons` in a checkout."""
    carried = _PACKAGE / "_lessons"
    return carried if carried.is_dir() else _PACKAGE.parent / "lessons"


def words() -> list[str]:
    """The names of all lessons, in alphabetical order."""
    return sorted(path.stem for path in folder().glob("*.md"))


def read_lesson(word: str) -> str:
    """The text of a lesson.

    Raises:
        LookupError: There is no lesson of that name; the message names the nearest one.

    >>> read_lesson("first_modle")
    Traceback (most recent call last):
        ...
    LookupError: There is no lesson 'first_modle'. Did you mean 'first_model'?
    """
    if word not in words():
        near = difflib.get_close_matches(str(word), words(), n=1, cutoff=0.5)
        known = ", ".join(words()) or "none yet"
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {known}."
        raise LookupError(f"There is no lesson {word!r}. {hint}")
    return (folder() / f"{word}.md").read_text(encoding="utf-8")


def lesson_notebook(word: str, install: Release | None = None, guard: bool = False) -> dict[str, Any]:
    """Make the notebook of a lesson, without outputs, in the form of nbformat 4.5.

    Args:
        word: The lesson.
        install: The release that a first cell installs, for machines that are not the learner's.
        guard: Begin with a cell that checks that the installed coursekit is ours; implied by `install`.

    Raises:
        LookupError: There is no lesson of that name.
        ValueError: The lesson uses something that no notebook can show; file and line are named.
    """
    text = read_lesson(word)
    import jupytext

    source = jupytext.reads(text, fmt="md:myst")
    code = [cell.metadata for cell in source.cells if cell.cell_type == "code"]
    figures = figure_titles(code)
    named = {about["name"]: title for about, title in zip(code, figures, strict=True) if "name" in about}
    titles = labels(text) | named
    cells = [_cell("code", line, []) for line in _first_cells(install, guard)]
    for cell in source.cells:
        if cell.cell_type == "code":
            cells.append(_cell("code", cell.source, cell.metadata.get("tags", [])))
            cells += _caption(cell.metadata, figures.pop(0), titles)
        else:
            cells.append(_cell("markdown", _converted(word, text, cell.source, titles), []))
    for number, made in enumerate(cells):
        made["id"] = f"{word[:50]}-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _first_cells(install: Release | None, guard: bool) -> list[str]:
    cells = [_INSTALL.format(address=install.address, sha256=install.sha256).strip()] if install else []
    return [*cells, _GUARD.strip()] if guard or install else cells


def _cell(kind: str, source: str, tags: list[str]) -> dict[str, Any]:
    about = {"tags": list(tags)} if tags else {}
    cell: dict[str, Any] = {"cell_type": kind, "metadata": about, "source": source}
    return cell | {"execution_count": None, "outputs": []} if kind == "code" else cell


def figure_titles(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each code cell's figure or table is called, by the cells' metadata; nothing without a caption.

    >>> figure_titles([{"caption": "A.", "alt": "a"}, {}, {"caption": "B."}, {"caption": "C.", "alt": "c"}])
    ['figure 1', '', 'table 1', 'figure 2']
    """
    counts = {"figure": 0, "table": 0}
    titles = []
    for about in cells:
        kind = "figure" if about.get("alt") else "table"
        counts[kind] += bool(about.get("caption"))
        titles.append(f"{kind} {counts[kind]}" if about.get("caption") else "")
    return titles


def _caption(about: Mapping[str, Any], title: str, titles: dict[str, str]) -> list[dict[str, Any]]:
    """The caption of a cell's figure as a cell of its own: text first, then whose data it shows."""
    text = f"**{title.capitalize()}.** {plain_markdown(about['caption'], titles)}" if title else ""
    words = [text, data_line(about.get("data", []))]
    return [_cell("markdown", " ".join(filter(None, words)), [])] if any(words) else []


def sources_of(names: str | Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Title, origin, licence and its address for each data set named.

    Raises:
        LookupError: There is no data set of that name.

    >>> sources_of("clothes")[0][:3]
    ('Clothes', 'https://github.com/alexeygrigorev/clothing-dataset-small', 'CC0 1.0')
    """
    known = table()
    names = [names] if isinstance(names, str) else list(names)
    if missing := [name for name in names if name not in known]:
        raise LookupError(f"There is no data set {missing[0]!r}. There are: {', '.join(sorted(known))}.")
    rows = [known[name] for name in names]
    return [(row.title.split(":")[0], row.origin, row.licence, row.licence_url) for row in rows]


def data_line(names: str | Sequence[str]) -> str:
    """Whose data a figure shows and under which licence, as Markdown; nothing for no names.

    >>> data_line("clothes").partition(", ")[2]
    '[CC0 1.0](https://creativecommons.org/publicdomain/zero/1.0/).'
    """
    pairs = [f"[{title}]({origin}), [{licence}]({url})" for title, origin, licence, url in sources_of(names)]
    return f"Data: {'; '.join(pairs)}." if pairs else ""


def _converted(word: str, text: str, cell: str, titles: dict[str, str]) -> str:
    try:
        return plain_markdown(cell, titles)
    except UnknownSyntax as error:
        number = text.splitlines().index(error.line) + 1 if error.line in text.splitlines() else 0
        raise ValueError(f"lessons/{word}.md, line {number}: {error}") from error
