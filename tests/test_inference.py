"""A model from a stranger: it is loaded or refused in one sentence, and nothing of it is run."""

from __future__ import annotations

import json
import os
import pickle
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import coursekit as kit
from coursekit.tensor_files import read_file, write_file


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model, as save_model writes it."""
    batches = [(torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 0, 1]))]
    body = kit.make_backbone("small_cnn", pretrained=False)
    model = kit.Network(body, kit.Head(body.channels, 2))
    learner = kit.Learner((batches, None), model, kit.CrossEntropy(), device="cpu")
    return kit.save_model(learner, tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to be spoiled, in the folder where we are."""
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "model"
    copy.mkdir()
    for file in saved.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


class Harm:
    """What a pickle would run when it is loaded."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("harmed",)


def say(folder: Path, **changes: Any) -> None:
    """Let model.json say something else."""
    file = folder / "model.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def weigh(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Other weights, written as they should be, and known to model.json."""
    data = read_file(folder / "model.safetensors", "coursekit weights 1")
    say(folder, weights=write_file(folder / "model.safetensors", change(data), "coursekit weights 1"))


def replace(file: Path, data: bytes) -> None:
    file.write_bytes(data)


def link(file: Path, to: str) -> None:
    file.unlink()
    file.symlink_to(to)


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def recipe_with(folder: Path, step: Any) -> None:
    recipe = json.loads((folder / "model.json").read_text())["recipe"]
    recipe["inputs"]["of"] = [step]
    say(folder, recipe=recipe)


WEIGHTS, ABOUT = "model.safetensors", "model.json"
LINEAR = {"make": "nn.Linear", "with": {"in_features": 65_000, "out_features": 65_000}}  # 17 GB
SYSTEM = {"make": "os.system", "of": ["mkdir harmed"], "with": {}}

HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "weights that are a pickle": (
        lambda f: replace(f / WEIGHTS, pickle.dumps(Harm())), "model.safetensors could not be read"),
    "weights by torch.save": (lambda f: torch.save({"a": Harm()}, f / WEIGHTS), "could not be read"),
    "a pickle in place of JSON": (lambda f: replace(f / ABOUT, pickle.dumps(Harm())), "codec|Expecting"),
    "a header as long as the world": (
        lambda f: replace(f / WEIGHTS, struct.pack("<Q", 2**63 - 1) + b"{}"), "could not be read"),
    "a tensor larger than the file": (
        lambda f: replace(f / WEIGHTS, struct.pack("<Q", 67)
        + b'{"a":{"dtype":"F64","shape":[1099511627776],"data_offsets":[0,9]}}   '), "could not be read"),
    "weights cut off": (lambda f: replace(f / WEIGHTS, (f / WEIGHTS).read_bytes()[:-8]), "could not be read"),
    "a bit that flipped": (
        lambda f: replace(f / WEIGHTS, (f / WEIGHTS).read_bytes()[:-1] + b"\x55"), "it is damaged"),
    "weights of another saving": (
        lambda f: write_file(f / WEIGHTS, {"a": torch.ones(1)}, "coursekit weights 1"),
        "it was not saved together with the file beside it"),
    "weights of another network": (
        lambda f: weigh(f, lambda data: {**data, "head.scores.weight": torch.ones(3, 3)}),
        r"it is of another model: its head\.scores\.weight has shape \(3, 3\)"),
    "weights that are no tensors": (
        lambda f: weigh(f, lambda data: dict.fromkeys(data, "text")), "it is of another model|no attribute"),
    "no weights": (lambda f: (f / WEIGHTS).unlink(), "No such file"),
    "a link to a secret": (lambda f: link(f / WEIGHTS, "/etc/passwd"), "no ordinary file but a link"),
    "JSON that is a link": (lambda f: link(f / ABOUT, "/dev/zero"), "no ordinary file but a link"),
    "a pipe that never ends": (lambda f: pipe(f / WEIGHTS), "no ordinary file but a link, a folder or a"),
    "JSON nested without end": (lambda f: replace(f / ABOUT, b"[" * 10**6), "nested too deep"),
    "JSON with a number without end": (lambda f: replace(f / ABOUT, b"9" * 10**5), "digits"),
    "JSON that is a list": (lambda f: replace(f / ABOUT, b"[1, 2]"), "holds no JSON object"),
    "JSON that is too large": (
        lambda f: os.truncate(f / ABOUT, 2**33), "larger than 64 MiB, which no such file is"),
    "a newer format": (
        lambda f: say(f, format="coursekit model 2"), "it is of version 2, and this library reads version 1"),
    "another format": (lambda f: say(f, format="coursekit onnx 1"), "it does not say that it is one"),
    "no network": (lambda f: replace(f / ABOUT, b'{"format": "coursekit model 1"}'), "it lacks 'weights'"),
    "a network that is a command": (lambda f: say(f, network=SYSTEM), "there is no such network"),
    "a network that is a text": (lambda f: say(f, network="nn.Linear"), "it describes no network"),
    "a class that is not ours": (
        lambda f: say(f, network={"make": "Evil"}), r"it uses Evil, a class that .* types=\[Evil\]"),
    "a network of 17 gigabytes": (lambda f: say(f, network=LINEAR), "it is of another model"),
    "sizes beyond all weights": (
        lambda f: say(f, network={"make": "nn.Linear", "with": {"in_features": 2**60, "out_features": 1}}),
        "which is too large for so few weights"),
    "a network nested without end": (
        lambda f: say(f, network=json.loads('{"make":"nn.Sequential","of":[["0",' * 200 + "1" + "]]}" * 200)),
        "nested more than 60 deep"),
    "a backbone that is a path": (
        lambda f: say(f, network={"backbone": "../../etc/passwd"}), "there is no backbone"),
    "a loss that is a command": (lambda f: say(f, loss=SYSTEM), "there is no such network"),
    "a loss of 17 gigabytes": (lambda f: say(f, loss=LINEAR), "its loss has more numbers than any loss has"),
    "a loss that is a number": (lambda f: say(f, loss=5), "it describes no network"),
    "a step that is a command": (lambda f: recipe_with(f, SYSTEM), "the library has no such type or step"),
    "a step that is a learner": (
        lambda f: recipe_with(f, {"make": "learner.Learner", "with": {}}), "has no such type or step"),
    "a recipe that is none": (lambda f: say(f, recipe=[1]), "does not begin as a recipe does"),
}  # fmt: skip


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_folder_is_one_sentence_and_runs_nothing(how: str, folder: Path) -> None:
    spoil, words = HOSTILE[how]
    spoil(folder)
    before, began = sorted(folder.parent.rglob("*")), time.perf_counter()
    with pytest.raises(ValueError, match=rf"model could not be loaded as a model: .*({words})") as error:
        kit.load_model(folder, device="cpu")

    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 600
    assert sorted(folder.parent.rglob("*")) == before
    assert time.perf_counter() - began < 10


