"""Places in a picture or in space: boxes, key points, point clouds.

Coordinates are continuous. The pixel in row 0 and column 0 reaches from 0 to 1 in both directions, so its
centre is at (0.5, 0.5); x runs to the right and y down. What lies on a picture knows how large that is, its
`canvas`, since turning and mirroring happen about the middle of it.

A row of NaN is a place that is not there: a key point nobody could see, a box that has left the picture, a
row that only fills a batch up. So nothing shifts against anything else when a place disappears.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch

from .canvas import for_items, in_python
from .padding import Counted
from .typed import plain, what


class Coordinates(Counted):
    """Rows of coordinates, (count, columns) of floating point: what boxes, key points and clouds share.

    Whole numbers are made `float32`. Any choice among the rows, `points[points.present]`, is of the same
    type.
    """

    dtypes = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
    padding = float("nan")
    item_metadata: ClassVar[tuple[str, ...]] = ("canvas", "length")
    columns: ClassVar[range]
    columns_hold: ClassVar[str]
    canvas_axes: ClassVar[tuple[str, ...]] = ("height", "width")
    canvas: Any

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        if metadata.get("canvas") is None and hasattr(data, "canvas_size"):  # torchvision's word for it
            metadata["canvas"] = data.canvas_size
        tensor = super().read(data, metadata)
        tensor = tensor if tensor.is_floating_point() else tensor.float()
        if tensor.numel() == 0 and tensor.dim() < 2:
            tensor = tensor.reshape(0, cls.columns.start)
        if metadata.get("canvas") is not None:
            count = len(tensor) if tensor.dim() == 3 else None
            metadata["canvas"] = for_items(metadata["canvas"], count, cls.read_canvas)
        return tensor

    @classmethod
    def read_canvas(cls, canvas: Any) -> tuple:
        """Check the lengths of a canvas."""
        count = len(canvas) if isinstance(canvas, tuple) else 0
        if count != len(cls.canvas_axes) or not all(length > 0 for length in canvas):
            lengths = ", ".join(cls.canvas_axes)
            raise ValueError(f"The canvas of {cls.__name__} is ({lengths}), more than 0; got {canvas!r}.")
        return canvas

    @classmethod
    def fits(cls, tensor: torch.Tensor) -> bool:
        return super().fits(tensor) and tensor.shape[-1] in cls.columns

    @classmethod
    def check(cls, tensor: torch.Tensor) -> None:
        if not cls.fits(tensor):
            raise ValueError(
                f"{cls.__name__} are rows of {cls.columns_hold} in floating point (a batch: one axis more in "
                f"front); got {what(tensor)}."
            )

    @property
    def present(self) -> torch.Tensor:
        """Which rows are there: a plain tensor (count,) of `bool`, or (batch, count).

        >>> Keypoints([[1, 2], [float("nan"), float("nan")]]).present
        tensor([ True, False])
        """
        return ~plain(self).isnan().any(dim=-1)


class Keypoints(Coordinates):
    """Places that mean something, each always in the same row: (points, 2) of x and y, or a batch of these.

    `canvas` is the (height, width) of the picture, `names` says what the rows are, and `pairs` which of
    them change places in a mirror: what was a left eye is a right eye there.

    >>> eyes = Keypoints([[20, 8], [11, 9]], canvas=(24, 32), names=("left eye", "right eye"))
    >>> eyes[:1].names
    ('left eye',)

    Raises `ValueError` for a shape that is not (points, 2), another count of names than of points, or a
    pair that is not among the names.
    """

    axes = ("points", "coordinates")
    columns, columns_hold = range(2, 3), "x and y"
    shared_metadata = ("names", "pairs")
    row_metadata = ("names",)
    names: tuple[str, ...] | None
    pairs: tuple[tuple[str, str], ...] | None

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        tensor, names = super().read(data, metadata), metadata.get("names")
        if names is not None and tensor.dim() > 1 and tensor.shape[-2] != len(names):
            raise ValueError(f"{cls.__name__} has {len(names)} names and {tensor.shape[-2]} points.")
        for name in (name for pair in metadata.get("pairs") or () for name in pair):
            if name not in (names or ()):
                raise ValueError(f"The pair of {name!r} is not among the names of the points: {names!r}.")
        return tensor

    def to_tv(self) -> torch.Tensor:
        """Make torchvision's `KeyPoints`, without a copy; `Keypoints(it)` is the way back."""
        from torchvision import tv_tensors  # type: ignore[import-untyped]

        return tv_tensors.KeyPoints(plain(self), canvas_size=self.canvas)


