"""What a data block says of itself: a sentence, a walk; of a broken one, where it breaks and what to do."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
import torch
from PIL import Image as Pillow

import coursekit as kit
from coursekit.summaries import BlockSummary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight photos of two kinds, of two sizes, with a mask beside each."""
    for number in range(8):
        kind = ("ripe", "raw")[number % 2]
        for name in (kind, "masks"):
            (tmp_path / name).mkdir(exist_ok=True)
        size = (20, 30, 3) if number < 6 else (24, 30, 3)
        Pillow.fromarray(numpy.full(size, number * 30, dtype=numpy.uint8)).save(
            tmp_path / kind / f"{number}.png"
        )
        mask = numpy.full((20, 30), number % 2, dtype=numpy.uint8)
        Pillow.fromarray(mask).save(tmp_path / "masks" / f"{number}.png")
    return tmp_path


def table(folder: Path) -> pandas.DataFrame:
    files = sorted(file for kind in ("ripe", "raw") for file in (folder / kind).iterdir())
    files.sort(key=lambda file: file.stem)
    return pandas.DataFrame(
        {
            "photo": files,
            "label": [file.parent.name for file in files],
            "tree": [0, 0, 1, 1, 2, 2, 3, 3],
            "weight": [80.0, 81, 82, 83, 84, 85, 86, 87],
            "notes": [f"picked by hand, number {number}" for number in range(8)],
        }
    )


def block(**changes: Any) -> kit.DataBlock:
    settings = {"inputs": kit.Image, "targets": kit.Category, "split": kit.GroupSplit("tree", valid=0.25)}
    return kit.DataBlock(**{"item_transforms": [kit.Resize(16)], **settings, **changes})


def said(summary: BlockSummary) -> str:
    """What is said of a failure, and by the way that both forms of the summary can be made."""
    text, page = str(summary), summary._repr_html_()
    print("\n-----\n" + text)
    assert summary.failure is not None
    assert text.endswith(summary.failed()[0])
    assert page.endswith("</pre>")
    for line in (
        "It fails at ",
        "went in ",
        "came out  nothing",
        "What it says: ",
        "The usual cause: ",
        "What to do: ",
    ):
        assert line in summary.failed()[0]
    return summary.failed()[0]


def test_a_sound_block_is_walked_from_the_file_to_the_batch(folder: Path) -> None:
    summary = block(batch_transforms=[kit.Normalize()]).summary(table(folder))
    text = str(summary)

    assert summary.failure is None
    assert "Found 8 items; the first\n    photo: the file '" in text
    assert "label: the text 'ripe'" in text
    assert "6 items to learn from, 2 held out" in text
    assert "ripe: 3 to learn from, 1 held out" in text
    assert "One item, number 0, from " in text
    assert "Create      input" in text
    assert "an Image of shape (3, 20, 30), torch.uint8" in text
    assert "Resize      target   Category(1, 'ripe')" in text
    assert "One batch, of 6 items" in text
    assert "6 of an Image of shape (3, 16, 16), torch.uint8" in text
    assert "an Image of shape (6, 3, 16, 16), torch.float32  decode" in text
    assert text.endswith("6 items to learn from, 2 held out were made.")
    assert summary._repr_html_().count("<table>") == 2


def test_a_summary_leaves_the_block_as_it_was(folder: Path) -> None:
    scale = kit.Normalize()
    block(batch_transforms=[scale]).summary(table(folder))

    assert scale.mean is None


def test_several_inputs_are_walked_one_by_one(folder: Path) -> None:
    inputs = {"picture": kit.Image, "grams": kit.Target}
    summary = block(inputs=inputs, input_from={"picture": "photo", "grams": "weight"}).summary(table(folder))

    assert summary.failure is None
    assert "input 'picture'" in str(summary)
    assert "input 'grams'" in str(summary)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {},
            "An Image goes in, made from its photo, file, image, text or input, and a Category is to",
        ),
        (
            {},
            "25% of the groups that 'tree' names, chosen at random. Each item passes Resize(size=16",
        ),
        ({"targets": None, "input_from": "photo"}, "An Image goes in, made from 'photo'. Held out"),
        ({"inputs": (kit.Image, kit.Row)}, "An Image and a Row go in"),
        ({"targets": kit.Boxes}, "and Boxes are to come out"),
        ({"split": ([0, 1], [2])}, "Learned from: 2 items, held out: 1."),
        ({"split": lambda items: None}, "What is held out, a function decides."),
        ({"groups": "tree"}, "What has the same 'tree' stays on one side."),
        ({"input_from": ["a", "b"], "inputs": kit.Row}, "A Row goes in, made from the columns 'a', 'b',"),
        ({"split": kit.FolderSplit("test")}, "Held out: the files in the folder 'test'."),
        ({"split": kit.FoldSplit(5, 1)}, "Held out: part 2 of 5."),
    ],
)
def test_a_block_is_a_sentence(changes: dict[str, Any], words: str) -> None:
    assert words in str(block(**changes))


