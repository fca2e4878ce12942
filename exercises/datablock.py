"""# Say what your data are

Somebody hands you a folder, a spreadsheet, a pile of arrays. Before any model sees them, four questions have
to be answered: what goes in, what comes out, where the items are, and which of them are held out. You write
what answers them in the library, and at the end what the answers lead to.

1. `splits.stratified_split(labels, valid, seed)`: hold out the same share of each kind, at least one item of
   each on either side.
2. `splits.time_split(times, valid)`: learn from what came before, hold out what came last. Items of the same
   moment stay together.
3. `splits.fold_split(groups, folds, fold, seed)`: one of several parts is held out, so that in as many rounds
   each item is held out once. `groups` is how many items there are, or the group of each; no group is torn.
4. `splits.check_split(split, count, groups)`: give a good split back as two lists, and refuse one that is no
   split of these items, or that leaks.
5. `finding.taken(item, take)`: take the input, or the target, out of an item.
6. `batches.collate(items)`: put items together into a batch of the same form and the same types.
7. `datablock.make_loaders(block, source, batch_size, options, training, broken)`: what a `DataBlock` does
   when it is asked for loaders. The block has the answers: `block.find_items(source)`, `block.sample(items)`
   (the step that takes input and target and makes both), `block.split_items(items, sample)`,
   `block.further_steps(sample)` (those for each sample) and `block.batch_steps()`. You put them in order,
   with `Items`, `Chosen`, `Pipeline`, `Loader`, `Recipe` and `Loaders`. `check_labels` may be left out.

The docstring of each starter says the rest. Every split is a pair of lists of item numbers, both ascending.
The errors about missing values and impossible shares that the docstrings mention are the library's care, not
yours; those of `check_split`, and a name that `taken` does not find, are yours. Nothing has to be imported.

Before you begin: of 72 pigs, each is weighed once a week for twelve weeks. You hold out a fifth of the 861
rows. How many pigs has your model never met?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "splits.stratified_split": "hold out the same share of each kind",
    "splits.time_split": "hold out what came last",
    "splits.fold_split": "hold out one part of several, in turn",
    "splits.check_split": "refuse a split that leaks",
    "finding.taken": "take the input or the target out of an item",
    "batches.collate": "put items together into a batch of their types",
    "datablock.make_loaders": "find, split, learn, encode, and put together",
}


def _lost(split, count):
    """What is wrong with a split that should hold each of `count` items once, in words, or nothing."""
    train, valid = split
    both = train + valid
    for item in range(count):
        if both.count(item) != 1:
            side = "on no side" if item not in both else f"{both.count(item)} times"
            return f"There are {count} items, 0 to {count - 1}; item {item} stands {side}."
    if len(both) > count:
        return f"There are {count} items, 0 to {count - 1}; item {max(both)} does not exist."
    if train != sorted(train) or valid != sorted(valid):
        return "Each side lists its items in ascending order; yours does not."
    return ""


def _told(function):
    """What an error says; or what came instead of one."""
    try:
        return ["no error", function()]
    except NotImplementedError:
        raise
    except Exception as error:
        return [type(error).__name__, str(error)]


@check(points=2, lesson="Held out, but from what?")
def each_kind_gives_its_share(kit, case):
    """Go through the kinds one by one, and hold out the share of each."""
    labels = case.shuffled("labels", ["sound"] * 40 + ["broken"] * 20 + ["dirty"] * 10)
    for valid in (0.2, 0.5):
        yield f"valid={valid}", kit.stratified_split(labels, valid=valid, seed=case.integer("seed", 1, 99))


@each_kind_gives_its_share.judge
def _(seen, case, ours):
    labels = case["labels"]
    for label, split in seen.items():
        fault = _lost(split, len(labels))
        if fault:
            yield label, fault
            continue
        for kind in ("sound", "broken", "dirty"):
            held_out = sum(labels[item] == kind for item in split[1])
            wanted = sum(labels[item] == kind for item in ours[label][1])
            if abs(held_out - wanted) > 1:
                total = labels.count(kind)
                yield (
                    label,
                    f"Of {total} items of {kind!r} {wanted} should be held out; you hold out {held_out}.",
                )


@check(points=1, lesson="Held out, but from what?")
def a_rare_kind_stands_on_both_sides(kit, case):
    """A share of two or three rounds to none or to all: keep the number between with `min` and `max`."""
    labels = case.shuffled("labels", ["usual"] * 20 + ["rare"] * 2 + ["seldom"] * 3)
    for valid in (0.1, 0.9):
        yield f"valid={valid}", kit.stratified_split(labels, valid=valid, seed=case.integer("seed", 1, 99))


@a_rare_kind_stands_on_both_sides.judge
def _(seen, case, ours):
    labels = dict(enumerate(case["labels"]))
    for label, (train, valid) in seen.items():
        for side, items in (("learned from", train), ("held out", valid)):
            for kind in sorted({"usual", "rare", "seldom"} - {labels.get(item) for item in items}):
                yield (
                    label,
                    f"No item of {kind!r} is {side}: at least one of each kind stands on either side.",
                )


@check(points=1, lesson="Held out, but from what?", another_day=True)
def the_seed_decides_which(kit, case):
    """All chance comes from `random.Random(seed)`, and the kinds come in an order that lasts: sorted."""
    labels = case.shuffled("labels", [kind for kind in ("wren", "owl", "kite", "gull") for _ in range(8)])
    seed = case.integer("seed", 1, 99)
    for name, one in (("once", seed), ("once more", seed), ("another seed", seed + 1), ("a third", seed + 2)):
        yield name, kit.stratified_split(labels, valid=0.25, seed=one)


@the_seed_decides_which.judge
def _(seen, case, ours):
    if seen["once"] != seen["once more"]:
        yield "once more", "The same seed gave another split."
    for label, (train, valid) in seen.items():
        if not train or not valid:
            yield label, "One side is empty."
    if seen["once"] == seen["another seed"] == seen["a third"]:
        yield "another seed", "Three seeds gave the same split."


@check(points=2, lesson="Held out, but from what?")
def what_came_last_is_held_out(kit, case):
    """Sort the moments; whatever is as late as the last few of them is held out."""
    years = case.shuffled("years", list(range(2001, 2021)))
    for valid in (0.2, 0.5):
        yield f"valid={valid}", kit.time_split(years, valid=valid)
    days = case.shuffled("days", ["2023-12-30", "2023-12-31", "2024-01-01", "2024-02-29", "2024-03-01"])
    yield "days", kit.time_split(days, valid=0.4)


@check(points=2, lesson="Held out, but from what?")
def what_happened_at_once_stays_together(kit, case):
    """Choose the moment at which the held-out side begins, and then look at the items."""
    times = case.shuffled("times", [week for week in range(1, 8) for _ in range(4)])
    for valid in (0.2, 0.4):
        yield f"valid={valid}", kit.time_split(times, valid=valid)


@what_happened_at_once_stays_together.judge
def _(seen, case, ours):
    times = case["times"]
    for label, split in seen.items():
        fault = _lost(split, len(times))
        if fault:
            yield label, fault
            continue
        first = min(times[item] for item in split[1])
        if max(times[item] for item in split[0]) >= first:
            yield (
                label,
                f"Items of week {first} are held out, and others of that week, or of a later, are not.",
            )
        elif abs(len(split[1]) - len(ours[label][1])) > 4:
            yield (
                label,
                f"About {len(ours[label][1])} items should be held out; you hold out {len(split[1])}.",
            )


@check(points=2, lesson="Held out, but from what?")
def each_item_is_held_out_once(kit, case):
    """Shuffle once, with the seed alone, deal into parts, and hold out the part that `fold` counts."""
    count, seed = case.integer("items", 20, 40), case.integer("seed", 1, 99)
    yield "rounds", [kit.fold_split(count, folds=3, fold=fold, seed=seed) for fold in range(3)]
    yield "another seed", [kit.fold_split(count, folds=3, fold=fold, seed=seed + 1) for fold in range(3)]


@each_item_is_held_out_once.judge
def _(seen, case, ours):
    count = case["items"]
    for fold, split in enumerate(seen["rounds"]):
        if fault := _lost(split, count):
            yield "rounds", f"Round {fold}: {fault}"
            return
    held_out = [item for _, valid in seen["rounds"] for item in valid]
    for item in range(count):
        if held_out.count(item) != 1:
            yield (
                "rounds",
                f"In three rounds item {item} is held out {held_out.count(item)} times, and not once.",
            )
            return
    sizes = [len(valid) for _, valid in seen["rounds"]]
    if max(sizes) - min(sizes) > 1:
        yield "rounds", f"The parts hold {sizes} items; they should be as equal as {count} allows."
    elif not all(train and valid for train, valid in seen["another seed"]) or len(seen["another seed"]) != 3:
        yield "another seed", "There are three rounds, and in each both sides have items."
    elif seen["rounds"] == seen["another seed"]:
        yield "another seed", "Two seeds gave the same parts."


@check(points=2, lesson="Held out, but from what?")
def folds_tear_no_group_apart(kit, case):
    """Deal out the names of the groups, the large ones first, each into the part that is smallest yet."""
    pigs = case.shuffled("pigs", [f"pig {n}" for n in range(9) for _ in range(2 if n else 8)])
    yield "rounds", [kit.fold_split(pigs, folds=3, fold=fold, seed=2) for fold in range(3)]


@folds_tear_no_group_apart.judge
def _(seen, case, ours):
    pigs = case["pigs"]
    for fold, split in enumerate(seen["rounds"]):
        if fault := _lost(split, len(pigs)):
            yield "rounds", f"Round {fold}: {fault}"
            return
        torn = sorted({pigs[item] for item in split[0]} & {pigs[item] for item in split[1]})
        if torn:
            yield "rounds", f"Round {fold}: {len(torn)} of 9 pigs stand on both sides ({torn[0]}, for one)."
            return
    sizes = [len(valid) for _, valid in seen["rounds"]]
    if sorted(item for _, valid in seen["rounds"] for item in valid) != list(range(len(pigs))):
        yield "rounds", "Over the rounds each item should be held out once."
    elif max(sizes) - min(sizes) > 4:
        yield (
            "rounds",
            f"The parts hold {sizes} items: one pig has 8 rows and eight have 2, and 8 each can be had.",
        )


@check(points=2, lesson="A split that is refused")
def what_is_no_split_is_refused(kit, case):
    """Raise a `ValueError` that says what is wrong: a side empty, a number that is no item, an item twice."""
    count = case.integer("items", 4, 9)
    everything = list(range(count))
    yield "a good one", kit.check_split((everything[:-1], everything[-1:]), count)
    yield "some on no side", kit.check_split(((0, 1), (3,)), count)
    yield "on both sides", case.raises(lambda: kit.check_split((everything, [1]), count))
    yield "twice on one side", case.raises(lambda: kit.check_split(([0, 1, 1], [2]), count))
    yield "nothing held out", case.raises(lambda: kit.check_split((everything, []), count))
    yield "one too many", case.raises(lambda: kit.check_split((everything[:-1], [count]), count))
    yield "counted from the end", case.raises(lambda: kit.check_split(([0, 1], [-1]), count))


@check(points=3, lesson="A split that is refused")
def a_group_on_both_sides_is_refused(kit, case):
    """Compare the groups of one side with those of the other; None is no group."""
    wards = case.shuffled("wards", ["ann", "bob", "cleo", "dan"])
    groups = [ward for ward in wards for _ in range(3)]
    yield "whole groups", kit.check_split((list(range(6)), list(range(6, 12))), 12, groups)
    yield "a torn one", case.raises(lambda: kit.check_split((list(range(7)), list(range(7, 12))), 12, groups))
    loose = [None, *groups[1:11], None]
    yield "without a group", kit.check_split((list(range(6)), list(range(6, 12))), 12, loose)
    yield "no groups given", kit.check_split((list(range(7)), list(range(7, 12))), 12)


@check(points=2, lesson="What goes in, what comes out")
def it_is_taken_by_name_place_or_function(kit, case):
    """Ask what `take` is: None, to be called, a list, a tuple, a dictionary, or else a name or place."""
    taken = kit.finding.taken
    week, weight = case.integer("week", 1, 12), case.integer("weight", 20, 110)
    row = {"pig": 4601, "week": week, "weight": weight}
    yield "a name", taken(row, "weight")
    yield "a place", taken((week, weight), 1)
    yield "a function", taken(row, lambda row: row["weight"] / row["week"])
    yield "several names", taken(row, ["week", "weight"])
    yield "two inputs", taken(row, ("weight", "week"))
    yield "two inputs by name", taken(row, {"kilograms": "weight", "age": "week"})
    yield "nothing said", taken("a_photo.jpg", None)


@check(points=2, lesson="What goes in, what comes out")
def a_name_that_is_not_there_is_told(kit, case):
    """Catch what `item[take]` raises, and raise a `KeyError` that lists what the item has."""
    taken = kit.finding.taken
    name = case.choice("name", ["wieght", "Weight", "kg"])
    row = {"pig": 4601, "week": 7, "weight": 66}
    yield "a row", _told(lambda: taken(row, name))
    yield "one of several", _told(lambda: taken(row, ["week", name]))
    yield "a pair", case.raises(lambda: taken((7, 66), 2))
    yield "a function of theirs", case.raises(lambda: taken(row, lambda row: 1 / 0))


@a_name_that_is_not_there_is_told.judge
def _(seen, case, ours):
    for label in ("a row", "one of several"):
        kind, told = seen[label]
        if kind == "no error":
            yield label, f"There is no {case['name']!r}; {told!r} came back, and nobody heard of it."
        elif kind != "KeyError":
            yield label, f"A name that is not there is a `KeyError`; this is a {kind}."
        elif not all(word in told for word in (case["name"], "pig", "week", "weight")):
            yield label, f"Who reads this does not learn both what was asked for and what there is: {told}"
    for label in ("a pair", "a function of theirs"):
        if type(seen[label]) is not type(ours[label]):
            yield label, f"{ours[label]!r} was to come; {seen[label]!r} came."


@check(points=2, lesson="From items to batches")
def a_batch_has_the_types_of_its_items(kit, case):
    """Torch knows how each type is put together: `default_collate_fn_map.get(type(first), ...)`."""
    collate = kit.batches.collate
    kinds = ("background", "flower")
    photos = [kit.Image(case.tensor(f"photo {n}", (3, 4, 5), low=0)) for n in range(3)]
    yield "photos", collate(photos)
    yield "masks", collate([kit.Mask(case.labels("mask", 4, 2).reshape(2, 2), vocab=kinds)] * 2)
    codes = case.labels("codes", 3, classes=2)
    yield "labels", collate([kit.Category(code, vocab=("broken", "sound")) for code in codes])
    yield "plain tensors", collate([photo.mean() for photo in photos])
    yield "numbers", collate([1.5, 2.0])
    yield "words", collate(["a", "b"])


@check(points=2, lesson="From items to batches")
def a_batch_has_the_form_of_its_items(kit, case):
    """Put the first elements together, then the second: `zip(*items)`; ask `collate` again for each."""
    collate = kit.batches.collate
    first, second = (kit.Image(case.tensor(f"photo {n}", (1, 2, 2), low=0)) for n in range(2))
    labels = [kit.Category(code, vocab=("a", "b")) for code in case.labels("codes", 2, classes=2)]
    yield "pairs", collate([(first, labels[0]), (second, labels[1])])
    yield "dictionaries", collate([{"photo": first, "age": 3}, {"photo": second, "age": 5}])
    yield "one in the other", collate([((first, 1), labels[0]), ((second, 2), labels[1])])


@check(points=1, lesson="From items to batches")
def photos_of_two_sizes_are_refused(kit, case):
    """If torch raises, ask `refuse_unequal(items, called)`, and go on raising."""
    collate = kit.batches.collate
    high, wide = case.integer("height", 3, 5), case.integer("width", 6, 9)
    photos = [kit.Image(case.tensor("one", (1, high, 4))), kit.Image(case.tensor("other", (1, 4, wide)))]
    yield "two sizes", _told(lambda: collate(photos))
    yield "in pairs", _told(lambda: collate([(photo, 1) for photo in photos]))


@photos_of_two_sizes_are_refused.judge
def _(seen, case, ours):
    sizes = [str((1, case["height"], 4)), str((1, 4, case["width"]))]
    for label, (kind, told) in seen.items():
        if kind == "no error":
            yield label, "Two photos of different sizes came out as one batch: which pixels are whose?"
        elif kind != "ValueError" or not all(size in told for size in sizes):
            yield (
                label,
                f"A `ValueError` that names both sizes, {' and '.join(sizes)}, was to come; a {kind} came.",
            )


def _table():
    """Four cells to learn from and two held out, whose numbers and kind are others."""
    import pandas

    return pandas.DataFrame(
        {
            "label": ["sound", "broken", "sound", "broken", "burnt", "sound"],
            "volts": [1.0, 2.0, 3.0, 4.0, 90.0, 80.0],
            "hours": [3.0, 1.0, 4.0, 1.0, 5.0, 9.0],
            "panel": list("aabbcc"),
        }
    )


@check(points=3, lesson="What is learned, and from whom")
def only_training_items_are_learned_from(kit, case):
    """First split; then `setup` with the training items; then make everything else."""
    table = _table()
    order = case.shuffled("order", [0, 1, 2, 3])
    split = (order, [4, 5])
    names = kit.DataBlock(kit.Target, kit.Category, split, input_from="volts")
    yield "a held-out item of another kind", case.raises(lambda: list(names.loaders(table).valid))
    rows = kit.DataBlock(kit.Row, kit.Target, split, input_from=["volts"], target_from="hours")
    yield "held-out rows, scaled", list(rows.loaders(table, batch_size=2).valid)
    photos = case.tensor("photos", (6, 3, 2, 2), low=0)
    lit = kit.DataBlock(kit.Image, kit.Target, split, batch_transforms=[kit.Normalize()])
    yield (
        "held-out photos, scaled",
        list(lit.loaders((photos, table["volts"].to_numpy()), batch_size=2).valid),
    )


def _step_that_adds_by_chance(kit):
    """Adds a number drawn anew for each sample."""

    class Shift(kit.RandomTransform):
        def draw(self, chance):
            return chance.randint(1, 1_000_000)

        @kit.method
        def apply(self, x: kit.Target, drawn):
            return x + drawn

    return Shift()


@check(points=2, lesson="What is learned, and from whom")
def held_out_items_are_not_drawn(kit, case):
    """`pipeline.calm()` is the same pipeline without the steps that draw: the ruler does not move."""
    volts = case.floats("volts", 6, 0, 10)
    shift = _step_that_adds_by_chance(kit)
    block = kit.DataBlock(kit.Target, None, ([0, 1, 2, 3], [4, 5]), item_transforms=[shift])
    data = block.loaders(volts, batch_size=4)
    yield "held out", [batch[0].tolist() for batch in data.valid]
    yield "for a new item", data.recipe.encode(7.0).tolist()
    (trained,) = [batch[0].tolist() for batch in data.train]
    yield "to learn from", trained


@held_out_items_are_not_drawn.judge
def _(seen, case, ours):
    for label in ("held out", "for a new item"):
        if seen[label] != ours[label]:
            yield label, f"{ours[label]} was to come; {seen[label]} came. Nothing is drawn here."
    if len(seen["to learn from"]) != 4 or min(seen["to learn from"]) < 1:
        yield (
            "to learn from",
            f"Four items, each moved by chance, were to come; {seen['to learn from']} came.",
        )


@check(points=2, lesson="All of it on one page")
def each_pass_has_an_order_of_its_own(kit, case):
    """`Loader(..., shuffle=True)` for the training items, and for those alone."""
    numbers = case.shuffled("numbers", list(range(40)))
    block = kit.DataBlock(kit.Target, None, (list(range(30)), list(range(30, 40))))
    data = block.loaders(
        [float(number) for number in numbers], batch_size=40, seed=case.integer("seed", 1, 9)
    )
    for name, side in (("first pass", data.train), ("second pass", data.train), ("held out", data.valid)):
        ((batch,),) = list(side)
        yield name, batch.int().tolist()


@each_pass_has_an_order_of_its_own.judge
def _(seen, case, ours):
    numbers = case["numbers"]
    if sorted(seen["first pass"]) != sorted(numbers[:30]):
        yield (
            "first pass",
            f"{sorted(numbers[:30])} are to be learned from, and in one pass {seen['first pass']} came.",
        )
    elif sorted(seen["second pass"]) != sorted(numbers[:30]):
        yield "second pass", "In the second pass other items came than in the first."
    elif seen["first pass"] == seen["second pass"]:
        yield "second pass", "Two passes through the training items had the same order."
    if seen["held out"] != numbers[30:]:
        yield "held out", f"{numbers[30:]} are held out, in this order; {seen['held out']} came."


@check(points=2, lesson="A split that is refused")
def a_torn_group_stops_everything(kit, case):
    """Ask `block.split_items(items, sample)`: it splits, and looks whether anything leaks."""
    block = kit.DataBlock(kit.Target, None, ([0, 2, 4], [1, 5]), input_from="volts", groups="panel")
    yield "groups torn apart", case.raises(lambda: block.loaders(_table()))
    split = kit.GroupSplit("panel", seed=case.integer("seed", 1, 9))
    whole = kit.DataBlock(kit.Target, None, split, input_from="volts", groups="panel")
    sides = whole.loaders(_table())
    yield "whole groups", [len(sides.train.items), len(sides.valid.items)]


@check(points=2, lesson="What has to be kept")
def a_new_item_is_made_like_the_others(kit, case):
    """A `Recipe` has the steps of input, target and batch, all calm, and the further steps too."""
    photos = [kit.Image(case.tensor(f"photo {n}", (3, 4, 4), low=0, high=255).byte().cpu()) for n in range(4)]
    block = kit.DataBlock(
        kit.Image,
        kit.Category,
        ([0, 1], [2, 3]),
        item_transforms=[kit.Resize(2)],
        batch_transforms=[kit.Normalize()],
    )
    data = block.loaders(list(zip(photos, ["sound", "broken", "broken", "sound"], strict=True)), batch_size=2)
    yield "a new photo", data.recipe.encode(photos[3])
    photo, label = next(iter(data.valid))
    yield "named again", [data.decode_target(one) for one in label]
    yield "a batch taken apart", data.decode_batch((photo, label))


def _written(full: str, signature: str, *lines: str) -> dict[str, str]:
    """A definition of these lines."""
    return {
        full: "\n    ".join([f"import random\n\n\ndef {full.rpartition('.')[2]}({signature}):", *lines])
        + "\n"
    }


def _stratified(*lines: str, order: str = "sorted(places)") -> dict[str, str]:
    """A `stratified_split` with these lines for each `kind` and its `items`."""
    return _written(
        "splits.stratified_split",
        "labels, valid=0.2, seed=0",
        "places = {}",
        "for item, label in enumerate(labels):",
        "    places.setdefault(label, []).append(item)",
        "chance, held_out = random.Random(seed), set()",
        f"for kind in {order}:",
        "    items = places[kind]",
        *(f"    {line}" for line in lines),
        "return [item for item in range(len(labels)) if item not in held_out], sorted(held_out)",
    )


COUNT = "count = min(max(round(valid * len(items)), 1), len(items) - 1)"
DRAW = "held_out.update(chance.sample(items, count))"


def _in_time(*lines: str) -> dict[str, str]:
    """A `time_split` of these lines, which give `held_out`."""
    return _written(
        "splits.time_split",
        "times, valid=0.2",
        "times, count = list(times), round(valid * len(times))",
        *lines,
        "return [item for item in range(len(times)) if item not in held_out], sorted(held_out)",
    )


def _folds(*lines: str) -> dict[str, str]:
    """A `fold_split` of these lines, which give `held_out`, item numbers."""
    return _written(
        "splits.fold_split",
        "groups, folds=5, fold=0, seed=0",
        "groups = list(range(groups)) if isinstance(groups, int) else list(groups)",
        *lines,
        "held_out = set(held_out)",
        "return [item for item in range(len(groups)) if item not in held_out], sorted(held_out)",
    )


NAMES = "names = sorted(set(groups))\n    random.Random(seed).shuffle(names)"


def _checked(
    empty: str = "not train or not valid",
    stray: str = "any(not 0 <= item < count for item in train + valid)",
    twice: str = "len(set(train + valid)) < len(train + valid)",
    torn: str = "groups is not None and {groups[i] for i in train} & {groups[i] for i in valid} - {None}",
    do: str = 'raise ValueError("this is no split")',
) -> dict[str, str]:
    """A `check_split` that asks these questions."""
    return _written(
        "splits.check_split",
        "split, count, groups=None",
        "train, valid = map(list, split)",
        *(f"if {question}:\n        {do}" for question in (empty, stray, twice, torn)),
        "return train, valid",
    )


def _taking(*lines: str) -> dict[str, str]:
    return _written("finding.taken", "item, take", *lines)


FUNCTION = "if callable(take):\n        return take(item)"
SEVERAL = (
    "if isinstance(take, list):\n        return {name: taken(item, name) for name in take}\n"
    "    if isinstance(take, tuple):\n        return tuple(taken(item, one) for one in take)\n"
    "    if isinstance(take, dict):\n        return {name: taken(item, one) for name, one in take.items()}"
)
TAKE = (
    "try:\n        return item[take]\n    except (KeyError, IndexError, TypeError):\n"
    '        raise KeyError(f"an item has no {take!r}; it is {item!r}") from None'
)


def _collating(
    tuples: str = "return tuple(collate(column) for column in zip(*items))",
    dicts: str = "return {name: collate([item[name] for item in items]) for name in first}",
    tensors: str = "default_collate_fn_map.get(type(first), collate_tensor_fn)(items)",
) -> dict[str, str]:
    """A `collate` that does this to tuples, to dictionaries and to tensors."""
    return _written(
        "batches.collate",
        'items, called="item {}".format',
        "first = items[0]",
        f"if isinstance(first, tuple):\n        {tuples}",
        f"if isinstance(first, dict):\n        {dicts}",
        "if isinstance(first, str):\n        return list(items)",
        "if not isinstance(first, Tensor):\n        return torch.tensor(items)",
        f"try:\n        return {tensors}",
        "except (RuntimeError, ValueError):\n        refuse_unequal(items, called)\n        raise",
    )


MAKE = """
    items = block.find_items(source)
    sample = block.sample(items)
    train, valid = block.split_items(items, sample)
    further = block.further_steps(sample)
    learned = Items(Chosen(items, train), Pipeline(sample, *further), seed=options["seed"], broken=broken)
    learned.pipeline.setup(learned.raw)
    held_out = Items(Chosen(items, valid), learned.pipeline.calm(), broken=broken)
    batch = Pipeline(*block.batch_steps())
    batch.setup(Loader(learned, batch_size, **options))
    made = [Pipeline(*pipeline.steps, *further).calm() for pipeline, _ in sample.sides]
    targets = made[1] if len(made) > 1 else None
    return Loaders(
        Loader(learned, batch_size, batch, shuffle=True, **options, **training),
        Loader(held_out, batch_size, batch.calm(), **options),
        Recipe(made[0], targets, batch.calm(), sample.input_from),
    )
