"""Metrics: how good the answers are, in numbers that people can read.

A metric is asked once a batch and answers once an epoch. A plain function such as `accuracy` gives the mean
of one batch; `Mean` averages it over the epoch by the number of items, so a last batch that is smaller counts
for less. What is no mean of means (`Recall`, `Precision`) is a `Metric` with a state of its own.

What a metric collects stays on the device of the predictions; the host waits for it once, in `value()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from typing import Any

import torch
from torch import Tensor


def accuracy(predictions: Tensor, targets: Tensor) -> Tensor:
    """The share of items whose highest score stands at the right class, from 0 to 1.

    `predictions` are scores of shape (N, C), `targets` class numbers of shape (N,); the answer is one float32
    number on the same device, nan for no items. Raises ValueError when the shapes do not fit each other.

    >>> scores = torch.tensor([[2.0, 0.1], [0.3, 0.9], [1.5, 1.0]])
    >>> accuracy(scores, torch.tensor([0, 1, 1]))
    tensor(0.6667)
    """
    if predictions.shape[:-1] != targets.shape:
        raise ValueError(describe_misfit(predictions, targets))
    guesses = predictions.argmax(dim=-1)
    return (guesses == targets).float().mean()


def error_rate(predictions: Tensor, targets: Tensor) -> Tensor:
    """The share of items whose highest score stands at a wrong class: 1 - `accuracy`.

    Shapes, result and errors are those of `accuracy`.

    >>> scores = torch.tensor([[2.0, 0.1], [0.3, 0.9], [1.5, 1.0]])
    >>> error_rate(scores, torch.tensor([0, 1, 1]))
    tensor(0.3333)
    """
    return 1 - accuracy(predictions, targets)


def describe_misfit(predictions: Tensor, targets: Tensor, class_axis: int = -1) -> str:
    """One sentence on scores and class numbers whose shapes do not fit, and what usually causes it.

    `class_axis` is the axis of the scores along which the classes stand.

    >>> print(describe_misfit(torch.zeros(4, 2), torch.zeros(3)))
    Scores of shape (4, 2) need targets of shape (4,), one class number an item; these have shape (3,).
    The model answered for 4 items and there are 3 targets: look at how the batch was put together.
    """
    scores, labels = tuple(predictions.shape), tuple(targets.shape)
    if len(scores) < 2:
        return (
            f"Scores have shape (items, classes), as (64, 2); these have shape {scores}, beside targets of "
            f"shape {labels}.\nA model for classes ends in one score for each class of each item."
        )
    wanted = scores[:-1] if class_axis == -1 else scores[:class_axis] + scores[class_axis + 1 :]
    if labels == scores:
        cause = f"The targets are one-hot, one column a class: targets.argmax(dim={class_axis}) numbers them."
    elif labels == (*wanted, 1):
        cause = "The targets have one axis too many: targets.squeeze(-1) takes it off."
    elif labels[:1] != scores[:1]:
        cause = (
            f"The model answered for {scores[0]} items and there are {labels[0] if labels else 'no'} "
            "targets: look at how the batch was put together."
        )
    else:
        cause = "Is there a pooling or nn.Flatten() missing at the end of the model?"
    return (
        f"Scores of shape {scores} need targets of shape {wanted}, one class number an item; "
        f"these have shape {labels}.\n{cause}"
    )


def count_items(batch: Any) -> int:
    """How many items a batch holds: the length of its first tensor's first axis; 0 when there is none.

    >>> count_items(torch.zeros(5, 2)), count_items({"words": torch.zeros(3, 7)}), count_items(7)
    (5, 3, 0)
    """
    if isinstance(batch, Tensor):
        return batch.shape[0] if batch.ndim else 0
    if isinstance(batch, Mapping):
        batch = tuple(batch.values())
    return next(filter(None, map(count_items, batch)), 0) if isinstance(batch, (tuple, list)) else 0


class Metric:
    """Something measured over an epoch: forget, look at each batch, then answer. Subclass it for your own.

    `name` heads its column, and no other has it; `reset()` forgets, `update(predictions, targets)` looks at
    one batch and must not make the host wait (no `.item()`, `float()` or `print`), `value()` gives one number
    at the end.

    >>> class Largest(Metric):
    ...     name = "largest score"
    ...     def reset(self):
    ...         self.seen = []
    ...     def update(self, predictions, targets):
    ...         self.seen.append(predictions.max())
    ...     def value(self):
    ...         return float(torch.stack(self.seen).max())
    >>> largest = Largest()
    >>> largest.reset()
    >>> largest.update(torch.tensor([[1.0, 3.0]]), torch.tensor([1]))
    >>> largest.value()
    3.0
    """

    name = "metric"

    def reset(self) -> None:
        """Forget every batch seen so far."""
        raise NotImplementedError(f"{type(self).__name__} must say how to forget: def reset(self)")

    def update(self, predictions: Any, targets: Any) -> None:
        """Look at one batch."""
        raise NotImplementedError(
            f"{type(self).__name__} must say how to look at a batch: def update(self, predictions, targets)"
        )

    def value(self) -> float:
        """The number for everything seen since `reset`."""
        raise NotImplementedError(f"{type(self).__name__} must say what came out: def value(self)")


class Average(Metric):
    """The mean over all items of numbers that come as means of batches; `Mean` asks a function for them.

    >>> average = Average("valid loss")
    >>> average.add(0.5, count=3)
    >>> average.add(0.9, count=1)
    >>> round(average.value(), 3)
    0.6
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset()

    def reset(self) -> None:
        """Forget every batch seen so far."""
        self.values: list[Tensor] = []
        self.counts: list[int] = []

    def add(self, value: Tensor | float, count: int) -> None:
        """Take in the mean of one batch of `count` items as it is."""
        if not isinstance(value, Tensor | Number):
            raise TypeError(
                f"A metric gives one number for a batch; {self.name} gave {type(value).__name__}: does it "
                "end in return?"
            )
        value = torch.as_tensor(value).detach()
        if value.ndim:
            raise ValueError(
                f"A metric gives one number for a batch; {self.name} gave a tensor of shape "
                f"{tuple(value.shape)}: take its mean, value.mean()."
            )
        self.values.append(value)
        self.counts.append(count)

    def value(self) -> float:
        """The mean over all items seen since `reset`; the host waits for the device here, and only here."""
        if not self.counts:
            return float("nan")
        # One transfer for the whole epoch, and the sum in the host's double precision.
        values = torch.stack(self.values).tolist()
        return sum(value * count for value, count in zip(values, self.counts, strict=True)) / sum(self.counts)


