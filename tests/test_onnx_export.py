"""Models as ONNX: written, read in a process without torch, and found to answer as the learner does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from PIL import Image as pillow
from sets import had
from test_onnx_model import NOTHING_ELSE
from torch import nn

from coursekit.augment import Augment
from coursekit.blocks import Block
from coursekit.creating import Create
from coursekit.cropping import CentreCrop, Resize
from coursekit.datablock import DataBlock
from coursekit.learner import Learner
from coursekit.losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from coursekit.onnx_export import save_onnx
from coursekit.onnx_model import ABOUT, OnnxModel
from coursekit.photo_sets import solar_cells
from coursekit.steps import Normalize, ToFloat
from coursekit.tensors import (
    Category,
    GrayImage,
    Image,
    Keypoints,
    Mask,
    MultiCategory,
    Target,
    Volume,
)
from coursekit.transforms import Transform
from coursekit.vision import vision_learner

for package in ("onnx", "onnxscript", "onnxruntime"):
    pytest.importorskip(package)

HELD_OUT = range(8, 16)


def small_network(channels: int, answers: int) -> nn.Module:
    """One that looks at all of a picture, and answers differently to different ones."""
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, stride=2, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2),
        nn.AdaptiveAvgPool2d(3),
        nn.Flatten(),
        nn.Linear(144, answers),
    )


def learner_of(
    photos: Any, kind: type = Image, loss: Any = None, answers: int = 2, targets: Any = Category, **steps: Any
) -> Learner:
    steps = {"item_transforms": [Resize(48)], **steps}
    block = DataBlock(kind, targets, split=(list(range(8)), list(HELD_OUT)), **steps)
    network = small_network(1 if kind is GrayImage else 3, answers)
    return Learner(block.loaders(photos, batch_size=4), network, loss or CrossEntropy(), device="cpu")


@pytest.fixture(scope="module")
def cells() -> pandas.DataFrame:
    table = had(solar_cells)
    return pandas.concat([part.head(8) for _, part in table.groupby("label")]).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def animals() -> list[dict[str, Any]]:
    """Photos of many sizes and shapes, each with some targets."""
    chance = np.random.default_rng(0)
    return [
        {
            "photo": chance.integers(0, 256, (*chance.integers(60, 200, 2).tolist(), 3), dtype=np.uint8),
            "label": "ab"[number % 2],
            "labels": [["a"], ["a", "b"], []][number % 3],
            "weight": float(number),
        }
        for number in range(16)
    ]


@pytest.fixture(scope="module")
def shipped(cells: pandas.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tuple[Learner, Path]:
    learner = learner_of(cells, GrayImage)
    return learner, save_onnx(learner, tmp_path_factory.mktemp("models") / "cells")


def chances(answer: Any) -> list[float]:
    return [*answer.probabilities.values()]


def largest_difference(learner: Learner, model: OnnxModel, photos: Any) -> float:
    answers = model.predict_all(photos, batch_size=3)
    ours = [learner.predict(photo) for photo in photos]
    assert [one.value for one in ours] == [one.value for one in answers]
    return max(
        abs(a - b)
        for one, other in zip(ours, answers, strict=True)
        for a, b in zip(chances(one), chances(other), strict=True)
    )


def test_real_photos_are_answered_as_by_the_learner(
    shipped: tuple[Learner, Path], cells: pandas.DataFrame
) -> None:
    learner, folder = shipped

    assert sorted(file.name for file in folder.iterdir()) == ["model.onnx", ABOUT, "predict.py"]
    assert largest_difference(learner, OnnxModel(folder, threads=1), list(cells["photo"])) < 1e-4
    assert json.loads((folder / ABOUT).read_text())["answer"]["vocab"] == ["broken", "sound"]


def test_another_process_answers_without_torch_and_without_this_library(
    shipped: tuple[Learner, Path], cells: pandas.DataFrame
) -> None:
    learner, folder = shipped
    photos = [str(photo) for photo in cells["photo"].iloc[:3]]
    command = [sys.executable, "-c", NOTHING_ELSE, str(folder / "predict.py"), *photos]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True)

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines() == [f"{photo}: {learner.predict(photo)}" for photo in photos]


def test_a_learner_is_left_as_it_was(cells: pandas.DataFrame, tmp_path: Path) -> None:
    learner = learner_of(cells, GrayImage)
    learner.model.train()
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    chance = torch.random.get_rng_state()
    save_onnx(learner, tmp_path)

    assert learner.model.training
    assert torch.equal(chance, torch.random.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in learner.model.state_dict().items())


def test_half_the_bits_answer_the_same_and_a_quarter_nearly(
    cells: pandas.DataFrame, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Measured on a network whose weights are most of its file."""
    learner = learner_of(cells, GrayImage)
    learner.model = nn.Sequential(nn.Conv2d(1, 64, 7, 4), nn.ReLU(), *[nn.Conv2d(64, 64, 3), nn.ReLU()] * 2)
    learner.model = nn.Sequential(learner.model, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2))
    photos, sizes = list(cells["photo"]), []
    for bits, apart in ((32, 1e-4), (16, 0.003), (8, 0.05)):
        model = OnnxModel(save_onnx(learner, tmp_path, bits=bits), threads=1)
        sizes.append((tmp_path / "model.onnx").stat().st_size)

        assert largest_difference(learner, model, photos) < apart
    assert sizes[1] < 0.6 * sizes[0]
    assert sizes[2] < 0.4 * sizes[0]
    assert capfd.readouterr() == ("", "")


