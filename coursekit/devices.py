"""Devices: where to compute, and how to draw the same random numbers there again.

A GPU counts as there only if it really computes.

>>> choose_device("cpu")
device(type='cpu')
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import numpy
import torch
from torch import nn


def choose_device(device: torch.device | str | None = None) -> torch.device:
    """The device to compute on: the one asked for, or the first that works of CUDA, Apple's MPS and the CPU.

    Each is tried with a small computation. A GPU that is there and does not compute is passed over with a
    UserWarning that says why; RuntimeError when it was asked for by name, and for a name of no device.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    if device is not None:
        return _try_device(_named(device))
    candidates: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    for name, is_there in candidates.items():
        if is_there():
            try:
                return _try_device(torch.device(name))
            except RuntimeError as error:
                warnings.warn(f"{error}\nGoing on with the CPU.", stacklevel=2)
    return torch.device("cpu")


def move_model(model: nn.Module, device: torch.device) -> nn.Module:
    """The model with its parameters on the device; RuntimeError with a sentence when they do not fit there.

    >>> next(move_model(nn.Linear(1, 1), torch.device("cpu")).parameters()).device
    device(type='cpu')
    """
    try:
        return model.to(device)
    except torch.OutOfMemoryError as error:
        raise RuntimeError(_describe_trouble(device, error)) from error


def seed_everything(seed: int) -> None:
    """Seed torch (on every device), numpy and random, so that the same code draws the same numbers again.

    `seed` runs from 0 to 2**32 - 1 (ValueError outside). On a GPU some operations still add up in another
    order from run to run; `torch.use_deterministic_algorithms(True)` forbids these.

    >>> seed_everything(7); first = torch.rand(2), numpy.random.rand(), random.random()
    >>> seed_everything(7); first[1:] == (numpy.random.rand(), random.random()) or "drawn in another order"
    True
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"a seed runs from 0 to 2**32 - 1; {seed} lies outside.")
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


def _named(device: torch.device | str) -> torch.device:
    """The device of that name; RuntimeError when there is no such kind."""
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise RuntimeError(
            f"{device!r} names no device; there are 'cpu', 'cuda' (a GPU, of NVIDIA or AMD), 'cuda:1' (the "
            "second one) and 'mps' (Apple's)."
        ) from error


def _try_device(device: torch.device) -> torch.device:
    """The device with its number, after a first computation on it has worked."""
    try:
        answer = torch.ones(2, device=device).sum()
        answer.item()
    # A torch built without CUDA says so by AssertionError; NotImplementedError is a RuntimeError already.
    except (RuntimeError, AssertionError) as error:
        raise RuntimeError(_describe_trouble(device, error)) from error
    return answer.device


def _describe_trouble(device: torch.device, error: BaseException) -> str:
    """What is wrong with a device, in the words of someone who wants to go on."""
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, torch.OutOfMemoryError) or "out of memory" in said:
        return (
            f"The device {str(device)!r} has no memory left ({said}).\nOther programs may be using it. "
            'Close these, or make batch_size or the items (size=) smaller, or compute with device="cpu".'
        )
    return (
        f"The device {str(device)!r} does not compute: {said}\n"
        'Compute with device="cpu", or see that its driver fits this torch '
        f"({torch.__version__})."
    )


def is_first() -> bool:
    """Whether this is the first of the processes that train together, who alone writes and shows anything.

    >>> is_first()
    True
    """
    distributed = torch.distributed
    together = distributed.is_available() and distributed.is_initialized()
    return not together or distributed.get_rank() == 0
