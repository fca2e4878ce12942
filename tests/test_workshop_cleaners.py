"""The data cleaner: decisions stay whatever is switched to, and only what has kinds of photos is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
from fruit import fruit

import coursekit as kit
from coursekit.workshop.changes import Changes
from coursekit.workshop.showing import Cleaning


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> kit.Learner:
    """A learner of small photos, of which one is filed wrongly."""
    folder = fruit(tmp_path_factory.mktemp("cleaner") / "fruit", each=14)
    (folder / "raw" / "raw_03.jpg").rename(folder / "ripe" / "wrong.jpg")
    block = kit.DataBlock(
        kit.Image, kit.Category, kit.StratifiedSplit("label", seed=1), item_transforms=[kit.Resize(32)]
    )
    data = block.loaders(folder, batch_size=6)
    kit.seed_everything(1)
    learner = kit.vision_learner(data, callbacks=[kit.Progress("off")], device="cpu")
    learner.freeze()
    learner.fit_one_cycle(5, rate=5e-3)
    return learner


@pytest.fixture
def cleaning(learner: kit.Learner, tmp_path: Path) -> Cleaning:
    return kit.clean(learner, tmp_path / "changes.csv")


def test_every_photo_of_both_sides_is_there_with_its_loss(cleaning: Cleaning, learner: kit.Learner):
    items, seen = cleaning.cleaner.items, kit.examine(learner)
    held = [one for one in items if one.side == "held out"]

    assert len(items) == 28
    assert [one.loss for one in held] == pytest.approx(seen.losses.tolist(), abs=1e-5)
    assert cleaning.view()["table"] == seen.confusion().tolist()
    assert [card["loss"] for card in cleaning.view()["cards"]] == sorted(
        (card["loss"] for card in cleaning.view()["cards"]), reverse=True
    )


def test_a_wrong_label_is_among_the_first(cleaning: Cleaning):
    assert "wrong.jpg" in [card["name"] for card in cleaning.view()["cards"][:3]]


def test_decisions_stay_whatever_is_switched_to(cleaning: Cleaning, learner: kit.Learner, tmp_path: Path):
    wrong = next(one.item for one in cleaning.cleaner.items if one.item.endswith("wrong.jpg"))
    cleaning.act({"do": "label", "item": wrong, "now": "raw"})
    for what in (
        *({"side": "held out"}, {"kind": "ripe"}, {"said": "raw"}, {"order": "agreed"}, {"page": 99}),
        {"side": "", "kind": "", "said": ""},
    ):
        cleaning.act({"do": "show"} | what)
        assert cleaning.changes[["item", "was", "now"]].values.tolist() == [[wrong, "ripe", "raw"]]
    assert cleaning.view()["shown"]["order"] == "agreed"
    assert kit.clean(learner, tmp_path / "changes.csv").changes["now"].tolist() == ["raw"]

    table = pandas.DataFrame(kit.find_items(Path(wrong).parent.parent))
    changed = kit.apply_changes(table, tmp_path / "changes.csv").set_index(table["file"].astype(str))
    assert changed["label"][wrong] == "raw"
    cleaning.act({"do": "undo"})
    assert cleaning.changes.empty
    assert Path(wrong).exists()


def test_what_the_model_was_told_of_can_be_taken_back_and_decided_again(learner: kit.Learner, tmp_path: Path):
    known = next(one for one in kit.clean(learner, None).cleaner.items if one.item.endswith("wrong.jpg"))
    Changes(tmp_path / "changes.csv").decide(known.item, "raw", known.label)
    cleaning = kit.clean(learner, tmp_path / "changes.csv")

    cleaning.act({"do": "label", "item": known.item, "now": "raw"})
    assert cleaning.view()["said"] == "wrong.jpg keeps its label, raw."
    assert cleaning.changes.empty
    card = next(one for one in cleaning.view()["cards"] if one["item"] == known.item)
    assert (card["label"], card["now"]) == ("ripe", "raw")
    cleaning.act({"do": "label", "item": known.item, "now": "ripe"})
    assert cleaning.changes[["was", "now"]].values.tolist() == [["raw", "ripe"]]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"do": "label", "item": "nothing.jpg", "now": "raw"}, "there is no photo 'nothing.jpg'"),
        ({"do": "show", "kind": "rotten"}, "there is no kind 'rotten'; there is '', 'raw', 'ripe'"),
        ({"do": "undo"}, "There is nothing to take back."),
    ],
)
def test_a_wrong_click_is_answered_with_a_sentence(cleaning: Cleaning, action: dict[str, Any], words: str):
    cleaning.act(action)

    assert cleaning.view()["said"].startswith(words)
    assert cleaning.changes.empty


def test_pages_and_pictures(cleaning: Cleaning):
    first = [card["item"] for card in cleaning.view()["cards"]]
    cleaning.act({"do": "show", "page": 2})
    last = [card["item"] for card in cleaning.view()["cards"]]

    assert (len(first), len(last), cleaning.view()["pages"]) == (12, 4, 3)
    assert not set(first) & set(last)
    assert all(small[:2] == b"\xff\xd8" for small in cleaning.pictures([*first, "nothing.jpg"]).values())
    assert len(cleaning.pictures([*first, "nothing.jpg"])) == 12


def test_photos_without_files_have_numbers_and_pictures(learner: kit.Learner):
    photos = [torch.full((3, 32, 32), 200 * (number % 2), dtype=torch.uint8) for number in range(4)]
    table = pandas.DataFrame({"photo": photos, "label": list("abab")})
    data = kit.DataBlock(kit.Image, kit.Category, split=([0, 1], [2, 3])).loaders(table)
    cleaning = kit.clean(kit.vision_learner(data, pretrained=False, device="cpu"), None)

    assert sorted(one.item for one in cleaning.cleaner.items) == ["0", "1", "2", "3"]
    assert cleaning.pictures(["3"])["3"][:2] == b"\xff\xd8"
    cleaning.act({"do": "label", "item": "3", "now": "a"})
    assert kit.apply_changes(table.drop(columns="photo"), cleaning.changes)["label"].tolist() == list("abaa")


def test_what_has_no_kinds_is_refused():
    data = kit.DataBlock(kit.Row, kit.Category, ([0, 1], [2, 3]), ["age"], "label").loaders(
        pandas.DataFrame({"age": [1.0, 2, 3, 4], "label": list("abab")})
    )
    learner = kit.Learner(data, torch.nn.Linear(1, 2), kit.CrossEntropy(), device="cpu")
    with pytest.raises(TypeError, match="photos that are each of one kind; an item of this learner is"):
        kit.clean(learner)

    plain = kit.Learner(([], None), torch.nn.Linear(1, 2), kit.CrossEntropy(), device="cpu")
    with pytest.raises(TypeError, match=r"the data of this learner are .* without kinds"):
        kit.clean(plain)