class Darker(Transform):
    """A step of one's own that no graph has."""

    def encode(self, x: Any) -> Any:
        return tuple(part**2 if isinstance(part, Image) else part for part in x)


STEPS = {
    "padded, and floats in the workers": {
        "item_transforms": [Resize((40, 56), "pad"), CentreCrop((40, 48)), ToFloat()],
        "batch_transforms": [],
    },
    "augmented, and scaled": {
        "item_transforms": [Resize(64, "crop")],
        "batch_transforms": [Augment(size=48), Normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.4])],
    },
}


@pytest.mark.parametrize("name", STEPS)
def test_what_is_done_to_photos_goes_along(name: str, animals: list[dict[str, Any]], tmp_path: Path) -> None:
    learner = learner_of(animals, **STEPS[name])
    model = OnnxModel(save_onnx(learner, tmp_path), threads=1)

    assert largest_difference(learner, model, [one["photo"] for one in animals]) < 1e-4


def test_photos_of_four_channels_go_in_as_arrays(tmp_path: Path) -> None:
    bands = np.random.default_rng(0).integers(0, 256, (16, 4, 60, 70), dtype=np.uint8)
    items = [{"photo": torch.from_numpy(one), "label": "ab"[n % 2]} for n, one in enumerate(bands)]
    split = (list(range(8)), list(HELD_OUT))
    data = DataBlock(Image, Category, split=split, item_transforms=[Resize(48)]).loaders(items, batch_size=4)
    learner = Learner(data, small_network(4, 2), CrossEntropy(), device="cpu")
    model = OnnxModel(save_onnx(learner, tmp_path), threads=1)

    for one in bands[:3]:
        ours = chances(learner.predict(torch.from_numpy(one)))
        assert chances(model.predict(one)) == pytest.approx(ours, abs=1e-4)
        assert chances(model.predict(np.moveaxis(one, 0, -1))) == pytest.approx(ours, abs=1e-4)
    with pytest.raises(ValueError, match=r"takes \(4, 48, 48\) numbers for an item; \(3, 48, 48\) came"):
        model.predict(pillow.new("RGB", (60, 70)))


def test_several_labels_and_amounts_are_answers_too(animals: list[dict[str, Any]], tmp_path: Path) -> None:
    several = learner_of(
        animals, loss=BinaryCrossEntropy(threshold=0.48), targets=MultiCategory, target_from="labels"
    )
    model = OnnxModel(save_onnx(several, tmp_path), threads=1)
    assert largest_difference(several, model, [one["photo"] for one in animals]) < 1e-4

    amounts = learner_of(animals, loss=MeanSquaredError(), targets=Target, target_from="weight", answers=1)
    model = OnnxModel(save_onnx(amounts, tmp_path), threads=1)
    photo = animals[0]["photo"]
    assert float(model.predict(photo).value) == pytest.approx(float(amounts.predict(photo).value), abs=1e-4)


