"""Items are made, put together and, where a file is broken, left out by name."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import IterableDataset

from coursekit.reading import Asked, Items, Reader, Stream, as_items, size_in_bytes
from coursekit.samples import describe
from coursekit.tensors import Image
from coursekit.transforms import RandomTransform, Transform


def asked(*numbers: int, epoch: int = 0) -> Asked:
    return Asked(epoch, np.array(numbers), np.zeros(len(numbers), dtype=np.int64))


class Count(Transform):
    """Counts how often it encodes."""

    def __init__(self, random=False):
        self.times, self.random = 0, random

    def encode(self, x):
        self.times += 1
        return torch.zeros(4)


@pytest.mark.parametrize(
    ("most_bytes", "random", "times"), [(1000, False, 2), (31, False, 4), (1000, True, 4)]
)
def test_items_are_kept_only_if_they_fit_and_are_not_drawn_by_chance(most_bytes, random, times):
    count = Count(random)
    items = Items(["a", "b"], count, most_bytes)

    for _ in range(2):
        [items[number] for number in range(2)]

    assert count.times == times


def test_an_error_says_which_item():
    class Bad(Transform):
        def encode(self, x):
            raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable") as caught:
        Items(["a.jpg"], Bad())[0]

    assert caught.value.__notes__ == ["while item 0 was made, from the str 'a.jpg'"]


class Open(Transform):
    """Opens files that may be missing."""

    def encode(self, x):
        name = x["file"] if isinstance(x, dict) else x
        if "gone" in name:
            raise FileNotFoundError(f"There is no picture at {name}: no such file.")
        return torch.tensor(len(name)), name


def test_an_item_whose_file_cannot_be_read_is_left_out_if_told_so():
    items = Items(["a.png", "gone.png", "bcd.png"], Open(), broken="skip")

    (lengths, names), broken = Reader(items)[asked(2, 1, 0)]

    assert (lengths.tolist(), names) == ([7, 5], ["bcd.png", "a.png"])
    assert [str(one) for one in broken] == [
        "item 1, gone.png: There is no picture at gone.png: no such file."
    ]
    assert Reader(items)[asked(1)][0] is None


def test_broken_photos_and_scans_count_as_such(tmp_path):
    for name in ("cat.png", "head.nii.gz"):
        (tmp_path / name).write_bytes(b"not what it says")
    files = [{"file": tmp_path / name} for name in ("cat.png", "head.nii.gz")]

    class Read(Transform):
        def encode(self, x):
            from coursekit.tensors import Volume

            return Image(x["file"]) if x["file"].suffix == ".png" else Volume.open(x["file"])

    _, broken = Reader(Items(files, Read(), broken="skip"))[asked(0, 1)]

    assert [one.file for one in broken] == [str(one["file"]) for one in files]
    assert all("can be read" in one.reason for one in broken)


def test_an_error_of_another_kind_is_never_skipped():
    class Wrong(Transform):
        def encode(self, x):
            raise ZeroDivisionError("a mistake in the code")

    with pytest.raises(ZeroDivisionError, match="a mistake in the code") as caught:
        Reader(Items(["a.png"], Wrong(), broken="skip"))[asked(0)]
    assert caught.value.__notes__ == ["while item 0 was made, from the str 'a.png'"]


def test_by_default_a_broken_file_is_an_error_that_names_item_and_file():
    with pytest.raises(FileNotFoundError, match=r"no picture at gone\.png") as caught:
        Reader(Items(["a.png", "gone.png"], Open()))[asked(0, 1)]

    assert caught.value.__notes__ == ["while item 1 was made, from the str 'gone.png'"]
    with pytest.raises(ValueError, match='"raise" an error, or one tells to "skip" them; got \'ignore\''):
        Items([], Open(), broken="ignore")


def test_items_that_do_not_fit_together_are_named():
    photos = [Image(torch.zeros(3, size, 4)) for size in (4, 2)]

    with pytest.raises(ValueError, match="these Images have 2") as caught:
        Reader(as_items(photos))[asked(0, 1)]
    assert f"(3, 2, 4) (item 1, {describe(photos[1])})" in str(caught.value)


def test_an_item_without_a_file_is_called_by_what_it_is():
    items = Items([{"age": 3}], Open(), broken="skip")
    items.make = lambda *_: (_ for _ in ()).throw(OSError("gone"))

    assert Reader(items)[asked(0)][1] == [(0, "a dict of 1 (age)", "gone")]


class Jump(RandomTransform):
    def draw(self, chance):
        return chance.random()

    def apply(self, x, drawn):
        return torch.tensor(drawn)


def test_an_item_that_comes_twice_in_a_pass_is_drawn_twice():
    items = Items([0, 0], Jump(), seed=1)
    numbers = np.array([0, 0, 1])

    drawn, _ = Reader(items)[Asked(0, numbers, np.array([0, 1, 0]))]

    assert len(set(drawn.tolist())) == 3
    assert drawn[0] == items[0]


def test_what_was_kept_is_not_handed_to_other_processes():
    items = Items([torch.zeros(2)], Transform())
    items[0]

    assert items._kept
    assert not pickle.loads(pickle.dumps(items))._kept


def test_memory_is_counted():
    assert size_in_bytes(({"a": torch.zeros(2)}, torch.zeros(3, dtype=torch.uint8), "text", None)) == 11


class Numbers(IterableDataset):
    def __iter__(self):
        return iter(range(5))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[0, 1], [2, 3], [4]]),
        ({"drop_last": True}, [[0, 1], [2, 3]]),
        ({"rank_and_world": (1, 2)}, [[1, 3]]),
    ],
)
def test_a_stream_is_cut_into_batches(options, expected):
    stream = Stream(as_items(range(5)), batch_size=2, **options)

    assert [batch.tolist() for batch, _ in stream] == expected


def test_a_data_set_that_shares_itself_out_is_taken_as_it_comes():
    stream = Stream(as_items(Numbers()), batch_size=2, rank_and_world=(1, 2))

    assert [batch.tolist() for batch, _ in stream] == [[0, 1], [2, 3], [4]]


def test_items_of_a_stream_are_drawn_by_their_number():
    pairs = [(torch.tensor(0),)] * 3
    streamed = [batch for batch, _ in Stream(Items(iter(pairs), Jump(), seed=2), 2, epoch=4)]
    numbered, _ = Reader(Items(pairs, Jump(), seed=2))[asked(0, 1, 2, epoch=4)]

    assert torch.cat(streamed).tolist() == numbered.tolist()
