"""Losses: one number that training makes smaller.

A loss here also knows how to read the scores it was trained on: `activation` turns them into probabilities,
`decode` into the answer. So a Learner needs nothing else to predict.
"""

from __future__ import annotations

from typing import Literal

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
    int64 from 0 to C - 1; with further axes (N, C, H, W) against (N, H, W). `reduction="mean"` gives one
    number, "sum" the sum, "none" one for each item. 0 is perfect; who knows nothing of C classes gets log(C).

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
    """

    def forward(self, predictions: Tensor, targets: Tensor, reduction: Reduction = "mean") -> Tensor:
        """The loss of `predictions` (N, C) against `targets` (N,)."""
        if predictions.ndim < 2 or targets.shape != predictions.shape[:1] + predictions.shape[2:]:
            raise ValueError(describe_misfit(predictions, targets, class_axis=1))
        if targets.dtype != torch.int64:
            raise ValueError(
                f"CrossEntropy wants class numbers of dtype int64; these targets are {targets.dtype}. "
                "Class numbers become so by targets.long(); a measured quantity needs another loss."
            )
        try:
            return functional.cross_entropy(predictions, targets, reduction=reduction)
        except IndexError:
            raise ValueError(_describe_range(predictions, targets)) from None

    def activation(self, predictions: Tensor) -> Tensor:
        """Probabilities from scores: softmax over the classes (axis 1), each from 0 to 1, together 1."""
        return predictions.softmax(dim=1)

    def decode(self, predictions: Tensor) -> Tensor:
        """The number of the class with the highest score: (N, C) to (N,), int64."""
        return predictions.argmax(dim=1)


def _describe_range(predictions: Tensor, targets: Tensor) -> str:
    """Which class numbers lie outside the classes the model has scores for."""
    classes = predictions.shape[1]
    outside = sorted(set(targets[(targets < 0) | (targets >= classes)].tolist()))
    shown = ", ".join(map(str, outside[:5])) + (", …" if len(outside) > 5 else "")
    if max(outside) >= classes:
        mend = f"Give the model {max(outside) + 1} outputs, or look at how the labels were numbered."
    else:
        mend = "A class number cannot be negative: look at how the labels were numbered."
    return (
        f"The model gives {classes} scores an item, so targets are class numbers from 0 to {classes - 1}; "
        f"these hold {shown}.\n{mend}"
    )