@pytest.mark.parametrize(("targets", "resized"), [("masks", [Resize(32)]), ("points", [])])
def test_what_lies_on_a_photo_is_an_answer_too(targets: str, resized: list[Resize], tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    photos = chance.integers(0, 255, (6, 3, 48, 48), dtype=np.uint8)
    masks = Block(item=[Create(Mask, vocab=("dark", "light"))]), photos[:, 0] // 128
    points = Keypoints, chance.uniform(2, 40, (6, 2, 2)).astype(np.float32)
    kind, truth = {"masks": masks, "points": points}[targets]
    block = DataBlock(Image, kind, split=([0, 1, 2, 3], [4, 5]), item_transforms=resized)
    data = block.loaders((photos, truth), batch_size=2)
    learner = vision_learner(data, "small_cnn", pretrained=False, device="cpu")
    answer = OnnxModel(save_onnx(learner, tmp_path)).predict(photos[0])

    said = np.asarray(learner.predict(photos[0]).value)
    assert answer.value.shape == said.shape
    np.testing.assert_allclose(answer.value, said, atol=1e-3)


def test_scans_go_in_as_arrays(tmp_path: Path) -> None:
    scans = [
        {"scan": np.random.default_rng(n).normal(n, 2, (3, 4, 4)).astype("float32"), "label": "ab"[n % 2]}
        for n in range(8)
    ]
    block = DataBlock(Volume, Category, input_from="scan", target_from="label", split=([0, 1, 2, 3], [4, 5]))
    data = block.loaders(scans, batch_size=2)
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    learner = Learner(data, network, CrossEntropy(), device="cpu")
    model = OnnxModel(save_onnx(learner, tmp_path), threads=1)
    wanted = chances(learner.predict(scans[7]["scan"]))

    assert chances(model.predict(data.recipe.inputs.encode(scans[7]["scan"]))) == pytest.approx(
        wanted, abs=1e-5
    )


def test_a_saved_model_is_written_too(cells: pandas.DataFrame, tmp_path: Path) -> None:
    from coursekit.inference import SavedModel

    learner = learner_of(cells, GrayImage)
    saved = SavedModel(learner.model, learner.data.recipe, learner.loss_function, "cpu")
    photos = list(cells["photo"])

    with pytest.raises(ValueError, match="a saved model has none: give some photos like those to come"):
        save_onnx(saved, tmp_path, bits=8)
    save_onnx(saved, tmp_path, bits=8, calibration=photos)
    assert json.loads((tmp_path / ABOUT).read_text())["bits"] == 8
    model, photo = OnnxModel(tmp_path, threads=1), photos[0]
    assert chances(model.predict(photo)) == pytest.approx(chances(saved.predict(photo)), abs=0.05)


def test_photos_that_nothing_resizes_have_the_size_of_the_example(
    animals: list[dict[str, Any]], tmp_path: Path
) -> None:
    from coursekit.inference import SavedModel

    alike = [{**one, "photo": one["photo"][:60, :60]} for one in animals]
    learner = learner_of(alike, item_transforms=[])
    model = OnnxModel(save_onnx(learner, tmp_path), threads=1)
    assert largest_difference(learner, model, [one["photo"] for one in alike]) < 1e-4

    saved = SavedModel(learner.model, learner.data.recipe, learner.loss_function, "cpu")
    with pytest.raises(ValueError, match="nothing says how large the items are: give save_onnx one of them"):
        save_onnx(saved, tmp_path)
    save_onnx(saved, tmp_path, example=alike[0]["photo"])
    assert json.loads((tmp_path / ABOUT).read_text())["input"]["shape"] == [3, 60, 60]


def test_what_cannot_be_written_is_said(animals: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="writes weights of 32, 16 or 8 bits; bits=4 was asked for"):
        save_onnx(learner_of(animals), tmp_path, bits=4)
    with pytest.raises(TypeError, match="the data of this model do not say: make them with DataBlock"):
        save_onnx(SimpleNamespace(data=([], [])), tmp_path)
    with pytest.raises(TypeError, match=r"Darker\(\) has no form outside Python: .* Do it in the network"):
        save_onnx(learner_of(animals, batch_transforms=[ToFloat(), Darker()]), tmp_path)
    with pytest.raises(TypeError, match=r"Darker\(\) comes before a step that changes the size"):
        save_onnx(learner_of(animals, item_transforms=[Darker(), Resize(48)]), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named(
    shipped: tuple[Learner, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("coursekit.onnx_export.find_spec", lambda name: None if name == "onnxscript" else 1)

    with pytest.raises(
        ImportError, match=r"save_onnx needs onnxscript: pip install 'coursekit-topdown\[expo"
    ):
        save_onnx(shipped[0], tmp_path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU (cuda)")
def test_a_model_on_a_gpu_stays_there(cells: pandas.DataFrame, tmp_path: Path) -> None:
    learner = learner_of(cells, GrayImage)
    learner.model.cuda()
    save_onnx(learner, tmp_path)

    assert next(learner.model.parameters()).device.type == "cuda"
