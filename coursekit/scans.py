"""Scans in: from the files of scanners and of research to arrays, each value in the unit it was measured in.

Scanners write DICOM, a file for each slice; research passes NIfTI on, a file for each volume. Nothing here
knows of tensors; `volumes.DicomImage` and `volumes.Volume` read through these functions. Every volume comes
out standing the same way, whichever way the patient lay: that takes a change of axes and mirror images, no
value is made up in between.
"""

from __future__ import annotations

import importlib
import os
import zipfile
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import IO, Any

import numpy as np

# Depth, height and width lead up, to the back and to the left: a slice then looks as radiologists show it,
# from the feet, the patient's left on the right. Each row counts millimetres to the right, front and top.
UPRIGHT = "SPL"
TOWARD = np.array([[0, 0, 1], [0, -1, 0], [-1, 0, 0]])
# DICOM counts to the left, back and top.
FRONT_AND_RIGHT = np.array([[-1], [-1], [1]])
MILLIMETRES = {"meter": 1000.0, "micron": 0.001}
# Places are rounded in files; a slice left out makes one of the distances twice as large.
UNEVEN, SAME_ANGLE = 0.2, 0.01
# An archive that unpacks to more than this is no scan.
MOST_BYTES = 2**33


class BrokenScanError(ValueError):
    """A scan that cannot be read: the message names the file and says what is wrong with it.

    It is a `ValueError`, so a program may catch it alone, to leave out the broken scans among thousands.

    >>> issubclass(BrokenScanError, ValueError)
    True
    """


def open_dicom(path: str | os.PathLike[str]) -> tuple[np.ndarray, dict[str, Any]]:
    """Read one grey slice from a DICOM file.

    Args:
        path: The file; its name may end in anything.

    Returns:
        An array (height, width) in the unit of the measurement, the file's rescaling applied: `int16` or
        `int32` where that is exact, otherwise `float32`. A picture whose small values are the bright ones
        (MONOCHROME1) is turned round. Then its metadata: `spacing`, the (height, width) of a pixel in
        millimetres, and `window`, the (centre, width) of the values to look at; either may be None.

    Raises:
        FileNotFoundError: There is no such file.
        BrokenScanError: It is broken, no DICOM file, in colour, or more than one slice; the message names it.
        ImportError: pydicom is not installed.

    >>> open_dicom("no such folder/slice.dcm")
    Traceback (most recent call last):
    FileNotFoundError: There is no DICOM file at no such folder/slice.dcm: no such file.
    """
    path = Path(path)
    if not path.is_file():
        reason = "it is a folder, which `open_scan` reads" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"There is no DICOM file at {path}: {reason}.")
    pydicom = _package("pydicom", "DICOM files")
    try:
        slice_ = pydicom.dcmread(path)
        return _values(slice_), {"spacing": _spacing(slice_), "window": _window(slice_)}
    except pydicom.errors.InvalidDicomError:
        reason = "it does not begin as DICOM files do."
    except Exception as error:  # A broken file makes its reader stumble over whatever it holds.
        reason = str(error) or type(error).__name__
    raise BrokenScanError(f"{path.name} is not a slice that can be read: {reason}")


