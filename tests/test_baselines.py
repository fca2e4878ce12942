"""The baseline of mean images: right numbers, any shape and dtype, refusals in words, and a real score."""

from __future__ import annotations

import pytest
import torch

from coursekit.array_sets import digits, small_digits
from coursekit.baselines import mean_images, nearest_mean
from coursekit.tensors import Image, plain


@pytest.mark.parametrize("shape", [(7,), (1, 5, 4), (3, 4, 5, 2)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_a_mean_is_the_mean_of_its_class(shape: tuple[int, ...], dtype: torch.dtype):
    images = torch.randint(0, 256, (12, *shape)).to(dtype)
    labels = torch.arange(12) % 3
    means = mean_images(images, labels, classes=3)

    for number in range(3):
        torch.testing.assert_close(means[number], images[number::3].float().mean(dim=0))


def test_the_nearest_is_the_one_torch_calls_nearest():
    images, means = torch.rand(50, 3, 6, 7), torch.rand(9, 3, 6, 7)

    assert torch.equal(
        nearest_mean(images, means), torch.cdist(images.flatten(1), means.flatten(1)).argmin(dim=1)
    )


def test_bytes_do_not_wrap_around():
    images = torch.tensor([[0, 250], [250, 0]], dtype=torch.uint8)

    assert nearest_mean(images, torch.tensor([[255.0, 0.0], [0.0, 255.0]])).tolist() == [1, 0]


def test_pictures_are_taken_as_pictures():
    images = Image(torch.randint(0, 256, (6, 3, 4, 4), dtype=torch.uint8))
    labels = torch.tensor([0, 1] * 3)
    means = mean_images(images, labels, classes=2)

    assert torch.equal(plain(means), mean_images(plain(images), labels, classes=2))
    assert torch.equal(plain(nearest_mean(images, means)), nearest_mean(plain(images), plain(means)))


def test_of_two_that_are_equally_near_the_first_is_meant():
    assert nearest_mean(torch.zeros(2, 4), torch.tensor([[1.0] * 4, [-1.0] * 4])).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        ([0, 1], 2, r"\(3, 4\) are 3 images, and the labels have shape \(2,\), not \(3,\)"),
        ([0, 0, 2], 3, r"each of 3 classes, 0 to 2, and of no other; there are \[2, 0, 1\]"),
        ([0, 1, 2], 2, r"each of 2 classes.*there are \[1, 1, 1\].*do the labels begin with 0\?"),
    ],
)
def test_a_mean_of_nothing_is_refused(labels: list[int], classes: int, words: str):
    with pytest.raises(ValueError, match=words):
        mean_images(torch.zeros(3, 4), torch.tensor(labels), classes)


def test_pixels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"an image has shape \(28,\) and a mean \(28, 28\).*images\[:1\]"):
        nearest_mean(torch.zeros(28, 28), torch.zeros(2, 28, 28))


@pytest.mark.parametrize(("load", "least"), [(small_digits, 0.87), (digits, 0.77)])
def test_it_is_far_better_than_guessing_on_real_digits(load, least: float):
    every = load()
    images, labels = plain(every["image"]), torch.tensor(every["label"].astype(int))
    held_out = torch.arange(len(labels)) % 5 == 0
    means = mean_images(images[~held_out], labels[~held_out], classes=10)
    said = nearest_mean(images[held_out], means)

    assert (said == labels[held_out]).float().mean() > least


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")
def test_on_a_gpu_the_same():
    images, labels = torch.rand(20, 1, 8, 8), torch.arange(20) % 4
    means = mean_images(images.cuda(), labels.cuda(), classes=4)

    torch.testing.assert_close(means.cpu(), mean_images(images, labels, classes=4))
    assert torch.equal(nearest_mean(images.cuda(), means).cpu(), nearest_mean(images, means.cpu()))
