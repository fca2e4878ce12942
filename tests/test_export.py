"""A model is saved as a folder that another process, or another machine, loads and asks: the same answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image as Pillow
from torch import nn

import coursekit as kit

KINDS: dict[str, tuple[Any, list[Any]]] = {
    "category": (kit.Category, list("abcabcab")),
    "multi-category": (kit.MultiCategory, ["a;b", "a", "b", "c", "a;c", "", "b", "a"]),
    "key points": (kit.Keypoints, [torch.rand(3, 2) * 20 for _ in range(8)]),
    "mask": (
        kit.Block(item=[kit.Create(kit.Mask, vocab=("sky", "tree"))]),
        [torch.arange(24 * 30).reshape(24, 30) % 2 for _ in range(8)],
    ),
    "number": (kit.Target, [1.5, 2, 3, 4, 5, 6, 7, 8]),
}


class Darker(kit.Transform):
    """A step of one's own."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def encode(self, x: Any) -> Any:
        return x * self.factor if isinstance(x, kit.Image) and x.is_floating_point() else x


class Mine(nn.Module):
    """A network of one's own."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)
        )

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        return self.layers(photos)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, chance = tmp_path_factory.mktemp("photos"), numpy.random.default_rng(0)
    for number in range(8):
        noise = chance.integers(0, 255, (24, 30, 3), dtype=numpy.uint8)
        Pillow.fromarray(noise).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


def trained(photos: list[Path], kind: str, **changes: Any) -> kit.Learner:
    """A learner of this kind of target, after one epoch."""
    targets, values = KINDS[kind]
    steps = {"item_transforms": [kit.Resize(32), kit.RandomFlip()], "batch_transforms": [kit.Normalize()]}
    split, own = (
        ([0, 1, 2, 3, 4, 5], [6, 7]),
        {name: changes.pop(name) for name in list(changes) if name in steps},
    )
    block = kit.DataBlock(
        kit.Image, targets, input_from="photo", target_from="is", split=split, **(steps | own)
    )
    rows = [{"photo": photo, "is": value} for photo, value in zip(photos, values, strict=True)]
    data = block.loaders(rows, batch_size=3)
    quiet = {"callbacks": [kit.Progress("off")], "device": "cpu"}
    if "model" in changes:
        learner = kit.Learner(data, changes["model"], kit.CrossEntropy(), **quiet)
    else:
        learner = kit.vision_learner(data, "small_cnn", pretrained=False, **quiet)
    learner.fit(1, 1e-3)
    return learner


def same(one: Any, two: Any) -> bool:
    """Whether two predictions are the same, to the bit."""
    values = [one.value, two.value]
    if isinstance(one.value, torch.Tensor):
        values = [kit.plain(value).tolist() for value in values]
    alike = type(one.value) is type(two.value) and values[0] == values[1]
    return alike and torch.equal(one.scores, two.scores) and one.probabilities == two.probabilities


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_answers_as_the_learner_does(kind: str, photos: list[Path], tmp_path: Path) -> None:
    learner = trained(photos, kind)
    folder = kit.save_model(learner, tmp_path / "model")
    model = kit.load_model(folder, device="cpu")
    answers = model.predict_all(photos, batch_size=3, progress=False)

    assert sorted(os.listdir(folder)) == ["model.json", "model.safetensors"]
    assert all(same(model.predict(photo), learner.predict(photo)) for photo in photos)
    for answer, photo in zip(answers, photos, strict=True):
        torch.testing.assert_close(answer.scores, model.predict(photo).scores)
        assert type(answer.value) is type(model.predict(photo).value)


# What an inference machine has, with what these need themselves.
INSTALLED = {"torch", "numpy", "PIL", "safetensors", "tqdm"}
NEEDED = {"typing_extensions.py", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "fsspec", "filelock"}
LIBRARIES = {"nvidia", "triton", "torchgen", "functorch", "numpy.libs", "pillow.libs"}

ALONE = """
import json, sys
import coursekit as kit

