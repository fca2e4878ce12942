"""The network that reads the digits drawn in a page: small, trained once on 4,500 of them, and kept.

>>> from torch import zeros
>>> network()(zeros(1, 1, 28, 28)).shape
torch.Size([1, 10])
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy
import torch
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

from ..array_sets import digits
from ..callbacks import Progress
from ..convolutions import Convolution
from ..downloads import alone
from ..learner import Learner
from ..losses import CrossEntropy
from ..metrics import accuracy
from ..sources import cache_folder
from ..splits import stratified_split
from ..tensor_files import read_file, write_file
from ..tensors import plain
from . import handwriting

KIND = "reader of digits 1"
EPOCHS, RATE, BATCH, SEED = 15, 6e-3, 100, 1


class Digits(NamedTuple):
    """The pictures of `digits`, (N, 1, 28, 28) from 0 to 1, what each shows, and which are held out."""

    pictures: Tensor
    labels: Tensor
    train: list[int]
    valid: list[int]


class Reader(NamedTuple):
    """A trained network, how many digits it learned from, and which share of how many others it reads."""

    network: nn.Module
    learned_from: int
    right: float
    others: int


@cache
def divided_digits() -> Digits:
    """The digits, of which one in ten is held out."""
    known = digits()
    labels = known["label"].astype(numpy.int64)
    train, valid = stratified_split(labels.tolist(), valid=0.1, seed=SEED)
    return Digits(plain(known["image"]) / 255, torch.from_numpy(labels), train, valid)


def network() -> nn.Sequential:
    """Three stages of a convolution, each of which halves the size: 30,000 weights, not yet trained."""
    widths = ((1, 16, 5), (16, 32, 3), (32, 64, 3))
    stages = [layer for width in widths for layer in (Convolution(*width), nn.MaxPool2d(2))]
    return nn.Sequential(*stages, nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 3 * 3, 10))


@cache
def trained_reader() -> Reader:
    """The trained network: kept from before, or trained now, within a minute on two cores."""
    made_by = hashlib.sha256(Path(__file__).read_bytes() + Path(handwriting.__file__).read_bytes())
    file = cache_folder() / f"digit-reader-{made_by.hexdigest()[:12]}.safetensors"
    with alone(file.with_suffix(".lock")):
        if not file.is_file():
            write_file(file, trained(), KIND)
    kept, known = read_file(file, KIND), divided_digits()
    reader = network().eval()
    reader.load_state_dict(kept["weights"])
    return Reader(reader, len(known.train), kept["right"], len(known.valid))


def trained(epochs: int = EPOCHS) -> dict[str, object]:
    """Train it: its weights, and the share of the held-out digits that it reads."""
    known = divided_digits()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        loaders = [batches(known, known.train, shuffled=True), batches(known, known.valid)]
        callbacks = [Progress("off"), handwriting.Handwriting(SEED)]
        learner = Learner(loaders, network(), CrossEntropy(), [accuracy], callbacks=callbacks, device="cpu")
        learner.fit_one_cycle(epochs, RATE)
        right = learner.validate()["accuracy"]
    return {"weights": dict(learner.model.state_dict()), "right": right}


def batches(known: Digits, part: list[int], shuffled: bool = False) -> DataLoader:
    """Some of the digits, batch by batch."""
    items = TensorDataset(known.pictures[part], known.labels[part])
    order = RandomSampler(items) if shuffled else range(len(items))
    return DataLoader(items, sampler=BatchSampler(order, BATCH, drop_last=False), batch_size=None)
