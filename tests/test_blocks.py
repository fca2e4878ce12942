"""The usual block of every kind, alone and side by side, from what items hold to batches and back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import numpy
import pandas
import pytest
import torch
from PIL import Image as Pillow
from torch import nn

import coursekit as kit
from coursekit.batches import collate
from coursekit.blocks import Parts, Sampled, is_tabular
from coursekit.creating import Create
from coursekit.finding import Chosen, cells_of, find_items
from coursekit.steps import Categorize, Normalize
from coursekit.tensors import plain
from coursekit.transforms import Pipeline
from coursekit.vocabularies import Tabulate

TEXTS = ["the cat is ill", "the dog is well", "the cat is well", "the dog is ill"]


def loaded(inputs: Any, values: list[Any], **changes: Any) -> kit.Loaders:
    """Loaders of items with these inputs, the first three to learn from."""
    items = [{"input": value, "label": "ab"[number % 2]} for number, value in enumerate(values)]
    split = (range(3), range(3, len(values)))
    settings = {"inputs": inputs, "targets": kit.Category, "split": split}
    return kit.DataBlock(**{**settings, **changes}).loaders(items, batch_size=3)


KINDS = {
    "a GrayImage": (
        kit.GrayImage,
        [numpy.full((6, 8), n, dtype=numpy.uint8) for n in range(4)],
        (3, 1, 6, 8),
    ),
    "a DicomImage": (
        kit.DicomImage,
        [torch.full((1, 6, 8), n, dtype=torch.int16) for n in range(4)],
        (3, 1, 6, 8),
    ),
    "a Volume": (
        kit.Volume,
        [torch.full((4, 6, 8), n, dtype=torch.int16) for n in range(4)],
        (3, 1, 4, 6, 8),
    ),
    "a VolumeMask": (
        kit.VolumeMask,
        [torch.zeros(4, 6, 8, dtype=torch.uint8)] * 3 + [torch.ones(4, 6, 8).long()],
        None,
    ),
    "a Mask": (kit.Mask, [[[n, 0], [1, 2]] for n in range(4)], (3, 2, 2)),
    "Boxes": (kit.Boxes, [[[0, 0, n + 1, 2]] * (n + 1) for n in range(4)], (3, 3, 4)),
    "Keypoints": (kit.Keypoints, [[[n, 1], [2, 3]] for n in range(4)], (3, 2, 2)),
    "a PointCloud": (kit.PointCloud, [torch.rand(n + 2, 3) for n in range(4)], (3, 4, 3)),
    "a Category": (kit.Category, ["x", "y", "x", "y"], (3,)),
    "a MultiCategory": (kit.MultiCategory, ["x;y", "y", "", "x"], (3, 2)),
    "a Target": (kit.Target, [1, 2.5, 3, 4], (3,)),
    "a Text": (kit.Text, ["a", "bcd", "ef", "g"], (3, 3)),
    "a Row": (kit.Row, [{"age": n, "job": "ab"[n % 2]} for n in range(4)], (3, 2)),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_a_usual_block(name: str) -> None:
    kind, values, shape = KINDS[name]
    if name == "a VolumeMask":
        values = [torch.full((4, 6, 8), n, dtype=torch.uint8) for n in range(4)]
    data = loaded(kind, values)
    inputs, _ = data.one_batch()

    assert type(inputs) is kind
    assert shape is None or inputs.shape == shape
    if name in ("a GrayImage", "a DicomImage", "a Volume"):
        assert inputs.dtype == torch.float32
    assert len(data.decode_batch(data.one_batch())) == 3
    assert len(next(iter(data.valid))[0]) == 1
    assert len(next(iter(data.new([{"input": values[3]}])))[0]) == 1


def test_paths_are_opened_with_the_open_of_their_type(tmp_path: Path) -> None:
    Pillow.fromarray(numpy.zeros((4, 6, 3), dtype=numpy.uint8)).save(tmp_path / "photo.png")
    numpy.save(tmp_path / "cloud.npy", numpy.zeros((5, 3), dtype=numpy.float32))
    (tmp_path / "note.txt").write_text("größer", encoding="utf-8")

    assert kit.Create(kit.Image).encode(str(tmp_path / "photo.png")).shape == (3, 4, 6)
    assert kit.Create(kit.PointCloud).encode(tmp_path / "cloud.npy").shape == (5, 3)
    assert str(kit.Create(kit.Text).encode(tmp_path / "note.txt")) == "größer"
    assert str(kit.Create(kit.Text).encode("note.txt")) == "note.txt"


def test_several_inputs_reach_a_model_by_place_and_by_name() -> None:
    class ByPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scores = nn.Linear(3 * 4 + 2, 2)

        def forward(self, photo: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
            return self.scores(torch.cat([photo.flatten(1), row], dim=1))

    rows = [
        {
            "photo": torch.full((3, 2, 2), n, dtype=torch.uint8),
            "age": n,
            "job": "xy"[n % 2],
            "label": "ab"[n % 2],
        }
        for n in range(6)
    ]
    columns = ["age", "job"]
    for inputs, places in (
        ((kit.Image, kit.Row), ("photo", columns)),
        ({"photo": kit.Image, "row": kit.Row}, {"photo": "photo", "row": columns}),
    ):
        data = kit.DataBlock(inputs, kit.Category, ([0, 1, 2, 3], [4, 5]), places).loaders(rows, batch_size=2)
        learner = kit.Learner(
            data, ByPlace(), kit.CrossEntropy(), device="cpu", callbacks=[kit.Progress("off")]
        )
        learner.fit(1, rate=0.01)
        raw = ("photo", {"age": 3, "job": "x"})
        asked = (
            (rows[0]["photo"], raw[1])
            if isinstance(inputs, tuple)
            else {"photo": rows[0]["photo"], "row": raw[1]}
        )

        assert learner.predict(asked).label in ("a", "b")
        assert len(learner.predictions(data.new(rows))[0]) == 6


def test_several_targets_come_back_as_people_say_them() -> None:
    rows = [{"input": n, "kind": "ab"[n % 2], "weight": n * 2.0} for n in range(4)]
    block = kit.DataBlock(kit.Target, {"kind": kit.Category, "weight": kit.Target}, split=([0, 1, 2], [3]))
    data = block.loaders(rows)
    (_, targets), *_ = data.decode_batch(next(iter(data.valid)))

    assert targets["kind"] == "b"
    assert float(targets["weight"]) == 6


def test_without_targets_a_batch_has_inputs_alone() -> None:
    data = kit.DataBlock(kit.Target, None, split=([0, 1], [2])).loaders([1, 2, 3])

    assert [len(part) for part in data.one_batch()] == [2]
    assert data.vocab == ()
    assert [len(item) for item in data.decode_batch(data.one_batch())] == [1, 1]


def test_what_is_done_to_batches_is_done_once() -> None:
    block = kit.Block.of((kit.Image, kit.GrayImage, kit.Category))

    assert [repr(step) for step in block.batch] == ["ToFloat()"]


@pytest.mark.parametrize("kind", ["photo", 3, (), kit.Resize])
def test_what_is_no_kind_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"inputs and targets are types|is a kind of step; give a step"):
        kit.Block.of(kind)


@pytest.mark.parametrize("kind", [torch.Tensor, numpy.ndarray])
def test_plain_numbers_are_asked_what_they_are(kind: type) -> None:
    with pytest.raises(TypeError, match=r"does not say what its numbers are.* or TypedTensor"):
        kit.Block.of(kind)


def test_parts_are_drawn_apart_and_rest_together() -> None:
    always = kit.RandomFlip(chance=1)
    parts = Parts((Pipeline(always), Pipeline()))
    photo = kit.Image(torch.arange(6.0).reshape(1, 2, 3))

    assert parts.random
    assert not parts.calm().random
    assert not torch.equal(parts.encode((photo, photo))[0], photo)
    assert torch.equal(parts.calm().encode((photo, photo))[0], photo)


def test_an_error_names_the_part() -> None:
    with pytest.raises(ValueError, match="not one of") as caught:
        Parts((Pipeline(), Pipeline(kit.Categorize(["a"])))).encode((1, "b"))

    assert "while element 1 of 2 was to be encoded" in caught.value.__notes__


def test_a_sample_without_target_is_a_tuple_of_one() -> None:
    assert Sampled(None, None, Pipeline()).encode("x") == ("x",)


class TestRowsAtOnce:
    """The rows of a table are encoded together, and come out as they do one by one."""

    FRAME = pandas.DataFrame(
        {
            "age": [39, 50, 41, 28],
            "pay": [1.5, None, 2.5, 0.1],
            "job": ["nurse", None, "baker", "nurse"],
            "sold": pandas.array([1, None, 3, 2**40], dtype="Int64"),
            "kept": [True, False, True, True],
            "ward": pandas.Categorical([7, 8, 7, None]),
            "label": ["sick", "well", "well", "sick"],
            "weight": [31.25, 80.0, 40.1, 31.25],
        }
    )
    COLUMNS: ClassVar = ["age", "pay", "job", "sold", "kept", "ward"]

    def sampled(self, targets: Pipeline | None, target_from: str | None) -> Sampled:
        made = Sampled(self.COLUMNS, target_from, Pipeline(Tabulate(["ward"]), Normalize()), targets)
        made.setup(find_items(self.FRAME))
        return made

    @pytest.mark.parametrize(
        ("targets", "target_from"),
        [
            (Pipeline(Categorize()), "label"),
            (Pipeline(Create(kit.Target, unit="kg")), "weight"),
            (None, None),
        ],
    )
    def test_they_are_what_they_are_one_by_one(self, targets, target_from):
        sampled, items = self.sampled(targets, target_from), find_items(self.FRAME)
        numbers = [3, 0, 0, 2, 1]

        together = sampled.encode_rows(
            cells_of(Chosen(items, [1, 0, 3, 2]), [[1, 0, 3, 2][n] for n in numbers])
        )

        for one, other in zip(together, collate([sampled.encode(items[n]) for n in numbers]), strict=True):
            assert type(one) is type(other)
            assert (one.dtype, one.metadata) == (other.dtype, other.metadata)
            assert torch.equal(plain(one).nan_to_num(99), plain(other).nan_to_num(99))

    def test_what_is_learned_of_them_is_what_is_learned_one_by_one(self):
        at_once, one_by_one = self.sampled(None, None), Pipeline(Tabulate(["ward"]), Normalize())
        one_by_one.setup([{name: row[name] for name in self.COLUMNS} for row in find_items(self.FRAME)])

        assert at_once.inputs.steps[0].vocabs == one_by_one.steps[0].vocabs
        assert at_once.inputs.steps[1].mean == pytest.approx(one_by_one.steps[1].mean, rel=1e-6)
        assert at_once.inputs.steps[1].std == pytest.approx(one_by_one.steps[1].std, rel=1e-6)

    def test_steps_of_ones_own_get_one_row_after_the_other(self):
        class Logarithm(kit.Transform):
            def encode(self, x):
                return {**x, "pay": math.log(x["pay"])}

        sampled = Sampled(self.COLUMNS, "label", Pipeline(Logarithm(), Tabulate()), Pipeline(Categorize()))

        assert sampled.encode_rows(cells_of(find_items(self.FRAME), [0])) is None
        assert is_tabular(Pipeline(Tabulate(), Normalize()), self.COLUMNS)
        assert not is_tabular(Pipeline(), self.COLUMNS)
        assert not is_tabular(Pipeline(Tabulate()), "age")

    def test_they_are_encoded_once_to_learn_and_once_for_each_batch(self, monkeypatch):
        calls, encode = [], Tabulate.encode
        monkeypatch.setattr(Tabulate, "encode", lambda self, x: calls.append(x) or encode(self, x))
        block = kit.DataBlock(kit.Row, kit.Category, ([0, 1, 3], [2]), self.COLUMNS[:3], "label")

        for _ in range(2):
            list(block.loaders(self.FRAME, batch_size=2, hold=False).train)

        assert len(calls) == 2 * (1 + 2)

    def test_a_cell_at_fault_is_told_with_its_row(self):
        frame = self.FRAME.assign(age=[39, 50, "old", 28])
        block = kit.DataBlock(kit.Row, kit.Category, ([0, 1], [3, 2]), ["age"], "label")

        with pytest.raises(ValueError, match="column 'age' of a Row holds 'old'") as caught:
            list(block.loaders(frame).valid)
        assert any("while item 1 was made" in note for note in caught.value.__notes__)


def test_steps_that_several_inputs_share_come_once_and_where_the_first_has_them():
    scaled = kit.Block(batch=(kit.ToFloat(), Normalize([0.5], [1.0])))

    steps = kit.Block.of((scaled, kit.Image)).batch

    assert [type(step).__name__ for step in steps] == ["ToFloat", "Normalize"]


def test_a_function_of_a_row_is_given_one_row_at_a_time() -> None:
    table = pandas.DataFrame({"age": [3, 5, 8, 9], "label": list("abab")})

    def row(item: Any) -> dict:
        assert isinstance(item["age"], int)
        return {"age": max(item["age"], 5)}

    data = kit.DataBlock(kit.Row, kit.Category, ([0, 1, 2], [3]), input_from=row).loaders(table)
    ages = data.recipe.batch.decode(data.one_batch())[0]
    scale = data.recipe.inputs.steps[1]
    assert sorted(scale.decode(ages).flatten().tolist()) == pytest.approx([5, 5, 8])


def test_one_column_that_is_not_listed_is_no_row_and_no_batch_of_rows() -> None:
    table = pandas.DataFrame({"age": [3.0, 5, 8, 9], "label": list("abab")})

    with pytest.raises(TypeError, match=r"Give their names in a list"):
        kit.DataBlock(kit.Row, kit.Category, ([0, 1, 2], [3]), "age").loaders(table)
