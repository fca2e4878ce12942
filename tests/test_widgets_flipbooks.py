"""A flipbook: its pictures and their texts, in a page of the book, from a file, and in JupyterLab."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browsing import WINDOWS, jupyterlab, run_first_cell, violations, visit
from built_book import run_build, small_book
from drawn import SCAN
from matplotlib import pyplot
from PIL import Image as Photo
from playwright.sync_api import Browser, Locator
from playwright.sync_api import Page as Tab

from coursekit.display import VIEWERS, show
from coursekit.tensors import Image, Volume
from coursekit.widgets import flipbooks
from coursekit.widgets.flipbooks import Flipbook, flipbook, go_through
from coursekit.widgets.stills import MOST_BYTES

pytestmark = pytest.mark.usefixtures("fresh_figures")


def grey(part: float, height: int = 40) -> Image:
    return Image(torch.full((3, height, 60), float(part)))


def pictures(book: Flipbook) -> list[bytes]:
    """The files of the pictures that a page is given."""
    return [base64.b64decode(frame["picture"].partition(",")[2]) for frame in book.data["frames"]]


def size(picture: bytes) -> tuple[int, int]:
    return Photo.open(io.BytesIO(picture)).size


def test_a_picture_is_kept_for_each_value_with_its_text():
    book = flipbook(lambda angle: (grey(0.5), f"turned by {angle}"), [0, 30.5], "angle", "°")

    assert [frame["value"] for frame in book.data["frames"]] == ["0°", "30.5°"]
    assert (
        book.data["frames"][1]["alt"]
        == "A colour picture, 40 pixels high and 60 wide, titled “turned by 30.5”."
    )
    assert {Photo.open(io.BytesIO(picture)).format for picture in pictures(book)} == {"WEBP"}
    assert book.still == pictures(book)[0]
    assert pyplot.get_fignums() == []
    assert repr(book) == "Flipbook(angle: 2 pictures, 0° to 30.5°)"


def test_a_unit_that_is_a_word_stands_apart():
    assert flipbook(grey, [1], unit="mm").data["frames"][0]["value"] == "1 mm"


@pytest.mark.parametrize(
    "draw",
    [
        lambda value: show(grey(value)),
        lambda value: pyplot.figure().add_subplot().plot([value, 1]),
        lambda value: pyplot.figure(),
        lambda value: pyplot.figure().add_subplot(),
        grey,
        lambda value: {"a": grey(value), "b": grey(1)},
    ],
)
def test_a_function_may_draw_or_return_what_is_to_be_seen(draw):
    book = flipbook(draw, [0.5], alt=lambda value: f"half: {value}")

    assert book.data["frames"][0]["alt"] == "half: 0.5"
    shown = [int(side) for side in re.findall(r' (?:width|height)="(\d+)"', book._repr_html_())]
    assert size(book.still) == pytest.approx((shown[0] * 1.5, shown[1] * 1.5), abs=1)


def test_a_drawing_that_says_nothing_is_called_what_the_slider_says():
    assert flipbook(lambda value: pyplot.figure(), [3], "angle", "°").data["frames"][0]["alt"] == "angle 3°"


def test_figures_that_were_open_stay_open():
    mine = pyplot.figure()
    flipbook(grey, [0.5])

    assert pyplot.get_fignums() == [mine.number]


def test_pictures_are_light_and_of_one_size():
    """Noise is the worst case: nothing in it can be left out unseen."""
    wide, noise = grey(0.2, 20), Image(torch.rand(3, 600, 800, generator=torch.Generator().manual_seed(0)))
    book = flipbook([wide, noise].__getitem__, [0, 1])

    first, second = pictures(book)
    assert size(first) == size(second)
    assert len(first) < 2_000
    assert len(second) < 6 * MOST_BYTES
    photo = Image(torch.linspace(0, 1, 600)[:, None].expand(3, 600, 800).contiguous())
    assert len(flipbook(lambda value: photo, [0]).still) <= MOST_BYTES


def test_the_html_holds_everything_and_no_text_ends_it_early():
    book = flipbook(grey, [0.0, 1.0], "part", start=1.0, alt=lambda value: f"</script> & “{value}”")
    text = book._repr_html_()
    given = json.loads(re.findall(r'json">(.*?)</script>', text)[0])

    assert given["start"] == 1
    assert given["frames"][0]["alt"] == "</script> & “0.0”"
    assert text.count("</script>") == 2
    assert 'alt="&lt;/script&gt; &amp; “1.0”"' in text
    assert not re.search(r"https?://(?!www.w3.org/2000/svg)", text)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: flipbook(grey, []), "a value for each picture; an empty list came"),
        (lambda: flipbook(grey, [0, 1], start=2), r"one of its values, \[0, 1\]; got 2"),
        (lambda: flipbook(lambda value: None, [7]), "is one figure; for 7, none were drawn"),
        (
            lambda: flipbook(lambda value: [pyplot.figure(), pyplot.figure()], [7]),
            "is one figure; for 7, 2 were drawn",
        ),
    ],
)
def test_what_cannot_be_a_flipbook_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()

    assert pyplot.get_fignums() == []


def test_a_scan_is_gone_through_slice_by_slice(monkeypatch):
    shown: list[Flipbook] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setitem(VIEWERS, Volume, go_through)
    show(SCAN, "head")
    deep = Volume(torch.rand(100, 4, 4))
    show(deep)

    first, second = ([frame["value"] for frame in book.data["frames"]] for book in shown)
    assert first == [str(number) for number in range(8)]
    assert shown[0].data["start"] == 4
    assert len(second) == flipbooks.MOST_SLICES
    assert second[::23] == ["2", "97"]


def test_a_scan_within_a_flipbook_is_still(monkeypatch):
    monkeypatch.setitem(VIEWERS, Volume, go_through)
    book = flipbook(lambda value: show(SCAN), [0])

    assert book.data["frames"][0]["alt"].startswith("Three slices through the middle")
    assert VIEWERS[Volume] is go_through


# In browsers ------------------------------------------------------------------------------------------------

LESSON = """
```{code-cell}
:alt: A picture that gets whiter.
import torch
import coursekit as kit

def grey(part):
    return kit.Image(torch.full((3, 40, 60), part))

kit.flipbook(grey, [0.0, 0.5, 1.0], "part", start=0.5, alt=lambda part: f"A picture, {part:.0%} white.")
```

