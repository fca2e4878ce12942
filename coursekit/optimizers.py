"""Optimizers, and what they are given: parameters in groups, each with its learning rate.

Each rule is written here as one reads it in its paper: a class with a method `move` of a few lines. They take
what torch's take, exchange their state with these, and give the same numbers; torch's do many parameters in
one launch, so a Learner takes those (`adamw`) unless it is told otherwise: `Learner(..., optimizer=kit.SGD)`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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


class Optimizer(torch.optim.Optimizer):
    """The place for a rule of your own: subclass it and say in `move` what one step does to one parameter.

    Args:
        groups: parameters, or parameter groups as torch takes them: dicts with `params`, and what is
            particular to the group, such as `lr`.
        lr: the learning rate; a group's own goes before.
        options: the rule's other numbers, by the names that `move` reads in `group`.

    Raises:
        ValueError: a rate that is not positive or zero; what torch's optimizers refuse.

    >>> class Signs(Optimizer):
    ...     "Steps of one length, downhill (signSGD)."
    ...     def move(self, parameter, gradient, state, group):
    ...         parameter -= group["lr"] * gradient.sign()
    >>> weight = nn.Parameter(torch.tensor([3.0]))
    >>> (weight**2).sum().backward()
    >>> Signs([weight], lr=0.5).step()
    >>> weight.data
    tensor([2.5000])
    """

    def __init__(self, groups: Iterable, lr: float, **options: Any) -> None:
        for name, value in {"lr": lr, **options}.items():
            numbers = value if isinstance(value, tuple) else (value,)
            if not all(0 <= number < (math.inf if name == "lr" else 1) for number in numbers):
                raise ValueError(_describe_number(type(self).__name__, name, value))
        super().__init__(groups, {"lr": lr, **options})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; those without stay, with their state."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.move(parameter, parameter.grad, self.state[parameter], group)
        return loss

    def move(self, parameter: Tensor, gradient: Tensor, state: dict, group: dict) -> None:
        """Change `parameter` in place. `state` is its memory, empty at first; `group` holds `lr` and such."""
        raise NotImplementedError(
            f"{type(self).__name__} must say how a parameter moves: def move(self, ...)"
        )


class SGD(Optimizer):
    """Steps against the gradient, with a memory of the last ones: `momentum` (0.9 is usual; 0 for none).

    `weight_decay` adds so much of each weight to its gradient, which pulls weights towards 0. `nesterov`
    looks a step ahead along the memory (Sutskever et al. 2013). The same numbers as torch.optim.SGD.

    >>> weight = nn.Parameter(torch.tensor([3.0]))
    >>> optimizer = SGD([weight], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     weight.grad = torch.tensor([1.0])
    ...     optimizer.step()
    >>> weight.data  # 3 - 0.1 * 1 - 0.1 * (0.9 * 1 + 1)
    tensor([2.7100])
    """

    def __init__(
        self,
        groups: Iterable,
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(groups, lr=lr, momentum=momentum, weight_decay=weight_decay)
        for group in self.param_groups:  # named as torch names them, which exchanges states
            group.setdefault("nesterov", nesterov)
            group.setdefault("dampening", 0)

    def move(self, parameter: Tensor, gradient: Tensor, state: dict, group: dict) -> None:
        """The memory is a sum of gradients in which the older ones fade."""
        gradient = gradient + group["weight_decay"] * parameter
        if group["momentum"]:
            memory = state.get("momentum_buffer")
            memory = gradient if memory is None else group["momentum"] * memory + gradient
            state["momentum_buffer"] = memory
            gradient = gradient + group["momentum"] * memory if group["nesterov"] else memory
        parameter -= group["lr"] * gradient


class RMSProp(Optimizer):
    """Divides each gradient by how large it usually is, so that all parameters move about equally fast.

    "Usually" is the root of a mean of squares in which the past fades by `alpha` a step (Hinton 2012, lecture
    6e). `eps` keeps a division by 0 away. The same numbers as torch.optim.RMSprop without momentum.

    >>> weights = nn.Parameter(torch.tensor([3.0, 3.0]))
    >>> weights.grad = torch.tensor([1.0, 1000.0])
    >>> RMSProp([weights], lr=0.01).step()
    >>> weights.data
    tensor([2.9000, 2.9000])
    """

    def __init__(
        self,
        groups: Iterable,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(groups, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)
        for group in self.param_groups:  # so that torch's, given this state, does the same
            group.setdefault("momentum", 0)

    def move(self, parameter: Tensor, gradient: Tensor, state: dict, group: dict) -> None:
        """A mean of squares, and its root to divide by."""
        gradient = gradient + group["weight_decay"] * parameter
        if not state:
            state |= {"step": torch.tensor(0.0), "square_avg": torch.zeros_like(parameter)}
        state["step"] = state["step"].cpu() + 1
        squares = group["alpha"] * state["square_avg"] + (1 - group["alpha"]) * gradient**2
        state["square_avg"] = squares
        parameter -= group["lr"] * gradient / (squares.sqrt() + group["eps"])


class Adam(Optimizer):
    """Momentum, divided by how large gradients usually are: means of gradients and of their squares.

    `betas` say how slowly the two means forget. Both begin at 0, too small, and are divided by how far they
    have filled (Kingma and Ba 2015, algorithm 1). `weight_decay` is added to the gradient here, and so is
    divided as well; AdamW does it better. The same numbers as torch.optim.Adam.

    >>> weights = nn.Parameter(torch.tensor([3.0, 3.0]))
    >>> weights.grad = torch.tensor([1.0, -1000.0])
    >>> Adam([weights], lr=0.1).step()
    >>> weights.data  # the first step is as long as the rate, whatever the gradient
    tensor([2.9000, 3.1000])
    """

    def __init__(
        self,
        groups: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(groups, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def move(self, parameter: Tensor, gradient: Tensor, state: dict, group: dict) -> None:
        """The weights are pulled to 0 by way of their gradients, and then it is a step of Adam."""
        self.adapt(parameter, gradient + group["weight_decay"] * parameter, state, group)

    def adapt(self, parameter: Tensor, gradient: Tensor, state: dict, group: dict) -> None:
        """One step of Adam: the mean gradient over the root of the mean square."""
        (slow, slower), rate = group["betas"], group["lr"]
        if not state:
            state |= {"step": torch.tensor(0.0)}
            state |= {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
        # Counted on the host (torch's fused one counts on the device), where asking makes nobody wait.
        state["step"] = state["step"].cpu() + 1
        count = state["step"].item()
        mean = state["exp_avg"] = slow * state["exp_avg"] + (1 - slow) * gradient
        square = state["exp_avg_sq"] = slower * state["exp_avg_sq"] + (1 - slower) * gradient**2
        usual = (square / (1 - slower**count)).sqrt() + group["eps"]
        parameter -= rate * (mean / (1 - slow**count)) / usual


class AdamW(Adam):
    """Adam in which weight decay is no part of the gradient: each weight shrinks by `lr * weight_decay`.

    Added to the gradient, decay is divided by the gradient's usual size, and the weights that move most decay
    least. Beside it, all shrink alike (Loshchilov and Hutter 2019). The same numbers as torch.optim.AdamW.

    >>> weight = nn.Parameter(torch.tensor([10.0]))
    >>> weight.grad = torch.tensor([0.0])
    >>> AdamW([weight], lr=0.1, weight_decay=0.1).step()
    >>> weight.data
    tensor([9.9000])
    """

    def __init__(
        self,
        groups: Iterable,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(groups, lr, betas, eps, weight_decay)
        for group in self.param_groups:
            group.setdefault("decoupled_weight_decay", True)

    def move(self, parameter: Tensor, gradient: Tensor, state: dict, group: dict) -> None:
        """The weights shrink by themselves, and then it is a step of Adam."""
        parameter *= 1 - group["lr"] * group["weight_decay"]
        self.adapt(parameter, gradient, state, group)


def _describe_number(optimizer: str, name: str, value: Any) -> str:
    """What a number of an optimizer may be."""
    wanted = "a rate is a positive number" if name == "lr" else f"{name} lies from 0 to below 1"
    return f"{optimizer}({name}={value!r}): {wanted}."


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
    """One learning rate for each of `count` groups: as given, or from early to late in equal ratios.

    Raises ValueError for what is neither one positive number, nor a pair of them, nor one for each group.

    >>> spread_rates(0.1, 2), [round(rate, 5) for rate in spread_rates((1e-4, 1e-2), 3)]
    ([0.1, 0.1], [0.0001, 0.001, 0.01])
    >>> spread_rates((0.1, 0.3, 0.2), 3)
    [0.1, 0.3, 0.2]
    """
    many = isinstance(rate, Sequence) and not isinstance(rate, str) and len(rate) in (2, count)
    given: Any = list(rate) if many else [rate]  # type: ignore[arg-type]
    if not all(isinstance(one, int | float) and one > 0 for one in given):
        raise ValueError(
            "a rate is a positive number, or a pair of them (early layers, head), or one for each parameter "
            f"group; the model has {count}, and got {rate!r}."
        )
    if len(given) == count:
        return given
    early, late = given[0], given[-1]
    if count == 1:
        return [late]
    return [early * (late / early) ** (number / (count - 1)) for number in range(count)]


def give_rates(
    optimizer: torch.optim.Optimizer, groups: Sequence[Sequence[nn.Parameter]], rates: Sequence[float]
) -> None:
    """Give each group of an optimizer the rate of the model's group that its parameters belong to.

    An optimizer may have divided the model's groups, to let some parameters decay and others not. What it has
    beside the model's parameters, such as those of a loss, gets the last rate, the head's.

    Raises ValueError if one of its groups holds parameters that are to have different rates.

    >>> early, head = (list(nn.Linear(2, 2).parameters()) for _ in range(2))
    >>> optimizer = torch.optim.SGD([{"params": part} for part in (early[:1], early[1:], head)], lr=1.0)
    >>> give_rates(optimizer, [early, head], [0.1, 0.2])
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.1, 0.1, 0.2]
    """
    own = {id(one): rate for group, rate in zip(groups, rates, strict=True) for one in group}
    for number, group in enumerate(optimizer.param_groups):
        wanted = sorted({own.get(id(one), rates[-1]) for one in group["params"]})
        if len(wanted) > 1:
            raise ValueError(
                f"group {number} of the optimizer holds parameters that are to have different rates, "
                f"{wanted}: make it from the groups that it is given, and divide only these."
            )
        group["lr"] = wanted[0] if wanted else rates[-1]


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
