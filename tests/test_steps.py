"""The steps of the library do what they say, and those that can be taken back come back."""

import importlib
import io
import math
import pkgutil

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import coursekit
from coursekit import tensors
from coursekit.cropping import Resize
from coursekit.steps import Categorize, Normalize, RandomFlip, RandomRotate, ToFloat
from coursekit.tensors import (
    Boxes,
    Category,
    DicomImage,
    GrayImage,
    Image,
    Keypoints,
    Mask,
    MultiCategory,
    PointCloud,
    Raster,
    Row,
    Target,
    Text,
    TypedTensor,
    Volume,
    VolumeMask,
    plain,
)
from coursekit.transforms import Pipeline, Steps, Transform


def test_categorize_numbers_sorted_names_and_gives_them_back():
    names = Categorize()
    names.setup(["sound", "broken", "sound"])

    assert names.vocab == ("broken", "sound")
    assert names.decode(names.encode("sound")) == "sound"
    assert names.decode(Category(torch.tensor([0, 1]), vocab=names.vocab)) == ["broken", "sound"]


def test_a_name_never_seen_is_refused_in_words():
    with pytest.raises(ValueError, match=r"'sounds' is not one of the 2 names.*Did you mean 'sound'\?"):
        Categorize(["broken", "sound"]).encode("sounds")


@pytest.mark.parametrize("kind", [Image, GrayImage])
def test_to_float_scales_pixels_and_back(kind):
    picture = kind(
        torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16).expand(3 if kind is Image else 1, 16, 16)
    )

    encoded = ToFloat().encode(picture)

    assert type(encoded) is kind
    assert (encoded.min(), encoded.max()) == (0, 1)
    assert torch.equal(ToFloat().decode(encoded), picture)


def test_to_float_leaves_masks_alone():
    mask = Mask(torch.tensor([[0, 2]]))

    assert ToFloat().encode(mask) is mask


def test_resize_changes_pictures_and_masks_together():
    picture, mask = Resize(4).encode(
        (Image(torch.zeros(3, 8, 8)), Mask(torch.zeros(8, 8, dtype=torch.int64)))
    )

    assert picture.shape[-2:] == mask.shape == (4, 4)


def test_to_float_keeps_the_unit_of_what_was_measured():
    scan = DicomImage(torch.tensor([[[-1000, 40]]], dtype=torch.int16), window=(40, 400))

    encoded = ToFloat().encode(scan)

    assert (type(encoded), encoded.dtype, encoded.window) == (DicomImage, torch.float32, (40, 400))
    assert ToFloat().decode(encoded).tolist() == [[[-1000.0, 40.0]]]


def test_resize_takes_what_geometry_takes_and_leaves_the_rest():
    points, name = Resize(4).encode((Keypoints([[4, 2]], canvas=(8, 8)), Category(1)))

    assert points.tolist() == [[2, 1]]
    assert name.tolist() == 1
    assert not Resize(4).acts_on(Category(1))


@pytest.mark.parametrize(
    ("items", "error", "words"),
    [
        ([], ValueError, "no name came.*give a list"),
        (["a", None], ValueError, r"name 1 is None \(1 of 2 are missing\)"),
        (["a", math.nan], ValueError, "name 1 is nan"),
        (["a", 1], TypeError, "these are of int, str: make them texts"),
        ([["a"]], TypeError, "these are of list"),
    ],
)
def test_names_that_cannot_be_learned_are_refused_in_words(items, error, words):
    with pytest.raises(error, match=words):
        Categorize().setup(items)


def test_categorize_finds_the_names_in_samples():
    names = Categorize()
    names.setup([(torch.zeros(2), "b"), (torch.zeros(2), "a")])
    pixels, code = names.encode((torch.zeros(2), "b"))

    assert names.vocab == ("a", "b")
    assert (pixels.tolist(), str(code)) == ([0, 0], "b")
    assert names.acts_on("b")
    assert not names.acts_on(pixels)


def pictures(count, generator, channels=3):
    sizes = torch.randint(1, 9, (count, 2), generator=generator).tolist()
    return [Image(torch.rand(channels, *size, generator=generator) * 9 + 100) for size in sizes]


def test_normalize_learns_in_one_pass_what_all_pixels_together_have():
    items = pictures(20, torch.Generator().manual_seed(1))
    scale = Normalize()
    scale.setup(iter((item, "label") for item in items))
    pixels = torch.cat([plain(item).flatten(1) for item in items], 1).double()

    torch.testing.assert_close(torch.tensor(scale.mean).double(), pixels.mean(1), rtol=1e-6, atol=0)
    torch.testing.assert_close(
        torch.tensor(scale.std).double(), pixels.std(1, correction=0), rtol=1e-6, atol=0
    )


