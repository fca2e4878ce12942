"""The studio as a new user meets it: a real JupyterLab, a folder of photos, and no code to write."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from browsing import WINDOWS, jupyterlab, run_first_cell, violations, visit
from fruit import fruit
from PIL import Image
from playwright.sync_api import Browser, Locator, expect
from playwright.sync_api import Page as Tab

import coursekit as kit
from coursekit.widgets import modules
from coursekit.workshop import showing
from coursekit.workshop.changes import Changes

# A tall window, so that all of the page is there to be looked at; the same on a telephone.
TALL = WINDOWS["light"] | {"viewport": {"width": 1280, "height": 2200}}


def press(place: Locator, name: str) -> None:
    """Press a button with the keyboard: JupyterLab must not take the key for itself."""
    button = place.get_by_role("button", name=name, exact=True)
    button.focus()
    button.press("Enter")


def faults(tab: Tab, of: str) -> list[str]:
    """What axe-core finds wrong with one part of a page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(tab, context=of).response["violations"]
    return [f"{one['id']}: {[node['target'] for node in one['nodes'][:3]]}" for one in found]


def test_from_a_folder_of_photos_to_an_exported_model_without_code(browser: Browser, tmp_path: Path):
    photos = fruit(tmp_path / "photos" / "fruit", each=15)
    wrong = photos / "ripe" / "wrong.jpg"
    (photos / "raw" / "raw_03.jpg").rename(wrong)
    before = sorted(photos.rglob("*"))
    with jupyterlab(tmp_path, "import coursekit as kit\nkit.studio()") as lab:
        tab = visit(browser, lab, **TALL).tab
        run_first_cell(tab, lab)
        studio = tab.locator(".coursekit-studio")
        began = time.monotonic()
        choose_and_look(studio, photos)
        run_first_cell(tab, lab)  # the page is loaded again without being saved, so that the output is lost
        studio.get_by_text("This is your studio as you left it.").wait_for()
        train(studio)
        correct(studio, wrong)
        assert faults(tab, ".coursekit-studio") == []
        try_on(studio, photos / "raw" / "raw_05.jpg")
        press(studio.locator("nav"), "Export")
        press(studio, "Write. For Python: a folder that kit.load_model reads")
        studio.get_by_text("Written: ").wait_for()
        assert time.monotonic() - began < 300
        assert "kit.save_model(learner, 'fruit-model')" in str(studio.locator("pre").text_content())
        save(tab, tmp_path / "work" / "leaves.ipynb")
        tab.reload()
        studio.get_by_text("Written: ").wait_for()
        press(studio.locator("nav"), "Look")
        studio.get_by_role("img", name=re.compile("A photo of kind raw")).first.wait_for()
        tab.context.close()

    work = tmp_path / "work"
    assert kit.load_model(work / "fruit-model").predict(photos / "ripe" / "ripe_02.jpg").value == "ripe"
    assert "wrong.jpg,ripe,raw," in (work / "fruit-changes.csv").read_text(encoding="utf-8")
    assert sorted(photos.rglob("*")) == before


def save(tab: Tab, notebook: Path) -> None:
    tab.locator(".jp-Notebook .cm-content").first.click()
    tab.keyboard.press("Control+s")
    for _ in range(300):
        if "widget-view" in notebook.read_text(encoding="utf-8"):
            return
        tab.wait_for_timeout(100)
    pytest.fail("Ctrl+S saved no notebook")


def choose_and_look(studio: Locator, photos: Path) -> None:
    path = studio.get_by_label("Folder on the computer")
    path.fill(str(photos.parent / "nowhere"))
    press(studio, "Take this folder")
    studio.get_by_text(re.compile("There is no folder '.*nowhere'")).wait_for()
    path.fill(str(photos.parent))
    path.press("Enter")
    press(studio, "fruit")
    studio.get_by_role("button", name="ripe", exact=True).wait_for()
    press(studio, "Take this folder")
    studio.get_by_text("30 photos of 2 kinds. The model learns from 24").wait_for()
    studio.get_by_role("img", name=re.compile("A photo of kind raw")).first.wait_for()
    together = studio.get_by_role("checkbox", name=re.compile("like cow7_1 and cow7_2"))
    together.click()
    studio.get_by_text("photos of 'raw' belong to fewer than two groups of that kind").wait_for()
    assert not together.is_checked()


