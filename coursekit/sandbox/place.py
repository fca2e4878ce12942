"""The sandbox as the grader uses it: a place that starts jobs, whatever happens to those before them."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from ..grader.process import START, CannotStart, Job, Stopped
from . import gpu_share
from .limits import Limits
from .shell import command

# How long the warm process may take to say how a job ended, in seconds; it answers in milliseconds.
END = 10.0


class Sandbox:
    """Starts jobs that are locked away from this machine and from each other; use it in a `with`.

    A warm process that has died is started again when the next job is. Any number of threads may start jobs.

    Args:
        library: A folder with the package `coursekit` as submissions may see it; see `masking`.
        limits: What one job may take.
        device: "cpu", or "cuda" to let jobs use the GPUs of this machine. What they take of those is counted
            for one job at a time: start the next one when the last has ended.
        hides_copies: Whether other copies of this library, which have to be looked for, are hidden in it.
    """

    def __init__(
        self,
        library: Path,
        limits: Limits | None = None,
        device: str = "cpu",
        hides_copies: bool = True,
    ) -> None:
        self.library, self.limits, self.device = Path(library), limits or Limits(), device
        self.hides_copies = hides_copies
        self._warm: dict[bool, Future[_Warm]] = {}
        self._lock = threading.Lock()
        # The kernel ends a warm process with the thread that started it, so that thread has to stay.
        self._starter = ThreadPoolExecutor(1, "sandbox")

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get_ready(self) -> None:
        """Begin to start the usual warm process, which takes seconds, and go on with something else."""
        with self._lock:
            self._begun(new_python=False)

    def start(self, new_python: bool = False) -> Job:
        """Start a job.

        Args:
            new_python: In a Python with other hashes of text than the usual one.

        Raises:
            CannotStart: There is no sandbox to be had here, or it was lost just now.
        """
        with self._lock:
            warm = self._begun(new_python).result()
            if not warm.is_usable:
                self._warm.pop(new_python)
                warm.close()
                warm = self._begun(new_python).result()
        return warm.job(self.limits.gpu_memory if self.device != "cpu" else None)

    def _begun(self, new_python: bool) -> Future[_Warm]:
        """A warm process that is there or will be; one that could not be started is tried again."""
        begun = self._warm.get(new_python)
        if begun is None or (begun.done() and begun.exception()):
            begun = self._warm[new_python] = self._starter.submit(_Warm, *self._command(new_python))
        return begun

    def _command(self, new_python: bool) -> tuple[list[str], socket.socket, socket.socket]:
        """What starts a warm process, and both ends of the socket to it.

        To put it together means to look through all packages, so that is done before others import them.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        hashes = "2" if new_python else "1"
        where = self.library, self.limits, self.device, hashes, theirs.fileno(), self.hides_copies
        try:
            return command(*where), ours, theirs
        except OSError as error:
            ours.close()
            theirs.close()
            raise _cannot(error) from None

    def close(self) -> None:
        """End the warm processes, and every job that still runs."""
        with self._lock:
            begun = list(self._warm.values())
            self._warm.clear()
        for one in begun:
            if not one.exception():
                one.result().close()
        self._starter.shutdown()


def _cannot(why: OSError | str) -> CannotStart:
    return CannotStart(f"The sandbox could not be started: {why}")


class _Warm:
    """A warm process, seen from here."""

    def __init__(self, command: list[str], ours: socket.socket, theirs: socket.socket) -> None:
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.control = ours
        with theirs:
            try:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=self.errors,
                    stderr=self.errors,
                    pass_fds=[theirs.fileno()],
                    env={},
                )
            except OSError as error:
                raise _cannot(error) from None
        self.is_lost = False
        self.control.settimeout(START)
        with contextlib.suppress(OSError):
            if self.control.recv(100) == b"ready":
                self.control.settimeout(None)
                return
        raise _cannot(self.close())

    @property
    def is_usable(self) -> bool:
        return not self.is_lost and self.process.poll() is None

    def job(self, gpu_memory: int | None) -> Job:
        """Have a job forked; what it says and what is said of it comes through pipes of its own."""
        leash, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if gpu_memory is not None:
            try:
                gpu_share.watch(leash, gpu_memory)
            except CannotStart:
                leash.close()
                theirs.close()
                raise
        (requests, to_it), (from_it, answers), (printed, output) = (os.pipe() for _ in range(3))
        given = [requests, answers, output, theirs.detach()]
        try:
            socket.send_fds(self.control, [b"job"], given)
        except OSError:
            for descriptor in (to_it, from_it, printed, leash.detach()):
                os.close(descriptor)
            self.is_lost = True  # what is around it may take a moment to end
            raise CannotStart("The sandbox was lost just now.") from None
        finally:
            for descriptor in given:
                os.close(descriptor)
        ours = os.fdopen(to_it, "wb"), os.fdopen(from_it, "rb"), os.fdopen(printed, "rb")
        held = _Leash(leash)
        return Job(*ours, held.end, hold=held.hold)

    def close(self) -> str:
        """End it and all its jobs; what it said last."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        self.process.kill()
        self.process.wait()
        with self.errors:
            self.errors.seek(0)
            last = self.errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        return " ".join(last) or "it ended without a word"


class _Leash:
    """What a job hangs on: it can be held for a while, and ended; and here comes how it ended."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._last = line, b""
        line.settimeout(END)

    def hold(self, is_held: bool) -> None:
        """Have all its processes stopped, or go on; of one that has ended, that is kept in mind."""
        if not self._last:
            words = self._answer(b"hold" if is_held else b"go on")
            self._last = b"" if words == b"done" else words

    def end(self) -> Stopped:
        """End it, and say how it ended."""
        with self._line:
            words = self._last or self._answer(b"end")
        how, _, number = words.decode().partition(" ")
        if how in ("exited", "killed"):
            return Stopped("ended", int(number) if how == "exited" else -int(number))
        return Stopped({"memory": "memory", "cut": "broken"}.get(how, "lost"))

    def _answer(self, words: bytes) -> bytes:
        with contextlib.suppress(OSError):
            self._line.send(words)
        try:
            return self._line.recv(200)
        except ConnectionResetError:
            # It ended by itself, and our word came too late to be read; what was said before is still there.
            return self._line.recv(200)
        except OSError:
            return b""
