"""Steps of the data as layers: the same numbers, without types."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from coursekit.augment import Augment, Warp
from coursekit.cropping import CentreCrop, Resize
from coursekit.movements import Rotate
from coursekit.onnx_layers import layer_of
from coursekit.steps import Normalize, ToFloat
from coursekit.tensors import GrayImage, Image, Volume, plain

STEPS = {
    "floats": ToFloat(),
    "resized": Resize((20, 50)),
    "cropped": Resize(30, "crop"),
    "padded": Resize(30, "pad"),
    "the middle": CentreCrop((8, 30)),
    "augmented": Augment(size=24).calm(),
    "augmented, and squeezed": Augment(size=(24, 30), fit="squeeze").calm(),
    "augmented, and padded": Augment(size=24, fit="pad").calm(),
    "warped": Warp(size=64).calm(),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("kind", [Image, GrayImage])
def test_a_layer_does_what_the_step_does(name: str, kind: Any) -> None:
    batch = kind(torch.rand(3, 1 if kind is GrayImage else 3, 32, 44))
    layer, made = layer_of(STEPS[name], batch)
    other = kind(torch.rand_like(plain(batch)))

    assert torch.allclose(layer(plain(other)), plain(STEPS[name].encode((other,))[0]), atol=1e-5)
    assert layer(plain(batch)).shape == made.shape


def test_whole_numbers_become_floats_and_channels_are_scaled() -> None:
    batch = Image(torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8))
    floats, made = layer_of(ToFloat(), batch)
    scaled, made = layer_of(Normalize([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]), made)

    assert torch.allclose(scaled(floats(plain(batch))), plain(made), atol=1e-6)


def test_scans_keep_their_unit() -> None:
    batch = Volume(torch.randint(-1000, 1000, (2, 1, 3, 4, 4), dtype=torch.int16))
    layer, made = layer_of(ToFloat(), batch)

    assert torch.equal(layer(plain(batch)), plain(made))
    assert made.min() < -500


def test_what_is_no_stretching_is_refused() -> None:
    batch = Image(torch.rand(1, 3, 16, 24))
    with pytest.raises(
        TypeError, match=r"Warp\(.*has no form outside Python: it is no ToFloat, no Normalize"
    ):
        layer_of(Warp(Rotate((20, 20))), batch)
