"""What every test shares: one thread for each worker, and a last word on what was skipped and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has a core to itself; threads that fight over cores make everything slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one a skip with that name, or on the build machine a failure."""
    from browsing import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def fresh_figures() -> Iterator[None]:
    """No figure is open before, and none is left open."""
    from matplotlib import pyplot

    pyplot.close("all")
    yield
    pyplot.close("all")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each reason for which tests were skipped, and how many it cost."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("skipped, by name")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count} skipped because {reason}")