```{code-cell}
:alt: Black and white.
:caption: The same with a caption.
kit.flipbook(grey, [0.0, 1.0], "brightness")
```
"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lesson with two flipbooks, built as a page."""
    folder = tmp_path_factory.mktemp("book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        build = run_build(small_book(folder, leaves=LESSON))
    assert build.status == 0, build.output
    return build.html / "lessons" / "leaves.html"


def leaf_through(tab: Tab | Locator, name: str) -> tuple[list[str | None], list[str | None]]:
    """Press the arrow keys on a slider: the values it says, and the texts of the picture."""
    slider = tab.get_by_role("slider", name=name)
    picture = tab.locator(".coursekit-flipbook", has=slider).locator("img")
    values, texts = [], []
    for key in ("", "ArrowRight", "ArrowLeft", "Home", "End"):
        if key:
            slider.press(key)
        values.append(slider.get_attribute("aria-valuetext"))
        texts.append(picture.get_attribute("alt"))
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 100
    return values, texts


EXPECTED = ["0.5", "1", "0.5", "0", "1"]
EXPECTED_TEXTS = [f"A picture, {part} white." for part in ("50%", "100%", "50%", "0%", "100%")]


@pytest.mark.parametrize("window", WINDOWS)
def test_on_a_page_the_keyboard_moves_it(browser: Browser, lesson: Path, window: str):
    """Opened from a file, as a book that was downloaded."""
    seen = visit(browser, "file://", **WINDOWS[window])
    seen.tab.goto(lesson.resolve().as_uri())

    assert leaf_through(seen.tab, "part") == (EXPECTED, EXPECTED_TEXTS)
    assert leaf_through(seen.tab, "brightness")[0] == ["0", "1", "0", "0", "1"]
    assert (
        seen.tab.get_by_role("group", name="A picture that gets whiter.").get_by_role("slider").count() == 1
    )
    assert seen.tab.get_by_role("figure", name="Figure 1.").get_by_role("slider").count() == 1
    assert not seen.tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert seen.complaints == []
    assert violations(seen.tab) == []  # last, since axe itself reads style sheets, which a file may not
    seen.tab.context.close()


def test_a_page_is_light_and_runs_the_script_once(lesson: Path):
    text = lesson.read_text("utf8")
    names = set(re.findall(r"\.\./_images/(\w+\.webp)", text))

    assert "base64" not in text
    assert text.count('src="../_static/widgets/flipbook.js"') == 1
    assert "openAll" in (lesson.parent.parent / "_static" / "widgets" / "flipbook.js").read_text("utf8")
    assert len(names) == 3  # black, grey and white; black and white are in both
    assert all((lesson.parent.parent / "_images" / name).stat().st_size for name in names)


def test_without_scripts_a_page_shows_one_picture_and_no_dead_control(browser: Browser, lesson: Path):
    tab = visit(browser, "file://", **WINDOWS["phone"], java_script_enabled=False).tab
    tab.goto(lesson.resolve().as_uri())

    assert tab.locator(".coursekit-flipbook img").first.get_attribute("alt") == EXPECTED_TEXTS[0]
    assert tab.get_by_role("slider").count() == 0
    tab.context.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a real JupyterLab with the lesson's code in a notebook."""
    code = re.findall(r"{code-cell}\n(?::.*\n)*((?s:.*?))```", LESSON)[0]
    scan = "kit.show(kit.Volume(torch.rand(5, 8, 8)))"
    with jupyterlab(tmp_path, code.replace("kit.flipbook", f"{scan}\nkit.flipbook")) as address:
        yield address


def test_in_jupyterlab_a_real_kernel_draws_it(browser: Browser, lab: str):
    tab = visit(browser, lab, **WINDOWS["dark"]).tab
    run_first_cell(tab, lab)
    tab.get_by_role("slider", name="part").wait_for()
    tab.get_by_role("slider", name="depth").wait_for()

    assert leaf_through(tab, "part") == (EXPECTED, EXPECTED_TEXTS)
    assert leaf_through(tab, "depth")[0] == ["2", "3", "2", "0", "4"]
    tab.context.close()
