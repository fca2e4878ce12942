"""Run scenarios on the other side and keep what was seen there as plain data.

The reference and the learner are asked by the same code in separate processes: the reference's draws the
inputs and never runs a line of the learner's, the learner's plays them back.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from . import process
from .case import Case
from .encoding import BrokenEncoding, Raised, decode, encode, plain
from .scenario import Scenario
from .wording import clean

LINES = 6

# What reading a message that is not in the agreed form may raise.
NOT_IN_FORM = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Kit:
    """Whose code a scenario runs beside: a folder or files over our library, or the library alone (neither).

    `files` maps each module to its text; the other side writes them where only it can. `only` names the
    definitions that count (None: all), `asked` those that ours may not stand in for.
    """

    name: str = "coursekit"
    folder: Path | None = None
    only: frozenset[str] | None = None
    asked: frozenset[str] = frozenset()
    files: Mapping[str, str] | None = None

    def request(self) -> dict[str, Any]:
        """What the other side is told of it."""
        return {
            "do": "kit",
            "name": self.name,
            "folder": None if self.folder is None else str(self.folder),
            "files": None if self.files is None else dict(self.files),
            "only": None if self.only is None else sorted(self.only),
            "asked": sorted(self.asked),
        }


@dataclass(frozen=True)
class Seen:
    """One value that a scenario yielded; `line` and `names` say where it was at that moment.

    One that is timed says how many times ours it may take, `at_most`, and the `shapes` of what went in.
    """

    label: str
    value: Any
    how: str
    line: int
    names: dict[str, Any]
    at_most: float | None = None
    shapes: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Run:
    """One run of a scenario: what was asked, and what was seen until it was done or stopped.

    Attributes:
        drawn: The inputs, by name, as plain data.
        error: What the code raised, with `lines` (file, line, function, text) of the learner's on the way.
        stopped: "" or why the process ended first: "hung", "flooded", "memory", "broken", or "ended" with
            a `status`.
        unusable: Why the kit could not be put together, in a sentence.
        beside: Of calls made again, the seconds around `seconds`: to prepare them, to send the value.
    """

    scenario: Scenario
    seed: int
    device: str
    drawn: dict[str, Any] = field(default_factory=dict)
    seen: tuple[Seen, ...] = ()
    error: Raised | None = None
    lines: tuple[tuple[str, int, str, str], ...] = ()
    line: int = 0
    stopped: str = ""
    status: int = 0
    unusable: str = ""
    seconds: float = 0.0
    beside: float = 0.0

    @property
    def is_whole(self) -> bool:
        """Whether the scenario ran to its end."""
        return not (self.error or self.stopped or self.unusable)

    @cached_property
    def encoded(self) -> tuple[Any, list[bytes]]:
        """The inputs as they travel; the same for every kit that is asked this."""
        return encode(plain(self.drawn))

    def values(self) -> dict[str, Any]:
        """What was seen by label, as a judge gets it."""
        return {seen.label: plain(seen.value) for seen in self.seen}

    def case(self) -> Case:
        """The inputs as a judge gets them."""
        case = Case(self.seed, device=self.device)
        case.drawn = plain(self.drawn)
        return case


class Side:
    """A kit in a process of its own, started anew when it had to be ended.

    Args:
        kit: Whose code runs there.
        place: Starts the process.
        new_python: With other hashes of text, and nothing left of before.
    """

    def __init__(self, kit: Kit, place: process.Place = process.start, new_python: bool = False) -> None:
        self.kit, self.place, self.new_python = kit, place, new_python
        self._job: process.Job | None = None
        self._unusable = self._last_words = ""
        self._is_ready = False

    def __enter__(self) -> Side:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, asked: Run, seconds: float, replay_only: bool = False) -> Run:
        """Run one scenario with the inputs of `asked`; the wall clock stands outside, in seconds.

        Raises:
            CannotStart: The place where it runs was lost, which is no fault of the code that ran there.
        """
        blank = Run(asked.scenario, asked.seed, asked.device, asked.drawn)
        job = self._ready()
        if job is None:
            return replace(blank, unusable=self._unusable)
        begun = time.monotonic()  # a place that had to be started first is not the code's time
        request, buffers = _request(asked, replay_only)
        run = self._ask(job, blank, request, buffers, seconds)
        # What was played back is what we sent, whatever the other side says was drawn.
        drawn = asked.drawn if replay_only else run.drawn
        return replace(run, drawn=drawn, seconds=time.monotonic() - begun)

    def again(self, run: Run, label: str, number: int, times: int, seconds: float) -> Run:
        """Make a timed call of the scenario that was run last again, so many times, in orders of its own.

        Returns:
            That run with the last call's value seen; its `seconds` go from the request until all were over.
        """
        begun = time.perf_counter()
        prepare = {"do": "prepare", "label": label, "number": number, "times": times}
        for request in (prepare, {"do": "go"}):
            assert self._job is not None
            run = self._ask(self._job, run, request, [], begun + seconds - time.perf_counter())
            if not run.is_whole:
                break
        return replace(run, beside=time.perf_counter() - begun - run.seconds)

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Nothing of its process computes meanwhile, where its place can see to that."""
        return self._job.held() if self._job else contextlib.nullcontext()

    def use(self, kit: Kit) -> None:
        """Take another kit, in the same process."""
        self.kit, self._unusable, self._is_ready = kit, "", False

    def _ready(self) -> process.Job | None:
        """The process, with the kit in place; None when the kit cannot be put together."""
        if not self._is_ready and not self._unusable:
            self._job = self._job or self.place(self.new_python)
            self._is_ready = True
            home = self._job.folder and str(self._job.folder.path)
            request = self.kit.request() | {"home": home}
            try:
                ((answer, _),) = self._job.ask(request, [], process.START)
            except process.Stopped:
                last = self._job.printed().strip().splitlines()[-1:]
                raise process.CannotStart(f"coursekit itself could not be loaded: {' '.join(last)}") from None
            if answer["is"] != "ready":
                self._unusable = str(answer.get("text") or decode(answer["error"], []).text)
        return None if self._unusable else self._job

    def _ask(
        self, job: process.Job, run: Run, request: dict[str, Any], buffers: list[bytes], seconds: float
    ) -> Run:
        seen: list[Seen] = []
        end: dict[str, Any] = {}
        begun = over = time.perf_counter()
        try:
            for message, parts in job.ask(request, buffers, seconds):
                if message["is"] == "over":
                    over = time.perf_counter()
                elif message["is"] in ("yield", "result"):
                    seen.append(_seen(message, parts))
                else:
                    end = _end(message, parts)
        except process.Stopped as stopped:
            end = {"stopped": stopped.why, "status": stopped.status}
        except NOT_IN_FORM:
            end = {"stopped": "broken"}
        if "stopped" in end:
            self.close()
        return replace(run, seen=tuple(seen), seconds=over - begun, **end)

    def printed(self) -> str:
        """The beginning of what the kit's code printed since this was last asked, even if it has ended."""
        text, self._last_words = self._last_words + (self._job.printed() if self._job else ""), ""
        return text

    def forget_printed(self) -> None:
        """Let `printed` begin here."""
        self._last_words = ""
        if self._job:
            self._job.forget_printed()

    def close(self) -> None:
        """End the process; the next question starts another."""
        if self._job is not None:
            self._job.end()
            self._last_words = self._job.printed()
        self._job, self._is_ready = None, False


