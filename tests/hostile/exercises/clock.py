"""# Clock

What hostile submissions are asked for whose trick is the time: once more, on another day, and quickly.
"""

from __future__ import annotations

from coursekit.grader import check

yours = {"losses.softmax": "probabilities from scores", "splits.group_split": "hold out whole groups"}


@check(points=2, rounds=1)
def it_is_quick(kit, case):
    """Let torch do all rows at once."""
    yield "many rows", case.timed(kit.softmax, case.tensor("scores", (20_000, 3)), at_most=12)


@check(points=1, rounds=1, another_day=True)
def it_is_the_same_on_another_day(kit, case):
    """Take chance from the seed and from nothing else."""
    groups = case.shuffled("groups", ["ann", "ann", "bob", "bob", "cleo", "dora"])
    yield "split", kit.group_split(groups, valid=0.5, seed=1)


@it_is_the_same_on_another_day.judge
def _(seen, case, ours):
    train, valid = seen["split"]
    if sorted(train + valid) != list(range(6)):
        yield "split", "Each item is on one side."


wrong = []
