"""Optimizers and parameter groups."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from coursekit.optimizers import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
    RMSProp,
    adamw,
    find_groups,
    let_learn,
    rest_frozen_norms,
    sgd_step,
    spread_rates,
)


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


RULES = [
    (SGD, torch.optim.SGD, {}),
    (SGD, torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    (SGD, torch.optim.SGD, {"momentum": 0.8, "weight_decay": 0.1, "nesterov": True}),
    (RMSProp, torch.optim.RMSprop, {}),
    (RMSProp, torch.optim.RMSprop, {"alpha": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    (Adam, torch.optim.Adam, {}),
    (Adam, torch.optim.Adam, {"betas": (0.5, 0.7), "eps": 1e-3, "weight_decay": 0.1}),
    (AdamW, torch.optim.AdamW, {}),
    (AdamW, torch.optim.AdamW, {"betas": (0.5, 0.7), "weight_decay": 0.1}),
]
each_rule = pytest.mark.parametrize(
    ("ours", "theirs", "options"), RULES, ids=[f"{rule[0].__name__} {rule[2]}" for rule in RULES]
)


def in_two_groups(make, options, seed=0):
    """A network whose layers learn at two rates, with its optimizer."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    groups = [{"params": model[0].parameters(), "lr": 0.003}, {"params": model[2].parameters()}]
    return model, make(groups, lr=0.02, **options)


def train_on(model, optimizer, steps, first=0):
    """Some steps on numbers of their own, with a rate that changes and a parameter that rests for a while."""
    for number in range(first, first + steps):
        inputs = torch.randn(8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(number))
        optimizer.param_groups[1]["lr"] = 0.02 / (1 + number % 7)
        model(inputs).square().mean().backward()
        if number % 5 == 3:
            model[0].bias.grad = None
        optimizer.step()
        optimizer.zero_grad()


@each_rule
def test_each_rule_gives_the_numbers_of_torchs_over_many_steps(ours, theirs, options):
    models = []
    for make in (ours, theirs):
        model, optimizer = in_two_groups(make, options)
        train_on(model, optimizer, 100)
        models.append(model)

    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-13)


@each_rule
@pytest.mark.parametrize("swapped", [False, True], ids=["from torchs", "to torchs"])
def test_states_are_exchanged_with_torchs(ours, theirs, options, swapped):
    """Half of the way by one, then the other goes on from its state: as if one had gone all of it."""
    first, second = (ours, theirs) if swapped else (theirs, ours)
    model, optimizer = in_two_groups(first, options)
    train_on(model, optimizer, 20)
    other, after = in_two_groups(second, options, seed=1)
    other.load_state_dict(model.state_dict())
    after.load_state_dict(copy.deepcopy(optimizer.state_dict()))  # torch shares its tensors otherwise
    train_on(model, optimizer, 20, first=20)
    train_on(other, after, 20, first=20)

    for one, same in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, same, rtol=1e-11, atol=1e-13)


def test_the_state_of_the_fused_one_fits_too():
    parameters = [nn.Parameter(torch.ones(3)) for _ in range(2)]
    fused, ours = adamw([parameters[0]], lr=0.1), AdamW([parameters[1]], lr=0.1)
    for optimizer in (fused, ours):
        for parameter in parameters:
            parameter.grad = torch.tensor([1.0, -2.0, 0.0])
        optimizer.step()
    ours.load_state_dict(fused.state_dict())
    for optimizer in (fused, ours):
        optimizer.step()

    torch.testing.assert_close(*parameters)


def test_a_closure_is_asked_for_the_loss_with_gradients():
    weight = nn.Parameter(torch.tensor([3.0]))
    optimizer = SGD([weight], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (weight**2).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 9
    assert weight.item() == pytest.approx(2.4)


def test_schedulers_of_torch_move_its_rate():
    optimizer = AdamW([nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1)
    optimizer.step()
    scheduler.step()

    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (SGD, {"lr": -1}, r"SGD\(lr=-1\): a rate is a positive number"),
        (SGD, {"lr": math.nan}, r"SGD\(lr=nan\)"),
        (SGD, {"momentum": 1.0}, r"SGD\(momentum=1.0\): momentum lies from 0 to below 1"),
        (Adam, {"betas": (0.9, 1.5)}, r"Adam\(betas=\(0.9, 1.5\)\): betas lies from 0 to below 1"),
    ],
)
def test_numbers_that_make_no_rule(make, options, words):
    with pytest.raises(ValueError, match=words):
        make([nn.Parameter(torch.ones(1))], **options)


def test_a_rule_must_say_how_a_parameter_moves():
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.ones(1)
    with pytest.raises(NotImplementedError, match="Optimizer must say how a parameter moves"):
        Optimizer([weight], lr=0.1).step()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
@each_rule
def test_no_step_waits_for_the_device(ours, theirs, options):
    weight = nn.Parameter(torch.ones(5, device="cuda"))
    optimizer = ours([weight], lr=0.1, **options)
    weight.grad = torch.ones(5, device="cuda")
    optimizer.step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        optimizer.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
