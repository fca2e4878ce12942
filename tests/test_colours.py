"""Changes of colour: equal to torchvision's where they overlap, one pass for all of them; parts covered."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from coursekit.colours import (
    Brightness,
    ColourChange,
    Contrast,
    Erase,
    Hue,
    Recolour,
    Saturation,
)
from coursekit.tensors import Category, DicomImage, GrayImage, Image, Mask, plain


def photos(count=2, low=0.0, high=1.0):
    return torch.rand(count, 3, 9, 7, generator=torch.Generator().manual_seed(0)) * (high - low) + low


class TestEqualToTorchvision:
    @pytest.mark.parametrize("factor", [0.0, 0.6, 1.7])
    def test_brightness(self, factor):
        x = photos()
        ours = Recolour(Brightness((factor, factor))).encode(Image(x))
        torch.testing.assert_close(plain(ours), tv.adjust_brightness(x, factor))

    @pytest.mark.parametrize("factor", [0.0, 0.6, 1.7])
    def test_saturation(self, factor):
        x = photos()
        ours = Recolour(Saturation((factor, factor))).encode(Image(x))
        torch.testing.assert_close(plain(ours), tv.adjust_saturation(x, factor), atol=2e-4, rtol=0)

    @pytest.mark.parametrize("factor", [0.0, 0.6, 1.7])
    def test_contrast_about_the_same_middle(self, factor):
        x = photos(1)
        middle = tv.rgb_to_grayscale(x).mean().item()
        ours = Recolour(Contrast((factor, factor), about=middle)).encode(Image(x))
        torch.testing.assert_close(plain(ours), tv.adjust_contrast(x, factor), atol=2e-4, rtol=0)

    def test_hues_turn_the_same_way(self):
        red = torch.tensor([0.7, 0.3, 0.3]).reshape(1, 3, 1, 1)
        for turn in (0.08, -0.08):
            ours = plain(Recolour(Hue((turn, turn))).encode(Image(red))).flatten()
            theirs = tv.adjust_hue(red, turn).flatten()
            assert (ours[1] > ours[2]) == (theirs[1] > theirs[2])


def test_hue_leaves_grey_and_brightness_alone():
    x = photos(low=0.4, high=0.6)
    turned = plain(Recolour(Hue((0.2, 0.2))).encode(Image(x)))
    luma = torch.tensor([0.299, 0.587, 0.114]).reshape(3, 1, 1)
    torch.testing.assert_close((turned * luma).sum(1), (x * luma).sum(1))
    grey = torch.full((1, 3, 2, 2), 0.3)
    torch.testing.assert_close(plain(Recolour(Hue(0.5)).encode(Image(grey))), grey, atol=1e-3, rtol=0)


def test_a_whole_turn_is_none():
    x = photos()
    torch.testing.assert_close(plain(Recolour(Hue((1, 1))).encode(Image(x))), x, atol=1e-5, rtol=0)


def test_several_changes_are_one():
    x = photos(low=0.3, high=0.6)  # so that none of the single steps cuts anything off
    changes = Brightness((1.1, 1.1)), Contrast((0.9, 0.9)), Saturation((0.7, 0.7)), Hue((0.05, 0.05))
    one_by_one = Image(x)
    for change in changes:
        one_by_one = Recolour(change).encode(one_by_one)
    torch.testing.assert_close(plain(Recolour(*changes).encode(Image(x))), plain(one_by_one))


def test_values_stay_between_0_and_1():
    bright = plain(Recolour(Brightness((3, 3))).encode(Image(photos())))
    assert bright.min() >= 0
    assert bright.max() == 1


def test_whole_numbers_become_floats():
    x = torch.randint(0, 256, (2, 3, 4, 4), dtype=torch.uint8)
    made = Recolour(Brightness((0.5, 0.5))).encode(Image(x))
    torch.testing.assert_close(plain(made), x / 510)


def test_a_grey_picture_changes_as_one_whose_colours_are_alike():
    grey = torch.rand(2, 1, 5, 5)
    changes = Recolour(Brightness(0.2), Contrast(0.2), Saturation(0.5), Hue(0.1))
    changes.reseed(1)
    one = plain(changes.encode(GrayImage(grey)))
    changes.reseed(1)
    three = plain(changes.encode(Image(grey.repeat(1, 3, 1, 1))))
    torch.testing.assert_close(one.expand(-1, 3, -1, -1), three, atol=2e-3, rtol=0)


def test_only_pictures_change():
    scan, mask = DicomImage(torch.full((1, 4, 4), 0.5)), Mask(torch.ones(4, 4, dtype=torch.uint8))
    for step in (Recolour(Brightness((0, 0))), Erase(chance=1)):
        made = step.encode((scan, mask, Category(1)))
        assert all(
            torch.equal(plain(one), plain(other))
            for one, other in zip(made, (scan, mask, Category(1)), strict=True)
        )


def test_what_is_no_change_is_refused():
    with pytest.raises(TypeError, match=r"Recolour takes changes, such as Recolour\(Brightness.*; got 0.2"):
        Recolour(0.2)
    with pytest.raises(NotImplementedError, match=r"def draw\(self, count, chance\)"):
        Recolour(ColourChange()).encode(Image(photos()))


class TestErase:
    def covered(self, made, fill):
        return ((plain(made) - torch.as_tensor(fill).reshape(-1, 1, 1)).abs() < 1e-6).all(1)

    def test_one_rectangle_of_some_pictures(self):
        made = Erase(chance=0.5, fill=2 / 3).encode(Image(torch.zeros(200, 3, 32, 32)))
        covered = (plain(made)[:, 0] > 0.5).float()
        share = covered.mean((1, 2))
        assert (share > 0).float().mean().item() == pytest.approx(0.5, abs=0.12)
        assert share.max() < 0.25
        rows, columns = covered.amax(2), covered.amax(1)
        torch.testing.assert_close(rows[:, :, None] * columns[:, None], covered)

    @pytest.mark.parametrize("fill", [0.25, (0.1, 0.2, 0.3)])
    def test_it_is_covered_with_what_was_said(self, fill):
        x = photos(4)
        made = Erase(chance=1, fill=fill).encode(Image(x))
        inside = self.covered(made, fill)
        assert inside.any((1, 2)).all()
        outside = ~inside[:, None].expand_as(x)
        assert torch.equal(plain(made)[outside], x[outside])

    def test_by_a_colour_of_its_own(self):
        made = plain(Erase(chance=1, area=(1, 1), ratio=(1, 1), fill="random").encode(Image(photos(4))))
        assert len({tuple(one[:, 0, 0].tolist()) for one in made}) == 4
        assert (made - made[:, :, :1, :1]).abs().max() < 1e-6

    @pytest.mark.parametrize("area", [0.2, (0.5, 2), (0.2, 0.1), (0.1, 0.2, 0.3)])
    def test_a_share_that_is_no_pair_of_shares_is_refused(self, area):
        with pytest.raises(ValueError, match=r"share of the picture, such as \(0.02, 0.2\)"):
            Erase(area=area)

    def test_never_when_the_chance_is_none(self):
        x = photos()
        assert torch.equal(plain(Erase(chance=0).encode(Image(x))), x)
