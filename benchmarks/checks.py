"""How long a learner waits for `coursekit check`: every exercise, with our own answer, in one session.

The first check of a session starts the processes that the others are copied from. After it the quickest of
several counts: what else the machine does meanwhile is not the check's fault.

Bounds: a check answers in 8 s, checks of speed included; one of the first lesson's exercise in a second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import record

from coursekit.grader.checking import check
from coursekit.grader.exercises import words
from coursekit.grader.starter import solution
from coursekit.kit import write_files

CHECKS = 4
FIRST_LESSON, SECONDS, SECONDS_IN_THE_FIRST_LESSON = "first_model", 8.0, 1.0


def waits(exercise: str) -> list[float]:
    """What each of several checks of a right answer takes."""
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), solution(exercise))
        for _ in range(CHECKS):
            began = time.perf_counter()
            report = check(exercise, folder, device="cpu")
            taken.append(time.perf_counter() - began)
            assert report.passed, report.text()
    return taken


def row(exercise: str) -> dict[str, Any]:
    """One line of the table."""
    first, *others = waits(exercise)
    return {"exercise": exercise, "the first": round(first, 2), "each after it": round(min(others), 2)}


def main() -> int:
    """Measure, keep, and fail where a bound is broken."""
    # Only the first exercise of a session waits for the processes to start.
    rows = [row(exercise) for exercise in sorted(words(), key=lambda word: word != FIRST_LESSON)]
    record("checks", rows)
    slow = [found for found in rows if found["each after it"] > bound(found["exercise"])]
    for found in slow:
        print(f"a check of {found['exercise']} takes more than {bound(found['exercise']):g} s")
    return len(slow)


def bound(exercise: str) -> float:
    """The seconds a check may take."""
    return SECONDS_IN_THE_FIRST_LESSON if exercise == FIRST_LESSON else SECONDS


if __name__ == "__main__":
    sys.exit(main())