def test_no_such_column(folder: Path) -> None:
    text = said(block(target_from="Label").summary(table(folder)))

    assert "It fails at taking the target, on the target of item 0 (" in text
    assert "an item has no 'Label'; it has photo, label, tree, weight, notes" in text
    assert "capital letters and spaces count" in text


def test_labels_that_are_missing(folder: Path) -> None:
    cells = table(folder)
    cells.loc[[2, 5], "label"] = None
    text = said(block().summary(cells))

    assert "It fails at looking at the labels" in text
    assert "2 of 8 items have no target: 'label' is missing in item 2, among others" in text
    assert "table.dropna(subset=['label'])" in text


def test_one_kind_only_is_said(folder: Path) -> None:
    cells = table(folder).assign(label="ripe")
    summary = block().summary(cells)

    assert "Mind: all items to learn from are 'ripe', so there is nothing to tell apart." in str(summary)


def test_photos_of_unequal_sizes(folder: Path) -> None:
    text = said(block(item_transforms=[], split=([0, 1, 2, 6, 7], [3])).summary(table(folder)))

    assert "It fails at collate" in text
    assert "input of item 0: an Image of shape (3, 20, 30), torch.uint8" in text
    assert "input of item 6: an Image of shape (3, 24, 30), torch.uint8" in text
    assert "item_transforms=[Resize(160)]" in text


def test_a_mask_of_another_size_than_its_photo(folder: Path) -> None:
    masks = kit.FilePath(str(folder / "masks" / "{photo.stem}.png"))
    text = said(block(targets=kit.Mask, target_from=masks, split=([0, 6], [1])).summary(table(folder)))

    assert "It fails at ShareCanvas, on item 6 (" in text
    assert "input: an Image of shape (3, 24, 30), torch.uint8" in text
    assert "target: a Mask of shape (20, 30), torch.int64" in text
    assert "the picture is 24 x 30 pixels and its mask 20 x 30" in text
    assert "paired wrongly" in text


def test_inputs_and_targets_in_the_wrong_order(folder: Path) -> None:
    text = said(block(inputs=kit.Category, targets=kit.Image).summary(table(folder)))

    assert "It fails at Create, on the target of item 0" in text
    assert "there is no file 'ripe' in the folder Python runs in" in text
    assert "inputs and targets are in the wrong order" in text


def test_names_of_files_without_their_folder(folder: Path) -> None:
    cells = table(folder)
    cells["photo"] = [file.name for file in cells["photo"]]
    text = said(block().summary(cells))

    assert "It fails at Create, on the input of item 0 (0.png)." in text
    assert f"there is no file '0.png' in the folder Python runs in, {Path.cwd()}" in text
    assert "input_from=FilePath(" in text


def test_a_function_where_a_step_should_be(folder: Path) -> None:
    text = said(block(item_transforms=[lambda x: x]).summary(table(folder)))

    assert "It fails at putting the steps together" in text
    assert "Make a step of it, class Mine(Transform)" in text


def test_a_scale_before_there_are_floats(folder: Path) -> None:
    text = said(block(item_transforms=[kit.Resize(16), kit.Normalize()]).summary(table(folder)))

    assert "It fails at Normalize, on" in text
    assert "Normalize works on floats; this is an Image of shape (3, 16, 16), torch.uint8" in text
    assert "Move the step from item_transforms to batch_transforms" in text


def test_a_label_that_was_never_learned(folder: Path) -> None:
    cells = table(folder)
    cells.loc[7, "label"] = "rotten"
    text = said(block(split=([0, 1, 2, 3], [4, 5, 6, 7])).summary(cells, batch_size=2))

    assert "It fails at Categorize, on the target of item 7" in text
    assert "'rotten' is not one of the 2 names seen in the training items (raw, ripe)" in text
    assert "StratifiedSplit(column)" in text


def test_a_text_among_the_columns_of_a_row() -> None:
    rows = pandas.DataFrame(
        {"age": range(120), "notes": [f"case {n}" for n in range(120)], "label": ["a", "b"] * 60}
    )
    text = said(
        kit.DataBlock(kit.Row, kit.Category, kit.RandomSplit(), input_from=["age", "notes"]).summary(rows)
    )

    assert "the column 'notes' of a Row holds 96 different texts in 96 rows ('case " in text
    assert "Take it out of the list of columns" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"split": ([0, 2, 4], [1, 3]), "groups": "tree"},
            "2 groups stand on both sides of the split: 0, for one",
        ),
        ({"split": ([0, 1, 2], [2, 3])}, "1 items stand on both sides of the split"),
        (
            {"split": kit.StratifiedSplit("notes")},
            "and 7 more kinds each have a single item, which cannot be learned from and held",
        ),
    ],
)
def test_splits_that_leak_or_cannot_be(folder: Path, changes: dict[str, Any], words: str) -> None:
    text = said(block(**changes).summary(table(folder)))

    assert "It fails at splitting" in text
    assert words in text


