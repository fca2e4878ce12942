"""Training ends when it is of no use, with the best weights; and one batch tells whether it ever could be."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from coursekit.averaging import AverageWeights
from coursekit.callbacks import Callback, Progress
from coursekit.learner import Learner
from coursekit.losses import CrossEntropy
from coursekit.metrics import accuracy
from coursekit.stopping import OverfitOneBatch, StopEarly


def make_batches(count: int = 3, seed: int = 0) -> list:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 8, 4, generator=generator)
    return [(x, (x.sum(dim=1) > 0).long()) for x in inputs]


def make_learner(*callbacks, valid=None, model=None) -> Learner:
    torch.manual_seed(0)
    options = {"optimizer": torch.optim.SGD, "device": "cpu", "callbacks": [Progress("off"), *callbacks]}
    model = model or nn.Linear(4, 2)
    return Learner((make_batches(), valid), model, CrossEntropy(), metrics=[accuracy], **options)


class Script(Callback):
    """Lets validation measure what a script says, and keeps the weights of each epoch."""

    order = -15

    def __init__(self, **values):
        self.values, self.weights = values, []

    def after_validate(self, learner):
        self.weights.append(copy.deepcopy(learner.model.state_dict()))
        for name, values in self.values.items():
            learner.metrics.values[name.replace("_", " ")] = values[learner.epoch]


def assert_same(one: dict, other: dict) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_it_waits_for_something_better_and_gives_the_best_weights_back():
    script = Script(valid_loss=[1.0, 0.5, 0.6, 0.7, 0.8, 0.1])
    learner = make_learner(script, StopEarly(patience=3), valid=make_batches(1))
    learner.fit(6, rate=0.5)

    assert len(learner.recorder.rows) == 5
    assert_same(learner.model.state_dict(), script.weights[1])


def test_of_an_accuracy_more_is_better_and_a_small_gain_is_none():
    script = Script(accuracy=[0.5, 0.505, 0.509, 0.6, 0.5, 0.5])
    learner = make_learner(script, StopEarly("accuracy", 2, smallest_change=0.01), valid=make_batches(1))
    learner.fit(6, rate=0.5)

    assert len(learner.recorder.rows) == 3
    assert_same(learner.model.state_dict(), script.weights[0])


def test_a_nan_is_not_better():
    script = Script(valid_loss=[1.0, float("nan"), 2.0, 0.5])
    learner = make_learner(script, StopEarly(patience=2), valid=make_batches(1))
    learner.fit(4, rate=0.5)

    assert len(learner.recorder.rows) == 3


def test_with_averaged_weights_the_best_are_the_average_that_was_validated():
    script = Script(valid_loss=[1.0, 0.5, 0.6, 0.7])
    learner = make_learner(AverageWeights(0.9), StopEarly(patience=2), script, valid=make_batches(1))
    learner.fit(4, rate=0.5)

    assert_same(learner.model.state_dict(), script.weights[1])


def test_a_resumed_fit_waits_no_longer_than_it_would_have(tmp_path):
    from coursekit.checkpoints import Checkpoint

    class Crash(Callback):
        def before_epoch(self, learner):
            if learner.epoch == 3:
                raise KeyError("power")

    losses = [1.0, 0.5, 0.6, 0.7, 0.8, 0.1]
    whole = make_learner(Script(valid_loss=losses), StopEarly(patience=3), valid=make_batches(1))
    whole.fit(6, rate=0.5)
    first = make_learner(Script(valid_loss=losses), StopEarly(patience=3), Crash(), valid=make_batches(1))
    with pytest.raises(KeyError):
        first.fit(6, rate=0.5, callbacks=[Checkpoint(tmp_path)])
    second = make_learner(Script(valid_loss=losses), StopEarly(patience=3), valid=make_batches(1))
    second.fit(6, rate=0.5, callbacks=[Checkpoint(tmp_path, resume=True)])

    assert len(second.recorder.rows) == len(whole.recorder.rows) == 5
    assert_same(second.model.state_dict(), whole.model.state_dict())


def test_without_validation_there_is_nothing_to_watch():
    with pytest.raises(
        ValueError, match=r"StopEarly watches validation, and there is none: learner\.data\.valid"
    ):
        make_learner(StopEarly()).fit(2, rate=0.5)


def test_a_number_that_is_not_measured_is_told_at_once():
    learner = make_learner(StopEarly("acuracy"), valid=make_batches(1))
    words = "StopEarly watches 'acuracy', and validation measures 'valid loss', 'accuracy'"
    with pytest.raises(ValueError, match=words):
        learner.fit(2, rate=0.5)


def test_a_model_that_can_learn_is_told_so_by_one_batch(capsys):
    class Watch(Callback):
        def __init__(self):
            self.seen = []

        def after_batch(self, learner):
            if learner.training:
                self.seen.append(learner.inputs)

    one, watch = OverfitOneBatch(), Watch()
    make_learner(valid=make_batches(1)).fit(40, rate=1.0, callbacks=[one, watch])

    assert one.verdict.endswith("The model can learn it.")
    assert one.verdict.startswith("One batch, 120 times: the loss fell from 0.")
    assert capsys.readouterr().out == one.verdict + "\n"
    assert all(torch.equal(inputs, watch.seen[0]) for inputs in watch.seen)


@pytest.mark.parametrize(("rate", "words"), [(1e-6, "does not learn even this"), (0.3, "learns slowly")])
def test_a_model_that_cannot_or_hardly_is_told_so(rate, words):
    one = OverfitOneBatch()
    make_learner().fit(4, rate=rate, callbacks=[one])

    assert words in one.verdict


def test_a_model_that_is_cut_off_does_not_learn():
    class CutOff(nn.Linear):
        def forward(self, x):
            return super().forward(x * 0)

    one = OverfitOneBatch()
    labels = torch.tensor([0, 1] * 4)
    learner = make_learner(model=CutOff(4, 2))
    learner.data.train = [(torch.ones(8, 4), labels)] * 100
    learner.fit(1, rate=1.0, callbacks=[one])

    assert "does not learn even this. Look at a batch" in one.verdict
