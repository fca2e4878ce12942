"""How good is lesson 1's model, really? Three splits, the baselines, and what a careless split claims.

Writes `results/first_model.csv`, which the lesson shows, and `results/first_model.json`.
Takes about five minutes on 2 cores: `python benchmarks/first_model.py`.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import mean

import numpy
import record
import torch
from PIL import Image
from torch import nn

import coursekit as kit

# Splits whose held-out side has about the share of broken cells that all cells have (32 %): chosen by that.
SEEDS = (4, 5, 6)
VALID = 0.25


def main() -> None:
    """Measure every way on every split, print as it goes, write both files."""
    cells = kit.solar_cells().query("sure").reset_index(drop=True)
    statistics = torch.tensor(numpy.array([brightness(photo) for photo in cells["photo"]])).float()
    ways = {
        'always "sound"': lambda split, seed: torch.zeros(len(split[1])),
        "five brightness numbers, linear": lambda split, seed: linear(statistics, broken(cells), split),
        "this lesson's model": lambda split, seed: lesson(cells, split, seed),
    }
    rows = []
    for name, way in ways.items():
        rows.append(measure(name, way, cells, lambda seed: kit.group_split(cells["block"], VALID, seed)))
    careless = "the same, single cells held out"
    rows.append(measure(careless, ways["this lesson's model"], cells, lambda seed: random_cells(cells, seed)))
    record.record("first_model", rows, table=[for_the_lesson(row) for row in rows])


def measure(name, way, cells, split_by) -> dict:
    """Accuracy and recall of one way on each split."""
    truth, accuracies, recalls, seconds = broken(cells), [], [], []
    for seed in SEEDS:
        split, start = split_by(seed), time.perf_counter()
        said, true = way(split, seed) > 0.5, truth[split[1]].bool()
        seconds.append(time.perf_counter() - start)
        accuracies.append((said == true).float().mean().item())
        recalls.append(said[true].float().mean().item())
        print(f"{name}, seed {seed}: accuracy {accuracies[-1]:.3f}, recall {recalls[-1]:.3f}", flush=True)
    return {"way": name, "seeds": SEEDS, "accuracy": accuracies, "recall": recalls, "seconds": seconds}


def broken(cells) -> torch.Tensor:
    """1 for broken cells, 0 for sound ones."""
    return torch.tensor((cells["label"] == "broken").to_numpy()).float()


def random_cells(cells, seed):
    """The careless split: single cells held out, whatever panel they come from."""
    return kit.random_split(len(cells), VALID, seed)


def brightness(photo: Path) -> list[float]:
    """Five numbers about the brightness of a photo: mean, spread, and how dark its darker parts are."""
    pixels = numpy.asarray(Image.open(photo), dtype=float)
    return [pixels.mean(), pixels.std(), *numpy.percentile(pixels, [1, 10, 50])]


def linear(features: torch.Tensor, targets: torch.Tensor, split) -> torch.Tensor:
    """Logistic regression on standardised features: the probability of "broken" for the held-out items."""
    train, valid = split
    scaled = (features - features[train].mean(0)) / features[train].std(0)
    model = nn.Linear(features.shape[1], 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=200)

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(scaled[train])[:, 0], targets[train])
        loss.backward()
        return loss

    optimizer.step(closure)
    return model(scaled[valid])[:, 0].sigmoid().detach()


def lesson(cells, split, seed: int) -> torch.Tensor:
    """The lesson's seven lines: the probability of "broken" for the held-out items."""
    kit.seed_everything(seed)
    block = kit.DataBlock(
        inputs=kit.GrayImage, targets=kit.Category, split=split, item_transforms=[kit.Resize(160)]
    )
    learner = kit.vision_learner(block.loaders(cells), metrics=[kit.accuracy, kit.Recall("broken")])
    learner.freeze()
    learner.fit_one_cycle(2, rate=2e-3)
    return kit.examine(learner).probability_of("broken")


def for_the_lesson(row: dict) -> dict[str, str]:
    """A row of the table that the lesson shows: the mean, and the lowest and highest of the three splits."""

    def cell(values) -> str:
        low, high = f"{min(values):.0%}", f"{max(values):.0%}"
        return f"{mean(values):.0%}" + (f" ({low} to {high})" if low != high else "")

    return {
        "way": row["way"],
        "right answers (accuracy)": cell(row["accuracy"]),
        "broken cells found (recall)": cell(row["recall"]),
    }


if __name__ == "__main__":
    main()
