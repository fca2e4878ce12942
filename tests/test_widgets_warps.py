"""A sample under sliders: the page computes what the library does, and all can be reached and heard."""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browsing import WINDOWS, jupyterlab, run_first_cell, violations, visit
from built_book import run_build, small_book
from PIL import Image as Photo
from playwright.sync_api import Browser, Locator
from playwright.sync_api import Page as Tab

from coursekit.augment import Warp
from coursekit.geometry import crop, flip
from coursekit.movements import Flip, Rotate, Shear, Zoom
from coursekit.photo_sets import flower
from coursekit.places import carry, lost
from coursekit.tensors import Boxes, DicomImage, GrayImage, Image, Keypoints, Mask, plain
from coursekit.warping import warp
from coursekit.widgets.warps import MOST_BYTES, warp_sliders

pytestmark = pytest.mark.usefixtures("fresh_figures")

DAHLIA = crop(flower(), (40, 150), (360, 480))
HEIGHT, WIDTH = 42, 56
SMALL = (
    Image((torch.linspace(0, 9, HEIGHT)[:, None] * torch.linspace(5, 20, 3 * WIDTH)).sin().reshape(
        HEIGHT, 3, WIDTH).movedim(1, 0).mul(127).add(128).byte().contiguous()),
    Mask((torch.arange(WIDTH) // 14 * 100).expand(HEIGHT, WIDTH).contiguous()),
    Keypoints([[5, 8], [40, 9], [torch.nan] * 2, [28, 30.5]], names=("left", "right", "tail", "nose"),
              pairs=(("left", "right"),), canvas=(HEIGHT, WIDTH)),
    Boxes([[10, 5, 30, 25]], canvas=(HEIGHT, WIDTH), labels=(1,), vocab=("none", "cat")),
)  # fmt: skip


def picture_in(file: str) -> torch.Tensor:
    """The pixels of a picture that a page is given."""
    photo = Photo.open(io.BytesIO(base64.b64decode(file))).convert("RGB")
    return torch.from_numpy(np.array(photo)).movedim(-1, 0)


def grey(height: int = HEIGHT, width: int = WIDTH) -> Image:
    return Image(torch.full((3, height, width), 100, dtype=torch.uint8))


# What a page is given ---------------------------------------------------------------------------------------


def test_a_page_is_given_the_sample_as_it_is():
    data = warp_sliders(SMALL, rotate=30, look=(10, 20)).data

    assert torch.equal(picture_in(data["picture"]), plain(SMALL[0]))
    low, high, _ = picture_in(data["mask"]).long()
    assert torch.equal(low + 256 * high, plain(SMALL[1]))
    assert [one["number"] for one in data["classes"]] == [100, 200, 300]
    assert data["points"] == [
        {
            "names": ["left", "right", "tail", "nose"],
            "partners": [1, 0, 2, 3],
            "places": [[5, 8], [40, 9], None, [28, 30.5]],
        }
    ]
    assert data["boxes"] == [{"name": "cat", "edges": [10, 5, 30, 25]}]
    assert data["start"] == {"zoom": 1.0, "shear": 0.0, "rotate": 30, "flip": False, "shift": 0.0}
    assert (data["size"], data["look"]) == ([56, 42], [10, 20])


def test_a_large_sample_is_made_smaller_together_and_stays_light():
    made = warp_sliders({"photo": DAHLIA[0], "rest": DAHLIA[1:], "name": "dahlia"}, look=(480, 360))

    assert repr(made) == "WarpSliders(168 x 224 pixels)"
    assert made.data["look"] == pytest.approx([224, 168])
    assert made.data["boxes"][0]["edges"] == pytest.approx((plain(DAHLIA[2])[0] * 224 / 480).tolist())
    assert made.data["classes"][0]["name"] == "flower"
    assert len(made._repr_html_()) < 150_000
    assert "photo: A colour picture" in made.alt


def test_a_picture_in_which_nothing_can_be_left_out_is_saved_with_a_loss():
    noise = Image(torch.randint(0, 256, (3, 224, 224), dtype=torch.uint8))
    file = base64.b64decode(warp_sliders(noise).data["picture"])

    assert len(file) <= MOST_BYTES


@pytest.mark.parametrize(
    ("picture", "shades"),
    [
        (GrayImage(torch.full((1, 8, 8), 0.2)), 51),
        (DicomImage(torch.full((1, 8, 8), 40, dtype=torch.int16), window=(40, 400)), 128),
    ],
)
def test_grey_pictures_and_scans_are_shown_as_they_look(picture: Image, shades: int):
    data = warp_sliders(picture).data

    assert (picture_in(data["picture"]).float() - shades).abs().max() <= 1
    assert (data["mask"], data["points"], data["boxes"]) == (None, [], [])


def test_the_html_holds_everything_and_no_text_ends_it_early():
    points = Keypoints([[1, 2]], names=("</script> & “one”",), canvas=(HEIGHT, WIDTH))
    text = warp_sliders((grey(), points))._repr_html_()

    assert json.loads(re.findall(r'json">(.*?)</script>', text)[0])["points"][0]["names"] == list(
        points.names
    )
    assert text.count("</script>") == 2
    assert not re.search(r"https?://(?!www.w3.org/2000/svg)", text)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: warp_sliders(SMALL[1:]), "takes one picture.*got a tuple of 3"),
        (lambda: warp_sliders((grey(), grey())), "one picture"),
        (lambda: warp_sliders((*SMALL, SMALL[1])), "at most one mask"),
        (lambda: warp_sliders(Image(torch.zeros(2, 3, 8, 8))), r"one item, no batch; got an Image of shape"),
        (lambda: warp_sliders((grey(4, 6), SMALL[1])), "is for 42 x 56 pixels, and the picture has 4 x 6"),
        (lambda: warp_sliders((grey(), Keypoints([[1, 1]]))), "needs to know how large its canvas is"),
        (lambda: warp_sliders(SMALL, zoom=3), "'zoom' goes from 0.5 to 2.0; 3 was asked for"),
    ],
)  # fmt: skip
def test_what_cannot_be_moved_is_refused_in_words(call: Any, words: str):
    with pytest.raises(ValueError, match=words):
        call()


