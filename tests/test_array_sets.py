"""Each set kept in arrays is what the table says; one that cannot be had is skipped by name."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
import torch
from sets import had

from coursekit import array_sets
from coursekit.sources import table
from coursekit.tensors import GrayImage, Image, Mask, plain


def test_digits_are_500_of_each() -> None:
    some = array_sets.digits()

    assert isinstance(some["image"], GrayImage)
    assert some["image"].shape == (5000, 1, 28, 28)
    assert Counter(some["label"].tolist()) == {str(digit): 500 for digit in range(10)}
    # Ink is bright, and a one needs less of it than a zero.
    zeros, ones = (plain(some["image"])[torch.from_numpy(some["label"] == digit)].float() for digit in "01")
    assert zeros.mean() > ones.mean() > 0
    assert zeros[..., 0, 0].max() == 0


def test_small_digits_use_all_shades() -> None:
    some = array_sets.small_digits()

    assert len(some["image"]) == len(some["label"]) == table()["small_digits"].items
    assert len(plain(some["image"]).unique()) == 17
    assert int(plain(some["image"]).max()) == 255
    assert set(some["label"].tolist()) == set("0123456789")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_sets_like_mnist(name: str) -> None:
    some = had(getattr(array_sets, name))

    assert some["image"].shape == (70_000, 1, 28, 28)
    assert Counter(some["part"].tolist()) == {"train": 60_000, "test": 10_000}
    assert some["part"][59_999] == "train"
    assert len(set(some["label"].tolist())) == 10
    assert len(some["label"]) == table()[name].items


def test_mnist_has_the_figures_its_makers_published() -> None:
    some = had(array_sets.mnist)
    train = plain(some["image"])[:60_000].float() / 255

    assert (float(train.mean()), float(train.std())) == pytest.approx((0.1307, 0.3081), abs=1e-4)
    assert some["label"][:5].tolist() == ["5", "0", "4", "1", "9"]


def test_the_digits_of_the_package_are_digits_of_mnist() -> None:
    every = {one.tobytes() for one in np.asarray(plain(had(array_sets.mnist)["image"]))}

    assert sum(one.tobytes() in every for one in np.asarray(plain(array_sets.digits()["image"]))) == 5000


def test_fashion_has_names() -> None:
    some = had(array_sets.fashion_mnist)

    assert Counter(some["label"].tolist()).most_common()[-1][1] == 7000
    assert some["label"][0] == "Ankle boot"


def test_cifar_is_the_one_its_maker_published() -> None:
    some = had(array_sets.cifar10)
    train = np.asarray(plain(some["image"]))[:50_000]

    assert some["image"].shape == (60_000, 3, 32, 32)
    assert Counter(some["part"].tolist()) == {"train": 50_000, "test": 10_000}
    assert set(Counter(some["label"].tolist()).values()) == {6000}
    assert some["label"][:3].tolist() == ["frog", "truck", "truck"]
    assert (
        hashlib.sha256(train.tobytes()).hexdigest()
        == "9d5c2eddadb0deff02c14c350c0385aab7b1d5ff1edfeb4997c8dc8644960111"
    )


def test_a_satellite_sees_five_days() -> None:
    seen = had(array_sets.satellite)
    bands = {name: plain(seen["image"])[0, number] for number, name in enumerate(seen["bands"])}

    assert seen["image"].shape == (5, 13, 101, 100)
    assert seen["dates"][0] == "2015-07-11"
    assert isinstance(seen["land"], Mask)
    assert set(plain(seen["land"]).unique().tolist()) <= set(range(9))
    assert seen["height"].shape == (101, 100)
    # Leaves send near infrared back, and hardly any red.
    forest = plain(seen["land"]) == seen["land"].vocab.index("forest")
    assert bands["B08"][forest].mean() > 3 * bands["B04"][forest].mean()


def test_a_picture_from_the_air() -> None:
    picture = had(array_sets.aerial)

    assert isinstance(picture, Image)
    assert picture.shape == (4, 403, 515)


def test_digits_said_aloud() -> None:
    sounds = had(array_sets.spoken_digits)

    assert len(sounds) == table()["spoken_digits"].items
    assert sounds.groupby(["label", "speaker"]).size().unique().tolist() == [8]
    assert sounds["part"].value_counts().to_dict() == {"test": 300, "train": 180}
    assert sounds["sound"].map(len).sum() == 1_663_821
    assert all(sound.dtype == np.int16 and abs(sound).max() > 0 for sound in sounds["sound"])
