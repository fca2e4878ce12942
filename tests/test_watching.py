"""What is watched is what happened: outputs of layers, where the time went, and one live picture."""

from __future__ import annotations

import time

import pytest
import torch
from torch import nn

from coursekit.callbacks import Callback, Progress
from coursekit.learner import Learner
from coursekit.losses import CrossEntropy
from coursekit.stepping import Accumulate
from coursekit.watching import ActivationStatistics, LossPlot, TimeAndMemory

gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def make_batches(count: int = 6) -> list:
    generator = torch.Generator().manual_seed(count)
    inputs = torch.randn(count, 8, 4, generator=generator)
    return [(x, (x.sum(dim=1) > 0).long()) for x in inputs]


def make_learner(*callbacks, train=None, model=None, device="cpu") -> Learner:
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 2)))
    quiet = {"callbacks": [Progress("off"), *callbacks], "device": device}
    return Learner((train or make_batches(), make_batches(1)), model, CrossEntropy(), **quiet)


class Keep(nn.ReLU):
    """Keeps what it answers in training."""

    def __init__(self):
        super().__init__()
        self.outputs = []

    def forward(self, x):
        answer = super().forward(x)
        if self.training:
            self.outputs.append(answer.detach().clone())
        return answer


@pytest.mark.parametrize("every", [1, 3])
def test_the_numbers_are_those_of_the_outputs(every):
    keep, watch = Keep(), ActivationStatistics(of=Keep, every=every, limit=2.0)
    make_learner(watch, model=nn.Sequential(nn.Linear(4, 8), keep, nn.Linear(8, 2))).fit(2, rate=0.1)
    outputs = torch.stack(keep.outputs).flatten(1)
    outputs = outputs.view(2, 6, -1)[:, ::every].flatten(0, 1)

    assert list(watch.means) == ["1"]
    assert watch.means["1"] == pytest.approx(outputs.mean(dim=1).tolist(), rel=1e-5)
    assert watch.spreads["1"] == pytest.approx(outputs.std(dim=1, correction=0).tolist(), rel=1e-5)
    assert watch.near_zero["1"] == pytest.approx((outputs < 0.05).float().mean(dim=1).tolist())
    for histogram, numbers in zip(watch.histograms["1"], outputs, strict=True):
        expected = torch.histc(numbers.clamp(max=1.999), bins=40, min=0, max=2) / len(numbers)
        torch.testing.assert_close(histogram, expected)


def test_every_layer_without_layers_inside_is_watched_and_no_hook_stays():
    watch = ActivationStatistics()
    learner = make_learner(watch)
    learner.fit(1, rate=0.1)

    class Fail(Callback):
        def after_backward(self, learner):
            raise KeyError("here")

    with pytest.raises(KeyError):
        learner.fit(1, rate=0.1, callbacks=[Fail()])

    assert list(watch.means) == ["0", "1", "2.0"]
    assert {len(numbers) for numbers in watch.means.values()} == {6}
    assert not any(layer._forward_hooks for layer in learner.model.modules())


def test_training_goes_as_without_being_watched():
    watched, alone = make_learner(ActivationStatistics(), TimeAndMemory()), make_learner()
    for learner in (watched, alone):
        learner.fit(2, rate=0.1)

    assert watched.recorder.losses == alone.recorder.losses


def test_outputs_that_are_no_numbers_are_counted_somewhere():
    class Nowhere(nn.Identity):
        def forward(self, x):
            return x / 0

    watch = ActivationStatistics(of=Nowhere)
    with pytest.raises(FloatingPointError):
        make_learner(watch, model=nn.Sequential(nn.Linear(4, 2), Nowhere())).fit(1, rate=0.1)

    assert watch.histograms["1"].sum(dim=1).tolist() == pytest.approx([1.0] * 6)


