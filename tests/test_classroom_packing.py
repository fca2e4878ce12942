"""`coursekit submit`: one zip to hand in, checked once more, the same bytes everywhere, read back whole."""

from __future__ import annotations

import hashlib
import io
import json
import types
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from handed_in import METRICS, SPLITS, lay, only
from typer.testing import CliRunner, Result

from coursekit import __version__, cli
from coursekit.classroom.packing import packed_kit
from coursekit.grader import checking
from coursekit.grader.starter import solution
from coursekit.kit import KitError
from coursekit.progress import WorkspaceError
from coursekit.workspace import Workspace

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with something written, in which a check says what `report` says."""
    monkeypatch.delenv("COURSEKIT_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    space = Workspace(tmp_path).make()
    lay(space.kit, {"metrics.py": METRICS, "splits.py": SPLITS})
    return space


def submit(monkeypatch: pytest.MonkeyPatch, passed: bool, problem: str = "") -> Result:
    """`coursekit submit first_model`, where the check is known."""
    report = types.SimpleNamespace(
        passed=passed, problem=problem, results=[], points=8 if passed else 3, of=8, text=lambda: "in words"
    )
    monkeypatch.setattr(checking, "check", lambda *given, **named: report)
    return CliRunner().invoke(cli.app, ["submit", "first_model"])


# The zip ---------------------------------------------------------------------------------------------------


def test_the_zip_is_what_its_description_says(tmp_path: Path) -> None:
    kit = lay(tmp_path / "mykit", {"metrics.py": METRICS, "widgets/descents.py": "RATE = 1"})
    made = members(packed_kit(kit, ["first_model"], {"first_model": {"points": 3, "of": 8}}, NOON))
    about = json.loads(made["submission.json"])

    assert list(made) == ["submission.json", "mykit/metrics.py", "mykit/widgets/descents.py"]
    assert made["mykit/metrics.py"] == METRICS.encode()
    assert about == {
        "format": "coursekit submission",
        "version": 1,
        "words": ["first_model"],
        "coursekit": __version__,
        "packed": "2026-11-22T12:00:00+00:00",
        "checked": {"first_model": {"points": 3, "of": 8}},
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in made.items()
            if name != "submission.json"
        },
    }


def test_the_same_kit_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whenever the files were written, in whatever order, and whatever else lies beside them."""
    one = lay(tmp_path / "1" / "mykit", {"metrics.py": METRICS, "splits.py": SPLITS})
    other = lay(tmp_path / "2" / "mykit", {"splits.py": SPLITS, "metrics.py": METRICS})
    lay(other, {"__init__.py": "", "__pycache__/metrics.cpython-311.pyc": b"\0", ".metrics.py.swp": "draft"})
    (other / "metrics.py").chmod(0o600)
    packed = packed_kit(one, ["first_model"], {}, NOON)

    assert packed == packed_kit(other, ["first_model"], {}, NOON)
    # Stored as they are, so the bytes are the same with any compression library and on any system.
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        about = {(i.compress_type, i.date_time, i.create_system, i.external_attr) for i in archive.infolist()}
    assert about == {(zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0), 3, 0o100644 << 16)}


def test_a_mark_at_the_start_of_a_file_is_no_matter(tmp_path: Path) -> None:
    kit = lay(tmp_path / "mykit", {"metrics.py": b"\xef\xbb\xbf" + METRICS.encode()})
    (tmp_path / "ana.zip").write_bytes(packed_kit(kit, ["first_model"], {}, NOON))

    assert only(tmp_path / "ana.zip").files == {"metrics": METRICS}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (METRICS.encode("utf-16"), "mykit/metrics.py cannot be read: it is no text in UTF-8."),
        (
            METRICS + "\0",
            "mykit/metrics.py cannot be handed in: it holds a NUL byte, which Python does not read.",
        ),
        ("#" * 100_001, "mykit/metrics.py cannot be handed in: it is larger than 100,000 bytes."),
        ("a" + ".b" * 500, "mykit/metrics.py cannot be handed in: it is nested too deeply to be read."),
    ],
)
def test_what_a_grader_would_leave_out_is_said_while_it_can_be_mended(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    with pytest.raises(KitError) as caught:
        packed_kit(lay(tmp_path / "mykit", {"metrics.py": content}), ["first_model"], {}, NOON)

    assert str(caught.value) == said


def test_python_with_an_error_is_packed(tmp_path: Path) -> None:
    """What is unfinished may be handed in; the check has said what is wrong with it."""
    kit = lay(tmp_path / "mykit", {"metrics.py": "def accuracy(p, t)\n", "splits.py": SPLITS})

    assert len(members(packed_kit(kit, ["first_model"], {}, NOON))) == 3


# The command -----------------------------------------------------------------------------------------------


def test_submit_says_what_it_packed(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = submit(monkeypatch, passed=True)

    assert answer.exit_code == 0
    assert answer.output.splitlines() == [
        "in words",
        "",
        "Packed: metrics.py, splits.py",
        "Hand in first_model.zip; a copy of it is kept in copies/.",
    ]
    submission = only(space.folder / "first_model.zip")
    assert submission.files == {"metrics": METRICS, "splits": SPLITS}
    assert (submission.words, submission.problem) == (("first_model",), "")


def test_submit_packs_what_does_not_pass_yet(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = submit(monkeypatch, passed=False)

    assert answer.exit_code == 1
    made = members((space.folder / "first_model.zip").read_bytes())
    assert json.loads(made["submission.json"])["checked"] == {"first_model": {"points": 3, "of": 8}}


def test_every_zip_is_kept(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest stands in the workspace; all that were handed in stand in copies/."""
    submit(monkeypatch, passed=False)
    first = (space.folder / "first_model.zip").read_bytes()
    lay(space.kit, {"metrics.py": METRICS + "# better\n"})
    submit(monkeypatch, passed=True)
    second = (space.folder / "first_model.zip").read_bytes()

    copies = [file.read_bytes() for file in (space.folder / "copies").glob("first_model.*.zip")]
    assert sorted(copies) == sorted([first, second])
    assert first != second


def test_a_file_of_no_module_is_named(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(space.kit, {"helpers.py": "RATE = 1"})

    assert (
        "Left out, for they stand in for no module of coursekit: helpers.py"
        in submit(monkeypatch, passed=True).output
    )


def test_nothing_written_is_nothing_to_hand_in(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in space.kit.glob("[!_]*.py"):
        file.unlink()
    problem = (
        "There is no mykit/metrics.py and mykit/splits.py yet. `coursekit start first_model` makes them."
    )

    answer = submit(monkeypatch, passed=False, problem=problem)

    assert isinstance(answer.exception, WorkspaceError)
    assert str(answer.exception) == problem
    assert not (space.folder / "first_model.zip").exists()


def test_a_zip_that_cannot_be_written_leaves_the_one_before(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(monkeypatch, passed=True)
    before = (space.folder / "first_model.zip").read_bytes()
    monkeypatch.setattr(
        "os.fsync", lambda *given: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )

    answer = submit(monkeypatch, passed=True)

    assert "cannot be written: No space left on device" in str(answer.exception)
    assert (space.folder / "first_model.zip").read_bytes() == before
    assert not list(space.folder.glob(".first_model*"))


def test_a_right_answer_passes_is_packed_and_is_read_back(space: Workspace) -> None:
    """With the real check."""
    lay(space.kit, {f"{module}.py": text for module, text in solution("first_model").items()})

    packed = space.submit("first_model")

    assert packed.report.passed
    assert packed.copy is not None
    assert packed.copy.read_bytes() == packed.file.read_bytes()
    assert only(packed.file).files == solution("first_model")
