"""One word moves every kind of thing, and what marked a place marks it afterwards."""

from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import grid_sample

from coursekit.choices import NoMethodError
from coursekit.geometry import crop, flip, resize, rotate
from coursekit.tensors import (
    Boxes,
    Category,
    DicomImage,
    GrayImage,
    Image,
    Keypoints,
    Mask,
    PointCloud,
    Row,
    Target,
    Volume,
    VolumeMask,
    collate_typed,
    plain,
)

some = settings(deadline=None, max_examples=30)
lengths = st.integers(1, 24)
degrees = st.one_of(st.floats(-400, 400), st.integers(-8, 8).map(lambda quarters: 90 * quarters))
seeds = st.integers(0, 10_000)
spacings = st.tuples(*[st.sampled_from([0.5, 1, 3])] * 3)


def sample(height=10, width=14, depth=6, seed=0, spacing=(3, 1, 2)):
    """One of each kind that has a place in space, on canvases of one size, and a cloud of the world."""
    chance = torch.Generator().manual_seed(seed)

    def values(*shape):
        return torch.randint(0, 200, shape, generator=chance)

    def places(*size):  # eighths: sums and differences of these are exact
        return values(5, len(size)) % 32 / 32 * torch.tensor(size)

    corners = torch.stack([places(width, height), places(width, height)])
    space = [length * distance for length, distance in zip((depth, height, width), spacing, strict=True)]
    names = ("nose", "left eye", "right eye", "left ear", "right ear")
    pairs = (("left eye", "right eye"), ("left ear", "right ear"))
    vocab = tuple(f"class {number}" for number in range(200))
    return (
        Image(values(3, height, width).byte()),
        GrayImage(values(1, height, width) / 200),
        DicomImage(values(1, height, width).short() - 100, spacing=spacing[1:], window=(40, 400)),
        Mask(values(height, width), vocab=vocab),
        Boxes(
            torch.cat([corners.amin(0), corners.amax(0)], 1), canvas=(height, width), labels=(0, 1, 2, 3, 4)
        ),
        Keypoints(places(width, height), canvas=(height, width), names=names, pairs=pairs),
        Volume(values(2, depth, height, width).short() - 100, spacing=spacing, orientation="SPL"),
        VolumeMask(values(depth, height, width), spacing=spacing, orientation="SPL", vocab=vocab),
        PointCloud(torch.cat([places(*space[::-1]), values(5, 1)], 1), canvas=space),
        PointCloud(places(8, 8, 8) - 4),
    )


def assert_same(one, other):
    assert type(one) is type(other)
    assert one.metadata == other.metadata
    torch.testing.assert_close(plain(one), plain(other), equal_nan=True)


def looked_up(picture, points):
    """Read a picture at places, between pixels by mixing: (points, channels)."""
    grid = points / torch.tensor(picture.shape[:0:-1]) * 2 - 1
    found = grid_sample(picture[None], grid[None, None], padding_mode="border", align_corners=False)
    return found[0, :, 0].T


def coordinates(height, width):
    """A picture of two channels that hold x and y: a straight ramp comes through any mixing unharmed."""
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return Image(torch.stack([x, y]))


def inner(points, height, width, margin):
    """Which points are further from the edges than a margin, so that there are pixels to mix all around."""
    return ((points > margin) & (points < torch.tensor([width - margin, height - margin]))).all(1)


