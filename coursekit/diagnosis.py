"""What `coursekit doctor` looks at: whether this machine can run the course, each finding in one sentence.

>>> fine, sentence = python()
>>> fine
True
"""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import __version__, workspace
from .sandbox.availability import why_not

Finding = tuple[bool, str]

# What each is for; the first that is missing keeps lessons from running at all.
PACKAGES = {
    "numpy": "computing",
    "pandas": "tables",
    "matplotlib": "drawing",
    "pillow": "reading pictures",
    "torchvision": "models and pictures",
    "jupyterlab": "notebooks",
}


def findings() -> Iterator[Finding]:
    """Everything, in order; whether it is fine and a sentence about it."""
    yield python()
    yield True, f"coursekit {__version__} in {Path(__file__).parent}"
    yield place()
    for package, purpose in PACKAGES.items():
        yield installed(package, purpose)
    yield from devices()
    yield from sandbox()


def python() -> Finding:
    """Whether this Python will do."""
    version = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return False, f"{version}: coursekit is tried with 3.11, 3.12 and 3.13 alone."
    return True, version


def place() -> Finding:
    """Whether the workspace can be written to and has room."""
    folder = workspace.location().folder
    there = next(above for above in [folder, *folder.parents] if above.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        advice = "choose another with COURSEKIT_WORKSPACE=FOLDER"
        return False, f"The workspace {folder} cannot be written to ({error.strerror}): {advice}."
    free = shutil.disk_usage(there).free / 2**30
    if free < 1:
        return False, f"The workspace {folder} has {free:.1f} GiB left; data and models need about one more."
    made = "" if (folder / workspace.MARK).is_dir() else ", not made yet: `coursekit start first_model` does"
    return True, f"The workspace is {folder}{made}; {free:.0f} GiB free"


def installed(package: str, purpose: str) -> Finding:
    """Whether a package is there, and which.

    >>> installed("no-such-package", "nothing")
    (False, 'no-such-package (for nothing) is not installed: pip install no-such-package')
    """
    try:
        return True, f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return False, f"{package} (for {purpose}) is not installed: pip install {package}"


def devices() -> Iterator[Finding]:
    """Multiply two matrices on each device that torch sees, and compare with what must come out."""
    try:
        torch = importlib.import_module("torch")
    except Exception as error:  # a broken build raises anything
        yield False, f"torch cannot be imported ({type(error).__name__}: {error}): install it again."
        return
    yield True, f"torch {torch.__version__}"
    names = ["cpu"]
    names += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    names += ["mps"] if torch.backends.mps.is_available() else []
    for name in names:
        yield _computes(torch, name)
    if names == ["cpu"]:
        yield True, "No GPU is seen; every lesson also runs without one."


def _computes(torch: Any, name: str) -> Finding:
    try:
        ones = torch.ones(64, 64, device=name)
        right = bool(((ones @ ones) == 64).all())
    except Exception as error:  # whatever a driver comes up with
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return False, f"{name} is there but does not compute: {first}"
    called = f" ({torch.cuda.get_device_name(name)})" if name.startswith("cuda") else ""
    return right, f"{name}{called} {'computes rightly' if right else 'computes wrongly: do not trust it'}"


def sandbox() -> Iterator[Finding]:
    """Whether the code of others can be locked away here, as `coursekit grade` does; learners need it not."""
    reasons = why_not()
    for reason in reasons:
        yield True, f"For instructors: submissions cannot be graded in the sandbox here. {reason}"
    if not reasons:
        yield True, "The sandbox for grading works: it was tried"
