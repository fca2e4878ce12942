"""Whole batches are augmented as one: each picture by its own draw, and all that lies on it with it."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from coursekit.augment import Augment, Warp
from coursekit.movements import Crop, Fit, Flip, Movement, Perspective, Rotate, Shear, Zoom, matrices
from coursekit.tensors import (
    Boxes,
    Category,
    DicomImage,
    GrayImage,
    Image,
    Keypoints,
    Mask,
    PointCloud,
    Volume,
    VolumeMask,
    plain,
)


def smooth(count=2, height=40, width=60, channels=3, seed=0):
    """Pictures without sharp edges, whose values are the same however one mixes neighbours."""
    chance = torch.Generator().manual_seed(seed)
    small = torch.rand(count, channels, 5, 6, generator=chance)
    return torch.nn.functional.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)


def inner(pixels, margin=8):
    return plain(pixels)[..., margin:-margin, margin:-margin]


class TestEqualToTorchvision:
    """Where both can do it, both do the same."""

    def same(self, ours, theirs, margin=8, atol=2e-3):
        torch.testing.assert_close(inner(ours, margin), inner(theirs, margin), atol=atol, rtol=0)

    @pytest.mark.parametrize("degrees", [30.0, -75.0])
    def test_rotate(self, degrees):
        x = smooth()
        ours = Warp(Rotate((degrees, degrees)), edges=0).encode(Image(x))
        self.same(
            ours, tv.rotate(x, degrees, interpolation=v2.InterpolationMode.BILINEAR), margin=0, atol=1e-4
        )

    @pytest.mark.parametrize("axis", ["width", "height"])
    def test_shear(self, axis):
        x = smooth()
        ours = Warp(Shear((20, 20), axis), edges=0).encode(Image(x))
        shear = [20, 0] if axis == "width" else [0, 20]
        theirs = tv.affine(x, 0, [0, 0], 1, shear, interpolation=v2.InterpolationMode.BILINEAR)
        self.same(ours, theirs, margin=0, atol=1e-4)

    def test_zoom(self):
        x = smooth()
        ours = Warp(Zoom((1.3, 1.3)), edges=0).encode(Image(x))
        self.same(ours, tv.affine(x, 0, [0, 0], 1.3, [0, 0], interpolation=v2.InterpolationMode.BILINEAR))

    def test_mirrors_are_exact(self):
        x = torch.randint(0, 256, (9, 3, 7, 6), dtype=torch.uint8)
        moved = Warp(Flip(), Flip("height")).encode(Image(x))

        ways = {
            (a, b): x.flip([axis for axis, on in ((-1, a), (-2, b)) if on]) for a in (0, 1) for b in (0, 1)
        }
        for number in range(9):
            assert any(torch.equal(plain(moved)[number], way[number] / 255) for way in ways.values())
        assert (
            len(
                {
                    next(k for k, way in ways.items() if torch.equal(plain(moved)[n], way[n] / 255))
                    for n in range(9)
                }
            )
            > 1
        )
