"""The slow ways, for now and then: `make soak`.

1. The tests that are marked `soak`, in the ordinary environment: each lesson in each way it can be run; a
   course whose grading is killed in every part (see `tests/faults.py`), and one of 2,000.
2. A training run that is killed at 300 random moments while it trains and writes checkpoints (see
   `tests/killing.py`): each time it goes on, and what it ends with is compared bit for bit.
3. All other tests with the oldest torch that the package allows, in an environment of its own in `_build/`.

Everything runs even if something failed before; the last line counts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "requirements"))

import environment  # noqa: E402  (it stands beside the pins)

PYTEST = ["-m", "pytest", "--numprocesses", "logical", "--maxprocesses", "4"]
NOTHING_TO_RUN = 5
KILLS = 300


def oldest() -> list[str]:
    """The lowest torch and torchvision that pyproject.toml allows, as exact versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wishes = (re.fullmatch(r"(torch|torchvision)>=(\d+\.\d+)", wish) for wish in project["dependencies"])
    return [f"{wish[1]}=={wish[2]}.*" for wish in wishes if wish]


def environment_with(packages: list[str]) -> Path:
    """An environment with these packages and, for all else, the exact pins; its Python."""
    folder = ROOT / "_build" / "soak"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv = [sys.executable, "-m", "uv"]
    settings = environment.settings_of(sys.executable)
    install = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    pins = [part for name in ("setup", "run", "book", "test") for part in ("-r", f"requirements/{name}.txt")]
    for command in [
        [*uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)],
        [*install, "--no-deps", "--require-hashes", *pins],
        [*install, "--compile-bytecode", *packages],
        [*install, "--no-deps", "--no-build-isolation", "--editable", "."],
    ]:
        subprocess.run(command, check=True, cwd=ROOT, env=settings)
    return python


def survives_killing() -> bool:
    """Whether every run that was killed again and again ended as one that was not; says what it saw."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "tests/killing.py", folder, str(KILLS)]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE
        )
    seen = json.loads(done.stdout) if done.returncode == 0 else {}
    print(f"\nkilled at random moments: {seen or 'it failed'}", flush=True)
    return bool(seen) and seen["runs"] == seen["equal"]


def main() -> int:
    """How many of the ways failed."""
    failed = []
    if subprocess.run([sys.executable, *PYTEST, "-m", "soak"], cwd=ROOT).returncode not in (
        0,
        NOTHING_TO_RUN,
    ):
        failed.append("the slow tests")
    if hasattr(os, "fork") and not survives_killing():
        failed.append("a training run that is killed")
    packages = oldest()
    print(f"\nWith {' and '.join(packages)}", flush=True)
    if subprocess.run([str(environment_with(packages)), *PYTEST, "tests", "coursekit"], cwd=ROOT).returncode:
        failed.append(" and ".join(packages))
    print(f"\nsoak: {3 - len(failed)} passed, {len(failed)} failed", *failed)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
