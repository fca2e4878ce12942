"""The page for people who bring data of their own: all of its code runs, and does what its comments say."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from pages_of_code import PageOfCode

import coursekit as kit

PAGE = PageOfCode("own_data")


@pytest.fixture(scope="module")
def page() -> Iterator[PageOfCode]:
    pytest.importorskip("pydicom", reason="pydicom (the extra `medical`) is not installed")
    try:
        yield PAGE.run()
    except kit.SourceError as error:
        pytest.skip(str(error))
    shutil.rmtree(PAGE.names["data_folder"])


def test_what_stands_in_a_comment_is_what_comes_out(page: PageOfCode) -> None:
    assert len(page.compared) >= 9
    assert page.wrong() == []


def test_the_page_quotes_what_is_printed(page: PageOfCode) -> None:
    quoted = re.search(r"^> (.*)Resize\(…\)", PAGE.text, re.MULTILINE)

    assert quoted is not None
    assert quoted.group(1) in page.printed


def test_failures_on_the_page_are_those_it_speaks_of(page: PageOfCode) -> None:
    assert "the same file is to be learned from and held out" in page.printed
    assert "an item has no 'wieght'" in page.printed
    assert "It fails at" not in str(page.names["summary"])


def test_no_line_of_code_is_wider_than_the_page() -> None:
    assert [line for code in PAGE.blocks for line in code.splitlines() if len(line) > 116] == []


def test_every_name_on_the_page_is_public() -> None:
    assert {name for name in re.findall(r"\bkit\.(\w+)", PAGE.text) if not hasattr(kit, name)} == set()
