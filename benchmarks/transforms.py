"""What a transform and a pipeline of five add to the work they do, beside other libraries and calls by hand.

The work is nothing, the same function everywhere: it gives back what it is given. So what is measured is
finding it by type, reaching into the pair, and putting the pair together again. Ours may add 1 µs to one
transform, and 5 µs for each element to a pipeline of five.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from in_turn import in_turn
from peers import find
from record import NOT_INSTALLED, Bars, record
from torchvision import tv_tensors

from coursekit.dispatch import method
from coursekit.tensors import Category, Image
from coursekit.transforms import Pipeline, Transform

TURNS, CALLS, STEPS = 200, 400, 5
FLOOR = "the functions by hand"
OTHERS = ("fasttransform", "torchvision v2")
TOOLS = {
    "fasttransform": "fasttransform:Transform",
    "Pipeline": "fasttransform:Pipeline",
    "torchvision v2": "torchvision.transforms.v2:Transform",
    "Compose": "torchvision.transforms.v2:Compose",
}
# The call; how many steps; how many elements; what ours may take, in nanoseconds a call.
ASKED = {
    "one transform, a picture": (1, 1, 1_000),
    "one transform, a picture and its label": (1, 2, 1_000),
    "five in a pipeline, a picture": (STEPS, 1, 5_000),
    "five in a pipeline, a picture and its label": (STEPS, 2, 10_000),
}


def same(x: Any) -> Any:
    """The work: none."""
    return x


class Same(Transform):
    """Ours."""

    @method
    def encode(self, x: Image) -> Image:
        return same(x)

    @method
    def encode(self, x: Category) -> Category:
        return same(x)


def by_hand(steps: int, elements: int) -> Any:
    """The same function, called as often as it takes, written out."""
    lines = [f"    {name} = same({name})" for _ in range(steps) for name in "xy"[:elements]]
    taken = "    x, y = sample" if elements == 2 else "    x = sample"
    names: dict[str, Any] = {"same": same}
    exec(
        "\n".join(["def call(sample):", taken, *lines, f"    return {', '.join('xy'[:elements])}"]),
        names,
    )
    return names["call"]


def with_fasttransform(tools: dict[str, Any], steps: int) -> Any:
    """One transform, or a pipeline, of fasttransform, with the same methods as ours."""

    class Other(tools["fasttransform"]):  # type: ignore[misc]
        def encodes(self, x: Image):
            return same(x)

    @Other
    def encodes(self, x: Category):
        return same(x)

    return tools["Pipeline"]([Other() for _ in range(steps)]) if steps > 1 else Other()


def with_torchvision(tools: dict[str, Any], steps: int) -> Any:
    """One transform, or `Compose`, of torchvision."""

    class Other(tools["torchvision v2"]):  # type: ignore[misc]
        def transform(self, inpt: Any, params: dict) -> Any:
            return same(inpt)

    return tools["Compose"]([Other() for _ in range(steps)]) if steps > 1 else Other()


def ways(tools: dict[str, Any], steps: int, elements: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """What is called in each way that is installed, and on what; torchvision has its own kind of picture."""
    pixels = torch.zeros(3, 4, 4)
    sample, theirs = (Image(pixels), Category(1)), (tv_tensors.Image(pixels), torch.tensor(1))
    ours = Same() if steps == 1 else Pipeline(*[Same() for _ in range(steps)])
    found = {FLOOR: (by_hand(steps, elements), sample), "ours": (ours.encode, sample)}
    if tools["fasttransform"]:
        found["fasttransform"] = (with_fasttransform(tools, steps), sample)
    if tools["torchvision v2"]:
        found["torchvision v2"] = (with_torchvision(tools, steps), theirs)
    return {
        way: ("call(x)", {"call": call, "x": x if elements == 2 else x[0]})
        for way, (call, x) in found.items()
    }


def main() -> int:
    """Measure, keep, and fail where a bound of our own is broken."""
    tools, rows = find("transforms", **TOOLS), []
    for what, (steps, elements, bound) in ASKED.items():
        here = ways(tools, steps, elements)
        taken = in_turn(here, TURNS, CALLS)
        for way in (FLOOR, "ours", *OTHERS):
            row: dict[str, Any] = {"call": what, "way": way, "nanoseconds": NOT_INSTALLED}
            row |= {"more than by hand": "", "ours is faster, times": "", "goal": "", "reached": ""}
            if way in here:
                more = round(taken.nanoseconds(way) - taken.nanoseconds(FLOOR))
                row |= {"nanoseconds": round(taken.nanoseconds(way)), "more than by hand": more}
                row["ours is faster, times"] = round(taken.times(way, "ours"), 2)
            if way == "ours":
                row |= {"goal": f"at most {bound:,} ns more", "reached": "yes" if more <= bound else "no"}
            rows.append(row)
    bars = Bars("call", "nanoseconds", panels=tuple(ASKED), floor=FLOOR)
    record("transforms", rows, bars=bars, packages=("fasttransform", "plum-dispatch"))
    return int(any(row["reached"] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