class TestPointsStayOnWhatTheyMark:
    """The picture holds coordinates; read where a point has gone, it still says where it was."""

    def check(self, move, seed, height, width):
        points = torch.rand(20, 2, generator=torch.Generator().manual_seed(seed))
        points *= torch.tensor([width, height])
        points = points[inner(points, height, width, margin=2)]
        picture, moved = move((coordinates(height, width), Keypoints(points, canvas=(height, width))))
        assert moved.canvas == tuple(picture.shape[-2:])
        kept = inner(plain(moved), *moved.canvas, margin=1.5)
        found = looked_up(plain(picture), plain(moved)[kept])
        torch.testing.assert_close(found, points[kept], atol=2e-3, rtol=0)

    @some
    @given(st.integers(4, 40), st.integers(4, 40), degrees, seeds)
    def test_rotate(self, height, width, angle, seed):
        self.check(lambda pair: rotate(pair, angle), seed, height, width)

    @some
    @given(lengths, lengths, st.sampled_from(["height", "width"]), seeds)
    def test_flip(self, height, width, axis, seed):
        self.check(lambda pair: flip(pair, axis), seed, height, width)

    @some
    @given(lengths, lengths, st.integers(1, 4), st.integers(1, 4), seeds)
    def test_resize_to_more_pixels(self, height, width, down, across, seed):
        self.check(lambda pair: resize(pair, (height * down, width * across)), seed, height, width)

    @some
    @given(st.data(), lengths, lengths, seeds)
    def test_crop(self, data, height, width, seed):
        size = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
        corner = data.draw(st.integers(0, height - size[0])), data.draw(st.integers(0, width - size[1]))
        self.check(lambda pair: crop(pair, corner, size), seed, height, width)

    @some
    @given(st.data(), st.integers(3, 20), st.integers(3, 20), degrees)
    def test_the_one_bright_pixel(self, data, height, width, angle):
        row, column = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
        picture = torch.zeros(1, height, width)
        picture[0, row, column] = 1
        point = Keypoints([[column + 0.5, row + 0.5]], canvas=(height, width))

        turned, moved = rotate((GrayImage(picture), point), angle)

        if moved.present.all():
            x, y = plain(moved)[0].tolist()
            near = plain(turned)[0, max(0, int(y - 1)) : int(y) + 2, max(0, int(x - 1)) : int(x) + 2]
            assert near.max() > 0.2
            assert near.sum() == pytest.approx(float(turned.sum()), abs=1e-4)

    @some
    @given(degrees, seeds, st.sampled_from(["depth", "height", "width"]), spacings)
    def test_a_cloud_stays_on_the_voxels_it_marked(self, angle, seed, axis, spacing):
        shape = (9, 10, 11)
        places = torch.stack(
            torch.meshgrid(*[torch.arange(length) + 0.5 for length in shape], indexing="ij")
        )[[2, 1, 0]] * torch.tensor(spacing[::-1]).reshape(3, 1, 1, 1)
        canvas = tuple(length * distance for length, distance in zip(shape, spacing, strict=True))
        points = torch.rand(30, 3, generator=torch.Generator().manual_seed(seed)) * torch.tensor(canvas[::-1])

        volume, cloud = rotate(
            (Volume(places, spacing=spacing), PointCloud(points, canvas=canvas)), angle, axis=axis
        )

        ends = torch.tensor(cloud.canvas[::-1])
        step = torch.tensor(volume.spacing[::-1])
        margin = 2.5 * step.max()
        old = ((points > margin) & (points < torch.tensor(canvas[::-1]) - margin)).all(1)
        kept = old & ((plain(cloud) > 1.5 * step) & (plain(cloud) < ends - 1.5 * step)).all(1)
        grid = plain(cloud)[kept] / ends * 2 - 1
        found = grid_sample(
            plain(volume)[None], grid[None, None, None], padding_mode="border", align_corners=False
        )
        torch.testing.assert_close(found[0, :, 0, 0].T, points[kept], atol=5e-3, rtol=0)


@some
@given(lengths, lengths, degrees, seeds)
def test_boxes_hold_the_points_they_held(height, width, angle, seed):
    chance = torch.Generator().manual_seed(seed)
    ends = torch.rand(2, 2, generator=chance) * torch.tensor([width, height])
    low, high = ends.amin(0), ends.amax(0)
    points = low + (high - low) * torch.rand(10, 2, generator=chance)
    canvas = (height, width)

    box, held = rotate(
        (Boxes(torch.cat([low, high])[None], canvas=canvas), Keypoints(points, canvas=canvas)), angle
    )

    held = plain(held[held.present])
    if len(held):
        left_top, right_bottom = plain(box)[0, :2], plain(box)[0, 2:]
        assert ((held >= left_top - 1e-3) & (held <= right_bottom + 1e-3)).all()
        assert (left_top >= 0).all()
        assert (right_bottom <= torch.tensor([box.canvas[1], box.canvas[0]])).all()


