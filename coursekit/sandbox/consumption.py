"""How much memory the processes of a job hold together, read in `/proc` by the process that forked it.

The limit that the kernel keeps is for each process alone, so a job of many could hold many times as much.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")
KIB = 1024


@dataclass(frozen=True)
class Process:
    """One process as `/proc` shows it.

    Attributes:
        parent: The number of the process that it belongs to.
        numbers: Its own in each process namespace, the innermost last.
        held: Bytes of memory, with those that it shares with the process it was forked from.
    """

    parent: int
    numbers: tuple[int, ...]
    held: int


def processes() -> dict[int, Process]:
    """All processes that can be seen here, by number."""
    found = {}
    for name in os.listdir(PROC):
        if name.isdecimal():
            # One that has ended meanwhile is not there.
            with contextlib.suppress(OSError, KeyError):
                said = _said(PROC / name / "status")
                numbers = tuple(map(int, said["NSpid"].split()))
                found[int(name)] = Process(int(said["PPid"]), numbers, _held(PROC / name, said))
    return found


def _said(path: Path) -> dict[str, str]:
    """What a file of `/proc` says by name; a process is called as it likes, but for the ends of lines."""
    lines = path.read_bytes().decode("latin-1").split("\n")
    # What the kernel says comes after the process's name, and never twice.
    return dict(line.split(":\t", 1) for line in lines[1:] if ":\t" in line)


def _held(process: Path, said: dict[str, str]) -> int:
    """What a process holds: its first thread may have ended, and then says nothing of it, but others have."""
    if "VmSize" not in said and int(said["Threads"]) > 1:
        for thread in os.listdir(process / "task"):
            with contextlib.suppress(OSError):  # this one has ended meanwhile
                said = said | _said(process / "task" / thread / "status")
    return _sum(said, *_KINDS)


_KINDS = ("RssAnon", "RssShmem", "VmSwap")
_SHARES = ("Pss_Anon", "Pss_Shmem", "SwapPss")


def _sum(said: dict[str, str], *names: str) -> int:
    return sum(int(said[name].split()[0]) * KIB for name in names if name in said)


def of_job(first: int, seen: dict[int, Process], ours: int) -> list[int]:
    """The numbers of a job's processes here: its first, a child of ours with that number, and all below."""
    roots = [
        number
        for number, process in seen.items()
        if process.parent == ours and process.numbers[-2:] == (first, 1)
    ]
    below: dict[int, list[int]] = {}
    for number, process in seen.items():
        below.setdefault(process.parent, []).append(number)
    return [number for root in roots for number in _with_children(root, below)]


def _with_children(number: int, below: dict[int, list[int]]) -> Iterator[int]:
    yield number
    for child in below.get(number, ()):
        yield from _with_children(child, below)


def holds_more(first: int, most: int, seen: dict[int, Process], counts_one: bool) -> bool:
    """Whether a job holds more bytes than its share.

    Where the kernel sees to what one process holds, a job of one is not counted: code that was refused memory
    goes on without, and to end it then, for what it held a moment ago, would strike what it does next.

    What is quick to read counts a page once for each process that has it. Only if that is too much is it
    worth asking how the pages are shared, for which the kernel walks over all of them.
    """
    numbers = of_job(first, seen, own_number())
    if len(numbers) == 1 and not counts_one:
        return False
    most -= sum(_in_sockets(number) for number in numbers[:1])
    if sum(seen[number].held for number in numbers) <= most:
        return False
    return sum(_own_share(number, seen[number].held) for number in numbers) > most


def own_number() -> int:
    """This process's number in the `/proc` that is to be seen here."""
    return int(os.readlink(PROC / "self"))


def _in_sockets(number: int) -> int:
    """Bytes that all sockets of a job may hold, which has a network of its own: the kernel says how many.

    What is sent and not read yet belongs to no process, so each counts as full.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        words = (PROC / str(number) / "net" / "sockstat").read_text().split(maxsplit=3)
        return int(words[2]) * _in_one_socket()
    return 0


@cache
def _in_one_socket() -> int:
    with socket.socket(socket.AF_UNIX) as one:
        return one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


def _own_share(number: int, held: int) -> int:
    """A process's part of the memory it holds, each shared page divided among those that share it."""
    try:
        lines = (PROC / str(number) / "smaps_rollup").read_text().splitlines()
    except PermissionError:  # it does not let itself be looked at
        return held
    except ProcessLookupError:  # it has ended, or its first thread has
        with contextlib.suppress(OSError):
            return _held(PROC / str(number), _said(PROC / str(number) / "status"))
        return 0
    except OSError:  # it has ended
        return 0
    return _sum(dict(line.split(":", 1) for line in lines[1:]), *_SHARES)
