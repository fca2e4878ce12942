"""A split loses nothing, leaks nothing and can be repeated."""

import numpy
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.splits import check_split, group_split, random_split

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
    ("groups", "words"), [(["a"] * 5, "Are all items in one group"), ([], "nothing to split")]
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
