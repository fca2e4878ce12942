"""Mixed items: shares and partners as drawn, losses of both answers, true areas, the same when resumed."""

from __future__ import annotations

import numpy
import pytest
import torch
from torch import nn
from torch.nn import functional

from coursekit.callbacks import Callback, Progress
from coursekit.checkpoints import Checkpoint
from coursekit.learner import Learner
from coursekit.losses import CrossEntropy
from coursekit.mixing import CutMix, MixUp
from coursekit.tensors import Category, Image, MultiCategory, Target

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


class Look(Callback):
    """Keeps what the model was given, what it answered, and the loss."""

    def __init__(self):
        self.training, self.validating = [], []

    def after_loss(self, learner):
        here = self.training if learner.training else self.validating
        here.append((learner.inputs, learner.targets, learner.predicted.detach(), learner.loss.item()))


def make_pictures(count: int = 2, size: int = 6, targets=None) -> list:
    torch.manual_seed(1)
    make = targets or (lambda: Category(torch.randint(0, 3, (size,)), vocab=("a", "b", "c")))
    return [(Image(torch.rand(size, 3, 8, 10)), make()) for _ in range(count)]


def make_learner(*callbacks, batches=None, loss=None, outputs=3, device="cpu") -> Learner:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(240, outputs))
    batches = batches or make_pictures()
    quiet = {"callbacks": [Progress("off"), *callbacks], "optimizer": torch.optim.SGD, "device": device}
    return Learner((batches, batches), model, loss or CrossEntropy(), **quiet)


def drawn(callback, epoch: int, batch: int, shape=(6, 3, 8, 10)) -> list[torch.Tensor]:
    return list(
        torch.from_numpy(callback.draw(numpy.random.default_rng((callback.seed, epoch, batch)), shape))
    )


