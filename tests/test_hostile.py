"""Every hostile submission gets the points it earned and a sentence, harms nobody, and leaves nothing.

What is handed in stands in `tests/hostile/`; `hostile_cases` reads it. It runs in the real sandbox, as
whoever runs these tests.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import processes
import pytest
from hostile_cases import EXERCISES, POINTS, Case, cases, kinds, right_files

from coursekit.grader import exercises
from coursekit.grader.batch import Batch
from coursekit.grader.report import Report
from coursekit.sandbox import Sandbox, why_not

CANARY = "canary-of-the-one-who-grades"
LEFT_IN = ("/", "/tmp", "/var/tmp", "/dev/shm", os.path.dirname(os.__file__))
ASKED = 12_345
# Waiting for clocks takes minutes.
TAKE_LONG = ("clock", "hangs")

Handed = Callable[[Case], Report]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Sandbox]]:
    """A sandbox for each exercise; without one a skip with that name, or on the build machine a failure."""
    from coursekit.sandbox.masking import masked_library

    if reasons := why_not():
        message = f"there is no sandbox here: {' '.join(reasons)}"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    patch = pytest.MonkeyPatch()
    patch.setattr(exercises, "folder", lambda: EXERCISES)
    patch.setenv("SECRET_OF_THE_GRADER", CANARY)
    made: dict[str, Sandbox] = {}
    with ExitStack() as stack:
        stack.callback(patch.undo)

        def sandbox(word: str) -> Sandbox:
            if word not in made:
                folder = masked_library(word, tmp_path_factory.mktemp("library") / word)
                made[word] = stack.enter_context(Sandbox(folder))
            return made[word]

        yield sandbox


@pytest.fixture(scope="module")
def handed_in(library: Callable[[str], Sandbox]) -> Iterator[Handed]:
    """Hands in a case, as a learner does; the report."""
    batches: dict[tuple[str, float], Batch] = {}
    with ExitStack() as stack:

        def hand_in(case: Case) -> Report:
            key = case.exercise, case.seconds
            if key not in batches:
                place = library(case.exercise).start
                batch = Batch(case.exercise, ASKED, ("cpu",), case.seconds, place)
                batches[key] = stack.enter_context(batch)
            return batches[key].check(case.files)

        yield hand_in


@pytest.fixture
def home() -> Iterator[int]:
    """The port of somebody who would like to be called, also by a name without a file."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as named:
        named.bind(f"\0coursekit-canary-{server.getsockname()[1]}")
        named.listen()
        yield server.getsockname()[1]
        for line in (server, named):
            line.setblocking(False)
            with pytest.raises(BlockingIOError):
                line.accept()


def complaints(case: Case, report: Report) -> Iterator[str]:
    """What is not as it should be."""
    said = "\n".join([report.problem, *(result.message for result in report.results)])
    if not case.least <= report.points <= case.most:
        lost = [f"{one.name}: {one.message}" for one in report.results if not one.passed]
        yield "\n".join([f"{report.points} points", *lost])
    if case.says not in said:
        yield f"does not say {case.says!r}"
    if any(result.kind == "ours" for result in report.results):
        yield "is called the course's fault"
    if any(not result.passed and not result.parts.sentences for result in report.results):
        yield "has no sentence"
    if "LOOT: " in said or CANARY in said:
        yield "got hold of something"
    if any(not one.isprintable() for one in said.replace("\n", "").replace("\t", "")):
        yield "says what a terminal would obey"
    if len(report.to_json()) > 200_000:
        yield "makes a report that is too long"


def in_sandboxes() -> set[int]:
    """The processes in the sandboxes that this process started, by their numbers."""
    warm = {one for one in processes.ours() if b"coursekit.sandbox.warm" in processes.command(one)}
    return warm.union(*(processes.below(one, also_ended=True) for one in warm))


def traces() -> tuple[set[int], str, list[str]]:
    """What a submission could leave: processes, mounts, files."""
    names = ("note-for-the-next", "written-by-a-learner", "pickled", "large", "sparse", "full", "many")
    files = [str(path) for folder in LEFT_IN for name in names if (path := Path(folder, name)).exists()]
    return in_sandboxes(), Path("/proc/self/mounts").read_text(), files


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.soak] * (kind in TAKE_LONG)) for kind in kinds()]
)
def test_every_case_of_a_kind(kind: str, handed_in: Handed, home: int) -> None:
    """Two at a time; then an honest one, and nobody is left."""
    honest = [Case(kind, "honest", right_files(word), word, POINTS[word], POINTS[word]) for word in POINTS]
    for case in honest[: 1 + (kind == "clock")]:
        assert not list(complaints(case, handed_in(case)))
    handed = cases(kind, home)
    for word, seconds in sorted({(case.exercise, case.seconds) for case in handed}):
        handed_in(Case(kind, "first of its batch", right_files(word), word, seconds=seconds))
    before = traces()
    with ThreadPoolExecutor(8 if kind == "hangs" else 2) as pool:
        reports = list(pool.map(handed_in, handed))
    found = {c.name: list(complaints(c, r)) for c, r in zip(handed, reports, strict=True)}

    assert {name: faults for name, faults in found.items() if faults} == {}
    assert not list(complaints(honest[0], handed_in(honest[0])))
    assert traces() == before


def test_there_is_a_corpus() -> None:
    """At least 120 cases by kind, each with a name of its own."""
    names = [f"{kind}: {case.name}" for kind in kinds() for case in cases(kind)]

    assert len(names) == len(set(names)) >= 120
    assert len(kinds()) >= 15
