"""Typed tensors: what keeps the type and what does not, metadata, files, and all they must work with."""

from __future__ import annotations

import copy
import io
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as pillow
from torch import nn
from torch._dynamo.testing import CompileCounter
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from coursekit.tensors import (
    KEEPS,
    Category,
    GrayImage,
    Image,
    Mask,
    TypedTensor,
    collate_typed,
    plain,
    typed_like,
)

NAMES = ("sound", "broken")


NOT_HERE = set() if torch.cuda.is_available() else {"cuda", "pin_memory"}
# What the methods of the table that need arguments are given.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(KEEPS["operators"].split(), (2,)),
    **dict.fromkeys(["add", "sub", "subtract", "mul", "multiply", "pow"], (2,)),
    **dict.fromkeys(["div", "divide", "true_divide"], (2,)),
    **dict.fromkeys(["clamp", "clip"], (0, 1)),
    **dict.fromkeys(["to", "type"], (torch.float64,)),
    "clamp_min": (0,),
    "clamp_max": (1,),
    "lerp": (torch.zeros(()), 0.5),
    "masked_fill": (torch.ones(4, 4, dtype=torch.bool), 0),
}


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
    @pytest.mark.parametrize("name", " ".join(KEEPS.values()).split())
    def test_each_method_of_the_table(self, name: str) -> None:
        """What a picture gets is what a plain tensor gets, and a picture if it can be one."""
        if name in NOT_HERE:
            pytest.skip("there is no GPU")
        arguments = ARGUMENTS.get(name, ())
        result = getattr(image(2), name)(*arguments)
        expected = getattr(plain(image(2)), name)(*arguments)

        assert type(result) is (Image if expected.dtype in Image.dtypes else torch.Tensor)
        assert torch.equal(plain(result), expected)

    @pytest.mark.parametrize("name", KEEPS["copies"].split())
    def test_a_mask_and_a_category_survive_copies_while_their_dtype_suits(self, name: str) -> None:
        if name in NOT_HERE:
            pytest.skip("there is no GPU")
        for one in (mask(), labels()):
            result = getattr(one, name)(*ARGUMENTS.get(name, ()))
            assert type(result) is (type(one) if result.dtype in one.dtypes else torch.Tensor)
            if type(result) is type(one):
                assert result.vocab == one.vocab

    @pytest.mark.parametrize("name", f"{KEEPS['amounts']} {KEEPS['operators']}".split())
    def test_amounts_make_no_sense_of_a_mask_or_a_category(self, name: str) -> None:
        for one in (mask(), labels()):
            arguments = (
                (torch.ones(one.shape, dtype=torch.bool), 0)
                if name == "masked_fill"
                else ARGUMENTS.get(name, ())
            )
            if name == "lerp":
                continue
            assert type(getattr(one, name)(*arguments)) is torch.Tensor

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


