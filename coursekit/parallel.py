"""Parallel: several processes, one for each GPU, that train one model together."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, IterableDataset

from .callbacks import Progress
from .devices import is_first
from .events import Callback, CancelBatch
from .metrics import Metric
from .stepping import Accumulate

if TYPE_CHECKING:
    from .learner import Learner


class Distributed(Callback):
    """Trains on several GPUs: each process takes its share of every batch, and their gradients are averaged.

    Make it among the learner's callbacks, before anything is put on a device, and start the program with
    torch's launcher, `torchrun --nproc-per-node=4 train.py`; started as usual it trains in one process. On
    machines without GPUs the processes share the CPU.

    Loaders of ours take their share themselves; a DataLoader of torch needs a DistributedSampler, and data of
    another kind must hold the share of this process. `batch_size` is that of one process. With batches of 16
    in 4 processes, every step is the step of one process with batches of 64, except for batch norm, which
    sees 16 (`torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)` changes that). In a fit losses and metrics
    are those of all items, each counted once; all processes know them, and the first one shows them. With
    Accumulate the processes wait for each other once a group.

    A metric's state is joined from lists, put one behind the other, and from tensors, added up: what it
    collects must be one of these (TypeError otherwise). The model keeps its own names, in checkpoints too.

    Args:
        options: go to torch's DistributedDataParallel, as `find_unused_parameters=True`.

    >>> os.environ.get("RANK"), Distributed().options  # in one process there is nothing to share
    (None, {})
    """

    order = -60

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.model: Any = None
        self.learning: list[bool] = []
        self.repeats = False
        join_processes()

    def before_fit(self, learner: Learner) -> None:
        self.model, self.learning = None, []
        if not distributed.is_initialized():
            return
        check_device(learner.device)
        check_share(learner.data.train)
        check_share(learner.data.valid)
        take_from_first(learner.model.state_dict().values())
        vars(learner)["call_model"] = partial(self._call, learner, learner.call_model)
        for one in learner.listeners:
            if isinstance(one, Progress) and not is_first():
                one.style = "off"

    def before_train(self, learner: Learner) -> None:
        if not distributed.is_initialized():
            return
        learning = [parameter.requires_grad for parameter in learner.model.parameters()]
        self.groups = [one for one in learner.listeners if isinstance(one, Accumulate)]
        if self.groups and learner.batch_count is None:
            raise ValueError(
                "Accumulate in several processes needs loaders that know how many batches they give."
            )
        if learning != self.learning:
            self.model = DistributedDataParallel(learner.model, **self.options)
            self.learning = learning

    def _call(self, learner: Learner, call: Callable, inputs: Any) -> Any:
        """Call the model through torch's wrapper, which averages gradients on the way back."""
        if not learner.training:
            return call(inputs)
        self.model.require_backward_grad_sync = all(one.is_last(learner) for one in self.groups)
        own, learner.model = learner.model, self.model
        try:
            return call(inputs)
        finally:
            learner.model = own

    def after_train(self, learner: Learner) -> None:
        if self.model is None:
            return
        take_from_first(learner.model.buffers())
        recorder = learner.recorder
        recorder.after_train(learner)  # Its losses come to the host now.
        own = recorder.losses_of_epoch()
        if own:
            recorder.losses[-len(own) :] = average(own, learner.device)

    def before_validate(self, learner: Learner) -> None:
        self.repeats = self.model is not None and has_repeat(learner.data.valid)

    def before_batch(self, learner: Learner) -> None:
        if learner.training or not self.repeats or learner.batch_number + 1 != learner.batch_count:
            return
        if learner.batch_size == 1:
            raise CancelBatch
        learner.inputs, learner.targets = without_last(learner.inputs), without_last(learner.targets)

    def after_validate(self, learner: Learner) -> None:
        if distributed.is_initialized():
            for metric in (learner.metrics.loss, *learner.metrics.metrics):
                join_metric(metric)

    def after_fit(self, learner: Learner) -> None:
        vars(learner).pop("call_model", None)
        self.model = None


def join_processes() -> None:
    """Find the other processes that `torchrun` has started, if it has, and choose the GPU of this one."""
    if "RANK" not in os.environ or distributed.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    atexit.register(distributed.destroy_process_group)


def check_device(device: torch.device) -> None:
    """Raise RuntimeError where a process computes on the GPU of another."""
    if device.type == "cuda" and device.index != torch.cuda.current_device():
        raise RuntimeError(
            f"This process has cuda:{torch.cuda.current_device()}, and the learner computes on {device}, as "
            "another one's does. Make Distributed() among the learner's callbacks, without device=."
        )


def check_share(loader: Any) -> None:
    """Raise ValueError for a loader of torch's that gives every process the same items.

    >>> check_share(DataLoader([1, 2]))
    Traceback (most recent call last):
    ...
    ValueError: This DataLoader gives every process all items. Make it with ...
    """
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return
    if not isinstance(loader.sampler, DistributedSampler):
        raise ValueError(
            "This DataLoader gives every process all items. Make it with "
            "sampler=torch.utils.data.DistributedSampler(dataset), in place of shuffle=True."
        )


def take_from_first(tensors: Iterable[Tensor]) -> None:
    """Let tensors have the values that they have in the first process."""
    for tensor in tensors:
        distributed.broadcast(tensor, 0)


def has_repeat(loader: Any) -> bool:
    """Whether the last item of this process is one that came already, so that all get equally many."""
    items = getattr(loader, "dataset", getattr(loader, "items", None))
    try:
        left = len(items) % distributed.get_world_size()  # type: ignore[arg-type]
    except TypeError:  # Nobody knows how many items there are.
        return False
    return 0 < left <= distributed.get_rank()


def average(numbers: list[float], device: torch.device) -> list[float]:
    """The mean of each number over the processes."""
    together = torch.tensor(numbers, device=device, dtype=torch.float64)
    distributed.all_reduce(together)
    return (together / distributed.get_world_size()).tolist()


def join_metric(metric: Metric) -> None:
    """Give a metric what it collected in all processes, so that each tells the same value of all items."""
    own = {name: on_host(value) for name, value in vars(metric).items() if isinstance(value, (list, Tensor))}
    found: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, own)
    if not any(isinstance(value, Tensor) or value for state in found for value in state.values()):
        raise TypeError(
            f"What {type(metric).__name__} collects cannot be joined over processes: collect it in a list, "
            "with an entry a batch, or in tensors that may be added up."
        )
    for name in {name for state in found for name in state}:  # Who saw no batch has no sums.
        parts = [state[name] for state in found if name in state]
        lists = isinstance(parts[0], list)
        vars(metric)[name] = list(chain(*parts)) if lists else torch.stack(parts).sum(dim=0)


def on_host(value: Any) -> Any:
    """A list or tensor with its tensors on the CPU, where other processes can be given them.

    >>> on_host([torch.ones(1), 2])
    [tensor([1.]), 2]
    """
    if isinstance(value, list):
        return [on_host(one) for one in value]
    return value.cpu() if isinstance(value, Tensor) else value


def without_last(batch: Any) -> Any:
    """A batch without its last item.

    >>> without_last((torch.tensor([1, 2]), {"names": ["a", "b"]}))
    (tensor([1]), {'names': ['a']})
    """
    if isinstance(batch, tuple):
        return tuple(map(without_last, batch))
    if isinstance(batch, dict):
        return {name: without_last(part) for name, part in batch.items()}
    return batch[:-1] if isinstance(batch, (Tensor, list)) else batch
