"""The service, as its users meet it: a process of its own, asked over HTTP by many at once, and badly."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image as pillow
from test_onnx_model import painted, write_folder
from torch import nn

from coursekit.creating import Create
from coursekit.cropping import Resize
from coursekit.export import save_model
from coursekit.inference import load_model
from coursekit.losses import CrossEntropy
from coursekit.onnx_model import ABOUT, ORIENTATION
from coursekit.photo_page import photo_page
from coursekit.recipes import Recipe
from coursekit.serving import NOTE, SCRIPT, Watch, open_model
from coursekit.steps import Categorize, ToFloat
from coursekit.tensors import Image
from coursekit.transforms import Pipeline

for package in ("onnx", "onnxruntime", "fastapi", "uvicorn", "multipart"):
    pytest.importorskip(package)
httpx = pytest.importorskip("httpx")
CLIENT = httpx.Client(timeout=30, limits=httpx.Limits(max_keepalive_connections=0))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def running(folder: Path, limits: str = "", slow: float = 0.0) -> Iterator[tuple[str, subprocess.Popen]]:
    """A served model; `slow` lets each batch take so many seconds more."""
    port = free_port()
    program = f"""
import time
from coursekit import serving
whole = serving.open_model
def slowly(folder):
    prepare, answer, name = whole(folder)
    return prepare, lambda items: (time.sleep({slow}), answer(items))[1], name