def _request(run: Run, replay_only: bool) -> tuple[dict[str, Any], list[bytes]]:
    """All that the other side is told: the scenario's text, a seed, a device and what was drawn."""
    draws, buffers = run.encoded
    scenario = {"source": run.scenario.source, "name": run.scenario.name, "seed": run.seed, "draws": draws}
    return {"do": "run", **scenario, "device": run.device, "replay_only": replay_only}, buffers


def _seen(message: dict[str, Any], buffers: list[bytes]) -> Seen:
    value, names = decode(message["value"], buffers), decode(message["names"], [])
    shapes = tuple(tuple(int(size) for size in shape) for shape in message["shapes"])
    about = str(message["label"]), value, str(message["how"]), int(message["line"]), dict(names)
    return Seen(*about, message["at_most"], shapes)


def _end(message: dict[str, Any], buffers: list[bytes]) -> dict[str, Any]:
    """What the last message of a run says, as fields of a `Run`."""
    if message["is"] == "ready":
        return {}
    if message["is"] == "done":
        return {"drawn": decode(message["draws"], buffers)}
    if message["is"] == "unusable":
        return {"unusable": clean(str(message["text"]), 2000)}
    error = decode(message["error"], [])
    if not isinstance(error, Raised):
        raise BrokenEncoding("an error came that is none")
    return {"error": error, "lines": tuple(_lines(message["lines"])), "line": int(message["line"])}


def _lines(came: Any) -> Iterator[tuple[str, int, str, str]]:
    """The learner's own lines on the way to an error: a few, and short ones."""
    for file, line, name, text in came[-LINES:]:
        yield clean(str(file), 200), int(line), clean(str(name), 200), clean(str(text), 200)
