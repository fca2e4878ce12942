"""Scans: volumes of voxels, the masks drawn on them, and single slices as scanners write them.

Their values are measurements (in computed tomography Hounsfield units: air -1000, water 0, bone some
hundred), their voxels have a size, and where the patient's left is matters. So they know their `spacing`,
their `orientation` and the `window` of values to look at:

>>> scan = Volume(torch.zeros(20, 64, 64, dtype=torch.int16), spacing=(5, 1, 1), window=(40, 400))
>>> scan[:, ::2].spacing, scan.slice(3)
((10, 1, 1), DicomImage(1x64x64, int16, 0..0, spacing=(1, 1), window=(40, 400)))
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from .canvas import for_items
from .pictures import GrayImage
from .typed import TypedTensor, plain, typed_like

MEASURED = (
    torch.int16,
    torch.int32,
    torch.uint8,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float64,
)

# The two ends of each direction through a patient: right and left, front and back, up and down.
DIRECTIONS = {letter: pair for pair in ("RL", "AP", "SI") for letter in pair}


class Spaced(TypedTensor):
    """What has a size for each pixel or voxel: the part that volumes and single slices share.

    `spacing` is the distance between neighbours along each axis of `spaced_axes`, in millimetres.
    """

    spaced_axes: ClassVar[tuple[str, ...]] = ("depth", "height", "width")
    spacing: Any

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        tensor = super().read(data, metadata)
        count = len(tensor) if tensor.dim() == (cls.item_dims or 0) + 1 else None
        for name, check in (("spacing", cls.read_spacing), ("window", cls.read_window)):
            if metadata.get(name) is not None:
                metadata[name] = for_items(metadata[name], count, check)
        orientation = metadata.get("orientation")
        for letters in (orientation,) if isinstance(orientation, str) else orientation or ():
            cls.check_orientation(letters)
        if count is not None and isinstance(orientation, str):
            metadata["orientation"] = (orientation,) * count
        return tensor

    @classmethod
    def read_spacing(cls, spacing: Any) -> tuple:
        """Refuse distances that are none."""
        count = len(spacing) if isinstance(spacing, tuple) else 0
        if count != len(cls.spaced_axes) or not all(distance > 0 for distance in spacing):
            raise ValueError(
                f"The spacing of {cls.__name__} is ({', '.join(cls.spaced_axes)}) in millimetres, "
                f"more than 0; got {spacing!r}."
            )
        return spacing

    @classmethod
    def read_window(cls, window: Any) -> tuple:
        """Refuse what is not two numbers."""
        if not isinstance(window, tuple) or len(window) != 2:
            raise ValueError(f"The window of {cls.__name__} is (centre, width); got {window!r}.")
        return window

    @classmethod
    def check_orientation(cls, letters: str | None) -> None:
        """Refuse letters that leave a direction out."""
        if letters is not None and sorted(map(DIRECTIONS.get, letters), key=str) != ["AP", "RL", "SI"]:
            raise ValueError(
                f"The orientation of {cls.__name__} names where depth, height and width lead: one each of R "
                f"or L, A or P, S or I, such as 'SPL'; got {letters!r}."
            )

    @classmethod
    def cut(cls, metadata: dict[str, Any], along: Sequence[Any]) -> dict[str, Any]:
        spacing, count = metadata.get("spacing"), len(cls.spaced_axes)
        steps = [part.step or 1 for part in along] + [1] * (len(cls.axes or ()) - len(along))
        if spacing is None or set(steps) == {1}:
            return metadata
        wider = [
            tuple(distance * step for distance, step in zip(one, steps[-count:], strict=True))
            for one in (spacing if isinstance(spacing[0], tuple) else (spacing,))
        ]
        return metadata | {"spacing": tuple(wider) if isinstance(spacing[0], tuple) else wider[0]}


class DicomImage(Spaced, GrayImage):
    """One slice as a scanner wrote it: (1, height, width) of measured values, or a batch.

    A grey picture in all but its values: `int16`, `int32` or floating point, in the unit of the measurement.
    `spacing` is (height, width) in millimetres; `window` is the (centre, width) of the values to look at.

    >>> chest = DicomImage(np.array([[-1000, 0], [40, 900]], dtype=np.int16), window=(40, 400))
    >>> chest.windowed()[0]
    tensor([[0.0000, 0.4000],
            [0.5000, 1.0000]])
    """

    dtypes = MEASURED
    item_metadata = ("spacing", "window")
    spaced_axes = ("height", "width")
    window: Any

    @classmethod
    def open(cls, path: str | os.PathLike[str], **metadata: Any) -> DicomImage:
        """Read a DICOM file: its values in their unit, its spacing and window.

        Raises `FileNotFoundError` if there is no such file, `ValueError` naming the file if it is broken or
        not one grey slice, `ImportError` if pydicom is not installed.
        """
        from .scans import open_dicom

        values, found = open_dicom(path)
        return cls(values, **found | metadata)

    def windowed(self, centre: float | None = None, width: float | None = None) -> GrayImage:
        """Make a grey picture, 0..1, of the values in a window; by default of its own, or of all values.

        What lies below the window is black, above it white.
        """
        window = (centre, width) if centre is not None and width is not None else self.window
        return GrayImage(windowed(self, window))

    def to_pil(self) -> Any:
        return self.windowed().to_pil()


class Volume(Spaced):
    """Measured values in space: (channels, depth, height, width), or a batch of these.

    Depth goes from slice to slice. An array or tensor (depth, height, width) is given its one channel.
    `spacing` is (depth, height, width) in millimetres, `orientation` says where each of the three leads in a
    patient (`"SPL"`: up, to the back, to the left), `window` is the (centre, width) of the values to look at.

    >>> Volume(torch.zeros(4, 8, 8), spacing=(3, 1, 1)).spacing
    (3, 1, 1)

    Raises `ValueError` for a spacing that is not three lengths above 0, or an orientation that is none.
    """

    axes = ("channels", "depth", "height", "width")
    dtypes = MEASURED
    keeps = ("amounts", "operators")
    item_metadata = ("spacing", "orientation", "window")
    orientation: Any
    window: Any

    @classmethod
    def open(cls, path: str | os.PathLike[str], **metadata: Any) -> Volume:
        """Read a scan: a NIfTI file, or a folder or zip file of the DICOM slices of one series.

        Raises `FileNotFoundError` if there is nothing, `ValueError` naming the file if it is broken or slices
        are missing, `ImportError` if nibabel or pydicom is not installed.
        """
        from .scans import open_scan

        values, found = open_scan(path)
        return cls(values, **found | metadata)

    @classmethod
    def read(cls, data: Any, metadata: dict[str, Any]) -> torch.Tensor:
        tensor = super().read(data, metadata)
        return tensor[None] if tensor.dim() == 3 else tensor

    def slice(self, number: int, axis: str = "depth", channel: int = 0) -> DicomImage:
        """Cut one slice out, across the depth, the height or the width, without a copy.

        >>> Volume(torch.zeros(4, 8, 6), spacing=(3, 1, 2)).slice(5, axis="height")
        DicomImage(1x4x6, float32, 0..0, spacing=(3, 2))
        """
        place = self.spaced_axes.index(axis)
        spacing = self.spacing and (*self.spacing[:place], *self.spacing[place + 1 :])
        values = plain(self)[channel].select(place, number)[None]
        return DicomImage(values, spacing=spacing, window=self.window)

    def windowed(self, centre: float | None = None, width: float | None = None) -> Volume:
        """Bring the values of a window to 0..1; by default of its own window, or of all values."""
        window = (centre, width) if centre is not None and width is not None else self.window
        return typed_like(windowed(self, window), self)


class VolumeMask(Spaced):
    """Which class each voxel belongs to: (depth, height, width) of whole numbers, or a batch of these.

    `vocab` names the classes; `spacing` and `orientation` as for `Volume`.

    >>> VolumeMask(torch.ones(4, 8, 8, dtype=torch.uint8), vocab=("air", "bone"))
    VolumeMask(4x8x8, uint8, 1..1, vocab=('air', 'bone'))
    """

    axes = ("depth", "height", "width")
    dtypes = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
    shared_metadata = ("vocab",)
    item_metadata = ("spacing", "orientation")
    vocab: tuple[str, ...] | None
    orientation: Any

    @classmethod
    def open(cls, path: str | os.PathLike[str], **metadata: Any) -> VolumeMask:
        """Read the classes of voxels from a NIfTI file; errors as for `Volume.open`."""
        from .scans import open_scan

        values, found = open_scan(path)
        found.pop("window", None)
        return cls(np.rint(values).astype(np.int64), **found | metadata)


def windowed(x: torch.Tensor, window: Any) -> torch.Tensor:
    """Bring the values of a window, (centre, width), to 0..1; without one all values.

    A batch may have a window for each of its items.

    >>> windowed(torch.tensor([-160.0, 40.0, 500.0]), (40, 400))
    tensor([0.0000, 0.5000, 1.0000])
    """
    values = plain(x).float()
    if window is None or None in window:
        low, high = values.min(), values.max()
        return (values - low) / (high - low).clamp(min=1e-12)
    centre, width = torch.tensor(window, dtype=torch.float32, device=x.device).movedim(-1, 0)
    if centre.dim():
        centre, width = (one.reshape(-1, *[1] * (x.dim() - 1)) for one in (centre, width))
    return ((values - centre) / width + 0.5).clamp(0, 1)
