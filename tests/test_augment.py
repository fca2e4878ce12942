"""Whole batches are augmented as one: each picture by its own draw, and all that lies on it with it."""

from __future__ import annotations

import pickle
from collections import Counter
from random import Random

import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from coursekit.augment import Augment, Warp
from coursekit.colours import Brightness, Erase, Recolour
from coursekit.datablock import DataBlock
from coursekit.movements import Crop, Fit, Flip, Movement, Perspective, Rotate, Shear, Shift, Zoom, matrices
from coursekit.splitters import RandomSplit
from coursekit.tensors import (
    Boxes,
    Category,
    DicomImage,
    GrayImage,
    Image,
    Keypoints,
    Mask,
    PointCloud,
    TypedTensor,
    Volume,
    VolumeMask,
    plain,
    typed_like,
)
from coursekit.transforms import Pipeline

BILINEAR = v2.InterpolationMode.BILINEAR
ALL_ON = {"crop": (0.35, 1), "upside_down": 0.5, "shear": 5, "perspective": 0.1, "erase": 0.5}
ALL_MOVEMENTS = (Crop(), Flip(), Rotate(30), Zoom((0.9, 1.2)), Shear(10), Shift(0.1))
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def smooth(count=2, height=40, width=60, channels=3, seed=0):
    """Pictures without sharp edges."""
    chance = torch.Generator().manual_seed(seed)
    small = torch.rand(count, channels, 5, 6, generator=chance)
    return torch.nn.functional.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)


