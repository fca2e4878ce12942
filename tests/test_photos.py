"""Pictures in and out of files: every kind and mode, what a camera says, and what is broken or no picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as pillow
from PIL import ImageFile, ImageOps
from test_typed import image, mask
from torch.utils.data import DataLoader

from coursekit import decoding
from coursekit.creating import Create
from coursekit.geometry import resize
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

        # Red is transparent, so the page shines through.
        assert Image.open(tmp_path / "a.png").tolist() == [[[255, 0]], [[255, 0]], [[255, 255]]]
        assert Mask.open(tmp_path / "a.png", vocab=("red", "blue")).tolist() == [[0, 1]]

    def test_floating_point_goes_out_as_eight_bits(self) -> None:
        values = torch.tensor([-0.1, 0.5, 1.2]).reshape(1, 1, 3)

        assert list(np.asarray(GrayImage(values).to_pil()).flatten()) == [0, 128, 255]
        assert mask().to_pil().mode == "L"

    def test_what_is_no_picture(self, tmp_path: Path) -> None:
        (tmp_path / "notes.jpg").write_text("notes on pictures")
        with pytest.raises(
            BrokenPhotoError,
            match=r"notes.jpg is not a picture that can be read: its bytes, 6e 6f .* no picture format",
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

        with pytest.raises(BrokenPhotoError, match=r"half.png is not a picture that can be read: "):
            Image.open(tmp_path / "half.png")

    def test_a_mask_in_colours(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.save(tmp_path / "a.png")
        with pytest.raises(
            ValueError, match=r"a.png: a mask has one whole number for each pixel; .* the mode RGB"
        ):
            Mask.open(tmp_path / "a.png")

    def test_a_picture_that_does_not_say_what_white_is(self, tmp_path: Path) -> None:
        pillow.new("F", (2, 2)).save(tmp_path / "a.tiff")
        with pytest.raises(
            ValueError, match=r"a.tiff: a floating-point picture does not say which value is white"
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


@pytest.fixture
def photo() -> pillow.Image:
    """As smooth as a photo, and no two of its corners are alike."""
    y, x = np.mgrid[:48, :64]
    return pillow.fromarray(np.stack([x * 3, y * 4, 255 - x - y], -1).astype(np.uint8))


@pytest.fixture(params=["torchcodec", "Pillow"] if decoding._decoder() else ["Pillow"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test with it runs as photos are read here, and as they are where only Pillow is."""
    if request.param == "Pillow":
        monkeypatch.setattr(decoding, "_decoder", lambda: None)


def adobe(photo: pillow.Image) -> pillow.Image:
    """In four inks, which Pillow writes into a JPEG as Adobe does: the other way round, and marked so."""
    return photo.convert("CMYK")


def sixteen_bits(photo: pillow.Image) -> pillow.Image:
    return pillow.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)


# Name of the file, what is made of the photo first, how far its colours may go away, settings.
KINDS: dict[str, tuple[str, Callable[[pillow.Image], pillow.Image], int, dict]] = {
    "JPEG": ("a.jpg", lambda p: p, 12, {"quality": 95}),
    "JPEG, progressive": ("a.jpeg", lambda p: p, 12, {"quality": 95, "progressive": True}),
    "JPEG, grey": ("a.jpg", lambda p: p.convert("L"), 12, {"quality": 95}),
    "JPEG, four inks": ("a.jpg", adobe, 12, {"quality": 95}),
    "PNG": ("a.png", lambda p: p, 0, {}),
    "PNG, transparent nowhere": ("a.png", lambda p: p.convert("RGBA"), 0, {}),
    "PNG, grey": ("a.png", lambda p: p.convert("L"), 0, {}),
    "PNG, grey, transparent nowhere": ("a.png", lambda p: p.convert("LA"), 0, {}),
    "PNG, grey, 16 bits": ("a.png", sixteen_bits, 0, {}),
    "PNG, palette": ("a.png", lambda p: p.quantize(256), 25, {}),
    "PNG, 1 bit": ("a.png", lambda p: p.convert("1", dither=0), 0, {}),
    "TIFF": ("a.tiff", lambda p: p, 0, {}),
    "TIFF, four inks": ("a.tif", adobe, 2, {}),
    "TIFF, grey, 16 bits": ("a.tif", sixteen_bits, 0, {"compression": "tiff_lzw"}),
    "WEBP": ("a.webp", lambda p: p, 0, {"lossless": True}),
    "BMP": ("a.bmp", lambda p: p, 0, {}),
    "GIF, moving": (
        "a.gif",
        lambda p: p.quantize(256),
        25,
        {"save_all": True, "append_images": [pillow.new("RGB", (64, 48))], "duration": 100},
    ),
    "PNG that calls itself JPEG": ("a.jpg", lambda p: p, 0, {"format": "PNG"}),
    "JPEG that calls itself PNG": ("a.png", lambda p: p, 12, {"format": "JPEG", "quality": 95}),
}