@pytest.mark.usefixtures("fresh_figures")
def test_the_picture_has_curves_histograms_and_words():
    from matplotlib import pyplot

    watch = ActivationStatistics()
    with pytest.raises(ValueError, match="nothing to draw yet: train first, with this among the callbacks"):
        watch.plot()
    make_learner(watch).fit(1, rate=0.1)
    watch.plot()
    figure = pyplot.gcf()
    figure.draw_without_rendering()
    curves, pictures = figure.axes[:3], [axes.images[0] for axes in figure.axes if axes.images]

    assert [axes.get_title() for axes in curves] == ["mean", "spread", "share near zero"]
    assert [list(line.get_ydata()) for line in curves[0].lines] == list(watch.means.values())
    assert [picture.get_array().shape for picture in pictures] == [(40, 6)] * 3
    assert figure.alt_text.startswith(
        "What layers answer, from the first of 6 batches to the last.\n0: mean "
    )
    assert "near zero" in figure.alt_text


def test_the_time_goes_where_it_went():
    class Slow(nn.Linear):
        def forward(self, x):
            time.sleep(0.01)
            return super().forward(x)

    class SlowStep(Callback):
        def before_step(self, learner):
            time.sleep(0.02)

    class Loader:
        def __len__(self):
            return 4

        def __iter__(self):
            for batch in make_batches(4):
                time.sleep(0.03)
                yield batch

    report = TimeAndMemory()
    learner = make_learner(report, SlowStep(), train=Loader(), model=Slow(4, 2))
    learner.fit(2, rate=0.1)
    for number, row in enumerate(report.rows):
        assert row["epoch"] == number + 1
        assert sum(row[part] for part in report.parts) == pytest.approx(row["seconds"])
        assert row["seconds"] == pytest.approx(learner.recorder.rows[number]["seconds"], abs=0.3)
        assert row["data"] >= 4 * 0.03
        assert row["forward"] >= 4 * 0.01
        assert row["step"] >= 4 * 0.02
        assert row["validation"] >= 0.01
        assert 0.05 < row["memory"] < 100
    assert list(report.table()["epoch"]) == [1, 2]
    assert str(report).startswith("Epoch 2 took 0.")


def test_it_can_be_printed_before_and_goes_with_batches_that_are_cancelled():
    report = TimeAndMemory()
    assert str(report) == "No epoch was timed yet."
    make_learner(report, Accumulate(3)).fit(1, rate=0.1)

    assert report.rows[0]["step"] > 0


@gpu
def test_on_a_gpu_nothing_waits_for_it():
    class NoWaits(Callback):
        def before_train(self, learner):
            torch.cuda.set_sync_debug_mode("error")

        def after_batch(self, learner):
            if learner.batch_number == 5:
                torch.cuda.set_sync_debug_mode("default")

    report, watch = TimeAndMemory(), ActivationStatistics()
    train = [tuple(part.cuda() for part in batch) for batch in make_batches()]
    try:
        make_learner(report, watch, NoWaits(), train=train, device="cuda").fit(2, rate=0.1)
    finally:
        torch.cuda.set_sync_debug_mode("default")

    assert report.rows[1]["forward"] > 0
    assert report.rows[1]["memory"] > 0
    assert len(watch.means["0"]) == 12


@pytest.mark.usefixtures("fresh_figures")
def test_outside_a_notebook_the_last_picture_is_kept_and_none_is_open(capsys):
    from matplotlib import pyplot

    plot = LossPlot()
    learner = make_learner(plot)
    learner.fit(2, rate=0.1)

    assert plot.figure.axes[0].lines[0].get_ydata().tolist() == learner.recorder.losses
    assert plot.figure.alt_text.startswith("Training loss over 12 batches goes from ")
    assert pyplot.get_fignums() == []
    assert capsys.readouterr().out == ""


def test_a_notebook_keeps_one_picture_with_its_words():
    """In a real kernel."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    code = """
import torch
from torch import nn
from coursekit.callbacks import Progress
from coursekit.learner import Learner
from coursekit.watching import LossPlot
batches = [(torch.ones(2, 1), torch.ones(2, 1))] * 3
quiet = {"callbacks": [Progress("off"), LossPlot()], "device": "cpu"}
Learner((batches, batches), nn.Linear(1, 1), nn.MSELoss(), **quiet).fit(3, rate=0.1)
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (picture,) = notebook.cells[0].outputs

    assert "image/png" in picture.data
    assert picture.metadata["image/png"]["alt"].startswith("Training loss over 9 batches goes from ")
