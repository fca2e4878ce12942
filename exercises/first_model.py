"""# How good is it, and on what?

Your model has an opinion on every solar cell. Before you believe it you need two things: a **number** that
says how often it is right, and **cells it has never seen** to ask it about. You write both.

The model's answers come as a table of scores, one row an item and one column a class. Its guess is the class
with the highest score in the row. Three parts are yours:

1. `accuracy(predictions, targets)`: the share of items whose guess is the right class, from 0 to 1.
2. `error_rate(predictions, targets)`: the share it gets wrong.
3. `group_split(groups, valid, seed)`: two lists of item numbers, those to learn from and those held out.
   `groups` names each item's group, and a group is never torn apart: neighbours in one solar module share
   dirt, light and cracks, so a cell next door gives the answer away. At least one group is on each side.

Each fits in six lines. The docstring of each starter says what goes in and what comes out; you need not write
the errors it mentions.

Before you begin: if you held out every fifth *cell* instead, would your number come out too high or too low?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "metrics.accuracy": "the share of items whose highest score is at the right class",
    "metrics.error_rate": "the share of items whose highest score is at a wrong class",
    "splits.group_split": "hold out whole groups, chosen at random from the seed",
}


@check(points=1, lesson="What training did")
def sure_cases_come_out_right(kit, case):
    """If every guess is right the share is 1, and if none is it is 0."""
    import torch

    targets = case.labels("targets", case.integer("items", 4, 7), classes=3)
    scores = torch.nn.functional.one_hot(targets, 3).float()
    yield "all right", kit.accuracy(scores, targets)
    yield "all wrong", kit.accuracy(scores, (targets + 1) % 3)


@check(points=2, lesson="What training did")
def accuracy_is_the_share_of_right_guesses(kit, case):
    """Find each row's guess, see where it equals the target, then take the mean of that as numbers."""
    items = case.integer("items", 5, 9)
    # The highest score of all stands in the first row, so that its place in the table is a class number too.
    scores = case.tensor("scores", (items, 3)).sort(dim=0, descending=True).values
    targets = case.labels("targets", items, classes=3)
    yield "a batch", kit.accuracy(scores, targets)
    yield "a smaller last batch", kit.accuracy(scores[:2], targets[:2])


@check(points=2, lesson="What training did")
def error_rate_is_the_share_of_wrong_guesses(kit, case):
    """What is not right is wrong: the two shares add up to 1."""
    items = case.integer("items", 5, 9)
    scores = case.tensor("scores", (items, 4))
    targets = case.labels("targets", items, classes=4)
    yield "a batch", kit.error_rate(scores, targets)
    yield "a smaller last batch", kit.error_rate(scores[:3], targets[:3])


@check(points=2, lesson="Why some cells were held out")
def nothing_is_lost_or_doubled(kit, case):
    """Walk over all items once and put each on one side or the other."""
    groups = case.shuffled("groups", ["a"] * 6 + ["b"] + ["c"] * 3 + ["d"] * 4 + ["e"] * 2)
    seed = case.integer("seed", 1, 99)
    yield "names as texts", kit.group_split(groups, valid=0.4, seed=seed)
    rows = case.shuffled("rows", [10] * 3 + [3] * 4 + [7] * 2 + [20] * 5)
    yield "names as numbers", kit.group_split(rows, valid=0.5, seed=seed)


@nothing_is_lost_or_doubled.judge
def _(seen, case, ours):
    for label, groups in (("names as texts", case["groups"]), ("names as numbers", case["rows"])):
        train, valid = seen[label]
        both = train + valid
        for item in range(len(groups)):
            if both.count(item) != 1:
                side = "on no side" if item not in both else f"{both.count(item)} times"
                yield (
                    label,
                    f"There are {len(groups)} items, 0 to {len(groups) - 1}; item {item} stands {side}.",
                )
        if len(both) > len(groups):
            yield (
                label,
                f"There are {len(groups)} items, 0 to {len(groups) - 1}; item {max(both)} does not exist.",
            )
        if train != sorted(train) or valid != sorted(valid):
            yield label, "Each side lists its items in ascending order; yours does not."


@check(points=3, lesson="Why some cells were held out")
def no_group_is_on_both_sides(kit, case):
    """Choose among the groups first; only then look at the items."""
    groups = case.shuffled("groups", [f"module {n}" for n in range(8) for _ in range(n + 2)])
    for seed in range(3):
        yield f"seed {seed}", kit.group_split(groups, valid=0.25, seed=seed)


