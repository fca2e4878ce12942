"""What there is to see of each data set: typed values to draw, rows of a table, or lines of a text."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from matplotlib import pyplot

import coursekit as kit
from coursekit.display import draw_grid
from coursekit.figures import new_figure
from coursekit.samples import shortened
from coursekit.sources import Source

PICTURES, COLUMNS, ROWS, LINES, LETTERS = 6, 3, 4, 8, 44


def sample(source: Source, value: Any) -> Any:
    """A text, a frame of a few rows, or what `drawn` draws; None where there is nothing to see."""
    return SPECIAL.get(source.name, usual)(value)


def drawn(seen: Any, file: Path) -> str:
    """Draw a sample into a file, several values as a grid; its alternative text."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pyplot.switch_backend("agg")
    if isinstance(seen, list):
        draw_grid([value for value, _ in seen], [title or None for _, title in seen], COLUMNS, 2.4)
        figure = pyplot.gcf()
    else:
        figure = new_figure(6.4, 3.4)
        kit.show(seen, axes=figure.add_subplot())
    figure.savefig(file, dpi=110, bbox_inches="tight")
    pyplot.close(figure)
    return " ".join(figure.alt_text.split())


def spread(count: int) -> list[int]:
    """Places that lie far apart.

    >>> spread(4), spread(601)
    ([0, 1, 2, 3], [0, 120, 240, 360, 480, 600])
    """
    return np.linspace(0, count - 1, min(count, PICTURES)).astype(int).tolist()


# By the kind of value ---------------------------------------------------------------------------------------


@singledispatch
def usual(value: Any) -> Any:
    """A network, say, shows nothing."""
    return None


@usual.register
def _(value: pandas.DataFrame) -> Any:
    if "photo" in value:
        rows = value.iloc[spread(len(value))].itertuples()
        return [(kit.Image.open(row.photo), getattr(row, "label", "")) for row in rows]
    return value.head(ROWS).map(lambda cell: shortened(cell, LETTERS) if isinstance(cell, str) else cell)


@usual.register
def _(value: str) -> str:
    return "\n".join(shortened(line, 80) for line in value.strip().splitlines()[:LINES])


@usual.register
def _(value: dict) -> Any:
    return [(value["image"][place], str(value["label"][place])) for place in spread(len(value["label"]))]


@usual.register
def _(value: Path) -> Any:
    if value.suffix == ".dcm":
        return kit.DicomImage.open(value)
    return kit.Volume.open(value) if value.is_dir() or ".nii" in value.name else kit.Image.open(value)


@usual.register
def _(value: tuple) -> Any:
    return value if isinstance(value[0], kit.TypedTensor) else usual(value[0])


# Of sets of their own ---------------------------------------------------------------------------------------


def pets(animals: pandas.DataFrame) -> Any:
    heads = animals.dropna()
    rows = heads.iloc[spread(len(heads))].itertuples()
    photos = [(kit.Image.open(row.photo), row) for row in rows]
    return [
        ((photo, kit.Boxes([[row.left, row.top, row.right, row.bottom]], canvas=photo.shape[-2:])), row.breed)
        for photo, row in photos
    ]


def nuclei(pictures: pandas.DataFrame) -> Any:
    rows = pictures.iloc[spread(len(pictures))].itertuples()
    marked = {row.photo: kit.plain(kit.Mask.open(row.labels)) for row in rows}
    return [((kit.Image.open(photo), kit.Mask((labels > 0).long())), "") for photo, labels in marked.items()]


def blood_cells(photos: pandas.DataFrame) -> Any:
    rows = photos.iloc[spread(len(photos))[:COLUMNS]].itertuples()
    return [
        ((kit.Image.open(row.photo), kit.Boxes(row.boxes, labels=row.labels, canvas=(480, 640))), "")
        for row in rows
    ]


def mouse(marked: tuple[pandas.DataFrame, tuple[str, ...]]) -> Any:
    frames, names = marked
    rows = frames.iloc[spread(len(frames))[:COLUMNS]].itertuples()
    return [
        ((kit.GrayImage.open(row.photo), kit.Keypoints(row.points, names=names, canvas=(406, 396))), "")
        for row in rows
    ]


def satellite(seen: dict[str, Any]) -> Any:
    colours = [seen["bands"].index(band) for band in ("B04", "B03", "B02")]
    days = (kit.plain(seen["image"])[:, colours] * 3.5).clamp(0, 1)
    return [*zip(map(kit.Image, days), seen["dates"], strict=True), (seen["land"], "land")]


def body_scan(files: tuple[Path, Path, tuple[str, ...]]) -> Any:
    scan, labels, names = files
    return kit.Volume.open(scan), kit.VolumeMask.open(labels, vocab=names)


def scanner_files(folder: Path) -> Any:
    files = sorted(folder.glob("[0-9]*/*/*"))
    return [(kit.DicomImage.open(files[place]), files[place].parent.name) for place in spread(len(files))]


SPECIAL: dict[str, Callable[[Any], Any]] = {
    "pets": pets,
    "nuclei": nuclei,
    "blood_cells": blood_cells,
    "mouse": mouse,
    "satellite": satellite,
    "aerial": lambda picture: kit.Image(kit.plain(picture)[[2, 1, 0]]),
    "body_scan": body_scan,
    "whole_body": lambda path: kit.Volume.open(path, window=(40.0, 400.0)),  # its file says none
    "scanner_files": scanner_files,
}