class TestQuarterTurns:
    @some
    @given(lengths, lengths, st.integers(1, 4), st.sampled_from([90, -90, 450, -630]), seeds)
    def test_four_are_no_turn_at_all(self, height, width, depth, angle, seed):
        for thing in sample(height, width, depth, seed):
            turned = thing
            for _ in range(4):
                turned = rotate(turned, angle)
            assert_same(turned, thing)
            assert_same(rotate(thing, 360), thing)
            assert_same(rotate(rotate(thing, angle), -angle), thing)

    @pytest.mark.parametrize("axis", ["depth", "height", "width"])
    def test_about_every_axis(self, axis):
        for thing in sample()[-4:]:
            turned = thing
            for _ in range(4):
                turned = rotate(turned, 90, axis=axis)
            assert_same(turned, thing)

    def test_what_is_wide_becomes_high_and_stands_as_one_sees_it(self):
        picture = GrayImage(torch.tensor([[[1.0, 2, 3], [4, 5, 6]]]))

        assert plain(rotate(picture, 90))[0].tolist() == [[3, 6], [2, 5], [1, 4]]
        assert plain(rotate(picture, -90))[0].tolist() == [[4, 1], [5, 2], [6, 3]]

    def test_spacing_and_the_directions_in_a_patient_turn_along(self):
        volume = Volume(torch.zeros(1, 4, 5, 6), spacing=(3, 1, 2), orientation="SPL")

        turned = rotate(volume, 90, axis="height")

        assert tuple(turned.shape) == (1, 6, 5, 4)
        assert (turned.spacing, turned.orientation) == ((2, 1, 3), "RPS")

    def test_an_angle_close_to_a_quarter_keeps_the_canvas(self):
        assert rotate(Image(torch.zeros(3, 4, 6)), 90.001).shape == (3, 4, 6)


class TestMirrors:
    @some
    @given(lengths, lengths, st.integers(1, 4), st.sampled_from(["depth", "height", "width"]), seeds)
    def test_twice_is_no_change_at_all(self, height, width, depth, axis, seed):
        for thing in sample(height, width, depth, seed)[6 if axis == "depth" else 0 :]:
            assert_same(flip(flip(thing, axis), axis), thing)

    def test_upside_down_is_left_right_and_half_a_turn(self):
        for thing in sample():
            assert_same(flip(thing, "height"), rotate(flip(thing), 180))

    def test_a_left_eye_is_a_right_eye_in_the_mirror(self):
        eyes = Keypoints(
            [[1, 2], [7, 3], [4, 5]],
            canvas=(8, 10),
            names=("left eye", "right eye", "nose"),
            pairs=(("left eye", "right eye"),),
        )

        assert flip(eyes).tolist() == [[3, 3], [9, 2], [6, 5]]
        assert flip(eyes[1:]).tolist() == [[3, 3], [6, 5]]  # its partner was not chosen

    def test_the_letters_say_where_the_left_of_the_patient_is(self):
        volume = Volume(torch.zeros(1, 4, 5, 6), orientation="SPL")

        assert [flip(volume, axis).orientation for axis in ("depth", "height", "width")] == [
            "IPL",
            "SAL",
            "SPR",
        ]


