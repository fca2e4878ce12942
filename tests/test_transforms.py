"""Transforms find their method by type, reach into tuples and dictionaries, and can be taken back."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.dispatch import method
from coursekit.samples import describe
from coursekit.steps import Categorize, Resize, ToFloat
from coursekit.tensors import Category, GrayImage, Image, Mask
from coursekit.transforms import Pipeline, Transform


class Add(Transform):
    """Adds to numbers, and only to numbers."""

    def __init__(self, amount):
        self.amount = amount

    @method
    def encode(self, x: int | float):
        return x + self.amount

    @method
    def decode(self, x: int | float):
        return x - self.amount


class Times(Transform):
    @method
    def encode(self, x: int | float):
        return x * 3

    @method
    def decode(self, x: int | float):
        return x / 3


def test_what_has_no_method_passes_through():
    assert Add(1).encode("text") == "text"


def test_tuples_and_dictionaries_are_walked_into():
    assert Add(1).encode((1, "a", {"b": (2,)})) == (2, "a", {"b": (3,)})


def test_a_subclass_inherits_methods_and_may_add_one():
    class AddToText(Add):
        @method
        def encode(self, x: str):
            return x + str(self.amount)

    assert AddToText(1).encode((1, "a")) == (2, "a1")
    assert Add(1).encode("a") == "a"


@given(st.integers(-1000, 1000))
def test_a_pipeline_undoes_its_last_step_first(x):
    pipeline = Pipeline(Add(1), Times())

    assert pipeline.encode(x) == (x + 1) * 3
    assert pipeline.decode(pipeline.encode(x)) == x


def test_each_step_is_set_up_on_what_the_steps_before_it_made():
    class Remember(Transform):
        def setup(self, items):
            self.items = list(items)

    remember = Remember()
    Pipeline(Times(), remember).setup([1, 2])

    assert remember.items == [3, 6]


def test_steps_that_learn_nothing_leave_the_items_alone():
    def items():
        raise AssertionError("nobody should look")
        yield

    Pipeline(Times(), Add(1)).setup(items())


def test_an_error_passes_with_a_note_that_says_where():
    class Fussy(Transform):
        @method
        def encode(self, x: Image):
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no") as caught:
        Pipeline(Add(1), Fussy()).encode((1, Image(torch.zeros(3, 2, 2))))

    assert caught.value.__notes__ == [
        "while Fussy was to encode element 1, an Image of shape (3, 2, 2), torch.float32",
        "Add had no method for it and had let it pass through",
    ]


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


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ((1, "a"), "a tuple of 2 (int, str)"),
        ("x" * 99, "the str 'xxx"),
        (torch.zeros(1), "a Tensor of shape (1,)"),
    ],
)
def test_describe_is_short(value: Any, words):
    assert describe(value).startswith(words)
    assert len(describe(value)) < 80