def test_normalize_works_on_items_and_batches_alike():
    batch = Image(torch.rand(4, 3, 5, 5))
    scale = Normalize([0.5, 0.4, 0.3], [0.1, 0.2, 0.3])

    assert torch.equal(scale.encode(batch)[2], scale.encode(batch[2]))


def test_a_channel_that_is_the_same_everywhere_becomes_zero_and_comes_back():
    picture = Image(torch.full((2, 3, 3), 0.1) + torch.tensor([0.0, 1.0]).reshape(2, 1, 1))
    scale = Normalize()
    scale.setup([picture])

    assert scale.std == (1.0, 1.0)
    assert scale.encode(picture).abs().max() < 1e-6
    torch.testing.assert_close(plain(scale.decode(scale.encode(picture))), plain(picture))


def test_what_is_not_there_is_left_out_and_stays_so():
    rows = [
        Row({"age": age, "job": job}, vocabs={"job": ("baker", "nurse")})
        for age, job in ((20, "nurse"), (None, "baker"), (40, "nurse"))
    ]
    scale = Normalize()
    scale.setup(rows)
    encoded = scale.encode(rows[1])

    assert (scale.mean, scale.std) == ((30.0, 0.0), (10.0, 1.0))
    assert math.isnan(encoded["age"])
    assert encoded["job"] == "baker"


@pytest.mark.parametrize(
    ("settings", "items", "words"),
    [
        ({"mean": [0.5]}, None, "a mean and a std above 0 for each channel, or neither"),
        ({"mean": [0.5], "std": [0.0]}, None, "above 0"),
        ({"mean": [0.5], "std": [1.0, 1.0]}, None, "for each channel"),
        ({}, [], "none came that has channels.*give a list"),
        ({}, [Row([math.nan, 1.0])], r"it found \[0, 1\] in each"),
        ({}, [Row([math.inf])], "finite"),
        (
            {},
            [Image(torch.zeros(3, 2, 2)), Image(torch.zeros(1, 2, 2))],
            "has met 3 channels so far; this is an Image",
        ),
        (
            {},
            [Image(torch.zeros(3, 2, 2, dtype=torch.uint8))],
            "works on floats.*Put ToFloat\\(\\) before it",
        ),
    ],
)
def test_a_scale_that_cannot_be_is_refused_in_words(settings, items, words):
    with pytest.raises(ValueError, match=words):
        Normalize(**settings).setup(items)


def test_what_does_not_fit_the_scale_is_refused_in_words():
    picture = Image(torch.zeros(1, 2, 2))
    with pytest.raises(ValueError, match=r"learned nothing yet: call setup\(training items\)"):
        Normalize().encode(picture)
    with pytest.raises(ValueError, match=r"knows 3 channels; this is an Image of shape \(1, 2, 2\)"):
        Normalize([0.0] * 3, [1.0] * 3).decode(picture)


def test_what_was_given_is_not_learned():
    scale = Normalize([0.5], [2.0])
    scale.setup(["nobody looks"])

    assert (scale.mean, scale.std) == ((0.5,), (2.0,))


@pytest.mark.parametrize(
    "step", [RandomFlip(), RandomFlip(axis="height"), RandomRotate((90, 90)), RandomRotate(30)]
)
def test_picture_mask_points_and_boxes_move_together(step):
    spot = torch.zeros(16, 24, dtype=torch.int64)
    spot[3:6, 4:8] = 1
    sample = (
        Image(spot[None].float()),
        Mask(spot),
        Keypoints([[6, 4.5]], canvas=(16, 24)),
        Boxes([[4, 3, 8, 6]], canvas=(16, 24)),
        "label",
    )
    for seed in range(6):
        step.reseed(seed)
        picture, mask, points, boxes, label = step.encode(sample)
        centre = (plain(mask).nonzero().double().mean(0) + 0.5).flip(0)

        assert label == "label"
        assert (plain(picture)[0] > 0.5).ne(plain(mask).bool()).sum() <= 4
        torch.testing.assert_close(centre, plain(points)[0].double(), rtol=0, atol=0.5)
        assert (boxes[0, :2] <= points[0]).all()
        assert (points[0] <= boxes[0, 2:]).all()


def test_chance_is_a_share_and_both_sides_come():
    flipped = RandomFlip(0.25)
    seen = [flipped.encode(Image(torch.tensor([[[0.0, 1.0]]])))[0, 0, 0].item() for _ in range(400)]

    assert 60 < sum(seen) < 140
    with pytest.raises(ValueError, match="chance from 0 to 1; got 2"):
        RandomFlip(2)


