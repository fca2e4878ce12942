"""Devices: a GPU that does not work is told in a sentence, and the seed covers everything that draws."""

from __future__ import annotations

import random

import numpy
import pytest
import torch
from torch import nn

from coursekit.devices import choose_device, move_model, seed_everything

no_cuda = pytest.mark.skipif(
    torch.cuda.is_available(), reason="it wants a machine without a working CUDA GPU"
)


@pytest.fixture
def full_memory(monkeypatch):
    """A GPU that says it is there and has no memory left."""
    real = torch.ones

    def ones(*size, device=None, **options):
        if torch.device(device).type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.\nMore.")
        return real(*size, device=device, **options)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", ones)


def test_the_cpu_is_what_there_always_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    assert choose_device() == torch.device("cpu")


@no_cuda
def test_a_gpu_that_does_not_compute_is_passed_over_with_a_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    words = r"The device 'cuda' does not compute: .*\n.* device=\"cpu\", or see .*\nGoing on with the CPU"
    with pytest.warns(UserWarning, match=words):
        device = choose_device()

    assert device == torch.device("cpu")


@no_cuda
def test_a_gpu_asked_for_by_name_must_work():
    with pytest.raises(RuntimeError, match="The device 'cuda' does not compute") as error:
        choose_device("cuda")

    assert error.value.__cause__ is not None


def test_a_gpu_without_memory_says_what_to_change(full_memory):
    words = r"The device 'cuda' has no memory left \(CUDA out of memory. Tried to allocate 2.00 MiB.\)"
    with pytest.warns(UserWarning, match=words):
        assert choose_device() == torch.device("cpu")
    with pytest.raises(
        RuntimeError, match=r"batch_size or the items \(size=\) smaller, or compute with device=\"cpu\""
    ):
        choose_device("cuda")


def test_a_model_that_does_not_fit_says_what_to_change(monkeypatch):
    def to(self, device):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(nn.Linear, "to", to)
    with pytest.raises(RuntimeError, match="'cuda:0' has no memory left"):
        move_model(nn.Linear(1, 1), torch.device("cuda:0"))


def test_one_seed_for_all_that_draws():
    def draw():
        return torch.rand(2).tolist(), numpy.random.rand(), random.random()

    seed_everything(3)
    first = draw()
    seed_everything(3)
    again = draw()
    seed_everything(4)

    assert first == again
    assert draw() != first


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_lies_in_its_range(seed):
    with pytest.raises(ValueError, match=rf"from 0 to 2\*\*32 - 1; {seed} lies outside"):
        seed_everything(seed)


def test_a_name_of_no_device_is_told_the_names_there_are():
    with pytest.raises(RuntimeError, match="'gpu' names no device; there are 'cpu', 'cuda'"):
        choose_device("gpu")
