"""Agreement: F1, precision, recall and overlap, counted over an epoch for each class.

All rest on three counts a class: how many items are it, how many were called it, and how many both. Counts of
batches add up, whatever their sizes, so the shares at the end are exact; a mean of batches' shares is not.
They stay on the device of the predictions until `value()`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .metrics import Metric, class_names, class_number, describe_misfit

Thresholds = float | Sequence[float]


def count_agreement(
    predictions: Tensor, targets: Tensor, thresholds: Thresholds = 0.5, ignored: int | None = None
) -> Tensor:
    """For each class how many items were rightly called it, were called it, and are it: (3, C), int64.

    Scores (N, C, …) with class numbers (N, …) are one class an item, or a pixel: the highest score says
    which. Scores (N, L) with zeros and ones (N, L) are labels of which each may hold: those whose sigmoid is
    above its threshold are said to. What is `ignored`, or nan, is not counted. Nothing waits for the device.
    Raises ValueError when the shapes fit neither.

    >>> count_agreement(torch.tensor([[2.0, 1.0], [0.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 0, 1])).tolist()
    [[1, 1], [1, 2], [2, 1]]
    """
    if predictions.shape == targets.shape and predictions.ndim > 1:
        known, is_one = ~targets.isnan(), targets > 0.5
        limits = torch.as_tensor(thresholds, dtype=torch.float32).to(predictions.device, non_blocking=True)
        called = (predictions.float().sigmoid() > limits) & known
        both = called & is_one
        return torch.stack([one.flatten(0, -2).sum(0) for one in (both, called, is_one & known)])
    if predictions.ndim < 2 or targets.shape != predictions.shape[:1] + predictions.shape[2:]:
        raise ValueError(describe_misfit(predictions, targets, class_axis=1))
    known = torch.ones_like(targets, dtype=torch.bool) if ignored is None else targets != ignored
    targets, called = targets.where(known, 0).flatten(), predictions.argmax(dim=1).flatten()
    counts = torch.zeros(3, predictions.shape[1], dtype=torch.int64, device=predictions.device)
    counts[0].scatter_add_(0, targets, (known.flatten() & (called == targets)).long())
    counts[1].scatter_add_(0, called, known.flatten().long())
    counts[2].scatter_add_(0, targets, known.flatten().long())
    return counts


class Agreement(Metric):
    """What `F1` and its like have in common: counts for each class, and one number, or one a class, of them.

    Args:
        of: a class, by name or number: only this one. None means all:
        average: "macro", the mean over the classes that there are, each counting the same; or "micro", all
            items of all classes in one, so that frequent ones count for more.
        thresholds: for several labels: above which probability one is said to hold, or one for each label.
        ignored: a class number that means "nobody knows".

    A class of which nothing is said and nothing is true is left out of the mean; a share of nothing is 0 in
    the mean, as in scikit-learn, and nan when asked for alone. (Of several labels scikit-learn counts those
    that are nowhere as 0.)

    >>> class Bias(Agreement):
    ...     "How often a class is said for each time that it is true."
    ...     title = "bias"
    ...     def shares(self, both, called, true):
    ...         return called, true
    >>> bias = Bias(of=0)
    >>> bias.update(torch.tensor([[2.0, 1.0], [0.0, 1.0]]), torch.tensor([0, 0]))
    >>> bias.value()
    0.5
    """

    title = "agreement"

    def __init__(
        self,
        of: str | int | None = None,
        average: str = "macro",
        thresholds: Thresholds = 0.5,
        ignored: int | None = None,
        name: str | None = None,
    ) -> None:
        if average not in ("macro", "micro"):
            raise ValueError(f'average is "macro" or "micro"; {average!r} is neither. For one class say of=.')
        self.of, self.average, self.thresholds, self.ignored = of, average, thresholds, ignored
        kind = "" if average == "macro" else f"{average} "
        self.name = name or (kind + self.title if of is None else f"{self.title} of {of}")
        self.reset()

    def reset(self) -> None:
        """Forget every batch seen so far."""
        self.counts: Tensor | None = None
        self.number: int | None = None
        self.vocab: Sequence[Any] | None = None

    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Look at one batch."""
        counts = count_agreement(predictions, targets, self.thresholds, self.ignored)
        self.counts = counts if self.counts is None else self.counts + counts
        self.vocab = getattr(targets, "vocab", None)
        if self.of is not None:
            self.number = class_number(self.of, predictions.movedim(1, -1), targets)

    def value(self) -> float:
        """The number for everything seen since `reset`; nan when it is a share of nothing."""
        if self.counts is None:
            return math.nan
        counts = self.counts.cpu()
        if self.of is not None:
            return self._share(*counts[:, self.number].tolist())
        if self.average == "micro":
            return self._share(*counts.sum(dim=1).tolist())
        shares = [self._share(*row) for row in counts.T.tolist() if sum(row)]
        return sum(0.0 if math.isnan(one) else one for one in shares) / len(shares) if shares else math.nan

    def by_class(self) -> dict[str, float]:
        """The number of each class by its name, nan for a share of nothing."""
        if self.counts is None:
            return {}
        rows = self.counts.cpu().T.tolist()
        return {
            name: self._share(*row)
            for name, row in zip(class_names(self.vocab, len(rows)), rows, strict=True)
        }

    def _share(self, both: int, called: int, true: int) -> float:
        part, whole = self.shares(both, called, true)
        return part / whole if whole else math.nan

    def shares(self, both: int, called: int, true: int) -> tuple[float, float]:
        """Part and whole, of how many items were rightly called a class, were called it, and are it."""
        raise NotImplementedError(f"{type(self).__name__} must say which share it is: def shares(self, ...)")


class F1(Agreement):
    """The harmonic mean of precision and recall: 2 · both / (called + true), from 0 to 1.

    >>> f1 = F1(of=1)
    >>> f1.update(torch.tensor([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]]), torch.tensor([1, 1, 0]))
    >>> f1.name, f1.value()
    ('F1 of 1', 0.5)
    """

    title = "F1"

    def shares(self, both: int, called: int, true: int) -> tuple[float, float]:
        """Rightly called, of the mean of those called and those that are."""
        return 2 * both, called + true


class DiceScore(F1):
    """How well the areas of each class cover each other; of pixels, it is the same share as F1.

    >>> dice = DiceScore()
    >>> dice.update(torch.tensor([[[[2.0, 0.0]], [[1.0, 1.0]]]]), torch.tensor([[[0, 0]]]))
    >>> dice.name, round(dice.value(), 3)  # background 2 / 3, the other class 0
    ('Dice', 0.333)
    """

    title = "Dice"


class IntersectionOverUnion(Agreement):
    """How much of all that is called or is a class is both (Jaccard's index), from 0 to 1.

    >>> overlap = IntersectionOverUnion()
    >>> overlap.update(torch.tensor([[[[2.0, 0.0]], [[1.0, 1.0]]]]), torch.tensor([[[0, 0]]]))
    >>> overlap.name, overlap.value()  # background 1 / 2, the other class 0
    ('IoU', 0.25)
    """

    title = "IoU"

    def shares(self, both: int, called: int, true: int) -> tuple[float, float]:
        """What both cover, of what either covers."""
        return both, called + true - both


class MeanPrecision(Agreement):
    """Precision over all classes: of what was called each, the share that is. `Precision` asks for one class.

    >>> precision = MeanPrecision()
    >>> precision.update(torch.tensor([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]]), torch.tensor([1, 1, 0]))
    >>> precision.value()
    0.25
    """

    title = "precision"

    def shares(self, both: int, called: int, true: int) -> tuple[float, float]:
        """Rightly called, of those called."""
        return both, called


class MeanRecall(Agreement):
    """Recall over all classes: of what is each, the share that was found; also called balanced accuracy.

    >>> recall = MeanRecall()
    >>> recall.update(torch.tensor([[0.2, 0.8], [0.9, 0.1], [0.9, 0.6]]), torch.tensor([1, 1, 0]))
    >>> recall.value()
    0.75
    """

    title = "recall"

    def shares(self, both: int, called: int, true: int) -> tuple[float, float]:
        """Rightly called, of those that are."""
        return both, true


class LabelAccuracy(Metric):
    """The share of labels that were rightly said to hold or not, of several an item; with `whole`, of items.

    Called with scores (N, L) and zeros and ones (N, L), nan where nobody knows: such labels do not count, and
    an item of `whole` is right when all that is known of it is. `thresholds` as for `Agreement`.

    >>> scores, truth = torch.tensor([[2.0, -1.0], [3.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> for metric in (LabelAccuracy(), LabelAccuracy(whole=True)):
    ...     metric.update(scores, truth)
    ...     print(metric.name, metric.value())
    label accuracy 0.75
    whole items 0.5
    """

    def __init__(self, thresholds: Thresholds = 0.5, whole: bool = False, name: str | None = None) -> None:
        self.thresholds, self.whole = thresholds, whole
        self.name = name or ("whole items" if whole else "label accuracy")
        self.reset()

    def reset(self) -> None:
        """Forget every batch seen so far."""
        self.counts: list[Tensor] = []

    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Look at one batch."""
        if predictions.shape != targets.shape:
            raise ValueError(
                f"{self.name} takes a score and a truth for each label of each item; scores have shape "
                f"{tuple(predictions.shape)} and targets {tuple(targets.shape)}. For one class an item take "
                "accuracy."
            )
        limits = torch.as_tensor(self.thresholds, dtype=torch.float32).to(
            predictions.device, non_blocking=True
        )
        known = ~targets.isnan()
        right = ((predictions.float().sigmoid() > limits) == (targets > 0.5)) & known
        if self.whole:
            right, known = (right | ~known).all(dim=-1) & known.any(dim=-1), known.any(dim=-1)
        self.counts.append(torch.stack([right.sum(), known.sum()]))

    def value(self) -> float:
        """The share over everything seen since `reset`, nan when it is a share of nothing."""
        right, known = torch.stack(self.counts).sum(dim=0).tolist() if self.counts else (0, 0)
        return right / known if known else math.nan
