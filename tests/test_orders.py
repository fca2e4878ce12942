"""Orders follow from seed and pass alone; batches and shares of them lose nothing and double nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import multiprocessing

from coursekit.orders import (
    Balanced,
    Bucketed,
    InOrder,
    Shuffled,
    Weighted,
    batch_numbers,
    rank_and_world,
    turns,
)

COUNT = 60
LENGTHS = [(7 * number) % 50 for number in range(COUNT)]
ORDERS = [
    Shuffled(),
    Weighted(range(COUNT)),
    Balanced(["rare" if number < 3 else "common" for number in range(COUNT)]),
    Bucketed(LENGTHS, pool=5),
]
every_order = pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)


@every_order
def test_an_order_follows_from_seed_and_pass_and_nothing_else(order) -> None:
    first = order(COUNT, 1, 0, 4).tolist()
    np.random.seed(5)
    torch.manual_seed(5)

    assert order(COUNT, 1, 0, 4).tolist() == first
    assert order(COUNT, 1, 1, 4).tolist() != first
    assert order(COUNT, 2, 0, 4).tolist() != first
    assert order(COUNT, -1, 0, 4).tolist() != first


@pytest.mark.parametrize("order", [InOrder(), Shuffled(), Bucketed(LENGTHS), Bucketed(LENGTHS, pool=2)])
def test_each_item_comes_once(order) -> None:
    assert sorted(order(COUNT, 3, 2, 7).tolist()) == list(range(COUNT))


def test_in_order_every_pass_is_alike() -> None:
    assert InOrder()(3, 1, 0, 1).tolist() == InOrder()(3, 2, 5, 9).tolist() == [0, 1, 2]


def test_weights_decide_how_often_an_item_comes() -> None:
    drawn = Weighted([1, 0, 3] * 1000)(3000, 0, 0, 1)
    times = np.bincount(drawn % 3, minlength=3)

    assert times[1] == 0
    assert times[2] / times[0] == pytest.approx(3, rel=0.15)


def test_items_without_a_label_are_one_kind() -> None:
    labels = [float("nan")] * 50 + [1.0] * 50
    drawn = Balanced(labels)(100, 0, 0, 1)

    assert 35 < (drawn < 50).sum() < 65


def test_rare_labels_come_as_often_as_common_ones() -> None:
    labels = torch.tensor([0] * 970 + [1] * 30)
    times = np.bincount(labels.numpy()[Balanced(labels)(1000, 4, 0, 1)])

    assert abs(times - 500).max() < 60


@pytest.mark.parametrize(("weights", "held"), [([0, 0], "only 0"), ([1, -2], "-2"), ([1, np.nan], "nan")])
def test_weights_that_say_nothing_are_refused(weights, held) -> None:
    with pytest.raises(ValueError, match=f"finite, 0 or more, and not all 0; these hold .*{held}"):
        Weighted(weights)(2, 0, 0, 1)


def test_neighbours_in_a_bucket_are_of_near_length_and_batches_are_shuffled() -> None:
    lengths = np.array(LENGTHS * 10)
    batches = batch_numbers(Bucketed(lengths)(600, 0, 0, 8), 8)
    spread = [np.ptp(lengths[batch]) for batch in batches]
    shuffled = [np.ptp(lengths[batch]) for batch in batch_numbers(Shuffled()(600, 0, 0, 8), 8)]
    means = [lengths[batch].mean() for batch in batches]

    assert np.mean(spread) < np.mean(shuffled) / 20
    assert means != sorted(means)


def test_a_bucket_that_is_not_full_comes_last() -> None:
    lengths = np.arange(10)
    for epoch in range(5):
        batches = batch_numbers(Bucketed(lengths)(10, 0, epoch, 4), 4)
        assert [len(batch) for batch in batches] == [4, 4, 2]
        assert all(np.ptp(batch) == len(batch) - 1 for batch in batches)


def test_what_an_order_must_know_is_taken_from_the_items() -> None:
    records = [{"text": "a" * number, "kind": "ab"[number % 2]} for number in range(4)]

    assert Balanced("kind").known(records) == Balanced(["a", "b", "a", "b"])
    assert Bucketed(lambda record: len(record["text"]), pool=3).known(records) == Bucketed([0, 1, 2, 3], 3)
    assert Weighted([1, 2, 3, 4]).known(records) == Weighted([1, 2, 3, 4])


def test_values_for_other_items_are_refused() -> None:
    with pytest.raises(
        ValueError,
        match=r"Balanced needs one of its labels for each item.* got 3 for 2 items.*Balanced\('label'\)",
    ):
        Balanced([1, 2, 3]).known(["a", "b"])


@given(
    count=st.integers(1, 60),
    batch_size=st.integers(1, 9),
    world=st.integers(1, 5),
    drop_last=st.booleans(),
)
def test_shares_are_equal_and_complete(count: int, batch_size: int, world: int, drop_last: bool) -> None:
    order = Shuffled()(count, 0, 0, 1)
    shares = [batch_numbers(order, batch_size, drop_last, rank, world) for rank in range(world)]
    sizes = [[len(batch) for batch in share] for share in shares]
    every = [number for share in shares for batch in share for number in batch.tolist()]

    assert sizes.count(sizes[0]) == world
    if drop_last:
        assert {size for share in sizes for size in share} <= {batch_size}
        assert len(set(every)) == len(every) == count // (batch_size * world) * batch_size * world
    else:
        assert set(every) == set(range(count))
        assert len(every) - count == -count % world


def test_alone_there_is_one_process() -> None:
    assert rank_and_world() == (0, 1)


def test_it_is_known_which_time_a_number_comes() -> None:
    numbers = np.array([3, 1, 3, 3, 0, 1])

    assert turns(numbers).tolist() == [0, 0, 1, 2, 0, 1]
    assert turns(np.array([], dtype=np.int64)).tolist() == []


def learn_together(rank: int, address: str, found) -> None:
    from coursekit.loaders import Loader

    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    loader = Loader(range(11), batch_size=2, shuffle=True, seed=1)
    walks = [[batch.tolist() for batch in loader] for _ in range(2)]
    streamed = [batch.tolist() for batch in Loader(iter(range(11)), batch_size=2)]
    found[rank] = rank_and_world(), len(loader), walks, loader.state_dict(), streamed
    torch.distributed.destroy_process_group()


def test_two_processes_share_each_pass(tmp_path) -> None:
    with multiprocessing.Manager() as manager:
        found = manager.dict()
        address = f"file://{tmp_path}/meet"
        multiprocessing.spawn(learn_together, (address, found), nprocs=2)
        (who, count, first, state, streamed), (other, _, second, _, streamed_too) = found[0], found[1]

    assert (who, other) == ((0, 2), (1, 2))
    assert count == len(first[0]) == len(second[0]) == 3
    for one, two in zip(first, second, strict=True):
        every = sorted(number for batch in one + two for number in batch)
        assert sorted(set(every)) == list(range(11))
        assert len(every) == 12
    assert first[0] != first[1]
    assert state["count of processes"] == 2
    assert streamed == [[0, 2], [4, 6]]
    assert streamed_too == [[1, 3], [5, 7]]
