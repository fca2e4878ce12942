"""Broken photos among thousands: found, named, and told what is wrong with each."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow

from coursekit.inspecting import check_photos


@pytest.fixture(scope="module")
def thousands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 photos in forty folders; three of them are broken."""
    folder = tmp_path_factory.mktemp("photos")
    noise = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    pillow.fromarray(noise).save(folder / "one.jpg")
    whole = (folder / "one.jpg").read_bytes()
    (folder / "one.jpg").unlink()
    for number in range(2000):
        file = folder / f"{number % 40:02}" / f"{number:04}.jpg"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(whole)
    (folder / "07" / "0727.jpg").write_bytes(whole[:-500])
    (folder / "12" / "0012.jpg").write_bytes(b"<html>Not found</html>")
    (folder / "39" / "1999.jpg").write_bytes(b"")
    (folder / "labels.csv").write_text("file,label\n")
    return folder


def test_three_broken_photos_among_two_thousand(thousands: Path) -> None:
    start = time.perf_counter()
    table = check_photos(thousands)
    broken = table[table["problem"] != ""]

    assert time.perf_counter() - start < 30
    assert len(table) == 2000
    assert list(table.columns) == ["file", "problem", "height", "width", "mode"]
    assert [Path(file).name for file in broken["file"]] == ["0727.jpg", "0012.jpg", "1999.jpg"]
    assert list(broken.index) == [0, 1, 2]  # they stand first
    assert broken["problem"].str.split(" ", n=3).str[:3].str.join(" ").tolist() == [
        "its end is",
        "it is text,",
        "it is empty.",
    ]
    assert broken["height"].isna().all()
    assert table.loc[3:, ["height", "width", "mode"]].drop_duplicates().values.tolist() == [[32, 48, "RGB"]]


def test_files_of_a_list_and_every_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pillow.new("P", (6, 4)).save(tmp_path / "palette.png")
    pillow.new("F", (6, 4)).save(tmp_path / "heights.tiff")
    exif = pillow.Exif()
    exif[0x0112] = 6
    pillow.new("L", (6, 4)).save(tmp_path / "lying.jpg", exif=exif)
    names = ["palette.png", "heights.tiff", "lying.jpg", "gone.jpg"]
    table = check_photos([tmp_path / name for name in names], threads=1)

    assert [Path(file).name for file in table["file"]] == [
        "heights.tiff",
        "gone.jpg",
        "palette.png",
        "lying.jpg",
    ]
    assert table["problem"][0].startswith("a floating-point picture does not say which value is white")
    assert table["problem"][1].startswith("There is no picture at")
    assert table.loc[2:, ["height", "width", "mode"]].values.tolist() == [[4, 6, "P"], [6, 4, "L"]]
    assert "0/4" in capsys.readouterr().err  # a bar says how far it is


def test_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        check_photos(tmp_path / "gone")
    with pytest.raises(ValueError, match=r"no file that ends in \.jpg"):
        check_photos(tmp_path)
    assert check_photos([]).empty
