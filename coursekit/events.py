"""Events: the moments of training that have a name, who wants to hear them, and how to cancel what is next.

The module `callbacks` tells when each event happens and what a callback finds; here is what calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import cache
from inspect import signature
from typing import Any

EVENTS = (
    "before_fit",
    "before_epoch",
    "before_train",
    "before_validate",
    "before_batch",
    "after_predict",
    "after_loss",
    "before_backward",
    "after_backward",
    "before_step",
    "after_step",
    "after_batch",
    "after_train",
    "after_validate",
    "after_epoch",
    "after_fit",
)

Handler = Callable[[Any], None]
# How others call the same: on_epoch_end, train_start.
OTHER_WORDS = {"end": "after", "begin": "before", "start": "before", "training": "train"}


class Cancel(Exception):
    """What the three cancels have in common; `reach` says which of two wins: the wider."""

    reach = 0


class CancelBatch(Cancel):
    """Raise it in a callback to skip the rest of this batch; `after_batch` still happens.

    >>> class EverySecond(Callback):
    ...     "Trains on half of the data."
    ...     def before_batch(self, learner):
    ...         if learner.training and learner.batch_number % 2:
    ...             raise CancelBatch
    """

    reach = 1


class CancelEpoch(Cancel):
    """Raise it in a callback to skip the rest of this epoch; `after_epoch` still happens.

    >>> class ShortEpochs(Callback):
    ...     "Sees a hundred batches an epoch, and skips validation."
    ...     def after_batch(self, learner):
    ...         if learner.batch_number == 99:
    ...             raise CancelEpoch
    """

    reach = 2


class CancelFit(Cancel):
    """Raise it in a callback to end training here; `after_epoch` and `after_fit` still happen.

    >>> class StopAtNight(Callback):
    ...     "Ends training with the epoch that is over after ten."
    ...     def after_epoch(self, learner):
    ...         import time
    ...         if time.localtime().tm_hour >= 22:
    ...             raise CancelFit
    """

    reach = 3


def raise_widest(cancels: Sequence[Cancel]) -> None:
    """Of several cancels raise the one that reaches furthest; of none, nothing.

    >>> raise_widest([])
    """
    if cancels:
        raise max(cancels, key=lambda cancel: cancel.reach)


class Callback:
    """The place for an idea of your own: subclass it and write a method for each event you want to hear.

    The events, their order and what a method finds are told at the head of the module `callbacks`. What you
    do not write costs nothing: each fit collects the methods there are, once.

    What a training run must remember to go on exactly where it was, `state_dict()` gives, as numbers, texts,
    lists, dicts and tensors; `load_state_dict(state)` takes it back. A callback that remembers nothing writes
    neither.

    >>> class StopWhenGood(Callback):
    ...     "Ends training when the model is right often enough."
    ...     def after_epoch(self, learner):
    ...         if learner.recorder.rows[-1]["accuracy"] >= 0.99:
    ...             raise CancelFit
    >>> StopWhenGood().order
    0
    """

    order: int = 0
    # Whether it takes part when a rate is looked for, in steps that do not count: who keeps records does not.
    in_trials: bool = True

    def state_dict(self) -> dict[str, Any]:
        """What to remember so that training can be resumed: by default nothing."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""


def find_handlers(callbacks: Iterable[Callback]) -> dict[str, list[Handler]]:
    """For each event the methods that want to hear it, in the order in which they are called.

    Raises TypeError for what is no callback, for a method that looks like an event and is none, and for one
    that does not take the learner.

    >>> class Count(Callback):
    ...     def after_batch(self, learner): ...
    >>> {event: len(handlers) for event, handlers in find_handlers([Count(), Count()]).items() if handlers}
    {'after_batch': 2}
    """
    callbacks = list(callbacks)
    for callback in callbacks:
        _check_callback(callback)
    callbacks.sort(key=lambda callback: callback.order)
    return {event: [getattr(c, event) for c in callbacks if hasattr(c, event)] for event in EVENTS}


def _check_callback(callback: Any) -> None:
    """Tell what cannot be a callback, and a method that nobody would call, before training starts."""
    if not isinstance(callback, Callback):
        what = callback.__name__ if isinstance(callback, type) else type(callback).__name__
        mend = f"did you mean {what}()?" if isinstance(callback, type) else "subclass kit.Callback."
        raise TypeError(f"callbacks are objects of subclasses of Callback; {what} is not: {mend}")
    kind: Any = type(callback)
    if not isinstance(callback.order, int | float):
        order = repr(callback.order)
        raise TypeError(f"{kind.__name__}.order is a number, and lower ones are called first; got {order}.")
    _check_kind(kind)


@cache
def _check_kind(kind: type[Callback]) -> None:
    """Tell methods that nobody would call, or that nobody can; once for each class."""
    for name in dir(kind):
        if name in EVENTS and callable(getattr(kind, name)):
            try:
                signature(getattr(kind, name)).bind(None, None)
            except TypeError as error:
                raise TypeError(
                    f"{kind.__name__}.{name} is called with the learner alone: def {name}(self, learner)."
                ) from error
        elif not hasattr(Callback, name) and name[0] != "_":
            near = _nearest_event(name)
            if near or name.startswith(("before_", "after_")):
                raise TypeError(
                    f"{kind.__name__} has a method {name}, and there is no such event"
                    + (f"; did you mean {near}?" if near else f". The events: {', '.join(EVENTS)}.")
                )


def _nearest_event(name: str) -> str | None:
    """The event that a method's name stands for, if it is nearly one, or one as other libraries call it.

    >>> _nearest_event("after_bach"), _nearest_event("batch_after"), _nearest_event("on_epoch_end")
    ('after_batch', 'after_batch', 'after_epoch')
    >>> _nearest_event("draw_batch")
    """
    words = [OTHER_WORDS.get(word, word) for word in name.strip("_").split("_") if word != "on"]
    same = [event for event in EVENTS if sorted(event.split("_")) == sorted(words)]
    return next(iter(same or get_close_matches("_".join(words), EVENTS, n=1, cutoff=0.85)), None)
