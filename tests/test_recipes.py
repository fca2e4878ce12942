"""What inference needs is stored as data: the same inputs come out elsewhere, and a file can do no harm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image as Pillow

import coursekit as kit
from coursekit.transforms import Pipeline


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(8):
        folder = tmp_path / "photos" / ("ripe", "raw")[number % 2]
        folder.mkdir(exist_ok=True, parents=True)
        noise = numpy.random.default_rng(number).integers(0, 255, (20, 30 + number, 3), dtype=numpy.uint8)
        Pillow.fromarray(noise).save(folder / f"{number}.png")
    return tmp_path / "photos"


def made(photos: Path, **changes: Any) -> kit.Loaders:
    steps = {"item_transforms": [kit.Resize(16), kit.RandomFlip()], "batch_transforms": [kit.Normalize()]}
    settings = {"inputs": kit.Image, "targets": kit.Category, "split": kit.StratifiedSplit(valid=0.25)}
    return kit.DataBlock(**{**settings, **steps, **changes}).loaders(photos)


class Louder(kit.Transform):
    """A step of one's own."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def encode(self, x: Any) -> Any:
        return x * self.factor if isinstance(x, kit.Image) else x


class Peak(kit.Transform):
    """A step that learns what its constructor is not told."""

    def setup(self, items: Any) -> None:
        self.peak = max(float(x.max()) for x, _ in items)


class Forgetful(kit.Transform):
    """A step that does not keep what it is told."""

    def __init__(self, factor: float) -> None:
        self._squared = factor**2


def test_the_same_inputs_come_out_in_another_process(photos: Path, tmp_path: Path) -> None:
    data, file, photo = made(photos), tmp_path / "recipe.json", next(photos.rglob("*.png"))
    data.recipe.save(file)
    code = (
        "import sys, torch, coursekit as kit\n"
        "recipe = kit.Recipe.load(sys.argv[1])\n"
        "torch.save((recipe.encode(sys.argv[2]), recipe.vocab), sys.argv[3])\n"
    )
    subprocess.run([sys.executable, "-c", code, file, photo, tmp_path / "made.pt"], check=True)
    encoded, vocab = torch.load(tmp_path / "made.pt")

    assert vocab == data.vocab == ("raw", "ripe")
    assert type(encoded) is kit.Image
    assert torch.equal(kit.plain(encoded), kit.plain(data.encode_item(photo)))
    assert not list(tmp_path.glob("*.unfinished"))


def test_every_usual_block_and_what_it_learned_comes_back(tmp_path: Path) -> None:
    rows = [
        {
            "photo": torch.full((3, 8, 8), n, dtype=torch.uint8),
            "age": n,
            "job": "ab"[n % 2],
            "said": "so it is",
        }
        | {"boxes": ([[0, 0, 2, 2]], ["cat"]), "tags": "x;y", "price": 2.5 * n}
        for n in range(6)
    ]
    block = kit.DataBlock(
        inputs={"photo": kit.Image, "row": kit.Row, "said": kit.Tokenize(least=1)},
        input_from={"photo": "photo", "row": ["age", "job"], "said": "said"},
        targets=(kit.Boxes, kit.MultiCategory, kit.Target),
        target_from=("boxes", "tags", "price"),
        split=([0, 1, 2, 3], [4, 5]),
    )
    recipe = block.loaders(rows).recipe
    recipe.save(tmp_path / "recipe.json")
    loaded = kit.Recipe.load(tmp_path / "recipe.json")
    raw = {"photo": rows[4]["photo"], "row": {"age": 9, "job": "c"}, "said": "so be it"}
    first, second = recipe.encode(raw), loaded.encode(raw)

    assert repr(loaded.inputs) == repr(recipe.inputs)
    assert repr(loaded.targets) == repr(recipe.targets)
    assert loaded.input_from == recipe.input_from
    for name in raw:
        assert type(second[name]) is type(first[name])
        assert torch.equal(kit.plain(second[name]), kit.plain(first[name]))


