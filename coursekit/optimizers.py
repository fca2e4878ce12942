"""Optimizers, and what they are given: parameters in groups, each with its learning rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Rate = float | Sequence[float]
# Where torch 2.11 and later can do a whole step in one launch.
FUSED_ON = ("cpu", "cuda", "mps", "xpu")
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def adamw(groups: Iterable, lr: float) -> torch.optim.Optimizer:
    """The default optimizer: torch's AdamW, in its fused form where the device and dtype allow it.

    `groups` are parameters or parameter groups as torch takes them, `lr` the learning rate.

    >>> type(adamw(nn.Linear(2, 1).parameters(), lr=1e-3)).__name__
    'AdamW'
    """
    groups = list(groups)
    if not (groups and isinstance(groups[0], dict)):
        groups = [{"params": groups}]
    groups = [{**group, "params": list(group["params"])} for group in groups]
    parameters = [parameter for group in groups for parameter in group["params"]]
    fused = all(one.is_floating_point() and one.device.type in FUSED_ON for one in parameters)
    return torch.optim.AdamW(groups, lr=lr, fused=fused or None)


@torch.no_grad()
def sgd_step(parameters: Iterable[Tensor], rate: float) -> None:
    """One step downhill: each parameter moves against its gradient, `rate` times as far as that is long.

    Changes the parameters in place, without a trace for autograd. The gradients stay as they are, as with
    torch's optimizers: the next `backward()` adds to them, unless they are set to None before. A parameter
    without a gradient stays where it is.

    >>> weight = nn.Parameter(torch.tensor([3.0]))
    >>> (weight**2).sum().backward()  # the gradient is 2 * 3
    >>> sgd_step([weight], rate=0.1)
    >>> weight.data, weight.grad
    (tensor([2.4000]), tensor([6.]))
    """
    for parameter in parameters:
        if parameter.grad is not None:
            parameter -= rate * parameter.grad


def find_groups(model: nn.Module) -> list[list[nn.Parameter]]:
    """The model's parameters in groups, early layers first: `model.parameter_groups()`, or all in one.

    Raises ValueError when the groups leave out a parameter, which would never learn, or hold one twice.

    >>> [len(group) for group in find_groups(nn.Linear(2, 1))]
    [2]
    """
    make = getattr(model, "parameter_groups", None)
    if make is None:
        return [list(model.parameters())]
    groups = [list(group) for group in make()]
    counts = Counter(id(parameter) for group in groups for parameter in group)
    wrong = [name for name, parameter in model.named_parameters() if counts[id(parameter)] != 1]
    if wrong:
        raise ValueError(
            f"{type(model).__name__}.parameter_groups() must hold each parameter once; {len(wrong)} are "
            f"missing or there twice: {', '.join(wrong[:4])}{', …' if len(wrong) > 4 else ''}."
        )
    return groups


def spread_rates(rate: Rate, count: int) -> list[float]:
    """One learning rate for each of `count` groups: the same for all, or from early to late in equal ratios.

    Raises ValueError for what is neither one positive number nor a pair of them.

    >>> spread_rates(0.1, 2), [round(rate, 5) for rate in spread_rates((1e-4, 1e-2), 3)]
    ([0.1, 0.1], [0.0001, 0.001, 0.01])
    """
    ends: Any = rate if isinstance(rate, Sequence) and len(rate) == 2 else (rate, rate)
    early, late = ends
    if not all(isinstance(one, int | float) and one > 0 for one in (early, late)):
        raise ValueError(
            f"a rate is a positive number, or a pair of them (early layers, head); got {rate!r}."
        )
    if count == 1:
        return [late]
    return [early * (late / early) ** (number / (count - 1)) for number in range(count)]


def let_learn(groups: Sequence[Sequence[nn.Parameter]], count: int) -> None:
    """Let the last `count` groups learn, and freeze those before.

    Raises ValueError when there are not so many.

    >>> early, head = [nn.Parameter(torch.ones(1))], [nn.Parameter(torch.ones(1))]
    >>> let_learn([early, head], count=1)
    >>> early[0].requires_grad, head[0].requires_grad
    (False, True)
    """
    if not 1 <= count <= len(groups):
        raise ValueError(f"the model has {len(groups)} parameter groups; {count} cannot learn.")
    for number, group in enumerate(groups):
        for parameter in group:
            parameter.requires_grad_(number >= len(groups) - count)


def rest_frozen_norms(model: nn.Module) -> None:
    """Put batch-norm layers whose parameters are all frozen into evaluation mode: nothing there moves.

    Such a layer's scale was learned together with its statistics. If these moved to new data's, the frozen
    layers behind would be given something else than they were trained for, and validation something else
    than training. (A layer without parameters cannot be frozen and is left alone.)

    >>> norm = nn.BatchNorm1d(3).requires_grad_(False)
    >>> rest_frozen_norms(norm)
    >>> norm.training
    False
    """
    for module in model.modules():
        if isinstance(module, BATCH_NORMS):
            parameters = list(module.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                module.eval()
