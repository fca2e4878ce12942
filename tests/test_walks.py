"""What is kept of a walk through the steps: each element before and after, and what halted it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import coursekit as kit
from coursekit.blocks import Sampled
from coursekit.transforms import Pipeline
from coursekit.walks import Halted, Walk, told


def test_each_step_is_kept_for_each_element():
    sample = Sampled(0, 1, Pipeline(kit.Create(kit.Image)), Pipeline(kit.Categorize(["a"])))
    walk = Walk()
    walk.item((torch.zeros(3, 4, 4), "a"), sample, [kit.Resize(2)])

    assert [row[:2] for row in walk.rows] == [
        ("Create", "input"),
        ("Categorize", "target"),
        ("Resize", "input"),
        ("Resize", "target"),
    ]
    assert walk.rows[2][3].startswith("an Image of shape (3, 2, 2)")


def test_a_walk_is_halted_with_what_was_given():
    sample = Sampled(0, 1, Pipeline(), Pipeline(kit.Categorize(["a"])))

    with pytest.raises(Halted) as caught:
        Walk().item((1, "b"), sample, [])
    assert (caught.value.step, caught.value.side) == ("Categorize", "target")
    assert caught.value.given == {"target": "the text 'b'"}


def test_an_element_of_a_sample_is_named():
    sample = Sampled(0, 1, Pipeline(), Pipeline())

    with pytest.raises(Halted) as caught:
        Walk().item(
            (1, kit.Image(torch.zeros(3, 2, 2, dtype=torch.uint8))), sample, [kit.Normalize([0.5], [1])]
        )
    assert caught.value.side == "target"
    assert list(caught.value.given) == ["input", "target"]


def test_values_are_told_in_words(tmp_path: Path):
    assert told(tmp_path) == f"the folder {str(tmp_path)!r}"
    assert told(True) == "True"
    assert told({"a": 1}) == "a record of 1 (a)"
