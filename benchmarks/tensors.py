"""What a type on a tensor costs: ours, torch's default subclass and torchvision's, beside the plain tensor.

The bounds are times plain: adding 32 numbers 2.1, `x[0]` 1.9, `.shape` 2.1, a reduction 1.4, a tiny network
fed a typed batch 1.15. The goals beside others: 3 times as fast as torch's default subclass at adding, and 5
times as fast as fastai. All ways take turns in short samples and the quickest of each counts, so a busy
machine disturbs the ratios little.
"""

from __future__ import annotations

import importlib
import sys
import timeit
from typing import Any

import torch
from record import record
from torch import nn

from coursekit.tensors import Image, plain

SAMPLES, CALLS = 250, 300
BOUNDS = {
    "x + x, 32 numbers": 2.1,
    "x[0]": 1.9,
    "x.shape": 2.1,
    "x.sum()": 1.4,
    "network(x)": 1.15,
}
GOALS = {("default subclass", "x + x, 32 numbers"): 3.0, ("fastai", "x + x, 32 numbers"): 5.0}


class Default(torch.Tensor):
    """The subclass one gets by writing nothing more."""


def kinds() -> tuple[dict[str, Any], list[str]]:
    """How each way makes its tensor of a plain one, and the names of those not installed."""
    found = {"plain": plain, "ours": Image, "default subclass": lambda values: values.as_subclass(Default)}
    missing = []
    for way, module, name in (
        ("torchvision", "torchvision.tv_tensors", "Image"),
        ("fastai", "fastai.vision.core", "TensorImage"),
    ):
        try:
            found[way] = getattr(importlib.import_module(module), name)
        except ImportError:
            missing.append(way)
    return found, missing


def quickest(makers: dict[str, Any], what: str) -> dict[str, float]:
    """Nanoseconds of one operation, for each way the least of many samples taken in turn."""
    small = torch.rand(2, 1, 4, 4)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 20))
    timers = {
        way: timeit.Timer(what.split(",")[0], globals={"x": make(small), "network": network})
        for way, make in makers.items()
    }
    least = dict.fromkeys(makers, float("inf"))
    for _ in range(SAMPLES):
        for way, timer in timers.items():
            least[way] = min(least[way], timer.timeit(CALLS) / CALLS * 1e9)
    return least


def main() -> int:
    """Measure, keep, and fail where a bound is broken."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    found, missing = kinds()
    rows = []
    for what, bound in BOUNDS.items():
        took = quickest(found, what)
        for way in found:
            row = {"operation": what, "way": way, "ns": round(took[way])}
            row["times plain"] = round(took[way] / took["plain"], 2)
            row["ours is faster, times"] = round(took[way] / took["ours"], 2)
            goal = f"goal {GOALS[way, what]}" if (way, what) in GOALS else ""
            rows.append({**row, "bound": bound if way == "ours" else goal})
    record("tensors", rows)
    print("not installed:", ", ".join(missing) or "none")
    return int(any(row["way"] == "ours" and row["times plain"] > row["bound"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
