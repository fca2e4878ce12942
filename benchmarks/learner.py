"""What the training loop costs beside the same steps by hand, and beside the loops of other libraries.

Four questions, each with its bound. The ratio to a hand-written loop over the same loader on a tiny network,
with everything a learner does by default and a progress bar (1.08). The microseconds a batch when model, loss
and optimizer do nothing, so that only the loop is left (10); and those of one more callback with an empty
method, for each event it hears (0.1); a callback without that method costs nothing: it is not in the list.
And what `predict` takes for a photo, beside reading and preparing it by hand and asking the bare model (1.1).

Then each library trains the same two networks on the same items, in its usual manner (`peer_loops`): the tiny
one, where the loop shows, and a small network of convolutions, where it hardly does.

The ways take turns, and what counts is the processor's time on one thread. So that a machine that is busy
with other things disturbs little, of single batches that time is taken which one in twenty is quicker than,
of the loop alone the quickest pass, of predictions the middle ratio of neighbours.
"""

from __future__ import annotations

import contextlib
import io
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from in_turn import in_turn
from peer_loops import Task, by_hand, every_way, ours
from peers import find
from PIL import Image as Pillow
from record import NOT_INSTALLED, Bars, record
from torch import Tensor, nn
from torch.nn import functional

from coursekit.callbacks import Callback, Progress
from coursekit.cropping import Resize
from coursekit.datablock import DataBlock
from coursekit.learner import Learner
from coursekit.metrics import accuracy
from coursekit.splitters import RandomSplit
from coursekit.tensors import Category, Image
from coursekit.vision import vision_learner

SAMPLES, BATCHES, BATCH_SIZE, WIDTH = 15, 200, 64, 20
STUB_BATCHES = 3000
# Of each library so many runs of so many batches.
RUNS, NETWORKS = 4, {"a tiny network": 100, "a small CNN": 30}
PREDICTIONS, PHOTO_SIZE = 25, 224
GOAL = 1.08
BOUNDS = {
    "tiny network, times the loop by hand": GOAL,
    "loop alone, µs a batch": 10.0,
    "an empty method, µs an event": 0.1,
    "predict a photo, times the bare model": 1.1,
}
PEERS = ("fastai", "lightning", "pytorch-ignite", "keras", "skorch", "accelerate", "transformers")
FASTAI = {
    "vision_learner": "fastai.vision.learner:vision_learner",
    "ImageDataLoaders": "fastai.vision.data:ImageDataLoaders",
    "Resize": "fastai.vision.augment:Resize",
    "resnet18": "torchvision.models:resnet18",
}


def tiny() -> nn.Module:
    """A network so small that the loop around it shows."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDTH, 64), nn.ReLU(), nn.Linear(64, 2))


class NoLoss:
    """Stands for a loss where only the loop is measured."""

    ndim = 0

    def backward(self) -> None:
        """Nothing."""

    def detach(self) -> Tensor:
        """A number that can be recorded."""
        return ZERO


class NoModel(nn.Module):
    """Gives back what it gets; one parameter, lest a learner say that there is nothing to learn."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return x


class NoOptimizer:
    """Takes no step."""

    def __init__(self, groups: Any, lr: float) -> None:
        self.param_groups = [{"lr": lr}]

    def step(self) -> None:
        """Nothing."""

    def zero_grad(self) -> None:
        """Nothing."""


class OnlyTheLoop(Learner):
    """A learner whose loss costs nothing."""

    def compute_loss(self) -> Any:
        return NO_LOSS


class Empty(Callback):
    """Hears the eight events of a training batch and does nothing."""

    def before_batch(self, learner: Learner) -> None:
        """Nothing; so with the others."""

    after_predict = after_loss = before_backward = after_backward = before_batch
    before_step = after_step = after_batch = before_batch


ZERO, NO_LOSS = torch.zeros(()), NoLoss()


