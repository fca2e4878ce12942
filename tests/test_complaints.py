"""What readers complained of elsewhere: each row of the page names a test that is there, or says why not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "book" / "complaints.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| [")
]


def test_all_that_was_collected_is_answered() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS) >= 58


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].partition("]")[0].strip("|[ "))
def test_a_row_names_a_test_or_says_why_it_is_not_ours(row: list[str]) -> None:
    held = row[-1].strip(" |")
    if held.startswith("not ours: "):
        return
    file, _, name = held.strip("`").partition("::")
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")

    assert re.search(rf"^ *def {name}\(", text, re.MULTILINE)
    assert "pytest.mark.soak" not in text.partition(f"def {name}(")[0].rpartition("\n\n\n")[2]
