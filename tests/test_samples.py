"""Samples are walked through, and spoken of in few words."""

from typing import Any

import pytest
import torch

from coursekit.samples import describe, elements, last_note, named, note_step


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ((1, "a"), "a tuple of 2 (int, str)"),
        ("x" * 99, "the str 'xxx"),
        (torch.zeros(1), "a Tensor of shape (1,)"),
    ],
)
def test_describe_is_short(value: Any, words):
    assert describe(value).startswith(words)
    assert len(describe(value)) < 80


def test_elements_are_found_through_tuples_and_dictionaries_alone():
    assert elements(({"a": [1]}, (), 2)) == {(0, "a"): [1], (2,): 2}
    assert named((0, "a")) == "element 'a' of element 0"
    assert named(()) == "the value"


def test_each_step_notes_an_error_once_with_the_whole_way():
    error, inner, outer = ValueError("no"), "a step", object()
    for step, path in ((inner, ("a",)), (inner, (1,)), (inner, ()), (outer, ())):
        note_step(error, step, "encode", "x", path)

    assert error.__notes__ == [
        "while str was to encode element 'a' of element 1, the str 'x'",
        "while object was to encode the str 'x'",
    ]
    assert last_note(error).step is outer
    assert last_note(ValueError()) is None
