"""Two real processes train as one does, and tell the same numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from coursekit.parallel import Distributed, check_share, has_repeat

PROGRAM = """
import json, os, sys, warnings
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
rows = [{name: value for name, value in row.items() if name != "seconds"} for row in learner.recorder.rows]
weights = [value.tolist() for value in model.state_dict().values()]
said = {"losses": learner.recorder.losses, "rows": rows, "weights": weights, "calls": count.calls,
        "names": list(model.state_dict())}
open(f"{sys.argv[1]}/{world}-{rank}.json", "w").write(json.dumps(said))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict[str, dict]:
    """What one process says, and each of two."""
    folder = tmp_path_factory.mktemp("parallel")
    program = folder / "train.py"
    program.write_text(PROGRAM, encoding="utf-8")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
    environment = {name: value for name, value in environment.items() if name not in ("RANK", "WORLD_SIZE")}
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    printed = {}
    for name, how in (("alone", []), ("together", launcher)):
        command = [sys.executable, *how, program, folder]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, done.stderr[-4000:]
        printed[name] = done.stdout
    found = {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}
    return found | {"printed": printed}


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


def test_what_a_metric_collects_is_joined_or_refused(monkeypatch):
    """As two processes would have it: here both hold the same."""
    from coursekit import parallel
    from coursekit.metrics import Average, Metric

    class Total(Metric):
        def reset(self):
            self.total = torch.zeros(2)

    class Count(Metric):
        def reset(self):
            self.count = 3

    def gather(found, own):
        found[:] = [own, own]

    monkeypatch.setattr(parallel.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(parallel.distributed, "all_gather_object", gather)
    mean, total, count = Average("loss"), Total(), Count()
    mean.add(0.5, 3)
    total.reset()
    total.total += torch.tensor([1.0, 2.0])
    count.reset()
    parallel.join_metric(mean)
    parallel.join_metric(total)

    assert (mean.counts, mean.value()) == ([3, 3], 0.5)
    assert total.total.tolist() == [2, 4]
    with pytest.raises(TypeError, match="What Count collects cannot be joined over processes"):
        parallel.join_metric(count)


@pytest.mark.parametrize(("rank", "items", "repeats"), [(0, 5, False), (1, 5, True), (1, 4, False)])
def test_the_last_item_comes_twice_where_items_do_not_come_out_even(monkeypatch, rank, items, repeats):
    from coursekit import parallel
    from coursekit.loaders import Loader

    monkeypatch.setattr(parallel.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(parallel.distributed, "get_rank", lambda: rank)

    assert has_repeat(Loader(list(range(items)), 2)) is repeats
    assert has_repeat(iter([1])) is False
