"""Folders as people have them: each is looked at, and what is wrong with it is said in a sentence."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas
import pytest
from fruit import fruit
from PIL import Image

import coursekit as kit
from coursekit.workshop.scripts import HEAD, photos_code
from coursekit.workshop.surveys import Survey, UnfitError, survey
from coursekit.workshop.trainings import execute


def notes(found: Survey) -> str:
    return " ".join(note.text for note in found.notes)


def table_by_code(found: Survey) -> pandas.DataFrame:
    """What the lines that are shown make of the same folder."""
    names: dict = {}
    execute(HEAD + photos_code(found), names)
    return names["photos"]


def test_a_good_folder_has_nothing_to_be_said_about_it(tmp_path: Path):
    found = survey(fruit(tmp_path / "fruit", each=20))

    assert (found.counts(), found.notes, found.left_out) == ({"raw": 20, "ripe": 20}, [], {})
    assert len(found.small) == 40
    assert all(small[:2] == b"\xff\xd8" for small in found.small.values())


# What cannot serve ------------------------------------------------------------------------------------------


def nothing(folder: Path) -> None:
    folder.mkdir()


def texts(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.txt").write_text("apples")
    (folder / "more.csv").write_text("apples")


def telephone(folder: Path) -> None:
    folder.mkdir()
    (folder / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic")


def all_in_one(folder: Path) -> None:
    fruit(folder)
    for file in list(folder.rglob("*.jpg")):
        file.rename(folder / file.name)
    shutil.rmtree(folder / "raw")
    shutil.rmtree(folder / "ripe")


def one_kind(folder: Path) -> None:
    fruit(folder, kinds=("ripe",))


def three_photos(folder: Path) -> None:
    fruit(folder, each=1, kinds=("raw", "ripe", "rotten"))


def all_broken(folder: Path) -> None:
    for file in fruit(folder).rglob("*.jpg"):
        file.write_bytes(file.read_bytes()[:300])


def a_file(folder: Path) -> None:
    folder.write_text("")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (nothing, "fruit is empty. Make a folder for each kind"),
        (texts, r"holds no photo that can be read here \(.jpg.*It holds 1 .*, 1 .*"),
        (telephone, "come from an iPhone: export them as JPEG"),
        (all_in_one, "All 24 photos lie directly in fruit.*fruit/ripe and fruit/raw"),
        (one_kind, r"All photos \(12\) are of one kind, 'ripe', and a model learns to tell kinds apart"),
        (three_photos, "two kinds with two photos each are needed.*'raw' has 1.*3 of 3 photos cannot serve"),
        (all_broken, "24 of 24 photos cannot serve.*24 because it cannot be read"),
        (a_file, "fruit is a file, and a folder of photos is needed"),
        (lambda folder: None, r"There is no folder '.*fruit'. There is '.*': go there"),
    ],
)  # fmt: skip
def test_what_cannot_serve_is_said_in_a_sentence(make: Callable[[Path], None], words: str, tmp_path: Path):
    make(tmp_path / "fruit")

    with pytest.raises(UnfitError, match=words) as error:
        survey(tmp_path / "fruit")
    assert len(str(error.value)) < 400


# What is left out, and how folders may lie ------------------------------------------------------------------


def test_what_cannot_be_learned_from_is_left_out_by_name_and_the_files_stay(tmp_path: Path):
    folder = fruit(tmp_path / "fruit")
    broken, copy, beside = folder / "raw" / "broken.jpg", folder / "ripe" / "zz.jpg", folder / "cover.jpg"
    broken.write_bytes((folder / "raw" / "raw_01.jpg").read_bytes()[:400])
    shutil.copy(folder / "raw" / "raw_02.jpg", copy)
    shutil.copy(folder / "raw" / "raw_03.jpg", beside)
    (folder / "raw" / "notes.txt").write_text("apples")
    (folder / ".ipynb_checkpoints").mkdir()
    shutil.copy(folder / "raw" / "raw_04.jpg", folder / ".ipynb_checkpoints")
    found = survey(folder)

    assert found.counts() == {"raw": 12, "ripe": 12}
    assert found.left_out[str(broken)].startswith("it cannot be read: ")
    assert found.left_out[str(copy)] == "it is the same photo as raw_02.jpg, which lies in 'raw'"
    assert "Beside the folders of the kinds: 1 photo." in notes(found)
    assert "Other files are passed over: 1 .txt." in notes(found)
    assert "Left out: 2 photos, listed below with the reason. The files stay." in notes(found)
    assert all(file.exists() for file in (broken, copy, beside))
    assert len(table_by_code(found)) == 26  # which the list of changes makes 24


def test_a_kind_of_a_single_photo_is_left_out(tmp_path: Path):
    folder = fruit(tmp_path / "fruit")
    fruit(folder, each=1, kinds=("rotten",))
    found = survey(folder)

    assert found.counts() == {"raw": 12, "ripe": 12}
    assert "it is the only photo of 'rotten'" in next(iter(found.left_out.values()))
    assert set(table_by_code(found)["label"]) == {"raw", "ripe"}


def test_a_wrapping_is_taken_off(tmp_path: Path):
    fruit(tmp_path / "downloads" / "photos" / "fruit")
    found = survey(tmp_path / "downloads")

    assert found.folder == (tmp_path / "downloads" / "photos" / "fruit").resolve()
    assert "so that folder was taken" in notes(found)


@pytest.mark.parametrize(("arrangement", "kinds"), [("", {"raw", "ripe"}), ("last", {"may", "june"})])
def test_folders_within_kinds_belong_to_the_kind_unless_one_says_otherwise(
    tmp_path: Path, arrangement: str, kinds: set[str]
):
    for kind in ("raw", "ripe"):
        for month in ("may", "june"):
            fruit(tmp_path / "fruit" / kind, each=6, kinds=(month,), size=30 + len(kind) + len(month))
    found = survey(tmp_path / "fruit", arrangement)

    assert found.may_choose
    assert set(found.counts()) == kinds
    assert set(table_by_code(found)["label"]) == kinds


def test_folders_that_say_what_is_held_out_are_believed(tmp_path: Path):
    for number, part in enumerate(("train", "test")):
        fruit(tmp_path / "fruit" / part, each=10 - 5 * number, size=30 + number)
    found = survey(tmp_path / "fruit")
    table = table_by_code(found)

    assert "The folders say what is held out: test. Learned from is train." in notes(found)
    assert table["side"].value_counts().to_dict() == {"learned from": 20, "held out": 10}
    assert set(table["label"]) == {"raw", "ripe"}


def test_few_lopsided_and_telling_sizes_are_told(tmp_path: Path):
    folder = fruit(tmp_path / "fruit", each=30, kinds=("ripe",))
    fruit(folder, each=4, kinds=("raw",))
    assert "Few photos: raw (4)." in notes(survey(folder))
    assert "ripe is on 88% of the photos: who always says ripe is right that often." in notes(survey(folder))

    for number, kind in enumerate(("raw", "ripe")):
        for one, file in enumerate((folder / kind).iterdir()):
            Image.new("RGB", (20 + 9 * number, 20), (one, 0, 0)).save(file, quality=100)
    assert "Were they taken with different cameras?" in notes(survey(folder))


def test_a_huge_photo_is_looked_at_quickly_and_made_small(tmp_path: Path):
    folder = fruit(tmp_path / "fruit", each=4)
    Image.new("RGB", (8000, 6000), "green").save(folder / "raw" / "huge.jpg")
    found = survey(folder)

    assert found.left_out == {}
    assert all(len(small) < 20_000 for small in found.small.values())


@pytest.mark.parametrize("written", ["'{}'", ' "{}" ', "{}/"])
def test_a_path_may_be_pasted_as_it_comes(tmp_path: Path, written: str):
    assert survey(written.format(fruit(tmp_path / "fruit"))).folder == (tmp_path / "fruit").resolve()


def test_progress_is_told(tmp_path: Path):
    told: list[tuple[int, int]] = []
    survey(fruit(tmp_path / "fruit"), tell=lambda *numbers: told.append(numbers))

    assert told == [(number, 24) for number in range(1, 25)]


def test_find_items_and_the_survey_know_the_same_photos(tmp_path: Path):
    folder = fruit(tmp_path / "fruit")
    found = survey(folder)

    assert {str(one["file"].resolve()) for one in kit.find_items(folder)} == set(found.labels)
    assert not re.search("None|nan", notes(found))
