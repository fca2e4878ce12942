"""Events: who hears what, in which order, and what a cancel and a mistake come to."""

from __future__ import annotations

import pytest

from coursekit.events import (
    EVENTS,
    Callback,
    CancelBatch,
    CancelEpoch,
    CancelFit,
    find_handlers,
    raise_widest,
)


def test_every_event_has_its_list_and_only_those_written_are_in_it():
    class Hears(Callback):
        def after_step(self, learner): ...

    handlers = find_handlers([Hears(), Callback()])

    assert tuple(handlers) == EVENTS
    assert [event for event in EVENTS if handlers[event]] == ["after_step"]


def test_the_widest_cancel_counts():
    with pytest.raises(CancelFit):
        raise_widest([CancelBatch(), CancelFit(), CancelEpoch()])
    raise_widest([])


def test_a_callback_remembers_nothing_unless_it_says_so():
    callback = Callback()
    callback.load_state_dict({})

    assert callback.state_dict() == {}


def test_what_is_called_like_an_event_is_one():
    class Strange(Callback):
        after_all = None

    with pytest.raises(TypeError, match=r"Strange has a method after_all, and there is no such event"):
        find_handlers([Strange()])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("on_batch_end", "after_batch"),
        ("on_epoch_start", "before_epoch"),
        ("on_train_begin", "before_train"),
        ("afterbatch", "after_batch"),
        ("batch_after", "after_batch"),
        ("before_backwards", "before_backward"),
        ("after_training", "after_train"),
    ],
)
def test_a_name_that_is_nearly_an_event_is_told(name, meant):
    strange = type("Strange", (Callback,), {name: lambda self, learner: None})
    with pytest.raises(
        TypeError, match=f"has a method {name}, and there is no such event; did you mean {meant}"
    ):
        find_handlers([strange()])


def test_other_methods_are_ones_own_business():
    class Draws(Callback):
        def draw_batch(self): ...

        def _after_all(self): ...

        on = batch = None

    find_handlers([Draws()])


def test_a_handler_takes_the_learner():
    class Alone(Callback):
        def after_batch(self): ...

    with pytest.raises(
        TypeError, match=r"Alone.after_batch is called with the learner alone: def after_batch"
    ):
        find_handlers([Alone()])


def test_an_order_is_a_number():
    class First(Callback):
        order = "first"

    with pytest.raises(
        TypeError, match=r"First.order is a number, and lower ones are called first; got 'first'"
    ):
        find_handlers([First()])
