"""Demands: what a learner cannot work with is told before training, with what to write instead."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import coursekit as kit
from coursekit.demands import check_learnable, check_shapes, read_data

INPUTS, TARGETS = torch.randn(8, 4), torch.zeros(8, dtype=torch.int64)
ITEMS = TensorDataset(INPUTS, TARGETS)
BATCHES = [(INPUTS, TARGETS)] * 2


def make_learner(data=(BATCHES, None), model=None, loss=None, **options) -> kit.Learner:
    options = {"callbacks": [kit.Progress("off")], "device": "cpu", **options}
    return kit.Learner(data, model or nn.Linear(4, 2), loss or kit.CrossEntropy(), **options)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            DataLoader(ITEMS),
            r"a pair .* DataLoader came\. One loader alone: Learner\(\(loader, None\), ...\)",
        ),
        ((BATCHES, BATCHES, BATCHES), "or have .train and .valid; tuple of 3 came"),
        (INPUTS, r"Tensor of shape \(8, 4\), float32, cpu came"),
        ((INPUTS, TARGETS), r"data.train gives batches.*DataLoader\(TensorDataset\(inputs, targets\)"),
        (
            (ITEMS, None),
            "data.train gives batches, and TensorDataset is a data set, which gives single items",
        ),
        ((BATCHES, ITEMS), "data.valid gives batches, and TensorDataset"),
        (None, "NoneType came"),
    ],
)
def test_data_that_give_no_batches(data, words):
    with pytest.raises(TypeError, match=words):
        make_learner(data)


def test_data_that_give_batches():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(BATCHES)

    class Both:
        train, valid = BATCHES, None

    assert read_data(Both).train is BATCHES
    assert read_data([BATCHES, BATCHES]).valid is BATCHES
    make_learner((Stream(), Stream())).fit(1, rate=0.1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": nn.Linear}, r"the class Linear is none: Linear\(...\) makes one"),
        ({"model": len}, "the function len is none: subclass nn.Module"),
        (
            {"loss": nn.CrossEntropyLoss},
            r"the class CrossEntropyLoss is none: CrossEntropyLoss\(\) makes one",
        ),
        ({"loss": "cross_entropy"}, r"'cross_entropy' is none: try loss=kit.CrossEntropy\(\)"),
        (
            {"optimizer": torch.optim.SGD([INPUTS], lr=1)},
            r"functools.partial\(torch.optim.SGD, momentum=0.9\)",
        ),
        ({"metrics": kit.accuracy}, r"metrics=\[kit.accuracy\]; the function accuracy came alone"),
        ({"metrics": "accuracy"}, "'accuracy' came alone"),
        ({"callbacks": kit.Progress("off")}, "callbacks are a list.*Progress came alone"),
    ],
)
def test_parts_that_are_something_else(options, words):
    with pytest.raises(TypeError, match=words):
        make_learner(**options)


def test_softmax_before_a_loss_that_does_it_itself():
    model = nn.Sequential(nn.Linear(4, 2), nn.Sequential(nn.Softmax(dim=1)))
    with pytest.warns(UserWarning, match="The model ends in Softmax, and CrossEntropy computes it once more"):
        make_learner(model=model)
    with pytest.warns(UserWarning, match="and cross_entropy computes it once more"):
        make_learner(model=model, loss=functional.cross_entropy)
    make_learner(model=model, loss=nn.MSELoss())


@pytest.mark.parametrize("epochs", [0, -1, 1.5, "3"])
def test_epochs_are_whole(epochs):
    with pytest.raises(ValueError, match=f"a whole number of epochs, at least 1 epoch; epochs={epochs!r}"):
        make_learner().fit(epochs, rate=0.1)


def test_a_model_whose_layers_stand_in_a_list_has_no_parameters():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(4, 2)]

        def forward(self, x):
            return self.layers[0](x)

    with pytest.raises(ValueError, match=r"Hidden has no parameters, so .*nn.ModuleList"):
        make_learner(model=Hidden()).fit(1, rate=0.1)


def test_a_layer_that_waits_for_its_size():
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(2))
    with pytest.raises(
        ValueError, match=r"layer 1 takes its size from the first batch.*once, model\(inputs\)"
    ):
        make_learner(model=model).fit(1, rate=0.1)
    model(INPUTS)
    make_learner(model=model).fit(1, rate=0.1)
    check_learnable(model, [list(model.parameters())])


@pytest.mark.parametrize("loss", [nn.MSELoss(), functional.l1_loss])
def test_two_shapes_are_not_stretched_to_a_third(loss):
    with pytest.raises(ValueError, match=r"\(8, 1\) and targets of shape \(8,\) .*predictions.squeeze\(1\)"):
        make_learner([[(INPUTS, INPUTS.sum(1))], None], nn.Linear(4, 1), loss).fit(1, rate=0.1)
    check_shapes(loss, torch.zeros(8), torch.zeros(8))
    check_shapes(kit.CrossEntropy(), torch.zeros(8, 2), TARGETS)
    check_shapes(loss, None, None)
