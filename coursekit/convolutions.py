"""Convolutions: the layer that looks at each place of a picture with the same small pattern.

>>> network = SmallCNN(classes=10, input_channels=1)
>>> network(torch.zeros(2, 1, 28, 28)).shape
torch.Size([2, 10])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import gcd

import torch
from torch import Tensor, nn

# What makes a layer: a norm from its number of channels, an activation from nothing. None leaves it out.
Norm = Callable[[int], nn.Module] | None
Activation = Callable[[], nn.Module] | None


class Convolution(nn.Sequential):
    """A convolution, a norm and an activation: the brick most networks for pictures are built of.

    The padding keeps the size at stride 1 and halves it, rounding up, at stride 2. With a norm the
    convolution has no bias: the norm takes the mean away and adds a bias of its own.

    Args:
        inputs: How many channels come in.
        outputs: How many go out.
        kernel_size: How many pixels wide and high the pattern is; odd.
        stride: How many pixels lie between one look and the next.
        groups: In how many groups the channels are looked at apart from each other; `inputs` for one each.
        norm: What makes the norm, given the channels; None for none.
        activation: What makes the activation; None for none.

    Raises:
        ValueError: An even kernel, which has no middle.

    >>> Convolution(3, 8, stride=2)(torch.zeros(1, 3, 9, 9)).shape
    torch.Size([1, 8, 5, 5])
    >>> [type(layer).__name__ for layer in Convolution(3, 8, norm=None, activation=nn.GELU)]
    ['Conv2d', 'GELU']
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int = 3,
        stride: int = 1,
        groups: int = 1,
        norm: Norm = nn.BatchNorm2d,
        activation: Activation = nn.ReLU,
    ) -> None:
        if kernel_size % 2 == 0:
            raise ValueError(
                f"a kernel needs a middle to keep the picture in its place; "
                f"kernel_size={kernel_size} is even."
            )
        bias = norm is None
        grid = nn.Conv2d(inputs, outputs, kernel_size, stride, kernel_size // 2, groups=groups, bias=bias)
        layers = [grid, norm(outputs) if norm else None, activation() if activation else None]
        super().__init__(*[layer for layer in layers if layer is not None])
        self.inputs, self.outputs, self.kernel_size, self.stride = inputs, outputs, kernel_size, stride
        self.groups, self.norm, self.activation = groups, norm, activation


class GroupedNorm(nn.GroupNorm):
    """A norm over channels in groups, eight where that fits, for layers that learn from few or small batches.

    It looks at each item for itself: batch norm needs many batches until its running means can be used, and
    can do nothing with a batch of one. Source: Wu and He, "Group Normalization" (2018).

    >>> GroupedNorm(24).num_groups, GroupedNorm(7).num_groups
    (8, 1)
    """

    def __init__(self, channels: int) -> None:
        super().__init__(gcd(channels, 8), channels)
        self.channels = channels


class SmallCNN(nn.Module):
    """A small network of convolutions for small pictures: each stage halves the size and widens the channels.

    Args:
        classes: How many scores it gives for a picture.
        channels: How many channels each stage has; as many stages as numbers.
        input_channels: How many channels the pictures have.
        convolutions: How many convolutions stand in a stage; the last one halves the size.
        dropout: The share of the features before the scores that is hidden at random in training.
        norm: What makes a norm, given the channels; None for none.
        activation: What makes an activation.

    Raises:
        ValueError: No stage, or a stage without a convolution.

    >>> network = SmallCNN(classes=10, channels=(8, 16), input_channels=1, activation=nn.GELU)
    >>> network.stages(torch.zeros(1, 1, 28, 28)).shape
    torch.Size([1, 16, 7, 7])
    """

    def __init__(
        self,
        classes: int,
        channels: Sequence[int] = (32, 64, 128),
        input_channels: int = 3,
        convolutions: int = 1,
        dropout: float = 0.0,
        norm: Norm = nn.BatchNorm2d,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        if not channels or convolutions < 1:
            raise ValueError(
                "SmallCNN needs at least one stage of at least one convolution; "
                f"channels={tuple(channels)} and convolutions={convolutions} were asked for."
            )
        self.classes, self.channels, self.input_channels = classes, channels, input_channels
        self.convolutions, self.dropout, self.norm, self.activation = convolutions, dropout, norm, activation
        self.stages = nn.Sequential(
            *(self.stage(*widths) for widths in pairwise([input_channels, *channels]))
        )
        pool: list[nn.Module] = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout)]
        self.head = nn.Sequential(*pool, nn.Linear(channels[-1], classes))
        start_convolutions(self)

    def stage(self, inputs: int, outputs: int) -> nn.Sequential:
        """Convolutions one after the other, of which the last halves the size."""
        widths = [inputs] + [outputs] * self.convolutions
        strides = [1] * (self.convolutions - 1) + [2]
        layers = [
            Convolution(before, after, stride=stride, norm=self.norm, activation=self.activation)
            for (before, after), stride in zip(pairwise(widths), strides, strict=True)
        ]
        return nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map `(N, input_channels, H, W)` pictures to `(N, classes)` scores."""
        return self.head(self.stages(pictures))


@torch.no_grad()
def start_convolutions(network: nn.Module) -> None:
    """Draw the weights of all convolutions so that signals keep their size from layer to layer.

    Their variance is 2 / (outputs times kernel area): half of what comes is cut off by a ReLU. Biases start
    at 0. Norms and linear layers stay as torch starts them: at 1, and by their inputs.

    Source: He and others, "Delving Deep into Rectifiers" (2015), equation 14.

    >>> layer = nn.Conv2d(64, 128, 3)
    >>> start_convolutions(layer)
    >>> abs(layer.weight.var().item() * 128 * 9 / 2 - 1) < 0.05
    True
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
