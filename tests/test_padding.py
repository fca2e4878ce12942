"""Things in different numbers stand in one batch, and come out of it as they were."""

from __future__ import annotations

import math

import pytest
import torch
from torch.utils.data import DataLoader

from coursekit.padding import Counted, collate_counted, filled_up, own_rows
from coursekit.tensors import Boxes, Keypoints, PointCloud, Text, plain

NOT_THERE = [math.nan, math.nan]
VOCAB = ("cat", "dog")


def boxes(count: int) -> Boxes:
    rows = [[n, n, n + 1.0, n + 2.0] for n in range(count)]
    return Boxes(rows, labels=[VOCAB[n % 2] for n in range(count)], vocab=VOCAB, canvas=(8, 8))


def same(one, other) -> bool:
    equal = torch.equal(plain(one).nan_to_num(-99), plain(other).nan_to_num(-99))
    return type(one) is type(other) and one.metadata == other.metadata and equal


ITEMS = {
    "boxes": [boxes(2), boxes(0), boxes(3)],
    "points, one of them unseen": [Keypoints([[1, 2], [3, 4]]), Keypoints([[5, 6], NOT_THERE, NOT_THERE])],
    "clouds": [PointCloud(torch.rand(5, 4)), PointCloud(torch.rand(1, 4))],
    "texts, one ending with token 0": [Text([3, 0, 0]), Text([0]), Text([1, 2, 3, 4])],
    "all as long": [Text([1, 2]), Text([3, 0])],
}


@pytest.mark.parametrize("items", ITEMS.values(), ids=ITEMS)
def test_items_come_out_of_a_batch_exactly_as_they_were(items) -> None:
    batch = collate_counted(items)

    assert batch.shape[:2] == (len(items), max(map(len, items)))
    assert all(map(same, map(own_rows, batch), items))


def test_places_are_filled_up_with_nan_and_texts_with_0() -> None:
    assert collate_counted([Keypoints([[1, 2]]), Keypoints([[3, 4], [5, 6]])])[0, 1].isnan().all()
    assert collate_counted([Text([7]), Text([8, 9])]).tolist() == [[7, 0], [8, 9]]


def test_labels_stay_with_their_boxes() -> None:
    batch = collate_counted([boxes(1), boxes(3)])

    assert batch.labels == ((0, None, None), (0, 1, 0))
    assert batch.length == (1, 3)
    assert batch[0][batch[0].present].labels == (0,)
    assert batch[1, 1:].labels == (1, 0)


def test_nothing_is_said_where_nothing_was_filled_up() -> None:
    assert collate_counted([boxes(2), boxes(2)]).length is None
    assert own_rows(boxes(2)).length is None


def test_a_choice_of_rows_forgets_how_many_were_its_own() -> None:
    batch = collate_counted([boxes(1), boxes(3)])

    assert batch[:, :2].length is None
    assert batch[[1, 0]].length == (3, 1)
    assert batch[1].length == 3


def test_a_batch_can_be_filled_up_again() -> None:
    wider = filled_up(collate_counted([boxes(1), boxes(3)]), 5)

    assert wider.shape == (2, 5, 4)
    assert wider.length == (1, 3)
    assert wider.labels[1] == (0, 1, 0, None, None)
    assert filled_up(collate_counted([boxes(2), boxes(2)]), 3).length == (2, 2)


def test_torch_fills_up_too() -> None:
    (batch,) = DataLoader([boxes(1), boxes(2)], batch_size=2)

    assert batch.length == (1, 2)


class Notes(Counted):
    axes = ("notes", "pitch and volume")
    padding = -1
    item_metadata = ("length", "player")


def test_a_type_of_ones_own_is_filled_up_as_it_says() -> None:
    batch = collate_counted([Notes(torch.ones(1, 2), player="ann"), Notes(torch.ones(2, 2), player="bob")])

    assert batch.player == ("ann", "bob")
    assert batch[0].tolist() == [[1, 1], [-1, -1]]


def test_what_differs_in_more_than_its_count_is_refused() -> None:
    with pytest.raises(ValueError, match="same type, shape and shared metadata"):
        collate_counted([PointCloud(torch.rand(2, 3)), PointCloud(torch.rand(3, 4))])
    with pytest.raises(ValueError, match="same type, shape and shared metadata"):
        collate_counted([Text([1], vocab=("a", "b")), Text([1, 0], vocab=("b", "c"))])
