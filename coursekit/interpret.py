"""Look at what a model does: where it is most wrong, and which part of a photo its answer rests on.

Everything here reads a learner and changes nothing about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .display import show_grid, show_heat
from .learner import Learner
from .tensors import Image, plain
from .vision import Network


@dataclass(frozen=True)
class Interpretation:
    """What a model said about each held-out item, beside what is true; made by `examine`.

    Attributes:
        photos: The held-out items' inputs, in the order of the loader.
        probabilities: `(N, classes)`, what the model gave to each class, each row adding up to 1.
        targets: `(N,)`, the number of the true class of each.
        losses: `(N,)`, how surprised the model was by the truth.
        vocab: The names of the classes.

    >>> photos = [Image(torch.zeros(3, 4, 4))] * 2
    >>> both = torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    >>> truth, losses = torch.tensor([0, 1]), torch.tensor([0.1, 1.6])
    >>> seen = Interpretation(photos, both, truth, losses, ("sound", "broken"))
    >>> seen.worst(1), seen.verdict(1)
    ([1], 'said sound (80%), is broken')
    """

    photos: list[Any]
    probabilities: Tensor
    targets: Tensor
    losses: Tensor
    vocab: tuple

    def worst(self, count: int = 9) -> list[int]:
        """The numbers of the held-out items that surprised the model most, the worst first."""
        return top_losses(self.losses, count)

    def verdict(self, number: int) -> str:
        """What the model said about one item, how sure it was, and what is true."""
        probability, said = self.probabilities[number].max(dim=0)
        truth = self.vocab[int(self.targets[number])]
        return f"said {self.vocab[int(said)]} ({float(probability):.0%}), is {truth}"

    def show_worst(self, count: int = 9) -> None:
        """Draw the items that surprised the model most, each with its verdict."""
        numbers = self.worst(count)
        show_grid([self.photos[number] for number in numbers], [self.verdict(number) for number in numbers])

    def probability_of(self, kind: str) -> Tensor:
        """How probable the model found one kind, for each item: `(N,)` floats in 0..1.

        Raises:
            ValueError: There is no such kind.
        """
        return self.probabilities[:, class_number(kind, self.vocab)]


def top_losses(losses: Tensor, count: int = 9) -> list[int]:
    """Find the items that surprised the model most.

    Args:
        losses: `(N,)` numbers, the loss of each item; nan counts as the largest of all.
        count: How many to find; where there are fewer, all.

    Returns:
        The numbers of these items, the worst first; of equally bad ones the first first.

    Raises:
        ValueError: The losses are not one number an item.

    >>> top_losses(torch.tensor([0.1, 2.3, 0.4]), count=2)
    [1, 2]
    """
    if losses.ndim != 1:
        raise ValueError(
            f"top_losses wants one loss for each item, of shape (N,); these have shape "
            f"{tuple(losses.shape)}. "
            'A loss gives them with reduction="none".'
        )
    return losses.argsort(descending=True, stable=True)[:count].tolist()


def examine(learner: Learner) -> Interpretation:
    """Ask a learner about all its held-out items, and keep what it said beside the truth.

    Args:
        learner: A trained learner whose targets are categories.

    >>> from .datablock import DataBlock
    >>> from .tensors import Category
    >>> from .vision import vision_learner
    >>> photos = [{"photo": torch.zeros(3, 32, 32, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> data = DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos)
    >>> seen = examine(vision_learner(data, pretrained=False, device="cpu"))
    >>> seen.vocab, seen.probabilities.shape
    (('a', 'b'), torch.Size([2, 2]))
    """
    scores, targets = (plain(part).cpu() for part in learner.predictions())
    loss = learner.loss_function
    items = learner.data.valid.items
    return Interpretation(
        photos=[items[number][0] for number in range(len(items))],
        probabilities=loss.activation(scores),
        targets=targets,
        losses=loss(scores, targets, reduction="none"),
        vocab=learner.data.vocab,
    )


def where_it_looks(learner: Learner, photo: Any, kind: str, stage: int = 5) -> tuple[Image, Tensor]:
    """Find the places of a photo that speak for one kind (Grad-CAM).

    Each feature map is weighted by how much the kind's score would rise if the map were brighter; what is
    left above zero is the evidence. It says where the model found something, not that it is right.

    Args:
        learner: A trained learner for photos, as `vision_learner` makes it.
        photo: Something like what the inputs were made from: a file, a picture.
        kind: The name of the kind to look for.
        stage: Which stage of the body to look at: later ones know more, earlier ones see finer.

    Returns:
        The photo as the model got it, and `(h, w)` numbers from 0 (nothing) to 1 (most) for its places.

    Raises:
        ValueError: There is no such kind, or the model is not one that vision_learner made.

    Source: Selvaraju and others, "Grad-CAM" (2017), equations 1 and 2.

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
    number = class_number(kind, learner.data.vocab)
    model = learner.model.eval()
    if not isinstance(model, Network):
        raise ValueError(
            "where_it_looks takes apart a network of body and head, as vision_learner makes it; "
            f"this learner's model is a {type(model).__name__}."
        )
    batch = learner.data.encode_item(photo).to(learner.device)
    with torch.enable_grad():
        features = model.body.stages[: stage + 1](plain(batch)).detach().requires_grad_()
        score = model.head(model.body.stages[stage + 1 :](features))[0, number]
        (gradient,) = torch.autograd.grad(score, features)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    evidence = (weights * features.detach()).sum(dim=1)[0].relu()
    return batch[0], evidence / evidence.max().clamp(min=1e-12)


def show_where_it_looks(learner: Learner, photo: Any, kind: str, stage: int = 5, axes: Any = None) -> None:
    """Draw a photo with a glow over the places that speak for one kind; see `where_it_looks`.

    >>> from .datablock import DataBlock
    >>> from .tensors import Category
    >>> from .vision import vision_learner
    >>> photos = [{"photo": torch.zeros(3, 64, 64, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> data = DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos)
    >>> learner = vision_learner(data, pretrained=False, device="cpu")
    >>> show_where_it_looks(learner, photos[0]["photo"], "a")
    """
    picture, evidence = where_it_looks(learner, photo, kind, stage)
    show_heat(picture, evidence, title=f"what speaks for {kind}", axes=axes)


def class_number(kind: str, vocab: tuple) -> int:
    """The number of a kind.

    >>> class_number("broken", ("sound", "broken"))
    1
    """
    if kind not in vocab:
        raise ValueError(f"{kind!r} is not one of the kinds; they are {', '.join(map(repr, vocab))}.")
    return vocab.index(kind)