"""


def _making(right: str, wrong: str) -> dict[str, str]:
    """A `make_loaders` in which one thing is another."""
    assert right in MAKE, right
    return {
        "datablock.make_loaders": "def make_loaders(block, source, batch_size, options, training, broken):"
        + MAKE.replace(right, wrong)
    }


wrong = [
    Wrong(
        "draws from all items alike",
        _written(
            "splits.stratified_split",
            "labels, valid=0.2, seed=0",
            "held_out = set(random.Random(seed).sample(range(len(labels)), round(valid * len(labels))))",
            "return [item for item in range(len(labels)) if item not in held_out], sorted(held_out)",
        ),
        caught_by=each_kind_gives_its_share,
        says="You drew from all items alike, so chance decides how many of each kind you have to judge by.",
    ),
    Wrong(
        "holds out as many of each kind",
        _stratified(
            "count = round(valid * len(labels) / len(places))", "count = min(count, len(items) - 1)", DRAW
        ),
        caught_by=each_kind_gives_its_share,
        says="You hold out as many of each kind. It is the same share of each: of many, many.",
    ),
    Wrong(
        "lets a rare kind round away",
        _stratified("count = round(valid * len(items))", DRAW),
        caught_by=a_rare_kind_stands_on_both_sides,
        says="A share of two items rounds to none or to both. Keep the number between 1 and all but one.",
    ),
    Wrong(
        "always holds out the first",
        _stratified(COUNT, "held_out.update(items[:count])"),
        caught_by=the_seed_decides_which,
        says="You always hold out the first of each kind: `seed` is not used yet.",
    ),
    Wrong(
        "goes through the kinds in the order of a set",
        _stratified(COUNT, DRAW, order="set(labels)"),
        caught_by=the_seed_decides_which,
        says="A set has another order each time Python starts, and with it the draws: sort the kinds.",
    ),
    Wrong(
        "takes the order of the rows for time",
        _in_time("held_out = set(range(len(times) - count, len(times)))"),
        caught_by=what_came_last_is_held_out,
        says="You held out the last rows. Rows stand as somebody saved them; look at the times.",
    ),
    Wrong(
        "holds out what came first",
        _in_time("held_out = set(sorted(range(len(times)), key=times.__getitem__)[:count])"),
        caught_by=what_came_last_is_held_out,
        says="You hold out what came first: the model would be asked about the past, and knows the future.",
    ),
    Wrong(
        "draws by chance",
        _in_time("held_out = set(random.Random(0).sample(range(len(times)), count))"),
        caught_by=what_came_last_is_held_out,
        says="You drew by chance: the model learns from the day after, and is asked about the day before.",
    ),
    Wrong(
        "tears a moment apart",
        _in_time("held_out = set(sorted(range(len(times)), key=times.__getitem__)[-count:])"),
        caught_by=what_happened_at_once_stays_together,
        says="Of one and the same week you learn from some items and hold out others: cut between two weeks.",
    ),
    Wrong(
        "draws anew for each round",
        _folds("held_out = random.Random(seed + fold).sample(range(len(groups)), len(groups) // folds)"),
        caught_by=each_item_is_held_out_once,
        says="You drew anew in each round, so some items are held out twice and others never. Shuffle once.",
    ),
    Wrong(
        "forgets the rest",
        _folds(NAMES, "size = len(names) // folds", "held_out = names[fold * size : (fold + 1) * size]"),
        caught_by=each_item_is_held_out_once,
        says="The count does not divide evenly, and the rest is never held out: `names[fold::folds]`.",
    ),
    Wrong(
        "leaves them in their order",
        _folds("held_out = range(len(groups))[fold::folds]"),
        caught_by=each_item_is_held_out_once,
        says="Two seeds gave the same parts.",
    ),
    Wrong(
        "deals out items",
        _folds(
            "items = list(range(len(groups)))",
            "random.Random(seed).shuffle(items)",
            "held_out = items[fold::folds]",
        ),
        caught_by=folds_tear_no_group_apart,
        says="You dealt out the items. Deal out the names of the groups, then take all their items.",
    ),
    Wrong(
        "counts groups and not what is in them",
        _folds(
            NAMES,
            "names.sort(key=groups.count, reverse=True)",
            "held_out = [item for item, group in enumerate(groups) if group in names[fold::folds]]",
        ),
        caught_by=folds_tear_no_group_apart,
        says="Each part has as many groups, one far more items: put the next into the smallest part.",
    ),
    Wrong(
        "does not compare the sides",
        _checked(twice="len(set(train)) < len(train) or len(set(valid)) < len(valid)"),
        caught_by=what_is_no_split_is_refused,
        says="Item 1 stands on both sides, and you let it: the model is tested on what it was taught.",
    ),
    Wrong(
        "asks for every item",
        _checked(empty="len(train) + len(valid) != count"),
        caught_by=what_is_no_split_is_refused,
        says="You refused a split that leaves an item on no side. That is allowed: some are kept for later.",
    ),
    Wrong(
        "counts from the end",
        _checked(stray="any(item >= count for item in train + valid)"),
        caught_by=what_is_no_split_is_refused,
        says="Item -1 is the last one to Python, and may stand on the other side as well: refuse it.",
    ),
    Wrong(
        "repairs it in silence",
        _checked(do="valid = [item for item in valid if item not in train and 0 <= item < count]"),
        caught_by=what_is_no_split_is_refused,
        says="You mended it and told nobody. Whoever made this split is wrong about it, and has to hear so.",
    ),
    Wrong(
        "does not look at groups",
        _checked(torn="False"),
        caught_by=a_group_on_both_sides_is_refused,
        says="`groups` is not used yet: here one group has items on both sides, and it went through.",
    ),
    Wrong(
        "takes nothing for a group",
        _checked(torn="groups is not None and {groups[i] for i in train} & {groups[i] for i in valid}"),
        caught_by=a_group_on_both_sides_is_refused,
        says="Two items whose group nobody knows have `None` in common, and no more: let them be parted.",
    ),
    Wrong(
        "takes a function for a name",
        _taking(
            "if take is None:\n        return item",
            SEVERAL,
            TAKE.replace("{take!r}", "such name"),
        ),
        caught_by=it_is_taken_by_name_place_or_function,
        says="`take` may be a function: then call it with the item.",
    ),
    Wrong(
        "forgets what was asked for",
        _taking(
            "if take is None:\n        return item",
            FUNCTION,
            "if isinstance(take, list):\n        return [taken(item, name) for name in take]",
            TAKE,
        ),
        caught_by=it_is_taken_by_name_place_or_function,
        says="Of several names a dictionary comes out, so that it is still known which value is which.",
    ),
    Wrong(
        "asks for a name in any case",
        _taking(FUNCTION, SEVERAL, TAKE),
        caught_by=it_is_taken_by_name_place_or_function,
        says="With `None` nothing was said: the item itself is what is wanted.",
    ),
    Wrong(
        "gives nothing for what is not there",
        _taking(
            "if take is None:\n        return item",
            FUNCTION,
            SEVERAL,
            "return item.get(take) if isinstance(item, dict) else item[take]",
        ),
        caught_by=a_name_that_is_not_there_is_told,
        says="`.get` gives None for a name that is not there, and a slip of the pen becomes a missing value.",
    ),
    Wrong(
        "does not say what there is",
        _taking("if take is None:\n        return item", FUNCTION, SEVERAL, "return item[take]"),
        caught_by=a_name_that_is_not_there_is_told,
        says="Python's own error names what was asked for, and not what there is: add that.",
    ),
    Wrong(
        "takes the blame for others",
        _taking(
            "if take is None:\n        return item",
            SEVERAL,
            "try:\n        return take(item) if callable(take) else item[take]",
            'except Exception:\n        raise KeyError(f"an item has no {take!r}; it is {item!r}") from None',
        ),
        caught_by=a_name_that_is_not_there_is_told,
        says="Their function divided by zero, and you said that a name is missing: call it outside of `try`.",
    ),
    Wrong(
        "stacks plainly",
        _collating(tensors="torch.stack(items)"),
        caught_by=a_batch_has_the_types_of_its_items,
        says="`torch.stack` gives plain tensors: the batch no longer knows what it holds.",
    ),
    Wrong(
        "gives each the type of the first, and no more",
        _collating(tensors="torch.stack(items).as_subclass(type(first))"),
        caught_by=a_batch_has_the_types_of_its_items,
        says="The type is right, and the names of its kinds are gone. The type's own function keeps them.",
    ),
    Wrong(
        "makes a list of pairs",
        _collating(tuples="return [collate(column) for column in zip(*items)]"),
        caught_by=a_batch_has_the_form_of_its_items,
        says="You made a list of a tuple: every step after it would take it for one value, and let it pass.",
    ),
    Wrong(
        "leaves the pairs side by side",
        _collating(tuples="return tuple(items)"),
        caught_by=a_batch_has_the_form_of_its_items,
        says="These are the pairs as they came. A batch is one pair: all first elements, then all second.",
    ),
    Wrong(
        "does not look into dictionaries",
        _collating(dicts="return list(items)"),
        caught_by=a_batch_has_the_form_of_its_items,
        says="Dictionaries came out as a list of them; put together what stands under each name.",
    ),
    Wrong(
        "leaves the error to torch",
        _collating()
        | {
            "batches.collate": _collating()["batches.collate"].replace(
                "        refuse_unequal(items, called)\n", ""
            )
        },
        caught_by=photos_of_two_sizes_are_refused,
        says="Torch's error does not say what to do. `refuse_unequal` names both sizes, and a remedy.",
    ),
    Wrong(
        "cuts them to fit",
        _collating(
            tensors="default_collate_fn_map.get(type(first), collate_tensor_fn)([one[tuple(slice(min(sizes)) "
            "for sizes in zip(*(other.shape for other in items)))] for one in items])"
        ),
        caught_by=photos_of_two_sizes_are_refused,
        says="You cut off what did not fit. Which part of a photo can be spared is not for `collate` to say.",
    ),
    Wrong(
        "learns from all items",
        _making("learned.pipeline.setup(learned.raw)", "learned.pipeline.setup(items)"),
        caught_by=only_training_items_are_learned_from,
        says="You set the pipeline up on all items. What is held out must not have a say in it.",
    ),
    Wrong(
        "learns anew from what is held out",
        _making(
            "held_out = Items(Chosen(items, valid), learned.pipeline.calm(), broken=broken)",
            "own = block.unlearned().sample(items)\n"
            "    held_out = Items(Chosen(items, valid), Pipeline(own, *further).calm())\n"
            "    held_out.pipeline.setup(held_out.raw)",
        ),
        caught_by=only_training_items_are_learned_from,
        says="The held-out side learned names and scales of its own: its 0 is another kind than the model's.",
    ),
    Wrong(
        "lets the batches learn from the held-out side",
        _making("batch.setup(Loader(learned, ", "batch.setup(Loader(held_out, "),
        caught_by=only_training_items_are_learned_from,
        says="The steps for batches learned from the held-out items: give their `setup` the training loader.",
    ),
    Wrong(
        "does not let the batches learn",
        _making("    batch.setup(Loader(learned, batch_size, **options))\n", ""),
        caught_by=only_training_items_are_learned_from,
        says="Steps for batches learn, too: `batch.setup`, with batches of the training items.",
    ),
    Wrong(
        "draws for the held-out items",
        _making(
            "learned.pipeline.calm()",
            "learned.pipeline",
        ),
        caught_by=held_out_items_are_not_drawn,
        says="Held-out items were moved by chance. You would measure with a ruler that stretches: `.calm()`.",
    ),
    Wrong(
        "draws for new items",
        _making("*further).calm() for", "*further) for"),
        caught_by=held_out_items_are_not_drawn,
        says="The recipe still draws: asked twice about one photo, the model would answer two things.",
    ),
    Wrong(
        "keeps the order",
        _making(" shuffle=True,", ""),
        caught_by=each_pass_has_an_order_of_its_own,
        says="Each pass gives the same batches in the same order: `shuffle=True` for the training side.",
    ),
    Wrong(
        "shuffles what is held out",
        _making(
            "Loader(held_out, batch_size, batch.calm(), ", "Loader(held_out, batch_size, batch.calm(), True, "
        ),
        caught_by=each_pass_has_an_order_of_its_own,
        says="You shuffled the held-out side. Then nobody can say which of its items an answer belongs to.",
    ),
    Wrong(
        "swaps the sides",
        _making("train, valid = block", "valid, train = block"),
        caught_by=each_pass_has_an_order_of_its_own,
        says="You learn from what is held out: a split is `(train, valid)`, in this order.",
    ),
    Wrong(
        "takes the split on trust",
        _making(
            "block.split_items(items, sample)", "block.split(items) if callable(block.split) else block.split"
        ),
        caught_by=a_torn_group_stops_everything,
        says="You took the split as it came. `groups` was given so that it is checked: `block.split_items`.",
    ),
    Wrong(
        "forgets a step for new items",
        _making("Pipeline(*pipeline.steps, *further).calm()", "Pipeline(*pipeline.steps).calm()"),
        caught_by=a_new_item_is_made_like_the_others,
        says="A new photo goes in as large as it is: the further steps, here `Resize`, belong to the recipe.",
    ),
    Wrong(
        "scales new items otherwise",
        _making("Recipe(made[0], targets, batch.calm(), ", "Recipe(made[0], targets, Pipeline(), "),
        caught_by=a_new_item_is_made_like_the_others,
        says="A new photo is not scaled as those were that the model learned from: the recipe needs `batch`.",
    ),
]

right = [
    Right(
        "written another way",
        {
            "splits.stratified_split": """
