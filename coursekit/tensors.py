"""Tensors that remember what they are: a picture, a mask, boxes, a volume, a category.

A photo, the outline someone drew on it and its label are all arrays of numbers. What may be done to them
differs: a photo may be brightened, an outline may not, since class 2 is not "twice as much" as class 1. So
each kind is a type of its own, carries its metadata (the names of its classes, say), and keeps its type
through every operation that keeps its meaning:

>>> import torch
>>> photo = Image(torch.zeros(3, 4, 6))
>>> photo + 0.5
Image(3x4x6, float32, 0.5..0.5)
>>> photo.mean()
tensor(0.)

What keeps the type is written in one table, `typed.KEEPS`, and in one rule for indexing: choosing items of a
batch or cutting along the axes of each keeps it. Everything else gives a plain tensor: reductions,
comparisons, reshaping, two different types in one operation (`photo * mask`), every free function
(`torch.clamp(photo, 0, 1)`, `torch.stack`, `F.interpolate`) and everything inside compiled code. So a model,
a loss and a gradient only ever see plain tensors. Put the type back with `typed_like(result, photo)`, take it
off with `plain(photo)`; neither copies.

The kinds stand in `pictures`, `points`, `volumes` and `labels`, what all of them share in `typed`; here they
are gathered.

Operations in place (`photo += mask`, `mask.fill_(3)`) change the numbers of the tensor they stand on, and
leave its type as it was.
"""

from __future__ import annotations

from .labels import Category, MultiCategory, Row, Target, Text
from .pictures import GrayImage, Image, Mask, Raster
from .points import Boxes, Keypoints, PointCloud
from .typed import KEEPS, TypedTensor, collate_typed, plain, typed_like
from .volumes import DicomImage, Volume, VolumeMask

__all__ = [
    "KEEPS",
    "Boxes",
    "Category",
    "DicomImage",
    "GrayImage",
    "Image",
    "Keypoints",
    "Mask",
    "MultiCategory",
    "PointCloud",
    "Raster",
    "Row",
    "Target",
    "Text",
    "TypedTensor",
    "Volume",
    "VolumeMask",
    "collate_typed",
    "plain",
    "typed_like",
]
