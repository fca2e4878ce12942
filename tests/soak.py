"""The slow ways, for now and then: `make soak`.

1. The tests that are marked `soak`, in the ordinary environment: each lesson in each way it can be run.
2. All other tests with the oldest torch that the package allows, in an environment of its own in `_build/`.

Everything runs even if something failed before; the last line counts.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "requirements"))

import environment  # noqa: E402  (it stands beside the pins)

PYTEST = ["-m", "pytest", "--numprocesses", "logical", "--maxprocesses", "4", "--dist", "loadgroup"]
NOTHING_TO_RUN = 5


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


def main() -> int:
    """How many of the ways failed."""
    failed = []
    if subprocess.run([sys.executable, *PYTEST, "-m", "soak"], cwd=ROOT).returncode not in (
        0,
        NOTHING_TO_RUN,
    ):
        failed.append("the slow tests")
    packages = oldest()
    print(f"\nWith {' and '.join(packages)}", flush=True)
    if subprocess.run([str(environment_with(packages)), *PYTEST, "tests", "coursekit"], cwd=ROOT).returncode:
        failed.append(" and ".join(packages))
    print(f"\nsoak: {2 - len(failed)} passed, {len(failed)} failed", *failed)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
