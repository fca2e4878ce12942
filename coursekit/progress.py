"""How far a learner has come: one small file for each exercise, `.coursekit/progress/first_model.json`.

A file for each, so that a notebook and a terminal checking two exercises at once undo nothing of each other.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     progress = Progress(Path(folder))
...     progress.note("first_model", points=3, of=8, passed=False)
...     progress.of("first_model")["points"]
3
"""

from __future__ import annotations

import json
import os
import secrets
import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")


class WorkspaceError(Exception):
    """Something that cannot be read or written; the message says what, and what to do."""


class WorkspaceWarning(UserWarning):
    """Something was found damaged and set aside."""


def write_whole(file: Path, text: str | bytes) -> None:
    """Write a file whole or not at all: a full disk or a power cut leaves the old one.

    Raises:
        WorkspaceError: It cannot be written.
    """
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        trying(file, lambda: _write(beside, text))
        if file.exists():
            trying(file, lambda: beside.chmod(file.stat().st_mode))
        trying(file, lambda: os.replace(beside, file))
    finally:
        beside.unlink(missing_ok=True)


def _write(file: Path, text: str | bytes) -> None:
    with file.open("xb") as stream:
        stream.write(text if isinstance(text, bytes) else text.encode("utf-8"))
        stream.flush()
        os.fsync(stream.fileno())


def trying(file: Path, action: Callable[[], Result]) -> Result:
    """Do something to a file, or say in one sentence what could not be written and why."""
    try:
        return action()
    except OSError as error:
        reason = error.strerror or str(error)
        raise WorkspaceError(
            f"{file} cannot be written: {reason}. What was there is as it was. "
            "COURSEKIT_WORKSPACE=FOLDER chooses another folder."
        ) from None


class Progress:
    """The progress files of one workspace.

    Args:
        folder: The workspace.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / ".coursekit" / "progress"

    def words(self) -> list[str]:
        """The exercises of which something is known, in alphabetical order."""
        return sorted(file.stem for file in self.folder.glob("*.json"))

    def of(self, word: str) -> dict[str, Any]:
        """What is known of an exercise; an empty dict when nothing is.

        `started`, `checked`, `first_passed` are times; `passed`, `points`, `of`, `checks` come from the last.
        A damaged file is set aside with a warning, never deleted; what is known is then nothing.
        """
        file = self.folder / f"{word}.json"
        if not file.exists():
            return {}
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
            if _is_progress(known):
                return known
            reason = "it does not hold what a progress file holds"
        except (ValueError, OSError) as error:
            reason = str(error)
        aside = file.with_name(f"{word}.damaged-{datetime.now():%Y-%m-%d_%H-%M-%S}")
        trying(aside, lambda: os.replace(file, aside))
        warnings.warn(
            f"What was noted about {word} could not be read ({reason}). It is set aside as {aside.name} in "
            f"{self.folder}; `coursekit check {word}` notes it again.",
            WorkspaceWarning,
            stacklevel=2,
        )
        return {}

    def for_pages(self) -> str:
        """What was checked, as the text that the book's page "Where you are" takes in.

        >>> Progress(Path("nowhere")).for_pages()
        '{"version": 1, "read": {}, "quizzes": {}, "exercises": {}}'
        """
        known = {word: self.of(word) for word in self.words()}
        checked = {
            word: {"points": one.get("points", 0), "of": one.get("of", 0), "at": one["checked"]}
            for word, one in known.items()
            if "checked" in one
        }
        return json.dumps({"version": 1, "read": {}, "quizzes": {}, "exercises": checked})

    def note(self, word: str, **news: Any) -> None:
        """Add news to what is known of an exercise, with the time.

        Raises:
            WorkspaceError: The file cannot be written.
        """
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        known = {"started": now} | self.of(word) | news
        if "passed" in news:
            known["checked"] = now
        if news.get("passed"):
            known.setdefault("first_passed", now)
        trying(self.folder, lambda: self.folder.mkdir(parents=True, exist_ok=True))
        write_whole(self.folder / f"{word}.json", json.dumps(known, indent=1) + "\n")


def _is_progress(known: Any) -> bool:
    if not isinstance(known, dict):
        return False
    times = [known.get(name, "") for name in ("started", "checked", "first_passed")]
    return all(isinstance(known.get(name, 0), int) for name in ("points", "of")) and all(
        isinstance(time, str) for time in times
    )