class TestAnyAngle:
    @pytest.mark.parametrize("angle", [30, -17.5, 200, 359])
    def test_a_picture_turns_as_torchvision_turns_it(self, angle):
        from torchvision.transforms.v2 import InterpolationMode, functional

        picture = torch.rand(3, 33, 48)
        theirs = functional.rotate(picture, angle, InterpolationMode.BILINEAR)
        everywhere = functional.rotate(torch.ones(1, 33, 48), angle, InterpolationMode.BILINEAR)[0] > 0.999

        difference = (plain(rotate(Image(picture), angle)) - theirs).abs()

        assert difference[:, everywhere].max() < 1e-3
        assert everywhere.float().mean() > 0.4

    def test_a_ball_stays_a_ball_in_millimetres(self):
        spacing, shape = (4.0, 1.0, 2.0), (20, 80, 40)
        places = [(torch.arange(n) + 0.5) * step for n, step in zip(shape, spacing, strict=True)]
        z, y, x = torch.meshgrid(*places, indexing="ij")
        far = ((z - 40) ** 2 + (y - 30) ** 2 + (x - 40) ** 2).sqrt()
        ball = Volume((20 - far).clamp(0, 4) / 4, spacing=spacing)

        for axis in ("depth", "height", "width"):
            weight = plain(rotate(ball, 37, axis=axis))[0]
            assert float(weight.sum() / plain(ball).sum()) == pytest.approx(1, abs=0.02)
            for place in (z, y, x):
                middle = (place * weight).sum() / weight.sum()
                spread = (((place - middle) ** 2 * weight).sum() / weight.sum()).sqrt()
                expected = (((x - 40) ** 2 * plain(ball)[0]).sum() / plain(ball).sum()).sqrt()
                assert float(spread) == pytest.approx(float(expected), rel=0.06)

    @pytest.mark.parametrize("axis", ["depth", "height", "width"])
    def test_the_slices_of_a_volume_turn_as_pictures_do(self, axis):
        volume = sample()[6]

        assert_same(
            rotate(volume, 30, axis=axis, fill=0).slice(3, axis), rotate(volume.slice(3, axis), 30, fill=0)
        )

    def test_the_corners_of_scans_are_filled_with_the_least_and_those_of_pictures_with_nothing(self):
        image, _, dicom, mask, *_, volume, _, _, _ = sample()

        assert int(rotate(dicom, 45)[0, 0, 0]) == int(plain(dicom).min())
        assert int(rotate(volume, 45)[1, 3, 0, 0]) == int(plain(volume).min())
        assert int(rotate(image, 45)[0, 0, 0]) == int(rotate(mask, 45)[0, 0]) == 0
        assert int(rotate(image, 45, fill=255)[0, 0, 0]) == int(rotate(mask, 45, fill=255)[0, 0]) == 255

    @some
    @given(lengths, lengths, degrees, seeds)
    def test_no_class_is_invented(self, height, width, angle, seed):
        mask = sample(height, width, seed=seed)[3]

        turned = rotate(mask, angle)

        assert set(turned.flatten().tolist()) <= {0, *mask.flatten().tolist()}
        assert turned.vocab == mask.vocab

    def test_what_it_is_and_what_is_known_of_it_stay(self):
        for thing in sample():
            turned = rotate(thing, 30)
            assert_same(turned[:0], thing[:0]) if isinstance(thing, Keypoints) else None
            assert (type(turned), turned.dtype, turned.shape) == (type(thing), thing.dtype, thing.shape)
            assert turned.metadata == thing.metadata

    def test_gradients_flow_through_a_picture(self):
        pixels = torch.rand(3, 8, 9, requires_grad=True)

        resize(crop(flip(rotate(Image(pixels), 30)), 1, 5), 4).sum().backward()

        assert pixels.grad is not None
        assert pixels.grad.abs().sum() > 0

    def test_the_world_turns_about_the_origin_seen_from_above(self):
        cloud = PointCloud([[1, 0, 5, 0.7]])

        assert rotate(cloud, 90).tolist() == [pytest.approx([0, 1, 5, 0.7])]
        assert rotate(cloud, 90, axis="height").tolist() == [pytest.approx([5, 0, -1, 0.7])]
        assert rotate(cloud, 90, axis="width").tolist() == [pytest.approx([1, -5, 0, 0.7])]


