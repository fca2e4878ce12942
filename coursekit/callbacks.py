"""Callbacks: what happens beside the training step. Start here to put an idea of your own into training.

A callback is a class with methods named after events; each is called with the learner, at that moment of
every fit. These are the events, in the order in which they happen:

    before_fit
      before_epoch
        before_train
          before_batch  after_predict  after_loss  before_backward  after_backward  before_step
          after_step  after_batch
        after_train
        before_validate
          before_batch  after_predict  after_loss  after_batch
        after_validate
      after_epoch
    after_fit

What a callback finds on the learner: `model`, `data`, `loss_function`, `optimizer`, `device`, `recorder`;
`epoch` and `batch_number` (both from 0), `epochs`, `batch_count` (None when nobody knows), `training` (True
in training, False in validation); and of the batch at hand `inputs`, `targets`, `predicted` (what the model
answered) and `loss`. It may change them: what `after_loss` makes of `learner.loss` is reported and trained
on, what `before_backward` makes of it is only trained on. `listeners` are all callbacks that take part.

In `before_fit` it may set `first_epoch`, to go on with a fit that was interrupted, and put a `call_model` or
`take_step` of its own in the place of the learner's: `vars(learner)["take_step"] = mine`, which it takes out
again in `after_fit`. Who needs the first or the last word in one event alone may put a function into
`learner.handlers[event]`, which is made anew for each fit.

**Order.** Of one event, callbacks with a lower `order` are called first, and at the same `order` those that
were given first. Yours is 0 unless you write `order = 5` in the class, so it sees this epoch's numbers, and
Progress shows what it adds to them. Ours, from first to last:

    TimeAndMemory -90          what anybody does is part of the time
    Distributed -60            all processes begin with the same weights; metrics are joined before they tell
    Compile -55                (and CaptureGraph)
    Accumulate -50             one mean gradient is there before anybody looks at it in `before_step`
    Freeze -50
    OverfitOneBatch -50        whatever is done to a batch is done to this one
    MixedPrecision -45         scales after all others in `before_backward`, back before them in `before_step`
    TraceNaN -40               looks at gradients as they come back
    MixUp -35                  (and CutMix) the loss is that of both answers before it is recorded
    Schedule -30
    RateFinder -30
    Metrics -20
    Recorder -10
    ActivationStatistics -8    still hears of what StopOnNaN stops
    StopOnNaN -5
    ClipGradients 20           after what you do to gradients
    ChannelsLast 45            after what you do to inputs
    StopEarly 50               keeps the weights that were validated, the average too
    AverageWeights 60          gives the model its own weights back after validation
    LogCSV 70
    LogTensorBoard 70
    LossPlot 80
    Progress 90
    Checkpoint 95              writes what all others leave

**Cancelling.** Any callback may raise CancelBatch, CancelEpoch or CancelFit. All others still hear the event;
then everything up to the end of what was cancelled is skipped, except the `after_` event of each part that
had begun, from the inside out. So `after_batch`, `after_train`, `after_epoch` and `after_fit` can tidy up.

- CancelBatch: nothing more of this batch. Gradients stay as they are, so a batch cancelled in
  `after_backward` adds its gradient to the next one's: that is gradient accumulation.
- CancelEpoch: no further batch of this epoch, and no validation if it has not begun.
- CancelFit: no further epoch.

**Errors** of a callback arrive as they are, with a note that names the event, the epoch and the batch. After
an error or Ctrl-C only `after_fit` is heard.

A handler must not make the host wait for the device in a batch event: no `.item()`, `float()` or `print` of a
tensor there. Keep `learner.loss.detach()` and look at it in `after_epoch`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .batches import describe_batch

# Who writes a callback finds all that it takes in this module.
from .events import (  # noqa: F401
    EVENTS,
    Callback,
    Cancel,
    CancelBatch,
    CancelEpoch,
    CancelFit,
    find_handlers,
    raise_widest,
)
from .metrics import Average, Mean, Metric
from .screens import SCREENS, Screen, describe_learning, find_style

if TYPE_CHECKING:
    from pandas import DataFrame

    from .learner import Learner

# A bar that moves five times a second looks alive, and its cost does not grow with the number of batches.
SECONDS_BETWEEN = 0.2


class Metrics(Callback):
    """Measures each metric over the validation batches, beside the validation loss; always there.

    A plain function is averaged by the number of items. `values` holds the last validation's numbers by name,
    each a column of the recorder's rows: ValueError for two of one name.

    >>> from .metrics import accuracy
    >>> [metric.name for metric in Metrics([accuracy]).metrics]
    ['accuracy']
    """

    order = -20

    def __init__(self, metrics: Iterable[Metric | Callable[[Any, Any], Tensor]] = ()) -> None:
        self.loss = Average("valid loss")
        self.metrics = [_as_metric(metric) for metric in metrics]
        _check_names([metric.name for metric in self.metrics])
        self.values: dict[str, float] = {}

    def before_epoch(self, learner: Learner) -> None:
        self.values = {}

    def before_validate(self, learner: Learner) -> None:
        self.values = {}
        for metric in (self.loss, *self.metrics):
            metric.reset()

    def after_batch(self, learner: Learner) -> None:
        if learner.training or learner.loss is None:
            return
        self.loss.add(learner.loss, learner.batch_size)
        for metric in self.metrics:
            try:
                metric.update(learner.predicted, learner.targets)
            except Exception as error:
                given = [describe_batch(one) for one in (learner.predicted, learner.targets)]
                error.add_note(f"The metric: {metric.name} (predictions: {given[0]}; targets: {given[1]}).")
                raise

    def after_validate(self, learner: Learner) -> None:
        self.values = {metric.name: float(metric.value()) for metric in (self.loss, *self.metrics)}

    def state_dict(self) -> dict[str, Any]:
        """The numbers of the last validation."""
        return {"values": self.values}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back the numbers of the last validation."""
        self.values = state["values"]


