"""Passes give the same batches whoever reads, held or not; what cannot be read is told once."""

from __future__ import annotations

import pickle
from multiprocessing import active_children

import numpy as np
import pytest
import torch
from torch.utils.data import IterableDataset

from coursekit.loaders import Items, Loader
from coursekit.orders import Balanced
from coursekit.tensors import TypedTensor
from coursekit.transforms import RandomTransform, Transform


class Sound(TypedTensor):
    """A type of one's own: spawned workers import it."""

    axes = ("time",)
    item_metadata = ("rate",)


class Hear(RandomTransform):
    """Makes a sound as loud as was drawn."""

    def draw(self, chance):
        return chance.random()

    def apply(self, x, drawn):
        return Sound(torch.tensor([float(x), drawn]), rate=x), x


class Plain(Transform):
    """Makes a sound, the same in every pass; files may be gone."""

    def encode(self, x):
        if x == 5:
            raise FileNotFoundError("there is no sound 5")
        return Sound(torch.tensor([float(x)]), rate=x), x


class Numbers(IterableDataset):
    def __iter__(self):
        return iter(range(7))


def walks(loader, passes=2):
    """What a loader gives in some passes."""
    return [[(type(x).__name__, x.tolist(), x.rate, y.tolist()) for x, y in loader] for _ in range(passes)]


HOW = {
    "one by fork": {"workers": 1, "start_method": "fork"},
    "two by fork": {"workers": 2, "start_method": "fork"},
    "one by spawn": {"workers": 1, "start_method": "spawn"},
    "two by spawn": {"workers": 2, "start_method": "spawn"},
}


@pytest.mark.parametrize("how", HOW.values(), ids=HOW)
def test_any_number_of_workers_gives_the_same_batches(how):
    def loader(**how):
        items = Items(range(9), Hear(), seed=1)
        return Loader(items, 2, seed=3, order=Balanced([0] * 7 + [1] * 2), **how)

    other = loader(**how)

    assert walks(other) == walks(loader())
    assert walks(other, 1) != walks(loader(), 1)


def test_a_walk_that_was_left_does_not_disturb_the_next():
    def loader(**how):
        return Loader(Items(range(9), Hear(), seed=1), 2, shuffle=True, **how)

    left, whole = loader(workers=2, start_method="fork"), loader()
    next(iter(left))
    next(iter(whole))

    assert walks(left) == walks(whole)


@pytest.mark.parametrize("workers", [0, 2])
def test_two_walks_at_once_do_not_disturb_each_other(workers):
    def loader():
        items = Items(range(9), Hear(), seed=1)
        return Loader(items, 4, workers=workers, start_method="fork" if workers else None, shuffle=True)

    def told(batch):
        return batch[0].tolist(), batch[1].tolist()

    alone, both = loader(), loader()
    one, other = [[told(batch) for batch in alone] for _ in range(2)]
    together = [(told(x), told(y)) for x, y in zip(both, both, strict=True)]

    assert together == list(zip(one, other, strict=True))
    assert [told(batch) for batch in both] == [told(batch) for batch in alone]


def test_processes_are_let_go_once_everything_is_held():
    loader = Loader(Items([1, 2, 3], Plain()), 2, workers=2, start_method="fork")
    others = set(active_children())
    walks(loader, 1)
    assert len(set(active_children()) - others) == 2
    for _ in loader:
        assert not set(active_children()) - others


def test_a_loader_whose_processes_have_begun_can_be_pickled():
    loader = Loader(range(5), 2, workers=1, start_method="fork", hold=False)
    first = [batch.tolist() for batch in loader]

    assert [batch.tolist() for batch in pickle.loads(pickle.dumps(loader))] == first


def test_what_cannot_be_sent_to_a_spawned_worker_is_explained():
    items = Items([1, 2], Plain())
    items.pipeline.encode = lambda x: x

    with pytest.raises(Exception, match=r"[Pp]ickle") as caught:
        list(Loader(items, workers=1, start_method="spawn"))
    assert "functions and types of your own must stand in a module" in caught.value.__notes__[-1]


def test_an_error_in_a_worker_names_the_item():
    with pytest.raises(
        FileNotFoundError, match=r"(?s)there is no sound 5.*while item 5 was made, from the int 5"
    ):
        list(Loader(Items(range(9), Plain()), workers=1, start_method="fork"))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("hold", [True, False])
def test_broken_items_are_left_out_and_told_once(workers, hold):
    items = Items(range(9), Plain(), broken="skip")
    loader = Loader(items, 3, workers=workers, hold=hold, start_method="fork" if workers else None)

    with pytest.warns(
        UserWarning, match="left out, as it cannot be read: item 5, the int 5: there is no"
    ) as told:
        first = [y.tolist() for _, y in loader]
    rest = [[y.tolist() for _, y in loader] for _ in range(2)]

    assert first == rest[0] == rest[1] == [[0, 1, 2], [3, 4], [6, 7, 8]]
    assert len(told) == 1
    assert [one.number for one in loader.broken] == [5]


def test_a_batch_of_nothing_but_broken_items_is_left_out():
    loader = Loader(Items([4, 5, 6], Plain(), broken="skip"), 1)

    with pytest.warns(UserWarning, match="left out"):
        assert [y.tolist() for _, y in loader] == [[4], [6]]
    assert [y.tolist() for _, y in loader] == [[4], [6]]


