"""Splitters split what was found by its columns, and refuse what would lie."""

from __future__ import annotations

import pandas
import pytest

from coursekit.finding import find_items
from coursekit.splitters import (
    ColumnSplit,
    FolderSplit,
    FoldSplit,
    GroupSplit,
    RandomSplit,
    StratifiedSplit,
    TimeSplit,
)

TABLE = pandas.DataFrame(
    {
        "part": ["train", "train", "validation", "test", "train"],
        "held": [False, True, False, False, True],
        "ward": ["a", "a", "b", "c", "c"],
        "day": pandas.to_datetime(["2024-01-03", "2024-01-01", "2024-01-02", "2024-01-05", "2024-01-04"]),
    }
)
ITEMS = find_items(TABLE)


@pytest.mark.parametrize(
    ("splitter", "split"),
    [
        (ColumnSplit("part", valid="validation", train="train"), ([0, 1, 4], [2])),
        (ColumnSplit("held"), ([0, 2, 3], [1, 4])),
        (ColumnSplit("ward", valid=["b", "c"]), ([0, 1], [2, 3, 4])),
        (FolderSplit("test", train=["train", "validation"]), ([0, 1, 2, 4], [3])),
        (TimeSplit("day", valid=0.4), ([0, 1, 2], [3, 4])),
        (GroupSplit("ward", valid=0.3, seed=1), ([2, 3, 4], [0, 1])),
    ],
)
def test_columns_split(splitter, split):
    assert splitter(ITEMS) == split


@pytest.mark.parametrize("splitter", [RandomSplit(), GroupSplit("ward"), FoldSplit(3, 1, groups="ward")])
def test_a_splitter_prints_as_it_is_written_and_says_what_it_does(splitter):
    assert eval(repr(splitter)) == splitter
    assert "Split" not in str(splitter)


def test_a_function_may_name_the_groups():
    assert GroupSplit(lambda item: item["ward"], valid=0.3, seed=1)(ITEMS) == ([2, 3, 4], [0, 1])


def test_every_item_is_held_out_once_in_all_folds():
    held = [item for fold in range(3) for item in FoldSplit(3, fold, groups="ward")(ITEMS)[1]]

    assert sorted(held) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("splitter", "words"),
    [
        (ColumnSplit("part", valid="validation"), "would learn from 'test' too.*train='train'"),
        (
            ColumnSplit("part", valid="Test"),
            "no item has 'Test' in 'part'; there is 'test', 'train', 'validation'",
        ),
        (FolderSplit("valid"), "no item has 'valid' in 'part'"),
        (StratifiedSplit("day"), "4 more kinds each have a single item"),
    ],
)
def test_what_would_lie_is_refused(splitter, words):
    with pytest.raises(ValueError, match=words):
        splitter(ITEMS)


def test_a_group_that_is_missing_is_refused():
    with pytest.raises(ValueError, match=r"1 of 2 items have no group, 'ward' \(the first is item 1\)"):
        GroupSplit("ward")([{"ward": "a"}, {"ward": None}])
