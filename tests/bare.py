"""A machine that is not the author's: it has a kernel, and nothing else before a notebook's first cell.

Its `%pip` is a stand-in that hands its words to uv, which has the versions of our pins at hand: the cell is
run as it is, finds out by itself what our wheel needs, and takes seconds.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from built_book import ROOT

from coursekit.lessons import Release

sys.path.insert(0, str(ROOT / "requirements"))

import environment

UV = [sys.executable, "-m", "uv"]
STAND_IN = """
import subprocess, sys
sys.exit(subprocess.run([{uv}, "-m", "uv", "pip", *sys.argv[1:], "--python", sys.executable]).returncode)
"""


def pins() -> list[str]:
    """Every exact version, without the hashes: torch's CPU build is another file."""
    files = (ROOT / "requirements" / f"{name}.txt" for name in environment.LOCKS)
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [line.rstrip(" \\") for line in lines if re.match(r"[\w.-]+==", line)]


def wheel(folder: Path) -> Release:
    """Build our wheel, and say where it is and what it hashes to."""
    command = [*UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*command, "--out-dir", str(folder), str(ROOT)], check=True)
    (file,) = folder.glob("*.whl")
    return Release(file.as_uri(), hashlib.sha256(file.read_bytes()).hexdigest())


def settings(folder: Path) -> dict[str, str]:
    """What uv and kernels are run with: pip's index, our versions, and none of this environment's modules."""
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pins()), encoding="utf-8")
    given = environment.settings_of(sys.executable) | {"UV_CONSTRAINT": str(constraints)}
    if torch.version.cuda is None:
        given["UV_TORCH_BACKEND"] = "cpu"
    return {name: value for name, value in given.items() if name != "PYTHONPATH"}


@dataclass
class Machine:
    """Where it is, the wheel that notebooks install there, and the settings that kernel `bare` needs."""

    folder: Path
    release: Release
    settings: dict[str, str]


def make(folder: Path) -> Machine:
    """Make an environment that holds a kernel, and build our wheel."""
    said, place = settings(folder), folder / "machine"
    python = environment.python_in(place)
    command = [*UV, "pip", "install", "--quiet", "--python", str(python), "ipykernel"]
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(place)], check=True, env=said)
    subprocess.run(command, check=True, env=said)
    stand_in = next(place.glob("[Ll]ib/**/site-packages")) / "pip"
    stand_in.mkdir()
    (stand_in / "__main__.py").write_text(STAND_IN.format(uv=repr(sys.executable)), encoding="utf-8")
    kernel = folder / "jupyter" / "kernels" / "bare"
    kernel.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    about = {"argv": argv, "display_name": "Bare", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(about), encoding="utf-8")
    said |= {"JUPYTER_PATH": str(folder / "jupyter"), "IPYTHONDIR": str(folder / "ipython")}
    return Machine(place, wheel(folder / "wheel"), said)
