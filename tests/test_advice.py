"""Every error that is known has a cause and a remedy; the rest is told to be looked at."""

from __future__ import annotations

import re

import pytest

from coursekit.advice import KNOWN, advice


@pytest.mark.parametrize(("pattern", "cause", "remedy"), KNOWN)
def test_advice_is_whole_sentences(pattern, cause, remedy):
    re.compile(pattern)
    for text in (cause, remedy):
        assert re.fullmatch(r"[A-Z].*[.)]", text, re.DOTALL)
        assert len(text) < 220


def test_the_nearest_advice_is_given():
    assert "capital letters" in advice("taking the input", KeyError("photo"))[0]
    assert "misspelt" in advice("finding items", FileNotFoundError("x"))[0]
    assert advice("Mine", RuntimeError("odd"), item=3)[1].endswith("[3].")
    assert "read it word by word" in advice("Mine", RuntimeError("odd"))[1]