serving.open_model = slowly
serving.serve({str(folder)!r}, port={port}, limits=serving.Limits({limits}))
"""
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                CLIENT.get(f"{address}/health")
                break
            except httpx.HTTPError:
                assert process.poll() is None, process.stderr and process.stderr.read()
                time.sleep(0.05)
        yield address, process
    finally:
        process.kill()
        process.communicate()


def png(*colour: int) -> bytes:
    file = io.BytesIO()
    painted(*colour).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("served") / "colours")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with running(folder, "most_bytes=100_000, most_pixels=10_000, patience=1.0") as (where, _):
        yield where


def ask(address: str, data: bytes, **more: Any) -> Any:
    return CLIENT.post(f"{address}/predict", content=data, **more)


def test_a_photo_is_answered_as_a_body_and_from_a_form(address: str) -> None:
    wanted = {"blue": 0.2119, "green": 0.5761, "red": 0.2119}
    for answer in (
        ask(address, png(9, 10, 9)),
        CLIENT.post(f"{address}/predict", files={"photo": ("green.png", png(9, 10, 9))}),
    ):
        assert answer.status_code == 200
        assert answer.json()["answer"] == "green"
        assert answer.json()["probabilities"] == pytest.approx(wanted, abs=1e-4)


def test_fifty_who_ask_at_once_each_get_their_own_answer(folder: Path) -> None:
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    names = ["red", "green", "blue"]
    with running(folder, "batch=16, wait=0.02", slow=0.05) as (address, _):
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda number: ask(address, png(*colours[number % 3])), range(50)))
        health = CLIENT.get(f"{address}/health").json()

    assert [answer.json()["answer"] for answer in answers] == [names[number % 3] for number in range(50)]
    assert health["answered"] == 50
    assert health["batches"] < 25


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that says it has many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def jpeg() -> bytes:
    file = io.BytesIO()
    painted(1, 2, 3).resize((90, 90)).save(file, "JPEG")
    return file.getvalue()


def bitmap() -> bytes:
    file = io.BytesIO()
    painted(1, 2, 3).save(file, "BMP")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b"", 415, "This is no photo that can be read: send JPEG, PNG, WEBP."),
        (b"<html>", 415, "This is no photo that can be read: send JPEG, PNG, WEBP."),
        (bitmap(), 415, "This is no photo that can be read: send JPEG, PNG, WEBP."),
        (os.urandom(99_000), 415, "This is no photo that can be read: send JPEG, PNG, WEBP."),
        (jpeg()[:700], 422, "This photo cannot be read: image file is truncated"),
        (bomb(200, 100), 422, "This photo has 20,000 pixels, and 10,000 are allowed: send it smaller."),
        (bomb(50_000, 50_000), 422, "This photo has more than 10,000 pixels."),
        (os.urandom(100_001), 413, "This photo has more than 100,000 bytes: send it smaller."),
    ],
)
def test_what_is_no_photo_or_too_large_is_refused_in_a_sentence(
    address: str, data: bytes, status: int, said: str
) -> None:
    for answer in (ask(address, data), CLIENT.post(f"{address}/predict", files={"photo": ("a.png", data)})):
        assert answer.status_code == status, answer.text
        assert answer.json()["error"].startswith(said)
    assert ask(address, png(9, 10, 9)).json()["answer"] == "green"


def test_forms_without_a_photo_are_refused(address: str) -> None:
    form = {"content-type": "multipart/form-data; boundary=x"}
    answer = ask(
        address, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n', headers=form
    )

    assert (answer.status_code, answer.json()["error"]) == (415, "This form brings no file.")
    answer = ask(address, b"nothing", headers={"content-type": "multipart/form-data"})
    assert (answer.status_code, answer.json()["error"][:26]) == (415, "This form cannot be read: ")


def test_who_sends_slowly_holds_nobody_up_and_is_sent_away(address: str) -> None:
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n12345")
        began = time.monotonic()

        assert ask(address, png(9, 10, 9)).json()["answer"] == "green"
        assert time.monotonic() - began < 0.9
        assert slow.recv(4000).startswith(b"HTTP/1.1 408 ")


def test_when_too_many_wait_the_next_is_told_to_come_again(folder: Path) -> None:
    with running(folder, "most_waiting=4, batch=1", slow=0.5) as (address, _):
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: ask(address, png(9, 10, 9)), range(12)))
        statuses = [answer.status_code for answer in answers]
        refused = next(answer for answer in answers if answer.status_code == 503)

        assert set(statuses) == {200, 503}
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["error"] == "Too many photos are waiting: send yours again in a moment."
        assert CLIENT.get(f"{address}/health").json()["refused"] == {"503": statuses.count(503)}
        assert ask(address, png(9, 10, 9)).status_code == 200


def test_who_leaves_before_the_answer_harms_nobody(folder: Path) -> None:
    with running(folder, "batch=2, wait=0.2", slow=0.3) as (address, _):
        with pytest.raises(httpx.ReadTimeout):
            CLIENT.post(f"{address}/predict", content=png(1, 2, 3), timeout=0.1)

        assert ask(address, png(9, 10, 9)).json()["answer"] == "green"


def test_questions_that_have_come_are_answered_before_the_service_ends(folder: Path) -> None:
    with running(folder, slow=0.6) as (address, process), ThreadPoolExecutor(1) as pool:
        late = pool.submit(ask, address, png(9, 10, 9))
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)

        assert late.result().json()["answer"] == "green"
        process.wait(10)


def test_health_says_what_was_answered_and_how_surely(folder: Path) -> None:
    with running(folder) as (address, _):
        empty = CLIENT.get(f"{address}/health").json()
        for colour in ((9, 10, 9), (9, 10, 9), (200, 0, 0)):
            ask(address, png(*colour))
        health = CLIENT.get(f"{address}/health").json()

    assert (empty["answered"], empty["mean_confidence"]) == (0, None)
    assert health["answers"] == {"green": 2, "red": 1}
    assert health["mean_confidence"] == pytest.approx((0.5761 * 2 + 1) / 3, abs=1e-3)
    assert health["lately"]["answers"] == {"green": 2, "red": 1}


def test_lately_is_the_last_answers_alone() -> None:
    watch = Watch()
    for _ in range(300):
        watch.add("sound", 1.0)
    for _ in range(200):
        watch.add("broken", 0.6)
    said = watch.said(1)

    assert said["answers"] == {"broken": 200, "sound": 300}
    assert said["lately"] == {"answered": 200, "answers": {"broken": 200}, "mean_confidence": 0.6}


def test_a_page_of_another_site_cannot_call_it_by_its_own_name(address: str) -> None:
    assert CLIENT.get(f"{address}/health", headers={"host": "elsewhere.example"}).status_code == 400


def test_several_names_and_numbers_are_json(tmp_path: Path) -> None:
    several = {"kind": "several", "vocab": ["red", "green", "blue"], "threshold": 0.3}
    with running(write_folder(tmp_path, answer=several)) as (address, _):
        assert ask(address, png(9, 9, 0)).json()["answer"] == ["red", "green"]
    with running(write_folder(tmp_path, answer={"kind": "numbers", "vocab": []})) as (address, _):
        assert ask(address, png(0, 0, 200)).json() == {"answer": [0.0, 0.0, 1.0], "probabilities": None}


def test_the_command_serves_and_says_what_is_no_model(folder: Path, tmp_path: Path) -> None:
    call = [sys.executable, "-c", "from coursekit.cli import main; main()", "serve"]
    (tmp_path / ABOUT).write_text("{}")
    answer = subprocess.run([*call, str(tmp_path)], capture_output=True, text=True)
    assert answer.returncode == 2
    assert "does not describe a model in the format" in answer.stderr

    port = free_port()
    process = subprocess.Popen([*call, str(folder), "--port", str(port)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == f"{folder}: http://127.0.0.1:{port}  (Ctrl-C ends it)\n"
    finally:
        process.kill()
        process.communicate()


def test_a_saved_model_is_served_too_with_photos_upright(tmp_path: Path) -> None:
    """The learner's own answer, for a photo of a camera that was held on its side."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(48, 2))
    recipe = Recipe(
        Pipeline(Create(Image), Resize(4)), Pipeline(Categorize(["dark", "light"])), Pipeline(ToFloat())
    )
    learner: Any = SimpleNamespace(
        model=network, loss_function=CrossEntropy(), data=SimpleNamespace(recipe=recipe)
    )
    prepare, answer, name = open_model(save_model(learner, tmp_path / "shades"))
    exif, file = pillow.Exif(), io.BytesIO()
    exif[ORIENTATION] = 6
    half = pillow.new("RGB", (40, 40), "white")
    half.paste((0, 0, 0), (0, 0, 40, 20))
    half.save(tmp_path / "turned.jpg", exif=exif)
    half.save(file, "JPEG", exif=exif)
    wanted = load_model(tmp_path / "shades").predict(tmp_path / "turned.jpg")

    [said] = answer([prepare(file)])
    assert name == "shades"
    assert said.probabilities == pytest.approx(wanted.probabilities, abs=1e-5)
    with pytest.raises(ValueError, match="this is not a picture that can be read: "):
        prepare(io.BytesIO(jpeg()[:700]))


