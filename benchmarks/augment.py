"""Batches of photos augmented: how many a second, in how many passes over the batch, and how often one waits.

Everyone does the same to 64 photos of 224 x 224, floats 0..1, each photo by a draw of its own unless said
otherwise: cut out and resize, flip, rotate, brightness, contrast, saturation, hue. On one thread of the
processor, and on a GPU where there is one. fastai draws no part to cut out in `aug_transforms`; it zooms.

Ours is to be 4 times as fast as kornia and as torchvision on Pillow pictures, and 1.5 times as fast as
fastai, with at most 6 passes over the batch, everything switched on, and to wait for the device never.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from in_turn import in_turn
from peers import find
from record import NOT_INSTALLED, Bars, record
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torchvision.transforms import v2

from coursekit.augment import Augment
from coursekit.tensors import Image

COUNT, SIDE, TURNS = 64, 224, 15
CROP, DEGREES, AMOUNT, HUE = (0.35, 1.0), 10, 0.2, 0.05
OURS, EVERYTHING = "ours", "ours, everything on"
PILLOW, WHOLE = "torchvision v2, Pillow pictures", "torchvision v2, whole batch by one draw"
GOALS = {"kornia": 4, PILLOW: 4, "fastai": 1.5, "fastai, all colours": 1.5}
MOST_PASSES = 6
COUNTED = ("passes over the batch", "calls of torch", "waits")
PROCESSOR = "processor, one thread"
TOOLS = {
    "kornia": "kornia:augmentation",
    "fastai": "fastai.vision.augment:aug_transforms",
}
# What makes the host wait until the device has computed, if the tensor is there.
WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal.default")


class Counting(TorchDispatchMode):
    """Count what torch is asked to compute: all of it, what is as large as the batch, and what would wait."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.pixels, self.counted = pixels, Counter()

    def __torch_dispatch__(self, call: Any, types: Any, args: Any = (), options: Any = None) -> Any:
        result = call(*args, **(options or {}))
        if call.is_view or "empty" in call.name() or "detach" in call.name():
            return result
        tensors = [leaf for leaf in tree_leaves((args, options, result)) if isinstance(leaf, torch.Tensor)]
        self.counted["calls of torch"] += 1
        self.counted["passes over the batch"] += any(tensor.numel() >= self.pixels for tensor in tensors)
        by_mask = call.name() == "aten::index.Tensor" and any(one.dtype == torch.bool for one in tensors[1:])
        self.counted["waits"] += by_mask or any(word in call.name() for word in WAITS)
        return result


def torchvision_steps() -> list[Any]:
    """The steps of torchvision."""
    return [
        v2.RandomResizedCrop(SIDE, scale=CROP, antialias=True),
        v2.RandomHorizontalFlip(),
        v2.RandomRotation(DEGREES, interpolation=v2.InterpolationMode.BILINEAR),
        v2.ColorJitter(AMOUNT, AMOUNT, AMOUNT, HUE),
    ]


def with_kornia(augmentation: Any) -> Callable[[torch.Tensor], Any]:
    """The same in kornia."""
    return augmentation.AugmentationSequential(
        augmentation.RandomResizedCrop((SIDE, SIDE), scale=CROP),
        augmentation.RandomHorizontalFlip(),
        augmentation.RandomRotation(DEGREES, p=1.0),
        augmentation.ColorJiggle(AMOUNT, AMOUNT, AMOUNT, HUE, p=1.0),
        data_keys=["input"],
    )


def with_fastai(tools: dict[str, Any], colours: bool) -> Callable[[torch.Tensor], Any]:
    """The nearest in fastai, which zooms in place of a crop, with its other colour changes or without."""
    augment = sys.modules[tools["fastai"].__module__]
    more = [augment.Saturation(max_lighting=AMOUNT, p=1.0), augment.Hue(max_hue=HUE, p=1.0)]
    often = {"p_affine": 1.0, "p_lighting": 1.0, "xtra_tfms": more if colours else []}
    steps = augment.aug_transforms(max_rotate=DEGREES, max_zoom=1.6, max_lighting=AMOUNT, max_warp=0, **often)

    def run(pixels: torch.Tensor) -> Any:
        result = augment.TensorImage(pixels)
        for step in steps:
            result = step(result, split_idx=0)
        return result

    return run


