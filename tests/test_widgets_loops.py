"""A training gone through event by event: what is shown is what happened, and all can use and hear it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from browsing import WINDOWS
from playwright.sync_api import Browser
from widget_pages import demand_access, page_with

from coursekit import loop
from coursekit.callbacks import Progress, Schedule
from coursekit.events import EVENTS, Callback, CancelBatch, CancelFit
from coursekit.learner import Learner
from coursekit.schedules import one_cycle
from coursekit.widgets.loops import PURPOSES, step_through

LINES = dict(enumerate(Path(loop.__file__).read_text("utf8").splitlines(), 1))
PASS = ["before_batch", "after_predict", "after_loss"]
STEP = [*PASS, "before_backward", "after_backward", "before_step", "after_step", "after_batch"]
FIT = [
    "before_fit",
    *["before_epoch", "before_train", *STEP, *STEP, "after_train"],
    *["before_validate", *PASS, "after_batch", "after_validate", "after_epoch"],
    "after_fit",
]


def learner(kind: type[Learner] = Learner, callbacks: tuple[Callback, ...] = ()) -> Learner:
    """Two batches to learn from, one held out."""
    torch.manual_seed(0)
    batches = [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(3)]
    quiet = [Progress("off"), *callbacks]
    about: dict[str, Any] = {"callbacks": quiet, "optimizer": torch.optim.SGD, "device": "cpu"}
    return kind((batches[:2], batches[2:]), torch.nn.Linear(3, 1), torch.nn.MSELoss(), **about)


def events(widget: Any) -> list[str]:
    return [one["event"] for one in widget.data["events"]]


def values(widget: Any, name: str) -> list[str]:
    place = widget.data["names"].index(name)
    return [one["state"][place] for one in widget.data["events"]]


# What is recorded -------------------------------------------------------------------------------------------


def test_every_event_is_recorded_in_its_order():
    widget = step_through(learner())

    assert events(widget) == FIT
    assert repr(widget) == "RecordedFit(28 events, before_fit to after_fit)"


def test_an_event_is_good_for_something():
    assert list(PURPOSES) == list(EVENTS)


def test_the_line_that_is_shown_is_the_one_that_told_it():
    data = step_through(learner()).data
    for one in data["events"]:
        told = LINES[one["stack"][-1][1]]
        _, what = one["event"].split("_")
        assert f'emit("{one["event"]}")' in told or "self.within(" in told
        if what in ("epoch", "batch"):
            assert f'self.within("{what}"' in told
    names = [[data["functions"][which]["name"] for which, _ in one["stack"]] for one in data["events"]]
    assert names[0] == ["run"]
    assert names[1] == ["run"]
    assert names[3] == ["run", "one_epoch", "one_pass", "all_batches"]
    assert names[4] == [*names[3], "step"]


def test_the_code_is_that_of_the_loop_without_docstrings():
    functions = step_through(learner()).data["functions"]

    assert {one["name"] for one in functions} == {"run", "one_epoch", "one_pass", "all_batches", "step"}
    for one in functions:
        assert one["file"] == "loop.py"
        assert one["code"][0][1].startswith(f"def {one['name']}(")
        assert all(LINES[number].strip() == text.strip() for number, text in one["code"])
        assert not any('"""' in text for _, text in one["code"])


def test_a_step_of_ones_own_is_shown_instead():
    class Twice(Learner):
        def step(self) -> None:
            self.predicted = self.call_model(self.inputs)
            self.emit("after_predict")

    functions = step_through(learner(Twice)).data["functions"]
    (step,) = (one for one in functions if one["name"] == "step")

    assert step["file"] == "test_widgets_loops.py"
    assert len(step["code"]) == 3


def test_what_has_changed_is_what_the_learner_holds():
    kept: dict[str, list[Any]] = {"loss": [], "gradient": []}

    class Keep(Callback):
        def after_loss(self, learner: Any) -> None:
            kept["loss"].append(f"{learner.loss.item():.4f}")

        def before_step(self, learner: Any) -> None:
            gradients = [one.grad.flatten() for one in learner.model.parameters()]
            kept["gradient"].append(f"{torch.cat(gradients).norm().item():.3f}")

    mine = learner()
    before = torch.nn.utils.parameters_to_vector(mine.model.parameters()).detach().clone()
    widget = step_through(mine, 2, 0.05, [Keep()])
    heard = events(widget)
    moved = torch.nn.utils.parameters_to_vector(mine.model.parameters()) - before

    def at(event: str, name: str) -> list[str]:
        return [value for value, one in zip(values(widget, name), heard, strict=True) if one == event]

    assert at("after_loss", "loss") == kept["loss"]
    assert at("before_step", "length of gradient") == kept["gradient"]
    assert values(widget, "weights moved by")[-1] == f"{moved.norm().item():.4f}"
    assert at("before_step", "weights moved by")[0] == "0" != at("after_step", "weights moved by")[0]
    assert at("after_batch", "length of gradient") == ["None"] * 6
    assert at("before_epoch", "epoch") == ["0", "1"]
    assert at("before_batch", "batch_number") == ["0", "1", "0"] * 2
    assert at("before_batch", "training") == ["True", "True", "False"] * 2
    assert at("after_epoch", "rows recorded") == ["1", "2"]
    assert set(at("after_predict", "predicted")) == {"4 \N{MULTIPLICATION SIGN} 1"}


