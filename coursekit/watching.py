"""Watching: what goes on in a model and around it while it trains: activations, time, memory, losses."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .devices import is_first
from .events import Callback
from .screens import find_style

if TYPE_CHECKING:
    from pandas import DataFrame

    from .learner import Learner

# How many layers a picture shows: more cannot be told apart.
MOST_LAYERS = 9


class ActivationStatistics(Callback):
    """Watches what the layers answer: a layer that is silent or shouts is why a model does not learn.

    Args:
        of: the kinds of layers to watch, as `(nn.ReLU, nn.Linear)`; without it every layer that has none
            inside it.
        every: look at one batch of so many.
        zero: an answer whose size is less than this counts as near zero.
        limit: up to where histograms tell sizes apart; what is larger stands in their last bin.

    Attributes:
        means, spreads, near_zero: for each layer's name a list of numbers, one a batch: the mean of its
            outputs, their standard deviation, and the share near zero, from 0 to 1.
        histograms: for each layer's name a tensor (batches, 40) of shares: how many outputs lie in each bin
            of sizes from 0 to `limit`.

    All is added up on the device and comes to the host when an epoch's training ends. Only training is
    watched. `plot()` draws it.

    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.ones(2, 3), torch.tensor([0, 1]))] * 4
    >>> watch = ActivationStatistics(of=nn.ReLU)
    >>> learner = Learner((batches, None), nn.Sequential(nn.Linear(3, 2), nn.ReLU()), nn.CrossEntropyLoss(),
    ...                   callbacks=[Progress("off"), watch], device="cpu")
    >>> learner.fit(1, rate=0.1)
    >>> {name: len(means) for name, means in watch.means.items()}
    {'1': 4}
    """

    # Before StopOnNaN, which ends the training that needs most to be looked at.
    order = -8
    in_trials = False
    bins = 40

    def __init__(
        self,
        of: type[nn.Module] | tuple[type[nn.Module], ...] | None = None,
        every: int = 1,
        zero: float = 0.05,
        limit: float = 10.0,
    ) -> None:
        self.of, self.every, self.zero, self.limit = of, every, zero, limit
        self.means: dict[str, list[float]] = {}
        self.spreads: dict[str, list[float]] = {}
        self.near_zero: dict[str, list[float]] = {}
        self.histograms: dict[str, Tensor] = {}
        self._hooks: list[Any] = []
        self._waiting: dict[str, list[Tensor]] = {}

    def before_train(self, learner: Learner) -> None:
        self.after_fit(learner)
        for name, layer in learner.model.named_modules():
            if isinstance(layer, self.of) if self.of else not list(layer.children()):
                self._hooks.append(layer.register_forward_hook(partial(self._look, learner, name)))

    def _look(self, learner: Learner, name: str, layer: nn.Module, inputs: Any, outputs: Any) -> None:
        if not isinstance(outputs, Tensor) or learner.batch_number % self.every:
            return
        numbers = outputs.detach().float().flatten()
        sizes = numbers.abs()
        places = (sizes * (self.bins / self.limit)).clamp(max=self.bins - 1).nan_to_num().long()
        counts = numbers.new_zeros(self.bins).scatter_add_(0, places, torch.ones_like(numbers))
        told = torch.stack([numbers.mean(), numbers.std(correction=0), (sizes < self.zero).float().mean()])
        self._waiting.setdefault(name, []).append(torch.cat([told, counts / numbers.numel()]))

    def after_train(self, learner: Learner) -> None:
        for name, waiting in self._waiting.items():
            found = torch.stack(waiting).cpu()
            for numbers, column in zip(
                (self.means, self.spreads, self.near_zero), found[:, :3].T, strict=True
            ):
                numbers.setdefault(name, []).extend(column.tolist())
            before = self.histograms.get(name, found[:0, 3:])
            self.histograms[name] = torch.cat([before, found[:, 3:]])
        self.after_fit(learner)

    def after_fit(self, learner: Learner) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._waiting = [], {}

    def plot(self) -> None:
        """Draw means, spreads and shares near zero over the batches, and each layer's histogram over time.

        Nine layers are drawn at most. In a histogram, batches go from left to right and sizes from 0 at the
        bottom upwards; darker is more, by the logarithm. The figure's attribute `alt_text` says it in words.
        Raises ValueError when nothing was seen.

        >>> watch = ActivationStatistics()
        >>> watch.means, watch.spreads = {"0": [0.0, 0.1]}, {"0": [1.0, 0.9]}
        >>> watch.near_zero = {"0": [0.1, 0.5]}
        >>> watch.histograms = {"0": torch.ones(2, 40) / 40}
        >>> watch.plot()
        >>> from matplotlib import pyplot
        >>> print(pyplot.gcf().alt_text)
        What layers answer, from the first of 2 batches to the last.
        0: mean 0 to 0.1, spread 1 to 0.9, near zero 10 % to 50 %.
        """
        names = list(self.means)[:MOST_LAYERS]
        if not names:
            raise ValueError("There is nothing to draw yet: train first, with this among the callbacks.")
        from matplotlib import pyplot

        rows = -(-len(names) // 3)
        figure: Any = pyplot.figure(figsize=(9, 2.6 + 1.9 * rows), layout="constrained")
        places = figure.subplots(1 + rows, 3, squeeze=False)
        curves = {"mean": self.means, "spread": self.spreads, "share near zero": self.near_zero}
        for axes, (title, numbers) in zip(places[0], curves.items(), strict=True):
            for name in names:
                axes.plot(numbers[name], label=name, linewidth=1)
            axes.set(title=title, xlabel="batch")
        figure.legend(*places[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
        for axes, name in zip(places[1:].flat, [*names, *[""] * (3 * rows - len(names))], strict=True):
            self._draw_histogram(axes, name)
        figure.alt_text = self._describe(names)

    def _draw_histogram(self, axes: Any, name: str) -> None:
        if not name:
            axes.set_axis_off()
            return
        picture = (1000 * self.histograms[name].T).log1p().numpy()
        extent = (0, picture.shape[1], 0, self.limit)
        axes.imshow(picture, origin="lower", aspect="auto", cmap="Greys", extent=extent)
        axes.set_title(name, fontsize="small")
        axes.set(xlabel="batch", ylabel="size")

    def _describe(self, names: list[str]) -> str:
        told = [
            f"{name}: mean {self.means[name][0]:.2g} to {self.means[name][-1]:.2g}, spread "
            f"{self.spreads[name][0]:.2g} to {self.spreads[name][-1]:.2g}, near zero "
            f"{self.near_zero[name][0]:.0%} to {self.near_zero[name][-1]:.0%}".replace("%", " %")
            for name in names
        ]
        count = len(self.means[names[0]])
        return f"What layers answer, from the first of {count} batches to the last.\n{'; '.join(told)}."


class TimeAndMemory(Callback):
    """Tells where an epoch's time went, and how much memory it took at most.

    `rows` has a dict for each epoch, in seconds: `data` (waiting for the next batch), `forward` (with the
    loss), `backward`, `step`, `validation` and `rest`, which add up to `seconds`; and `memory`, the most that
    was taken, in GB (10^9 bytes): on a GPU by this epoch's tensors, elsewhere by the process so far. What a
    callback does counts to the part that follows. On a GPU time is what passes there, from marks in its own
    queue, so that nothing waits: data that come while it still computes cost it nothing.

    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.ones(2, 1), torch.ones(2, 1))]
    >>> report = TimeAndMemory()
    >>> quiet = {"callbacks": [Progress("off"), report], "device": "cpu"}
    >>> Learner((batches, batches), nn.Linear(1, 1), nn.MSELoss(), **quiet).fit(1, rate=0.1)
    >>> list(report.rows[0])
    ['epoch', 'data', 'forward', 'backward', 'step', 'validation', 'rest', 'seconds', 'memory']
    >>> print(report)  # doctest: +ELLIPSIS
    Epoch 1 took ... s: ... % waiting for data, ... % forward, ... GB of memory at most.
    """

    order = -90
    in_trials = False
    parts = ("data", "forward", "backward", "step", "validation", "rest")

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self._marks: list[tuple[str, Any]] = []

    def _mark(self, learner: Learner, part: str) -> None:
        """What has gone on since the last mark was this; in validation all is one."""
        if learner.device.type == "cuda":
            stamp: Any = torch.cuda.Event(enable_timing=True)
            stamp.record()
        else:
            stamp = time.perf_counter()
        self._marks.append((part if learner.training else "validation", stamp))

    def before_epoch(self, learner: Learner) -> None:
        if learner.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(learner.device)
        self._marks = []
        self._mark(learner, "rest")

    def before_batch(self, learner: Learner) -> None:
        self._mark(learner, "data")

    def before_backward(self, learner: Learner) -> None:
        self._mark(learner, "forward")

    def after_backward(self, learner: Learner) -> None:
        self._mark(learner, "backward")

    def after_step(self, learner: Learner) -> None:
        self._mark(learner, "step")

    def after_batch(self, learner: Learner) -> None:
        self._mark(learner, "rest")

    def after_train(self, learner: Learner) -> None:
        self._mark(learner, "rest")

    def after_epoch(self, learner: Learner) -> None:
        self._mark(learner, "rest")
        if learner.device.type == "cuda":
            torch.cuda.synchronize(learner.device)
        row: dict[str, float] = {"epoch": len(learner.recorder.rows) + 1} | dict.fromkeys(self.parts, 0.0)
        for (_, before), (part, stamp) in zip(self._marks, self._marks[1:], strict=False):
            row[part] += seconds_between(before, stamp)
        row["seconds"] = sum(row[part] for part in self.parts)
        self.rows.append(row | {"memory": most_memory(learner.device) / 1e9})

    def table(self) -> DataFrame:
        """The rows as a pandas DataFrame, one line an epoch.

        >>> TimeAndMemory().table().empty
        True
        """
        import pandas

        return pandas.DataFrame(self.rows)

    def __str__(self) -> str:
        if not self.rows:
            return "No epoch was timed yet."
        row = self.rows[-1]
        said = {"data": "waiting for data"}
        parts = [f"{row[part] / row['seconds']:.0%} {said.get(part, part)}" for part in self.parts]
        return (
            f"Epoch {row['epoch']} took {row['seconds']:.3g} s: {', '.join(parts).replace('%', ' %')}; "
            f"{row['memory']:.2g} GB of memory at most."
        )


def seconds_between(start: Any, end: Any) -> float:
    """The time between two marks, in seconds: of the clock, or of a GPU's queue.

    >>> seconds_between(1.0, 3.5)
    2.5
    """
    return end - start if isinstance(start, float) else start.elapsed_time(end) / 1000


def most_memory(device: torch.device) -> int:
    """The most bytes that were taken on the device: by tensors on a GPU, elsewhere by the process; or 0.

    >>> most_memory(torch.device("cpu")) > 10_000_000
    True
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # On Windows nobody counts.
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


