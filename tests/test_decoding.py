"""Photos decoded by torchcodec: the same pixels as Pillow's, and what is left to Pillow."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as pillow
from PIL.PngImagePlugin import PngInfo

from coursekit import decoding
from coursekit.decoding import decode, plain_jpeg_size, plain_png_size
from coursekit.photos import BrokenPhotoError, read_photo

ORIENTATION = 0x0112
ANY_SIZE = float("inf")


def photo(height: int, width: int, mode: str = "RGB") -> pillow.Image:
    """A smooth surface with some noise, as in photos."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(0).integers(0, 20, (height, width, 3))
    made = np.stack([x * 3 + y, x + y * 2, x * 2], -1) % 200 + noise
    return pillow.fromarray(made.astype(np.uint8)).convert(mode)


def png(picture: pillow.Image, **settings: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", **settings)
    return stream.getvalue()


def jpeg(picture: pillow.Image, orientation: int = 1, **settings: object) -> bytes:
    exif = pillow.Exif()
    exif[ORIENTATION] = orientation
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif, **settings)
    return stream.getvalue()


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(bytearray(data), np.uint8)


def both_ways(file: Path, mode: str) -> list[np.ndarray | str]:
    """What is read with torchcodec and without it, or how the error begins."""
    found: list[np.ndarray | str] = []
    for decoder in (decoding._decoder, lambda: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(decoding, "_decoder", decoder)
            try:
                found.append(read_photo(file, mode))
            except BrokenPhotoError as error:
                found.append(str(error))
    return found


@pytest.fixture(scope="module")
def torchcodec() -> None:
    pytest.importorskip("torchcodec", reason="torchcodec is not installed: only Pillow reads photos here")


class TestSize:
    @pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_it_is_pillows(self, mode: str, progressive: bool) -> None:
        data = jpeg(photo(43, 61, mode), progressive=progressive)

        assert plain_jpeg_size(array(data)) == (43, 61)
        assert plain_jpeg_size(array(data[:2] + b"\xff\xff" + data[2:])) == (
            43,
            61,
        )  # filled up, as the standard allows

    @given(st.binary(max_size=60))
    def test_no_bytes_make_it_stumble(self, some: bytes) -> None:
        for data in (some, b"\xff\xd8" + some, b"\xff\xd8\xff\xe0\x00\x02" + some):
            found = plain_jpeg_size(array(data))
            assert found is None or len(found) == 2
        for data in (some, decoding.SIGNATURE + some, png(photo(4, 6))[:33] + some):
            found = plain_png_size(array(data), "RGB")
            assert found is None or len(found) == 2

    def test_a_png_that_is_plain_and_those_that_are_not(self) -> None:
        colours, grey = photo(43, 61), photo(43, 61, "L")
        turned = pillow.Exif()
        turned[ORIENTATION] = 6
        said, note = PngInfo(), PngInfo()
        said.add_text("comment", "a solar cell")
        note.add_text("Raw profile type exif", "turned")
        for made in (png(colours), png(colours, dpi=(72, 72), pnginfo=said), png(grey)):
            assert plain_png_size(array(made), "RGB") == (43, 61)
        assert plain_png_size(array(png(grey)), "L") == (43, 61)
        for made in (
            png(colours, transparency=(0, 0, 0)),
            png(colours, exif=turned),
            png(colours, pnginfo=note),
            png(colours, save_all=True, append_images=[photo(43, 61).rotate(90)]),
            png(colours.convert("RGBA")),
            png(colours.convert("P")),
            png(grey.convert("LA")),
            png(grey.convert("I;16")),
            png(grey.convert("1")),
        ):
            assert plain_png_size(array(made), "RGB") is None
        assert plain_png_size(array(png(colours)), "L") is None


class TestDecoding:
    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_both_decoders_give_the_same(
        self, data: st.DataObject, torchcodec: None, tmp_path_factory
    ) -> None:
        size = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
        made = jpeg(
            photo(*size, data.draw(st.sampled_from(["RGB", "L", "CMYK"]))),
            orientation=data.draw(st.integers(1, 8)),
            quality=data.draw(st.integers(1, 100)),
            subsampling=data.draw(st.integers(0, 2)),
            progressive=data.draw(st.booleans()),
        )
        file = tmp_path_factory.mktemp("photos") / "a.jpg"
        file.write_bytes(made)
        for mode in ("RGB", "L"):
            theirs, pillows = both_ways(file, mode)
            assert decode(array(made), mode, ANY_SIZE) is not None
            assert theirs.shape == pillows.shape
            assert abs(theirs.astype(int) - pillows).max() <= 1

    @settings(max_examples=30, deadline=None)
    @given(data=st.data())
    def test_they_do_for_png(self, data: st.DataObject, torchcodec: None, tmp_path_factory) -> None:
        size = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
        mode = data.draw(st.sampled_from(["RGB", "L", "RGBA", "LA", "P", "1"]))
        file = tmp_path_factory.mktemp("photos") / "a.png"
        file.write_bytes(png(photo(*size, mode), compress_level=data.draw(st.integers(0, 9))))
        for wanted in ("RGB", "L"):
            theirs, pillows = both_ways(file, wanted)
            assert np.array_equal(theirs, pillows)

    @settings(max_examples=80, deadline=None, derandomize=True)
    @given(data=st.data())
    def test_both_say_the_same_of_a_damaged_file(
        self, data: st.DataObject, torchcodec: None, tmp_path_factory
    ) -> None:
        whole, start = data.draw(
            st.sampled_from([(jpeg(photo(43, 61)), b"\xff\xda"), (png(photo(43, 61)), b"IDAT")])
        )
        made, pixels = array(whole), whole.index(start)
        for place in data.draw(st.lists(st.integers(pixels, len(made) - 1), max_size=3)):
            made[place] = data.draw(st.integers(0, 255))
        file = tmp_path_factory.mktemp("photos") / "a.jpg"
        file.write_bytes(made[: data.draw(st.integers(pixels, len(made)))].tobytes())
        theirs, pillows = both_ways(file, "RGB")

        assert type(theirs) is type(pillows)
        assert np.array_equal(theirs, pillows)

    def test_what_is_better_left_to_pillow(self, torchcodec: None) -> None:
        whole = jpeg(photo(43, 61))
        note = b'<x tiff:Orientation="6"/>'
        noted = whole[:2] + b"\xff\xe1" + (len(note) + 2).to_bytes(2) + note + whole[2:]

        assert decode(array(whole), "RGB", ANY_SIZE) is not None
        assert decode(array(whole), "RGB", 43 * 61 - 1) is None
        assert decode(array(whole[:-20]), "RGB", ANY_SIZE) is None
        assert decode(array(noted), "RGB", ANY_SIZE) is None
        assert decode(array(b""), "RGB", ANY_SIZE) is None

    @pytest.mark.parametrize("error", [ImportError, OSError, RuntimeError])
    def test_one_made_for_another_torch_is_not_used(
        self, error: type[Exception], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A package in its place that fails as one does whose libraries are not found."""
        (tmp_path / "torchcodec").mkdir()
        (tmp_path / "torchcodec" / "__init__.py").write_text(f"raise {error.__name__}('no libc10_cuda.so')")
        for name in [name for name in sys.modules if name.split(".")[0] == "torchcodec"]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(str(tmp_path))
        find: Callable = decoding._decoder.__wrapped__
        monkeypatch.setattr(decoding, "_decoder", find)
        (tmp_path / "a.jpg").write_bytes(jpeg(photo(43, 61)))

        assert find() is None
        assert read_photo(tmp_path / "a.jpg").shape == (3, 43, 61)
