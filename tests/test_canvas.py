"""Where things lie is read from shape and metadata alike, of one item or of each in a batch."""

import numpy as np
import pytest
import torch

from coursekit.canvas import angle, axis_number, canvases, changed, each, plane, read_lengths, turned_letters
from coursekit.tensors import Boxes, Image, Keypoints, Volume


def test_metadata_of_one_item_and_of_a_batch_are_lists():
    one = Boxes([[0, 0, 1, 1]], canvas=(4, 6))
    batch = Boxes(torch.zeros(2, 1, 4), canvas=((4, 6), (8, 9)))

    assert each(one, "canvas") == [(4, 6)]
    assert each(batch, "canvas") == [(4, 6), (8, 9)]
    assert each(Boxes(torch.zeros(2, 1, 4)), "canvas") == [None, None]


def test_the_canvas_of_a_picture_is_its_shape():
    assert canvases(Image(torch.zeros(2, 3, 4, 6)), "crop") == [(4, 6), (4, 6)]


def test_an_unknown_canvas_is_asked_for():
    with pytest.raises(ValueError, match=r"crop of Keypoints .*: Keypoints\(x, canvas=\(height, width\)\)"):
        canvases(Keypoints([[1, 2]]), "crop")


def test_what_is_not_known_stays_unknown():
    volume = Volume(torch.zeros(1, 2, 3, 4), spacing=(1, 1, 1))

    new = changed(volume, torch.zeros(1, 2, 3, 4), spacing=[(2, 2, 2)], orientation=["SPL"])

    assert (new.spacing, new.orientation) == ((2, 2, 2), None)


def test_the_plane_that_turns_is_that_of_the_slices():
    volume = Volume(torch.zeros(1, 2, 3, 4))

    assert [plane(volume, axis) for axis in ("depth", "height", "width")] == [(1, 2), (0, 2), (0, 1)]


def test_an_axis_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="flip of an Image knows the axes height, width; got 'depth'"):
        axis_number(Image(torch.zeros(3, 4, 6)), "depth", "flip")


@pytest.mark.parametrize("given", [2.5, (1, 2, 3), "4", (float("nan"), 2), None])
def test_sizes_that_are_none_are_refused_in_words(given):
    with pytest.raises(
        ValueError, match=r"takes the size as \(height, width\) in whole pixels, or as one num"
    ):
        read_lengths(Image(torch.zeros(3, 4, 6)), given, "resize", "size")


@pytest.mark.parametrize("given", [float("nan"), float("inf"), "30", None, torch.tensor(30.0)])
def test_angles_that_are_none_are_refused_in_words(given):
    with pytest.raises(ValueError, match="rotate turns by a number of degrees, such as 30; got "):
        angle(given)


def test_letters_come_back_after_four_quarters():
    assert turned_letters("SPL", 1, 0, 2) != "SPL"
    assert turned_letters("SPL", 4, 0, 2) == "SPL"
    assert turned_letters(turned_letters("SPL", 1, 0, 2), -1, 0, 2) == "SPL"


def test_lengths_are_kept_as_numbers_that_can_be_compared_and_saved():
    spacing = Volume(torch.zeros(2, 2, 2), spacing=np.array([2, 1, 1], dtype=np.float32)).spacing
    boxes = Boxes([[0, 0, 1, 1]], canvas=torch.tensor([4, 6]), labels=np.array([1]))

    assert [type(length) for length in spacing] == [float] * 3
    assert repr((boxes.canvas, boxes.labels)) == "((4, 6), (1,))"
