"""Each scan is what the table says; a set that cannot be had is skipped by name."""

from __future__ import annotations

import numpy as np
import torch
from sets import had

from coursekit import scan_sets
from coursekit.tensors import DicomImage, Volume, VolumeMask, plain


def test_a_ct_slice_in_hounsfield_units() -> None:
    image = DicomImage.open(scan_sets.ct_slice())

    assert image.shape == (1, 128, 128)
    assert image.dtype == torch.int16
    assert image.spacing == (0.661468, 0.661468)


def test_a_brain_with_air_around_it() -> None:
    scan = Volume.open(scan_sets.brain())

    assert scan.shape == (1, 189, 233, 197)
    assert (scan.spacing, scan.orientation) == ((1.0, 1.0, 1.0), "SPL")
    assert int(plain(scan)[0, :, :8, :8].max()) == 0


def test_a_body_and_the_names_of_its_organs() -> None:
    scan_file, labels_file, names = had(scan_sets.body_scan)
    scan, labels = Volume.open(scan_file), VolumeMask.open(labels_file, vocab=names)

    assert scan.shape[1:] == labels.shape == (30, 101, 122)
    assert scan.spacing == labels.spacing == (3.0, 3.0, 3.0)
    assert (len(names), names[0], names[5]) == (118, "background", "liver")
    assert len(plain(labels).unique()) == 1 + 41
    # Bone is denser than the liver, and that denser than the lung.
    ribs, liver, lung = (
        float(plain(scan)[0][plain(labels) == names.index(name)].float().mean())
        for name in ("vertebrae_T12", "liver", "lung_lower_lobe_left")
    )
    assert ribs > liver > 0 > lung


def test_a_slice_of_magnetic_resonance() -> None:
    image = DicomImage.open(scan_sets.mr_slice())

    assert image.shape == (1, 64, 64)
    assert int(plain(image).max()) > 0


def test_a_folder_as_scanners_leave_it() -> None:
    people = [scan_sets.scanner_files() / name for name in ("77654033", "98892001", "98892003")]
    files = sorted(file for folder in people for file in folder.rglob("*") if file.is_file())

    assert len(files) == 31
    assert {DicomImage.open(file).shape for file in files} == {(1, 16, 16)}


def test_a_brain_and_its_tissues_lie_in_one_place() -> None:
    grey, white = (plain(Volume.open(path)).float() for path in scan_sets.brain_tissues())
    brain = plain(Volume.open(scan_sets.brain()))

    assert grey.shape == white.shape == brain.shape
    assert (float(grey.min()), float(grey.max())) == (0, 255)
    assert float((grey + white).max()) <= 256
    # In T1-weighted scans white matter is brighter than grey.
    assert brain[white > 230].float().mean() > brain[grey > 230].float().mean()


def test_the_part_of_a_body_is_part_of_the_whole() -> None:
    whole = plain(Volume.open(had(scan_sets.whole_body)))
    part = plain(Volume.open(had(scan_sets.body_scan)[0]))

    assert whole.shape == (1, 112, 101, 122)
    assert any(torch.equal(whole[:, start : start + 30], part) for start in range(112 - 30 + 1))


def test_slices_as_a_scanner_writes_them_and_their_labels() -> None:
    folder, labels, names = had(scan_sets.body_slices)
    files = sorted(folder.iterdir())
    slices = [plain(DicomImage.open(file)) for file in files]

    assert len(files) == 20
    assert labels.shape == (20, 512, 512)
    assert Volume.open(folder).shape == (1, 20, 512, 512)
    bones = np.isin(labels, [number for number, name in enumerate(names) if "vertebrae" in name])
    values = torch.stack(slices)[:, 0]
    assert bones.any()
    assert (
        values[torch.from_numpy(bones)].float().mean() > values[torch.from_numpy(labels == 0)].float().mean()
    )
