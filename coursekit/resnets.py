"""Residual networks: each block adds to what it was given, so a deep network can begin as a shallow one.

>>> network = ResNet(depth=18, classes=2)
>>> network(torch.zeros(1, 3, 64, 64)).shape
torch.Size([1, 2])
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from .convolutions import Activation, Convolution, start_convolutions


class ResidualBlock(nn.Module):
    """Two convolutions, or three of which the middle one is narrow, added to what came in.

    Args:
        inputs: How many channels come in.
        outputs: How many go out.
        stride: 2 halves the size.
        bottleneck: Narrow to a quarter of the outputs with a 1x1 convolution, look around there, and widen
            again: deep networks are cheaper so.
        activation: What makes an activation.

    Where size or channels change, what came in is brought along by a 1x1 convolution. The last norm starts at
    0, so that each block begins by handing on what it was given.

    Source: He and others, "Deep Residual Learning" (2015), figure 5; the stride of a bottleneck at its 3x3
    convolution, and the norm at 0, as in Goyal and others, "Accurate, Large Minibatch SGD" (2017), section 5.

    >>> ResidualBlock(16, 32, stride=2)(torch.zeros(1, 16, 9, 9)).shape
    torch.Size([1, 32, 5, 5])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int = 1,
        bottleneck: bool = False,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        self.inputs, self.outputs, self.stride, self.bottleneck = inputs, outputs, stride, bottleneck
        self.activation = activation
        if bottleneck:
            narrow = outputs // 4
            layers = [
                Convolution(inputs, narrow, 1, activation=activation),
                Convolution(narrow, narrow, 3, stride, activation=activation),
                Convolution(narrow, outputs, 1, activation=None),
            ]
        else:
            layers = [
                Convolution(inputs, outputs, 3, stride, activation=activation),
                Convolution(outputs, outputs, 3, activation=None),
            ]
        self.change = nn.Sequential(*layers)
        fits = stride == 1 and inputs == outputs
        self.bring_along = nn.Identity() if fits else Convolution(inputs, outputs, 1, stride, activation=None)
        self.after = activation() if activation else nn.Identity()

    def forward(self, grid: Tensor) -> Tensor:
        """Map `(N, inputs, H, W)` to `(N, outputs, H / stride, W / stride)`, rounded up."""
        return self.after(self.change(grid) + self.bring_along(grid))


# For each depth, counted in layers with weights: the blocks of each stage, and whether they are bottlenecks.
DEPTHS = {
    10: ((1, 1, 1, 1), False),
    18: ((2, 2, 2, 2), False),
    34: ((3, 4, 6, 3), False),
    26: ((2, 2, 2, 2), True),
    50: ((3, 4, 6, 3), True),
    101: ((3, 4, 23, 3), True),
}
STEMS = ("classic", "deep", "small")


class ResNet(nn.Module):
    """A residual network of a usual depth, started from random numbers.

    Args:
        depth: How many layers with weights: 10, 18, 26, 34, 50 or 101. From 26 on, except for 34, blocks are
            bottlenecks.
        classes: How many scores it gives for a picture.
        input_channels: How many channels the pictures have.
        stem: How it begins: "classic", a 7x7 convolution and a pooling, a quarter of the size; "deep", three
            3x3 convolutions in its place (He and others, "Bag of Tricks" (2018), section 4, ResNet-C);
            "small", one 3x3 convolution that keeps the size, for pictures such as CIFAR's.
        width: How many channels the first stage has; each further one has twice as many, and bottlenecks four
            times all of these.
        activation: What makes an activation.

    With depth 18, 34, 50 or 101 and the usual settings these are torchvision's networks, number for number.

    Raises:
        ValueError: A depth or a stem that there is not.

    >>> sum(parameter.numel() for parameter in ResNet(depth=50).parameters())
    25557032
    """

    def __init__(
        self,
        depth: int = 18,
        classes: int = 1000,
        input_channels: int = 3,
        stem: str = "classic",
        width: int = 64,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        if depth not in DEPTHS or stem not in STEMS:
            raise ValueError(
                f"ResNet has the depths {', '.join(map(str, sorted(DEPTHS)))} and the stems "
                f"{', '.join(STEMS)}; depth={depth!r} and stem={stem!r} were asked for."
            )
        self.depth, self.classes, self.input_channels = depth, classes, input_channels
        self.stem, self.width, self.activation = stem, width, activation
        blocks, bottleneck = DEPTHS[depth]
        widths = [width, *(width * 2**number * (4 if bottleneck else 1) for number in range(len(blocks)))]
        stages = [make_stem(input_channels, width, stem, activation)]
        for number, (count, channels) in enumerate(zip(blocks, pairwise(widths), strict=True)):
            stages.append(make_stage(*channels, count, 2 if number else 1, bottleneck, activation))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))
        start_residuals(self)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map `(N, input_channels, H, W)` pictures to `(N, classes)` scores."""
        return self.head(self.stages(pictures))


def make_stem(
    input_channels: int, width: int, stem: str = "classic", activation: Activation = nn.ReLU
) -> nn.Sequential:
    """The first layers, which see edges and spots: see `ResNet` for the kinds.

    >>> make_stem(3, 64, "deep")(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 64, 8, 8])
    """
    if stem == "small":
        return nn.Sequential(Convolution(input_channels, width, 3, activation=activation))
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    if stem == "classic":
        return nn.Sequential(Convolution(input_channels, width, 7, stride=2, activation=activation), pool)
    half = width // 2
    first = Convolution(input_channels, half, 3, stride=2, activation=activation)
    second = Convolution(half, half, 3, activation=activation)
    return nn.Sequential(first, second, Convolution(half, width, 3, activation=activation), pool)


def make_stage(
    inputs: int, outputs: int, count: int, stride: int, bottleneck: bool, activation: Activation = nn.ReLU
) -> nn.Sequential:
    """Blocks one after the other, of which the first changes size and channels.

    >>> make_stage(8, 16, count=2, stride=2, bottleneck=False)(torch.zeros(1, 8, 6, 6)).shape
    torch.Size([1, 16, 3, 3])
    """
    first = ResidualBlock(inputs, outputs, stride, bottleneck, activation)
    rest = [ResidualBlock(outputs, outputs, 1, bottleneck, activation) for _ in range(count - 1)]
    return nn.Sequential(first, *rest)


@torch.no_grad()
def start_residuals(network: nn.Module) -> None:
    """Draw the weights of convolutions, and let every residual block begin by handing on what it was given.

    >>> block = ResidualBlock(4, 4)
    >>> start_residuals(block)
    >>> pictures = torch.rand(2, 4, 5, 5)
    >>> torch.equal(block(pictures), pictures)
    True
    """
    start_convolutions(network)
    for block in network.modules():
        if isinstance(block, ResidualBlock):
            last: Any = block.change[-1]
            nn.init.zeros_(last[1].weight)