class TestBatches:
    @pytest.mark.parametrize(
        "move",
        [
            lambda x: rotate(x, 90),
            lambda x: rotate(x, 33),
            flip,
            lambda x: resize(x, 4),
            lambda x: crop(x, 1, 3),
        ],
        ids=["quarter", "turn", "flip", "resize", "crop"],
    )
    def test_a_batch_is_its_items_one_by_one(self, move):
        for one, other in zip(sample(seed=1)[:-1], sample(seed=2, spacing=(1, 1, 3))[:-1], strict=True):
            both = move(collate_typed([one, other]))
            assert_same(both[0], move(one))
            assert_same(both[1], move(other))

    def test_points_may_have_a_canvas_each(self):
        batch = Keypoints([[[1, 2]], [[1, 2]]], canvas=((4, 6), (8, 10)))

        turned = rotate(batch, 90)

        assert turned.canvas == ((6, 4), (10, 8))
        assert turned.tolist() == [[[2, 5]], [[2, 9]]]
        assert resize(batch, (4, 10)).tolist()[1] == [[1, 1]]

    def test_the_world_comes_in_batches_too(self):
        cloud = collate_typed([sample(seed=1)[-1], sample(seed=2)[-1]])

        assert_same(rotate(cloud, 33)[1], rotate(cloud[1], 33))
        assert_same(flip(cloud)[1], flip(cloud[1]))

    def test_a_batch_of_none(self):
        for thing in sample()[:-1]:
            batch = collate_typed([thing])[:0]
            for move in (lambda x: rotate(x, 90), lambda x: rotate(x, 33), flip, lambda x: crop(x, 1, 3)):
                assert len(move(batch)) == 0
            if hasattr(thing, "canvas"):
                assert len(resize(batch, 3)) == 0


class TestSizes:
    @pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float32])
    @pytest.mark.parametrize("shape", [(3, 40, 60), (2, 3, 40, 60)])
    def test_resize_keeps_type_and_dtype(self, shape, dtype):
        small = resize(Image(torch.zeros(shape, dtype=dtype)), (10, 20))

        assert type(small) is Image
        assert small.dtype == dtype
        assert tuple(small.shape) == (*shape[:-2], 10, 20)

    def test_resize_averages_what_it_shrinks(self):
        stripes = torch.tensor([0.0, 1.0] * 8).expand(1, 16, 16, 16)

        for along in (stripes, stripes.movedim(-1, 1).contiguous()):
            small = resize(Volume(along), 2)
            torch.testing.assert_close(plain(small), torch.full((1, 2, 2, 2), 0.5), atol=0.05, rtol=0)
        flat = plain(resize(GrayImage(stripes[0, :1].expand(1, 16, 16)), 2))
        torch.testing.assert_close(flat, torch.full((1, 2, 2), 0.5), atol=0.05, rtol=0)

    def test_a_volume_keeps_its_length_in_millimetres(self):
        volume = Volume(torch.zeros(1, 10, 20, 30, dtype=torch.int16), spacing=(3, 1, 2))

        assert resize(volume, (5, 20, 60)).spacing == (6, 1, 1)

    def test_a_mask_gets_no_new_classes_and_keeps_its_names(self):
        mask = Mask(
            torch.tensor([[1, 1, 3, 3], [1, 1, 3, 3]]), vocab=("none", "animal", "background", "border")
        )

        small = resize(mask, (5, 7))

        assert set(small.flatten().tolist()) == {1, 3}
        assert small.vocab == mask.vocab

    def test_boxes_keep_what_is_left_of_them_and_their_labels(self):
        boxes = Boxes([[1, 1, 6, 5], [8, 8, 9, 9]], canvas=(10, 10), labels=(3, 4))

        part = crop(boxes, (2, 2), (4, 5))

        assert part[0].tolist() == [0, 0, 4, 3]
        assert part.present.tolist() == [True, False]
        assert (part.canvas, part.labels) == ((4, 5), (3, 4))


