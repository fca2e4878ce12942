"""Mixing: training items made of two, so that the model learns what lies between them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch import Tensor

from .batches import describe_batch, to_plain
from .events import Callback

if TYPE_CHECKING:
    from .learner import Learner


class MixUp(Callback):
    """Trains on blends of two items of the batch, and on as much of the answer of each.

    Args:
        alpha: an item keeps the share Beta(alpha, alpha) of itself: 0.2 hardly mixes most items, 1 evenly.
        seed: the same seed gives the same pairs and shares, in a resumed training too.

    Inputs are one floating-point tensor (N, ...). For class numbers (N,) the loss of each item is the blend
    of its losses for both answers, so the loss must give one number an item when asked for
    `reduction="none"`; amounts and several labels (N, C) are blended themselves. TypeError for anything else.
    Validation sees items as they are. Zhang, Cissé, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk
    Minimization", 2018.

    >>> from torch import nn
    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.eye(2), torch.tensor([0, 1]))]
    >>> learner = Learner((batches, None), nn.Linear(2, 2), nn.CrossEntropyLoss(), device="cpu",
    ...                   callbacks=[Progress("off"), MixUp(alpha=1)])
    >>> learner.fit(1, rate=0.1)
    >>> learner.inputs.sum(dim=1)
    tensor([1., 1.])
    """

    order = -35

    def __init__(self, alpha: float = 0.4, seed: int = 0) -> None:
        if alpha <= 0:
            raise ValueError(f"alpha is a positive number, such as 0.4; got {alpha!r}.")
        self.alpha, self.seed = alpha, seed

    def before_fit(self, learner: Learner) -> None:
        if sum(isinstance(one, MixUp) for one in learner.listeners) > 1:
            raise ValueError("Items are mixed in one way at a time: give the fit either MixUp or CutMix.")
        self.item_losses = find_item_losses(learner.loss_function)

    def before_batch(self, learner: Learner) -> None:
        if not learner.training:
            return
        inputs, targets = to_plain(learner.inputs), to_plain(learner.targets)
        self.check(inputs, targets)
        # A new start for each batch: what is drawn does not depend on where training was resumed.
        place = (self.seed, len(learner.recorder.rows), learner.batch_number)
        drawn = self.draw(numpy.random.default_rng(place), tuple(inputs.shape))
        self.keep, partner, *more = torch.from_numpy(drawn).to(inputs.device, non_blocking=True)
        other = partner.long()
        learner.inputs = self.mix(inputs, inputs[other], more)
        self.both = (
            (targets, targets[other]) if targets.ndim == 1 and not targets.is_floating_point() else None
        )
        if self.both is None:
            learner.targets = blend(targets, targets[other], self.keep)

    def after_loss(self, learner: Learner) -> None:
        if learner.training and self.both:
            own, other = (self.item_losses(learner.predicted, targets) for targets in self.both)
            learner.loss = blend(own, other, self.keep).mean()

    def check(self, inputs: Any, targets: Any) -> None:
        """Raise TypeError for what cannot be mixed."""
        if not (isinstance(inputs, Tensor) and inputs.is_floating_point() and inputs.ndim > 1):
            raise TypeError(
                f"{type(self).__name__} mixes inputs that are one tensor of floats, (N, ...); these are "
                f"{describe_batch(inputs)}."
            )
        if not (isinstance(targets, Tensor) and targets.ndim in (1, 2)):
            raise TypeError(
                f"{type(self).__name__} mixes targets that are class numbers or amounts (N,), or several "
                f"labels (N, C); these are {describe_batch(targets)}."
            )

    def draw(self, chance: numpy.random.Generator, shape: tuple[int, ...]) -> numpy.ndarray:
        """The share that each item keeps, its partner, and what else `mix` needs: rows of float32."""
        keep = chance.beta(self.alpha, self.alpha, shape[0])
        return numpy.stack([keep, chance.permutation(shape[0])]).astype(numpy.float32)

    def mix(self, own: Tensor, other: Tensor, drawn: list[Tensor]) -> Tensor:
        """The inputs of two, blended."""
        return blend(own, other, self.keep)


class CutMix(MixUp):
    """Trains on pictures with a rectangle of another one, and on as much of each answer as each has area.

    As `MixUp`, for pictures (N, C, H, W). The rectangle has the picture's proportions and lies anywhere; what
    of it falls outside is not there, and answers are blended by the area that is. Yun et al., "CutMix:
    Regularization Strategy to Train Strong Classifiers with Localizable Features", 2019.

    >>> from torch import nn
    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> pictures = torch.stack([torch.zeros(1, 8, 8), torch.ones(1, 8, 8)])
    >>> batches = [(pictures, torch.tensor([0, 1]))]
    >>> learner = Learner((batches, None), nn.Sequential(nn.Flatten(), nn.Linear(64, 2)),
    ...                   nn.CrossEntropyLoss(), device="cpu", callbacks=[Progress("off"), CutMix()])
    >>> learner.fit(1, rate=0.1)
    >>> sorted(set(learner.inputs.flatten().tolist()))
    [0.0, 1.0]
    """

    def __init__(self, alpha: float = 1.0, seed: int = 0) -> None:
        super().__init__(alpha, seed)

    def check(self, inputs: Any, targets: Any) -> None:
        """Raise TypeError for what cannot be mixed."""
        super().check(inputs, targets)
        if inputs.ndim != 4:
            raise TypeError(f"CutMix cuts pictures, (N, C, H, W); these are {describe_batch(inputs)}.")

    def draw(self, chance: numpy.random.Generator, shape: tuple[int, ...]) -> numpy.ndarray:
        """The share that each item keeps, its partner, and the rectangle's top, bottom, left and right."""
        keep, partner = super().draw(chance, shape)
        edges = []
        for length in shape[2:]:
            middle, half = chance.integers(length, size=shape[0]), length * numpy.sqrt(1 - keep) / 2
            edges += [numpy.rint(middle - half).clip(0, length), numpy.rint(middle + half).clip(0, length)]
        area = (edges[1] - edges[0]) * (edges[3] - edges[2])
        return numpy.stack([1 - area / (shape[2] * shape[3]), partner, *edges]).astype(numpy.float32)

    def mix(self, own: Tensor, other: Tensor, drawn: list[Tensor]) -> Tensor:
        """One picture with a rectangle of the other."""
        top, bottom, left, right = (edge[:, None] for edge in drawn)
        rows, columns = (torch.arange(length, device=own.device) for length in own.shape[2:])
        high, wide = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
        return torch.where(high[:, None, :, None] & wide[:, None, None, :], other, own)


