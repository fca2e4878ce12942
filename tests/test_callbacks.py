"""Callbacks: heard in their order, cancelled with a meaning, and ours do what they say."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from coursekit.callbacks import (
    EVENTS,
    Callback,
    CancelBatch,
    CancelEpoch,
    CancelFit,
    Metrics,
    Progress,
    Recorder,
    Schedule,
    find_handlers,
)
from coursekit.learner import Learner
from coursekit.losses import CrossEntropy
from coursekit.metrics import Mean, Metric, Recall, accuracy
from coursekit.schedules import cosine

BATCH = ["before_batch", "after_predict", "after_loss"]
STEP = [*BATCH, "before_backward", "after_backward", "before_step", "after_step", "after_batch"]
EPOCH = [
    *("before_epoch", "before_train", *STEP, *STEP, "after_train"),
    *("before_validate", *BATCH, "after_batch", "after_validate", "after_epoch"),
]


def make_batches(count: int = 2, size: int = 8) -> list:
    generator = torch.Generator().manual_seed(count)
    inputs = torch.randn(count, size, 4, generator=generator)
    return [(x, (x.sum(dim=1) > 0).long()) for x in inputs]


@pytest.fixture
def make_learner():
    """Makes a learner with two training batches and one validation batch that shows nothing."""

    def make(*callbacks, train=None, valid=None, **options):
        torch.manual_seed(0)
        data = (make_batches() if train is None else train, make_batches(1) if valid is None else valid)
        options = {"device": "cpu", "loss": CrossEntropy(), **options}
        model = options.pop("model", None) or nn.Linear(4, 2)
        return Learner(data, model, callbacks=[Progress("off"), *callbacks], **options)

    return make


class Listen(Callback):
    """Notes every event it hears, and cancels at one of them, once."""

    def __init__(self, cancel=None, at=None, order=0):
        self.heard, self.cancel, self.at, self.order = [], cancel, at, order


def _listener(event):
    def hear(self, learner):
        self.heard.append(event)
        if event == self.at:
            self.at = None
            raise self.cancel

    return hear


for one in EVENTS:
    setattr(Listen, one, _listener(one))


def test_events_come_in_the_documented_order(make_learner):
    listen = Listen()
    make_learner(listen).fit(2, rate=0.1)

    assert listen.heard == ["before_fit", *EPOCH, *EPOCH, "after_fit"]
    assert set(listen.heard) == set(EVENTS)


def test_the_modules_text_shows_the_events_in_that_order():
    from coursekit import callbacks

    words = callbacks.__doc__.split("before_fit")[1].split("What a callback finds")[0].split()
    shown = ["before_fit", *words]

    assert shown == ["before_fit", *EPOCH[:10], *EPOCH[18:], "after_fit"]


def test_a_lower_order_is_called_first_and_then_who_was_given_first():
    first, early, second = Listen(order=0), Listen(order=-1), Listen(order=0)
    handlers = find_handlers([first, second, early])["after_loss"]

    assert [handler.__self__ for handler in handlers] == [early, first, second]


def test_our_own_orders_are_as_documented():
    import coursekit as kit
    from coursekit import callbacks

    public = [getattr(kit, name) for name in dir(kit)]
    ours = [
        one for one in public if isinstance(one, type) and issubclass(one, Callback) and one is not Callback
    ]
    lines = [line.split() for line in callbacks.__doc__.split("from first to last:")[1].splitlines()]
    told = {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].lstrip("-").isdigit()}
    named = {one.__name__ for one in ours if f"{one.__name__})" in callbacks.__doc__}

    assert told == {one.__name__: one.order for one in ours if one.__name__ not in named}
    assert list(told.values()) == sorted(told.values())


def test_an_event_that_nobody_listens_to_has_no_handlers(make_learner):
    learner = make_learner(Callback())

    assert learner.handlers["after_predict"] == learner.handlers["after_step"] == []


@pytest.mark.parametrize("at", STEP)
def test_cancel_batch_skips_the_rest_of_the_batch(make_learner, at):
    listen = Listen(CancelBatch, at)
    make_learner(listen).fit(1, rate=0.1)
    cut = EPOCH.index(at) + 1
    first = EPOCH[:cut] if at == "after_batch" else [*EPOCH[:cut], "after_batch"]

    assert listen.heard == ["before_fit", *first, *EPOCH[10:], "after_fit"]


@pytest.mark.parametrize("at", ["before_batch", "after_loss", "after_step"])
def test_cancel_epoch_skips_to_the_end_of_the_epoch(make_learner, at):
    listen = Listen(CancelEpoch, at)
    make_learner(listen).fit(2, rate=0.1)
    first = [*EPOCH[: EPOCH.index(at) + 1], "after_batch", "after_train", "after_epoch"]

    assert listen.heard == ["before_fit", *first, *EPOCH, "after_fit"]


@pytest.mark.parametrize("at", ["before_batch", "after_loss", "after_step"])
def test_cancel_fit_ends_training_and_closes_what_had_begun(make_learner, at):
    listen = Listen(CancelFit, at)
    make_learner(listen).fit(3, rate=0.1)
    first = [*EPOCH[: EPOCH.index(at) + 1], "after_batch", "after_train", "after_epoch"]

    assert listen.heard == ["before_fit", *first, "after_fit"]


def test_cancel_fit_after_an_epoch_keeps_that_epochs_numbers(make_learner):
    learner = make_learner(Listen(CancelFit, "after_epoch", order=-50))
    learner.fit(3, rate=0.1)

    assert [row["epoch"] for row in learner.recorder.rows] == [1]


def test_all_hear_an_event_that_one_cancels_and_the_widest_cancel_counts(make_learner):
    one, two, three = (
        Listen(CancelBatch, "before_batch"),
        Listen(CancelFit, "before_batch"),
        Listen(CancelEpoch, "before_batch"),
    )
    make_learner(one, two, three).fit(3, rate=0.1)

    assert one.heard == two.heard == three.heard
    assert one.heard.count("before_batch") == one.heard.count("before_epoch") == 1


def test_a_cancel_where_there_is_nothing_to_cancel_says_so(make_learner):
    with pytest.raises(
        RuntimeError, match=r"CancelBatch was raised in an event where there is none to cancel"
    ):
        make_learner(Listen(CancelBatch, "before_epoch")).fit(1, rate=0.1)


def test_gradients_accumulate_when_a_batch_is_cancelled_after_backward():
    """The documented way: two batches of 8 with a mean of losses equal one batch of 16."""
    batches = make_batches(2)
    joined = [tuple(torch.cat(parts) for parts in zip(*batches, strict=True))]

    class EverySecond(Callback):
        def before_backward(self, learner):
            learner.loss = learner.loss / 2

        def after_backward(self, learner):
            if learner.batch_number % 2 == 0:
                raise CancelBatch

    weights = []
    for train, callbacks in ((batches, [EverySecond()]), (joined, [])):
        torch.manual_seed(0)
        quiet = [Progress("off"), *callbacks]
        learner = Learner((train, None), nn.Linear(4, 2), CrossEntropy(), callbacks=quiet, device="cpu")
        learner.fit(1, rate=0.1)
        weights.append(learner.model.weight.detach())

    torch.testing.assert_close(*weights)


def test_what_after_loss_makes_of_the_loss_is_recorded_and_what_before_backward_does_is_not(make_learner):
    class Change(Callback):
        def after_loss(self, learner):
            learner.loss = learner.loss * 0 + 3

        def before_backward(self, learner):
            learner.loss = learner.loss * 100

    learner = make_learner(Change())
    learner.fit(1, rate=0.1)

    assert learner.recorder.losses == [3, 3]
    assert learner.recorder.rows[0]["train loss"] == learner.recorder.rows[0]["valid loss"] == 3


def test_callbacks_are_told_apart_from_what_is_none(make_learner):
    with pytest.raises(TypeError, match=r"Recorder is not: did you mean Recorder\(\)\?"):
        make_learner(Recorder)
    with pytest.raises(TypeError, match=r"str is not: subclass kit\.Callback"):
        make_learner("recorder")


def test_a_misspelt_event_is_found_before_training(make_learner):
    class Typo(Callback):
        def after_bach(self, learner): ...

    class Strange(Callback):
        def after_dinner(self, learner): ...

    with pytest.raises(TypeError, match=r"Typo has a method after_bach.*did you mean after_batch\?"):
        make_learner(Typo())
    with pytest.raises(TypeError, match="after_dinner, and there is no such event"):
        make_learner(Strange())


def test_one_of_your_own_takes_the_place_of_ours(make_learner):
    class MyRecorder(Recorder):
        pass

    mine = MyRecorder()
    learner = make_learner(mine)

    assert learner.recorder is mine
    assert sum(isinstance(one, Recorder) for one in learner.callbacks) == 1


def test_metrics_and_losses_are_exact_over_batches_of_unequal_size(make_learner):
    whole = make_batches(1, size=50)[0]
    parts = [tuple(part[start : start + 16] for part in whole) for start in range(0, 50, 16)]
    learner = make_learner(valid=parts, metrics=[accuracy, Recall(of=1)])
    found = learner.validate()
    with torch.no_grad():
        scores = learner.model(whole[0])

    assert found["loss"] == pytest.approx(float(CrossEntropy()(scores, whole[1])), rel=1e-6)
    assert found["accuracy"] == pytest.approx(float(accuracy(scores, whole[1])), abs=1e-7)
    assert list(found) == ["loss", "accuracy", "recall of 1"]


def test_metrics_see_targets_with_their_type_and_the_model_plain_tensors(make_learner):
    from coursekit.tensors import Category

    seen = []

    class Model(nn.Linear):
        def forward(self, x):
            seen.append(type(x))
            return super().forward(x)

    valid = [(x, Category(y, vocab=("no", "yes"))) for x, y in make_batches(1)]
    learner = make_learner(valid=valid, model=Model(4, 2), metrics=[Recall(of="yes")])

    assert "recall of yes" in learner.validate()
    assert set(seen) == {torch.Tensor}


def test_a_metric_is_a_function_or_a_metric():
    with pytest.raises(TypeError, match=r"a metric is a function .* as Recall\(...\); got Recall"):
        Metrics([Recall])
    with pytest.raises(TypeError, match=r"as kit\.accuracy; got 'accuracy'"):
        Metrics(["accuracy"])


def test_two_metrics_of_one_name_are_refused(make_learner):
    def seconds(predictions, targets):
        return predictions.mean()

    with pytest.raises(ValueError, match=r"more than one '<lambda>': name it, by kit.Mean\(function, name="):
        make_learner(metrics=[lambda p, t: p.max(), lambda p, t: p.min()])
    with pytest.raises(ValueError, match="more than one 'seconds'"):
        make_learner(metrics=[seconds])
    make_learner(metrics=[lambda p, t: p.max(), Mean(lambda p, t: p.min(), name="least")])


def test_what_a_metric_gives_is_a_float_in_the_row(make_learner):
    class Count(Metric):
        def reset(self):
            self.count = torch.zeros(())

        def update(self, predictions, targets):
            self.count += len(targets)

        def value(self):
            return self.count

    learner = make_learner(valid=make_batches(2), metrics=[Count()])
    learner.fit(1, rate=0.1)
    assert type(learner.recorder.rows[0]["metric"]) is type(learner.validate()["metric"]) is float


def test_the_recorder_keeps_losses_rates_and_a_row_an_epoch(make_learner):
    learner = make_learner(metrics=[accuracy])
    learner.fit(2, rate=0.1)
    learner.fit(1, rate=0.2)
    recorder = learner.recorder

    assert len(recorder.losses) == 6
    assert recorder.rates == [0.1] * 4 + [0.2] * 2
    assert [row["epoch"] for row in recorder.rows] == [1, 2, 3]
    assert list(recorder.rows[0]) == ["epoch", "train loss", "valid loss", "accuracy", "seconds"]
    assert recorder.rows[1]["train loss"] == pytest.approx(sum(recorder.losses[2:4]) / 2)


def test_the_training_loss_of_an_epoch_weighs_batches_by_their_items(make_learner):
    train = make_batches(1, size=30) + make_batches(2, size=3)
    learner = make_learner(train=train)
    learner.fit(1, rate=1e-9)
    losses = learner.recorder.losses

    assert learner.recorder.rows[0]["train loss"] == pytest.approx(
        (30 * losses[0] + 3 * losses[1] + 3 * losses[2]) / 36
    )


def test_the_recorders_table_is_a_frame(make_learner):
    learner = make_learner(metrics=[accuracy])
    learner.fit(2, rate=0.1)
    table = learner.recorder.table()

    assert list(table.columns) == ["epoch", "train loss", "valid loss", "accuracy", "seconds"]
    assert table["epoch"].tolist() == [1, 2]


def test_the_plot_says_in_words_what_it_shows(make_learner):
    from matplotlib import pyplot

    learner = make_learner()
    with pytest.raises(ValueError, match="nothing to draw yet: train first"):
        learner.recorder.plot()
    learner.fit(3, rate=0.1)
    learner.recorder.plot()
    figure = pyplot.gcf()
    axes = figure.axes[0]
    pyplot.close(figure)

    assert figure.alt_text.startswith("Training loss over 6 batches goes from 0.")
    assert "validation loss by epoch: 0." in figure.alt_text
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("batch", "loss")
    assert axes.lines[1].get_xdata().tolist() == [2, 4, 6]


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_training_with_a_sentence(make_learner, wrong):
    train = make_batches(3)
    train[1] = (train[1][0] * wrong, train[1][1])
    learner = make_learner(train=train)
    words = r"The loss became nan in epoch 1 of 5, batch 2 of 3, at the learning rate 0.1.*\n.*lower rate"
    with pytest.raises(FloatingPointError, match=words):
        learner.fit(5, rate=0.1)

    assert len(learner.recorder.losses) == 3
    assert learner.recorder.rows == []


def test_a_schedule_sets_the_part_of_each_groups_rate(make_learner):
    class TwoGroups(nn.Sequential):
        def parameter_groups(self):
            return [list(self[0].parameters()), list(self[1].parameters())]

    rates = []

    class Watch(Callback):
        def after_step(self, learner):
            rates.append([group["lr"] for group in learner.optimizer.param_groups])

    learner = make_learner(Watch(), model=TwoGroups(nn.Linear(4, 4), nn.Linear(4, 2)))
    learner.fit(2, rate=(0.01, 0.1), callbacks=[Schedule(cosine)])

    for step, (early, late) in enumerate(rates):
        assert early == pytest.approx(0.01 * cosine(step / 4))
        assert late == pytest.approx(0.1 * cosine(step / 4))


def test_a_schedule_without_a_known_length_moves_from_epoch_to_epoch(make_learner):
    class Endless:
        def __iter__(self):
            return iter(make_batches(2))

    learner = make_learner(train=Endless())
    learner.fit(2, rate=1.0, callbacks=[Schedule(lambda progress: 1 - progress)])

    assert learner.recorder.rates == [0.75, 0.75, 0.25, 0.25]


def test_callbacks_of_one_fit_leave_with_it(make_learner):
    listen = Listen()
    learner = make_learner()
    learner.fit(1, rate=0.1, callbacks=[listen])
    count = len(listen.heard)
    learner.fit(1, rate=0.1)

    assert len(listen.heard) == count


def test_progress_prints_a_row_an_epoch_where_nobody_watches(make_learner, capsys):
    learner = make_learner(Progress("plain"), metrics=[accuracy])
    learner.fit(2, rate=0.1)
    said = capsys.readouterr()
    lines = said.out.splitlines()

    assert lines[0] == "epoch  train loss  valid loss  accuracy  seconds"
    assert [line.split()[0] for line in lines[1:]] == ["1", "2"]
    assert {len(line) for line in lines} == {len(lines[0])}
    assert said.err == ""
    assert said.out.isprintable() or set(said.out) - {"\n"} <= set(map(chr, range(32, 127)))


def test_progress_says_how_much_learns_when_that_changes(capsys):
    class Net(nn.Sequential):
        def parameter_groups(self):
            return [list(self[0].parameters()), list(self[1].parameters())]

    data = (make_batches(), make_batches(1))
    model = Net(nn.Linear(4, 4), nn.Linear(4, 2))
    learner = Learner(data, model, CrossEntropy(), callbacks=[Progress("plain")], device="cpu")
    learner.fine_tune(1)
    learner.fit(1, rate=0.1)
    lines = capsys.readouterr().out.splitlines()

    assert [line for line in lines if "learn" in line] == [
        "10 of 30 parameters learn.",
        "All 30 parameters learn.",
    ]
    assert [line.split()[0] for line in lines if line.strip()[0].isdigit() and "learn" not in line] == list(
        "123"
    )


def test_progress_knows_its_styles():
    with pytest.raises(ValueError, match="notebook, terminal, plain, off; 'loud' is none of them"):
        Progress("loud")
