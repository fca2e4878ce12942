"""What a type on a tensor costs: ours, torch's default subclass, torchvision's and fastai's, beside plain.

The bounds are times plain: adding 32 numbers 2.1, `x[0]` 1.9, `.shape` 2.1, a reduction 1.4, a tiny network
fed a typed batch 1.15. The goals beside others: 3 times as fast as torch's default subclass at adding, and 5
times as fast as fastai.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

import torch
from in_turn import in_turn
from peers import find
from record import NOT_INSTALLED, Bars, record
from torch import nn

from coursekit.tensors import Image, plain

TURNS, CALLS = 300, 300
BOUNDS = {
    "x + x, 32 numbers": 2.1,
    "x[0]": 1.9,
    "x.shape": 2.1,
    "x.sum()": 1.4,
    "network(x)": 1.15,
}
GOALS = {("default subclass", "x + x, 32 numbers"): 3.0, ("fastai", "x + x, 32 numbers"): 5.0}
FLOOR = "torch's own part of it"


class Default(torch.Tensor):
    """The subclass one gets by writing nothing more."""


class Silent(torch.Tensor):
    """A subclass of which torch asks nothing and which keeps no type: below it no subclass can get."""

    __torch_function__ = torch._C._disabled_torch_function_impl


def kinds() -> dict[str, Any]:
    """How each way makes its tensor of a plain one; `None` where a library is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what fastai has to say of torch at its import
        others = find(
            "tensors",
            torchvision="torchvision.tv_tensors:Image",
            fastai="fastai.vision.core:TensorImage",
        )
    return {
        "plain": plain,
        FLOOR: lambda values: values.as_subclass(Silent),
        "ours": Image,
        "default subclass": lambda values: values.as_subclass(Default),
        **others,
    }


def measure(makers: dict[str, Any], what: str, bound: float) -> list[dict[str, Any]]:
    """Time one operation in each way."""
    small = torch.rand(2, 1, 4, 4)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 20))
    here = {way: make(small) for way, make in makers.items() if make is not None}
    statement = what.split(",")[0]
    taken = in_turn({way: (statement, {"x": x, "network": network}) for way, x in here.items()}, TURNS, CALLS)
    rows = []
    for way in makers:
        row: dict[str, Any] = {"operation": what, "way": way, "nanoseconds": NOT_INSTALLED}
        row |= {"times plain": "", "ours is faster, times": "", "goal": "", "reached": ""}
        if way in here:
            row["nanoseconds"] = round(taken.nanoseconds(way))
            row["times plain"] = round(taken.times(way, "plain"), 2)
            row["ours is faster, times"] = round(taken.times(way, "ours"), 2)
            if way == "ours":
                row["goal"] = f"at most {bound:g} times plain"
                row["reached"] = "yes" if row["times plain"] <= bound else "no"
            elif goal := GOALS.get((way, what)):
                row["goal"] = f"ours faster, {goal:g} times"
                row["reached"] = "yes" if row["ours is faster, times"] >= goal else "no"
        rows.append(row)
    return rows


def main() -> int:
    """Measure, keep, and fail where a bound of our own is broken."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    makers = kinds()
    rows = [row for what, bound in BOUNDS.items() for row in measure(makers, what, bound)]
    bars = Bars("operation", "nanoseconds", panels=tuple(BOUNDS))
    record("tensors", rows, bars=bars, packages=("fastai", "fastcore", "fasttransform"))
    return int(any(row["way"] == "ours" and row["reached"] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
