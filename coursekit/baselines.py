"""Baselines: the simplest way that could work, measured before anything is trained.

Which of a few mean images does a picture look most like, pixel by pixel? No parameter is learned, and what
costs more effort has to beat it.

>>> images = torch.tensor([[[0.0, 0.9]], [[0.1, 1.0]], [[0.8, 0.1]]])
>>> means = mean_images(images, torch.tensor([1, 1, 0]), classes=2)
>>> nearest_mean(torch.tensor([[[0.3, 0.6]]]), means)
tensor([1])
"""

from __future__ import annotations

import torch
from torch import Tensor


def mean_images(images: Tensor, labels: Tensor, classes: int) -> Tensor:
    """What a picture of each class looks like in the mean, pixel by pixel.

    `images` have shape (N, ...), any number of axes and any dtype, `labels` are class numbers of shape (N,),
    0 to `classes` - 1. The answer has shape (classes, ...), floats in the unit of the images: row 0 is the
    mean of the images labelled 0. Raises ValueError when there are not as many labels as images, or a class
    has no image, whose mean would be nan.

    >>> images = torch.tensor([[0, 2], [4, 6], [8, 8]], dtype=torch.uint8)
    >>> mean_images(images, torch.tensor([0, 0, 1]), classes=2)
    tensor([[2., 4.],
            [8., 8.]])
    """
    if labels.shape != images.shape[:1]:
        raise ValueError(
            f"mean_images needs one class number for each image: {tuple(images.shape)} are "
            f"{len(images)} images, and the labels have shape {tuple(labels.shape)}, not ({len(images)},)."
        )
    counts = torch.bincount(labels, minlength=classes)
    if len(counts) != classes or not counts.all():
        raise ValueError(
            f"mean_images needs images of each of {classes} classes, 0 to {classes - 1}, and of no other; "
            f"there are {counts.tolist()} of 0, 1, …. Is `classes` right, and do the labels begin with 0?"
        )
    return torch.stack([images[labels == number].float().mean(dim=0) for number in range(classes)])


def nearest_mean(images: Tensor, means: Tensor) -> Tensor:
    """Which mean image each image is nearest to: the least mean of the squared differences of its pixels.

    `images` have shape (N, ...) and `means` (C, ...), as `mean_images` gives them, in the same unit; the
    answer is (N,), int64, from 0 to C - 1, the first of two that are equally near. Raises ValueError when the
    pixels of one do not fit those of the other.

    >>> means = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    >>> nearest_mean(torch.tensor([[0.9, 0.7], [0.1, 0.2], [0.0, 1.5]]), means)
    tensor([1, 0, 1])
    """
    if images.shape[1:] != means.shape[1:]:
        raise ValueError(
            f"nearest_mean compares pixels: an image has shape {tuple(images.shape[1:])} and a mean "
            f"{tuple(means.shape[1:])}. Images come as (N, ...) and means as (C, ...); one image alone is "
            "images[:1]."
        )
    # One mean at a time is taken from all images at once: (N, ...) - (...).
    distances = [(images - mean).square().flatten(1).mean(dim=1) for mean in means]
    return torch.stack(distances, dim=1).argmin(dim=1)
