"""Small photos of two kinds in folders, as people have them, and as they should not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def fruit(folder: Path, each: int = 12, kinds: tuple[str, ...] = ("raw", "ripe"), size: int = 40) -> Path:
    """A folder with a folder for each kind: the first dark, the next bright; no two photos are the same."""
    for number, kind in enumerate(kinds):
        chance = np.random.default_rng(list(kind.encode()))
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for one in range(each):
            shade = chance.integers(0, 80, (size + one % 3, size, 3)) + 150 * number
            Image.fromarray(shade.astype(np.uint8)).save(folder / kind / f"{kind}_{one:02}.jpg")
    return folder