class LossPlot(Callback):
    """Draws the losses while training goes on, in one place of the notebook, anew after each epoch.

    Outside a notebook nothing is shown. `figure` is the last picture, a matplotlib figure; its attribute
    `alt_text`, which the notebook keeps beside it, says in words what it shows.

    >>> from .callbacks import Progress
    >>> from .learner import Learner
    >>> batches = [(torch.ones(2, 1), torch.ones(2, 1))]
    >>> plot = LossPlot()
    >>> quiet = {"callbacks": [Progress("off"), plot], "device": "cpu"}
    >>> Learner((batches, batches), nn.Linear(1, 1), nn.MSELoss(), **quiet).fit(2, rate=0.1)
    >>> plot.figure.alt_text[:33]
    'Training loss over 2 batches goes'
    """

    order = 80
    in_trials = False
    figure: Any = None

    def before_fit(self, learner: Learner) -> None:
        self._shown: Any = None

    def after_epoch(self, learner: Learner) -> None:
        if not is_first() or not learner.recorder.losses:
            return
        from matplotlib import pyplot

        learner.recorder.plot()
        self.figure = pyplot.gcf()
        pyplot.close(self.figure)
        if find_style() == "notebook":
            self._show()

    def _show(self) -> None:
        from IPython.display import display

        about = {"image/png": {"alt": self.figure.alt_text}}
        if self._shown is None:
            self._shown = display(self.figure, display_id=True, metadata=about)
        else:
            self._shown.update(self.figure, metadata=about)
