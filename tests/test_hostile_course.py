"""The hostile corpus through `coursekit grade`, into a grade book: as whoever runs the tests, and as nobody.

`hostile_course` writes it, has it graded and looks at what stands in the book and at what is left behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_cases import kinds
from hostile_course import main

from coursekit.sandbox import why_not

# Quick ones of several kinds; all of them are soaked.
SHORT = ["exits", "signals"]
ORDINARY = 60001  # a number that no user of a system has


@pytest.fixture(autouse=True)
def _a_sandbox() -> None:
    """Without one a skip with that name, or on the build machine a failure."""
    if reasons := why_not():
        message = f"there is no sandbox here: {' '.join(reasons)}"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)


def test_some_kinds_through_the_command(tmp_path: Path) -> None:
    assert set(SHORT) <= set(kinds())
    assert main(tmp_path, SHORT) == {}


@pytest.mark.soak
def test_the_whole_corpus_through_the_command(tmp_path: Path) -> None:
    assert main(tmp_path, []) == {}


@pytest.mark.soak
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
def test_the_whole_corpus_as_an_ordinary_user(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """One who owns nothing but a folder to grade in."""
    home = tmp_path / "home"
    home.mkdir()
    closed = {one: one.stat().st_mode for one in home.parents if not one.stat().st_mode & 0o001}
    for folder, mode in closed.items():
        folder.chmod(mode | 0o001)
    request.addfinalizer(lambda: [folder.chmod(mode) for folder, mode in closed.items()])
    os.chown(home, ORDINARY, ORDINARY)
    as_them = {"user": ORDINARY, "group": ORDINARY, "extra_groups": (), "cwd": home}
    environment = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        subprocess.run([sys.executable, "-c", "import torch"], check=True, env=environment, **as_them)  # type: ignore[call-overload]
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("this Python lies where an ordinary user cannot read it")
    command = [sys.executable, str(Path(__file__).with_name("hostile_course.py")), str(home / "course")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, **as_them)  # type: ignore[call-overload]

    assert json.loads(done.stdout) == {}, done.stderr
