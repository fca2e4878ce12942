"""`coursekit data`: answers at once, in sentences, with exit codes one can rely on."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from coursekit import cli, data, sources
from coursekit.sources import table


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of three sets: in a package, in a folder, and nowhere; and an empty cache."""
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "notes.txt").write_bytes(b"notes")
    notes = sources.File("notes.txt", 5, sha256(b"notes").hexdigest())
    here = replace(table()["clothes"], name="notes", title="Notes", bytes=5_000_000, files=(notes,))
    gone = replace(here, name="gone", title="Gone", files=(replace(notes, path="gone.txt"),))
    sets = {"ct_slice": table()["ct_slice"], "gone": gone, "notes": here}
    monkeypatch.setattr(sources, "table", lambda: sets)
    monkeypatch.setattr(sources, "release", lambda: "")
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path / "mirror"))
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, ["data", *words])


def test_list_says_what_there_is_and_what_is_here(shelf: Path) -> None:
    answer = run("list")

    assert answer.exit_code == 0
    assert answer.output.splitlines() == [
        "name      kind     size    licence  here",
        "ct_slice  package  39 kB   MIT      yes",
        "gone      edition  5.0 MB  CC0 1.0  no",
        "notes     edition  5.0 MB  CC0 1.0  yes",
        "",
        "2 of 3 are here; `coursekit data fetch NAME` gets one more.",
    ]


def test_fetch_gets_what_it_can_and_names_the_rest(shelf: Path) -> None:
    answer = run("fetch", "gone", "notes")

    assert answer.exit_code == 2
    assert answer.stdout == f"notes is in {sources.find('notes').cached}\n"
    assert answer.stderr == (
        "gone: Gone (5.0 MB) is part of the data release, and this version knows no address for it. "
        "Set COURSEKIT_DATA to a folder or mirror that holds gone.txt.\n"
    )
    assert run("fetch", "notes").exit_code == 0


def test_verify_names_what_is_damaged(shelf: Path) -> None:
    run("fetch", "notes")
    whole = run("verify")
    (sources.find("notes").cached / "notes.txt").write_text("changed")
    damaged = run("verify")

    assert (whole.exit_code, whole.output) == (0, "whole    ct_slice\nwhole    notes\n")
    assert damaged.exit_code == 1
    assert damaged.output.startswith("whole    ct_slice\ndamaged  notes\n         ")
    assert "is damaged or another version" in damaged.output
    assert damaged.output.endswith("and it is fetched anew.\n")


def test_verify_of_what_is_not_here(shelf: Path) -> None:
    answer = run("verify", "gone", "ct_slice")

    assert answer.exit_code == 2
    assert answer.stderr == "gone is not on this machine: `coursekit data fetch gone` gets it.\n"
    assert answer.stdout == "whole    ct_slice\n"


def test_where_says_folders(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("where", "notes", "gone").output == f"notes  {shelf / 'mirror'}\ngone  not on this machine\n"
    assert run("where").output.splitlines() == [
        f"looked in first  {shelf / 'mirror'}",
        "fetched from     no data release is known to this version",
        f"kept in          {shelf / 'cache'}",
    ]
    monkeypatch.delenv("COURSEKIT_DATA")
    assert "nothing: COURSEKIT_DATA is not set" in run("where").output


@pytest.mark.parametrize("command", ["fetch", "verify", "where"])
def test_an_unknown_name_is_2_and_names_the_nearest(command: str) -> None:
    answer = real(command, "clothse")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "no data set is called 'clothse'; did you mean 'clothes'?\n"


def test_the_list_answers_without_torch() -> None:
    code = (
        "from coursekit.cli import app; app(['data', 'list'], standalone_mode=False); print([*sys.modules])"
    )
    answer = real(code=f"import sys; {code}")

    assert answer.stderr == ""
    assert "clothes" in answer.stdout
    assert not {"'torch'", "'numpy'", "'pandas'", "'tqdm'"} & set(answer.stdout.split(", "))


def test_every_command_has_help_with_an_example() -> None:
    for command in data.app.registered_commands:
        name = command.name or command.callback.__name__  # type: ignore[union-attr]
        told = run(name, "--help")

        assert told.exit_code == 0
        assert f"Example: coursekit data {name}" in told.output


def real(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """The real command, in a process of its own."""
    command = "import sys; sys.argv[0] = 'coursekit'; from coursekit.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code or command, "data", *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])},
    )
