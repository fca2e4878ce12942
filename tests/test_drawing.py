"""Flat things are drawn where they are, in their colours, and what was changed is noted."""

import pytest
import torch
from drawn import BOXES, EYES, MASK, NAN, PHOTO, ROW, drawn, legend, texts, titles
from matplotlib import pyplot

from coursekit.display import show
from coursekit.figures import colour_of, notes
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
    Row,
    Target,
    Text,
)

pytestmark = pytest.mark.usefixtures("fresh_figures")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
def test_a_picture_is_drawn_with_its_own_brightness(dtype):
    full = 255 if dtype == torch.uint8 else 1.0
    show(Image(torch.full((3, 2, 2), full, dtype=dtype)))

    assert drawn().min() == 1.0
    assert pyplot.gca().images[0].get_clim() == (0, 1)
    assert notes(pyplot.gca()) == []


def test_a_picture_lies_where_its_coordinates_say():
    """The pixel in the corner covers 0 to 1, so its middle is at a half."""
    show(Image(torch.zeros(3, 4, 6)))

    assert pyplot.gca().images[0].get_extent() == [0, 6, 4, 0]


def test_a_grey_picture_is_drawn_grey():
    show(GrayImage(torch.rand(1, 4, 6)), title="cell")

    assert drawn().shape == (4, 6)
    assert pyplot.gca().images[0].get_cmap().name == "gray"
    assert titles() == ["cell"]


def test_values_of_another_scale_are_stretched_and_it_says_so():
    show(Image(torch.tensor([-2.0, 0.0, 2.0]).reshape(1, 1, 3)))

    assert drawn().tolist() == [[0.0, 0.5, 1.0]]
    assert notes(pyplot.gca()) == ["values -2 to 2, stretched to black and white"]


def test_what_resizing_leaves_outside_is_no_other_scale():
    show(Image(torch.tensor([-0.001, 0.5, 1.001]).reshape(1, 1, 3)))

    assert drawn().tolist() == [[0.0, 0.5, 1.0]]
    assert notes(pyplot.gca()) == []


@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_pixels_that_are_no_number_are_defined(value):
    show(Image(torch.tensor([0.0, 1.0, value]).reshape(1, 1, 3)))
    said = notes(pyplot.gca())

    assert drawn()[0, 1].tolist() in ([1.0, 1.0, 1.0], 1.0)
    if value != value:
        assert drawn()[0, 2].tolist() == pytest.approx(colour_of(6))
        assert said == ["1 of 3 pixels are NaN (pink)"]
    else:
        assert (drawn()[0, 2], said) == (1.0, [])


def test_a_picture_of_nothing_but_nan_is_pink():
    show(Image(torch.full((3, 2, 2), NAN)))

    assert drawn()[0, 0].tolist() == pytest.approx(colour_of(6))


@pytest.mark.parametrize(
    ("channels", "said"),
    [(5, "5 channels, of which the first 3 are shown"), (2, "2 channels, of which the first is shown")],
)
def test_other_channels_are_left_out_and_it_says_so(channels, said):
    show(Image(torch.rand(channels, 6, 8)))

    assert notes(pyplot.gca()) == [said]


def test_a_picture_without_pixels_says_so():
    show(Image(torch.zeros(3, 0, 4)))
    show(Mask(torch.zeros(0, 4, dtype=torch.int64)))

    assert notes(pyplot.figure(1).axes[0]) == ["no pixels: 3 x 0 x 4"]
    assert notes(pyplot.figure(2).axes[0]) == ["a mask without pixels: 0 x 4"]


def test_a_slice_is_seen_through_its_window_and_in_millimetres():
    values = torch.tensor([[-1000, 0], [40, 900]], dtype=torch.int16)[None]
    show(DicomImage(values, window=(40, 400), spacing=(2.0, 1.0)))

    assert drawn().tolist() == [[0.0, pytest.approx(0.4)], [0.5, 1.0]]
    assert pyplot.gca().get_aspect() == 2.0


def test_a_slice_without_a_window_shows_all_its_values():
    show(DicomImage(torch.tensor([[[-1000.0, 0.0, 1000.0, NAN]]])))

    assert drawn()[0, :3, 0].tolist() == [0.0, 0.5, 1.0]


def test_a_mask_is_drawn_with_a_colour_for_each_class_and_a_legend():
    show(MASK)

    assert drawn()[1, 0].tolist() == pytest.approx([*colour_of(2), 1.0])
    assert legend() == ["sky", "tree", "grass"]