# The same numbers as the library ----------------------------------------------------------------------------

STATES: list[dict[str, Any]] = [
    {"rotate": 30},
    {"zoom": 0.8, "shear": 20},
    {"flip": True},
    {"zoom": 1.3, "shear": -10, "rotate": -75, "flip": True, "shift": 10},
    {"rotate": 90, "shift": -20},
]


def steps(zoom: float = 1, shear: float = 0, rotate: float = 0, flip: bool = False, shift: float = 0) -> list:
    """The five matrices of a state, about the middle of the small sample, as the library writes them."""
    angle = math.radians(rotate)
    middle = torch.tensor([WIDTH / 2, HEIGHT / 2], dtype=torch.float64)

    def about_middle(*numbers: float) -> torch.Tensor:
        linear = torch.tensor(numbers, dtype=torch.float64).reshape(2, 2)
        return torch.cat([linear, (middle - linear @ middle)[:, None]], 1)

    return [
        about_middle(zoom, 0, 0, zoom),
        about_middle(1, -math.tan(math.radians(shear)), 0, 1),
        about_middle(math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle)),
        about_middle(-1 if flip else 1, 0, 0, 1),
        torch.tensor([[1, 0, shift / 100 * WIDTH], [0, 1, 0]], dtype=torch.float64),
    ]


def product(matrices: list[torch.Tensor]) -> torch.Tensor:
    whole = torch.eye(3, dtype=torch.float64)
    for matrix in matrices:
        whole = torch.cat([matrix, torch.tensor([[0.0, 0, 1]])]) @ whole
    return whole[:2]


def by_the_library(matrices: list[torch.Tensor]) -> tuple[Any, Any, Any, Any]:
    """The small sample after one warp for each matrix."""
    photo, mask, points, boxes = SMALL
    for matrix in matrices:
        photo = Image(warp(plain(photo)[None], matrix[None])[0])
        mask = Mask(warp(plain(mask)[None, None], matrix[None], nearest=True)[0, 0])
        points, boxes = lost(carry(points, matrix[None])), lost(carry(boxes, matrix[None]))
        if matrix[:, :2].det() < 0:
            back = torch.tensor([[[-1.0, 0, WIDTH], [0, 1, 0]]])
            points = flip(carry(points, back))  # the places stay, the pairs change
    return photo, mask, points, boxes