@pytest.mark.parametrize(
    "loss", [CrossEntropy(), nn.CrossEntropyLoss(label_smoothing=0.1), functional.cross_entropy]
)
def test_blends_and_their_loss_are_those_by_hand(loss):
    mixing, look = MixUp(0.4, seed=3), Look()
    make_learner(mixing, look, loss=loss).fit(2, rate=0.1)
    smoothing = getattr(loss, "label_smoothing", 0.0)
    for number, (inputs, targets, scores, value) in enumerate(look.training):
        x, y = make_pictures()[number % 2]
        keep, partner = drawn(mixing, number // 2, number % 2)
        partner = partner.long()
        share = keep[:, None, None, None]
        torch.testing.assert_close(inputs, share * x.as_subclass(torch.Tensor) + (1 - share) * x[partner])
        soft = keep[:, None] * functional.one_hot(y, 3) + (1 - keep)[:, None] * functional.one_hot(
            y[partner], 3
        )
        expected = functional.cross_entropy(scores, soft, label_smoothing=smoothing)
        assert value == pytest.approx(float(expected), rel=1e-5)
        assert torch.equal(targets, y)

    assert len({float(inputs.sum()) for inputs, *_ in look.training}) == 4


def test_validation_sees_items_as_they_are():
    look = Look()
    make_learner(MixUp(), look).fit(1, rate=0.1)
    for (inputs, targets, scores, value), (x, y) in zip(look.validating, make_pictures(), strict=True):
        assert torch.equal(inputs, x)
        assert torch.equal(targets, y)
        assert value == pytest.approx(float(functional.cross_entropy(scores, y.as_subclass(torch.Tensor))))


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
def test_several_labels_are_blended_themselves(dtype):
    def several():
        return MultiCategory(torch.randint(0, 2, (6, 3)).to(dtype), vocab=("a", "b", "c"))

    def loss(scores, targets, reduction="mean"):
        return functional.binary_cross_entropy_with_logits(scores, targets.float(), reduction=reduction)

    mixing, look = MixUp(1.0), Look()
    batches = make_pictures(1, targets=several)
    make_learner(mixing, look, batches=batches, loss=loss).fit(1, rate=0.1)
    (_, targets, scores, value), y = look.training[0], batches[0][1].as_subclass(torch.Tensor).float()
    keep, partner = drawn(mixing, 0, 0)
    expected = keep[:, None] * y + (1 - keep)[:, None] * y[partner.long()]

    torch.testing.assert_close(targets, expected)
    assert value == pytest.approx(float(loss(scores, expected)), rel=1e-5)


def test_amounts_are_blended_themselves():
    mixing, look = MixUp(1.0), Look()
    batches = make_pictures(1, targets=lambda: Target(torch.rand(6), unit="kg"))

    def loss(predictions, targets, reduction="mean"):
        return functional.mse_loss(predictions.squeeze(1), targets, reduction=reduction)

    make_learner(mixing, look, batches=batches, loss=loss, outputs=1).fit(1, rate=0.1)
    keep, partner = drawn(mixing, 0, 0)
    y = batches[0][1].as_subclass(torch.Tensor)

    torch.testing.assert_close(look.training[0][1], keep * y + (1 - keep) * y[partner.long()])


def test_a_cut_picture_is_two_and_its_shares_are_their_areas():
    mixing, look = CutMix(seed=1), Look()
    batches = make_pictures(12)
    make_learner(mixing, look, batches=batches).fit(1, rate=0.1)
    shares = []
    for number, (inputs, _, scores, value) in enumerate(look.training):
        x, y = (part.as_subclass(torch.Tensor) for part in batches[number])
        keep, partner, *_ = drawn(mixing, 0, number)
        other = partner.long()
        is_own = (inputs == x).all(dim=1)
        assert torch.equal(is_own | (inputs == x[other]).all(dim=1), torch.ones(6, 8, 10, dtype=torch.bool))
        moved = other != torch.arange(6)
        torch.testing.assert_close(is_own.float().mean(dim=(1, 2))[moved], keep[moved])
        both = [functional.cross_entropy(scores, targets, reduction="none") for targets in (y, y[other])]
        assert value == pytest.approx(float((keep * both[0] + (1 - keep) * both[1]).mean()), rel=1e-5)
        shares += keep.tolist()

    assert min(shares) < 0.2
    assert max(shares) > 0.9


def test_the_shares_follow_beta():
    """Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2 a + 1))."""
    for alpha in (0.2, 1.0, 4.0):
        keep, _ = drawn(MixUp(alpha), 0, 0, (200_000, 1))
        assert float(keep.mean()) == pytest.approx(0.5, abs=5e-3)
        assert float(keep.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=2e-2)


@pytest.mark.parametrize("kind", [MixUp, CutMix])
def test_resumed_in_the_middle_it_goes_on_with_the_same_pairs(kind, tmp_path):
    class Crash(Callback):
        def before_batch(self, learner):
            if learner.epoch == 1 and learner.training and learner.batch_number == 1:
                raise KeyError("power")

    whole = make_learner(kind())
    whole.fit(3, rate=0.1)
    with pytest.raises(KeyError):
        make_learner(kind()).fit(3, rate=0.1, callbacks=[Checkpoint(tmp_path, every=1), Crash()])
    second = make_learner(kind())
    second.fit(3, rate=0.1, callbacks=[Checkpoint(tmp_path, every=1, resume=True)])

    assert second.recorder.losses == whole.recorder.losses


@gpu
@pytest.mark.parametrize("kind", [MixUp, CutMix])
def test_nothing_waits_for_the_gpu(kind):
    there, here = make_learner(kind(), device="cuda"), make_learner(kind())
    there.data.train = [tuple(part.cuda() for part in batch) for batch in there.data.train]
    here.fit(1, rate=0.1)

    class NoWaits(Callback):
        def before_train(self, learner):
            torch.cuda.set_sync_debug_mode("error")

        def after_train(self, learner):
            torch.cuda.set_sync_debug_mode("default")

    try:
        there.fit(1, rate=0.1, callbacks=[NoWaits()])
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert there.recorder.losses == pytest.approx(here.recorder.losses, rel=1e-4)


def test_what_cannot_be_mixed_is_told_in_words():
    pictures = make_pictures(1)[0][0]
    with pytest.raises(
        TypeError, match=r"MixUp mixes inputs that are one tensor of floats, .* these are tuple of 2"
    ):
        make_learner(MixUp(), batches=[(pictures, pictures, torch.zeros(6))]).fit(1, rate=0.1)
    with pytest.raises(TypeError, match=r"labels \(N, C\); these are Tensor of shape \(6, 8, 10\), int64"):
        make_learner(MixUp(), batches=[(pictures, torch.zeros(6, 8, 10).long())]).fit(1, rate=0.1)
    with pytest.raises(
        TypeError, match=r"CutMix cuts pictures, \(N, C, H, W\); these are Tensor of shape \(6, 4\)"
    ):
        make_learner(CutMix(), batches=[(torch.rand(6, 4), torch.zeros(6).long())]).fit(1, rate=0.1)

    def my_loss(predictions, targets):
        return predictions.mean()

    with pytest.raises(TypeError, match=r'reduction="none"\) gives; my_loss has no such thing'):
        make_learner(MixUp(), loss=my_loss).fit(1, rate=0.1)
    with pytest.raises(ValueError, match=r"one way at a time: give the fit either MixUp or CutMix"):
        make_learner(MixUp(), CutMix()).fit(1, rate=0.1)
    with pytest.raises(ValueError, match=r"alpha is a positive number, such as 0\.4; got 0"):
        MixUp(alpha=0)
