"""Training that is cut off goes on as if it had not been: the same numbers, bit for bit, from any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

import coursekit as kit
from coursekit.standing import random_state
from coursekit.tensor_files import read_file, write_file

FORM = "coursekit checkpoint 1"
ITEMS = 44  # five whole batches and a short one


class Parted(nn.Sequential):
    """A model with two groups and with chance in it."""

    def parameter_groups(self) -> list[list[nn.Parameter]]:
        return [list(self[0].parameters()), list(self[1:].parameters())]


class Interrupt(kit.Callback):
    """Presses Ctrl-C, as often as told, in the fit, epoch, batch and part of it that are told."""

    order = -50

    def __init__(self, fit: int, epoch: int, batch: int, training: bool, times: int = 1) -> None:
        self.when, self.times, self.fits = (fit, epoch, batch, training), times, -1

    def before_fit(self, learner: kit.Learner) -> None:
        self.fits += 1

    def after_predict(self, learner: kit.Learner) -> None:
        if (self.fits, learner.epoch, learner.batch_number, learner.training) == self.when:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)


def make_learner(
    *callbacks: kit.Callback, data: str = "ours", items: int = ITEMS, **options: Any
) -> kit.Learner:
    """A learner that draws from torch, on a loader of ours, of torch's, or a plain list of batches."""
    kit.seed_everything(3)
    pairs = [(torch.randn(4), torch.tensor(number % 2)) for number in range(items)]
    loaders: Any = {
        "ours": lambda: (kit.Loader(pairs, 8, shuffle=True, seed=1), kit.Loader(pairs[:20], 8)),
        "torch": lambda: tuple(DataLoader(pairs[:count], 8, shuffle=True) for count in (None, 20)),
        "list": lambda: (batches(pairs), None),
    }[data]()
    model = Parted(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2))
    settings: dict[str, Any] = {"metrics": [kit.accuracy], "device": "cpu"} | options
    return kit.Learner(
        loaders,
        settings.pop("model", model),
        kit.CrossEntropy(),
        callbacks=[kit.Progress("off"), *callbacks],
        **settings,
    )


def batches(pairs: list) -> list:
    return [tuple(map(torch.stack, zip(*pairs[at : at + 8], strict=True))) for at in range(0, len(pairs), 8)]


def result(learner: kit.Learner) -> str:
    """All a run leaves behind but its seconds; equal texts mean equal bits."""
    rows = [{name: one for name, one in row.items() if name != "seconds"} for row in learner.recorder.rows]
    weights = {name: one.tolist() for name, one in learner.model.state_dict().items()}
    return json.dumps([learner.recorder.losses, learner.recorder.rates, rows, learner.recorder.ends, weights])


def tune(learner: kit.Learner) -> str:
    """Two fits, both one cycle, the first with a frozen body."""
    learner.fine_tune(3, 0.01, frozen_epochs=2)
    return result(learner)


WHOLE: dict[str, str] = {}


def whole(data: str) -> str:
    """What a run without a break leaves."""
    if data not in WHOLE:
        WHOLE[data] = tune(make_learner(data=data))
    return WHOLE[data]


# Going on --------------------------------------------------------------------------------------------------


MOMENTS = [(0, 0, 0, True), (0, 1, 5, True), (0, 0, 1, False), (1, 0, 3, True), (1, 1, 2, False)]


