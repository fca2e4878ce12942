"""All that the next batch depends on is gathered, compared with what is there, and put back."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy
import pytest
import torch
from torch import nn

import coursekit as kit
from coursekit.standing import check, check_model, count_all, gather, random_state, restore, set_random_state
from coursekit.tensor_files import read_file, write_file


def make_learner(model: nn.Module | None = None) -> kit.Learner:
    batches = [(torch.randn(6, 3, 5, 5), torch.tensor([0, 1] * 3))] * 2
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 2)]
    model = model or nn.Sequential(*layers).to(memory_format=torch.channels_last)
    quiet = {"callbacks": [kit.Progress("off")], "device": "cpu"}
    return kit.Learner((batches, batches), model, kit.CrossEntropy(), **quiet)  # type: ignore[arg-type]


def test_every_source_of_chance_goes_on_where_it_stood(tmp_path) -> None:
    """Also after a way through a file."""
    random.gauss(0, 1), numpy.random.normal()  # Both keep a second number for next time.
    write_file(tmp_path / "chance", random_state(), "chance 1")

    def draws() -> tuple:
        ours = [torch.rand(3).tolist(), numpy.random.normal(size=3).tolist()]
        return *ours, [random.gauss(0, 1) for _ in range(3)], [random.random() for _ in range(700)]

    first = draws()
    set_random_state(read_file(tmp_path / "chance", "chance 1"))

    assert draws() == first


def test_memory_comes_back_laid_out_as_its_parameter_is(tmp_path) -> None:
    """Else each step would shuffle numbers about."""
    learner = make_learner()
    learner.fit(1, 0.01)
    write_file(tmp_path / "state", gather(learner), "state 1")
    other = make_learner()
    other.fit(1, 0.01)
    restore(read_file(tmp_path / "state", "state 1"), other)

    for one, two in zip(learner.model.parameters(), other.model.parameters(), strict=True):
        here, there = learner.optimizer.state[one], other.optimizer.state[two]
        assert here["exp_avg"].stride() == there["exp_avg"].stride() == one.stride()
        assert all(torch.equal(here[name], there[name]) for name in here)


def test_tied_weights_stand_once_in_a_file_and_stay_tied(tmp_path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.read, self.write = nn.Embedding(500, 16), nn.Linear(16, 500, bias=False)
            self.write.weight = self.read.weight

    learner, other = Tied(), Tied()
    write_file(tmp_path / "tied", dict(learner.state_dict()), "tied 1")
    other.load_state_dict(read_file(tmp_path / "tied", "tied 1"))

    assert (tmp_path / "tied").stat().st_size < 1.1 * 500 * 16 * 4
    assert other.write.weight is other.read.weight
    assert torch.equal(other.read.weight, learner.read.weight)


def test_other_groups_of_parameters_are_told() -> None:
    learner = make_learner()
    learner.fit(1, 0.01)
    state = gather(learner)
    state["optimizer"]["param_groups"] = state["optimizer"]["param_groups"] * 2

    with pytest.raises(
        ValueError, match=r"its parameter groups hold \[6, 6\] tensors, and here they hold \[6\]"
    ):
        check(state, learner)


def test_a_model_with_less_is_told() -> None:
    with pytest.raises(ValueError, match="it is of another model: it has bias, which this model has not"):
        check_model(nn.Linear(2, 1).state_dict(), nn.Linear(2, 1, bias=False))
    with pytest.raises(ValueError, match=r"its weight has shape \(\), and here it has shape \(1, 2\)"):
        check_model({"weight": 3, "bias": torch.zeros(1)}, nn.Linear(2, 1))


def test_batches_are_counted_where_that_can_be() -> None:
    assert count_all(SimpleNamespace(train=iter("ab"), valid=[1, 2])) == [None, 2]
    assert count_all(SimpleNamespace(train=[1], valid=None)) == [1, None]
