"""A real browser for tests, and tabs that note what they complain about."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import nbformat
import pytest
from built_book import ROOT
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
WINDOWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "phone at night": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}

# How many widgets and quizzes of a page are not open yet, and whether anything on it waits to be laid out.
CLOSED = "document.querySelectorAll('div[class^=coursekit-]:not([data-open]), .quiz:not(:has(form))').length"
WAITING = """[...document.querySelectorAll("article > section > section > *, .in-parts > *")]
    .some((one) => getComputedStyle(one).contentVisibility !== "visible")"""
# All of a page is there for somebody who gives signs: several, as the script that listens may come late.
READY = f"""dispatchEvent(new PointerEvent("pointermove"))
    && !(document.documentElement.dataset.theme && ({CLOSED} || {WAITING}))"""


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not report each file."""

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served(folder: Path, by: type[Quiet] = Quiet) -> Iterator[str]:
    """Serve the files of a folder; the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(by, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium; without one a skip with that name, or on the build machine a failure."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        message = "there is no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A tab, and what it complained about."""

    tab: Tab
    site: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tab.set_default_timeout(10_000)
        self.tab.on("console", lambda said: said.type in {"error", "warning"} and self.note(said.text))
        self.tab.on("pageerror", lambda error: self.note(str(error)))
        self.tab.on("requestfailed", self.look_at_failed)
        self.tab.on("request", self.look_at)

    def look_at(self, request: Any) -> None:
        if not request.url.startswith((self.site, "data:", "blob:", "file:")):
            self.note(f"another host: {request.url}")

    def look_at_failed(self, request: Any) -> None:
        # A tab that goes on to the next page stops fetching what the last had asked for.
        if request.failure != "net::ERR_ABORTED":
            self.note(f"failed ({request.failure}): {request.url}")

    def note(self, what: str) -> None:
        self.complaints.append(what)

    def open(self, page: str) -> Tab:
        """Open a page as somebody who begins to read: what waits for that is there, too."""
        self.tab.goto(f"{self.site}/{page}", wait_until="load")
        wait_until_ready(self.tab)
        return self.tab


def wait_until_ready(tab: Tab) -> None:
    """Ask now and then: a page that is asked at each frame has no idle moment to lay out anything."""
    tab.wait_for_function(READY, polling=200, timeout=30_000)


def visit(browser: Browser, site: str, **window: Any) -> Visit:
    return Visit(browser.new_context(**window).new_page(), site)


def violations(tab: Tab, *rules: str) -> list[str]:
    """What axe-core finds wrong with a page, by some rules or by all: rule, weight and the places."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    return [
        f"{found['id']} ({found['impact']}): {found['help']}: "
        f"{[' '.join(node['target']) for node in found['nodes'][:4]]}"
        for found in Axe().run(tab, options=options).response["violations"]
    ]


@contextmanager
def jupyterlab(folder: Path, code: str) -> Iterator[str]:
    """Start a real JupyterLab on a notebook with one cell; its address, with the notebook and a token."""
    pytest.importorskip("jupyterlab")
    about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)], metadata=about)
    (folder / "work").mkdir()
    nbformat.write(notebook, folder / "work" / "leaves.ipynb")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR")
    settings = {name: str(folder / name) for name in names} | {"PYTHONPATH": str(ROOT)}
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0", "--ip=127.0.0.1",
        "--IdentityProvider.token=leaf", f"--ServerApp.root_dir={folder / 'work'}",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, cwd=folder, env=os.environ | settings
    ) as server:
        try:
            assert server.stderr is not None
            address = next(filter(None, (re.search(r"http://127\S+?:\d+", line) for line in server.stderr)))
            yield f"{address[0]}/lab/tree/leaves.ipynb?token=leaf"
        finally:  # else a test that fails would wait for a server that nobody ends
            server.terminate()
            server.communicate()


def run_first_cell(tab: Tab, address: str) -> None:
    """Open a notebook in JupyterLab and run its first cell."""
    tab.set_default_timeout(90_000)
    tab.goto(address)
    tab.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    tab.locator(".jp-Notebook .cm-content").first.click()
    tab.keyboard.press("Shift+Enter")


def run_next_cell(tab: Tab, code: str) -> str:
    """Run some code in the last cell of that notebook; what it printed."""
    cells = tab.locator(".jp-Notebook .jp-CodeCell")
    number = cells.count() - 1
    cells.last.locator(".cm-content").click()
    tab.keyboard.insert_text(code)
    tab.keyboard.press("Shift+Enter")
    output = cells.nth(number).locator(".jp-OutputArea-output").first
    output.wait_for()
    return str(output.text_content()).strip()
