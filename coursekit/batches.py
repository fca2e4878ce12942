"""Batches: taken apart, moved, made plain and joined, whatever their form: tuples, dicts, objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from .tensors import TypedTensor, plain

TARGET_NAMES = ("targets", "target", "labels", "label")
PREDICTION_NAMES = ("logits", "predictions", "scores", "out")


def split_batch(batch: Any, give_targets: bool = False) -> tuple[Any, Any]:
    """Inputs and targets of a batch, whatever its form; targets are None where there are none.

    A tuple holds the targets last; a dict or object holds them under one of `targets`, `target`, `labels`,
    `label`. With `give_targets` a dict's targets are among the inputs too, for a model with its own loss.

    >>> split_batch(("photos", "names"))
    ('photos', 'names')
    >>> split_batch(("photos", "sizes", "names"))
    (('photos', 'sizes'), 'names')
    >>> split_batch({"tokens": 1, "labels": 2})
    ({'tokens': 1}, 2)
    """
    if isinstance(batch, (tuple, list)):
        *inputs, targets = batch if len(batch) > 1 else (*batch, None)
        return inputs[0] if len(inputs) == 1 else tuple(inputs), targets
    if isinstance(batch, Mapping):
        name = next((name for name in TARGET_NAMES if name in batch), None)
        given = {key: value for key, value in batch.items() if key != name or give_targets}
        return given, batch[name] if name else None
    targets = next((getattr(batch, name) for name in TARGET_NAMES if hasattr(batch, name)), None)
    return getattr(batch, "inputs", batch), targets


def to_device(batch: Any, device: torch.device) -> Any:
    """A batch with its tensors on the device, without waiting for the copy; what is there already stays.

    >>> to_device({"words": torch.zeros(2), "name": "a"}, torch.device("cpu"))
    {'words': tensor([0., 0.]), 'name': 'a'}
    """
    if isinstance(batch, Tensor):
        return batch if batch.device == device else batch.to(device, non_blocking=True)
    if isinstance(batch, (tuple, list)):
        return tuple([to_device(part, device) for part in batch])
    if isinstance(batch, Mapping):
        return {name: to_device(part, device) for name, part in batch.items()}
    return batch.to(device) if hasattr(batch, "to") else batch


def to_plain(batch: Any) -> Any:
    """A batch with plain tensors in place of typed ones: what models and losses are given.

    >>> to_plain((torch.zeros(1), 2))
    (tensor([0.]), 2)
    """
    if isinstance(batch, Tensor):
        return plain(batch)
    if isinstance(batch, (tuple, list)):
        return tuple([to_plain(part) for part in batch])
    return {name: to_plain(part) for name, part in batch.items()} if isinstance(batch, Mapping) else batch


def find_predictions(outputs: Any) -> Any:
    """The predictions in what a model answered: a tensor as it is, or what a dict or object holds as such.

    >>> find_predictions({"loss": torch.tensor(0.5), "logits": torch.ones(2)})
    tensor([1., 1.])
    """
    return outputs if isinstance(outputs, Tensor) else find_part(outputs, PREDICTION_NAMES, outputs)


def find_part(outputs: Any, names: Sequence[str], *default: Any) -> Any:
    """The first of `names` that a dict or object has."""
    for name in names:
        if isinstance(outputs, Mapping) and name in outputs:
            return outputs[name]
        if hasattr(outputs, name):
            return getattr(outputs, name)
    if default:
        return default[0]
    raise TypeError(
        f"No loss function was given, so the model's answer must hold {names[0]}; it is "
        f"{describe_batch(outputs)}. Give one: Learner(data, model, loss=kit.CrossEntropy())."
    )


def join_batches(batches: Sequence[Any]) -> Any:
    """One long batch from many, on the CPU, of the type and form they have."""
    first = batches[0]
    if isinstance(first, TypedTensor):
        of_items = {name: sum((getattr(one, name) for one in batches), ()) for name in first.item_metadata}
        joined = join_batches([plain(batch) for batch in batches])
        return type(first)(joined, **{**first.metadata, **of_items})
    if isinstance(first, Tensor):
        return torch.cat(list(batches)).cpu()
    if isinstance(first, Mapping):
        return {name: join_batches([batch[name] for batch in batches]) for name in first}
    if isinstance(first, (tuple, list)):
        return tuple(map(join_batches, zip(*batches, strict=True)))
    return None if first is None else list(batches)


def count_batches(loader: Any) -> int | None:
    """How many batches there will be, if the loader knows."""
    try:
        return len(loader)
    except TypeError:
        return None


def describe_batch(x: Any) -> str:
    """What a batch is, in a few words: type, shape, dtype and device of its tensors.

    >>> describe_batch(torch.zeros(2, 3)), describe_batch([torch.zeros(1)]), describe_batch("a")
    ('Tensor of shape (2, 3), float32, cpu', 'list of 1', 'str')
    """
    if isinstance(x, Tensor):
        dtype = str(x.dtype).removeprefix("torch.")
        return f"{type(x).__name__} of shape {tuple(x.shape)}, {dtype}, {x.device}"
    if isinstance(x, dict):
        return "dict of " + "; ".join(f"{name}: {describe_batch(value)}" for name, value in x.items())
    return f"{type(x).__name__} of {len(x)}" if isinstance(x, (tuple, list)) else type(x).__name__
