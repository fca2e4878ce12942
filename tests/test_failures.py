"""Failures: notes that say where and what to try, and leave the error as it is."""

from __future__ import annotations

from types import SimpleNamespace

import numpy
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import default_collate

from coursekit.callbacks import Callback, Progress
from coursekit.failures import (
    ADVICE,
    describe_empty,
    describe_loss,
    describe_missing_encode,
    describe_progress,
    explain,
)
from coursekit.learner import Learner


@pytest.fixture
def learner():
    """Where training stands, as the notes read it."""
    return SimpleNamespace(epoch=0, epochs=3, batch_number=1, batch_count=None, training=True)


def test_the_error_stays_what_it_is(learner):
    error = RuntimeError("mine", 3)
    explain(error, learner)

    assert (type(error), error.args) == (RuntimeError, ("mine", 3))
    assert error.__notes__ == ["Where: epoch 1 of 3, training batch 2."]


@pytest.mark.parametrize("words", ADVICE)
def test_what_usually_helps_is_added_for_known_errors(learner, words):
    error = RuntimeError(f"CUDA error: {words} (and more)")
    explain(error, learner)

    assert error.__notes__[1] == f"What to try: {ADVICE[words]}"


def changed_in_place():
    x = torch.ones(2, requires_grad=True).exp()
    (x * x).sum().backward(x.mul_(2).sum())


def backward_twice():
    loss = (torch.ones(2, requires_grad=True) ** 2).sum()
    loss.backward()
    loss.backward()


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (lambda: nn.Linear(3, 2)(torch.ones(1, 4)), "mat1 and mat2"),
        (lambda: nn.Linear(3, 2)(torch.ones(1, 3).double()), "must have the same dtype"),
        (
            lambda: torch.optim.LBFGS([nn.Parameter(torch.ones(1))]).step(),
            "required positional argument: 'closure'",
        ),
        (lambda: nn.Conv2d(1, 2, 3)(torch.ones(1, 1, 4, 4).byte()), "should be the same"),
        (lambda: nn.Conv2d(1, 2, 3)(torch.ones(1, 3, 4, 4)), "channels, but got"),
        (lambda: nn.BatchNorm1d(2)(torch.ones(1, 2)), "more than 1 value per channel"),
        (lambda: torch.ones(()).backward(), "does not require grad"),
        (lambda: functional.cross_entropy(torch.ones(2, 3), torch.ones(2)), "target dtype"),
        (lambda: functional.cross_entropy(torch.ones(2, 3), torch.full((2,), 3)), "is out of bounds"),
        (lambda: functional.cross_entropy(torch.ones(2).long(), torch.ones(2)), "not implemented for 'Long'"),
        (lambda: nn.BCEWithLogitsLoss()(torch.ones(2, 1), torch.ones(2, 1).long()), "output type Long"),
        (lambda: nn.BCEWithLogitsLoss()(torch.ones(2, 1), torch.ones(2)), "must be the same as input size"),
        (changed_in_place, "modified by an inplace operation"),
        (backward_twice, "backward through the graph a second time"),
        (lambda: default_collate([torch.ones(2), torch.ones(3)]), "to be equal size"),
        (lambda: nn.Linear(3, 2)(numpy.ones((1, 3))), "must be Tensor, not"),
        (lambda: nn.Embedding(3, 2)(torch.tensor([3])), "index out of range in self"),
        (lambda: nn.Embedding(3, 2)(torch.ones(1)), "one of the following scalar types: Long"),
        (lambda: nn.Conv2d(1, 2, 3)(torch.ones(1, 1, 2, 2)), "Kernel size can't be greater"),
        (lambda: torch.ones(2) + torch.ones(2, device="meta"), "expected device"),
    ],
)
def test_torch_still_says_what_the_advice_looks_for(cause, words):
    assert words in ADVICE
    with pytest.raises((RuntimeError, ValueError, TypeError, IndexError)) as error:
        cause()
    said = str(error.value)

    assert next(known for known in ADVICE if known in said) == words


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (
            {"image": torch.ones(2, 3), "labels": torch.ones(2, 1)},
            "rename them, or override Learner.read_batch",
        ),
        ((torch.ones(2, 3), torch.ones(2, 3), torch.ones(2, 1)), "all but the last go to the model"),
    ],
)
def test_a_batch_that_a_model_cannot_be_called_with(batch, words):
    learner = Learner(([batch], None), nn.Linear(3, 1), nn.MSELoss(), device="cpu")
    with pytest.raises(TypeError, match="argument") as error:
        learner.fit(1, rate=0.1)

    assert words in error.value.__notes__[1]


def test_advice_for_models_is_not_given_to_callbacks(learner):
    error = TypeError("mine() got an unexpected keyword argument 'image'")
    explain(error, learner)

    assert len(error.__notes__) == 1


def test_stopping_by_hand_is_no_error_to_mend(learner):
    error = KeyboardInterrupt()
    explain(error, learner)

    assert error.__notes__[1].startswith("Stopped by hand: the model and the recorder keep what they have")


def test_progress_is_counted_from_one(learner):
    assert describe_progress(learner) == "epoch 1 of 3, training batch 2"
    assert describe_progress(learner, batch=-1) == "epoch 1 of 3, training, before the first batch"
    learner.epochs, learner.training, learner.batch_count = 0, False, 8

    assert describe_progress(learner) == "validation batch 2 of 8"


def test_words_for_a_loader_a_loss_and_a_part_that_lack_something():
    assert "data.valid = None" in describe_empty(training=False)
    assert "data.valid" not in describe_empty(training=True)
    assert describe_loss(torch.ones(1), None).startswith(
        "A loss is one number, a tensor of shape (); the model's own"
    )
    assert "and list does not say how. Give your data a method encode_item(item)" in describe_missing_encode(
        []
    )


def test_an_error_arrives_also_from_a_loop_that_calls_things_otherwise():
    class Otherwise(Learner):
        def emit(self, name):
            for hear in self.handlers[name]:
                hear(self)

    class Mistaken(Callback):
        def after_epoch(self, learner):
            raise LookupError("mine")

    batches = [(torch.ones(2, 1), torch.ones(2, 1))]
    callbacks = [Progress("off"), Mistaken()]
    learner = Otherwise((batches, None), nn.Linear(1, 1), nn.MSELoss(), callbacks=callbacks, device="cpu")
    with pytest.raises(LookupError, match="mine") as caught:
        learner.fit(1, rate=0.1)

    assert caught.value.__notes__[0].startswith("Where: epoch 1 of 1")
