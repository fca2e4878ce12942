"""The processes below another, as `/proc` shows them: none may be left by what a learner hands in."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def below(number: int, also_ended: bool = False) -> set[int]:
    """The processes that a process has started, and they in turn; ended ones nobody waited for on demand.

    Read as bytes: a process chooses its name, which stands in brackets before the rest, and it may hold any.
    """
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal():
                state, parent = (entry / "stat").read_bytes().rpartition(b")")[2].split()[:2]
                if also_ended or state != b"Z":
                    children.setdefault(int(parent), []).append(int(entry.name))
    found: set[int] = set()
    waiting = [number]
    while waiting:
        of_this = children.get(waiting.pop(), [])
        found.update(of_this)
        waiting += of_this
    return found


def ours() -> set[int]:
    """Every process below this one, ended ones that nobody waited for included."""
    return below(os.getpid(), also_ended=True)


def command(number: int) -> bytes:
    """What a process was started with, an empty byte after each word; nothing once it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/cmdline").read_bytes()
    return b""
