"""Two real processes train as one does, and tell the same numbers."""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

import coursekit as kit
from coursekit import parallel
from coursekit.parallel import Distributed, check_share, has_repeat

PROGRAM = """
import json, os, sys, warnings
from pathlib import Path
warnings.simplefilter("error", UserWarning)
import torch
from torch import nn
import coursekit as kit
from coursekit.callbacks import Callback
from coursekit.parallel import Distributed

class Count(Callback):
    "Counts how often gradients are averaged."
    order, calls = -59, 0
    def before_train(self, learner):
        if parallel.model is not None and self.calls == 0:
            parallel.model.register_comm_hook(self, hook)

def hook(count, bucket):
    count.calls += 1
    tensor = bucket.buffer()
    done = torch.distributed.all_reduce(tensor, async_op=True).get_future()
    return done.then(lambda future: future.value()[0] / torch.distributed.get_world_size())

parallel = Distributed()
world = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
rank = torch.distributed.get_rank() if world > 1 else 0
generator = torch.Generator().manual_seed(1)
inputs = torch.randn(81, 4, generator=generator)
items = [(x, int(x.sum() > 0)) for x in inputs]
loaders = kit.Loader(items[:44], 8 // world, shuffle=True), kit.Loader(items[44:], 8 // world)

class Model(nn.Sequential):
    def parameter_groups(self):
        return [list(self[0].parameters()), list(self[2].parameters())]

torch.manual_seed(rank)
model = Model(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
if rank == 0:
    torch.manual_seed(0)
    for parameter in model.parameters():
        nn.init.normal_(parameter)
count = Count()
every = [parallel, count, kit.Accumulate(2), kit.ClipGradients(norm=0.5), kit.AverageWeights(0.9)]
learner = kit.Learner(loaders, model, kit.CrossEntropy(), [kit.accuracy, kit.Recall(of=1)], callbacks=every,
                      optimizer=torch.optim.SGD, device="cpu")
learner.fit_one_cycle(2, 0.5, callbacks=[kit.Freeze(1)])

# And what else goes on in real trainings: half precision, batch norm, checkpoints and an early end.
torch.manual_seed(rank)
normed = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
folder = f"{sys.argv[1]}/checkpoints-{world}"
second = kit.Learner(loaders, normed, kit.CrossEntropy(), callbacks=[
    Distributed(), kit.MixedPrecision("bf16"), kit.Checkpoint(folder), kit.LogCSV(f"{folder}.csv"),
    kit.StopEarly(patience=1), kit.MixUp(), kit.Progress("off")], device="cpu")
second.fit(4, 0.5)
normed_weights = [value.tolist() for value in normed.state_dict().values()]
rows = [{name: value for name, value in row.items() if name != "seconds"} for row in learner.recorder.rows]
weights = [value.tolist() for value in model.state_dict().values()]
said = {"losses": learner.recorder.losses, "rows": rows, "weights": weights, "calls": count.calls,
        "names": list(model.state_dict()),
        "normed": normed_weights, "epochs": len(second.recorder.rows)}
Path(f"{sys.argv[1]}/{world}-{rank}.json").write_text(json.dumps(said))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict[str, dict]:
    """What one process says, and each of two."""
    folder = tmp_path_factory.mktemp("parallel")
    program = folder / "train.py"
    program.write_text(PROGRAM, encoding="utf-8")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
    environment = {name: value for name, value in environment.items() if name not in ("RANK", "WORLD_SIZE")}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launcher, program, folder],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    alone = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(alone):
        patched.setattr(sys, "argv", [str(program), str(folder)])
        runpy.run_path(str(program))
    printed = {"together": done.stdout, "alone": alone.getvalue()}
    found = {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}
    told = found | {"printed": printed, "log": kit.LogCSV(folder / "checkpoints-2.csv").read()}
    return told | {"files": [file.name for file in (folder / "checkpoints-2").iterdir()]}


def test_two_processes_end_with_the_weights_of_one_that_sees_whole_batches(told):
    assert told["2-0"]["weights"] == told["2-1"]["weights"]
    assert told["2-0"]["names"] == told["1-0"]["names"] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    for two, one in zip(told["2-0"]["weights"], told["1-0"]["weights"], strict=True):
        torch.testing.assert_close(torch.tensor(two), torch.tensor(one), rtol=1e-5, atol=1e-6)


def test_losses_and_metrics_are_those_of_all_items_each_counted_once(told):
    """37 items to validate on do not come out even."""
    assert told["2-0"]["losses"] == told["2-1"]["losses"] == pytest.approx(told["1-0"]["losses"], rel=1e-5)
    assert told["2-0"]["rows"] == told["2-1"]["rows"]
    for two, one in zip(told["2-0"]["rows"], told["1-0"]["rows"], strict=True):
        assert list(two) == ["epoch", "train loss", "valid loss", "accuracy", "recall of 1"]
        assert two == pytest.approx(one, rel=1e-5)


def test_the_first_process_alone_shows_how_it_goes(told):
    def rows(printed):
        return [line.split()[0] for line in printed.splitlines() if line.split()[0].isdigit()]

    assert rows(told["printed"]["together"])[-2:] == rows(told["printed"]["alone"])[-2:] == ["1", "2"]
    assert told["printed"]["together"].count("valid loss") == 1


def test_precision_norms_checkpoints_and_an_early_end_keep_the_processes_together(told):
    assert told["2-0"]["normed"] == told["2-1"]["normed"]
    assert told["2-0"]["epochs"] == told["2-1"]["epochs"] == len(told["log"])
    assert {"last.safetensors", "best.safetensors"} <= set(told["files"])


def test_gradients_are_averaged_once_a_group(told):
    """Six batches an epoch in groups of two; the second epoch has another wrapper, as more learns."""
    assert told["1-0"]["calls"] == 0
    assert told["2-0"]["calls"] == 3


def test_in_one_process_nothing_is_changed():
    callback = Distributed()

    assert callback.model is None
    assert not torch.distributed.is_initialized()


def test_a_loader_that_gives_everybody_everything_is_refused():
    with pytest.raises(ValueError, match=r"sampler=torch\.utils\.data\.DistributedSampler\(dataset\)"):
        check_share(DataLoader([1, 2, 3], shuffle=True))
    check_share(DataLoader([1], sampler=torch.utils.data.DistributedSampler([1], num_replicas=2, rank=0)))
    check_share([1, 2])


@pytest.fixture
def join(monkeypatch):
    """Joins metrics as two processes do that hold one each."""

    def join(one, other):
        def gather(found, own):
            found[:] = [own, states[1]]

        states = [
            {n: v for n, v in vars(m).items() if isinstance(v, (list, torch.Tensor))} for m in (one, other)
        ]
        monkeypatch.setattr(parallel.distributed, "get_world_size", lambda: 2)
        monkeypatch.setattr(parallel.distributed, "all_gather_object", gather)
        parallel.join_metric(one)
        return one.value()

    return join


CLASSES = [
    *(partial(kit.Mean, kit.accuracy), partial(kit.Recall, of=1), partial(kit.Precision, of=1), kit.F1),
    *(partial(kit.TopAccuracy, 2), partial(kit.RocAuc, of=1), partial(kit.AveragePrecision, of=1)),
    *(kit.IntersectionOverUnion, kit.DiceScore, kit.MeanPrecision, kit.MeanRecall, kit.Perplexity),
]
AMOUNTS = [kit.MeanAbsoluteError, kit.RootMeanSquaredError, kit.R2]


@pytest.mark.parametrize("seen", [(8, 3), (11, 0)])
@pytest.mark.parametrize("make", [*CLASSES, *AMOUNTS, kit.LabelAccuracy])
def test_every_metric_of_two_processes_tells_what_one_tells_of_all(join, make, seen):
    generator = torch.Generator().manual_seed(0)
    predictions = torch.randn(11, 4, generator=generator)
    targets = torch.arange(11) % 4
    if make in AMOUNTS:
        predictions, targets = predictions[:, 0], predictions[:, 1] + 1000
    elif make is kit.LabelAccuracy:
        targets = (predictions + torch.randn(11, 4, generator=generator) > 0).float()
    whole, one, other = make(), make(), make()
    for metric in (whole, one, other):
        metric.reset()
    whole.update(predictions, targets)
    one.update(predictions[: seen[0]], targets[: seen[0]])
    if seen[1]:
        other.update(predictions[seen[0] :], targets[seen[0] :])

    assert join(one, other) == pytest.approx(whole.value(), rel=1e-6)


def test_a_metric_that_cannot_be_joined_says_so(join):
    class Count(kit.Metric):
        count = 3

        def value(self):
            return self.count

    with pytest.raises(TypeError, match="What Count collects cannot be joined over processes"):
        join(Count(), Count())


@pytest.mark.parametrize(("rank", "items", "repeats"), [(0, 5, False), (1, 5, True), (1, 4, False)])
def test_the_last_item_comes_twice_where_items_do_not_come_out_even(monkeypatch, rank, items, repeats):
    monkeypatch.setattr(parallel.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(parallel.distributed, "get_rank", lambda: rank)

    assert has_repeat(kit.Loader(list(range(items)), 2)) is repeats
    assert has_repeat(iter([1])) is False
