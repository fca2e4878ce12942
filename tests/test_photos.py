"""Pictures in and out of files: every mode, what a camera says, and what is no picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as pillow
from test_typed import image, mask

from coursekit.photos import BrokenPhotoError
from coursekit.tensors import GrayImage, Image, Mask, plain


class TestFiles:
    @pytest.fixture
    def photo(self) -> pillow.Image:
        return pillow.fromarray(np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3))

    def test_png_there_and_back(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.save(tmp_path / "a.png")
        one = Image.open(tmp_path / "a.png")

        assert (one.shape, one.dtype) == ((3, 4, 6), torch.uint8)
        assert np.array_equal(np.asarray(one.to_pil()), np.asarray(photo))
        assert torch.equal(plain(one), plain(Image(str(tmp_path / "a.png"))))
        assert torch.equal(plain(one), plain(Image(photo)))
        assert torch.equal(plain(one), plain(Image(np.asarray(photo).copy().transpose(2, 0, 1))))

    def test_numpy_out(self) -> None:
        assert isinstance(np.asarray(mask()), np.ndarray)
        assert np.asarray(image()).shape == (3, 4, 4)

    def test_the_camera_is_held_upright(self, photo: pillow.Image, tmp_path: Path) -> None:
        exif = pillow.Exif()
        exif[0x0112] = 6  # turn by a quarter to the right
        photo.save(tmp_path / "a.png", exif=exif)

        assert Image.open(tmp_path / "a.png").shape == (3, 6, 4)
        assert Mask(pillow.new("L", (6, 4))).shape == (4, 6)

    @pytest.mark.parametrize(
        "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I"]
    )
    def test_any_mode_becomes_what_the_type_says(self, mode: str) -> None:
        made = pillow.new(mode, (6, 4))

        assert (Image(made).shape, Image(made).dtype) == ((3, 4, 6), torch.uint8)
        assert (GrayImage(made).shape, GrayImage(made).dtype) == ((1, 4, 6), torch.uint8)

    def test_sixteen_bits_become_eight_by_weight(self, tmp_path: Path) -> None:
        values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
        pillow.fromarray(values).save(tmp_path / "a.png")

        assert GrayImage.open(tmp_path / "a.png").flatten().tolist() == [0, 1, 128, 255]
        assert Mask.open(tmp_path / "a.png").flatten().tolist() == [0, 257, 32896, 65535]

    def test_a_palette_with_transparency(self, tmp_path: Path) -> None:
        made = pillow.new("P", (2, 1))
        made.putpalette([255, 0, 0, 0, 0, 255])
        made.putdata([0, 1])
        made.save(tmp_path / "a.png", transparency=b"\x00\xff")

        assert Image.open(tmp_path / "a.png").tolist() == [[[255, 0]], [[0, 0]], [[0, 255]]]
        assert Mask.open(tmp_path / "a.png", vocab=("red", "blue")).tolist() == [[0, 1]]

    def test_floating_point_goes_out_as_eight_bits(self) -> None:
        values = torch.tensor([-0.1, 0.5, 1.2]).reshape(1, 1, 3)

        assert list(np.asarray(GrayImage(values).to_pil()).flatten()) == [0, 128, 255]
        assert mask().to_pil().mode == "L"

    def test_what_is_no_picture(self, tmp_path: Path) -> None:
        (tmp_path / "notes.jpg").write_text("no picture")
        with pytest.raises(
            BrokenPhotoError,
            match=r"^notes.jpg is not a picture that can be read: its bytes are in no picture format",
        ):
            Image.open(tmp_path / "notes.jpg")
        with pytest.raises(FileNotFoundError, match=r"There is no picture at .*gone.jpg: no such file."):
            Image.open(tmp_path / "gone.jpg")
        with pytest.raises(FileNotFoundError, match="it is a folder"):
            Mask.open(tmp_path)

    def test_half_a_picture(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.resize((64, 64)).save(tmp_path / "half.png")
        whole = (tmp_path / "half.png").read_bytes()
        (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])

        with pytest.raises(BrokenPhotoError, match=r"^half.png is not a picture that can be read: "):
            Image.open(tmp_path / "half.png")

    def test_a_mask_in_colours(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.save(tmp_path / "a.png")
        with pytest.raises(
            ValueError, match=r"^a.png: a mask has one whole number for each pixel; .* the mode RGB"
        ):
            Mask.open(tmp_path / "a.png")

    def test_a_picture_that_does_not_say_what_white_is(self, tmp_path: Path) -> None:
        pillow.new("F", (2, 2)).save(tmp_path / "a.tiff")
        with pytest.raises(
            ValueError, match=r"^a.tiff: a floating-point picture does not say which value is white"
        ):
            Image.open(tmp_path / "a.tiff")

    def test_what_a_picture_cannot_hold(self) -> None:
        with pytest.raises(ValueError, match=r"this is a batch of 2: batch\[0\].to_pil"):
            image(2).to_pil()
        with pytest.raises(ValueError, match="A picture has 1, 3 or 4 channels, not 2"):
            Image(torch.zeros(2, 4, 4)).to_pil()
        with pytest.raises(ValueError, match=r"A picture holds 0..255, and these values are 0..300"):
            Mask(torch.tensor([[0, 300]])).to_pil()

    def test_the_file_is_closed(self, photo: pillow.Image, tmp_path: Path) -> None:
        """Warnings are errors here, so a file left open would be one."""
        photo.save(tmp_path / "a.png")
        Image.open(tmp_path / "a.png")
        (tmp_path / "a.png").unlink()
