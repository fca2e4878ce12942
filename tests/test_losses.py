"""Losses: the numbers of torch, and words for what does not fit."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from coursekit.losses import (
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Dice,
    Focal,
    MeanSquaredError,
    PointDistance,
    binary_cross_entropy,
    mean_squared_error,
    softmax,
)

loss = CrossEntropy()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 4), (2, 3, 4, 6)])
def test_is_torchs_cross_entropy(shape, reduction):
    scores = torch.randn(shape)
    targets = torch.randint(0, 3, shape[:1] + shape[2:])

    torch.testing.assert_close(
        loss(scores, targets, reduction=reduction),
        functional.cross_entropy(scores, targets, reduction=reduction),
    )


def test_who_knows_nothing_gets_the_logarithm_of_the_number_of_classes():
    assert float(loss(torch.zeros(4, 10), torch.arange(4))) == pytest.approx(math.log(10))


def test_activation_and_decode_read_the_scores():
    scores = torch.tensor([[0.0, math.log(3)]])

    torch.testing.assert_close(loss.activation(scores), torch.tensor([[0.25, 0.75]]))
    assert loss.decode(scores).tolist() == [1]


@pytest.mark.parametrize(
    ("scores", "targets", "words"),
    [
        (
            (4, 2),
            (3,),
            r"Scores of shape \(4, 2\) need targets of shape \(4,\).*\n.*4 items and there are 3 targets",
        ),
        ((4, 2), (4, 1), "one axis too many"),
        ((4, 2), (4, 2), r"one-hot.*targets.argmax\(dim=1\)"),
        ((4, 2, 7, 7), (4,), r"need targets of shape \(4, 7, 7\).*\n.*pooling or nn.Flatten"),
        ((4,), (4,), "one score for each class"),
    ],
)
def test_shapes_that_do_not_fit(scores, targets, words):
    with pytest.raises(ValueError, match=words):
        loss(torch.zeros(scores), torch.zeros(targets, dtype=torch.long))


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (
            [0, 2],
            "2 scores an item, so targets are class numbers from 0 to 1; these hold 2.\nGive the model 3",
        ),
        ([0, -1], "these hold -1.\nA class number cannot be negative"),
        ([9, 8], "these hold 8, 9.\nGive the model 10 outputs"),
    ],
)
def test_class_numbers_out_of_range(targets, words):
    with pytest.raises(ValueError, match=words):
        loss(torch.zeros(2, 2), torch.tensor(targets))


def test_measured_quantities_are_no_class_numbers():
    with pytest.raises(ValueError, match=r"dtype int64; these targets are torch.float32.*targets.long\(\)"):
        loss(torch.zeros(2, 2), torch.tensor([0.0, 1.0]))


def test_squared_errors_are_torchs():
    predictions, targets = torch.randn(7, 3, requires_grad=True), torch.randn(7, 3)
    ours, theirs = mean_squared_error(predictions, targets), functional.mse_loss(predictions, targets)

    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(loss, predictions)[0] for loss in (ours, theirs)))


@pytest.mark.parametrize("loss", [mean_squared_error, binary_cross_entropy])
@pytest.mark.parametrize(
    ("predictions", "targets", "words"),
    [
        ((4, 1), (4,), r"predictions have \(4, 1\) and targets \(4,\).\n.*predictions.squeeze\(-1\)"),
        ((4,), (4, 1), r"targets.squeeze\(-1\)"),
        ((4, 2), (3, 2), "different numbers of items"),
        ((4, 3), (4, 2), "as many outputs as each item has targets"),
    ],
)
def test_numbers_are_compared_one_by_one(loss, predictions, targets, words):
    with pytest.raises(ValueError, match=words):
        loss(torch.zeros(predictions), torch.zeros(targets))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.int64])
def test_binary_cross_entropy_is_torchs_with_its_gradient(dtype):
    scores = torch.cat([torch.randn(20) * 5, torch.zeros(4)]).requires_grad_()  # also where abs() has none
    targets = torch.randint(0, 2, (24,)).to(dtype)
    ours = binary_cross_entropy(scores, targets)
    theirs = functional.binary_cross_entropy_with_logits(scores, targets.float())

    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(loss, scores)[0] for loss in (ours, theirs)))


def test_binary_cross_entropy_stays_finite_and_learns_where_a_probability_would_round_to_0_or_1():
    scores = torch.tensor([-200.0, 200.0, 90.0], requires_grad=True)
    loss = binary_cross_entropy(scores, torch.tensor([1.0, 0.0, 1.0]))
    loss.backward()

    assert loss.item() == pytest.approx(400 / 3)
    assert scores.grad.tolist() == pytest.approx([-1 / 3, 1 / 3, 0.0])


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_is_torchs(dim):
    scores = torch.randn(4, 3, 5) * 10
    scores[0, 0, 0], scores[1] = -math.inf, scores[1] + 1e4

    torch.testing.assert_close(softmax(scores, dim), scores.softmax(dim))


def test_softmax_has_the_gradient_of_torchs():
    scores = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(softmax, scores)


REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


def gradient(value, scores):
    """What flows back from all of a loss."""
    return torch.autograd.grad(value.sum(), scores)[0]


@REDUCTIONS
@pytest.mark.parametrize("options", [{"label_smoothing": 0.2}, {"weights": [1, 2, 0.5]}, {"ignored": 1}])
def test_the_options_of_cross_entropy_are_torchs(options, reduction):
    scores, targets = torch.randn(40, 3, 2, requires_grad=True), torch.randint(0, 3, (40, 2))
    both = {"label_smoothing": 0.1, **options}
    theirs = functional.cross_entropy(
        scores,
        targets,
        reduction=reduction,
        weight=torch.tensor(both["weights"]).float() if "weights" in both else None,
        label_smoothing=both["label_smoothing"],
        ignore_index=both.get("ignored", -100),
    )
    ours = CrossEntropy(**both)(scores, targets, reduction=reduction)

    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient(ours, scores), gradient(theirs, scores))


def test_weights_and_an_ignored_class_go_together():
    scores, targets = torch.randn(40, 3), torch.randint(0, 3, (40,))
    theirs = functional.cross_entropy(scores, targets, torch.tensor([1.0, 2, 3]), ignore_index=2)

    torch.testing.assert_close(CrossEntropy(weights=(1, 2, 3), ignored=2)(scores, targets), theirs)


@pytest.mark.parametrize("loss", [CrossEntropy(ignored=255), Focal(ignored=255), Dice(ignored=255)])
def test_where_nobody_knows_anything_the_loss_is_0_and_nothing_is_learned(loss):
    scores = torch.randn(2, 3, 4, 4, requires_grad=True)
    value = loss(scores, torch.full((2, 4, 4), 255))

    assert value.item() == 0
    assert gradient(value, scores).count_nonzero() == 0


def test_255_is_told_from_a_class():
    with pytest.raises(ValueError, match=r"these hold 255.\nIf 255 means that nobody knows.*ignored=255"):
        loss(torch.zeros(2, 3), torch.tensor([0, 255]))
    with pytest.raises(ValueError, match=r"these hold 7.\nGive the model 8"):
        CrossEntropy(ignored=255)(torch.zeros(2, 3), torch.tensor([7, 255]))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CrossEntropy(label_smoothing=1.0), "a share from 0 to below 1; 1.0 was asked for"),
        (lambda: Focal(gamma=0.5), "gamma is 0 or at least 1"),
        (lambda: AbsoluteError(square_below=-1), "square_below is a distance, 0 or more"),
        (
            lambda: CrossEntropy(weights=[1, 2])(torch.zeros(1, 3), torch.tensor([0])),
            "weights for 2 classes, and the model gives 3 scores",
        ),
        (lambda: Dice()(torch.zeros(4, 2), torch.zeros(4).long()), r"areas.*these have \(4, 2\)"),
        (
            lambda: BinaryCrossEntropy()(torch.zeros(1, 2), torch.tensor([[0, 255]])),
            "these targets reach from 0 to 255. Is it a mask of 0 and 255",
        ),
        (lambda: MeanSquaredError()(torch.zeros(2).long(), torch.zeros(2)), "int64.*Is there an argmax"),
        (lambda: PointDistance()(torch.zeros(2, 4), torch.zeros(2, 4)), r"unflatten\(1, \(-1, 2\)\)"),
        (lambda: PointDistance()(torch.zeros(2, 4, 2), torch.zeros(2, 3, 2)), "PointDistance compares"),
    ],
)
def test_what_makes_no_loss(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@REDUCTIONS
def test_focal_is_cross_entropy_times_what_is_missing(reduction):
    scores, targets = torch.randn(30, 4, requires_grad=True), torch.randint(0, 4, (30,))
    right = scores.softmax(1)[torch.arange(30), targets]
    each = (1 - right) ** 3 * -right.log()
    theirs = {"mean": each.mean(), "sum": each.sum(), "none": each}[reduction]
    ours = Focal(gamma=3)(scores, targets, reduction=reduction)

    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient(ours, scores), gradient(theirs, scores))
    torch.testing.assert_close(Focal(gamma=0)(scores, targets), loss(scores, targets))
    weighted = CrossEntropy(weights=range(1, 5))(scores, targets)
    torch.testing.assert_close(Focal(gamma=0, weights=range(1, 5))(scores, targets), weighted)


def test_focal_has_a_finite_gradient_where_the_model_is_sure():
    scores = torch.tensor([[1000.0, 0.0]], requires_grad=True)

    assert gradient(Focal()(scores, torch.tensor([0])), scores).isfinite().all()


def test_dice_of_sure_answers_counts_pixels():
    said, true = torch.randint(0, 3, (5, 8, 8)), torch.randint(0, 3, (5, 8, 8))
    expected = []
    for one, other in zip(said, true, strict=True):
        common = torch.tensor([float(((one == kind) & (other == kind)).sum()) for kind in range(3)])
        sizes = torch.tensor([float((one == kind).sum() + (other == kind).sum()) for kind in range(3)])
        expected.append(1 - ((2 * common + 1) / (sizes + 1)).mean())
    scores = 1e4 * functional.one_hot(said, 3).movedim(-1, 1).float()

    torch.testing.assert_close(Dice()(scores, true, reduction="none"), torch.stack(expected))
    torch.testing.assert_close(Dice()(scores, true), torch.stack(expected).mean())


def test_dice_leaves_out_what_nobody_knows():
    scores, true = torch.randn(1, 2, 4, 6), torch.randint(0, 2, (1, 4, 6))
    half = true.clone()
    half[..., 3:] = 255

    torch.testing.assert_close(Dice(ignored=255)(scores, half), Dice()(scores[..., :3], true[..., :3]))


@REDUCTIONS
def test_labels_that_nobody_knows_are_left_out(reduction):
    scores, targets = torch.randn(6, 4, requires_grad=True), torch.randint(0, 2, (6, 4)).float()
    known = torch.rand(6, 4) > 0.3
    known[2] = False
    each = functional.binary_cross_entropy_with_logits(scores, targets, reduction="none") * known
    theirs = {
        "mean": each.sum() / known.sum(),
        "sum": each.sum(),
        "none": each.sum(1) / known.sum(1).clamp(min=1),
    }[reduction]
    ours = BinaryCrossEntropy()(scores, targets.where(known, math.nan), reduction=reduction)

    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient(ours, scores), gradient(theirs, scores))


def test_answers_of_several_labels_are_yes_above_the_threshold():
    scores = torch.tensor([[0.1, -0.1, 3.0]])

    assert BinaryCrossEntropy().decode(scores).tolist() == [[1, 0, 1]]
    assert BinaryCrossEntropy(threshold=0.9).decode(scores).tolist() == [[0, 0, 1]]


@REDUCTIONS
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (MeanSquaredError(), functional.mse_loss),
        (AbsoluteError(), functional.l1_loss),
        (
            AbsoluteError(2),
            lambda *both, reduction: functional.huber_loss(*both, reduction=reduction, delta=2) / 2,
        ),
    ],
)
def test_errors_of_amounts_are_torchs(ours, theirs, reduction):
    said, true = torch.randn(9, requires_grad=True), 3 * torch.randn(9)

    torch.testing.assert_close(ours(said, true, reduction), theirs(said, true, reduction=reduction))
    torch.testing.assert_close(ours.decode(said), ours.activation(said))
    assert ours(said.detach(), true.long()).isfinite()


def test_points_that_nobody_saw_are_left_out_and_pull_nothing():
    places = torch.tensor([[[0.0, 0], [9, 9]], [[3.0, 4], [1, 1]]], requires_grad=True)
    true = torch.tensor([[[0.0, 0], [math.nan, math.nan]], [[0.0, 0], [1, 13]]])
    loss = PointDistance()
    value = loss(places, true)

    assert value.item() == pytest.approx((0 + 5 + 12) / 3)
    assert loss(places, true, reduction="none").tolist() == pytest.approx([0, 8.5])
    pulls = gradient(value, places)
    assert pulls[0].tolist() == [[0, 0], [0, 0]]  # one lies where it should, where a root has no slope
    torch.testing.assert_close(pulls[1], torch.tensor([[0.6, 0.8], [0, -1]]) / 3)
    assert loss(places, torch.full_like(places, math.nan)).item() == 0


EVERY = [
    (CrossEntropy(0.1, weights=(1, 2), ignored=5), (4, 2), lambda: torch.randint(0, 2, (4,))),
    (Focal(weights=(1, 2), ignored=5), (4, 2), lambda: torch.randint(0, 2, (4,))),
    (Dice(ignored=5), (4, 2, 8, 8), lambda: torch.randint(0, 2, (4, 8, 8))),
    (BinaryCrossEntropy(), (4, 3), lambda: torch.rand(4, 3).round()),
    (MeanSquaredError(), (4, 3), lambda: torch.rand(4, 3)),
    (AbsoluteError(), (4, 3), lambda: torch.rand(4, 3)),
    (PointDistance(), (4, 3, 2), lambda: torch.rand(4, 3, 2)),
]


@pytest.mark.parametrize(("loss", "shape", "targets"), EVERY, ids=[type(one[0]).__name__ for one in EVERY])
def test_every_loss_takes_half_precision_and_sends_a_gradient_back(loss, shape, targets):
    scores = torch.randn(shape, dtype=torch.bfloat16, requires_grad=True)
    value = loss(scores, targets())

    assert value.ndim == 0
    assert gradient(value, scores).isfinite().all()
    assert loss(scores, targets(), reduction="none").shape[0] == 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
@pytest.mark.parametrize(("loss", "shape", "targets"), EVERY, ids=[type(one[0]).__name__ for one in EVERY])
def test_no_loss_waits_for_the_device(loss, shape, targets):
    scores, targets = torch.randn(shape, device="cuda", requires_grad=True), targets().cuda()
    loss = loss.cuda()
    loss(scores, targets).backward()
    torch.cuda.set_sync_debug_mode("error")
    try:
        loss(scores, targets).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
