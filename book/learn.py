"""What `make learn` does: execute lesson 1, write the pages, and serve them with the live lessons.

    python book/learn.py                 opens a browser; with NO_BROWSER=1 in the environment it opens none

The learner's folder is `workspace/`, or the one that COURSEKIT_WORKSPACE names. Pages with a fault are served
all the same: the fault is printed, and whoever came to read can read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from coursekit.server import serve

ROOT = Path(__file__).resolve().parent.parent
FIRST = "first_model"


def main() -> None:
    build = [sys.executable, str(ROOT / "book" / "build.py"), FIRST, "--run-address", "/run/"]
    if subprocess.run(build).returncode:
        print("\nNot all went well with the pages (see above); here they are all the same.")
    workspace = Path(os.environ.get("COURSEKIT_WORKSPACE") or ROOT / "workspace")
    serve(ROOT / "_build" / "html", workspace, browser=not os.environ.get("NO_BROWSER"))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped. What was finished is kept: `make learn` goes on from there.")
