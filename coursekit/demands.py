"""Demands: what a learner needs of the things it is given, checked before training starts, in sentences.

Each check says what was needed, what came, and what to write instead. What only shows while training runs is
told by `failures`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from numbers import Integral
from types import SimpleNamespace
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset, IterableDataset

from .batches import describe_batch

# Torch's losses that compare number with number: of two shapes they make a third and go on.
STRETCHING = (nn.MSELoss, nn.L1Loss, nn.SmoothL1Loss, nn.HuberLoss)
STRETCHING_TOO = (functional.mse_loss, functional.l1_loss, functional.smooth_l1_loss, functional.huber_loss)


def read_data(data: Any) -> Any:
    """Data with `.train` and `.valid`, from these or from a pair of loaders.

    Raises TypeError for anything else, and for tensors or data sets where batches are needed.

    >>> read_data(([1, 2], None)).train
    [1, 2]
    >>> import torch
    >>> read_data(torch.zeros(3))
    Traceback (most recent call last):
    ...
    TypeError: data are a pair (training batches, validation batches or None), or have .train and .valid; ...
    """
    if isinstance(data, (tuple, list)) and len(data) == 2:
        data = SimpleNamespace(train=data[0], valid=data[1])
    if not (hasattr(data, "train") and hasattr(data, "valid")) or isinstance(data, nn.Module):
        mend = " One loader alone: Learner((loader, None), ...)." if hasattr(data, "__iter__") else ""
        raise TypeError(
            "data are a pair (training batches, validation batches or None), or have .train and .valid; "
            f"{describe_batch(data)} came." + ("" if isinstance(data, Tensor | tuple | list) else mend)
        )
    for name in ("train", "valid"):
        _check_batches(f"data.{name}", getattr(data, name))
    return data


def _check_batches(name: str, loader: Any) -> None:
    """Tell tensors and data sets, which hold items, from what gives batches."""
    if isinstance(loader, Tensor):
        raise TypeError(
            f"{name} gives batches of (inputs, targets), and a {describe_batch(loader)} came. These make "
            "them: DataLoader(TensorDataset(inputs, targets), batch_size=64)."
        )
    if isinstance(loader, Dataset) and not isinstance(loader, IterableDataset):
        raise TypeError(
            f"{name} gives batches, and {type(loader).__name__} is a data set, which gives single items. "
            "DataLoader(data_set, batch_size=64) puts them together."
        )


def check_parts(model: Any, loss: Any, optimizer: Any, callbacks: Any = (), metrics: Any = ()) -> None:
    """Raise TypeError for a model, loss, way to make an optimizer or list that is something else.

    >>> import torch
    >>> check_parts(nn.Linear(2, 1), nn.MSELoss, torch.optim.SGD)
    Traceback (most recent call last):
    ...
    TypeError: a loss is a function of (predictions, targets); the class MSELoss is none: MSELoss() makes one.
    """
    if not isinstance(model, nn.Module):
        mend = f"{model.__name__}(...) makes one." if isinstance(model, type) else "subclass nn.Module."
        raise TypeError(f"a model is a torch module; {_name(model)} is none: {mend}")
    if isinstance(loss, type) or not (loss is None or callable(loss)):
        mend = f"{loss.__name__}() makes one." if isinstance(loss, type) else "try loss=kit.CrossEntropy()."
        raise TypeError(f"a loss is a function of (predictions, targets); {_name(loss)} is none: {mend}")
    _warn_of_two_softmaxes(model, loss)
    if not callable(optimizer):
        kind = type(optimizer).__name__
        raise TypeError(
            "optimizer makes one from the model's parameters, when the first fit begins; an object of "
            f"{kind} came. Give the class, optimizer=torch.optim.SGD, or with settings "
            "functools.partial(torch.optim.SGD, momentum=0.9)."
        )
    check_list(callbacks, "callbacks", "kit.StopEarly()")
    check_list(metrics, "metrics", "kit.accuracy")


def _warn_of_two_softmaxes(model: nn.Module, loss: Any) -> None:
    """Warn where a model ends in softmax and its loss begins with one: it learns, slowly and not well."""
    last: Any = model
    while isinstance(last, nn.Sequential) and len(last):
        last = last[-1]
    name = getattr(loss, "__name__", type(loss).__name__)
    if isinstance(last, nn.Softmax) and "crossentropy" in name.lower().replace("_", ""):
        warnings.warn(
            f"The model ends in Softmax, and {name} computes it once more: take it off, so that the model "
            "gives scores; learner.predict makes probabilities of them.",
            stacklevel=4,
        )


def warn_of_untrained(loss: Any, optimizer: Any) -> None:
    """Warn where a loss has parameters that ask to learn, and nothing teaches them.

    >>> import torch
    >>> warn_of_untrained(nn.MSELoss(), torch.optim.SGD(nn.Linear(1, 1).parameters()))
    """
    if not isinstance(loss, nn.Module):
        return
    taught = {id(one) for group in optimizer.param_groups for one in group["params"]}
    idle = [name for name, one in loss.named_parameters() if one.requires_grad and id(one) not in taught]
    if idle:
        warnings.warn(
            f"The loss {type(loss).__name__} has parameters that nothing teaches, {idle[0]} for one: only "
            "the model's learn. Give them to the optimizer as well, optimizer=lambda groups, lr: "
            'torch.optim.AdamW([*groups, {"params": loss.parameters()}], lr=lr), or say that they stay as '
            "they are, loss.requires_grad_(False).",
            stacklevel=5,
        )


def check_list(given: Any, name: str, example: str) -> None:
    """Raise TypeError for one thing alone.

    >>> check_list(print, "metrics", "kit.accuracy")
    Traceback (most recent call last):
    ...
    TypeError: metrics are a list, as in metrics=[kit.accuracy]; the function print came alone.
    """
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise TypeError(f"{name} are a list, as in {name}=[{example}]; {_name(given)} came alone.")


def check_epochs(epochs: Any) -> None:
    """Raise ValueError for what is no number of epochs.

    >>> check_epochs(0)
    Traceback (most recent call last):
    ...
    ValueError: fit trains for a whole number of epochs, at least 1 epoch; epochs=0 was asked for.
    """
    if not isinstance(epochs, Integral) or epochs < 1:
        raise ValueError(
            f"fit trains for a whole number of epochs, at least 1 epoch; epochs={epochs!r} was asked for."
        )


def check_learnable(model: nn.Module, groups: Sequence[Sequence[nn.Parameter]]) -> None:
    """Raise ValueError for a model that has nothing to learn, or does not know yet how large it is.

    >>> check_learnable(nn.ReLU(), [[]])
    Traceback (most recent call last):
    ...
    ValueError: ReLU has no parameters, so there is nothing to learn. Layers that stand in a plain list ...
    """
    if not any(groups):
        raise ValueError(
            f"{type(model).__name__} has no parameters, so there is nothing to learn. Layers that stand in a "
            "plain list or dict are not seen: keep them in nn.ModuleList or nn.ModuleDict."
        )
    lazy = (nn.parameter.UninitializedParameter, nn.parameter.UninitializedBuffer)
    waiting = [name for name, parameter in model.named_parameters() if isinstance(parameter, lazy)]
    if waiting:
        layer = f"The model's layer {waiting[0].rpartition('.')[0]}"
        raise ValueError(
            f"{layer} takes its size from the first batch it sees, and the optimizer must know it before: "
            "let the model answer once, model(inputs), and then make the learner."
        )


def check_shapes(loss: Any, predictions: Any, targets: Any) -> None:
    """Raise ValueError where one of torch's losses would stretch predictions and targets to a third shape.

    >>> import torch
    >>> check_shapes(nn.MSELoss(), torch.zeros(8, 1), torch.zeros(8))
    Traceback (most recent call last):
    ...
    ValueError: MSELoss compares number with number: predictions of shape (8, 1) and targets of shape (8,) ...
    """
    stretches = isinstance(loss, STRETCHING) or loss in STRETCHING_TOO
    if not (stretches and isinstance(predictions, Tensor) and isinstance(targets, Tensor)):
        return
    mine, theirs = tuple(predictions.shape), tuple(targets.shape)
    if mine != theirs:
        mend = "predictions.squeeze(1) in the model" if mine == (*theirs, 1) else "the same shape for both"
        name = getattr(loss, "__name__", type(loss).__name__)
        raise ValueError(
            f"{name} compares number with number: predictions of shape {mine} and targets of shape {theirs} "
            "would be stretched to a third shape, and each item compared with the targets of others. What "
            f"helps is {mend}, or targets[:, None] where they lack an axis."
        )


def _name(thing: Any) -> str:
    """What came, in two words."""
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    name = getattr(thing, "__name__", "")
    return f"the function {name}" if name else repr(thing) if isinstance(thing, str) else type(thing).__name__
