"""Losses: one number that training makes smaller.

A loss here also knows how to read the scores it was trained on: `activation` turns them into probabilities,
`decode` into the answer. So a Learner needs nothing else to predict. All are called with predictions, targets
and `reduction`: "mean" gives one number, "sum" the sum, "none" one number an item (of masks, one a pixel).
None waits for the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .metrics import describe_misfit

Reduction = Literal["mean", "sum", "none"]


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """How far numbers lie from the truth: the mean of the squared differences, 0 when all are right.

    `predictions` and `targets` are floats of one and the same shape, any; the answer is one number, in the
    square of their unit. An error twice as large counts four times. Raises ValueError for two shapes: torch
    would compare every prediction with every target, (64, 1) against (64,), and train towards the mean.

    >>> mean_squared_error(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    demand_same_shape(predictions, targets, "mean_squared_error")
    return (predictions - targets).square().mean()


def binary_cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    """How surprised a model is by answers of yes or no: the mean of -log(probability it gave to the truth).

    `scores` are any real numbers, before the sigmoid, and `targets` their truth in the same shape: 1 for yes,
    0 for no, or between as one's own belief. The answer is one number: 0 is perfect, who knows nothing gets
    log(2) = 0.693. Raises ValueError for two shapes.

    A score of -200 has the probability 1e-87, which float32 rounds to 0, and log(0) is infinite. So the
    logarithm is never taken of a probability: `logsigmoid` goes from the score to it at once.

    >>> binary_cross_entropy(torch.tensor([2.0, -1.0]), torch.tensor([1.0, 0.0]))
    tensor(0.2201)
    >>> binary_cross_entropy(torch.tensor([-200.0]), torch.tensor([1.0]))
    tensor(200.)
    """
    demand_same_shape(scores, targets, "binary_cross_entropy")
    targets = targets.to(scores.dtype)
    log_yes, log_no = functional.logsigmoid(scores), functional.logsigmoid(-scores)
    return -(targets * log_yes + (1 - targets) * log_no).mean()


def softmax(scores: Tensor, dim: int = 1) -> Tensor:
    """Probabilities from scores: each becomes positive, and those along `dim` add up to 1.

    `scores` have any shape, floats; the answer has the same. A score larger by 1 means a probability 2.718
    times as large. Adding one number to all scores changes nothing, so the largest is taken away first: the
    exponential of 1,000 would be infinite, that of 0 is 1, and the rest lies between 0 and 1.

    >>> softmax(torch.tensor([[0.0, 1.0], [1000.0, 1001.0]]))
    tensor([[0.2689, 0.7311],
            [0.2689, 0.7311]])
    """
    exponentials = (scores - scores.amax(dim, keepdim=True)).exp()
    return exponentials / exponentials.sum(dim, keepdim=True)


def demand_same_shape(predictions: Tensor, targets: Tensor, loss: str) -> None:
    """Raise ValueError where `loss` was given predictions and targets of two shapes, with what helps.

    >>> demand_same_shape(torch.zeros(4, 1), torch.zeros(4), "mean_squared_error")
    Traceback (most recent call last):
    ValueError: mean_squared_error compares number with number, so both need the same shape; predictions ...
    """
    mine, theirs = tuple(predictions.shape), tuple(targets.shape)
    if mine == theirs:
        return
    if mine == (*theirs, 1):
        mend = "The model ends in one column more: predictions.squeeze(-1) takes it off."
    elif theirs == (*mine, 1):
        mend = "The targets have one column more: targets.squeeze(-1) takes it off."
    elif mine[:1] != theirs[:1]:
        mend = "They hold different numbers of items: look at how the batch was put together."
    else:
        mend = "Give the model as many outputs as each item has targets."
    raise ValueError(
        f"{loss} compares number with number, so both need the same shape; predictions have {mine} and "
        f"targets {theirs}.\n{mend}"
    )


class CrossEntropy(nn.Module):
    """How surprised the model is by the right class: -log(probability it gave to it), for one class an item.

    Called with scores of shape (N, C) (any real numbers, before softmax) and class numbers of shape (N,),
    int64 from 0 to C - 1; with further axes (N, C, H, W) against (N, H, W). 0 is perfect; who knows nothing
    of C classes gets log(C).

    Args:
        label_smoothing: the share of its belief that a perfect model would spread over all classes alike,
            from 0 to below 1 (Szegedy et al. 2016, section 7): labels are not always right.
        weights: how much each class counts, C positive numbers; the mean is one by these weights.
        ignored: a class number that means "nobody knows": such items or pixels do not count. A batch of
            nothing else has the loss 0.

    Raises ValueError, naming shapes, dtypes and numbers, when scores and targets do not fit. (On a GPU a
    class number out of range cannot be seen without waiting for the device; there it stops the device
    instead, and the Learner says what that means.)

    >>> loss = CrossEntropy()
    >>> scores = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    >>> loss(scores, torch.tensor([0, 1]))
    tensor(0.2201)
    >>> loss(scores, torch.tensor([0, 1]), reduction="none")
    tensor([0.1269, 0.3133])
    >>> loss.activation(scores)
    tensor([[0.8808, 0.1192],
            [0.2689, 0.7311]])
    >>> loss.decode(scores)
    tensor([0, 1])
    >>> CrossEntropy(ignored=255)(scores, torch.tensor([0, 255]))
    tensor(0.1269)
    """

    def __init__(
        self, label_smoothing: float = 0.0, weights: Sequence[float] | None = None, ignored: int | None = None
    ) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"label_smoothing is a share from 0 to below 1; {label_smoothing} was asked for."
            )
        self.label_smoothing, self.ignored = label_smoothing, ignored
        self.weights = None if weights is None else tuple(float(weight) for weight in weights)
        self.by_class: Tensor | None
        table = None if self.weights is None else torch.tensor(self.weights)
        self.register_buffer("by_class", table, persistent=False)

    def forward(self, predictions: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """The loss of `predictions` (N, C) against `targets` (N,)."""
        weights = self.class_weights(predictions)
        if self.ignored is None or reduction != "mean":
            return self.surprise(predictions, targets, reduction, weight=weights)
        # torch's own mean over nothing is no number.
        return self.mean(self.surprise(predictions, targets, weight=weights), predictions, targets)

    def surprise(
        self, predictions: Tensor, targets: Tensor, reduction: Reduction = "none", **options: Any
    ) -> Tensor:
        """torch's cross-entropy, or what does not fit, in words."""
        if predictions.ndim < 2 or targets.shape != predictions.shape[:1] + predictions.shape[2:]:
            raise ValueError(describe_misfit(predictions, targets, class_axis=1))
        if targets.dtype != torch.int64:
            raise ValueError(
                f"{type(self).__name__} wants class numbers of dtype int64; these targets are "
                f"{targets.dtype}. Class numbers become so by targets.long(); a measured quantity needs "
                "another loss."
            )
        options |= {"label_smoothing": self.label_smoothing, "reduction": reduction}
        if self.ignored is not None:
            options["ignore_index"] = self.ignored
        try:
            return functional.cross_entropy(predictions, targets, **options)
        except IndexError:
            raise ValueError(_describe_range(predictions, targets, self.ignored)) from None

    def class_weights(self, predictions: Tensor) -> Tensor | None:
        """The weights as the predictions have them: their dtype and device."""
        if self.weights is None or self.by_class is None:
            return None
        if len(self.weights) != predictions.shape[1]:
            raise ValueError(
                f"{type(self).__name__} was given weights for {len(self.weights)} classes, and the model "
                f"gives {predictions.shape[1]} scores an item: each class needs one weight."
            )
        return self.by_class.to(predictions)

    def mean(self, each: Tensor, predictions: Tensor, targets: Tensor) -> Tensor:
        """The mean over the items whose class is not ignored, by the weights of their classes."""
        known, weights = self.known(targets), self.class_weights(predictions)
        counts = known.to(each) if weights is None else known * weights[targets.where(known, 0)]
        return _share(each.sum(), counts.sum())

    def known(self, targets: Tensor) -> Tensor:
        """Which items or pixels count."""
        return torch.ones_like(targets, dtype=torch.bool) if self.ignored is None else targets != self.ignored

    def activation(self, predictions: Tensor) -> Tensor:
        """Probabilities from scores: softmax over the classes (axis 1), each from 0 to 1, together 1."""
        return predictions.softmax(dim=1)

    def decode(self, predictions: Tensor) -> Tensor:
        """The number of the class with the highest score: (N, C) to (N,), int64."""
        return predictions.argmax(dim=1)


class Focal(CrossEntropy):
    """Cross-entropy in which what the model knows already counts for little: times (1 - probability)**gamma.

    For classes of which one is everywhere, as the background is: a million easy pixels outweigh a crack of
    ten. `gamma` is 0 (cross-entropy) or at least 1; 2 is usual (Lin et al. 2017, equation 4). Scores,
    targets, `weights` and `ignored` are those of `CrossEntropy`; ValueError for another gamma.

    >>> scores = torch.tensor([[4.0, 0.0], [0.0, 0.0]])  # sure, and right; and not sure
    >>> Focal()(scores, torch.tensor([0, 0]), reduction="none")
    tensor([5.8716e-06, 1.7329e-01])
    """

    def __init__(
        self, gamma: float = 2.0, weights: Sequence[float] | None = None, ignored: int | None = None
    ) -> None:
        super().__init__(weights=weights, ignored=ignored)
        if gamma != 0 and gamma < 1:
            raise ValueError(
                f"gamma is 0 or at least 1, where its gradient is finite; {gamma} was asked for."
            )
        self.gamma = gamma

    def forward(self, predictions: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """The loss of `predictions` (N, C) against `targets` (N,)."""
        surprise, weights = self.surprise(predictions, targets), self.class_weights(predictions)
        each = (-torch.expm1(-surprise)) ** self.gamma * surprise
        if weights is not None:
            each = each * weights[targets.where(self.known(targets), 0)]
        if reduction == "mean":
            return self.mean(each, predictions, targets)
        return each.sum() if reduction == "sum" else each


class Dice(CrossEntropy):
    """How little the areas of each class overlap: 1 - 2 · common / (said + true), the mean over the classes.

    For masks of which small parts matter: a class counts the same however few pixels it has. Scores
    (N, C, H, W) and class numbers (N, H, W) as for `CrossEntropy`, with its `ignored`; "none" gives one
    number an item. `smooth` pixels are added above and below, so that a class that is nowhere, neither said
    nor true, counts as right (Milletari et al. 2016, section 3, without the squares).

    >>> scores = 20 * torch.tensor([[[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]]])
    >>> Dice()(scores, torch.tensor([[[1, 0], [1, 0]]])), Dice()(scores, torch.tensor([[[0, 1], [0, 1]]]))
    (tensor(0.), tensor(0.8000))
    """

    def __init__(self, smooth: float = 1.0, ignored: int | None = None) -> None:
        super().__init__(ignored=ignored)
        self.smooth = smooth

    def forward(self, predictions: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """The loss of `predictions` (N, C, H, W) against `targets` (N, H, W)."""
        if predictions.ndim < 3:
            raise ValueError(
                f"Dice compares areas, so scores have shape (items, classes, height, width); these have "
                f"{tuple(predictions.shape)}. For one class an item take CrossEntropy."
            )
        self.surprise(predictions, targets)  # for what it has to say on what does not fit
        known = self.known(targets)
        chances = predictions.softmax(dim=1) * known[:, None]
        true = torch.zeros_like(chances).scatter(1, targets.where(known, 0)[:, None], 1.0) * known[:, None]
        common, sizes = (one.flatten(2).sum(dim=2) for one in (chances * true, chances + true))
        each = 1 - ((2 * common + self.smooth) / (sizes + self.smooth)).mean(dim=1)
        return _reduced(each, torch.ones_like(each), reduction)


class BinaryCrossEntropy(nn.Module):
    """`binary_cross_entropy` of several labels at once, each for itself: an item may have many, or none.

    Called with scores (N, L), any real numbers, and truth in the same shape: 1 or 0, floats or bools, or NaN
    where nobody knows; that does not count. 0 is perfect, who knows nothing gets log(2). `decode` says yes
    where the probability is above `threshold`. Raises ValueError when shapes do not fit and (on the CPU,
    where looking costs no wait) for truth outside 0 to 1.

    >>> loss = BinaryCrossEntropy()
    >>> scores = torch.tensor([[2.0, -1.0, 7.0]])
    >>> loss(scores, torch.tensor([[1.0, 0.0, torch.nan]]))
    tensor(0.2201)
    >>> loss.activation(scores), loss.decode(scores)
    (tensor([[0.8808, 0.2689, 0.9991]]), tensor([[1., 0., 1.]]))
    """

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, predictions: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """The loss of `predictions` (N, L) against `targets` (N, L)."""
        demand_same_shape(predictions, targets, "BinaryCrossEntropy")
        targets = targets.to(predictions.dtype)
        known = ~targets.isnan()
        targets = targets.where(known, 0)
        if targets.device.type == "cpu" and targets.numel() and not 0 <= targets.min() <= targets.max() <= 1:
            raise ValueError(
                "BinaryCrossEntropy wants to know yes (1) or no (0) of each label, or nan for unknown; these "
                f"targets reach from {targets.min():.4g} to {targets.max():.4g}. Is it a mask of 0 and 255, "
                "which needs a division, or are they class numbers, which need CrossEntropy?"
            )
        each = functional.binary_cross_entropy_with_logits(predictions, targets, reduction="none")
        return _reduced(each.where(known, 0), known, reduction)

    def activation(self, predictions: Tensor) -> Tensor:
        """The probability of each label, from 0 to 1: the sigmoid of its score."""
        return predictions.sigmoid()

    def decode(self, predictions: Tensor) -> Tensor:
        """1 for each label that is said to hold, 0 for the others, in the dtype of the scores."""
        return (self.activation(predictions) > self.threshold).to(predictions.dtype)


class MeanSquaredError(nn.Module):
    """`mean_squared_error` for a Learner: of amounts, in the square of their unit. Both have the same shape.

    Raises ValueError, naming shapes and dtypes, for what does not fit.

    >>> MeanSquaredError()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, predictions: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """The loss of `predictions` against `targets`."""
        demand_same_shape(predictions, targets, type(self).__name__)
        if not predictions.is_floating_point():
            raise ValueError(
                f"{type(self).__name__} compares amounts; these predictions are {predictions.dtype}, through "
                "which no gradient flows. Is there an argmax or a rounding at the end of the model?"
            )
        each = self.each(predictions, targets.to(predictions.dtype))
        return _reduced(each, torch.ones_like(each), reduction)

    def each(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The loss of each number."""
        return (predictions - targets).square()

    def activation(self, predictions: Tensor) -> Tensor:
        """The amounts as the model says them."""
        return predictions

    def decode(self, predictions: Tensor) -> Tensor:
        """The amounts as the model says them."""
        return predictions


class AbsoluteError(MeanSquaredError):
    """How far amounts lie off, in their own unit: one wild target pulls no harder than any other.

    Below `square_below` the error is squared (error² / (2 · square_below)) and the rest shifted to fit, which
    lets training come to rest: Huber's loss (1964), divided by `square_below`. At 0 there is no such part.

    >>> AbsoluteError()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 12.0]))
    tensor(5.)
    """

    def __init__(self, square_below: float = 0.0) -> None:
        super().__init__()
        if square_below < 0:
            raise ValueError(f"square_below is a distance, 0 or more; {square_below} was asked for.")
        self.square_below = square_below

    def each(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """The loss of each number."""
        return functional.smooth_l1_loss(predictions, targets, reduction="none", beta=self.square_below)


class PointDistance(MeanSquaredError):
    """How far points lie from where they should, as the crow flies: the mean distance, in pixels.

    Called with places (N, points, 2), or 3 in space, and true places in the same shape. A point that nobody
    could see is a row of NaN in the truth; it does not count. Raises ValueError for what does not fit.

    >>> places = torch.tensor([[[3.0, 4.0], [7.0, 7.0]]])
    >>> PointDistance()(places, torch.tensor([[[0.0, 0.0], [torch.nan, torch.nan]]]))
    tensor(5.)
    """

    def forward(self, predictions: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """The loss of `predictions` (N, points, 2) against `targets`."""
        demand_same_shape(predictions, targets, "PointDistance")
        if predictions.ndim < 3:
            raise ValueError(
                f"PointDistance takes places of shape (items, points, 2); these have "
                f"{tuple(predictions.shape)}. predictions.unflatten(1, (-1, 2)) makes pairs of a row."
            )
        known = ~targets.isnan().any(dim=-1)
        away = (predictions - targets).where(known[..., None], 0)  # no gradient flows from what is not known
        return _reduced(torch.linalg.vector_norm(away, dim=-1), known, reduction)


def _reduced(each: Tensor, known: Tensor, reduction: Reduction) -> Tensor:
    """Of losses (N, …), 0 where not known: the mean over what is known, the sum, or the mean of each item."""
    if reduction == "sum":
        return each.sum()
    if reduction == "mean" or each.ndim < 2:
        return _share(each.sum(), known.sum()) if reduction == "mean" else each
    return _share(each.flatten(1).sum(dim=1), known.flatten(1).sum(dim=1))


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """`part / whole`, and 0 where there is nothing."""
    return torch.where(whole > 0, part / whole.where(whole > 0, 1), part * 0)


def _describe_range(predictions: Tensor, targets: Tensor, ignored: int | None) -> str:
    """Which class numbers lie outside the classes the model has scores for."""
    classes = predictions.shape[1]
    outside = sorted(set(targets[(targets < 0) | (targets >= classes)].tolist()) - {ignored})
    shown = ", ".join(map(str, outside[:5])) + (", …" if len(outside) > 5 else "")
    if max(outside) >= classes:
        mend = f"Give the model {max(outside) + 1} outputs, or look at how the labels were numbered."
        if max(outside) == 255 and ignored is None:
            mend = "If 255 means that nobody knows, say CrossEntropy(ignored=255)."
    else:
        mend = "A class number cannot be negative: look at how the labels were numbered."
    return (
        f"The model gives {classes} scores an item, so targets are class numbers from 0 to {classes - 1}; "
        f"these hold {shown}.\n{mend}"
    )
