"""Twenty hands that write digits: lines of a pen as (x, y) from 0 to 1, x to the right and y down.

Each digit is drawn in the forms that schools teach and people use, by hands of different sizes, slants and
widths, in different places, some trembling. Nothing here was fitted to a network.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise

Line = list[tuple[float, float]]
# Forms of each digit, in a box of 100 by 100: "~" begins a line that is round, "-" one of straight parts.
FORMS = {
    0: (
        "~ 55,0 20,10 5,45 15,85 50,100 85,85 95,45 80,10 50,0",
        "~ 50,2 30,15 25,50 32,88 50,100 68,88 74,50 68,12 45,0",
        "~ 70,10 35,2 10,30 8,70 35,98 70,95 93,65 90,30 62,3",
        "~ 75,8 40,0 12,30 12,70 45,100 82,80 88,40 80,20",
    ),
    1: (
        "- 50,0 50,100",
        "- 20,30 55,0 55,100",
        "- 10,45 60,0 60,100",
        "- 25,25 50,0 50,100; - 20,100 80,100",
        "- 65,0 35,100",
        "- 0,55 50,0 50,100",
    ),
    2: (
        "~ 10,25 25,5 55,0 85,15 85,40 55,65 10,100; - 10,100 95,97",
        "~ 12,20 40,0 80,12 82,40 40,80 12,95 10,85 30,82 60,95 95,95",
        "~ 5,15 50,0 80,20 60,55 0,100 50,98 100,100",
        "- 5,10 40,0 80,15 75,40 5,100 95,100",
    ),
    3: (
        "~ 10,12 50,0 85,20 70,42 40,48 75,55 92,78 60,100 8,90",
        "- 10,0 85,0 45,40; ~ 45,40 80,50 90,75 60,100 10,90",
        "~ 15,10 60,2 75,25 40,47; ~ 40,47 80,60 75,90 40,100 10,88",
        "- 10,0 90,0 40,42 90,70 50,100 10,90",
    ),
    4: (
        "- 30,0 10,60 90,60; - 65,20 65,100",
        "- 65,100 65,0 5,68 95,68",
        "- 15,0 12,50 85,50; - 85,0 80,100",
        "- 45,0 5,65 95,62; - 60,35 55,100",
        "- 10,0 10,50 90,50; - 90,0 90,100",
    ),
    5: (
        "- 85,0 20,2 15,42; ~ 15,42 50,35 85,55 80,88 45,100 8,90",
        "~ 20,5 15,45 55,38 88,62 70,95 35,100 10,88; - 20,4 85,2",
        "~ 90,2 50,3 25,5 20,40 55,40 85,65 60,97 10,95",
        "~ 20,12 15,45 50,40 90,65 60,100 5,92; - 30,0 95,0",
    ),
    6: (
        "~ 75,0 40,20 12,60 20,92 50,100 82,85 75,60 45,55 15,72",
        "~ 60,0 25,35 10,70 35,100 70,95 85,72 60,55 25,65",
        "~ 30,0 12,40 10,80 40,100 80,90 80,62 45,55 12,75",
        "- 70,0 20,60; ~ 20,60 45,46 78,62 75,90 45,100 18,85 20,60",
        "~ 84,20 70,4 46,0 20,22 10,60 24,94 55,100 86,84 82,60 50,47 15,68",
    ),
    7: (
        "- 5,3 92,0 40,100",
        "- 8,2 90,2 35,100; - 25,50 85,48",
        "- 5,15 8,0 90,2 50,100",
        "~ 0,8 50,5 92,2 65,50 50,100; - 30,52 90,50",
        "- 10,0 90,0 90,100",
    ),
    8: (
        "~ 80,12 50,0 20,15 30,40 70,58 85,82 50,100 15,82 30,58 70,40 80,12",
        "~ 50,48 20,30 30,5 65,2 80,25 50,48; ~ 50,48 12,72 30,98 70,98 88,75 50,48",
        "~ 75,20 45,0 20,20 50,47 82,78 50,100 20,78 50,47 72,20",
        "~ 50,0 25,12 25,36 50,48 75,36 75,12 50,0; ~ 50,52 18,65 20,90 50,100 80,90 82,65 50,52",
    ),
    9: (
        "~ 85,25 50,0 15,20 25,48 60,50 85,20; - 85,10 80,100",
        "~ 85,20 50,0 15,22 30,50 70,42 86,15 85,50 75,85 40,100 12,90",
        "~ 80,10 40,0 12,25 35,50 80,30 82,5; - 82,5 60,100",
        "~ 45,0 15,12 15,40 45,54 75,40 75,12 45,0; - 80,15 80,100",
        "~ 85,25 50,50 15,25 50,0 85,25; ~ 85,25 85,80 50,100 15,88",
        "~ 86,34 50,53 16,36 22,8 52,0 82,14 90,45 78,84 52,100 28,96 16,80",
    ),
}


def drawn(digit: int, hand: int) -> list[Line]:
    """The lines with which a hand draws a digit on a field of 1 by 1."""
    chance = random.Random(f"{digit} {hand}")
    form = FORMS[digit][hand % len(FORMS[digit])]
    size = chance.choice((0.3, 0.45, 0.6, 0.75, 0.88))
    wide = chance.uniform(0.3, 0.6) if digit == 1 else chance.uniform(0.5, 0.95)
    slant, turn, tremor = chance.uniform(-0.3, 0.45), chance.uniform(-0.175, 0.175), chance.uniform(0, 0.012)

    def placed(x: float, y: float) -> tuple[float, float]:
        x, y = (x - 0.5) * wide + (0.5 - y) * slant, y - 0.5
        x, y = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
        return size * (x + chance.gauss(0, tremor)), size * (y + chance.gauss(0, tremor))

    lines = []
    for line in form.split("; "):
        kind, *corners = line.split()
        places = [
            [int(number) / 100 + chance.gauss(0, 0.025) for number in one.split(",")] for one in corners
        ]
        lines.append([placed(x, y) for x, y in (straight if kind == "-" else curved)(places)])
    # Somewhere in the field, with a little room at its edges.
    (left, right), (top, bottom) = (
        [f(p[axis] for line in lines for p in line) for f in (min, max)] for axis in (0, 1)
    )
    down, across = (
        chance.uniform(*sorted((0.03 - low, 0.97 - high))) for low, high in ((top, bottom), (left, right))
    )
    return [[(inside(x + across), inside(y + down)) for x, y in line] for line in lines]


def inside(place: float) -> float:
    """A place in the field: a large digit may touch its edge."""
    return min(max(place, 0.01), 0.99)


def straight(corners: list[list[float]], steps: int = 6) -> Line:
    """Places along straight lines from corner to corner."""
    places = [
        (a + (c - a) * step / steps, b + (d - b) * step / steps)
        for (a, b), (c, d) in pairwise(corners)
        for step in range(steps)
    ]
    return [*places, (corners[-1][0], corners[-1][1])]


def curved(corners: list[list[float]], steps: int = 4) -> Line:
    """Places along a curve through all corners, after Catmull and Rom."""
    ends = [corners[0], *corners, corners[-1]]
    places = []
    for near in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for t in (step / steps for step in range(steps)):
            weights = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
            x, y = (
                sum(a * b for a, b in zip(weights, axis, strict=True)) / 2 for axis in zip(*near, strict=True)
            )
            places.append((x, y))
    return [*places, (corners[-1][0], corners[-1][1])]
