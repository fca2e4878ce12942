"""The other side seen from here: processes that are started, asked, watched by the wall clock, and ended.

Where there is `fork` a warm process is kept in reserve (see `warm`), so that a job starts in milliseconds;
elsewhere each job starts Python anew. Either way what comes back is only ever the typed encoding, bounded
before it is read, and the process ends with everything it started.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from .encoding import BYTES, BrokenEncoding
from .frames import read_frame, write_frame

KEPT_OUTPUT = 20_000
MOST_OUTPUT = 10 * 2**20
MOST_ANSWERS = 2_000
MOST_BYTES = 2 * BYTES
START = 180.0
LAST = ("ready", "unusable", "done", "raised", "result")

Answer = tuple[dict[str, Any], list[bytes]]


class CannotStart(RuntimeError):
    """No process could be started for the code; the fault is the installation's, not the learner's."""


class Stopped(Exception):
    """A job ended before its answer was complete.

    Attributes:
        why: "hung" past the wall clock, "flooded" its output, "ended" by itself, or "broken" words.
        status: For "ended", its exit status, or minus the signal that ended it.
    """

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.why, self.status = why, status


class Job:
    """One process that serves scenarios; use it in a `with`, so that it is ended whatever happens."""

    def __init__(
        self, requests: BinaryIO, answers: BinaryIO, output: BinaryIO, end: Callable[[], int]
    ) -> None:
        self._requests, self._answers, self._output = requests, answers, output
        self._end = end
        self._came: queue.Queue[Answer | Stopped] = queue.Queue(maxsize=4)
        self._is_over = False
        self._printed = b""
        for work in (self._read_answers, self._read_output):
            threading.Thread(target=work, daemon=True).start()

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def ask(self, message: dict[str, Any], buffers: list[bytes], seconds: float) -> Iterator[Answer]:
        """Send a request and give each answer to it, the last one included.

        Raises:
            Stopped: The process hung, ended, flooded its output or broke the form.
        """
        until = time.monotonic() + seconds
        # A process that does not read must not hold us up, so the request is sent beside the waiting.
        threading.Thread(target=self._send, args=(message, buffers), daemon=True).start()
        size = 0
        for _ in range(MOST_ANSWERS):
            answer = self._next(until)
            size += sum(map(len, answer[1]))
            if size > MOST_BYTES:
                break
            yield answer
            if answer[0].get("is") in LAST:
                return
        raise Stopped("broken")

    def printed(self) -> str:
        """The beginning of what the process has printed, since `forget_printed`."""
        # What was printed before an answer is written by now, but may still be on its way to our thread.
        time.sleep(0.02)
        return self._printed.decode("utf-8", "replace")

    def forget_printed(self) -> None:
        """Let `printed` begin here."""
        self._printed = b""

    def end(self) -> int:
        """End the process and all it started; return its exit status, or minus a signal's number."""
        self._is_over = True
        with contextlib.suppress(OSError):
            self._requests.close()
        status, self._end = self._end(), lambda: status
        return status

    def _next(self, until: float) -> Answer:
        try:
            answer = self._came.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise Stopped("hung") from None
        if not isinstance(answer, Stopped):
            return answer
        if answer.why == "ended":
            answer.status = self.end()
        raise answer

    def _send(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            write_frame(self._requests, message, buffers)

    def _deliver(self, answer: Answer | Stopped) -> None:
        """Hand over what came, as long as there is somebody to take it."""
        while not self._is_over:
            with contextlib.suppress(queue.Full):
                self._came.put(answer, timeout=0.2)
                break

    def _read_answers(self) -> None:
        with self._answers as pipe:
            try:
                while frame := read_frame(pipe):
                    self._deliver(frame)
                self._deliver(Stopped("ended"))
            except BrokenEncoding:
                self._deliver(Stopped("broken"))

    def _read_output(self) -> None:
        total = 0
        with self._output as pipe:
            while piece := os.read(pipe.fileno(), 65536):
                total += len(piece)
                if len(self._printed) < KEPT_OUTPUT:
                    self._printed += piece
                if total - len(piece) <= MOST_OUTPUT < total:
                    self._deliver(Stopped("flooded"))


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
        return Job(*pipes, lambda: self.request(f"end {pid}"))

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


_COMMAND = [sys.executable, "-P", "-m", "coursekit.grader.runner"]
_warm: _Warm | None = None


def reserve() -> None:
    """Start the warm process now, so that the first check need not wait; nothing where there is no fork."""
    global _warm
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
    assert _warm is not None
    return _warm.job()


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

    def end() -> int:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        return process.wait()

    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    return Job(process.stdin, process.stdout, process.stderr, end)  # type: ignore[arg-type]


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
