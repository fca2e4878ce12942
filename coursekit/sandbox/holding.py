"""Stop all processes of a job for a while, from outside, and let them go on.

A process that is told to stop may have started another one just before, which nobody has seen yet. So all
are looked at again until none runs any more, and none has gone meanwhile that could have left one behind.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

from .consumption import PROC, of_job, own_number, processes

# Stopped, traced, at its end; or waiting within the kernel, where the signal is met on the way out.
STILL = frozenset("TtZXD")
ROUNDS, BETWEEN = 100, 0.001


def hold(first: int) -> bool:
    """Stop the processes of a job, by the number of its first; False if they do not come to rest."""
    for _ in range(ROUNDS):
        there = _there()
        seen = processes()
        running = [number for number in of_job(first, seen, own_number()) if not _is_still(number)]
        if not running and there <= seen.keys():
            return True
        for number in running:
            _signal(seen[number].numbers, signal.SIGSTOP)
        time.sleep(BETWEEN)
    return False


def let_go(first: int) -> None:
    """Let the processes of a job go on."""
    seen = processes()
    for number in of_job(first, seen, own_number()):
        _signal(seen[number].numbers, signal.SIGCONT)


def _there() -> set[int]:
    return {int(name) for name in os.listdir(PROC) if name.isdecimal()}


def _is_still(number: int) -> bool:
    """Whether no thread of a process runs."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        tasks = PROC / str(number) / "task"
        return all(_state(tasks / thread / "stat") in STILL for thread in os.listdir(tasks))
    return False


def _state(path: os.PathLike[str]) -> str:
    """A thread's state; its name, which it chooses, stands in brackets before it."""
    with open(path, "rb") as file:
        return file.read().rpartition(b")")[2].split()[0].decode()


def _signal(numbers: tuple[int, ...], what: signal.Signals) -> None:
    """Signal a process by its number in our own namespace, which is around that of the job."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(numbers[-2], what)
