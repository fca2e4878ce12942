"""Write the exact pins again: `make lock`, or `make lock UPGRADE=1` to take the newest versions.

One resolution for every platform and every Python from 3.11 on, so each package has one version everywhere.
It is then written as files by use, each adding to the one before:

- setup.txt  what makes the environment: uv, and what builds this package
- torch.txt  torch, torchvision, and what only a GPU build pulls; a CPU-only choice leaves this file out
- run.txt    the library, notebooks, shipping a model, and the data of the lessons
- book.txt   what builds the pages
- test.txt   what tests all this
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# A pair whose ordinary wheels were seen to work together, with and without a GPU.
TORCH = ["torch==2.15.0", "torchvision==0.29.2"]
ONLY_FOR_GPUS = re.compile(r"(torch|torchvision|triton|nvidia-.*|cuda-.*)==")

FILES = ("setup", "torch", "run", "book", "test")
EXTRAS = {
    "run": ["notebook", "medical", "export", "lessons"],
    "book": ["notebook", "medical", "export", "lessons", "book"],
    "test": ["notebook", "medical", "export", "lessons", "book", "logs", "grade", "cluster", "test"],
}


def pins(text: str) -> list[str]:
    """Cut a requirements file into its pins, each with its hashes, without comments."""
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return [pin.rstrip() for pin in re.split(r"\n(?=\S)", "\n".join(lines)) if pin]


def package_of(pin: str) -> str:
    return pin.partition("==")[0]


def compile_pins(output: Path, *options: str) -> list[str]:
    """Resolve for every platform and Python at once. No index address is written."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        "3.11",
    ]
    command += ["--fork-strategy", "fewest", "--generate-hashes", "--no-header", "--no-annotate"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--output-file", str(output), *options]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return pins(output.read_text())


def extras(names: list[str]) -> list[str]:
    return ["pyproject.toml", *(part for name in names for part in ("--extra", name))]


def resolve(folder: Path, upgrade: bool) -> dict[str, list[str]]:
    """Find one version for everything, then the part of it that each use needs."""
    everything, wanted = folder / "everything.txt", folder / "wanted.txt"
    # What is pinned now stays pinned, unless an upgrade is asked for.
    everything.write_text(
        "\n".join((HERE / f"{name}.txt").read_text() for name in FILES if (HERE / f"{name}.txt").exists())
    )
    wanted.write_text("\n".join(TORCH) + "\n")
    choice = ["--upgrade"] if upgrade else []
    # What two uses need on different platforms is pinned for both, as it stands here.
    widest = {
        package_of(pin): pin
        for pin in compile_pins(
            everything, *extras(EXTRAS["test"]), "--group", "setup", "--constraint", str(wanted), *choice
        )
    }
    bound = ["--constraint", str(everything)]
    uses = {"setup": ["--group", "setup"], **{name: extras(names) for name, names in EXTRAS.items()}}
    return {
        name: [widest[package_of(pin)] for pin in compile_pins(folder / f"{name}.txt", *options, *bound)]
        for name, options in uses.items()
    }


def split(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Give each pin to the first file that needs it, so that no pin is written twice."""
    files = {"setup": found["setup"], "torch": [pin for pin in found["run"] if ONLY_FOR_GPUS.match(pin)]}
    written = {pin for name in files for pin in files[name]}
    for name in EXTRAS:
        files[name] = [pin for pin in found[name] if pin not in written]
        written.update(files[name])
    return files


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = split(resolve(Path(folder), upgrade=bool(os.environ.get("UPGRADE"))))
    for name in FILES:
        (HERE / f"{name}.txt").write_text(
            "# Written by `make lock` (requirements/lock.py).\n" + "\n".join(files[name]) + "\n"
        )
        print(f"requirements/{name}.txt: {len(files[name])} pins")


if __name__ == "__main__":
    main()