def test_a_mask_without_names_has_no_legend_and_numbers_below_zero_no_colour():
    show(Mask(torch.tensor([[-1, 9]])))

    assert drawn()[0, 0, 3] == 0.0
    assert drawn()[0, 1].tolist() == pytest.approx([*colour_of(9), 1.0])
    assert legend() == []


def test_many_classes_keep_their_colours_apart():
    show(Mask(torch.arange(24).reshape(4, 6), vocab=tuple(map(str, range(24)))))

    assert len({tuple(colour) for row in drawn().tolist() for colour in row}) == 24
    assert len(legend()) == 12
    assert notes(pyplot.gca()) == ["24 classes, of which 12 are named"]


def test_a_mask_over_a_picture_leaves_class_0_clear():
    show((PHOTO, MASK))

    assert drawn(1)[0, 0, 3] == 0.0
    assert 0 < drawn(1)[1, 0, 3] < 1
    assert legend() == ["tree", "grass"]
    assert pyplot.gca().images[1].get_extent() == [0, 60, 40, 0]
    assert notes(pyplot.gca()) == ["the mask, 2 x 3, is stretched over 40 x 60"]


@pytest.mark.parametrize("over", [(), (PHOTO,)])
def test_boxes_have_frames_and_names_and_a_missing_one_has_none(over):
    show((*over, BOXES))
    frames = [patch for patch in pyplot.gca().patches if not patch.get_fill()]

    assert [frame.get_bbox().extents.tolist() for frame in frames] == [[2, 4, 30, 30], [40, 20, 58, 39]]
    assert texts() == ["cat", "dog"]
    assert frames[0].get_edgecolor()[:3] == pytest.approx(colour_of(0, first=1))
    assert pyplot.gca().get_xlim() == (0, 60)
    assert pyplot.gca().get_ylim() == (40, 0)


def test_boxes_for_another_picture_are_named_as_such():
    show((PHOTO, Boxes([[0, 0, 5, 5]], canvas=(10, 10))))

    assert notes(pyplot.gca()) == ["the boxes are for 10 x 10, not 40 x 60"]


def test_no_boxes_and_points_that_are_not_there_are_drawn_as_nothing():
    show((PHOTO, Boxes(torch.zeros(0, 4)), Keypoints(torch.full((3, 2), NAN))))
    show(Boxes([]))
    show(PointCloud(torch.full((4, 3), NAN)))

    assert pyplot.figure(1).axes[0].lines[:] == []
    assert not [patch for patch in pyplot.figure(2).axes[0].patches if not patch.get_fill()]
    assert len(pyplot.figure(3).axes[0].collections[0].get_offsets()) == 0


@pytest.mark.parametrize("over", [(), (PHOTO,)])
def test_points_have_names_and_mates_one_colour(over):
    show((*over, EYES))
    points = pyplot.gca().lines

    assert [(*point.get_xdata(), *point.get_ydata()) for point in points] == [(10, 8), (20, 8)]
    assert texts() == ["left eye", "right eye"]
    assert points[0].get_color() == points[1].get_color()


def test_many_points_are_drawn_without_their_names():
    show(Keypoints(torch.rand(40, 2), names=tuple(map(str, range(40)))))

    assert len(pyplot.gca().lines) == 40
    assert texts() == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a word", "a word"),
        (Category(1, vocab=("sound", "broken")), "broken"),
        (MultiCategory(["cat", "dog"], vocab=("cat", "dog")), "cat, dog"),
        (MultiCategory([0.0, 0.0]), "none of them"),
        (Target(12.5, unit="kg"), "12.5 kg"),
        (Text("a crack"), "a crack"),
        (3, "3"),
        (0.25, "0.25"),
    ],
)
def test_words_and_numbers_are_written(value, words):
    show(value)

    assert texts() == [words]


def test_a_long_text_is_broken_into_lines_and_its_end_left_out():
    show(Text("word " * 400), "a review")

    assert texts()[0].startswith("word word")
    assert max(map(len, texts()[0].split("\n"))) < 100
    assert notes(pyplot.gca())[0].startswith("the first ")
    assert titles() == ["a review"]


def test_a_row_is_a_table_of_two_columns():
    show(ROW)

    assert texts() == ["age", "39", "job", "nurse", "height", "missing"]


def test_a_row_without_names_and_a_long_one():
    show(Row(torch.arange(30.0)))

    assert texts()[:2] == ["column 0", "0"]
    assert notes(pyplot.gca()) == ["the first 20 of 30 columns"]