def _check_names(names: Sequence[str]) -> None:
    """Raise ValueError if one column would hold two numbers."""
    columns = ["epoch", "train loss", "valid loss", "loss", "seconds", *names]
    twice = [name for name in names if columns.count(name) > 1]
    if twice:
        raise ValueError(
            f"a metric heads a column of its own, and there is more than one {twice[0]!r}: name it, by "
            'kit.Mean(function, name="..."), or in the class of a Metric by name = "...".'
        )


def _as_metric(metric: Any) -> Metric:
    """A metric as it is, a plain function as the mean of its values."""
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, type) or not callable(metric):
        what = getattr(metric, "__name__", repr(metric))
        example = f"{what}(...)" if isinstance(metric, type) else "kit.accuracy"
        raise TypeError(
            f"a metric is a function of (predictions, targets) or a Metric, as {example}; got {what}."
        )
    return Mean(metric)


class Recorder(Callback):
    """Keeps what happened: the loss and rate of each training batch, and a row of numbers for each epoch.

    It is always there, as `learner.recorder`, and goes on from fit to fit.

    Attributes:
        losses: the training loss of each batch, as floats (filled when an epoch's training ends: until then
            losses stay on the device).
        rates: the learning rate of the last parameter group, the head's, at each batch.
        rows: for each epoch a dict: epoch (from 1), train loss, valid loss, each metric, seconds. The losses
            are means over all items; what was not measured is missing.
        ends: how many batches there had been at the end of each row's epoch.

    >>> Recorder().rows
    []
    """

    order = -10

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.rows: list[dict[str, float]] = []
        self.ends: list[int] = []
        self._first = 0
        self._waiting: list[Tensor] = []
        self._counts: list[int] = []

    def before_epoch(self, learner: Learner) -> None:
        self._began = time.perf_counter()
        self._first = len(self.losses)
        self._counts = []

    def before_backward(self, learner: Learner) -> None:
        self._waiting.append(learner.loss.detach())
        self._counts.append(learner.batch_size)
        self.rates.append(learner.optimizer.param_groups[-1]["lr"])

    def after_train(self, learner: Learner) -> None:
        self._collect()

    def after_epoch(self, learner: Learner) -> None:
        row: dict[str, float] = {"epoch": len(self.rows) + 1}
        losses = self.losses_of_epoch()
        if losses:
            total = sum(loss * count for loss, count in zip(losses, self._counts, strict=True))
            row["train loss"] = total / sum(self._counts)
        row |= learner.metrics.values
        row["seconds"] = time.perf_counter() - self._began
        self.rows.append(row)
        self.ends.append(len(self.losses))

    def after_fit(self, learner: Learner) -> None:
        # After an error or Ctrl-C no after_train was heard; what was done until then is worth keeping.
        self._collect()

    def state_dict(self) -> dict[str, Any]:
        """All that was recorded, as of now: the host waits for the losses of the epoch at hand."""
        self._collect()
        return {
            "losses": torch.tensor(self.losses, dtype=torch.float64),
            "rates": torch.tensor(self.rates, dtype=torch.float64),
            "rows": self.rows,
            "ends": self.ends,
            "first": self._first,
            "counts": self._counts,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back all that was recorded."""
        self.losses, self.rates = state["losses"].tolist(), state["rates"].tolist()
        self.rows, self.ends = state["rows"], state["ends"]
        self._first, self._counts, self._waiting = state["first"], state["counts"], []

    def losses_of_epoch(self) -> list[float]:
        """The training losses of the last epoch, one a batch."""
        return self.losses[self._first :]

    def _collect(self) -> None:
        """Bring the losses of the epoch to the host, all in one transfer."""
        if self._waiting:
            self.losses += torch.stack(self._waiting).tolist()
            self._waiting = []

    def table(self) -> DataFrame:
        """The rows as a pandas DataFrame, one line an epoch.

        >>> list(Recorder().table().columns)
        ['epoch', 'seconds']
        """
        import pandas

        return pandas.DataFrame(self.rows or {"epoch": [], "seconds": []})

    def plot(self) -> None:
        """Draw the training loss of each batch and the validation loss of each epoch.

        The figure's attribute `alt_text` says in a sentence what it shows, for those who do not see
        it. Raises ValueError when nothing was trained.

        >>> from matplotlib import pyplot
        >>> recorder = Recorder()
        >>> recorder.losses = [0.7, 0.5, 0.4, 0.4]
        >>> recorder.rows, recorder.ends = [{"valid loss": 0.6}, {"valid loss": 0.5}], [2, 4]
        >>> recorder.plot()
        >>> pyplot.gcf().alt_text
        'Training loss over 4 batches goes from 0.7 to 0.4; validation loss by epoch: 0.6, 0.5.'
        """
        if not self.losses:
            raise ValueError("There is nothing to draw yet: train first, as in learner.fit(1, rate=1e-3).")
        from matplotlib import pyplot

        figure: Any
        figure, axes = pyplot.subplots(figsize=(6, 3.2), layout="constrained")
        axes.plot(range(1, len(self.losses) + 1), self.losses, label="training, each batch", linewidth=1)
        valid = {
            end: row["valid loss"]
            for end, row in zip(self.ends, self.rows, strict=True)
            if "valid loss" in row
        }
        axes.plot(list(valid), list(valid.values()), "o-", label="validation, each epoch")
        axes.set(xlabel="batch", ylabel="loss")
        axes.legend()
        figure.alt_text = (
            f"Training loss over {len(self.losses)} batches goes from {self.losses[0]:.3g} to "
            f"{self.losses[-1]:.3g}; validation loss by epoch: "
            f"{', '.join(f'{loss:.3g}' for loss in valid.values()) or 'none'}."
        )


class StopOnNaN(Callback):
    """Stops with a sentence when a training loss is infinite or not a number; always there.

    It looks when an epoch's training ends, where the losses come to the host anyway: looking after each batch
    would make every step wait for the device. So the rest of that epoch is computed in vain, and validation
    does not begin. Raises FloatingPointError.

    >>> StopOnNaN().order
    -5
    """

    order = -5

    def after_train(self, learner: Learner) -> None:
        losses = learner.recorder.losses_of_epoch()
        wrong = next((number for number, loss in enumerate(losses) if not math.isfinite(loss)), None)
        if wrong is None:
            return
        rate = learner.recorder.rates[len(learner.recorder.losses) - len(losses) + wrong]
        raise FloatingPointError(
            f"The loss became {losses[wrong]} in epoch {learner.epoch + 1} of {learner.epochs}, batch "
            f"{wrong + 1} of {len(losses)}, at the learning rate {rate:.3g}; the weights are of no use now.\n"
            "Make the model anew and train with a lower rate (a tenth, say), and see that the inputs hold no "
            "nan and no huge numbers. With callbacks=[kit.TraceNaN()] it is traced to its layer."
        )


class Schedule(Callback):
    """Changes the learning rate from batch to batch: `function(progress)` is the part of it that is used.

    `progress` runs from 0 at the first batch towards 1 at the end of the fit. Every parameter group keeps its
    own rate as its peak. When the number of batches is not known, the rate changes from epoch to epoch only,
    and in each it is that of its middle.

    >>> from .schedules import cosine
    >>> Schedule(cosine).function(0.5)
    0.5
    """

    order = -30

    def __init__(self, function: Callable[[float], float]) -> None:
        self.function = function
        self.peaks: list[float] = []

    def before_fit(self, learner: Learner) -> None:
        self.peaks = [group["lr"] for group in learner.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The rates it changes, which are no longer to be seen once it has changed them."""
        return {"peaks": list(self.peaks)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the rates of the fit that was interrupted."""
        self.peaks = list(state["peaks"])

    def before_batch(self, learner: Learner) -> None:
        if not learner.training:
            return
        part = learner.batch_number / learner.batch_count if learner.batch_count else 0.5
        factor = self.function(min((learner.epoch + part) / learner.epochs, 1.0))
        for group, peak in zip(learner.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * factor


class Progress(Callback):
    """Shows how training goes: a row for each epoch, and a bar while someone is watching; always there.

    Args:
        style: "notebook" keeps table and bar in one output, drawn anew, so that a saved notebook or a page
            holds the table alone; "terminal" prints rows and has tqdm's bar; "plain" prints rows only, for
            logs; "off" shows nothing. Without it, what fits the place is chosen.

    >>> Progress("off").style
    'off'
    """

    order = 90

    def __init__(self, style: str | None = None) -> None:
        if style is not None and style not in SCREENS:
            raise ValueError(f"Progress has the styles {', '.join(SCREENS)}; {style!r} is none of them.")
        self.style = style
        self.screen = Screen()
        self.said = ""

    def before_fit(self, learner: Learner) -> None:
        self.screen = SCREENS[self.style or find_style()]()
        learning = describe_learning(learner.groups)
        if len(learner.groups) > 1 and learning != self.said:
            self.screen.caption(learning)
            self.said = learning

    def before_train(self, learner: Learner) -> None:
        self._begin(learner, "training")

    def before_validate(self, learner: Learner) -> None:
        self._begin(learner, "validation")

    def _begin(self, learner: Learner, part: str) -> None:
        self._next = time.perf_counter() + SECONDS_BETWEEN
        self.screen.begin(f"epoch {learner.epoch + 1} of {learner.epochs}, {part}", learner.batch_count)

    def after_batch(self, learner: Learner) -> None:
        now = time.perf_counter()
        if now >= self._next:
            self._next = now + SECONDS_BETWEEN
            self.screen.move(learner.batch_number + 1)

    def after_epoch(self, learner: Learner) -> None:
        self.screen.row(learner.recorder.rows[-1])

    def after_fit(self, learner: Learner) -> None:
        self.screen.close()
        self.screen = Screen()

    def follow(self, batches: Iterable, doing: str, count: int | None) -> Iterator[Any]:
        """Give the batches on, and show how many of `count` are done once that takes long enough to wonder.

        >>> list(Progress("off").follow([1, 2], "predicting", 2))
        [1, 2]
        """
        screen, begun = SCREENS[self.style or find_style()](), False
        soon = time.perf_counter() + SECONDS_BETWEEN
        for number, batch in enumerate(batches):
            yield batch
            if (now := time.perf_counter()) >= soon:
                if not begun:
                    screen.begin(doing, count)
                begun, soon = True, now + SECONDS_BETWEEN
                screen.move(number + 1)
        if begun:
            screen.close()


def complete(given: Iterable[Callback], metrics: Iterable[Any] = ()) -> list[Callback]:
    """The callbacks that are always there and those given; one given takes the place of ours of its kind.

    >>> [type(callback).__name__ for callback in complete([Progress("off")])]
    ['Metrics', 'Recorder', 'StopOnNaN', 'Progress']
    """
    given = list(given)
    ours: list[Callback] = [Metrics(metrics), Recorder(), StopOnNaN(), Progress()]
    return [one for one in ours if not any(isinstance(other, type(one)) for other in given)] + given
