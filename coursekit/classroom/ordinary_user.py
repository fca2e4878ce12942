"""Where learners' code runs when it cannot be locked away but we are root: as a user who owns nothing.

This is less than the sandbox: the network is open, and so is every file that anybody may read. What judges
runs as root, so the code cannot touch it, nor the answers where only root may read them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

from ..grader.process import Job, Stopped
from ..sandbox.limits import Limits
from ..scratch import Scratch

# Numbers that a container gives to nobody; each job takes the next. Two graders on one machine begin at
# different ones, since a job ends with all that runs as its user.
_USERS = count(61_184 + os.getpid() % 4_000)
# Addresses that torch and the other libraries take up before a line of the learner's runs.
LIBRARIES = 4 * 2**30


class OrdinaryUser:
    """A place for learners' code: each job is a new Python of a user of its own.

    Args:
        library: What is on its path: a library that lacks what is asked for.
        limits: How much memory, how many processes and so on it may have.
    """

    def __init__(self, library: Path, limits: Limits | None = None) -> None:
        self.library, self.limits = library, limits or Limits()

    def start(self, new_python: bool = False) -> Job:
        """Start a process for one kit; it is always a new Python."""
        user = next(_USERS)
        home = Scratch("kit")
        os.chown(home.path, user, user)
        how = "--bare" if new_python else "--ready"
        process = subprocess.Popen(
            [*_as_user(user), *self._limited(), sys.executable, "-P", "-m", "coursekit.grader.runner", how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment(home.path, new_python),
            cwd=home.path,
            start_new_session=True,
        )

        def end() -> Stopped:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
            _end_all_of(user)
            return Stopped("ended", process.wait())

        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        pipes = process.stdin, process.stdout, process.stderr
        return Job(*pipes, end, home)  # type: ignore[arg-type]

    def _limited(self) -> list[str]:
        """The command that sets the limits and starts another, which goes first when memory runs out."""
        return [
            *("choom", "-n", "1000", "--"),
            "prlimit",
            f"--as={LIBRARIES + self.limits.memory}",
            f"--nproc={self.limits.processes}",
            f"--fsize={self.limits.disk}",
            f"--nofile={self.limits.open_files}",
            f"--cpu={self.limits.processor_seconds}",
            "--core=0",
        ]

    def _environment(self, home: Path, new_python: bool) -> dict[str, str]:
        """Nothing of ours, so nothing secret."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": str(self.library),
            "PYTHONHASHSEED": "2" if new_python else "1",
            "PYTHONIOENCODING": "utf-8",
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "Agg",
        }


def _as_user(user: int) -> list[str]:
    """The command that becomes that user for good and starts another."""
    return [
        "setpriv",
        f"--reuid={user}",
        f"--regid={user}",
        "--clear-groups",
        "--no-new-privs",
        "--inh-caps=-all",
        "--bounding-set=-all",
    ]


def _end_all_of(user: int) -> None:
    """End every process of a user, those they are just starting included."""
    while _has_processes(user):
        subprocess.run([*_as_user(user), "sh", "-c", "kill -KILL -1"], stderr=subprocess.DEVNULL)


def _has_processes(user: int) -> bool:
    """Whether any process of that user is alive; one that has ended and was not waited for is not."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            # The owner of the file may be root: a process can see to that, but not to what stands in it.
            if _is_of_and_lives(user, status.read_bytes()):
                return True
    return False


def _is_of_and_lives(user: int, status: bytes) -> bool:
    """What `/proc` says of a process. Its name, which it chooses, may hold any byte but the end of a line."""
    said = dict(line.split(b":", 1) for line in status.split(b"\n") if line)
    return int(said[b"Uid"].split()[0]) == user and said[b"State"].split()[0] not in (b"Z", b"X")
