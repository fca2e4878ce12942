"""What every widget is: HTML that holds everything, and live with a kernel, which hears what was chosen."""

from __future__ import annotations

import builtins
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import WINDOWS, jupyterlab, run_first_cell, run_next_cell, visit
from built_book import Build, run_build, small_book
from playwright.sync_api import Browser

from coursekit.widgets.stills import still
from coursekit.widgets.widget import Widget, kind

pytestmark = pytest.mark.usefixtures("fresh_figures")


@dataclass(frozen=True)
class Bowl(Widget):
    """A widget without a maker, shown by the script of another."""

    name = "descent"


def test_a_picture_takes_its_room_before_it_is_there() -> None:
    """Drawn at 150 dots an inch and shown at 100: five inches are 500 pixels of a page."""
    from matplotlib import pyplot

    text = Bowl("A “bowl”.", still(lambda _: pyplot.figure(figsize=(5, 3))), {})._repr_html_()

    assert 'alt="A “bowl”." width="500" height="300" style="max-width: 100%; height: auto">' in text


def test_html_may_stand_in_for_the_picture() -> None:
    text = Bowl("A bowl.", "<p>A <em>bowl</em>, and a ball.</p>", {"a": "</script>"})._repr_html_()

    assert text.startswith('<div class="coursekit-descent"><p>A <em>bowl</em>, and a ball.</p><script type=')
    assert json.loads(re.findall(r'json">(.*?)</script>', text)[0]) == {"a": "</script>"}
    assert text.count("</script>") == 2


def test_what_is_no_number_does_not_reach_a_page_as_none() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Bowl("A bowl.", "", {"loss": float("nan")})._repr_html_()


