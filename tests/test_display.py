"""Everything can be looked at, alone and together, and what cannot is refused in words."""

import pytest
import torch
from drawn import BOXES, EYES, MASK, PHOTO, ROW, SCAN, titles
from matplotlib import pyplot

from coursekit.choices import NoMethodError
from coursekit.display import VIEWERS, show, show_grid, show_heat, show_results
from coursekit.figures import WRONG
from coursekit.tensors import (
    Category,
    DicomImage,
    Image,
    Row,
    Target,
    Text,
    TypedTensor,
    Volume,
)

pytestmark = pytest.mark.usefixtures("fresh_figures")


def test_a_scan_is_handed_to_a_viewer_where_there_is_one(monkeypatch):
    given = []
    monkeypatch.setitem(VIEWERS, Volume, lambda scan, title: given.append((tuple(scan.shape), title)))
    show(SCAN, "head")
    show(SCAN, None, pyplot.figure().add_subplot())

    assert given == [((1, 8, 20, 30), "head")]
    assert len(pyplot.gca().images) == 3


def test_a_picture_with_its_name_is_one_picture_with_a_title():
    show((PHOTO, Category(1, vocab=("sound", "broken"))))

    assert titles() == ["broken"]


def test_parts_that_cannot_lie_over_each_other_stand_beside_each_other():
    show((PHOTO, PHOTO, "twice"))

    assert len(pyplot.gcf().axes) == 2
    assert pyplot.gcf().get_suptitle() == "twice"


def test_a_dict_of_words_and_amounts_is_a_row_of_a_table():
    show({"week": 7, "start": 24.5, "food": "Cu035"}, "64.8")

    assert [text.get_text() for text in pyplot.gca().texts] == ["week", "7", "start", "24.5", "food", "Cu035"]


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


def test_a_grid_of_named_pairs_has_the_names_as_titles():
    show_grid([(PHOTO, "cat"), (PHOTO, Category(0, vocab=("dog",)))])

    assert titles() == ["cat", "dog"]
    each = "A colour picture, 40 pixels high and 60 wide."
    assert pyplot.gcf().alt_text == f"2 drawings, titled “cat”, “dog”. Each: {each}"


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


def test_dollars_are_money_and_no_mathematics():
    for value in ("$5 and $6_^$", Text("$x_1^$ \\frac{" * 10), Row({"$a_^$": 1})):
        show(value, "$t_^$")
        pyplot.gcf().canvas.draw()


def test_what_stands_in_no_axes_is_refused_in_words():
    for place in (pyplot.figure(), pyplot.subplots(2)[1]):
        with pytest.raises(
            TypeError, match=r"draws into axes, such as figure.add_subplot\(\); this is of type"
        ):
            show(PHOTO, None, place)


def test_nothing_and_no_columns_are_refused_in_words():
    with pytest.raises(ValueError, match="show needs something to draw; an empty tuple came"):
        show(())
    with pytest.raises(ValueError, match="show_grid needs at least one column; got 0"):
        show_grid([PHOTO], columns=0)


def test_a_kind_of_picture_is_drawn_its_own_way_without_saying_what_a_title_is():
    class Sketch(Image): ...

    drawn = []

    @show.method
    def _(x: Sketch, title=None, axes=None):
        drawn.append(title)

    show(Sketch(torch.zeros(3, 4, 4)))
    show((Sketch(torch.zeros(3, 4, 4)), "a name"))
    assert drawn == [None, "a name"]