@pytest.mark.parametrize("axis", ["width", "height"])
def test_whoever_tries_a_flip_soon_sees_both_sides(axis):
    corner = Image(torch.tensor([[[0.0, 1.0], [2.0, 3.0]]]))
    flip = RandomFlip(axis=axis)

    assert len({flip.encode(corner)[0, 0, 0].item() for _ in range(6)}) == 2


def test_two_flips_are_apart_before_anybody_seeds_them():
    corner = Image(torch.tensor([[[0.0, 1.0], [2.0, 3.0]]]))
    both = Pipeline(RandomFlip(), RandomFlip(axis="height"))

    assert {both.encode(corner)[0, 0, 0].item() for _ in range(40)} == {0, 1, 2, 3}


def test_a_type_that_geometry_is_taught_moves_too():
    from coursekit.geometry import flip

    class Profile(TypedTensor):
        axes = ("width",)

    assert not RandomFlip(1).acts_on(Profile(torch.arange(3)))

    @flip.method
    def _(x: Profile, axis: str = "width"):
        return Profile(plain(x).flip(-1))

    assert RandomFlip(1).encode(Profile(torch.arange(3))).tolist() == [2, 1, 0]


# What comes back: every step of the library that has a way back, over every type it takes.

NAMES = ("cat", "cow", "dog")
amounts = st.floats(-1000, 1000, width=32)


def filled(shape, values, dtype=torch.float32):
    """Tensors of a shape."""
    count = math.prod(shape)
    return st.lists(values, min_size=count, max_size=count).map(
        lambda x: torch.tensor(x, dtype=dtype).reshape(shape)
    )


shares, small, bytes_ = st.floats(0, 1, width=32), st.integers(0, 2), st.integers(0, 255)
VALUES = {
    Image: st.one_of(filled((3, 2, 3), shares), filled((3, 2, 3), bytes_, torch.uint8)).map(Image),
    GrayImage: st.one_of(filled((1, 2, 3), shares), filled((1, 2, 3), bytes_, torch.uint8)).map(GrayImage),
    DicomImage: st.one_of(
        filled((1, 2, 3), amounts), filled((1, 2, 3), st.integers(-1000, 3000), torch.int16)
    ).map(DicomImage),
    Mask: filled((2, 3), small, torch.int64).map(Mask),
    Volume: filled((1, 2, 2, 3), amounts).map(Volume),
    VolumeMask: filled((2, 2, 3), small, torch.int64).map(VolumeMask),
    Boxes: filled((2, 4), shares).map(Boxes),
    Keypoints: filled((2, 2), shares).map(Keypoints),
    PointCloud: filled((2, 3), shares).map(PointCloud),
    Category: small.map(lambda number: Category(number, vocab=NAMES)),
    MultiCategory: filled((3,), st.integers(0, 1)).map(MultiCategory),
    Target: amounts.map(Target),
    Text: filled((4,), small, torch.int64).map(Text),
    Row: filled((3,), amounts).map(Row),
    str: st.sampled_from(NAMES),
    int: st.integers(),
}


def learned(x):
    """A scale that was learned from this value, or from another if there is nothing to learn."""
    scale = Normalize()
    scale.setup([x if scale.acts_on(x) and x.is_floating_point() else Row([1.0, 2.0])])
    return scale


COMES_BACK = {Categorize: lambda x: Categorize(NAMES), ToFloat: lambda x: ToFloat(), Normalize: learned}
# These take lists, texts, records and samples: they are tried where they live, in vocabularies and blocks.
TRIED_ELSEWHERE = {"MultiCategorize", "Tokenize", "Tabulate", "Parts"}


def every(kind):
    """All kinds of step, wherever in the library they are."""
    for module in pkgutil.iter_modules(coursekit.__path__, "coursekit."):
        if module.name.removeprefix("coursekit.") not in ("kit", "lessons"):
            importlib.import_module(module.name)
    below = [one for child in kind.__subclasses__() for one in (child, *every(child))]
    return {one for one in below if one.__module__.startswith("coursekit.")}


def test_no_step_with_a_way_back_and_no_type_is_forgotten():
    claims = {kind for kind in every(Transform) if "decode" in vars(kind) and not issubclass(kind, Steps)}

    assert {kind.__name__ for kind in claims} == {kind.__name__ for kind in COMES_BACK} | TRIED_ELSEWHERE
    types = {vars(tensors)[name] for name in tensors.__all__ if isinstance(vars(tensors)[name], type)}
    assert types - {TypedTensor, Raster} == set(VALUES) - {str, int}