def ways(tools: dict[str, Any], pixels: torch.Tensor) -> dict[str, tuple[Callable[[Any], Any], Any]]:
    """What is called in each way that is installed, and on what."""
    ours = Augment(crop=CROP, rotate=DEGREES, zoom=(1, 1), hue=HUE)
    everything = Augment(crop=CROP, upside_down=0.5, shear=5, perspective=0.1, erase=0.25, hue=HUE)
    whole = v2.Compose(torchvision_steps())
    single = v2.Compose([*torchvision_steps(), v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    found: dict[str, tuple[Callable[[Any], Any], Any]] = {
        OURS: (ours.encode, Image(pixels)),
        EVERYTHING: (everything.encode, Image(pixels)),
        WHOLE: (whole, pixels),
    }
    if tools["kornia"]:
        found["kornia"] = (with_kornia(tools["kornia"]), pixels)
    if tools["fastai"]:
        found["fastai"] = (with_fastai(tools, colours=False), pixels)
        found["fastai, all colours"] = (with_fastai(tools, colours=True), pixels)
    if pixels.device.type == "cpu":
        pictures = [v2.functional.to_pil_image(photo) for photo in pixels]
        found[PILLOW] = (lambda all: torch.stack(list(map(single, all))), pictures)
        found["torchvision v2, item by item"] = (lambda all: torch.stack(list(map(whole, all))), pixels)
    return found


def count(call: Callable[[Any], Any], x: Any) -> dict[str, Any]:
    """What one batch asks of torch; Pillow's work cannot be counted, nor what is done item by item."""
    if isinstance(x, list):
        return dict.fromkeys(COUNTED, "")
    with Counting(COUNT * SIDE * SIDE) as counting:
        call(x)
    return {name: counting.counted[name] for name in COUNTED}


def on_processor(tools: dict[str, Any]) -> list[dict[str, Any]]:
    """Measure on one thread."""
    torch.set_num_threads(1)
    here = ways(tools, torch.rand(COUNT, 3, SIDE, SIDE))
    taken = in_turn({way: ("call(x)", {"call": call, "x": x}) for way, (call, x) in here.items()}, TURNS, 1)
    rows = [
        row(PROCESSOR, way, taken.nanoseconds(way) / 1e6, taken.times(way, OURS), count(call, x))
        for way, (call, x) in here.items()
    ]
    absent = {"milliseconds": NOT_INSTALLED, "images a second": "", "ours is faster, times": ""}
    return rows + [{**row(PROCESSOR, way, 1, 1, {}), **absent} for way in GOALS if way not in here]


def row(device: str, way: str, milliseconds: float, times: float, counted: dict[str, Any]) -> dict[str, Any]:
    """One line of the table, and whether what was set is reached."""
    found: dict[str, Any] = {"device": device, "way": way, "milliseconds": round(milliseconds, 2)}
    found |= {"images a second": round(COUNT / milliseconds * 1e3), "ours is faster, times": round(times, 2)}
    found |= {name: counted.get(name, "") for name in COUNTED} | {"goal": "", "reached": ""}
    if way in GOALS and counted:
        found |= {"goal": f"ours {GOALS[way]} times as fast", "reached": said(times >= GOALS[way])}
    if way == EVERYTHING and counted:
        fine = counted["passes over the batch"] <= MOST_PASSES and counted["waits"] == 0
        found |= {"goal": f"at most {MOST_PASSES} passes, no wait", "reached": said(fine)}
    return found


def said(reached: bool) -> str:
    """Whether a goal is reached, as the table has it."""
    return "yes" if reached else "no"


def on_gpu(tools: dict[str, Any]) -> list[dict[str, Any]]:
    """Measure on the GPU, beside a plain copy: its time over ours is our share of the memory's speed."""
    here = ways(tools, torch.rand(COUNT, 3, SIDE, SIDE, device="cuda"))
    photos = here[OURS][1]
    here = {"a plain copy": (lambda x: x.clone(), photos.as_subclass(torch.Tensor)), **here}
    times = {way: [] for way in here}
    for turn in range(TURNS + 3):
        for way, (call, x) in here.items():
            torch.cuda.synchronize()
            begun = time.perf_counter()
            for _ in range(10):
                call(x)
            torch.cuda.synchronize()
            if turn >= 3:
                times[way].append((time.perf_counter() - begun) * 100)
    taken = {way: median(all) for way, all in times.items()}
    return [row(torch.cuda.get_device_name(), way, taken[way], taken[way] / taken[OURS], {}) for way in here]


def main() -> int:
    """Measure, keep, and fail where a goal is missed."""
    warnings.simplefilter("ignore")  # Of what the others still use.
    tools = find("augment", **TOOLS)
    torch.manual_seed(0)
    rows = on_processor(tools) + (on_gpu(tools) if torch.cuda.is_available() else [])
    panels = tuple(dict.fromkeys(row["device"] for row in rows))
    bars = Bars("device", "milliseconds", panels=panels, floor="a plain copy", ours=OURS)
    record("augment", rows, bars=bars, packages=("kornia", "fastai"))
    return int(any(row["reached"] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