import math


def stratified_split(labels, valid=0.2, seed=0):
    labels, chance = list(labels), random.Random(seed)
    train, held_out = [], []
    for kind in sorted(set(labels)):
        items = [item for item, label in enumerate(labels) if label == kind]
        chance.shuffle(items)
        count = max(1, min(len(items) - 1, math.floor(valid * len(items) + 0.5)))
        held_out += items[:count]
        train += items[count:]
    return sorted(train), sorted(held_out)
""",
            "splits.time_split": """
import numpy


def time_split(times, valid=0.2):
    times = numpy.array(list(times))
    late = numpy.sort(times)[max(1, len(times) - round(valid * len(times)))]
    if not (times < late).any():
        late = numpy.unique(times)[1]
    return numpy.flatnonzero(times < late).tolist(), numpy.flatnonzero(times >= late).tolist()
""",
            "splits.fold_split": """
def fold_split(groups, folds=5, fold=0, seed=0):
    groups = list(range(groups)) if isinstance(groups, int) else list(groups)
    names = sorted(set(groups))
    random.Random(seed).shuffle(names)
    parts = [[] for _ in range(folds)]
    for name in sorted(names, key=groups.count, reverse=True):
        min(parts, key=len).extend(item for item, group in enumerate(groups) if group == name)
    train = [item for number, part in enumerate(parts) if number != fold for item in part]
    return sorted(train), sorted(parts[fold])