class TestTogether:
    def test_the_rest_of_a_tuple_stays_as_it_is(self):
        photo, *_ = sample()
        rest = ("a cat", 3, None, Category(1, vocab=("cat", "dog")), Target(2.5), torch.tensor(4))

        turned = rotate((photo, *rest), 30)

        assert type(turned) is tuple
        assert_same(turned[0], rotate(photo, 30))
        assert all(one is other for one, other in zip(turned[1:], rest, strict=True))

    def test_tuples_in_dictionaries_and_named_tuples(self):
        class Pair(NamedTuple):
            photo: Image
            mask: Mask

        pair = Pair(*sample()[0:4:3])

        assert set(flip({"pair": pair, "number": 3})) == {"pair", "number"}
        assert type(flip(pair)) is Pair
        assert_same(flip({"pair": pair})["pair"].mask, flip(pair.mask))

    def test_an_error_names_the_element(self):
        with pytest.raises(ValueError, match="needs to know how large its canvas is") as caught:
            rotate({"photo": sample()[0], "eyes": Keypoints([[1, 2]])}, 30)

        assert caught.value.__notes__ == ["while rotate was at element 'eyes', Keypoints"]

    def test_voxels_and_millimetres_are_not_mixed(self):
        volume, cloud = sample()[6], sample()[8]

        with pytest.raises(ValueError, match="crop counts in voxels of a volume, but in the unit of"):
            crop((volume, cloud), 1, 3)
        assert len(crop((Volume(plain(volume)), cloud), 1, 3)) == 2

    def test_a_fill_is_for_what_has_corners_to_fill(self):
        photo, boxes = Image(torch.zeros(3, 9, 9)), Boxes([[3, 3, 6, 6]], canvas=(9, 9))
        volume, cloud = Volume(torch.zeros(4, 9, 9)), PointCloud([[4, 4, 2]], canvas=(4, 9, 9))
        turned, moved = rotate((photo, boxes), 45, fill=1)

        assert turned[0, 0, 0] == 1
        assert torch.equal(plain(moved), plain(rotate(boxes, 45)))
        assert torch.equal(plain(rotate((volume, cloud), 45, fill=1)[1]), plain(rotate(cloud, 45)))

    def test_a_type_of_ones_own_says_what_it_is_for_and_nothing_else(self):
        class Trace(Image): ...

        @flip.method
        def _(x: Trace, axis="width"):
            return "its own"

        assert flip(Trace(torch.zeros(3, 4, 4))) == flip(Trace(torch.zeros(3, 4, 4)), "height") == "its own"

    def test_a_plain_picture_is_not_passed_over(self):
        with pytest.raises(NoMethodError, match=r"Tensor could be several of these; say which, such as Im"):
            rotate((sample()[0], torch.zeros(4, 6)), 30)


