"""Colours that everybody can tell apart, letters that can be read, and alternative texts that travel."""

import io
import re

import pytest
import torch
from matplotlib import colors, pyplot
from PIL import Image as Photo

from coursekit.display import show, show_grid
from coursekit.figures import COLOURS, INK, PAPER, QUIET, WRONG, colour_of, framed, ink_on
from coursekit.tensors import Image

pytestmark = pytest.mark.usefixtures("fresh_figures")
PHOTO = Image(torch.rand(3, 8, 10))
SAID = "A colour picture, 8 pixels high and 10 wide, titled “noise”."


def contrast(one, other):
    """How far two colours are apart, 1..21, as WCAG 2 counts."""
    lights = []
    for colour in (one, other):
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colors.to_rgb(colour)]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(lights) / min(lights)


@pytest.mark.parametrize("ink", [INK, QUIET, WRONG])
def test_what_is_written_can_be_read(ink):
    assert contrast(ink, PAPER) >= 4.5


@pytest.mark.parametrize("number", range(24))
def test_names_on_colours_can_be_read(number):
    assert contrast(colour_of(number), ink_on(colour_of(number))) >= 4.5


def test_colours_are_those_of_okabe_and_ito_and_then_shades_of_them():
    assert [colors.to_hex(colour_of(number)).upper() for number in range(8)] == list(COLOURS)
    assert len({colour_of(number) for number in range(24)}) == 24


def test_the_paper_is_white_whatever_the_style():
    """A theme for the night does not change what white means in a photo."""
    with pyplot.style.context("dark_background"):
        show(PHOTO, "noise")

    assert colors.to_hex(pyplot.gcf().get_facecolor()).upper() == PAPER
    assert pyplot.gca().title.get_color() == INK


def test_a_figure_says_what_is_to_be_seen():
    show(PHOTO, "noise")
    assert pyplot.gcf().alt_text == SAID

    show_grid([PHOTO, PHOTO], ["a", "b"])
    each = "A colour picture, 8 pixels high and 10 wide."
    assert pyplot.gcf().alt_text == f"2 drawings, titled “a”, “b”. Each: {each}"


def test_what_was_changed_in_drawing_is_said_too():
    show(Image(torch.tensor([[[-1.0, 3.0]]])))

    assert pyplot.gcf().alt_text.endswith("wide. (values -1 to 3, stretched to black and white).")


def test_files_carry_it_as_their_description():
    show(PHOTO, "noise")
    png, svg = io.BytesIO(), io.BytesIO()
    pyplot.savefig(png, format="png")
    pyplot.savefig(svg, format="svg")

    assert Photo.open(png).text["Description"] == SAID
    assert re.search("<dc:description>(.*)</dc:description>", svg.getvalue().decode())[1] == SAID


def test_a_description_of_ones_own_is_kept():
    show(PHOTO)
    png = io.BytesIO()
    pyplot.savefig(png, format="png", metadata={"Description": "mine"})

    assert Photo.open(png).text["Description"] == "mine"


def test_a_notebook_gets_it_beside_the_picture():
    formatters = pytest.importorskip("IPython.core.formatters")
    pylabtools = pytest.importorskip("IPython.core.pylabtools")
    formatter = formatters.DisplayFormatter()
    formatter.formatters["image/png"].for_type(
        pyplot.Figure, lambda figure: pylabtools.print_figure(figure, "png", base64=True)
    )
    show(PHOTO, "noise")
    data, about = formatter.format(pyplot.gcf())

    assert set(data) == {"image/png", "text/plain"}
    assert about["image/png"] == {"alt": SAID}


def test_a_value_and_a_batch_are_framed_alike():
    assert [tuple(item.shape) for item, _ in framed(PHOTO)] == [(3, 8, 10)]
    assert [tuple(item.shape) for item, _ in framed(Image(torch.rand(2, 3, 8, 10)), "two")] == [
        (3, 8, 10)
    ] * 2
    assert pyplot.gcf().get_suptitle() == "two"
