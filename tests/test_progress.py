"""What is noted of a learner's progress survives crashes, full disks and damage."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from coursekit.progress import Progress, WorkspaceError, WorkspaceWarning, write_whole


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path)


def test_news_adds_to_what_is_known(progress: Progress):
    progress.note("first_model")
    started = progress.of("first_model")["started"]
    progress.note("first_model", passed=False, points=3, of=8)
    progress.note("first_model", passed=True, points=8, of=8)
    progress.note("first_model", passed=False, points=6, of=8)
    known = progress.of("first_model")

    assert (known["started"], known["points"], known["passed"]) == (started, 6, False)
    assert known["first_passed"] <= known["checked"]
    assert progress.words() == ["first_model"]


def test_pages_are_told_what_was_checked_and_when(progress: Progress):
    progress.note("tensors")
    progress.note("first_model", passed=False, points=3, of=8)
    told = json.loads(progress.for_pages())

    at = progress.of("first_model")["checked"]
    assert told == {
        "version": 1,
        "read": {},
        "quizzes": {},
        "exercises": {"first_model": {"points": 3, "of": 8, "at": at}},
    }


def test_nothing_is_known_of_what_was_never_started(progress: Progress):
    assert progress.of("splits") == {}
    assert progress.words() == []


@pytest.mark.parametrize("damage", ["{", "[1, 2]", '{"points": "many"}', '{"started": 3}', "\0\0\0"])
def test_a_damaged_file_is_set_aside_with_a_word(progress: Progress, damage: str):
    progress.note("first_model", passed=True, points=8, of=8)
    (progress.folder / "first_model.json").write_text(damage)

    with pytest.warns(WorkspaceWarning) as caught:
        assert progress.of("first_model") == {}
    (aside,) = progress.folder.glob("first_model.damaged-*")
    assert aside.read_text() == damage
    assert str(caught[0].message).startswith("What was noted about first_model could not be read (")
    assert f"It is set aside as {aside.name} in {progress.folder}" in str(caught[0].message)
    assert "`coursekit check first_model` notes it again" in str(caught[0].message)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "metrics.py"
    write_whole(file, "old")

    def no_room(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_room)
    with pytest.raises(WorkspaceError) as caught:
        write_whole(file, "new")
    assert str(caught.value) == (
        f"{file} cannot be written: No space left on device. What was there is as it was. "
        "COURSEKIT_WORKSPACE=FOLDER chooses another folder."
    )
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.py"]


def test_the_rights_of_a_file_stay(tmp_path: Path):
    file = tmp_path / "metrics.py"
    file.touch()
    file.chmod(0o640)
    write_whole(file, "new")

    assert file.stat().st_mode & 0o777 == 0o640
