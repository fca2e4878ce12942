"""The page that shows every layer once: all of its code runs, and it is short and whole."""

from __future__ import annotations

import re
from functools import cache

import pytest
from pages_of_code import PageOfCode
from test_layers import LAYERS, LIBRARY

import coursekit as kit


@cache
def page() -> PageOfCode:
    try:
        return PageOfCode("all_of_coursekit").run()
    except kit.SourceError as error:
        pytest.skip(str(error))


def test_what_stands_in_a_comment_is_what_comes_out() -> None:
    assert len(page().compared) >= 15
    assert page().wrong() == []


def test_every_layer_has_its_section_and_it_is_short() -> None:
    shown = re.findall(r"^## (\w+):", page().text, re.MULTILINE)

    assert set(shown) == {*LIBRARY, "apart"}
    assert len(page().text.splitlines()) < 200


def test_what_a_section_shows_is_of_its_layer() -> None:
    import coursekit.api as api

    for section in page().text.split("\n## ")[1:]:
        layer = section.partition(":")[0]
        names = re.findall(r"\bkit\.(\w+)", section)
        homes = {getattr(getattr(api, name), "__module__", "").removeprefix("coursekit.") for name in names}
        assert homes & set(LAYERS[layer]), layer
