"""Stepping: what is done with gradients before the optimizer steps, and who takes part in the step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .events import Callback, CancelBatch

if TYPE_CHECKING:
    from .learner import Learner


class Accumulate(Callback):
    """Steps once for several batches, exactly as if they were one: for what no device holds at once.

    Args:
        batches: how many make up a step. What is left at the end of an epoch makes a step of its own.

    The gradient is the mean over all items of the group, also where its batches are of unequal size, provided
    that the loss is the mean over the items of a batch. Loss, recorder and schedule go on batch by batch;
    `before_step` and `after_step` are heard once a group. Batch norm still sees one batch at a time. Raises
    ValueError for less than 1 batch.

    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> halves = [(torch.full((2, 1), x), torch.zeros(2, 1)) for x in (1.0, 2.0)]
    >>> model = nn.Linear(1, 1, bias=False)
    >>> nn.init.ones_(model.weight).tolist()
    [[1.0]]
    >>> how = {"optimizer": torch.optim.SGD, "callbacks": [Progress("off"), Accumulate(2)], "device": "cpu"}
    >>> learner = Learner((halves, None), model, nn.MSELoss(), **how)
    >>> learner.fit(1, rate=0.1)
    >>> model.weight.item()  # 1 - 0.1 * (2 * 1 + 2 * 4) / 2
    0.5
    """

    order = -50

    def __init__(self, batches: int) -> None:
        if batches < 1:
            raise ValueError(f"Accumulate makes one step of 1 batch or more; got {batches!r}.")
        self.batches = batches
        self.last = self.items = 0

    def state_dict(self) -> dict[str, int]:
        """How large the last batch was, and how many items wait for a step."""
        return {"last": self.last, "items": self.items}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Take back what `state_dict` gave."""
        self.last, self.items = state["last"], state["items"]

    def before_fit(self, learner: Learner) -> None:
        self.items = 0

    def before_backward(self, learner: Learner) -> None:
        # What is there already counts in units of the batch to come, whose gradient is then added as it is.
        if self.items and learner.batch_size != self.last:
            scale_gradients(learner.model, self.last / learner.batch_size)
        self.last = learner.batch_size
        self.items += self.last

    def after_backward(self, learner: Learner) -> None:
        if not self.is_last(learner):
            raise CancelBatch

    def is_last(self, learner: Learner) -> bool:
        """Whether the batch at hand completes its group, as far as the number of batches is known."""
        done = learner.batch_number + 1
        return done % self.batches == 0 or done == learner.batch_count

    def before_step(self, learner: Learner) -> None:
        if self.last != self.items:
            scale_gradients(learner.model, self.last / self.items)
        self.items = 0

    def after_train(self, learner: Learner) -> None:
        # Where nobody knew that the last batch was the last, its group is still waiting.
        if self.items:
            learner.emit("before_step")
            learner.take_step()
            learner.emit("after_step")
            learner.optimizer.zero_grad()


class ClipGradients(Callback):
    """Keeps gradients from being too long before each step, so that no odd batch spoils the model.

    Args:
        norm: all gradients together, as one long vector, are shortened to this length where they are longer,
            and keep their direction (Pascanu, Mikolov and Bengio 2013).
        value: each number is cut off at this size.

    Exactly one of both is given (ValueError otherwise). Where lengths are clipped `norms` tells how long they
    were before at each step, which helps to choose; they come to the host when an epoch's training ends.

    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.full((2, 1), 100.0), torch.zeros(2, 1))]
    >>> model = nn.Linear(1, 1, bias=False)
    >>> before = model.weight.item()
    >>> callbacks = [Progress("off"), ClipGradients(norm=1.0)]
    >>> how = {"optimizer": torch.optim.SGD, "callbacks": callbacks, "device": "cpu"}
    >>> learner = Learner((batches, None), model, nn.MSELoss(), **how)
    >>> learner.fit(1, rate=0.1)
    >>> round(abs(model.weight.item() - before), 4)
    0.1
    """

    order = 20

    def __init__(self, norm: float | None = None, value: float | None = None) -> None:
        given = [one for one in (norm, value) if one is not None]
        if len(given) != 1 or given[0] <= 0:
            raise ValueError(
                "ClipGradients takes one positive number: the length of all gradients together, as "
                "ClipGradients(norm=1.0), or the size of each number, as ClipGradients(value=0.5); got "
                f"norm={norm!r}, value={value!r}."
            )
        self.norm, self.value = norm, value
        self.norms: list[float] = []
        self._waiting: list[Tensor] = []

    def before_fit(self, learner: Learner) -> None:
        self._waiting = []

    def before_step(self, learner: Learner) -> None:
        if self.norm is not None:
            self._waiting.append(nn.utils.clip_grad_norm_(learner.model.parameters(), self.norm))
        elif self.value is not None:
            nn.utils.clip_grad_value_(learner.model.parameters(), self.value)

    def after_train(self, learner: Learner) -> None:
        if self._waiting:
            self.norms += torch.stack(self._waiting).tolist()
        self._waiting = []


class Freeze(Callback):
    """Lets only the last parameter groups learn at first, and everything later in the same fit.

    Args:
        epochs: how many epochs the rest stays frozen.
        learning: how many groups learn from the beginning; 1 is the head alone.

    `learner.fine_tune` does it in two fits, each with a schedule of its own; this is for a fit in one piece.
    Raises ValueError for a model without parameter groups.

    >>> Freeze(epochs=2).learning
    1
    """

    order = -50

    def __init__(self, epochs: int = 1, learning: int = 1) -> None:
        self.epochs, self.learning = epochs, learning

    def before_epoch(self, learner: Learner) -> None:
        if learner.epoch < self.epochs:
            learner.freeze(self.learning)
        else:
            learner.unfreeze()


@torch.no_grad()
def scale_gradients(model: nn.Module, factor: float) -> None:
    """Multiply every gradient of a model by a number, in place.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> model(torch.ones(1, 1)).sum().backward()
    >>> scale_gradients(model, 0.25)
    >>> model.weight.grad
    tensor([[0.2500]])
    """
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    if gradients:
        torch._foreach_mul_(gradients, factor)
