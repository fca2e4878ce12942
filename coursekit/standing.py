"""Where training stands: everything that the next batch depends on, gathered as data and put back.

That is the weights, the optimizer's memory, gradients that wait for more, what callbacks remember, how far
the loaders have come and where each source of random numbers stands. With all of it back in its place,
training goes on as if nothing had happened, bit for bit where the device computes so.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch import Tensor, distributed, nn

from .batches import count_batches

if TYPE_CHECKING:
    from .learner import Learner


def gather(learner: Learner) -> dict[str, Any]:
    """All that the next batch depends on, as numbers, texts, lists, dictionaries and tensors; nothing copied.

    Only what `state_dict` methods tell of callbacks, loaders and modules can be known.
    """
    optimizer, told = learner.optimizer, [(one, one.state_dict()) for one in learner.listeners]
    return {
        "model": learner.model.state_dict(),
        "gradients": {
            name: one.grad for name, one in learner.model.named_parameters() if one.grad is not None
        },
        "optimizer": optimizer.state_dict(),
        "kind of optimizer": type(optimizer).__name__,
        "callbacks": [[type(one).__name__, state] for one, state in told if state],
        "losses": of_all(learner.recorder.losses_of_epoch()),
        "batches": count_all(learner.data),
        "loaders": places(learner.data),
        "random": of_all(random_state()),
    }


def check(state: dict[str, Any], learner: Learner) -> None:
    """Raise a ValueError, in one sentence, if this is of another model, optimizer or other data."""
    check_model(state["model"], learner.model)
    kind, here = state["kind of optimizer"], type(learner.optimizer).__name__
    if kind != here:
        raise ValueError(f"it was made with the optimizer {kind}, and here it is {here}")
    sizes = [len(group["params"]) for group in state["optimizer"]["param_groups"]]
    groups = [len(group["params"]) for group in learner.optimizer.param_groups]
    if sizes != groups:
        raise ValueError(f"its parameter groups hold {sizes} tensors, and here they hold {groups}")
    for side, (count, now) in zip(
        ("training", "validation"), zip(state["batches"], count_all(learner.data), strict=True), strict=True
    ):
        if count != now:
            raise ValueError(f"it was made with {count} {side} batches an epoch, and here there are {now}")


def check_callbacks(state: dict[str, Any], learner: Learner) -> None:
    """Raise a ValueError if a callback's memory would find no callback of that kind in this fit."""
    missing = {name for name, _ in state["callbacks"]} - {type(one).__name__ for one in learner.listeners}
    if missing:
        raise ValueError(f"{min(missing)} took part in that fit, and does not in this one: give it again")


def check_model(saved: dict[str, Any], model: nn.Module) -> None:
    """Raise a ValueError unless these are the tensors of this model, by name and shape.

    >>> check_model({"weight": torch.zeros(2, 3)}, nn.Linear(4, 2, bias=False))
    Traceback (most recent call last):
    ...
    ValueError: it is of another model: its weight has shape (2, 3), and here it has shape (2, 4)
    """
    for name, here in model.state_dict().items():
        if name not in saved:
            raise ValueError(f"it is of another model: it knows nothing of {name}, which this model has")
        there = saved[name]
        if isinstance(here, Tensor) and (not isinstance(there, Tensor) or there.shape != here.shape):
            shape = tuple(getattr(there, "shape", ()))
            raise ValueError(
                f"it is of another model: its {name} has shape {shape}, and here it has shape "
                f"{tuple(here.shape)}"
            )
    more = saved.keys() - model.state_dict().keys()
    if more:
        raise ValueError(f"it is of another model: it has {min(more)}, which this model has not")


def restore(state: dict[str, Any], learner: Learner) -> None:
    """Put back what was gathered; random numbers last, as putting back may draw some."""
    for side, place in state["loaders"].items():
        getattr(learner.data, side).load_state_dict(place)
    learner.model.load_state_dict(state["model"])
    for name, parameter in learner.model.named_parameters():
        gradient = state["gradients"].get(name)
        parameter.grad = None if gradient is None else torch.empty_like(parameter).copy_(gradient)
    restore_optimizer(state["optimizer"], learner.optimizer)
    waiting = defaultdict(list)
    for name, told in state["callbacks"]:
        waiting[name].append(told)
    for one in learner.listeners:
        if waiting[type(one).__name__]:
            one.load_state_dict(on(learner.device, waiting[type(one).__name__].pop(0)))
    if losses := own(state["losses"]):  # Of the epoch at hand each process knows its own.
        learner.recorder.losses[-len(losses) :] = losses
    set_random_state(own(state["random"]))


def on(device: torch.device, x: Any) -> Any:
    """The same with its tensors on the device: where a callback keeps its own while it works.

    >>> on(torch.device("cpu"), {"rows": [1, torch.ones(1)]})
    {'rows': [1, tensor([1.])]}
    """
    if isinstance(x, list):
        return [on(device, one) for one in x]
    if isinstance(x, dict):
        return {name: on(device, one) for name, one in x.items()}
    return x.to(device) if isinstance(x, Tensor) else x


def of_all(value: Any) -> list[Any]:
    """What each of the processes has that train together, in their order; all of them must ask."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return [value]
    values: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values


def own(values: list[Any]) -> Any:
    """What belongs to this process of what `of_all` gave.

    >>> own(of_all("here"))
    'here'
    """
    here = distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0
    return values[here % len(values)]


def restore_optimizer(state: dict[str, Any], optimizer: torch.optim.Optimizer) -> None:
    """Give an optimizer its memory back, each tensor laid out as its parameter is (channels last, say)."""
    optimizer.load_state_dict(state)
    for parameter, memory in optimizer.state.items():
        for name, value in memory.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                memory[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def count_all(data: Any) -> list[int | None]:
    """How many batches there are to train on and to validate on; None where nobody knows."""
    return [None if one is None else count_batches(one) for one in (data.train, data.valid)]


def places(data: Any) -> dict[str, Any]:
    """How far those loaders have come that can say it."""
    sides = {"train": data.train, "valid": data.valid}
    return {side: loader.state_dict() for side, loader in sides.items() if hasattr(loader, "state_dict")}


def random_state() -> dict[str, Any]:
    """Where each source of random numbers stands: torch, on every device, numpy and Python's own.

    >>> state = random_state()
    >>> first = torch.rand(1), numpy.random.rand(), random.random()
    >>> set_random_state(state)
    >>> first == (torch.rand(1), numpy.random.rand(), random.random())
    True
    """
    kind, keys, *rest = numpy.random.get_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return {
        "torch": torch.get_rng_state(),
        "cuda": cuda,
        "mps": torch.mps.get_rng_state() if torch.backends.mps.is_available() else None,
        # Processes cannot send each other torch's uint32.
        "numpy": [kind, torch.from_numpy(numpy.array(keys, dtype=numpy.int64)), *rest],
        "random": random.getstate(),
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Let every source of random numbers go on where `random_state` found it."""
    torch.set_rng_state(state["torch"])
    for number, one in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(one, number)
    if state["mps"] is not None and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["mps"])
    kind, keys, *rest = state["numpy"]
    numpy.random.set_state((kind, keys.numpy(), *rest))
    random.setstate(state["random"])
