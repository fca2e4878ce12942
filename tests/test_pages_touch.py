"""The page of things to touch: nothing that can be moved is left out, and each comes with a question."""

from __future__ import annotations

import re
from pathlib import Path

import coursekit
from coursekit import api

TEXT = (Path(__file__).parent.parent / "book" / "touch.md").read_text("utf8")


def makers() -> list[str]:
    """The public functions that make a widget."""
    values = ((name, getattr(coursekit, name)) for name in api.__all__)
    return [
        name
        for name, value in values
        if str(getattr(value, "__module__", "")).startswith("coursekit.widgets.") and name[0].islower()
    ]


def test_every_widget_is_named_on_it():
    found = makers()

    assert {"slide_kernel", "step_down", "step_through"} <= set(found)
    assert [name for name in found if f"{{kit}}`{name}`" not in TEXT] == []


def test_each_widget_comes_with_a_question():
    for section in TEXT.split("\n## ")[1:]:
        asked = re.search(r"\*\*Try\*\*:[^\n]*", section)
        assert asked, section.splitlines()[0]
        shown = section.find("```{widget}")
        assert shown < 0 or asked.start() < shown, "guess first, then move"


def test_each_widget_says_what_it_shows():
    assert TEXT.count("```{widget}") == TEXT.count("\n:alt: ") == TEXT.count("\n:caption: ") == 5
