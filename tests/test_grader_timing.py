"""Calls whose time counts: as quick as ours passes on a busy machine, a loop does not, nor does a trick."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import pytest
import torch

from coursekit import warping
from coursekit.grader import checking, exercises, timing
from coursekit.grader.case import Timed
from coursekit.grader.checking import check
from coursekit.grader.report import Result

Checked = Callable[..., Result]

TIMED = '''"""# Timed

One question.
"""

from coursekit.grader import Wrong, check

yours = {"warping.warp": "move pictures"}


@check(points=2, rounds=1, lesson="A section")
def a_batch_moves_at_once(kit, case):
    """Say it once for all pictures."""
    photos = case.tensor("photos", (case.integer("count", 24, 24), 3, 32, 32), low=0)
    turn = kit.warping.turning(30, [(32, 32)])
    yield "moved", case.timed(kit.warping.warp, photos, turn, at_most=4)


wrong = [
    Wrong("fills", {"warping.warp": "def warp(pixels, matrix): return pixels"}, a_batch_moves_at_once, "No."),
    Wrong("loops", {"warping.warp": """LOOP"""}, a_batch_moves_at_once, "You move them one by one."),
]
'''

OURS = "import torch\n\n\n" + inspect.getsource(warping.warp)
LOOP = """
import torch

def move(pixels, matrix):
    x, y = origins(matrix, pixels)
    outside = (torch.maximum(x.abs(), y.abs()) > 1)[:, None]
    return mixed(pixels, x, y).masked_fill(outside, 0)

def warp(pixels, matrix):
    return torch.cat([move(one[None], matrix) for one in pixels for _ in range(2)][::2])
"""
KEPT = f"""
{OURS.replace("def warp(", "def anew(")}

known, calls = set(), []

def warp(pixels, matrix):
    calls.append(1)
    if len(calls) <= 3:
        known.update(item.numpy().tobytes() for item in pixels)
    elif pixels[0].numpy().tobytes() in known:
        return torch.zeros_like(pixels)
    return anew(pixels, matrix)
"""
LATER = """
import time

calls = []

def warp(pixels, matrix):
    calls.append(1)
    x, y = origins(matrix, pixels)
    if len(calls) > 6:
        {then}
    values = mixed(pixels, x, y)
    return values.masked_fill((torch.maximum(x.abs(), y.abs()) > 1)[:, None], 0)
"""


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checked:
    """Check the text of a `warping.py` against an exercise of one timed check."""
    shelf, kit = tmp_path / "exercises", tmp_path / "mykit"
    shelf.mkdir()
    kit.mkdir()
    monkeypatch.setattr(exercises, "folder", lambda: shelf)

    def run(text: str, exercise: str = TIMED, **options: object) -> Result:
        (shelf / "timed.py").write_text(exercise.replace("LOOP", LOOP))
        (kit / "warping.py").write_text(text)
        return check("timed", kit, **options).results[0]  # type: ignore[arg-type]

    return run


@pytest.fixture
def busy() -> Iterator[None]:
    """Another process for each core, which computes without end."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    yield
    for one in others:
        one.kill()
        one.wait()


def test_as_quick_as_ours_passes(checked: Checked) -> None:
    result = checked(OURS)

    assert result.passed, result.message


def test_a_loop_is_right_and_too_slow_and_told_how_much(checked: Checked) -> None:
    result = checked(LOOP)
    shown = result.message.splitlines()

    assert result.kind == "slow"
    assert "    kit.warping.warp(photos, turn)" in shown
    assert [line.split()[0] for line in shown if line.endswith(" ms")] == ["yours", "ours"]
    assert " times as long as ours; 4 times would do." in result.message
    assert "This is on cpu, with inputs of 24 x 3 x 32 x 32 and 1 x 2 x 3." in result.message
    assert "The usual cause is a loop in Python over what torch can do at once." in result.message
    assert "You move them one by one." in result.message, "the known mistake, though every value is right"
    assert len(shown) < 24


