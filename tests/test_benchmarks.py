"""What the benchmarks share: taking turns, finding the others, keeping what was measured."""

from __future__ import annotations

import csv
import doctest
import importlib
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
OTHERS = [pin for name, pins in GROUPS.items() if name.startswith("bench-") for pin in pins]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


@pytest.mark.parametrize("name", ["grading_peers", "in_turn", "peers", "record"])
def test_examples_are_right(load, name: str) -> None:
    found = doctest.testmod(load(name))

    assert found.attempted
    assert not found.failed


def test_ways_take_turns(load) -> None:
    said: list[str] = []
    load("in_turn").in_turn({way: ("say(way)", {"say": said.append, "way": way}) for way in "ab"}, 3, 2)

    assert "".join(said) == "aabb" * 4  # the first time round is not counted


def test_results_are_kept_in_three_files(load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record: ModuleType = load("record")
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    rows = [
        {"call": "one", "way": "plain", "nanoseconds": 20},
        {"call": "one", "way": "ours", "nanoseconds": 41.25},
        {"call": "one", "way": "theirs", "nanoseconds": record.NOT_INSTALLED},
    ]
    record.record("some", rows, bars=record.Bars("call", "nanoseconds", panels=("one",)))
    kept = json.loads((tmp_path / "some.json").read_text(encoding="utf-8"))
    drawn = (tmp_path / "some.svg").read_text(encoding="utf-8")

    assert set(kept) == {"date", "machine", "versions", "rows"}
    assert kept["rows"] == rows
    with (tmp_path / "some.csv").open(encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [
            ["call", "way", "nanoseconds"],
            ["one", "plain", "20"],
            ["one", "ours", "41.2"],
            ["one", "theirs", "not installed"],
        ]
    assert ">ours</text>" in drawn
    assert "theirs" not in drawn


def test_what_is_not_installed_is_found_as_none(load) -> None:
    assert load("peers").find("dispatch", here="json:dumps", gone="no_such_module:name")["gone"] is None


def test_others_are_pinned_and_never_part_of_the_environment() -> None:
    installed = "\n".join(file.read_text() for file in (ROOT / "requirements").glob("*.txt"))

    assert OTHERS
    assert [pin for pin in OTHERS if not re.fullmatch(r"[a-z0-9-]+==[\d.]+", pin)] == []
    assert (
        re.findall(r"^(?:plum-dispatch|ovld|fastai|fastcore|fasttransform)==", installed, re.MULTILINE) == []
    )
