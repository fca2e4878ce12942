"""Which kind is taken for which: the table behind every share of right answers.

>>> said, truth = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0])
>>> confusion_matrix(said, truth, classes=2)
tensor([[2, 1],
        [0, 1]])
"""

from __future__ import annotations

import torch
from torch import Tensor


def confusion_matrix(predictions: Tensor, targets: Tensor, classes: int) -> Tensor:
    """Count, for each true class and each class that was said, how many items there are.

    Args:
        predictions: The number of the class said for each item, whole numbers from 0 to `classes` - 1 of any
            shape: (N,) for items, (N, H, W) for masks.
        targets: The number of the true class, of the same shape, on the same device.
        classes: How many classes there are.

    Returns:
        int64 of shape (classes, classes), on the same device: the row is the truth, the column what was said.
        Right answers stand on the diagonal; a row adds up to how many items of that class there are.

    Raises:
        ValueError: Shapes that differ, scores in place of class numbers, numbers that are no class.

    >>> said, truth = torch.tensor([2, 1, 2]), torch.tensor([2, 2, 2])
    >>> confusion_matrix(said, truth, classes=3)
    tensor([[0, 0, 0],
            [0, 0, 0],
            [0, 1, 2]])
    """
    _check(predictions, targets, classes)
    # Each pair of classes is one number, as two digits are: the truth first, then what was said.
    pairs = targets.flatten().long() * classes + predictions.flatten()
    return torch.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def _check(predictions: Tensor, targets: Tensor, classes: int) -> None:
    """Say in words what is no pair of class numbers: bincount would count it in a wrong place."""
    for name, numbers in (("predictions", predictions), ("targets", targets)):
        if numbers.is_floating_point() or numbers.is_complex() or numbers.dtype == torch.bool:
            mend = "scores of shape (N, C) become numbers by .argmax(dim=1), true and false by .long()"
            raise ValueError(
                f"confusion_matrix counts class numbers, and these {name} are {numbers.dtype} of shape "
                f"{tuple(numbers.shape)}: {mend}."
            )
    if predictions.shape != targets.shape:
        raise ValueError(
            f"confusion_matrix pairs what was said with what is true, and there are "
            f"{tuple(predictions.shape)} predictions for {tuple(targets.shape)} targets; both need "
            "the same shape."
        )
    for name, numbers in (("predictions", predictions), ("targets", targets)):
        if numbers.numel() and not 0 <= int(numbers.min()) <= int(numbers.max()) < classes:
            raise ValueError(
                f"With classes={classes} the class numbers go from 0 to {classes - 1}; the {name} go from "
                f"{int(numbers.min())} to {int(numbers.max())}."
            )
