"""Each set of photos is what the table says, looked at file by file; one not to be had is skipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as pillow
from sets import had

from coursekit import photo_sets
from coursekit.photo_sets import photo_table
from coursekit.sources import SourceError, table
from coursekit.tensors import Boxes, Image, Keypoints, Mask, plain


def size(path: Path) -> tuple[int, int]:
    """The width and height of a picture file."""
    with pillow.open(path) as picture:
        return picture.size


def test_solar_cells_are_what_the_lesson_says() -> None:
    cells = photo_sets.solar_cells()

    assert len(cells) == table()["solar_cells"].items
    assert cells["sure"].sum() == 2223
    assert cells["photo"].map(lambda photo: photo.is_file()).all()
    assert set(cells["label"]) == {"sound", "broken"}
    assert cells.groupby("block").size().max() == 60


def test_clothes_are_what_the_table_says() -> None:
    photos = had(photo_sets.clothes)

    assert len(photos) == table()["clothes"].items
    assert photos["label"].nunique() == 10


class TestFlower:
    def test_four_views_of_one_photo(self) -> None:
        photo, mask, box, points = photo_sets.flower()

        assert [type(one) for one in (photo, mask, box, points)] == [Image, Mask, Boxes, Keypoints]
        assert photo.shape == (3, *mask.shape)
        assert box.canvas == points.canvas == mask.shape == (427, 640)
        assert mask.vocab == box.vocab == ("background", "flower")

    def test_the_mask_is_one_region_without_holes(self) -> None:
        from scipy import ndimage

        _, mask, _, _ = photo_sets.flower()

        assert ndimage.label(np.asarray(mask))[1] == 1
        assert ndimage.label(1 - np.asarray(mask))[1] == 1
        assert int(plain(mask).sum()) == 59_195

    def test_the_mask_leaves_out_leaves_and_the_second_flower(self) -> None:
        """Places of each kind, as seen in the photo."""
        _, mask, _, _ = photo_sets.flower()

        assert [int(mask[y, x]) for x, y in ((306, 223), (200, 250), (400, 150), (310, 100))] == [1] * 4
        assert [int(mask[y, x]) for x, y in ((60, 200), (600, 50), (380, 410), (600, 410))] == [0] * 4

    def test_the_box_touches_the_mask_on_every_side(self) -> None:
        _, mask, box, _ = photo_sets.flower()
        left, top, right, bottom = (int(edge) for edge in plain(box)[0])
        inside = plain(mask)[top:bottom, left:right]

        assert int(inside.sum()) == int(plain(mask).sum())
        assert all(bool(side.any()) for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))

    def test_the_points_lie_on_the_flower_where_their_names_say(self) -> None:
        _, mask, box, points = photo_sets.flower()
        places = dict(zip(points.names, plain(points).tolist(), strict=True))
        left, top, right, bottom = plain(box)[0].tolist()

        assert all(int(mask[int(y), int(x)]) == 1 for x, y in places.values())
        assert (places["left"][0], places["right"][0]) == (left + 0.5, right - 0.5)
        assert (places["top"][1], places["bottom"][1]) == (top + 0.5, bottom - 0.5)
        # Where the petals begin, found by eye in an enlarged photo.
        assert places["heart"] == pytest.approx((306.2, 223.1), abs=1)
        assert points.pairs == (("left", "right"),)


def test_pets_have_an_outline_and_half_of_them_a_head() -> None:
    animals = had(photo_sets.pets)
    heads = animals.dropna(subset=["left", "top", "right", "bottom"])
    sizes = {row.photo: size(row.photo) for row in animals.itertuples()}

    assert len(animals) == table()["pets"].items
    assert animals["breed"].value_counts().to_dict() == {
        "Abyssinian": 200,
        "Bengal": 200,
        "american_bulldog": 200,
    }
    assert animals.groupby("breed")["species"].unique().map(list).to_dict() == {
        "Abyssinian": ["cat"],
        "Bengal": ["cat"],
        "american_bulldog": ["dog"],
    }
    assert animals["part"].value_counts().to_dict() == {"trainval": 300, "test": 298, "unlisted": 2}
    assert all(size(row.trimap) == sizes[row.photo] for row in animals.itertuples())
    assert set(np.unique(np.asarray(pillow.open(animals["trimap"][0])))) == {1, 2, 3}
    assert len(heads) == 296
    for row in heads.itertuples():
        width, height = sizes[row.photo]
        assert 0 <= row.left < row.right <= width
        assert 0 <= row.top < row.bottom <= height


def test_each_nucleus_has_a_number() -> None:
    pictures = had(photo_sets.nuclei)
    labels = [np.asarray(pillow.open(path)) for path in pictures["labels"]]

    assert len(pictures) == table()["nuclei"].items
    assert pictures["stain"].value_counts().to_dict() == {"fluorescent": 169, "coloured": 55}
    assert [one.max() for one in labels] == pictures["nuclei"].tolist()
    assert pictures["nuclei"].sum() == 7612
    assert all(size(photo) == one.shape[::-1] for photo, one in zip(pictures["photo"], labels, strict=True))


def test_blood_cells_lie_in_their_boxes() -> None:
    photos = had(photo_sets.blood_cells)
    boxes = np.concatenate(photos["boxes"].tolist())
    names = [name for labels in photos["labels"] for name in labels]

    assert len(photos) == table()["blood_cells"].items
    assert photos["part"].value_counts().to_dict() == {"train": 205, "val": 87, "test": 72}
    assert {name: names.count(name) for name in set(names)} == {"RBC": 4153, "WBC": 372, "Platelets": 361}
    assert photos["boxes"].map(len).tolist() == photos["labels"].map(len).tolist()
    assert all(size(photo) == (640, 480) for photo in photos["photo"])
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert (boxes[:, 2:] <= (640, 480)).all()
    assert Boxes(photos["boxes"][0], labels=photos["labels"][0], canvas=(480, 640)).shape[-1] == 4


def test_a_mouse_has_17_points() -> None:
    frames, names = had(photo_sets.mouse)
    places = np.stack(frames["points"].tolist())

    assert places.shape == (90, 17, 2)
    assert (len(names), names[0], names[6]) == (17, "paw1LH_top", "nose_top")
    assert all(size(photo) == (396, 406) for photo in frames["photo"])
    # The mirror stands below; the mouse runs to the right.
    high, low, tail = (places[:, names.index(name)] for name in ("nose_top", "nose_bot", "tailBase_top"))
    assert np.nanmax(high[:, 1]) < np.nanmin(low[:, 1])
    assert np.nanmean(high[:, 0]) > np.nanmean(tail[:, 0])
    assert Keypoints(places[0], names=names, canvas=(406, 396)).shape == (17, 2)


def test_a_temple() -> None:
    assert size(photo_sets.temple()) == (640, 427)


def test_photos_are_labelled_by_their_folder(tmp_path: Path) -> None:
    for name in ("dog/2.JPG", "cat/1.png", "cat/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    photos = photo_table(tmp_path)

    assert photos["label"].tolist() == ["cat", "dog"]


def test_a_folder_without_photos_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="should hold a folder for each kind"):
        photo_table(tmp_path)


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a folder"):
        photo_table(tmp_path / "nowhere")
