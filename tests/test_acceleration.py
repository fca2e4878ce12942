"""Faster, and the same numbers: held against loops written by hand."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from coursekit.acceleration import CaptureGraph, ChannelsLast, Compile, MixedPrecision
from coursekit.averaging import AverageWeights, averaged_parts
from coursekit.callbacks import Callback, Progress
from coursekit.checkpoints import Checkpoint
from coursekit.finding_the_rate import find_rate
from coursekit.learner import Learner
from coursekit.losses import CrossEntropy
from coursekit.schedules import one_cycle
from coursekit.stepping import Accumulate, ClipGradients
from coursekit.tensors import Image

SIZES = (8, 8, 5, 8, 3)
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def make_batches() -> list:
    generator = torch.Generator().manual_seed(7)
    inputs = [torch.randn(size, 4, generator=generator) for size in SIZES]
    return [(x, (x.sum(dim=1) > 0).long()) for x in inputs]


def make_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def make_learner(*callbacks, valid=None, device="cpu", **options) -> Learner:
    quiet = [Progress("off"), *callbacks]
    data = (make_batches(), valid)
    return Learner(data, make_model(), CrossEntropy(), callbacks=quiet, device=device, **options)


def assert_same(one: nn.Module, other: nn.Module, tolerance: float = 0.0) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=tolerance, atol=tolerance)


def by_hand(kind: torch.dtype, device: str = "cpu") -> tuple[nn.Module, list[float]]:
    """Three accumulated batches a step, clipped, averaged, in one cycle of two epochs: all written out."""
    model, batches, losses = make_model().to(device), make_batches(), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    scaler = torch.amp.GradScaler(device, enabled=kind == torch.float16)
    average, steps = copy.deepcopy(model), 0
    for epoch in range(2):
        for start, end in ((0, 3), (3, 5)):
            items = sum(SIZES[start:end])
            for inputs, targets in batches[start:end]:
                with torch.autocast(device, dtype=kind):
                    scores = model(inputs.to(device))
                loss = functional.cross_entropy(scores.float(), targets.to(device))
                losses.append(loss.item())
                scaler.scale(loss * len(inputs) / items).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 0.3)
            progress = (epoch + (end - 1) / len(batches)) / 2
            optimizer.param_groups[0]["lr"] = 0.1 * one_cycle(progress)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            steps += 1
            decay = min(0.9, steps / (steps + 10))
            for mean, part in zip(averaged_parts(average), averaged_parts(model), strict=True):
                mean.lerp_(part, 1 - decay)
    return average, losses


def all_together(kind: str) -> list[Callback]:
    return [ClipGradients(norm=0.3), AverageWeights(0.9), Accumulate(3), MixedPrecision(kind)]


@pytest.mark.parametrize("kind", ["bf16", "fp16"])
@pytest.mark.parametrize("turned", [False, True])
def test_together_with_clipping_accumulating_averaging_and_one_cycle_it_is_a_loop_by_hand(kind, turned):
    """In whatever order they are given."""
    callbacks = all_together(kind)[:: -1 if turned else 1]
    learner = make_learner(*callbacks, valid=make_batches())
    learner.fit_one_cycle(2, rate=0.1)
    average, losses = by_hand({"bf16": torch.bfloat16, "fp16": torch.float16}[kind])

    # Accumulated gradients are weighed after they are added up, and by hand before: 16 bits round otherwise.
    assert learner.recorder.losses == pytest.approx(losses, rel=2e-2)
    assert_same(learner.model, average, tolerance=5e-3)


@gpu
@pytest.mark.parametrize("kind", ["bf16", "fp16"])
def test_on_a_gpu_it_is_a_loop_by_hand_and_nothing_waits(kind):
    learner = make_learner(*all_together(kind), device="cuda")
    learner.data.train = [tuple(part.cuda() for part in batch) for batch in learner.data.train]

    class NoWaits(Callback):
        def before_train(self, learner):
            torch.cuda.set_sync_debug_mode("error")

        def after_train(self, learner):
            torch.cuda.set_sync_debug_mode("default")

    try:
        learner.fit_one_cycle(2, rate=0.1, callbacks=[NoWaits()])
    finally:
        torch.cuda.set_sync_debug_mode("default")
    average, losses = by_hand({"bf16": torch.bfloat16, "fp16": torch.float16}[kind], "cuda")

    assert learner.recorder.losses == pytest.approx(losses, rel=2e-2)
    assert_same(learner.model, average, tolerance=5e-3)


@pytest.mark.parametrize(("kind", "dtype"), [("bf16", torch.bfloat16), ("fp16", torch.float16)])
def test_alone_it_is_torchs_way_to_the_last_bit(kind, dtype):
    learner = make_learner(MixedPrecision(kind))
    learner.fit(2, rate=0.01)
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, fused=True)
    scaler = torch.amp.GradScaler("cpu", enabled=kind == "fp16")
    for _ in range(2):
        for inputs, targets in make_batches():
            with torch.autocast("cpu", dtype=dtype):
                scores = model(inputs)
                loss = functional.cross_entropy(scores, targets)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()

    assert_same(learner.model, model)


def test_everybody_sees_the_loss_and_the_gradients_unscaled():
    class Look(Callback):
        def __init__(self, order):
            self.order, self.losses, self.norms = order, [], []

        def before_step(self, learner):
            self.norms.append(nn.utils.get_total_norm([p.grad for p in learner.model.parameters()]).item())

        def after_step(self, learner):
            self.losses.append(learner.loss.item())

    early, late, plain = Look(-100), Look(100), Look(0)
    make_learner(MixedPrecision("fp16"), early, late).fit(1, rate=0.01)
    make_learner(plain).fit(1, rate=0.01)

    assert early.norms == late.norms == pytest.approx(plain.norms, rel=1e-2)
    assert early.losses == late.losses == pytest.approx(plain.losses, rel=1e-2)


def test_a_step_too_large_for_fp16_is_left_out_and_the_scale_halved():
    precise = MixedPrecision("fp16")

    class Enlarge(Callback):
        def before_backward(self, learner):
            if learner.batch_number == 1:
                learner.loss = learner.loss * 1e5

    class Weights(Callback):
        def __init__(self):
            self.seen = []

        def after_step(self, learner):
            self.seen.append(copy.deepcopy(learner.model.state_dict()))

    weights = Weights()
    make_learner(precise, Enlarge(), weights).fit(1, rate=0.01)
    moved = [
        not torch.equal(a["0.weight"], b["0.weight"])
        for a, b in zip(weights.seen, weights.seen[1:], strict=False)
    ]

    assert moved == [False, True, True, True]
    assert precise.state_dict()["scale"] == 2.0**15


@pytest.mark.parametrize("large", [False, True])
def test_a_step_of_ones_own_is_taken_in_fp16_if_the_gradients_are_numbers(large):
    class Uphill(Learner):
        """Looks at the slope a little further up, as sharpness-aware minimisation does."""

        steps = 0

        def take_step(self):
            self.steps += 1
            weights = list(self.model.parameters())
            climbs = [0.1 * one.grad for one in weights]
            with torch.no_grad():
                torch._foreach_add_(weights, climbs)
            self.optimizer.zero_grad()
            self.predicted = self.call_model(self.inputs)
            self.compute_loss().backward()
            with torch.no_grad():
                torch._foreach_sub_(weights, climbs)
            super().take_step()

    class Enlarge(Callback):
        def before_backward(self, learner):
            if large and learner.batch_number == 1:
                learner.loss = learner.loss * 1e5

    def fitted(*callbacks):
        how = {"callbacks": [Progress("off"), *callbacks], "device": "cpu", "optimizer": torch.optim.SGD}
        learner = Uphill((make_batches(), None), make_model(), CrossEntropy(), **how)
        learner.fit(1, rate=0.1)
        return learner

    precise = MixedPrecision("fp16")
    learner = fitted(precise, Enlarge())
    assert learner.steps == (4 if large else 5)
    assert precise.state_dict()["scale"] == (2.0**15 if large else 2.0**16)
    if not large:
        assert_same(learner.model, fitted().model, tolerance=1e-3)
    assert all(one.isfinite().all() for one in learner.model.parameters())


def test_the_learner_is_as_before_when_the_fit_is_over_or_has_failed():
    class Fail(Callback):
        def after_backward(self, learner):
            raise KeyError("here")

    learner = make_learner()
    learner.fit(1, rate=0.01, callbacks=[MixedPrecision("fp16")])
    with pytest.raises(KeyError):
        learner.fit(1, rate=0.01, callbacks=[MixedPrecision("fp16"), Fail()])

    assert not {"call_model", "take_step"} & set(vars(learner))
    assert learner.call_model(torch.ones(1, 4)).dtype == torch.float32


def test_a_resumed_fit_in_fp16_goes_on_bit_for_bit(tmp_path):
    class Crash(Callback):
        def before_batch(self, learner):
            if learner.training and learner.epoch == 1 and learner.batch_number == 2:
                raise KeyError("power")

    class Enlarge(Callback):
        def before_backward(self, learner):
            if learner.batch_number == 1:
                learner.loss = learner.loss * 1e5

    whole = make_learner(*all_together("fp16"), Enlarge(), valid=make_batches())
    whole.fit_one_cycle(3, rate=0.1)
    first = make_learner(*all_together("fp16"), Enlarge(), valid=make_batches())
    with pytest.raises(KeyError):
        first.fit_one_cycle(3, rate=0.1, callbacks=[Checkpoint(tmp_path, every=1), Crash()])
    second = make_learner(*all_together("fp16"), Enlarge(), valid=make_batches())
    second.fit_one_cycle(3, rate=0.1, callbacks=[Checkpoint(tmp_path, every=1, resume=True)])

    assert second.recorder.losses == whole.recorder.losses
    assert_same(second.model, whole.model)


def test_a_trial_of_rates_leaves_everything_as_it_was_and_further_fits_keep_the_scale():
    precise = MixedPrecision("fp16")

    class Enlarge(Callback):
        def before_backward(self, learner):
            if learner.batch_number == 1:
                learner.loss = learner.loss * 1e5

    tried, plain = make_learner(precise), make_learner(MixedPrecision("fp16"))
    find_rate(tried, steps=10)
    assert precise.state_dict() == {}
    for learner in (tried, plain):
        learner.fit(1, rate=0.01, callbacks=[Enlarge()])
        learner.fit(1, rate=0.01)

    assert tried.recorder.losses == plain.recorder.losses
    assert precise.state_dict()["scale"] == 2.0**15


def test_kinds_of_numbers_have_names():
    with pytest.raises(ValueError, match=r"computes in \"bf16\" or \"fp16\"; 'fp8' is neither"):
        MixedPrecision("fp8")


def make_pictures() -> list:
    torch.manual_seed(3)
    return [(Image(torch.rand(4, 3, 8, 8)), torch.randint(0, 2, (4,))) for _ in range(3)]


def make_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))


def test_channels_last_gives_the_same_numbers_in_another_layout():
    learners = []

    class Look(Callback):
        order = 50

        def after_predict(self, learner):
            kinds.add((type(learner.inputs), learner.inputs.is_contiguous(memory_format=torch.channels_last)))

    kinds: set = set()
    for callbacks in ([ChannelsLast(), Look()], []):
        options = {"callbacks": [Progress("off"), *callbacks], "optimizer": torch.optim.SGD, "device": "cpu"}
        learners.append(
            Learner((make_pictures(), make_pictures()), make_network(), CrossEntropy(), **options)
        )
        learners[-1].fit(2, rate=0.01)

    assert kinds == {(Image, True)}
    assert learners[0].model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert_same(learners[0].model, learners[1].model, tolerance=1e-5)


def test_a_compiled_model_trains_to_the_same_numbers_under_its_own_names():
    compiled, plain = make_learner(valid=make_batches()), make_learner(valid=make_batches())
    compiled.fit_one_cycle(2, rate=0.1, callbacks=[Compile(backend="aot_eager"), *all_together("bf16")])
    plain.fit_one_cycle(2, rate=0.1, callbacks=all_together("bf16"))

    assert compiled.model._compiled_call_impl is None
    assert_same(compiled.model, plain.model, tolerance=1e-4)


def test_what_is_not_compiled_is_told():
    class Prints(nn.Linear):
        def forward(self, x):
            print("" if x.sum() > 0 else " ", end="")
            return super().forward(x)

    learner = make_learner()
    learner.model = Prints(4, 2)
    with pytest.warns(
        UserWarning, match=r"torch could not compile 1 place in the model, where it runs as befo"
    ):
        learner.fit(1, rate=0.1, callbacks=[Compile(backend="eager")])
    learner.fit(1, rate=0.1, callbacks=[Compile(backend="eager")])


def test_graphs_need_a_gpu_and_say_so():
    learner = make_learner()
    with pytest.warns(
        UserWarning, match="CUDA graphs need an NVIDIA GPU, and this fit computes on cpu: it goes"
    ):
        learner.fit(1, rate=0.1, callbacks=[CaptureGraph()])

    assert len(learner.recorder.rows) == 1


@gpu
def test_a_captured_graph_trains_to_the_same_numbers():
    captured, plain = make_learner(device="cuda"), make_learner(device="cuda")
    captured.fit(3, rate=0.01, callbacks=[CaptureGraph()])
    plain.fit(3, rate=0.01)

    assert_same(captured.model, plain.model, tolerance=1e-3)