@no_group_is_on_both_sides.judge
def _(seen, case, ours):
    groups = dict(enumerate(case["groups"]))
    for label, (train, valid) in seen.items():
        if not train or not valid:
            yield label, "One side is empty."
        torn = sorted({groups.get(item, "") for item in train} & {groups.get(item, "") for item in valid})
        if torn:
            some = ", ".join(torn[:3])
            yield (
                label,
                f"{len(torn)} of 8 groups are on both sides ({some}): what is held out has been seen.",
            )


@check(points=1, lesson="Why some cells were held out")
def valid_is_a_share_of_the_groups(kit, case):
    """Count the groups, not the items: 0.5 of 20 groups is 10 groups, however large they are."""
    groups = case.shuffled("groups", ["large"] * 60 + [f"small {n:02}" for n in range(19)])
    for valid in (0.2, 0.5, 0.8):
        for seed in range(3):
            yield f"valid={valid}, seed={seed}", kit.group_split(groups, valid=valid, seed=seed)


@valid_is_a_share_of_the_groups.judge
def _(seen, case, ours):
    groups = dict(enumerate(case["groups"]))
    for label, (_, valid) in seen.items():
        held_out = len({groups.get(item, "") for item in valid})
        wanted = len({groups[item] for item in ours[label][1]})
        if abs(held_out - wanted) > 1:
            yield label, f"Of 20 groups about {wanted} should be held out; you hold out {held_out}."


@check(points=1, lesson="Why some cells were held out")
def both_sides_get_a_group(kit, case):
    """A share of few groups can round to none or to all: `min` and `max` keep the number between."""
    groups = case.shuffled("groups", ["ann"] * 4 + ["bob"] * 2 + ["cleo"] * 3)
    seed = case.integer("seed", 1, 99)
    for valid in (0.1, 0.95):
        yield f"3 groups, valid={valid}", kit.group_split(groups, valid=valid, seed=seed)


@both_sides_get_a_group.judge
def _(seen, case, ours):
    for label, sides in seen.items():
        if not all(sides):
            yield (
                label,
                "One side is empty: hold out at least one group, and keep at least one to learn from.",
            )


@check(points=2, lesson="Why some cells were held out", another_day=True)
def the_same_seed_gives_the_same_split(kit, case):
    """All chance has to come from the seed: `random.Random(seed)` is chance of your own."""
    groups = case.shuffled("groups", [f"module {n:02}" for n in range(20) for _ in range(3)])
    seed = case.integer("seed", 1, 99)
    yield "once", kit.group_split(groups, valid=0.3, seed=seed)
    yield "once more", kit.group_split(groups, valid=0.3, seed=seed)


@the_same_seed_gives_the_same_split.judge
def _(seen, case, ours):
    if seen["once"] != seen["once more"]:
        yield "once more", "The same call gave another split the second time."


@check(points=1, lesson="Why some cells were held out")
def another_seed_gives_another_split(kit, case):
    """The seed has to decide which groups are held out."""
    groups = case.shuffled("groups", [f"module {n:02}" for n in range(20) for _ in range(2)])
    for seed in range(4):
        yield f"seed {seed}", kit.group_split(groups, valid=0.3, seed=seed)


@another_seed_gives_another_split.judge
def _(seen, case, ours):
    for label, (train, valid) in seen.items():
        if not train or not valid:
            yield label, "One side is empty."
    if all(split == seen["seed 0"] for split in seen.values()):
        yield "seed 1", "Seeds 0, 1, 2 and 3 all hold out the same groups."


@check(points=1, lesson="Why some cells were held out")
def it_leaves_your_things_alone(kit, case):
    """Work on a list and on chance of your own; others use theirs too."""
    import random

    groups = case.shuffled("groups", ["ann", "ann", "bob", "cleo", "cleo", "cleo", "dan"])
    kit.group_split(groups, valid=0.5, seed=4)
    yield "your list afterwards", groups
    random.seed(2)
    kit.group_split(groups, valid=0.5, seed=4)
    yield "the next random number", random.random()


def _splitting(choose: str, walk: str = "") -> dict[str, str]:
    """A `group_split` that chooses `held_out` by these lines, and divides the items well or by `walk`."""
    walk = walk or (
        "train = [item for item, group in enumerate(groups) if group not in held_out]\n"
        "valid = [item for item, group in enumerate(groups) if group in held_out]\n"
        "return train, valid"
    )
    lines = "\n".join("    " + line for line in f"{choose}\n{walk}".splitlines())
    return {
        "splits.group_split": f"import random\n\n\ndef group_split(groups, valid=0.2, seed=0):\n{lines}\n"
    }


def _measuring(name: str, body: str) -> dict[str, str]:
    """A metric whose body is one line."""
    return {f"metrics.{name}": f"import torch\n\n\ndef {name}(predictions, targets):\n    return {body}\n"}


GOOD = (
    "names = sorted(set(groups))\ncount = min(max(round(valid * len(names)), 1), len(names) - 1)\n"
    "held_out = random.Random(seed).sample(names, count)"
)

