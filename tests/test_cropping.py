"""Single items are brought to one size: squeezed, cut or padded, with all that lies on them."""

from __future__ import annotations

import pytest
import torch

from coursekit.augment import Augment
from coursekit.cropping import CentreCrop, RandomResizedCrop, Resize, fitted
from coursekit.geometry import crop, resize
from coursekit.tensors import (
    Boxes,
    Category,
    DicomImage,
    Image,
    Keypoints,
    Mask,
    PointCloud,
    Volume,
    VolumeMask,
    plain,
)


def ramp(height=40, width=60):
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return Image(torch.stack([x, y]))


def sample(height=40, width=60):
    middle = [[width / 2, height / 2]]
    return (
        ramp(height, width),
        Mask((plain(ramp(height, width))[0] < width / 2).to(torch.uint8)),
        Keypoints(middle, canvas=(height, width)),
        Boxes(
            [[width / 2 - 4, height / 2 - 4, width / 2 + 4, height / 2 + 4]],
            canvas=(height, width),
            labels=(3,),
        ),
    )


class TestResize:
    def test_squeezing_is_what_it_was(self):
        x = Image(torch.rand(3, 40, 60))
        assert torch.equal(plain(Resize(20).encode(x)), plain(resize(x, 20)))

    def test_cutting_keeps_the_shape_of_things(self):
        photo, mask, middle, box = Resize(20, "crop").encode(sample())
        torch.testing.assert_close(plain(photo)[0, 5, 1:-1], torch.arange(13.0, 49, 2), atol=1e-4, rtol=0)
        assert mask.shape == (20, 20)
        assert middle.tolist() == [[10, 10]]
        assert box.tolist() == [[8, 8, 12, 12]]
        assert box.labels == (3,)
        assert box.canvas == (20, 20)

    def test_padding_shows_all(self):
        photo, mask, middle, box = Resize(30, "pad").encode(sample())
        assert photo.shape == (2, 30, 30)
        assert (plain(photo)[:, :5] == 0).all()
        assert (plain(photo)[:, -5:] == 0).all()
        assert (plain(photo)[0, 5:-5, -1] > 55).all()
        assert mask[:5].sum() == 0
        assert middle.tolist() == [[15, 15]]
        assert box.tolist() == [[13, 13, 17, 17]]

    def test_scans_are_padded_with_their_smallest_value(self):
        scan = DicomImage(torch.full((1, 4, 8), 40, dtype=torch.int16))
        scan[0, 0, 0] = -1000
        made = Resize(8, "pad").encode(scan)
        assert made[0, :2].unique().tolist() == [-1000]
        assert made.dtype == torch.int16

    def test_volumes(self):
        volume = Volume(torch.rand(1, 4, 8, 16), spacing=(3, 1, 1))
        mask = VolumeMask(torch.ones(4, 8, 16, dtype=torch.uint8))
        for fit in ("crop", "pad", "squeeze"):
            made, outline = Resize((4, 8, 8), fit).encode((volume, mask))
            assert made.shape == (1, 4, 8, 8)
            assert outline.shape == (4, 8, 8)
        assert fitted(PointCloud([[8, 4, 2]], canvas=(4, 8, 16)), (4, 8, 8), "crop").tolist() == [[4, 4, 2]]

    def test_whole_numbers_stay(self):
        for fit in ("squeeze", "crop", "pad"):
            assert Resize(8, fit).encode(Image(torch.zeros(3, 9, 20, dtype=torch.uint8))).dtype == torch.uint8

    def test_other_fits_are_refused(self):
        with pytest.raises(ValueError, match='"squeeze", "crop" and "pad"; got \'squish\''):
            Resize(8, "squish")


def test_the_middle_is_cut_out_of_all():
    photo, mask, middle, box = CentreCrop((10, 20)).encode(sample())
    assert torch.equal(plain(photo), plain(crop(ramp(), (15, 20), (10, 20))))
    assert mask.shape == (10, 20)
    assert middle.tolist() == [[10, 5]]
    assert box.tolist() == [[6, 1, 14, 9]]
    assert not CentreCrop(4).acts_on(Category(1))
    with pytest.raises(ValueError, match="crop stays within the canvas"):
        CentreCrop(41).encode(ramp())


class TestRandomResizedCrop:
    @pytest.mark.parametrize(
        "wrong",
        [{"scale": 0.5}, {"scale": (0, 0)}, {"scale": (0.5, 2)}, {"ratio": (0, 1)}, {"ratio": (1, 2, 3)}],
    )
    def test_parts_that_cannot_be_cut_out_are_refused(self, wrong):
        with pytest.raises(ValueError, match="takes the smallest and the largest share of the area"):
            RandomResizedCrop(8, **wrong)

    def test_all_of_a_sample_is_cut_alike(self):
        step = RandomResizedCrop((24, 32))
        for seed in range(20):
            step.reseed(seed)
            photo, mask, middle, _ = step.encode(sample())
            assert photo.shape == (2, 24, 32)
            sure = (plain(photo)[0] - 30).abs() > 2
            assert torch.equal((plain(photo)[0] < 30)[sure], plain(mask)[sure].bool())
            if middle.present.all():
                x, y = (int(number) for number in plain(middle)[0].clamp(max=23))
                assert (plain(photo)[:, y, x] - torch.tensor([30.0, 20])).abs().max() < 3

    def test_areas_and_shapes(self):
        step = RandomResizedCrop(10, scale=(0.25, 0.5), ratio=(0.8, 1.25))
        for seed in range(50):
            step.reseed(seed)
            x = plain(step.encode(Image(plain(ramp(100, 120)))))
            wide, high = ((x[axis].max() - x[axis].min()) * 10 / 9 for axis in (0, 1))
            assert 0.22 < wide * high / 12_000 < 0.55
            assert 0.72 < wide / high < 1.38

    def test_a_part_that_never_fits_is_cut_off(self):
        step = RandomResizedCrop(8, scale=(1, 1), ratio=(1, 1))
        assert step.encode(Image(torch.rand(3, 10, 100))).shape == (3, 8, 8)

    def test_the_same_numbers_give_the_same(self):
        step = RandomResizedCrop(8)
        made = []
        for numbers in ((0, 1), (0, 2), (0, 1)):
            step.reseed(*numbers)
            made.append(plain(step.encode(ramp())))
        assert torch.equal(made[0], made[2])
        assert not torch.equal(made[0], made[1])

    def test_held_out_items_are_cut_in_the_middle(self):
        assert repr(RandomResizedCrop(8).calm()) == repr(Resize(8, "crop"))

    def test_slices_of_a_volume_are_cut_alike(self):
        made = RandomResizedCrop(8).encode(Volume(torch.rand(1, 5, 20, 30)))
        assert made.shape == (1, 8, 8, 8)
        assert RandomResizedCrop(8).calm().encode(Volume(torch.rand(1, 5, 20, 30))).shape == made.shape


def test_items_first_then_the_batch():
    item = RandomResizedCrop(48, scale=(0.8, 1))
    pairs = [item.encode(sample()) for _ in range(3)]
    photos = Image(torch.stack([plain(photo) for photo, *_ in pairs]))
    places = Keypoints(torch.stack([plain(middle) for _, _, middle, _ in pairs]), canvas=((48, 48),) * 3)
    made, moved = Augment(size=32).encode((photos, places))
    assert made.shape == (3, 2, 32, 32)
    assert moved.canvas == ((32, 32),) * 3
