"""Finding the rate: give each batch a higher learning rate than the last, and look what becomes of the loss.

The idea is from Smith (2017), "Cyclical Learning Rates for Training Neural Networks", section 3.3. A trial is
a fit like any other, with one callback more, `RateFinder`; `find_rate` puts everything back afterwards.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch import Tensor, nn

from .callbacks import Callback, Metrics, Progress, Recorder, Schedule, StopOnNaN
from .events import CancelEpoch, CancelFit

if TYPE_CHECKING:
    from .learner import Learner

# What a trial has no use for: they tell of training that counts, or set the rate themselves.
LEFT_OUT = (Metrics, Recorder, StopOnNaN, Progress, Schedule)
# And of what remains these events only: nothing is saved, logged or stopped at the end of an epoch.
HEARD = (
    *("before_fit", "before_batch", "after_predict", "after_loss", "before_backward", "after_backward"),
    *("before_step", "after_step", "after_batch", "after_fit"),
)
# To look at a loss is to wait for the device: a trial does so once in so many batches, and compares means.
TEN = 10
# A mean so many times as large as the smallest so far has run away, and more steps teach nothing.
TOO_LARGE = 4.0
# The loss counts as fallen when it has come down by this part of what it was.
A_FALL = 0.05
# How far below the rate of the lowest loss one trains. Of small networks trained at a third of it some were
# lost, with one rate all the way; at a tenth they learned more slowly, and at a fifth they did neither.
BELOW = 5.0


class RateFinder(Callback):
    """Gives each batch a higher learning rate than the one before, in equal ratios, and keeps the losses.

    Ends the fit after `steps` batches, or when the loss has become four times the smallest (smoothed) or no
    number at all: whether it has is looked at every ten batches, so that not every step waits for the device.
    Parameter groups keep their ratios to the last one. `find_rate` uses it and then puts everything back.

    Attributes:
        rates: the rate of the last group in each batch, as floats.
        losses: the loss of each batch before its step, one tensor each, on the device.

    >>> [round(rate, 6) for rate in RateFinder(start=1e-4, end=1, steps=13).planned[::3]]
    [0.0001, 0.001, 0.01, 0.1, 1.0]
    """

    order = -30

    def __init__(self, start: float = 1e-6, end: float = 10.0, steps: int = 100) -> None:
        if not 0 < start < end:
            raise ValueError(f"rates are tried from a low one to a higher one; got start={start}, end={end}.")
        if steps < 10:
            raise ValueError(f"a curve needs at least 10 steps to be seen; steps={steps} was asked for.")
        self.planned = [start * (end / start) ** (number / (steps - 1)) for number in range(steps)]
        self.rates: list[float] = []
        self.losses: list[Tensor] = []

    def before_fit(self, learner: Learner) -> None:
        rates = [group["lr"] for group in learner.optimizer.param_groups]
        self.shares = [rate / rates[-1] for rate in rates]

    def before_batch(self, learner: Learner) -> None:
        self.rates.append(self.planned[len(self.rates)])
        for group, share in zip(learner.optimizer.param_groups, self.shares, strict=True):
            group["lr"] = self.rates[-1] * share

    def before_backward(self, learner: Learner) -> None:
        self.losses.append(learner.loss.detach())

    def after_batch(self, learner: Learner) -> None:
        done = len(self.rates)
        if done == len(self.planned) or (done % TEN == 0 and ran_away(self.measured())):
            raise CancelFit

    def before_validate(self, learner: Learner) -> None:
        # The rates go on with the next round of training batches; nothing is measured on held-out ones.
        raise CancelEpoch

    def measured(self) -> list[float]:
        """The losses so far as floats; the host waits for the device here."""
        return torch.stack(self.losses).tolist() if self.losses else []


def ran_away(losses: Sequence[float]) -> bool:
    """Whether a loss is no number, or the mean of the last ten has become four times the smallest such mean.

    >>> ran_away([0.7] * 10 + [0.9] * 10), ran_away([0.7] * 10 + [2.9] * 10), ran_away([0.7, math.nan])
    (False, True, True)
    """
    tens = [losses[start : start + TEN] for start in range(0, len(losses), TEN)]
    means = [sum(ten) / len(ten) for ten in tens]
    return not math.isfinite(sum(means)) or means[-1] - min(means) > (TOO_LARGE - 1) * abs(min(means))


def smooth(losses: Sequence[float], reach: int = 3) -> list[float]:
    """The mean of each loss and its `reach` neighbours on either side; fewer of both towards the ends.

    One batch is easy and the next is hard, and so the losses jump. As many neighbours from the left as from
    the right, so that the curve moves neither way: a mean of the past alone would come late, and the rate
    read off it would be too high.

    >>> smooth([3.0, 0.0, 3.0, 0.0, 3.0], reach=1)
    [3.0, 2.0, 1.0, 2.0, 3.0]
    """
    means = []
    for place in range(len(losses)):
        near = min(reach, place, len(losses) - 1 - place)
        part = losses[place - near : place + near + 1]
        means.append(sum(part) / len(part))
    return means


def suggest_rate(rates: Sequence[float], losses: Sequence[float]) -> float:
    """A rate to train with, from the losses of a trial: a fifth of the rate at which the loss was lowest.

    At the lowest point steps have become so long that they undo each other. A fifth of that still goes down
    fast, and nowhere near the edge. The lowest point is that of the smoothed losses (see `smooth`), as far as
    they are numbers.

    Args:
        rates: the rates tried, each higher than the one before.
        losses: the loss found with each, as floats.

    Raises:
        ValueError: Not one loss for each rate; rates that do not rise; fewer than ten losses before the first
            that is no number; a loss that never fell: then no rate is any good, and the fault lies elsewhere.

    >>> rates = [10 ** (number / 10 - 5) for number in range(50)]
    >>> losses = [2.3 - 2 / (1 + 0.01 / rate) + 5 * rate for rate in rates]
    >>> round(suggest_rate(rates, losses), 4)
    0.01
    """
    _check_curve(rates, losses)
    means = smooth(list(takewhile(math.isfinite, losses)))
    lowest = min(range(len(means)), key=means.__getitem__)
    first = sum(losses[:TEN]) / TEN
    if first - means[lowest] < A_FALL * abs(first):
        raise ValueError(
            f"The loss was {first:.3g} at the lowest rates and never fell below {means[lowest]:.3g}, at "
            f"rates from {rates[0]:.3g} to {rates[len(means) - 1]:.3g}: no rate makes this model learn.\n"
            "Try another range (start=, end=) or more steps; then look for what is wrong in the data or the "
            "model: labels out of order, a part that is frozen, signals that die out on their way."
        )
    return rates[lowest] / BELOW


def _check_curve(rates: Sequence[float], losses: Sequence[float]) -> None:
    """Raise ValueError for what is no curve that a rate could be read off."""
    if len(rates) != len(losses):
        raise ValueError(
            f"suggest_rate takes one loss for each rate; got {len(rates)} rates and {len(losses)} losses."
        )
    if any(not 0 < low < high for low, high in pairwise(rates)):
        raise ValueError("rates are positive, and each is higher than the one before; these are not.")
    count = len(list(takewhile(math.isfinite, losses)))
    if count < TEN:
        told = (
            f"the loss is {losses[count]} after {count} steps" if count < len(losses) else "the trial ended"
        )
        raise ValueError(
            f"A rate is read off {TEN} losses at least, and {told}. Where rates are still low, that is no "
            "question of the rate.\nSee that inputs and targets hold no nan and no huge numbers, or take a "
            "lower start=."
        )


@dataclass(frozen=True)
class RateCurve:
    """What a trial found: the loss at each rate. Made by `find_rate`.

    Attributes:
        rates: the rates tried, lowest first; of several parameter groups the last one's.
        losses: the loss of each batch, measured before its own step.

    >>> rates = tuple(10 ** (number / 10 - 5) for number in range(50))
    >>> RateCurve(rates, tuple(2.3 - 2 / (1 + 0.01 / rate) + 5 * rate for rate in rates))
    RateCurve(50 rates from 1e-05 to 0.794; suggestion 0.01)
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def suggestion(self) -> float:
        """The rate that `suggest_rate` reads off; ValueError where the loss never fell."""
        return suggest_rate(self.rates, self.losses)

    def __repr__(self) -> str:
        return f"RateCurve({len(self.rates)} rates{self._range()}; {self._suggested()})"

    def _range(self) -> str:
        return f" from {self.rates[0]:.3g} to {self.rates[-1]:.3g}" if self.rates else ""

    def _suggested(self) -> str:
        with suppress(ValueError):
            return f"suggestion {self.suggestion:.2g}"
        return "no suggestion"

    def plot(self) -> None:
        """Draw the losses, smoothed and as they were, over the rates, with a line at the suggestion.

        The figure's attribute `alt_text` says in words what it shows. Losses that ran away leave the
        picture at its top, so that the fall before is seen.

        >>> from matplotlib import pyplot
        >>> rates = tuple(10 ** (number / 10 - 5) for number in range(50))
        >>> RateCurve(rates, tuple(2.3 - 2 / (1 + 0.01 / rate) + 5 * rate for rate in rates)).plot()
        >>> print(pyplot.gcf().alt_text.split(". ")[1])
        Smoothed, it begins at 2.3, is lowest at the rate 0.05, with 0.93, and ends at 4.3
        """
        from matplotlib import pyplot

        losses = list(takewhile(math.isfinite, self.losses))
        if not losses:
            raise ValueError("There is nothing to draw: the first loss of this trial is no number.")
        means, rates = smooth(losses), self.rates[: len(losses)]
        lowest = min(range(len(means)), key=means.__getitem__)
        figure: Any
        figure, axes = pyplot.subplots(figsize=(6, 3.4), layout="constrained")
        axes.plot(rates, losses, linewidth=0.8, alpha=0.5, label="each batch")
        axes.plot(rates, means, linewidth=2, label="smoothed")
        with suppress(ValueError):
            axes.axvline(self.suggestion, linestyle="--", color="black", linewidth=1, label=self._suggested())
        fall = max(means[0] - means[lowest], 0.05 * abs(means[0]))
        axes.set(xscale="log", xlabel="learning rate", ylabel="loss")
        axes.set_ylim(means[lowest] - 0.2 * fall, means[0] + 0.6 * fall)
        axes.legend()
        figure.alt_text = (
            f"Loss of each batch over the learning rate,{self._range()}. Smoothed, it begins at "
            f"{means[0]:.3g}, is lowest at the rate {rates[lowest]:.2g}, with {means[lowest]:.3g}, and ends "
            f"at {means[-1]:.3g}. Marked by a line: {self._suggested()}."
        )


