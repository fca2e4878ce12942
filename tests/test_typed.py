"""The typed tensor: what keeps the type and what does not, indexing, and a type of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from coursekit.tensors import Category, GrayImage, Image, Mask
from coursekit.typed import TypedTensor, collate_typed, plain

NAMES = ("sound", "broken")


class Scan(Image):
    """A picture with metadata for each item and metadata that a batch shares."""

    item_metadata = ("spacing",)
    shared_metadata = ("scanner",)


def image(*batch: int) -> Image:
    return Image(torch.arange(48.0).reshape(3, 4, 4).div(48).expand(*batch, 3, 4, 4).clone())


def mask(*batch: int) -> Mask:
    return Mask(
        torch.arange(16).reshape(4, 4).remainder(3).expand(*batch, 4, 4).clone(), vocab=("a", "b", "c")
    )


def labels() -> Category:
    return Category(torch.tensor([0, 1, 1]), vocab=NAMES)


def scans() -> Scan:
    return Scan(torch.rand(3, 3, 4, 4), spacing=(0.5, 1.0, 2.0), scanner="north")


class TestWhatKeepsTheType:
    def test_scalars_on_either_side(self) -> None:
        one = image()
        for result in (one + 1, 1 + one, one - 0.5, 1 - one, 2 * one, one / 2, 1 / (one + 1), one**2, -one):
            assert type(result) is Image

    def test_plain_tensors_on_either_side(self) -> None:
        noise = torch.rand(3, 1, 1)

        assert type(image() + noise) is type(noise + image()) is type(image(2) * noise) is Image
        assert type(nn.Parameter(noise) * image()) is torch.Tensor

    def test_the_same_type_on_both_sides(self) -> None:
        assert type(image() + image()) is type(0.3 * image() + 0.7 * image()) is Image

    @pytest.mark.parametrize(
        "name",
        [
            "mean",
            "sum",
            "amax",
            "amin",
            "max",
            "std",
            "flatten",
            "reshape",
            "permute",
            "transpose",
            "flip",
            "roll",
            "squeeze",
            "repeat",
            "expand",
            "bool",
            "gt",
            "eq",
            "isnan",
            "argmax",
            "softmax",
            "matmul",
            "cumsum",
            "sort",
            "where",
        ],
    )
    def test_everything_else_gives_plain_tensors(self, name: str) -> None:
        arguments = {
            "reshape": (-1,),
            "permute": (1, 2, 0),
            "transpose": (0, 1),
            "flip": (-1,),
            "roll": (1,),
            "repeat": (2, 1, 1),
            "expand": (2, 3, 4, 4),
            "gt": (0,),
            "eq": (0,),
            "softmax": (0,),
            "matmul": (torch.eye(4),),
            "cumsum": (0,),
            "where": (torch.tensor(True), torch.tensor(0.0)),
        }
        result = getattr(image(), name)(*arguments.get(name, ()))

        assert all(
            type(part) is torch.Tensor for part in (result if isinstance(result, tuple) else (result,))
        )

    def test_free_functions_give_plain_tensors(self) -> None:
        one = image(2)
        for result in (
            torch.add(one, 1),
            torch.clamp(one, 0, 1),
            torch.stack([one, one]),
            torch.cat([one, one]),
            functional.interpolate(one, scale_factor=2),
            functional.relu(one),
            torch.flip(one, [-1]),
        ):
            assert type(result) is torch.Tensor

    def test_a_result_that_cannot_be_of_the_type_is_plain(self) -> None:
        assert type(image() + torch.rand(5, 1, 1, 1, 1)) is torch.Tensor
        assert type(image() * 1j) is torch.Tensor
        assert type(image().to(torch.int64)) is torch.Tensor
        assert (
            type(Image(torch.zeros(3, 2, 2, dtype=torch.uint8)) + torch.zeros(3, 2, 2, dtype=torch.int64))
            is torch.Tensor
        )

    def test_an_operator_asks_for_the_dtype_too(self) -> None:
        class Steps(TypedTensor):
            axes = ("time",)
            dtypes = (torch.int32,)
            keeps = ("amounts", "operators")

        steps = Steps(torch.ones(4, dtype=torch.int32))

        assert type(steps * 2) is type(2 + steps) is type(steps - steps) is Steps
        assert type(steps * 0.5) is type(steps / 2) is type(steps.mul(0.5)) is torch.Tensor

    def test_mixed_types_give_plain_tensors_and_never_raise(self) -> None:
        photo, outline, label, gray = image(), mask(), Category(1), GrayImage(torch.rand(1, 4, 4))
        results = [
            photo * outline,
            outline * photo,
            photo + label,
            label + photo,
            photo + gray,
            gray + photo,
            photo.add(outline),
            photo.add(other=outline),
            photo.masked_fill(outline.bool(), 0),
            photo == outline,
            torch.where(outline > 0, photo, 0),
            torch.cat([plain(photo), outline[None]]),
            photo[outline.expand(3, 4, 4) > 1],
        ]

        assert {type(result) for result in results} == {torch.Tensor}

    def test_in_place_the_type_stays_what_it_was(self) -> None:
        photo = image()
        photo += mask()
        assert type(photo) is Image

        buffer = torch.zeros(3, 4, 4)
        buffer += image()
        torch.add(image(), 1, out=buffer)
        assert type(buffer) is torch.Tensor

    def test_what_cannot_be_added_is_pythons_error(self) -> None:
        with pytest.raises(TypeError, match="unsupported operand"):
            image() + "a"


class TestIndexing:
    @pytest.mark.parametrize(
        ("index", "shape"),
        [
            (0, (3, 4, 4)),
            (-1, (3, 4, 4)),
            (slice(1), (1, 3, 4, 4)),
            ([1, 0], (2, 3, 4, 4)),
            (None, None),
            ((Ellipsis, slice(1, 3), slice(2)), (2, 3, 2, 2)),
            ((0, Ellipsis, slice(1, 3)), (3, 4, 2)),
            (torch.tensor([True, False]), (1, 3, 4, 4)),
            (torch.tensor(1), (3, 4, 4)),
            (np.int64(1), (3, 4, 4)),
            ((slice(None), slice(0, 1)), (2, 1, 4, 4)),
            ((), (2, 3, 4, 4)),
            (Ellipsis, (2, 3, 4, 4)),
            ((slice(None), 0), None),
            ((slice(None), [0, 1]), None),
            ((0, 0), None),
            (torch.tensor([[0]]), None),
            ((Ellipsis, 0), None),
            (True, None),
            (torch.ones(2, 3, dtype=torch.bool), None),
        ],
    )
    def test_choosing_items_or_cutting_keeps_a_batch_of_pictures(self, index: Any, shape: Any) -> None:
        batch = image(2)
        result = batch[index]

        assert torch.equal(plain(result), plain(batch)[index])
        assert type(result) is (torch.Tensor if shape is None else Image)
        if shape is not None:
            assert result.shape == shape

    def test_one_picture(self) -> None:
        photo = image()

        assert type(photo[:, 1:3, 1:3]) is type(photo[None]) is type(photo.unsqueeze(0)) is Image
        assert type(photo[0]) is type(photo[[2, 1, 0]]) is type(photo.unsqueeze(1)) is torch.Tensor

    def test_a_mask_and_a_category(self) -> None:
        assert type(mask(2)[0]) is type(mask()[1:3]) is Mask
        assert type(mask()[0]) is torch.Tensor
        assert [str(label) for label in labels()] == ["sound", "broken", "broken"]
        assert labels()[1:].vocab == NAMES

    def test_the_items_of_a_batch_come_out_typed(self) -> None:
        assert [type(one) for one in image(2)] == [Image, Image]
        assert [type(one) for one in image()] == [torch.Tensor] * 3

    def test_metadata_are_indexed_with_the_batch(self) -> None:
        batch = scans()

        assert (batch[1].spacing, batch[-1].spacing, batch[torch.tensor(1)].spacing) == (1.0, 2.0, 1.0)
        assert batch[1:].spacing == (1.0, 2.0)
        assert batch[[2, 0]].spacing == batch[torch.tensor([2, 0])].spacing == (2.0, 0.5)
        assert batch[torch.tensor([True, False, True])].spacing == (0.5, 2.0)
        assert batch[..., 1:3].spacing == batch[:, :, 1:].spacing == (0.5, 1.0, 2.0)
        assert batch[0][None].spacing == (0.5,)
        assert batch[0, :, 1:].spacing == 0.5
        assert {one.scanner for one in (batch[0], batch[1:], batch + 1, batch.half())} == {"north"}

    def test_metadata_travel_with_arithmetic_but_not_into_another_number_of_items(self) -> None:
        assert (scans() * 2).spacing == (0.5, 1.0, 2.0)
        assert type(scans()[0] + torch.rand(5, 1, 1, 1)) is torch.Tensor

    @settings(max_examples=50, deadline=None)
    @given(rows=st.lists(st.integers(0, 2), max_size=5))
    def test_choosing_and_metadata_agree(self, rows: list[int]) -> None:
        batch = Scan(torch.arange(3.0).reshape(3, 1, 1, 1).expand(3, 3, 2, 2), spacing=(0.0, 1.0, 2.0))

        assert (
            list(batch[rows].spacing)
            == [float(one[0, 0, 0]) for one in batch[rows]]
            == [float(row) for row in rows]
        )


class TestATypeOfOnesOwn:
    def test_a_stranger_adds_a_type(self) -> None:
        class Sound(TypedTensor):
            axes = ("time",)
            keeps = ("amounts", "operators")
            item_metadata = ("rate",)

        clip = Sound(torch.rand(100), rate=16_000)
        batch = collate_typed([clip, clip * 0.5])

        assert (type(clip * 2), type(clip[10:20]), type(clip.mean()), type(batch[0])) == (
            Sound,
            Sound,
            torch.Tensor,
            Sound,
        )
        assert batch.rate == (16_000, 16_000)
        assert (2 * clip).rate == batch[1].rate == 16_000
        assert type(image() + Sound(torch.rand(4))) is torch.Tensor

    def test_what_a_type_writes_itself_stays_and_is_inherited(self) -> None:
        class Angle(TypedTensor):
            axes = ()
            keeps = ("amounts", "operators")

            def __add__(self, other: Any) -> Any:
                return super().__add__(other) % 360

        class Heading(Angle): ...

        for kind in (Angle, Heading):
            turned = kind(350.0) + 20
            assert (float(turned), type(kind(350.0) * 2), type(turned)) == (10.0, kind, torch.Tensor)

    def test_a_parents_operator_gives_the_type_of_the_child(self) -> None:
        class Bright(Image):
            item_metadata = ("lamp",)

            def __add__(self, other: Any) -> Any:
                return super().__add__(other)

        lit = Bright(torch.zeros(3, 2, 2), lamp="left") + 1
        assert (type(lit), lit.lamp) == (Bright, "left")


def test_arrays_in_another_order_of_bytes_are_read() -> None:
    assert TypedTensor(np.array([1, 2], dtype=">f4")).tolist() == [1, 2]


@pytest.mark.parametrize("data", [None, object(), [[1.0], [1.0, 2.0]]])
def test_what_is_no_numbers_is_refused_in_words(data: Any) -> None:
    with pytest.raises(TypeError, match=r"Scan is made of numbers; .* came, and "):
        Scan(data)
