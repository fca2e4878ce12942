"""Data arrive whole and checked, or not at all, and every refusal says what to do."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from servers import Shelf, serving

from coursekit import downloads, sources
from coursekit.sources import SourceError, faults, fetch, find, location, table

ROOT = Path(sources.__file__).parents[1]


@pytest.fixture
def edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small edition in the table, its archive in a folder of its own, and an empty cache."""
    archive = tmp_path / "mirror" / "photos" / "tiny.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("tiny/cat/1.jpg", b"not really a photo")
    offer(monkeypatch, archive, "photos/tiny.zip")
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSEKIT_DATA", raising=False)
    monkeypatch.setattr(downloads, "PAUSES", (0.0,))
    return archive


def offer(monkeypatch: pytest.MonkeyPatch, archive: Path, *paths: str, **more: Any) -> None:
    """Put one set called `tiny` into the table, of this file under these paths."""
    content = archive.read_bytes()
    files = tuple(sources.File(p, len(content), hashlib.sha256(content).hexdigest()) for p in paths)
    size = len(content) * len(files)
    row = {"name": "tiny", "kind": "edition", "title": "Tiny", "files": files, "bytes": size, **more}
    tiny = replace(table()["clothes"], **row)
    monkeypatch.setattr(sources, "table", lambda: {"tiny": tiny})


@pytest.fixture
def mirror(edition: Path) -> Iterator[Shelf]:
    """A web server that has the edition."""
    with serving(Shelf({"photos/tiny.zip": edition.read_bytes()})) as shelf:
        yield shelf


def left(folder: Path) -> list[str]:
    """What lies in the cache, but for the locks, which are empty."""
    return sorted(
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.stat().st_size
    )


# The table ------------------------------------------------------------------------------------------------


def test_the_table_is_complete() -> None:
    for source in table().values():
        assert source.kind in ("package", "edition", "by hand")
        assert bool(source.package and source.module) == (source.kind == "package"), source.name
        assert bool(source.command) == (source.kind == "by hand"), source.name
        assert source.files, source.name
        assert all(len(file.sha256) == 64 and file.bytes > 0 for file in source.files)
        assert source.bytes >= sum(file.bytes for file in source.files)
        assert source.items > 0
        assert all((source.title, source.licence, source.attribution, source.item, source.citation))
        assert source.licence_url.startswith("https://")
        assert source.origin.startswith(("https://", "http://"))


def test_every_set_is_loaded_by_a_public_name() -> None:
    public = (ROOT / "coursekit" / "api.py").read_text(encoding="utf-8")

    for source in table().values():
        name = re.fullmatch(r"kit\.(\w+)\(.*\)", source.load)
        assert name, source.name
        assert f'    "{name[1]}",\n' in public


def test_every_citation_stands_in_the_bibliography() -> None:
    references = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")

    assert {source.citation for source in table().values()} <= set(
        re.findall(r"^@\w+\{(\w+),", references, re.M)
    )


def test_two_sets_that_share_a_file_agree_on_it() -> None:
    files = {file for source in table().values() if source.kind == "edition" for file in source.files}

    assert len({file.path for file in files}) == len({file.asset for file in files}) == len(files)


@pytest.mark.parametrize("word", sorted(path.stem for path in (ROOT / "lessons").glob("*.md")))
def test_the_table_knows_which_lessons_name_a_set(word: str) -> None:
    text = (ROOT / "lessons" / f"{word}.md").read_text(encoding="utf-8")
    named = {name for line in re.findall(r"^data: (.*)$", text, re.M) for name in re.findall(r"\w+", line)}

    assert {name for name in named if word not in find(name).lessons} == set()


# From folders, mirrors and releases -----------------------------------------------------------------------


