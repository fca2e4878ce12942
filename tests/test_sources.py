"""Data arrive whole and checked, or not at all, and every refusal says what to do."""

import hashlib
import re
import stat
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from coursekit import sources
from coursekit.sources import SourceError, fetch, table, unpack


@pytest.fixture
def edition(tmp_path, monkeypatch):
    """A small edition in the table, its archive in a folder of its own, and an empty cache."""
    place = tmp_path / "mirror" / "photos"
    place.mkdir(parents=True)
    archive = place / "tiny.zip"
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("tiny/cat/1.jpg", b"not really a photo")
    row = {
        **dict.fromkeys(("licence", "licence_url", "attribution", "citation", "origin", "item"), ""),
        "name": "tiny",
        "kind": "edition",
        "path": "photos/tiny.zip",
        "title": "Tiny",
        "lessons": (),
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "bytes": 100,
        "items": 1,
    }
    monkeypatch.setattr(sources, "table", lambda: {"tiny": sources.Source(**row)})
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSEKIT_DATA", raising=False)
    return archive


@pytest.fixture
def mirror(edition):
    """The address of a web server that serves the edition's folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=edition.parents[1]))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_table_is_complete():
    for source in table().values():
        assert source.kind in ("package", "edition")
        assert len(source.sha256) == 64
        assert source.bytes > 0
        assert all((source.title, source.licence, source.licence_url, source.attribution, source.origin))


def test_every_citation_stands_in_the_bibliography():
    references = (Path(__file__).parent.parent / "book" / "references.bib").read_text(encoding="utf-8")

    assert {source.citation for source in table().values()} <= set(
        re.findall(r"^@\w+\{(\w+),", references, re.M)
    )


def test_an_edition_is_found_in_a_folder_and_unpacked_once(edition, monkeypatch):
    monkeypatch.setenv("COURSEKIT_DATA", str(edition.parents[1]))

    folder = fetch("tiny")
    edition.unlink()

    assert (fetch("tiny") / "tiny/cat/1.jpg").read_bytes() == b"not really a photo"
    assert fetch("tiny") == folder


def test_a_file_that_is_no_archive_is_laid_into_its_folder(tmp_path):
    (tmp_path / "scan.nii.gz").write_bytes(b"a scan")

    unpack(tmp_path / "scan.nii.gz", tmp_path / "cache" / "folder")

    assert (tmp_path / "cache" / "folder" / "scan.nii.gz").read_bytes() == b"a scan"


def test_an_edition_is_downloaded_from_a_mirror(mirror, monkeypatch):
    monkeypatch.setenv("COURSEKIT_DATA", mirror)

    assert (fetch("tiny") / "tiny/cat/1.jpg").is_file()


def test_an_edition_is_downloaded_from_the_release_by_its_flat_name(edition, mirror, monkeypatch):
    edition.rename(edition.parents[1] / "photos-tiny.zip")
    monkeypatch.setattr(sources, "_file", lambda: {"settings": {"release": mirror}})

    assert (fetch("tiny") / "tiny/cat/1.jpg").is_file()


def test_a_download_with_a_wrong_checksum_is_thrown_away(edition, mirror, monkeypatch, tmp_path):
    edition.write_bytes(edition.read_bytes() + b"x")
    monkeypatch.setenv("COURSEKIT_DATA", mirror)

    with pytest.raises(SourceError, match="checksum is wrong, so it was thrown away"):
        fetch("tiny")

    assert [file for file in (tmp_path / "cache").rglob("*") if file.is_file()] == []


def test_without_a_network_the_message_says_what_to_do(edition, monkeypatch):
    monkeypatch.setenv("COURSEKIT_DATA", "http://127.0.0.1:9")

    with pytest.raises(
        SourceError, match=r"could not be fetched from .*Without a network, set COURSEKIT_DATA"
    ):
        fetch("tiny")


def test_a_damaged_file_in_a_folder_is_named(edition, monkeypatch):
    edition.write_bytes(b"half a fi")
    monkeypatch.setenv("COURSEKIT_DATA", str(edition.parents[1]))

    with pytest.raises(SourceError, match=r"tiny\.zip is damaged or another version.*Remove that file"):
        fetch("tiny")


def test_without_a_release_the_message_says_what_to_set(edition):
    with pytest.raises(
        SourceError, match=r"part of the data release.*Set COURSEKIT_DATA to a folder or mirror"
    ):
        fetch("tiny")


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(KeyError, match="no data set is called 'solar_cell'; did you mean 'solar_cells'"):
        fetch("solar_cell")


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(sources.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(SourceError, match="Install it with: pip install elpv-dataset"):
        fetch("solar_cells")


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt", "..\\out.txt", "C:/out.txt"])
def test_an_archive_that_leaves_its_folder_is_refused(tmp_path, name):
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("good.txt", "")
        files.writestr(name, "")

    with pytest.raises(SourceError, match="would lie outside its folder"):
        unpack(archive, tmp_path / "inside" / "folder")

    assert not any((tmp_path / "inside").iterdir())


def test_an_archive_with_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as files:
        files.writestr(link, "/etc/passwd")

    with pytest.raises(SourceError, match="'link' would lie outside its folder"):
        unpack(tmp_path / "bad.zip", tmp_path / "folder")


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MOST_BYTES", 10)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as files:
        files.writestr("large", "x" * 11)

    with pytest.raises(SourceError, match="would unpack to"):
        unpack(tmp_path / "bad.zip", tmp_path / "folder")


def test_unpacking_keeps_the_folder_of_a_faster_process(tmp_path):
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as files:
        files.writestr("a", "ours")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("theirs")

    unpack(tmp_path / "good.zip", tmp_path / "folder")

    assert (tmp_path / "folder" / "a").read_text() == "theirs"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["folder", "good.zip"]
