"""Everything can be looked at, and what cannot is refused in words."""

import pytest
import torch
from matplotlib import pyplot

from coursekit.choices import NoMethodError
from coursekit.display import VIEWERS, show, show_grid, show_heat, show_results
from coursekit.figures import WRONG, colour_of, notes
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
    TypedTensor,
    Volume,
    VolumeMask,
)

NAN = float("nan")
PHOTO = Image(torch.rand(3, 40, 60))
MASK = Mask(torch.tensor([[0, 1, 1], [2, 2, 2]]), vocab=("sky", "tree", "grass"))
BOXES = Boxes(
    [[2, 4, 30, 30], [NAN] * 4, [40, 20, 58, 39]],
    labels=("cat", "cat", "dog"),
    vocab=("cat", "dog"),
    canvas=(40, 60),
)
EYES = Keypoints(
    [[10, 8], [20, 8], [NAN, NAN]],
    names=("left eye", "right eye", "nose"),
    pairs=(("left eye", "right eye"),),
    canvas=(40, 60),
)
SCAN = Volume(torch.rand(8, 20, 30), spacing=(5, 1, 2), orientation="SPL")
ROW = Row({"age": 39, "job": "nurse", "height": None}, vocabs={"job": ("baker", "nurse")})


@pytest.fixture(autouse=True)
def fresh_figures():
    pyplot.close("all")
    yield
    pyplot.close("all")


def drawn(number=0):
    return pyplot.gca().images[number].get_array()


def texts():
    return [text.get_text() for text in pyplot.gca().texts]


def titles():
    return [axes.get_title() for axes in pyplot.gcf().axes]


def legend():
    found = pyplot.gca().get_legend()
    return [text.get_text() for text in found.get_texts()] if found else []


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


def test_a_scan_is_three_slices_in_millimetres_with_the_sides_of_the_patient():
    show(SCAN)
    extents = [image.get_extent() for image in pyplot.gca().images]

    assert [image.get_array().shape for image in pyplot.gca().images] == [(20, 30), (8, 30), (8, 20)]
    assert [(e[1] - e[0], abs(e[2] - e[3])) for e in extents] == [(60, 20), (60, 40), (20, 40)]
    assert [text for text in texts() if len(text) > 1] == [
        "depth 4 of 8",
        "height 10 of 20",
        "width 15 of 30",
    ]
    assert "".join(text for text in texts() if len(text) == 1) == "APRLSIRLSIAP"


def test_the_head_is_at_the_top_where_depth_leads_upwards():
    show(SCAN)
    top, bottom = pyplot.gca().images[1].get_extent()[3], pyplot.gca().images[1].get_extent()[2]

    assert (top, bottom) == (40, 0)


def test_a_scan_without_spacing_has_voxels_as_high_as_wide():
    show(Volume(torch.rand(2, 4, 8, 6)))
    extents = [image.get_extent() for image in pyplot.gca().images]

    assert [(e[1] - e[0], abs(e[2] - e[3])) for e in extents] == [(6, 8), (6, 4), (8, 4)]
    assert notes(pyplot.gca()) == ["2 channels, of which the first is shown"]


def test_a_mask_in_space_alone_and_over_its_scan():
    mask = VolumeMask((torch.rand(8, 20, 30) > 0.5).long(), vocab=("air", "bone"))
    show(mask)
    assert legend() == ["air", "bone"]
    pyplot.close("all")
    show((SCAN, mask, "head"))

    assert len(pyplot.gca().images) == 6
    assert legend() == ["bone"]
    assert titles() == ["head"]


def test_a_scan_is_handed_to_a_viewer_where_there_is_one(monkeypatch):
    given = []
    monkeypatch.setitem(VIEWERS, Volume, lambda scan, title: given.append((tuple(scan.shape), title)))
    show(SCAN, "head")
    show(SCAN, None, pyplot.figure().add_subplot())

    assert given == [((1, 8, 20, 30), "head")]
    assert len(pyplot.gca().images) == 3


def test_points_in_a_volume_are_seen_as_their_volume_is():
    """What lies further down in the volume is lower; what lies further back is behind."""
    show(PointCloud([[10, 10, 0], [10, 50, 0], [50, 10, 0]], canvas=(20, 60, 60)))
    order = pyplot.gca().collections[0].get_offsets().tolist()
    places = {round(x + y, 3) for x, y in order}
    first, down, across = (project([x, y, 0]) for x, y in [(10, 10), (10, 50), (50, 10)])

    assert places == {round(sum(one), 3) for one in (first, down, across)}
    assert down[1] < first[1]
    assert across[0] > first[0]


def project(point):
    from coursekit.scenes import looking_from

    right, up, _ = looking_from(in_a_volume=True)
    return float(torch.tensor(point, dtype=torch.float32) @ right), float(torch.tensor(point).float() @ up)


def test_points_in_the_world_stand_upright_and_near_ones_are_drawn_last():
    from coursekit.scenes import looking_from

    right, up, towards = looking_from(in_a_volume=False)
    show(PointCloud([[0, 0, 0], [0, 0, 1], [1, -1, 0]]))

    assert up[2] > 0.5
    assert torch.allclose(torch.linalg.cross(right, up), towards, atol=1e-6)
    assert pyplot.gca().collections[0].get_array().tolist() == sorted(
        pyplot.gca().collections[0].get_array().tolist()
    )


