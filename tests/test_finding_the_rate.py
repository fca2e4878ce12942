"""Finding the rate: a trial that leaves no trace, and what is read off it."""

from __future__ import annotations

import math
import random

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from matplotlib import pyplot
from torch import nn

from coursekit.callbacks import Callback, Progress
from coursekit.checkpoints import Checkpoint
from coursekit.finding_the_rate import RateCurve, RateFinder, find_rate, ran_away, smooth, suggest_rate
from coursekit.learner import Learner
from coursekit.loaders import Loader
from coursekit.logs import LogCSV
from coursekit.losses import CrossEntropy
from coursekit.watching import TimeAndMemory

RATES = [10 ** (number / 10 - 5) for number in range(60)]
LOSSES = [2.3 - 2 / (1 + 0.01 / rate) + 5 * rate for rate in RATES]


def batches(count=8):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(count, 16, 4, generator=generator)
    return [(one, (one.sum(dim=1) > 0).long()) for one in inputs]


class BodyAndHead(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Sequential(nn.Dropout(), nn.Linear(6, 2))
        )
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, inputs):
        if self.training:
            self.seen += 1
        return super().forward(inputs + 0 * torch.rand(1) * random.random() * numpy.random.rand())

    def parameter_groups(self):
        parameters = list(self.parameters())
        return [parameters[:4], parameters[4:]]


def learner_for(data=None, model=None, **options):
    torch.manual_seed(0)
    data = (batches(), batches()) if data is None else data
    options = {"callbacks": [Progress("off")], "device": "cpu"} | options
    return Learner(data, BodyAndHead() if model is None else model, CrossEntropy(), **options)


def state_of(learner):
    """Everything a trial could have changed, as plain values."""
    optimizer = learner._optimizer
    return {
        "tensors": [one.tolist() for one in (*learner.model.parameters(), *learner.model.buffers())],
        "gradients": [
            one.grad if one.grad is None else one.grad.tolist() for one in learner.model.parameters()
        ],
        "modes": [module.training for module in learner.model.modules()],
        "optimizer": id(optimizer),
        "its state": optimizer
        and [
            [
                {k: v.tolist() if torch.is_tensor(v) else v for k, v in one.items()}
                for one in optimizer.state.values()
            ],
            [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups],
        ],
        "recorded": (
            list(learner.recorder.losses),
            list(learner.recorder.rates),
            list(learner.recorder.rows),
        ),
        "callbacks": [id(one) for one in learner.callbacks],
        "where it stands": (learner.epoch, learner.epochs, learner.batch_number, learner.training),
        "random numbers": (
            torch.get_rng_state().tolist(),
            [str(part) for part in numpy.random.get_state(legacy=True)],
            random.getstate(),
        ),
    }


@pytest.mark.parametrize("trained", [False, True], ids=["new", "trained"])
def test_a_trial_leaves_everything_as_it_was_bit_for_bit(trained):
    learner = learner_for()
    if trained:
        learner.fit(2, rate=(1e-4, 1e-2))
    before = state_of(learner)
    curve = find_rate(learner, early=0.1)

    assert len(curve.losses) == len(curve.rates) >= 20
    assert state_of(learner) == before


def test_training_after_a_trial_gives_the_same_numbers_as_without():
    with_trial, without = learner_for(), learner_for()
    torch.manual_seed(5)
    without.fit_one_cycle(2, rate=0.01)
    find_rate(with_trial)
    torch.manual_seed(5)
    with_trial.fit_one_cycle(2, rate=0.01)

    assert with_trial.recorder.losses == without.recorder.losses


def test_everything_is_put_back_after_an_error_as_well():
    class Trouble(Callback):
        def after_backward(self, learner):
            if learner.batch_number == 3:
                raise RuntimeError("trouble")

    learner = learner_for(callbacks=[Progress("off"), Trouble()])
    before = state_of(learner)
    with pytest.raises(RuntimeError, match="trouble"):
        find_rate(learner)

    assert state_of(learner) == before


