"""Make typed values from what items hold: files, numbers, rows of annotations.

>>> import torch
>>> Create(Image).encode(torch.zeros(3, 2, 2)).shape
torch.Size([3, 2, 2])
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .canvas import by
from .finding import is_missing
from .samples import describe, elements, list_some, remade, setting_said, values
from .tensors import Boxes, Image, Keypoints, Mask, Text, TypedTensor
from .transforms import Transform

NAN = float("nan")
# What boxes and their classes are called in annotations that name them.
BOX_NAMES = ("boxes", "bbox")
CLASS_NAMES = ("labels", "label", "category", "category_id")


class Create(Transform):
    """Make a typed value from what an item holds: a file name becomes a picture, numbers become a mask.

    Args:
        kind: The type to make. What is of that type already stays as it is. A path is opened with the type's
            `open`; a `.npy` file gives its array, and a path that is to be a `Text` what is written there.
        metadata: What each value is to know, such as `vocab=("sky", "tree")` of a mask.

    Raises:
        FileNotFoundError: There is no such file; the message says where it was looked for.

    >>> Create(Mask, vocab=("sky", "tree")).encode([[0, 1]])
    Mask(1x2, int64, 0..1, vocab=('sky', 'tree'))
    """

    def __init__(self, kind: Callable[..., Any], **metadata: Any) -> None:
        self.kind, self.metadata = kind, metadata

    def encode(self, x: Any) -> Any:
        """Make the value."""
        if isinstance(self.kind, type) and isinstance(x, self.kind):
            return x
        is_path = hasattr(x, "__fspath__") or (isinstance(x, str) and hasattr(self.kind, "open"))
        return self.read(Path(x)) if is_path else self.make(x)

    def make(self, x: Any) -> Any:
        """Make the value of what is no path."""
        return self.kind(x, **self.metadata)

    def read(self, path: Path) -> Any:
        """Make the value of what a file holds."""
        if not path.exists():
            where = "" if path.is_absolute() else f" in the folder Python runs in, {Path.cwd()}"
            raise FileNotFoundError(
                f"there is no file {os.fspath(path)!r}{where}. If names of files stand in a table, say where "
                "these are: input_from=FilePath('/where/they/are/{photo}'), with the name of your column."
            )
        if path.suffix == ".npy":
            return self.make(np.load(path, allow_pickle=False))
        if hasattr(self.kind, "open"):
            return self.kind.open(path, **self.metadata)
        return self.make(path.read_text(encoding="utf-8") if self.kind is Text else path)

    def __repr__(self) -> str:
        more = [f"{name}={setting_said(value)}" for name, value in self.metadata.items()]
        return f"{type(self).__name__}({', '.join([getattr(self.kind, '__name__', repr(self.kind)), *more])})"


class CreateBoxes(Create):
    """Make boxes from what annotations hold, and learn the names of their classes from the training items.

    An item may hold rows of four numbers, a pair (rows, labels), a dictionary with `boxes` (or `bbox`) and
    perhaps `labels` (or `label`, `category`, `category_id`, or one other name), a list with such a dictionary
    for each box, or four or five columns: the edges, then the class. Each column may hold one number, for one
    box, or a list; one class stands for all boxes. A box with a missing number is a row of NaN, and a picture
    whose `boxes` are missing altogether has none.

    Args:
        kind: `Boxes` or a type of your own that is one.
        vocab: The names of the classes. Without it they are learned, sorted, if labels are texts.
        form: "xyxy" for left, top, right, bottom; "xywh" for left, top, width, height.

    >>> create = CreateBoxes(form="xywh")
    >>> create.setup([([[2, 3, 10, 5]], ["cat"]), ([], [])])
    >>> create.encode({"x": 2, "y": 3, "w": 10, "h": 5, "what": "cat"})
    Boxes(1x4, float32, 2..12, vocab=('cat',), labels=(0,))
    """

    def __init__(self, kind: type = Boxes, vocab: Sequence[str] | None = None, form: str = "xyxy") -> None:
        super().__init__(kind)
        self.vocab, self.form = None if vocab is None else tuple(vocab), form
        if form not in ("xyxy", "xywh"):
            raise ValueError(f"the form of boxes is 'xyxy' or 'xywh'; got {form!r}.")

    def setup(self, items: Iterable) -> None:
        """Learn the names of the classes, unless they were given or are numbers."""
        if self.vocab is None:
            labels = {label for item in items for label in self.parts(item)[1] or ()}
            names = sorted(label for label in labels if isinstance(label, str))
            self.vocab = tuple(names) or None

    def encode(self, x: Any) -> Any:
        """Make the boxes of one item."""
        if isinstance(x, self.kind):  # type: ignore[arg-type]
            return x
        rows, labels = self.parts(x)
        if labels is None and self.vocab and not len(rows):
            labels = []  # A picture without boxes has as many labels as the others: one for each box.
        known = {"labels": labels, "vocab": self.vocab} if labels is not None else {"vocab": self.vocab}
        if unknown := [one for one in labels or () if isinstance(one, str) and one not in (self.vocab or ())]:
            raise ValueError(
                f"{unknown[0]!r} is none of the classes that boxes of the training items have, "
                f"{setting_said(self.vocab)}."
            )
        kind: Any = self.kind
        make = kind.from_xywh if self.form == "xywh" else kind
        return make(rows, **known)

    @staticmethod
    def parts(x: Any) -> tuple[Any, Any]:
        """The rows and the labels, None without, in what an item holds; as many of one as of the other."""
        rows, labels = held_boxes(x)
        rows = np.zeros((0, 4)) if is_missing(rows) else rows
        numbers = np.asarray(rows, dtype=np.float32)
        numbers = numbers.reshape(-1, 4) if numbers.size % 4 == 0 and numbers.ndim < 2 else numbers
        if labels is None:
            return numbers, None
        labels = [None if is_missing(label) else label for label in listed(labels)]
        if len(labels) == 1:  # one class of all boxes
            return numbers, labels * len(numbers)
        return (np.repeat(numbers, len(labels), axis=0) if len(numbers) == 1 else numbers), labels


def held_boxes(x: Any) -> tuple[Any, Any]:
    """The rows and the labels of boxes as they stand in an item; None for labels that are not there."""
    if isinstance(x, list) and x and all(isinstance(one, dict) for one in x):
        return held_boxes({name: [one[name] for one in x] for name in x[0]})
    if isinstance(x, tuple) and len(x) == 2 and not np.isscalar(x[0]):
        return x
    if not isinstance(x, dict):
        return x, None
    rows = next((name for name in BOX_NAMES if name in x), None)
    if rows is not None:
        others = [*(name for name in CLASS_NAMES if name in x), *(name for name in x if len(x) == 2)]
        return x[rows], next((x[name] for name in others if name != rows), None)
    if len(x) not in (4, 5):
        raise ValueError(
            f"boxes are made of {' or '.join(map(repr, BOX_NAMES))}, or of four or five columns: left, top, "
            f"right, bottom, class; there is {list_some(x, 12)}. Say which: target_from=['bbox', 'label']."
        )
    columns = [listed(column) for column in x.values()]
    boxes = max(map(len, columns))
    columns = [column * boxes if len(column) == 1 else column for column in columns]
    return np.array(columns[:4], dtype=np.float32).T, columns[4] if len(x) == 5 else None


class CreateKeypoints(Create):
    """Make key points from rows of x and y, or from columns that hold x and y of each point in turn.

    A point that is missing, None in place of a row, or None or NaN in place of x or y, is a row of NaN. A
    dictionary may hold x and y of each point together, if `names` say in which order to take them; a name
    that it lacks is a point that is missing.

    Args:
        kind: `Keypoints` or a type of your own that is one.
        metadata: `names` of the points and `pairs` that change places in a mirror.

    Raises:
        ValueError: An odd number of columns, rows of three numbers, or points that `names` do not name.

    >>> CreateKeypoints(names=("nose",)).encode({"nose_x": 4, "nose_y": float("nan")})
    Keypoints(1x2, float32, all NaN, names=('nose',))
    """

    def __init__(self, kind: type = Keypoints, **metadata: Any) -> None:
        super().__init__(kind, **metadata)

    def make(self, x: Any) -> Any:
        """Make the points of one item."""
        x = self.rows(x) if isinstance(x, dict) else x
        odd = [one for one in x if one is not None and np.shape(one) != (2,)] if np.iterable(x) else [x]
        if odd:
            raise ValueError(
                f"key points are rows of x and y, and in place of one came {describe(odd[0])}. A third "
                "number that says whether a point can be seen, as in COCO, is left out, and a point that "
                "cannot be seen is None: [[x, y] if seen else None for x, y, seen in rows]."
            )
        if isinstance(x, list | tuple):
            x = [[NAN, NAN] if one is None or any(map(is_missing, one)) else one for one in x]
        return super().make(x)

    def rows(self, x: dict) -> list:
        """The rows that a dictionary holds in columns, x and y in turn, or under the names of the points."""
        if not any(isinstance(value, list | tuple) for value in x.values()):
            if len(x) % 2:
                raise ValueError(f"key points are made of x and y of each; {len(x)} columns came.")
            numbers = [NAN if is_missing(value) else float(value) for value in x.values()]
            return list(zip(numbers[::2], numbers[1::2], strict=True))
        names = self.metadata.get("names") or ()
        if unnamed := [name for name in x if name not in names]:
            raise ValueError(
                f"the point {unnamed[0]!r} is none of names={tuple(names)}, which say in which order points "
                f"stand: targets=CreateKeypoints(names=({list_some(map(repr, x), 12)}))."
            )
        return [x.get(name) for name in names]


class ShareCanvas(Transform):
    """Let boxes and key points that do not know their canvas take that of the picture beside them.

    A mask of another size than its picture is refused: it belongs to another picture, or to one of another
    resolution.

    >>> import torch
    >>> photo, boxes = Image(torch.zeros(3, 4, 6)), Boxes([[0, 0, 2, 2]])
    >>> ShareCanvas().encode((photo, boxes))[1].canvas
    (4, 6)
    """

    def encode(self, x: Any) -> Any:
        """Look for a picture, and give its size to what lies on it."""
        parts = elements(x)
        sizes = [tuple(part.shape[-2:]) for part in parts.values() if isinstance(part, Image)]
        masks = [tuple(part.shape[-2:]) for part in parts.values() if isinstance(part, Mask)]
        if any(tuple(x.shape[-3:-1]) in masks for x in parts.values() if isinstance(x, Image)):
            raise ValueError(
                f"the mask is {by(masks[0])} pixels, and so are the first two axes of the picture: its "
                "channels seem to stand last. Move them to the front: array.transpose(2, 0, 1)."
            )
        if sizes and not set(masks) <= set(sizes):
            raise ValueError(
                f"the picture is {by(sizes[0])} pixels and its mask {by(masks[0])}: does the mask belong to "
                "another picture? If both show the same at another resolution, resize each in its own block: "
                "targets=Block(item=[Create(Mask), Resize(160)])."
            )
        sizes += masks
        return self.given(x, sizes[0]) if sizes and not isinstance(x, TypedTensor) else x

    def given(self, x: Any, canvas: tuple[int, ...]) -> Any:
        """The sample, or one of its elements, with the canvas."""
        if isinstance(x, tuple | dict):
            return remade(x, [self.given(part, canvas) for part in values(x)])
        if isinstance(x, Boxes | Keypoints) and x.canvas is None:
            return type(x)(x, canvas=canvas)
        return x


def listed(x: Any) -> list:
    """One value or several as a list of Python's own."""
    x = x.tolist() if hasattr(x, "tolist") else x
    return list(x) if isinstance(x, list | tuple) else [x]
