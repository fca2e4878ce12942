"""The code that a studio runs, written out in public names: what is shown to be copied is what was executed.

>>> print(Plan(epochs=2).learner_code().splitlines()[-1])
learner.freeze()
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .surveys import Survey

HEAD = "import coursekit as kit\nimport pandas\n"
SEED = 1
SHARE = 0.2
# What a person may choose; of each, the first is the default.
BACKBONES = {
    "efficientnet_lite0": "EfficientNet-Lite0: has seen a million photos (best for almost all)",
    "small_cnn": "a small network that has seen nothing yet (to compare)",
}
LEARNING = {
    "head": "the last layer (quick)",
    "all": "all layers, the early ones gently (slower, often better)",
}
SIZES = {160: "160 pixels", 96: "96 pixels (quicker)", 224: "224 pixels (for fine detail, slower)"}
MOST_EPOCHS, MOST_RATE = 100, 1.0
# About so many steps teach a last layer enough; with many more it learns wrong labels by heart, and they no
# longer stand out.
STEPS_WANTED, MOST_ROUNDS = 30, 10


@dataclass(frozen=True)
class ReadySet:
    """A set of photos that comes with the course.

    Attributes:
        title: What it is, in a few words.
        photos: The line that makes the table of photos.
        valid: The line that says which rows are held out.
        kind: The type of its photos.
    """

    title: str
    photos: str
    valid: str
    kind: str = "Image"


SIDES_CODE = ('photos["side"] = "learned from"', 'photos.loc[valid, "side"] = "held out"')
# A name up to the number at its end: cow7_1.jpg and cow7_2.jpg are of cow7, cow8.jpg is of none.
BEGINNING = r"([^\\/]+?)(?:[-_ ]+\(?\d+\)?)?\.\w+$"
BY_NAME = (
    f'groups = photos["file"].astype(str).str.extract(r"{BEGINNING}")[0]',
    "firsts = photos[~groups.duplicated()]",
    f'_, held = kit.stratified_split(firsts["label"], valid={SHARE}, seed={SEED})',
    "valid = photos.index[groups.isin(groups[firsts.index[held]])]",
)
BY_CHANCE = f'_, valid = kit.stratified_split(photos["label"], valid={SHARE}, seed={SEED})'
READY_SETS = {
    "solar_cells": ReadySet(
        "Solar cells, sound or broken (lesson 1)",
        'photos = kit.solar_cells().query("sure").reset_index(drop=True)',
        '_, valid = kit.group_split(photos["block"], valid=0.25, seed=4)',
        "GrayImage",
    ),
    "pets": ReadySet(
        "Three breeds: two of cat, one of dog",
        'photos = kit.pets().rename(columns={"breed": "label"})',
        BY_CHANCE,
    ),
    "clothes": ReadySet(
        "Ten kinds of clothing, 3,781 photos",
        "photos = kit.clothes()",
        'valid = photos.index[photos["part"] == "validation"]',
    ),
}


@dataclass(frozen=True)
class Plan:
    """How to train.

    Attributes:
        backbone: The network to begin with.
        learning: "head", its last layer alone, or "all".
        epochs: How often to go through the photos.
        rate: The learning rate.
        size: How wide and high photos are made, in pixels.
        batch_size: How many photos are looked at together.

    >>> Plan().changed({"epochs": "3", "rate": "0,01"}).epochs
    3
    >>> Plan().changed({"epochs": "many"})
    Traceback (most recent call last):
    ValueError: “Times through the photos” is a whole number from 1 to 100; 'many' came.
    """

    backbone: str = "efficientnet_lite0"
    learning: str = "head"
    epochs: int = 5
    rate: float = 2e-3
    size: int = 160
    batch_size: int = 32

    @classmethod
    def fitting(cls, count: int) -> Plan:
        """A plan for so many photos to learn from: of few, smaller batches and more rounds.

        >>> Plan.fitting(24).epochs, Plan.fitting(3000).epochs
        (10, 2)
        """
        batch_size = fitting_batches(count)
        rounds = round(STEPS_WANTED * batch_size / max(count, 1))
        return cls(epochs=min(MOST_ROUNDS, max(2, rounds)), batch_size=batch_size)

    def changed(self, wanted: Mapping[str, Any]) -> Plan:
        """The same plan with what a person typed and chose; ValueError with a sentence where that is none."""
        made: dict[str, Any] = {}
        for name, choices in (("backbone", BACKBONES), ("learning", LEARNING)):
            if name in wanted:
                made[name] = wanted[name] if wanted[name] in choices else next(iter(choices))
        if "size" in wanted:
            made["size"] = number(wanted["size"], "“Size of photos”", 32, 512, whole=True)
        if "epochs" in wanted:
            made["epochs"] = number(
                wanted["epochs"], "“Times through the photos”", 1, MOST_EPOCHS, whole=True
            )
        if "rate" in wanted:
            made["rate"] = number(wanted["rate"], "“Learning rate”", 1e-6, MOST_RATE)
        return replace(self, **made)

    def for_count(self, count: int) -> Plan:
        """The same plan with batches that fit so many photos."""
        return replace(self, batch_size=fitting_batches(count))

    @property
    def rounds(self) -> int:
        """How often the photos are gone through in all."""
        return self.epochs + (self.fine_tunes and 1)

    @property
    def fine_tunes(self) -> bool:
        """Whether it teaches a pretrained network as a whole."""
        return self.learning == "all" and self.backbone == "efficientnet_lite0"

    def learner_code(self, kind: str = "Image") -> str:
        """The lines that make the learner of a table `photos`."""
        fresh = "" if self.backbone == "efficientnet_lite0" else ", pretrained=False"
        freeze = "learner.freeze()\n" if self.learning == "head" and not fresh else ""
        return (
            f"block = kit.DataBlock(\n    inputs=kit.{kind},\n    targets=kit.Category,\n"
            '    split=kit.ColumnSplit("side", valid="held out"),\n'
            f"    item_transforms=[kit.Resize({self.size})],\n)\n"
            f"data = block.loaders(photos, batch_size={self.batch_size})\n"
            f"kit.seed_everything({SEED})\n"
            f'learner = kit.vision_learner(data, "{self.backbone}", metrics=[kit.accuracy]{fresh})\n{freeze}'
        )

    def training_code(self) -> str:
        """The line that trains it."""
        way = "fine_tune" if self.fine_tunes else "fit_one_cycle"
        return f"learner.{way}({self.epochs}, rate={self.rate:g})\n"


def fitting_batches(count: int) -> int:
    """A batch size for so many photos to learn from, such that no batch is left with a single one.

    >>> fitting_batches(33), fitting_batches(500), fitting_batches(3)
    (7, 16, 3)
    """
    wanted = 8 if count < 160 else 16 if count < 800 else 32
    return next((size for size in range(min(wanted, count), 1, -1) if count % size != 1), 2)


def number(given: Any, name: str, low: float, high: float, whole: bool = False) -> Any:
    """A number that a person typed, with a comma or a point."""
    try:
        value = float(str(given).strip().replace(",", "."))
    except ValueError:
        value = float("nan")
    if not low <= value <= high or (whole and value != int(value)):
        raise ValueError(
            f"{name} is a {'whole ' * whole}number from {low:g} to {high:g}; {str(given)!r} came."
        )
    return int(value) if whole else value


def groups_of(labels: Mapping[str, str]) -> dict[str, list[str]]:
    """The photos whose names begin alike, by that beginning.

    >>> groups_of({"ripe/tree1_1.jpg": "ripe", "ripe/tree1_2.jpg": "ripe", "raw/tree2_1.jpg": "raw"})
    {'tree1': ['ripe/tree1_1.jpg', 'ripe/tree1_2.jpg'], 'tree2': ['raw/tree2_1.jpg']}
    """
    found: dict[str, list[str]] = {}
    for file in labels:
        beginning = re.search(BEGINNING, file)
        found.setdefault(beginning[1] if beginning else file, []).append(file)
    return found


def check_groups(labels: Mapping[str, str]) -> None:
    """See whether groups can be held out: of each kind one, with another one to learn from."""
    groups = groups_of(labels)
    if len(groups) == len(labels):
        raise ValueError(
            "No two of the names differ only in a number at their end, like cow7_1 and cow7_2: give photos "
            "that belong together such names, and look again."
        )
    kinds = Counter(labels[files[0]] for files in groups.values())
    for kind in dict.fromkeys(labels.values()):
        if kinds[kind] < 2:
            raise ValueError(
                f"By their names, photos of {kind!r} belong to fewer than two groups of that kind, and one "
                "is learned from while another is held out."
            )


def photos_code(found: Survey | ReadySet, together: bool = False) -> str:
    """The lines that make the table `photos`, with a column that says what is held out.

    With `together`, photos whose names begin alike are on the same side.
    """
    if isinstance(found, ReadySet):
        return "\n".join([found.photos, found.valid, *SIDES_CODE, ""])
    lines = [f"photos = pandas.DataFrame(kit.find_items({named(found.folder)!r}))"]
    if found.arrangement == "sides":
        held, learned = found.sides
        if found.beside:  # Photos that lie in `train` itself have no kind.
            lines.append('photos = photos[photos["label"] != photos["part"]].reset_index(drop=True)')
            lines.append(f'photos = photos[photos["part"].isin({held + learned!r})].reset_index(drop=True)')
        lines.append(SIDES_CODE[0])
        return "\n".join([*lines, f'photos.loc[photos["part"].isin({held!r}), "side"] = "held out"', ""])
    if found.arrangement == "first":
        lines.append('photos["label"] = photos["part"]')
    if found.beside:
        lines.append('photos = photos[photos["part"] != ""].reset_index(drop=True)')
    if found.alone():
        lines.append('many = photos["label"].map(photos["label"].value_counts()) > 1')
        lines.append("photos = photos[many].reset_index(drop=True)")
    return "\n".join([*lines, *(BY_NAME if together else (BY_CHANCE,)), *SIDES_CODE, ""])


def changes_code(file: Path) -> str:
    """The line that applies a list of changes."""
    return f"photos = kit.apply_changes(photos, {named(file)!r})\n"


LOOK_CODE = "seen = kit.examine(learner)\nseen.show_worst(9)\nseen.show_confusion()\n"


def named(place: str | os.PathLike[str]) -> str:
    """A place as it is written in code: short where it lies in the folder Python runs in."""
    path = Path(place)
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else str(path)
