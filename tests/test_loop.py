"""The loop on its own: short enough to read, and the same steps as by hand."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from test_layers import lines_of_code
from torch import nn
from torch.nn import functional

from coursekit import loop as module
from coursekit.events import EVENTS, CancelBatch, CancelEpoch, CancelFit
from coursekit.loop import Loop

BATCHES = list(torch.randn(6, 8, 2, 3, generator=torch.Generator().manual_seed(0)).unbind())
HEART = ("run", "one_epoch", "one_pass", "all_batches", "step")


def make_loop(epochs: int = 2, **handlers) -> Loop:
    """A loop with four training and two validation batches; handlers by the name of their event."""
    torch.manual_seed(0)
    loop = Loop()
    loop.model, loop.loss_function, loop.epochs = nn.Linear(3, 3), functional.mse_loss, epochs
    pairs = [(batch[:, 0], batch[:, 1]) for batch in BATCHES]
    loop.data = SimpleNamespace(train=pairs[:4], valid=pairs[4:])
    loop.optimizer = torch.optim.SGD(loop.model.parameters(), lr=0.1)
    loop.handlers = {event: [] for event in EVENTS} | {event: [hear] for event, hear in handlers.items()}
    return loop


def code_of_the_class() -> tuple[set[int], dict[str, int]]:
    """The lines of code of the class, and how many each of its methods has."""
    source = Path(module.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source)
    (loop,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    code = {line for line in lines_of_code(source, tree) if loop.lineno <= line <= loop.end_lineno}
    methods = [node for node in loop.body if isinstance(node, ast.FunctionDef)]
    return code, {node.name: len(code & set(range(node.lineno + 1, node.end_lineno + 1))) for node in methods}


def test_it_can_be_read_at_a_glance():
    code, methods = code_of_the_class()

    assert len(code) <= 78
    assert sum(methods[name] for name in HEART) <= 40
    assert max(methods.values()) <= 15


def test_it_takes_the_steps_of_a_loop_by_hand():
    loop, by_hand = make_loop(), make_loop()
    loop.run()
    for _ in range(2):
        for inputs, targets in by_hand.data.train:
            functional.mse_loss(by_hand.model(inputs), targets).backward()
            by_hand.optimizer.step()
            by_hand.optimizer.zero_grad()

    assert torch.equal(loop.model.weight, by_hand.model.weight)


def test_it_begins_with_the_first_epoch_that_is_still_to_do():
    seen = []

    def resume(loop):
        loop.first_epoch = 3

    make_loop(5, before_fit=resume, after_epoch=lambda loop: seen.append(loop.epoch)).run()

    assert seen == [3, 4]


def test_another_step_can_take_the_place_of_the_optimizers():
    taken = []

    def replace(loop):
        loop.take_step = lambda: taken.append(loop.batch_number)

    loop = make_loop(1, before_fit=replace)
    before = loop.model.weight.clone()
    loop.run()

    assert taken == [0, 1, 2, 3]
    assert torch.equal(loop.model.weight, before)


def test_a_change_before_the_step_counts():
    def no_gradient(loop):
        loop.model.weight.grad.zero_()

    loop = make_loop(1, before_step=no_gradient)
    before = loop.model.weight.clone()
    loop.run()

    assert torch.equal(loop.model.weight, before)


@pytest.mark.parametrize("passes", ["train", "validate"])
def test_gradients_and_mode_are_those_of_the_pass(passes):
    seen = set()

    def look(loop):
        if loop.training == (passes == "train"):
            seen.add((loop.model.training, loop.predicted.requires_grad))

    make_loop(1, after_predict=look).run()

    assert seen == {(passes == "train", passes == "train")}


@pytest.mark.parametrize(("cancel", "batches"), [(CancelBatch, 12), (CancelEpoch, 2), (CancelFit, 1)])
def test_a_cancel_ends_what_it_names(cancel, batches):
    heard = []

    def stop(loop):
        raise cancel

    make_loop(2, before_batch=stop, after_batch=lambda loop: heard.append(loop.batch_number)).run()

    assert len(heard) == batches


def test_after_fit_is_heard_whatever_happens():
    heard = []

    def fail(loop):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_loop(1, after_step=fail, after_fit=lambda loop: heard.append(loop.batch_number)).run()

    assert heard == [0]
