"""Scans of scanners and of research: their files, and the names of what is marked in them.

`Volume.open`, `VolumeMask.open` and `DicomImage.open` read them. A set that cannot be had raises
`SourceError`, which says what to do.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .sources import fetch


def ct_slice() -> Path:
    """One slice of computed tomography, a vertebra and the aorta beside it: DICOM, 128 x 128 pixels.

    >>> ct_slice().name
    'CT_small.dcm'
    """
    return fetch("ct_slice") / "CT_small.dcm"


def scanner_files() -> Path:
    """A folder as scanners leave it: two people, nine series, 31 pictures shrunk to 16 x 16 pixels.

    A picture lies in `number/series/number` and its file has no ending; what made it ("CR" X-rays, "CT" or
    "MR") stands inside, and its series is called so too. Beside them lie lists, notes, and files that hold no
    picture.

    >>> sorted(path.name for path in (scanner_files() / "98892003").iterdir())
    ['MR1', 'MR2', 'MR700']
    """
    return fetch("scanner_files")


def brain() -> Path:
    """The mean of 152 people's brains, by magnetic resonance: a NIfTI file, 197 x 233 x 189 voxels of 1 mm.

    >>> brain().suffixes
    ['.nii', '.gz']
    """
    return fetch("brain") / "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"


def mr_slice() -> Path:
    """One slice of magnetic resonance, made small: DICOM, 64 x 64 pixels.

    >>> mr_slice().name
    'MR_small.dcm'
    """
    return fetch("mr_slice") / "MR_small.dcm"


def brain_tissues() -> tuple[Path, Path]:
    """How likely each voxel of `brain` is grey matter, and white matter: two NIfTI files, 255 for certain.

    >>> [path.name[12:14] for path in brain_tissues()]
    ['gm', 'wm']
    """
    folder = fetch("brain_tissues")
    grey, white = (f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz" for tissue in ("gm", "wm"))
    return folder / grey, folder / white


def body_scan() -> tuple[Path, Path, tuple[str, ...]]:
    """Computed tomography of part of a body, and which organ each voxel is of, as a model judged it.

    Returns:
        The scan and its labels, two NIfTI files of 122 x 101 x 30 voxels of 3 mm, and the names of the
        labels: number 5 is `names[5]`, the liver, and 0 the background.

    >>> from coursekit.sources import table
    >>> table()["body_scan"].licence
    'Apache-2.0'
    """
    folder = fetch("body_scan")
    return folder / "ct_sm.nii.gz", folder / "seg.nii.gz", _organs(folder)


def whole_body() -> Path:
    """Computed tomography of the trunk of a body: a NIfTI file, 122 x 101 x 112 voxels of 3 mm.

    >>> from coursekit.sources import table
    >>> table()["whole_body"].item
    'one CT volume of 122 x 101 x 112 voxels of 3 mm'
    """
    return fetch("whole_body") / "ct.nii.gz"


def body_slices() -> tuple[Path, np.ndarray, tuple[str, ...]]:
    """A scan as scanners write it, a file for each slice, and which organ each pixel is of.

    Returns:
        The folder of 20 DICOM slices of 512 x 512 pixels, which `Volume.open` reads as one volume; their
        labels (20, 512, 512) in `uint8`, as a model judged, in the order of the files' names; and the names
        of the labels.

    >>> from coursekit.sources import table
    >>> table()["body_slices"].items
    20
    """
    folder = fetch("body_slices")
    with np.load(folder / "ct_dicom_seg.npz") as kept:
        return folder / "ct_dicom", kept["labels"], _organs(folder)


def _organs(folder: Path) -> tuple[str, ...]:
    classes = json.loads((folder / "seg_classes.json").read_text(encoding="utf-8"))
    return ("background", *(classes[str(number)] for number in range(1, len(classes) + 1)))
