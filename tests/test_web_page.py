"""A model in a page: in a real browser, without a server that computes, it answers as in Python."""

from __future__ import annotations

import io
import json
import os
import tarfile
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from browsing import WINDOWS, chromium, served, violations
from PIL import Image as pillow
from test_onnx_model import painted, write_folder

from coursekit import web_page
from coursekit.onnx_model import ABOUT, ORIENTATION, OnnxModel, fitted, open_photo
from coursekit.web_page import NEEDED, fetch_runtime, save_page

for package in ("onnx", "onnxruntime"):
    pytest.importorskip(package)


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """onnxruntime-web: the file that is named by a setting, or what npm fetches; else a skip that says so."""
    if named := os.environ.get("COURSEKIT_ONNX_RUNTIME"):
        return Path(named)
    try:
        return fetch_runtime(tmp_path_factory.mktemp("npm"))
    except OSError as error:
        pytest.skip(str(error))


def photos() -> dict[str, bytes]:
    """Photos whose pixels a browser and Pillow read alike: without loss; and two of cameras."""
    chance = np.random.default_rng(0)
    noise = pillow.fromarray(chance.integers(0, 256, (47, 61, 3), dtype=np.uint8))
    faint = noise.convert("RGBA")
    faint.putalpha(pillow.new("L", noise.size, 128))
    smooth = pillow.fromarray(chance.integers(0, 256, (6, 8, 3), dtype=np.uint8)).resize((160, 120))
    exif = pillow.Exif()
    exif[ORIENTATION] = 6
    files = {
        "noise.png": (noise, {}),
        "grey.png": (noise.convert("L"), {}),
        "web.webp": (noise, {"lossless": True}),
    }
    files |= {"camera.jpg": (smooth, {"quality": 95}), "turned.jpg": (smooth, {"quality": 95, "exif": exif})}
    made = {}
    for name, (photo, options) in files.items():
        file = io.BytesIO()
        photo.save(file, {"jpg": "JPEG"}.get(name[-3:], name.rpartition(".")[2].upper()), **options)
        made[name] = file.getvalue()
    return made


def test_the_page_answers_as_python_does_and_asks_nobody(runtime: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model")
    model = OnnxModel(folder, threads=1)
    page = save_page(folder, tmp_path / "page", runtime, title="Which <colour>?")
    with served(tmp_path / "page") as site, chromium() as browser:
        tab = browser.new_page(**WINDOWS["phone at night"])
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(site)
        assert tab.inner_text("h1") == "Which <colour>?"
        for name, data in {**photos(), "green.png": png(painted(9, 10, 9))}.items():
            (tmp_path / name).write_bytes(data)
            tab.set_input_files("#photo", tmp_path / name)
            tab.locator("#answer", has_text="%").wait_for()
            tab.locator(f"img[alt='The photo {name}']").wait_for()
            shown = {
                row.inner_text().split()[0]: float(row.get_attribute("data-share") or "nan")
                for row in tab.query_selector_all("tr")
            }

            assert shown == pytest.approx(model.predict(tmp_path / name).probabilities, abs=0.01), name
        assert violations(tab) == []
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        (tmp_path / "notes.txt").write_text("no photo")
        tab.set_input_files("#photo", tmp_path / "notes.txt")
        tab.get_by_text("This is no photo that the browser can read.").wait_for()
        assert {url[: len(site)] for url in asked if not url.startswith("blob:")} == {site}
        tab.goto(page.as_uri())
        tab.get_by_text("This page needs a web server: run python -m http.server in its folder.").wait_for()


def test_people_without_such_photos_can_take_one(runtime: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model")
    for name, colour in (("mine", (9, 10, 9)), ("Other photo", (200, 10, 9))):
        (tmp_path / f"{name}.PNG").write_bytes(png(painted(*colour)))
    own = [tmp_path / "mine.PNG", tmp_path / "Other photo.PNG"]
    page = save_page(folder, tmp_path / "page", runtime, photos=own)
    assert sorted(path.name for path in (tmp_path / "page" / "photos").iterdir()) == ["1.png", "2.png"]
    with served(tmp_path / "page") as site, chromium() as browser:
        tab = browser.new_page(**WINDOWS["phone"])
        tab.goto(site)
        tab.get_by_role("button", name="Photo 2").press("Enter")
        tab.locator("img[alt='The photo Photo 2']").wait_for()
        tab.locator("#answer", has_text="%").wait_for()
        known = OnnxModel(folder, threads=1).predict(own[1]).probabilities

        assert tab.inner_text("#answer").startswith(max(known, key=known.get))
        assert violations(tab) == []
        tab.goto(page.as_uri())
        assert tab.get_by_role("button", name="Photo 1").is_disabled()


def png(photo: pillow.Image) -> bytes:
    file = io.BytesIO()
    photo.save(file, "PNG")
    return file.getvalue()


def test_photos_shrink_and_grow_in_the_page_as_in_python(runtime: Path, tmp_path: Path) -> None:
    """To the last bit, for photos without loss."""
    save_page(write_folder(tmp_path / "model"), tmp_path / "page", runtime)
    data = photos()
    with served(tmp_path / "page") as site, chromium() as browser:
        tab = browser.new_page()
        tab.goto(site)
        for name, fit in product(("noise.png", "web.webp"), ("squeeze", "crop", "pad")):
            for size in ((16, 24), (47, 20), (90, 70)):
                found = tab.evaluate(
                    "async ([bytes, size, fit]) =>"
                    " [...fitted(await read(new Blob([new Uint8Array(bytes)])), size, fit).values]",
                    [list(data[name]), size, fit],
                )
                wanted = fitted(open_photo(io.BytesIO(data[name]), "RGB"), size, fit)

                assert np.array_equal(np.array(found, np.uint8).reshape(wanted.shape), wanted), (
                    name,
                    fit,
                    size,
                )


def test_without_npm_one_sentence_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "model")
    monkeypatch.setattr(web_page.shutil, "which", lambda name: None)

    with pytest.raises(OSError, match=r"needs onnxruntime-web@\S+, and npm is not installed: `npm pack onnx"):
        save_page(folder, tmp_path / "page")


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tgz", "w:gz"):
        pass

    with pytest.raises(OSError, match=f"holds no dist/{NEEDED[0]}: is it onnxruntime-web@"):
        save_page(write_folder(tmp_path / "model"), tmp_path / "page", tmp_path / "other.tgz")


def test_a_model_that_takes_no_photos_has_no_page(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    about = json.loads((folder / ABOUT).read_text())
    about["input"]["kind"] = "numbers"
    (folder / ABOUT).write_text(json.dumps({**about}))

    with pytest.raises(ValueError, match="a page takes photos as they are, and this model takes numbers"):
        save_page(folder, tmp_path / "page")
