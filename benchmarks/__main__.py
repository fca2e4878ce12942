"""Run every benchmark, one after the other: `make bench`, or `make bench ONLY=imports`.

Before it, the libraries it compares with are fetched into `.peers/`, which nothing else reads.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from peers import fetch

HERE = Path(__file__).parent
NOT_A_BENCHMARK = {"__main__", "grading_peers", "in_turn", "peer_loops", "peers", "record"}


def main() -> int:
    """The number of benchmarks that failed, each named."""
    every = sorted(file.stem for file in HERE.glob("*.py") if file.stem not in NOT_A_BENCHMARK)
    wanted = os.environ.get("ONLY", "").split() or every
    failed = []
    for name in wanted:
        print(f"\n{name}", flush=True)
        fetch(name)
        if subprocess.run([sys.executable, str(HERE / f"{name}.py")]).returncode:
            failed.append(name)
    print(f"\n{len(wanted) - len(failed)} passed, {len(failed)} failed", *failed)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
