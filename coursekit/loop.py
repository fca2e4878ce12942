"""The loop: what training is when nothing is hidden. It reads from the whole to the part.

    run            every epoch
    one_epoch      once through the training data, then once through the validation data
    one_pass       the model in the right mode, then every batch
    all_batches    one batch after the other
    step           forward, loss, backward, and the optimizer's step

At each of these moments it tells whoever wants to hear; the module `callbacks` says what that is good for.
`Learner` is this loop with all that makes it comfortable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from .batches import count_batches, find_predictions
from .events import Cancel, CancelBatch, CancelEpoch, CancelFit, Handler, raise_widest


class Loop:
    """Goes through data epoch by epoch, takes a step with each batch, and tells of each event on the way.

    A subclass sets what it works with before `run`:

    - `model`, a torch module; `loss_function`, of (predictions, targets), which gives one number;
    - `data`, with `.train` and `.valid`, each to be gone through batch by batch (`.valid` may be None);
    - `optimizer`, with `step()` and `zero_grad()`;
    - `epochs`, how many there are, and `first_epoch`, the number of the first of them that is still to do;
      `first_batch` is the number of the first batch that a pass will meet: 0, but for one taken up midway;
    - `handlers`: for each event the functions that hear it, called with the loop, in this order.

    While it runs, `epoch` and `batch_number` (from 0), `batch_count` (None when nobody knows), `training`,
    `inputs`, `targets`, `outputs`, `predicted` and `loss` say where it is. Handlers may change them.

    >>> from torch import nn
    >>> from .events import EVENTS
    >>> loop = Loop()
    >>> loop.model, loop.loss_function = nn.Linear(1, 1, bias=False), nn.functional.mse_loss
    >>> loop.data = type("Data", (), {"train": [(torch.ones(2, 1), torch.ones(2, 1))], "valid": None})
    >>> loop.optimizer = torch.optim.SGD(loop.model.parameters(), lr=0.5)
    >>> loop.handlers, loop.epochs = dict.fromkeys(EVENTS, ()), 3
    >>> loop.run()
    >>> loop.model.weight.detach().round(decimals=3)
    tensor([[1.]])
    """

    nothing: Any = None
    model = data = loss_function = optimizer = inputs = targets = outputs = predicted = loss = nothing
    handlers: dict[str, list[Handler]]
    epochs, first_epoch, first_batch, epoch, batch_number, training = 0, 0, 0, 0, -1, False
    batch_count: int | None = None

    def run(self) -> None:
        """Every epoch from `first_epoch` on. CancelFit ends it; `after_fit` is heard whatever happens."""
        try:
            self.emit("before_fit")
            for epoch in range(self.first_epoch, self.epochs):
                self.epoch = epoch
                self.within("epoch", self.one_epoch, ended_by=CancelEpoch)
        except CancelFit:
            pass
        finally:
            self.emit("after_fit")

    def one_epoch(self) -> None:
        """Once through the training data, and then, if there are any, through the validation data."""
        self.one_pass("train", self.data.train)
        if self.data.valid is not None:
            self.one_pass("validate", self.data.valid)

    def one_pass(self, name: str, loader: Iterable) -> None:
        """Once through a loader, to "train" or to "validate": model and gradients are set for it."""
        self.set_training(name == "train")
        self.batch_number, self.batch_count = -1, count_batches(loader)
        with torch.set_grad_enabled(self.training):
            self.within(name, partial(self.all_batches, loader))

    def all_batches(self, loader: Iterable) -> None:
        """One batch after the other. CancelBatch ends one, and the next begins."""
        first = self.first_batch
        for self.batch_number, batch in enumerate(loader, first):
            self.inputs, self.targets = self.read_batch(batch)
            self.predicted = self.loss = None
            self.within("batch", self.step, ended_by=CancelBatch)

    def step(self) -> None:
        """What is done with one batch. Override it for a way of training of your own."""
        self.outputs = self.call_model(self.inputs)
        self.predicted = find_predictions(self.outputs)
        self.emit("after_predict")
        self.loss = self.compute_loss()
        self.emit("after_loss")
        if not self.training:
            return
        self.emit("before_backward")
        self.loss.backward()
        self.emit("after_backward")
        self.emit("before_step")
        self.take_step()
        self.emit("after_step")
        self.optimizer.zero_grad()

    def within(self, name: str, body: Callable[[], None], ended_by: type[Cancel] | tuple = ()) -> None:
        """`before_name`, the body, `after_name`; a cancel that ends this part stops here, a wider goes on."""
        cancels: list[Cancel] = []
        try:
            self.emit(f"before_{name}")
            body()
        except Cancel as cancel:
            cancels.append(cancel)
        try:
            self.emit(f"after_{name}")
        except Cancel as cancel:
            cancels.append(cancel)
        raise_widest([cancel for cancel in cancels if not isinstance(cancel, ended_by)])

    def emit(self, event: str) -> None:
        """Let every handler of `event` hear it; a cancel counts when all have heard."""
        cancels = []
        for handler in self.handlers[event]:
            try:
                handler(self)
            except Cancel as cancel:
                cancels.append(cancel)
        if cancels:
            raise_widest(cancels)

    def set_training(self, training: bool) -> None:
        """Put the model into training or evaluation mode."""
        self.training = training
        self.model.train(training)

    def read_batch(self, batch: Any) -> tuple[Any, Any]:
        """Inputs and targets of a batch. Override it for batches of another form."""
        return batch

    def call_model(self, inputs: Any) -> Any:
        """What the model answers to the inputs of a batch."""
        return self.model(inputs)

    def compute_loss(self) -> Tensor:
        """The loss of the batch at hand. Override it for a loss that needs more, such as the inputs."""
        return self.loss_function(self.predicted, self.targets)

    def take_step(self) -> None:
        """The optimizer's step. A callback may put a function of its own in its place for a fit."""
        self.optimizer.step()
