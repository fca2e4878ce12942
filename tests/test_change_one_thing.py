"""The page for people who try an idea: all of its code runs, is short, and does what its comments say."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
import torch
from pages_of_code import PageOfCode
from torch import nn
from torch.nn import functional

import coursekit as kit

PAGE = PageOfCode("change_one_thing")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the code of the page leaves behind; what stands in its comments is compared on the way."""
    assert PAGE.run().wrong() == []
    return PAGE.names


def test_every_idea_takes_at_most_fifteen_lines() -> None:
    for code in PAGE.blocks:
        assert len([line for line in code.splitlines() if line.strip()]) <= 15, code


def test_every_idea_has_a_comment_that_is_compared() -> None:
    sections = PAGE.text.split("\n## ")[1:]

    assert len(sections) == 9
    for section in sections:
        assert re.search(r"^\S.*  # ", section, re.MULTILINE), section.splitlines()[0]


def test_nothing_private_is_touched_and_nothing_of_the_library_replaced() -> None:
    for node in ast.walk(ast.parse("\n".join(PAGE.blocks))):
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("kit."):
            assert isinstance(node.ctx, ast.Load)
            assert not node.attr.startswith("_")


def test_the_new_activation_has_the_slope_it_should(names: dict[str, Any]) -> None:
    snake = names["Snake"]().double()
    inputs = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)

    assert torch.autograd.gradcheck(snake, inputs)


def test_with_channels_that_are_alike_four_see_what_three_see(names: dict[str, Any]) -> None:
    grey = names["cut_outs"][:4].mean(dim=1, keepdim=True)
    with torch.no_grad():
        three, four = (
            kit.make_backbone("efficientnet_lite0", input_channels=count).eval()(
                grey.expand(-1, count, -1, -1)
            )
            for count in (3, 4)
        )

    assert torch.allclose(three, four, atol=1e-3)


def test_sums_of_gradients_step_as_one_large_batch_does(names: dict[str, Any]) -> None:
    inputs, targets = names["photos"][:256].flatten(1), names["names"][:256]
    weights = []
    for size, callbacks in ((64, [names["SumInFloat32"](4)]), (256, [])):
        torch.manual_seed(0)
        batches = list(zip(inputs.split(size), targets.split(size), strict=True))
        model = nn.Linear(64, 10)
        options: Any = {"optimizer": torch.optim.SGD, "callbacks": [kit.Progress("off")], "device": "cpu"}
        kit.Learner((batches, None), model, kit.CrossEntropy(), **options).fit(2, 0.5, callbacks)
        weights.append(model.weight.detach())

    assert torch.allclose(*weights, atol=1e-6)


def test_the_network_that_makes_points_made_no_ring_before(names: dict[str, Any]) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        x, y = names["layers"](2)(torch.randn(2000, 2)).T

    assert (torch.hypot(x, y) - 1).abs().mean() > 0.5


def test_the_custom_step_does_what_the_loop_written_by_hand_does(names: dict[str, Any]) -> None:
    learner = names["trained"](names["SharpnessAware"])
    torch.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(8):
        for inputs, targets in names["data"][0]:
            functional.cross_entropy(model(inputs), targets).backward()
            here = [one.detach().clone() for one in model.parameters()]
            slopes = [one.grad.clone() for one in model.parameters()]
            length = sum(slope.square().sum() for slope in slopes).sqrt()
            for one, slope in zip(model.parameters(), slopes, strict=True):
                one.data += 0.05 * slope / length
            optimizer.zero_grad()
            functional.cross_entropy(model(inputs), targets).backward()
            for one, before in zip(model.parameters(), here, strict=True):
                one.data.copy_(before)
            optimizer.step()
            optimizer.zero_grad()
    theirs = learner.model.cpu()(names["photos"][:64])

    assert torch.allclose(theirs, model(names["photos"][:64]), atol=1e-3)


@pytest.mark.parametrize(
    "ask",
    [float, int, bool, torch.Tensor.item, torch.Tensor.tolist, torch.Tensor.cpu, torch.Tensor.numpy],
    ids=lambda ask: ask.__name__,
)
def test_the_stand_in_for_a_device_hears_every_question(names: dict[str, Any], ask: Any) -> None:
    with names["Questions"]() as asked:
        ask(torch.ones(()))

    assert asked.count >= 1