class Mean(Average):
    """A function's mean over all items: each batch's value counts as often as the batch has items.

    `function(predictions, targets)` gives the mean of one batch, as a tensor of one number. A Learner wraps
    plain functions in this by itself. `value()` is nan when nothing was seen.

    >>> mean = Mean(accuracy)
    >>> mean.reset()
    >>> mean.update(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0, 1]))
    >>> mean.update(torch.tensor([[1.0, 0.0]]), torch.tensor([1]))
    >>> mean.name, mean.value()
    ('accuracy', 0.75)
    """

    def __init__(self, function: Callable[[Any, Any], Tensor], name: str | None = None) -> None:
        self.function = function
        super().__init__(name or getattr(function, "__name__", type(function).__name__).replace("_", " "))

    def update(self, predictions: Any, targets: Any) -> None:
        """Look at one batch."""
        count = count_items(targets) or count_items(predictions) or 1
        self.add(self.function(predictions, targets), count)


class Recall(Metric):
    """Of the items that are `of`, the share that was found, from 0 to 1.

    `of` is a class name, looked up in `targets.vocab`, or a class number. With no such item among the targets
    there is nothing to find and the value is nan: neither 0 nor 1 would be true. (scikit-learn gives 0 there
    and warns.) Raises ValueError for an unknown name.

    >>> recall = Recall(of=1)
    >>> recall.update(torch.tensor([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]]), torch.tensor([1, 1, 0]))
    >>> recall.name, recall.value()
    ('recall of 1', 0.5)
    """

    title = "recall"

    def __init__(self, of: str | int, name: str | None = None) -> None:
        self.of = of
        self.name = name or f"{self.title} of {of}"
        self.reset()

    def reset(self) -> None:
        """Forget every batch seen so far."""
        self.found: list[Tensor] = []
        self.wanted: list[Tensor] = []

    def update(self, predictions: Tensor, targets: Tensor) -> None:
        """Look at one batch: scores (N, C) and class numbers (N,)."""
        if predictions.shape[:-1] != targets.shape:
            raise ValueError(describe_misfit(predictions, targets))
        number = class_number(self.of, predictions, targets)
        called, is_one = predictions.argmax(dim=-1) == number, targets == number
        self.found.append((called & is_one).sum())
        self.wanted.append(self.denominator(called, is_one).sum())

    def denominator(self, called: Tensor, is_one: Tensor) -> Tensor:
        """Which items the share is taken of: here those that are one."""
        return is_one

    def value(self) -> float:
        """The share over everything seen since `reset`, nan when it is a share of nothing."""
        if not self.found:
            return float("nan")
        found, wanted = torch.stack([torch.stack(self.found), torch.stack(self.wanted)]).sum(dim=1).tolist()
        return found / wanted if wanted else float("nan")


class Precision(Recall):
    """Of the items that were called `of`, the share that is, from 0 to 1.

    `of` as in `Recall`. When the model called no item that, the value is nan.

    >>> precision = Precision(of=1)
    >>> precision.update(torch.tensor([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6]]), torch.tensor([1, 1, 0]))
    >>> precision.name, precision.value()
    ('precision of 1', 0.5)
    """

    title = "precision"

    def denominator(self, called: Tensor, is_one: Tensor) -> Tensor:
        """Which items the share is taken of: here those that were called one."""
        return called


def class_number(of: str | int, predictions: Tensor, targets: Tensor) -> int:
    """The number of the class `of`: a name is looked up in `targets.vocab`, a number must be a column.

    >>> class_number(1, torch.zeros(4, 3), torch.zeros(4))
    1
    """
    if isinstance(of, str):
        vocab = getattr(targets, "vocab", None)
        if vocab is None:
            raise ValueError(
                f"The class {of!r} was asked for by name, but these targets ({type(targets).__name__}) carry "
                "no vocab to look it up in; give the class number, as in Recall(of=1)."
            )
        if of not in vocab:
            raise ValueError(f"There is no class {of!r}; the classes are {', '.join(map(str, vocab))}.")
        return list(vocab).index(of)
    if not 0 <= of < predictions.shape[-1]:
        raise ValueError(
            f"There is no class number {of}: the predictions have {predictions.shape[-1]} columns, "
            f"so classes 0 to {predictions.shape[-1] - 1}."
        )
    return of


def class_names(vocab: Sequence[Any] | None, count: int) -> list[str]:
    """The names of `count` classes: those of the vocab, or their numbers where there is none.

    Raises ValueError when there are more or fewer names than scores.

    >>> class_names(("sound", "broken"), 2), class_names(None, 3)
    (['sound', 'broken'], ['0', '1', '2'])
    """
    names = [str(name) for name in vocab or range(count)]
    if len(names) != count:
        raise ValueError(
            f"The model gives {count} scores an item, and the data name {len(names)} classes: "
            f"{', '.join(names)}. Its last layer needs {len(names)} outputs."
        )
    return names
