"""What a dispatched call costs beside the plain call, the chain students write, and other libraries.

The bounds are times a plain call of as many arguments: one 2.7, two and three 4.2, one by keyword 3. A type
never seen takes at most 10 µs with 1,000 methods, a first call 1 ms with 10. Beside others the goals are:
never slower than ovld, 5 times (one argument) and 3.3 times (two, three) as fast as plum.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from in_turn import in_turn
from peers import find
from record import NOT_INSTALLED, Bars, record

from coursekit.dispatch import method

TURNS, CALLS, METHODS = 300, 1_500, 10
BOUNDS = {"one argument": 2.7, "two arguments": 4.2, "three arguments": 4.2, "one by keyword": 3.0}
GOALS = {"ovld": (1.0, 1.0, 1.0), "plum": (5.0, 3.3, 3.3)}
COLD_BOUNDS = {"first call, 10 methods": 1_000_000, "a type never seen, 1,000 methods": 10_000}

KINDS = [type(f"Kind{number}", (), {}) for number in range(1000)]
Child = type("Child", (type("Between", (KINDS[METHODS - 1],), {}),), {})
PLAIN, CHAIN = "plain", "isinstance, 4 branches"
TOOLS = {
    "ours": "coursekit.dispatch:method",
    "singledispatch": "functools:singledispatch",
    "ovld": "ovld:ovld",
    "plum": "plum:Dispatcher",
    "multipledispatch": "multipledispatch:dispatch",
    "runtype": "runtype:multidispatch",
    "multimethod": "multimethod:multimethod",
    "fastcore 1.7": "fastcore.dispatch:TypeDispatch",
}
# Those that choose by one argument only, or by two at most; and those that also choose by keyword.
MOST_ARGUMENTS = {"singledispatch": 1, "fastcore 1.7": 2}
BY_KEYWORD = (PLAIN, "ours", "ovld")
PACKAGES = ("ovld", "plum-dispatch", "multipledispatch", "runtype", "multimethod", "fastcore")


def define(way: str, tool: Any, count: int, methods: int = METHODS) -> Any:
    """Write a function in one way, with one method for each kind, and run what was written."""
    arguments = ", ".join("abc"[:count])
    names = {kind.__name__: kind for kind in KINDS} | {"__name__": f"{way}{count}", "tool": tool}
    if way == "plum":
        names["tool"] = tool()
    texts = {
        PLAIN: f"def word({arguments}): return a",
        CHAIN: f"def word({arguments}):\n"
        + "\n".join(f"    if isinstance(a, Kind{number}): return a" for number in (0, 1, 2, METHODS - 1)),
        "singledispatch": "@tool\ndef word(a): return a",
        "fastcore 1.7": "several = []",
    }
    lines = [texts.get(way, "")]
    for kind in KINDS[:methods] if way in TOOLS else ():
        parameters = ", ".join(f"{name}: {kind.__name__}" for name in "abc"[:count])
        decorator = {
            "singledispatch": "@word.register",
            "multipledispatch": f"@tool({', '.join([kind.__name__] * count)})",
            "fastcore 1.7": "@several.append",
        }.get(way, "@tool")
        name = "_" if way in ("singledispatch", "fastcore 1.7") else "word"
        lines.append(f"{decorator}\ndef {name}({parameters}): return a")
    if way == "fastcore 1.7":
        lines.append("word = tool(several)")
    # Annotations as they are, not as texts: not all libraries read those.
    exec(compile("\n".join(lines), f"<{way}>", "exec", dont_inherit=True), names)
    return names["word"]


def warm(tools: dict[str, Any]) -> list[dict[str, Any]]:
    """Time calls with types that were seen before, three levels below the kind a method is for."""
    rows = []
    for number, (what, bound) in enumerate(BOUNDS.items()):
        keyword = "keyword" in what
        count = 1 if keyword else number + 1
        ways = [way for way in (PLAIN, CHAIN, *tools) if MOST_ARGUMENTS.get(way, 3) >= count]
        ways = [way for way in ways if not keyword or way in BY_KEYWORD]
        call = f"word({', '.join(f'{name}=x' if keyword else 'x' for name in 'abc'[:count])})"
        here = [way for way in ways if tools.get(way, True) is not None]
        words = {way: define(way, tools.get(way), count) for way in here}
        taken = in_turn({way: (call, {"word": words[way], "x": Child()}) for way in here}, TURNS, CALLS)
        for way in ways:
            row: dict[str, Any] = {"call": what, "way": way, "nanoseconds": NOT_INSTALLED}
            row |= {"times plain": "", "ours is faster, times": "", "goal": "", "reached": ""}
            if way in here:
                row["nanoseconds"] = round(taken.nanoseconds(way))
                row["times plain"] = round(taken.times(way, PLAIN), 2)
                row["ours is faster, times"] = round(taken.times(way, "ours"), 2)
            judge(row, bound, GOALS.get(way, ())[count - 1 : count] if not keyword else ())
            rows.append(row)
    return rows


def judge(row: dict[str, Any], bound: float, goals: tuple[float, ...]) -> None:
    """Say in a row what the goal is, and whether it is reached."""
    if row["way"] == "ours":
        row["goal"] = f"at most {bound:g} times plain"
        row["reached"] = "yes" if row["times plain"] <= bound else "no"
    for goal in goals if row["times plain"] else ():
        row["goal"] = f"ours faster, {goal:g} times" if goal > 1 else "ours not slower"
        row["reached"] = "yes" if row["ours is faster, times"] >= goal else "no"


def cold() -> list[dict[str, Any]]:
    """Time the first call of all, and the first with a type."""

    def took(word: Any, value: Any) -> float:
        started = time.process_time_ns()
        word(value)
        return time.process_time_ns() - started

    thousand = define("ours", method, 1, methods=1000)
    thousand(KINDS[0]())
    found = {
        "first call, 10 methods": sorted(took(define("ours", method, 1), KINDS[0]()) for _ in range(31)),
        "a type never seen, 1,000 methods": sorted(
            took(thousand, type("New", (KINDS[number],), {})()) for number in range(300, 601)
        ),
    }
    return [
        {
            "call": what,
            "way": "ours",
            "nanoseconds": (middle := round(took[len(took) // 2])),
            "times plain": "",
            "ours is faster, times": "",
            "goal": f"at most {COLD_BOUNDS[what]:,} ns",
            "reached": "yes" if middle <= COLD_BOUNDS[what] else "no",
        }
        for what, took in found.items()
    ]


def main() -> int:
    """Measure, keep, and fail where a bound of our own is broken."""
    rows = warm(find("dispatch", **TOOLS)) + cold()
    bars = Bars("call", "nanoseconds", panels=tuple(BOUNDS), left_out=("fastcore 1.7",))
    record("dispatch", rows, bars=bars, packages=PACKAGES)
    return int(any(row["way"] == "ours" and row["reached"] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
