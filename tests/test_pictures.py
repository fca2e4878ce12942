"""Pictures from files, arrays and Pillow, and back; more of them in `test_tensors`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as pillow

from coursekit.pictures import GrayImage, Image, Mask


def test_a_picture_comes_from_a_path_an_array_and_pillow_alike(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    photo = pillow.fromarray(values)
    photo.save(tmp_path / "photo.png")

    pictures = [
        Image(tmp_path / "photo.png"),
        Image.open(tmp_path / "photo.png"),
        Image(values),
        Image(photo),
    ]

    assert all(torch.equal(picture, pictures[0]) for picture in pictures)
    assert np.array_equal(np.asarray(pictures[0].to_pil()), values)


def test_an_array_is_not_copied_when_its_channels_stand_first() -> None:
    values = np.zeros((3, 40, 60), dtype=np.uint8)
    picture = Image(values)
    values[0, 0, 0] = 7

    assert picture[0, 0, 0] == 7


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"no picture")

    with pytest.raises(ValueError, match=r"cat\.png is not a picture that can be read"):
        GrayImage.open(tmp_path / "cat.png")


def test_a_mask_keeps_the_numbers_of_its_file(tmp_path: Path) -> None:
    pillow.fromarray(np.array([[0, 2], [7, 1]], dtype=np.uint8)).save(tmp_path / "mask.png")

    assert Mask.open(tmp_path / "mask.png", vocab=tuple("abcdefgh")).tolist() == [[0, 2], [7, 1]]
