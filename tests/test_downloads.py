"""A file from a real server: whole and checked, or not there; one that broke off goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import Shelf, serving

from coursekit import downloads
from coursekit.downloads import DownloadError, alone, download

ROOT = str(Path(downloads.__file__).parents[1])
CONTENT = os.urandom(300_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving(Shelf({"pets.zip": CONTENT})) as shelf:
        yield shelf


def get(shelf: Shelf, folder: Path) -> Path:
    file = folder / "kept" / "pets.zip"
    download(f"{shelf.address}/pets.zip", file, len(CONTENT), SUM)
    return file


def test_a_file_arrives_whole_and_alone(shelf: Shelf, tmp_path: Path) -> None:
    file = get(shelf, tmp_path)

    assert file.read_bytes() == CONTENT
    assert list(file.parent.iterdir()) == [file]


def test_what_is_there_is_not_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    get(shelf, tmp_path)
    get(shelf, tmp_path)

    assert len(shelf.asked) == 1


def test_what_broke_off_goes_on_where_it_stopped(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks, shelf.breaks_after = 1, 120_000

    assert get(shelf, tmp_path).read_bytes() == CONTENT
    assert shelf.asked == ["", "bytes=120000-"]


def test_a_later_call_goes_on_too(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks, shelf.breaks_after, shelf.then = 1, 120_000, 503
    with pytest.raises(DownloadError, match="HTTP Error 503"):
        get(shelf, tmp_path)
    assert [file.name for file in (tmp_path / "kept").iterdir()] == ["pets.zip.part"]

    shelf.status = 0
    assert get(shelf, tmp_path).read_bytes() == CONTENT
    assert shelf.asked[-1] == "bytes=120000-"


def test_a_line_that_breaks_often_gets_there_as_long_as_it_moves(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks, shelf.breaks_after = 1000, 10_000

    assert get(shelf, tmp_path).read_bytes() == CONTENT
    assert len(shelf.asked) == 30


def test_a_line_that_falls_silent_often_gets_there_too(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 0.2)
    shelf.breaks, shelf.breaks_after, shelf.silence = 1000, 100_000, 0.6

    assert get(shelf, tmp_path).read_bytes() == CONTENT
    assert len(shelf.asked) <= 5


def test_an_address_is_taken_as_a_browser_takes_it(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["Städte 1/pets.zip"] = CONTENT
    address = shelf.address.replace("http", "HTTP")
    for path in ("Städte 1/pets.zip", "St%C3%A4dte%201/pets.zip"):
        download(f"{address}/{path}", tmp_path / f"{len(path)}.zip", len(CONTENT), SUM)

    assert len(shelf.asked) == 2


def test_a_line_that_brings_nothing_is_given_up(shelf: Shelf, tmp_path: Path) -> None:
    shelf.breaks, shelf.breaks_after = 1000, 0

    with pytest.raises(DownloadError, match=r"the connection broke off after 0 of 300,000 bytes"):
        get(shelf, tmp_path)
    assert len(shelf.asked) == 4


def test_a_server_without_ranges_begins_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.ranges, shelf.breaks, shelf.breaks_after = False, 2, 120_000

    assert get(shelf, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "sent", [b"<html>Please log in</html>", os.urandom(300_000), os.urandom(900_000), b""],
    ids=["short", "as long", "longer", "nothing"],
)  # fmt: skip
def test_something_else_is_thrown_away(shelf: Shelf, tmp_path: Path, sent: bytes) -> None:
    shelf.files["pets.zip"] = sent

    with pytest.raises(DownloadError, match=r"something else: its checksum is wrong|416"):
        get(shelf, tmp_path)
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_part_of_another_version_is_not_built_upon(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "pets.zip.part").write_bytes(b"x" * 1000)

    assert get(shelf, tmp_path).read_bytes() == CONTENT
    assert shelf.asked == ["bytes=1000-", ""]


def test_a_part_longer_than_the_file_there_is_thrown_away(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "pets.zip.part").write_bytes(b"x" * 200_000)
    shelf.files["pets.zip"] = b"short"

    with pytest.raises(DownloadError, match="its checksum is wrong"):
        get(shelf, tmp_path)


def test_what_is_not_there_is_said_at_once(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files.clear()

    with pytest.raises(DownloadError, match=r"/pets\.zip could not be fetched: HTTP Error 404"):
        get(shelf, tmp_path)
    assert len(shelf.asked) == 1


def test_a_server_that_is_busy_is_asked_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.status = 503

    with pytest.raises(DownloadError, match="HTTP Error 503"):
        get(shelf, tmp_path)
    assert len(shelf.asked) == 4


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:9/pets.zip", "could not be fetched: .*refused"),
        ("http://nowhere.invalid/pets.zip", "could not be fetched: "),
        ("file:///etc/passwd", "is no address on the web"),
        ("http://[broken/pets.zip", "could not be fetched: "),
    ],
)
def test_an_address_that_cannot_be_reached(tmp_path: Path, address: str, said: str) -> None:
    with pytest.raises(DownloadError, match=said):
        download(address, tmp_path / "pets.zip", 10, SUM)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_told_before_it_is_full(shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        download(f"{shelf.address}/pets.zip", tmp_path / "pets.zip", 2**60, SUM)
    assert shelf.asked == []


def test_a_title_and_a_bar_where_someone_looks_on(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    download(f"{shelf.address}/pets.zip", tmp_path / "pets.zip", len(CONTENT), SUM, "Pets")

    assert "Pets:" in capsys.readouterr().err
    download(f"{shelf.address}/pets.zip", tmp_path / "again.zip", len(CONTENT), SUM)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
    capsys.readouterr()
    download(f"{shelf.address}/pets.zip", tmp_path / "third.zip", len(CONTENT), SUM, "Pets")
    assert capsys.readouterr().err == ""


# Waiting for each other -----------------------------------------------------------------------------------


def test_one_thread_at_a_time(tmp_path: Path) -> None:
    inside, most = [], []

    def enter() -> None:
        with alone(tmp_path / "lock"):
            inside.append(1)
            most.append(len(inside))
            threading.Event().wait(0.01)
            inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [1] * 8


def test_the_lock_of_a_killed_process_is_lifted(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from coursekit.downloads import alone\n"
        "with alone(Path(sys.argv[1])):\n    print('inside', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"inside\n"
    other.kill()
    other.communicate()

    with alone(tmp_path / "lock"):
        pass
