"""Tracing: where the first number came from that is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from .batches import find_predictions, to_plain
from .events import Callback
from .failures import describe_progress

if TYPE_CHECKING:
    from .learner import Learner


class TraceNaN(Callback):
    """Finds where the first nan or infinite number comes from: which layer, forward or on the way back.

    For a second try, with the model made anew, after StopOnNaN has ended training. It looks at the loss and
    the gradients of every batch, so each waits for the device; where one is not finite it goes through that
    batch once more, listening to each layer, and raises FloatingPointError with what it found. (Where
    something else takes the steps, as the scaler of fp16, which passes over those too large, only the loss is
    looked at.)

    >>> import torch
    >>> from .learner import Learner
    >>> class Root(nn.Module):
    ...     def forward(self, x):
    ...         return x.sqrt()
    >>> batches = [(-torch.ones(2, 1), torch.ones(2, 1))]
    >>> learner = Learner((batches, None), nn.Sequential(Root(), nn.Linear(1, 1)), nn.MSELoss(), device="cpu")
    >>> learner.fit(1, rate=0.1, callbacks=[TraceNaN()])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FloatingPointError: ... is in the output of the layer 0, Root(), whose inputs lie from -1 to -1...
    """

    order = -40

    def after_backward(self, learner: Learner) -> None:
        gradients = [one.grad for one in learner.model.parameters() if one.grad is not None]
        looked_at = [learner.loss, *([] if "take_step" in vars(learner) else gradients)]
        if not all(map(is_finite, looked_at)):
            raise FloatingPointError(
                f"In {describe_progress(learner)}, the first number that is not finite is in "
                f"{find_origin(learner)}."
            )


def find_origin(learner: Learner) -> str:
    """Go through the learner's batch once more, and say where a number first is not finite.

    Everything is looked at in the order in which it is computed: inputs, weights, each layer's output, the
    loss, and on the way back the gradient of each layer's output. The model's gradients are lost.

    >>> import torch
    >>> from types import SimpleNamespace
    >>> find_origin(SimpleNamespace(inputs=torch.tensor([[1.0], [torch.nan]])))
    'the inputs, of item 1 (counted from 0)'
    """
    for part in tensors_in(to_plain(learner.inputs)):
        if not is_finite(part):
            wrong = part.isfinite().flatten(1).all(1).logical_not().nonzero() if part.ndim > 1 else [[0]]
            return f"the inputs, of item {int(wrong[0][0])} (counted from 0)"
    for name, parameter in learner.model.named_parameters():
        if not is_finite(parameter):
            return f"the weights {name}, which the step before this batch has spoiled: take a lower rate"
    path = Path()
    layers = [(name, one) for name, one in learner.model.named_modules() if not list(one.children())]
    hooks = [one.register_forward_hook(partial(path.hear, name)) for name, one in layers]
    try:
        learner.predicted = find_predictions(learner.call_model(learner.inputs))
        learner.loss = learner.compute_loss()
        if not path.origin and is_finite(learner.loss):
            learner.model.zero_grad()
            learner.loss.backward()
    finally:
        for hook in hooks:
            hook.remove()
    return path.origin or _find_elsewhere(learner)


def _find_elsewhere(learner: Learner) -> str:
    """Where it is if it is in no layer's output, nor in the gradient of one."""
    if not is_finite(learner.loss):
        return f"the loss, of predictions that lie {describe_range(learner.predicted)}"
    for name, parameter in reversed(list(learner.model.named_parameters())):
        if parameter.grad is not None and not is_finite(parameter.grad):
            return f"the gradient of {name}, though what came back to its layer is finite"
    return (
        "none of what a second pass over the batch computes: chance, as in dropout, or a callback that "
        "changed the loss had a part in it"
    )


class Path:
    """The layers in the order in which they were passed through, and where something first was not finite.

    >>> import torch
    >>> path = Path()
    >>> path.hear("root", nn.Identity(), (torch.zeros(1),), torch.tensor([torch.inf]))
    >>> path.origin
    'the output of the layer root, Identity(), whose inputs lie from 0 to 0'
    """

    def __init__(self) -> None:
        self.layers: list[str] = []
        self.origin = ""

    def hear(self, name: str, layer: nn.Module, inputs: Any, outputs: Any) -> None:
        """Look at what a layer has just computed; a forward hook of torch, but for the name."""
        number, called = len(self.layers), f"{name}, {layer}"
        self.layers.append(called)
        if not self.origin and not all(map(is_finite, tensors_in(inputs))):
            before = self.layers[-2] if number else "the inputs"
            self.origin = f"what is computed between {before} and the layer {called}"
        elif not self.origin and not all(map(is_finite, tensors_in(outputs))):
            self.origin = f"the output of the layer {called}, whose inputs lie {describe_range(inputs)}"
        for one in tensors_in(outputs):
            if one.requires_grad:
                one.register_hook(partial(self.hear_back, number))

    def hear_back(self, number: int, gradient: Tensor) -> None:
        """Look at the gradient that has come back to a layer's output."""
        if not self.origin and not is_finite(gradient):
            after = [*self.layers, "the loss"][number + 1]
            self.origin = f"the gradient on its way back from {after} to the layer {self.layers[number]}"


def tensors_in(parts: Any) -> Iterator[Tensor]:
    """Every tensor in what a layer takes or gives.

    >>> import torch
    >>> [part.shape[0] for part in tensors_in((torch.ones(1), {"hidden": [torch.ones(2)]}, None))]
    [1, 2]
    """
    if isinstance(parts, Tensor):
        yield parts
    elif isinstance(parts, (tuple, list, Mapping)):
        for part in parts.values() if isinstance(parts, Mapping) else parts:
            yield from tensors_in(part)


def is_finite(x: Tensor) -> bool:
    """Whether every number is one; the host waits for the device.

    >>> import torch
    >>> is_finite(torch.ones(2)), is_finite(torch.tensor([1.0, torch.nan]))
    (True, False)
    """
    return bool(x.isfinite().all())


def describe_range(parts: Any) -> str:
    """Between what the numbers of some tensors lie.

    >>> import torch
    >>> describe_range((torch.tensor([1.0, 250.0]),))
    'from 1 to 250'
    """
    numbers = [part.detach().float() for part in tensors_in(parts) if part.numel()]
    if not numbers:
        return "nowhere"
    low, high = min(float(one.min()) for one in numbers), max(float(one.max()) for one in numbers)
    return f"from {low:.3g} to {high:.3g}"
