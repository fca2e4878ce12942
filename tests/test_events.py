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
