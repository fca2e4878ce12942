"""A number that is none is traced to the layer it came from, forward and on the way back."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from coursekit.callbacks import Callback, Progress
from coursekit.learner import Learner
from coursekit.stepping import Accumulate
from coursekit.tracing import TraceNaN


class Apply(nn.Module):
    """A layer that does whatever it is given."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def train(model: nn.Module, *callbacks, inputs=None, rate=1e-3, loss=None, count=3) -> None:
    torch.manual_seed(0)
    given = torch.rand(4, 3) if inputs is None else inputs
    batches = [(torch.rand(4, 3), torch.zeros(4, 1)) for _ in range(count - 1)] + [(given, torch.zeros(4, 1))]
    options = {"callbacks": [Progress("off"), *callbacks], "device": "cpu", "optimizer": torch.optim.SGD}
    Learner((batches, None), model, loss or nn.MSELoss(), **options).fit(2, rate=rate, callbacks=[TraceNaN()])


def test_a_layers_output():
    model = nn.Sequential(
        nn.Linear(3, 2), nn.Sequential(nn.Tanh(), Apply(lambda x: (x - 5).sqrt())), nn.Linear(2, 1)
    )
    words = r"epoch 1 of 2, training batch 1 .* output of the layer 1\.1, Apply\(\), whose inputs lie from -"
    with pytest.raises(FloatingPointError, match=words):
        train(model)


def test_between_two_layers():
    class Between(nn.Sequential):
        def forward(self, x):
            return self[1](self[0](x) / 0)

    with pytest.raises(FloatingPointError, match=r"between 0, Linear\(.*\) and the layer 1, Linear\("):
        train(Between(nn.Linear(3, 2), nn.Linear(2, 1)))


def test_a_gradient_while_the_loss_is_finite():
    model = nn.Sequential(nn.Linear(3, 2), Apply(lambda x: (x * 0).sqrt()), nn.Linear(2, 1))
    with pytest.raises(FloatingPointError, match=r"way back from 1, Apply\(\) to the layer 0, Linear"):
        train(model)


def test_a_parameters_gradient_of_the_first_layer():
    class Root(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return x * self.weight.sqrt()

    with pytest.raises(FloatingPointError, match=r"the gradient of 0\.weight, though what came back"):
        train(nn.Sequential(Root(), nn.Linear(3, 1)))


def test_the_loss():
    def loss(predictions, targets):
        return (predictions.detach() * 0 + predictions.sum() * 0).log().mean()

    with pytest.raises(FloatingPointError, match=r"is in the loss, of predictions that lie from -?\d"):
        train(nn.Linear(3, 1), loss=loss)


def test_the_inputs():
    inputs = torch.rand(4, 3)
    inputs[2, 1] = math.nan
    with pytest.raises(
        FloatingPointError, match=r"batch 3 of 3, .* in the inputs, of item 2 \(counted from 0\)"
    ):
        train(nn.Linear(3, 1), inputs=inputs)


def test_weights_that_the_step_before_has_spoiled():
    class Spoil(Callback):
        def after_step(self, learner):
            next(learner.model.parameters()).data.fill_(math.inf)

    with pytest.raises(
        FloatingPointError, match=r"batch 2 of 3, .* the weights weight, which the step before"
    ):
        train(nn.Linear(3, 1), Spoil())


def test_chance_that_a_second_pass_does_not_repeat():
    class Once(nn.Linear):
        calls = 0

        def forward(self, x):
            self.calls += 1
            return super().forward(x) * (math.nan if self.calls == 2 else 1)

    with pytest.raises(
        FloatingPointError, match="none of what a second pass over the batch computes: chance"
    ):
        train(Once(3, 1))


def test_within_a_group_of_accumulated_batches():
    inputs = torch.full((4, 3), 1e38)
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    with pytest.raises(FloatingPointError, match=r"batch 2 of 2, .* in the (output of the layer|loss)"):
        train(model, Accumulate(2), inputs=inputs, count=2)


def test_where_all_is_finite_nothing_is_said_or_changed():
    model, other = nn.Linear(3, 1), nn.Linear(3, 1)
    other.load_state_dict(model.state_dict())
    train(model)
    torch.manual_seed(0)
    given = torch.rand(4, 3)
    batches = [(torch.rand(4, 3), torch.zeros(4, 1)) for _ in range(2)] + [(given, torch.zeros(4, 1))]
    options = {"callbacks": [Progress("off")], "device": "cpu", "optimizer": torch.optim.SGD}
    Learner((batches, None), other, nn.MSELoss(), **options).fit(2, rate=1e-3)

    torch.testing.assert_close(model.state_dict(), other.state_dict(), rtol=0, atol=0)
