"""A split loses nothing, leaks nothing and can be repeated."""

import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.splits import (
    check_split,
    fold_split,
    group_split,
    random_split,
    stratified_split,
    time_split,
)

group_lists = st.lists(st.integers(0, 12), min_size=2, max_size=80).filter(lambda names: len(set(names)) > 1)


@given(st.integers(2, 200), st.floats(0.01, 0.99), st.integers(0, 5))
def test_random_split_puts_every_item_on_exactly_one_side(count, valid, seed):
    train, held_out = random_split(count, valid, seed)

    assert sorted(train + held_out) == list(range(count))
    assert train
    assert held_out


@given(group_lists, st.floats(0.01, 0.99), st.integers(0, 5))
def test_group_split_keeps_groups_whole(groups, valid, seed):
    train, held_out = group_split(groups, valid, seed)

    assert sorted(train + held_out) == list(range(len(groups)))
    assert not {groups[item] for item in train} & {groups[item] for item in held_out}


def test_the_share_is_of_the_groups():
    groups = [number // 10 for number in range(200)]

    assert len({groups[item] for item in group_split(groups, valid=0.25)[1]}) == 5


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    assert random_split(100, seed=3) == random_split(100, seed=3)
    assert random_split(100, seed=3) != random_split(100, seed=4)


@pytest.mark.parametrize("groups", [list("aabbccdd"), numpy.arange(8) // 2, pandas.Series(list("aabbccdd"))])
def test_groups_may_come_in_any_sequence(groups):
    train, held_out = group_split(groups, valid=0.25)

    assert len(train) == 6
    assert len(held_out) == 2


def test_an_impossible_share_is_refused_in_words():
    with pytest.raises(ValueError, match=r"lies between 0 and 1; it was 20.*write valid=0\.2"):
        random_split(10, valid=20)


@pytest.mark.parametrize(
    ("groups", "words"), [(["a"] * 5, "or are all in one group"), ([], "nothing to split")]
)
def test_too_few_groups_are_refused_in_words(groups, words):
    with pytest.raises(ValueError, match=words):
        group_split(groups)


@pytest.mark.parametrize(
    ("split", "words"),
    [
        (([0, 1], [1, 2]), "1 items stand on both sides .* item 1"),
        (([0, 1], [7]), r"names item 7, but there are 3 items, numbered 0 to 2"),
        (([0, -1], [2]), r"names item -1"),
        (([0, 1, 2], []), "the valid side of the split is empty"),
        (([0], [1], [2]), "3 parts came"),
    ],
)
def test_a_split_that_does_not_fit_is_refused_in_words(split, words):
    with pytest.raises(ValueError, match=words):
        check_split(split, 3)


labels = st.lists(st.sampled_from("abc"), min_size=2, max_size=60).filter(
    lambda names: all(names.count(name) > 1 for name in set(names))
)


@given(labels, st.floats(0.01, 0.99), st.integers(0, 5))
def test_stratified_split_has_each_kind_on_both_sides(names, valid, seed):
    train, held_out = stratified_split(names, valid, seed)

    assert sorted(train + held_out) == list(range(len(names)))
    assert {names[item] for item in train} == {names[item] for item in held_out} == set(names)


def test_stratified_split_holds_out_the_share_of_each_kind():
    names = ["a"] * 50 + ["b"] * 10
    held_out = stratified_split(names, valid=0.2)[1]

    assert [sum(names[item] == name for item in held_out) for name in "ab"] == [10, 2]


def test_one_of_a_kind_cannot_be_on_both_sides():
    with pytest.raises(
        ValueError, match="'c': this kind has a single item, which cannot be learned from and held"
    ):
        stratified_split("aabbc")


@given(
    st.lists(st.integers(0, 9), min_size=2, max_size=60).filter(lambda t: len(set(t)) > 1),
    st.floats(0.05, 0.95),
)
def test_time_split_tears_no_moment_apart(times, valid):
    train, held_out = time_split(times, valid)

    assert sorted(train + held_out) == list(range(len(times)))
    assert max(times[item] for item in train) < min(times[item] for item in held_out)


def test_a_crowd_at_the_border_goes_where_the_share_is_nearer():
    times = [1] * 10 + [2] * 9 + [3]

    assert len(time_split(times, valid=0.2)[1]) == 1
    assert len(time_split(times, valid=0.4)[1]) == 10


@pytest.mark.parametrize(
    ("times", "error", "words"),
    [
        ([2020] * 4, ValueError, "all 4 items are of one time, 2020"),
        (["31.5.2024", "1.6.2024"], TypeError, r"'31\.5\.2024' does not.*pandas\.to_datetime"),
        ([1.0, float("nan")], ValueError, "1 of 2 items have no time"),
        ([pandas.Timestamp("2024-01-01"), pandas.NaT], ValueError, "have no time"),
    ],
)
def test_times_that_say_nothing_are_refused(times, error, words):
    with pytest.raises(error, match=words):
        time_split(times)


def test_iso_texts_are_times():
    assert time_split(["2024-05-31", "2024-01-02 08:00", "2023"], valid=0.3) == ([1, 2], [0])


@given(group_lists, st.integers(2, 4), st.integers(0, 3))
def test_folds_hold_out_each_item_once_and_whole_groups(groups, folds, seed):
    if len(set(groups)) < folds:
        return
    parts = [fold_split(groups, folds, fold, seed) for fold in range(folds)]

    assert sorted(item for _, held_out in parts for item in held_out) == list(range(len(groups)))
    for train, held_out in parts:
        assert not {groups[item] for item in train} & {groups[item] for item in held_out}


def test_folds_are_about_equally_large():
    assert [len(fold_split(103, 5, fold)[1]) for fold in range(5)] == [21, 21, 21, 20, 20]


@pytest.mark.parametrize(("folds", "fold"), [(1, 0), (5, 5), (9, 0), (5, -1)])
def test_folds_that_cannot_be_are_refused(folds, fold):
    with pytest.raises(ValueError, match="there are 6 groups, and fold="):
        fold_split(6, folds, fold)


@pytest.mark.parametrize(
    ("split", "groups", "words"),
    [
        (([0, 1], [2, 3]), "aabc", None),
        (
            ([0, 2], [1, 3]),
            "aabc",
            "1 groups stand on both sides of the split: 'a', for one, with item 0 .* item 1",
        ),
        (([0, 1], [2, 3]), [None, "a", None, "b"], None),
        (([0, 0], [1]), None, "item 0 stands 2 times on the train side"),
        (3, None, "a split is a pair .*; 3 came"),
        (([0], ["a"]), None, "a split is a pair"),
        (0.2, None, r"0\.2 came\. A share says not which: RandomSplit\(0\.2\)"),
        (([True, False], [False, True]), None, r"True and False came\. .* numpy\.flatnonzero\(mask\)"),
    ],
)
def test_a_split_is_checked_against_groups(split, groups, words):
    if words is None:
        assert check_split(split, 4, groups) == (list(split[0]), list(split[1]))
    else:
        with pytest.raises(ValueError, match=words):
            check_split(split, 4, groups)
