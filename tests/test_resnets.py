"""Residual networks: torchvision's, number for number, and what is ours about them."""

import pytest
import torch
from torch import nn

from coursekit.resnets import STEMS, ResidualBlock, ResNet, make_stem


@pytest.mark.parametrize("depth", [18, 50])
def test_they_are_torchvisions_networks(depth):
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    theirs, ours = models.get_model(f"resnet{depth}", num_classes=7).eval(), ResNet(depth, classes=7).eval()
    for norm in (module for module in theirs.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.running_mean.uniform_(-0.1, 0.1)
        norm.running_var.uniform_(0.5, 2)

    # Ours keeps a block's shortcut after its change, as theirs does, so the tensors stand in the same order.
    saved = theirs.state_dict()
    ours.load_state_dict(dict(zip(ours.state_dict(), saved.values(), strict=True)))

    with torch.no_grad():
        picture = torch.rand(1, 3, 65, 70)
        torch.testing.assert_close(ours(picture), theirs(picture), rtol=1e-4, atol=1e-4)
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_block_begins_by_handing_on_what_it_was_given(bottleneck):
    network = ResNet(26 if bottleneck else 10, classes=2)
    block = network.stages[2][0]
    picture = torch.rand(2, 256 if bottleneck else 64, 9, 9)

    torch.testing.assert_close(block(picture), block.bring_along(picture).relu())
    assert block(picture).shape[-2:] == (5, 5)


@pytest.mark.parametrize(("stem", "side"), [("classic", 8), ("deep", 8), ("small", 32)])
def test_a_stem_for_each_kind_of_picture(stem, side):
    assert stem in STEMS
    assert make_stem(1, 16, stem)(torch.zeros(1, 1, 32, 32)).shape == (1, 16, side, side)


def test_another_activation_goes_everywhere():
    network = ResNet(10, classes=2, activation=nn.GELU, width=8)

    assert not any(isinstance(layer, nn.ReLU) for layer in network.modules())
    assert isinstance(ResidualBlock(4, 4, activation=None).after, nn.Identity)


def test_a_deep_one_learns_as_well_as_a_shallow_one():
    """With shortcuts gradients reach the first layer of fifty; that they did not was where this began."""
    torch.manual_seed(0)
    network = ResNet(50, classes=2, width=8, stem="small")
    network(torch.rand(4, 3, 16, 16)).logsumexp(1).sum().backward()

    assert network.stages[0][0][0].weight.grad.abs().mean() > 1e-4


def test_what_there_is_not_is_refused_in_words():
    with pytest.raises(ValueError, match=r"the depths 10, 18, 26, 34, 50, 101 .* depth=20"):
        ResNet(20)
    with pytest.raises(ValueError, match=r"stems classic, deep, small.*stem='big'"):
        ResNet(18, stem="big")