def find_rate(
    learner: Learner, start: float = 1e-6, end: float = 10.0, steps: int = 100, early: float = 1.0
) -> RateCurve:
    """Try rates on a learner, from far too low to far too high, and give the loss that each led to.

    It trains for `steps` batches, going round the training data as often as it takes, and stops when the loss
    runs away. Then all is as it was, bit for bit: weights, the optimizer and what it remembers, random
    numbers, which batch comes next, the recorder. Nothing is saved, logged or shown; of the learner's own
    callbacks those that take part in batches do so here, unless they say `in_trials = False`.

    Args:
        learner: a Learner, trained or not.
        start: the first rate, and
        end: the last; in between they grow in equal ratios.
        steps: how many rates are tried, one a batch; at least 10.
        early: with several parameter groups the earliest learns at so many times the rate, those between in
            equal ratios, as in `fine_tune`.

    Raises:
        ValueError: a range or steps that make no trial; what `fit` raises.

    >>> from .learner import Learner
    >>> _ = torch.manual_seed(0)
    >>> inputs = torch.randn(64, 4)
    >>> batches = [(inputs, (inputs.sum(dim=1) > 0).long())] * 4
    >>> learner = Learner((batches, None), nn.Linear(4, 2), nn.CrossEntropyLoss(), device="cpu")
    >>> curve = find_rate(learner)
    >>> len(curve.rates) <= 100, 0.001 < curve.suggestion < 10
    (True, True)
    """
    finder = RateFinder(start, end, steps)
    with untouched(learner):
        taking_part = [one for one in learner.callbacks if one.in_trials and not isinstance(one, LEFT_OUT)]
        learner.callbacks = [Heard(one) for one in taking_part]
        # An optimizer of its own: what the learner's remembers of earlier steps stays where it is.
        learner._optimizer = None
        learner.fit(steps, (early, 1.0), callbacks=[finder])
    return RateCurve(tuple(finder.rates), tuple(finder.measured()))