""",
            "splits.check_split": """
def check_split(split, count, groups=None):
    train, valid = [[int(item) for item in side] for side in split]
    items = train + valid
    if not train or not valid:
        raise ValueError("a side is empty")
    if not set(items) <= set(range(count)):
        raise ValueError(f"there are {count} items, and the split names others")
    if len(set(items)) != len(items):
        raise ValueError("an item stands twice")
    if groups is not None:
        torn = {groups[item] for item in train}.intersection(groups[item] for item in valid) - {None}
        if torn:
            raise ValueError(f"{sorted(torn)} stand on both sides")
    return train, valid
""",
            "finding.taken": """
def taken(item, take):
    if take is None or callable(take):
        return item if take is None else take(item)
    if isinstance(take, tuple):
        return tuple(taken(item, one) for one in take)
    if isinstance(take, list):
        take = dict(zip(take, take))
    if isinstance(take, dict):
        return {name: taken(item, one) for name, one in take.items()}
    try:
        return item[take]
    except (LookupError, TypeError) as error:
        raise KeyError(f"there is no {take}, but {item}") from error
""",
            "batches.collate": """
def collate(items, called="item {}".format):
    one = items[0]
    if isinstance(one, dict):
        return {name: collate([item[name] for item in items], called) for name in one}
    if isinstance(one, tuple):
        together = [collate(list(column), called) for column in zip(*items)]
        return type(one)(*together) if hasattr(one, "_fields") else tuple(together)
    if one is None or isinstance(one, str):
        return None if one is None else items
    if isinstance(one, Tensor) and not isinstance(one, Counted):
        refuse_unequal(items, called)
    return default_collate(list(items))
""",
            "datablock.make_loaders": """
def make_loaders(block, source, batch_size, options, training=None, broken="raise"):
    items = block.find_items(source)
    sample = block.sample(items)
    sides = [Chosen(items, numbers) for numbers in block.split_items(items, sample)]
    steps = Pipeline(sample, *block.further_steps(sample))
    steps.setup(sides[0])
    train = Items(sides[0], steps, seed=options["seed"], broken=broken)
    batch = Pipeline(*block.batch_steps())
    batch.setup(Loader(train, batch_size, **options))
    calm = [Pipeline(*part.steps, *steps.steps[1:]).calm() for part, _ in sample.sides] + [None]
    recipe = Recipe(calm[0], calm[1], batch.calm(), sample.input_from)
    valid = Loader(Items(sides[1], steps.calm(), broken=broken), batch_size, recipe.batch, **options)
    shuffled = Loader(train, batch_size, batch, shuffle=True, **options, **(training or {}))
    return Loaders(shuffled, valid, recipe)
""",
        },
    ),
]
