"""The backbone is the network its weights were trained in."""

import pytest
import torch
from torch import nn

from coursekit.backbones import Standardize, efficientnet_lite0, load_in_order, make_backbone, take_channels
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
    ("photos", "helps"),
    [
        (torch.zeros(3, 8, 8), r"photo\[None\]"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), r"photo\[None\]"),
        (torch.zeros(1, 4, 8, 8), "input_channels=4"),
    ],
)
def test_what_is_no_batch_of_photos_is_refused_in_words(photos, helps):
    with pytest.raises(ValueError, match=rf"float numbers in 0\.\.1 of shape .* came.*{helps}"):
        Standardize(0.5, 0.5)(photos)


def test_pretrained_statistics_stay_while_training_and_fresh_ones_move(pretrained):
    def moved(body):
        before = body.stages[0][3].running_mean.clone()
        body.train()(torch.rand(4, 3, 32, 32))
        return not torch.equal(before, body.eval().stages[0][3].running_mean)

    assert not moved(pretrained)
    assert moved(efficientnet_lite0())


@torch.no_grad()
@pytest.mark.parametrize("count", [1, 2, 4, 7])
def test_channels_that_are_all_alike_give_what_the_grey_photo_gives(count):
    """However many channels there are: the answer to a grey picture stays the same."""
    grey = torch.rand(2, 1, 64, 64)
    wanted = make_backbone("efficientnet_lite0").eval()(grey)

    body = make_backbone("efficientnet_lite0", input_channels=count).eval()
    torch.testing.assert_close(body(grey.repeat(1, count, 1, 1)), wanted, rtol=1e-3, atol=1e-3)
    assert body.input_channels == count


def test_without_weights_further_channels_start_on_their_own():
    body = make_backbone("resnet10", pretrained=False, input_channels=5)
    first = next(layer for layer in body.modules() if isinstance(layer, nn.Conv2d))

    assert first.weight.shape[1] == 5
    assert len(first.weight[0].flatten(1).unique(dim=0)) == 5
    with pytest.raises(ValueError, match=r"of shape \(N, 5, H, W\); .* \(1, 3, 64, 64\) came"):
        body(torch.rand(1, 3, 64, 64))


def test_no_channel_is_refused_in_words():
    with pytest.raises(ValueError, match="at least one channel; input_channels=0"):
        take_channels(efficientnet_lite0(), 0)


def test_colours_are_scaled_by_their_own_numbers():
    scale = Standardize((0.5, 0.25, 0), (1, 2, 4))

    assert scale(torch.full((1, 3, 1, 1), 1.0)).flatten().tolist() == [0.5, 0.375, 0.25]
    assert scale(torch.full((1, 1, 1, 1), 1.0)).flatten().tolist() == [0.5, 0.375, 0.25]
    assert list(scale.state_dict()) == []


def test_every_stage_can_be_looked_at(pretrained):
    photos = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        grids = pretrained.grids(photos)
        assert torch.equal(grids[-1], pretrained(photos))
    assert [grid.shape[-1] for grid in grids] == [32, 32, 16, 8, 4, 4, 2, 2, 2]


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(
        ValueError, match=r"no backbone 'resnet51'; did you mean 'resnet50'\? There are .*'timm/NAME'"
    ):
        make_backbone("resnet51")
    with pytest.raises(ValueError, match="'resnet18' has no pretrained weights: begin with pretrained=False"):
        make_backbone("resnet18")
