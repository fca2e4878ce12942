"""Every error that is known has a cause and a remedy; the rest is told to be looked at."""

from __future__ import annotations

import re

import pytest

from coursekit.advice import advice, known


@pytest.mark.parametrize("one", known(), ids=lambda one: one["when"])
def test_advice_is_whole_sentences(one):
    re.compile(one["when"])
    for text in (one["cause"], one["remedy"]):
        assert re.fullmatch(r"[A-Z].*[.)]", text, re.DOTALL)
        assert len(text) < 220


def test_the_nearest_advice_is_given():
    assert "capital letters" in advice("taking the input", KeyError("photo"))[0]
    assert "misspelt" in advice("finding items", FileNotFoundError("x"))[0]
    assert advice("Mine", RuntimeError("odd"), item=3)[1].endswith("[3].")
    assert "read it word by word" in advice("Mine", RuntimeError("odd"))[1]
