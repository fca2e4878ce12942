"""A folder for work in hand, below the system's own for such, that does not outlive its work.

Whoever is killed cannot clear up. So each such folder is locked as long as its process lives, and the next
process that makes one clears away those that nobody has locked any more.

>>> with Scratch("example") as scratch:
...     scratch.path.is_dir()
True
>>> scratch.path.exists()
False
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ImportError:  # Windows: there a killed process leaves its folders
    fcntl = None  # type: ignore[assignment]

# A folder is made first and locked then; one that is younger than this is left alone.
NEW = 60.0
# Only what was made here is ever cleared away: people call folders of their own coursekit-something.
PREFIX = "coursekit-scratch-"


class Scratch:
    """A new folder, removed at the end of a `with`, by `remove`, or after the death of this process.

    Args:
        purpose: A word in its name, so that people who find it know what it was for.
    """

    def __init__(self, purpose: str) -> None:
        _clear_once()
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-"))
        self._lock = _locked(self.path)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the folder and all that is in it; what is gone already is no error."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock until it is closed; None if somebody else has it."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@cache
def _clear_once() -> None:
    """Clear away what killed processes of ours left; once in a process is enough."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # Somebody else's cannot be opened or removed, and one may vanish meanwhile.
        with contextlib.suppress(OSError):
            about = folder.lstat()
            if about.st_uid != os.geteuid() or time.time() - about.st_mtime < NEW:
                continue
            if (lock := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
