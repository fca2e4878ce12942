"""Ask a model that was written as ONNX: no torch, nothing else of this library, one file.

`save_onnx` puts a copy of this file beside the model, as `predict.py`. A machine that is to answer needs that
folder and three packages, onnxruntime, numpy and pillow:

    python predict.py photo.jpg another.png

So nothing here comes from a neighbouring module, although photos are opened and shrunk as they are there, to
the last bit: a photo shrunk otherwise is another photo to a model. Tests hold the two alike.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = "coursekit onnx 1"
ABOUT = "model.onnx.json"
MOST_BYTES = 2**20  # of that file; no description is as long
LARGEST = 2**14  # pixels: no network sees more of a photo in a row
# EXIF's number for how a camera was held; from 5 on the photo lies on its side.
ORIENTATION = 0x0112


@dataclass(frozen=True)
class Answer:
    """What a model says about one item. Prints as one line.

    Attributes:
        value: The name of a class, a list of names, a number, or an array of numbers.
        probabilities: Of each class by name, from 0 to 1; None where the answer is no class.
        numbers: What the graph gave for this item.

    >>> Answer("broken", {"sound": 0.0691, "broken": 0.9309}, np.array([0.0691, 0.9309]))
    broken (probability 0.931)
    """

    value: Any
    probabilities: dict[str, float] | None
    numbers: np.ndarray

    def __repr__(self) -> str:
        names = self.value if isinstance(self.value, list) else [self.value]
        if self.probabilities is None:
            return str(self.value)
        return ", ".join(f"{name} (probability {self.probabilities[name]:.3f})" for name in names) or "none"


class OnnxModel:
    """A folder that `save_onnx` wrote, ready to answer. Nothing in it is executed but the graph.

    A folder from a stranger can read no file beyond its own and name no code. But a graph may compute for as
    long, and in as much memory, as whoever wrote it liked: let the system limit the process that asks it.

    Args:
        folder: Holds model.json and model.onnx.
        threads: On how many threads one answer is computed; None leaves that to onnxruntime.

    Raises:
        FileNotFoundError: There is no such folder, or it lacks one of the two.
        ValueError: What describes the model is in no known form, or was written with another graph; the
            graph is none; a file is a link.
        ImportError: onnxruntime is not installed.

    >>> OnnxModel("nowhere")
    Traceback (most recent call last):
    FileNotFoundError: nowhere holds no model.onnx.json: is it a folder that save_onnx wrote?
    """

    def __init__(self, folder: str | os.PathLike[str], threads: int | None = None) -> None:
        self.folder = Path(folder)
        self.about = read_about(self.folder / ABOUT)
        graph = held_file(self.folder / "model.onnx").read_bytes()
        if sha256(graph).hexdigest() != self.about.get("sha256"):
            raise ValueError(f"{self.folder}: model.onnx is not the file that {ABOUT} was written with.")
        self._session = start_session(graph, threads)
        self.vocab: tuple[str, ...] = tuple(self.about["answer"]["vocab"])

    def predict(self, item: Any) -> Answer:
        """What one item is: a photo's path, a Pillow picture, or an array.

        An array holds a picture's values 0..255, (height, width) or with its channels last or first; for a
        model of plain numbers it holds those.

        Raises:
            FileNotFoundError, ValueError: There is no such photo, it is broken, or an array of another shape;
                the graph cannot compute with it, or gives something else than was written beside it.
        """
        return self.predict_all([item])[0]

    def predict_all(self, items: Iterable[Any], batch_size: int = 32) -> list[Answer]:
        """What many items are, in their order, computed in batches."""
        prepared = [self.prepare(item) for item in items]
        starts = range(0, len(prepared), batch_size)
        found = [self.run(np.stack(prepared[start : start + batch_size])) for start in starts]
        return [self.read(row) for rows in found for row in rows]

    def prepare(self, item: Any) -> np.ndarray:
        """What the graph is given for one item: of a photo (channels, height, width), `uint8`."""
        return prepared(item, self.about["input"])

    def run(self, batch: np.ndarray) -> np.ndarray:
        """The graph's answers to a batch, (count, …) floats: probabilities where they are classes."""
        try:
            return self._session.run(None, {self._session.get_inputs()[0].name: batch})[0]
        except Exception as error:  # onnxruntime has a kind of its own for each fault.
            raise ValueError(f"{self.folder}: the graph cannot compute: {first_line(error)}") from None

    def read(self, numbers: np.ndarray) -> Answer:
        """What the graph's numbers for one item say."""
        kind = self.about["answer"]["kind"]
        if kind == "numbers":
            return Answer(numbers if numbers.ndim else numbers.item(), None, numbers)
        if numbers.shape != (len(self.vocab),):
            raise ValueError(f"the graph gives {numbers.shape} numbers for {len(self.vocab)} names.")
        chances = dict(zip(self.vocab, numbers.tolist(), strict=True))
        if kind == "one":
            return Answer(self.vocab[int(numbers.argmax())], chances, numbers)
        line = self.about["answer"]["threshold"]
        return Answer([name for name, chance in chances.items() if chance > line], chances, numbers)


