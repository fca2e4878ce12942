"""Batches come to the device in their order, each sent while the one before is worked on."""

from __future__ import annotations

import pytest
import torch

from coursekit.loaders import Loader
from coursekit.tensors import Category, Image
from coursekit.transfer import on_device

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def test_on_the_processor_batches_come_as_they_are():
    batches = [torch.zeros(2), {"a": torch.ones(2)}, None]
    given = list(on_device(iter(batches), torch.device("cpu")))

    assert given[0] is batches[0]
    assert given[1]["a"] is batches[1]["a"]
    assert given[2] is None


def test_no_batch_is_read_before_it_is_asked_for():
    read = []
    walk = on_device(iter(torch.zeros(1) for _ in range(3) if not read.append(0)), torch.device("cpu"))
    next(walk)

    assert len(read) == 1


@on_gpu
def test_the_next_batch_is_sent_before_this_one_is_given_out():
    sent = []
    walk = on_device(
        (torch.ones(2).pin_memory() for _ in range(4) if not sent.append(0)), torch.device("cuda")
    )

    assert next(walk).is_cuda
    assert len(sent) == 2
    assert len(list(walk)) == 3


@on_gpu
def test_no_copy_overwrites_what_is_still_worked_on():
    """Many batches, each worked on for long: memory that came free too early would hold later numbers."""
    batches = (torch.full((1 << 20,), float(number)).pin_memory() for number in range(40))
    found = []
    for batch in on_device(batches, torch.device("cuda")):
        torch.cuda._sleep(2_000_000)
        found.append(batch.mean())
        del batch

    assert torch.stack(found).tolist() == [float(number) for number in range(40)]


@on_gpu
@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_typed_batches_on_the_gpu_and_never_waits(workers):
    items = [(Image(torch.full((3, 8, 8), float(n))), Category(n % 2, vocab=("a", "b"))) for n in range(64)]
    loader = Loader(items, 8, shuffle=True, device="cuda", workers=workers, hold=False)
    list(loader)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        batches = list(loader)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    alone = Loader(items, 8, shuffle=True, hold=False)
    list(alone)

    assert {type(photos) for photos, _ in batches} == {Image}
    assert all(labels.vocab == ("a", "b") and labels.is_cuda for _, labels in batches)
    for one, other in zip(batches, alone, strict=True):
        assert torch.equal(one[0].cpu(), other[0])


@on_gpu
def test_held_items_move_to_the_gpu_with_their_loader():
    loader = Loader([(torch.tensor(float(n)), n) for n in range(10)], 4, hold=True)
    first = [batch[1].tolist() for batch in loader]
    loader.device = "cuda"
    batches = list(loader)

    assert all(batch[0].is_cuda for batch in batches)
    assert [batch[1].tolist() for batch in batches] == first
