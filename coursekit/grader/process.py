"""Where processes come from: a warm one kept in reserve (see `warm`), so that a job starts in milliseconds.

Where there is no `fork`, each job starts Python anew. Either way it ends with everything it started.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from ..scratch import Scratch
from .job import CannotStart, Job, Stopped

__all__ = ["START", "CannotStart", "Job", "Place", "Stopped", "release", "reserve", "start"]

# The seconds that a process may take to start and get ready.
START = 180.0


class _Warm:
    """Our end of the process that forks jobs."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.lock = threading.Lock()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.control, theirs = socket.socketpair()
        number = str(theirs.fileno())
        self.process = subprocess.Popen(
            [*_COMMAND, "--warm", number],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            pass_fds=[theirs.fileno()],
            env=_environment("1"),
            start_new_session=True,
        )
        theirs.close()
        self.control.settimeout(START)

    @property
    def is_usable(self) -> bool:
        # A forked copy of this process must not talk on the same socket.
        return self.owner == os.getpid() and self.process.poll() is None

    def job(self) -> Job:
        ours_to_theirs, theirs_to_ours, output = os.pipe(), os.pipe(), os.pipe()
        theirs = (ours_to_theirs[0], theirs_to_ours[1], output[1])
        try:
            pid = self.request("job", *theirs)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        pipes = (
            os.fdopen(ours_to_theirs[1], "wb"),
            os.fdopen(theirs_to_ours[0], "rb"),
            os.fdopen(output[0], "rb"),
        )
        return Job(*pipes, lambda: Stopped("ended", self.request(f"end {pid}")), Scratch("check"))

    def request(self, words: str, *descriptors: int) -> int:
        with self.lock:
            try:
                socket.send_fds(self.control, [words.encode()], list(descriptors))
                answer = self.control.recv(100)
            except OSError:
                answer = b""
        if not answer:
            self.process.kill()
            self.errors.seek(0)
            last = self.errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise CannotStart(
                f"Python could not be started to run the code: {' '.join(last) or 'it ended at once'}"
            )
        return int(answer)

    def close(self) -> None:
        self.control.close()
        if self.owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
            self.process.kill()
            self.process.wait()
        self.errors.close()


# Where a learner's code runs: called with `new_python`, it starts a process there.
Place = Callable[[bool], Job]

_COMMAND = [sys.executable, "-P", "-m", "coursekit.grader.runner"]
_warm: _Warm | None = None
_reserving = threading.Lock()


def reserve() -> None:
    """Start the warm process now, so that the first check need not wait; nothing where there is no fork."""
    global _warm
    with _reserving:
        if hasattr(os, "fork") and not (_warm and _warm.is_usable):
            release()
            _warm = _Warm()


def start(new_python: bool = False) -> Job:
    """Start a process for one kit; a new Python has other hashes of text and nothing imported.

    Raises:
        CannotStart: Python or its packages could not be started.
    """
    if new_python or not hasattr(os, "fork"):
        return _cold("--bare" if new_python else "--ready")
    reserve()
    warm = _warm
    if warm is None:
        raise CannotStart("The process kept in reserve was ended meanwhile.")
    return warm.job()


def release() -> None:
    """End the process kept in reserve."""
    global _warm
    if _warm:
        _warm.close()
    _warm = None


atexit.register(release)


def _cold(how: str) -> Job:
    """Python started anew, in a process group of its own."""
    process = subprocess.Popen(
        [*_COMMAND, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment("2"),
        start_new_session=True,
    )

    def end() -> Stopped:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        return Stopped("ended", process.wait())

    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    pipes = process.stdin, process.stdout, process.stderr
    return Job(*pipes, end, Scratch("check"))  # type: ignore[arg-type]


def _environment(hashes: str) -> dict[str, str]:
    """Ours, with the package findable, drawing without a screen, and CUDA left untouched until after a fork.

    One thread computes: what checks ask is small, and several wait for each other on a busy machine.
    `hashes` seeds the hashes of text: known, so that a check repeats itself, and others in a new Python.
    """
    home = str(Path(__file__).resolve().parents[2])
    paths = [os.environ.get("PYTHONPATH", ""), "" if home.endswith("site-packages") else home]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONHASHSEED": hashes,
        "PYTHONIOENCODING": "utf-8",
        "OMP_NUM_THREADS": "1",
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        "MPLBACKEND": "Agg",
    }