def train(studio: Locator) -> None:
    press(studio, "Go on to training")
    times = studio.get_by_label("Times through the photos")
    times.fill("many")
    press(studio.locator(".panel"), "Train")
    studio.get_by_text("“Times through the photos” is a whole number from 1 to 100; 'many' came.").wait_for()
    times.fill("8")
    studio.get_by_text("More choices").click()
    studio.get_by_label("Size of photos").select_option("96")
    press(studio.locator(".panel"), "Train")
    studio.get_by_role("button", name="Stop").wait_for()
    studio.get_by_role("img", name=re.compile("Loss of training after")).wait_for()
    studio.get_by_role("radio", name=re.compile("Training 1: names . of 6 held-out photos right")).wait_for()


def correct(studio: Locator, wrong: Path) -> None:
    press(studio, "See its mistakes")
    label = studio.get_by_label("Label of wrong.jpg")
    studio.get_by_label("labelled", exact=True).select_option("ripe")
    label.focus()
    label.press("r")  # typed twice, a letter of the command mode deletes a cell or runs something
    label.select_option("raw")
    studio.get_by_text("wrong.jpg is raw from now on.").wait_for()
    studio.get_by_label("Photos", exact=True).select_option("held out")
    studio.get_by_text("wrong.jpg: ripe → raw").wait_for()
    studio.get_by_role("button", name="Train again with 1 changed label").wait_for()


def try_on(studio: Locator, photo: Path) -> None:
    press(studio.locator("nav"), "Try")
    studio.get_by_label("Photos from this computer").set_input_files([photo, Path(__file__)])
    studio.get_by_text("raw_05.jpg: ").wait_for()
    studio.get_by_text("test_workshop_showing.py cannot be read as a photo").wait_for()


@pytest.mark.parametrize("window", ["dark", "phone"])
def test_the_cleaner_is_used_with_the_keyboard_at_any_width(browser: Browser, tmp_path: Path, window: str):
    """Beside a kernel in this process: what is pressed goes to Python, what Python says is shown."""
    photos = [{"photo": file, "label": file.parent.name} for file in fruit(tmp_path / "fruit").rglob("*.jpg")]
    data = kit.DataBlock(
        kit.Image, kit.Category, kit.StratifiedSplit("label"), item_transforms=[kit.Resize(32)]
    ).loaders(photos)
    cleaning = kit.clean(kit.vision_learner(data, pretrained=False, device="cpu"), tmp_path / "changes.csv")
    tab = beside_a_kernel(browser, tmp_path, cleaning, "cleaner", window)

    label = tab.get_by_label("Label of ").first
    name = str(label.get_attribute("aria-label")).removeprefix("Label of ")
    label.focus()
    label.press("End")  # the last choice: leave it out
    tab.get_by_text(f"{name} is left out. The file stays.").wait_for()
    assert tab.evaluate("document.activeElement.ariaLabel") == f"Label of {name}"
    tab.get_by_label("Photos", exact=True).select_option("learned from")
    tab.get_by_text("20 photos.").wait_for()
    tab.get_by_role("button", name="Later").press("Enter")
    tab.get_by_text("Page 2 of 2").wait_for()
    assert cleaning.changes["item"].map(lambda item: Path(item).name).tolist() == [name]
    tab.get_by_role("button", name=f"Take back the change of {name}").press("Enter")
    tab.get_by_text("No changes so far").wait_for()
    assert not tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert violations(tab) == []
    tab.context.close()


class Waits(showing.ShownStudio):
    """A studio that answers a page when all is done."""

    def act(self, what: dict[str, Any]) -> None:
        super().act(what)
        self.wait()


