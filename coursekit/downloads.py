"""Files from the network, whole and checked, or not at all; one that broke off goes on where it stopped.

pooch, which fetches files for many packages, throws away what a broken connection had brought; over a slow
line a hundred megabytes then never arrive. Python's own client can ask for the rest, and needs no package.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

# Seconds without a byte until a connection counts as broken; seconds to wait before each new attempt.
PATIENCE, PAUSES = 30.0, (1.0, 2.0, 4.0)
# What is lost of a connection that falls silent: small, so that a line that often does gets there as well.
CHUNK = 2**14
# What has a meaning in an address, and stays as it is.
RESERVED = "%/:?#[]@!$&'()*+,;="


class DownloadError(RuntimeError):
    """A file that cannot be had, or is not what it should be; the message says which and why."""


class BrokenOff(Exception):
    """The connection failed; another attempt may help."""


def download(address: str, file: Path, size: int, sha256: str, title: str = "") -> None:
    """Fetch a file, unless it is there. It has its name only when all of it is there and checked.

    Until then it is `NAME.part`, where a later call goes on, in this process or another. If several may fetch
    the same file, let each of them wait in `alone`.

    Args:
        address: `http://` or `https://`.
        file: Where it goes; its folder is made.
        size: How many bytes it has. More are never written.
        sha256: What they hash to.
        title: What the progress bar says; it is drawn in terminals and notebooks.

    Raises:
        DownloadError: It cannot be reached, even after some attempts, or has another checksum.
        OSError: The disk is full, or the folder cannot be written.
    """
    if file.is_file() and sha256_of(file) == sha256:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    resumed = _length(part) > 0
    if shutil.disk_usage(part.parent).free < size - _length(part):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with _bar(title, size) as bar:
        _fetch(address, part, size, bar)
        if resumed and sha256_of(part) != sha256:  # The rest did not fit what was there: all of it again.
            part.unlink()
            _fetch(address, part, size, bar)
    if sha256_of(part) != sha256:
        part.unlink()
        raise DownloadError(
            f"What {address} sent is something else: its checksum is wrong, so it was thrown away. "
            "Try again; if it happens again, the file there has changed or something on the way alters it."
        )
    part.replace(file)


def sha256_of(file: Path) -> str:
    """The checksum of a file, read piece by piece.

    >>> sha256_of(Path(os.devnull))[:12]
    'e3b0c44298fc'
    """
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextlib.contextmanager
def alone(file: Path) -> Iterator[None]:
    """Wait until no other process, and no other thread, is inside with the same file; then keep them out.

    The system lifts the lock when a process ends, however it ends. The file stays: removing it would let two
    in at once.

    Raises:
        OSError: The folder cannot be written, or its file system knows no locks.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as opened:
        if sys.platform == "win32":
            import msvcrt

            while True:
                with contextlib.suppress(OSError):  # It gives up after ten seconds.
                    msvcrt.locking(opened.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            fcntl.flock(opened, fcntl.LOCK_EX)
        yield


def _length(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _fetch(address: str, part: Path, size: int, bar: Any) -> None:
    """Let attempt follow attempt until one is complete; those that come farther than ever are not counted."""
    farthest, pauses = _length(part), iter(PAUSES)
    while _length(part) < size:
        try:
            _attempt(address, part, size, bar)
            return
        except BrokenOff as error:
            if _length(part) > farthest:
                farthest, pauses = _length(part), iter(PAUSES)
            pause = next(pauses, None)
            if pause is None:
                raise DownloadError(f"{address} could not be fetched: {error}.") from error
            time.sleep(pause)


def _attempt(address: str, part: Path, size: int, bar: Any) -> None:
    """Ask for what is missing and add it."""
    done = _length(part)
    if not address.lower().startswith(("http://", "https://")):
        raise DownloadError(f"{address} is no address on the web: those begin with https:// or http://.")
    rest = {"Range": f"bytes={done}-"} if done else {}
    with contextlib.ExitStack() as stack:
        with _network(address, part):
            # As browsers do: spaces and letters of other scripts are written in ASCII.
            request = Request(quote(address, safe=RESERVED), headers={"User-Agent": "coursekit", **rest})
            answer = stack.enter_context(urlopen(request, timeout=PATIENCE))
        # A server that knows no ranges begins again, and so do we.
        goes_on = str(answer.headers["Content-Range"]).startswith(f"bytes {done}-")
        target = stack.enter_context(part.open("ab" if goes_on else "wb"))
        done = bar.n = done if goes_on else 0
        while done < size:
            with _network(address, part):
                chunk = answer.read(min(CHUNK, size - done))
            target.write(chunk)
            done += len(chunk)
            bar.update(len(chunk))
            if not chunk and not answer.length:
                return  # The file there is shorter than ours should be: the checksum will tell.
            if not chunk:
                raise BrokenOff(f"the connection broke off after {done:,} of {size:,} bytes")


@contextlib.contextmanager
def _network(address: str, part: Path) -> Iterator[None]:
    """Tell what the network did from what the disk did: both raise errors of the same kind."""
    try:
        yield
    except HTTPError as error:
        error.close()
        if error.code == 416:  # There is no such rest: the file there is another one.
            part.unlink(missing_ok=True)
        if error.code == 416 or error.code >= 500:
            raise BrokenOff(str(error)) from error
        raise DownloadError(f"{address} could not be fetched: {error}.") from error
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise BrokenOff(str(reason) or type(reason).__name__) from error
    except ValueError as error:
        raise DownloadError(f"{address} could not be fetched: {error}.") from error


def _bar(title: str, size: int) -> Any:
    """A bar by tqdm where someone looks on; TQDM_DISABLE=1 keeps it away everywhere."""
    from tqdm import tqdm

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    watched = sys.stderr.isatty() or getattr(shell, "kernel", None) is not None
    keep_away = {} if watched else {"disable": True}
    return tqdm(total=size, desc=title, unit="B", unit_scale=True, leave=False, **keep_away)
