"""A kernel slid over a picture by hand: the page computes what conv2d does, and all can use and hear it."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
import torch
from browsing import WINDOWS
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from widget_pages import demand_access, page_with

from coursekit.geometry import crop
from coursekit.photo_sets import flower
from coursekit.tensors import DicomImage, GrayImage, Image
from coursekit.widgets.convolutions import KERNELS, slide_kernel

pytestmark = pytest.mark.usefixtures("fresh_figures")

DAHLIA = crop(flower()[0], (60, 100), (360, 300))
MINE = [[0.25, -1.5, 0], [2, 0, -0.75], [-3, 1, 0.5]]


def grey_in(widget: Any) -> torch.Tensor:
    """The picture that a page is given, (height, width) of bytes."""
    width, height = widget.data["size"]
    return torch.tensor(list(b64decode(widget.data["pixels"]))).reshape(height, width).double()


def answer(widget: Any, kernel: Any) -> torch.Tensor:
    weights = torch.tensor(kernel, dtype=torch.float64)
    return torch.nn.functional.conv2d(grey_in(widget)[None, None], weights[None, None])[0, 0]


# What a page is given ---------------------------------------------------------------------------------------


def test_a_large_picture_in_colours_becomes_small_and_grey():
    widget = slide_kernel(DAHLIA)

    assert repr(widget) == "KernelSlide(64 x 53 pixels, 6 kernels)"
    assert widget.alt == "A grey picture, 64 pixels high and 53 wide."
    assert len(widget._repr_html_()) < 60_000


def test_a_small_grey_picture_is_given_as_it_is():
    pixels = torch.arange(48, dtype=torch.uint8).reshape(1, 6, 8) * 5

    assert torch.equal(grey_in(slide_kernel(GrayImage(pixels))), pixels[0].double())


def test_a_scan_is_given_as_it_looks_through_its_window():
    scan = DicomImage(torch.full((1, 8, 8), 40, dtype=torch.int16), window=(40, 400))

    assert (grey_in(slide_kernel(scan)) - 127.5).abs().max() <= 1


def test_own_kernels_take_the_place_of_ours():
    learned = torch.nn.Conv2d(1, 2, 3).weight[0, 0]
    kernels = slide_kernel(DAHLIA, {"learned": learned, "mine": MINE}).data["kernels"]

    assert [one["name"] for one in kernels] == ["learned", "mine"]
    assert kernels[0]["weights"] == pytest.approx(learned.flatten().tolist(), rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[1, 2]],), "over one picture at least as large; got the list"),
        ((Image(torch.zeros(2, 3, 8, 8)),), "over one picture"),
        ((Image(torch.zeros(3, 2, 8)),), "3 x 3 is slid over one picture"),
        ((DAHLIA, {"wide": [[1, 2, 3]]}), r"3 x 3 numbers.*'wide' is"),
        ((DAHLIA, {"odd": "edges"}), "'odd' is"),
        ((DAHLIA, {"lost": [[float("nan")] * 3] * 3}), "'lost' is"),
        ((DAHLIA, {}), "kernels holds no kernel"),
    ],
)
def test_what_cannot_be_slid_over_is_refused_in_words(arguments: Any, words: str):
    with pytest.raises(ValueError, match=words):
        slide_kernel(*arguments)


# The same numbers as torch ----------------------------------------------------------------------------------


def sums(tab: Tab, places: list[tuple[int, int]]) -> list[float]:
    """What the page adds up at each of these places, (row, column)."""
    found = tab.locator(".coursekit-convolution").evaluate(
        """(widget, places) => places.map((place) => {
            ["row", "column"].forEach((name, number) => {
                const slider = widget.querySelector(`[aria-label=${name}]`);
                slider.value = place[number];
                slider.dispatchEvent(new Event("input"));
            });
            return widget.querySelector(".total strong").textContent;
        })""",
        places,
    )
    return [float(number.replace("\N{MINUS SIGN}", "-")) for number in found]


def test_each_sum_is_what_conv2d_computes(browser: Browser, tmp_path: Path):
    kernels = {**KERNELS, "mine": MINE}
    widget = slide_kernel(DAHLIA, kernels)
    places = [(0, 0), (0, 50), (61, 0), (61, 50), *((7 * n % 62, 11 * n % 51) for n in range(1, 99))]
    with page_with(browser, tmp_path, widget) as tab:
        for kernel, weights in kernels.items():
            tab.get_by_role("button", name=kernel, exact=True).click()
            right = answer(widget, weights)
            expected = [right[place].item() for place in places]
            assert sums(tab, places) == pytest.approx(expected, abs=0.0501)


def drawn(tab: Tab) -> torch.Tensor:
    """The answer as it is drawn, (4, height, width), without the edge that has none."""
    read = """(one) => [one.width, one.height,
        ...one.getContext("2d").getImageData(0, 0, one.width, one.height).data]"""
    width, height, *numbers = tab.locator("canvas.answer").evaluate(read)
    return torch.tensor(numbers).reshape(height, width, 4).movedim(-1, 0)[:, 1:-1, 1:-1]


def test_the_whole_answer_is_drawn_bright_where_it_is_large(browser: Browser, tmp_path: Path):
    widget = slide_kernel(DAHLIA)
    with page_with(browser, tmp_path, widget) as tab:
        tab.get_by_role("button", name="Slide over all of it").click()
        for kernel in "softer", "sharper", "as it was":
            tab.get_by_role("button", name=kernel, exact=True).click()
            right = answer(widget, KERNELS[kernel]).clamp(0, 255)
            assert (drawn(tab)[:3] - right).abs().max() <= 0.5001
        tab.get_by_role("button", name="upright edges").click()
        red, _, blue, _ = drawn(tab)
        right = answer(widget, KERNELS["upright edges"])
        strong = right.abs() > 0.3 * right.abs().max()
        assert torch.equal((red > blue)[strong], (right > 0)[strong])


# By hand ----------------------------------------------------------------------------------------------------


def painted(tab: Tab) -> int:
    return int((drawn(tab)[3] > 0).sum())


def test_the_answer_appears_where_the_kernel_has_been(browser: Browser, tmp_path: Path):
    with page_with(browser, tmp_path, slide_kernel(DAHLIA)) as tab:
        half = 31 * 51 + 26
        assert painted(tab) == half
        tab.get_by_role("button", name="Start again").press("Enter")
        assert painted(tab) == 1
        tab.get_by_role("slider", name="column").press("ArrowRight")
        tab.get_by_role("slider", name="row").press("ArrowRight")
        assert painted(tab) == 3
        box = tab.locator("canvas.picture").bounding_box()
        assert box
        y = box["y"] + box["height"] * 0.5
        tab.mouse.move(box["x"] + box["width"] * 0.2, y)
        tab.mouse.down()
        tab.mouse.move(box["x"] + box["width"] * 0.8, y)
        tab.mouse.up()
        assert painted(tab) == 3 + 33  # from column 9 to 41, without a gap
        tab.get_by_role("button", name="Slide over all of it").click()
        assert painted(tab) == 62 * 51


def test_weights_are_changed_by_hand(browser: Browser, tmp_path: Path):
    widget = slide_kernel(DAHLIA)
    with page_with(browser, tmp_path, widget) as tab:
        pressed = tab.locator("[aria-pressed=true]")
        assert pressed.all_text_contents() == ["upright edges"]
        for number, weight in enumerate(weight for row in MINE for weight in row):
            tab.get_by_role("spinbutton").nth(number).fill(str(weight))
        assert pressed.count() == 0
        assert sums(tab, [(20, 30)])[0] == pytest.approx(answer(widget, MINE)[20, 30].item(), abs=0.051)
        tab.get_by_role("spinbutton", name="weight in row 2, column 3").fill("")
        without = [MINE[0], [*MINE[1][:2], 0], MINE[2]]
        assert sums(tab, [(20, 30)])[0] == pytest.approx(answer(widget, without)[20, 30].item(), abs=0.051)


@pytest.mark.parametrize("window", WINDOWS)
def test_everybody_can_use_it(browser: Browser, tmp_path: Path, window: str):
    widget = slide_kernel(DAHLIA)
    right = round(answer(widget, KERNELS["upright edges"])[31, 26].item())
    with page_with(browser, tmp_path, widget, window=window) as tab:
        slider = tab.get_by_role("slider", name="column")
        slider.press("ArrowRight")
        said = str(right).replace("-", "\N{MINUS SIGN}")
        assert slider.get_attribute("aria-valuetext") == f"column 26, the sum is {said}"
        tab.get_by_role("img", name="The answer, from").wait_for()
        demand_access(tab)


def test_without_scripts_picture_and_answer_are_shown(browser: Browser, tmp_path: Path):
    with page_with(browser, tmp_path, slide_kernel(DAHLIA), java_script_enabled=False) as tab:
        shown = tab.get_by_role("img", name="A grey picture, 64 pixels high and 53 wide.")
        assert shown.evaluate("(image) => image.naturalWidth") > 100
        assert tab.get_by_role("slider").count() + tab.get_by_role("button").count() == 0
