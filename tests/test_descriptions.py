"""What is said of a drawing, word by word: what is there, how much of it, and where."""

import pytest
import torch
from drawn import BOXES, EYES, MASK, NAN, PHOTO, ROW, SCAN

from coursekit.descriptions import alt_text, together
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
    Target,
    Text,
    TypedTensor,
    VolumeMask,
)


class Sound(TypedTensor):
    axes = ("time",)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (PHOTO, "A colour picture, 40 pixels high and 60 wide."),
        (GrayImage(torch.rand(1, 4, 6)), "A grey picture, 4 pixels high and 6 wide."),
        (Image(torch.rand(5, 4, 6)), "A picture of 5 channels, 4 pixels high and 6 wide."),
        (
            DicomImage(torch.zeros(1, 20, 10), spacing=(2, 1.5), window=(40, 400)),
            "A slice of a scan, 20 pixels high and 10 wide (40 x 15 mm), "
            "values from -160 (black) to 240 (white).",
        ),
        (MASK, "A mask 2 pixels high and 3 wide: grass 50 %, tree 33 %, sky 17 %."),
        (Mask(torch.zeros(0, 3, dtype=torch.int64)), "A mask 0 pixels high and 3 wide: empty."),
        (
            Mask((torch.arange(1000) == 0).long().reshape(10, 100)),
            "A mask 10 pixels high and 100 wide: class 0 100 %, class 1 under 1 %.",
        ),
        (BOXES, "2 boxes: cat at the left, dog at the bottom right."),
        (Boxes([[0, 0, 4, 6]]), "1 box: one at 2, 3."),
        (Boxes([]), "No boxes."),
        (
            Boxes([[0, 0, 1, 1]] * 9, labels=("red", "white", "red") * 3, vocab=("red", "white")),
            "9 boxes: 6 red, 3 white.",
        ),
        (EYES, "2 points (1 more not to be seen): left eye at the top left, right eye at the top."),
        (Keypoints(torch.rand(9, 2)), "9 points."),
        (Keypoints([[NAN, NAN]]), "No points (1 more not to be seen)."),
        (
            PointCloud([[0, 1, 2], [1.5, 1, 2]]),
            "A cloud of 2 points in space: x from 0 to 1.5, y from 1 to 1, z from 2 to 2.",
        ),
        (PointCloud([[NAN] * 3]), "A cloud of no points."),
        (
            SCAN,
            "Three slices through the middle of a scan of 8 x 20 x 30 voxels (40 x 20 x 60 mm), "
            "across depth, height and width.",
        ),
        (
            VolumeMask(torch.ones(2, 3, 4, dtype=torch.int64), vocab=("air", "bone")),
            "A mask of 2 x 3 x 4 voxels, in three slices through its middle: bone 100 %.",
        ),
        (Text("a crack"), "The text “a crack”."),
        ("ab " * 100, f"The text “{'ab ' * 66}ab ...”."),
        (Category(1, vocab=("cat", "dog")), "The text “dog”."),
        (MultiCategory([0.0, 0.0]), "The text “none of them”."),
        (Target(2, unit="kg"), "The text “2 kg”."),
        (0.5, "The text “0.5”."),
        (ROW, "A row of a table: age 39, job nurse, height missing."),
        (
            (PHOTO, MASK, BOXES, "a yard"),
            "A colour picture, 40 pixels high and 60 wide, with a mask: grass 50 %, tree 33 %, sky 17 %, "
            "with 2 boxes: cat at the left, dog at the bottom right, titled “a yard”.",
        ),
        (
            {"photo": PHOTO, "label": "yard"},
            "2 drawings. (1) photo: A colour picture, 40 pixels high and 60 wide. "
            "(2) label: The text “yard”.",
        ),
        (
            Image(torch.rand(20, 3, 4, 6)),
            "12 drawings, the first of 20. Each: A colour picture, 4 pixels high and 6 wide.",
        ),
        (Sound(torch.zeros(16)), "A drawing of a Sound, 16."),
        (object(), "A drawing of a object."),
    ],
)
def test_what_is_said(value, words):
    assert alt_text(value) == words


def test_more_classes_than_a_sentence_holds_are_counted():
    text = alt_text(Mask(torch.arange(100).reshape(10, 10)))

    assert text.endswith("class 5 1 % and 94 more.")


def test_a_type_of_ones_own_can_say_what_it_is():
    @alt_text.method
    def _(x: Sound) -> str:
        return f"A sound of {len(x)} samples."

    assert alt_text((Sound(torch.zeros(16)), "clap")) == "A sound of 16 samples, titled “clap”."


def test_a_window_that_is_not_known_is_not_told():
    assert alt_text(DicomImage(torch.zeros(1, 2, 2), window=(None, None))).endswith("2 wide.")


def test_a_title_that_is_said_already_is_not_said_twice():
    assert together([("dog", "The text “dog”.")]) == "The text “dog”."
    assert together([("x", "1 box.")]) == "1 box, titled “x”."


def test_a_record_of_words_and_amounts_reads_as_a_row():
    assert alt_text({"week": 7, "food": "Cu035"}) == "A row of a table: week 7, food Cu035."