class TestMaking:
    def test_a_tensor_is_not_copied(self) -> None:
        values = torch.rand(3, 4, 4)

        assert Image(values).data_ptr() == plain(Image(values)).data_ptr() == values.data_ptr()
        assert type(values) is torch.Tensor

    def test_metadata_are_taken_over_and_may_be_given_anew(self) -> None:
        assert Mask(mask()).vocab == ("a", "b", "c")
        assert Mask(mask(), vocab=["x", "y", "z"]).vocab == ("x", "y", "z")
        assert Mask(torch.zeros(2, 2, dtype=torch.int64)).vocab is None

    @pytest.mark.parametrize(
        ("kind", "data", "says"),
        [
            (
                Image,
                torch.zeros(4, 4),
                "Image is channels x height x width .* a float32 tensor of shape (4, 4)",
            ),
            (Image, torch.zeros(1, 1, 3, 4, 4), "got a float32 tensor of shape (1, 1, 3, 4, 4) on cpu."),
            (Image, torch.zeros(3, 4, 4, dtype=torch.int64), "of uint8, float32, .* got an int64 tensor"),
            (Image, torch.zeros(224, 224, 3), "channels first; .* Move them: tensor.movedim(-1, -3)."),
            (GrayImage, torch.zeros(3, 4, 4), "GrayImage has one channel; got a float32 tensor"),
            (Mask, torch.zeros(4, 4), "Mask is height x width .* got a float32 tensor of shape (4, 4)"),
            (Mask, np.zeros((4, 4), dtype=np.float32), "got a float32 tensor of shape (4, 4)"),
            (Category, torch.zeros(3), "Category is one number .* got a float32 tensor of shape (3,)"),
            (Category, torch.zeros(3, 2, dtype=torch.int64), "got an int64 tensor of shape (3, 2)"),
            (
                Image,
                np.zeros((3, 4, 3), dtype=np.uint8),
                "channels stand first or last in an array of shape (3, 4, 3)?",
            ),
        ],
    )
    def test_what_does_not_fit_is_refused_with_what_came(self, kind: type, data: Any, says: str) -> None:
        pattern = ".*".join(re.escape(part) for part in says.split(".*"))
        with pytest.raises(ValueError, match=pattern):
            kind(data)

    def test_unknown_metadata(self) -> None:
        with pytest.raises(TypeError, match=r"Mask has no metadata 'vocabulary'; it has: vocab."):
            Mask(torch.zeros(2, 2, dtype=torch.int64), vocabulary=())
        with pytest.raises(TypeError, match=r"Image has no metadata 'vocab'; it has: none at all."):
            Image(torch.zeros(3, 2, 2), vocab=())

    def test_a_batch_needs_metadata_for_each_item(self) -> None:
        with pytest.raises(ValueError, match=r"so it has a tuple of 2 spacing; got \(1.0,\)"):
            Scan(torch.zeros(2, 3, 2, 2), spacing=(1.0,))

    def test_metadata_that_every_tensor_has_are_refused(self) -> None:
        with pytest.raises(
            TypeError, match=r"Cube: every tensor has 'shape'; give this metadata another name."
        ):
            type("Cube", (TypedTensor,), {"item_metadata": ("shape",)})

    def test_categories_by_name_and_number(self) -> None:
        label = Category("broken", vocab=NAMES)

        assert (int(label), str(label), f"{label}", f"{label:03d}", label.dtype) == (
            1,
            "broken",
            "broken",
            "001",
            torch.int64,
        )
        assert str(Category(1)) == "1"
        assert str(labels()) == "sound, broken, broken"
        assert str(Category(torch.tensor(7), vocab=NAMES)) == "7"

    def test_a_category_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="The vocabulary of this Category has no 'brocken'"):
            Category("brocken", vocab=NAMES)
        with pytest.raises(ValueError, match="Category 2 has no name"):
            Category(2, vocab=NAMES)

    def test_what_a_person_reads(self) -> None:
        assert (
            repr(Image(torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 2)))
            == "Image(1x1x2, uint8, 0..255)"
        )
        assert repr(image(2)) == "Image(2x3x4x4, float32, 0..0.979)"
        assert repr(mask()) == "Mask(4x4, int64, 0..2, vocab=('a', 'b', 'c'))"
        assert repr(labels()) == "Category(3, int64, 0..1, vocab=('sound', 'broken'))"
        assert repr(labels()[1]) == "Category(1, 'broken')"
        assert repr(Category(1)) == "Category(1, int64)"
        assert repr(Image(torch.zeros(3, 0, 5))) == "Image(3x0x5, float32)"
        assert repr(Image(torch.full((3, 1, 1), float("nan")))) == "Image(3x1x1, float32, nan..nan)"
        assert str(image()) == repr(image())

    def test_back_to_the_type_after_a_free_function(self) -> None:
        result = typed_like(torch.flip(mask(), [-1]), mask())
        assert type(result) is Mask
        assert result.vocab == ("a", "b", "c")

        assert type(typed_like(image(), torch.zeros(1))) is torch.Tensor
        assert typed_like(torch.zeros(3, 3, 2, 2), scans()).spacing == scans().spacing
        with pytest.raises(ValueError, match="Image is channels x height x width"):
            typed_like(torch.zeros(3), image())
        with pytest.raises(ValueError, match="so it has a tuple of 2 spacing"):
            typed_like(torch.zeros(2, 3, 4, 4), scans())


