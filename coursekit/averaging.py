"""Averaging: weights that wander less than those of the last step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .events import Callback

if TYPE_CHECKING:
    from .learner import Learner


class AverageWeights(Callback):
    """Keeps a running average of the weights, which is often better than any single step's.

    Args:
        decay: after each step the average keeps this part of itself and takes the rest from the new weights;
            0.999 looks back over about 1,000 steps.
        warm_up: at step n the decay is at most n / (n + warm_up), so that the first, untrained weights are
            soon forgotten; 0 switches this off.

    Validation measures the average, and training then goes on with its own weights. When the fit ends the
    model keeps the average. The running statistics of batch norm are averaged alike. Raises ValueError for a
    decay that is not between 0 and 1.

    Polyak and Juditsky 1992; the warm-up is Tan and Le's, in their code of EfficientNet, 2019.

    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> model = nn.Linear(1, 1, bias=False)
    >>> nn.init.zeros_(model.weight).tolist()
    [[0.0]]
    >>> average = AverageWeights(decay=0.5, warm_up=0)
    >>> batches = [(torch.ones(1, 1), torch.ones(1, 1))]
    >>> how = {"optimizer": torch.optim.SGD, "callbacks": [Progress("off"), average], "device": "cpu"}
    >>> Learner((batches, None), model, nn.MSELoss(), **how).fit(1, rate=0.5)
    >>> model.weight.item()  # the step led to 1; the average lies halfway
    0.5
    """

    order = 60

    def __init__(self, decay: float = 0.999, warm_up: int = 10) -> None:
        if not 0 < decay < 1:
            raise ValueError(f"The decay of an average lies between 0 and 1, as 0.999; got {decay!r}.")
        self.decay, self.warm_up, self.steps = decay, warm_up, 0
        self.averages: list[Tensor] = []
        self.own: list[Tensor] = []

    def state_dict(self) -> dict[str, Any]:
        """How many steps there were, and the average."""
        return {"steps": self.steps, "averages": self.averages}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.steps, self.averages = state["steps"], state["averages"]

    def before_fit(self, learner: Learner) -> None:
        self.steps, self.own = 0, []
        self.averages = [value.clone() for value in averaged_parts(learner.model)]
        # Before all others, some of which know weights that are better still.
        learner.handlers["after_fit"].insert(0, self._keep)

    def before_train(self, learner: Learner) -> None:
        parts = averaged_parts(learner.model)
        self.averages = [one.to(part) for one, part in zip(self.averages, parts, strict=True)]

    @torch.no_grad()
    def after_step(self, learner: Learner) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + self.warm_up))
        torch._foreach_lerp_(self.averages, averaged_parts(learner.model), 1 - decay)

    def before_validate(self, learner: Learner) -> None:
        if self.averages:
            self.own = [part.clone() for part in averaged_parts(learner.model)]
            put_in(learner.model, self.averages)

    def after_validate(self, learner: Learner) -> None:
        if self.own:
            put_in(learner.model, self.own)
        self.own = []

    def _keep(self, learner: Learner) -> None:
        put_in(learner.model, self.averages)
        self.averages, self.own = [], []


def averaged_parts(model: nn.Module) -> list[Tensor]:
    """The tensors of a model that an average is made of: parameters, and buffers that are no whole numbers.

    >>> [part.shape[0] for part in averaged_parts(nn.BatchNorm1d(3))]  # scale, shift, mean, variance
    [3, 3, 3, 3]
    """
    tensors = [*model.parameters(), *model.buffers()]
    return [one.detach() for one in tensors if one.is_floating_point()]


@torch.no_grad()
def put_in(model: nn.Module, parts: list[Tensor]) -> None:
    """Give a model the values of `averaged_parts`, in place: optimizer and graphs keep hold of its tensors.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> put_in(model, [torch.tensor([[2.0]])])
    >>> model.weight.item()
    2.0
    """
    torch._foreach_copy_(averaged_parts(model), parts)
