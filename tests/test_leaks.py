"""The same input on both sides, and labels that are missing, are found before anything is learned."""

from __future__ import annotations

import os
from pathlib import Path

import pandas
import pytest
import torch

import coursekit as kit
from coursekit.blocks import Sampled
from coursekit.leaks import check_labels, check_leaks, file_number, identity
from coursekit.transforms import Pipeline

BOTH = Sampled("photo", "label", Pipeline(), Pipeline())


def test_a_file_is_the_same_by_every_name(tmp_path: Path) -> None:
    (tmp_path / "one.png").touch()
    (tmp_path / "two.png").touch()
    os.link(tmp_path / "one.png", tmp_path / "hard.png")
    (tmp_path / "soft.png").symlink_to(tmp_path / "one.png")
    one = file_number(tmp_path / "one.png")

    assert one == file_number(tmp_path / "hard.png") == file_number(str(tmp_path / "soft.png"))
    assert one != file_number(tmp_path / "two.png")
    items = [{"photo": tmp_path / name, "label": "a"} for name in ("one.png", "two.png", "soft.png")]
    check_leaks(items, BOTH, ([0], [1]))
    with pytest.raises(
        ValueError, match=r"the same file .* item 0 and item 2 are both '.*soft\.png' \(1 held-out"
    ):
        check_leaks(items, BOTH, ([0, 1], [2]))


def test_the_very_same_object_is_found_and_equal_ones_are_not() -> None:
    photo = torch.zeros(3, 2, 2)

    with pytest.raises(ValueError, match="the same object is to be learned from and held out"):
        check_leaks([{"photo": photo, "label": "a"}] * 2, BOTH, ([0], [1]))
    check_leaks([{"photo": photo.clone(), "label": "a"} for _ in range(2)], BOTH, ([0], [1]))
    check_leaks([{"photo": number, "label": "a"} for number in (3, 3)], BOTH, ([0], [1]))
    assert identity("no such file") is None


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_label_that_is_missing_is_named(missing: float | None) -> None:
    items = [{"photo": 1, "label": "a"}, {"photo": 2, "label": missing}]

    with pytest.raises(
        ValueError, match=r"1 of 2 items have no target: 'label' is missing in item 1\. Leave"
    ):
        check_labels(items, BOTH)


def test_a_group_on_both_sides_is_refused_whatever_made_the_split() -> None:
    rows = [{"input": float(n), "target": n, "cow": n // 2} for n in range(6)]
    block = kit.DataBlock(kit.Target, kit.Target, kit.RandomSplit(0.5, seed=1), groups="cow")

    with pytest.raises(ValueError, match="groups stand on both sides of the split"):
        block.loaders(rows)


def test_what_is_learned_for_one_fold_is_forgotten_for_the_next() -> None:
    """The held-out amounts of one fold are among those learned from in the next: nothing may stay."""
    rows = [{"input": {"x": float(n)}, "target": n} for n in range(6)]
    scale = kit.Normalize()
    means = []
    for fold in range(3):
        inputs = kit.Block(item=(kit.Tabulate(), scale))
        data = kit.DataBlock(inputs, kit.Target, kit.FoldSplit(3, fold)).loaders(rows)
        step = data.recipe.inputs.steps[1]
        held = kit.FoldSplit(3, fold)(rows)[1]
        means.append(step.mean[0] == pytest.approx((15 - sum(held)) / 4))

    assert means == [True] * 3
    assert scale.mean is None


def test_a_target_among_the_inputs_is_refused_and_a_text_that_is_told_on_is_not() -> None:
    rows = [{"age": n, "sick": "ny"[n % 2], "note": f"a note {n % 3}"} for n in range(10)]
    split = ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])

    with pytest.raises(ValueError, match="'sick' goes in and is to come out as well"):
        kit.DataBlock(kit.Row, kit.Category, split, ["age", "sick"], "sick").loaders(rows)
    several = {"note": "note", "row": ["age", "sick"]}
    with pytest.raises(ValueError, match="'sick' goes in"):
        kit.DataBlock({"note": kit.Text, "row": kit.Row}, kit.Category, split, several, "sick").loaders(rows)
    assert kit.DataBlock(kit.Text, kit.Text, split, "note", "note").loaders(rows).one_batch()


def test_an_empty_cell_of_several_names_may_mean_none_of_them() -> None:
    table = pandas.DataFrame({"x": range(6), "marks": ["a|b", "a", None, "b", "a", "b"]})
    block = kit.DataBlock(kit.Target, kit.MultiCategory, ([0, 1, 2, 3], [4, 5]), "x", "marks")

    with pytest.raises(ValueError, match=r"means none of the names: table\['marks'\]\.fillna\(''\) says so"):
        block.loaders(table)
    table["marks"] = table["marks"].fillna("")
    data = block.loaders(table, batch_size=4)
    assert sorted(map(tuple, data.one_batch()[1].tolist())) == [(0, 0), (0, 1), (1, 0), (1, 1)]
