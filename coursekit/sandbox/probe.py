"""What a job of a trial does in the runner's place: it tries what must not work, and prints what does.

Nothing of this package is imported here, since the trial's library has next to nothing of it.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

INSIDE = 1000


def preload(*modules: str) -> list[None]:
    """Nothing: a trial has to be quick."""
    return []


def take_over() -> tuple[int, int]:
    """The standard pipes, as they are."""
    return 0, 1


def serve(requests: int, answers: int) -> None:
    """Try everything, and print a sentence for each thing that is open."""
    for sentence, is_open in ATTEMPTS.items():
        try:
            found = is_open()
        except OSError:
            found = False
        if found:
            print(sentence, file=sys.stderr)
    sys.stderr.flush()


def _is_unreadable(package: str) -> bool:
    spec = importlib.util.find_spec(package)
    return spec is None or spec.origin is None or not Path(spec.origin).read_bytes()


def _can_write(path: str) -> bool:
    Path(path).write_text("here")
    return True


def _has_network() -> bool:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    return True


def _can_leave() -> bool:
    return ctypes.CDLL(None).unshare(0x10000000) == 0


def _may_start_many() -> bool:
    import resource  # Unix alone has it

    return resource.getrlimit(resource.RLIMIT_NPROC)[1] == resource.RLIM_INFINITY


def _has_no_private_folder() -> bool:
    try:
        return not _can_write("trial")
    except OSError:
        return True


ATTEMPTS: dict[str, Callable[[], bool]] = {
    "What runs in the sandbox has powers that it should not have.": lambda: os.getuid() != INSIDE,
    "What runs in the sandbox can make namespaces of its own.": _can_leave,
    "What runs in the sandbox can reach a network.": _has_network,
    "What runs in the sandbox sees other processes.": lambda: any(os.scandir("/proc")),
    "What runs in the sandbox can write outside of its folder.": lambda: _can_write("/library/trial"),
    "What runs in the sandbox has no folder to write in.": _has_no_private_folder,
    "What runs in the sandbox may start any number of processes.": _may_start_many,
    "The package torch cannot be read in the sandbox: let every user read Python's packages.": lambda: (
        _is_unreadable("torch")
    ),
}