def test_an_edition_is_found_in_a_folder_and_unpacked_once(
    edition: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", str(edition.parents[1]))

    folder = fetch("tiny")
    edition.unlink()

    assert (fetch("tiny") / "tiny/cat/1.jpg").read_bytes() == b"not really a photo"
    assert fetch("tiny") == folder == location("tiny")


def test_an_edition_of_several_files_lies_in_one_folder(
    edition: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = edition.with_name("a.csv.xz")
    file.write_bytes(b"some rows")
    shutil.copy(file, edition.with_name("b.csv.xz"))
    offer(monkeypatch, file, "photos/a.csv.xz", "photos/b.csv.xz")
    monkeypatch.setenv("COURSEKIT_DATA", str(edition.parents[1]))

    assert sorted(path.name for path in fetch("tiny").iterdir()) == ["a.csv.xz", "b.csv.xz", sources.SUMS]


def test_an_edition_is_downloaded_from_a_mirror(
    mirror: Shelf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", f" {mirror.address}/ ")

    folder = fetch("tiny")

    assert left(tmp_path / "cache") == [f"{folder.name}/{sources.SUMS}", f"{folder.name}/tiny/cat/1.jpg"]


def test_an_edition_is_downloaded_from_the_release_by_its_flat_name(
    mirror: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.files["photos-tiny.zip"] = mirror.files.pop("photos/tiny.zip")
    monkeypatch.setattr(sources, "release", lambda: mirror.address)

    assert (fetch("tiny") / "tiny/cat/1.jpg").is_file()


def test_a_tar_that_is_had_by_hand(
    mirror: Shelf, edition: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with tarfile.open(tmp_path / "tiny.tgz", "w:gz") as files:
        info = tarfile.TarInfo("package/1.png")
        info.size = 5
        files.addfile(info, io.BytesIO(b"photo"))
    offer(monkeypatch, tmp_path / "tiny.tgz", "photos/tiny.tgz", kind="by hand", command="pack tiny")
    with pytest.raises(SourceError, match=r"is had by hand: run `pack tiny`, and set COURSEKIT_DATA to a"):
        fetch("tiny")

    mirror.files["photos/tiny.tgz"] = (tmp_path / "tiny.tgz").read_bytes()
    monkeypatch.setenv("COURSEKIT_DATA", mirror.address)

    assert (fetch("tiny") / "package" / "1.png").read_bytes() == b"photo"


def test_a_mirror_that_lacks_a_file_is_no_end(mirror: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror.files["photos-tiny.zip"] = mirror.files.pop("photos/tiny.zip")
    monkeypatch.setenv("COURSEKIT_DATA", mirror.address)
    monkeypatch.setattr(sources, "release", lambda: mirror.address)

    assert fetch("tiny").is_dir()


# Refusals -------------------------------------------------------------------------------------------------


def test_a_download_with_a_wrong_checksum_is_thrown_away(
    mirror: Shelf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mirror.files["photos/tiny.zip"] += b"x"
    mirror.files["photos/tiny.zip"] = b"x" + mirror.files["photos/tiny.zip"]
    monkeypatch.setenv("COURSEKIT_DATA", mirror.address)

    with pytest.raises(SourceError, match=r"Tiny .* could not be fetched\. .* checksum is wrong"):
        fetch("tiny")

    assert left(tmp_path / "cache") == []


def test_a_download_that_broke_off_goes_on_in_the_next_call(
    mirror: Shelf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mirror.breaks, mirror.breaks_after, mirror.then = 1, 50, 503
    monkeypatch.setenv("COURSEKIT_DATA", mirror.address)
    with pytest.raises(SourceError, match="HTTP Error 503"):
        fetch("tiny")
    assert [path.endswith("tiny.zip.part") for path in left(tmp_path / "cache")] == [True]
    assert location("tiny") is None

    mirror.status = 0
    assert (fetch("tiny") / "tiny/cat/1.jpg").is_file()
    assert mirror.asked[-1] == "bytes=50-"
    assert all("part" not in path for path in left(tmp_path / "cache"))


def test_without_a_network_the_message_says_what_to_do(
    edition: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", "http://127.0.0.1:9")

    with pytest.raises(
        SourceError,
        match=r"Tiny \(0 kB\) could not be fetched\. .*Without a network, set COURSEKIT_DATA to a folder "
        r"that holds photos/tiny\.zip\.",
    ):
        fetch("tiny")


def test_a_damaged_file_in_a_folder_is_named(edition: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edition.write_bytes(b"half a fi")
    monkeypatch.setenv("COURSEKIT_DATA", str(edition.parents[1]))

    with pytest.raises(SourceError, match=r"tiny\.zip is damaged or another version.*Put a whole one"):
        fetch("tiny")
    assert [said.partition(" is")[0] for said in faults("tiny")] == [str(edition)]


def test_without_a_release_the_message_says_what_to_set(edition: Path) -> None:
    with pytest.raises(
        SourceError, match=r"part of the data release.*Set COURSEKIT_DATA to a folder or mirror"
    ):
        fetch("tiny")


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(KeyError, match="no data set is called 'solar_cell'; did you mean 'solar_cells'"):
        fetch("solar_cell")


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SourceError, match="Install it with: pip install elpv-dataset"):
        fetch("solar_cells")
    assert location("solar_cells") is None


def test_a_file_missing_in_a_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = replace(table()["ct_slice"], folder="data/nowhere")
    monkeypatch.setattr(sources, "table", lambda: {"ct_slice": changed})

    with pytest.raises(SourceError, match=r"CT_small\.dcm should be there, and is not\. Install it anew:"):
        fetch("ct_slice")


def test_an_archive_that_leaves_its_folder_leaves_nothing(
    edition: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(edition, "w") as files:
        files.writestr("good.txt", "good")
        files.writestr("../../../out.txt", "bad")
    offer(monkeypatch, edition, "photos/tiny.zip")
    monkeypatch.setenv("COURSEKIT_DATA", str(edition.parents[1]))

    with pytest.raises(SourceError, match=r"Tiny could not be unpacked\. .*out\.txt' would lie outside"):
        fetch("tiny")
    assert left(sources.cache_folder()) == []
    assert not list(edition.parents[2].rglob("out.txt"))


def test_a_cache_that_cannot_be_made_says_what_to_set(
    edition: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "file"))
    monkeypatch.setenv("COURSEKIT_DATA", str(edition.parents[1]))

    with pytest.raises(SourceError, match=r"could not be kept in .*file: .*Set COURSEKIT_CACHE to a folder"):
        fetch("tiny")


# Looking again --------------------------------------------------------------------------------------------


def test_what_is_whole_has_no_faults_and_what_is_damaged_is_named(
    edition: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match="Tiny is not on this machine"):
        faults("tiny")
    monkeypatch.setenv("COURSEKIT_DATA", str(edition.parents[1]))
    assert faults("tiny") == []

    folder = fetch("tiny")
    assert faults("tiny") == []
    (folder / "tiny/cat/1.jpg").write_bytes(b"changed")
    found, expected = (hashlib.sha256(c).hexdigest()[:12] for c in (b"changed", b"not really a photo"))
    assert faults("tiny") == [
        f"{folder / 'tiny/cat/1.jpg'} is damaged or another version: its sha256 begins with {found}, "
        f"expected was {expected}. Remove {folder}, and it is fetched anew."
    ]
    (folder / "tiny/cat/1.jpg").unlink()
    assert faults("tiny") == [
        f"{folder / 'tiny/cat/1.jpg'} should be there, and is not. Remove {folder}, and it is fetched anew."
    ]
    (folder / sources.SUMS).unlink()
    assert "coursekit.sha256 should be there" in faults("tiny")[0]


# Other processes ------------------------------------------------------------------------------------------

# What a process does: it fetches `tiny`, which a file of JSON describes, and prints where it lies.
FETCH = """
import dataclasses, json, pathlib, sys
from coursekit import archives, downloads, sources
row = json.loads(pathlib.Path(sys.argv[1]).read_text())
row["files"] = tuple(sources.File(**file) for file in row["files"])
tiny = sources.Source(**row)
sources.table = lambda: {"tiny": tiny}
"""


def process(tmp_path: Path, code: str, **settings: Any) -> subprocess.Popen[str]:
    """Another Python, which has the same table and runs some code."""
    row = dict(vars(sources.table()["tiny"]))
    row["files"] = [vars(file) for file in row["files"]]
    (tmp_path / "row.json").write_text(json.dumps(row))
    return subprocess.Popen(
        [sys.executable, "-c", FETCH + code, str(tmp_path / "row.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **settings,
    )


@pytest.fixture
def large(edition: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The set again, of forty files of 100 kB."""
    with zipfile.ZipFile(edition, "w") as files:
        for number in range(40):
            files.writestr(f"tiny/{number:02}.bin", os.urandom(100_000))
    offer(monkeypatch, edition, "photos/tiny.zip")
    return edition


def test_killed_in_the_middle_of_unpacking(
    large: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", str(large.parents[1]))
    slow = (
        "import time; write = archives._write\n"
        "def slowly(member, *where):\n"
        "    write(member, *where); print(member.name, flush=True); time.sleep(0.01)\n"
        "archives._write = slowly; sources.fetch('tiny')"
    )
    other = process(tmp_path, slow)
    assert other.stdout is not None
    for _ in range(5):
        other.stdout.readline()
    other.kill()
    other.communicate()

    assert other.returncode != 0
    assert 5 <= len(left(tmp_path / "cache")) < 40
    assert not sources.table()["tiny"].cached.exists()
    folder = fetch("tiny")
    assert len(list((folder / "tiny").iterdir())) == 40
    assert faults("tiny") == []
    assert [path for path in left(tmp_path / "cache") if not path.startswith(folder.name)] == []


def test_killed_in_the_middle_of_a_download(
    large: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(Shelf({"photos/tiny.zip": large.read_bytes()})) as shelf:
        monkeypatch.setenv("COURSEKIT_DATA", shelf.address)
        slow = "import time; downloads.CHUNK = 10_000; downloads._bar = lambda *_: Bar()\n"
        bar = (
            "class Bar:\n"
            "    n = 0\n"
            "    def __enter__(self): return self\n"
            "    def __exit__(self, *_): pass\n"
            "    def update(self, count): time.sleep(0.01); print(count, flush=True)\n"
        )
        other = process(tmp_path, bar + slow + "sources.fetch('tiny')")
        assert other.stdout is not None
        for _ in range(20):
            other.stdout.readline()
        other.kill()
        other.communicate()
        [part] = left(tmp_path / "cache")
        had = (tmp_path / "cache" / part).stat().st_size

        assert part.endswith("/tiny.zip.part")
        assert had > 0
        assert len(list((fetch("tiny") / "tiny").iterdir())) == 40
        assert shelf.asked == ["", f"bytes={had}-"]


def test_two_processes_at_once_fetch_once(
    large: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(Shelf({"photos/tiny.zip": large.read_bytes()})) as shelf:
        monkeypatch.setenv("COURSEKIT_DATA", shelf.address)
        start = tmp_path / "start"
        waits = (
            "import time; print('ready', flush=True)\n"
            "while not pathlib.Path(%r).exists(): time.sleep(0.001)\n"
        )
        others = [process(tmp_path, waits % str(start) + "print(sources.fetch('tiny'))") for _ in range(3)]
        for other in others:
            assert other.stdout is not None
            assert other.stdout.readline() == "ready\n"
        start.touch()
        told = [other.communicate(timeout=60) for other in others]

    assert told == [(f"{sources.table()['tiny'].cached}\n", "")] * 3
    assert shelf.asked == [""]
    assert faults("tiny") == []


@pytest.mark.parametrize("room", [1_000_000, 4_020_000], ids=["while downloading", "while unpacking"])
def test_a_full_disk_is_told_and_nothing_is_left(
    large: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, room: int
) -> None:
    """The system lets that process write files of so many bytes only: the last one it may write is cut."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr("tiny/noise.bin", os.urandom(4_000_000))
        files.writestr("tiny/zeros.bin", bytes(8_000_000))
    offer(monkeypatch, large, "photos/tiny.zip")
    with serving(Shelf({"photos/tiny.zip": large.read_bytes()})) as shelf:
        monkeypatch.setenv("COURSEKIT_DATA", shelf.address)
        other = process(
            tmp_path,
            "try: sources.fetch('tiny')\nexcept sources.SourceError as error: print(error)",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        )
        said, errors = other.communicate(timeout=60)

    assert (said, errors) == (
        f"There is no room for Tiny in {tmp_path / 'cache'}: it takes about "
        f"{2 * large.stat().st_size / 1e6:.1f} MB while it is unpacked. Make room there, or set "
        "COURSEKIT_CACHE to a folder on another disk; nothing half-written was left.\n",
        "",
    )
    assert left(tmp_path / "cache") == []
