"""A block in words; the sentences of whole blocks are among the tests of summaries."""

from __future__ import annotations

import coursekit as kit
from coursekit.sentences import kinds_said, split_said, take_said


def test_kinds_have_their_articles():
    assert kinds_said((kit.Image, kit.Boxes, kit.Row)) == "an Image, Boxes and a Row"
    assert kinds_said({"photo": kit.Image}) == "an Image (photo)"
    assert kinds_said(kit.Block(item=[kit.Tokenize()])).startswith("what Tokenize(")


def test_places_and_splits_are_said():
    def own(record):
        return record

    assert take_said(own) == "what own gives"
    assert take_said(1) == "position 1 of an item"
    assert take_said({"a": "b", "c": ["d"]}) == "'b' (a) and the columns 'd' (c)"
    assert split_said(own) == "What is held out, own decides"
    assert split_said(3) == "The split is 3"


def test_of_a_long_vocabulary_the_first_names_are_said():
    words = kit.Tokenize([f"word{number}" for number in range(30_000)])
    block = kit.DataBlock(words, kit.Create(kit.Mask, vocab=list("abcdefghijklmnop")), kit.RandomSplit())

    assert "'word5' and 29994 more)" in str(block)
    assert len(str(block)) < 500
