"""For whom a model fails: groups are measured apart, each with an interval as wide as it is unsure."""

import math

import pytest
import torch

import coursekit as kit
from coursekit.interpret import Interpretation
from coursekit.subgroups import compare_groups, resampled, show_groups, wilson


@pytest.fixture
def seen():
    """Of kind "mono" 9 of 10 are right, of kind "poly" 2 of 10."""
    right = torch.tensor([1] * 9 + [0] + [1] * 2 + [0] * 8).bool()
    truth = torch.tensor([0, 1] * 10)
    said = torch.where(right, truth, 1 - truth)
    chances = torch.nn.functional.one_hot(said, 2) * 0.8 + 0.1
    losses = -chances[range(20), truth].log()
    raw = [{"kind": "mono" if number < 10 else "poly", "size": number} for number in range(20)]
    typed = kit.Category(truth, vocab=("sound", "broken"))
    return Interpretation(
        [None] * 20, chances, truth, losses, ("sound", "broken"), raw=raw, typed_targets=typed
    )


def test_the_group_it_fails_stands_first_with_its_interval(seen):
    table = compare_groups(seen, by="kind")

    assert table.index.tolist() == ["poly", "mono"]
    assert table["items"].tolist() == [10, 10]
    assert table["accuracy"].tolist() == pytest.approx([0.2, 0.9])
    assert table.loc["poly", "to"] < table.loc["mono", "from"]


@pytest.mark.parametrize(
    "by", [lambda item: item["size"] >= 10, [False] * 10 + [True] * 10], ids=["function", "list"]
)
def test_groups_may_be_a_function_or_a_list(seen, by):
    assert compare_groups(seen, by)["accuracy"].to_dict() == pytest.approx({True: 0.2, False: 0.9})


def test_any_metric_is_measured_and_draws_again_the_same(seen):
    found = compare_groups(seen, "kind", kit.Recall("broken"), seed=1)

    assert list(found.columns) == ["items", "recall of broken", "from", "to"]
    assert found["recall of broken"].to_dict() == pytest.approx({"poly": 0.2, "mono": 0.8})
    assert found.equals(compare_groups(seen, "kind", kit.Recall("broken"), seed=1))
    assert compare_groups(seen, "kind", kit.error_rate).columns[1] == "error rate"


def test_what_has_no_kinds_is_measured_by_its_loss_the_highest_first():
    losses = torch.tensor([1.0, 1.0, 5.0, 7.0])
    amounts = Interpretation([None] * 4, losses, losses, losses, (), raw=list("aabb"))

    table = compare_groups(amounts, lambda name: name)
    assert table["loss"].to_dict() == {"b": 6, "a": 1}
    assert table.index[0] == "b"
    assert 5 <= table.loc["b", "from"] <= table.loc["b", "to"] <= 7


def test_wilsons_interval_is_scipys():
    stats = pytest.importorskip("scipy.stats")
    for right, count in ((0, 3), (5, 7), (90, 100)):
        ours = wilson(right, count)
        theirs = stats.binomtest(right, count).proportion_ci(method="wilson")
        assert ours[1:] == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_one_item_says_nothing_of_how_sure_one_can_be():
    value, low, high = resampled(lambda some: float(some.float().mean()), torch.tensor([4]))

    assert value == 4
    assert math.isnan(low)
    assert math.isnan(high)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """All that can happen with thirty items, each as often as it does, for nine true shares."""
    held = []
    for true in (number / 10 for number in range(1, 10)):
        ways = [math.comb(30, right) * true**right * (1 - true) ** (30 - right) for right in range(31)]
        ends = [wilson(right, 30)[1:] for right in range(31)]
        held.append(sum(way for way, (low, high) in zip(ways, ends, strict=True) if low <= true <= high))

    assert 0.945 < sum(held) / len(held) < 0.96
    assert min(held) > 0.92


def test_groups_are_drawn_and_said_in_words(seen):
    from matplotlib import pyplot

    show_groups(compare_groups(seen, "kind"))

    labels = [label.get_text() for label in pyplot.gca().get_yticklabels()]
    assert labels == ["poly (10)", "mono (10)"]
    assert pyplot.gcf().alt_text.startswith(
        "accuracy by group, the worst first: poly 0.2 (0.0567 to 0.51, 10 items)"
    )
    pyplot.close("all")


def test_what_does_not_fit_is_told_in_words(seen):
    with pytest.raises(ValueError, match="there are 20 items and 3 groups"):
        compare_groups(seen, ["a", "b", "c"])
    with pytest.raises(KeyError, match="colour"):
        compare_groups(seen, "colour")
