"""What every test shares: one thread for each worker, and a last word on what was skipped and why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bare import Machine
    from playwright.sync_api import Browser
    from xdist.scheduler import LoadScopeScheduling

if "PYTEST_XDIST_WORKER" in os.environ:
    # Each worker has a core to itself; threads that fight over cores make everything slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


# The tests of these files look at the same book, which takes minutes to build.
OF_THE_BOOK = ("tests/test_book.py", "tests/test_pages")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """One worker gets all tests of the book, at once and first; the others go one by one to whoever is free.

    (The groups that xdist itself offers are names added to the tests' own, and pytest 9.2 no longer shows it
    these: each worker built the book.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class TheBookAtOnce(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "book" if nodeid.startswith(OF_THE_BOOK) else nodeid

    return TheBookAtOnce(config, log)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one a skip with that name, or on the build machine a failure."""
    from browsing import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the built book on this machine."""
    from browsing import served
    from built_book import book

    assert book().status == 0, book().output
    with served(book().html) as address:
        yield address


@pytest.fixture(scope="session")
def bare_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """An environment that has a kernel and nothing else, and our wheel just built."""
    import bare

    return bare.make(tmp_path_factory.mktemp("bare"))


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
