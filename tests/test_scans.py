"""Scans out of their files: real ones of many makers, each in its unit, the right way round, or refused."""

from __future__ import annotations

import io
import os
import shutil
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from pydicom.multival import MultiValue

from coursekit.scans import open_dicom, open_scan, upright

SLICES = Path(pydicom.__file__).parent / "data" / "test_files"
SERIES = SLICES / "dicomdirtests"
FIVE = SERIES / "98892001" / "CT5N"
# The numbers of their classes: the vertebrae, the liver, the spleen.
SPINE_LIVER_SPLEEN = (range(26, 51), 5, 1)


def edition(name: str) -> Path:
    """A file of the course editions, or a skip that names it."""
    path = Path(os.environ.get("COURSEKIT_DATA", "/nowhere")) / name
    if not path.is_file():
        pytest.skip(f"needs the data edition {name} in a folder that COURSEKIT_DATA names")
    return path


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as files:
        for number, file in enumerate(sorted(folder.rglob("*"), reverse=True)):
            files.write(file, f"export/{number}")
        files.writestr("export/notes.txt", "not a slice")
    return archive


class TestSlices:
    def test_computed_tomography_is_in_hounsfield_units(self) -> None:
        values, metadata = open_dicom(SLICES / "CT_small.dcm")

        assert (values.shape, values.dtype) == ((128, 128), np.int16)
        assert (values.min(), values.max()) == (-896, 1167)
        assert metadata == {"spacing": (0.661468, 0.661468), "window": None}

    @pytest.mark.parametrize("kind", ["", "_RLE", "_bigendian", "_expb", "_implicit"])
    def test_however_a_file_is_coded_the_values_are_the_same(self, kind: str) -> None:
        values, metadata = open_dicom(SLICES / f"MR_small{kind}.dcm")

        assert values.dtype == np.int16
        assert values.dtype.isnative
        assert np.array_equal(values, open_dicom(SLICES / "MR_small.dcm")[0])
        assert metadata == {"spacing": (0.3125, 0.3125), "window": (600.0, 1600.0)}

    def test_the_first_of_several_windows(self) -> None:
        stored = pydicom.dcmread(SLICES / "examples_overlay.dcm")
        values, metadata = open_dicom(SLICES / "examples_overlay.dcm")

        assert isinstance(stored.WindowCenter, MultiValue)
        assert metadata["window"] == (stored.WindowCenter[0], stored.WindowWidth[0])
        assert values.shape == (300, 484)

    def test_where_small_values_are_bright_they_are_turned_round(self) -> None:
        path = SERIES / "77654033" / "CR1" / "6154"
        stored = pydicom.dcmread(path)
        values, metadata = open_dicom(path)
        largest = 2**stored.BitsStored - 1
        wanted = (largest - stored.pixel_array.astype(float)) * float(stored.RescaleSlope)

        assert stored.PhotometricInterpretation == "MONOCHROME1"
        assert values.dtype == np.float32
        assert np.allclose(values, wanted + float(stored.RescaleIntercept), atol=1e-3)
        assert metadata["window"] == (
            pytest.approx(largest * stored.RescaleSlope + 2 * stored.RescaleIntercept - stored.WindowCenter),
            stored.WindowWidth,
        )

    def test_a_rescaling_that_is_not_whole(self, tmp_path: Path) -> None:
        slice_ = pydicom.dcmread(SLICES / "CT_small.dcm")
        stored = slice_.pixel_array
        slice_.RescaleSlope = "0.25"
        slice_.save_as(tmp_path / "quarter.dcm")

        values, _ = open_dicom(tmp_path / "quarter.dcm")

        assert values.dtype == np.float32
        assert np.array_equal(values, stored * np.float32(0.25) - 1024)

    def test_values_too_large_for_sixteen_bits(self) -> None:
        values, _ = open_dicom(SLICES / "rtdose_1frame.dcm")

        assert values.dtype == np.int32
        assert np.array_equal(values, pydicom.dcmread(SLICES / "rtdose_1frame.dcm").pixel_array)

    def test_the_pixels_of_a_detector_have_a_size_too(self, tmp_path: Path) -> None:
        slice_ = pydicom.dcmread(SLICES / "CT_small.dcm")
        del slice_.PixelSpacing
        slice_.save_as(tmp_path / "none.dcm")
        slice_.ImagerPixelSpacing = [0.5, 0.25]
        slice_.save_as(tmp_path / "detector.dcm")

        assert open_dicom(tmp_path / "none.dcm")[1]["spacing"] is None
        assert open_dicom(tmp_path / "detector.dcm")[1]["spacing"] == (0.5, 0.25)

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("examples_rgb_color.dcm", r"it is in colour \(RGB\); a slice has one value for each pixel"),
            ("examples_palette.dcm", r"it is in colour \(PALETTE COLOR\)"),
            ("rtdose.dcm", r"it holds 15 frames, and several frames are a volume.*`open_scan`"),
            ("rtplan.dcm", "it holds no picture; what it holds is of the kind RTPLAN"),
            ("MR_truncated.dcm", "The number of bytes of pixel data is less than expected"),
            ("README.txt", "it does not begin as DICOM files do"),
        ],
    )
    def test_what_is_no_grey_slice(self, name: str, said: str) -> None:
        with pytest.raises(ValueError, match=rf"^{name} is not a slice that can be read: {said}"):
            open_dicom(SLICES / name)

    def test_half_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "half.dcm").write_bytes((SLICES / "CT_small.dcm").read_bytes()[:4000])

        with pytest.raises(ValueError, match=r"^half\.dcm is not a slice that can be read: "):
            open_dicom(tmp_path / "half.dcm")

    def test_what_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"There is no DICOM file at .*gone\.dcm: no such file"):
            open_dicom(tmp_path / "gone.dcm")
        with pytest.raises(FileNotFoundError, match="it is a folder, which `open_scan` reads"):
            open_dicom(tmp_path)