class TestACategoryOfOnesOwn:
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


class TestWithTorch:
    def test_autograd(self) -> None:
        weight = nn.Parameter(torch.ones(3, 1, 1))
        loss = functional.mse_loss(image() * weight, torch.zeros(3, 4, 4))
        loss.backward()

        assert type(loss) is type(weight.grad) is torch.Tensor
        photo = image().requires_grad_()
        (photo * 2).sum().backward()
        assert type(photo.grad) is torch.Tensor
        assert photo.grad.eq(2).all()

    def test_a_model_a_loss_and_a_step(self) -> None:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2))
        batch, targets = image(3), labels()
        loss = functional.cross_entropy(model(batch), targets)
        loss.backward()
        again = functional.cross_entropy(model(plain(batch)), plain(targets))

        assert type(loss) is torch.Tensor
        assert torch.equal(loss, again)
        assert all(type(one.grad) is torch.Tensor for one in model.parameters())

    @pytest.mark.parametrize("fullgraph", [True, False])
    def test_compile_has_no_breaks_and_gives_plain_tensors(self, fullgraph: bool) -> None:
        def work(photo: torch.Tensor, outline: torch.Tensor) -> torch.Tensor:
            return (photo * 2 + 1)[0].clamp(0, 1) * outline

        torch._dynamo.reset()
        counted = CompileCounter()
        compiled = torch.compile(work, backend=counted, fullgraph=fullgraph)
        result = compiled(image(2), mask())

        assert type(result) is torch.Tensor
        assert torch.equal(result, work(image(2), mask()))
        assert counted.frame_count == 1

    def test_vmap_and_functional_gradients(self) -> None:
        assert torch.vmap(lambda one: one.mean() * 2)(image(2)).shape == (2,)
        assert type(torch.func.grad(lambda one: (one * one).sum())(image())) is torch.Tensor

    def test_export(self) -> None:
        model = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()).eval()
        exported = torch.export.export(model, (image(1),))

        assert torch.equal(exported.module()(image(1)), model(image(1)))

    @pytest.mark.parametrize(
        "one", [image(), mask(), labels(), scans()], ids=["image", "mask", "category", "scan"]
    )
    def test_copies_keep_all(self, one: Any) -> None:
        stream = io.BytesIO()
        torch.save({"one": one}, stream)
        stream.seek(0)
        copies = [
            copy.copy(one),
            copy.deepcopy(one),
            pickle.loads(pickle.dumps(one)),
            torch.load(stream, weights_only=True)["one"],
        ]

        for made in copies:
            assert type(made) is type(one)
            assert made.metadata == one.metadata
            assert torch.equal(plain(made), plain(one))
        assert copies[1].data_ptr() != one.data_ptr()

    def test_deepcopy_of_what_has_a_gradient(self) -> None:
        one = image().detach().requires_grad_()
        one.sum().backward()
        both = copy.deepcopy([one, one])

        assert both[0] is both[1]
        assert both[0].requires_grad
        assert both[0].grad.eq(1).all()
        with pytest.raises(RuntimeError, match="Only a leaf can be copied"):
            copy.deepcopy(one * 2)

    def test_batches_carry_metadata(self) -> None:
        parts = [scans()[number] for number in range(3)]
        batch = collate_typed(parts)

        assert (type(batch), batch.spacing, batch.scanner) == (Scan, (0.5, 1.0, 2.0), "north")

    def test_items_that_make_no_batch(self) -> None:
        with pytest.raises(ValueError, match=r"item 0 is Image\(3x4x4.*item 1 is Image\(3x4x5"):
            collate_typed([image(), Image(torch.zeros(3, 4, 5))])
        with pytest.raises(ValueError, match=r"item 0 is Category.*item 1 is Category"):
            collate_typed([Category(0, vocab=NAMES), Category(0, vocab=("a", "b"))])

    @pytest.mark.parametrize(("workers", "start"), [(0, None), (1, "fork"), (1, "spawn")])
    def test_data_loader(self, workers: int, start: str | None) -> None:
        items = [(image() * number, Category(number % 2, vocab=NAMES), mask()) for number in range(4)]
        # On one thread, as a forked process of a library with threads is only safe before they are there.
        loader = DataLoader(items, batch_size=2, num_workers=workers, multiprocessing_context=start)
        batches = list(loader)

        assert len(batches) == 2
        for number, (photos, kinds, outlines) in enumerate(batches):
            assert (type(photos), type(kinds), type(outlines)) == (Image, Category, Mask)
            assert (str(kinds), outlines.vocab, outlines.shape) == (
                "sound, broken",
                ("a", "b", "c"),
                (2, 4, 4),
            )
            assert torch.equal(plain(photos[1]), plain(items[2 * number + 1][0]))

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
    def test_on_a_gpu(self) -> None:
        moved = mask().pin_memory().to("cuda", non_blocking=True)

        assert (type(moved), moved.vocab, moved.is_cuda) == (Mask, ("a", "b", "c"), True)
        assert "cuda:0" in repr(moved)


