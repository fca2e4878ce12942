"""Boxes, key points and point clouds: how they are made, what they know, what a choice among them keeps."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torchvision import tv_tensors

from coursekit.tensors import Boxes, Keypoints, PointCloud, collate_typed, plain

MISSING = float("nan")


def boxes() -> Boxes:
    return Boxes(
        [[2, 3, 20, 18], [5, 5, 9, 9], [0, 0, 4, 4]],
        canvas=(24, 32),
        labels=("dog", "cat", "dog"),
        vocab=("cat", "dog"),
    )


def face() -> Keypoints:
    names = ("left eye", "right eye", "nose")
    return Keypoints([[20, 8], [11, 9], [15, 14]], canvas=(24, 32), names=names, pairs=(names[:2],))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: Boxes([[5, 5, 1, 9]]),
            "row 0 is [5.0, 5.0, 1.0, 9.0]. If yours are left, top, width, height",
        ),
        (lambda: Boxes([[1, 2, 3]]), "Boxes are rows of left, top, right and bottom in floating point"),
        (lambda: Boxes([[1, 2, 3, 4]], labels=(1, 2)), "Boxes has 2 labels and 1 boxes."),
        (lambda: Boxes(torch.zeros(4)), "got a float32 tensor of shape (4,) on cpu."),
        (lambda: Keypoints([[1, 2, 3]]), "Keypoints are rows of x and y in floating point"),
        (lambda: Keypoints([[1, 2]], canvas=(0, 9)), "(height, width), more than 0; got (0, 9)."),
        (lambda: Keypoints([[1, 2]], canvas=(3, 9, 9)), "(height, width), more than 0; got (3, 9, 9)."),
        (lambda: Keypoints([[1, 2]], names=("a", "b")), "Keypoints has 2 names and 1 points."),
        (lambda: Keypoints([[1, 2]], names=("a",), pairs=(("a", "b"),)), "'b' is not among the names"),
        (lambda: PointCloud([[1, 2]]), "PointCloud are rows of x, y, z, and what else is known"),
        (lambda: PointCloud([[1, 2, 3]], canvas=(9, 9)), "(depth, height, width), more than 0"),
    ],
)
def test_what_cannot_be_is_refused_with_what_came(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_whole_numbers_become_floats_and_a_tensor_of_floats_is_not_copied() -> None:
    values = torch.rand(5, 4)

    assert Boxes([[1, 2, 3, 4]]).dtype == torch.float32
    assert PointCloud(values).data_ptr() == values.data_ptr()


@pytest.mark.parametrize(("kind", "columns"), [(Boxes, 4), (Keypoints, 2), (PointCloud, 3)])
def test_none_at_all(kind: Any, columns: int) -> None:
    none = kind([])

    assert none.shape == (0, columns)
    assert none.present.tolist() == []


def test_boxes_of_corner_and_size() -> None:
    assert Boxes.from_xywh([[2, 3, 18, 15]], canvas=(24, 32)).tolist() == [[2, 3, 20, 18]]


@pytest.mark.parametrize(
    "index",
    [slice(1, None), [1, 2], torch.tensor([1, 2]), torch.tensor([False, True, True])],
    ids=["slice", "list", "numbers", "mask"],
)
def test_labels_stay_with_their_boxes(index: Any) -> None:
    chosen = boxes()[index]

    assert type(chosen) is Boxes
    assert chosen.labels == (0, 1)
    assert chosen.canvas == (24, 32)
    assert collate_typed([boxes(), boxes()])[:, index].labels == ((0, 1), (0, 1))
    assert collate_typed([boxes(), boxes()])[0, index].labels == (0, 1)


def test_names_stay_with_their_points() -> None:
    assert face()[[2, 0]].names == ("nose", "left eye")
    assert collate_typed([face(), face()])[:, 1:].names == ("right eye", "nose")


@pytest.mark.parametrize("index", [0, (slice(None), 0), (slice(None), slice(2)), (0, 0), (..., 0)])
def test_what_is_no_row_any_more_is_plain(index: Any) -> None:
    assert type(boxes()[index]) is torch.Tensor


def test_one_row_of_each_item_is_plain_although_it_has_the_shape() -> None:
    assert type(collate_typed([boxes(), boxes()])[:, 0]) is torch.Tensor


def test_numbers_of_points_are_plain_after_arithmetic_since_the_canvas_would_be_wrong() -> None:
    assert type(face() * 2) is torch.Tensor
    assert type(face().clone()) is Keypoints


def test_rows_that_are_not_there() -> None:
    points = Keypoints([[1, 2], [MISSING, MISSING], [3, MISSING]])

    assert points.present.tolist() == [True, False, False]
    assert type(points.present) is torch.Tensor
    assert repr(points) == "Keypoints(3x2, float32, 1..3 and NaN)"
    assert repr(points[1:2]) == "Keypoints(1x2, float32, all NaN)"


def test_each_item_of_a_batch_has_its_canvas() -> None:
    one, other = Keypoints([[1, 2]], canvas=(4, 6)), Keypoints([[1, 2]], canvas=(8, 8))

    assert collate_typed([one, other]).canvas == ((4, 6), (8, 8))
    assert collate_typed([one, other])[1].canvas == (8, 8)


@pytest.mark.parametrize("kind", [Boxes, Keypoints])
def test_torchvision_both_ways_without_a_copy(kind: Any) -> None:
    ours: Any = boxes() if kind is Boxes else face()
    theirs = ours.to_tv()

    assert isinstance(theirs, tv_tensors.BoundingBoxes if kind is Boxes else tv_tensors.KeyPoints)
    assert theirs.canvas_size == (24, 32)
    assert kind(theirs).canvas == (24, 32)
    assert kind(theirs).data_ptr() == plain(ours).data_ptr()


def test_boxes_in_another_form_of_torchvision() -> None:
    theirs = tv_tensors.BoundingBoxes([[2, 3, 18, 15]], format="XYWH", canvas_size=(24, 32))

    assert Boxes(theirs).tolist() == [[2, 3, 20, 18]]


def test_one_canvas_for_a_batch_is_that_of_each_item() -> None:
    assert Keypoints(torch.zeros(2, 5, 2), canvas=(24, 32)).canvas == ((24, 32), (24, 32))
    assert Boxes(torch.zeros(2, 5, 4), canvas=((24, 32), None)).canvas == ((24, 32), None)


def test_one_number_is_no_canvas() -> None:
    with pytest.raises(ValueError, match=r"The canvas of Boxes is \(height, width\), more than 0; got 5"):
        Boxes([[0, 0, 1, 1]], canvas=5)


def test_an_axis_made_by_true_is_no_axis_of_items() -> None:
    assert type(boxes()[True]) is type(boxes()[None][True]) is torch.Tensor


def test_a_label_that_the_vocabulary_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"The vocab of these Boxes has no 'hen'; it is \('cat',\)"):
        Boxes([[0, 0, 1, 1], [1, 1, 2, 2]], labels=("cat", "hen"), vocab=("cat",))
