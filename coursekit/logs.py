"""Logs: training's numbers in files that others read, whole at any moment."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .devices import is_first
from .events import Callback

if TYPE_CHECKING:
    from .learner import Learner


class LogCSV(Callback):
    """Writes a line an epoch into a table that every program reads.

    Args:
        file: where it goes; folders are made.

    The file is replaced by a longer one each time, and so is whole whenever the process is killed. A training
    that is resumed goes on below its last line, without lines twice; one that begins anew begins the file
    anew. What an epoch did not measure is empty. Of several processes only the first one writes.

    >>> import tempfile, torch
    >>> from torch import nn
    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> file = Path(tempfile.mkdtemp(), "log.csv")
    >>> batches = [(torch.ones(2, 1), torch.ones(2, 1))]
    >>> quiet = {"callbacks": [Progress("off"), LogCSV(file)], "device": "cpu"}
    >>> Learner((batches, batches), nn.Linear(1, 1), nn.MSELoss(), **quiet).fit(2, rate=0.1)
    >>> [line.split(",")[0] for line in file.read_text().splitlines()]
    ['epoch', '1', '2']
    """

    order = 70
    in_trials = False

    def __init__(self, file: str | Path) -> None:
        self.file = Path(file)

    def after_epoch(self, learner: Learner) -> None:
        if is_first():
            row = learner.recorder.rows[-1]
            before = [old for old in self.read() if int(old["epoch"]) < row["epoch"]]
            self._write([*before, row])

    def read(self) -> list[dict[str, Any]]:
        """The lines there are, as texts by the names of their columns."""
        if not self.file.exists():
            return []
        with self.file.open(newline="", encoding="utf-8") as opened:
            return list(csv.DictReader(opened))

    def _write(self, rows: list[dict[str, Any]]) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.file.with_name(f"{self.file.name}.unfinished")
        with unfinished.open("w", newline="", encoding="utf-8") as opened:
            table = csv.DictWriter(opened, list(dict.fromkeys(name for row in rows for name in row)))
            table.writeheader()
            table.writerows(rows)
        os.replace(unfinished, self.file)


class LogTensorBoard(Callback):
    """Writes training's numbers for TensorBoard, which draws those of many runs beside each other.

    Args:
        folder: where the events of this run go; `tensorboard --logdir` is given the folder above it.

    Each batch's loss and learning rate, under `batch/`, and each epoch's numbers, under `epoch/`, stand at
    the number of batches there had been. Losses come to the host when an epoch's training ends, not before. A
    resumed training takes the place of what it does again. Of several processes only the first one writes.
    Raises ImportError if tensorboard is not installed.

    >>> LogTensorBoard("runs/first").folder.name
    'first'
    """

    order = 70
    in_trials = False

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.writer: Any = None

    def before_fit(self, learner: Learner) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ImportError(
                "LogTensorBoard needs tensorboard: pip install 'coursekit-topdown[logs]'."
            ) from None
        self._make_writer = SummaryWriter

    def after_train(self, learner: Learner) -> None:
        if not is_first():
            return
        recorder = learner.recorder
        first = len(recorder.losses) - len(recorder.losses_of_epoch())
        if self.writer is None:
            self.writer = self._make_writer(str(self.folder), purge_step=first)
        for number in range(first, len(recorder.losses)):
            self.writer.add_scalar("batch/loss", recorder.losses[number], number)
            self.writer.add_scalar("batch/rate", recorder.rates[number], number)

    def after_epoch(self, learner: Learner) -> None:
        if self.writer is None:
            return
        for name, value in learner.recorder.rows[-1].items():
            if name != "epoch":
                self.writer.add_scalar(f"epoch/{name}", value, len(learner.recorder.losses) - 1)
        self.writer.flush()

    def after_fit(self, learner: Learner) -> None:
        if self.writer is not None:
            self.writer.close()
        self.writer = None
