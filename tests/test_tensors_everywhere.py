"""Every typed kind in all that torch and NumPy do with tensors: each keeps what it should."""

from __future__ import annotations

import copy
import io
import itertools
import operator
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from examples import ABSTRACT, AMOUNTS, KINDS, MAKE, batch_of, name_of
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader

from coursekit import tensors
from coursekit.tensors import (
    KEEPS,
    Category,
    Image,
    Mask,
    MultiCategory,
    PointCloud,
    Row,
    Target,
    Volume,
    collate_typed,
    plain,
)

ROOT = Path(__file__).parent.parent
every_kind = pytest.mark.parametrize("kind", KINDS, ids=name_of)
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
    "masked_fill": (torch.tensor(True), 0),
}


def same(one: Any, other: Any) -> bool:
    """Whether two typed tensors are of one type, know the same and hold the same numbers."""
    return (
        type(one) is type(other) and one.metadata == other.metadata and torch.equal(plain(one), plain(other))
    )


def outcome(work: Any) -> Any:
    """What comes of it: a result, or the type of the error."""
    try:
        return work()
    except Exception as error:
        return type(error)


def test_there_is_an_example_of_every_kind() -> None:
    kinds = {kind for kind in vars(tensors).values() if isinstance(kind, type)}

    assert kinds - ABSTRACT == set(KINDS)


class TestWhatKeepsTheType:
    @every_kind
    @pytest.mark.parametrize("name", " ".join(KEEPS.values()).split())
    def test_the_table_holds_for_every_kind(self, kind: Any, name: str) -> None:
        """The numbers are those of a plain tensor; the type stays where the table says so and it can."""
        if name in NOT_HERE:
            pytest.skip("there is no GPU")
        arguments = ARGUMENTS.get(name, ())
        groups = {group for group, names in KEEPS.items() if name in names.split()}
        for one in (MAKE[kind](), batch_of(kind)):
            expected = outcome(lambda: getattr(plain(one), name)(*arguments))  # noqa: B023
            result = outcome(lambda: getattr(one, name)(*arguments))  # noqa: B023
            if isinstance(expected, type):
                assert result is expected
                continue
            stays = groups & {"copies", *kind.keeps} and kind.fits(expected)
            assert type(result) is (kind if stays else torch.Tensor)
            torch.testing.assert_close(plain(result), expected, rtol=0, atol=0, equal_nan=True)
            assert not stays or result.metadata == one.metadata

    @every_kind
    def test_in_place_a_tensor_stays_what_it_is(self, kind: Any) -> None:
        for change in (lambda x: x.fill_(1), lambda x: x.zero_(), lambda x: operator.iadd(x, 1)):
            one = MAKE[kind]()
            knew, changed = one.metadata, change(one)
            assert changed is one
            assert (type(one), one.metadata) == (kind, knew)

    @every_kind
    def test_free_functions_and_reductions_give_plain_tensors(self, kind: Any) -> None:
        one = batch_of(kind)
        results = [torch.cat([one, one]), torch.stack([one, one]), torch.flip(one, [0]), torch.clone(one)]
        results += [
            one.sum(),
            one.max(),
            one.reshape(-1, 1),
            one == one,
            one > 0,
            one.float().mean(),
            one != 0,
        ]
        results += [torch.where(one > 0, one, 0), torch.zeros_like(one), functional.relu(one)]

        assert {type(result) for result in results} == {torch.Tensor}


class TestMixedTypes:
    @pytest.mark.parametrize(("one", "other"), list(itertools.permutations(KINDS, 2)), ids=name_of)
    def test_two_kinds_do_what_two_plain_tensors_do(self, one: Any, other: Any) -> None:
        """Where two plain tensors do not fit, neither do these; what comes out is plain."""
        left, right = MAKE[one](), MAKE[other]()
        works = [operator.add, operator.mul, operator.sub, operator.eq, operator.lt, torch.maximum]
        works += [torch.Tensor.add, lambda x, y: torch.cat([x.flatten(), y.flatten()])]
        works += [lambda x, y: torch.where(x > 0, x, y), lambda x, y: torch.clamp(x, max=y)]
        for work in works:
            expected = outcome(lambda: work(plain(left), plain(right)))  # noqa: B023
            result = outcome(lambda: work(left, right))  # noqa: B023
            if isinstance(expected, type):
                assert result is expected
            else:
                assert type(result) is torch.Tensor
                assert torch.equal(result, expected)

    def test_losses_take_what_a_batch_is_made_of(self) -> None:
        scores, places = batch_of(Image), batch_of(Mask)
        named, several, amounts = batch_of(Category), batch_of(MultiCategory), batch_of(Target)
        kinds = torch.rand(2, 2, requires_grad=True)
        for loss in (
            functional.cross_entropy(scores, places),
            functional.cross_entropy(kinds, named),
            functional.cross_entropy(scores.mean((2, 3)), named),
            functional.cross_entropy(batch_of(Row), named),
            functional.binary_cross_entropy_with_logits(kinds, several),
            functional.mse_loss(amounts, amounts * 2),
            functional.l1_loss(scores, scores + 1),
            functional.nll_loss(kinds.log_softmax(-1), named),
        ):
            assert type(loss) is torch.Tensor
            assert loss.isfinite()