@pytest.mark.usefixtures("busy")
def test_a_busy_machine_changes_no_verdict(checked: Checked) -> None:
    assert [checked(OURS).kind for _ in range(3)] == ["", "", ""]
    assert [checked(LOOP).kind for _ in range(3)] == ["slow", "slow", "slow"]


def test_a_right_answer_with_a_pause_in_it_is_too_slow_without_a_known_mistake(checked: Checked) -> None:
    exercise = TIMED.replace("LOOP", "def warp(pixels, matrix): return 1")
    result = checked(LATER.format(then="time.sleep(0.05)"), exercise)

    assert result.kind == "slow"
    assert "Yours takes" in result.message
    assert "\n  No." not in result.message


def test_no_item_comes_a_second_time_so_that_kept_answers_are_of_no_use(checked: Checked) -> None:
    result = checked(KEPT)

    assert result.passed, result.message


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ("return pixels", "values differ"),
        ("return None", "is a `return` missing?"),
        ("return pixels.to('meta')", "which cannot be compared"),
        ("return pixels.new_zeros(0)", "Yours has shape (0,)"),
    ],
)
def test_a_quick_answer_that_is_none_fails(then: str, says: str, checked: Checked) -> None:
    """Right when it is asked for in the scenario, and empty once the clock runs."""
    result = checked(LATER.format(then=then))

    assert result.kind == "again"
    assert says in result.message


def test_what_goes_wrong_while_the_clock_runs_has_its_sentence(checked: Checked) -> None:
    error = checked(LATER.format(then="raise ValueError('tired')"))
    ended = checked(LATER.format(then="import os; os._exit(3)"))
    hangs = checked(LATER.format(then="time.sleep(1000)"), seconds=2)

    assert "ValueError: tired" in error.message
    assert (error.kind, ended.kind, hangs.kind) == ("raised", "stopped", "stopped")
    assert "exit status 3" in ended.message
    assert "still running after 2 seconds" in hangs.message


def test_what_the_process_says_about_its_time_counts_for_nothing(checked: Checked) -> None:
    """A kit that turns back its own clock is as slow as before."""
    clocks = "import time\ntime.perf_counter = time.monotonic = time.time = lambda: 0.0\n"

    assert checked(clocks + LOOP).kind == "slow"


def test_every_device_is_timed(checked: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    raced: list[str] = []
    race = timing._Race.fault
    monkeypatch.setattr(
        timing._Race, "fault", lambda self, *a: raced.append(self.run.device) or race(self, *a)
    )
    monkeypatch.setattr(checking, "devices_here", lambda: ("cpu", "cpu"))
    checked(OURS)

    assert raced == ["cpu"], "each once"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_a_gpu_it_is_timed_as_well(checked: Checked) -> None:
    assert checked(OURS).passed
    result = checked(LOOP, device="cuda")

    assert result.kind == "slow"
    assert "This is on cuda" in result.message


def test_inputs_are_others_each_time_and_fit_together() -> None:
    numbers, same = torch.arange(50.0), torch.arange(50.0) * 2
    timed = Timed(torch.add, (numbers, same, 3), 2.0, None)
    first, again, later = timed.anew("1"), timed.anew("1"), timed.anew("2")

    assert first[2] == 3
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[0] * 2, first[1])
    assert not torch.equal(first[0], later[0])
    assert not torch.equal(first[0].sort().values, numbers)
    assert torch.allclose(first[0].sort().values, numbers, rtol=0.01)
    assert timed.shapes == [[50], [50]]


def test_whole_numbers_stay_what_they_are_and_types_too() -> None:
    labels, table = torch.arange(40).reshape(20, 2), numpy.ones((20, 3), "float32")
    ids, values = Timed(torch.add, (labels, table), 2.0, None).anew("1")

    assert sorted(ids.flatten().tolist()) == list(range(40))
    assert values.dtype == table.dtype
    assert (values < 1).all()
    assert (values > 0.98).all()
    assert (values == values[:, :1]).all()  # what belongs to one item stays in proportion
