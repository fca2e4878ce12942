"""A page in which a model answers by itself: no server computes, and no photo leaves the machine.

The graph runs in the browser, by onnxruntime-web, which is fetched once, when the page is made, and lies
beside it then: the page asks no other host for anything. Photos are prepared in JavaScript as in Python, to
the last bit from the same pixels. (A browser's own shrinking gives other pixels, and so other answers.)
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .onnx_model import ABOUT, read_about
from .photo_page import photo_page

SCRIPT = Path(__file__).with_suffix(".js")
NOTE = "The model runs in this page. The photo stays on this machine."
RUNTIME = "onnxruntime-web@1.30.0"
PATIENCE = 180  # seconds, for 40 megabytes
# What a page needs of it: the script, and the machine code for one thread with its loader.
NEEDED = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


def save_page(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    runtime: str | os.PathLike[str] | None = None,
    title: str | None = None,
    photos: Sequence[str | os.PathLike[str]] = (),
) -> Path:
    """Make a folder to put on any web server, in which a model answers to the photos that are dropped on it.

    Opened as a file it says that it needs a server, such as `python -m http.server`: browsers let no page
    read its neighbours from a disk.

    Args:
        folder: What `save_onnx` wrote, for photos; 16 bits make it half as large, and answer alike.
        out: The folder to make; files of the same names are replaced.
        runtime: The archive of onnxruntime-web, as `npm pack` writes it; without it npm is asked for it.
        title: What stands above the page; without it the folder's name.
        photos: Files of some photos to try, for people who have none of that kind; the page gets copies.

    Returns:
        The page, `index.html`.

    Raises:
        FileNotFoundError, ValueError: The folder is none, or its model takes no photos.
        OSError: onnxruntime-web cannot be had.

    >>> save_page("nowhere", "page")
    Traceback (most recent call last):
    FileNotFoundError: nowhere holds no model.onnx.json: is it a folder that save_onnx wrote?
    """
    source, page = Path(folder), Path(out)
    about = read_about(source / ABOUT)
    given = about["input"]
    if given["kind"] != "photo" or given["at_least"] is not None or given["shape"][0] not in (1, 3):
        raise ValueError(
            f"{source}: a page takes photos as they are, and this model takes {given['kind']} of "
            f"{tuple(given['shape'])}."
        )
    page.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as empty:
        unpack(Path(runtime) if runtime else fetch_runtime(Path(empty)), page / "runtime")
    shutil.copyfile(source / "model.onnx", page / "model.onnx")
    # Inside a script only "<" could end it early.
    described = json.dumps(about).replace("<", "\\u003c")
    script = SCRIPT.read_text(encoding="utf-8").replace('"{about}"', described)
    scripts = [f"runtime/{NEEDED[0]}", script]
    text = photo_page(title or source.name, NOTE, scripts, copied(photos, page / "photos"))
    (page / "index.html").write_text(text, encoding="utf-8")
    return page / "index.html"


def copied(photos: Sequence[str | os.PathLike[str]], folder: Path) -> list[str]:
    """Lay copies of photos into a folder, by numbers, as names of files may tell much. Their addresses."""
    if photos:
        folder.mkdir(exist_ok=True)
    names = [f"{number}{Path(photo).suffix.lower()}" for number, photo in enumerate(photos, 1)]
    for photo, name in zip(photos, names, strict=True):
        shutil.copyfile(photo, folder / name)
    return [f"{folder.name}/{name}" for name in names]


def fetch_runtime(folder: Path) -> Path:
    """Let npm fetch onnxruntime-web, from where it is set up to look; it checks what it gets."""
    npm = shutil.which("npm")
    options = ["--silent", "--fetch-retries=1", "--pack-destination", str(folder)]
    command = [npm or "npm", "pack", RUNTIME, *options]
    with suppress(subprocess.TimeoutExpired):  # It would try again for minutes where there is no network.
        if npm:
            subprocess.run(command, capture_output=True, cwd=folder, timeout=PATIENCE)
    if not any(folder.glob("*.tgz")):
        why = "is not installed" if npm is None else "could not fetch it"
        raise OSError(
            f"the page needs {RUNTIME}, and npm {why}: "
            f"`npm pack {RUNTIME}` where it can be had, and then save_page(..., runtime=the file)."
        )
    return next(folder.glob("*.tgz"))


def unpack(archive: Path, folder: Path) -> None:
    """Take the few files that a page needs out of npm's archive, by their names alone."""
    folder.mkdir(exist_ok=True)
    with tarfile.open(archive) as files:
        for name in NEEDED:
            try:
                file = files.extractfile(f"package/dist/{name}")
            except KeyError:
                file = None
            if file is None:
                raise OSError(f"{archive} holds no dist/{name}: is it {RUNTIME}?")
            (folder / name).write_bytes(file.read())
