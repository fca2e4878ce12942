"""Boxes and key points are made from the forms that annotations have, and learn names from training items."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

import coursekit as kit
from coursekit.creating import ShareCanvas

NAN = float("nan")


@pytest.mark.parametrize(
    "raw",
    [
        ([[0, 1, 4, 5], [2, 2, 3, 3]], ["cow", "pig"]),
        {"boxes": [[0, 1, 4, 5], [2, 2, 3, 3]], "labels": ["cow", "pig"]},
        {"bbox": numpy.array([[0, 1, 4, 5], [2, 2, 3, 3]]), "category": numpy.array(["cow", "pig"])},
        {"left": [0, 2], "top": [1, 2], "right": [4, 3], "bottom": [5, 3], "what": ["cow", "pig"]},
        {"bbox": [[0, 1, 4, 5], [2, 2, 3, 3]], "species": ["cow", "pig"]},
        [
            {"bbox": [0, 1, 4, 5], "category": "cow", "id": 7},
            {"bbox": [2, 2, 3, 3], "category": "pig", "id": 8},
        ],
    ],
)
def test_boxes_come_in_many_forms(raw: Any) -> None:
    create = kit.CreateBoxes()
    create.setup([raw])
    boxes = create.encode(raw)

    assert boxes.tolist() == [[0, 1, 4, 5], [2, 2, 3, 3]]
    assert boxes.labels == (0, 1)
    assert boxes.vocab == ("cow", "pig")


def test_boxes_without_classes_and_none_at_all() -> None:
    create = kit.CreateBoxes()
    create.setup([[[0, 0, 1, 1]]])

    assert create.encode([0, 0, 1, 1]).shape == (1, 4)
    assert create.encode([]).shape == (0, 4)
    assert create.encode(torch.zeros(2, 4)).labels is None
    assert create.encode({"l": 1.0, "t": NAN, "r": 2.0, "b": 3.0}).present.tolist() == [False]


def test_one_class_of_all_boxes_and_two_classes_of_one_box() -> None:
    create = kit.CreateBoxes(vocab=("cow", "pig"))
    box = [0, 0, 1, 1]

    assert create.encode({"bbox": [box, box], "label": "pig"}).labels == (1, 1)
    assert create.encode({"bbox": box, "label": ["cow", "pig"]}).tolist() == [box, box]


def test_a_picture_whose_boxes_are_missing_has_none() -> None:
    """A table joined with one of annotations has NaN there for pictures without any."""
    create = kit.CreateBoxes()
    create.setup([{"bbox": [[0, 0, 1, 1]], "kind": ["cow"]}, {"bbox": NAN, "kind": NAN}])

    for none in ({"bbox": NAN, "kind": NAN}, []):
        boxes = create.encode(none)
        assert (tuple(boxes.shape), boxes.labels) == ((0, 4), ())
    edges = {"left": NAN, "top": NAN, "right": NAN, "bottom": NAN, "kind": NAN}
    assert create.encode(edges).labels == (None,)
    with pytest.raises(ValueError, match="or of four or five columns: left, top, right, bottom, class"):
        create.encode({"left": 1, "top": 2, "kind": "cow"})


def test_boxes_as_width_and_height() -> None:
    assert kit.CreateBoxes(form="xywh").encode([[1, 2, 3, 4]]).tolist() == [[1, 2, 4, 6]]
    with pytest.raises(ValueError, match="'xyxy' or 'xywh'; got 'cxcywh'"):
        kit.CreateBoxes(form="cxcywh")


def test_a_class_that_no_training_item_has_is_refused() -> None:
    create = kit.CreateBoxes()
    create.setup([([[0, 0, 1, 1]], ["cow"])])

    with pytest.raises(
        ValueError, match="'pig' is none of the classes that boxes of the training items have"
    ):
        create.encode(([[0, 0, 1, 1]], ["pig"]))


def test_key_points_from_columns_and_rows() -> None:
    create = kit.CreateKeypoints(names=("nose", "tail"))

    assert create.encode({"nx": 1, "ny": 2, "tx": None, "ty": 3}).present.tolist() == [True, False]
    assert create.encode([[1, 2], [3, 4]]).names == ("nose", "tail")
    with pytest.raises(ValueError, match="x and y of each; 3 columns came"):
        create.encode({"a": 1, "b": 2, "c": 3})


@pytest.mark.parametrize("tail", [None, [None, None], [5.0, NAN]])
def test_a_key_point_that_is_missing_is_a_row_of_nan(tail: Any) -> None:
    create = kit.CreateKeypoints(names=("nose", "tail"))
    there = {"nose": [1, 2]} | ({} if tail is None else {"tail": tail})

    for points in (
        create.encode([[1, 2], tail]),
        create.encode(there),
        create.encode({"tail": tail, **there}),
    ):
        assert points.present.tolist() == [True, False]
        assert points[0].tolist() == [1, 2]
        assert points[1].isnan().all()


def test_key_points_by_name_are_taken_in_an_order_that_was_said() -> None:
    with pytest.raises(ValueError, match=r"'tail' is none of names=\(\), which say in which order"):
        kit.CreateKeypoints().encode({"tail": [5, 6], "nose": [1, 2]})


@pytest.mark.parametrize("three", [[10, 5, 2, 0, 0, 0], [[10, 5, 2], [0, 0, 0]], numpy.zeros((2, 3))])
def test_key_points_of_three_numbers_are_refused_with_what_to_write(three: Any) -> None:
    with pytest.raises(ValueError, match="as in COCO, is left out, and a point that cannot be seen is None"):
        kit.CreateKeypoints().encode(three)


def test_what_lies_on_a_picture_learns_its_size_and_moves_with_it() -> None:
    rows = [
        {
            "photo": torch.zeros(3, 20, 30, dtype=torch.uint8),
            "boxes": ([[3, 2, 9, 10]], ["cow"]),
            "points": [[6, 4]],
        }
        for _ in range(3)
    ]
    block = kit.DataBlock(
        kit.Image,
        (kit.Boxes, kit.Keypoints),
        ([0, 1], [2]),
        "photo",
        ("boxes", "points"),
        item_transforms=[kit.Resize((10, 10))],
    )
    _, (boxes, points) = block.loaders(rows).one_batch()

    assert boxes.canvas == points.canvas == ((10, 10),) * 2
    assert boxes[0].tolist() == [[1, 1, 3, 5]]
    assert points[0].tolist() == [[2, 2]]


def test_a_canvas_that_is_known_stays() -> None:
    photo, boxes = kit.Image(torch.zeros(3, 4, 6)), kit.Boxes([[0, 0, 1, 1]], canvas=(8, 12))

    assert ShareCanvas().encode((photo, {"boxes": boxes}))[1]["boxes"].canvas == (8, 12)
    assert ShareCanvas().encode(("no picture", boxes))[1] is boxes


def test_a_mask_that_does_not_fit_its_picture_is_refused() -> None:
    photo = kit.Image(torch.zeros(3, 4, 6))

    with pytest.raises(ValueError, match="the picture is 4 x 6 pixels and its mask 6 x 4: does the mask"):
        ShareCanvas().encode((photo, kit.Mask(torch.zeros(6, 4, dtype=torch.uint8))))
    ShareCanvas().encode((photo, kit.Mask(torch.zeros(4, 6, dtype=torch.uint8))))


def test_a_row_a_box_becomes_an_item_a_picture() -> None:
    rows = {
        "photo": ["a", "b", "a", "c"],
        "left": [1, 2, 1, 0],
        "top": [0, 0, 2, 0],
        "right": [4, 4, 4, 3],
        "bottom": [3, 3, 5, 3],
        "what": ["cow", "pig", "cow", "pig"],
    }
    columns = ["left", "top", "right", "bottom", "what"]
    block = kit.DataBlock(kit.Text, kit.Boxes, ([0, 1], [2]), target_from=columns, find=kit.Together("photo"))
    data = block.loaders(rows, seed=1)
    found = {str(text): boxes for text, boxes in data.decode_batch(data.one_batch())}

    assert found["a"].tolist() == [[1, 0, 4, 3], [1, 2, 4, 5]]
    assert found["a"].labels == (0, 0)
    assert found["b"].labels == (1,)


def test_channels_that_stand_last_are_told_by_the_mask() -> None:
    photo, mask = kit.Image(torch.zeros(20, 10, 13)), kit.Mask(torch.zeros(20, 10, dtype=torch.uint8))

    with pytest.raises(ValueError, match=r"channels seem to stand last\. Move them to the front"):
        ShareCanvas().encode((photo, mask))
