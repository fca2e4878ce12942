"""# How sure, which for which, and where to look

Your model leaves the notebook. Three short functions go with it: one makes its scores readable, one says what
it takes for what, and one says which items somebody should look at again.

1. `softmax(scores, dim)`: every score becomes a positive number, and those along `dim` add up to 1. Scores
   may be as large as they like: 1,000 is one, and nothing may overflow. The scores themselves stay as they
   are: others still need them.
2. `confusion_matrix(predictions, targets, classes)`: how many items of each true class were said to be of
   each class. The row is the truth, the column what was said.
3. `top_losses(losses, count)`: the numbers of the items that surprised the model most, the worst first.

Each fits in four lines, and no line goes through items one by one: there may be millions of pixels. The
docstrings of the starters say the rest; you need not write the errors they mention.

Before you begin: add 100 to all scores of one photo. What becomes of its probabilities?
"""

from __future__ import annotations

from coursekit.grader import Right, Wrong, check

yours = {
    "losses.softmax": "probabilities from scores, however large these are",
    "confusion.confusion_matrix": "how many of each class were taken for which",
    "interpret.top_losses": "the items that surprised the model most",
}


@check(points=2, lesson="Read the scores")
def probabilities_add_up_to_one(kit, case):
    """The exponential of every score, divided by the sum of those in the same row."""
    items = case.integer("items", 4, 6)
    scores = case.tensor("scores", (items, 3), -2, 2)
    yield "a batch", kit.softmax(scores)
    yield "the scores afterwards", scores
    yield "one item of five classes", kit.softmax(case.tensor("five", (1, 5), -2, 2))


@check(points=2, lesson="Read the scores")
def large_scores_do_not_overflow(kit, case):
    """Take the largest score of each row away first: no probability changes, and none is above 0 then."""
    scores = case.tensor("scores", (case.integer("items", 3, 5), 3), -2, 2)
    yield "a thousand more", kit.softmax(scores + 1000)
    yield "a thousand less", kit.softmax(scores - 1000)
    # Each row lies far above the one before it: each has a largest score of its own.
    yield "rows far apart", kit.softmax(scores + 500 * _steps(scores))
    # One score lies far above the others of its row, so that their mean is no help.
    yield "one score far above", kit.softmax(scores + 500 * _steps(scores.T).T)


def _steps(scores):
    """0 for the first row, 1 for the second, and so on, as a column."""
    import torch

    return torch.arange(len(scores), dtype=scores.dtype)[:, None]


@check(points=1, lesson="Read the scores")
def any_axis_may_hold_the_classes(kit, case):
    """`dim` says along which axis the classes lie, and `keepdim=True` keeps it there to divide by."""
    width = case.integer("width", 2, 4)
    yield "of each pixel", kit.softmax(case.tensor("mask", (2, 3, 2, width), -2, 2))
    yield "down the columns", kit.softmax(case.tensor("table", (3, width), -2, 2), dim=0)


