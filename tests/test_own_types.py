"""The page for people who add a type of their own: all of its code runs, and does what its comments say."""

from __future__ import annotations

import importlib
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib import pyplot
from pages_of_code import PageOfCode

import coursekit as kit

PAGE = PageOfCode("own_types")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the code of the page leaves behind."""
    return PAGE.run().names


def test_what_stands_in_a_comment_is_what_comes_out(names: dict[str, Any]) -> None:
    assert len(PAGE.compared) >= 4
    assert PAGE.wrong() == []


def test_each_type_takes_fewer_than_thirty_lines(names: dict[str, Any]) -> None:
    for code in PAGE.blocks:
        assert len([line for line in code.splitlines() if line.strip()]) < 30


def test_a_type_of_ones_own_is_turned_with_the_rest(names: dict[str, Any]) -> None:
    scene, clap = names["scene"], names["clap"]

    assert type(kit.flip(scene)) is names["DepthPhoto"]
    assert torch.equal(kit.plain(kit.rotate(clap, 360)), kit.plain(clap))
    assert "_(x: Sound" in str(kit.rotate.methods) or "rotate(x: Sound" in str(kit.rotate.methods)


def test_the_table_names_all_that_a_type_can_say() -> None:
    said = set(re.findall(r"^\| `(\w+)", PAGE.text, re.MULTILINE))

    assert said >= {"axes", "dtypes", "keeps", "item_metadata", "shared_metadata", "counts", "row_metadata"}
    assert all(hasattr(kit.TypedTensor, name) for name in said)


def test_own_types_are_shown_like_any_other(names: dict[str, Any]) -> None:
    sound, drawing, scene = names["Sound"](names["names"][0]), names["sample"][1], names["scene"]
    kit.show_grid([sound, drawing, scene, (sound, "low")])
    texts = pyplot.gcf().alt_text  # type: ignore[attr-defined]
    kit.show(kit.typed_like(torch.rand(2, 4, 60, 80), scene))
    kit.show((names["sample"][0], drawing, "both"))
    pyplot.close("all")

    assert texts.startswith("4 drawings.")
    assert kit.alt_text(sound) == "A sound, 0.1 seconds long."


def test_what_a_turn_uncovers_is_infinitely_far_away_in_a_batch_too(names: dict[str, Any]) -> None:
    turned = kit.rotate(names["DepthPhoto"](torch.rand(2, 4, 60, 80)), 30)

    assert turned[:, 3, 0, 0].isinf().all()
    assert turned[:, :3].isfinite().all()


def test_drawings_of_any_length_make_a_batch(names: dict[str, Any]) -> None:
    drawing = names["sample"][1]
    pairs = [(drawing[row:], name) for row, name in ((0, "long"), (1, "short"), (0, "long"), (1, "short"))]
    inputs = kit.Block(item=[kit.Create(names["Drawing"]), names["FillUp"](5)])
    block = kit.DataBlock(inputs, kit.Category, split=([0, 1], [2, 3]), input_from=0, target_from=1)
    data = block.loaders(pairs, batch_size=2)
    decoded = {name: one.strokes for one, name in data.decode_batch(data.one_batch())}

    assert decoded == {"long": (0, 0, 1), "short": (0, 1)}


def test_a_type_in_a_file_can_be_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = [block for block in PAGE.blocks if "Sound" in block and "kit.DataBlock" not in block][:2]
    (tmp_path / "sounds.py").write_text("\n".join(["import torch", "import coursekit as kit", *code]))
    monkeypatch.syspath_prepend(tmp_path)
    sound = importlib.import_module("sounds").Sound(torch.zeros(8), rate=4)
    torch.save({"one": sound}, tmp_path / "sound.pt")
    loaded = torch.load(tmp_path / "sound.pt", weights_only=True)["one"]

    assert repr(loaded) == repr(pickle.loads(pickle.dumps(sound))) == repr(sound)
