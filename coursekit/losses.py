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
