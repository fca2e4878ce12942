"""Where a model finds what it says: the places of a photo that speak for an answer, in any network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from .backbones import Backbone
from .batches import find_predictions
from .display import show_heat
from .failures import describe_missing_encode
from .learner import Learner
from .tensors import Image
from .unets import find_skips


def where_it_looks(
    learner: Learner,
    photo: Any,
    kind: str | int | None = None,
    stage: int | None = None,
    layer: nn.Module | None = None,
) -> tuple[Image, Tensor]:
    """Find the places of a photo that speak for one kind (Grad-CAM).

    Each feature map is weighted by how much the kind's score would rise if the map were brighter; what is
    left above zero is the evidence. It says where the model found something, not that it is right. Of a model
    that gives masks, the score is that of all pixels together.

    Args:
        learner: A trained learner for photos.
        photo: Something like what the inputs were made from: a file, a picture.
        kind: The name of the kind to look for, or its number; None for a model that tells one amount.
        stage: Which stage of the body to look at: later ones know more, earlier ones see finer. By default
            the last one that is finer than the end.
        layer: In place of a stage, any layer of the model whose answer is a grid. Where there is no backbone,
            it is by default the last one of more than one place.

    Returns:
        The photo as the model got it, and `(h, w)` numbers from 0 (nothing) to 1 (most) for its places.

    Raises:
        ValueError: There is no such kind or stage, or the layer gives no grid.
        TypeError: The data cannot make a batch of one photo.

    Source: Selvaraju and others, "Grad-CAM" (2017), equations 1 and 2; for masks, Vinogradova and others,
    "Seg-Grad-CAM" (2020).

    >>> from .datablock import DataBlock
    >>> from .tensors import Category
    >>> from .vision import vision_learner
    >>> photos = [{"photo": torch.zeros(3, 64, 64, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> data = DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos)
    >>> learner = vision_learner(data, pretrained=False, device="cpu")
    >>> picture, evidence = where_it_looks(learner, photos[0]["photo"], "a")
    >>> evidence.shape
    torch.Size([4, 4])
    """
    number = None if kind is None else class_number(kind, getattr(learner.data, "vocab", ()))
    if not hasattr(learner.data, "encode_item"):
        raise TypeError(describe_missing_encode(learner.data))
    learner.set_training(False)
    batch = learner.data.encode_item(photo).to(learner.device)
    chosen = layer or find_layer(learner, batch, stage)
    with torch.enable_grad(), keeping(chosen) as kept:
        scores = find_predictions(learner.call_model(batch))
        (gradient,) = torch.autograd.grad(score_of(scores[0], number), kept[-1])
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    evidence = (weights * kept[-1].detach()).sum(dim=1)[0].relu()
    return batch[0], evidence / evidence.max().clamp(min=1e-12)


@contextmanager
def keeping(layer: nn.Module) -> Iterator[list[Tensor]]:
    """Keep the grids that a layer gives while this lasts, and let gradients begin there.

    >>> layer = nn.Conv2d(1, 2, 1)
    >>> with keeping(layer) as kept:
    ...     made = layer(torch.zeros(1, 1, 3, 3))
    >>> kept[0].shape, kept[0].is_leaf
    (torch.Size([1, 2, 3, 3]), True)
    """
    kept: list[Tensor] = []

    def keep(module: nn.Module, given: Any, made: Any) -> Tensor:
        if not is_grid(made):
            raise ValueError(describe_layer(module, made))
        kept.append(made.detach().requires_grad_())
        return kept[-1].clone()  # What comes after may change it in place.

    handle = layer.register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()


def show_where_it_looks(
    learner: Learner,
    photo: Any,
    kind: str | int | None = None,
    stage: int | None = None,
    layer: nn.Module | None = None,
    axes: Any = None,
) -> None:
    """Draw a photo with a glow over the places that speak for one kind; see `where_it_looks`.

    >>> from .datablock import DataBlock
    >>> from .tensors import Category
    >>> from .vision import vision_learner
    >>> photos = [{"photo": torch.zeros(3, 64, 64, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> data = DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos)
    >>> learner = vision_learner(data, pretrained=False, device="cpu")
    >>> show_where_it_looks(learner, photos[0]["photo"], "a")
    """
    picture, evidence = where_it_looks(learner, photo, kind, stage, layer)
    what = "the amount" if kind is None else kind
    show_heat(picture, evidence, title=f"what speaks for {what}", axes=axes)
    if axes is None:
        from matplotlib import pyplot

        axes = pyplot.gca()
    axes.alt_text = f"{axes.alt_text.rstrip('.')}, with a glow {brightest(evidence)}"


def brightest(evidence: Tensor) -> str:
    """Say in words where the most evidence lies.

    >>> brightest(torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]))
    'that is brightest in the middle right'
    """
    if not evidence.any():
        return "that is nowhere: nothing speaks for it"
    height, width = evidence.shape
    row, column = divmod(int(evidence.argmax()), width)
    down = ("upper", "middle", "lower")[3 * row // height]
    across = ("left", "middle", "right")[3 * column // width]
    return f"that is brightest in the {down if down == across else f'{down} {across}'}"


def score_of(scores: Tensor, number: int | None) -> Tensor:
    """The one number that is asked about: a kind's score, summed over the pixels of a mask; or an amount.

    >>> score_of(torch.tensor([1.0, 5.0]), 1), score_of(torch.tensor(7.0), None)
    (tensor(5.), tensor(7.))
    """
    if number is None and scores.numel() > 1:
        raise ValueError(f"which of its {len(scores)} answers? Name one, as in where_it_looks(…, kind=…).")
    return scores.sum() if number is None else scores[number].sum()


def find_layer(learner: Learner, batch: Tensor, stage: int | None) -> nn.Module:
    """The layer to look at: a stage of the backbone, or the last that gives a grid."""
    body = getattr(learner.model, "body", None)
    if isinstance(body, Backbone):
        skips = find_skips(body) if stage is None else []
        number = len(body.stages) - 1 if stage is None else stage
        if not -len(body.stages) <= number < len(body.stages):
            raise ValueError(f"the body has stages 0 to {len(body.stages) - 1}; stage={stage} was asked for.")
        return body.stages[skips[0][0] if skips else number]
    if stage is not None:
        raise ValueError(
            f"only a backbone has stages; this model is a {type(learner.model).__name__}: name a layer, as "
            "in layer=learner.model.features[5]."
        )
    return last_grid(learner, batch)


@torch.no_grad()
def last_grid(learner: Learner, batch: Tensor) -> nn.Module:
    """The last layer of a model that gives a grid of more than one place."""
    found: list[nn.Module] = []
    layers = [module for module in learner.model.modules() if not list(module.children())]
    hooks = [
        layer.register_forward_hook(lambda layer, given, made: found.append(layer) if is_grid(made) else None)
        for layer in layers
    ]
    try:
        learner.call_model(batch)
    finally:
        for hook in hooks:
            hook.remove()
    if not found:
        raise ValueError(
            f"no layer of this {type(learner.model).__name__} gives a grid of features, so there are no "
            "places that could speak for anything."
        )
    return found[-1]


def is_grid(made: Any) -> bool:
    """Whether a layer's answer is a grid of more than one place, channels first.

    >>> is_grid(torch.zeros(1, 8, 4, 4)), is_grid(torch.zeros(1, 8, 1, 1))
    (True, False)
    """
    return isinstance(made, Tensor) and made.ndim == 4 and made.shape[2] * made.shape[3] > 1


def describe_layer(layer: nn.Module, made: Any) -> str:
    """Say why a layer cannot be looked at."""
    came = f"of shape {tuple(made.shape)}" if isinstance(made, Tensor) else f"a {type(made).__name__}"
    return (
        "evidence has places where a layer's answer has: (N, channels, height, width) of more than one "
        f"place; that of this {type(layer).__name__} is {came}. Take an earlier layer."
    )


def class_number(kind: str | int, vocab: tuple) -> int:
    """The number of a kind; a number stays what it is.

    >>> class_number("broken", ("sound", "broken")), class_number(1, ())
    (1, 1)
    """
    if isinstance(kind, int):
        return kind
    if kind not in vocab:
        raise ValueError(f"{kind!r} is not one of the kinds; they are {', '.join(map(repr, vocab))}.")
    return vocab.index(kind)
