"""The libraries that ours is measured beside, kept apart from everything else in `.peers/`.

`make bench` fetches them; nothing else does. They stand in groups of `pyproject.toml`, since some do not go
together: fastai still needs a plum from before 2.10. Each is installed into a folder of its own, without what
it would pull along (torch is here already, and its version is ours to choose).
"""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".peers"
NEEDED_BY = {
    "augment": ("bench-fastai", "bench-kornia"),
    "decoding": ("bench-decoding",),
    "dispatch": ("bench-dispatch",),
    "grading": ("bench-grading",),
    "learner": ("bench-fastai", "bench-loop"),
    "loaders": ("bench-fastai",),
    "tensors": ("bench-fastai",),
    "transforms": ("bench-fastai",),
}


def fetch(benchmark: str) -> None:
    """Install the peers of a benchmark, if they are not there as `pyproject.toml` names them.

    Without a network it says so and goes on: the table then reads "not installed".
    """
    for group in NEEDED_BY.get(benchmark, ()):
        fetch_group(group)


def fetch_group(group: str) -> None:
    """Install one group of `pyproject.toml` into its folder, if that is not as the group names it."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"][group]
    folder, stamp = PEERS / group, PEERS / f"{group}.txt"
    there = "\n".join([f"# Python {platform.python_version()}", *wanted, ""])
    if stamp.exists() and stamp.read_text() == there:
        return
    sys.path.append(str(ROOT / "requirements"))
    settings = importlib.import_module("environment").settings_of(sys.executable)
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--upgrade", "--no-deps"]
    done = subprocess.run([*command, "--target", str(folder), *wanted], env={**os.environ, **settings})
    if done.returncode:
        print(f"the peers in {group} could not be fetched; the reason stands above", file=sys.stderr)
    else:
        stamp.write_text(there)


def find(benchmark: str, **names: str) -> dict[str, Any]:
    """Look peers up by the name they are shown under and `module:name`; `None` for one not installed.

    >>> find("dispatch", here="math:pi", missing="no_such_module:name")
    {'here': 3.141592653589793, 'missing': None}
    """
    for group in NEEDED_BY[benchmark]:
        if (folder := str(PEERS / group)) not in sys.path:
            sys.path.append(folder)  # last: of what both have, ours counts
    found: dict[str, Any] = {}
    for shown, place in names.items():
        module, _, name = place.partition(":")
        try:
            found[shown] = getattr(importlib.import_module(module), name)
        except ImportError:
            found[shown] = None
    return found