def open_scan(path: str | os.PathLike[str]) -> tuple[np.ndarray, dict[str, Any]]:
    """Read a volume: a NIfTI file, or a folder or zip file with the DICOM slices of one series.

    Slices are put in order by where they lie in the patient, not by their names. Other files between them
    are passed over. Nothing of a zip file is written to disk.

    Args:
        path: A `.nii` or `.nii.gz` file, a folder, or a `.zip` file.

    Returns:
        An array (depth, height, width) in the unit of the measurement, `int16` or `int32` where that is
        exact, otherwise `float32`; depth leads up, height to the back and width to the left. Then its
        metadata: `spacing`, the (depth, height, width) of a voxel in millimetres; `orientation`, "SPL" for
        those three, or None if the file does not say how the patient lay; and `window`, (centre, width) or
        None. A volume cut at an angle is given the nearest axes; there "SPL" is only roughly right.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        BrokenScanError: It is broken, not a volume, or slices are missing, of several series or of several
            sizes; the message names the file.
        ImportError: nibabel or pydicom is not installed.

    >>> open_scan("no such folder/brain.nii.gz")
    Traceback (most recent call last):
    FileNotFoundError: There is no scan at no such folder/brain.nii.gz: no such file or folder.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no scan at {path}: no such file or folder.")
    try:
        if path.is_dir() or path.suffix.lower() == ".zip":
            return _read_series(path)
        if path.name.lower().endswith((".nii", ".nii.gz")):
            return _read_nifti(path)
        reason = (
            "give a NIfTI file (.nii or .nii.gz), or a folder or .zip file with the DICOM slices of one "
            "series. One slice alone is opened by `open_dicom`."
        )
    except ImportError:
        raise
    except Exception as error:  # A broken file makes its reader stumble over whatever it holds.
        reason = str(error) or type(error).__name__
    raise BrokenScanError(f"{path.name} is not a scan that can be read: {reason}")


def upright(values: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, tuple[float, ...]]:
    """Change and mirror the axes of a volume so that they lead up, to the back and to the left.

    Args:
        values: Three axes, in any order.
        steps: (3, 3). Column `i` is where one step along axis `i` leads, in millimetres to the right, to the
            front and up.

    Returns:
        The volume, and how far apart its voxels are along each of its new axes.

    Raises:
        ValueError: One of the axes leads nowhere.

    >>> lying, spacing = upright(np.arange(3).reshape(3, 1, 1), np.diag([-2.0, -1.0, 5.0]))
    >>> lying.tolist(), spacing
    ([[[0, 1, 2]]], (5.0, 1.0, 2.0))
    """
    lengths = np.linalg.norm(steps, axis=0)
    if not np.all(lengths > 0) or not np.all(np.isfinite(lengths)):
        raise ValueError(f"the size of its voxels, {lengths.tolist()} mm, is none.")
    cosines = TOWARD @ (steps / lengths)
    order = list(max(permutations(range(3)), key=lambda axes: np.abs(cosines[range(3), axes]).sum()))
    ways = tuple(slice(None, None, -1 if cosines[row, axis] < 0 else 1) for row, axis in enumerate(order))
    return np.ascontiguousarray(values.transpose(order)[ways]), tuple(lengths[order].tolist())


def _package(name: str, files: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ImportError(f'Reading {files} needs {name}: pip install "coursekit-topdown[medical]"') from None


def _compact(values: np.ndarray) -> np.ndarray:
    """Keep values in the smallest kind of number that holds them exactly, or else in float32."""
    if values.dtype.kind in "biu" or np.array_equal(values, np.rint(values)):
        for kind in (np.int16, np.int32):
            if np.iinfo(kind).min <= values.min() and values.max() <= np.iinfo(kind).max:
                return values.astype(kind)
    return values.astype(np.float32)


# DICOM ----------------------------------------------------------------------------------------------------


def _values(slice_: Any) -> np.ndarray:
    """The values of a slice, in the unit of the measurement."""
    if "Rows" not in slice_:
        raise ValueError(f"it holds no picture; what it holds is of the kind {slice_.get('Modality')}.")
    if not _colours(slice_).startswith("MONOCHROME"):
        raise ValueError(f"it is in colour ({_colours(slice_)}); a slice has one value for each pixel.")
    frames = slice_.get("NumberOfFrames") or 1
    if frames > 1:
        raise ValueError(
            f"it holds {frames} frames, and several frames are a volume. Have them written as one file for "
            "each slice, and open their folder with `open_scan`."
        )
    values = _package("pydicom.pixels", "DICOM files").apply_modality_lut(slice_.pixel_array, slice_)
    return _compact(_mirror(slice_) - values if _colours(slice_) == "MONOCHROME1" else values)


def _colours(slice_: Any) -> str:
    return str(slice_.get("PhotometricInterpretation", ""))


def _mirror(slice_: Any) -> float:
    """The smallest and the largest value that a slice can hold, added: what turns dark into bright."""
    smallest = -(2 ** (slice_.BitsStored - 1)) if slice_.PixelRepresentation else 0
    both = 2 * smallest + 2**slice_.BitsStored - 1
    return float(slice_.get("RescaleSlope", 1)) * both + 2 * float(slice_.get("RescaleIntercept", 0))


def _spacing(slice_: Any) -> tuple[float, ...] | None:
    found = slice_.get("PixelSpacing") or slice_.get("ImagerPixelSpacing")
    return tuple(float(distance) for distance in found) if found else None


def _window(slice_: Any) -> tuple[float, float] | None:
    """The first of the windows that a file offers, which is the usual one."""
    found = [np.ravel(slice_.get(tag) or ()) for tag in ("WindowCenter", "WindowWidth")]
    if not all(map(len, found)):
        return None
    centre, width = (float(values[0]) for values in found)
    return (_mirror(slice_) - centre if _colours(slice_) == "MONOCHROME1" else centre), width


def _read_series(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    slices = _in_order(_slices(path))
    values = []
    for name, slice_ in slices.items():
        try:
            values.append(_values(slice_))
        except Exception as error:
            raise ValueError(f"in {name}, {error or type(error).__name__}") from error
    first, *_, last = slices.values()
    across, down, normal = _directions(first)
    rows, columns = _spacing(first) or (0.0, 0.0)
    distance = (_place(last) - _place(first)) / (len(slices) - 1)
    steps = np.stack([normal * distance, down * rows, across * columns], axis=1) * FRONT_AND_RIGHT
    volume, spacing = upright(_compact(np.stack(values)), steps)
    return volume, {"spacing": spacing, "orientation": UPRIGHT, "window": _window(first)}


def _slices(path: Path) -> dict[str, Any]:
    """The slices of a folder or zip file by name, what is no DICOM picture left out."""
    pydicom = _package("pydicom", "DICOM files")
    found = {}
    for name, file in _files(path):
        try:
            slice_ = pydicom.dcmread(file)
        except pydicom.errors.InvalidDicomError:
            continue
        except Exception as error:
            raise ValueError(f"{name} is broken: {error or type(error).__name__}") from error
        if "Rows" in slice_:
            found[name] = slice_
    return found


def _files(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if path.is_dir():
        for name in sorted(file for file in path.rglob("*") if file.is_file()):
            with name.open("rb") as file:
                yield name.relative_to(path).as_posix(), file
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > MOST_BYTES:
            raise ValueError(f"it would unpack to {size / 2**30:.0f} GiB.")
        for member in archive.infolist():
            with archive.open(member) as unpacked:
                yield member.filename, unpacked


def _in_order(slices: dict[str, Any]) -> dict[str, Any]:
    """Sort slices from the lowest along their common normal, and refuse what makes no volume."""
    if len(slices) < 2:
        raise ValueError(f"a volume needs two DICOM slices or more, and it holds {len(slices)}.")
    for what, tag in (("series", "SeriesInstanceUID"), ("sizes", "Rows"), ("sizes", "Columns")):
        kinds = {slice_.get(tag): name for name, slice_ in slices.items()}
        if len(kinds) > 1:
            raise ValueError(f"its slices are of several {what}: {' and '.join(list(kinds.values())[:3])}.")
    for name, slice_ in slices.items():
        if "ImagePositionPatient" not in slice_ or "ImageOrientationPatient" not in slice_:
            raise ValueError(f"{name} does not say where in the patient it lies.")
    angles = np.stack([_directions(slice_) for slice_ in slices.values()])
    if np.abs(angles - angles[0]).max() > SAME_ANGLE:
        raise ValueError("its slices lie at several angles.")
    ordered = dict(sorted(slices.items(), key=lambda named: _place(named[1])))
    distances = np.diff([_place(slice_) for slice_ in ordered.values()])
    odd = np.abs(distances - np.median(distances)) > UNEVEN * np.median(distances)
    if odd.any() or distances.min() <= 0:
        place = int(odd.argmax())
        names = list(ordered)[place : place + 2]
        raise ValueError(
            f"slices are missing or stand twice: {names[0]} and {names[1]} are {distances[place]:.2f} mm "
            f"apart, most others {np.median(distances):.2f} mm."
        )
    return ordered


def _directions(slice_: Any) -> np.ndarray:
    """Where a slice's rows and columns run in the patient, and what stands upright on both."""
    across, down = np.array(slice_.ImageOrientationPatient, dtype=float).reshape(2, 3)
    return np.stack([across, down, np.cross(across, down)])