@pytest.mark.usefixtures("reader")
class TestKinds:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_shows_the_same_photo(self, kind: str, photo: pillow.Image, tmp_path: Path) -> None:
        name, change, tolerance, settings = KINDS[kind]
        made = change(photo)
        made.save(tmp_path / name, **settings)
        grey = kind.endswith("16 bits") or made.mode in ("1", "L", "LA")
        wanted = made.convert("L") if made.mode in ("1", "LA") else photo.convert("L") if grey else photo

        for read, mode in ((Image, "RGB"), (GrayImage, "L")):
            found, right = read.open(tmp_path / name), np.asarray(wanted.convert(mode)).reshape(48, 64, -1)
            assert (found.dtype, found.shape[-2:]) == (torch.uint8, (48, 64))
            assert abs(plain(found).int().numpy() - right.transpose(2, 0, 1)).max() <= tolerance

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tiff"])
    def test_every_way_to_hold_a_camera(
        self, orientation: int, name: str, photo: pillow.Image, tmp_path: Path
    ) -> None:
        exif = pillow.Exif()
        exif[0x0112] = orientation
        photo.save(tmp_path / name, exif=exif, quality=95)
        upright = np.asarray(ImageOps.exif_transpose(pillow.open(tmp_path / name))).transpose(2, 0, 1)

        assert np.array_equal(Image.open(tmp_path / name), upright)

    def test_a_larger_photo_is_read_smaller_where_that_will_do(
        self, photo: pillow.Image, tmp_path: Path
    ) -> None:
        large = photo.resize((640, 480), pillow.Resampling.BICUBIC)
        large.save(tmp_path / "a.jpg", quality=95)
        exif = pillow.Exif()
        exif[0x0112] = 6
        large.save(tmp_path / "lying.jpg", quality=95, exif=exif)
        large.save(tmp_path / "a.png")

        shapes = {
            ("a.jpg", 60): (60, 80),
            ("a.jpg", (61, 61)): (120, 160),
            ("a.jpg", (60, 81)): (120, 160),
            ("a.jpg", 1): (60, 80),
            ("a.jpg", (240, 321)): (480, 640),
            ("a.jpg", 1000): (480, 640),
            ("lying.jpg", (80, 60)): (80, 60),
            ("lying.jpg", (160, 90)): (160, 120),
            ("lying.jpg", (90, 160)): (320, 240),
            ("a.png", 60): (480, 640),
        }
        found = {key: tuple(Image.open(tmp_path / key[0], at_least=key[1]).shape[1:]) for key in shapes}

        assert found == shapes
        assert GrayImage.open(tmp_path / "a.jpg", at_least=60).shape == (1, 60, 80)
        assert Create(Image, at_least=60).encode(tmp_path / "a.jpg").shape == (3, 60, 80)

    def test_what_is_read_smaller_looks_like_what_is_made_smaller(self, tmp_path: Path) -> None:
        """Within 2 of 255 on average, on a real photo."""
        flower = pytest.importorskip("sklearn.datasets").load_sample_image("flower.jpg")
        pillow.fromarray(flower).resize((2000, 1336)).save(tmp_path / "a.jpg", quality=90)
        small = [resize(Image.open(tmp_path / "a.jpg", at_least=size), 224) for size in (None, 224)]

        assert (plain(small[0]).float() - plain(small[1]).float()).abs().mean() < 2

    @pytest.mark.parametrize("wrong", [(0, 9), -1, (9,), (9, 9, 9), "a"])
    def test_a_size_that_is_none(self, photo: pillow.Image, tmp_path: Path, wrong: Any) -> None:
        photo.save(tmp_path / "a.jpg")
        with pytest.raises(
            ValueError, match=r"a.jpg: at_least is a \(height, width\) of one pixel or more; got"
        ):
            Image.open(tmp_path / "a.jpg", at_least=wrong)

    def test_what_is_transparent_lies_over_white(self, tmp_path: Path) -> None:
        values = np.array([[[9, 99, 199, 0], [9, 99, 199, 255], [0, 0, 0, 127]]], dtype=np.uint8)
        for name, settings in {"a.png": {}, "a.webp": {"lossless": True, "exact": True}}.items():
            pillow.fromarray(values).save(tmp_path / name, **settings)

            assert plain(Image.open(tmp_path / name)).permute(1, 2, 0).tolist() == [
                [[255, 255, 255], [9, 99, 199], [128, 128, 128]]
            ]
            assert GrayImage.open(tmp_path / name)[0, 0, 0] == 255


