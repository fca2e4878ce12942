"""Each way in which two values can differ, in the words a learner reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from coursekit import tensors
from coursekit.grader.comparison import compare, form
from coursekit.grader.encoding import decode, encode


def said(seen: Any, ours: Any, how: str = "close") -> str | None:
    return compare(*[decode(*encode(value, "coursekit")) for value in (seen, ours)], how)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("seen", "ours"),
    [
        (1, 1),
        (0.1 + 0.2, 0.3),
        (1, 1.0),
        (NAN, NAN),
        (INF, INF),
        ([1, "a", None], [1, "a", None]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (torch.tensor(1.0 + 1e-7), torch.tensor(1.0)),
        (torch.tensor([NAN, 1.0]), torch.tensor([NAN, 1.0])),
        (torch.tensor([INF, 1.0]), torch.tensor([INF, 1.0])),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        (np.array(["a", "b"]), np.array(["a", "b"])),
        (np.array(["2026-01-01"], dtype="M8[D]"), np.array(["2026-01-01"], dtype="M8[D]")),
        (torch.tensor([1 + 1j]), torch.tensor([1 + 1j])),
        (KeyError("a"), LookupError("b")),
    ],
)
def test_what_agrees_is_not_mentioned(seen: Any, ours: Any) -> None:
    assert said(seen, ours) is None


@pytest.mark.parametrize(
    ("seen", "ours", "words"),
    [
        (0.5, 0.75, "yours is 0.5, ours 0.75."),
        (None, 0.75, "yours is None, ours a number: is a `return` missing?"),
        (True, 1, "yours is True or False, ours a whole number."),
        (1.0, 1, "yours is a number, ours a whole number."),
        ("1", 1, "yours is a text, ours a whole number."),
        (NAN, 0.0, "yours is nan, ours 0.0."),
        (0.0, NAN, "yours is 0.0, ours nan."),
        (INF, 1e30, "yours is inf, ours 1e+30."),
        ([1, 2], (1, 2), "yours is a list, ours a tuple."),
        ([1], [1, 2], "yours has 1 item, ours 2."),
        ([1, 3], [1, 2], "at [1] yours is 3, ours 2."),
        ([9, 9, 3], [1, 2, 3], "2 of 3 items differ, the first at [0]: yours is 9, ours 1."),
        ([[1, 2], [3, 5]], [[1, 2], [3, 4]], "at [1][1] yours is 5, ours 4."),
        ({"a": 1}, {"a": 1, "b": 2}, "yours lacks 'b', which ours has."),
        ({"a": 1, "b": 2}, {"a": 1}, "yours has 'b', which ours has not."),
        ({"a": 1}, {"a": 2}, "at ['a'] yours is 1, ours 2."),
        (torch.zeros(4), torch.zeros(()), "yours has shape (4,), ours ()."),
        (torch.zeros(1, 4), torch.zeros(4), "yours has shape (1, 4), ours (4,)."),
        (torch.tensor(1.0), 1.0, "yours is a tensor, ours a number."),
        (1.0, torch.tensor(1.0), "yours is a number, ours a tensor."),
        (
            torch.ones(2).double(),
            torch.ones(2),
            "the values agree, but yours has dtype float64, ours float32.",
        ),
        (torch.tensor(3), torch.tensor(0.5), "yours is 3, ours 0.5; yours has dtype int64, ours float32."),
        (
            torch.tensor([1.0, 5.0, 3.0]),
            torch.tensor([1.0, 2.0, 3.0]),
            "the shape agrees; 1 of 3 values differ, the first at [1]: yours is 5.0, ours 2.0.",
        ),
        (torch.tensor([NAN]), torch.tensor([0.0]), "the first at [0]: yours is nan, ours 0.0."),
        (
            np.array([1, 2]),
            torch.tensor([1, 2]),
            "the shape agrees; yours is a numpy.ndarray, ours a tensor.",
        ),
        (np.array(["a"]), np.array(["b"]), "the first at [0]: yours is 'a', ours 'b'."),
        (torch.zeros(3, 2, 2), tensors.Image(torch.zeros(3, 2, 2)), "yours is a tensor, ours an Image."),
        (
            tensors.Category(1, vocab=("a", "b")),
            tensors.Category(1, vocab=("b", "a")),
            "the values agree, but in what it carries along at ['vocab'] 2 of 2 items differ",
        ),
        (ValueError("x"), KeyError("y"), "yours raises ValueError, ours KeyError."),
        (3, KeyError("y"), "yours is a whole number; ours raises KeyError."),
        (KeyError("y"), 3, "yours raised KeyError: y; ours gives a whole number."),
        ({1}, [1], "yours is a set, which cannot be compared; ours is a list."),
    ],
)
def test_each_difference_is_said_in_words(seen: Any, ours: Any, words: str) -> None:
    assert words in (said(seen, ours) or "")


def test_the_way_to_compare_can_be_named() -> None:
    assert said([2, 1, 1], [1, 2, 1], "same set") is None
    assert said([2, 1], [1, 2, 1], "same set") == "yours lacks 1 item that ours has, such as 1."
    assert said([2, 1, 4], [1, 2], "same set") == "yours has 1 item that ours has not, such as 4."
    assert said(torch.tensor([-1.0, 2.0]), torch.tensor([1.0, -2.0]), "up to sign") is None
    assert said(torch.tensor([-1.0, 2.0]), torch.tensor([1.0, 2.0]), "up to sign")
    assert said(-1.0, 1.0, "up to sign") is None
    assert said(1 + 1e-7, 1.0, "exact") == "yours is 1.0, ours 1.0."
    with pytest.raises(ValueError, match="how='nearly' is no way to compare; there are close, exact"):
        said(1, 1, "nearly")


def test_a_judge_gets_the_form_it_expects() -> None:
    def formed(seen: Any, ours: Any) -> str | None:
        return form(*[decode(*encode(value)) for value in (seen, ours)])

    assert formed(([9], [7, 8]), ([1, 2, 3], [0])) is None
    assert formed([[9], [7, 8]], ([1], [0])) is None
    assert formed(torch.zeros(9), torch.ones(3)) is None
    assert formed(1, 0.5) is None
    assert formed(([9],), ([1], [2])) == "yours has 1 part, ours 2."
    assert formed(([1.5], []), ([1], [2])) == "at [0][0] yours is a number, ours a whole number."
    assert (
        formed(([np.int64(1)], []), ([1], [2])) == "at [0][0] yours is a numpy number, ours a whole number."
    )
    assert formed({"a": 1}, ([1], [2])) == "yours is a dict, ours a tuple."
