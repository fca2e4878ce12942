"""Folders for work in hand: gone with their work, and after a kill with the next process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coursekit.scratch import Scratch

MAKE = """
import sys, time
from coursekit.scratch import Scratch
scratch = Scratch("test")
(scratch.path / "file").write_text("something")
print(scratch.path, flush=True)
time.sleep(60 if sys.argv[1] == "stay" else 0)
"""

needs_locks = pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")


def python(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [sys.executable, "-c", MAKE, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def first_line(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def make_old(folder: Path) -> None:
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))


def test_it_goes_with_its_work() -> None:
    with Scratch("test") as scratch:
        (scratch.path / "deep").mkdir()
        assert "coursekit-scratch-test-" in scratch.path.name

    assert not scratch.path.exists()
    scratch.remove()  # once more is no error


@needs_locks
def test_what_a_killed_process_left_goes_with_the_next_and_what_lives_stays(tmp_path: Path) -> None:
    killed, alive = python(tmp_path, "stay"), python(tmp_path, "stay")
    left, kept = first_line(killed), first_line(alive)
    killed.kill()
    killed.communicate()
    strangers = tmp_path / "coursekit-of-my-own"
    strangers.mkdir()
    for folder in (left, kept, strangers):
        make_old(folder)
    assert left.exists()

    python(tmp_path, "go").communicate()
    assert not left.exists()
    assert kept.exists()
    assert strangers.exists()
    alive.kill()
    alive.communicate()


@needs_locks
def test_a_folder_that_was_made_just_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "coursekit-scratch-just-made").mkdir()

    python(tmp_path, "go").communicate()
    assert (tmp_path / "coursekit-scratch-just-made").exists()


@needs_locks
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("mine")
    link = tmp_path / "coursekit-scratch-link"
    link.symlink_to(elsewhere)
    long_ago = time.time() - 3600
    os.utime(link, (long_ago, long_ago), follow_symlinks=False)

    python(tmp_path, "go").communicate()
    assert (elsewhere / "precious").read_text() == "mine"
