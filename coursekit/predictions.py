"""Predictions: what a model says about an item, in people's terms.

A model gives scores. The loss it was trained on knows how to read them (`activation`, `decode`), and the data
know what the numbers that come out are called. Here the two meet; a saved model uses the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import torch
from torch import Tensor

from .batches import separate, to_device
from .metrics import class_names


@dataclass(frozen=True)
class Prediction:
    """What the model says about one item. Prints as one line.

    Attributes:
        value: the answer, as targets are called: the name of a class, a list of names, a number, a `Mask`,
            `Keypoints`. What lies on a photo lies on it as the model saw it, resized; `canvas` says how
            large that was. What nobody knows how to read is what the model gave.
        scores: what the model gave for this item, on the CPU.
        probabilities: where the answer is one class or several, the probability of each by name, from 0 to 1,
            as the model sees it; else None.

    >>> Prediction("broken", torch.tensor([-1.2, 1.4]), {"sound": 0.0691, "broken": 0.9309})
    broken (probability 0.931)
    >>> Prediction(["cat"], torch.tensor([2.2, 0.3]), {"cat": 0.9, "dog": 0.43})
    cat (probability 0.900)
    >>> Prediction(3.5, torch.tensor([3.5]))
    3.5
    """

    value: Any
    scores: Any
    probabilities: dict[str, float] | None = None

    @property
    def label(self) -> str:
        """The answer as text; several names stand side by side."""
        return (", ".join(self._names()) or "none") if isinstance(self.value, list) else str(self.value)

    @property
    def probability(self) -> float | None:
        """How probable the model finds its answer, if that is one class; else None."""
        return None if isinstance(self.value, list) else (self.probabilities or {}).get(str(self.value))

    def _names(self) -> list[str]:
        return list(map(str, self.value if isinstance(self.value, list) else [self.value]))

    def __repr__(self) -> str:
        chances = self.probabilities or {}
        said = [f"{name} (probability {chances[name]:.3f})" for name in self._names() if name in chances]
        return ", ".join(said) or self.label


def read_scores(scores: Any, loss: Any, data: Any, inputs: Any = None) -> list[Prediction]:
    """What scores say about each item of a batch.

    Args:
        scores: what the model gave for a batch, its items along the first axis.
        loss: may have `activation`, which gives probabilities, and `decode`, which gives the answer: class
            numbers, zeros and ones, coordinates. Without `decode` the scores are the answer.
        data: may have `decode_answers(answers, inputs)`, which gives each item's answer in people's terms,
            and `vocab`, the names of the classes.
        inputs: what the model was given, typed; points in a picture are told how large that is.

    Raises:
        ValueError: The data name more or fewer classes than there are scores.

    >>> from .losses import CrossEntropy
    >>> read_scores(torch.tensor([[0.0, 2.0], [1.0, 0.0]]), CrossEntropy(), None)
    [1 (probability 0.881), 0 (probability 0.731)]
    """
    if not hasattr(loss, "decode"):
        return [Prediction(one, one) for one in separate(to_device(scores, torch.device("cpu")))]
    answers, vocab = loss.decode(scores), getattr(data, "vocab", None)
    chances = _by_name(loss.activation(scores), answers, vocab) if hasattr(loss, "activation") else []
    if hasattr(data, "decode_answers"):
        values = data.decode_answers(answers.cpu(), inputs)
    else:
        values = _named(answers.cpu(), vocab)
    return [Prediction(*one) for one in zip_longest(values, scores.cpu(), chances)]


def _by_name(chances: Tensor, answers: Tensor, vocab: Sequence[Any] | None) -> list[dict[str, float]]:
    """The probability of each class by name, for each item; nothing where the answers are no classes."""
    if chances.ndim != 2 or (answers.is_floating_point() and not vocab):
        return []
    names = class_names(vocab or None, chances.shape[1])
    return [dict(zip(names, row, strict=True)) for row in chances.tolist()]


def _named(answers: Tensor, vocab: Sequence[Any] | None) -> list[Any]:
    """The answers of data that do not say how theirs are called: names where there are any, else numbers."""
    if answers.ndim != 1:
        return list(answers)
    values = answers.tolist()
    return [vocab[value] for value in values] if vocab and not answers.is_floating_point() else values