def test_the_same_file_on_both_sides(folder: Path) -> None:
    cells = pandas.concat([table(folder)] * 2, ignore_index=True)
    text = said(block(split=kit.RandomSplit(seed=1)).summary(cells))

    assert "the same file is to be learned from and held out: item " in text
    assert "split=GroupSplit('photo')" in text


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    text = said(block().summary(tmp_path / "fotos"))

    assert "It fails at finding items" in text
    assert f"{tmp_path / 'fotos'} does not exist; a folder is looked for." in text
    assert "Give the whole path" in text


def test_a_folder_without_photos(tmp_path: Path) -> None:
    for name in ("one.heic", "two.heic", "notes.docx"):
        (tmp_path / name).touch()
    text = said(block().summary(tmp_path))

    assert f"no photo, scan or text was found in {tmp_path}, which holds 3 files: 2 .heic, 1 .docx" in text


def test_slices_without_what_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        (tmp_path / f"{number}.dcm").write_bytes(b"\0" * 128 + b"DICM")
    importing = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "pydicom":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return importing(name, *rest, **more)

    for name in [name for name in sys.modules if name.partition(".")[0] == "pydicom"]:
        monkeypatch.delitem(sys.modules, name)  # another test may have read slices
    monkeypatch.setattr(builtins, "__import__", refuse)
    text = said(block(inputs=kit.DicomImage, split=kit.RandomSplit()).summary(tmp_path))

    assert "It fails at Create, on the input of item" in text
    assert "pydicom" in text
    assert "Install it, restart Python" in text


def test_a_photo_that_is_none(folder: Path) -> None:
    cells = table(folder)
    Path(cells["photo"][1]).write_text("hello")
    text = said(block(split=([0, 1, 2], [3])).summary(cells))

    assert f"It fails at Create, on the input of item 1 ({cells['photo'][1]})." in text
    assert "Open it with another program" in text


def test_a_broken_photo_met_while_learning_is_named(folder: Path) -> None:
    cells = table(folder)
    Path(cells["photo"][5]).write_text("hello")
    first = kit.Block(item=(kit.Create(kit.Image), kit.ToFloat(), kit.Normalize()))
    text = said(block(inputs=first, split=([0, 1, 2, 5], [3])).summary(cells))

    assert "It fails at Create, on the input of item 5" in text


def test_sizes_that_differ_among_what_is_held_out_alone_are_met(folder: Path) -> None:
    text = said(block(item_transforms=[], split=([0, 1, 2, 3], [4, 5, 6, 7])).summary(table(folder)))

    assert "It fails at collate" in text
    assert "input of item 6: an Image of shape (3, 24, 30)" in text


@pytest.mark.parametrize("vocab", [None, ("ground", "fruit")])
def test_a_mask_whose_numbers_are_no_classes(vocab: Any) -> None:
    mask = torch.tensor([[0, 255]]).repeat(2, 1)
    target = kit.Block(item=[kit.Create(kit.Mask, **({} if vocab is None else {"vocab": vocab}))])
    items = [(torch.zeros(3, 2, 2), mask.clone()) for _ in range(4)]
    summary = kit.DataBlock(kit.Image, target, ([0, 1], [2, 3])).summary(items)

    assert summary.failure is None
    assert "Mind\n    a mask holds the number 255, and " in str(summary)
    assert ("the 2 names in its vocab are of 0 to 1" in str(summary)) == (vocab is not None)


@pytest.mark.parametrize(
    ("changes", "source", "words"),
    [
        ({"inputs": "photo"}, None, "inputs and targets are types"),
        ({"find": lambda source: 1 / 0}, None, "division by zero"),
        ({}, {1, 2}, "A set has no order"),
        ({"split": lambda items: 3}, None, "a split is a pair"),
        ({"split": ([0, 1], [6, 7]), "target_from": "weight"}, None, "told with targets=Target"),
        ({"targets": kit.Target}, None, "told with targets=Category"),
        ({"targets": kit.Target, "target_from": ["weight", "tree"]}, None, "told side by side"),
        ({"split": kit.RandomSplit}, None, "Write what it says above"),
        ({"split": 0.2}, None, "Write what it says above"),
        ({"split": kit.GroupSplit("Tree")}, None, "into the split, or into groups="),
        ({"inputs": kit.Row, "input_from": ["weight", "label"]}, None, "will be known before the answer is"),
        ({"split": ([0], [1])}, (numpy.zeros((2, 4, 9, 9), numpy.uint16), ["a", "a"]), "float32 from 0 to 1"),
        ({}, [{"photo": torch.zeros(3, 4, 4), "label": "a"}], "only one item in all"),
        ({"inputs": kit.Target, "input_from": "notes"}, None, "Target is made of numbers"),
    ],
)
def test_nothing_makes_a_summary_raise(folder: Path, changes: Any, source: Any, words: str) -> None:
    if isinstance(source, list):
        changes = {**changes, "split": ([0], [])}
    assert words in said(block(**changes).summary(table(folder) if source is None else source))
