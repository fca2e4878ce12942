"""Bring batches to the device while the one before is still being worked on there.

>>> list(on_device(iter([torch.zeros(2), torch.ones(2)]), torch.device("cpu")))
[tensor([0., 0.]), tensor([1., 1.])]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .batches import to_device
from .samples import elements


def on_device(batches: Iterator[Any], device: torch.device) -> Iterator[Any]:
    """Batches on the device, as they come; on a GPU each is on its way while the one before is worked on.

    A GPU has the copies made on a stream of their own. Nothing on this side waits for them: the stream that
    works is told to, and that is no sooner than it needs them. For that the batches must lie in pinned
    memory, as `DataLoader(pin_memory=True)` gives them.
    """
    if device.type != "cuda":
        return (to_device(batch, device) for batch in batches)
    return ahead(batches, device)


def ahead(batches: Iterator[Any], device: torch.device) -> Iterator[Any]:
    """Batches on a GPU, each sent before the one before it is given out."""
    copying, waiting = torch.cuda.Stream(device), None
    for batch in batches:
        with torch.cuda.stream(copying):
            sent = to_device(batch, device), copying.record_event()
        if waiting:
            yield arrived(*waiting)
        waiting = sent
    if waiting:
        yield arrived(*waiting)


def arrived(batch: Any, event: torch.cuda.Event) -> Any:
    """A batch that the stream at work may use from here on."""
    for tensor in elements(batch).values():
        if isinstance(tensor, Tensor) and tensor.is_cuda:
            working = torch.cuda.current_stream(tensor.device)
            working.wait_event(event)
            # Lest the memory be given to the next copy while this stream still reads it.
            tensor.record_stream(working)
    return batch
