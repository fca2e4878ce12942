"""A training run that is killed again and again, at any moment, and must end as if nothing had happened.

`python tests/killing.py FOLDER COUNT` forks a child that trains and writes checkpoints, kills it by SIGKILL
after a random time, and lets the next one resume. A run that comes to its end is compared, bit for bit, with
one that was never cut off; then another begins. It prints one line of JSON with what it saw.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

import coursekit as kit
from coursekit.checkpoints import FORMAT
from coursekit.tensor_files import read_file

EPOCHS = 2


def make_learner(*callbacks: kit.Callback) -> kit.Learner:
    """A learner that draws random numbers in every way: order, augmentation, dropout."""
    kit.seed_everything(5)
    items = [(kit.Image(torch.rand(3, 6, 6)), kit.Category(torch.tensor(n % 2))) for n in range(44)]
    train = kit.Loader(items, 8, kit.Augment(), shuffle=True, seed=1)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(), nn.Flatten())
    model.extend([nn.Linear(128, 16), nn.Linear(16, 2)])
    always = [kit.Progress("off"), kit.AverageWeights(0.9), *callbacks]
    return kit.Learner(
        (train, kit.Loader(items[:20], 8)),
        model,
        kit.CrossEntropy(),
        [kit.accuracy],
        callbacks=always,
        device="cpu",
    )


def train(learner: kit.Learner) -> kit.Learner:
    """What is trained, with breaks or without."""
    learner.fit_one_cycle(EPOCHS, 0.01)
    return learner


def result(learner: kit.Learner) -> str:
    """Everything a run leaves behind but the seconds it took: equal texts mean equal bits."""
    rows = [{name: one for name, one in row.items() if name != "seconds"} for row in learner.recorder.rows]
    weights = {name: one.tolist() for name, one in learner.model.state_dict().items()}
    return json.dumps([learner.recorder.losses, learner.recorder.rates, rows, weights])


def child(folder: Path) -> int:
    """Fork a process that trains, goes on where one before it was killed, and leaves its result."""
    number = os.fork()
    if number == 0:
        learner = make_learner(kit.Checkpoint(folder, every=1, keep=2, resume=True))
        unfinished = folder / "unfinished.json"
        text = result(train(learner))
        rows = learner.recorder.rows
        best = min(range(EPOCHS), key=lambda epoch: rows[epoch]["valid loss"]) + 1
        assert read_file(folder / "best.safetensors", FORMAT)["place"]["epoch"] == best
        unfinished.write_text(text)
        unfinished.replace(folder / "result.json")
        os._exit(0)
    return number


def one_kill(folder: Path, seconds: float) -> int:
    """Train and kill after so many seconds; 0 if it had ended well before, else the signal it died of."""
    number = child(folder)
    time.sleep(seconds)
    os.kill(number, signal.SIGKILL)
    status = os.waitpid(number, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def main(folder: Path, count: int) -> dict[str, Any]:
    """Kill so often; what was seen."""
    torch.set_num_threads(1)  # What forks must not have threads.
    chance = random.Random(os.getpid())
    whole = result(train(make_learner()))
    begun = time.perf_counter()
    os.waitpid(child(folder), 0)
    longest = time.perf_counter() - begun
    seen = {
        "kills": 0,
        "while writing": 0,
        "runs": 1,
        "equal": int((folder / "result.json").read_text() == whole),
    }
    while seen["kills"] < count:
        if (folder / "result.json").exists():
            shutil.rmtree(folder)
            folder.mkdir()
        died = one_kill(folder, chance.uniform(0, longest / 2))
        if died not in (0, signal.SIGKILL):
            raise SystemExit(f"a resumed run ended with {died}")
        seen["kills"] += died == signal.SIGKILL
        seen["while writing"] += any(folder.glob("*.safetensors.unfinished"))
        for file in folder.glob("*.safetensors"):
            read_file(file, FORMAT)
        if (folder / "result.json").exists():
            seen["runs"] += 1
            seen["equal"] += (folder / "result.json").read_text() == whole
    return seen


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]))))