@pytest.mark.parametrize("state", [{"rotate": 30}, {"zoom": 1.3, "shear": -10, "rotate": -75, "flip": True}])
def test_the_sliders_mean_what_the_movements_mean(state: dict[str, Any]):
    """By `Warp`, which moves batches: the same, but for the seam at the edges, where it mixes with black."""
    zoom, shear, degrees = state.get("zoom", 1), state.get("shear", 0), state["rotate"]
    movements = [Zoom((zoom, zoom)), Shear((shear, shear)), Rotate((degrees, degrees))]
    step = Warp(*movements, *[Flip(chance=1)] * state.get("flip", False), edges=0)
    photo, mask, points, boxes = by_the_library([product(steps(**state))])
    moved = step.encode(SMALL)

    away = (plain(moved[0]) * 255 - plain(photo).float()).abs().amax(0)
    assert (away <= 1).float().mean() > 0.9
    assert (plain(moved[1]) == plain(mask)).float().mean() > 0.995
    torch.testing.assert_close(plain(moved[2]), plain(points), atol=0.01, rtol=0, equal_nan=True)
    torch.testing.assert_close(plain(moved[3]), plain(boxes), atol=0.01, rtol=0)


def drawn(widget: Locator, number: int) -> torch.Tensor:
    """The pixels of one of the canvases of a widget, as `(4, height, width)`."""
    read = """(one) => [one.width, one.height,
        ...one.getContext("2d").getImageData(0, 0, one.width, one.height).data]"""
    width, height, *numbers = widget.locator("canvas").nth(number).evaluate(read)
    return torch.tensor(numbers).reshape(height, width, 4).movedim(-1, 0)


def attributes(widget: Locator, kind: str, *names: str) -> list[list[float]]:
    read = "(all, names) => all.map((one) => names.map((name) => Number(one.getAttribute(name))))"
    return widget.locator(f"svg {kind}").evaluate_all(read, list(names))


def test_the_page_computes_what_the_library_does(browser: Browser, tmp_path: Path):
    html = "".join(warp_sliders(SMALL, **state)._repr_html_() for state in STATES)
    (tmp_path / "page.html").write_text(f"<!doctype html><meta charset='utf-8'>{html}", encoding="utf-8")
    seen = visit(browser, "file://", **WINDOWS["light"])
    seen.tab.goto((tmp_path / "page.html").as_uri())
    colours = {one["number"]: one["colour"] for one in warp_sliders(SMALL).data["classes"]}

    for widget, state in zip(seen.tab.locator(".coursekit-warp").all(), STATES, strict=True):
        widget.get_by_role("slider").first.wait_for()
        for way in ("one warp", "five warps"):
            widget.get_by_role("radio", name=way).click()
            seen.tab.evaluate("new Promise(requestAnimationFrame)")
            matrices = steps(**state)
            photo, mask, points, boxes = by_the_library(
                matrices if way == "five warps" else [product(matrices)]
            )

            assert (drawn(widget, 0)[:3] - plain(photo).int()).abs().max() <= 1, (state, way)
            layer = drawn(widget, 1)
            for number in mask.unique().tolist():
                there = plain(mask) == number
                shown = layer[:3, there & (layer[3] > 0)] if number else layer[3:, there]
                expected = torch.tensor(colours.get(number, [0]))[:, None]
                assert ((shown - expected).abs() <= 4).float().mean() > 0.999, (state, way, number)
            assert ((layer[3] > 0) == (plain(mask) > 0)).float().mean() > 0.999
            expected = plain(points)[points.present].tolist()
            assert torch.allclose(
                torch.tensor(attributes(widget, "circle", "cx", "cy")), torch.tensor(expected), atol=0.01
            )
            left, top, right, bottom = plain(boxes)[0].tolist()
            edges = attributes(widget, "rect", "x", "y", "width", "height")[0]
            assert edges == pytest.approx([left, top, right - left, bottom - top], abs=0.01)
            names = [name for name, there in zip(points.names, points.present.tolist(), strict=True) if there]
            assert widget.locator("svg text").all_text_contents() == ["cat", *names]
        cells = widget.get_by_role("cell").all_text_contents()
        numbers = [float(cell.replace("\N{MINUS SIGN}", "-")) for cell in cells]
        assert numbers == pytest.approx(product(steps(**state)).flatten().tolist(), abs=0.051)
    assert [said for said in seen.complaints if "willReadFrequently" not in said] == []  # we do read often
    seen.tab.context.close()


