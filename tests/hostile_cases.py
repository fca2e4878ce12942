"""The hostile submissions of `tests/hostile/`: each file a kind of attack, each case something handed in.

**They are to be run in the sandbox and nowhere else.** A case looks so:

    === what it does, in a few words
    points: 4
    says: part of a sentence that the learner has to read
    def softmax(scores, dim=1): ...

It hands in the definitions that it has, and right ones of whatever else is asked for. Lines before the text:

points   what it earns; "0-3" where the attack may spoil its own other answers. By default all there are.
says     what stands in its report.
exercise which of `tests/hostile/exercises/` is asked: guarded, or clock.
seconds  the wall clock of one check, for what never ends.
into     the module it goes to, where that does not follow from what it defines.
made     the text as an expression, where it is too large to stand here.
forged   a message (`bytes`: any bytes) that a `softmax` writes to every descriptor before it answers wrongly;
         `times` as often.

A case that defines `attack` hands in a `softmax` that calls it once, and then answers rightly. `attack` gives
back nothing if it was foiled; what it got hold of otherwise is raised: it costs points and can be read.

A trick that somebody finds becomes a case, in the commit that closes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "hostile"
EXERCISES = FOLDER / "exercises"
POINTS = {"guarded": 6, "clock": 3}
KEYS = ("points", "says", "exercise", "seconds", "into", "made", "forged", "bytes", "times")

RIGHT = {
    "softmax": """
def softmax(scores, dim=1):
    powers = (scores - scores.amax(dim, keepdim=True)).exp()
    return powers / powers.sum(dim, keepdim=True)
""",
    "cosine": """
import math
def cosine(progress, start=1.0, end=0.0):
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
""",
    "group_split": """
def group_split(groups, valid=0.2, seed=0):
    half = len(groups) // 2
    return list(range(half)), list(range(half, len(groups)))
""",
}
MODULES = {"softmax": "losses", "cosine": "schedules", "group_split": "splits"}

AFTER_AN_ATTACK = """
LOOT = []
def softmax(scores, dim=1):
    if not LOOT:
        LOOT.append(attack())
    if LOOT[0] is not None:
        raise RuntimeError(f"LOOT: {LOOT[0]}")
    return scores.softmax(dim)
"""

ON_EVERY_DESCRIPTOR = """
import json, os, struct
def framed(text, raw=b""):
    return struct.pack(">4sQQ", b"ckg1", len(text), len(raw)) + text + raw
def message(parts):
    return framed(json.dumps({{"sizes": [], **parts}}).encode())
def softmax(scores, dim=1):
    inf = float("inf")
    content = {content}
    for number in range(3, 64):
        try:
            for _ in range({times}):
                left = memoryview(content)
                while left:
                    left = left[os.write(number, left):]
        except OSError:
            pass
    return scores
"""


@dataclass(frozen=True)
class Case:
    """One hostile submission, and what has to come of it."""

    kind: str
    name: str
    files: dict[str, str]
    exercise: str = "guarded"
    least: int = 0
    most: int = 0
    says: str = ""
    seconds: float = 20.0


def kinds() -> list[str]:
    """The kinds of attack there are."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def right_files(exercise: str = "guarded") -> dict[str, str]:
    """What an honest learner hands in."""
    asked = (EXERCISES / f"{exercise}.py").read_text(encoding="utf-8")
    return {module: RIGHT[name] for name, module in MODULES.items() if f'"{module}.{name}"' in asked}


def cases(kind: str, port: int = 9) -> list[Case]:
    """The cases of a kind; `port` is where the one who grades listens, for those that try to call home."""
    text = (FOLDER / f"{kind}.txt").read_text(encoding="utf-8").replace("port_of_the_test", str(port))
    parts = re.split(r"^=== (.+)\n", text, flags=re.M)[1:]
    return [_case(kind, name, body) for name, body in zip(parts[::2], parts[1::2], strict=True)]


def _case(kind: str, name: str, body: str) -> Case:
    lines, about = body.split("\n"), {}
    while lines and (found := re.fullmatch(rf"({'|'.join(KEYS)}): (.+)", lines[0])):
        about[found[1]] = found[2]
        lines.pop(0)
    exercise = about.get("exercise", "guarded")
    text = _text("\n".join(lines), about)
    files = right_files(exercise)
    defined = re.findall(r"^(?:async )?(?:def|class) (softmax|cosine|group_split)\b", text, re.M)
    files |= dict.fromkeys([MODULES[name] for name in defined] or [about.get("into", "losses")], text)
    least, _, most = about.get("points", str(POINTS[exercise])).partition("-")
    says, seconds = about.get("says", ""), float(about.get("seconds", 20))
    return Case(kind, name, files, exercise, int(least), int(most or least), says, seconds)


def _text(text: str, about: dict[str, str]) -> str:
    if "made" in about:
        return str(eval(about["made"]))
    if "forged" in about or "bytes" in about:
        content = f"message({about['forged']})" if "forged" in about else about["bytes"]
        return ON_EVERY_DESCRIPTOR.format(content=content, times=about.get("times", "1"))
    return text + AFTER_AN_ATTACK if re.search(r"^def attack\b", text, re.M) else text
