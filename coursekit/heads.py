"""What stands on a backbone: the head, the loss and the metrics that follow from what targets are.

This is also the place for targets of your own: write a method of `make_task` for your type.

>>> class Angle(Target):
...     "Which way something points, in degrees."
>>> @make_task.method
... def make_task_for_angles(target: Angle, body, data=None):
...     def loss(said, truth):
...         return (1 - torch.cos(torch.deg2rad(said - truth))).mean()
...     return Task(Network(body, AmountHead(body.channels, spread=(90.0,))), loss)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .agreement import IntersectionOverUnion, LabelAccuracy
from .amounts import MeanAbsoluteError
from .backbones import Backbone
from .convolutions import Convolution, GroupedNorm
from .dispatch import method
from .losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError, PointDistance
from .metrics import accuracy
from .tensors import Category, Keypoints, Mask, MultiCategory, Target, plain
from .unets import UNet

# How many training items are looked at to learn about how large amounts are, and how many points there are.
LOOKS = 64


class Head(nn.Module):
    """Turn a grid of features into one score for each class.

    The mean over the grid says how much of a feature there is, the maximum whether it is there at all: a
    crack is thin, and the mean alone would hardly see it.

    Args:
        channels: How many features the backbone gives for each place.
        classes: How many classes there are.
        dropout: The share of features that is hidden at random while training.

    >>> Head(8, classes=3)(torch.zeros(2, 8, 4, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(self, channels: int, classes: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.channels, self.classes, self.dropout = channels, classes, dropout
        self.scale = nn.BatchNorm1d(2 * channels)
        self.hide = nn.Dropout(dropout)
        self.scores = nn.Linear(2 * channels, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Map `(N, channels, H, W)` features to `(N, classes)` scores."""
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], dim=1)
        return self.scores(self.hide(self.scale(pooled)))


class AmountHead(Head):
    """Turn a grid of features into amounts: what `Head` gives, in units of how far amounts lie apart.

    So a price of 200,000 and an age of 3 begin alike, at the middle of what there is.

    Args:
        channels: How many features the backbone gives for each place.
        middle: What amounts are about, one number for each that is told.
        spread: How far they lie from it, likewise.
        dropout: The share of features that is hidden at random while training.

    >>> AmountHead(8, middle=(3.0,))(torch.zeros(2, 8, 4, 4))
    tensor([3., 3.], grad_fn=<SqueezeBackward1>)
    >>> AmountHead(8, middle=(10.0, 20.0), spread=(1.0, 5.0))(torch.zeros(2, 8, 4, 4)).shape
    torch.Size([2, 2])
    """

    start: Tensor
    unit: Tensor

    def __init__(
        self,
        channels: int,
        middle: Sequence[float] = (0.0,),
        spread: Sequence[float] = (1.0,),
        dropout: float = 0.25,
    ) -> None:
        super().__init__(channels, len(middle), dropout)
        self.middle, self.spread = tuple(middle), tuple(spread)
        # On the model's device, so that no step waits for them.
        self.register_buffer("start", torch.tensor(self.middle), persistent=False)
        self.register_buffer("unit", torch.tensor(self.spread), persistent=False)
        nn.init.zeros_(self.scores.weight)
        nn.init.zeros_(self.scores.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Map `(N, channels, H, W)` features to `(N, amounts)` numbers; one amount each to `(N,)`."""
        amounts = super().forward(features) * self.unit + self.start
        return amounts.squeeze(1) if len(self.middle) == 1 else amounts


class PointHead(nn.Module):
    """Turn a grid of features into places in the picture, in pixels.

    For each point every place of the grid says how much it looks like it, and where from its own middle the
    point would lie; the answer is the mean of what they say, weighted by the softmax of the first. So it is
    as fine as a pixel although the grid is coarse, moves along with what it sees, and serves for any size.

    Args:
        channels: How many features the backbone gives for each place.
        points: How many points there are.
        stride: How many pixels of the picture lie between one place of the grid and the next.
        hidden: How many channels are between.

    Source: the weighted mean is Nibali and others, "Numerical Coordinate Regression" (2018), equation 4; the
    offsets are Papandreou and others, "Towards Accurate Multi-person Pose Estimation" (2017), section 3.2.

    >>> PointHead(8, points=2, stride=32)(torch.zeros(1, 8, 4, 4))[0, 0].tolist()
    [64.0, 64.0]
    """

    def __init__(self, channels: int, points: int, stride: float, hidden: int = 128) -> None:
        super().__init__()
        self.channels, self.points, self.stride, self.hidden = channels, points, stride, hidden
        self.look = Convolution(channels, hidden, norm=GroupedNorm)
        self.say = nn.Conv2d(hidden, 3 * points, kernel_size=1)
        for start in self.say.parameters():
            nn.init.zeros_(start)

    @torch.no_grad()
    def start_at(self, places: Tensor) -> None:
        """Begin with these places, `(points, 2)` pixels from the middle of the picture, whatever it shows.

        A new head that first has to find the middle of all items wastes the little it is given: on 63 photos
        of a mouse it needed four times as many epochs to be better than that.
        """
        assert self.say.bias is not None
        self.say.bias[self.points :] = (places / self.stride).T.flatten()

    def forward(self, features: Tensor) -> Tensor:
        """Map `(N, channels, h, w)` features to `(N, points, 2)` places, x and y."""
        height, width = features.shape[-2:]
        said = self.say(self.look(features)).unflatten(1, (3, self.points)).flatten(3)
        likely = said[:, 0].softmax(dim=-1)
        rows = torch.arange(height, device=said.device, dtype=said.dtype) + 0.5
        columns = torch.arange(width, device=said.device, dtype=said.dtype) + 0.5
        x = (likely * (said[:, 1] + columns.repeat(height))).sum(dim=-1)
        y = (likely * (said[:, 2] + rows.repeat_interleave(width))).sum(dim=-1)
        return torch.stack([x, y], dim=-1) * self.stride


class Network(nn.Module):
    """A backbone and a head, one after the other.

    Attributes:
        body: Turns photos into features; pretrained.
        head: Turns features into scores; new.

    >>> from .backbones import make_backbone
    >>> model = Network(make_backbone("efficientnet_lite0", pretrained=False), Head(1280, classes=2))
    >>> [len(group) for group in model.parameter_groups()]
    [72, 75, 4]
    """

    def __init__(self, body: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, photos: Tensor) -> Tensor:
        """Map `(N, C, H, W)` photos in 0..1 to what the head makes of their features."""
        return self.head(self.body(photos))

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        """The parameters from general to special: the early stages, the late stages, the head."""
        return [*self.body.parameter_groups(), list(self.head.parameters())]


@dataclass(frozen=True)
class Task:
    """What is to be learned: a model that gives such answers, what training makes smaller, what people read.

    >>> Task(nn.Identity(), nn.MSELoss()).metrics
    ()
    """

    model: nn.Module
    loss: Callable[..., Any]
    metrics: tuple[Any, ...] = ()


@method
def make_task(target: Category, body: Any, data: Any = None) -> Task:
    """Make what learns such targets: a head for the backbone, a loss, and metrics.

    Args:
        target: A batch of targets with their type, one item at least; the type chooses what is made.
        body: The backbone.
        data: Has `train.items`, for what one item does not tell, such as how large amounts are.

    Raises:
        NoMethodError: Nobody has said what learns such targets; `@make_task.method` above a function that
            takes `(target, body, data)` and gives a `Task` says it.
        ValueError: Fewer than two classes; a mask whose classes nobody named; points that vary in number.

    >>> body = Backbone([nn.Conv2d(3, 8, 3)], channels=8)
    >>> make_task(Category(torch.tensor([0]), vocab=("sound", "broken")), body).model.head.classes
    2
    """
    return Task(Network(body, Head(body.channels, count_kinds(target.vocab))), CrossEntropy(), (accuracy,))


@method
def make_task(target: MultiCategory, body: Any, data: Any = None) -> Task:
    """Several kinds at once: a score for each, and each is yes or no."""
    return Task(
        Network(body, Head(body.channels, target.shape[-1])), BinaryCrossEntropy(), (LabelAccuracy(),)
    )


@method
def make_task(target: Mask, body: Any, data: Any = None) -> Task:
    """A class for every pixel."""
    if not target.vocab:
        raise ValueError(
            "how many classes these masks have cannot be seen in one of them: name them, as in "
            'targets=Block(item=[Create(Mask, vocab=("background", "animal"))]).'
        )
    return Task(UNet(body, count_kinds(target.vocab)), CrossEntropy(), (IntersectionOverUnion(),))


@method
def make_task(target: Keypoints, body: Any, data: Any = None) -> Task:
    """Places in the picture, always the same ones."""
    seen = some_targets(data)
    counts = {len(one): number for number, one in reversed(list(enumerate(seen)))}
    if len(counts) > 1:
        few, many = min(counts), max(counts)
        raise ValueError(
            f"every item needs the same points, in the same order; training items have {few} to {many}, the "
            f"first that differ at {counts[few]} and {counts[many]} of those looked at. A point that nobody "
            "could see is a row of NaN, or None."
        )
    size, grids = body.try_out()
    head = PointHead(body.channels, target.shape[-2], stride=size / grids[-1].shape[-1])
    if seen and all(one.canvas for one in seen):
        away = [plain(one) - torch.tensor(one.canvas).flip(0) / 2 for one in seen]
        head.start_at(torch.stack(away).nanmean(dim=0).nan_to_num())
    return Task(Network(body, head), PointDistance())


@method
def make_task(target: Target, body: Any, data: Any = None) -> Task:
    """An amount, or several."""
    seen = [plain(one).float() for one in some_targets(data)] or [plain(target[0]).float()]
    amounts = torch.stack(seen).reshape(len(seen), -1)
    middle = amounts.mean(dim=0)
    spread = (amounts - middle).square().mean(dim=0).sqrt()
    spread = torch.where(spread > 0, spread, torch.ones_like(spread))
    head = AmountHead(body.channels, middle.tolist(), spread.tolist())
    return Task(Network(body, head), MeanSquaredError(), (MeanAbsoluteError(),))


def count_kinds(vocab: Sequence[Any] | None) -> int:
    """How many kinds there are; raises a `ValueError` if there is nothing to tell apart.

    >>> count_kinds(("sound", "broken"))
    2
    """
    kinds = list(map(str, vocab or ()))
    if len(kinds) < 2:
        raise ValueError(
            "vision_learner tells kinds of photo apart, so it needs at least two; the targets have "
            f"{len(kinds)}: {', '.join(kinds) or 'none'}. Is targets=Category, and does each kind have "
            "photos on the training side?"
        )
    return len(kinds)


def some_targets(data: Any) -> list[Any]:
    """The targets of some training items, spread over all of them; none where items have no numbers."""
    items = getattr(getattr(data, "train", None), "items", None)
    if items is None or not hasattr(getattr(items, "raw", items), "__getitem__"):
        return []
    step = max(1, len(items) // LOOKS)
    return [items[number][-1] for number in range(0, len(items), step)][:LOOKS]
