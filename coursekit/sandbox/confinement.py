"""What a freshly forked job does to itself before a learner's line runs; none of it can be undone.

The order matters. Namespaces come first, since they give the power to lay private file systems over the
shared ones; the limits come before `/proc` is covered, as one of them depends on what it says; then every
power is given up; and last the filter, after which not even the calls used here can be made again.
"""

from __future__ import annotations

import contextlib
import os

from . import system_calls
from .call_filter import program
from .limits import Limits
from .system_calls import NO_DEVICES, NO_PROGRAMS, NO_SETUID, READ_ONLY

INSIDE = 1000  # the number that a submission's user has, and the only one there is
PRIVATE = NO_SETUID | NO_DEVICES | NO_PROGRAMS


def have_own_users(*more: int) -> None:
    """Enter a user namespace, and others with it: in those this process may do what root does elsewhere."""
    user, group = os.geteuid(), os.getegid()
    what = system_calls.NEW_USERS
    for namespace in more:
        what |= namespace
    system_calls.unshare(what)
    system_calls.map_user(INSIDE, user, group)


def confine(limits: Limits, device: str) -> None:
    """Lock this process, which is the first of a process namespace, away for good.

    Raises:
        OSError: The kernel refused a step; nothing of a learner may run then.
    """
    have_own_users(
        system_calls.NEW_MOUNTS,
        system_calls.NEW_NETWORK,
        system_calls.NEW_IPC,
        system_calls.NEW_NAMES,
        system_calls.NEW_CGROUP,
    )
    _set_limits(limits, device)
    _lay_private_folders(limits, device)
    os.chdir(os.environ["TMPDIR"])
    system_calls.give_up_powers()
    system_calls.filter_calls(program(shares=device != "cpu"))


def _lay_private_folders(limits: Limits, device: str) -> None:
    for folder in (os.environ["TMPDIR"], "/dev/shm"):
        options = f"size={limits.disk},nr_inodes={limits.files},mode=0700"
        system_calls.mount_memory(folder, PRIVATE, options)
    if device == "cpu":
        # What this process is and has open is nobody's business, also not its own.
        system_calls.mount_memory("/proc", PRIVATE | READ_ONLY, "size=4k,nr_inodes=2,mode=0555")
    else:
        # CUDA reads in it. Where none may be mounted there is that of the warm process, which shows no more
        # than other jobs' numbers.
        with contextlib.suppress(PermissionError):
            system_calls.mount_processes("/proc")


def _set_limits(limits: Limits, device: str) -> None:
    """Limits that every process of the job inherits; what all hold together is watched from outside."""
    import resource  # Unix alone has it, and this module can be read elsewhere too

    chosen = {
        resource.RLIMIT_NPROC: limits.processes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_FSIZE: limits.disk,
        resource.RLIMIT_CPU: limits.processor_seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: 256,
    }
    if addresses_are_limited(device):
        chosen[resource.RLIMIT_AS] = _addresses() + limits.memory
    for which, number in chosen.items():
        most = resource.getrlimit(which)[1]
        number = number if most == resource.RLIM_INFINITY else min(number, most)
        resource.setrlimit(which, (number, number))


def addresses_are_limited(device: str) -> bool:
    """Whether the kernel keeps the memory of each process: CUDA reserves far more addresses than there is."""
    return device == "cpu"


def _addresses() -> int:
    """Bytes of addresses that are in use already, by the libraries for the most part."""
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[0]) * os.sysconf("SC_PAGESIZE")