class TestGradients:
    @pytest.mark.parametrize("kind", AMOUNTS, ids=name_of)
    def test_they_flow_through_typed_results_and_are_plain(self, kind: Any) -> None:
        one = MAKE[kind]().requires_grad_()
        halved = one * 0.5 + one
        halved.sum().backward()

        assert type(halved) is kind
        assert type(one.grad) is torch.Tensor
        assert one.grad.eq(1.5).all()

    @pytest.mark.parametrize("kind", AMOUNTS, ids=name_of)
    def test_functional_gradients_and_vmap(self, kind: Any) -> None:
        one, batch = MAKE[kind](), batch_of(kind)

        def work(x: torch.Tensor) -> torch.Tensor:
            return (x * x).sum()

        assert torch.equal(torch.func.grad(work)(one), plain(one) * 2)
        mapped = torch.vmap(torch.func.grad(work))(batch)
        assert type(mapped) is torch.Tensor
        assert torch.equal(mapped, plain(batch) * 2)

    def test_autocast(self) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result = nn.Conv2d(3, 2, 3)(batch_of(Image))

        assert (type(result), result.dtype) == (torch.Tensor, torch.bfloat16)

    def test_channels_last(self) -> None:
        batch = batch_of(Image)
        for moved in (
            batch.to(memory_format=torch.channels_last),
            batch.contiguous(memory_format=torch.channels_last),
        ):
            assert type(moved) is Image
            assert moved.is_contiguous(memory_format=torch.channels_last)
            assert type(moved * 2) is type(moved[0]) is Image


class TestCopies:
    @every_kind
    def test_copies_files_and_other_processes(self, kind: Any) -> None:
        for one in (MAKE[kind](), batch_of(kind)):
            stream = io.BytesIO()
            torch.save(one, stream)
            stream.seek(0)
            for made in (
                copy.copy(one),
                copy.deepcopy(one),
                pickle.loads(pickle.dumps(one)),
                torch.load(stream, weights_only=True),
            ):
                assert same(made, one)

    @every_kind
    def test_another_device(self, kind: Any) -> None:
        """The meta device knows shapes only, and is there on every machine."""
        for one in (MAKE[kind](), batch_of(kind)):
            away = one.to("meta")
            assert (type(away), away.metadata, away.device.type) == (kind, one.metadata, "meta")
            assert kind.__name__ in repr(away)

    @every_kind
    @pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
    def test_on_a_gpu(self, kind: Any) -> None:
        one = batch_of(kind)
        pinned = one.pin_memory()
        moved = pinned.to("cuda", non_blocking=True)

        assert pinned.is_pinned()
        assert moved.is_cuda
        assert same(moved.cpu(), one)
        assert same(moved[0].cpu(), one[0])

    @every_kind
    def test_numpy_sees_the_same_memory(self, kind: Any) -> None:
        one = MAKE[kind]()
        array = np.asarray(one)

        assert array.shape == tuple(one.shape)
        one.zero_()
        assert not array.any()
        assert same(kind(array, **one.metadata), one)

    @pytest.mark.parametrize(("workers", "start"), [(0, None), (1, "fork"), (1, "spawn")])
    def test_a_data_loader_makes_batches_of_every_kind(self, workers: int, start: str | None) -> None:
        sample = {kind.__name__: MAKE[kind]() for kind in KINDS}
        loader = DataLoader([sample] * 4, batch_size=2, num_workers=workers, multiprocessing_context=start)

        for batch in loader:
            assert all(same(batch[kind.__name__], batch_of(kind)) for kind in KINDS)
            assert all(same(batch[kind.__name__][1], MAKE[kind]()) for kind in KINDS)


MODELS = {
    Image: lambda: nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten()),
    Volume: lambda: nn.Sequential(nn.Conv3d(1, 2, 2), nn.ReLU(), nn.Flatten()),
    PointCloud: lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Flatten()),
    Row: lambda: nn.Sequential(nn.Linear(2, 3), nn.ReLU()),
}


