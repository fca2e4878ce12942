"""Plain data go into a file and come back as they were; what a file may name is narrow."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import coursekit as kit
from coursekit.saving import made, may_be_named, written


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        float("inf"),
        "ü",
        [1, (2, 3)],
        {"a": (1,), 3: None},
        Path("a/b"),
        kit.Image,
        torch.Size([2]),
    ],
)
def test_values_come_back_as_they_were(value):
    assert made(written(value), {}) == value


def test_steps_come_back_with_their_settings():
    step = kit.Create(kit.Mask, vocab=("sky", "tree"))

    assert repr(made(written(step), {})) == repr(step)
    assert repr(made(written(kit.Warp(kit.Flip(), size=8)), {})) == repr(kit.Warp(kit.Flip(), size=8))


def test_only_steps_types_and_settings_may_be_named():
    assert may_be_named(kit.Resize)
    assert may_be_named(kit.FilePath)
    assert not may_be_named(kit.Learner)
    assert not may_be_named(dict)
    with pytest.raises(TypeError, match=r"the set \{1\} is none of them. Write a class"):
        written({1})