# The page -------------------------------------------------------------------------------------------------


def test_the_page_asks_nobody_else() -> None:
    text = photo_page("cells", NOTE, [SCRIPT.read_text(encoding="utf-8")])

    assert "http" not in text.replace("https", "http").lower().partition("<body>")[2]
    assert 'src="' not in text


def test_a_photo_dropped_on_the_page_is_answered(address: str, tmp_path: Path) -> None:
    from browsing import WINDOWS, chromium, violations

    (tmp_path / "green.png").write_bytes(png(9, 10, 9))
    (tmp_path / "notes.txt").write_text("no photo")
    with chromium() as browser:
        for window in WINDOWS.values():
            tab = browser.new_page(**window)
            asked: list[str] = []
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.goto(address)
            tab.set_input_files("#photo", tmp_path / "green.png")
            tab.get_by_text("green (57.6 %)").wait_for()

            assert tab.get_by_label("Drop a photo here, or choose one").is_enabled()
            assert tab.inner_text("tr >> nth=0").split()[0] == "green"
            assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert violations(tab) == []
            tab.set_input_files("#photo", tmp_path / "notes.txt")
            tab.get_by_text("This is no photo that can be read").wait_for()
            assert {url.partition("/predict")[0].rstrip("/") for url in asked if url[:4] != "blob"} == {
                address
            }
            tab.close()


def test_a_port_that_is_taken_is_one_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        program = "from coursekit.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, "serve", str(folder), "--port", str(port)],
            capture_output=True,
            text=True,
        )

    assert done.returncode == 2
    assert f"port {port} of 127.0.0.1 cannot be had: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_goes_away_takes_no_answer_along(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "colours")
    with running(folder) as (address, process):
        shutil.rmtree(folder)
        assert ask(address, png(9, 10, 9)).json()["answer"] == "green"
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert process.stderr is not None
        assert process.stderr.read() == ""