class Heard(Callback):
    """A callback in a trial: of its events only those of the fit and of batches.

    >>> class Talk(Callback):
    ...     def after_epoch(self, learner): ...
    ...     def after_batch(self, learner): ...
    >>> hasattr(Heard(Talk()), "after_batch"), hasattr(Heard(Talk()), "after_epoch")
    (True, False)
    """

    def __init__(self, callback: Callback) -> None:
        self.order = callback.order
        for event in HEARD:
            if hasattr(callback, event):
                setattr(self, event, getattr(callback, event))


@contextmanager
def untouched(learner: Learner) -> Iterator[None]:
    """Nothing done inside leaves a trace: in weights, gradients, modes, random numbers, data or learner.

    Every tensor is kept as a copy on its device and written back into its place, bit for bit.

    >>> from .learner import Learner
    >>> learner = Learner(([], None), nn.Linear(4, 2), nn.CrossEntropyLoss(), device="cpu")
    >>> before = learner.model.bias.tolist()
    >>> with untouched(learner):
    ...     learner.model.bias.data += torch.rand(2)
    >>> learner.model.bias.tolist() == before
    True
    """
    parts = [one for one in (learner.model, learner.loss_function) if isinstance(one, nn.Module)]
    modes = [(module, module.training) for part in parts for module in part.modules()]
    with_state = [
        (one, copy.deepcopy(one.state_dict()))
        for one in (learner.data.train, *learner.callbacks)
        if hasattr(one, "load_state_dict") and hasattr(one, "state_dict")
    ]
    attributes = dict(vars(learner))
    try:
        with _same_tensors(parts), _same_random_numbers(learner.device):
            yield
    finally:
        vars(learner).clear()
        vars(learner).update(attributes)
        for module, training in modes:
            module.training = training
        for one, state in with_state:
            one.load_state_dict(state)


@contextmanager
def _same_tensors(parts: Sequence[nn.Module]) -> Iterator[None]:
    """Parameters, buffers and gradients are afterwards what they were before."""
    tensors = [tensor for part in parts for tensor in (*part.parameters(), *part.buffers())]
    kept = [(tensor, tensor.detach().clone(), tensor.grad) for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, values, gradient in kept:
                tensor.copy_(values)
                tensor.grad = gradient


@contextmanager
def _same_random_numbers(device: torch.device) -> Iterator[None]:
    """What is drawn afterwards is what would have been drawn before."""
    standard, of_numpy = random.getstate(), numpy.random.get_state()
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            yield
    finally:
        random.setstate(standard)
        numpy.random.set_state(of_numpy)
