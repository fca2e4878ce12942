"""Pictures and masks change size, each in its own way."""

import pytest
import torch

from coursekit.geometry import resize
from coursekit.tensors import GrayImage, Image, Mask, plain


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("shape", [(3, 40, 60), (2, 3, 40, 60)])
def test_resize_keeps_type_and_dtype(shape, dtype):
    small = resize(Image(torch.zeros(shape, dtype=dtype)), (10, 20))

    assert type(small) is Image
    assert small.dtype == dtype
    assert tuple(small.shape) == (*shape[:-2], 10, 20)


def test_resize_averages_what_it_shrinks():
    stripes = torch.tensor([[0.0, 1.0] * 8]).expand(1, 16, 16).contiguous()

    torch.testing.assert_close(
        plain(resize(GrayImage(stripes), 2)), torch.full((1, 2, 2), 0.5), atol=0.05, rtol=0
    )


def test_a_grey_picture_stays_grey():
    assert type(resize(GrayImage(torch.zeros(1, 8, 8)), 4)) is GrayImage


def test_a_mask_gets_no_new_classes_and_keeps_its_names():
    mask = Mask(torch.tensor([[1, 1, 3, 3], [1, 1, 3, 3]]), vocab=("none", "animal", "background", "border"))

    small = resize(mask, (5, 7))

    assert set(small.flatten().tolist()) == {1, 3}
    assert small.vocab == mask.vocab


def test_impossible_sizes_are_refused_in_words():
    with pytest.raises(ValueError, match="at least 1 x 1 pixels; 0 x 0 was asked for"):
        resize(Image(torch.zeros(3, 4, 4)), 0)


def test_a_picture_without_pixels_is_refused_in_words():
    with pytest.raises(ValueError, match=r"needs pixels to start from; this Image is \(3, 0, 4\)"):
        resize(Image(torch.zeros(3, 0, 4)), 2)
