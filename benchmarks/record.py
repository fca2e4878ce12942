"""Keep what was measured in `results/`: figures with date, machine and versions, a table, and a picture.

`NAME.json` holds all of it, `NAME.csv` the table that the book shows, `NAME.svg` the picture.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "torchvision", "numpy")
NOT_INSTALLED = "not installed"
# Of Okabe and Ito's colours: ours, the bare floor, everyone else.
BLUE, GREY, ORANGE = "#0072B2", "#999999", "#E69F00"


class Bars(NamedTuple):
    """How rows are drawn: a panel for each value of `panel` among `panels`, a bar for each way, by `length`.

    What takes so long that the other bars would be specks is named in `left_out`.
    """

    panel: str
    length: str
    panels: tuple[str, ...]
    way: str = "way"
    floor: str = "plain"
    ours: str = "ours"
    left_out: tuple[str, ...] = ()


def record(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    bars: Bars | None = None,
    table: Sequence[Mapping[str, Any]] = (),
    packages: Sequence[str] = (),
) -> Path:
    """Write the results of a benchmark and print them; the JSON file.

    `table` is what people read where that is not `rows` themselves; `packages` are further ones whose
    versions matter.
    """
    file = RESULTS / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    about = {"date": date.today().isoformat(), "machine": machine(), "versions": versions(packages)}
    file.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    with file.with_suffix(".csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow((table or rows)[0])
        writer.writerows([shown(cell) for cell in row.values()] for row in table or rows)
    if bars:
        draw(rows, bars, file.with_suffix(".svg"))
    print(in_columns(rows))
    return file


def machine() -> dict[str, Any]:
    """What it ran on, without the machine's name."""
    found = {"system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count()}
    if "torch" in sys.modules:
        import torch

        found["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return found


def versions(packages: Sequence[str] = ()) -> dict[str, str]:
    """Python's version and those of the packages that decide how fast things are."""
    found = {"python": platform.python_version()}
    for package in (*PACKAGES, *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def draw(rows: Sequence[Mapping[str, Any]], bars: Bars, file: Path) -> None:
    """Draw a panel of bars for each group of rows, the shortest on top; rows without a number have none."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    measured = [row for row in rows if isinstance(row[bars.length], (int, float))]
    measured = [row for row in measured if row[bars.way] not in bars.left_out]
    panels = [(one, [row for row in measured if row[bars.panel] == one]) for one in bars.panels]
    # Text stays text: the reader's own letters, and a small file. Narrow, so that it can be read on a phone.
    style = {"font.size": 10, "svg.fonttype": "none", "svg.hashsalt": file.stem}
    with pyplot.rc_context(style):
        heights = [len(inside) + 1.2 for _, inside in panels]
        figure, axes = pyplot.subplots(
            len(panels), squeeze=False, figsize=(5.5, sum(heights) * 0.27 + 0.4), height_ratios=heights
        )
        for axis, (title, inside) in zip(axes[:, 0], panels, strict=True):
            inside = sorted(inside, key=lambda row: -row[bars.length])
            colours = {bars.floor: GREY, bars.ours: BLUE}
            drawn = axis.barh(
                [row[bars.way] for row in inside],
                [row[bars.length] for row in inside],
                color=[colours.get(row[bars.way], ORANGE) for row in inside],
            )
            axis.bar_label(drawn, [shown(row[bars.length]) for row in inside], padding=4)
            unit = f", {bars.length}" if title == panels[0][0] else ""
            axis.set_title(title + unit, loc="left", fontsize=10, fontweight="bold")
            axis.set_ylim(-0.6, len(inside) - 0.4)
            axis.spines[:].set_visible(False)
            axis.tick_params(length=0)
            axis.set_xticks([])
            axis.set_xmargin(0.12)
        figure.tight_layout(h_pad=1.2)
        figure.savefig(file, metadata={"Date": None}, transparent=True)
        pyplot.close(figure)


def in_columns(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows in columns, under the names of the first one's.

    >>> print(in_columns([{"what": "a", "seconds": 1.25}, {"what": "bcd", "seconds": 10}]))
    what  seconds
    a     1.25
    bcd   10
    """
    heads = list(rows[0]) if rows else []
    lines = [heads, *([shown(row.get(head)) for head in heads] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def shown(value: Any) -> str:
    """A number to three digits, several with commas between.

    >>> shown(0.98765), shown(12345.6), shown(1234), shown([1.5, "a"])
    ('0.988', '12,346', '1,234', '1.5, a')
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(shown(part) for part in value)
    return str(value)
