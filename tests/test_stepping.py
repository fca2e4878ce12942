"""Accumulated batches are one big batch, clipped gradients are torch's, and what is frozen stays."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from coursekit.callbacks import Callback, CancelBatch, CancelEpoch, Progress
from coursekit.learner import Learner
from coursekit.losses import CrossEntropy
from coursekit.schedules import one_cycle
from coursekit.stepping import Accumulate, ClipGradients, Freeze

SIZES = (8, 8, 5, 8, 3, 8, 2)


def make_batches(sizes=SIZES) -> list:
    generator = torch.Generator().manual_seed(7)
    inputs = [torch.randn(size, 4, generator=generator) for size in sizes]
    return [(x, (x.sum(dim=1) > 0).long()) for x in inputs]


def joined(batches: list) -> tuple:
    return tuple(torch.cat(parts) for parts in zip(*batches, strict=True))


def make_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def train(batches, *callbacks, model=None, epochs=1, fit="fit", **options) -> Learner:
    options = {"optimizer": torch.optim.SGD, "device": "cpu", **options}
    quiet = [Progress("off"), *callbacks]
    learner = Learner((batches, None), model or make_model(), CrossEntropy(), callbacks=quiet, **options)
    getattr(learner, fit)(epochs, rate=0.5)
    return learner


def assert_same(one: nn.Module, other: nn.Module) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=1e-6, atol=1e-6)


class Steps(Callback):
    """Notes at which batch a step was taken."""

    def __init__(self):
        self.at = []

    def after_step(self, learner):
        self.at.append(learner.batch_number)


@pytest.mark.parametrize("as_stream", [False, True])
def test_a_group_of_unequal_batches_equals_one_big_batch_also_the_last(as_stream):
    batches = make_batches()
    big = [joined(batches[:3]), joined(batches[3:6]), joined(batches[6:])]
    steps = Steps()

    class Stream:
        def __iter__(self):
            return iter(batches)

    parts = train(Stream() if as_stream else batches, Accumulate(3), steps, epochs=3)

    assert_same(parts.model, train(big, epochs=3).model)
    assert steps.at == [2, 5, 6] * 3


def test_accumulated_clipped_and_scheduled_equals_a_loop_by_hand():
    batches = make_batches()
    learner = train(
        batches,
        Accumulate(3),
        ClipGradients(norm=0.3),
        epochs=2,
        fit="fit_one_cycle",
        optimizer=torch.optim.Adam,
    )
    model = make_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.5)
    for epoch in range(2):
        for start, end in ((0, 3), (3, 6), (6, 7)):
            inputs, targets = joined(batches[start:end])
            functional.cross_entropy(model(inputs), targets).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.3)
            progress = (epoch + (end - 1) / len(batches)) / 2
            optimizer.param_groups[0]["lr"] = 0.5 * one_cycle(progress)
            optimizer.step()
            optimizer.zero_grad()

    assert_same(learner.model, model)
    assert len(learner.recorder.losses) == 2 * len(batches)


def test_an_epoch_cut_short_steps_with_what_there_is_and_leaves_nothing_behind():
    batches = make_batches()

    class Short(Callback):
        def after_batch(self, learner):
            if learner.batch_number == 3:
                raise CancelEpoch

    learner = train(batches, Accumulate(3), Short())

    assert_same(learner.model, train([joined(batches[:3]), batches[3]]).model)
    assert all(parameter.grad is None for parameter in learner.model.parameters())


def test_a_batch_that_someone_else_cancels_is_not_counted():
    batches = make_batches()

    class Skip(Callback):
        def before_batch(self, learner):
            if learner.batch_number == 2:
                raise CancelBatch

    learner = train(batches[:4], Accumulate(3), Skip())

    assert_same(learner.model, train([joined([batches[0], batches[1], batches[3]])]).model)


def test_a_fit_that_failed_in_a_group_leaves_nothing_to_the_next():
    class Fail(Callback):
        def after_backward(self, learner):
            raise KeyError("once")

    batches = make_batches()
    learner = train(batches[:3], Accumulate(3))
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    with pytest.raises(KeyError, match="once"):
        learner.fit(1, rate=0.5, callbacks=[Fail()])
    torch.testing.assert_close(learner.model.state_dict(), before)
    learner.fit(1, rate=0.5)
    model = make_model()
    model.load_state_dict(before)

    assert_same(learner.model, train([joined(batches[:3])], model=model).model)


@pytest.mark.parametrize("how", [{"norm": 0.1}, {"value": 0.02}])
def test_clipping_is_torchs(how):
    batches = make_batches()
    clip = ClipGradients(**how)
    learner = train(batches, clip)
    model = make_model()
    lengths = []
    for inputs, targets in batches:
        functional.cross_entropy(model(inputs), targets).backward()
        if "norm" in how:
            lengths.append(nn.utils.clip_grad_norm_(model.parameters(), 0.1).item())
        else:
            nn.utils.clip_grad_value_(model.parameters(), 0.02)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.5 * parameter.grad
        model.zero_grad()

    assert_same(learner.model, model)
    assert clip.norms == pytest.approx(lengths)


def test_wrong_settings_are_told_in_words():
    with pytest.raises(ValueError, match=r"one step of 1 batch or more; got 0"):
        Accumulate(0)
    for wrong in ({}, {"norm": 1.0, "value": 1.0}, {"norm": -1.0}):
        with pytest.raises(ValueError, match=r"ClipGradients\(norm=1\.0\), or the size of each number"):
            ClipGradients(**wrong)


def test_what_is_frozen_stays_until_its_epoch():
    class Grouped(nn.Sequential):
        def parameter_groups(self):
            return [list(part.parameters()) for part in self]

    class Watch(Callback):
        def __init__(self):
            self.moved, self.weights = [], None

        def before_epoch(self, learner):
            self.weights = [part.weight.detach().clone() for part in learner.model]

        def after_epoch(self, learner):
            moved = [
                not torch.equal(part.weight, old)
                for part, old in zip(learner.model, self.weights, strict=True)
            ]
            self.moved.append(moved)

    torch.manual_seed(0)
    watch = Watch()
    train(make_batches(), Freeze(epochs=2), watch, model=Grouped(nn.Linear(4, 3), nn.Linear(3, 2)), epochs=3)

    assert watch.moved == [[False, True], [False, True], [True, True]]