SAID = {
    "empty": (b"", r"it is empty. Copy or download it again."),
    "page": (
        b"<!DOCTYPE html>\n<html><title>404",
        r"it is text, '<!DOCTYPE html> <html><title>404', such as a web site sends in place of a photo",
    ),
    "answer": (b'{"error": "not found"}', r"it is text, '{\"error\": \"not found\"}'"),
    "iphone": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", r"it is a HEIC photo. Save it as JPEG; or pip install"),
    "noise": (b"\x01\x02\x03", r"its bytes, 01 02 03 …, are in no picture format that Pillow knows"),
}


@pytest.mark.usefixtures("reader")
class TestBroken:
    @pytest.mark.parametrize("kind", SAID)
    def test_what_is_no_photo_is_said_in_plain_words(self, kind: str, tmp_path: Path) -> None:
        data, said = SAID[kind]
        (tmp_path / "cat.jpg").write_bytes(data)
        for read in (Image, GrayImage, Mask):
            with pytest.raises(BrokenPhotoError, match=rf"cat.jpg is not a picture that can be read: {said}"):
                read.open(tmp_path / "cat.jpg")

    @pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff", "bmp"])
    def test_one_whose_end_is_missing(self, ending: str, photo: pillow.Image, tmp_path: Path) -> None:
        file = tmp_path / f"half.{ending}"
        photo.save(file)
        file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])

        with pytest.raises(BrokenPhotoError, match=rf"half.{ending} is not .* Copy or download it again"):
            Image.open(file)

    def test_what_is_there_is_read_when_pillow_is_told_so(
        self, photo: pillow.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo.resize((640, 480)).save(tmp_path / "a.jpg")
        whole = Image.open(tmp_path / "a.jpg")
        (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-3000])
        with pytest.raises(BrokenPhotoError, match=r"its end is missing .*LOAD_TRUNCATED_IMAGES = True"):
            Image.open(tmp_path / "a.jpg")
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
        half = Image.open(tmp_path / "a.jpg")

        assert torch.equal(plain(half)[:, :100], plain(whole)[:, :100])
        assert not torch.equal(plain(half), plain(whole))

    def test_one_that_claims_to_be_huge(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.save(tmp_path / "a.jpg")
        data = bytearray((tmp_path / "a.jpg").read_bytes())
        place = data.index(b"\xff\xc0")
        data[place + 5 : place + 9] = b"\xff\xff\xff\xff"
        (tmp_path / "a.jpg").write_bytes(data)

        with pytest.raises(
            BrokenPhotoError,
            match=r"Image size \(4294836225 pixels\) .* If you trust it, lift the limit: PIL",
        ):
            Image.open(tmp_path / "a.jpg")

    def test_what_the_disk_refuses_is_not_the_photos_fault(
        self, photo: pillow.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo.save(tmp_path / "a.jpg")

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied", str(tmp_path / "a.jpg"))

        monkeypatch.setattr(np, "fromfile", refuse)
        with pytest.raises(PermissionError):
            Image.open(tmp_path / "a.jpg")

    def test_a_worker_passes_it_on(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.save(tmp_path / "a.jpg")
        (tmp_path / "b.jpg").write_bytes(b"")
        files = [str(tmp_path / name) for name in ("a.jpg", "b.jpg")]
        loader = DataLoader(files, batch_size=None, num_workers=1, collate_fn=Image)

        with pytest.raises(BrokenPhotoError, match=r"b.jpg is not a picture that can be read: it is empty"):
            list(loader)