def test_who_heard_an_event_is_named_in_order():
    widget = step_through(learner(), callbacks=[Schedule(one_cycle)])
    heard = {one["event"]: one["heard"] for one in widget.data["events"]}

    assert heard["before_batch"] == ["Schedule"]
    assert heard["after_epoch"] == ["Recorder", "Progress"]
    assert heard["after_predict"] == []


def test_what_a_cancel_leaves_out_is_left_out():
    class LeaveOut(Callback):
        def after_loss(self, learner: Any) -> None:
            if learner.batch_number == 0:
                raise CancelBatch

    class Stop(Callback):
        def after_backward(self, learner: Any) -> None:
            raise CancelFit

    heard = events(step_through(learner(), callbacks=[LeaveOut(), Stop()]))

    assert heard[:7] == [*FIT[:3], *PASS, "after_batch"]
    assert heard[-5:] == ["after_backward", "after_batch", "after_train", "after_epoch", "after_fit"]


def test_too_long_a_fit_is_refused_in_words():
    with pytest.raises(ValueError, match=r"more than 400 events.*data of a few batches"):
        step_through(learner(), epochs=20)


# In a page --------------------------------------------------------------------------------------------------


def test_the_page_goes_from_event_to_event(browser: Browser, tmp_path: Path):
    widget = step_through(learner(), callbacks=[Schedule(one_cycle)])
    with page_with(browser, tmp_path, widget) as tab:
        here, current = tab.locator(".event code"), tab.locator("[aria-current=step]")
        status = tab.get_by_role("status")
        following = tab.get_by_role("button", name="Next event")
        for number, one in enumerate(widget.data["events"]):
            if number:
                following.press("Enter")
            assert here.inner_text() == one["event"]
            assert current.inner_text().split()[0] == str(one["stack"][-1][1])
        assert following.is_disabled()
        assert tab.get_by_role("button", name="Back").evaluate("(one) => one === document.activeElement")
        assert status.inner_text().startswith("after_fit, line")


def test_the_page_says_what_has_changed(browser: Browser, tmp_path: Path):
    widget = step_through(learner())
    with page_with(browser, tmp_path, widget) as tab:
        tab.get_by_role("button", name="Next batch").click()
        changed = tab.locator("tr.changed th")
        for event, names in {
            "before_batch": ["batch_number"],
            "after_predict": ["predicted"],
            "after_loss": ["loss"],
            "before_backward": [],
            "after_backward": ["length of gradient"],
            "before_step": [],
            "after_step": ["weights moved by"],
        }.items():
            assert tab.locator(".event code").inner_text() == event
            assert changed.all_inner_texts() == names
            tab.get_by_role("button", name="Next event").click()


@pytest.mark.parametrize("window", WINDOWS)
def test_everybody_can_use_it(browser: Browser, tmp_path: Path, window: str):
    with page_with(browser, tmp_path, step_through(learner()), window=window) as tab:
        slider = tab.get_by_role("slider", name="event")
        assert slider.get_attribute("aria-valuetext") == "before_fit, 1 of 28"
        slider.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") == "before_epoch, 2 of 28"
        chart = tab.locator("svg.chart")
        chart.click(position={"x": chart.bounding_box()["width"] - 2, "y": 10})
        assert tab.locator(".event code").inner_text() == "after_fit"
        demand_access(tab)


def test_without_scripts_the_events_are_listed(browser: Browser, tmp_path: Path):
    with page_with(browser, tmp_path, step_through(learner()), java_script_enabled=False) as tab:
        lines = tab.locator("pre").inner_text().splitlines()
        assert [line.split(",")[0].strip() for line in lines] == FIT
        assert lines[3].startswith("      before_batch, line ")
        assert tab.get_by_role("button").count() == 0