def assert_same(x, back):
    """That a value came back: equal, pictures as they look, amounts to a float's precision, kinds by name."""
    if isinstance(x, (Category, str, int)):
        assert str(back) == str(x)
        return
    assert type(back) is type(x)
    one, other = plain(x).double(), plain(back).double()
    if isinstance(x, Image) and not isinstance(x, DicomImage):
        one, other = (v if t.is_floating_point() else v / 255 for v, t in ((one, x), (other, back)))
        torch.testing.assert_close(other, one, rtol=0, atol=0.5001 / 255)
    else:
        torch.testing.assert_close(other, one, rtol=1e-6, atol=float(one.abs().max()) * 1e-6)


@pytest.mark.parametrize("kind", COMES_BACK)
@pytest.mark.parametrize("type_", VALUES)
@given(data=st.data())
def test_what_is_encoded_is_decoded(kind, type_, data):
    x = data.draw(VALUES[type_])
    step = COMES_BACK[kind](x)
    whole = isinstance(x, torch.Tensor) and not x.is_floating_point()

    if kind is Normalize and step.acts_on(x) and whole:
        with pytest.raises(ValueError, match="works on floats"):
            step.encode(x)
    elif kind is Categorize and type_ is int:
        with pytest.raises(ValueError, match="is not one of the 3 names"):
            step.encode(x)
    else:
        assert_same(x, step.decode(step.encode(x)))


THREE_CHANNELS = [kind for kind in VALUES if kind not in (GrayImage, DicomImage, Volume, int)]


@given(data=st.data())
def test_what_a_pipeline_encodes_it_decodes(data):
    """Of any of these steps, in any order that can be, on a sample of anything."""
    types = data.draw(st.lists(st.sampled_from(THREE_CHANNELS), min_size=1, max_size=3))
    sample = tuple(data.draw(VALUES[kind]) for kind in types)
    means, stds = (
        st.lists(st.floats(low, high, width=32), min_size=3, max_size=3) for low, high in ((-1, 1), (0.25, 2))
    )
    steps = [ToFloat(), *data.draw(st.lists(st.builds(Normalize, means, stds), max_size=3))]
    steps.insert(data.draw(st.integers(0, len(steps))), Categorize(NAMES))
    pipeline = Pipeline(*steps)

    for x, back in zip(sample, pipeline.decode(pipeline.encode(sample)), strict=True):
        assert_same(x, back)


def test_names_from_numpy_become_those_of_python():
    for names in (np.array(["b", "a"]), np.array([2, 1])):
        learned = Categorize()
        learned.setup(list(names))
        file = io.BytesIO()
        torch.save(learned.encode(names[0]), file)
        file.seek(0)

        assert learned.vocab == tuple(sorted(names.tolist()))
        assert learned.decode(torch.load(file, weights_only=True)) == names[0]


def test_a_number_without_a_name_is_refused_in_words():
    for code in (Category(2), Category(-1), Category([0, 2])):
        with pytest.raises(ValueError, match=r"(2|-1) numbers none of the 2 names \(cat, dog\)"):
            Categorize(["cat", "dog"]).decode(code)


def test_names_that_were_never_learned_are_asked_for():
    with pytest.raises(ValueError, match=r"knows no names yet: call setup\(training items\)"):
        Categorize().encode("cat")


def test_a_scale_comes_in_any_form():
    for numbers in (0.5, [0.5], np.array([0.5]), torch.tensor([0.5])):
        assert (Normalize(numbers, numbers).mean, Normalize(numbers, numbers).std) == ((0.5,), (0.5,))


class Trace(TypedTensor):
    """Readings of sensors over time."""

    axes = ("channels", "time")


def test_channels_of_a_type_of_ones_own_are_scaled():
    traces = [
        Trace(torch.tensor([[0.0, 2.0], [10.0, 30.0]])),
        Trace(torch.tensor([[4.0, 6.0], [20.0, 20.0]])),
    ]
    scale = Normalize()
    scale.setup(traces)

    assert scale.mean == (3.0, 20.0)
    batch = Trace(torch.stack([plain(trace) for trace in traces]))
    assert scale.encode(batch).mean(dim=(0, 2)).tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    assert torch.allclose(plain(scale.decode(scale.encode(batch))), plain(batch), atol=1e-5)
    assert type(scale.encode((batch, Category(1)))[0]) is Trace


def test_what_differs_by_less_than_a_float_can_hold_is_the_same_everywhere():
    image = Image(torch.tensor([0.0, 1.4e-45]).reshape(1, 1, 2))
    scale = Normalize()
    scale.setup([image])

    assert scale.encode(image).isfinite().all()


def test_what_has_no_channels_is_no_scale_to_learn():
    with pytest.raises(ValueError, match=r'none came that has channels: .*axes begin with "channels"'):
        Normalize().setup([Category(1), TypedTensor(torch.zeros(3))])