def test_a_feature_colours_points_and_too_many_are_drawn_by_lot():
    cloud = PointCloud(torch.rand(20_500, 4))
    show(cloud)
    shades = pyplot.gca().collections[0].get_array()

    assert len(shades) == 20_000
    assert set(shades.tolist()) <= set(cloud[:, 3].tolist())
    assert notes(pyplot.gca()) == ["20,000 of 20,500 points, drawn by lot"]


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


def test_a_picture_with_its_name_is_one_picture_with_a_title():
    show((PHOTO, Category(1, vocab=("sound", "broken"))))

    assert titles() == ["broken"]


def test_parts_that_cannot_lie_over_each_other_stand_beside_each_other():
    show((PHOTO, PHOTO, "twice"))

    assert len(pyplot.gcf().axes) == 2
    assert pyplot.gcf().get_suptitle() == "twice"


def test_a_dict_shows_its_parts_under_their_names():
    show({"photo": PHOTO, "mask": MASK, "label": "tree"}, "one item")

    assert titles() == ["photo", "mask", "label"]
    assert pyplot.gcf().get_suptitle() == "one item"


def test_parts_find_room_within_given_axes():
    axes = pyplot.figure().add_subplot()
    show({"photo": PHOTO, "mask": MASK}, "both", axes)

    assert axes.get_title() == "both"
    assert [inner.get_title() for inner in axes.child_axes] == ["photo", "mask"]


def test_a_batch_is_drawn_as_a_grid_of_its_first_items():
    show(Image(torch.rand(20, 3, 4, 4)), "a batch")
    figure = pyplot.gcf()

    assert len(figure.axes) == 12
    assert figure.get_suptitle() == "a batch"
    assert figure.get_supxlabel() == "the first 12 of 20"


@pytest.mark.parametrize(
    "batch", [MASK, BOXES, EYES, SCAN, ROW, DicomImage(torch.rand(1, 4, 4), window=(0, 1))]
)
def test_every_kind_has_its_batches(batch):
    show(batch[None])

    assert len(pyplot.gcf().axes) == 1


def test_heat_lies_over_the_whole_picture():
    show_heat(Image(torch.zeros(3, 8, 10)), torch.rand(2, 2))

    assert pyplot.gca().images[1].get_extent() == [0, 10, 8, 0]


def test_a_grid_draws_each_with_its_title():
    show_grid(Image(torch.rand(5, 3, 4, 4)), titles=list("abcde"), columns=2)

    assert titles() == list("abcde")


def test_results_mark_what_is_wrong():
    names = ("cat", "dog")
    truths, guesses = Category([0, 1], vocab=names), Category([0, 0], vocab=names)
    show_results(Image(torch.rand(2, 3, 4, 4)), truths, guesses)
    right, wrong = pyplot.gcf().axes

    assert titles() == ["✓ cat", "✗ said cat, is dog"]
    assert wrong.title.get_color() == WRONG
    assert [[patch.get_gid() for patch in axes.patches] for axes in (right, wrong)] == [[], ["wrong"]]


def test_results_that_are_drawn_stand_beside_the_truth():
    show_results([PHOTO] * 3, [MASK] * 3, [MASK] * 3, count=2)

    assert titles() == ["input", "truth", "prediction"] * 2
    assert [len(axes.images) for axes in pyplot.gcf().axes] == [1, 2, 2] * 2


def test_results_of_amounts_are_neither_right_nor_wrong():
    show_results([ROW], [Target(12, unit="kg")], [Target(11.5, unit="kg")])

    assert titles() == ["said 11.5 kg, is 12 kg"]


class Sound(TypedTensor):
    axes = ("time",)


def test_a_type_of_ones_own_is_taught_with_one_method():
    @show.method
    def show_sound(x: Sound, title: str | None = None, axes: object = None) -> None:
        (axes or pyplot.figure().add_subplot()).plot(x.tolist())

    show_grid([Sound(torch.rand(9)), PHOTO])
    show((Sound(torch.rand(9)), PHOTO))

    assert len(pyplot.figure(1).axes[0].lines) == len(pyplot.figure(2).axes[0].lines) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: show(Image(torch.zeros(2, 3, 4, 4)), None, pyplot.figure().add_subplot()),
            "a batch is drawn as a figure of its own, not into given axes; got Image",
        ),
        (lambda: show(Image(torch.zeros(0, 3, 4, 4))), "nothing to draw in a batch of none"),
        (lambda: show([]), "an empty list came"),
        (lambda: show({}), "an empty dict came"),
        (lambda: show_grid([]), "an empty list came"),
        (lambda: show_grid(["a", "b"], titles=["only one"]), "2 values, 1 titles"),
        (lambda: show_results([PHOTO], [], ["a"]), "1 inputs, 0 targets and 1 predictions"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("unknown", [1j, torch.zeros(3, 4, 4), (PHOTO, 1j)])
def test_an_unknown_type_is_refused_by_name_and_can_be_taught(unknown):
    with pytest.raises(NoMethodError, match=r"show has no method for \((complex|Tensor)[^@]*@show\.method"):
        show(unknown)
