"""U-Nets: an answer for every pixel, from any backbone.

A backbone knows more and more of less and less places: at its end, what is there but hardly where. A U-Net
goes back up to the size of the photo, and at each size looks again at what the backbone saw there.

>>> from .backbones import efficientnet_lite0
>>> network = UNet(efficientnet_lite0(), classes=3)
>>> network(torch.zeros(1, 3, 65, 50)).shape
torch.Size([1, 3, 65, 50])
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .backbones import Backbone
from .convolutions import Activation, Convolution, GroupedNorm, start_convolutions

# Wide enough to say something, and no wider than a processor can do at the larger sizes.
NARROWEST, WIDEST = 32, 256


class StepUp(nn.Module):
    """One step up: what is known is spread to the next size, put beside what was seen there, and mixed.

    Args:
        inputs: How many channels come from below.
        seen: How many the backbone had at this size.
        outputs: How many go on.
        activation: What makes an activation.

    >>> StepUp(8, 4, 6)(torch.zeros(1, 8, 3, 3), torch.zeros(1, 4, 5, 6)).shape
    torch.Size([1, 6, 5, 6])
    """

    def __init__(self, inputs: int, seen: int, outputs: int, activation: Activation = nn.ReLU) -> None:
        super().__init__()
        self.inputs, self.seen, self.outputs, self.activation = inputs, seen, outputs, activation
        first = Convolution(inputs + seen, outputs, norm=GroupedNorm, activation=activation)
        second = Convolution(outputs, outputs, norm=GroupedNorm, activation=activation)
        self.mix = nn.Sequential(first, second)

    def forward(self, below: Tensor, seen: Tensor) -> Tensor:
        """Map `(N, inputs, h, w)` and `(N, seen, H, W)` to `(N, outputs, H, W)`, whatever the sizes."""
        return self.mix(torch.cat([functional.interpolate(below, seen.shape[-2:]), seen], dim=1))


class UNet(nn.Module):
    """A backbone, and the way back up to a score of each class for every pixel.

    Where the sizes change is found out by looking at what the stages make of a tiny picture, so any backbone
    will do. Sizes are taken from the grids themselves when it runs: odd ones come out as they came in. It can
    be exported by `torch.export` and to ONNX.

    Args:
        body: The backbone.
        classes: How many scores each pixel gets.
        activation: What makes the activations of the way up.

    Source: Ronneberger, Fischer and Brox, "U-Net" (2015), figure 1, with sizes kept by padding, nearest
    neighbours in place of the up-convolutions, and norms.

    >>> body = Backbone([nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 16, 3, 2, 1)], channels=16)
    >>> network = UNet(body, classes=2)
    >>> network.skips, network(torch.zeros(2, 3, 21, 30)).shape
    ([0], torch.Size([2, 2, 21, 30]))
    """

    def __init__(self, body: Backbone, classes: int, activation: Activation = nn.ReLU) -> None:
        super().__init__()
        self.body, self.classes, self.activation = body, classes, activation
        found = find_skips(body)
        self.skips = [number for number, _ in found]
        steps, inputs = [], body.channels
        for _, seen in found:
            outputs = min(max(seen, NARROWEST), WIDEST)
            steps.append(StepUp(inputs, seen, outputs, activation))
            inputs = outputs
        self.steps = nn.ModuleList(steps)
        self.scores = nn.Conv2d(inputs, classes, kernel_size=1)
        start_convolutions(self.steps)

    def forward(self, photos: Tensor) -> Tensor:
        """Map `(N, C, H, W)` photos in 0..1 to `(N, classes, H, W)` scores."""
        seen = self.body.grids(photos)
        grid = seen[-1]
        for step, number in zip(self.steps, self.skips, strict=True):
            grid = step(grid, seen[number])
        return functional.interpolate(self.scores(grid), photos.shape[-2:], mode="bilinear")

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """The parameters from general to special: early stages, late stages, the way up."""
        up = [*self.steps.parameters(), *self.scores.parameters()]
        return [*self.body.parameter_groups(), up]


def find_skips(body: Backbone) -> list[tuple[int, int]]:
    """For each size above the last one, the number of the last stage that has it, and its channels.

    Args:
        body: The backbone; it is asked about a small picture, and stays as it is.

    Returns:
        The smallest size first. None for a backbone that changes size in one go, as transformers do.

    >>> from .backbones import efficientnet_lite0
    >>> find_skips(efficientnet_lite0())
    [(5, 112), (3, 40), (2, 24), (1, 16)]
    """
    _, grids = body.try_out()
    last = {int(grid.shape[-1]): (number, grid.shape[1]) for number, grid in enumerate(grids)}
    return [last[side] for side in sorted(last) if side > grids[-1].shape[-1]]