def coordinates(count=8, height=40, width=60):
    """Pictures of two channels that hold x and y: a straight ramp comes through any mixing unharmed."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return Image(torch.stack([x, y]).repeat(count, 1, 1, 1))


def points(count=8, height=40, width=60, number=50, **metadata):
    places = torch.rand(count, number, 2, generator=torch.Generator().manual_seed(0))
    places = places * torch.tensor([width - 8.0, height - 8]) + 4
    return Keypoints(places, canvas=((height, width),) * count, **metadata)


def looked_up(pictures, places):
    """Read pictures at places, between pixels by mixing: (pictures, places, channels)."""
    around = plain(places) / torch.tensor(pictures.shape[:1:-1]) * 2 - 1
    found = grid_sample(plain(pictures), around[:, None], padding_mode="border", align_corners=False)
    return found[:, :, 0].movedim(1, -1)


def fixed(step, x, seed=0):
    """Do the same draw to anything."""
    return step.apply(x, step.draw(Random(seed)))


class TestEqualToTorchvision:
    """Where both can do it, both do the same."""

    def same(self, ours, theirs, atol=1e-4):
        torch.testing.assert_close(plain(ours), theirs, atol=atol, rtol=0)

    @pytest.mark.parametrize("degrees", [30.0, -75.0])
    def test_rotate(self, degrees):
        x = smooth()
        self.same(
            Warp(Rotate((degrees, degrees)), edges=0).encode(Image(x)),
            tv.rotate(x, degrees, interpolation=BILINEAR),
        )

    @pytest.mark.parametrize("axis", ["width", "height"])
    def test_shear(self, axis):
        x, shear = smooth(), [20, 0] if axis == "width" else [0, 20]
        self.same(
            Warp(Shear((20, 20), axis), edges=0).encode(Image(x)),
            tv.affine(x, 0, [0, 0], 1, shear, interpolation=BILINEAR),
        )

    def test_zoom(self):
        x = smooth()
        self.same(
            Warp(Zoom((1.3, 1.3)), edges=0).encode(Image(x)),
            tv.affine(x, 0, [0, 0], 1.3, [0, 0], interpolation=BILINEAR),
        )

    def test_perspective(self):
        x = smooth(1)
        warp = Warp(Perspective(0.3), edges=0)
        corners = Keypoints([[[0.0, 0], [60, 0], [60, 40], [0, 40]]], canvas=((40, 60),))
        forward = warp.draw(Random(5)).of(corners).device["forward"][0]
        moved = torch.cat([plain(corners)[0], torch.ones(4, 1)], 1) @ forward.T
        ends = (moved[:, :2] / moved[:, 2:]).tolist()
        theirs = tv.perspective(x, plain(corners)[0].tolist(), ends, interpolation=BILINEAR)
        # torchvision moves the centres of corner pixels where ours moves corners: half a pixel apart.
        inside = (..., slice(4, -4), slice(4, -4))
        self.same(plain(fixed(warp, Image(x), seed=5))[inside], theirs[inside], atol=0.02)

    def test_resized_crop(self):
        x = smooth(1, 40, 40)
        crop = Warp(Crop(scale=(0.25, 0.25), ratio=(1, 1)), edges="border", size=40)
        forward = crop.draw(Random(1)).of(Image(x)).host["forward"][0]
        top, left = ((-forward[axis, 2] / forward[axis, axis]).item() for axis in (1, 0))
        theirs = tv.resized_crop(x, round(top), round(left), 20, 20, [40, 40])
        ours = plain(fixed(crop, Image(x), seed=1))
        assert (ours - theirs)[..., 4:-4, 4:-4].abs().max() < 0.05  # theirs begins at a whole pixel

    def test_shrinking_is_as_smooth(self):
        photo = torch.from_numpy(np.array(sample_photo())).movedim(-1, 0)[None, :, :, :426].float() / 255
        for side in (284, 224, 160, 112, 64, 32):
            ours = plain(Warp(size=side).encode(Image(photo)))
            theirs = tv.resize(photo, [side, side], antialias=True)
            crude = tv.resize(photo, [side, side], antialias=False)
            assert error(ours, theirs) < 0.015
            assert error(ours, theirs) < 0.6 * error(crude, theirs)


def sample_photo():
    from sklearn.datasets import load_sample_image

    return load_sample_image("flower.jpg")


def error(one, other):
    return (one - other).square().mean().sqrt().item()


class TestExact:
    def test_mirrors(self):
        x = torch.randint(0, 256, (9, 3, 7, 6), dtype=torch.uint8)
        moved = plain(Warp(Flip(), Flip("height")).encode(Image(x)))
        seen = set()
        for number in range(9):
            for dims in ([], [-1], [-2], [-1, -2]):
                if torch.equal(moved[number], x[number].flip(dims) / 255):
                    seen.add(tuple(dims))
                    break
            else:
                pytest.fail("a picture is none of its mirror images")
        assert len(seen) > 1

    def test_no_movement(self):
        x = Image(torch.rand(2, 3, 7, 6))
        assert torch.equal(plain(Augment().calm().encode(x)), plain(x))
        assert torch.equal(plain(Warp(Flip(chance=0)).encode(x)), plain(x))

    def test_a_mirror_among_other_movements(self):
        x = torch.rand(1, 3, 224, 224)
        turned = Warp(Rotate((90, 90)), Flip(chance=1)).encode(Image(x))
        torch.testing.assert_close(plain(turned), x.rot90(1, (-2, -1)).flip(-1), atol=1e-4, rtol=0)


class TestAllOfASampleMovesAlike:
    def test_points_stay_on_what_they_mark(self):
        warp = Warp(*ALL_MOVEMENTS, size=(50, 70))
        before = points()
        pictures, after = warp.encode((coordinates(), before))
        inside = ((plain(after) > 2) & (plain(after) < torch.tensor([68.0, 48]))).all(-1)

        assert after.canvas == ((50, 70),) * 8
        assert inside.sum() > 100
        torch.testing.assert_close(
            looked_up(pictures, after)[inside], plain(before)[inside], atol=0.005, rtol=0
        )

    def test_in_a_perspective_too(self):
        before = points(height=160, width=240)
        pictures, after = Warp(Perspective(0.2), Rotate(20)).encode((coordinates(8, 160, 240), before))
        inside = ((plain(after) > 2) & (plain(after) < torch.tensor([238.0, 158]))).all(-1)

        assert inside.sum() > 100
        torch.testing.assert_close(
            looked_up(pictures, after)[inside], plain(before)[inside], atol=0.01, rtol=0
        )

    def test_what_leaves_the_canvas_is_not_there(self):
        after = Warp(Zoom((3, 3))).encode(Keypoints([[30.0, 20], [1, 1]], canvas=(40, 60)))
        assert after.present.tolist() == [True, False]

    def test_masks_fit_their_pictures_and_get_no_new_classes(self):
        x = coordinates()[:, :1]
        left = Mask((plain(x)[:, 0] < 30).long() * 7)
        picture, mask = Warp(*ALL_MOVEMENTS, size=64).encode((Image(plain(x).repeat(1, 3, 1, 1)), left))

        assert set(mask.unique().tolist()) == {0, 7}
        sure = (plain(picture)[:, 0] - 30).abs() > 1.5
        assert torch.equal((plain(picture)[:, 0] < 30)[sure], (plain(mask) == 7)[sure])

    def test_large_class_numbers_stay_exact(self):
        mask = Mask(torch.tensor([[[2**40 + 1, 2**40 + 3], [5, 2**40 + 3]]]))
        moved = Warp(Rotate(40)).encode(mask)
        assert set(moved.unique().tolist()) <= {2**40 + 1, 2**40 + 3, 5}

    @pytest.mark.parametrize("dtype", [torch.uint8, torch.bool, torch.int16, torch.int32])
    def test_masks_keep_their_dtype(self, dtype):
        assert Augment(size=8).encode(Mask(torch.ones(2, 9, 9, dtype=dtype))).dtype == dtype

    def test_boxes_hold_what_they_held_and_keep_their_labels(self):
        before = points(2)
        boxes = Boxes(
            torch.cat([plain(before), plain(before)], -1),
            canvas=before.canvas,
            labels=(tuple(range(50)),) * 2,
        )
        warp = Warp(Rotate(20), Flip(), Perspective(0.1))
        places, held = warp.encode((before, boxes))

        assert held.labels == boxes.labels
        both = places.present & held.present
        torch.testing.assert_close(plain(held)[both][:, :2], plain(places)[both], atol=1e-3, rtol=0)

    def test_partners_change_places_where_a_picture_is_mirrored(self):
        eyes = Keypoints(
            torch.tensor([[20.0, 8], [11, 9]]).repeat(32, 1, 1),
            canvas=((24, 32),) * 32,
            names=("left eye", "right eye"),
            pairs=(("left eye", "right eye"),),
        )
        moved = plain(Warp(Flip()).encode(eyes))
        mirrored, same = torch.tensor([[21.0, 9], [12, 8]]), plain(eyes)[0]
        kinds = [torch.equal(one, mirrored) for one in moved]

        assert 0 < sum(kinds) < 32
        assert all(mirror or torch.equal(one, same) for mirror, one in zip(kinds, moved, strict=True))
        turned = plain(Warp(Flip(chance=1), Flip("height", chance=1)).encode(eyes))  # no mirror: half a turn
        assert turned[0].tolist() == [[12, 16], [21, 15]]

    def test_a_mask_of_half_the_size_moves_alike(self):
        x = coordinates(2, 40, 60)
        small = Mask((torch.arange(30) < 15).long().repeat(2, 20, 1))
        warp = Warp(Rotate(30), Zoom((1.1, 1.3)))
        picture, mask = warp.encode((x, small))
        large = plain(mask).repeat_interleave(2, 1).repeat_interleave(2, 2).bool()
        sure = (plain(picture)[:, 0] - 30).abs() > 3
        assert torch.equal((plain(picture)[:, 0] < 30)[sure], large[sure])

    def test_other_things_pass(self):
        sample = {
            "photo": Image(torch.rand(2, 3, 8, 8)),
            "label": Category(torch.tensor([1, 2])),
            "name": "x",
        }
        moved = Augment().encode(sample)
        assert moved["label"] is sample["label"]
        assert moved["name"] == "x"

    def test_one_item_is_a_batch_of_one(self):
        batch = (coordinates(1), points(1))
        item = (coordinates(1)[0], points(1)[0])
        warp = Warp(*ALL_MOVEMENTS)
        for one, many in zip(fixed(warp, item), fixed(warp, batch), strict=True):
            assert torch.equal(plain(one).nan_to_num(), plain(many)[0].nan_to_num())
            assert not one.is_batch

    def test_unequal_counts_are_refused(self):
        with pytest.raises(ValueError, match="beside an Image of 4 there is a Mask of 2"):
            Augment().encode((Image(torch.rand(4, 3, 8, 8)), Mask(torch.zeros(2, 8, 8, dtype=torch.uint8))))

    def test_places_without_a_canvas_are_refused(self):
        with pytest.raises(ValueError, match=r"Augment of Keypoints needs to know how large its canvas is"):
            Augment().encode(Keypoints([[1, 2]]))


class TestSpace:
    """Volumes, their masks and clouds in them move by one draw in three dimensions; spacing counts."""

    def scan(self, count=2):
        spacing = ((3.0, 1.0, 2.0),) * count
        z, y, x = torch.meshgrid(*[torch.arange(n) + 0.5 for n in (8, 20, 12)], indexing="ij")
        values = torch.stack([x * 2, y, z * 3]).repeat(count, 1, 1, 1, 1)
        cloud = torch.rand(count, 40, 3, generator=torch.Generator().manual_seed(0))
        cloud = PointCloud(cloud * 12 + torch.tensor([6.0, 4, 6]), canvas=((24, 20, 24),) * count)
        return Volume(values, spacing=spacing, orientation=("SPL",) * count), cloud

    def test_clouds_stay_where_they_were_in_their_volume(self):
        volume, cloud = self.scan()
        warp = Warp(
            Flip(), Flip("depth"), Rotate(15), Rotate(15, "height"), Rotate(15, "width"), Zoom((0.9, 1.1))
        )
        moved, places = warp.encode((volume, cloud))
        around = plain(places) / 1.0
        around = around / torch.tensor([24.0, 20, 24]) * 2 - 1
        found = grid_sample(plain(moved), around[:, None, None], padding_mode="border", align_corners=False)
        found = found[:, :, 0, 0].movedim(1, -1)
        sure = ((around.abs() < 0.8) & ~around.isnan()).all(-1)

        assert sure.sum() > 20
        torch.testing.assert_close(found[sure], plain(cloud)[sure], atol=0.01, rtol=0)

    def test_masks_of_volumes_move_alike(self):
        volume, _ = self.scan()
        low = VolumeMask((plain(volume)[:, 1] < 10).to(torch.uint8), spacing=volume.spacing)
        moved, mask = Warp(Rotate(20), Rotate(10, "width")).encode((volume, low))
        sure = (plain(moved)[:, 1] - 10).abs() > 2
        assert torch.equal((plain(moved)[:, 1] < 10)[sure], plain(mask)[sure].bool())

    def test_letters_say_where_the_axes_lead(self):
        volume, _ = self.scan(1)
        moved = Warp(Flip(chance=1), Flip("depth", chance=1), Rotate(10)).encode(volume)
        assert moved.orientation == ("IPR",)

    def test_spacing_follows_the_size(self):
        volume, _ = self.scan(1)
        assert Warp(size=(4, 10, 12)).encode(volume).spacing == ((6, 2, 2),)
        assert Warp(Zoom((2, 2))).encode(volume).spacing == volume.spacing

    def test_the_world_turns_about_its_origin(self):
        cloud = PointCloud([[1.0, 0, 5]])
        turned = Warp(Rotate((90, 90)), Crop(), Shift(0.5)).encode(cloud)
        torch.testing.assert_close(plain(turned), torch.tensor([[0.0, 1, 5]]))

    def test_a_slice_turns_round_and_its_mask_with_it(self):
        slice_ = DicomImage(torch.zeros(1, 40, 20), spacing=(1.0, 2.0))
        slice_[:, 10:30, 5:15] = 1  # a square of 20 mm
        mask = Mask((plain(slice_)[0] > 0).to(torch.uint8))
        turned, outline = Warp(Rotate((90, 90)), edges=0).encode((slice_, mask))
        assert (plain(turned) - plain(slice_)).abs().mean() < 0.02  # a little at the rim
        assert torch.equal(plain(outline), plain(mask))


class TestMeasurements:
    def test_scans_keep_their_unit(self):
        scan = DicomImage(torch.full((2, 1, 8, 8), -1000, dtype=torch.int16), window=((40, 400),) * 2)
        moved = Augment(**ALL_ON).encode(scan)
        assert moved.dtype == torch.float32
        torch.testing.assert_close(plain(moved), torch.full((2, 1, 8, 8), -1000.0))
        assert moved.window == scan.window

    def test_they_are_filled_with_their_smallest_value(self):
        scan = DicomImage(torch.full((1, 1, 8, 8), 40.0))
        scan[0, 0, 0, 0] = -1000
        assert Warp(Rotate((45, 45)), edges=0).encode(scan)[0, 0, 0, 0] == -1000


class TestEdges:
    def test_each_kind(self):
        x = Image(torch.full((1, 3, 9, 9), 0.25))
        shrunk = {
            edges: plain(Warp(Zoom((0.5, 0.5)), edges=edges).encode(x)) for edges in ("reflect", "border", 1)
        }
        assert shrunk["reflect"].unique().tolist() == [0.25]
        assert shrunk["border"].unique().tolist() == [0.25]
        assert shrunk[1][0, 0, 0, 0] == 1
        assert shrunk[1][0, 0, 4, 4] == 0.25

    def test_others_are_refused(self):
        with pytest.raises(ValueError, match='"reflect", "border" or a number; got \'mirror\''):
            Warp(edges="mirror")


class TestDraws:
    def test_each_picture_has_its_own(self):
        x = Image(smooth(1).repeat(6, 1, 1, 1))
        moved = plain(Augment().encode(x))
        assert len({tuple(one.flatten()[:50].tolist()) for one in moved}) == 6

    def test_the_same_numbers_give_the_same(self):
        x, augment = Image(smooth(4)), Augment(**ALL_ON)
        made = []
        for numbers in ((1, 0, 7, 0), (1, 0, 8, 0), (1, 0, 7, 0)):
            augment.reseed(*numbers)
            made.append(plain(augment.encode(x)))
        assert torch.equal(made[0], made[2])
        assert not torch.equal(made[0], made[1])

    def test_torchs_own_chance_is_left_alone(self):
        torch.manual_seed(3)
        expected = torch.rand(1)
        torch.manual_seed(3)
        Augment(**ALL_ON).encode(Image(torch.rand(2, 3, 8, 8, generator=torch.Generator())))
        assert torch.equal(torch.rand(1), expected)

    def test_it_can_be_sent_to_another_process(self):
        x, augment = Image(smooth(2)), Augment(**ALL_ON)
        again = pickle.loads(pickle.dumps(augment))
        for one in (augment, again):
            one.reseed(5)
        assert torch.equal(plain(augment.encode(x)), plain(again.encode(x)))

    def test_loaders_make_the_same_batches_in_any_number_of_workers(self):
        photos = [(Image((one * 255).byte()), f"kind {number % 2}") for number, one in enumerate(smooth(12))]
        batches = []
        for workers in (0, 1, 2):
            block = DataBlock(
                Image, Category, RandomSplit(0.25), batch_transforms=[Augment(size=16, crop=(0.5, 1))]
            )
            data = block.loaders(photos, batch_size=4, seed=3, workers=workers)
            batches.append([(plain(x), plain(y)) for _ in range(2) for x, y in data.train])
        for made in batches[1:]:
            for (x, y), (x2, y2) in zip(batches[0], made, strict=True):
                assert torch.equal(x, x2)
                assert torch.equal(y, y2)
        first, second = batches[0][0][0], batches[0][len(batches[0]) // 2][0]
        assert not torch.equal(first, second)


class TestWithoutChance:
    def test_held_out_batches_have_the_same_shape_and_are_cut_from_the_middle(self):
        ramp = coordinates(2, 40, 60)
        augment = Augment(size=20, crop=(0.35, 1))
        calm = augment.calm()
        assert not calm.random
        assert augment.random
        still = calm.encode(ramp)
        assert still.shape == augment.encode(ramp).shape
        torch.testing.assert_close(plain(still)[0, 0, 0], torch.arange(11, 51, 2.0), atol=1e-4, rtol=0)

    def test_whole_numbers_become_floats_there_too(self):
        x = Image(torch.full((2, 3, 4, 4), 255, dtype=torch.uint8))
        assert plain(Augment().calm().encode(x)).unique().tolist() == [1]
        assert plain(Augment().encode(x)).dtype == torch.float32

    @pytest.mark.parametrize("step", [Warp(Flip()), Recolour(Brightness()), Erase(1)], ids=repr)
    def test_what_comes_out_is_of_one_dtype_with_and_without_chance(self, step):
        x = Image(torch.full((2, 3, 4, 4), 255, dtype=torch.uint8)), Mask(torch.ones(2, 4, 4).long())
        calm = Pipeline(step).calm()
        assert [one.dtype for one in calm.encode(x)] == [one.dtype for one in step.encode(x)]
        assert plain(calm.encode(x)[0]).unique().tolist() == [1]

    def test_of_a_warp_the_size_is_left(self):
        assert repr(Warp(Flip(), Rotate(10)).calm()) == repr(Warp())
        assert repr(Warp(Flip(), Crop(), size=8).calm()) == repr(Warp(Fit("crop"), size=8))
        assert Pipeline(Augment(size=8)).calm().encode(Image(torch.rand(3, 20, 30))).shape == (3, 8, 8)


@pytest.mark.parametrize(
    "x",
    [
        Image(torch.rand(2, 3, 9, 9).half()),
        Image(torch.rand(2, 3, 9, 9).bfloat16()),
        Image(torch.rand(2, 3, 9, 9).double()),
        GrayImage(torch.rand(2, 1, 9, 9)),
        Image(torch.rand(2, 13, 9, 9)),
        Image(torch.rand(3, 1, 1)),
    ],
    ids=lambda x: f"{x.shape[-3]} {x.dtype}",
)
def test_any_dtype_and_number_of_channels(x):
    moved = Augment(**ALL_ON).encode(x)
    assert type(moved) is type(x)
    assert moved.dtype == x.dtype
    assert moved.shape == x.shape
    assert moved.isfinite().all()


def test_gradients_flow_to_the_pixels():
    augment = Augment(crop=(0.5, 1), perspective=0.1, brightness=0.01, contrast=0.01, saturation=0.01)
    pixels = torch.rand(1, 3, 5, 6, dtype=torch.float64, requires_grad=True) * 0.5 + 0.25
    assert torch.autograd.gradcheck(lambda x: plain(fixed(augment, Image(x))), pixels)


def test_compiled_code_goes_on_around_it():
    augment, x = Augment(size=8), torch.rand(2, 3, 10, 10)
    run = torch.compile(lambda x: plain(augment.encode(Image(x))) * 2, backend="eager")
    augment.reseed(1)
    compiled = run(x)
    augment.reseed(1)
    assert torch.equal(compiled, plain(augment.encode(Image(x))) * 2)


def test_what_is_no_movement_is_refused():
    with pytest.raises(
        TypeError, match=r"Warp takes movements, such as Warp\(Flip\(\), Rotate\(10\)\); got 3"
    ):
        Warp(3)
    with pytest.raises(ValueError, match=r"Flip happens with a chance from 0 to 1; got Flip\(.*chance=1.5\)"):
        Augment(flip=1.5)
    for size in (0, (8, -1), (1, 2, 3, 4), (1.5, 2), 2.5, ()):
        with pytest.raises(
            ValueError, match=r"A size is \(height, width\) in whole pixels, or one number; got"
        ):
            Warp(size=size)


@pytest.mark.parametrize("wrong", ["10", (1, 2, 3), (5,), float("nan")])
def test_an_amount_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match=r"a number, such as 0.1, or a pair, such as \(0, 0.1\); got"):
        Augment(rotate=wrong).encode(Image(smooth()))


def test_nothing_is_made_smaller_than_nothing():
    with pytest.raises(ValueError, match="so many times as large, more than 0; got -2"):
        Augment(zoom=-2)


def test_a_batch_without_items_is_refused():
    with pytest.raises(ValueError, match=r"Augment needs at least one item; there is an Image"):
        Augment().encode(Image(torch.rand(0, 3, 8, 8)))


class Cliff(Movement):
    """Tilt so far that the ground ends within the picture: y goes to y / (1 + 3 y), so 1 to a quarter."""

    def draw(self, frame, chance):
        return matrices((1, 0, 0), (0, 1, 0), (0, 3, 1))


def test_what_lies_behind_the_horizon_is_not_seen_upside_down():
    seen = plain(Warp(Cliff(), edges=0).encode(Image(torch.ones(1, 1, 60, 60))))[0, 0]
    assert (seen[:37, 30] == 1).all()
    assert (seen[39:] == 0).all()


class Heat(TypedTensor):
    """Degrees at each pixel: (height, width)."""

    axes = ("height", "width")
    dtypes = (torch.float32,)


def test_a_type_of_ones_own_moves_along_once_warp_has_a_method_for_it():
    photo, heat = Image(torch.rand(4, 1, 20, 30)), Heat(torch.rand(4, 20, 30) * 40)
    augment = Augment(size=16, brightness=0, contrast=0, saturation=0, hue=0)
    assert not augment.acts_on(heat)
    assert torch.equal(plain(augment.encode((photo, heat))[1]), plain(heat))

    @Warp.apply.method
    def apply(self, x: Heat, drawn):
        return typed_like(plain(self.apply(Image(plain(x)[..., None, :, :]), drawn))[..., 0, :, :], x)

    assert augment.acts_on(heat)
    moved, along = augment.encode((Image(plain(heat)[:, None] / 40), heat))
    assert type(along) is Heat
    torch.testing.assert_close(plain(along), plain(moved)[:, 0] * 40)


def test_it_is_written_as_one_would_type_it():
    assert repr(Augment(size=8, flip=0)) == "Augment(size=8, flip=0)"
    assert repr(Warp(Fit("crop"), size=8)) == "Warp(Fit(method='crop'), size=8, edges='reflect')"


class Counting(TorchDispatchMode):
    """What is computed on tensors as large as the batch, and what a device would have to be waited for."""

    def __init__(self, pixels):
        super().__init__()
        self.pixels, self.passes, self.waits = pixels, Counter(), Counter()

    def __torch_dispatch__(self, call, types, args=(), options=None):
        result = call(*args, **(options or {}))
        tensors = [leaf for leaf in tree_leaves((args, options, result)) if isinstance(leaf, torch.Tensor)]
        if not call.is_view and any(tensor.numel() >= self.pixels for tensor in tensors):
            self.passes[call.name()] += 1
        if any(word in call.name() for word in ("_local_scalar_dense", "nonzero", "masked", "equal")):
            self.waits[call.name()] += 1
        return result


@pytest.mark.parametrize(("options", "most"), [({}, 4), ({"crop": (0.35, 1)}, 4), (ALL_ON, 6)])
def test_few_passes_over_the_batch_and_no_wait(options, most):
    x = Image(torch.rand(8, 3, 64, 64))
    with Counting(8 * 64 * 64) as counting:
        Augment(**options).encode(x)
    assert counting.passes.total() <= most, counting.passes
    assert not counting.waits


def test_what_is_drawn_travels_in_one_copy():
    """Tensors on the device `meta` have no numbers: whoever asks for one, or waits, is told off."""

    class Copies(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, call, types, args=(), options=None):
            if call.name() == "aten::_to_copy" and options.get("device", torch.device("cpu")).type == "meta":
                self.count += 1
            return call(*args, **(options or {}))

    sample = (
        Image(torch.rand(4, 3, 8, 8)).to("meta"),
        Mask(torch.zeros(4, 8, 8, dtype=torch.uint8)).to("meta"),
    )
    with Copies() as copies:
        made = Augment(**ALL_ON).encode(sample)
    assert copies.count == 1
    assert [part.device.type for part in made] == ["meta", "meta"]


@gpu
def test_the_same_on_a_gpu_without_waiting():
    x, places = Image(smooth(4)), points(4)
    mask = Mask((plain(x)[:, 0] > 0.5).to(torch.uint8))
    augment = Augment(**ALL_ON)
    here = fixed(augment, (x, mask, places))
    there = tuple(part.cuda() for part in (x, mask, places))
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        moved = fixed(augment, there)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(plain(moved[0]).cpu(), plain(here[0]), atol=1e-3, rtol=0)
    assert (plain(moved[1]).cpu() == plain(here[1])).float().mean() > 0.999
    torch.testing.assert_close(plain(moved[2]).cpu(), plain(here[2]), atol=1e-3, rtol=0, equal_nan=True)
