"""Held items come from the device as they were read, with all that is known of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coursekit.batches import collate
from coursekit.held import Held, NotHeldError, index_on, mapped
from coursekit.tensors import Boxes, Category, Image, Text, Volume, plain

CPU = torch.device("cpu")


def sample(number: int):
    volume = Volume(
        torch.full((1, 2, 3, 4), float(number)), spacing=(number + 1.0, 1.0, 1.0), orientation="SPL"
    )
    return volume, {"kind": Category(number % 2, vocab=("no", "yes")), "age": torch.tensor(number)}, None


def test_batches_are_chosen_with_all_that_is_known_of_them():
    held, numbers = Held(4, 10**6), np.array([2, 0])
    for some in ([0, 1], [3, 2]):
        held.put(np.array(some), collate([sample(number) for number in some]))

    assert held.there.all()
    assert repr(held.pick(numbers, index_on(numbers, CPU))) == repr(collate([sample(2), sample(0)]))


def test_what_was_chosen_is_a_copy():
    held, numbers = Held(2, 100), np.array([0, 1])
    held.put(numbers, torch.zeros(2))
    held.pick(numbers, index_on(numbers, CPU)).fill_(7)

    assert held.pick(numbers, index_on(numbers, CPU)).tolist() == [0, 0]


def test_only_whole_batches_are_there():
    held = Held(4, 100)
    held.put(np.array([1, 3]), torch.zeros(2))

    assert held.has(np.array([3, 1, 3]))
    assert not held.has(np.array([1, 2]))


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (torch.zeros(2, 30), None, "would take 240 bytes, and 100 are allowed"),
        (["a", "b"], None, "a batch of them holds the list"),
        (Text([[1, 2], [3, 4]]), Text([[1], [2]]), "differ: a Text of shape"),
        (Image(torch.zeros(2, 1, 1)), torch.zeros(2, 1, 1), "differ: a Tensor"),
        (Category([0, 1], vocab=("a", "b")), Category([0, 1], vocab=("b", "c")), "differ: a Category"),
        (collate([Boxes([[0, 0, 1, 1]]), Boxes([])]), None, "differ: Boxes"),
    ],
)
def test_what_cannot_be_held_is_refused(first, second, words):
    held = Held(2, 100)
    if second is not None:
        held.put(np.array([0, 1]), first)
    with pytest.raises(NotHeldError, match=words):
        held.put(np.array([0, 1]), first if second is None else second)


def test_what_is_held_moves():
    held = Held(2, 100)
    held.to(CPU)
    held.put(np.array([0, 1]), (torch.zeros(2), None))
    held.to(torch.device("meta"))

    assert held.shelves[0].data.is_meta


def test_each_part_is_changed_in_its_place():
    assert mapped(lambda part: part + 1, {"a": (1, None), "b": 2}) == {"a": (2, None), "b": 3}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_nothing_waits_for_it():
    held, numbers, device = Held(4, 10**6), np.array([2, 0]), torch.device("cuda")
    batch = collate([sample(number)[:2] for number in range(4)])
    batch = tuple(mapped(lambda part: part.cuda(), batch))
    index = index_on(numbers, device)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        held.put(np.arange(4), batch)
        chosen = held.pick(numbers, index)
    finally:
        torch.cuda.set_sync_debug_mode("default")

    assert plain(chosen[0])[:, 0, 0, 0, 0].tolist() == [2, 0]
    assert chosen[0].spacing == ((3.0, 1.0, 1.0), (1.0, 1.0, 1.0))