@pytest.mark.parametrize(
    ("data", "every", "when"),
    [
        *(("ours", None, when) for when in MOMENTS),
        *(("ours", 2, when) for when in [*MOMENTS[2:], (1, 2, 5, True)]),
        *(("torch", None, when) for when in MOMENTS[1:4]),
        *(("list", None, when) for when in [MOMENTS[0], MOMENTS[3]]),
    ],
)
def test_ctrl_c_at_any_moment_loses_nothing(data: str, every: int | None, when: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        tune(make_learner(kit.Checkpoint(folder, every=every), Interrupt(*when), data=data))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    torch.rand(3), random.random()  # Other chance than then.

    assert tune(make_learner(kit.Checkpoint(folder, every=every, resume=True), data=data)) == whole(data)


def test_a_finished_program_run_again_has_its_result_at_once(tmp_path: Path) -> None:
    tune(make_learner(kit.Checkpoint(tmp_path)))
    again = make_learner(kit.Checkpoint(tmp_path, resume=True))
    steps: list[int] = []
    again.take_step = lambda: steps.append(1)

    assert (tune(again), steps) == (whole("ours"), [])


class EndEarly(kit.Callback):
    """Ends the first fit in its second epoch."""

    def after_batch(self, learner: kit.Learner) -> None:
        if learner.epochs == 2 and learner.epoch == 1:
            raise kit.CancelFit


def test_a_fit_that_was_ended_early_is_not_taken_up_again(tmp_path: Path) -> None:
    expected = tune(make_learner(EndEarly()))
    with pytest.raises(KeyboardInterrupt):
        tune(make_learner(EndEarly(), kit.Checkpoint(tmp_path), Interrupt(1, 1, 1, True)))

    assert tune(make_learner(EndEarly(), kit.Checkpoint(tmp_path, resume=True))) == expected


def test_averages_and_waiting_gradients_go_on(tmp_path: Path) -> None:
    """Stopped between two batches that are accumulated, with an average of the weights running."""

    def extra() -> list[kit.Callback]:
        return [kit.AverageWeights(0.8), kit.Accumulate(4)]

    expected = tune(make_learner(*extra()))
    with pytest.raises(KeyboardInterrupt):
        tune(make_learner(*extra(), kit.Checkpoint(tmp_path), Interrupt(1, 1, 1, True)))
    assert read_file(tmp_path / "last.safetensors", FORM)["gradients"]

    assert tune(make_learner(*extra(), kit.Checkpoint(tmp_path, resume=True))) == expected


def test_the_same_learner_goes_on_in_the_same_process(tmp_path: Path) -> None:
    """As when a cell of a notebook is stopped and run again."""
    learner = make_learner()
    with pytest.raises(KeyboardInterrupt):
        learner.fit_one_cycle(3, 0.01, [kit.Checkpoint(tmp_path), Interrupt(0, 1, 2, True)])
    learner.fit_one_cycle(3, 0.01, [kit.Checkpoint(tmp_path, resume=True)])
    other = make_learner()
    other.fit_one_cycle(3, 0.01)

    assert result(learner) == result(other)


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    learner = make_learner(kit.Checkpoint(tmp_path), Interrupt(0, 0, 2, True, times=2))
    with pytest.raises(KeyboardInterrupt):
        tune(learner)

    assert len(learner.recorder.losses) == 2
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_resume_begins_anew(tmp_path: Path) -> None:
    assert tune(make_learner(kit.Checkpoint(tmp_path / "new" / "run", resume=True))) == whole("ours")


def test_killed_at_random_moments_it_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    command = [sys.executable, Path(__file__).with_name("killing.py"), tmp_path, "8"]
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(kit.__file__).parents[1])}
    seen = json.loads(subprocess.run(command, check=True, capture_output=True, env=settings).stdout)

    assert seen["kills"] == 8
    assert seen["runs"] == seen["equal"] >= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA")
def test_a_gpu_goes_on_where_it_was(tmp_path: Path) -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        expected = tune(make_learner(device="cuda"))
        with pytest.raises(KeyboardInterrupt):
            tune(make_learner(kit.Checkpoint(tmp_path), Interrupt(1, 1, 2, True), device="cuda"))
        assert tune(make_learner(kit.Checkpoint(tmp_path, resume=True), device="cuda")) == expected
    finally:
        torch.use_deterministic_algorithms(False)


# What is written -------------------------------------------------------------------------------------------


def test_best_last_and_some_epochs_are_kept(tmp_path: Path) -> None:
    learner = make_learner(kit.Checkpoint(tmp_path, best="accuracy", keep=2))
    learner.fit(5, 0.05)
    best = read_file(tmp_path / "best.safetensors", FORM)
    said = [row["accuracy"] for row in learner.recorder.rows]

    assert sorted(os.listdir(tmp_path)) == [
        "best.safetensors", "epoch-0004.safetensors", "epoch-0005.safetensors", "last.safetensors",
    ]  # fmt: skip
    assert best["place"]["epoch"] == said.index(max(said)) + 1


def test_the_best_file_gives_the_weights_that_were_validated(tmp_path: Path) -> None:
    learner = make_learner(kit.Checkpoint(tmp_path), kit.AverageWeights(0.8))
    learner.fit(3, 0.05)
    best = min(row["valid loss"] for row in learner.recorder.rows)
    other = make_learner()
    kit.load_weights(other.model, tmp_path / "best.safetensors")

    assert other.validate()["loss"] == best


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = kit.Checkpoint(tmp_path)
    make_learner(checkpoint).fit(1, 0.01)
    before = checkpoint.last_file.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"last\.safetensors could not be written: .*No space left.*still is\."):
        make_learner(kit.Checkpoint(tmp_path)).fit(1, 0.01)
    assert checkpoint.last_file.read_bytes() == before
    assert not list(tmp_path.glob("*.unfinished"))


def test_looking_for_a_rate_writes_nothing_and_is_no_fit(tmp_path: Path) -> None:
    learner = make_learner(kit.Checkpoint(tmp_path, every=1))
    kit.find_rate(learner)
    assert list(tmp_path.iterdir()) == []
    learner.fit(1, 0.01)

    assert read_file(tmp_path / "last.safetensors", FORM)["place"]["fit"] == 0


