"""Keep what was measured, with date, machine and versions, in `results/NAME.json`, and print a table."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("torch", "torchvision", "numpy")


def record(name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows to `results/NAME.json` and print them; the file."""
    file = RESULTS / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    kept = {"date": date.today().isoformat(), "machine": machine(), "versions": versions(), "rows": rows}
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(table(rows))
    return file


def machine() -> dict[str, Any]:
    """What it ran on, without the machine's name."""
    found = {"system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count()}
    if "torch" in sys.modules:
        import torch

        found["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return found


def versions() -> dict[str, str]:
    """Python's version and those of the packages that decide how fast things are."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows in columns, under the names of the first one's.

    >>> print(table([{"what": "a", "seconds": 1.25}, {"what": "bcd", "seconds": 10}]))
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
    """A number to three digits, several with commas between."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(shown(part) for part in value)
    return str(value)
