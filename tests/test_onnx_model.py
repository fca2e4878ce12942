"""The reader of ONNX models: photos as the library opens them, bit for bit, and nothing else needed."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
        "three high.png": colours.crop((0, 0, 120, 3)),
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


def describe(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Let the file beside the graph say something else."""
    about = json.loads((folder / onnx_model.ABOUT).read_text())
    change(about)
    (folder / onnx_model.ABOUT).write_text(json.dumps(about))


STEP = {"do": "resize", "with": {"size": [4, 4], "fit": "squeeze"}}
NO_DESCRIPTION: dict[str, Callable[[dict[str, Any]], object]] = {
    "no answer": lambda about: about.pop("answer"),
    "an answer that is a list": lambda about: about.update(answer=[]),
    "another kind of answer": lambda about: about["answer"].update(kind="os.system"),
    "names that are none": lambda about: about["answer"].update(vocab=[{}, [], 1]),
    "several, from no threshold on": lambda about: about["answer"].update(kind="several"),
    "an input that is a list": lambda about: about.update(input=["kind", "shape"]),
    "another kind of input": lambda about: about["input"].update(kind=5),
    "no colours": lambda about: about["input"].update(mode="../x"),
    "a step that is a command": lambda about: about["input"].update(steps=[{"do": "os.system", "with": {}}]),
    "a step that is told more": lambda about: about["input"].update(
        steps=[STEP | {"with": {"size": [4, 4], "evil": 1}}]
    ),
    "a photo of 120 gigabytes": lambda about: about["input"].update(
        steps=[{"do": "resize", "with": {"size": [200_000, 200_000], "fit": "pad"}}]
    ),
    "a photo of nothing": lambda about: about["input"].update(at_least=[0, 0]),
    "sizes that are texts": lambda about: about["input"].update(at_least="xy"),
    "numbers that are objects": lambda about: about["input"].update(kind="numbers", dtype="object"),
    "a shape that is a number": lambda about: about["input"].update(shape=3),
}


@pytest.mark.parametrize("how", NO_DESCRIPTION)
def test_a_description_that_save_onnx_never_writes_is_refused(how: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    describe(folder, NO_DESCRIPTION[how])

    with pytest.raises(ValueError, match="does not describe a model in the format 'coursekit onnx 1'"):
        OnnxModel(folder)


def changed(folder: Path, change: Callable[[Any], object]) -> Path:
    """Another graph in a folder, known to what describes it."""
    onnx = pytest.importorskip("onnx")
    graph = onnx.load_from_string((folder / "model.onnx").read_bytes())
    change(graph.graph)
    (folder / "model.onnx").write_bytes(graph.SerializeToString())
    digest = onnx_model.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    describe(folder, lambda about: about.update(sha256=digest))
    return folder


def weights_elsewhere(where: str) -> Callable[[Any], object]:
    """Let a graph take numbers from another file, and give them as its answer."""

    def change(graph: Any) -> None:
        onnx = pytest.importorskip("onnx")
        weight = graph.initializer.add(name="secret", data_type=1, dims=[3], data_location=1)
        for key, value in (("location", where), ("offset", "0"), ("length", "12")):
            weight.external_data.add(key=key, value=value)
        graph.node[2].output[0] = "chances"
        graph.node.append(onnx.helper.make_node("Add", ["chances", "secret"], ["answers"]))

    return change


@pytest.mark.parametrize("where", ["/etc/passwd", "../secret", "secret", "model.onnx", "*/_ORT_MEM_ADDR_/*"])
def test_a_graph_reads_no_other_file(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    folder = changed(write_folder(tmp_path / "model"), weights_elsewhere(where))
    here = tmp_path / "here"
    here.mkdir()
    for place in (tmp_path, here, folder):
        (place / "secret").write_bytes(np.ones(3, np.float32).tobytes())
    monkeypatch.chdir(here)

    with pytest.raises(ValueError, match="onnxruntime cannot read the graph: ") as refused:
        OnnxModel(folder)
    assert "\n" not in str(refused.value)


def test_a_graph_that_is_none_or_another_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")

    def command(graph: Any) -> None:
        graph.node[1].op_type, graph.node[1].domain = "Command", "evil"

    def other_input(graph: Any) -> None:
        graph.input[0].type.tensor_type.elem_type, graph.node[0].attribute[0].i = 1, 1

    with pytest.raises(ValueError, match=r"onnxruntime cannot read the graph: .*Command"):
        OnnxModel(changed(write_folder(tmp_path), command))
    with pytest.raises(ValueError, match=r"the graph cannot compute: .*Unexpected input data type"):
        OnnxModel(changed(write_folder(tmp_path), other_input)).predict(painted(1, 2, 3))
    answer = {"kind": "one", "vocab": ["red", "green"], "threshold": None}
    with pytest.raises(ValueError, match=r"the graph gives \(3,\) numbers for 2 names"):
        OnnxModel(write_folder(tmp_path, answer=answer)).predict(painted(1, 2, 3))


@pytest.mark.parametrize("name", ["model.onnx", onnx_model.ABOUT])
def test_a_link_is_not_followed(name: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model")
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ValueError, match=f"{name} is no ordinary file but a link"):
        OnnxModel(folder)
