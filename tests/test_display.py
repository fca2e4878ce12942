"""Everything can be looked at, and what cannot is refused in words."""

import pytest
import torch
from matplotlib import pyplot

from coursekit.display import COLOURS, show, show_grid, show_heat
from coursekit.tensors import Category, GrayImage, Image, Mask


@pytest.fixture(autouse=True)
def fresh_figures():
    pyplot.close("all")
    yield
    pyplot.close("all")


def drawn():
    return pyplot.gca().images[0].get_array()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_picture_is_drawn_with_its_own_brightness(dtype):
    full = 255 if dtype == torch.uint8 else 1.0
    show(Image(torch.full((3, 2, 2), full, dtype=dtype)))

    assert drawn().min() == 1.0
    assert pyplot.gca().images[0].get_clim() == (0, 1)


def test_a_grey_picture_is_drawn_grey():
    show(GrayImage(torch.rand(1, 4, 6)), title="cell")

    assert drawn().shape == (4, 6)
    assert pyplot.gca().images[0].get_cmap().name == "gray"
    assert pyplot.gca().get_title() == "cell"


def test_a_mask_is_drawn_with_a_colour_for_each_class():
    show(Mask(torch.tensor([[0, 1], [2, 9]])))

    assert drawn().tolist() == [[0, 1], [2, 9 % len(COLOURS)]]


def test_a_picture_with_its_name_is_one_picture_with_a_title():
    show((Image(torch.zeros(3, 2, 2)), Category(1, vocab=("sound", "broken"))))

    assert pyplot.gca().get_title() == "broken"


def test_parts_of_a_tuple_are_drawn_over_each_other():
    show((Image(torch.zeros(3, 2, 2)), Mask(torch.zeros(2, 2, dtype=torch.int64))))

    assert len(pyplot.gca().images) == 2


def test_heat_lies_over_the_whole_picture():
    show_heat(Image(torch.zeros(3, 8, 10)), torch.rand(2, 2))

    assert pyplot.gca().images[1].get_extent() == [-0.5, 9.5, 7.5, -0.5]


def test_a_grid_draws_each_with_its_title():
    show_grid(Image(torch.rand(5, 3, 4, 4)), titles=list("abcde"), columns=2)

    assert [axes.get_title() for axes in pyplot.gcf().axes] == list("abcde")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: show(Image(torch.zeros(2, 3, 4, 4))), r"shape \(2, 3, 4, 4\).*show_grid\(batch\)"),
        (lambda: show_grid([]), "an empty list came"),
        (lambda: show_grid(["a", "b"], titles=["only one"]), "2 values, 1 titles"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_an_unknown_type_is_refused_by_name():
    with pytest.raises(TypeError, match=r"show has no method for \(complex"):
        show(1j)