def test_a_step_of_ones_own_is_handed_to_load(photos: Path, tmp_path: Path) -> None:
    data, file, photo = (
        made(photos, batch_transforms=[Louder(2.0)]),
        tmp_path / "r.json",
        next(photos.rglob("*.png")),
    )
    data.recipe.save(file)

    with pytest.raises(ValueError, match=r"r\.json could not.*uses Louder.*types=\[Louder\]"):
        kit.Recipe.load(file)
    loaded = kit.Recipe.load(file, types=[Louder])
    assert torch.equal(kit.plain(loaded.encode(photo)), kit.plain(data.encode_item(photo)))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (kit.Create(lambda x: x), "<lambda> is a function, which is code. Make a step of it"),
        (Peak(), "Peak has learned 'peak', which a file would lose.*Let its constructor take peak="),
        (Forgetful(2.0), "Forgetful is told 'factor' and keeps nothing of that name.*self.factor = factor"),
        (Louder(torch.ones(2)), "a Tensor of shape .* is none of them"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_data_is_refused_with_what_to_do(tmp_path: Path, step: Any, words: str) -> None:
    if isinstance(step, Peak):
        step.peak = 3.0
    with pytest.raises(TypeError, match=words):
        kit.Recipe(Pipeline(step), None, Pipeline()).save(tmp_path / "r.json")
    assert not (tmp_path / "r.json").exists()


def test_a_function_that_takes_inputs_is_left_out(photos: Path, tmp_path: Path) -> None:
    data = made(photos, input_from=lambda record: record["file"])
    data.recipe.save(tmp_path / "r.json")
    loaded = kit.Recipe.load(tmp_path / "r.json")

    assert loaded.input_from is None
    assert len(next(iter(loaded.loader(photos)))[0]) == 8


def step(name: str, **settings: Any) -> dict[str, Any]:
    return {"make": name, "with": settings}


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (step("os.system", command="touch owned"), "names 'os.system', and the library has no such"),
        (step("subprocess.Popen", args="touch owned"), "has no such"),
        (step("saving.Path", rest="x"), "has no such"),
        (step("finding.os"), "has no such"),
        (step("learner.Learner"), "has no such"),
        (step("grader.process.Popen"), "has no such"),
        (step("__main__.Louder"), "has no such"),
        ({"type": "builtins.eval"}, "has no such"),
        (step("steps.Resize", nothing=3), "Resize could not be made"),
        (step("transforms.Pipeline") | {"of": nested(60)}, "nested more than 40 deep"),
        ({"pickle": "gASV"}, "holds a 'pickle', which no recipe has"),
        ({"make": "steps.Resize", "with": {}, "run": "x"}, "which no recipe has"),
        ([], "its inputs are no pipeline"),
        (None, "its inputs are no pipeline"),
    ],
)
def test_a_hostile_file_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: Any, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    data = {
        "format": "coursekit recipe 1",
        "inputs": inputs,
        "targets": None,
        "batch": None,
        "input_from": None,
    }
    Path("bad.json").write_text(json.dumps(data))

    with pytest.raises(ValueError, match=f"bad.json could not be read as a recipe: .*{words}"):
        kit.Recipe.load("bad.json")
    assert not Path("owned").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, "\x00\x01", '{"format": 3}'])
def test_what_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "no.json").write_text(text)

    with pytest.raises(ValueError, match=r"no\.json could not be read as a recipe"):
        kit.Recipe.load(tmp_path / "no.json")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coursekit.recipes.MOST_BYTES", 10)
    (tmp_path / "large.json").write_text(" " * 11)

    with pytest.raises(ValueError, match="larger than"):
        kit.Recipe.load(tmp_path / "large.json")


def test_new_items_come_without_targets_and_under_other_names(photos: Path) -> None:
    data = made(photos)
    for source in (photos, sorted(photos.rglob("*.png")), {"photo": sorted(photos.rglob("*.png"))}):
        batch = next(iter(data.new(source)))

        assert [len(part) for part in batch] == [8]
        assert batch[0].dtype == torch.float32
    assert [len(item) for item in data.decode_batch(batch)] == [1] * 8


def test_names_and_their_order_survive_json(tmp_path: Path) -> None:
    names = ("b", "a", 3, True, "caf\udce9", "ü")
    kit.Recipe(Pipeline(), Pipeline(kit.Categorize(names)), Pipeline()).save(tmp_path / "r.json")

    assert kit.Recipe.load(tmp_path / "r.json").vocab == names


def test_a_learner_can_tell_a_photo_by_a_recipe_alone(photos: Path, tmp_path: Path) -> None:
    """What `predict` asks of its data, a recipe's own two methods give: encode, and names."""
    torch.manual_seed(0)
    data = made(photos)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 2))
    learner = kit.Learner(data, model, kit.CrossEntropy(), device="cpu")
    data.recipe.save(tmp_path / "r.json")
    recipe, photo = kit.Recipe.load(tmp_path / "r.json"), next(photos.rglob("*.png"))

    with torch.no_grad():
        scores = model(kit.plain(recipe.encode(photo)))
    assert recipe.vocab[int(scores.argmax())] == learner.predict(photo).label


def test_a_file_outlives_a_class_that_moves(tmp_path: Path) -> None:
    data = {"format": "coursekit recipe 1", "input_from": None, "targets": None}
    data |= {
        "inputs": {
            "make": "transforms.Pipeline",
            "of": [step("formerly.Categorize", vocab=["a"])],
            "with": {},
        }
    }
    data |= {"batch": {"make": "transforms.Pipeline", "with": {}}}
    (tmp_path / "r.json").write_text(json.dumps(data))

    assert int(kit.Recipe.load(tmp_path / "r.json").inputs.encode("a")) == 0


def test_the_names_of_a_masks_classes_are_the_vocab_and_come_back_with_answers():
    named = kit.Recipe(Pipeline(), Pipeline(kit.Create(kit.Mask, vocab=("sky", "tree"))), Pipeline())

    assert named.vocab == ("sky", "tree")
    (answer,) = named.decode_answers(torch.tensor([[[0, 1]]]))
    assert (type(answer), answer.vocab) == (kit.Mask, ("sky", "tree"))
