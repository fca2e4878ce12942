"""A network for a page: its layers in words, its weights in half precision, for a few lines of JavaScript.

A page has no torch. What `network.js` knows is a chain of convolutions, linear layers, ReLU and pooling; that
is enough for a small network, which answers there within milliseconds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

# A megabyte; somebody on a train waits for it.
MOST_WEIGHTS = 500_000
KNOWN = (
    "Conv2d (square, without groups or dilation, padded by zeros), BatchNorm2d after it, Linear, ReLU, "
    "MaxPool2d, AdaptiveAvgPool2d(1), Flatten and Dropout, one after the other"
)


class PageNetwork(NamedTuple):
    """The layers in order, and all their weights one after the other as bytes, two for each number."""

    layers: list[dict[str, Any]]
    weights: bytes

    @property
    def size(self) -> int:
        """How many weights there are."""
        return len(self.weights) // 2


def page_network(model: nn.Module) -> PageNetwork:
    """Write a network down for a page; it stays as it is.

    Raises:
        TypeError: It is no chain, or a part is none that a page knows; the message names it.
        ValueError: It is too large for a page, or a weight for half precision.

    >>> small = page_network(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))
    >>> small.layers, small.size
    ([{'kind': 'linear', 'outputs': 2}], 10)
    """
    layers: list[dict[str, Any]] = []
    numbers: list[tuple[Tensor, Tensor]] = []
    for part in chain_of(nn.Sequential(copy.deepcopy(model)).cpu().float().eval()):
        if isinstance(part, nn.BatchNorm2d) and layers and layers[-1]["kind"] == "convolution":
            numbers[-1] = with_norm(*numbers[-1], part)
        elif not isinstance(part, nn.Flatten | nn.Dropout | nn.Identity):
            layers.append(in_words(part))
            if isinstance(part, nn.Conv2d | nn.Linear):
                bias = part.bias if part.bias is not None else torch.zeros(len(part.weight))
                numbers.append((part.weight, bias))
    every = torch.cat([torch.empty(0), *(one.detach().flatten() for pair in numbers for one in pair)]).half()
    if len(every) > MOST_WEIGHTS:
        raise ValueError(f"a page takes at most {MOST_WEIGHTS:,} weights; this network has {len(every):,}.")
    if not every.isfinite().all():
        raise ValueError("one of its weights is above 65,504, or no number: half precision cannot hold it.")
    return PageNetwork(layers, every.numpy().astype("<f2").tobytes())


def chain_of(model: nn.Module) -> Iterator[nn.Module]:
    """The layers of a network in the order in which a picture goes through them.

    >>> [type(layer).__name__ for layer in chain_of(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)))]
    ['Flatten', 'Linear']
    """
    from torch import fx

    kind = type(model).__name__
    try:
        traced = fx.symbolic_trace(model)
    except Exception as error:
        raise TypeError(f"{kind} cannot be followed step by step ({error}): {advice()}") from error
    before = None
    for node in traced.graph.nodes:
        if list(node.all_input_nodes) != ([before] if before else []):
            raise TypeError(f"{kind} is no chain: {node.name} has another input; {advice()}")
        before = node
        if node.op == "call_module":
            yield traced.get_submodule(str(node.target))
        elif node.target is torch.flatten or node.target == "flatten":
            yield nn.Flatten()
        elif node.op not in ("placeholder", "output"):
            raise TypeError(f"{kind} computes {node.name}: {advice()}")


def in_words(part: nn.Module) -> dict[str, Any]:
    """What the page is told about a layer.

    >>> in_words(nn.MaxPool2d(2))
    {'kind': 'largest', 'size': 2, 'stride': 2}
    """
    match part:
        case nn.ReLU():
            return {"kind": "relu"}
        case nn.Linear():
            return {"kind": "linear", "outputs": part.out_features}
        case nn.AdaptiveAvgPool2d(output_size=1 | (1, 1)):
            return {"kind": "mean"}
        case nn.MaxPool2d(kernel_size=int(size), stride=int(stride), padding=0, dilation=1, ceil_mode=False):
            return {"kind": "largest", "size": size, "stride": stride}
        case nn.Conv2d(
            kernel_size=(size, other), stride=(stride, down), padding=(int(padding), below),
            dilation=(1, 1), groups=1, padding_mode="zeros",
        ) if (size, stride, padding) == (other, down, below):  # fmt: skip
            shape = {"outputs": part.out_channels, "size": size, "stride": stride, "padding": padding}
            return {"kind": "convolution", **shape}
    raise TypeError(f"a page does not know {part}: {advice()}")


def advice() -> str:
    """What a page knows."""
    return f"it knows {KNOWN}."


def with_norm(weight: Tensor, bias: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The weights of a convolution that does what it did, and the norm after it."""
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise TypeError(f"a page does not know {norm}, which keeps no running means: {advice()}")
    return fuse_conv_bn_weights(weight, bias, mean, variance, norm.eps, norm.weight, norm.bias)
