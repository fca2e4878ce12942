"""A field to draw a digit in: strokes in a real browser, from a file, and what the network makes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from browsing import WINDOWS, Visit, served, violations, visit
from hands import Line, drawn
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from torch import nn

import coursekit as kit
from coursekit.widgets import digit_reader, modules
from coursekit.widgets.digits import DigitPad, draw_digit
from coursekit.widgets.page_network import MOST_WEIGHTS, page_network

PAGE = (
    "<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>A field</title><style>{style}</style>{body}"
)
STYLE = """:root { color-scheme: light dark } body { margin: 16px; background: light-dark(#fff, #111);
color: light-dark(#111, #eee); font: 1rem sans-serif }"""


@pytest.fixture(scope="module")
def pad() -> DigitPad:
    """The field with the network that is trained for it, once on a machine."""
    return draw_digit()


@pytest.fixture
def open_field(browser: Browser, tmp_path: Path, pad: DigitPad) -> Iterator[Any]:
    """Opens a page with a field, from a file; no page may complain."""
    visits: list[Visit] = []

    def opened(window: str = "light", shown: DigitPad = pad, before: str = "", **more: Any) -> Tab:
        body = f"<main><h1>A field</h1>{before}{shown._repr_html_()}<p>After it</p></main>"
        (tmp_path / "field.html").write_text(PAGE.format(style=STYLE, body=body), encoding="utf-8")
        visits.append(visit(browser, tmp_path.as_uri(), **WINDOWS[window], **more))
        return visits[-1].open("field.html")

    yield opened
    assert [one.complaints for one in visits] == [[]] * len(visits)


# A pointer as a browser reports it, without waiting for the screen between two of its places.
POINTER = """
const draw = (field, lines) => {
  const { left, top, width, height } = field.getBoundingClientRect();
  const send = (kind, [x, y]) => field.dispatchEvent(new PointerEvent(kind, {
    pointerId: 1, clientX: left + x * width, clientY: top + y * height,
  }));
  for (const line of lines) {
    line.forEach((place, number) => send(number ? "pointermove" : "pointerdown", place));
    send("pointerup", line[line.length - 1]);
  }
};"""
ONE = f"(field, lines) => {{{POINTER} draw(field, lines); }}"
ALL = f"""(field, digits) => {{{POINTER} return digits.map((lines) => {{
  draw(field, lines);
  const read = document.querySelector(".answer .digit").textContent;
  document.querySelector(".buttons .main").click();
  return Number(read || NaN);
}}); }}"""


def draw(tab: Tab, lines: list[Line]) -> None:
    tab.locator(".field").evaluate(ONE, lines)


def said(tab: Tab) -> str:
    return tab.locator(".said").inner_text()


def read(tab: Tab) -> int | None:
    """The digit that is shown at large."""
    text = tab.locator(".answer .digit").inner_text()
    return int(text) if text else None


# What people draw -------------------------------------------------------------------------------------------


def test_of_two_hundred_digits_by_twenty_hands_nearly_all_are_read(open_field: Any) -> None:
    tab = open_field()
    tab.mouse.move(100, 100)  # from then on there is a pointer
    every = [(digit, hand) for hand in range(20) for digit in range(10)]
    found = tab.locator(".field").evaluate(ALL, [drawn(*one) for one in every])
    wrong = [
        f"{digit} of hand {hand} as {said}"
        for (digit, hand), said in zip(every, found, strict=True)
        if said != digit
    ]
    print(f"{200 - len(wrong)} of 200 are read; not {wrong}")

    assert len(wrong) <= 10


def test_small_or_large_and_wherever_it_stands_the_network_sees_the_same(open_field: Any) -> None:
    tab = open_field()
    pictures = []
    for size, left, top in ((0.9, 0.05, 0.05), (0.45, 0.5, 0.1), (0.2, 0.1, 0.75)):
        draw(tab, [[(left + size * x / 2, top + size * y) for x, y in line] for line in drawn(5, 4)])
        pictures.append(seen(tab))
        tab.get_by_role("button", name="Clear").click()
    large, middle, small = pictures

    assert abs(large - middle).mean() < 0.015
    assert abs(large - small).mean() < 0.03  # a mouse has whole pixels
    rows, columns = (numpy.flatnonzero(large.any(axis)) for axis in (1, 0))
    assert rows.max() - rows.min() in (19, 20, 21)
    assert columns.max() - columns.min() <= 20
    places = numpy.arange(28) + 0.5
    centre = (large.sum(0) @ places, large.sum(1) @ places) / large.sum()
    assert centre == pytest.approx([14, 14], abs=0.3)


def seen(tab: Tab) -> Any:
    """What the network sees, as numbers from 0 to 1."""
    pixels = tab.locator(".seen canvas").evaluate(
        """canvas => {
          const copy = new OffscreenCanvas(28, 28).getContext("2d");
          copy.drawImage(canvas, 0, 0);
          return [...copy.getImageData(0, 0, 28, 28).data];
        }"""
    )
    return numpy.array(pixels).reshape(28, 28, 4)[..., 0] / 255


def test_a_speck_beside_a_digit_is_no_part_of_it(open_field: Any) -> None:
    tab = open_field()
    draw(tab, drawn(7, 0))
    alone = seen(tab)
    draw(tab, [[(0.02, 0.98)]])

    assert numpy.array_equal(seen(tab), alone)
    tab.get_by_role("button", name="Clear").click()
    draw(tab, [[(0.5, 0.5)]])
    assert said(tab) == "That is very small: draw on."
    assert read(tab) is None


def test_a_mouse_draws_and_may_leave_the_field(open_field: Any) -> None:
    tab = open_field()
    box = tab.locator(".field").bounding_box()
    x, y, size = box["x"], box["y"], box["width"]
    tab.mouse.move(x + 0.2 * size, y + 0.2 * size)
    tab.mouse.down()
    tab.mouse.move(x + 0.8 * size, y + 0.2 * size, steps=3)
    tab.mouse.move(x + 0.45 * size, y + 1.4 * size, steps=3)
    tab.mouse.up()
    tab.mouse.move(x + 0.9 * size, y + 0.9 * size)

    assert said(tab).startswith("The network reads a 7")
    tab.get_by_role("button", name="Undo").click()
    assert read(tab) is None


def test_a_finger_draws_and_the_page_stays_where_it_is(open_field: Any) -> None:
    tab = open_field("phone", has_touch=True, is_mobile=True)
    box = tab.locator(".field").bounding_box()
    touch = tab.context.new_cdp_session(tab)
    for line in drawn(3, 0):
        for number, (x, y) in enumerate(line):
            point = {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}
            kind = "touchMove" if number else "touchStart"
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    assert read(tab) == 3
    assert tab.evaluate("scrollY") == 0
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


# With keys alone, and in words ------------------------------------------------------------------------------


def test_keys_draw_take_back_and_wipe(open_field: Any) -> None:
    tab = open_field()
    tab.keyboard.press("Tab")
    assert tab.locator(".field .keys").is_visible()
    for key in ["Space", *["ArrowDown"] * 14, "Space"]:
        tab.keyboard.press(key)
    assert said(tab).startswith("The network reads a 1")
    for key in ["Space", *["ArrowLeft"] * 9, "Space"]:
        tab.keyboard.press(key)
    tab.keyboard.press("Backspace")
    assert read(tab) == 1
    tab.keyboard.press("Delete")
    assert read(tab) is None
    assert tab.get_by_role("button", name="Clear").is_disabled()
    # Two arrows at once lead aslant: a seven.
    for key in ["ArrowLeft"] * 6 + ["Space"] + ["ArrowRight"] * 10:
        tab.keyboard.press(key)
    tab.keyboard.down("ArrowDown")
    tab.keyboard.down("ArrowLeft")
    tab.keyboard.up("ArrowLeft")
    for _ in range(6):
        tab.keyboard.down("ArrowLeft")
        tab.keyboard.down("ArrowDown")
        tab.keyboard.up("ArrowLeft")
        tab.keyboard.press("ArrowDown")
        tab.keyboard.down("ArrowDown")
    tab.keyboard.up("ArrowDown")
    tab.keyboard.press("Space")
    assert read(tab) == 7
    assert tab.evaluate("scrollY") == 0


def test_digits_that_somebody_wrote_can_be_chosen(open_field: Any) -> None:
    tab = open_field()
    right = []
    for digit in range(10):
        tab.get_by_role("button", name=re.compile(f"^an? {digit} that somebody wrote$")).click()
        assert said(tab).startswith(f"Meant as a{'n' if digit == 8 else ''} {digit}. ")
        right.append(read(tab) == digit)

    assert sum(right) >= 9
    bars = tab.locator(".bars").get_attribute("aria-label")
    assert bars.startswith("How probable each digit is: 9: ")
    assert tab.locator(".field g path").count() > 0
    draw(tab, drawn(0, 0))
    assert read(tab) == 0
    assert tab.locator(".field g path").count() == 0


def test_where_nothing_is_likely_it_says_so(open_field: Any) -> None:
    even = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    nn.init.zeros_(even[1].weight)
    even[1].bias.data = torch.tensor([0.0] * 4 + [5.0] + [0.0] * 4 + [4.9])
    tab = open_field(shown=draw_digit(even))
    draw(tab, drawn(4, 0))

    assert said(tab) == "Not sure: a 4 (51 %) or a 9 (46 %)?"
    assert "Your network: 7,850 weights" in tab.locator(".about").inner_text()


@pytest.mark.parametrize("window", WINDOWS)
def test_everybody_can_use_it_and_nothing_shifts(open_field: Any, window: str) -> None:
    """The room of the still picture is the room of the widget, and axe finds nothing wrong."""
    tab = open_field(window)
    draw(tab, drawn(2, 2))

    assert violations(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    after = tab.get_by_text("After it").bounding_box()
    tab.evaluate("document.querySelector('.coursekit-digit').outerHTML = " + json.dumps(still(open_field)))
    assert tab.get_by_text("After it").bounding_box() == after


def still(open_field: Any) -> str:
    """What is seen without scripts."""
    tab = open_field(java_script_enabled=False)
    assert tab.get_by_text(re.compile(r"^Of this 3 a network says: 3 \(\d+ %\)")).is_visible()
    return f'<div class="coursekit-digit">{draw_digit().still}</div>'


# The network in the page ------------------------------------------------------------------------------------


def torch_and_page(browser: Browser, model: nn.Module, pictures: torch.Tensor) -> tuple[Any, Any]:
    """The scores of a network with the weights that a page has: by torch, and by the page."""
    network = page_network(model)
    tab = browser.new_page()
    tab.add_script_tag(content=modules.sibling("network"))
    numbers = numpy.frombuffer(network.weights, "<f2").astype(float).tolist()
    found = tab.evaluate(
        """([layers, numbers, pictures, shape]) => pictures.map((picture) => [
          ...from_network.scoresOf(layers, Float32Array.from(numbers), Float32Array.from(picture), shape),
        ])""",
        [network.layers, numbers, pictures.flatten(1).tolist(), list(pictures.shape[1:])],
    )
    tab.close()
    with torch.no_grad():
        return model.eval()(pictures), torch.tensor(found)


STRIDE = nn.Conv2d(1, 4, 5, stride=2, padding=1)
NO_BIAS = nn.Conv2d(1, 6, 3, bias=False)
CHAINS = {
    "a stride": nn.Sequential(STRIDE, nn.ReLU(), nn.Flatten(), nn.Linear(4 * 13 * 13, 10)),
    "no bias, pooled": nn.Sequential(NO_BIAS, nn.MaxPool2d(3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    "norms": kit.SmallCNN(10, channels=(4, 8), input_channels=1, convolutions=2, dropout=0.5),
}


@pytest.mark.parametrize("model", CHAINS.values(), ids=CHAINS)
def test_the_page_computes_what_torch_computes(browser: Browser, model: nn.Module) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        for _ in range(30):
            model.train()(torch.randn(8, 1, 28, 28))  # norms learn their means
    ours, page = torch_and_page(browser, model, torch.rand(3, 1, 28, 28))

    assert ours.abs().max() > 0.05
    assert torch.allclose(ours, page, rtol=5e-3, atol=5e-3)  # weights of 16 bits have three digits


def test_the_trained_network_answers_in_the_page_as_in_torch(browser: Browser) -> None:
    known, reader = digit_reader.divided_digits(), digit_reader.trained_reader()
    pictures = known.pictures[known.valid[::25]]
    ours, page = torch_and_page(browser, reader.network, pictures)

    assert (ours.softmax(1) - page.softmax(1)).abs().max() < 0.01
    assert (ours.argmax(1) == page.argmax(1)).float().mean() == 1
    assert reader.right > 0.97
    assert page_network(reader.network).size < 40_000


def test_numbers_of_sixteen_bits_are_read_exactly(browser: Browser) -> None:
    numbers = numpy.array([0, -0.0, 1, -2, 65504, 6e-8, 6.1e-5, 0.1, -1 / 3], "<f2")
    tab = browser.new_page()
    tab.add_script_tag(content=modules.sibling("network"))
    found = tab.evaluate("bytes => [...from_network.halves(Uint8Array.from(bytes))]", list(numbers.tobytes()))

    assert found == numbers.astype(numpy.float32).tolist()


# What a page cannot take ------------------------------------------------------------------------------------


class Branches(nn.Module):
    """A network with a way around a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(10, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layer(x)


def chain(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Flatten(), *layers)


REFUSED = {
    "nine scores": (chain(nn.Linear(784, 9)), r"ten scores, for 0 to 9; .* this Sequential makes \(1, 9\)"),
    "another layer": (chain(nn.Linear(784, 10), nn.GELU()), "does not know GELU.*: it knows Conv2d"),
    "a branch": (chain(nn.Linear(784, 10), Branches()), "Sequential .*add.*it knows Conv2d"),
    "too large": (chain(nn.Linear(784, 700), nn.Linear(700, 10)), f"at most {MOST_WEIGHTS:,} weights; "),
}


@pytest.mark.parametrize(("model", "message"), REFUSED.values(), ids=REFUSED)
def test_a_network_that_a_page_cannot_take_is_refused(model: nn.Module, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        draw_digit(model)


def test_weights_that_half_precision_cannot_hold_are_refused() -> None:
    model = nn.Linear(2, 2)
    model.weight.data[0, 0] = 1e6

    with pytest.raises(ValueError, match="one of its weights is above 65,504"):
        page_network(model)


# Where it stands --------------------------------------------------------------------------------------------


def test_weights_come_when_somebody_comes_near(
    browser: Browser, tmp_path: Path, pad: DigitPad, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a page of the book they are a file; it is asked for late, and a file that is missing is told."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "book" / "sphinx"))
    from widgets import with_bytes

    text = with_bytes(pad._repr_html_(), tmp_path, ".")
    assert len(text) < 50_000
    (file,) = tmp_path.glob("*.js")
    assert file.stat().st_size < 90_000
    body = f"<main><h1>A page</h1><div style='height: 5000px'></div>{text}</main>"
    (tmp_path / "field.html").write_text(PAGE.format(style=STYLE, body=body), encoding="utf-8")
    with_page = visit(browser, tmp_path.as_uri())
    asked: list[str] = []
    with_page.tab.on("request", lambda request: asked.append(Path(request.url).name))
    tab = with_page.open("field.html")
    tab.wait_for_timeout(300)
    assert asked == ["field.html"]
    assert read(tab) == 3  # what was found when the page was built
    tab.locator(".field").scroll_into_view_if_needed()
    tab.wait_for_function("name => document.querySelector(`script[src$='${name}']`)?.bytes", arg=file.name)
    draw(tab, drawn(6, 1))
    assert read(tab) == 6
    assert with_page.complaints == []

    file.unlink()
    tab.reload()
    tab.locator(".field").scroll_into_view_if_needed()
    tab.get_by_text("The network could not be loaded").wait_for()


def test_a_digit_chosen_before_the_network_has_come_is_read_when_it_has(
    browser: Browser, tmp_path: Path, pad: DigitPad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "book" / "sphinx"))
    from widgets import with_bytes

    text = with_bytes(pad._repr_html_(), tmp_path, ".")
    (file,) = tmp_path.glob("*.js")
    body = f"<main><h1>A page</h1>{text}</main>"
    (tmp_path / "field.html").write_text(PAGE.format(style=STYLE, body=body), encoding="utf-8")
    with served(tmp_path) as site:
        tab = visit(browser, site).tab
        held: list[Any] = []
        tab.route(f"**/{file.name}", lambda route: held.append(route))
        tab.goto(f"{site}/field.html")
        tab.get_by_role("button", name="A 7 that somebody wrote").click()
        tab.get_by_text("The network is still on its way.").wait_for()
        while not held:
            tab.wait_for_timeout(50)
        held[0].continue_()

        tab.get_by_text("Meant as a 7.").wait_for()
        tab.context.close()


def test_python_reads_what_was_drawn() -> None:
    """In a notebook with a kernel; how `state` travels is tested once for all widgets."""
    pytest.importorskip("anywidget")
    live = draw_digit().live()

    assert set(live.data) == {"layers", "weights", "samples", "first", "about"}
    assert live.state == {}


def test_the_network_is_trained_as_it_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two short trainings give the same weights, and leave torch's own chance as it was."""
    known = digit_reader.divided_digits()
    monkeypatch.setattr(
        digit_reader,
        "divided_digits",
        lambda: known._replace(train=known.train[::45], valid=known.valid[::20]),
    )
    torch.manual_seed(3)
    first = digit_reader.trained(epochs=1)
    drawn_then = torch.rand(1)
    second = digit_reader.trained(epochs=1)
    torch.manual_seed(3)

    assert torch.equal(torch.rand(1), drawn_then)
    assert all(torch.equal(first["weights"][name], second["weights"][name]) for name in first["weights"])
