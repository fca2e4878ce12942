"""What the training loop costs beside the same steps written by hand.

Three questions, each with its bound: the ratio to a hand-written loop over the same loader on a tiny network,
with everything a learner does by default and a progress bar (1.08); the microseconds a batch when model, loss
and optimizer do nothing, so that only the loop is left (10); and those of one more callback with an empty
method, for each event it hears (0.1). A callback without that method costs nothing: it is not in the list.

The ways take turns in short samples, what counts is the processor's time on one thread, and of each way the
quickest sample: so a machine that is busy with other things disturbs little.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from record import record
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from coursekit.callbacks import Callback, Progress
from coursekit.learner import Learner
from coursekit.metrics import accuracy
from coursekit.optimizers import adamw

SAMPLES, BATCHES, BATCH_SIZE, WIDTH = 30, 200, 64, 20
STUB_BATCHES = 3000
BOUNDS = {
    "tiny network, times the loop by hand": 1.08,
    "loop alone, µs a batch": 10.0,
    "an empty method, µs an event": 0.1,
}


def tiny() -> nn.Module:
    """A network so small that the loop around it shows."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDTH, 64), nn.ReLU(), nn.Linear(64, 2))


def by_hand(loader: Iterable, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """The loop as one writes it without a library."""
    model.train()
    for inputs, targets in loader:
        loss = functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()


class NoLoss:
    """Stands for a loss where only the loop is measured."""

    ndim = 0

    def backward(self) -> None:
        """Nothing."""

    def detach(self) -> Tensor:
        """A number that can be recorded."""
        return ZERO


class NoModel(nn.Module):
    """Gives back what it gets."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class NoOptimizer:
    """Takes no step."""

    def __init__(self, groups: Any, lr: float) -> None:
        self.param_groups = [{"lr": lr}]

    def step(self) -> None:
        """Nothing."""

    def zero_grad(self) -> None:
        """Nothing."""


class OnlyTheLoop(Learner):
    """A learner whose loss costs nothing."""

    def compute_loss(self) -> Any:
        return NO_LOSS


class Empty(Callback):
    """Hears the seven events of a training batch and does nothing."""

    def before_batch(self, learner: Learner) -> None:
        """Nothing; so with the others."""

    after_predict = after_loss = before_backward = after_backward = after_step = after_batch = before_batch


ZERO, NO_LOSS = torch.zeros(()), NoLoss()


def quickest(ways: dict[str, Callable[[], None]], samples: int) -> dict[str, float]:
    """The processor's seconds for each way's quickest run, the ways taking turns."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(samples):
        for name, way in ways.items():
            start = time.process_time()
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                way()
            best[name] = min(best[name], time.process_time() - start)
    return best


def tiny_network() -> dict[str, float]:
    """Seconds for the same epoch: by hand, by hand again, and with the learner."""
    inputs = torch.randn(BATCHES * BATCH_SIZE, WIDTH)
    loader = DataLoader(TensorDataset(inputs, (inputs.sum(dim=1) > 0).long()), BATCH_SIZE)
    ways: dict[str, Callable[[], None]] = {}
    for name in ("by hand", "by hand again"):
        model = tiny()
        ways[name] = partial(by_hand, loader, model, adamw(model.parameters(), lr=1e-3))
    learner = Learner(
        (loader, None),
        tiny(),
        functional.cross_entropy,
        metrics=[accuracy],
        callbacks=[Progress("terminal")],
        device="cpu",
    )
    ways["learner"] = partial(learner.fit, 1, 1e-3)
    return quickest(ways, SAMPLES)


def loop_alone() -> dict[str, float]:
    """Seconds for an epoch of nothing: by hand, with the learner, and with ten empty callbacks more."""
    batches = [(torch.zeros(1, 1), torch.zeros(1))] * STUB_BATCHES

    def nothing_by_hand() -> None:
        model, optimizer = NoModel(), NoOptimizer(None, 1)
        for inputs, _ in batches:
            model(inputs)
            NO_LOSS.backward()
            optimizer.step()
            optimizer.zero_grad()

    def with_learner(count: int) -> Callable[[], None]:
        callbacks = [Progress("terminal"), *(Empty() for _ in range(count))]
        learner = OnlyTheLoop(
            (batches, None), NoModel(), None, optimizer=NoOptimizer, callbacks=callbacks, device="cpu"
        )
        return partial(learner.fit, 1, 1.0)

    ways = {"by hand": nothing_by_hand, "learner": with_learner(0), "with ten": with_learner(10)}
    return quickest(ways, SAMPLES)


def main() -> int:
    """Measure, keep, and fail where a bound is broken."""
    torch.set_num_threads(1)
    network, alone = tiny_network(), loop_alone()
    microsecond = STUB_BATCHES / 1e6
    found = {
        "tiny network, times the loop by hand": network["learner"] / network["by hand"],
        "loop alone, µs a batch": (alone["learner"] - alone["by hand"]) / microsecond,
        "an empty method, µs an event": (alone["with ten"] - alone["learner"]) / microsecond / 70,
    }
    rows = [{"what": what, "found": round(value, 3), "bound": BOUNDS[what]} for what, value in found.items()]
    again = network["by hand again"] / network["by hand"]
    by_hand_batch = network["by hand"] / BATCHES * 1e6
    rows.append({"what": "the loop by hand against itself", "found": round(again, 3), "bound": ""})
    rows.append({"what": "the loop by hand, µs a batch", "found": round(by_hand_batch, 1), "bound": ""})
    record("learner", rows)
    return int(any(found[what] > bound for what, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
