"""Archives write where they may and nowhere else; what is absurd, doubled or broken is refused in words."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from coursekit import archives
from coursekit.archives import ArchiveError, unpack

MAKERS = ("pets.zip", "pets.tar", "pets.tar.gz", "pets.tgz", "pets.tar.bz2", "pets.tar.xz")


def make(archive: Path, *members: tuple[str, bytes]) -> Path:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
            for name, content in members:
                files.writestr(zipfile.ZipInfo(name), content)
    else:
        ending = archive.suffix.removeprefix(".").replace("tgz", "gz").replace("tar", "")
        with tarfile.open(archive, f"w:{ending}") as files:  # type: ignore[call-overload]
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                files.addfile(info, io.BytesIO(content))
    return archive


@pytest.mark.parametrize("name", MAKERS)
def test_all_of_it_lies_in_the_folder(tmp_path: Path, name: str) -> None:
    unpack(make(tmp_path / name, ("cats/1.jpg", b"one"), ("2.jpg", b"two")), tmp_path / "folder")

    files = [path for path in (tmp_path / "folder").rglob("*") if path.is_file()]
    assert {path.relative_to(tmp_path / "folder").as_posix(): path.read_bytes() for path in files} == {
        "cats/1.jpg": b"one",
        "2.jpg": b"two",
    }


def test_a_file_that_is_no_archive_is_laid_into_the_folder(tmp_path: Path) -> None:
    (tmp_path / "scan.nii.gz").write_bytes(b"a scan")

    unpack(tmp_path / "scan.nii.gz", tmp_path / "folder")

    assert (tmp_path / "folder" / "scan.nii.gz").read_bytes() == b"a scan"


@pytest.mark.parametrize("archive", MAKERS[:3])
@pytest.mark.parametrize(
    "name", ["../out.txt", "/out.txt", "a/../../out.txt", "..\\out.txt", "C:/out.txt", "a/C:x"]
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, archive: str, name: str) -> None:
    made = make(tmp_path / archive, ("good.txt", b""), (name, b"bad"))

    with pytest.raises(ArchiveError, match=r"is not safe: '.*' would lie outside its folder\."):
        unpack(made, tmp_path / "inside" / "folder")

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [archive, "good.txt"]


def test_links_and_devices_of_a_tar_are_refused(tmp_path: Path) -> None:
    for kind, said in [
        (tarfile.SYMTYPE, "link"),
        (tarfile.LNKTYPE, "link"),
        (tarfile.FIFOTYPE, "device"),
        (tarfile.CHRTYPE, "device"),
    ]:
        with tarfile.open(tmp_path / "bad.tar", "w") as files:
            info = tarfile.TarInfo("door")
            info.type, info.linkname = kind, "/etc/passwd"
            files.addfile(info)
        with pytest.raises(ArchiveError, match=f"'door' is a {said}, not a file"):
            unpack(tmp_path / "bad.tar", tmp_path / "folder")


def test_a_link_of_a_zip_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as files:
        files.writestr(link, "/etc/passwd")

    with pytest.raises(ArchiveError, match="'link' is a link, not a file"):
        unpack(tmp_path / "bad.zip", tmp_path / "folder")


@pytest.mark.parametrize("archive", MAKERS[:3])
@pytest.mark.parametrize("second", ["a", "./a", "a/b"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_stands_twice_is_refused(tmp_path: Path, archive: str, second: str) -> None:
    made = make(tmp_path / archive, ("a", b"first"), (second, b"second"))

    with pytest.raises(ArchiveError, match="stands in it twice"):
        unpack(made, tmp_path / "folder")
    assert (tmp_path / "folder" / "a").read_bytes() == b"first"


@pytest.mark.parametrize("archive", MAKERS[:3])
def test_an_archive_that_would_fill_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1000)
    made = make(tmp_path / archive, ("small", b"x" * 600), ("large", b"x" * 600))

    with pytest.raises(ArchiveError, match=r"is not safe: it would unpack to more than .* GiB"):
        unpack(made, tmp_path / "folder")
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["small"]


def test_more_files_than_anyone_needs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 10)
    made = make(tmp_path / "many.zip", *((str(number), b"") for number in range(11)))

    with pytest.raises(ArchiveError, match="it would unpack to more than 10 files"):
        unpack(made, tmp_path / "folder")


def test_a_size_that_lies_is_found_out(tmp_path: Path) -> None:
    """A zip that says its member is small gives no more than that, and then fails its own checksum."""
    made = make(tmp_path / "lies.zip", ("a", b"x" * 100_000))
    content = made.read_bytes()
    made.write_bytes(content.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))

    with pytest.raises(ArchiveError, match="is broken: Bad CRC"):
        unpack(made, tmp_path / "folder")
    assert (tmp_path / "folder" / "a").stat().st_size <= 10


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("damage", ["cut", "changed", "none of it"])
def test_a_broken_archive_is_named(tmp_path: Path, name: str, damage: str) -> None:
    made = make(tmp_path / name, ("a", bytes(range(256)) * 400))
    content = bytearray(made.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "changed":
        content[:300] = bytes(300)
    else:
        content = bytearray(b"<html>not found</html>" * 50)
    made.write_bytes(content)

    with pytest.raises(ArchiveError, match=r"pets\.\S+ is broken: \S"):
        unpack(made, tmp_path / "folder")


def test_a_password_is_no_way_in(tmp_path: Path) -> None:
    made = make(tmp_path / "locked.zip", ("a", b"secret"))
    content = bytearray(made.read_bytes())
    content[6] |= 1  # The flag "encrypted", in the member's head
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the list at the end.
    made.write_bytes(content)

    with pytest.raises(ArchiveError, match=r"locked\.zip cannot be unpacked: .*password"):
        unpack(made, tmp_path / "folder")
