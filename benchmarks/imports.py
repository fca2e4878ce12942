"""How long a learner waits before anything happens: for `import coursekit`, and for `coursekit status`.

The bounds: importing the whole library takes at most 1.1 times `import torch`, `coursekit status` at most
0.35 s. Each is the quickest of several fresh processes, which take turns: a busy machine disturbs little.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import record

RUNS = 7
# `dir` asks for every public name, so this is the whole library and not its light front.
WAYS = {
    "import torch": ["-c", "import torch"],
    "import coursekit": ["-c", "import coursekit; dir(coursekit)"],
    "coursekit status": [
        "-c",
        "import sys; sys.argv[1:] = ['status']; from coursekit.cli import main; main()",
    ],
}
BOUNDS = {"import coursekit": ("times import torch", 1.1), "coursekit status": ("seconds", 0.35)}


def seconds(arguments: list[str], folder: str) -> float:
    """One fresh process, from its start to its end."""
    settings = {**os.environ, "COURSEKIT_WORKSPACE": folder, "PYTHONPATH": str(Path(__file__).parent.parent)}
    # Compiled files are kept, as they are for everyone who has installed it.
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], check=True, cwd=folder, env=settings, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def main() -> int:
    """Measure, keep, and fail where a bound is broken."""
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".coursekit").mkdir()
        for run in range(RUNS + 1):
            for name, arguments in WAYS.items():
                once = seconds(arguments, folder)
                if run:  # the first round only brings the files into memory
                    taken[name].append(once)
    rows = [
        {"what": name, "seconds": round(min(times), 3), "runs": len(times)} for name, times in taken.items()
    ]
    quickest = {row["what"]: row["seconds"] for row in rows}
    found = {
        "import coursekit": round(quickest["import coursekit"] / quickest["import torch"], 3),
        "coursekit status": quickest["coursekit status"],
    }
    for row in rows:
        unit, bound = BOUNDS.get(row["what"], ("", None))
        row |= {"found": found.get(row["what"], ""), "bound": bound or "", "in": unit}
    record("imports", rows)
    return int(any(found[name] > bound for name, (_, bound) in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
