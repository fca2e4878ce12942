"""What benchmarks measured, in a page: a picture with its table, and single figures inside a sentence.

    :::{measured} dispatch
    ---
    alt: What is to be seen.
    ---
    What it means.
    :::

    A call takes {measured}`dispatch: one argument; ours: nanoseconds` ns.

Both read `benchmarks/results/NAME.json`, so no figure on a page is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from lesson_directives import Details, LessonDirective
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def results(name: str) -> dict[str, Any] | None:
    """Read what a benchmark kept; `None` where it has not been run."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def figure(rows: Sequence[Mapping[str, Any]], cells: Sequence[str], column: str) -> str:
    """Find the one row that has all these cells, and write what it has in a column to three digits.

    >>> rows = [{"call": "one", "way": "plain", "ns": 30}, {"call": "one", "way": "theirs", "ns": 12352}]
    >>> figure(rows, ["one", "theirs"], "ns")
    '12,400'
    >>> figure(rows, ["one"], "ns")
    Traceback (most recent call last):
        ...
    LookupError: 2 rows have 'one'; name cells that only one row has
    """
    found = [row for row in rows if set(cells) <= {str(cell) for cell in row.values()}]
    if len(found) != 1:
        raise LookupError(
            f"{len(found)} rows have {', '.join(map(repr, cells))}; name cells that only one row has"
        )
    if column not in found[0]:
        raise LookupError(f"there is no column {column!r}; there are: {', '.join(found[0])}")
    value = found[0][column]
    return f"{float(f'{value:.3g}'):,.10g}" if isinstance(value, (int, float)) else str(value)


def reached(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say how many goals are reached, and name those that are not.

    >>> row = {"call": "one", "way": "plum", "ns": 340, "times plain": 11.3, "ours is faster, times": 4.9}
    >>> reached([row | {"goal": "ours faster, 5 times", "reached": "no"}])
    '0 of 1 goals are reached. Not reached: one, plum (ours faster, 5 times; measured 4.9).'
    """
    aims = [row for row in rows if row.get("reached")]
    missed = [row for row in aims if row["reached"] == "no"]
    texts = []
    for row in missed:
        what, way, nanoseconds, beside_the_floor, beside_ours, *_ = row.values()
        found = (beside_the_floor if way == "ours" else beside_ours) or nanoseconds
        texts.append(f"{what}, {way} ({row['goal']}; measured {found})")
    start = f"{len(aims) - len(missed)} of {len(aims)} goals are reached."
    return f"{start} Not reached: {'; '.join(texts)}." if texts else start


def circumstances(kept: Mapping[str, Any]) -> str:
    """Say when, on what and with what it was measured."""
    packages = ", ".join(f"{package} {number}" for package, number in kept["versions"].items())
    machine = kept["machine"]
    graphics = f", {machine['gpu']}" if machine.get("gpu") else ""
    return (
        f"Measured on {kept['date']} on {machine['system']}, {machine['cores']} cores{graphics}: {packages}."
    )


class Measured(LessonDirective):
    """The picture of a benchmark, whether its goals are reached, and the table, folded."""

    required_arguments = 1
    option_spec = {"alt": directives.unchanged_required}  # noqa: RUF012 (docutils' way)

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        kept = results(name)
        if kept is None:
            words = f"Not measured yet; `make bench ONLY={name}` does."
            return [self.markdown([words], nodes.container(classes=["not-executed"]))]
        if "alt" not in self.options:
            raise self.error("a figure without alternative text: give it `alt`")
        self.env.note_dependency(str(RESULTS / f"{name}.json"))
        alt = " ".join(self.options["alt"].split())
        picture = [f"```{{figure}} /benchmarks/results/{name}.svg", f":alt: {alt}", "", *self.content, "```"]
        shown = self.markdown([*picture, "", reached(kept["rows"])], nodes.container(classes=["measured"]))
        table = ["```{csv-table}", f":file: /benchmarks/results/{name}.csv", ":header-rows: 1", "```", ""]
        folded = self.markdown([*table, circumstances(kept)], Details(summary="All figures"))
        return [shown, nodes.container("", folded, classes=["folded"])]


class MeasuredRole(SphinxRole):
    """One figure, by benchmark, cells that only its row has, and column: `imports: import torch: seconds`."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            name, cells, column = (part.strip() for part in self.text.split(": "))
            kept = results(name)
            if kept is None:
                raise LookupError(f"there are no results of {name!r}")
            self.env.note_dependency(str(RESULTS / f"{name}.json"))
            return [nodes.Text(figure(kept["rows"], [cell.strip() for cell in cells.split(";")], column))], []
        except (LookupError, ValueError) as error:
            message = self.inliner.reporter.error(f"no figure {self.text!r}: {error}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("measured", Measured)
    app.add_role("measured", MeasuredRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
