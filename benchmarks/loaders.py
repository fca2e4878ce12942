"""How many items a second a loader gives, beside torch's `DataLoader` with the work done by hand, and fastai.

12,800 small grey pictures with a name each lie in memory; a pass shuffles them and gives batches of 64, the
pictures as floats, the names as numbers. By hand that is a `Dataset` whose items are made as one writes them,
with the floats made item by item, as the pictures of most tutorials are, or batch by batch, which is quicker.
Whatever makes the batches, the same pixels and numbers must come out, which is checked before the clock runs.
Ours may take a ninth more than torch's item by item, and, with the items held on the device, a ninth more
than indexing two tensors by hand.

The ways take turns, what counts is the processor's time on one thread, and of each way the middle of all
samples; a ratio is the middle of those of samples that were taken one right after the other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from in_turn import in_turn
from peers import find
from record import NOT_INSTALLED, Bars, record
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from coursekit.datablock import DataBlock
from coursekit.loaders import Items, Loader
from coursekit.tensors import Category, GrayImage, plain

COUNT, BATCH_SIZE, TURNS = 12_800, 64, 15
VOCAB = ("bag", "hat", "shoe")
READ, HELD = "each item made anew", "everything held in memory"
BY_HAND, LATE, BY_INDEX = "DataLoader by hand", "DataLoader by hand, floats by batch", "two tensors indexed"
# Against what ours is measured in each question; as many items a second as this share of the other's.
AGAINST, GOAL = {READ: BY_HAND, HELD: BY_INDEX}, 0.9
TOOLS = {
    "Datasets": "fastai.data.core:Datasets",
    "TfmdDL": "fastai.data.core:TfmdDL",
    "Categorize": "fastai.data.transforms:Categorize",
    "IntToFloatTensor": "fastai.data.transforms:IntToFloatTensor",
    "TensorImageBW": "fastai.torch_core:TensorImageBW",
    "ToTensor": "fastai.data.transforms:ToTensor",
}


def make_items() -> list[dict[str, Any]]:
    """Pictures and names, as a program finds them in memory."""
    chance = np.random.default_rng(0)
    pixels = chance.integers(0, 256, (COUNT, 1, 28, 28), dtype=np.uint8)
    kinds = chance.integers(len(VOCAB), size=COUNT).tolist()
    return [{"photo": one, "label": VOCAB[kind]} for one, kind in zip(pixels, kinds, strict=True)]


class ByHand(Dataset):
    """Items made as one writes it without a library."""

    def __init__(self, items: list[dict[str, Any]], floats: bool) -> None:
        self.items, self.floats = items, floats
        self.numbers = {name: number for number, name in enumerate(VOCAB)}

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        item = self.items[number]
        photo = torch.from_numpy(item["photo"])
        if self.floats:
            photo = photo.float() / 255
        return photo, torch.tensor(self.numbers[item["label"]])


def torch_loader(items: list[dict[str, Any]], floats: bool) -> Callable[[bool], Iterable]:
    """Torch's own loader over items made by hand; in order for the check, shuffled for the clock."""

    def walk(shuffle: bool) -> Iterable:
        for photos, labels in DataLoader(ByHand(items, floats), BATCH_SIZE, shuffle=shuffle):
            yield photos if floats else photos.float() / 255, labels

    return walk


def two_tensors(items: list[dict[str, Any]]) -> Callable[[bool], Iterable]:
    """All items in two tensors, and batches chosen from these."""
    photos = torch.from_numpy(np.stack([item["photo"] for item in items]))
    labels = torch.tensor([VOCAB.index(item["label"]) for item in items])

    def walk(shuffle: bool) -> Iterable:
        order = torch.randperm(COUNT) if shuffle else torch.arange(COUNT)
        for numbers in order.split(BATCH_SIZE):
            yield photos[numbers].float() / 255, labels[numbers]

    return walk


def ours(items: list[dict[str, Any]], hold: bool) -> Callable[[bool], Iterable]:
    """Our loaders, from a data block; what is held has been read before the clock runs."""
    block = DataBlock(GrayImage, Category, split=(list(range(1, COUNT)), [0]))
    made = block.loaders(items, BATCH_SIZE)
    every = Items(items, made.train.items.pipeline, most_bytes=0)
    loaders = {
        shuffle: Loader(every, BATCH_SIZE, made.train.batch_transforms, shuffle=shuffle, hold=hold)
        for shuffle in (True, False)
    }
    for loader in loaders.values() if hold else ():
        list(loader)
    return loaders.__getitem__


def with_fastai(items: list[dict[str, Any]], tools: dict[str, Any]) -> Callable[[bool], Iterable]:
    """fastai's `Datasets` and `TfmdDL`, with its transforms of items and batches."""

    def photo(item: dict[str, Any]) -> Any:
        return tools["TensorImageBW"](item["photo"])

    def label(item: dict[str, Any]) -> str:
        return item["label"]

    datasets = tools["Datasets"](items, [[photo], [label, tools["Categorize"](vocab=list(VOCAB))]])

    def walk(shuffle: bool) -> Iterable:
        return tools["TfmdDL"](
            datasets, bs=BATCH_SIZE, shuffle=shuffle, num_workers=0, after_batch=[tools["IntToFloatTensor"]()]
        )

    return walk


def check(ways: dict[str, Callable[[bool], Iterable]], expected: list[Any]) -> None:
    """Stop if a way makes other batches than these."""
    for way, walk in ways.items():
        for (photos, labels), (pixels, numbers) in zip(walk(False), expected, strict=True):
            same = torch.equal(plain(labels), numbers) and torch.allclose(plain(photos), pixels)
            assert same, f"{way} makes other batches"


def run(walk: Callable[[bool], Iterable]) -> None:
    """One shuffled pass."""
    for _ in walk(True):
        pass


def main() -> int:
    """Measure, keep, and fail where a bound of our own is broken."""
    torch.set_num_threads(1)
    items, tools = make_items(), find("loaders", **TOOLS)
    asked: dict[str, dict[str, Any]] = {
        READ: {
            BY_HAND: torch_loader(items, floats=True),
            LATE: torch_loader(items, floats=False),
            "ours": ours(items, hold=False),
            "fastai": with_fastai(items, tools) if all(tools.values()) else None,
        },
        HELD: {BY_INDEX: two_tensors(items), "ours": ours(items, hold=True)},
    }
    rows = []
    for what, ways in asked.items():
        here = {way: walk for way, walk in ways.items() if walk}
        check(here, list(asked[READ][BY_HAND](False)))
        taken = in_turn(
            {way: ("run(walk)", {"run": run, "walk": walk}) for way, walk in here.items()}, TURNS, 1
        )
        for way in ways:
            row: dict[str, Any] = {"items": what, "way": way, "items a second": NOT_INSTALLED}
            row |= {"share of by hand": "", "goal": "", "reached": ""}
            if way in here:
                share = round(taken.times(AGAINST[what], way), 2)
                row |= {
                    "items a second": round(COUNT / taken.nanoseconds(way) * 1e9),
                    "share of by hand": share,
                }
            if way == "ours":
                row |= {"goal": f"at least {GOAL}", "reached": "yes" if share >= GOAL else "no"}
            rows.append(row)
    bars = Bars("items", "items a second", panels=(READ, HELD), floor=BY_HAND)
    record("loaders", rows, bars=bars, packages=("fastai",))
    return int(any(row["reached"] == "no" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
