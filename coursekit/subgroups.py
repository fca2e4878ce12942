"""For whom a model fails: any measure, group by group, with how sure one can be of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .figures import COLOURS, INK, QUIET, new_figure
from .finding import taken
from .interpret import Interpretation
from .metrics import Metric

if TYPE_CHECKING:
    from pandas import DataFrame

# Ninety-five of a hundred such intervals hold the true value.
SURE, DEVIATIONS = 0.95, 1.959964
RESAMPLES = 400


def compare_groups(
    seen: Interpretation,
    by: str | Callable[[Any], Any] | Sequence[Any],
    metric: Any = None,
    seed: int = 0,
) -> DataFrame:
    """Measure a model apart for each group of the held-out items: lowest first, of losses the highest.

    A mean hides for whom a model fails. A small group hides it, too: its number may be chance, so each comes
    with an interval. Where intervals overlap widely, no difference has been seen.

    Args:
        seen: What `examine` found.
        by: What the items are grouped by: the name of a column, a function of what an item was made from, or
            a list with one value for each item.
        metric: What is measured: a function of scores and targets, or a `Metric`, as a learner takes them.
            None means: of kinds the share of right answers, else the mean loss.
        seed: Where the draws of the intervals start.

    Returns:
        A table with a row for each group: `items`, the measure, `from` and `to`. These two hold the true
        value in 95 of 100 cases: of shares by Wilson's score interval (1927), which is honest for few items;
        of other measures by measuring 400 random draws of the group's items, with repeats (Efron's
        bootstrap, 1979). Of a group of one item, bootstrap intervals say nothing, and are nan.

    Raises:
        ValueError: Another number of groups than of items.
        KeyError: There is no such column.

    >>> said = torch.tensor([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    >>> truth, losses = torch.tensor([0, 1, 1]), torch.tensor([0.1, 1.6, 0.4])
    >>> seen = Interpretation([None] * 3, said, truth, losses, ("sound", "broken"))
    >>> print(compare_groups(seen, by=["new", "old", "new"]).round(2).reset_index().to_string(index=False))
    group  items  accuracy  from   to
      old      1       0.0  0.00 0.79
      new      2       1.0  0.34 1.00
    """
    import pandas

    groups = groups_of(seen, by)
    rows, name = [], "accuracy" if seen.tells_kinds else "loss"
    for group in dict.fromkeys(groups):
        numbers = torch.tensor([number for number, one in enumerate(groups) if one == group])
        if metric is not None:
            name, measured = measure(seen, numbers, metric, seed)
        elif seen.tells_kinds:
            right = seen.probabilities[numbers].argmax(dim=1) == seen.targets[numbers]
            measured = wilson(int(right.sum()), len(numbers))
        else:
            measured = resampled(lambda some: float(seen.losses[some].mean()), numbers, seed)
        rows.append((group, len(numbers), *measured))
    table = pandas.DataFrame(rows, columns=["group", "items", name, "from", "to"]).set_index("group")
    return table.sort_values(name, ascending=name != "loss", kind="stable")


def groups_of(seen: Interpretation, by: Any) -> list[Any]:
    """The group of each held-out item."""
    if isinstance(by, str) or callable(by):
        return [taken(raw, by) for raw in seen.raw]
    groups = list(by)
    if len(groups) != len(seen.losses):
        raise ValueError(
            f"groups are given one for each held-out item: there are {len(seen.losses)} items and "
            f"{len(groups)} groups. A column is named: by='kind'."
        )
    return groups


def measure(
    seen: Interpretation, numbers: Tensor, metric: Any, seed: int
) -> tuple[str, tuple[float, float, float]]:
    """The name of a metric, and its value for some items with the interval that it lies in."""
    scores = seen.probabilities if seen.scores is None else seen.scores
    truths = seen.targets if seen.typed_targets is None else seen.typed_targets

    def value(some: Tensor) -> float:
        if not isinstance(metric, Metric):
            return float(metric(scores[some], truths[some]))
        metric.reset()
        metric.update(scores[some], truths[some])
        return metric.value()

    name = metric.name if isinstance(metric, Metric) else metric.__name__.replace("_", " ")
    return name, resampled(value, numbers, seed)


def wilson(right: int, count: int) -> tuple[float, float, float]:
    """A share, and the interval that holds the true share in 95 of 100 cases (Wilson 1927).

    >>> [round(one, 3) for one in wilson(8, 10)]
    [0.8, 0.49, 0.943]
    """
    share, z = right / count, DEVIATIONS
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return share, max(0.0, middle - half), min(1.0, middle + half)


def resampled(value: Callable[[Tensor], float], numbers: Tensor, seed: int = 0) -> tuple[float, float, float]:
    """A measure of some items, and the interval it lies in for 95 of 100 draws of as many, with repeats.

    >>> resampled(lambda some: float(some.float().mean()), torch.tensor([1, 1, 1]))
    (1.0, 1.0, 1.0)
    """
    if len(numbers) < 2:
        return value(numbers), math.nan, math.nan
    draws = torch.Generator().manual_seed(seed)
    places = torch.randint(len(numbers), (RESAMPLES, len(numbers)), generator=draws)
    values = torch.tensor([value(numbers[some]) for some in places], dtype=torch.float64)
    ends = values.nanquantile(torch.tensor([(1 - SURE) / 2, (1 + SURE) / 2], dtype=torch.float64))
    return value(numbers), *ends.tolist()


def show_groups(table: DataFrame, axes: Any = None) -> None:
    """Draw what `compare_groups` gave: a point for each group, and a line over the interval it lies in.

    >>> from pandas import DataFrame
    >>> rows = {"items": [40, 60], "accuracy": [0.7, 0.9], "from": [0.55, 0.8], "to": [0.82, 0.95]}
    >>> show_groups(DataFrame(rows, index=["poly", "mono"]))
    """
    if axes is None:
        axes = new_figure(6.0, 0.7 + 0.4 * len(table)).add_subplot()
    name, places = table.columns[1], range(len(table))
    values, low, high = (table[column].to_numpy() for column in (name, "from", "to"))
    axes.hlines(places, low, high, color=COLOURS[4], linewidth=2)
    axes.plot(values, places, "o", color=COLOURS[4])
    rows = zip(table.index, table["items"], strict=True)
    axes.set_yticks(places, [f"{group} ({items})" for group, items in rows])
    axes.invert_yaxis()
    axes.set_xlabel(f"{name}, with the interval that holds it in 95 of 100 cases", color=QUIET)
    axes.tick_params(labelcolor=INK)
    axes.spines[["top", "right"]].set_visible(False)
    told = [
        f"{group} {value:.3g} ({a:.3g} to {b:.3g}, {items} items)"
        for group, items, value, a, b in table.itertuples()
    ]
    axes.alt_text = f"{name} by group, the worst first: {'; '.join(told)}"
