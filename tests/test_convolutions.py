"""The brick and the small network: sizes, what is left out, how they start, and learning real digits."""

import pytest
import torch
from torch import nn

from coursekit.array_sets import small_digits
from coursekit.convolutions import Convolution, SmallCNN, start_convolutions
from coursekit.tensors import plain


@pytest.mark.parametrize("size", [(7, 7), (8, 5), (3, 2)])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_stride_1_keeps_the_size_and_stride_2_halves_it_rounding_up(kernel_size, size):
    picture = torch.zeros(1, 2, *size)

    assert Convolution(2, 4, kernel_size)(picture).shape[-2:] == size
    assert Convolution(2, 4, kernel_size, stride=2)(picture).shape[-2:] == tuple(-(-n // 2) for n in size)


def test_a_norm_makes_the_bias_needless():
    assert Convolution(3, 8)[0].bias is None
    assert Convolution(3, 8, norm=None)[0].bias is not None
    assert sum(p.numel() for p in Convolution(8, 8, groups=8, norm=None).parameters()) == 8 * 9 + 8


def test_an_even_kernel_has_no_middle():
    with pytest.raises(ValueError, match="kernel_size=4 is even"):
        Convolution(3, 8, kernel_size=4)


def test_signals_keep_their_size_through_twenty_layers():
    torch.manual_seed(0)
    layers = [layer for _ in range(20) for layer in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())]
    deep = nn.Sequential(*layers)
    pictures = torch.randn(2, 64, 16, 16)
    faded = deep(pictures).diff(dim=0).std()

    start_convolutions(deep)

    assert faded < 1e-6
    assert 0.05 < deep(pictures).diff(dim=0).std() < 5


def test_a_new_activation_is_an_argument():
    network = SmallCNN(classes=2, activation=nn.SiLU, norm=lambda channels: nn.GroupNorm(4, channels))

    kinds = {type(layer) for layer in network.modules()}
    assert {nn.SiLU, nn.GroupNorm} < kinds
    assert not kinds & {nn.ReLU, nn.BatchNorm2d}


def test_what_it_was_made_of_can_be_asked_for():
    network = SmallCNN(classes=5, channels=(4, 8), input_channels=1, convolutions=2, dropout=0.5)

    told = (network.classes, network.channels, network.input_channels, network.convolutions, network.dropout)
    assert told == (5, (4, 8), 1, 2, 0.5)


def test_no_stage_is_refused_in_words():
    with pytest.raises(ValueError, match=r"channels=\(\) and convolutions=1"):
        SmallCNN(classes=2, channels=())


def test_it_learns_real_digits():
    torch.manual_seed(0)
    network = SmallCNN(classes=10, channels=(16, 32), input_channels=1)
    found = small_digits()
    pictures, digits = plain(found["image"]).float() / 16, torch.as_tensor(found["label"].astype(int))
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for batch in torch.randperm(1400).split(64) * 4:
        loss = nn.functional.cross_entropy(network(pictures[batch]), digits[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    with torch.no_grad():
        right = network.eval()(pictures[1400:]).argmax(1) == digits[1400:]
    assert right.float().mean() > 0.9