def quickest(ways: dict[str, Callable[[], None]], samples: int) -> dict[str, float]:
    """The processor's seconds for each way's quickest run, the ways taking turns."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(samples):
        for name, way in ways.items():
            start = time.process_time()
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                way()
            best[name] = min(best[name], time.process_time() - start)
    return best


def tiny_task(batches: int) -> Task:
    """The tiny network's training, so many batches long."""
    inputs = torch.randn(batches * BATCH_SIZE, WIDTH)
    return Task(tiny, inputs, (inputs.sum(dim=1) > 0).long(), BATCH_SIZE)


def tiny_network() -> dict[str, float]:
    """Seconds a batch of the tiny network: by hand, by hand again, and with the learner."""
    ways = {"by hand": by_hand, "by hand again": by_hand, "learner": ours}
    return undisturbed(tiny_task(BATCHES), ways, SAMPLES)


def loop_alone() -> dict[str, float]:
    """Seconds for an epoch of nothing: by hand, with the learner, and with ten empty callbacks more."""
    batches = [(torch.zeros(1, 1), torch.zeros(1))] * STUB_BATCHES

    def nothing_by_hand() -> None:
        model, optimizer = NoModel(), NoOptimizer(None, 1)
        for inputs, _ in batches:
            model(inputs)
            NO_LOSS.backward()
            optimizer.step()
            optimizer.zero_grad()

    def with_learner(count: int) -> Callable[[], None]:
        callbacks = [Progress("terminal"), *(Empty() for _ in range(count))]
        learner = OnlyTheLoop(
            (batches, None), NoModel(), None, optimizer=NoOptimizer, callbacks=callbacks, device="cpu"
        )
        return partial(learner.fit, 1, 1.0)

    ways = {"by hand": nothing_by_hand, "learner": with_learner(0), "with ten": with_learner(10)}
    return quickest(ways, SAMPLES)


def validation() -> dict[str, float]:
    """Seconds a batch to measure loss and accuracy: by hand, and with the learner."""
    return undisturbed(tiny_task(BATCHES), {"by hand": measured_by_hand, "learner": measured}, SAMPLES)


@torch.no_grad()
def measured_by_hand(task: Task) -> None:
    """Loss and accuracy over all batches, as one writes it without a library."""
    model, losses, shares = task.make_model().eval(), [], []
    for inputs, targets in task.loader():
        scores = model(inputs)
        losses.append(functional.cross_entropy(scores, targets))
        shares.append((scores.argmax(dim=-1) == targets).float().mean())
    torch.stack([torch.stack(losses), torch.stack(shares)]).mean(dim=1).tolist()


def measured(task: Task) -> None:
    """The same with a learner, and its bar."""
    data, shows = (task.loader(), task.loader()), [Progress("terminal")]
    loss = functional.cross_entropy
    Learner(data, task.make_model(), loss, [accuracy], callbacks=shows, device="cpu").validate()


def photo_files(folder: str) -> list[Path]:
    """A few noisy photos in two folders, which are their names."""
    files = []
    for number in range(8):
        file = Path(folder, "ab"[number % 2], f"{number}.jpg")
        file.parent.mkdir(exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (PHOTO_SIZE, PHOTO_SIZE, 3), dtype=np.uint8)
        Pillow.fromarray(noise).save(file)
        files.append(file)
    return files


