"""How many photos a service answers, and how long each of those who ask waits: 1, 8 and 64 at a time.

The model is `efficientnet_lite0` as ONNX, at 160 pixels; its weights are random, since they change no time.
Photos are of several sizes, as they come from telephones and from the web, and every answer is compared with
the model's own to that photo. Who asks takes the next photo when the last one is answered. The service that
answers one by one, `batch=1`, takes turns with the one that answers those that come together at once.

Bounds: no answer is another photo's, and with 64 at a time batches answer no fewer photos than one by one.
(The clients and the service share this machine's cores. A photo has to be opened and shrunk as well, which
no batch makes quicker; so the gain is smaller than that of the network.)
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from socket import socket
from statistics import median
from typing import Any, NamedTuple

import torch
from PIL import Image as pillow
from record import Bars, record
from torch import nn

from coursekit.api import CrossEntropy, Head, OnnxModel, Recipe, Resize, SavedModel, make_backbone, save_onnx
from coursekit.creating import Create
from coursekit.steps import Categorize, ToFloat
from coursekit.tensors import Image
from coursekit.transforms import Pipeline

CLIENTS, ROUNDS, SECONDS = (1, 8, 64), 3, 3.0
WAYS = {"in batches": 16, "one by one": 1}
SIZES = ((320, 240), (640, 480), (1600, 1200))
COMMAND = "from coursekit.cli import main; main()"


class Answered(NamedTuple):
    """An answer: how long it took, and whether it was the right one."""

    seconds: float
    right: bool


def write_model(folder: Path) -> Path:
    """A network of the usual size, ready to be served."""
    torch.manual_seed(0)
    body = make_backbone("efficientnet_lite0", pretrained=False)
    network = nn.Sequential(body, Head(body.channels, 3))
    recipe = Recipe(
        Pipeline(Create(Image), Resize(160)), Pipeline(Categorize(["a", "b", "c"])), Pipeline(ToFloat())
    )
    return save_onnx(SavedModel(network, recipe, CrossEntropy(), "cpu"), folder)


def write_photos() -> list[bytes]:
    """Parts of two real photos, as JPEG files of several sizes."""
    from sklearn.datasets import load_sample_image

    photos = []
    for name in ("china.jpg", "flower.jpg"):
        whole = pillow.fromarray(load_sample_image(name))
        for number in range(12):
            part = whole.crop((20 * number, 5 * number, 20 * number + 400, 5 * number + 300))
            file = BytesIO()
            part.resize(SIZES[number % len(SIZES)]).save(file, "JPEG", quality=90)
            photos.append(file.getvalue())
    return photos


def start(folder: Path, batch: int) -> tuple[subprocess.Popen, int]:
    """A service in a process of its own, and its port."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["serve", str(folder), "--port", str(port), "--batch", str(batch)]
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stdout=subprocess.DEVNULL)
    for _ in range(600):
        try:
            HTTPConnection("127.0.0.1", port, timeout=10).connect()
            return process, port
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise OSError("the service did not begin within a minute.")


def ask(port: int, photos: list[bytes], right: list[dict[str, float]], first: int, until: float) -> list:
    """Send one photo after the other, until a moment."""
    line, found, number = HTTPConnection("127.0.0.1", port, timeout=60), [], first
    while time.perf_counter() < until:
        place = number % len(photos)
        began = time.perf_counter()
        line.request("POST", "/predict", photos[place])
        said = json.loads(line.getresponse().read())["probabilities"]
        taken = time.perf_counter() - began
        same = all(abs(said[name] - chance) < 1e-4 for name, chance in right[place].items())
        found.append(Answered(taken, same))
        number += 1
    line.close()
    return found


def measured(ports: dict[str, int], photos: list[bytes], right: list[dict[str, float]]) -> list[dict]:
    """Each way with each number of clients, in turns."""
    answers: dict[tuple[int, str], list[Answered]] = {}
    for clients in CLIENTS * ROUNDS:
        for way, port in ports.items():
            with ThreadPoolExecutor(clients) as pool:
                until = time.perf_counter() + SECONDS
                asked = [pool.submit(ask, port, photos, right, 7 * who, until) for who in range(clients)]
                found = [one for client in asked for one in client.result()]
            answers.setdefault((clients, way), []).extend(found)
    return [row(clients, way, found) for (clients, way), found in answers.items()]


def row(clients: int, way: str, found: list[Answered]) -> dict[str, Any]:
    """A line of the table."""
    taken = [1000 * one.seconds for one in found]
    return {
        "clients": f"{clients} at a time",
        "way": way,
        "photos a second": round(clients * len(found) / sum(taken) * 1000, 1),
        "median ms": round(median(taken)),
        "worst ms": round(max(taken)),
        "answers": len(found),
        "another photo's": sum(not one.right for one in found),
    }


def main() -> int:
    """Measure, keep, and fail where a bound is broken."""
    photos = write_photos()
    with tempfile.TemporaryDirectory() as there:
        folder = write_model(Path(there, "model"))
        right = [one.probabilities or {} for one in OnnxModel(folder).predict_all(map(BytesIO, photos))]
        services = {way: start(folder, batch) for way, batch in WAYS.items()}
        try:
            rows = measured({way: port for way, (_, port) in services.items()}, photos, right)
        finally:
            for process, _ in services.values():
                process.terminate()
                process.wait()
    panels = tuple(f"{clients} at a time" for clients in CLIENTS)
    bars = Bars("clients", "photos a second", panels=panels, floor="one by one", ours="in batches")
    record("serving", rows, bars=bars, packages=("onnxruntime", "pillow", "fastapi", "uvicorn"))
    rates = {one["way"]: one["photos a second"] for one in rows if one["clients"] == panels[-1]}
    wrong = sum(one["another photo's"] for one in rows)
    return int(wrong > 0 or rates["in batches"] < rates["one by one"])


if __name__ == "__main__":
    sys.exit(main())
