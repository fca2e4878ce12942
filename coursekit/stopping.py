"""Stopping: when more training is of no use, and what was wrong when it never could be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .checkpoints import SMALLER
from .events import Callback, CancelFit

if TYPE_CHECKING:
    from torch import Tensor

    from .learner import Learner


class StopEarly(Callback):
    """Ends training when validation has not become better for some epochs, and keeps the best weights.

    Args:
        metric: which of validation's numbers to watch, as its column is called. Of a loss or an error less is
            better, of everything else more.
        patience: how many epochs to wait for something better.
        smallest_change: what counts as better is better by more than this.

    However the fit ends, the model is left with the weights of its best epoch. Raises ValueError without
    validation data, and in the first epoch if nothing is called so. Prechelt, "Early Stopping - But When?",
    1998.

    >>> import torch
    >>> from torch import nn
    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.ones(1, 1), torch.ones(1, 1))]
    >>> how = {"optimizer": torch.optim.SGD, "callbacks": [Progress("off"), StopEarly(patience=2)]}
    >>> learner = Learner((batches, batches), nn.Linear(1, 1), nn.MSELoss(), device="cpu", **how)
    >>> learner.fit(50, rate=1.5)  # far too high: no epoch is better than the first
    >>> len(learner.recorder.rows)
    3
    """

    order = 50

    def __init__(self, metric: str = "valid loss", patience: int = 3, smallest_change: float = 0.0) -> None:
        self.metric, self.patience, self.smallest_change = metric, patience, smallest_change
        self.best, self.waited = math.nan, 0
        self.weights: dict[str, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """The best value so far, the epochs since, and its weights."""
        return {"best": self.best, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.best, self.waited, self.weights = state["best"], state["waited"], state["weights"]

    def before_fit(self, learner: Learner) -> None:
        if learner.data.valid is None:
            raise ValueError("StopEarly watches validation, and there is none: learner.data.valid is None.")
        self.best, self.waited, self.weights = math.nan, 0, {}

    def after_validate(self, learner: Learner) -> None:
        values = learner.metrics.values
        if self.metric not in values:
            raise ValueError(
                f"StopEarly watches {self.metric!r}, and validation measures {', '.join(map(repr, values))}."
            )
        if self._is_better(values[self.metric]):
            self.best, self.waited = values[self.metric], 0
            self.weights = {name: value.clone() for name, value in learner.model.state_dict().items()}
        else:
            self.waited += 1

    def after_epoch(self, learner: Learner) -> None:
        if self.waited >= self.patience:
            raise CancelFit

    def after_fit(self, learner: Learner) -> None:
        if self.weights:
            learner.model.load_state_dict(self.weights)
        self.weights = {}

    def _is_better(self, value: float) -> bool:
        gain = self.best - value if any(word in self.metric for word in SMALLER) else value - self.best
        return math.isnan(self.best) or gain > self.smallest_change


class OverfitOneBatch(Callback):
    """Trains on the first batch again and again, and says whether the model can learn at all.

    A model, a loss and data that fit together bring the loss of one batch to nothing within some hundred
    steps. Where they do not, more data or time will not help: labels may stand at the wrong items, an
    activation may be doubled, a layer cut off. Do it with a model of its own, for this one is spoiled.

    `verdict` holds the sentence that is printed at the end.

    >>> import torch
    >>> from torch import nn
    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [5.0]]))] * 50
    >>> learner = Learner((batches, None), nn.Linear(1, 1), nn.MSELoss(), callbacks=[Progress("off")])
    >>> learner.fit(4, rate=0.1, callbacks=[OverfitOneBatch()])  # doctest: +ELLIPSIS
    One batch, 200 times: the loss fell from ... to ... The model can learn it.
    """

    order = -50
    verdict = ""

    def before_fit(self, learner: Learner) -> None:
        self.first = len(learner.recorder.losses)
        self.batch: Any = None

    def before_batch(self, learner: Learner) -> None:
        if learner.training:
            self.batch = self.batch or (learner.inputs, learner.targets)
            learner.inputs, learner.targets = self.batch

    def after_fit(self, learner: Learner) -> None:
        losses = learner.recorder.losses[self.first :]
        if not losses:
            return
        part = losses[-1] / losses[0] if losses[0] else 0.0
        if part < 0.1:
            said = "The model can learn it."
        elif part < 0.9:
            said = "It learns slowly: give it more steps or another rate before you look for a fault."
        else:
            said = (
                "It does not learn even this. Look at a batch (do labels and inputs belong together?), at "
                "the loss (does it take what the model gives?), at the rate, and at which parameters learn."
            )
        self.verdict = (
            f"One batch, {len(losses)} times: the loss {'fell' if part < 1 else 'went'} from "
            f"{losses[0]:.3g} to {losses[-1]:.3g}. {said}"
        )
        print(self.verdict)
