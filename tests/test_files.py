"""Files are found in the same order everywhere; circles of links end; names of any bytes can be printed."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import numpy
import pytest
from PIL import Image as Pillow

import coursekit as kit
from coursekit.files import FileNames, FilePath, file_of, find_files, readable, record_of


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_photos_come_before_scans_and_texts(tmp_path: Path) -> None:
    touch(
        tmp_path, "b/1.JPG", "a/2.png", "a/notes.txt", "a/scan.dcm", ".hidden/3.png", "Thumbs.db", "a/.4.png"
    )

    assert [file.name for file in find_files(tmp_path)] == ["2.png", "1.JPG"]
    assert [file.name for file in find_files(tmp_path, (".dcm", ".TXT"))] == ["notes.txt", "scan.dcm"]


def test_scans_are_found_where_there_is_no_photo(tmp_path: Path) -> None:
    touch(tmp_path, "one.nii.gz", "two.dcm", "read me.txt")

    assert [file.name for file in find_files(tmp_path)] == ["one.nii.gz", "two.dcm"]


def test_links_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    touch(tmp_path, "pets/cat/1.jpg", "pets/dog/2.jpg", "elsewhere/3.jpg")
    (tmp_path / "pets" / "cat" / "round").symlink_to(tmp_path / "pets")
    (tmp_path / "pets" / "a link").symlink_to(tmp_path / "pets" / "dog")
    (tmp_path / "pets" / "more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "pets" / "nowhere").symlink_to(tmp_path / "gone")
    found = [file.relative_to(tmp_path).as_posix() for file in find_files(tmp_path / "pets")]

    assert found == ["pets/cat/1.jpg", "pets/dog/2.jpg", "pets/more/3.jpg"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names that are not UTF-8")
def test_names_that_are_no_utf8_are_found_labelled_and_shown(tmp_path: Path) -> None:
    for name in (b"caf\xe9", b"th\xe9"):
        folder = os.fsencode(tmp_path) + b"/" + name
        os.mkdir(folder)
        for number in range(2):
            path = os.fsdecode(folder + b"/%d\xff.png" % number)
            Pillow.fromarray(numpy.zeros((4, 4, 3), numpy.uint8)).save(path)
    block = kit.DataBlock(kit.Image, kit.Category, split=kit.StratifiedSplit(valid=0.5))
    data = block.loaders(tmp_path)

    assert data.vocab == (r"caf\xe9", r"th\xe9")
    assert len(data.one_batch()[0]) == 2
    str(block.summary(tmp_path)).encode("utf-8")
    str(data.decode_batch(data.one_batch())).encode("utf-8")


def test_what_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "one.docx", "two.docx", "three")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(FileNotFoundError, match=r"photos does not exist; .* in the folder Python runs in, /"):
        find_files("photos")
    with pytest.raises(FileNotFoundError, match=r"one\.docx is a file, and no table"):
        find_files("one.docx")
    with pytest.raises(
        ValueError, match=r"holds 3 files: 2 \.docx, 1 without an ending.*FileNames\('\*\.docx'\)"
    ):
        find_files(tmp_path)
    with pytest.raises(ValueError, match=r"no file that ends in \.png was found"):
        find_files(tmp_path, (".png",))


@pytest.mark.parametrize(
    ("name", "reader"),
    [("a.parquet", "pandas.read_parquet('a.parquet')"), ("A.JSON", "a list with a dictionary for each item")],
)
def test_a_file_that_holds_all_items_is_met_with_how_to_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reader: str
) -> None:
    touch(tmp_path, name)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(FileNotFoundError, match=f"Give what the file holds: .*{re.escape(reader)}"):
        find_files(name)


def test_files_without_an_ending_are_asked_for_as_they_are(tmp_path: Path) -> None:
    """Scanners write such names."""
    touch(tmp_path, "series/IM0001", "series/IM0002")

    with pytest.raises(ValueError, match=r"2 without an ending.*find=FileNames\('\*'\)"):
        find_files(tmp_path)
    assert len(FileNames("*")(tmp_path)) == 2


def test_a_place_says_label_and_part() -> None:
    record = record_of(Path("/data/train/cat/1.jpg"), "/data")

    assert (record["label"], record["part"], str(record["folder"])) == ("cat", "train", "/data")


def test_patterns_read_the_parts_of_names(tmp_path: Path) -> None:
    touch(tmp_path, "a/abyssinian_cat_12.jpg", "a/bulldog_3.jpg", "b/notes.txt", "b/pug_7_mask.png")
    records = FileNames("{label}_{number}.jpg")(tmp_path)

    assert [(one["label"], one["number"]) for one in records] == [("abyssinian", "cat_12"), ("bulldog", "3")]
    assert [one["part"] for one in FileNames("{part}/*_7_*.png")(tmp_path)] == ["b"]
    with pytest.raises(
        ValueError, match=r"no file in .* has a name like '\{x\}\.wav'; there is a/abyssinian_cat_12"
    ):
        FileNames("{x}.wav")(tmp_path)


def test_paths_are_written_from_records() -> None:
    record = {"file": Path("photos/7.jpg"), "number": 5}

    assert FilePath("masks/{file.stem}_{number:02}.png")(record) == Path("masks/7_05.png")
    with pytest.raises(KeyError, match="asks for 'id', and an item has file, number"):
        FilePath("{id}.png")(record)


def test_readable_leaves_good_names_alone() -> None:
    assert readable("Öl") == "Öl"


def test_the_file_of_an_item_is_found() -> None:
    assert file_of({"label": "cat", "photo": Path("1.jpg")}) == "1.jpg"
    assert file_of(("1.jpg", 3)) == "1.jpg"
    assert file_of(("b.png", "x")) == "b.png"
    assert file_of({"text": "no file here."}) == ""
