"""What is logged is what was measured: read back by others' readers, after a kill, no line twice."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from coursekit import logs
from coursekit.callbacks import Callback, Progress
from coursekit.checkpoints import Checkpoint
from coursekit.learner import Learner
from coursekit.logs import LogCSV, LogTensorBoard
from coursekit.losses import CrossEntropy
from coursekit.metrics import accuracy


def make_learner(*callbacks) -> Learner:
    torch.manual_seed(0)
    inputs = torch.randn(4, 8, 4)
    batches = [(x, (x.sum(dim=1) > 0).long()) for x in inputs]
    quiet = {"callbacks": [Progress("off"), *callbacks], "device": "cpu"}
    return Learner((batches, batches[:1]), nn.Linear(4, 2), CrossEntropy(), [accuracy], **quiet)


class Crash(Callback):
    """Ends a fit in its third epoch."""

    def before_batch(self, learner):
        if learner.epoch == 2 and learner.training and learner.batch_number == 2:
            raise KeyError("power")


def read(file: Path) -> list[dict[str, float]]:
    with file.open(newline="") as opened:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(opened)]


def test_the_table_is_the_recorders(tmp_path):
    file = tmp_path / "new" / "log.csv"
    learner = make_learner(LogCSV(file))
    learner.fit(2, rate=0.1)
    learner.fit(1, rate=0.1)

    assert read(file) == learner.recorder.rows
    assert list(read(file)[0]) == ["epoch", "train loss", "valid loss", "accuracy", "seconds"]
    assert [one.name for one in file.parent.iterdir()] == ["log.csv"]


def test_resumed_it_has_each_epoch_once_and_begun_anew_only_the_new(tmp_path):
    file = tmp_path / "log.csv"
    whole = make_learner(LogCSV(tmp_path / "whole.csv"))
    whole.fit(4, rate=0.1)
    with pytest.raises(KeyError):
        make_learner(LogCSV(file)).fit(4, rate=0.1, callbacks=[Crash(), Checkpoint(tmp_path)])
    assert len(read(file)) == 2
    # As if the process had ended after its line was written, and before the checkpoint was.
    file.write_text(file.read_text() + "3,0.5,0.5,0.5,0.1\n")
    make_learner(LogCSV(file)).fit(4, rate=0.1, callbacks=[Checkpoint(tmp_path, resume=True)])
    found, expected = ([row | {"seconds": 0} for row in read(one)] for one in (file, tmp_path / "whole.csv"))

    assert found == expected
    make_learner(LogCSV(file)).fit(1, rate=0.1)
    assert [row["epoch"] for row in read(file)] == [1]


def test_a_column_that_comes_later_is_empty_before(tmp_path):
    class Late(Callback):
        def after_epoch(self, learner):
            if learner.epoch:
                learner.recorder.rows[-1]["late"] = 7.0

    log = LogCSV(tmp_path / "log.csv")
    make_learner(log, Late()).fit(2, rate=0.1)

    assert [row["late"] for row in log.read()] == ["", "7.0"]


def test_a_killed_process_leaves_whole_lines(tmp_path):
    program = f"""
import torch
from torch import nn
from coursekit.callbacks import Progress
from coursekit.learner import Learner
from coursekit.logs import LogCSV
batches = [(torch.ones(2, 1), torch.ones(2, 1))]
Learner((batches, batches), nn.Linear(1, 1), nn.MSELoss(), callbacks=[Progress("plain")], device="cpu").fit(
    10**6, 0.1, callbacks=[LogCSV({str(tmp_path / "log.csv")!r})])
"""
    command = [sys.executable, "-c", program]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        shown = [process.stdout.readline() for _ in range(60)]
        process.send_signal(signal.SIGKILL)
    rows = read(tmp_path / "log.csv")

    assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= len(shown) - 3
    assert all(len(row) == 4 for row in rows)


def read_events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
        events = accumulator.EventAccumulator(str(folder), purge_orphaned_data=True)
        events.Reload()
        return {
            name: [(one.step, one.value) for one in events.Scalars(name)] for name in events.Tags()["scalars"]
        }


def test_tensorboards_own_reader_finds_the_numbers(tmp_path):
    pytest.importorskip("tensorboard", reason="there is no tensorboard")
    learner = make_learner(LogTensorBoard(tmp_path))
    learner.fit(2, rate=0.1)
    found, recorder = read_events(tmp_path), learner.recorder

    assert found["batch/loss"] == list(enumerate(pytest.approx(loss, rel=1e-6) for loss in recorder.losses))
    assert found["batch/rate"] == list(enumerate(pytest.approx(rate) for rate in recorder.rates))
    for name in ("train loss", "valid loss", "accuracy", "seconds"):
        values = [pytest.approx(row[name], rel=1e-6) for row in recorder.rows]
        assert found[f"epoch/{name}"] == list(zip([3, 7], values, strict=True))


def test_tensorboard_shows_a_resumed_run_as_one(tmp_path):
    pytest.importorskip("tensorboard", reason="there is no tensorboard")
    with pytest.raises(KeyError):
        make_learner(LogTensorBoard(tmp_path / "run")).fit(
            4, rate=0.1, callbacks=[Crash(), Checkpoint(tmp_path, every=1)]
        )
    resumed = make_learner(LogTensorBoard(tmp_path / "run"))
    resumed.fit(4, rate=0.1, callbacks=[Checkpoint(tmp_path, every=1, resume=True)])
    found = read_events(tmp_path / "run")

    assert [step for step, _ in found["batch/loss"]] == list(range(16))
    assert [value for _, value in found["batch/loss"]] == pytest.approx(resumed.recorder.losses, rel=1e-6)
    assert [step for step, _ in found["epoch/accuracy"]] == [3, 7, 11, 15]


def test_without_tensorboard_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match=r"LogTensorBoard needs tensorboard: pip install .*\[logs\]"):
        make_learner(LogTensorBoard(tmp_path)).fit(1, rate=0.1)


def test_of_several_processes_only_the_first_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "is_first", lambda: False)
    make_learner(LogCSV(tmp_path / "log.csv")).fit(1, rate=0.1)

    assert list(tmp_path.iterdir()) == []
