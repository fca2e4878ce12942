"""Losses: the numbers of torch, and words for what does not fit."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from coursekit.losses import CrossEntropy, binary_cross_entropy, mean_squared_error, softmax

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