def test_the_next_batch_of_a_loader_is_the_one_it_was():
    items = [(torch.randn(4), torch.tensor(number % 2)) for number in range(64)]
    drawn = []
    for trial in (False, True):
        loader = Loader(items, batch_size=8, shuffle=True, seed=3)
        if trial:
            find_rate(learner_for(data=(loader, None)), steps=20)
        drawn.append([batch[1].tolist() for batch in loader])

    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("validated", [True, False])
def test_few_batches_are_gone_round_as_often_as_it_takes(validated):
    curve = find_rate(learner_for(data=(batches(3), batches(1) if validated else None)), end=1e-2, steps=40)

    assert len(curve.losses) == 40
    assert curve.rates[-1] == pytest.approx(1e-2)


def test_data_without_a_length_will_do():
    class Stream:
        def __iter__(self):
            return iter(batches(7))

    assert len(find_rate(learner_for(data=(Stream(), None)), end=1e-2, steps=30).losses) == 30


def test_groups_keep_their_ratio():
    seen = []

    class Look(Callback):
        def after_step(self, learner):
            seen.append([group["lr"] for group in learner.optimizer.param_groups])

    learner = learner_for(callbacks=[Progress("off"), Look()])
    curve = find_rate(learner, end=1e-2, steps=20, early=0.05)

    assert [rate for _, rate in seen] == list(curve.rates)
    assert [early / late for early, late in seen] == pytest.approx([0.05] * 20)


def test_frozen_layers_stay_frozen():
    learner = learner_for()
    learner.freeze()
    find_rate(learner, steps=20)

    assert [one.requires_grad for one in learner.model.parameters()] == [False] * 4 + [True] * 2


def test_callbacks_hear_of_batches_and_not_of_epochs_and_their_state_is_put_back():
    class Talkative(Callback):
        def __init__(self):
            self.heard, self.state = set(), {"count": 7}

        def state_dict(self):
            return self.state

        def load_state_dict(self, state):
            self.state = state

        def after_step(self, learner):
            self.heard.add("after_step")
            self.state["count"] += 1

        def after_epoch(self, learner):
            self.heard.add("after_epoch")
            print(learner.recorder.rows[-1]["valid loss"])

    talkative = Talkative()
    find_rate(learner_for(callbacks=[talkative]), steps=30)

    assert talkative.heard == {"after_step"}
    assert talkative.state == {"count": 7}


def test_nothing_is_saved_logged_or_timed(tmp_path):
    records = [Checkpoint(tmp_path / "kept", every=1), LogCSV(tmp_path / "log.csv"), TimeAndMemory()]
    find_rate(learner_for(callbacks=[Progress("off"), *records]), steps=20)

    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_nothing_is_shown(capsys):
    find_rate(learner_for(callbacks=[Progress("plain")]), steps=20)

    assert capsys.readouterr() == ("", "")


def test_a_loss_that_runs_away_ends_the_trial_early():
    learner = learner_for(model=nn.Linear(4, 2), optimizer=torch.optim.SGD)
    curve = find_rate(learner, end=1e9, steps=200)

    assert len(curve.rates) < 200
    assert 1e-3 < curve.suggestion < 1e3


def test_a_nan_ends_the_trial_early_and_the_rate_is_read_off_what_was_before():
    class Broken(nn.Linear):
        calls = 0

        def forward(self, inputs):
            self.calls += 1
            return super().forward(inputs) * (math.nan if self.calls > 32 else 1)

    curve = find_rate(learner_for(model=Broken(4, 2)), start=1e-3, end=1e-1, steps=100)

    assert len(curve.rates) == 40
    assert 0 < curve.suggestion < curve.rates[32]


def test_the_host_looks_at_the_losses_once_in_ten_batches(monkeypatch):
    looks = []
    monkeypatch.setattr(RateFinder, "measured", lambda self: looks.append(len(self.rates)) or [0.5])
    find_rate(learner_for(), steps=35)

    assert looks == [10, 20, 30, 35]  # and at the end, for all


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": 1, "end": 0.1}, "from a low one to a higher one; got start=1, end=0.1"),
        ({"start": 0}, "start=0"),
        ({"steps": 5}, "at least 10 steps to be seen; steps=5"),
    ],
)
def test_what_makes_no_trial(options, words):
    with pytest.raises(ValueError, match=words):
        find_rate(learner_for(), **options)