def test_a_set_of_which_nothing_can_be_read_is_an_error():
    loader = Loader(Items([5, 5], Plain(), broken="skip"), 1)

    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(ValueError, match=r"none of the items could be read.* item 0"),
    ):
        list(loader)


class Counting(Plain):
    """Counts how often it makes an item."""

    def __init__(self):
        self.times = 0

    def encode(self, x):
        self.times += 1
        return super().encode(x)


def test_what_is_held_is_read_once_and_gives_the_same_batches():
    count = Counting()
    held = Loader(Items([1, 2, 3, 4, 6], count, most_bytes=0), 2, shuffle=True, hold=True)
    other = Loader(Items([1, 2, 3, 4, 6], Plain()), 2, shuffle=True, hold=False)

    assert walks(held, 4) == walks(other, 4)
    assert count.times == 5


def test_what_is_held_is_kept_nowhere_else():
    items = Items([1, 2, 3], Plain())
    loader = Loader(items, 2)
    walks(loader, 2)

    assert not items._kept
    assert loader._passes.held.there.all()


@pytest.mark.parametrize("drop_last", [False, True])
def test_a_pass_that_was_left_is_held_as_far_as_it_went(drop_last):
    count = Counting()
    loader = Loader(Items([0, 1, 2, 3, 4], count, most_bytes=0), 2, drop_last=drop_last, hold=True)
    next(iter(loader))

    assert [y.tolist() for _, y in loader] == [[0, 1], [2, 3], [4]][: 2 if drop_last else 3]
    assert count.times == (4 if drop_last else 5)


def test_what_cannot_be_held_is_read_again_unless_it_must_be_held():
    unequal = [torch.zeros(2), torch.zeros(2), torch.zeros(3), torch.zeros(3)]
    loader = Loader(unequal, 2)

    assert [len(batch[0]) for _ in range(2) for batch in loader] == [2, 3, 2, 3]
    assert loader._passes.held is None
    with pytest.raises(
        ValueError, match=r"cannot be held on the device: their shapes.*a Tensor of shape \(2, 3\)"
    ):
        list(Loader(unequal, 2, hold=True))
    with pytest.raises(ValueError, match="something is drawn for each of them"):
        Loader(Items([1], Hear()), hold=True)
    with pytest.raises(ValueError, match="they have no numbers"):
        Loader(iter([1]), hold=True)


def test_what_gradients_flow_to_is_not_held():
    weight = torch.ones(1, requires_grad=True)
    loader = Loader([weight * 2, weight * 3], 2, hold=None)
    for _ in range(2):
        for batch in loader:
            batch.sum().backward(retain_graph=True)

    assert weight.grad.tolist() == [10]
    with pytest.raises(ValueError, match="cannot be held on the device: gradients are to reach"):
        list(Loader([weight * 2], hold=True))


def test_what_is_held_so_far_is_given_even_if_the_rest_cannot_be():
    unequal = [torch.zeros(2), torch.zeros(3), torch.zeros(3), torch.zeros(2)]
    order = [[0, 1, 2, 3], [1, 0, 2, 3]]
    loader = Loader(unequal, 1, order=lambda count, seed, epoch, batch_size: np.array(order[epoch]))
    next(iter(loader))

    assert [len(batch[0]) for batch in loader] == [3, 2, 3, 2]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_stream_gives_the_same_batches_to_any_number_of_workers(workers):
    def loader(workers):
        method = "fork" if workers else None
        return Loader(Items([1, 2, 3, 4, 6], Hear(), seed=2), 2, workers=workers, start_method=method)

    class Source:
        def __iter__(self):
            return iter([1, 2, 3, 4, 6])

    streamed = Loader(
        Items(Source(), Hear(), seed=2), 2, workers=workers, start_method="fork" if workers else None
    )

    assert walks(streamed) == walks(loader(0))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_torch_stream_is_walked_through(workers):
    loader = Loader(Numbers(), 3, workers=workers, start_method="fork" if workers else None)

    assert [batch.tolist() for batch in loader] == [[0, 1, 2], [3, 4, 5], [6]]
    with pytest.raises(
        TypeError, match="a Numbers can only be walked through: nobody knows how many batches"
    ):
        len(loader)
    with pytest.raises(ValueError, match=r"can only be walked through.*Shuffled\(\) was asked for"):
        Loader(Numbers(), shuffle=True)


def test_a_data_block_leaves_out_broken_photos_and_balances_labels(tmp_path):
    from coursekit.datablock import DataBlock
    from coursekit.steps import Normalize
    from coursekit.tensors import Category, GrayImage

    records = []
    for number in range(12):
        file = tmp_path / f"{number}.png"
        GrayImage(torch.full((1, 4, 4), number * 9, dtype=torch.uint8)).to_pil().save(file)
        records.append({"file": file, "label": "rare" if number < 2 else "common"})
    records[5]["file"].write_bytes(b"no picture")
    block = DataBlock(GrayImage, Category, split=(range(10), [10, 11]), batch_transforms=[Normalize()])

    with pytest.warns(UserWarning, match=r"5\.png") as told:
        data = block.loaders(records, 4, order=Balanced("label"), broken="skip", hold=True)
    labels = [name for _ in range(20) for _, names in data.train for name in names.tolist()]

    assert len(told) == 1
    assert [one.number for one in data.train.broken] == [5]
    assert 0.35 < sum(labels) / len(labels) < 0.7
