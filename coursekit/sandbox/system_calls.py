"""The system calls of Linux that Python has no function for, and nothing else."""

from __future__ import annotations

import contextlib
import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

# For `unshare`, `setns` and `clone`: what is to be one's own.
NEW_MOUNTS = 0x00020000
NEW_CGROUP = 0x02000000
NEW_NAMES = 0x04000000  # of the machine: UTS
NEW_IPC = 0x08000000
NEW_USERS = 0x10000000
NEW_PIDS = 0x20000000
NEW_NETWORK = 0x40000000

# For `mount`.
READ_ONLY, NO_SETUID, NO_DEVICES, NO_PROGRAMS = 1, 2, 4, 8

_SET_DUMPABLE = 4
_SET_SECCOMP, _FILTER = 22, 2
_SET_NO_NEW_PRIVILEGES = 38
_LARGE, _COLLAPSE = 2**21, 25
_CAPABILITIES_VERSION = 0x20080522


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library that answers 0, or -1 with a number that says why."""
    # All of a register is read, so all of it is given.
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    if getattr(_library(), name)(*given):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(what: int) -> None:
    """Have namespaces of one's own from now on; those of processes begin with the next child."""
    _call("unshare", what)


def join(namespace: int, what: int) -> None:
    """Take the namespace that an open file of `/proc` stands for."""
    _call("setns", namespace, what)


def mount_memory(target: str, flags: int, options: str) -> None:
    """Lay a file system over a folder that is kept in memory and goes with its namespace."""
    _call("mount", b"tmpfs", target.encode(), b"tmpfs", flags, options.encode())


def mount_processes(target: str) -> None:
    """Lay a `/proc` of this process namespace over a folder."""
    _call("mount", b"proc", target.encode(), b"proc", NO_SETUID | NO_DEVICES | NO_PROGRAMS, None)


def use_large_pages() -> None:
    """Have one's own memory in pages of 2 MB as far as it will, so that a fork has few of them to copy.

    After torch is imported there are a hundred thousand small ones, and copying their table is most of what a
    fork costs. Where the kernel cannot do it, forks only take longer.
    """
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, rights, _, _, inode = line.split()[:5]
        if rights == "rw-p" and inode == "0":
            start, end = (int(one, 16) // _LARGE for one in place.split("-"))
            if start + 1 < end:
                with contextlib.suppress(OSError):
                    _call("madvise", (start + 1) * _LARGE, (end - start - 1) * _LARGE, _COLLAPSE)


def become_ordinary(number: int) -> None:
    """Be an ordinary user in an ordinary group, for good, after having been root."""
    os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)
    # After that one's own files in /proc belong to root, until this is said.
    _call("prctl", _SET_DUMPABLE, 1, 0, 0, 0)


def map_user(inside: int, outside_user: int, outside_group: int) -> None:
    """Give oneself a number in the user namespace just made; nobody else has one there."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {outside_user} 1"),
        ("gid_map", f"{inside} {outside_group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def give_up_powers() -> None:
    """Drop every capability, and the way to get any by starting a program."""
    head = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    _call("capset", head, (ctypes.c_uint32 * 6)())
    _call("prctl", _SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def filter_calls(program: bytes) -> None:
    """Let a filter, in the kernel's form, decide on every system call from now on."""

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]

    _call("prctl", _SET_SECCOMP, _FILTER, ctypes.byref(Program(len(program) // 8, program)), 0, 0)
