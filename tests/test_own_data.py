"""The page for people who bring data of their own: all of its code runs, and does what its comments say."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import coursekit as kit

PAGE = Path(__file__).parent.parent / "book" / "own_data.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def page() -> Any:
    """What the code leaves behind, the last value of each block with its comment, and what was printed."""
    pytest.importorskip("pydicom", reason="pydicom (the extra `medical`) is not installed")
    made: dict[str, Any] = {"__name__": "own_data_page"}
    values, printed = [], io.StringIO()
    with contextlib.redirect_stdout(printed):
        for number, code in enumerate(BLOCKS):
            try:
                exec(compile(code, f"own_data.md, block {number + 1}", "exec"), made)
            except kit.SourceError as error:
                pytest.skip(str(error))
            expression, mark, comment = code.strip().splitlines()[-1].partition("  # ")
            values += [(expression, comment, repr(eval(expression, made)))] if mark else []
    yield made, values, printed.getvalue()
    shutil.rmtree(made["data_folder"])


def test_what_stands_in_a_comment_is_what_comes_out(page: Any) -> None:
    assert len(page[1]) >= 9
    for expression, comment, value in page[1]:
        assert (expression, value) == (expression, comment)


def test_the_page_quotes_what_is_printed(page: Any) -> None:
    quoted = re.search(r"^> (.*)Resize\(…\)", TEXT, re.MULTILINE)

    assert quoted is not None
    assert quoted.group(1) in page[2]


def test_failures_on_the_page_are_those_it_speaks_of(page: Any) -> None:
    assert "the same file is to be learned from and held out" in page[2]
    assert "an item has no 'wieght'" in page[2]
    assert "It fails at" not in str(page[0]["summary"])


def test_no_line_of_code_is_wider_than_the_page() -> None:
    assert [line for code in BLOCKS for line in code.splitlines() if len(line) > 116] == []


def test_every_name_on_the_page_is_public() -> None:
    assert {name for name in re.findall(r"\bkit\.(\w+)", TEXT) if not hasattr(kit, name)} == set()
