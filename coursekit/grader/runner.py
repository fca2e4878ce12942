"""The learner's side: runs one scenario after another beside a kit, and only ever reports what was seen.

Started as `python -m coursekit.grader.runner`. It holds no expected value: it gets a folder, a scenario's
text, a seed and what was drawn, and answers with plain data. With `--warm` it imports torch once and then
forks a fresh process per job, so that a check does not wait seconds for the import.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType
from typing import Any, BinaryIO, TextIO

from .case import Case, Timed
from .encoding import decode, encode, raised
from .frames import read_frame, write_frame

SCENARIO = "<the check>"
PRINTED = 2**20
# A library made up for an exercise names in this file, next to this one, what its checks want.
WANTED = "wanted.json"
# What every job comes to need. Numpy imports its `random` only when that is asked for: by each job anew.
NEEDED = ("numpy.random", "torch", "coursekit.kit", "encodings.utf_8_sig")


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the pipe ends."""
    job = _Job(answers)
    while frame := read_frame(requests):
        message, buffers = frame
        if message["do"] == "kit":
            job.install(message)
        elif message["do"] == "run":
            job.run(message, buffers)
        elif message["do"] == "prepare":
            job.prepare(message["label"], message["number"], message["times"])
        else:
            job.go()


class _Job:
    """One kit, and the scenarios run beside it."""

    def __init__(self, answers: BinaryIO) -> None:
        self.answers = answers
        self.kit: Any = None
        self.name = ""
        self.folder = Path()
        self.home = ""
        self.folders = 0
        self.timed: dict[str, Timed] = {}
        self.calls: list[Callable[[], Any]] = []

    def say(self, message: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        # What was printed before it must be on its way before it.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        write_frame(self.answers, message, buffers)

    def install(self, message: dict[str, Any]) -> None:
        """Make the kit importable: the learner's files over our library, or our library alone."""
        from ..kit import KitError, install, write_files

        self.name, self.home = message["name"], message["home"] or tempfile.gettempdir()
        folder = message["folder"]
        try:
            if message["files"] is not None:
                folder = self.new_folder(self.name)
                write_files(folder, message["files"])
            self.folder = Path(folder or ".").absolute()
            if folder is None:
                importlib.import_module(self.name)
            else:
                install(self.name, self.folder, message["only"], message["asked"])
            self.kit = PublicNames(self.name)
        except KitError as error:
            self.say({"is": "unusable", "text": str(error)})
        except BaseException as error:
            self.failed(error)
        else:
            self.say({"is": "ready"})

    def new_folder(self, name: str) -> Path:
        """An empty folder of that name, in the place where this process may write."""
        self.folders += 1
        folder = Path(self.home, f"check-{self.folders}", name)
        folder.mkdir(parents=True)
        return folder

    def run(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        """Run one scenario and report each value it yields, then what was drawn or what was raised."""
        from ..kit import KitError

        printed = _Printed(sys.stdout)
        recorded = {
            name: getattr(one, "data", one) for name, one in decode(message["draws"], buffers).items()
        }
        seed, device, replay_only = message["seed"], message["device"], message["replay_only"]
        new_folder = partial(self.new_folder, "files")
        case = Case(seed, recorded, device, new_folder, printed.since, replay_only)
        seed_everything(seed, device)
        self.timed = {}
        try:
            with contextlib.redirect_stdout(printed):
                for answer in self.answers_of(message, case):
                    self.say(*answer)
        except KitError as error:
            self.say({"is": "unusable", "text": str(error)})
        except BaseException as error:
            self.failed(error)
        else:
            drawn, buffers = encode({} if replay_only else case.drawn)
            self.say({"is": "done", "draws": drawn}, buffers)
        if "folder" in vars(case):
            shutil.rmtree(case.folder, ignore_errors=True)

    def answers_of(self, message: dict[str, Any], case: Case) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
        """Each value that the scenario yields, copied to plain data at once."""
        names: dict[str, Any] = {"__name__": "scenario"}
        exec(_compiled(message["source"]), names)
        scenario = names[message["name"]](self.kit, case)
        for label, value, *how in scenario:
            frame = scenario.gi_frame
            about = {"label": str(label), "how": how[0] if how else "close", "line": frame.f_lineno}
            at_most, shapes = None, []
            if isinstance(value, Timed):
                self.timed[str(label)] = value
                value, at_most, shapes = value.result, value.at_most, value.shapes
            about |= {"at_most": at_most, "shapes": shapes}
            node, buffers = encode(value, self.name)
            simple = {k: v for k, v in frame.f_locals.items() if type(v) in (int, float, str)}
            yield {"is": "yield", **about, "names": encode(simple)[0], "value": node}, buffers

    def prepare(self, label: str, number: int, times: int) -> None:
        """Get ready to make a timed call of the last scenario again, so that nothing else is on the clock."""
        timed = self.timed[label]
        self.calls = [partial(timed.function, *timed.anew(f"{number}/{n}")) for n in range(times)]
        seed_everything(number)
        wait_for_device()
        self.say({"is": "ready"})

    def go(self) -> None:
        """Make these calls, say at once that they are over, and only then what they gave."""
        try:
            values = [call() for call in self.calls]
            wait_for_device()
            self.say({"is": "over"})
            node, buffers = encode(values, self.name)
        except BaseException as error:
            self.failed(error)
        else:
            about = {"label": "", "how": "", "line": 0, "names": {"dict": []}, "at_most": None, "shapes": []}
            self.say({"is": "result", **about, "value": node}, buffers)

    def failed(self, error: BaseException) -> None:
        """Report an error as plain data: its type and text, and the learner's own lines on the way to it."""
        lines, line = [], 0
        for frame in traceback.extract_tb(error.__traceback__):
            path = Path(frame.filename)
            if frame.filename == SCENARIO:
                line = line or frame.lineno or 0  # the scenario's own; a helper of it may come after
            elif self.folder in path.parents:
                place = path.relative_to(self.folder).as_posix()
                lines.append([f"{self.folder.name}/{place}", frame.lineno, frame.name, frame.line or ""])
        if isinstance(error, RecursionError):
            lines = lines[:1] + lines[-1:]
        node, _ = encode(raised(error, self.name))
        self.say({"is": "raised", "error": node, "lines": lines[-6:], "line": line})


class PublicNames:
    """A kit's public names, each from its own module, so that a check loads only the modules it uses.

    >>> PublicNames("coursekit").random_split(6, valid=0.5, seed=1)
    ([2, 3, 5], [0, 1, 4])
    """

    def __init__(self, package: str) -> None:
        self._package = package

    def __getattr__(self, name: str) -> Any:
        from ..originals import homes

        home = homes().get(name)
        module = importlib.import_module(self._package if home is None else f"{self._package}.{home}")
        return getattr(module, name)


class _Printed(io.TextIOBase):
    """Passes on what is printed, and remembers its beginning for `case.printed`."""

    def __init__(self, through: Any) -> None:
        self.through, self.text, self.asked = through, "", 0

    def write(self, text: str) -> int:
        if len(self.text) < PRINTED:
            self.text += text
        return self.through.write(text)

    def flush(self) -> None:
        self.through.flush()

    def since(self) -> str:
        new, self.asked = self.text[self.asked :], len(self.text)
        return new


@lru_cache(maxsize=4)
def _compiled(source: str) -> CodeType:
    """A scenario's code: the same one is asked several times in a row."""
    return compile(source, SCENARIO, "exec")


def seed_everything(seed: int, device: str = "cpu") -> None:
    """Start the chance of Python, numpy and torch anew, if there; both sides do, before each scenario."""
    random.seed(seed)
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        # The first is for all devices: it waits for those that may still come, and is slow.
        seed_all = device != "cpu" or torch.cuda.is_initialized()
        (torch.manual_seed if seed_all else torch.default_generator.manual_seed)(seed)


def wait_for_device() -> None:
    """Wait until a GPU has done what it was asked for, if one is in use."""
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        torch.cuda.synchronize()


def take_over() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for ourselves: what the learner reads is empty, what they print goes elsewhere."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    sys.stdout, sys.stderr = _lines_to(1), _lines_to(2)
    return requests, answers


def _lines_to(descriptor: int) -> TextIO:
    """A text stream that passes on each line at once, so that a crash loses none."""
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


def main(arguments: list[str]) -> None:
    """`--warm NUMBER`: fork a process per job asked for on that socket. Otherwise serve one job on the pipes,
    with everything imported first (`--ready`) or nothing (`--bare`)."""
    if arguments[:1] != ["--bare"]:
        # What only some jobs need takes as long again and can wait for an idle moment.
        list(preload())
    if arguments[:1] == ["--warm"]:
        from .warm import serve_jobs

        serve_jobs(int(arguments[1]), _one_job, preload("pandas", "torchvision", "coursekit.api"))
        os._exit(0)  # to take down all that was imported takes most of a second, and somebody waits for it
    else:
        _one_job()


def _one_job() -> None:
    serve(*take_over())


def preload(*packages: str) -> Iterator[None]:
    """Import what every job needs, and more, one at a time. Nothing is computed, and CUDA not touched: a fork
    could use neither.

    A library made up for an exercise says what else that one wants: more packages, and modules of its own.
    """
    wanted: dict[str, list[str]] = {"packages": [], "modules": []}
    with contextlib.suppress(FileNotFoundError):
        wanted = json.loads(Path(__file__).with_name(WANTED).read_text(encoding="utf-8"))
    for name in [*NEEDED, *packages, *wanted["packages"]]:
        # What cannot be imported is reported by the job that needs it.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
        yield
    if wanted["modules"]:
        from ..originals import get_ready

        get_ready(wanted["modules"])


if __name__ == "__main__":
    main(sys.argv[1:])
