"""What it takes to read a photo: from the bytes of a file to numbers, on the processor and on a GPU.

Each way ends with the same: `uint8`, channels first, in colour, upright. "Pillow" is what most people write;
torchvision's decoder is deprecated since 0.29; simplejpeg knows nothing of how the camera was held, and is
here as the floor. Ours, which makes a typed picture of it and has a word for a broken one, may take 1.15
times as long as torchcodec, and as Pillow where only that is.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from in_turn import in_turn
from peers import find
from PIL import Image as pillow
from PIL import ImageOps
from record import NOT_INSTALLED, Bars, record

from coursekit import decoding
from coursekit.geometry import resize
from coursekit.tensors import Image

ON_THE_GPU, BOUND = 64, 1.15
THEIRS, FLOOR = "Pillow", "simplejpeg"
TOOLS = {
    "torchcodec": "torchcodec.decoders:decode_image",
    "torchcodec, JPEG": "torchcodec.decoders:decode_jpeg",
    FLOOR: "simplejpeg:decode_jpeg",
    "torchvision": "torchvision.io:decode_image",
}
WAYS = (THEIRS, "ours, Pillow alone", "ours", "torchcodec", "torchvision", FLOOR)
SIZES = {"a photo, 500 x 334": (500, 334), "a photo, 4000 x 2672": (4000, 2672)}
CELL, SMALLER = "a solar cell, PNG, 300 x 300", "a photo, 4000 x 2672, wanted at 224 x 224"
GPU = f"{ON_THE_GPU} photos, 500 x 334, on the GPU"


def files(folder: Path) -> dict[str, Path]:
    """A photo of scikit-learn as JPEG, as large as in data sets and as from telephones, and a solar cell."""
    import elpv_dataset
    from sklearn.datasets import load_sample_image

    photo, found = pillow.fromarray(load_sample_image("china.jpg")), {}
    for call, size in SIZES.items():
        found[call] = folder / f"{size[0]}.jpg"
        photo.resize(size, pillow.Resampling.LANCZOS).save(found[call], quality=90)
    cells = Path(elpv_dataset.__file__).parent.rglob("*.png")
    return {**found, CELL: min(cells), SMALLER: found["a photo, 4000 x 2672"]}


def with_pillow(file: Path) -> torch.Tensor:
    """As it is written everywhere."""
    with pillow.open(file) as photo:
        array = np.array(ImageOps.exif_transpose(photo).convert("RGB"))
    return torch.from_numpy(array).permute(2, 0, 1)


def pillow_alone(file: Path, **settings: Any) -> Image:
    """Ours where torchcodec is not installed."""
    decoder, decoding._decoder = decoding._decoder, lambda: None
    try:
        return Image.open(file, **settings)
    finally:
        decoding._decoder = decoder


def ways(tools: dict[str, Any], call: str) -> dict[str, Callable[[Path], Any]]:
    """Each way that is installed and knows this kind of file."""
    found: dict[str, Callable[[Path], Any]] = {
        THEIRS: with_pillow,
        "ours, Pillow alone": pillow_alone,
        "ours": Image.open,
    }
    if tools["torchcodec"]:
        found["torchcodec"] = tools["torchcodec"]
    if tools["torchvision"]:
        found["torchvision"] = lambda file: tools["torchvision"](
            str(file), "RGB", apply_exif_orientation=True
        )
    if tools[FLOOR] and call != CELL:
        found[FLOOR] = lambda file: torch.from_numpy(tools[FLOOR](file.read_bytes())).permute(2, 0, 1)
    if call == SMALLER:
        every = {way: (lambda file, read=read: resize(Image(read(file)), 224)) for way, read in found.items()}
        every["ours"] = lambda file: resize(Image.open(file, at_least=224), 224)
        every["ours, Pillow alone"] = lambda file: resize(pillow_alone(file, at_least=224), 224)
        return every
    return found


def on_the_gpu(tools: dict[str, Any], file: Path) -> list[dict[str, Any]]:
    """Milliseconds for each photo of a batch that nvJPEG decodes, beside ours with the way to the device."""
    data = torch.from_numpy(np.fromfile(file, np.uint8))
    arms: dict[str, Callable[[], Any]] = {
        "ours": lambda: [Image.open(file).to("cuda", non_blocking=True) for _ in range(ON_THE_GPU)]
    }
    if tools["torchcodec, JPEG"]:
        arms["torchcodec"] = lambda: tools["torchcodec, JPEG"]([data] * ON_THE_GPU, device="cuda")
    taken: dict[str, list[float]] = {way: [] for way in arms}
    for turn in range(12):
        for way, run in arms.items():
            torch.cuda.synchronize()
            start = time.perf_counter()
            run()
            torch.cuda.synchronize()
            if turn > 1:
                taken[way].append((time.perf_counter() - start) / ON_THE_GPU * 1e3)
    return [row(GPU, way, median(times)) for way, times in taken.items()]


def row(call: str, way: str, milliseconds: float | str, **more: Any) -> dict[str, Any]:
    """A line of the table."""
    number = milliseconds if isinstance(milliseconds, str) else round(milliseconds, 3)
    blank = {"Pillow takes, times as long": "", "goal": "", "reached": ""}
    return {"call": call, "way": way, "milliseconds": number, **blank, **more}


def measured(tools: dict[str, Any], call: str, file: Path) -> list[dict[str, Any]]:
    """All ways to read one file."""
    here, rows = ways(tools, call), []
    # Several in a row: the first still pays for the memory that the way before gave back.
    turns, calls = (20, 20) if call in (CELL, next(iter(SIZES))) else (15, 2)
    statements = {way: ("read(file)", {"read": read, "file": file}) for way, read in here.items()}
    taken = in_turn(statements, turns, calls)
    for way in WAYS:
        if way not in here:
            rows.append(row(call, way, "knows no PNG" if tools[way] else NOT_INSTALLED))
            continue
        more: dict[str, Any] = {"Pillow takes, times as long": round(taken.times(THEIRS, way), 2)}
        if way.startswith("ours"):
            beside = "torchcodec" if way == "ours" and "torchcodec" in here else THEIRS
            more["goal"] = f"at most {BOUND} times {beside}"
            more["reached"] = "yes" if taken.times(way, beside) <= BOUND else "no"
        rows.append(row(call, way, taken.nanoseconds(way) / 1e6, **more))
    return rows


def main() -> int:
    """Measure, keep, and fail where a bound of our own is broken."""
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="The image decoding and encoding capabilities of TorchVision")
    tools = find("decoding", **TOOLS)
    with tempfile.TemporaryDirectory() as folder:
        there = files(Path(folder))
        rows = [one for call, file in there.items() for one in measured(tools, call, file)]
        if torch.cuda.is_available():
            rows += on_the_gpu(tools, there["a photo, 500 x 334"])
    panels = tuple(dict.fromkeys(one["call"] for one in rows))
    bars = Bars("call", "milliseconds", panels=panels, floor=FLOOR)
    record("decoding", rows, bars=bars, packages=("pillow", "torchcodec", "simplejpeg"))
    return int(any(one["reached"] == "no" for one in rows))


if __name__ == "__main__":
    sys.exit(main())