wrong = [
    Wrong(
        "looks down the columns",
        _measuring("accuracy", "(predictions.argmax(dim=0) == targets).float().mean()"),
        caught_by=accuracy_is_the_share_of_right_guesses,
        says="`argmax(dim=0)` gives one answer for each class; `dim=1` gives one for each item.",
    ),
    Wrong(
        "looks at the whole table",
        _measuring("accuracy", "(predictions.argmax() == targets).float().mean()"),
        caught_by=accuracy_is_the_share_of_right_guesses,
        says="`argmax()` without `dim` looks for one place in the whole table; "
        "`dim=1` gives one for each row.",
    ),
    Wrong(
        "takes the mean of True and False",
        _measuring("accuracy", "(predictions.argmax(dim=1) == targets).mean()"),
        caught_by=accuracy_is_the_share_of_right_guesses,
        says="True and False have no mean in torch: make them 1.0 and 0.0 with `.float()` first.",
    ),
    Wrong(
        "counts",
        _measuring("accuracy", "(predictions.argmax(dim=1) == targets).sum()"),
        caught_by=accuracy_is_the_share_of_right_guesses,
        says="{yours} is how many are right; a share divides that by the number of items.",
    ),
    Wrong(
        "divides by the number of scores",
        _measuring("accuracy", "(predictions.argmax(dim=1) == targets).sum() / predictions.numel()"),
        caught_by=accuracy_is_the_share_of_right_guesses,
        says="You divided by the number of scores, items times classes; divide by the number of items.",
    ),
    Wrong(
        "compares scores with class numbers",
        _measuring("accuracy", "(predictions.max(dim=1).values == targets).float().mean()"),
        caught_by=accuracy_is_the_share_of_right_guesses,
        says="You compared the highest score itself with the class number; `argmax` says where it stands.",
    ),
    Wrong(
        "gives per cent",
        _measuring("accuracy", "100 * (predictions.argmax(dim=1) == targets).float().mean()"),
        caught_by=sure_cases_come_out_right,
        says="{yours} is in per cent; a share goes from 0 to 1.",
    ),
    Wrong(
        "hands over a plain number",
        _measuring("accuracy", "(predictions.argmax(dim=1) == targets).float().mean().item()"),
        caught_by=accuracy_is_the_share_of_right_guesses,
        says="`.item()` makes Python wait for the device at every batch; leave the answer a tensor.",
    ),
    Wrong(
        "says how often it is right",
        _measuring("error_rate", "(predictions.argmax(dim=1) == targets).float().mean()"),
        caught_by=error_rate_is_the_share_of_wrong_guesses,
        says="{yours} is the share it gets right; the error rate is what is left of 1.",
    ),
    Wrong(
        "counts the wrong ones",
        _measuring("error_rate", "(predictions.argmax(dim=1) != targets).sum()"),
        caught_by=error_rate_is_the_share_of_wrong_guesses,
        says="{yours} is how many are wrong; a share divides that by the number of items.",
    ),
    Wrong(
        "chooses single items",
        _splitting(
            "held_out = random.Random(seed).sample(range(len(groups)), round(valid * len(groups)))",
            "return [item for item in range(len(groups)) if item not in held_out], sorted(held_out)",
        ),
        caught_by=no_group_is_on_both_sides,
        says="You chose among the items; choose among the names of the groups, then take all their items.",
    ),
    Wrong(
        "keeps what is held out to learn from as well",
        _splitting(
            GOOD,
            "valid = [item for item, group in enumerate(groups) if group in held_out]\n"
            "return list(range(len(groups))), valid",
        ),
        caught_by=nothing_is_lost_or_doubled,
        says="What you hold out is still among the items to learn from.",
    ),
    Wrong(
        "loses the last group",
        _splitting(
            "names = sorted(set(groups))\nrandom.Random(seed).shuffle(names)\n"
            "count = round(valid * len(names))\nheld_out, kept = names[:count], names[count:-1]",
            "train = [item for item, group in enumerate(groups) if group in kept]\n"
            "return train, [item for item, group in enumerate(groups) if group in held_out]",
        ),
        caught_by=nothing_is_lost_or_doubled,
        says="One whole group is on no side: `names[count:-1]` stops before the last name.",
    ),
    Wrong(
        "counts items from 1",
        _splitting(
            GOOD,
            "train = [item for item, group in enumerate(groups, 1) if group not in held_out]\n"
            "return train, [item for item, group in enumerate(groups, 1) if group in held_out]",
        ),
        caught_by=nothing_is_lost_or_doubled,
        says="You count the items from 1; Python counts from 0, so the last of yours does not exist.",
    ),
    Wrong(
        "lists the items group by group",
        _splitting(
            GOOD,
            "sides = [n for n in names if n not in held_out], held_out\n"
            "train, valid = [[i for n in side for i, g in enumerate(groups) if g == n] for side in sides]\n"
            "return train, valid",
        ),
        caught_by=nothing_is_lost_or_doubled,
        says="Each side lists its items in ascending order; yours does not.",
    ),
    Wrong(
        "fills up to a share of the items",
        _splitting(
            "names = sorted(set(groups))\nrandom.Random(seed).shuffle(names)\nheld_out = set()\n"
            "while sum(group in held_out for group in groups) < valid * len(groups):\n"
            "    held_out.add(names.pop())"
        ),
        caught_by=valid_is_a_share_of_the_groups,
        says="You hold out groups until enough *items* are out; `valid` counts groups.",
    ),
    Wrong(
        "rounds down to no group",
        _splitting(
            "names = sorted(set(groups))\nrandom.Random(seed).shuffle(names)\n"
            "held_out = set(names[: int(valid * len(names))])"
        ),
        caught_by=both_sides_get_a_group,
        says="One side is empty: hold out at least one group, and keep at least one to learn from.",
    ),
    Wrong(
        "hands the two sides over the wrong way round",
        _splitting(
            GOOD,
            "train = [item for item, group in enumerate(groups) if group not in held_out]\n"
            "valid = [item for item, group in enumerate(groups) if group in held_out]\n"
            "return valid, train",
        ),
        caught_by=valid_is_a_share_of_the_groups,
        says="Your two sides have changed places: first what to learn from, then what is held out.",
    ),
    Wrong(
        "does not use the seed",
        _splitting("names = sorted(set(groups))\nheld_out = random.sample(names, round(valid * len(names)))"),
        caught_by=the_same_seed_gives_the_same_split,
        says="The same call gave another split the second time.",
    ),
    Wrong(
        "takes the names in the order of a set",
        _splitting(
            "names = list(set(groups))\n"
            "held_out = random.Random(seed).sample(names, round(valid * len(names)))"
        ),
        caught_by=the_same_seed_gives_the_same_split,
        says="A set of texts has another order each time Python starts; `sorted(set(groups))` has one.",
    ),
    Wrong(
        "always holds out the first groups",
        _splitting("names = sorted(set(groups))\nheld_out = names[: round(valid * len(names))]"),
        caught_by=another_seed_gives_another_split,
        says="You always hold out the first names of the alphabet: `seed` is not used yet.",
    ),
    Wrong(
        "always holds out the last groups",
        _splitting("names = sorted(set(groups))\nheld_out = names[-round(valid * len(names)) :]"),
        caught_by=another_seed_gives_another_split,
        says="You always hold out the last names of the alphabet: `seed` is not used yet.",
    ),
    Wrong(
        "starts everybody's chance anew",
        _splitting(
            "random.seed(seed)\nnames = sorted(set(groups))\n"
            "held_out = random.sample(names, round(valid * len(names)))"
        ),
        caught_by=it_leaves_your_things_alone,
        says="`random.seed(seed)` starts everybody's chance anew; `random.Random(seed)` is your own.",
    ),
    Wrong(
        "sorts the list it was given",
        _splitting(f"given = groups\ngroups = list(groups)\ngiven.sort()\n{GOOD}"),
        caught_by=it_leaves_your_things_alone,
        says="`.sort()` changes the list you were given; `sorted(...)` makes a new one.",
    ),
]

right = [
    Right(
        "with torch all the way",
        {
            "metrics.accuracy": """
import torch


def accuracy(predictions, targets):
    right = torch.eq(torch.max(predictions, dim=-1).indices, targets)
    return right.to(torch.float32).sum() / targets.numel()
""",
            "metrics.error_rate": """
def error_rate(predictions, targets):
    return (predictions.argmax(dim=1) != targets).float().mean()
""",
            "splits.group_split": """
import torch


def group_split(groups, valid=0.2, seed=0):
    names = list(dict.fromkeys(groups))
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed)).tolist()
    out = {names[place] for place in order[: max(1, int(valid * len(names)))]}
    sides = [], []
    for item, group in enumerate(groups):
        sides[group in out].append(item)
    return sides
""",
        },
    ),
    Right(
        "with numpy",
        {
            "splits.group_split": """
import numpy as np


def group_split(groups, valid=0.2, seed=0):
    names, number = np.unique(np.asarray(groups), return_inverse=True)
    count = min(int(np.ceil(valid * len(names))), len(names) - 1)
    out = np.isin(number, np.random.default_rng(seed).permutation(len(names))[:count])
    return np.where(~out)[0].tolist(), np.where(out)[0].tolist()
"""
        },
    ),
]
