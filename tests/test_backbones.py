"""The backbone is the network its weights were trained in."""

import pytest
import torch
from torch import nn

from coursekit.backbones import Standardize, efficientnet_lite0, load_in_order
from coursekit.sources import fetch


@pytest.fixture(scope="module")
def pretrained():
    return efficientnet_lite0(next(fetch("efficientnet_lite0").glob("*.pth"))).eval()


@pytest.mark.parametrize("size", [64, 65, 96])
def test_features_have_a_place_for_each_32_pixels(pretrained, size):
    with torch.no_grad():
        assert pretrained(torch.rand(1, 3, size, size)).shape == (1, 1280, -(-size // 32), -(-size // 32))


def test_a_grey_photo_is_the_same_photo_in_three_channels(pretrained):
    grey = torch.rand(1, 1, 64, 64)

    with torch.no_grad():
        torch.testing.assert_close(pretrained(grey), pretrained(grey.expand(1, 3, 64, 64)))


def test_pretrained_features_tell_more_than_random_ones(pretrained):
    """With the right weights, layout and scale, a photo's features hardly change when it is made darker."""
    torch.manual_seed(0)
    photo = nn.functional.interpolate(torch.rand(1, 3, 6, 6), 96, mode="bilinear")
    other = nn.functional.interpolate(torch.rand(1, 3, 6, 6), 96, mode="bilinear")

    with torch.no_grad():
        features, darker, others = (pretrained(x).mean((2, 3))[0] for x in (photo, photo * 0.8, other))

    similarity = torch.nn.functional.cosine_similarity
    assert similarity(features, darker, dim=0) > 0.9 > similarity(features, others, dim=0)


def test_weights_of_another_network_are_refused_in_words(tmp_path):
    torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "other.pth")

    with pytest.raises(ValueError, match=r"other\.pth does not fit this network: weight has shape \(5, 2\)"):
        load_in_order(nn.Linear(2, 5), tmp_path / "other.pth")

    with pytest.raises(ValueError, match=r"holds 2 tensors, but this network has \d+"):
        efficientnet_lite0(tmp_path / "other.pth")


@pytest.mark.parametrize(
    "photos", [torch.zeros(3, 8, 8), torch.zeros(1, 4, 8, 8), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)]
)
def test_what_is_no_batch_of_photos_is_refused_in_words(photos):
    with pytest.raises(ValueError, match=r"float numbers in 0\.\.1 of shape .* came.*photo\[None\]"):
        Standardize(0.5, 0.5)(photos)


def test_pretrained_statistics_stay_while_training_and_fresh_ones_move(pretrained):
    def moved(body):
        before = body.stages[0][3].running_mean.clone()
        body.train()(torch.rand(4, 3, 32, 32))
        return not torch.equal(before, body.eval().stages[0][3].running_mean)

    assert not moved(pretrained)
    assert moved(efficientnet_lite0())