def blend(own: Tensor, other: Tensor, keep: Tensor) -> Tensor:
    """As much of each of `own` (N, ...) as `keep` (N,) says, from 0 to 1, and the rest of `other`.

    >>> blend(torch.tensor([0.0, 10.0]), torch.tensor([1.0, 20.0]), keep=torch.tensor([0.5, 0.9]))
    tensor([ 0.5000, 11.0000])
    """
    keep = keep.view(-1, *[1] * (own.ndim - 1))
    return keep * own + (1 - keep) * other


def find_item_losses(loss: Any) -> Callable[[Any, Tensor], Tensor]:
    """A loss that gives one number an item, from one that gives their mean; TypeError where it cannot.

    >>> find_item_losses(torch.nn.MSELoss())(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 1.0]))
    tensor([0., 4.])
    """
    known = inspect.signature(getattr(loss, "forward", loss)).parameters if loss is not None else {}
    if "reduction" in known:
        return partial(loss, reduction="none")
    if not hasattr(loss, "reduction"):
        raise TypeError(
            'Mixing needs the loss of each item, as loss(predictions, targets, reduction="none") gives; '
            f"{getattr(loss, '__name__', type(loss).__name__)} has no such thing."
        )

    def item_losses(predictions: Any, targets: Tensor) -> Tensor:
        usual, loss.reduction = loss.reduction, "none"
        try:
            return loss(predictions, targets)
        finally:
            loss.reduction = usual

    return item_losses
