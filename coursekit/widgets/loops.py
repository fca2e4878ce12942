"""A training to be gone through event by event: where the loop stands, what has changed, and who hears of it.

It is a real fit that is recorded, by a callback that listens to every event: the lines are those of the loop
that ran, and the values are those that it had. Nothing is trained in the page.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor

from ..events import EVENTS, Callback
from ..learner import Learner
from ..optimizers import Rate
from .widget import Widget

# What has more events than these is no longer gone through step by step.
MOST_EVENTS = 400
# The methods that a fit consists of, from the whole to the part. How they call each other is left out.
METHODS = ("run", "one_epoch", "one_pass", "all_batches", "step")
PURPOSES = {
    "before_fit": "opening a file, putting up a bar, going on from where a fit had stopped",
    "before_epoch": "starting to count anew",
    "before_train": "what belongs to training alone",
    "before_validate": "putting averaged weights in the place of the model's own",
    "before_batch": "setting the rate, mixing the inputs",
    "after_predict": "counting right answers",
    "after_loss": "keeping the loss, adding to it what shall be small as well",
    "before_backward": "making the loss larger or smaller before gradients are computed",
    "after_backward": "looking for NaN; cancelling the batch, so that gradients add up",
    "before_step": "clipping gradients",
    "after_step": "averaging weights, counting steps",
    "after_batch": "moving the bar",
    "after_train": "asking the device for what was kept there",
    "after_validate": "giving the model its own weights back",
    "after_epoch": "printing, stopping early, saving",
    "after_fit": "closing the file: it is heard whatever happens",
}


@dataclass(frozen=True, repr=False)
class RecordedFit(Widget):
    """A training to be gone through event by event; a notebook shows it. Made by `step_through`.

    What `live()` shows has in its `state` the number of the `event` that is looked at, and its `name`.

    >>> RecordedFit("Two events.", "", {"events": [{"event": "before_fit"}, {"event": "after_fit"}]})
    RecordedFit(2 events, before_fit to after_fit)
    """

    name = "loop"

    def __repr__(self) -> str:
        events = [one["event"] for one in self.data["events"]]
        return f"RecordedFit({len(events)} events, {events[0]} to {events[-1]})"


def step_through(
    learner: Learner, epochs: int = 1, rate: Rate = 0.1, callbacks: Sequence[Callback] = ()
) -> RecordedFit:
    """Train, and write down each event on the way, to go through them afterwards one by one.

    At each event the page shows the line of the loop that told it, the calls it stands in, which callbacks
    heard it, and what has changed since the event before.

    Args:
        learner: What is trained, really: give it data of a few batches.
        epochs: How many epochs.
        rate: The learning rate.
        callbacks: Take part in this fit as in any other; see what they do, and what their cancels leave out.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        ValueError: More than 400 events.

    >>> from torch import nn
    >>> from coursekit.callbacks import Progress
    >>> batch = torch.ones(2, 1), torch.ones(2, 1)
    >>> learner = Learner(([batch], [batch]), nn.Linear(1, 1), nn.MSELoss(), callbacks=[Progress("off")])
    >>> step_through(learner, epochs=1, rate=0.1)
    RecordedFit(20 events, before_fit to after_fit)
    """
    listen = Listen(learner)
    learner.fit(epochs, rate, callbacks=[*callbacks, listen])
    data = {
        "names": list(standing(learner, [])),
        "purposes": PURPOSES,
        "functions": [written(code) for code in listen.met],
        "events": listen.events,
    }
    alt = f"A training of {len(listen.events)} events, to be gone through one by one."
    return RecordedFit(alt, listed(data), data)


class Listen(Callback):
    """Writes down every event, after all others have heard it."""

    order = 1000  # what the others changed is part of what is written down

    def __init__(self, learner: Learner) -> None:
        self.events: list[dict[str, Any]] = []
        self.met: list[CodeType] = []
        self.first = [weights.detach().clone() for weights in learner.model.parameters()]
        self.known = {
            vars(kind)[name].__code__
            for kind in type(learner).__mro__
            for name in METHODS
            if name in vars(kind)
        }
        for event in EVENTS:
            setattr(self, event, partial(self.hear, event))

    def hear(self, event: str, learner: Learner) -> None:
        """Write down where the loop stands, who heard of it, and what there is."""
        if len(self.events) == MOST_EVENTS:
            raise ValueError(
                f"this fit has more than {MOST_EVENTS} events, too many to step through. Give the learner "
                "data of a few batches, such as `kit.Learner((train[:3], valid[:2]), ...)`, or ask for fewer "
                "epochs."
            )
        handlers = [one for one in learner.handlers[event] if getattr(one, "func", None) != self.hear]
        self.events.append(
            {
                "event": event,
                "stack": self.calls(sys._getframe()),
                "heard": [named(handler) for handler in handlers],
                "state": list(standing(learner, self.first).values()),
            }
        )

    def calls(self, frame: FrameType | None) -> list[tuple[int, int]]:
        """Of each method that is under way its number and the line it has come to, the outermost first."""
        found: dict[str, tuple[CodeType, int]] = {}
        while frame is not None:
            code = frame.f_code
            if code in self.known:  # of a method and one that overrides it, the inner one is the one to show
                found.setdefault(code.co_name, (code, frame.f_lineno))
            frame = frame.f_back
        self.met += [code for code, _ in found.values() if code not in self.met]
        return [(self.met.index(code), line) for code, line in reversed(found.values())]


def named(handler: Callable[[Any], None]) -> str:
    """Who hears an event: the class of a callback, or the name of a function.

    >>> named(Listen.hear), named([].append)
    ('hear', 'list')
    """
    holder = getattr(handler, "__self__", None)
    return getattr(handler, "__name__", "?") if holder is None else type(holder).__name__


@torch.no_grad()
def standing(learner: Learner, first: Sequence[Tensor]) -> dict[str, str]:
    """What a callback finds on the learner, in words. `first` are the weights that the fit began with."""
    # A learner that somebody else wrote may have neither before its first batch.
    predicted, loss = (getattr(learner, name, None) for name in ("predicted", "loss"))
    weights = list(learner.model.parameters())
    gradients = [one.grad for one in weights if one.grad is not None]
    moved = length([now - then for now, then in zip(weights, first, strict=False)])
    return {
        "epoch": str(learner.epoch),
        "batch_number": str(learner.batch_number),
        "training": str(learner.training),
        "rate": f"{learner.optimizer.param_groups[-1]['lr']:.3g}",
        "predicted": shaped(predicted),
        "loss": "None" if loss is None else f"{float(loss):.4f}",
        "length of gradient": f"{length(gradients):.3f}" if gradients else "None",
        "weights moved by": f"{moved:.4f}" if moved else "0",
        "rows recorded": str(len(learner.recorder.rows)),
    }


def length(tensors: Sequence[Tensor]) -> float:
    """The length of several tensors taken as one vector.

    >>> length([torch.tensor([3.0]), torch.tensor([[4.0]])])
    5.0
    """
    return sum(float(one.float().square().sum()) for one in tensors) ** 0.5


def shaped(value: Any) -> str:
    """Numbers as their shape.

    >>> shaped(torch.zeros(10)), shaped(None)
    ('10', 'None')
    """
    return (
        " \N{MULTIPLICATION SIGN} ".join(map(str, value.shape))
        if isinstance(value, Tensor)
        else str(value)[:20]
    )


def written(code: CodeType) -> dict[str, Any]:
    """A method as it is written: its name, its file, its lines with their numbers, without its docstring."""
    lines, first = inspect.getsourcelines(code)
    (tree,) = ast.parse(textwrap.dedent("".join(lines))).body
    assert isinstance(tree, ast.FunctionDef)
    says = tree.body[0] if ast.get_docstring(tree) else None
    left_out = range(says.lineno, (says.end_lineno or 0) + 1) if says else range(0)
    texts = textwrap.dedent("".join(lines)).splitlines()
    shown = [(first + place - 1, text) for place, text in enumerate(texts, 1) if place not in left_out]
    return {"name": code.co_name, "file": Path(code.co_filename).name, "code": shown}


def listed(data: dict[str, Any]) -> str:
    """All events as a text, for where no scripts run: what is further right is inside of what is above."""
    lines, depth = [], 0
    for one in data["events"]:
        when, _, what = one["event"].partition("_")
        part = what in ("fit", "epoch", "train", "validate", "batch")
        depth -= part and when == "after"
        changes = f", heard by {', '.join(one['heard'])}" if one["heard"] else ""
        lines.append(f"{'  ' * depth}{one['event']}, line {one['stack'][-1][1]}{changes}")
        depth += part and when == "before"
    return f'<pre tabindex="0" style="max-height: 34rem; overflow: auto">{escape(chr(10).join(lines))}</pre>'
