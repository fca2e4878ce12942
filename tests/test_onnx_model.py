"""The reader of ONNX models: photos as the library opens them, bit for bit, and nothing else needed."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as pillow

from coursekit import onnx_model
from coursekit.cropping import CentreCrop, Resize
from coursekit.onnx_model import OnnxModel, cut_middle, fitted, open_photo, resized
from coursekit.tensors import GrayImage, Image, plain

KINDS = {"RGB": Image, "L": GrayImage}


def noise(channels: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (channels, height, width), dtype=np.uint8)


@pytest.mark.parametrize("fit", ["squeeze", "crop", "pad"])
def test_a_photo_shrinks_and_grows_as_in_training_to_the_last_bit(fit: str) -> None:
    chance = random.Random(1)
    for _ in range(40):
        mode = chance.choice(["RGB", "L"])
        pixels = noise(3 if mode == "RGB" else 1, chance.randint(2, 300), chance.randint(2, 300))
        size = (chance.randint(8, 200), chance.randint(8, 200))
        ours = plain(Resize(size, fit).encode(KINDS[mode](torch.from_numpy(pixels))))

        assert np.array_equal(fitted(pixels, size, fit), ours.numpy()), (pixels.shape, size)


def test_a_photo_of_twelve_megapixels_shrinks_as_in_training() -> None:
    pixels = noise(3, 3000, 4000)

    assert np.array_equal(
        resized(pixels, (160, 160)), plain(Resize(160).encode(Image(torch.from_numpy(pixels)))).numpy()
    )


def test_the_middle_is_the_same_middle() -> None:
    pixels = noise(3, 21, 34)
    ours = plain(CentreCrop((8, 11)).encode(Image(torch.from_numpy(pixels))))

    assert np.array_equal(cut_middle(pixels, (8, 11)), ours.numpy())
    with pytest.raises(ValueError, match=r"a part of 40 x 40 is not in a picture of \(21, 34\) pixels"):
        cut_middle(pixels, (40, 40))


def photo_files() -> dict[str, bytes]:
    """Photos of every sort that Pillow makes something else of than one would think."""
    colours = pillow.fromarray(np.moveaxis(noise(3, 90, 120), 0, -1))
    grey = pillow.fromarray(noise(1, 90, 120)[0])
    faint = colours.convert("RGBA")
    faint.putalpha(grey)
    deep = pillow.fromarray(noise(1, 30, 40)[0].astype(np.uint16) * 257)
    files = {
        "colours.png": colours,
        "colours.jpg": colours,
        "grey.png": grey,
        "grey.jpg": grey,
        "transparent.png": faint,
        "deep.png": deep,
        "palette.gif": colours.convert("P"),
        "one-bit.png": grey.convert("1"),
        "printed.jpg": colours.convert("CMYK"),
        "web.webp": colours,
    }
    made = {}
    for name, photo in files.items():
        file = io.BytesIO()
        photo.save(file, {"jpg": "JPEG"}.get(name[-3:], name.rpartition(".")[2].upper()))
        made[name] = file.getvalue()
    for turn in range(2, 9):
        exif = pillow.Exif()
        exif[onnx_model.ORIENTATION] = turn
        file = io.BytesIO()
        colours.save(file, "JPEG", exif=exif)
        made[f"turned {turn}.jpg"] = file.getvalue()
    return made


FILES = photo_files()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_photo_opens_as_in_training_to_the_last_bit(name: str, mode: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    kind = KINDS[mode]

    assert np.array_equal(open_photo(path, mode), plain(kind.open(path)).numpy())
    for at_least in ((20, 30), (90, 40)):
        ours = plain(kind.open(path, at_least=at_least)).numpy()

        assert np.array_equal(open_photo(path, mode, at_least), ours)


def test_a_photo_may_be_a_file_a_picture_or_an_array() -> None:
    data = FILES["colours.png"]
    wanted = open_photo(io.BytesIO(data), "RGB")
    photo = pillow.open(io.BytesIO(data))

    for item in (photo, np.asarray(photo), wanted, Image(torch.from_numpy(wanted))):
        assert np.array_equal(open_photo(item, "RGB"), wanted)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("nowhere.jpg", "There is no picture at nowhere.jpg"),
        (io.BytesIO(b"no photo"), "this is not a picture that can be read: cannot identify"),
        (
            io.BytesIO(FILES["colours.jpg"][:900]),
            "this is not a picture that can be read: image file is trunc",
        ),
        (np.zeros((4, 4, 3)), r"is uint8 of shape \(3, height, width\); float64 of shape \(4, 4, 3\) came"),
        (np.zeros((4, 4), np.uint8), r"uint8 of shape \(4, 4\) came"),
        (pillow.new("F", (4, 4)), "does not say which value is white"),
    ],
)
def test_what_is_no_photo_is_said(item: object, said: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        open_photo(item, "RGB")


# The folder -----------------------------------------------------------------------------------------------


def write_folder(folder: Path, **changes: object) -> Path:
    """A folder whose graph gives the mean of each channel of a 4 x 4 photo, then softmax."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    nodes = [
        helper.make_node("Cast", ["items"], ["numbers"], to=1),
        helper.make_node("ReduceMean", ["numbers", "axes"], ["means"], keepdims=0),
        helper.make_node("Softmax", ["means"], ["answers"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "means",
        [value("items", onnx.TensorProto.UINT8, ["count", 3, 4, 4])],
        [value("answers", onnx.TensorProto.FLOAT, ["count", 3])],
        [onnx.numpy_helper.from_array(np.array([2, 3]), "axes")],
    )
    written = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    written = written.SerializeToString()
    about = {
        "format": onnx_model.FORMAT,
        "bits": 32,
        "input": {
            "kind": "photo",
            "shape": [3, 4, 4],
            "dtype": "uint8",
            "mode": "RGB",
            "at_least": None,
            "steps": [{"do": "resize", "with": {"size": [4, 4], "fit": "squeeze"}}],
        },
        "answer": {"kind": "one", "vocab": ["red", "green", "blue"], "threshold": None},
        "sha256": onnx_model.sha256(written).hexdigest(),
    }
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(written)
    (folder / onnx_model.ABOUT).write_text(json.dumps({**about, **changes}))
    (folder / "predict.py").write_text(Path(onnx_model.__file__).read_text())
    return folder


def painted(*colour: int) -> pillow.Image:
    return pillow.new("RGB", (9, 7), colour)


def test_a_folder_answers(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = OnnxModel(write_folder(tmp_path), threads=1)

    assert repr(model.predict(painted(9, 10, 9))) == "green (probability 0.576)"
    answers = model.predict_all([painted(9, 9, 10)] * 3 + [painted(200, 0, 0)] * 2, batch_size=2)
    assert [answer.value for answer in answers] == ["blue"] * 3 + ["red"] * 2


def test_several_names_and_numbers_are_answers_too(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    several = {"kind": "several", "vocab": ["red", "green", "blue"], "threshold": 0.3}
    model = OnnxModel(write_folder(tmp_path, answer=several), threads=1)

    assert model.predict(painted(9, 9, 0)).value == ["red", "green"]
    assert repr(model.predict(painted(9, 9, 0))) == "red (probability 0.500), green (probability 0.500)"

    model = OnnxModel(write_folder(tmp_path, answer={"kind": "numbers", "vocab": []}), threads=1)
    answer = model.predict(painted(0, 0, 200))
    assert answer.probabilities is None
    assert answer.value.tolist() == [0, 0, 1]


NOTHING_ELSE = """
import sys
from importlib.abc import MetaPathFinder

class Refuses(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        allowed = {*sys.stdlib_module_names, "numpy", "PIL", "onnxruntime"}
        if name.split(".")[0] not in allowed:
            raise ImportError(f"{name} is not on this machine")

sys.meta_path.insert(0, Refuses())
sys.argv = sys.argv[1:]
import runpy
runpy.run_path(sys.argv[0], run_name="__main__")
sys.exit("torch" in sys.modules or "coursekit" in sys.modules)
"""


def test_the_command_needs_three_packages_and_nothing_of_ours(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    script = write_folder(tmp_path / "model") / "predict.py"
    painted(9, 10, 9).save(tmp_path / "green.png")
    (tmp_path / "notes.txt").write_text("no photo")
    command = [sys.executable, "-c", NOTHING_ELSE, str(script), "green.png", "notes.txt", "nowhere.png"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == "green.png: green (probability 0.576)\n"
    assert "notes.txt is not a picture that can be read" in answer.stderr
    assert "There is no picture at nowhere.png" in answer.stderr


def test_the_command_says_how_it_is_called_and_what_is_missing(tmp_path: Path) -> None:
    script = tmp_path / "predict.py"
    script.write_text(Path(onnx_model.__file__).read_text())
    bare = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    alone = subprocess.run([sys.executable, str(script), "a.png"], capture_output=True, text=True)

    assert bare.stderr.startswith("which photos? python ")
    assert "holds no model.onnx.json: is it a folder that save_onnx wrote?" in alone.stderr


def test_a_folder_that_is_none_or_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no model.onnx.json"):
        OnnxModel(tmp_path)
    for text in ("", "[]", "{}", '{"format": "coursekit onnx 9"}', "[" * 100_000):
        (tmp_path / onnx_model.ABOUT).write_text(text)
        with pytest.raises(ValueError, match="does not describe a model in the format 'coursekit onnx 1'"):
            OnnxModel(tmp_path)
    write_folder(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"another graph")
    with pytest.raises(ValueError, match=r"model\.onnx is not the file that model"):
        OnnxModel(tmp_path)
    (tmp_path / onnx_model.ABOUT).write_text(" " * (onnx_model.MOST_BYTES + 1))
    with pytest.raises(ValueError, match="is larger than 1 MiB, and no description is"):
        OnnxModel(tmp_path)


def test_a_photo_of_another_size_is_refused_where_nothing_resizes(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    folder = write_folder(tmp_path)
    about = json.loads((folder / onnx_model.ABOUT).read_text())
    about["input"]["steps"] = []
    (folder / onnx_model.ABOUT).write_text(json.dumps(about))

    with pytest.raises(ValueError, match=r"takes \(3, 4, 4\) numbers for an item; \(3, 7, 9\) came"):
        OnnxModel(folder).predict(painted(1, 2, 3))
