"""How much of the GPUs a job holds: asked of the driver, from outside, for as long as the job lives.

CUDA knows no limit that a process could not lift itself, and the kernel's limits do not count a GPU's memory.
"""

from __future__ import annotations

import contextlib
import importlib
import socket
import threading
import time
from typing import Any

from ..grader.process import CannotStart

LOOK = 0.1


def watch(leash: socket.socket, most: int) -> None:
    """Have a job ended over its leash when it holds more bytes than that on the GPUs; returns at once.

    What runs on a GPU from now on and did not before is taken for the job's: start one job at a time.

    Raises:
        CannotStart: The driver cannot be asked.
    """
    try:
        driver = importlib.import_module("pynvml")
        driver.nvmlInit()
        before = set(_held(driver))
    except Exception as error:  # the package's own kinds are only there with the package
        raise CannotStart(
            f"How much of the GPU a submission takes cannot be watched here ({error}). It needs NVIDIA's "
            'driver and the extra "grade": pip install "coursekit-topdown[grade]".'
        ) from None
    threading.Thread(target=_look, args=(driver, before, leash, most), daemon=True).start()


def _look(driver: Any, before: set[int], leash: socket.socket, most: int) -> None:
    while leash.fileno() >= 0:  # closed when the job has ended
        if sum(size for number, size in _held(driver).items() if number not in before) > most:
            with contextlib.suppress(OSError):
                leash.send(b"memory")
            return
        time.sleep(LOOK)


def _held(driver: Any) -> dict[int, int]:
    """Bytes that each process holds on all GPUs together."""
    found: dict[int, int] = {}
    for number in range(driver.nvmlDeviceGetCount()):
        card = driver.nvmlDeviceGetHandleByIndex(number)
        for process in driver.nvmlDeviceGetComputeRunningProcesses(card):
            found[process.pid] = found.get(process.pid, 0) + (process.usedGpuMemory or 0)
    return found
