"""Grading is killed in every part; each submission has one result, the right one. `make soak` kills often."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.sandbox import why_not

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def sandbox() -> None:
    """Learners' code can be locked away; else a skip with that name, or on the build machine a failure."""
    if missing := why_not():
        said = f"learners' code cannot be locked away here: {' '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)


def killed(folder: Path, count: int, kills: int, workers: int) -> dict[str, int]:
    """What was seen when a course of so many was graded and so often killed; see `faults.py`."""
    command = [sys.executable, str(HERE / "faults.py"), str(folder), *map(str, (count, kills, workers))]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.usefixtures("sandbox")
def test_a_course_is_graded_once_whatever_is_killed(tmp_path: Path) -> None:
    """The grader, and then something that it started."""
    seen = killed(tmp_path, count=5, kills=2, workers=0)

    assert seen["kills"] == 2
    assert seen["right"] == seen["books"] >= 1
    assert seen["left behind"] == 0


@pytest.mark.soak
@pytest.mark.usefixtures("sandbox")
def test_a_course_is_graded_once_whatever_is_killed_sixty_times(tmp_path: Path) -> None:
    """And workers of a cluster."""
    seen = killed(tmp_path, count=25, kills=60, workers=2)

    assert seen["kills"] >= 60
    assert seen["right"] == seen["books"] >= 1
    assert seen["left behind"] == 0


@pytest.mark.soak
@pytest.mark.usefixtures("sandbox")
def test_two_thousand_need_no_more_memory_than_two_hundred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(HERE.parent / "benchmarks"))
    course_sizes = importlib.import_module("course_sizes")
    course_sizes.write_course(tmp_path, 2000)
    row = course_sizes.graded(tmp_path, 2000)

    assert [row[name] for name in ("lost", "doubled", "wrong points", "ended with")] == [0, 0, 0, 0]
    assert row["MB when all were"] < course_sizes.FLAT * row["MB when a tenth was graded"]
