"""What a dispatched call costs beside the plain call, the chain students write, and the peers installed here.

The bounds are times a plain call of as many arguments: one 2.7, two and three 4.2, one by keyword 3. A type
never seen takes at most 10 µs with 1,000 methods, a first call 1 ms with 10. Beside peers the goals are:
never slower than ovld, 5 times (one argument) and 3.3 times (two, three) as fast as plum.

All ways take turns in short samples and the quickest of each counts, so a busy machine disturbs the ratios
little. Peers that are not installed are named and left out.
"""

from __future__ import annotations

import importlib
import sys
import time
import timeit
from typing import Any

from record import record

from coursekit.dispatch import method

SAMPLES, CALLS, METHODS = 200, 1_500, 10
BOUNDS = {"1": 2.7, "2": 4.2, "3": 4.2, "1 by keyword": 3.0}
GOALS = {("ovld", "1"): 1.0, ("ovld", "2"): 1.0, ("ovld", "3"): 1.0}
GOALS |= {("plum", "1"): 5.0, ("plum", "2"): 3.3, ("plum", "3"): 3.3}
COLD_BOUNDS = {"first call, 10 methods": 1000.0, "type never seen, 1000 methods": 10.0}

KINDS = [type(f"Kind{number}", (), {}) for number in range(1000)]
Child = type("Child", (type("Between", (KINDS[METHODS - 1],), {}),), {})
DECORATORS = {
    "ours": "@method",
    "ovld": "@ovld",
    "plum": "@dispatch",
    "multipledispatch": "@dispatch({kinds})",
    "singledispatch": "@word.register",
}
CHAIN = """
def word({arguments}):
    if isinstance(a, Kind0): return a
    if isinstance(a, Kind1): return a
    if isinstance(a, Kind2): return a
    if isinstance(a, Kind9): return a
"""


def tools() -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What each way needs in its namespace, and the names of the peers that are not installed."""
    found: dict[str, dict[str, Any]] = {
        "plain": {},
        "isinstance, the fourth branch": {},
        "ours": {"method": method},
    }
    missing = []
    for way, module, name in (
        ("singledispatch", "functools", "singledispatch"),
        ("ovld", "ovld", "ovld"),
        ("plum", "plum", "Dispatcher"),
        ("multipledispatch", "multipledispatch", "dispatch"),
    ):
        try:
            tool = getattr(importlib.import_module(module), name)
        except ImportError:
            missing.append(way)
        else:
            found[way] = {
                "dispatch" if name == "Dispatcher" else name: tool() if name == "Dispatcher" else tool
            }
    return found, missing


def define(way: str, names: dict[str, Any], count: int, methods: int = METHODS) -> Any:
    """Write a function in one way, with one method for each kind, and run what was written."""
    arguments = ", ".join("abc"[:count])
    text = CHAIN.format(arguments=arguments) if way.startswith("isinstance") else ""
    text = "@singledispatch\ndef word(a): return a\n" if way == "singledispatch" else text
    text = f"def word({arguments}): return a\n" if way == "plain" else text
    for kind in KINDS[:methods] if way in DECORATORS else ():
        decorator = DECORATORS[way].format(kinds=", ".join([kind.__name__] * count))
        parameters = ", ".join(f"{name}: {kind.__name__}" for name in "abc"[:count])
        text += f"{decorator}\ndef {'_' if way == 'singledispatch' else 'word'}({parameters}): return a\n"
    space = {"__name__": f"{way}{count}", **{kind.__name__: kind for kind in KINDS}, **names}
    exec(text, space)
    return space["word"]


def quickest(ways: dict[str, Any], arguments: str) -> dict[str, float]:
    """Nanoseconds of one call, for each way the least of many samples taken in turn."""
    timers = {
        way: timeit.Timer(f"f({arguments})", globals={"f": word, "x": Child()}) for way, word in ways.items()
    }
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(SAMPLES):
        for way, timer in timers.items():
            least[way] = min(least[way], timer.timeit(CALLS) / CALLS * 1e9)
    return least


def warm(found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Time calls with types that were seen before, three levels below the kind a method is for."""
    rows = []
    for what, bound in BOUNDS.items():
        count = int(what[0])
        by_keyword = "keyword" in what
        arguments = ", ".join(f"{name}=x" if by_keyword else "x" for name in "abc"[:count])
        ways = [way for way in found if way != "singledispatch" or count == 1]
        ways = ["plain", "ours"] if by_keyword else ways
        took = quickest({way: define(way, found[way], count) for way in ways}, arguments)
        for way in ways:
            row = {
                "arguments": what,
                "way": way,
                "ns": round(took[way]),
                "times plain": took[way] / took["plain"],
            }
            limit = bound if way == "ours" else ""
            rows.append({**row, "ours is faster, times": took[way] / took["ours"], "bound": limit})
            if (way, what) in GOALS:
                rows[-1]["bound"] = f"goal {GOALS[way, what]}"
    return rows


def cold() -> dict[str, float]:
    """Microseconds of the first call of all, and of the first with a type."""
    names = {"method": method}

    def took(word: Any, value: Any) -> float:
        started = time.perf_counter()
        word(value)
        return (time.perf_counter() - started) * 1e6

    thousand = define("ours", names, 1, methods=1000)
    thousand(KINDS[0]())
    return {
        "first call, 10 methods": min(took(define("ours", names, 1), KINDS[0]()) for _ in range(30)),
        "type never seen, 1000 methods": min(
            took(thousand, type("New", (KINDS[number],), {})()) for number in range(300, 600)
        ),
    }


def main() -> int:
    """Measure, keep, and fail where a bound is broken."""
    found, missing = tools()
    rows, cold_took = warm(found), cold()
    broken = [row for row in rows if row["way"] == "ours" and row["times plain"] > row["bound"]]
    for row in rows:
        row["times plain"], row["ours is faster, times"] = (
            round(row["times plain"], 2),
            round(row["ours is faster, times"], 2),
        )
    for what, value in cold_took.items():
        rows.append({"arguments": what, "way": "ours", "ns": round(value * 1000)})
        rows[-1] |= {
            "times plain": "",
            "ours is faster, times": "",
            "bound": f"{COLD_BOUNDS[what] * 1000:g} ns",
        }
        broken += [rows[-1]] if value > COLD_BOUNDS[what] else []
    record("dispatch", rows)
    print("not installed:", ", ".join(missing) or "none")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
