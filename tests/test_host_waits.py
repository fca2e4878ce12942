"""No step waits for the device: neither the loop nor what is always there, nor metrics, schedule or progress.

Three ways to see it: count on the CPU what would make a host wait; compute on torch's device "meta", which
has no numbers at all, so that whoever wants to know one fails at once (where waiting is dear it would only be
slow); and, where there is a GPU, let CUDA itself raise.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from coursekit import callbacks
from coursekit.acceleration import ChannelsLast, MixedPrecision
from coursekit.averaging import AverageWeights
from coursekit.callbacks import Callback, Progress, Schedule
from coursekit.learner import Learner
from coursekit.losses import CrossEntropy
from coursekit.metrics import Precision, Recall, accuracy, error_rate
from coursekit.mixing import MixUp
from coursekit.schedules import one_cycle
from coursekit.stepping import Accumulate, ClipGradients
from coursekit.stopping import StopEarly
from coursekit.tensors import Category
from coursekit.watching import ActivationStatistics, LossPlot, TimeAndMemory

VOCAB = ("sound", "broken")
# Whoever calls one of these learns something about numbers, or sends them to the host, and so must wait.
WAITING = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.equal.default,
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.masked_select.default,
    torch.ops.aten._unique2.default,
    torch.ops.aten.repeat_interleave.Tensor,
}
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


class CountWaits(TorchDispatchMode):
    """Counts the operations for which a host would wait."""

    count = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        self.count += function in WAITING
        return function(*arguments, **(options or {}))


def make_batches(count: int, device: str = "cpu") -> list:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(count, 16, 4, generator=generator)
    return [(x.to(device), Category((x.sum(dim=1) > 0).long(), vocab=VOCAB).to(device)) for x in inputs]


def make_learner(batches: list, device: str = "cpu", extra: tuple = ()) -> Learner:
    """A learner with everything that is always there, several metrics and a bar that moves at every batch."""
    torch.manual_seed(0)
    metrics = [accuracy, error_rate, Recall(of="broken"), Precision(of=1)]
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    shows = [Progress("terminal"), *extra]
    return Learner((batches, batches), model, CrossEntropy(), metrics, callbacks=shows, device=device)


@pytest.fixture(autouse=True)
def bar_moves_at_every_batch(monkeypatch):
    monkeypatch.setattr(callbacks, "SECONDS_BETWEEN", 0)


def test_reads_happen_when_an_epoch_ends_and_are_no_more_for_more_batches(monkeypatch):
    transfers = []
    tolist = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: transfers.append(self.shape) or tolist(self))
    counts = []
    for batches in (2, 20):
        learner = make_learner(make_batches(batches))
        transfers.clear()
        with CountWaits() as waits:
            learner.fit(1, rate=0.1, callbacks=[Schedule(one_cycle)])
        counts.append((waits.count, len(transfers)))

    assert counts[0] == counts[1]
    assert counts[0][0] == 0


def all_beside() -> tuple[Callback, ...]:
    """What takes part in batches and is not always there."""
    watching = (ActivationStatistics(), TimeAndMemory())
    stepping = (Accumulate(3), ClipGradients(norm=1.0), AverageWeights(), MixedPrecision("bf16"))
    return (*watching, *stepping, MixUp(), StopEarly(), ChannelsLast(), LossPlot())


def test_what_is_not_always_there_waits_no_more_for_more_batches(monkeypatch):
    transfers, counts = [], []
    tolist = torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: transfers.append(self.shape) or tolist(self))
    for batches in (3, 21):
        learner = make_learner(make_batches(batches), extra=all_beside())
        transfers.clear()
        with CountWaits() as waits:
            learner.fit(1, rate=0.1)
        counts.append((waits.count, len(transfers)))

    assert counts[0] == counts[1]
    assert counts[0][0] == 0


class Done(Callback):
    """Notes each batch that is done."""

    def __init__(self):
        self.batches = []

    def after_batch(self, learner):
        self.batches.append(learner.training)


def on_no_device(batches: list, extra: tuple = ()) -> Learner:
    """A learner on a device that holds no numbers."""
    learner = make_learner(batches, extra=extra)
    learner.device = torch.device("meta")
    learner.model.to("meta")
    return learner


def test_every_training_batch_is_done_before_a_number_is_asked_for():
    done = Done()
    learner = on_no_device(make_batches(7), extra=(done,))
    with pytest.raises((RuntimeError, NotImplementedError), match="meta") as error:
        learner.fit(1, rate=0.1, callbacks=[Schedule(one_cycle)])

    assert done.batches == [True] * 7
    assert "Where: Recorder.after_" in error.value.__notes__[0]


def test_every_validation_batch_is_done_before_a_number_is_asked_for():
    done = Done()
    with pytest.raises((RuntimeError, NotImplementedError), match="meta") as error:
        on_no_device(make_batches(7), extra=(done,)).validate()

    assert done.batches == [False] * 7
    assert "Where: Metrics.after_validate" in error.value.__notes__[0]


class NoWaiting(Callback):
    """Lets CUDA raise at every wait while batches are worked on, and not when a pass is over."""

    order = -1000

    def before_batch(self, learner):
        torch.cuda.set_sync_debug_mode("error")

    def after_train(self, learner):
        torch.cuda.set_sync_debug_mode("default")

    after_validate = after_fit = after_train


@gpu
@pytest.mark.parametrize("beside", [tuple, all_beside])
def test_cuda_sees_no_wait_in_a_batch(beside):
    batches = make_batches(6, "cuda")
    learner = make_learner(batches, "cuda", extra=(NoWaiting(), *beside()))
    learner.fit(2, rate=0.1, callbacks=[Schedule(one_cycle)])

    assert len(learner.recorder.losses) == 12
