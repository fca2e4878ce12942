"""Pixels move by a matrix, each picture by its own, as torch would move them."""

import pytest
import torch

from coursekit.warping import smoothed, turning, warp

SHIFT = torch.tensor([[[1.0, 0, 2], [0, 1, 0]]])  # two pixels to the right


def test_each_picture_moves_by_its_own_matrix():
    pixels = torch.rand(2, 3, 5, 7)
    matrices = turning(30, [(5, 7), (5, 7)], [(1, 1), (1, 2)])

    together = warp(pixels, matrices)

    for number in range(2):
        alone = warp(pixels[number : number + 1], matrices[number : number + 1])
        torch.testing.assert_close(together[number], alone[0])
    assert not torch.equal(matrices[0], matrices[1])


def test_one_matrix_moves_all_pictures():
    pixels = torch.rand(4, 3, 5, 7)

    torch.testing.assert_close(warp(pixels, SHIFT), warp(pixels, SHIFT.expand(4, 2, 3)))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.float16, torch.float64])
def test_a_shift_by_whole_pixels_is_exact_in_every_dtype(dtype):
    pixels = (torch.arange(12) * 10).reshape(1, 1, 2, 6).to(dtype)

    moved = warp(pixels, SHIFT)

    assert moved.dtype == dtype
    assert moved.flatten().tolist() == pytest.approx([0, 0, 0, 10, 20, 30, 0, 0, 60, 70, 80, 90], abs=1e-4)


def test_the_smallest_value_of_each_picture_can_fill_it():
    pixels = torch.tensor([[[[5.0, 7, 6]]], [[[-3.0, float("nan"), 8]]]])

    assert warp(pixels, SHIFT, fill=None)[..., :2].flatten().tolist() == [5, 5, -3, -3]


def test_what_fills_is_not_mixed_with_what_is_there():
    turned = warp(torch.ones(1, 1, 9, 9), turning(30, [(9, 9)]), fill=-1000)

    assert ((turned == -1000) | (turned > 0.999)).all()


def test_a_fill_that_the_dtype_cannot_hold_is_refused_in_words():
    with pytest.raises(ValueError, match=r"torch.uint8 number, 0 to 255; fill is 300"):
        warp(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), SHIFT, fill=300)
    with pytest.raises(ValueError, match=r"a whole torch.uint8 number, 0 to 255; fill is 1.5"):
        warp(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), SHIFT, fill=1.5)
    with pytest.raises(ValueError, match=r"one number, such as 0; fill is \[1, 0, 0\]"):
        warp(torch.zeros(1, 3, 2, 2), SHIFT, fill=[1, 0, 0])


def test_large_class_numbers_stay_exact():
    classes = torch.tensor([[[[2**40 + 1, 2**40 + 3, 5]]]])

    assert warp(classes, SHIFT, nearest=True).flatten().tolist() == [0, 0, 2**40 + 1]


def test_nothing_is_made_of_no_pixels():
    assert warp(torch.zeros(1, 3, 0, 4), SHIFT).shape == (1, 3, 0, 4)


def test_gradients_flow_to_the_pixels():
    pixels = torch.rand(1, 1, 4, 5, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(lambda x: warp(x, turning(20, [(4, 5)])), pixels)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.float16, torch.float32])
def test_shrinking_averages_in_every_dtype(dtype):
    stripes = (torch.tensor([0, 100]).repeat(8)).expand(1, 1, 16, 16).to(dtype)

    assert smoothed(stripes, 2, 2).float().sub(50).abs().max() < 5
