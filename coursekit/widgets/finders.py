"""The learning-rate finder to be dragged: choose a rate along the curve of a trial, and Python reads it.

With a kernel the trial can be made again, in another range, from the page itself. Where there is none, as in
a notebook that was saved, the curve of the last trial can still be looked at.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from ..callbacks import Callback
from ..finding_the_rate import RateCurve, find_rate, smooth
from .stills import still
from .widget import Widget

if TYPE_CHECKING:
    from ..learner import Learner

# So often a page is told how far a trial is: who hears it read aloud has to hear the end of it too.
TIMES = 5


@dataclass(frozen=True, repr=False)
class Finder(Widget):
    """The curve of a trial and a mark on it; `state` of what `live()` shows holds the `rate`."""

    name = "finder"


class RateChoice:
    """A learning rate that is chosen by hand, in a notebook. Made by `choose_rate`.

    Attributes:
        curve: What the last trial found.

    >>> rates = tuple(10 ** (number / 10 - 5) for number in range(50))
    >>> choose_rate(RateCurve(rates, tuple(2.3 - 2 / (1 + 0.01 / rate) + 5 * rate for rate in rates)))
    RateChoice(rate 0.01, of 50 tried)
    """

    def __init__(self, curve: RateCurve, learner: Learner | None = None, **trial: float) -> None:
        self.curve = curve
        self._learner, self._trial = learner, trial
        self._still = self._finder()
        self._live: Any = None

    @property
    def rate(self) -> float:
        """The rate that was dragged to; before that the suggestion, or ValueError where there is none."""
        chosen = self._live.state.get("rate") if self._live else None
        return self.curve.suggestion if chosen is None else float(chosen)

    @property
    def alt(self) -> str:
        """What is to be seen of the last trial, in words."""
        return self._still.alt

    def __repr__(self) -> str:
        with suppress(ValueError):
            return f"RateChoice(rate {self.rate:.2g}, of {len(self.curve.rates)} tried)"
        return f"RateChoice(nothing chosen, of {len(self.curve.rates)} tried)"

    def _repr_html_(self) -> str:
        return self._still._repr_html_()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = {"text/plain": repr(self), "text/html": self._repr_html_()}
        with suppress(ImportError):  # without anywidget it is a curve to look at
            if self._live is None:
                self._live = self._still.live()
                self._live.on_msg(self._try_again)
            bundle |= self._live._repr_mimebundle_()[0]
            bundle["text/plain"] = repr(self)
        return bundle

    def _finder(self) -> Finder:
        """What is shown of the last trial."""
        from matplotlib import pyplot

        words: list[str] = []

        def draw(_: None) -> None:
            self.curve.plot()
            words.append(pyplot.gcf().alt_text)  # type: ignore[attr-defined]

        picture = still(draw)
        return Finder(words[0], picture, written_out(self.curve) | {"again": self._trial or None})

    def _try_again(self, _: Any, trial: dict[str, Any], __: Any) -> None:
        """Make another trial, as the page asks, and tell it how far that is."""
        learner = self._learner
        assert learner is not None
        learner.callbacks.append(told := Told(self._live, trial["steps"]))
        try:
            self.curve = find_rate(learner, **trial)
            self._trial, self._live.state = trial, {}
            self._still = self._finder()
            self._live.data = self._still.data
            self._live.send({"done": 0})
        except (Exception, KeyboardInterrupt) as error:
            self._live.send({"failed": f"The trial ended with {type(error).__name__}: {error}"})
        finally:
            learner.callbacks.remove(told)


class Told(Callback):
    """Tells a page how many batches of a trial are done."""

    def __init__(self, page: Any, steps: int) -> None:
        self.page, self.steps, self.done = page, steps, 0

    def after_batch(self, learner: Learner) -> None:
        self.done += 1
        if self.done % max(1, self.steps // TIMES) == 0:
            self.page.send({"done": self.done, "of": self.steps})


def written_out(curve: RateCurve) -> dict[str, Any]:
    """Write a curve for the script: its losses while they are numbers, smoothed, and what is suggested."""
    losses = list(takewhile(math.isfinite, curve.losses))
    suggestion, why = None, ""
    try:
        suggestion = curve.suggestion
    except ValueError as error:
        why = str(error).replace("\n", " ")
    short = [[float(f"{number:.5g}") for number in pair] for pair in zip(curve.rates, losses, strict=False)]
    means = [[rate, float(f"{mean:.5g}")] for (rate, _), mean in zip(short, smooth(losses), strict=True)]
    return {"losses": short, "means": means, "suggestion": suggestion, "why": why}


def choose_rate(
    found: Learner | RateCurve, start: float = 1e-6, end: float = 10.0, steps: int = 100
) -> RateChoice:
    """Choose a learning rate by dragging a mark along the curve of a trial, in a notebook.

    Args:
        found: A learner, which is tried at once as `find_rate` does, and can be tried again in another range
            by a button; or a curve that `find_rate` found.
        start: The first rate of the trial,
        end: the last, and
        steps: how many; without a meaning for a curve.

    Returns:
        What a notebook shows as the last line of a cell. Keep it in a name: its `rate` is where the mark
        stands, at first the suggestion.

    Raises:
        ValueError: As `find_rate`; a curve whose first loss is no number.

    >>> rates = tuple(10 ** (number / 10 - 5) for number in range(50))
    >>> curve = RateCurve(rates, tuple(2.3 - 2 / (1 + 0.01 / rate) + 5 * rate for rate in rates))
    >>> choice = choose_rate(curve)
    >>> round(choice.rate, 4)
    0.01
    >>> choice
    RateChoice(rate 0.01, of 50 tried)
    """
    if isinstance(found, RateCurve):
        return RateChoice(found)
    trial = {"start": start, "end": end, "steps": steps}
    return RateChoice(find_rate(found, start, end, steps), found, **trial)