def test_without_anywidget_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def missing(name: str, *others: Any, **named: Any) -> Any:
        if name == "anywidget":
            raise ImportError("No module named 'anywidget'", name="anywidget")
        return load(name, *others, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    kind.cache_clear()
    with pytest.raises(ImportError, match=r"needs anywidget, of the extra `notebook`: pip install anywidget"):
        Bowl("A bowl.", "", {}).live()


def test_a_live_widget_is_given_the_same_and_has_chosen_nothing_yet() -> None:
    shown = Bowl("A bowl.", "", {"rate": 0.1}).live()

    assert (shown.data, shown.state) == ({"rate": 0.1}, {})
    assert "export default { render };" in shown._esm


LIVE = """
import coursekit as kit
from IPython.display import display

down = kit.step_down(lambda w: (w - 0.4) ** 2, start=-0.2, rate=0.1).live()
grey = [[[0, 1], [1, 0]], [[1, 0], [0, 1]], [[1, 1], [1, 0]]]
leaf = kit.flipbook(grey.__getitem__, [0, 1, 2], "part").live()
warp = kit.warp_sliders(kit.flower()[0], rotate=20).live()
display(down, leaf, warp)
"""


def test_in_jupyterlab_python_reads_what_was_chosen(browser: Browser, tmp_path: Path) -> None:
    with jupyterlab(tmp_path, LIVE) as lab:
        tab = visit(browser, lab, **WINDOWS["dark"]).tab
        run_first_cell(tab, lab)
        tab.get_by_role("button", name="Step", exact=True).press("Enter")
        tab.get_by_role("slider", name="part").press("End")
        tab.get_by_role("slider", name="rotate").press("ArrowLeft")
        tab.get_by_role("img", name="rotate 19°").wait_for()
        code = "print(down.state['steps'], round(down.state['at'], 3), leaf.state, warp.state['rotate'])"

        assert run_next_cell(tab, code) == "1 -0.08 {'value': '2'} 19"
        tab.context.close()


OTHERS = """
import coursekit as kit
import torch
from coursekit.callbacks import Progress
from IPython.display import display

dahlia = kit.flower()
slide = kit.slide_kernel(dahlia[0]).live()
shares = kit.softmax_sliders({"cat": 2.0, "dog": 1.0}).live()
turn = kit.turn_together({"photo": dahlia[0], "outline": dahlia[1]}, start=30).live()
pad = kit.draw_digit().live()
batch = torch.ones(2, 1), torch.ones(2, 1)
model = torch.nn.Linear(1, 1)
learner = kit.Learner(([batch], [batch]), model, torch.nn.MSELoss(), callbacks=[Progress("off")])
fit = kit.step_through(learner, epochs=1, rate=0.1).live()
display(slide, shares, turn, pad, fit)
"""


def test_in_jupyterlab_python_reads_what_was_chosen_in_the_others(browser: Browser, tmp_path: Path) -> None:
    with jupyterlab(tmp_path, OTHERS) as lab:
        tab = visit(browser, lab, **WINDOWS["light"]).tab
        run_first_cell(tab, lab)
        tab.get_by_role("slider", name="column").press("Home")
        tab.get_by_role("slider", name="temperature").press("End")
        tab.get_by_role("slider", name="angle").press("ArrowRight")
        tab.get_by_role("button", name="Next event").press("Enter")
        tab.get_by_role("button", name=re.compile("7")).press("Enter")
        tab.get_by_text("Meant as a 7. The network reads a 7.").wait_for()
        chosen = "slide.state['column'], shares.state['temperature'], turn.state, fit.state['event']"
        code = f"print({chosen}, max(range(10), key=pad.state['chances'].__getitem__))"

        assert run_next_cell(tab, code) == "0 10 {'degrees': 31} 1 7"
        tab.context.close()


# On a page of the book --------------------------------------------------------------------------------------

FAULTS = """# A book

```{widget} kit.step_down(lambda w: (w - 0.4) ** 2, start=-0.2)
:alt: A bowl that a ball rolls down.
:caption: A *bowl*, and a ball.
```

```{widget} kit.step_down(lambda w: w**2, start=0.5)
```

```{widget} kit.step_down(lambda w: w**2, start=7, ends=(0, 1))
:alt: A bowl.
```

```{widget} kit.flower()[0]
:alt: A flower.
```
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A book whose first page shows two widgets, one without words, and fails to make two others."""
    folder = small_book(tmp_path_factory.mktemp("book"), leaves="Nothing moves here.\n")
    (folder / "book" / "index.md").write_text(FAULTS, encoding="utf8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        return run_build(folder, "--none")


def test_the_build_names_file_and_line_of_a_widget_that_cannot_be_shown(faulty: Build) -> None:
    assert faulty.status == 1
    for line, words in [
        (8, "a widget without a text alternative: give it `alt`"),
        (11, r"start=7, ends=\(0, 1\)\): ValueError: the ball begins in the picture, 0 to 1; start=7 is not"),
        (15, r"kit\.flower\(\)\[0\] makes no widget, but Image: Image\(3x427x640"),
    ]:
        assert re.search(rf"book/index\.md:{line}: \w+: .*{words}", faulty.output), words


def test_a_page_shows_a_widget_and_fetches_its_script_from_the_site(browser: Browser, faulty: Build) -> None:
    seen = visit(browser, "file://", **WINDOWS["phone"])
    seen.tab.goto((faulty.html / "book" / "index.html").as_uri())
    group = seen.tab.get_by_role("group", name="A bowl that a ball rolls down.")
    group.get_by_role("button", name="Step").press("Enter")

    assert "Step 1" in str(group.get_by_role("status").text_content())
    assert seen.tab.get_by_role("figure").locator("figcaption em").text_content() == "bowl"
    assert seen.tab.locator("script[src*='widgets/descent']").count() == 1  # of two widgets
    # Beside it lies what each of the two shows.
    files = [file.stem for file in (faulty.html / "_static" / "widgets").iterdir()]
    assert [stem for stem in files if not re.fullmatch(r"[0-9a-f]{16}", stem)] == ["descent"]
    assert seen.complaints == []
    seen.tab.context.close()