class Boxes(Coordinates):
    """Where things are in a picture: (boxes, 4) of left, top, right and bottom, or a batch of these.

    `canvas` is the (height, width) of the picture, `labels` the number of each box's class (or its name, if
    `vocab` is given), which stays with its box when some are chosen.

    >>> boxes = Boxes([[2, 3, 20, 18], [5, 5, 9, 9]], labels=("cat", "dog"), vocab=("cat", "dog"))
    >>> boxes.labels, boxes[1:].labels
    ((0, 1), (1,))

    Raises `ValueError` for a shape that is not (boxes, 4), a list with a right edge left of the left one, or
    another count of labels than of boxes.
    """

    axes = ("boxes", "edges")
    columns, columns_hold = range(4, 5), "left, top, right and bottom"
    shared_metadata = ("vocab",)
    item_metadata = ("canvas", "labels", "length")
    row_metadata = ("labels",)
    vocab: tuple[str, ...] | None
    labels: Any

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        form = str(getattr(data, "format", "XYXY")).rpartition(".")[2]
        tensor = super().read(data, metadata)
        if form != "XYXY":
            from torchvision.ops import box_convert  # type: ignore[import-untyped]

            tensor = box_convert(plain(tensor), form.lower(), "xyxy")
        if not isinstance(data, torch.Tensor) and tensor.shape[-1] == 4:
            cls.check_edges(tensor.reshape(-1, 4))
        labels, vocab = metadata.get("labels"), metadata.get("vocab") or ()
        if labels is not None and tensor.dim() == 2:
            if len(labels) != len(tensor):
                raise ValueError(f"{cls.__name__} has {len(labels)} labels and {len(tensor)} boxes.")
            labels = in_python(labels)
            unknown = [one for one in labels if vocab and isinstance(one, str) and one not in vocab]
            if unknown:
                raise ValueError(f"The vocab of these {cls.__name__} has no {unknown[0]!r}; it is {vocab!r}.")
            metadata["labels"] = tuple(vocab.index(one) if one in vocab else one for one in labels)
        return tensor

    @classmethod
    def check_edges(cls, rows: torch.Tensor) -> None:
        """Refuse boxes whose right edge is left of the left one, or whose bottom is above the top."""
        wrong = ((rows[:, 2] < rows[:, 0]) | (rows[:, 3] < rows[:, 1])).nonzero().flatten().tolist()
        if wrong:
            raise ValueError(
                f"{cls.__name__} are left, top, right, bottom; row {wrong[0]} is {rows[wrong[0]].tolist()}. "
                "If yours are left, top, width, height: Boxes.from_xywh(...)."
            )

    @classmethod
    def from_xywh(cls, data: Any, **metadata: Any) -> Boxes:
        """Make boxes of left, top, width and height.

        >>> Boxes.from_xywh([[2, 3, 18, 15]]).tolist()
        [[2.0, 3.0, 20.0, 18.0]]
        """
        corner, size = torch.as_tensor(data).float().split(2, dim=-1)
        return cls(torch.cat([corner, corner + size], dim=-1), **metadata)

    def to_tv(self) -> torch.Tensor:
        """Make torchvision's `BoundingBoxes`, without a copy; `Boxes(it)` is the way back."""
        from torchvision import tv_tensors

        return tv_tensors.BoundingBoxes(plain(self), format="XYXY", canvas_size=self.canvas)


class PointCloud(Coordinates):
    """Points in space: (points, 3 or more) of x, y and z and whatever else is known of each, or a batch.

    With a `canvas`, the (depth, height, width) of the space in the points' own unit, the cloud lies in a
    volume: it is measured from the volume's first corner, y runs down and z from slice to slice. Without one
    it stands in the world, about the origin, with z up.

    >>> cloud = PointCloud([[0, 0, 1, 0.7], [2, 1, 1, 0.2]])  # x, y, z and how bright
    >>> cloud[cloud[:, 0] > 1]
    PointCloud(1x4, float32, 0.2..2)
    """

    axes = ("points", "coordinates")
    columns, columns_hold = range(3, 1_000_000), "x, y, z, and what else is known of each point"
    canvas_axes = ("depth", "height", "width")
