"""Volumes, their masks and DICOM slices: spacing and orientation that stay right, windows, slices."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

from coursekit.tensors import DicomImage, GrayImage, Image, Mask, Volume, VolumeMask, collate_typed, plain


def scan() -> Volume:
    values = torch.arange(4 * 6 * 8, dtype=torch.int16).reshape(4, 6, 8)
    return Volume(values, spacing=(3, 1, 2), orientation="SPL", window=(40, 80))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Volume(torch.zeros(4, 4)), "Volume is channels x depth x height x width"),
        (
            lambda: Volume(torch.zeros(4, 4, 4), spacing=(1, 1)),
            "(depth, height, width) in millimetres, more than",
        ),
        (lambda: Volume(torch.zeros(4, 4, 4), spacing=(1, 0, 1)), "more than 0; got (1, 0, 1)."),
        (lambda: Volume(torch.zeros(4, 4, 4), orientation="SPX"), "one each of R or L, A or P, S or I"),
        (lambda: Volume(torch.zeros(4, 4, 4), orientation="RLS"), "got 'RLS'."),
        (
            lambda: VolumeMask(torch.zeros(4, 4, 4)),
            "of int64, int32, int16, int8, uint8, bool; got a float32",
        ),
        (lambda: DicomImage(torch.zeros(1, 4, 4), spacing=(1, -1)), "(height, width) in millimetres"),
        (lambda: DicomImage(torch.zeros(3, 4, 4)), "DicomImage has one channel"),
    ],
)
def test_what_cannot_be_is_refused_with_what_came(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_a_volume_without_channels_gets_its_one() -> None:
    assert scan().shape == (1, 4, 6, 8)
    assert Volume(torch.zeros(2, 4, 6, 8)).shape == (2, 4, 6, 8)
    assert Volume(torch.zeros(5, 1, 4, 6, 8)).is_batch


def test_leaving_slices_out_makes_the_voxels_longer() -> None:
    assert scan()[:, ::2].spacing == (6, 1, 2)
    assert scan()[..., 1:5, ::4].spacing == (3, 1, 8)
    assert collate_typed([scan(), scan()])[:, :, ::2].spacing == ((6, 1, 2), (6, 1, 2))
    assert VolumeMask(plain(scan())[0], spacing=(3, 1, 2))[::2].spacing == (6, 1, 2)
    assert scan()[:, 1:3].spacing == (3, 1, 2)


def test_a_slice_across_each_axis() -> None:
    volume = scan()

    for axis, spacing, place in (("depth", (1, 2), 1), ("height", (3, 2), 2), ("width", (3, 1), 3)):
        flat = volume.slice(3, axis=axis)
        assert type(flat) is DicomImage
        assert torch.equal(plain(flat)[0], plain(volume)[0].select(place - 1, 3))
        assert (flat.spacing, flat.window) == (spacing, (40, 80))


def test_windows() -> None:
    values = np.array([[-1000, 0], [40, 3000]], dtype=np.int16)

    assert DicomImage(values, window=(40, 400)).windowed()[0].tolist() == [[0, pytest.approx(0.4)], [0.5, 1]]
    assert type(DicomImage(values).windowed()) is GrayImage
    assert DicomImage(values).windowed()[0, 1, 1] == 1
    assert DicomImage(values).windowed(0, 2000)[0, 0, 1] == 0.5
    assert DicomImage(np.zeros((2, 2), np.int16)).windowed().max() == 0
    both = collate_typed([DicomImage(values, window=(40, 400)), DicomImage(values, window=(0, 4000))])
    assert torch.equal(both.windowed()[1], both[1].windowed())
    assert scan().windowed().spacing == (3, 1, 2)


def test_a_dicom_image_is_an_image_in_a_window() -> None:
    one = DicomImage(np.array([[-1000, 40]], dtype=np.int16), window=(40, 400), spacing=(0.5, 0.7))

    assert isinstance(one, Image)
    assert one.to_pil().getpixel((1, 0)) == 128
    assert (one + 10).window == (40, 400)
    assert (one / 2).dtype == torch.float32


def test_a_mask_of_voxels_is_no_batch_of_flat_masks() -> None:
    assert not issubclass(VolumeMask, Mask)
    assert not VolumeMask(torch.zeros(4, 6, 8, dtype=torch.uint8)).is_batch


def test_a_scan_comes_from_a_file(tmp_path: Any) -> None:
    nibabel = pytest.importorskip("nibabel")
    classes = np.zeros((3, 4, 5), dtype=np.int16)
    classes[1, 2, 3] = 7
    nibabel.save(nibabel.Nifti1Image(classes, np.diag([1.5, 1, 2, 1])), tmp_path / "scan.nii.gz")

    volume, mask = Volume.open(tmp_path / "scan.nii.gz"), VolumeMask.open(tmp_path / "scan.nii.gz")

    assert volume.spacing == mask.spacing == (2, 1, 1.5)
    assert volume.orientation == "SPL"
    assert plain(volume)[0].max() == plain(mask).max() == 7
    assert mask.dtype == torch.int64
    # In the file x leads to the right and y to the front; here width leads to the left, height to the back.
    assert plain(mask)[3, 1, 1] == 7


def test_what_is_given_once_for_a_batch_is_that_of_each_item() -> None:
    batch = Volume(torch.zeros(3, 1, 4, 6, 8), spacing=(3, 1, 2), orientation="SPL", window=(40, 80))

    assert batch.spacing == ((3, 1, 2),) * 3
    assert batch[1].orientation == "SPL"
    assert DicomImage(torch.zeros(2, 1, 4, 4), window=(40, 80)).window == ((40, 80), (40, 80))
    assert Volume(torch.zeros(2, 1, 4, 6, 8), spacing=((3, 1, 2), None)).spacing == ((3, 1, 2), None)


def test_one_number_is_no_spacing_and_no_window() -> None:
    with pytest.raises(ValueError, match=r"The spacing of Volume is \(depth, height, width\) .*; got 1.5"):
        Volume(torch.zeros(2, 2, 2), spacing=1.5)
    for window in (40, (40,)):
        with pytest.raises(ValueError, match=r"The window of Volume is \(centre, width\); got "):
            Volume(torch.zeros(2, 2, 2), window=window)
