"""No judge of any exercise stumbles over an answer that is none, and none of them earns a point.

What ours gives for a check stands with one value in it replaced: not a number, nothing, empty, of no
dimension, of another dtype, far too large. It is judged as a learner's would be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from coursekit.grader import exercises, judging
from coursekit.grader.batch import Batch
from coursekit.grader.comparison import compare
from coursekit.grader.encoding import decode, encode, plain

NAN, INF = float("nan"), float("inf")
HUGE = 10**30


class Odd:
    """Something that no answer is."""


# No right answer to anything.
HOPELESS: list[Any] = [
    None, NAN, INF, "", b"", [], (), {}, [None], [NAN], (NAN, NAN), ([], []), [[]], {"a": NAN}, Odd(),
    complex(NAN, 1),
    torch.tensor(NAN), torch.tensor([NAN]), torch.empty(0), torch.empty(0, 3), torch.empty(3, 0),
    torch.full((4, 4), INF), torch.zeros(1, dtype=torch.bool), torch.zeros(3, dtype=torch.uint8),
    torch.zeros(3, dtype=torch.complex64), torch.zeros((1,) * 20),
]  # fmt: skip
# What may make a judge stumble, and may be right somewhere.
ODD: list[Any] = [
    0, -1, -HUGE, HUGE, 1e308, True, "x" * 3000, [HUGE] * 3, [-1] * 4, ["a"] * 3, (None,) * 3, set(),
    torch.tensor([-(2**63)]), torch.tensor(5), torch.zeros(3, dtype=torch.float16),
]  # fmt: skip


def spoilt(value: Any) -> Iterator[Any]:
    """What is like a value, and spoilt in one place or in all."""
    data = getattr(value, "data", value)
    if isinstance(data, torch.Tensor):
        yield from (
            data.unsqueeze(0),
            data.flatten()[:0],
            data.to(torch.int64),
            data.double(),
            data.flatten(),
        )
        if data.is_floating_point() and data.numel():
            for number in (NAN, INF):
                one = data.clone()
                one.view(-1)[-1] = number
                yield from (one, torch.full_like(data, number))
    if isinstance(value, list | tuple):
        kind = type(value)
        yield from (
            kind(value[:-1]),
            kind([*value, *value]),
            kind([NAN] * len(value)),
            kind([None] * len(value)),
        )
        yield from (kind([-HUGE] * len(value)), kind([[]] * len(value)), kind(["a", *value[1:]]))
    if isinstance(value, dict):
        yield from (dict.fromkeys(value, other) for other in (NAN, None, [], torch.empty(0)))


def crossed(value: Any) -> Any:
    """A value as it comes from the other side."""
    return decode(*encode(value))


@pytest.mark.parametrize("word", exercises.words())
def test_no_judge_stumbles_and_what_is_no_answer_earns_nothing(word: str) -> None:
    exercise = exercises.load(word)
    earned, stumbled = [], []
    with Batch(word, 12_345, ("cpu",)) as batch:
        for check in exercise.checks:
            run = batch.reference.ours(check)[0]
            for at, seen in enumerate(run.seen):
                raw = plain(seen.value)
                told = [*((one, True) for one in HOPELESS), *((one, False) for one in (*ODD, *spoilt(raw)))]
                for value, is_hopeless in told:
                    other = replace(seen, value=crossed(value))
                    forged = replace(run, seen=(*run.seen[:at], other, *run.seen[at + 1 :]))
                    found = judging.fault(check, [forged], [run], 20.0)
                    name = f"{check.name}, {seen.label}: {value!r:.60}"
                    if found is not None and found.kind == "ours":
                        stumbled.append(name)
                    elif found is None and is_hopeless and compare(other.value, seen.value, "exact"):
                        earned.append(name)

    assert stumbled == []
    assert earned == []
