"""The confusion matrix: against scikit-learn, for masks, and in words where it cannot be counted."""

import pytest
import torch

from coursekit.confusion import confusion_matrix
from coursekit.tensors import Category


def test_rows_are_the_truth_and_columns_what_was_said():
    counts = confusion_matrix(predictions=torch.tensor([1, 1, 0]), targets=torch.tensor([0, 1, 1]), classes=2)

    assert counts.tolist() == [[0, 1], [1, 1]]
    assert counts.dtype == torch.int64


def test_it_counts_as_scikit_learn_does():
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    draw = torch.Generator().manual_seed(1)
    said, truth = torch.randint(0, 7, (2, 500), generator=draw)

    wanted = sklearn_metrics.confusion_matrix(truth.numpy(), said.numpy(), labels=range(7))
    assert confusion_matrix(said, truth, classes=7).tolist() == wanted.tolist()


def test_a_class_that_never_came_has_its_row_and_column():
    assert confusion_matrix(torch.tensor([0]), torch.tensor([0]), classes=3).sum(dim=1).tolist() == [1, 0, 0]
    nothing = torch.zeros(0, dtype=torch.int64)
    assert confusion_matrix(nothing, nothing, classes=2).tolist() == [[0, 0], [0, 0]]


def test_pixels_of_masks_and_small_whole_numbers_are_counted_too():
    said = torch.tensor([[[0, 1], [200, 0]]], dtype=torch.uint8)
    truth = torch.tensor([[[0, 1], [200, 200]]], dtype=torch.uint8)

    counts = confusion_matrix(said, truth, classes=201)
    assert (counts[0, 0], counts[1, 1], counts[200, 200], counts[200, 0]) == (1, 1, 1, 1)


def test_categories_give_plain_counts():
    kinds = Category(torch.tensor([0, 1]), vocab=("sound", "broken"))

    assert type(confusion_matrix(kinds, kinds, classes=2)) is torch.Tensor


@pytest.mark.parametrize(
    ("predictions", "targets", "says"),
    [
        (torch.zeros(2, 2), [0, 1], r"predictions are torch.float32 of shape \(2, 2\): .* \.argmax\(dim=1\)"),
        ([0, 1, 1], [0, 1], r"\(3,\) predictions for \(2,\) targets"),
        ([0, 5], [0, 1], "class numbers go from 0 to 1; the predictions go from 0 to 5"),
        ([0, 1], [-1, 1], "the targets go from -1 to 1"),
    ],
)
def test_what_cannot_be_counted_is_told_in_words(predictions, targets, says):
    with pytest.raises(ValueError, match=says):
        confusion_matrix(torch.as_tensor(predictions), torch.as_tensor(targets), classes=2)