# In browsers ------------------------------------------------------------------------------------------------

LESSON = """
```{code-cell}
:alt: A dahlia that sliders move.
import coursekit as kit

kit.warp_sliders(kit.crop(kit.flower(), (40, 150), (360, 480)), zoom=1.1, rotate=20, shift=4)
```

```{code-cell}
:alt: The same without anything on it.
:caption: A photo alone.
kit.warp_sliders(kit.flower()[0])
```
"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lesson with two of them, built as a page."""
    folder = tmp_path_factory.mktemp("book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        build = run_build(small_book(folder, sliders=LESSON))
    assert build.status == 0, build.output
    return build.html / "lessons" / "sliders.html"


def use_it(place: Tab | Locator) -> None:
    """Move things with the keyboard alone, and hear what became of them."""
    slider = place.get_by_role("slider", name="rotate").first
    assert slider.get_attribute("aria-valuetext") == "20°"
    slider.press("ArrowRight")
    place.get_by_role("img", name="rotate 21°, flip no, shift 4 %").wait_for()
    place.get_by_role("checkbox", name="flip").first.press(" ")
    place.get_by_role("img", name="flip yes").wait_for()
    before = place.get_by_role("img", name="magnified. One warp").first.get_attribute("aria-label")
    place.get_by_role("radio", name="one warp").first.press("ArrowDown")
    place.get_by_role("img", name="after five warps").wait_for()
    after = place.get_by_role("img", name="magnified. Five warps").first.get_attribute("aria-label")
    assert sharpness(after) < sharpness(before)
    place.get_by_role("button", name="As it was").first.press("Enter")
    place.get_by_role("img", name="zoom 1.00 times, shear 0°, rotate 0°, flip no, shift 0 %").first.wait_for()
    place.get_by_text("One warp: neighbours differ").first.wait_for()


def sharpness(label: str | None) -> float:
    return float(re.findall(r"differ by ([\d.]+)\.", str(label))[0])


@pytest.mark.parametrize("window", WINDOWS)
def test_on_a_page_the_keyboard_moves_it(browser: Browser, lesson: Path, window: str):
    """Opened from a file, where a canvas must not be read once a file was drawn on it."""
    seen = visit(browser, "file://", **WINDOWS[window])
    seen.tab.goto(lesson.resolve().as_uri())
    group = seen.tab.get_by_role("group", name="A dahlia that sliders move.")
    use_it(group)

    assert group.get_by_role("slider").count() == 4
    assert seen.tab.get_by_role("figure", name="Figure 1.").get_by_role("slider").count() == 4
    assert not seen.tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert seen.complaints == []
    assert violations(seen.tab) == []  # last, since axe itself reads style sheets, which a file may not
    seen.tab.context.close()


def test_a_page_runs_the_script_once(lesson: Path):
    assert (
        re.findall(r"<script[^>]* src=.*?>", lesson.read_text("utf8")[-4000:]).count(
            '<script src="../_static/widgets/warp.js" async>'
        )
        == 1
    )


def test_without_scripts_a_page_shows_the_sample_and_no_dead_control(browser: Browser, lesson: Path):
    tab = visit(browser, "file://", **WINDOWS["phone"], java_script_enabled=False).tab
    tab.goto(lesson.resolve().as_uri())

    shown = tab.locator(".coursekit-warp img").first
    assert str(shown.get_attribute("alt")).startswith("A colour picture")
    assert shown.evaluate("(image) => image.naturalWidth") > 100
    assert tab.get_by_role("slider").count() + tab.get_by_role("button", name="As it was").count() == 0
    tab.context.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a real JupyterLab with the lesson's code in a notebook."""
    with jupyterlab(tmp_path, re.findall(r"{code-cell}\n(?::.*\n)*((?s:.*?))```", LESSON)[0]) as address:
        yield address


def test_in_jupyterlab_it_works_the_same(browser: Browser, lab: str):
    tab = visit(browser, lab, **WINDOWS["dark"]).tab
    run_first_cell(tab, lab)
    tab.get_by_role("slider", name="rotate").wait_for()

    use_it(tab)
    tab.context.close()