def test_in_a_studio_a_list_is_set_aside_and_a_replaced_photo_is_shown_anew(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    photos, saved = fruit(tmp_path / "fruit", each=4), Changes("fruit-changes.csv")
    for file in (photos / "raw").iterdir():
        saved.decide(str(file), "raw", "")
    tab = beside_a_kernel(browser, tmp_path, Waits(photos), "studio", "phone")
    page = tab.locator("#here")
    page.get_by_text("After your changes, all photos to learn from are ripe").wait_for()
    assert not tab.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert violations(tab) == []
    press(page, "Set this list aside and begin a new one")
    page.get_by_text("The model learns from 6").wait_for()

    picture = page.get_by_role("img", name="A photo of kind raw: raw_00.jpg")
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    before = str(picture.get_attribute("src"))
    Image.new("RGB", (80, 80), "blue").save(photos / "raw" / "raw_00.jpg")
    press(page, "Look again")
    expect(picture).to_have_attribute("src", re.compile(f"^blob:(?!{re.escape(before[5:])})"))
    expect(picture).to_have_js_property("naturalWidth", 80)
    tab.context.close()


def beside_a_kernel(browser: Browser, folder: Path, shown: showing.Shown, name: str, window: str) -> Tab:
    """A page with the script of a widget, and a model that hands everything on to Python and back."""
    seen = visit(browser, "file://", **WINDOWS[window])

    def send(what: dict[str, Any]) -> dict[str, Any]:
        if what["do"] == "pictures":
            made = shown.pictures(what["names"])
            return {"names": list(made), "pictures": [list(one) for one in made.values()]}
        shown.act(what)
        return {"state": shown.view()}

    seen.tab.expose_function("ask", send)
    script = modules.live(name).replace(modules.END, OPEN.replace("STATE", json.dumps(shown.view())))
    look = (
        "<meta name='viewport' content='width=device-width'><style>:root { color-scheme: light dark }</style>"
    )
    page = folder / "page.html"
    head = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>A kernel</title>{look}"
    body = "<main><h1>A kernel</h1><h2>Beside it</h2><div id='here'></div></main>"
    page.write_text(f"{head}{body}<script type='module'>{script}</script></html>", encoding="utf-8")
    seen.tab.goto(page.as_uri())
    return seen.tab


OPEN = """
const [calls, values] = [{}, { state: STATE }];
const tell = (event, ...what) => (calls[event] || []).forEach((call) => call(...what));
render({ el: document.querySelector("#here"), model: {
  get: (name) => values[name], on: (event, call) => { (calls[event] ||= []).push(call); }, off() {},
  send: async (what) => {
    const { state, names, pictures } = await ask(what);
    if (state) { values.state = state; tell("change:state"); }
    else tell("msg:custom", { pictures: names }, pictures.map((one) => new Uint8Array(one)));
  },
} });
"""


def test_without_what_a_notebook_needs_a_sentence_names_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(showing, "find_spec", lambda name: None)

    for call in (kit.studio, lambda: kit.clean(None, None)):  # type: ignore[arg-type]
        with pytest.raises(
            ImportError, match="needs anywidget, of the extra `notebook`: pip install anywidget"
        ):
            call()


def test_a_cell_that_is_run_again_shows_the_studio_as_it_was_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(showing, "STUDIOS", {})
    nothing_done, without_folder = kit.studio("fruit"), kit.studio()
    nothing_done.wait()
    fruit(tmp_path / "fruit", each=4)
    studio = kit.studio("fruit")  # the folder is there now, and nothing is lost by another try
    studio.wait()
    assert (studio is nothing_done, studio.step, studio.said) == (False, "look", {})

    model = studio._repr_mimebundle_()[0]["application/vnd.jupyter.widget-view+json"]["model_id"]
    again = kit.studio(tmp_path / "fruit")
    assert again is studio
    assert again.said["text"] == ("This is your studio as you left it. For a new one: kit.studio(anew=True).")
    assert again.link.widget.state["said"] == again.said
    assert again._repr_mimebundle_()[0]["application/vnd.jupyter.widget-view+json"]["model_id"] == model
    assert kit.studio("fruit", anew=True) is not studio
    assert kit.studio() is not without_folder


def test_a_photo_comes_in_pieces_and_is_put_together(monkeypatch: pytest.MonkeyPatch):
    asked = []
    studio = kit.studio()
    link = showing.Link(studio, "studio")
    monkeypatch.setattr(studio, "act", asked.append)
    link.hear(None, {"do": "piece", "name": "a.jpg", "last": False}, [b"one "])
    link.hear(None, {"do": "piece", "name": "a.jpg", "last": True}, [b"two"])

    assert asked == [{"do": "try", "name": "a.jpg", "data": b"one two"}]


def test_where_no_kernel_is_a_sentence_says_what_to_do():
    bundle = kit.studio()._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle

    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"] == "<p>The studio works beside a kernel: run this cell, and it stands here.</p>"