def test_no_pickle_and_no_path_stand_in_a_file(tmp_path: Path) -> None:
    make_learner(kit.Checkpoint(tmp_path)).fit(1, 0.01)
    data = (tmp_path / "last.safetensors").read_bytes()

    assert str(tmp_path).encode() not in data
    assert b"\x80\x04" not in data[: int.from_bytes(data[:8], "little")]


# Bad input -------------------------------------------------------------------------------------------------


def other_model() -> Parted:
    return Parted(nn.Linear(4, 9), nn.ReLU(), nn.Dropout(0.5), nn.Linear(9, 2))


def more_layers() -> Parted:
    return Parted(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2), nn.Linear(2, 2, bias=False))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": other_model}, r"it is of another model: its 0\.weight has shape \(16, 4\), and here"),
        ({"model": more_layers}, r"it is of another model: it knows nothing of 4\.weight, which this model"),
        ({"optimizer": torch.optim.SGD}, "it was made with the optimizer AdamW, and here it is SGD"),
        ({"items": 80}, "it was made with 6 training batches an epoch, and here there are 10"),
        ({"items": 43}, "this state is of a loader whose count of items is 44, and here it is 43"),
        ({"rate": 0.02}, r"its fit was given the rates \[0\.01, 0\.01\], and this one \[0\.02, 0\.02\]"),
        ({"epochs": 4}, "its fit was to have 2 epochs and this one 4, which would give every batch"),
        ({"without": True}, "AverageWeights took part in that fit, and does not in this one: give it again"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_a_sentence_and_changes_nothing(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    make_learner(kit.AverageWeights(), kit.Checkpoint(tmp_path)).fit_one_cycle(2, 0.01)
    rate, epochs = changes.pop("rate", 0.01), changes.pop("epochs", 2)
    extra = [] if changes.pop("without", False) else [kit.AverageWeights()]
    if "model" in changes:
        changes["model"] = changes["model"]()
    learner = make_learner(*extra, kit.Checkpoint(tmp_path, resume=True), **changes)
    before, chance = result(learner), random_state()["torch"]

    with pytest.raises(ValueError, match=rf"last\.safetensors cannot be resumed here: {words}") as error:
        learner.fit_one_cycle(epochs, rate)
    assert str(error.value).count("\n") == 0
    assert result(learner) == before
    assert torch.equal(random_state()["torch"], chance)


def test_more_epochs_are_welcome_where_the_rate_does_not_depend_on_them(tmp_path: Path) -> None:
    make_learner(kit.Checkpoint(tmp_path)).fit(2, 0.01)
    longer = make_learner(kit.Checkpoint(tmp_path, resume=True))
    longer.fit(4, 0.01)
    other = make_learner()
    other.fit(4, 0.01)

    assert result(longer) == result(other)


def spoil(file: Path, how: str) -> None:
    """Make a file what nobody wants to load."""
    data = file.read_bytes()
    if how == "shorter":
        file.write_bytes(data[:-100])
    elif how == "flipped":
        file.write_bytes(data[:-9] + bytes([data[-9] ^ 4]) + data[-8:])
    elif how == "newer":
        write_file(file, {"later": 1}, "coursekit checkpoint 2")
    elif how == "something else":
        write_file(file, {"later": 1}, "coursekit weights 1")
    elif how == "empty":
        write_file(file, {}, FORM)
    elif how == "link":
        file.rename(file.with_name("elsewhere"))
        file.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("shorter", "could not be read as a coursekit checkpoint: "),
        ("flipped", "could not be read as a coursekit checkpoint: it is damaged: its numbers are not those"),
        ("newer", "it is of version 2, and this library reads version 1: take a newer library"),
        ("something else", "it does not say that it is one, with the format 'coursekit checkpoint 1'"),
        ("empty", "cannot be resumed here: it is not made as a checkpoint is"),
        ("link", "is no ordinary file but a link, a folder or a device"),
    ],
)
def test_a_file_that_is_none_is_told_in_a_sentence(how: str, words: str, tmp_path: Path) -> None:
    make_learner(kit.Checkpoint(tmp_path)).fit(1, 0.01)
    spoil(tmp_path / "last.safetensors", how)

    with pytest.raises(ValueError, match=words) as error:
        make_learner(kit.Checkpoint(tmp_path, resume=True)).fit(1, 0.01)
    assert "last.safetensors" in str(error.value)
    with pytest.raises(ValueError, match=words.replace("resumed", "loaded")):
        kit.load_weights(make_learner().model, tmp_path / "last.safetensors")


def test_every_counts_batches() -> None:
    with pytest.raises(ValueError, match="every is a number of batches, 1 or more; 0 was asked for"):
        kit.Checkpoint("run", every=0)
