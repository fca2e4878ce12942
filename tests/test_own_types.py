"""The page for people who add a type of their own: all of its code runs, and does what its comments say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib import pyplot

import coursekit as kit

PAGE = Path(__file__).parent.parent / "book" / "own_types.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the code of the page leaves behind."""
    made: dict[str, Any] = {"__name__": "own_types_page"}
    for number, code in enumerate(BLOCKS):
        exec(compile(code, f"own_types.md, block {number + 1}", "exec"), made)
    pyplot.close("all")
    return made


def test_what_stands_in_a_comment_is_what_comes_out(names: dict[str, Any]) -> None:
    said = [
        line.split("  # ", 1) for code in BLOCKS for line in code.splitlines() if re.match(r"\S.*  # ", line)
    ]
    values = [(code, comment) for code, comment in said if not code.startswith((" ", "@", "class"))]

    assert len(values) >= 4
    for code, comment in values:
        expected = comment.partition(": ")[0]
        assert repr(eval(code, names)) == expected


def test_each_type_takes_fewer_than_thirty_lines(names: dict[str, Any]) -> None:
    for code in BLOCKS:
        assert len([line for line in code.splitlines() if line.strip()]) < 30


def test_a_type_of_ones_own_is_turned_with_the_rest(names: dict[str, Any]) -> None:
    scene, clap = names["scene"], names["clap"]

    assert type(kit.flip(scene)) is names["DepthPhoto"]
    assert torch.equal(kit.plain(kit.rotate(clap, 360)), kit.plain(clap))
    assert "_(x: Sound" in str(kit.rotate.methods) or "rotate(x: Sound" in str(kit.rotate.methods)


def test_the_table_names_all_that_a_type_can_say() -> None:
    said = set(re.findall(r"^\| `(\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE))

    assert said >= {"axes", "dtypes", "keeps", "item_metadata", "shared_metadata", "counts", "row_metadata"}
    assert all(hasattr(kit.TypedTensor, name) for name in said)