class TestModels:
    @every_kind
    def test_compiled_code_is_one_piece_of_plain_tensors(self, kind: Any) -> None:
        def work(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            parts = [x * 2 + 1, x[0], x[:1].clone(), x.sum(), x == x, x.float().mean(), x.to(torch.float64)]
            parts += [x.detach() - 1, 1 - x.clone(), x.clamp(0, 1), x.unsqueeze(0), plain(x), *x]
            return tuple(part + 0 for part in parts)

        batch = batch_of(kind)
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        by_default = torch.compile(work, backend="aot_eager")(batch)
        told = torch._dynamo.explain(work)(batch)
        torch._dynamo.reset()
        whole = torch.compile(work, backend="aot_eager", fullgraph=True)(batch)

        assert not torch._dynamo.utils.counters["graph_break"]
        assert (told.graph_count, told.graph_break_count) == (1, 0)
        for results in (by_default, whole):
            assert {type(result) for result in results} == {torch.Tensor}
            assert all(map(torch.equal, results, map(plain, work(batch))))

    @pytest.mark.parametrize("kind", MODELS, ids=name_of)
    def test_an_exported_model(self, kind: Any) -> None:
        model, batch = MODELS[kind]().eval(), batch_of(kind)
        exported = torch.export.export(model, (batch,))

        assert torch.equal(exported.module()(batch), model(batch))
        assert torch.equal(exported.module()(plain(batch)), model(batch))

    @pytest.mark.parametrize("kind", [Image, Row], ids=name_of)
    @pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
    def test_an_onnx_file(self, kind: Any, tmp_path: Path) -> None:
        for package in ("onnx", "onnxscript"):
            pytest.importorskip(package)
        runtime = pytest.importorskip("onnxruntime")
        model, batch, file = MODELS[kind]().eval(), batch_of(kind), tmp_path / "model.onnx"
        torch.onnx.export(model, (batch,), file, verbose=False)
        session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
        [found] = session.run(None, {session.get_inputs()[0].name: np.asarray(batch)})

        assert np.allclose(found, model(batch).detach().numpy(), atol=1e-5)

    @pytest.mark.skipif(not torch.distributed.is_available(), reason="torch was built without distributed")
    def test_two_processes_train_one_model(self, tmp_path: Path) -> None:
        """The gradient that each of two gloo processes ends with is that of both batches together."""
        torch.multiprocessing.spawn(half_of_the_work, (str(tmp_path),), nprocs=2)
        model, batch = seeded_model(), photos()
        functional.cross_entropy(model(batch), kinds_of(batch)).backward()
        found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]

        assert torch.equal(found[0], found[1])
        assert torch.allclose(found[0], model[1].weight.grad, atol=1e-6)


USE = """
from coursekit.geometry import rotate
from coursekit.tensors import Boxes, Category, Image, plain, typed_like

photo = Image(None)
reveal_type(photo)
reveal_type(photo + 1)
reveal_type(photo.mean())
reveal_type(plain(photo))
reveal_type(typed_like(photo.flip(-1), photo))
reveal_type(Image.open("a.png"))
reveal_type(Category(1).vocab)
reveal_type(Boxes.from_xywh([]))
reveal_type(rotate(photo, 30))
rotate("photo", 30)
Image()
"""


def test_a_type_checker_is_told_what_is_sure(tmp_path: Path) -> None:
    """What an operation keeps depends on its numbers, so `photo + 1` is a tensor to a checker.

    Takes a second after `make lint`, whose cache it reads, and a minute without.
    """
    mypy = pytest.importorskip("mypy.api")
    (tmp_path / "use.py").write_text(USE)
    options = [f"--config-file={ROOT}/pyproject.toml", f"--cache-dir={ROOT}/.mypy_cache"]
    found, _, _ = mypy.run([*options, str(tmp_path / "use.py")])
    kinds = re.findall(r'Revealed type is "(.*)"', found)
    errors = re.findall(r"error: (.*)", found)

    assert [re.sub(r"\w+\.(?=\w)", "", kind) for kind in kinds] == [
        *("Image", "Tensor", "Tensor", "Tensor", "Image", "Image"),
        *("tuple[str, ...] | None", "Boxes", "Image"),
    ]
    assert errors[0].startswith('No overload variant of "rotate" matches argument types "str", "int"')
    assert errors[1].startswith('Missing positional argument "data" in call to "Image"')


def photos() -> Image:
    return collate_typed([MAKE[Image]() * number for number in range(4)])


def kinds_of(batch: torch.Tensor) -> Category:
    return Category(torch.arange(len(batch)) % 2, vocab=("cat", "dog"))


def seeded_model() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(72, 2))


def half_of_the_work(rank: int, folder: str) -> None:
    """One of two processes: a step on its half of the batch, and the gradient it ended with."""
    torch.set_num_threads(1)
    group = {"rank": rank, "world_size": 2, "init_method": f"file://{folder}/meeting"}
    torch.distributed.init_process_group("gloo", **group)
    model = nn.parallel.DistributedDataParallel(seeded_model())
    mine = slice(2 * rank, 2 * rank + 2)
    batch, kinds = photos()[mine], kinds_of(photos())[mine]
    assert (type(batch), type(kinds)) == (Image, Category)
    functional.cross_entropy(model(batch), kinds).backward()
    torch.save(model.module[1].weight.grad, f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()
