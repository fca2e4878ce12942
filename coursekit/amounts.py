"""Amounts: how far off numbers and places are, in their own unit, exactly over batches of any size.

What is summed stays on the device, in double precision where the device has it; the host waits in `value()`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from .metrics import Metric, describe_misfit


class Sums(Metric):
    """What these metrics have in common: sums over items, from batches of any size, and a number of them.

    `summands(predictions, targets)` gives what of one batch is to be added: a row for each sum. `answer`
    makes the number of the sums.

    >>> class Bias(Sums):
    ...     "How much too high the answers are on average."
    ...     name = "bias"
    ...     def summands(self, predictions, targets):
    ...         return torch.stack([predictions - targets, torch.ones_like(targets)])
    ...     def answer(self, sums):
    ...         return float(sums[0] / sums[1])
    >>> bias = Bias()
    >>> bias.update(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 4.0]))
    >>> bias.value()
    1.0
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or self.name
        self.reset()

    def reset(self) -> None:
        """Forget every batch seen so far."""
        self.sums: Tensor | None = None

    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Look at one batch: amounts, and the true ones in the same shape."""
        if predictions.shape != targets.shape:
            raise ValueError(
                f"{self.name} compares amount with amount, so both need the same shape; predictions have "
                f"{tuple(predictions.shape)} and targets {tuple(targets.shape)}."
            )
        self.add(self.summands(as_double(predictions), as_double(targets)))

    def add(self, summands: Tensor) -> None:
        """Add what one batch gives: (sums, items, …) becomes (sums, …)."""
        sums = summands.sum(dim=1)
        self.sums = sums if self.sums is None else self.sums + sums

    def value(self) -> float:
        """The number for everything seen since `reset`, nan when nothing was."""
        return math.nan if self.sums is None else self.answer(self.sums.cpu())

    def summands(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """What of one batch is to be added: (sums, items, …)."""
        raise NotImplementedError(f"{type(self).__name__} must say what is summed: def summands(self, ...)")

    def answer(self, sums: Tensor) -> float:
        """The number; without more, the first sum for each of the second, over all that was told."""
        total, count = sums.reshape(2, -1).sum(dim=1).tolist()
        return total / count if count else math.nan


def as_double(tensor: Tensor) -> Tensor:
    """In double precision, or in single where the device has no other.

    >>> as_double(torch.ones(1)).dtype
    torch.float64
    """
    return tensor.detach().to(torch.float32 if tensor.device.type == "mps" else torch.float64)


class MeanAbsoluteError(Sums):
    """How far amounts lie off on average, in their own unit.

    >>> error = MeanAbsoluteError()
    >>> error.update(torch.tensor([1.0, 5.0]), torch.tensor([1.0, 2.0]))
    >>> error.value()
    1.5
    """

    name = "absolute error"

    def summands(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Errors, and how many."""
        return torch.stack([(predictions - targets).abs(), torch.ones_like(targets)])


class RootMeanSquaredError(Sums):
    """The root of the mean squared error, in the unit of the amounts: large errors count for more.

    >>> error = RootMeanSquaredError()
    >>> error.update(torch.tensor([1.0, 6.0]), torch.tensor([1.0, 2.0]))
    >>> round(error.value(), 3)
    2.828
    """

    name = "root squared error"

    def summands(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Squared errors, and how many."""
        return torch.stack([(predictions - targets).square(), torch.ones_like(targets)])

    def answer(self, sums: Tensor) -> float:
        """The root of their mean."""
        return math.sqrt(super().answer(sums))


class R2(Sums):
    """The share of what amounts differ by that the answers explain: 1 is perfect, 0 as good as the mean.

    Below 0 it would be better to say the mean each time. Of several amounts an item (N, amounts) the mean
    over them; nan where all amounts are the same.

    >>> share = R2()
    >>> share.update(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([1.0, 2.0, 3.0]))
    >>> share.value()
    0.5
    """

    name = "R²"

    def reset(self) -> None:
        """Forget every batch seen so far."""
        self.batches: list[Tensor] = []

    def summands(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Squared errors; the squares of what amounts differ by from their batch's mean; this; how many."""
        # Squares of numbers far from 0 would lose what they differ by: count from near their mean.
        mean = targets.mean(dim=0)
        errors, away = predictions - targets, targets - mean
        return torch.stack(
            [errors.square(), away.square(), mean.expand_as(targets), torch.ones_like(targets)]
        )

    def add(self, summands: Tensor) -> None:
        """Keep the sums of one batch."""
        self.batches.append(summands.sum(dim=1))

    def value(self) -> float:
        """1 less the share that is left: of what differs within batches, and between their means."""
        if not self.batches:
            return math.nan
        errors, within, totals, counts = torch.stack(self.batches, dim=1).cpu()
        apart = totals / counts - totals.sum(dim=0) / counts.sum(dim=0)
        spread = (within + counts * apart.square()).sum(dim=0)
        return float((1 - errors.sum(dim=0) / spread).mean()) if (spread > 0).all() else math.nan


class MeanPointDistance(Sums):
    """How far points lie from where they should, on average, in pixels; points nobody saw do not count.

    Places (N, points, 2), with a row of NaN in the truth for what nobody saw.

    >>> distance = MeanPointDistance()
    >>> truth = torch.tensor([[[0.0, 0.0], [torch.nan, torch.nan]]])
    >>> distance.update(torch.tensor([[[3.0, 4.0], [1.0, 1.0]]]), truth)
    >>> distance.value()
    5.0
    """

    name = "pixels off"

    def summands(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Distances of the points that are known, and how many."""
        known = ~targets.isnan().any(dim=-1)
        away = (predictions - targets).where(known[..., None], 0)
        return torch.stack([torch.linalg.vector_norm(away, dim=-1), known.to(away)])


class Perplexity(Sums):
    """Among how many equally likely next words a model hesitates: the exponential of its mean surprise.

    Scores (N, C, …) and class numbers (N, …), as for `CrossEntropy`; `ignored` ones, such as padding, do not
    count. 1 is perfect, who knows nothing of C words gets C.

    >>> perplexity = Perplexity()
    >>> perplexity.update(torch.zeros(2, 8), torch.tensor([3, 5]))
    >>> round(perplexity.value(), 3)
    8.0
    """

    name = "perplexity"

    def __init__(self, ignored: int | None = None, name: str | None = None) -> None:
        self.ignored = ignored
        super().__init__(name)

    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Look at one batch."""
        if predictions.ndim < 2 or targets.shape != predictions.shape[:1] + predictions.shape[2:]:
            raise ValueError(describe_misfit(predictions, targets, class_axis=1))
        known = (
            torch.ones_like(targets, dtype=torch.bool) if self.ignored is None else targets != self.ignored
        )
        surprise = functional.cross_entropy(
            as_double(predictions), targets.where(known, 0).long(), reduction="none"
        )
        self.add(torch.stack([surprise * known, known.to(surprise)]).flatten(1))

    def answer(self, sums: Tensor) -> float:
        """The exponential of the mean."""
        return math.exp(super().answer(sums))