class TestSeries:
    def test_slices_are_sorted_by_where_they_lie(self) -> None:
        """The files of this series run from top to bottom."""
        values, metadata = open_scan(FIVE)
        names = sorted(FIVE.iterdir(), reverse=True)

        assert (values.shape, values.dtype) == ((5, 16, 16), np.int16)
        assert metadata == {
            "spacing": (2.5, 0.488281, 0.488281),
            "orientation": "SPL",
            "window": (40.0, 400.0),
        }
        assert np.array_equal(values, [open_dicom(name)[0] for name in names])

    def test_a_zip_file_is_read_in_memory(self, tmp_path: Path) -> None:
        archive = zipped(FIVE, tmp_path / "series.zip")
        values, metadata = open_scan(archive)

        assert np.array_equal(values, open_scan(FIVE)[0])
        assert metadata == open_scan(FIVE)[1]
        assert [file.name for file in tmp_path.iterdir()] == ["series.zip"]

    def test_a_path_in_a_zip_file_leads_nowhere(self, tmp_path: Path) -> None:
        inside = tmp_path / "inside"
        inside.mkdir()
        with zipfile.ZipFile(inside / "series.zip", "w") as files:
            for file in FIVE.iterdir():
                files.write(file, f"../{file.name}")

        assert open_scan(inside / "series.zip")[0].shape == (5, 16, 16)
        assert [file.name for file in tmp_path.iterdir()] == ["inside"]

    def test_a_series_of_another_direction_stands_the_same_way(self, tmp_path: Path) -> None:
        """Slices from left to right: depth, height and width are rearranged."""
        for number, file in enumerate(sorted(FIVE.iterdir())):
            slice_ = pydicom.dcmread(file)
            slice_.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
            slice_.ImagePositionPatient = [number * 4, 0, 0]
            slice_.PixelSpacing = [0.5, 0.25]
            slice_.save_as(tmp_path / file.name)
        stack = np.stack([open_dicom(file)[0] for file in sorted(tmp_path.iterdir())])

        values, metadata = open_scan(tmp_path)

        assert metadata["spacing"] == (0.5, 0.25, 4.0)
        assert np.array_equal(values, stack.transpose(1, 2, 0)[::-1])

    @pytest.mark.parametrize(
        ("place", "said"),
        [
            ("77654033/CT2", r"slices are missing or stand twice: 17106 and 17136 are 202.50 mm apart"),
            ("77654033", "its slices are of several series: "),
            ("98892003/MR700", "its slices lie at several angles"),
            ("77654033/CR1", "a volume needs two DICOM slices or more, and it holds 1"),
        ],
    )
    def test_what_is_no_volume(self, place: str, said: str) -> None:
        with pytest.raises(ValueError, match=rf"^{Path(place).name} is not a scan that can be read: {said}"):
            open_scan(SERIES / place)

    def test_a_slice_left_out_is_noticed(self, tmp_path: Path) -> None:
        shutil.copytree(FIVE, tmp_path / "four")
        (tmp_path / "four" / "2693").unlink()

        with pytest.raises(
            ValueError,
            match=r"^four is not .*: slices are missing or stand twice: 3023 and 2392 are 5.00 mm apart, "
            r"most others 2.50 mm",
        ):
            open_scan(tmp_path / "four")

    def test_a_slice_that_stands_twice_is_noticed(self, tmp_path: Path) -> None:
        shutil.copytree(FIVE, tmp_path / "six")
        shutil.copy(FIVE / "2693", tmp_path / "six" / "copy")

        with pytest.raises(ValueError, match=r"2693 and copy are 0.00 mm apart"):
            open_scan(tmp_path / "six")

    @pytest.mark.parametrize(
        ("tag", "value", "said"),
        [
            ("Rows", 8, r"of several sizes: (3353 and 2062|2062 and 3353)"),
            ("ImagePositionPatient", None, "2062 does not say where in the patient it lies"),
            ("PhotometricInterpretation", "RGB", r"in 2062, it is in colour \(RGB\)"),
        ],
    )
    def test_a_slice_unlike_the_others_is_named(
        self, tmp_path: Path, tag: str, value: object, said: str
    ) -> None:
        shutil.copytree(FIVE, tmp_path / "odd")
        slice_ = pydicom.dcmread(FIVE / "2062")
        if value is None:
            delattr(slice_, tag)
        else:
            setattr(slice_, tag, value)
        slice_.save_as(tmp_path / "odd" / "2062")

        with pytest.raises(ValueError, match=f"^odd is not a scan that can be read: .*{said}"):
            open_scan(tmp_path / "odd")

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="a volume needs two DICOM slices or more, and it holds 0"):
            open_scan(tmp_path)

    def test_a_broken_archive(self, tmp_path: Path) -> None:
        (tmp_path / "half.zip").write_bytes(b"PK half")

        with pytest.raises(ValueError, match=r"^half\.zip is not a scan that can be read: File is not a zip"):
            open_scan(tmp_path / "half.zip")

    def test_an_archive_that_would_fill_the_memory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("coursekit.scans.MOST_BYTES", 1000)

        with pytest.raises(ValueError, match="it would unpack to"):
            open_scan(zipped(FIVE, tmp_path / "series.zip"))

    def test_slices_of_a_body(self) -> None:
        """Twenty slices, 2 mm apart; the labels of the same body were kept beside them in file order."""
        path = edition("medical/ct_dicom.zip")
        values, metadata = open_scan(path)
        with zipfile.ZipFile(path) as files:
            lowest = pydicom.dcmread(io.BytesIO(files.read("ct_dicom/slice_01.dcm")))

        assert (values.shape, values.dtype) == ((20, 512, 512), np.int16)
        assert metadata == {
            "spacing": (2.0, 0.9765625, 0.9765625),
            "orientation": "SPL",
            "window": (40.0, 300.0),
        }
        assert np.array_equal(values[0], lowest.pixel_array.astype(int) - 1024)