def _place(slice_: Any) -> float:
    """How far along its normal a slice lies, in millimetres."""
    return float(np.array(slice_.ImagePositionPatient, dtype=float) @ _directions(slice_)[2])


# NIfTI ----------------------------------------------------------------------------------------------------


def _read_nifti(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    nibabel = _package("nibabel", "NIfTI files")
    scan = nibabel.load(path)
    # One moment of a film, or one channel: axes of length 1 after the third say nothing.
    shape = scan.shape[:3] + tuple(length for length in scan.shape[3:] if length > 1)
    if len(shape) != 3 or scan.get_data_dtype().kind not in "biuf":
        raise ValueError(
            f"a volume has three axes of numbers; it has {scan.shape} of {scan.get_data_dtype()}."
        )
    values = np.asarray(scan.dataobj).reshape(shape)
    header = scan.header
    unit = MILLIMETRES.get(header.get_xyzt_units()[0], 1.0)
    volume, spacing = upright(_compact(values), scan.affine[:3, :3] * unit)
    said = int(header["sform_code"]) or int(header["qform_code"])
    low, high = float(header["cal_min"]), float(header["cal_max"])
    window = ((low + high) / 2, high - low) if high > low else None
    return volume, {"spacing": spacing, "orientation": UPRIGHT if said else None, "window": window}
