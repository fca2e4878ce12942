"""An exercise as an autograder for Gradescope: one zip that brings the library, the exercise and two scripts.

In its root stand, as Gradescope asks, `setup.sh`, which installs what the checks need when the image is
built, and `run_autograder`, which grades one submission (see `autograder`).
"""

from __future__ import annotations

import importlib.metadata
import re
import stat
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..grader import exercises

_PACKAGE = Path(__file__).resolve().parents[1]
_SCRIPTS = Path(__file__).with_name("autograder_files")
_DISTRIBUTION, _EXTRA = "coursekit-topdown", "grade"
# The same files give the same bytes.
_WHEN = (2020, 1, 1, 0, 0, 0)


def export_gradescope(word: str, file: Path) -> Path:
    """Write an exercise as a zip to upload under "Configure Autograder".

    It carries this library, so that what grades there is what graded here, and asks for the versions of its
    packages that are installed here.

    Args:
        word: The exercise.
        file: The zip; one that is there is replaced.

    Raises:
        UnknownExercise: There is no such exercise.
        OSError: It cannot be written.
    """
    exercises.load(word)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _members(word):
            about = zipfile.ZipInfo(name, _WHEN)
            about.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if name in ("setup.sh", "run_autograder") else 0o644
            about.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(about, content)
    return unfinished.replace(file)


def _members(word: str) -> Iterator[tuple[str, bytes]]:
    """What is in the zip: names and contents."""
    for script in sorted(_SCRIPTS.iterdir()):
        yield script.name, script.read_bytes()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    yield "settings.sh", f"EXERCISE={word}\nPYTHON={python}\n".encode()
    yield "requirements.txt", "".join(f"{one}\n" for one in requirements()).encode()
    for file in sorted(_PACKAGE.rglob("*")):
        place = file.relative_to(_PACKAGE)
        if file.is_file() and not {"__pycache__", "_exercises", "_lessons"} & set(place.parts):
            yield f"library/coursekit/{place.as_posix()}", file.read_bytes()
    exercise = exercises.folder() / f"{word}.py"
    yield f"library/coursekit/_exercises/{word}.py", exercise.read_bytes()


def requirements() -> list[str]:
    """What the library and its sandbox need, in the versions that are installed here.

    >>> [one for one in requirements() if one.startswith(("numpy==", "torch=="))] != []
    True
    """
    return [_installed(one) for one in _wishes()]


def _wishes() -> list[str]:
    """What the library asks for: a checkout says it in `pyproject.toml`, an installation about itself."""
    file = _PACKAGE.parent / "pyproject.toml"
    if file.is_file():
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        return [*project["dependencies"], *project["optional-dependencies"][_EXTRA]]
    wanted = importlib.metadata.requires(_DISTRIBUTION) or []
    extra = re.compile(rf"""extra == ['"]{_EXTRA}['"]""")
    return [one for one in wanted if "extra ==" not in one or extra.search(one)]


def _installed(wish: str) -> str:
    """A wish with the version that is here; as it is where the package is not, as on another system."""
    name = re.match(r"[\w.-]+", wish)
    assert name is not None
    try:
        # Builds for one device have a version like 2.11.0+cpu; there it may be another.
        return f"{name[0]}=={importlib.metadata.version(name[0]).partition('+')[0]}"
    except importlib.metadata.PackageNotFoundError:
        return wish.partition(";")[0].strip()
