"""Optimizers and parameter groups."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.optimizers import adamw, find_groups, let_learn, rest_frozen_norms, sgd_step, spread_rates


def test_adamw_is_fused_and_is_torchs():
    ours, theirs = nn.Linear(2, 2), nn.Linear(2, 2)
    theirs.load_state_dict(ours.state_dict())
    optimizers = [adamw(ours.parameters(), lr=0.1), torch.optim.AdamW(theirs.parameters(), lr=0.1)]
    for _ in range(3):
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
            optimizer.zero_grad()

    assert optimizers[0].defaults["fused"]
    torch.testing.assert_close(ours.weight, theirs.weight)


def test_adamw_does_without_where_fused_cannot_be():
    parameter = nn.Parameter(torch.ones(1, dtype=torch.complex64))
    optimizer = adamw([parameter], lr=0.1)
    parameter.abs().sum().backward()
    optimizer.step()

    assert not optimizer.defaults["fused"]
    assert not adamw([{"params": [nn.Parameter(torch.ones(1, device="meta"))]}], lr=0.1).defaults["fused"]


def test_rates_grow_in_equal_ratios():
    assert spread_rates((1e-5, 1e-3), 3) == pytest.approx([1e-5, 1e-4, 1e-3])
    assert spread_rates((1e-5, 1e-3), 1) == [1e-3]
    assert spread_rates(0.1, 3) == pytest.approx([0.1] * 3)


@pytest.mark.parametrize("rate", [0, -1, (0.1, 0), "0.1", (0.1, 0.1, 0.1), None])
def test_a_rate_is_a_positive_number_or_a_pair(rate):
    with pytest.raises(ValueError, match="a positive number, or a pair of them"):
        spread_rates(rate, 2)


def test_groups_hold_every_parameter_once():
    class Net(nn.Linear):
        def parameter_groups(self):
            return [[self.weight], [self.weight, self.bias]]

    with pytest.raises(ValueError, match="1 are missing or there twice: weight"):
        find_groups(Net(2, 2))


def test_frozen_norms_rest_and_others_go_on():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(2), nn.BatchNorm1d(2, affine=False), nn.Dropout())
    let_learn([list(model[0].parameters()), list(model[1].parameters())], count=1)
    model.train()
    rest_frozen_norms(model)

    assert [module.training for module in model] == [False, True, True, True]


def test_a_step_downhill_is_torchs_and_leaves_gradients_and_frozen_parameters():
    ours, theirs = nn.Linear(3, 2), nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    frozen = nn.Parameter(torch.ones(1), requires_grad=False)
    for model in (ours, theirs):
        model(torch.ones(4, 3)).square().mean().backward()
    gradient = ours.weight.grad.clone()
    sgd_step(iter([*ours.parameters(), frozen]), rate=0.3)
    torch.optim.SGD(theirs.parameters(), lr=0.3).step()

    torch.testing.assert_close(ours.weight, theirs.weight)
    assert torch.equal(ours.weight.grad, gradient)
    assert float(frozen) == 1
    assert ours.weight.is_leaf
