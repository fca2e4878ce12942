"""Six kinds of things turned at once: the page turns each as the library does, and all can use it."""

from __future__ import annotations

import io
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browsing import WINDOWS
from PIL import Image as Photo
from playwright.sync_api import Browser, Locator
from widget_pages import demand_access, page_with

from coursekit.geometry import crop, resize, rotate
from coursekit.photo_sets import flower
from coursekit.places import lost
from coursekit.scan_sets import brain, ct_slice
from coursekit.tensors import DicomImage, Image, Keypoints, PointCloud, Row, Volume, plain
from coursekit.widgets.kinds import turn_together

pytestmark = pytest.mark.usefixtures("fresh_figures")

# None of them is square, so that a quarter turn changes the canvas.
PHOTO, OUTLINE, BOX, MARKS = crop(flower(), (10, 110), (400, 320))
CT = crop(DicomImage.open(ct_slice(), window=(40, 400)), (0, 0), (128, 100))
BRAIN = Volume.open(brain())[:, ::5, ::5, ::5]
CLOUD = PointCloud(
    torch.rand(300, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([40.0, 60, 20]),
    canvas=(20, 60, 40),
)
THINGS = {"photo": PHOTO, "outline": OUTLINE, "both": (BOX, MARKS), "CT": CT, "brain": BRAIN, "cloud": CLOUD}
ANGLES = 30, -75, 90, 180, 0


def pixels_in(file: str) -> torch.Tensor:
    """The pixels of a picture that a page is given, (3, height, width)."""
    photo = Photo.open(io.BytesIO(b64decode(file))).convert("RGB")
    return torch.from_numpy(np.array(photo)).movedim(-1, 0)


def numbers_in(thing: dict[str, Any]) -> torch.Tensor:
    low, high, _ = pixels_in(thing["file"]).long()
    return low + 256 * high + thing["least"]


# What a page is given ---------------------------------------------------------------------------------------


def test_each_kind_is_given_as_it_is_but_small():
    data = {one["title"]: one for one in turn_together(THINGS).data["things"]}

    assert [one["kind"] for one in data.values()] == ["photo", "mask", "places", "scan", "volume", "cloud"]
    assert data["photo"]["size"] == data["outline"]["size"] == data["both"]["size"] == [128, 160]
    assert torch.equal(numbers_in(data["CT"]), plain(CT)[0].long())
    assert data["CT"]["window"] == [-160, 240]
    small = plain(BRAIN)[0].long()
    depth, height, width = small.shape
    assert data["brain"]["size"] == [width, height, depth]
    assert torch.equal(numbers_in(data["brain"]).reshape(depth, height, width), small)
    places = torch.from_numpy(np.frombuffer(b64decode(data["cloud"]["places"]), dtype=np.uint16).copy())
    assert (places.reshape(-1, 3) / data["cloud"]["scale"] - plain(CLOUD)).abs().max() < 0.01


def test_it_is_light_and_says_what_it_shows():
    widget = turn_together({"photo": PHOTO, "brain": Volume.open(brain())}, start=-20)

    assert repr(widget) == "TurnedTogether(photo, brain)"
    assert widget.alt.startswith("photo: A colour picture, 400 pixels high")
    assert widget.alt.endswith("All are turned by -20 degrees.")
    assert len(widget._repr_html_()) < 120_000


def test_of_a_large_cloud_some_points_are_taken():
    many = PointCloud(torch.rand(100_000, 3), canvas=(1, 1, 1))
    (data,) = turn_together({"many": many}).data["things"]

    assert len(b64decode(data["places"])) == 2_000 * 6


@pytest.mark.parametrize(
    ("things", "start", "error", "words"),
    [
        ({}, 0, ValueError, "got no things"),
        ({"photo": PHOTO}, 200, ValueError, "-180 to 180; got start=200"),
        ({"photo": PHOTO}, 0.5, ValueError, "whole degrees"),
        ({"row": Row([1.0])}, 0, TypeError, "has no method for"),
        ({"pair": (PHOTO, BOX)}, 0, TypeError, "boxes and points that belong together; got"),
        ({"points": Keypoints([[1.0, 1.0]])}, 0, ValueError, "how large its canvas is"),
    ],
)
def test_what_cannot_be_turned_is_refused_in_words(things: Any, start: Any, error: Any, words: str):
    with pytest.raises(error, match=words):
        turn_together(things, start)


# The same as the library ------------------------------------------------------------------------------------


def drawn(canvas: Locator) -> torch.Tensor:
    """The colours of a canvas, (3, height, width)."""
    read = """(one) => [one.width, one.height,
        ...one.getContext("2d").getImageData(0, 0, one.width, one.height).data]"""
    width, height, *numbers = canvas.evaluate(read)
    return torch.tensor(numbers).reshape(height, width, 4).movedim(-1, 0)[:3]


def attributes(panel: Locator, kind: str, *names: str) -> list[list[float]]:
    read = "(all, names) => all.map((one) => names.map((name) => Number(one.getAttribute(name))))"
    return panel.locator(kind).evaluate_all(read, list(names))


def as_grey(x: Any) -> torch.Tensor:
    return (plain(x.windowed()) * 255).round()


@pytest.mark.parametrize("angle", ANGLES)
def test_the_page_turns_each_as_the_library_does(browser: Browser, tmp_path: Path, angle: int):
    widget = turn_together(THINGS, start=angle)
    given = {one["title"]: one for one in widget.data["things"]}
    with page_with(browser, tmp_path, widget) as tab:
        tab.get_by_role("slider").wait_for()
        photo, outline, both, ct, volume, cloud = tab.locator("figure").all()

        right = rotate(Image(pixels_in(given["photo"]["file"])), angle)
        assert (drawn(photo.locator("canvas")) - plain(right).int()).abs().max() <= 1

        right = rotate(resize(OUTLINE, (160, 128)), angle)
        colours = torch.tensor([one["colour"] for one in given["outline"]["classes"]])
        assert (drawn(outline.locator("canvas")) == colours[plain(right).long()].movedim(-1, 0)).all()

        box, marks = rotate(resize((BOX, MARKS), (160, 128)), angle)
        left, top, right_edge, bottom = plain(box)[0].tolist()
        edges = attributes(both, "rect", "x", "y", "width", "height")[0]
        assert edges == pytest.approx([left, top, right_edge - left, bottom - top], abs=0.01)
        shown = torch.tensor(attributes(both, "circle", "cx", "cy"))
        torch.testing.assert_close(shown, plain(marks)[marks.present], atol=0.01, rtol=0)

        assert (drawn(ct.locator("canvas")) - as_grey(rotate(CT, angle))).abs().max() <= 1

        turned = rotate(BRAIN, angle)
        window = given["brain"]["window"]
        seen = turned.windowed((window[0] + window[1]) / 2, window[1] - window[0])
        depth, height = seen.shape[1:3]
        cuts = plain(seen)[0, depth // 2], plain(seen)[0, :, height // 2].flip(0)
        for canvas, cut in zip(volume.locator("canvas").all(), cuts, strict=True):
            assert (drawn(canvas) - (cut * 255).round()).abs().max() <= 1

        first = plain(lost(rotate(CLOUD, angle)))
        first = first[first.isfinite().all(1)][0].tolist()
        words = cloud.locator("figcaption span").last.inner_text()
        numbers = [float(one) for one in words.removeprefix("first point ").split(", ")]
        assert numbers == pytest.approx(first, abs=0.08)


# By hand ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
def test_everybody_can_use_it(browser: Browser, tmp_path: Path, window: str):
    with page_with(browser, tmp_path, turn_together(THINGS), window=window) as tab:
        slider = tab.get_by_role("slider", name="angle")
        assert slider.get_attribute("aria-valuetext") == "30°"
        slider.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") == "31°"
        for title in THINGS:
            tab.get_by_role("img", name=f"{title}, turned by 31°", exact=True).wait_for()
        demand_access(tab)


def test_without_scripts_all_are_shown_turned(browser: Browser, tmp_path: Path):
    with page_with(browser, tmp_path, turn_together(THINGS), java_script_enabled=False) as tab:
        shown = tab.get_by_role("img", name="All are turned by 30 degrees.")
        assert shown.evaluate("(image) => image.naturalWidth") > 300
        assert tab.get_by_role("slider").count() == 0


def test_numbers_that_are_no_whole_ones_are_turned_as_well(browser: Browser, tmp_path: Path):
    small = Volume(torch.linspace(-1, 1, 6 * 9 * 8).reshape(1, 6, 9, 8))
    with page_with(browser, tmp_path, turn_together({"field": small}, start=30)) as tab:
        right = rotate(small, 30)
        cut = ((plain(right)[0, 3] + 1) / 2).clamp(0, 1) * 255
        assert (drawn(tab.locator("canvas").first) - cut.round()).abs().max() <= 1
