"""Ranking: whether the right answers stand above the wrong ones, wherever the threshold lies.

To rank all items, all must be there: `RocAuc` and `AveragePrecision` keep the scores of an epoch on their
device, a float32 for each item and class, and bring them to the host once, in `value()`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .metrics import Mean, Metric, class_number, describe_misfit


class TopAccuracy(Mean):
    """The share of items whose right class is among the `k` highest scores, from 0 to 1.

    Scores (N, C) and class numbers (N,). Raises ValueError when shapes do not fit, or there are fewer than
    `k` classes.

    >>> top = TopAccuracy(2)
    >>> top.update(torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), torch.tensor([1, 2]))
    >>> top.name, top.value()
    ('top 2', 0.5)
    """

    def __init__(self, k: int = 5, name: str | None = None) -> None:
        self.k = k
        super().__init__(self.share, name or f"top {k}")

    def share(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The share of one batch."""
        if predictions.ndim != 2 or predictions.shape[:1] != targets.shape:
            raise ValueError(describe_misfit(predictions, targets))
        if not 1 <= self.k <= predictions.shape[1]:
            raise ValueError(f"top {self.k} of {predictions.shape[1]} classes was asked for.")
        return (predictions.topk(self.k, dim=1).indices == targets[:, None]).any(dim=1).float().mean()


class Ranking(Metric):
    """What `RocAuc` and `AveragePrecision` have in common: all scores of an epoch, ranked for each class.

    Scores (N, C) with class numbers (N,) are one class an item: each class is ranked by its probability
    against all others. Of several labels, with zeros and ones (N, L), each is ranked for itself; nan is left
    out. `of` asks for one class, by name or number; else it is the mean over those classes of which there are
    items that are it and items that are not. (With two classes, scikit-learn's is that of class 1.)

    >>> class Gap(Ranking):
    ...     title = "gap"
    ...     def rank(self, scores, is_one):
    ...         return float(scores[is_one].mean() - scores[~is_one].mean())
    >>> gap = Gap(of=1)
    >>> gap.update(torch.tensor([[0.5, 0.5], [0.0, 1.0]]).log(), torch.tensor([0, 1]))
    >>> round(gap.value(), 3)  # of logarithms, which is what is ranked
    0.693
    """

    title = "ranking"

    def __init__(self, of: str | int | None = None, name: str | None = None) -> None:
        self.of = of
        self.name = name or (self.title if of is None else f"{self.title} of {of}")
        self.reset()

    def reset(self) -> None:
        """Forget every batch seen so far."""
        self.scores: list[Tensor] = []
        self.truth: list[Tensor] = []
        self.number: int | None = None

    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Look at one batch."""
        several = predictions.shape == targets.shape and predictions.ndim == 2
        if not several and (predictions.ndim != 2 or predictions.shape[:1] != targets.shape):
            raise ValueError(describe_misfit(predictions, targets))
        scores = predictions.detach().float()
        # Scores of two items compare only as probabilities: adding 5 to all of an item changes nothing.
        self.scores.append(scores if several else scores.log_softmax(dim=1))
        self.truth.append(targets.detach())
        if self.of is not None:
            self.number = class_number(self.of, predictions, targets)

    def value(self) -> float:
        """The number for everything seen since `reset`, nan where there is nothing to tell apart."""
        if not self.scores:
            return math.nan
        scores, truth = torch.cat(self.scores).cpu(), torch.cat(self.truth).cpu()
        classes = range(scores.shape[1]) if self.number is None else [self.number]
        found = []
        for number in classes:
            column, is_one = scores[:, number], truth == number
            if truth.ndim == 2:
                known = ~truth[:, number].isnan()
                column, is_one = column[known], truth[known, number] > 0.5
            if is_one.any() and not is_one.all():
                found.append(self.rank(column, is_one))
        return sum(found) / len(found) if found else math.nan

    def rank(self, scores: Tensor, is_one: Tensor) -> float:
        """The number of one class: its scores (N,), and which items are it."""
        raise NotImplementedError(
            f"{type(self).__name__} must say how to rank: def rank(self, scores, is_one)"
        )


class RocAuc(Ranking):
    """How often an item that is the class has a higher score than one that is not; ties count half.

    The area under the ROC curve, from 0 to 1; chance gives 0.5 however rare the class is.

    >>> auc = RocAuc(of=1)
    >>> auc.update(torch.tensor([[0.0, 3.0], [0.0, 1.0], [0.0, 2.0]]), torch.tensor([1, 1, 0]))
    >>> auc.name, auc.value()
    ('ROC AUC of 1', 0.5)
    """

    title = "ROC AUC"

    def rank(self, scores: Tensor, is_one: Tensor) -> float:
        """By the sum of the ranks of those that are (Mann and Whitney 1947)."""
        _, places, counts = scores.unique(return_inverse=True, return_counts=True)
        ranks = counts.cumsum(0) - (counts - 1) / 2  # equal scores share the mean of their ranks
        ones = int(is_one.sum())
        above = ranks.double()[places[is_one]].sum() - ones * (ones + 1) / 2
        return float(above / (ones * (len(scores) - ones)))


class AveragePrecision(Ranking):
    """Precision, averaged over all thresholds by how much recall each adds: the area under their curve.

    From 0 to 1; chance gives the share of items that are the class. For rare classes it tells more than
    `RocAuc`, in which a thousand wrong alarms hardly show among a million.

    >>> precision = AveragePrecision(of=1)
    >>> precision.update(torch.tensor([[0.0, 3.0], [0.0, 1.0], [0.0, 2.0]]), torch.tensor([1, 1, 0]))
    >>> precision.name, round(precision.value(), 3)  # 1 / 1 for the first half, 2 / 3 for the second
    ('average precision of 1', 0.833)
    """

    title = "average precision"

    def rank(self, scores: Tensor, is_one: Tensor) -> float:
        """By the items in the order of their scores, equal ones at once."""
        scores, order = scores.sort(descending=True)
        found = is_one[order].double().cumsum(0)
        last = torch.cat([scores[1:] != scores[:-1], torch.tensor([True])])
        found, called = found[last], torch.arange(1, len(scores) + 1)[last]
        added = torch.diff(found, prepend=found.new_zeros(1)) / found[-1]
        return float((added * found / called).sum())
