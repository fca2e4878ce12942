"""The average of weights: torch's own numbers, validated in place of the weights, and resumed."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from coursekit.averaging import AverageWeights, averaged_parts
from coursekit.callbacks import Callback, CancelFit, Progress
from coursekit.learner import Learner
from coursekit.losses import CrossEntropy


def make_batches(count: int = 4) -> list:
    generator = torch.Generator().manual_seed(count)
    inputs = torch.randn(count, 8, 4, generator=generator)
    return [(x, (x.sum(dim=1) > 0).long()) for x in inputs]


def make_learner(*callbacks, valid=None) -> Learner:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))
    options = {"optimizer": torch.optim.SGD, "device": "cpu", "callbacks": [Progress("off"), *callbacks]}
    return Learner((make_batches(), valid), model, CrossEntropy(), **options)


class Listen(Callback):
    """Keeps the weights as they are at some moments."""

    order = 61

    def __init__(self):
        self.steps, self.validated, self.after = [], [], []

    def after_step(self, learner):
        self.steps.append(copy.deepcopy(learner.model))

    def after_batch(self, learner):
        if not learner.training:
            self.validated.append(copy.deepcopy(learner.model))

    def after_epoch(self, learner):
        self.after.append(copy.deepcopy(learner.model))


def assert_same(one: nn.Module, other: nn.Module) -> None:
    for mine, theirs in zip(averaged_parts(one), averaged_parts(other), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_the_average_is_torchs_and_only_validation_and_the_end_see_it():
    listen = Listen()
    learner = make_learner(AverageWeights(0.9, warm_up=0), listen, valid=make_batches(1))
    torchs = AveragedModel(learner.model, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    torchs.update_parameters(learner.model)  # its first update is a copy
    learner.fit(2, rate=0.3)
    for number, model in enumerate(listen.steps):
        torchs.update_parameters(model)
        if number % 4 == 3:
            assert_same(listen.validated[number // 4], torchs.module)
            assert_same(listen.after[number // 4], model)

    assert_same(learner.model, torchs.module)


def test_training_goes_as_it_does_without_an_average():
    with_average, without = make_learner(AverageWeights(), valid=make_batches(1)), make_learner()
    for learner in (with_average, without):
        learner.fit(3, rate=0.3)

    assert with_average.recorder.losses == without.recorder.losses


def test_the_warm_up_forgets_the_first_weights():
    listen = Listen()
    learner = make_learner(AverageWeights(0.999, warm_up=3), listen)
    start = copy.deepcopy(learner.model)
    learner.fit(1, rate=0.3)
    expected = averaged_parts(start)
    for number, model in enumerate(listen.steps, 1):
        decay = number / (number + 3)
        expected = [decay * a + (1 - decay) * b for a, b in zip(expected, averaged_parts(model), strict=True)]

    for mine, theirs in zip(averaged_parts(learner.model), expected, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_fit_that_goes_on_from_its_state_ends_with_the_same_average():
    class Save(Callback):
        order = 95

        def after_epoch(self, learner):
            self.state = copy.deepcopy((average.state_dict(), learner.model.state_dict()))
            raise CancelFit

    class Restore(Callback):
        order = 95

        def before_fit(self, learner):
            average.load_state_dict(save.state[0])
            learner.model.load_state_dict(save.state[1])
            learner.first_epoch = 1

    whole = make_learner(AverageWeights(0.9), valid=make_batches(1))
    whole.fit(2, rate=0.3)
    average, save = AverageWeights(0.9), Save()
    first = make_learner(average, save, valid=make_batches(1))
    first.fit(2, rate=0.3)
    average = AverageWeights(0.9)
    second = make_learner(average, Restore(), valid=make_batches(1))
    second.fit(2, rate=0.3)

    torch.testing.assert_close(second.model.state_dict(), whole.model.state_dict(), rtol=0, atol=0)


def test_outside_a_fit_what_the_model_holds_is_measured():
    learner = make_learner(AverageWeights(), valid=make_batches(1))
    learner.fit(1, rate=0.3)
    for part in averaged_parts(learner.model):
        part.fill_(1.0)
    other = make_learner(valid=make_batches(1))
    for part in averaged_parts(other.model):
        part.fill_(1.0)

    assert learner.validate() == other.validate()


def test_a_decay_lies_between_0_and_1():
    with pytest.raises(ValueError, match=r"between 0 and 1, as 0\.999; got 1"):
        AverageWeights(decay=1)
