"""# Guarded

What the hostile submissions are asked for: a tensor, a plain number, and a split that a judge decides on.
"""

from __future__ import annotations

from coursekit.grader import Wrong, check

yours = {
    "losses.softmax": "probabilities from scores",
    "schedules.cosine": "half a wave from start to end",
    "splits.group_split": "hold out whole groups",
}


@check(points=2, rounds=1)
def a_tensor_is_compared(kit, case):
    """Take the largest away first, then divide by the sum."""
    scores = case.tensor("scores", (case.integer("items", 4, 9), 3), low=-9, high=9)
    yield "a batch", kit.softmax(scores)


@check(points=1, rounds=1)
def a_number_is_compared(kit, case):
    """Half a wave goes from 1 down to -1."""
    yield "part of the way", kit.cosine(*case.floats("progress", 1, 0.1, 0.4), start=2.0)


@check(points=1, rounds=1)
def a_judge_takes_any_tensor_that_adds_up(kit, case):
    """What belongs to one row adds up to 1."""
    yield "rows", kit.softmax(case.tensor("scores", (5, 4)))


@a_judge_takes_any_tensor_that_adds_up.judge
def _(seen, case, ours):
    if (seen["rows"].sum(dim=1) - 1).abs().max() > 1e-4:
        yield "rows", "Each row adds up to 1; yours does not."


@check(points=2, rounds=1)
def a_judge_takes_any_split(kit, case):
    """Put each item on one side or the other."""
    groups = case.shuffled("groups", [*"aaabbccccdd"])
    yield "split", kit.group_split(groups, valid=0.4, seed=case.integer("seed", 1, 99))


@a_judge_takes_any_split.judge
def _(seen, case, ours):
    train, valid = seen["split"]
    if sorted(train + valid) != list(range(len(case["groups"]))) or not train or not valid:
        yield "split", "Each item is on one side, and neither side is empty."


wrong = [
    Wrong(
        "forgets the division",
        {"losses.softmax": "def softmax(scores, dim=1):\n    return scores.exp()\n"},
        caught_by=a_tensor_is_compared,
        says="You have not divided by the sum.",
    )
]