@check(points=3, lesson="Which for which")
def rows_are_the_truth_and_columns_what_was_said(kit, case):
    """Make one number of each pair, the truth first, as two digits make one: then count the numbers."""
    items = case.integer("items", 30, 40)
    truth, said = case.labels("truth", items, classes=3), case.labels("said", items, classes=3)
    yield "three classes", kit.confusion_matrix(said, truth, 3)
    yield "half of them", kit.confusion_matrix(said[: items // 2], truth[: items // 2], 3)


@check(points=1, lesson="Which for which")
def a_class_that_nobody_met_has_its_row(kit, case):
    """The table has as many rows and columns as there are classes, whatever came: `minlength`."""
    items = case.integer("items", 5, 9)
    truth, said = case.labels("truth", items, classes=2), case.labels("said", items, classes=2)
    yield "two classes of five", kit.confusion_matrix(said, truth, 5)
    yield "no items at all", kit.confusion_matrix(said[:0], truth[:0], 2)


@check(points=1, lesson="Which for which")
def pixels_are_counted_like_items(kit, case):
    """Lay everything in one row first: `flatten()`."""
    width = case.integer("width", 3, 5)
    truth = case.labels("truth", 8 * width, classes=3).reshape(2, 4, width)
    said = case.labels("said", 8 * width, classes=3).reshape(2, 4, width)
    yield "two masks", kit.confusion_matrix(said, truth, 3)
    yield "one mask", kit.confusion_matrix(said[0], truth[0], 3)


@check(points=2, lesson="The worst first")
def the_worst_come_first(kit, case):
    """`argsort` gives places in place of values; from which end does it begin?"""
    losses = case.tensor("losses", (case.integer("items", 12, 15),), 0, 5)
    yield "three of them", kit.top_losses(losses, 3)
    yield "nine, when nobody says how many", kit.top_losses(losses)
    yield "more than there are", kit.top_losses(losses[:5], 9)


@check(points=1, lesson="The worst first")
def ties_keep_their_order_and_nan_is_the_worst(kit, case):
    """`argsort(stable=True)` leaves what is equally bad in its order. What is no number needs a look."""
    import torch

    low = case.integer("low", 1, 3)
    losses = torch.tensor([low, 9.0, low, 9.0, low, low, 9.0] * 5)
    yield "ties", kit.top_losses(losses, 30)
    losses[4] = torch.nan
    yield "one is no number", kit.top_losses(losses, 4)


def _softmax(*lines: str) -> dict[str, str]:
    body = "\n".join(f"    {line}" for line in lines)
    return {"losses.softmax": f"import torch\n\n\ndef softmax(scores, dim=1):\n{body}\n"}


def _confusion(*lines: str) -> dict[str, str]:
    body = "\n".join(f"    {line}" for line in lines)
    start = "import torch\n\n\ndef confusion_matrix(predictions, targets, classes):\n"
    return {"confusion.confusion_matrix": start + body + "\n"}


def _top(line: str) -> dict[str, str]:
    start = "import torch\n\n\ndef top_losses(losses, count=9):\n"
    return {"interpret.top_losses": f"{start}    return {line}\n"}


PAIRS = "pairs = targets.flatten() * classes + predictions.flatten()"
COUNTED = "return torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)"

wrong = [
    Wrong(
        "takes the exponential as it is",
        _softmax("e = scores.exp()", "return e / e.sum(dim, keepdim=True)"),
        caught_by=large_scores_do_not_overflow,
        says="The exponential of a large score is infinite, and infinite by infinite is no number: take the "
        "largest score away first.",
    ),
    Wrong(
        "takes the largest of all away",
        _softmax("e = (scores - scores.max()).exp()", "return e / e.sum(dim, keepdim=True)"),
        caught_by=large_scores_do_not_overflow,
        says="You took the largest score of the whole table away: a row far below it has only zeros left. "
        "Each row has a largest of its own, `amax(dim, keepdim=True)`.",
    ),
    Wrong(
        "takes the mean away",
        _softmax(
            "e = (scores - scores.mean(dim, keepdim=True)).exp()", "return e / e.sum(dim, keepdim=True)"
        ),
        caught_by=large_scores_do_not_overflow,
        says="You took the mean away: a score far above it is still too large. Take the largest.",
    ),
    Wrong(
        "changes the scores",
        _softmax(
            "scores -= scores.amax(dim, keepdim=True)",
            "return scores.exp() / scores.exp().sum(dim, keepdim=True)",
        ),
        caught_by=probabilities_add_up_to_one,
        says="`-=` changed the scores of whoever asked. Give the difference a name of its own.",
    ),
    Wrong(
        "divides by the sum of everything",
        _softmax("e = (scores - scores.amax(dim, keepdim=True)).exp()", "return e / e.sum()"),
        caught_by=probabilities_add_up_to_one,
        says="All numbers of the table together add up to 1; each row should.",
    ),
    Wrong(
        "divides scores by their sum",
        _softmax("return scores / scores.sum(dim, keepdim=True)"),
        caught_by=probabilities_add_up_to_one,
        says="Scores may be negative, so a share of their sum is no probability: take their exponential.",
    ),
    Wrong(
        "always takes the last axis",
        _softmax("e = (scores - scores.amax(-1, keepdim=True)).exp()", "return e / e.sum(-1, keepdim=True)"),
        caught_by=any_axis_may_hold_the_classes,
        says="You always go along one and the same axis; `dim` says which one holds the classes.",
    ),
    Wrong(
        "gives logarithms",
        _softmax("return scores - scores.logsumexp(dim, keepdim=True)"),
        caught_by=probabilities_add_up_to_one,
        says="These are the logarithms of the probabilities; one `.exp()` is missing.",
    ),
    Wrong(
        "lays the table on its side",
        _confusion("pairs = predictions.flatten() * classes + targets.flatten()", COUNTED),
        caught_by=rows_are_the_truth_and_columns_what_was_said,
        says="Your rows are what was said; the row is the truth, and the column what was said.",
    ),
    Wrong(
        "counts each pair once",
        _confusion(
            "counts = torch.zeros(classes, classes, dtype=torch.int64, device=targets.device)",
            "counts[targets.flatten(), predictions.flatten()] += 1",
            "return counts",
        ),
        caught_by=rows_are_the_truth_and_columns_what_was_said,
        says="`counts[rows, columns] += 1` adds 1 to each place once, however often it is named; "
        "`torch.bincount` counts every time.",
    ),
    Wrong(
        "gives shares",
        _confusion(
            PAIRS,
            "counts = torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)",
            "return counts / counts.sum(1, keepdim=True)",
        ),
        caught_by=rows_are_the_truth_and_columns_what_was_said,
        says="These are shares of each row; the table holds how many there are.",
    ),
    Wrong(
        "has only the classes it met",
        _confusion(
            "both = torch.cat([targets.flatten(), predictions.flatten()])",
            "met = int(both.max()) + 1 if both.numel() else 0",
            "pairs = targets.flatten() * met + predictions.flatten()",
            "return torch.bincount(pairs, minlength=met * met).reshape(met, met)",
        ),
        caught_by=a_class_that_nobody_met_has_its_row,
        says="A class that did not come has no row in yours; there are always `classes` rows and columns.",
    ),
    Wrong(
        "counts as far as it goes",
        _confusion(PAIRS, "return torch.bincount(pairs).reshape(classes, classes)"),
        caught_by=a_class_that_nobody_met_has_its_row,
        says="`bincount` stops at the largest number it met; `minlength=classes * classes` makes it go on.",
    ),
    Wrong(
        "takes single items only",
        _confusion("pairs = targets * classes + predictions", COUNTED),
        caught_by=pixels_are_counted_like_items,
        says="`bincount` takes one row of numbers, and a mask has several: flatten both first.",
    ),
    Wrong(
        "begins with the best",
        _top("losses.argsort(stable=True)[:count].tolist()"),
        caught_by=the_worst_come_first,
        says="`argsort` begins with the smallest; the worst are at the other end: `descending=True`.",
    ),
    Wrong(
        "gives the worst last",
        _top("losses.argsort(stable=True)[-count:].tolist()"),
        caught_by=the_worst_come_first,
        says="The right items, but the worst comes last: sort with `descending=True`, take from the front.",
    ),
    Wrong(
        "gives the losses",
        _top("losses.sort(descending=True).values[:count].tolist()"),
        caught_by=the_worst_come_first,
        says="These are the losses themselves; wanted are the numbers of the items.",
    ),
    Wrong(
        "wants as many as were asked for",
        _top("losses.topk(count).indices.tolist()"),
        caught_by=the_worst_come_first,
        says="`topk` wants at least `count` items; where there are fewer, give all.",
    ),
    Wrong(
        "hands over a tensor",
        _top("losses.argsort(descending=True, stable=True)[:count]"),
        caught_by=the_worst_come_first,
        says="Numbers of items are to look things up with: `.tolist()` makes Python's of them.",
    ),
    Wrong(
        "takes ties as they come",
        _top("losses.topk(min(count, len(losses))).indices.tolist()"),
        caught_by=ties_keep_their_order_and_nan_is_the_worst,
        says="`topk` promises no order among what is equally bad; `argsort(stable=True)` does.",
    ),
    Wrong(
        "turns what it sorted round",
        _top("losses.argsort(stable=True).flip(0)[:count].tolist()"),
        caught_by=ties_keep_their_order_and_nan_is_the_worst,
        says="Sorted upwards and turned round, items that are equally bad come last first.",
    ),
]

right = [
    Right(
        "with other words of torch",
        {
            **_softmax("return torch.nn.functional.softmax(scores, dim)"),
            **_confusion(
                "one_hot = torch.nn.functional.one_hot",
                "rows = one_hot(targets.flatten(), classes)",
                "columns = one_hot(predictions.flatten(), classes)",
                "return (rows[:, :, None] * columns[:, None, :]).sum(0)",
            ),
            **_top("losses.sort(descending=True, stable=True).indices[:count].tolist()"),
        },
    ),
]