model = kit.load_model(sys.argv[1], device="cpu")
answers = [model.predict(photo) for photo in sys.argv[2:]]
answers += model.predict_all(sys.argv[2:], batch_size=2, progress=False)
print(json.dumps([[str(one.value), one.scores.tolist()] for one in answers]))
print(repr(model))
"""


@pytest.mark.parametrize("kind", ["mask"])
def test_another_process_with_next_to_nothing_installed_answers_the_same(
    kind: str, photos: list[Path], tmp_path: Path
) -> None:
    """From a copy of the package alone, as a wheel lays it out, and a folder that was moved."""
    learner = trained(photos, kind)
    kit.save_model(learner, tmp_path / "model").rename(tmp_path / "moved")
    site, installed = tmp_path / "site", Path(torch.__file__).parents[1]
    shutil.copytree(
        Path(kit.__file__).parent, site / "coursekit", ignore=shutil.ignore_patterns("__pycache__")
    )
    for part in installed.iterdir():
        if part.name in INSTALLED | NEEDED | LIBRARIES:
            (site / part.name).symlink_to(part)
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = [sys.executable, "-S", "-c", ALONE, tmp_path / "moved", *photos[:2]]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=site)
    assert done.returncode == 0, done.stderr
    answers, described = done.stdout.split("\n", 1)

    expected = [learner.predict(photo) for photo in photos[:2]]
    found = json.loads(answers)
    assert found[:2] == [[str(one.value), one.scores.tolist()] for one in expected]
    assert [value for value, _ in found[2:]] == [str(one.value) for one in expected]
    assert described.startswith("SavedModel: ")


def test_a_folder_names_no_place_and_no_machine(photos: list[Path], tmp_path: Path) -> None:
    folder = kit.save_model(trained(photos, "category"), tmp_path / "model")
    said = (folder / "model.json").read_text()
    for word in (str(tmp_path), str(photos[0].parent), socket.gethostname(), os.getcwd(), "/"):
        assert not re.search(rf"\b{re.escape(word)}\b", said)
    assert str(tmp_path).encode() not in (folder / "model.safetensors").read_bytes()


def test_saving_again_writes_the_same_files(photos: list[Path], tmp_path: Path) -> None:
    learner = trained(photos, "category")
    one, two = kit.save_model(learner, tmp_path / "one"), kit.save_model(learner, tmp_path / "two")
    kit.save_model(learner, two)

    for name in ("model.json", "model.safetensors"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_own_networks_and_steps_are_handed_over(photos: list[Path], tmp_path: Path) -> None:
    learner = trained(photos, "category", model=Mine(3), batch_transforms=[Darker(0.5)])
    kit.save_model(learner, tmp_path)
    model = kit.load_model(tmp_path, types=[Mine, Darker], device="cpu")

    assert same(model.predict(photos[0]), learner.predict(photos[0]))
    with pytest.raises(ValueError, match=r"it uses Mine, a class that .* types=\[Mine\]\.$"):
        kit.load_model(tmp_path, types=[Darker], device="cpu")
    with pytest.raises(ValueError, match=r"it uses Darker, a class that .* types=\[Darker\]\.$"):
        kit.load_model(tmp_path, types=[Mine], device="cpu")


def test_a_pretrained_backbone_scales_photos_as_it_was_taught(photos: list[Path], tmp_path: Path) -> None:
    targets = [{"photo": photo, "is": "ab"[place % 2]} for place, photo in enumerate(photos)]
    block = kit.DataBlock(
        kit.Image, kit.Category, input_from="photo", target_from="is", split=([0, 1], [2, 3])
    )
    data = block.loaders(targets, batch_size=2)
    learner = kit.vision_learner(data, callbacks=[kit.Progress("off")], device="cpu")
    model = kit.load_model(kit.save_model(learner, tmp_path), device="cpu")

    assert same(model.predict(photos[3]), learner.predict(photos[3]))
    assert model.model.body.keeps_statistics


def test_halves_and_tied_weights_stay_what_they_are(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(30, 30, bias=False), nn.Linear(30, 30, bias=False)
            self.two.weight = self.one.weight

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.two(self.one(x))

    model = Tied().to(torch.bfloat16)
    batches = [(torch.ones(2, 30, dtype=torch.bfloat16), torch.tensor([0, 1]))]
    kit.save_model(kit.Learner((batches, None), model, kit.CrossEntropy(), device="cpu"), tmp_path)
    loaded = kit.load_model(tmp_path, types=[Tied], device="cpu").model

    assert loaded.one.weight.dtype is torch.bfloat16
    assert loaded.two.weight is loaded.one.weight
    assert (tmp_path / "model.safetensors").stat().st_size < 3_000


def test_data_without_a_recipe_give_a_model_that_takes_tensors(tmp_path: Path) -> None:
    batches = [(torch.ones(2, 3), torch.tensor([0, 1]))]
    learner = kit.Learner((batches, None), nn.Linear(3, 2), nn.CrossEntropyLoss(), device="cpu")
    model = kit.load_model(kit.save_model(learner, tmp_path), device="cpu")

    with torch.no_grad():
        assert torch.equal(model.predict(torch.ones(3)).scores, learner.model(torch.ones(1, 3))[0])


def test_a_network_that_is_no_data_writes_nothing(photos: list[Path], tmp_path: Path) -> None:
    learner = trained(photos, "category", model=Mine(3))
    learner.model.layers.append(nn.Linear(3, 3))

    with pytest.raises(TypeError, match="Mine was changed after it was made, at layers"):
        kit.save_model(learner, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_loss_of_ones_own_reads_the_scores_of_the_saved_model(tmp_path: Path) -> None:
    class Bearing:
        """Directions as the angle of two numbers."""

        def decode(self, scores):
            return torch.rad2deg(torch.atan2(scores[:, 1], scores[:, 0]))

    class BearingLoss(Bearing, nn.Module):
        def forward(self, scores, targets):
            return (self.decode(scores) - targets).square().mean()

    data = ([(torch.ones(2, 3), torch.ones(2))], None)
    learner = kit.Learner(data, nn.Linear(3, 2), BearingLoss(), device="cpu")
    (said,) = learner.predict_all([torch.ones(1, 3)])
    saved = kit.load_model(kit.save_model(learner, tmp_path), types=[BearingLoss], device="cpu")
    assert saved.predict(torch.ones(3)).value == said.value
    with pytest.raises(ValueError, match=r"uses BearingLoss.*types=\[BearingLoss\]"):
        kit.load_model(tmp_path)

    learner.loss_function = Bearing()
    with pytest.raises(TypeError, match=r"Bearing says how scores are read.*class Bearing\(nn.Module\)"):
        kit.save_model(learner, tmp_path)


def test_a_loss_that_is_a_function_is_left_out(photos: list[Path], tmp_path: Path) -> None:
    """Then nobody knows what scores mean, neither here nor there."""
    learner = trained(photos, "category", model=Mine(3))
    learner.loss_function = torch.nn.functional.cross_entropy
    model = kit.load_model(kit.save_model(learner, tmp_path), types=[Mine], device="cpu")

    assert torch.equal(model.predict(photos[0]).value, learner.predict(photos[0]).value)
    assert model.vocab == ("a", "b", "c")


def test_a_kit_loads_what_another_saved(
    photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are those of modules within the library, whatever the library is called."""
    learner = trained(photos, "category")
    folder = kit.save_model(learner, tmp_path / "model")

    assert "coursekit." not in (folder / "model.json").read_text()
    site = tmp_path / "site"
    shutil.copytree(
        Path(kit.__file__).parent, site / "otherkit", ignore=shutil.ignore_patterns("__pycache__")
    )
    program = (
        "import sys, json, otherkit as kit\n"
        "answer = kit.load_model(sys.argv[1], device='cpu').predict(sys.argv[2])\n"
        "print(type(answer).__module__, json.dumps(answer.scores.tolist()))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(
        [sys.executable, "-c", program, folder, photos[0]], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    module, scores = done.stdout.split(" ", 1)

    assert module == "otherkit.predictions"
    assert json.loads(scores) == learner.predict(photos[0]).scores.tolist()