# Reading the curve ------------------------------------------------------------------------------------------


def test_the_suggestion_is_a_fifth_of_the_rate_of_the_lowest_loss():
    lowest = min(range(60), key=LOSSES.__getitem__)

    assert suggest_rate(RATES, LOSSES) == pytest.approx(RATES[lowest] / 5)


def test_noise_does_not_move_the_suggestion_far():
    noise = torch.randn(50, 60, generator=torch.Generator().manual_seed(2)) * 0.1
    found = [
        suggest_rate(RATES, [loss + one for loss, one in zip(LOSSES, row.tolist(), strict=True)])
        for row in noise
    ]

    assert all(suggest_rate(RATES, LOSSES) / 2.6 < one < suggest_rate(RATES, LOSSES) * 2.6 for one in found)


def test_what_comes_after_a_loss_that_is_no_number_does_not_count():
    assert suggest_rate(RATES, [*LOSSES[:30], math.nan, *[0.0] * 29]) == pytest.approx(RATES[29] / 5)


@pytest.mark.parametrize(
    ("rates", "losses", "words"),
    [
        (RATES, LOSSES[:-1], "got 60 rates and 59 losses"),
        (RATES[::-1], LOSSES, "each is higher than the one before"),
        (
            RATES,
            [1.0] * 60,
            "was 1 at the lowest rates and never fell below 1.*\n.*what is wrong in the data",
        ),
        (RATES, [1.0] * 20 + [9.0] * 40, "no rate makes this model learn"),
        (RATES, [1.0, math.nan] + [0.5] * 58, "the loss is nan after 1 steps.*\n.*hold no nan"),
        (RATES[:5], LOSSES[:5], "and the trial ended"),
    ],
)
def test_what_no_rate_can_be_read_off(rates, losses, words):
    with pytest.raises(ValueError, match=words):
        suggest_rate(rates, losses)


@given(some.lists(some.floats(-100, 100), min_size=1, max_size=30), some.integers(1, 9))
def test_smoothing_stays_between_the_ends_and_keeps_straight_lines(losses, reach):
    means = smooth(losses, reach)
    line = [2.0 * number for number in range(len(losses))]

    assert len(means) == len(losses)
    assert min(losses) - 1e-9 <= min(means) <= max(means) <= max(losses) + 1e-9
    assert smooth(line, reach) == pytest.approx(line)
    assert smooth(losses[::-1], reach) == pytest.approx(means[::-1])


def test_one_bad_batch_is_no_running_away():
    assert not ran_away([0.5] * 10 + [0.1] * 9 + [0.9])
    assert ran_away([0.5] * 10 + [3.0] * 10)
    assert not ran_away([-1.0] * 10 + [-0.5] * 10)


def test_the_picture_marks_the_suggestion_and_says_so():
    RateCurve(tuple(RATES), tuple(LOSSES)).plot()
    figure = pyplot.gcf()

    assert "Marked by a line: suggestion 0.01" in figure.alt_text
    assert figure.axes[0].get_xscale() == "log"
    assert [line.get_label() for line in figure.axes[0].lines] == [
        "each batch",
        "smoothed",
        "suggestion 0.01",
    ]
    assert figure.axes[0].get_ylim()[1] < max(LOSSES)
    pyplot.close(figure)


def test_a_picture_without_a_suggestion_has_no_line():
    curve = RateCurve(tuple(RATES), (1.0,) * 60)
    curve.plot()

    assert "Marked by a line: no suggestion" in pyplot.gcf().alt_text
    assert len(pyplot.gcf().axes[0].lines) == 2
    assert repr(curve).endswith("no suggestion)")
    pyplot.close()


def test_a_trial_without_one_number_has_no_picture():
    with pytest.raises(ValueError, match="first loss of this trial is no number"):
        RateCurve((0.1,), (math.nan,)).plot()
