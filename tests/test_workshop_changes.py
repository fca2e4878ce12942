"""Changes to labels: kept at once, taken back, applied to the table they were made for and to no other."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas
import pytest

import coursekit as kit
from coursekit.workshop.changes import Changes


@pytest.fixture
def table(tmp_path: Path) -> pandas.DataFrame:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in "abc":
        (photos / f"{name}.jpg").touch()
    return pandas.DataFrame(
        {"photo": sorted(photos.iterdir()), "label": ["cat", "cat", "dog"], "kept": [1, 2, 3]}
    )


def test_each_decision_is_on_the_disk_at_once_and_is_taken_up_again(tmp_path: Path, table: pandas.DataFrame):
    file = tmp_path / "changes.csv"
    changes = Changes(file)
    changes.decide(str(table["photo"][1]), "cat", "dog")
    changes.decide(str(table["photo"][2]), "dog", "", "blurred")

    assert list(Changes(file)) == list(changes)
    assert kit.apply_changes(table, file).values.tolist() == [
        [table["photo"][0], "cat", 1],
        [table["photo"][1], "dog", 2],
    ]
    assert table["label"].tolist() == ["cat", "cat", "dog"]
    assert all(photo.exists() for photo in table["photo"])


def test_photos_and_list_may_move_together(tmp_path: Path, table: pandas.DataFrame):
    changes = Changes(tmp_path / "changes.csv")
    changes.decide(str(table["photo"][1]), "cat", "dog")
    assert str(tmp_path) not in (tmp_path / "changes.csv").read_text(encoding="utf-8")

    shutil.copytree(tmp_path, tmp_path.with_name("elsewhere"))
    moved = table.assign(
        photo=[tmp_path.with_name("elsewhere") / "photos" / one.name for one in table["photo"]]
    )
    assert kit.apply_changes(moved, tmp_path.with_name("elsewhere") / "changes.csv")["label"].tolist() == [
        "cat",
        "dog",
        "dog",
    ]


def test_what_was_decided_can_be_taken_back_step_by_step():
    changes = Changes()
    changes.decide("a", "cat", "dog")
    changes.decide("a", "cat", "")
    changes.decide("a", "cat", "cat")

    assert [changes.undo(), changes.undo(), changes.undo(), changes.undo()] == [
        "is left out again", "is dog again", "is as it was", "",
    ]  # fmt: skip
    assert len(changes) == 0


def test_what_cannot_be_read_stays_out():
    changes = Changes()
    changes.leave_out(
        {"a.jpg": "it cannot be read: it is empty", "b.jpg": "it is the same photo as c.jpg"},
        {"a.jpg": "cat", "b.jpg": "cat"},
    )

    with pytest.raises(ValueError, match=r"a\.jpg stays out: it cannot be read: it is empty"):
        changes.restore("a.jpg")
    changes.restore("b.jpg")
    assert [one.item for one in changes] == ["a.jpg"]


def test_applied_twice_it_is_the_same(tmp_path: Path, table: pandas.DataFrame):
    changes = Changes(tmp_path / "changes.csv")
    changes.decide(str(table["photo"][1]), "cat", "dog")
    changes.decide(str(table["photo"][0]), "cat", "")
    once = kit.apply_changes(table, changes.table())

    pandas.testing.assert_frame_equal(kit.apply_changes(once, tmp_path / "changes.csv"), once)


def test_labels_that_are_numbers_stay_numbers_and_items_without_files_have_numbers():
    table = pandas.DataFrame({"image": [object(), object(), object()], "target": [0, 1, 1]})
    changes = pandas.DataFrame(
        [["1", "1", "0", ""], ["2", "1", "", ""]], columns=["item", "was", "now", "why"]
    )

    assert kit.apply_changes(table, changes)["target"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["x/z.jpg", "cat", "dog", ""]], "none of the 1 changes is of an item of this table"),
        ([["a.jpg", "bird", "dog", ""]], "from 'bird' to 'dog', and in the table it is 'cat'"),
    ],
)  # fmt: skip
def test_a_list_of_another_table_is_refused(rows: list[list[str]], words: str):
    table = pandas.DataFrame({"photo": ["a.jpg", "b.jpg"], "label": ["cat", "dog"]})

    with pytest.raises(ValueError, match=words):
        kit.apply_changes(table, pandas.DataFrame(rows, columns=["item", "was", "now", "why"]))


def test_what_is_no_list_is_refused(tmp_path: Path):
    (tmp_path / "other.csv").write_text("name,age\nann,3\n")

    with pytest.raises(
        ValueError, match="is no list of changes: its first line names the columns item, was, now"
    ):
        Changes(tmp_path / "other.csv")
    with pytest.raises(ValueError, match="stand in a column `label` or `target`; this one has photo"):
        kit.apply_changes(pandas.DataFrame({"photo": ["a"]}), Changes().table())


def test_a_failure_to_write_keeps_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    changes = Changes(tmp_path / "changes.csv")
    changes.decide("1", "cat", "dog")
    before = (tmp_path / "changes.csv").read_text(encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError("no space left on the disk")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        changes.decide("2", "cat", "dog")
    assert (tmp_path / "changes.csv").read_text(encoding="utf-8") == before
