"""A process that has imported torch and forks a copy of itself for every job: milliseconds, not seconds.

It never runs a learner's line itself. It listens on one socket: `job` comes with three descriptors (requests,
answers, output) and is answered with the new process's number; `end NUMBER` ends that process with all it
started and is answered with how it ended. When the socket closes, every process still there is ended.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterator

PATIENCE = 0.2
# An import that has begun cannot be left for a job, and one is likely soon after the start.
IDLE = 3.0


def serve_jobs(descriptor: int, work: Callable[[], None], when_idle: Iterator[None]) -> None:
    """Listen on the socket and fork a process that does `work` for each job; get readier in idle moments."""
    running: set[int] = set()
    with socket.socket(fileno=descriptor) as control:
        while True:
            while not select.select([control], [], [], IDLE)[0]:
                if next(when_idle, "done") == "done":
                    break
            words, descriptors, _, _ = socket.recv_fds(control, 100, 3)
            if not words:
                break
            verb, _, number = words.decode().partition(" ")
            if verb == "job":
                pid = _fork(control, descriptors, work)
                running.add(pid)
                control.sendall(b"%d" % pid)
            else:
                # Only what is ours to end: a number may belong to somebody else by now.
                status = end(int(number)) if int(number) in running else 0
                running.discard(int(number))
                control.sendall(b"%d" % status)
    for pid in running:
        end(pid, patience=0)


def _fork(control: socket.socket, descriptors: list[int], work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        for descriptor in descriptors:
            os.close(descriptor)
        return pid
    status = 1
    try:
        control.close()
        os.setsid()
        for standard, descriptor in enumerate(descriptors):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # Nothing of the parent's may run on: no `finally`, no atexit, no second loop.
        os._exit(status)


def end(pid: int, patience: float = PATIENCE) -> int:
    """End a process and what it started; return its exit status, or minus the signal that ended it.

    One that is on its way out is given a moment, so that its own status is what is returned.
    """
    until = time.monotonic() + patience
    status = _status(pid)
    while status is None and time.monotonic() < until:
        time.sleep(0.002)
        status = _status(pid)
    # Its children share its group and may outlive it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if status is None else status


def _status(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None