def predicting() -> dict[str, float]:
    """To say by ResNet-18 what a photo in a file is: `predict`, ours and fastai's, times the bare model."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        photo = photo_files(folder)[0]
        block = DataBlock(Image, Category, RandomSplit(0.5), item_transforms=[Resize(PHOTO_SIZE)])
        data = block.loaders(folder, batch_size=2)
        learner = vision_learner(data, "torchvision/resnet18", pretrained=False, device="cpu")
        learner.model.eval()
        ways = {"bare": partial(bare, learner.model, photo), "ours": partial(learner.predict, photo)}
        tools = find("learner", **FASTAI)
        if all(tools.values()):
            theirs = tools["ImageDataLoaders"].from_folder(
                folder, valid_pct=0.5, item_tfms=tools["Resize"](PHOTO_SIZE), bs=2, num_workers=0
            )
            other = tools["vision_learner"](theirs, tools["resnet18"], pretrained=False, n_out=2)
            other.model.eval()

            ways["their bare"] = partial(bare, other.model, photo)
            ways["theirs"] = partial(other.predict, photo)
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            taken = in_turn({way: ("run()", {"run": run}) for way, run in ways.items()}, PREDICTIONS, 1)
        found = {"ours": taken.times("ours", "bare")}
        return found | ({"fastai": taken.times("theirs", "their bare")} if "theirs" in ways else {})


@torch.no_grad()
def bare(model: nn.Module, photo: Path) -> list[float]:
    """What one writes by hand: open, resize, scale, ask the model, and turn its scores into probabilities."""
    with Pillow.open(photo) as opened:
        pixels = np.asarray(opened.convert("RGB").resize((PHOTO_SIZE, PHOTO_SIZE)))
    batch = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()[None].float() / 255
    return model(batch).softmax(dim=1)[0].tolist()


def small_cnn() -> nn.Module:
    """Three convolutions, as for small colour pictures."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after, stride in ((3, 16, 1), (16, 32, 2), (32, 64, 2)):
        convolution = nn.Conv2d(before, after, 3, stride, padding=1)
        layers += [convolution, nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def beside_others() -> list[dict[str, Any]]:
    """A row for each library and network: microseconds a batch, and times those by hand."""
    rows = []
    for network, batches in NETWORKS.items():
        pictures = torch.randn(batches * 32, 3, 32, 32)
        kinds = torch.randint(10, (len(pictures),))
        task = tiny_task(batches) if "tiny" in network else Task(small_cnn, pictures, kinds, 32)
        ways = every_way()
        there = {way: run for way, run in ways.items() if run}
        taken = undisturbed(task, there, RUNS)
        for way in ways:
            row: dict[str, Any] = {"network": network, "way": way, "times by hand": NOT_INSTALLED}
            row |= {"µs a batch": "", "goal": "", "reached": ""}
            if way in taken:
                times = round(taken[way] / taken["by hand"], 2)
                row |= {"times by hand": times, "µs a batch": round(taken[way] * 1e6)}
            if way == "ours":
                row |= {"goal": f"at most {GOAL}", "reached": "yes" if times <= GOAL else "no"}
            rows.append(row)
    return rows


def undisturbed(task: Task, ways: dict[str, Callable[[Task], None]], runs: int) -> dict[str, float]:
    """Seconds that a batch takes in each way when nothing disturbs it; the ways take turns, run by run."""
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(runs):
        for way, run in ways.items():
            task.times.clear()
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                run(task)
            taken[way] += [end - start for start, end in pairwise(task.times)]
    return {way: quantiles(times, n=20)[0] for way, times in taken.items()}


def main() -> int:
    """Measure, keep, and fail where a bound is broken."""
    torch.set_num_threads(1)
    network, alone, held_out, asked = tiny_network(), loop_alone(), validation(), predicting()
    microsecond = STUB_BATCHES / 1e6
    found = {
        "tiny network, times the loop by hand": network["learner"] / network["by hand"],
        "loop alone, µs a batch": (alone["learner"] - alone["by hand"]) / microsecond,
        "an empty method, µs an event": (alone["with ten"] - alone["learner"]) / microsecond / 80,
        "predict a photo, times the bare model": asked["ours"],
    }
    rows = [{"what": what, "found": round(value, 3), "bound": BOUNDS[what]} for what, value in found.items()]
    beside = {
        "validation with accuracy, times the same by hand": held_out["learner"] / held_out["by hand"],
        "the loop by hand against itself": network["by hand again"] / network["by hand"],
        "the loop by hand, µs a batch": network["by hand"] * 1e6,
    }
    if "fastai" in asked:
        beside["fastai's predict, times the bare model"] = asked["fastai"]
    rows += [{"what": what, "found": round(value, 3), "bound": ""} for what, value in beside.items()]
    record("learner", rows)
    bars = Bars("network", "times by hand", panels=tuple(NETWORKS), floor="by hand")
    record("loops", beside_others(), bars=bars, packages=PEERS)
    return int(any(found[what] > bound for what, bound in BOUNDS.items()))


if __name__ == "__main__":
    sys.exit(main())
