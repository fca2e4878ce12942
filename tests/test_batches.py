"""Batches of any form: taken apart, moved, made plain, joined."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import pytest
import torch

from coursekit.batches import (
    collate,
    count_batches,
    describe_batch,
    find_part,
    find_predictions,
    join_batches,
    separate,
    split_batch,
    to_device,
    to_plain,
)
from coursekit.tensors import Boxes, Category, Image, Text

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("batch", "parts"),
    [
        (("x", "y"), ("x", "y")),
        (["x", "y"], ("x", "y")),
        (("x", "z", "y"), (("x", "z"), "y")),
        (("x",), ("x", None)),
        ({"x": 1, "target": 2}, ({"x": 1}, 2)),
        ({"x": 1}, ({"x": 1}, None)),
        (SimpleNamespace(inputs="x", labels="y"), ("x", "y")),
        ("x", ("x", None)),
    ],
)
def test_inputs_and_targets_are_found_in_any_form(batch, parts):
    assert split_batch(batch) == parts


def test_a_model_with_its_own_loss_is_given_the_targets_too():
    assert split_batch({"x": 1, "labels": 2}, give_targets=True) == ({"x": 1, "labels": 2}, 2)


def test_an_object_without_names_goes_to_the_model_whole():
    graph = SimpleNamespace(nodes=3, target="y")

    assert split_batch(graph) == (graph, "y")


class Pair(NamedTuple):
    photo: torch.Tensor
    name: str


@pytest.mark.parametrize(
    "items",
    [
        [torch.tensor(1.5), torch.tensor(2.5)],
        ["a", "b"],
        [(Text("ab"), Category(0)), (Text("abc"), Category(1))],
        [((Text("a"), None), {"boxes": Boxes([[0, 0, 1, 1]]), "age": torch.tensor(3)})] * 2,
        [Pair(torch.ones(2), "ann"), Pair(torch.zeros(2), "bob")],
        [(torch.ones(1),)] * 3,
    ],
)
def test_what_was_put_together_is_taken_apart(items):
    batch = collate(items)

    assert type(batch) is (type(items[0]) if isinstance(items[0], (tuple, dict)) else type(batch))
    assert repr(separate(batch)) == repr(items)


def test_a_batch_keeps_types_and_what_is_known_of_all():
    photos, labels = collate([(Image(torch.zeros(3, 2, 2)), Category(1, vocab=("no", "yes")))] * 2)

    assert type(photos) is Image
    assert photos.shape == (2, 3, 2, 2)
    assert (labels.tolist(), labels.vocab) == ([1, 1], ("no", "yes"))
    assert collate([1, 2]).tolist() == [1, 2]


def test_unequal_shapes_are_refused_by_name():
    photos = [Image(torch.zeros(3, size, 4)) for size in (4, 2, 4)]

    with pytest.raises(
        ValueError,
        match=r"these Images have 2: \(3, 2, 4\) \(item 1\), \(3, 4, 4\) \(item 0\)\. .*Resize\(160\)",
    ):
        collate(photos)
    with pytest.raises(ValueError, match=r"these Tensors .* \(b\.png\)"):
        collate([(torch.zeros(2), 1), (torch.zeros(3), 1)], called=["a.png", "b.png"].__getitem__)


def test_what_no_batch_can_hold_is_refused():
    with pytest.raises(TypeError, match=r"item 0 has the complex.*Give the data block a type or a step"):
        collate([(torch.zeros(1), 1j), (torch.zeros(1), 1j)])


def test_what_is_on_the_device_stays_the_same_object():
    tensor = torch.zeros(2)

    assert to_device(tensor, CPU) is tensor
    assert to_device({"a": (tensor, "text")}, CPU)["a"][0] is tensor
    assert to_device(SimpleNamespace(), CPU) == SimpleNamespace()
    assert to_device(tensor, torch.device("meta")).device.type == "meta"


def test_types_survive_the_move_and_come_off_for_the_model():
    typed = Category([0, 1], vocab=("no", "yes"))

    assert to_device((typed,), CPU)[0].vocab == ("no", "yes")
    assert [type(part) for part in to_plain([typed, {"a": typed}["a"], 3])] == [
        torch.Tensor,
        torch.Tensor,
        int,
    ]
    assert type(to_plain({"a": typed})["a"]) is torch.Tensor


def test_predictions_are_found_in_what_a_model_answers():
    scores = torch.ones(2)

    assert find_predictions(scores) is scores
    assert find_predictions({"out": scores, "aux": 0}) is scores
    assert find_predictions(SimpleNamespace(logits=scores)) is scores
    assert find_predictions({"losses": 1}) == {"losses": 1}


def test_a_missing_loss_is_named():
    with pytest.raises(
        TypeError, match=r"must hold loss; it is dict of a: Tensor of shape \(2,\), float32, cpu"
    ):
        find_part({"a": torch.ones(2)}, ("loss",))


def test_batches_are_joined_with_their_type_and_form():
    vocab = ("no", "yes")
    typed = [Category([0, 1], vocab=vocab), Category([1], vocab=vocab)]
    joined = join_batches(typed)

    assert isinstance(joined, Category)
    assert (joined.tolist(), joined.vocab) == ([0, 1, 1], vocab)
    assert join_batches([{"a": torch.ones(2)}, {"a": torch.ones(1)}])["a"].shape == (3,)
    assert join_batches([(torch.ones(2), torch.ones(2))] * 2)[1].shape == (4,)
    assert join_batches([None, None]) is None


def test_batches_filled_up_to_different_lengths_are_joined():
    short, long = Boxes([[0, 0, 1, 1]], labels=(7,)), Boxes([[0, 0, 1, 1]] * 3)
    joined = join_batches([collate([short, short]), collate([long])])

    assert [len(boxes) for boxes in separate(joined)] == [1, 1, 3]
    assert (joined.canvas, joined.labels) == (None, ((7, None, None), (7, None, None), None))


def test_metadata_of_each_item_are_joined_too():
    from coursekit.tensors import TypedTensor

    class Scan(TypedTensor):
        axes = ("height", "width")
        item_metadata = ("place",)
        place = None

    batches = [Scan(torch.zeros(2, 3, 3), place=("a", "b")), Scan(torch.zeros(1, 3, 3), place=("c",))]

    assert join_batches(batches).place == ("a", "b", "c")


def test_batches_are_counted_where_that_is_known():
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(3))

    assert count_batches([1, 2]) == 2
    assert count_batches(torch.utils.data.DataLoader(Stream())) is None
    assert count_batches(iter([1])) is None


def test_batches_are_described_in_a_few_words():
    assert describe_batch({"a": torch.zeros(2, dtype=torch.int8), "b": None}) == (
        "dict of a: Tensor of shape (2,), int8, cpu; b: NoneType"
    )