class TestResearch:
    def test_the_brain_stands_upright(self) -> None:
        path = (
            Path(nibabel.__file__).parents[1]
            / "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
        )
        values, metadata = open_scan(path)
        stored = np.asarray(nibabel.load(path).dataobj)

        assert (values.shape, values.dtype) == ((189, 233, 197), np.int16)
        assert metadata == {"spacing": (1.0, 1.0, 1.0), "orientation": "SPL", "window": None}
        assert np.array_equal(values, stored.transpose(2, 1, 0)[:, ::-1, ::-1])

    def test_a_body_lies_with_its_spine_at_the_back(self) -> None:
        values, metadata = open_scan(edition("medical/ct_sm.nii.gz"))
        labels, same = open_scan(edition("medical/seg.nii.gz"))

        assert values.shape == labels.shape == (30, 101, 122)
        assert metadata["spacing"] == same["spacing"] == (3.0, 3.0, 3.0)
        spine, liver, spleen = (
            np.argwhere(np.isin(labels, kinds)).mean(axis=0) for kinds in SPINE_LIVER_SPLEEN
        )
        assert spine[1] > liver[1]  # towards the back
        assert liver[2] < spleen[2]  # the liver on the patient's right, which is left in the picture

    @pytest.mark.parametrize("seed", range(20))
    def test_any_way_of_lying_agrees_with_nibabel(self, seed: int) -> None:
        draw = np.random.default_rng(seed)
        values = draw.integers(0, 99, (2, 3, 4))
        turn = np.linalg.qr(draw.normal(size=(3, 3)))[0] if seed % 2 else np.eye(3)[draw.permutation(3)]
        steps = turn @ np.diag(draw.uniform(0.5, 3, 3) * draw.choice([-1, 1], 3))
        affine = np.eye(4)
        affine[:3, :3] = steps
        wanted = nibabel.Nifti1Image(values.astype(np.int16), affine).as_reoriented(
            ornt_transform(io_orientation(affine), axcodes2ornt("SPL"))
        )

        ours, spacing = upright(values, steps)

        assert np.array_equal(ours, np.asarray(wanted.dataobj))
        assert spacing == pytest.approx(tuple(nibabel.affines.voxel_sizes(wanted.affine)))
        assert ours.flags.c_contiguous

    @pytest.mark.parametrize(
        ("stored", "kind"),
        [("uint8", "int16"), (">i2", "int16"), ("uint16", "int32"), ("<f4", "float32"), (">f8", "float32")],
    )
    def test_values_are_kept_exactly(self, tmp_path: Path, stored: str, kind: str) -> None:
        values = np.arange(24).reshape(2, 3, 4).astype(stored)
        values[0, 0, 0] = 60_000 if stored == "uint16" else 0.5 if "f" in stored else 7
        header = nibabel.Nifti1Header(endianness=">" if ">" in stored else "<")
        nibabel.Nifti1Image(values, np.eye(4), header, dtype=stored).to_filename(tmp_path / "a.nii")

        found, _ = open_scan(tmp_path / "a.nii")

        assert found.dtype == kind
        assert found.dtype.isnative
        assert np.array_equal(found, values.transpose(2, 1, 0)[:, ::-1, ::-1])

    def test_what_the_header_says(self, tmp_path: Path) -> None:
        scan = nibabel.Nifti1Image(np.zeros((2, 3, 4, 1), np.int16), np.diag([0.002, 0.002, 0.003, 1]))
        scan.header.set_xyzt_units("meter")
        scan.header["cal_min"], scan.header["cal_max"] = -100, 300
        scan.header.set_slope_inter(0.5, -10)
        scan.to_filename(tmp_path / "a.nii.gz")

        values, metadata = open_scan(tmp_path / "a.nii.gz")

        assert values.shape == (4, 3, 2)
        assert metadata["spacing"] == pytest.approx((3, 2, 2))
        assert metadata["window"] == (100.0, 400.0)

    def test_who_does_not_say_how_the_patient_lay_is_not_believed(self, tmp_path: Path) -> None:
        scan = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), None)
        scan.header.set_zooms((1, 2, 3))
        scan.to_filename(tmp_path / "a.nii")

        assert open_scan(tmp_path / "a.nii")[1] == {
            "spacing": (3.0, 2.0, 1.0),
            "orientation": None,
            "window": None,
        }

    def test_a_film_is_no_volume(self, tmp_path: Path) -> None:
        nibabel.Nifti1Image(np.zeros((2, 3, 4, 5), np.int16), np.eye(4)).to_filename(tmp_path / "film.nii")

        with pytest.raises(ValueError, match=r"^film\.nii .*a volume has three axes .* \(2, 3, 4, 5\)"):
            open_scan(tmp_path / "film.nii")

    def test_half_a_file(self, tmp_path: Path) -> None:
        nibabel.Nifti1Image(np.zeros((20, 30, 40), np.int16), np.eye(4)).to_filename(tmp_path / "whole.nii")
        (tmp_path / "half.nii").write_bytes((tmp_path / "whole.nii").read_bytes()[:9000])
        (tmp_path / "notes.nii.gz").write_text("no scan")

        with pytest.raises(ValueError, match=r"^half\.nii is not a scan that can be read: "):
            open_scan(tmp_path / "half.nii")
        with pytest.raises(ValueError, match=r"^notes\.nii\.gz is not a scan that can be read: "):
            open_scan(tmp_path / "notes.nii.gz")


def test_what_is_no_scan_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"There is no scan at .*gone: no such file or folder"):
        open_scan(tmp_path / "gone")
    with pytest.raises(
        ValueError, match=r"^CT_small\.dcm is not .*One slice alone is opened by `open_dicom`"
    ):
        open_scan(SLICES / "CT_small.dcm")


@pytest.mark.parametrize(
    ("package", "name", "said"), [("pydicom", "series", "DICOM"), ("nibabel", "a.nii", "NIfTI")]
)
def test_a_missing_package_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, name: str, said: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / "series").mkdir()
    (tmp_path / "a.nii").touch()

    with pytest.raises(
        ImportError,
        match=rf'^Reading {said} files needs {package}: pip install "coursekit-topdown\[medical\]"$',
    ):
        open_scan(tmp_path / name)
