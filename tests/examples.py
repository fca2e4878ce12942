"""One small value of each typed kind, for the tests that every kind must pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from coursekit import tensors
from coursekit.tensors import (
    Boxes,
    Category,
    DicomImage,
    GrayImage,
    Image,
    Keypoints,
    Mask,
    MultiCategory,
    PointCloud,
    Row,
    Target,
    Text,
    TypedTensor,
    Volume,
    VolumeMask,
    collate_typed,
)

MAKE: dict[type[TypedTensor], Callable[[], Any]] = {
    Image: lambda: Image(torch.linspace(0, 1, 72).reshape(3, 4, 6)),
    GrayImage: lambda: GrayImage(torch.linspace(0, 1, 24).reshape(1, 4, 6)),
    Mask: lambda: Mask(torch.arange(24).reshape(4, 6) % 3, vocab=("sky", "tree", "road")),
    Boxes: lambda: Boxes(
        [[0, 1, 2, 3], [1, 1, 4, 4]], canvas=(4, 6), labels=("cat", "dog"), vocab=("cat", "dog")
    ),
    Keypoints: lambda: Keypoints(
        [[0.5, 1.5], [3.5, 2.5]], canvas=(4, 6), names=("left", "right"), pairs=(("left", "right"),)
    ),
    PointCloud: lambda: PointCloud([[0.5, 1, 2, 0.1], [1, 2, 3, 0.2]], canvas=(4, 4, 4)),
    Volume: lambda: Volume(
        torch.linspace(-1, 1, 32).reshape(1, 2, 4, 4), spacing=(3, 1, 1), orientation="SPL", window=(0, 2)
    ),
    VolumeMask: lambda: VolumeMask(
        torch.arange(32).reshape(2, 4, 4) % 2, vocab=("air", "bone"), spacing=(3, 1, 1), orientation="SPL"
    ),
    DicomImage: lambda: DicomImage(
        torch.linspace(-1000, 1000, 24).reshape(1, 4, 6), spacing=(1, 1), window=(40, 400)
    ),
    Category: lambda: Category("dog", vocab=("cat", "dog")),
    MultiCategory: lambda: MultiCategory(["dog"], vocab=("cat", "dog")),
    Target: lambda: Target(12.5, unit="kg"),
    Text: lambda: Text("a crack", vocab=("a", "crack", "no")),
    Row: lambda: Row({"age": 39, "job": "nurse"}, vocabs={"job": ("baker", "nurse")}),
}
ABSTRACT = {tensors.Raster, TypedTensor}
KINDS = list(MAKE)
AMOUNTS = [kind for kind in KINDS if "amounts" in kind.keeps]


def name_of(kind: Any) -> str | None:
    """What pytest calls the test of a kind."""
    return kind.__name__ if isinstance(kind, type) else None


def batch_of(kind: type[TypedTensor], count: int = 2) -> Any:
    """Make a batch of equal items."""
    return collate_typed([MAKE[kind]() for _ in range(count)])
