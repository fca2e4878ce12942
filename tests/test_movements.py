"""Movements: what each draws, how often it happens, and one of one's own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from coursekit.augment import Warp
from coursekit.draws import uniform
from coursekit.movements import (
    Crop,
    Fit,
    Flip,
    Frame,
    Movement,
    Perspective,
    Rotate,
    Shear,
    Shift,
    Zoom,
    matrices,
)
from coursekit.tensors import Image, Keypoints, plain

EVERY = [Crop(), Flip(), Flip("height"), Perspective(), Rotate(10), Shear(10), Shift(), Zoom()]


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("movement", EVERY, ids=repr)
def test_draws_do_not_depend_on_the_shape_of_a_picture(movement):
    """So that a picture and a mask of another shape are given the same numbers."""
    first, second = chance(), chance()
    movement.draw(Frame.of(3, aspect=1, source=1), first)
    movement.draw(Frame.of(3, aspect=2, source=0.5), second)
    assert torch.equal(first.get_state(), second.get_state())


@pytest.mark.parametrize("movement", EVERY, ids=repr)
def test_pictures_are_given_different_draws(movement):
    drawn = movement.happening(movement.draw(Frame.of(50), chance()), 50, chance(1))
    assert drawn.shape == (50, 3, 3)
    assert len(drawn.unique(dim=0)) > 1


def test_ranges_are_kept():
    wide = Frame.of(500, aspect=1.5)
    turned = Rotate((10, 20)).draw(wide, chance())
    angle = torch.atan2(turned[:, 0, 1], turned[:, 0, 0]).rad2deg()
    assert ((angle >= 10) & (angle <= 20)).all()
    zoomed = Zoom((1.1, 1.3)).draw(wide, chance())[:, 0, 0]
    assert ((zoomed >= 1.1) & (zoomed <= 1.3)).all()
    shifted = Shift(0.1).draw(wide, chance())
    assert shifted[:, 0, 2].abs().max() <= 0.3  # a tenth of a width of 3
    assert shifted[:, 1, 2].abs().max() <= 0.2


def test_it_happens_as_often_as_it_should():
    movement = Rotate(10, chance=0.3)
    drawn = movement.happening(movement.draw(Frame.of(2000), chance()), 2000, chance(1))
    still = (drawn == torch.eye(3)).all((1, 2)).float().mean()
    assert still == pytest.approx(0.7, abs=0.05)


class TestCrop:
    def test_parts_lie_within_the_picture_and_have_the_area_and_shape(self):
        frame = Frame.of(2000, aspect=1, source=1.5)
        matrix = Crop(scale=(0.3, 0.5), ratio=(0.8, 1.25)).draw(frame, chance())
        wide, high = 1 / matrix[:, 0, 0], 1 / matrix[:, 1, 1]
        x, y = -matrix[:, 0, 2] * wide, -matrix[:, 1, 2] * high
        assert (x.abs() + wide <= 1 + 1e-9).all()
        assert (y.abs() + high <= 1 + 1e-9).all()
        assert ((wide * high >= 0.3) & (wide * high <= 0.5)).all()
        ratio = wide * 1.5 / high
        assert ((ratio >= 0.8 - 1e-9) & (ratio <= 1.25 + 1e-9)).all()

    def test_a_part_that_never_fits_is_cut_off(self):
        matrix = Crop(scale=(0.9, 0.9), ratio=(1, 1)).draw(Frame.of(20, aspect=1, source=4), chance())
        assert (matrix[:, 1, 1] == 1).all()

    def test_a_frame_without_chance_is_filled(self):
        assert Crop().calm() == Fit("crop")


def test_fit_knows_its_methods():
    with pytest.raises(ValueError, match="Fit knows the methods 'crop', 'pad', 'squeeze'; got 'stretch'"):
        Fit("stretch")


def test_axes_and_ranges_that_are_none_are_refused():
    for kind in (Flip, lambda axis: Rotate(10, axis), lambda axis: Shear(10, axis)):
        with pytest.raises(ValueError, match=r"knows the axes .*; got 'horizontal'"):
            kind("horizontal")
    for scale in (0.35, (1, 0.35), (0.35, 2), (0, 1)):
        with pytest.raises(ValueError, match=r"such as \(0.35, 1\), and of width by height"):
            Crop(scale)


@pytest.mark.parametrize("kind", [Rotate, Shear])
def test_two_numbers_that_are_no_pair_are_told_so(kind):
    with pytest.raises(ValueError, match=r"takes degrees, 10 or a pair \(10, 20\), .*; got 20"):
        kind(20, 20)


def test_a_pair_of_the_same_number_leaves_nothing_to_chance():
    frame, fifths = Frame.of(5), torch.full((5, 2), 0.2, dtype=torch.float64)
    torch.testing.assert_close(Shift((0.1, 0.1)).draw(frame, chance())[:, :2, 2], fifths)
    torch.testing.assert_close(Perspective((0.2, 0.2)).draw(frame, chance())[:, 2, :2], fifths)


def test_a_zoom_of_one_number_goes_from_none_to_that():
    drawn = Zoom(1.5).draw(Frame.of(200), chance())[:, 0, 0]
    assert 1 <= drawn.min() < 1.1
    assert 1.4 < drawn.max() <= 1.5


class TestOneOfOnesOwn:
    def test_it_is_a_few_lines(self):
        @dataclass(frozen=True)
        class Wobble(Movement):
            """Make a picture wider by up to a tenth and lower by as much, or the other way round."""

            amount: float = 0.1
            chance: float = 1.0

            def draw(self, frame, chance):
                wider = uniform(chance, frame.count, 1 - self.amount, 1 + self.amount)
                return matrices((wider, 0, 0), (0, 1 / wider, 0))

        pictures, places = (
            Image(torch.rand(4, 3, 8, 12)),
            Keypoints([[[6.0, 4], [8, 4]]] * 4, canvas=((8, 12),) * 4),
        )
        moved, points = Warp(Wobble(0.1), Flip(chance=1)).encode((pictures, places))
        assert moved.shape == pictures.shape
        assert not torch.equal(plain(moved)[0], plain(moved)[1])
        torch.testing.assert_close(plain(points)[:, 0], torch.tensor([[6.0, 4]] * 4))
        assert ((plain(points)[:, 1, 0] > 3.7) & (plain(points)[:, 1, 0] < 4.3)).all()

    def test_a_forgotten_draw_is_said(self):
        with pytest.raises(NotImplementedError, match=r"def draw\(self, frame, chance\)"):
            Movement().draw(Frame.of(1), chance())

    def test_a_wrong_shape_is_said(self):
        class Wrong(Movement):
            def draw(self, frame, chance):
                return torch.eye(3).repeat(2, 1, 1)

        with pytest.raises(
            ValueError, match=r"Wrong.draw gives a matrix for each of 5, \(5, 3, 3\).*\(2, 3, 3\)"
        ):
            Warp(Wrong()).encode(Image(torch.rand(5, 3, 4, 4)))
