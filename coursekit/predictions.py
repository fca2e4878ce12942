"""Predictions: what a model says about an item, in people's terms."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Prediction:
    """What the model says about one item. Prints as one line.

    Attributes:
        label: the name of the most probable class.
        probability: its probability, from 0 to 1, as the model sees it.
        probabilities: the probability of each class by name.
        scores: what the model gave, one score a class, a float tensor (C,) on the CPU.

    >>> import torch
    >>> Prediction("broken", 0.9312, {"sound": 0.0688, "broken": 0.9312}, torch.tensor([-1.2, 1.4]))
    broken (probability 0.931)
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    scores: Tensor

    def __repr__(self) -> str:
        return f"{self.label} (probability {self.probability:.3f})"
