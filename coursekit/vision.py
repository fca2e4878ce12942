"""Photos in five lines: a pretrained network, a head made for your targets, and a learner that knows both.

>>> import torch
>>> from .datablock import DataBlock
>>> from .tensors import Target
>>> photos = [{"photo": torch.full((3, 32, 32), n, dtype=torch.uint8), "age": n} for n in range(4)]
>>> data = DataBlock(Image, Target, target_from="age", split=([0, 1], [2, 3])).loaders(photos)
>>> vision_learner(data, pretrained=False, device="cpu").model.head
AmountHead(
...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .backbones import Backbone, make_backbone
from .batches import collate, describe_batch
from .finding import has_numbers
from .heads import make_task
from .learner import Learner
from .loaders import Loaders
from .tensors import Image, Mask


def vision_learner(
    data: Loaders,
    backbone: str | Backbone = "efficientnet_lite0",
    metrics: Sequence[Any] | None = None,
    pretrained: bool = True,
    **options: Any,
) -> Learner:
    """A learner for photos: the head and the loss follow from the targets, the body comes pretrained.

    Targets may be a `Category`, a `MultiCategory`, `Keypoints`, a `Mask` whose classes have names, or a
    `Target`, an amount; for a type of your own write a method of `make_task`. Photos may have any number of
    channels; `make_backbone` tells what becomes of weights that were trained on three.

    Args:
        data: What `DataBlock.loaders` gave.
        backbone: The name of a backbone, as `make_backbone` takes it, or one you made.
        metrics: What to report after each epoch, such as `accuracy`; by default what suits the targets.
        pretrained: Whether the body starts from its weights; else from random numbers.
        options: What else `Learner` takes.

    Raises:
        ValueError: There is no backbone of that name, or targets, photos and backbone do not fit.
        NoMethodError: Nobody has said what learns such targets.

    >>> import torch
    >>> from .datablock import DataBlock
    >>> from .tensors import Category
    >>> photos = [{"photo": torch.zeros(3, 32, 32, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> data = DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos)
    >>> learner = vision_learner(data, pretrained=False, device="cpu")
    >>> learner.model.head.scores.out_features
    2
    """
    photo, target = one_of(data)
    channels = photo.shape[1]
    body = make_backbone(backbone, pretrained, channels) if isinstance(backbone, str) else backbone
    if body.size is not None and tuple(photo.shape[-2:]) != (body.size, body.size):
        raise ValueError(
            f"{body.name!r} takes photos of {body.size} by {body.size} pixels, and these are "
            f"{photo.shape[-2]} by {photo.shape[-1]}: item_transforms=[Resize({body.size})]."
        )
    task = make_task(target, body, data)
    chosen = task.metrics if metrics is None else metrics
    return Learner(data, task.model, options.pop("loss", task.loss), metrics=chosen, **options)


def one_of(data: Loaders) -> tuple[Image, Any]:
    """A photo and its target, as batches of one: what the model will be given, from the held-out side.

    Raises:
        ValueError: The inputs are no photos, there is no target, or a mask is not as large as its photo.

    >>> import torch
    >>> from .datablock import DataBlock
    >>> from .tensors import Category
    >>> photos = [{"photo": torch.zeros(3, 32, 32, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> photo, target = one_of(DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos))
    >>> photo.shape, target.vocab
    (torch.Size([1, 3, 32, 32]), ('a', 'b'))
    """
    items = data.valid.items
    numbered = has_numbers(items.raw)
    batch = data.recipe.batch.encode(collate([items[0]])) if numbered else next(iter(data.valid))
    if not isinstance(batch, tuple) or len(batch) != 2 or not isinstance(batch[0], Image):
        raise ValueError(
            "vision_learner learns from pairs of a photo and a target, as DataBlock(inputs=Image, "
            f"targets=Category) makes them; these items are {describe_batch(batch)}. For other inputs there "
            "is Learner(data, model, loss)."
        )
    photo, target = batch
    if isinstance(target, Mask) and target.shape[-2:] != photo.shape[-2:]:
        raise ValueError(
            f"a mask says of each pixel what it is, so it is as large as its photo; photos are "
            f"{photo.shape[-2]} by {photo.shape[-1]} pixels, masks {target.shape[-2]} by {target.shape[-1]}."
        )
    return photo, target