class TestBadInput:
    def test_what_has_no_place_in_space_hears_what_has(self):
        with pytest.raises(NoMethodError) as caught:
            rotate(Row({"age": 39}), 30)

        assert str(caught.value).startswith(
            "rotate has no method for (Row, int).\nIt can take: Image, DicomImage, Mask, Volume, VolumeMask, "
        )

    def test_impossible_sizes_are_refused_in_words(self):
        with pytest.raises(ValueError, match="at least 1 x 1 pixels; 0 x 0 was asked for"):
            resize(Image(torch.zeros(3, 4, 4)), 0)
        with pytest.raises(ValueError, match="makes things larger than nothing; 0 x 0 was asked for"):
            resize(Boxes([[0, 0, 1, 1]], canvas=(4, 4)), 0)

    def test_a_part_beyond_the_edge_is_refused_in_words(self):
        wanted = r"crop stays within the canvas: 3 x 3 from \(2, 0\) on ends at 5 x 3, and this .* is 4 x 6"
        for thing in (Image(torch.zeros(3, 4, 6)), Boxes([[0, 0, 1, 1]], canvas=(4, 6))):
            with pytest.raises(ValueError, match=wanted):
                crop(thing, (2, 0), 3)
        with pytest.raises(ValueError, match="crop stays within the canvas"):
            crop(Image(torch.zeros(3, 4, 6)), (-1, 0), 3)

    def test_a_picture_without_pixels(self):
        empty = Image(torch.zeros(3, 0, 4))

        with pytest.raises(ValueError, match=r"needs pixels to start from; this Image is \(3, 0, 4\)"):
            resize(empty, 2)
        assert rotate(empty, 30).shape == flip(empty).shape == (3, 0, 4)
        assert rotate(empty, 90).shape == (3, 4, 0)

    def test_no_boxes_are_still_none(self):
        none = Boxes([], canvas=(4, 6))

        assert [
            tuple(x.shape) for x in (rotate(none, 30), flip(none), resize(none, 3), crop(none, 1, 2))
        ] == [(0, 4)] * 4
        assert rotate(none, 90).canvas == (6, 4)

    def test_what_is_not_there_stays_so_and_what_has_left_is_not_there(self):
        nowhere = float("nan")
        points = Keypoints([[nowhere, nowhere], [0, 0], [3, 2], [9, 9]], canvas=(4, 6))
        boxes = Boxes([[nowhere] * 4, [0, 0, 0.1, 0.1]], canvas=(4, 6))  # the corner leaves

        assert rotate(points, 30).present.tolist() == [False, False, True, False]
        assert rotate(points, 90).present.tolist() == [False, True, True, True]
        assert rotate(boxes, 45).present.tolist() == [False, False]

    def test_a_volume_without_spacing_has_voxels_like_dice(self):
        values = torch.rand(1, 5, 6, 7)
        known, unknown = Volume(values, spacing=(1, 1, 1)), Volume(values)

        assert rotate(unknown, 30, axis="height").spacing is None
        torch.testing.assert_close(
            plain(rotate(unknown, 30, axis="height")), plain(rotate(known, 30, axis="height"))
        )

    def test_values_that_are_no_numbers_stay_near_where_they_were(self):
        picture = torch.ones(1, 15, 15)
        picture[0, 7, 7] = float("nan")

        turned = plain(rotate(GrayImage(picture), 30, fill=1))

        assert 0 < int(turned.isnan().sum()) <= 9

    def test_a_wrong_axis_is_named(self):
        with pytest.raises(ValueError, match="flip of an Image knows the axes height, width; got 'depth'"):
            flip(Image(torch.zeros(3, 4, 6)), "depth")
        with pytest.raises(ValueError, match="rotate of a Volume knows the axes depth, height, width"):
            rotate(Volume(torch.zeros(1, 2, 2, 2)), 30, axis="x")

    def test_a_cloud_of_the_world_has_no_size(self):
        for move in (lambda x: resize(x, 4), lambda x: crop(x, 1, 2)):
            with pytest.raises(ValueError, match=r"PointCloud\(x, canvas=\(depth, height, width\)\)"):
                move(PointCloud([[1, 2, 3]]))


@pytest.mark.parametrize("angle", [90, 33])
def test_no_word_waits_for_the_device(angle):
    """Tensors on the meta device have no values that one could wait for."""
    for thing in sample()[:-1]:
        far = collate_typed([thing, thing]).to("meta")
        for moved in (rotate(far, angle), flip(far), resize(far, 4), crop(far, 1, 3)):
            assert (type(moved), moved.device.type) == (type(thing), "meta")


def test_pixels_that_are_not_square_are_not_turned_beside_what_knows_nothing_of_them() -> None:
    oblong = DicomImage(torch.zeros(1, 8, 8), spacing=(1, 2))
    points = Keypoints([[2, 3]], canvas=(8, 8))

    with pytest.raises(
        ValueError, match=r"pixels of 1 x 2 mm and turns in millimetres, Keypoints beside it in"
    ):
        rotate((oblong, points), 30)
    assert rotate((oblong, points), 90)[1].tolist() == [[3, 6]]
    assert rotate((DicomImage(torch.zeros(1, 8, 8), spacing=(2, 2)), points), 30)[1].shape == (1, 2)