def prepared(item: Any, about: dict[str, Any]) -> np.ndarray:
    """Make of an item what a graph is given, as the description of its input says."""
    if about["kind"] == "photo":
        values = open_photo(item, about["mode"], about["at_least"], about["shape"][0])
        for step in about["steps"]:
            values = STEPS[step["do"]](values, **step["with"])
    else:
        values = np.asarray(item, dtype=about["dtype"])
    if list(values.shape) != about["shape"]:
        raise ValueError(
            f"this model takes {tuple(about['shape'])} numbers for an item; {values.shape} came."
        )
    return values


def held_file(path: Path) -> Path:
    """A file that has to be there, in the folder itself."""
    if path.is_symlink():
        raise ValueError(f"{path} is no ordinary file but a link, which may lead anywhere.")
    if not path.is_file():
        raise FileNotFoundError(f"{path.parent} holds no {path.name}: is it a folder that save_onnx wrote?")
    return path


def read_about(path: Path) -> dict[str, Any]:
    """Read what the file beside a graph says of it."""
    if held_file(path).stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} is larger than {MOST_BYTES // 2**20} MiB, and no description is.")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        known = about["format"] == FORMAT and describes(about["input"], about["answer"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        known = False
    if not known:
        raise ValueError(f"{path} does not describe a model in the format {FORMAT!r}.")
    return about


def describes(given: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether this says what goes into a graph and what comes out, in numbers that an honest one has."""
    named = isinstance(answer["vocab"], list) and all(isinstance(name, str) for name in answer["vocab"])
    line = isinstance(answer["threshold"], float) if answer["kind"] == "several" else True
    if not (answer["kind"] in ("one", "several", "numbers") and named and line):
        return False
    if not isinstance(given["shape"], list):
        return False
    if given["kind"] == "numbers":
        return np.dtype(given["dtype"]).kind in "biuf"
    return (
        given["kind"] == "photo"
        and len(given["shape"]) == 3
        and given["mode"] in ("L", "RGB")
        and (given["at_least"] is None or is_size(given["at_least"]))
        and all(step["do"] in STEPS and told(**step["with"]) for step in given["steps"])
    )


def told(size: Any, fit: Any = "crop") -> bool:
    """Whether this is what a step may be told."""
    return is_size(size) and fit in ("squeeze", "crop", "pad")


def is_size(given: Any) -> bool:
    """Whether this is a height and a width.

    >>> is_size([160, 160]), is_size([160]), is_size([0, 160]), is_size([160, 10**9])
    (True, False, False, False)
    """
    return (
        isinstance(given, list) and [type(one) is int and 0 < one <= LARGEST for one in given] == [True] * 2
    )


def start_session(graph: bytes, threads: int | None) -> Any:
    """Let onnxruntime read a graph, and nothing else."""
    try:
        import onnxruntime
    except ImportError:
        raise ImportError("answering with ONNX needs onnxruntime: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    # A graph may say that its weights lie in other files, looked for in the folder that the process is in if
    # no other is named. Ours never say so, and nothing lies in this one.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a kind of its own for each fault.
        raise ValueError(f"onnxruntime cannot read the graph: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """What onnxruntime says, without what it says after that, in 200 letters."""
    return next(iter(str(error).splitlines()), "")[:200]


# Photos ---------------------------------------------------------------------------------------------------


def open_photo(item: Any, mode: str, at_least: Sequence[int] | None = None, channels: int = 0) -> np.ndarray:
    """Open a photo, upright, as (channels, height, width) of `uint8`.

    Args:
        item: A path, a file that is open, a Pillow picture, or an array of values 0..255.
        mode: "RGB", or "L" for grey.
        at_least: The (height, width) that will do: a large JPEG is then decoded smaller at once.
        channels: How many an array has; 0 for as many as the mode.

    >>> open_photo(np.zeros((4, 6), np.uint8), "L").shape
    (1, 4, 6)
    """
    from PIL import Image, ImageOps

    if hasattr(item, "getbands"):
        return from_pillow(item, mode)
    if hasattr(item, "__array__"):
        return channels_first(np.asarray(item), channels or (1 if mode == "L" else 3))
    if isinstance(item, str | os.PathLike) and not os.path.isfile(item):
        raise FileNotFoundError(f"There is no picture at {os.fspath(item)}.")
    try:
        with Image.open(item) as photo:
            if at_least or mode == "L":
                lies = at_least and photo.getexif().get(ORIENTATION, 1) >= 5
                size: Any = tuple(at_least if lies else at_least[::-1]) if at_least else None
                photo.draft(mode, size)
            ImageOps.exif_transpose(photo, in_place=True)
            return from_pillow(photo, mode)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them stumble over.
        name = os.fspath(item) if isinstance(item, str | os.PathLike) else "this"
        raise ValueError(f"{name} is not a picture that can be read: {error}") from None


def from_pillow(photo: Any, mode: str) -> np.ndarray:
    """The values of a Pillow picture: what is transparent lies on white, 16 bits become 8."""
    from PIL import Image

    if photo.mode == "F":
        raise ValueError("a floating-point picture does not say which value is white.")
    if photo.mode.startswith("I"):
        values = np.asarray(photo).astype(np.int64)
        photo = Image.fromarray((values / 257).round().astype(np.uint8))
    elif photo.has_transparency_data:
        photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo.convert("RGBA"))
    values = np.array(photo.convert(mode))  # (height, width), then the channels, also where 3 are high
    return values[None] if mode == "L" else np.ascontiguousarray(np.moveaxis(values, -1, 0))


def channels_first(values: np.ndarray, channels: int) -> np.ndarray:
    """Bring an array of a picture's values to (channels, height, width)."""
    shape = values.shape
    values = values[None] if values.ndim == 2 and channels == 1 else values
    if values.ndim == 3 and values.shape[0] != channels and values.shape[-1] == channels:
        values = np.moveaxis(values, -1, 0)
    if values.ndim != 3 or values.shape[0] != channels or values.dtype != np.uint8:
        raise ValueError(
            f"a picture here is uint8 of shape ({channels}, height, width); {values.dtype} of shape {shape} "
            "came."
        )
    return np.ascontiguousarray(values)


# One size -------------------------------------------------------------------------------------------------


def fitted(pixels: np.ndarray, size: Sequence[int], fit: str) -> np.ndarray:
    """Bring a picture to a size: squeezed, its middle cropped, or padded with zeros.

    >>> fitted(np.full((1, 2, 4), 9, np.uint8), (4, 4), "pad")[0, :, 0].tolist()
    [0, 9, 9, 0]
    """
    ratios = [was / now for was, now in zip(pixels.shape[1:], size, strict=True)]
    if fit == "crop":
        part = [max(1, round(now * min(ratios))) for now in size]
        return resized(cut_middle(pixels, part), size)
    if fit == "squeeze":
        return resized(pixels, size)
    part = [max(1, round(was / max(ratios))) for was in pixels.shape[1:]]
    made = np.zeros((len(pixels), *size), np.uint8)
    top, left = ((now - length) // 2 for now, length in zip(size, part, strict=True))
    made[:, top : top + part[0], left : left + part[1]] = resized(pixels, part)
    return made


def cut_middle(pixels: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Cut the middle out of a picture."""
    height, width = size
    if height > pixels.shape[1] or width > pixels.shape[2]:
        raise ValueError(f"a part of {height} x {width} is not in a picture of {pixels.shape[1:]} pixels.")
    top, left = (pixels.shape[1] - height) // 2, (pixels.shape[2] - width) // 2
    return pixels[:, top : top + height, left : left + width]


def resized(pixels: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Resize a picture, averaging what falls together: rows first, then columns, in whole numbers."""
    return along(along(pixels, 2, size[1]), 1, size[0])


STEPS: dict[str, Any] = {"resize": fitted, "centre_crop": cut_middle}


def along(pixels: np.ndarray, axis: int, new: int) -> np.ndarray:
    """Give a picture another length along one axis."""
    places, weights, precision = taps(pixels.shape[axis], new)
    shape = [1, 1, 1]
    shape[axis] = new
    total = np.full(shape, 1 << (precision - 1), np.int32)  # one half, so that cutting rounds
    for place, weight in zip(places.T, weights.T, strict=True):
        total = total + pixels.take(place, axis) * weight.reshape(shape)
    return (total >> precision).clip(0, 255).astype(np.uint8)


@lru_cache(64)  # of the many sizes that photos have, the latest
def taps(old: int, new: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Which of `old` pixels make each of `new`, and how much of each, as whole numbers of 2 ** -precision.

    A tent as wide as what falls together, cut at the edges, its weights adding up to 1. They are rounded to
    15 bits, as torch rounds them for pictures of 8 bits.

    Returns:
        (new, count) numbers of pixels, (new, count) weights, and the precision.

    >>> places, weights, precision = taps(4, 2)
    >>> (weights / 2**precision).round(2).tolist()
    [[0.43, 0.43, 0.14], [0.14, 0.43, 0.43]]
    """
    scale = old / new
    reach = max(scale, 1.0)
    centres = scale * (np.arange(new) + 0.5)
    first = np.maximum((centres - reach + 0.5).astype(int), 0)
    last = np.minimum((centres + reach + 0.5).astype(int), old)
    places = first[:, None] + np.arange(math.ceil(reach) * 2 + 1)
    away = np.abs((places - centres[:, None] + 0.5) / reach)
    weights = np.where(places < last[:, None], np.maximum(1 - away, 0), 0)
    weights /= weights.sum(1, keepdims=True)
    precision = 0
    while precision < 22 and int(0.5 + weights.max() * 2 ** (precision + 1)) < 2**15:
        precision += 1
    whole = (weights * 2**precision + 0.5).astype(np.int32)
    used = whole.any(0).nonzero()[0].max() + 1
    return np.minimum(places, old - 1)[:, :used], whole[:, :used], precision


def main() -> None:
    """Answer to the photos that the command line names."""
    if len(sys.argv) < 2:
        sys.exit(f"which photos? python {sys.argv[0]} photo.jpg another.png")
    try:
        model = OnnxModel(Path(__file__).parent)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(str(error))
    for path in sys.argv[1:]:
        try:
            print(f"{path}: {model.predict(path)}")
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
