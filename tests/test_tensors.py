"""Pictures, masks and categories: how they are made, what a person reads, and all they must work with."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest
import torch
from test_typed import NAMES, Scan, image, labels, mask, scans
from torch import nn
from torch._dynamo.testing import CompileCounter
from torch.nn import functional
from torchvision import tv_tensors
from torchvision.transforms import v2

from coursekit.tensors import (
    Category,
    GrayImage,
    Image,
    Mask,
    TypedTensor,
    collate_typed,
    plain,
    typed_like,
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
            (
                Image,
                torch.zeros(3, 4, 4, dtype=torch.int64),
                "of uint8, float32, .* got an int64 tensor.* Numbers beyond 255 are divided",
            ),
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

    def test_names_are_free_also_where_an_older_torch_has_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        theirs = property(lambda self: (None,) * self.dim())
        monkeypatch.setattr(torch.Tensor, "names", theirs, raising=False)
        line: Any = type("Line", (TypedTensor,), {"axes": ("columns",), "shared_metadata": ("names",)})

        assert line(torch.zeros(2)).names is None
        assert line(torch.zeros(2), names=("age", "job")).clone().names == ("age", "job")
        assert Image(line(torch.zeros(3))[:, None, None].expand(3, 4, 6)).metadata == {}

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
        assert repr(Image(torch.full((3, 1, 1), float("nan")))) == "Image(3x1x1, float32, all NaN)"
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

    def test_deepcopy_of_what_has_a_gradient(self) -> None:
        one = image().detach().requires_grad_()
        one.sum().backward()
        both = copy.deepcopy([one, one])

        assert both[0] is both[1]
        assert both[0].requires_grad
        assert both[0].grad.eq(1).all()
        with pytest.raises(RuntimeError, match="Only a leaf is copied"):
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