def test_no_folder_and_no_model_are_told(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"there is no model in .*: it holds no model\.json, which save"
    ):
        kit.load_model(tmp_path)


def test_what_was_saved_is_loaded_and_chance_stays_as_it_was(folder: Path) -> None:
    chance = torch.get_rng_state()
    model = kit.load_model(folder, device="cpu")

    assert torch.equal(chance, torch.get_rng_state())
    assert not model.model.training
    assert not model.predict(torch.rand(3, 8, 8)).scores.requires_grad


def test_it_says_what_it_is(folder: Path) -> None:
    model = kit.load_model(folder, device="cpu")
    count = sum(one.numel() for one in model.model.parameters())

    assert repr(model).splitlines()[0] == f"SavedModel: Network on small_cnn, {count:,} parameters, on cpu"
    assert "takes" in repr(model)
    assert "answers" in repr(model)


def test_one_answer_costs_little_more_than_the_model(tmp_path: Path) -> None:
    """The least of many times, taken in turn."""
    batches = [(torch.rand(2, 3, 64, 64), torch.tensor([0, 1]))]
    model = kit.Network(kit.make_backbone("efficientnet_lite0", pretrained=False), kit.Head(1280, 2))
    learner = kit.Learner((batches, None), model, kit.CrossEntropy(), device="cpu")
    loaded, photo = kit.load_model(kit.save_model(learner, tmp_path), device="cpu"), torch.rand(3, 128, 128)

    def bare() -> None:
        with torch.no_grad():
            loaded.model(photo[None])

    def seconds(function: Callable[[], Any]) -> float:
        began = time.perf_counter()
        function()
        return time.perf_counter() - began

    for _ in range(5):  # A busy machine may spoil one comparison.
        times = [(seconds(bare), seconds(lambda: loaded.predict(photo))) for _ in range(20)]
        ratio = min(two for _, two in times) / min(one for one, _ in times)
        if ratio < 1.1:
            break
    assert ratio < 1.1


def test_no_items_are_told(folder: Path) -> None:
    with pytest.raises(ValueError, match="item"):
        kit.load_model(folder, device="cpu").predict_all([], progress=False)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA")
def test_a_gpu_answers_as_the_cpu_does(folder: Path) -> None:
    photo = torch.rand(3, 8, 8)
    here, there = kit.load_model(folder, device="cpu"), kit.load_model(folder, device="cuda")

    assert there.device.type == "cuda"
    torch.testing.assert_close(there.predict(photo).scores, here.predict(photo).scores, atol=1e-3, rtol=1e-3)


def test_a_network_that_answers_with_a_dict_or_takes_names(tmp_path: Path) -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor, more: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.layer(x) + more}

    batches = [({"x": torch.ones(2, 2), "more": torch.ones(2, 2), "labels": torch.tensor([0, 1])},)]
    learner = kit.Learner((batches, None), Named(), kit.CrossEntropy(), device="cpu")
    model = kit.load_model(kit.save_model(learner, tmp_path), types=[Named], device="cpu")

    assert model.predict({"x": torch.ones(2), "more": torch.zeros(2)}).scores.shape == (2,)