class TestWithTorchvision:
    def test_both_ways_without_a_copy(self) -> None:
        for one, there in ((image(), tv_tensors.Image), (mask(), tv_tensors.Mask)):
            other = one.to_tv()
            assert type(other) is there
            assert type(type(one)(other)) is type(one)
            assert type(one)(other).data_ptr() == other.data_ptr() == one.data_ptr()

    def test_transforms_know_what_they_get(self) -> None:
        photo, outline = v2.Resize((2, 2))(image().to_tv(), mask().to_tv())

        assert type(Image(photo)) is Image
        assert set(Mask(outline).unique().tolist()) <= {0, 1, 2}

    def test_a_typed_tensor_goes_in_as_a_tensor(self) -> None:
        assert v2.functional.resize(image(), [2, 2]).shape == (3, 2, 2)


class TestFiles:
    @pytest.fixture
    def photo(self) -> pillow.Image:
        return pillow.fromarray(np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3))

    def test_png_there_and_back(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.save(tmp_path / "a.png")
        one = Image.open(tmp_path / "a.png")

        assert (one.shape, one.dtype) == ((3, 4, 6), torch.uint8)
        assert np.array_equal(np.asarray(one.to_pil()), np.asarray(photo))
        assert torch.equal(plain(one), plain(Image(str(tmp_path / "a.png"))))
        assert torch.equal(plain(one), plain(Image(photo)))
        assert torch.equal(plain(one), plain(Image(np.asarray(photo).copy().transpose(2, 0, 1))))

    def test_numpy_out(self) -> None:
        assert isinstance(np.asarray(mask()), np.ndarray)
        assert np.asarray(image()).shape == (3, 4, 4)

    def test_the_camera_is_held_upright(self, photo: pillow.Image, tmp_path: Path) -> None:
        exif = pillow.Exif()
        exif[0x0112] = 6  # turn by a quarter to the right
        photo.save(tmp_path / "a.png", exif=exif)

        assert Image.open(tmp_path / "a.png").shape == (3, 6, 4)
        assert Mask(pillow.new("L", (6, 4))).shape == (4, 6)

    @pytest.mark.parametrize(
        "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I"]
    )
    def test_any_mode_becomes_what_the_type_says(self, mode: str) -> None:
        made = pillow.new(mode, (6, 4))

        assert (Image(made).shape, Image(made).dtype) == ((3, 4, 6), torch.uint8)
        assert (GrayImage(made).shape, GrayImage(made).dtype) == ((1, 4, 6), torch.uint8)

    def test_sixteen_bits_become_eight_by_weight(self, tmp_path: Path) -> None:
        values = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
        pillow.fromarray(values).save(tmp_path / "a.png")

        assert GrayImage.open(tmp_path / "a.png").flatten().tolist() == [0, 1, 128, 255]
        assert Mask.open(tmp_path / "a.png").flatten().tolist() == [0, 257, 32896, 65535]

    def test_a_palette_with_transparency(self, tmp_path: Path) -> None:
        made = pillow.new("P", (2, 1))
        made.putpalette([255, 0, 0, 0, 0, 255])
        made.putdata([0, 1])
        made.save(tmp_path / "a.png", transparency=b"\x00\xff")

        assert Image.open(tmp_path / "a.png").tolist() == [[[255, 0]], [[0, 0]], [[0, 255]]]
        assert Mask.open(tmp_path / "a.png", vocab=("red", "blue")).tolist() == [[0, 1]]

    def test_floating_point_goes_out_as_eight_bits(self) -> None:
        values = torch.tensor([-0.1, 0.5, 1.2]).reshape(1, 1, 3)

        assert list(np.asarray(GrayImage(values).to_pil()).flatten()) == [0, 128, 255]
        assert mask().to_pil().mode == "L"

    def test_what_is_no_picture(self, tmp_path: Path) -> None:
        (tmp_path / "notes.jpg").write_text("no picture")
        with pytest.raises(
            ValueError,
            match=r"^notes.jpg is not a picture that can be read: its bytes are in no picture format",
        ):
            Image.open(tmp_path / "notes.jpg")
        with pytest.raises(FileNotFoundError, match=r"There is no picture at .*gone.jpg: no such file."):
            Image.open(tmp_path / "gone.jpg")
        with pytest.raises(FileNotFoundError, match="it is a folder"):
            Mask.open(tmp_path)

    def test_half_a_picture(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.resize((64, 64)).save(tmp_path / "half.png")
        whole = (tmp_path / "half.png").read_bytes()
        (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])

        with pytest.raises(ValueError, match=r"^half.png is not a picture that can be read: "):
            Image.open(tmp_path / "half.png")

    def test_a_mask_in_colours(self, photo: pillow.Image, tmp_path: Path) -> None:
        photo.save(tmp_path / "a.png")
        with pytest.raises(
            ValueError, match=r"^a.png: a mask has one whole number for each pixel; .* the mode RGB"
        ):
            Mask.open(tmp_path / "a.png")

    def test_a_picture_that_does_not_say_what_white_is(self, tmp_path: Path) -> None:
        pillow.new("F", (2, 2)).save(tmp_path / "a.tiff")
        with pytest.raises(
            ValueError, match=r"^a.tiff: a floating-point picture does not say which value is white"
        ):
            Image.open(tmp_path / "a.tiff")

    def test_what_a_picture_cannot_hold(self) -> None:
        with pytest.raises(ValueError, match=r"this is a batch of 2: batch\[0\].to_pil"):
            image(2).to_pil()
        with pytest.raises(ValueError, match="A picture has 1, 3 or 4 channels, not 2"):
            Image(torch.zeros(2, 4, 4)).to_pil()
        with pytest.raises(ValueError, match=r"A picture holds 0..255, and these values are 0..300"):
            Mask(torch.tensor([[0, 300]])).to_pil()

    def test_the_file_is_closed(self, photo: pillow.Image, tmp_path: Path) -> None:
        """Warnings are errors here, so a file left open would be one."""
        photo.save(tmp_path / "a.png")
        Image.open(tmp_path / "a.png")
        (tmp_path / "a.png").unlink()
