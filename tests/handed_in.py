"""What learners hand in, made for tests: folders and zips, kits and notebooks."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coursekit.classroom.intake import read_submissions
from coursekit.classroom.submission import Submission

METRICS = "def accuracy(predictions, targets):\n    return 1.0\n"
SPLITS = "def group_split(groups, valid, seed):\n    return [0], [1]\n"
BOTH = f"import torch\n\n\n{METRICS}\n\n{SPLITS}"

Content = str | bytes


def lay(folder: Path, files: Mapping[str, Content]) -> Path:
    """Files in a folder, by their names below it."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zipped(files: Mapping[str, Content] | Sequence[tuple[str | zipfile.ZipInfo, Content]]) -> bytes:
    """A zip of these files, in this order; a name may stand in it twice."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items() if isinstance(files, Mapping) else files:
            archive.writestr(name, content)
    return buffer.getvalue()


def notebook(*cells: str | dict[str, Any], **more: Any) -> str:
    """A notebook of code cells, or of cells as they are given."""
    made = [{"cell_type": "code", "source": one} if isinstance(one, str) else one for one in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made, **more})


def read(folder: Path) -> list[Submission]:
    """All submissions in a folder."""
    return list(read_submissions([folder]))


def only(folder: Path) -> Submission:
    """The one submission in a folder."""
    (one,) = read(folder)
    return one


def handed_in(folder: Path, files: Mapping[str, Content]) -> Submission:
    """What is read of one learner's files: of Ana's."""
    return only(lay(folder / "course", {f"ana/{name}": content for name, content in files.items()}))
