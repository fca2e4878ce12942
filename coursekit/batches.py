"""Batches: put together, taken apart, moved, made plain and joined, whatever their form.

That is tuples, dictionaries and objects; the first two inside one another as deep as you like.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data._utils.collate import collate_tensor_fn, default_collate, default_collate_fn_map

from .padding import Counted, filled_up, own_rows
from .samples import describe, list_some, remade
from .samples import values as values_of
from .tensors import TypedTensor, plain

TARGET_NAMES = ("targets", "target", "labels", "label")
PREDICTION_NAMES = ("logits", "predictions", "scores", "out")


def collate(items: Sequence[Any], called: Callable[[int], str] = "item {}".format) -> Any:
    """Put items together into a batch; tuples and dictionaries place by place, each kind in its own way.

    Args:
        items: Tensors of one shape, typed or plain, numbers, texts, None, or tuples and dictionaries of
            these. What counts things (`padding.Counted`) may be of different lengths, and is filled up.
        called: What an error calls the item at a place.

    Returns:
        Tensors with one more dimension in front, of the type the items have; numbers as a tensor; texts as a
        list; None where all are None.

    Raises:
        ValueError: The shapes differ.
        TypeError: Something that cannot be put into a batch.

    >>> collate([(torch.zeros(2), "a"), (torch.ones(2), "b")])
    (tensor([[0., 0.],
            [1., 1.]]), ['a', 'b'])
    """
    first = items[0]
    if isinstance(first, (tuple, dict)):
        columns = zip(*map(values_of, items), strict=True)
        return remade(first, [collate(column, called) for column in columns])
    if isinstance(first, Tensor):
        try:
            return default_collate_fn_map.get(type(first), collate_tensor_fn)(items)
        except (RuntimeError, ValueError):
            refuse_unequal(items, called)
            raise
    if isinstance(first, str | None):
        return list(items) if isinstance(first, str) else None
    try:
        return default_collate(list(items))
    except TypeError as error:
        raise TypeError(
            f"a batch is made of tensors, numbers and texts; {called(0)} has {describe(first)}. "
            "Give the data block a type or a step that makes a tensor of it."
        ) from error


def refuse_unequal(tensors: Sequence[Tensor], called: Callable[[int], str]) -> None:
    """Raise a `ValueError` that names an item of each shape, if there are several."""
    shapes = {tuple(tensor.shape): place for place, tensor in reversed(list(enumerate(tensors)))}
    if len(shapes) > 1:
        some = list_some((f"{shape} ({called(shapes[shape])})" for shape in sorted(shapes)), most=3)
        raise ValueError(
            f"a batch needs items of one shape, but these {type(tensors[0]).__name__}s have {len(shapes)}: "
            f"{some}. Give the data block a step that makes them equal, such as "
            "item_transforms=[Resize(160)]."
        )


def separate(batch: Any) -> list[Any]:
    """Take a batch apart into its items, each as it was before a batch filled it up: what `collate` undoes.

    >>> separate((torch.tensor([1, 2]), ["a", "b"]))
    [(tensor(1), 'a'), (tensor(2), 'b')]
    """
    if isinstance(batch, (tuple, dict)):
        parts = [None if part is None else separate(part) for part in values_of(batch)]
        count = next((len(part) for part in parts if part is not None), 0)
        columns = [[None] * count if part is None else part for part in parts]
        return [remade(batch, item) for item in zip(*columns, strict=True)]
    return [own_rows(item) for item in batch]


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
    """The first of `names` that a dict or object has; what is None is not there."""
    for name in names:
        part = outputs.get(name) if isinstance(outputs, Mapping) else getattr(outputs, name, None)
        if part is not None:
            return part
    if default:
        return default[0]
    raise TypeError(
        f"No loss function was given, so the model's answer must hold {names[0]}; it is "
        f"{describe_batch(outputs)}. Give one: Learner(data, model, loss=kit.CrossEntropy()). A model that "
        "makes its own takes the targets from the batch, where they are called labels."
    )


def join_batches(batches: Sequence[Any]) -> Any:
    """One long batch from many, on the CPU, of the type and form they have."""
    first = batches[0]
    if isinstance(first, Counted) and len({one.shape[1] for one in batches}) > 1:
        widest = max(one.shape[1] for one in batches)
        batches = [filled_up(one, widest) for one in batches]
    if isinstance(first, TypedTensor):
        of_items = {name: join_known(batches, name) for name in first.item_metadata}
        joined = join_batches([plain(batch) for batch in batches])
        return type(first)(joined, **{**first.metadata, **of_items})
    if isinstance(first, Tensor):
        return torch.cat(list(batches)).cpu()
    if isinstance(first, Mapping):
        return {name: join_batches([batch[name] for batch in batches]) for name in first}
    if isinstance(first, (tuple, list)):
        return tuple(map(join_batches, zip(*batches, strict=True)))
    return None if first is None else list(batches)


def join_known(batches: Sequence[Any], name: str) -> tuple | None:
    """What is known of each item of several batches, by the name of it; None if it is known of none."""
    known = [getattr(one, name) for one in batches]
    if all(values is None for values in known):
        return None
    filled = [values or (None,) * len(one) for values, one in zip(known, batches, strict=True)]
    return tuple(value for values in filled for value in values)


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
    if isinstance(x, Mapping):
        return f"{type(x).__name__} of " + "; ".join(
            f"{name}: {describe_batch(value)}" for name, value in x.items()
        )
    return f"{type(x).__name__} of {len(x)}" if isinstance(x, (tuple, list)) else type(x).__name__
