"""The local server of `make learn`, really started and really asked."""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from coursekit.progress import Progress

jupyter_client = pytest.importorskip("jupyter_client")
psutil = pytest.importorskip("psutil")

ROOT = Path(__file__).parent.parent
SERVE = """
import sys
from pathlib import Path
from coursekit.server import serve
serve(pages=Path(sys.argv[1]), workspace=Path(sys.argv[2]), browser=False)
"""
MINE = 'def group_split(groups, valid=0.2, seed=0):\n    return "mine"\n'


class StayHere(urllib.request.HTTPRedirectHandler):
    """Show a redirect instead of following it."""

    def redirect_request(self, *request: object) -> None:
        return None


@dataclass
class Started:
    """A running server, its printed address, and a browser that keeps cookies."""

    process: subprocess.Popen[str]
    address: str
    workspace: Path
    runtime: Path
    pages: Path
    browser: urllib.request.OpenerDirector = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.new_browser()

    @staticmethod
    def new_browser() -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), StayHere())

    @property
    def base(self) -> str:
        return self.address.partition("/book/")[0]

    @property
    def token(self) -> str:
        return self.address.partition("?token=")[2]

    def get(self, path: str, browser: urllib.request.OpenerDirector | None = None) -> tuple[int, str, str]:
        """Status, text, and where a redirect points."""
        try:
            with (browser or self.browser).open(self.base + path, timeout=30) as answer:
                return answer.status, answer.read().decode(), ""
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), error.headers.get("Location", "")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("server")
    pages, workspace, runtime = folder / "pages", folder / "a workspace", folder / "runtime"
    (pages / "lessons").mkdir(parents=True)
    (pages / "index.html").write_text("<h1>The book</h1>")
    (pages / "lessons" / "first_model.html").write_text("<h1>Lesson 1</h1>")
    (workspace / "mykit").mkdir(parents=True)
    (workspace / "mykit" / "splits.py").write_text(MINE)
    settings = {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
    }
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(pages), str(workspace)],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=settings,
        )
    assert process.stdout is not None
    printed = ""
    while "Ctrl-C" not in printed:
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        printed += line
    found = re.search(r"http://\S+", printed)
    assert found is not None
    yield Started(process, found[0], workspace, runtime, pages)
    process.kill()
    process.communicate()


def test_the_printed_address_opens_the_book_and_its_pages(server: Started) -> None:
    """The token is needed once; afterwards the browser is known."""
    browser = server.new_browser()

    assert server.get(f"/book/index.html?token={server.token}", browser)[:2] == (200, "<h1>The book</h1>")
    assert server.get("/book/lessons/first_model.html", browser)[:2] == (200, "<h1>Lesson 1</h1>")
    assert server.get("/book/", browser)[:2] == (200, "<h1>The book</h1>")
    assert server.get("/lab", browser)[0] == 200


def test_jupyterlab_asks_nothing_and_looks_nowhere_else(server: Started) -> None:
    page = server.get(f"/lab?token={server.token}")[1]
    config = json.loads(
        page.partition('id="jupyter-config-data" type="application/json">')[2].partition("</script>")[0]
    )

    assert config["news"] == {"disabled": True}
    assert config["extensionManager"]["name"] == "read-only"


@pytest.mark.parametrize(
    "path", ["/book/index.html", "/run/first_model", "/run/progress.json", "/lab", "/book/?token=wrong"]
)
def test_nothing_is_served_without_the_token(server: Started, path: str) -> None:
    status, text, where = server.get(path, server.new_browser())

    assert (status, where.partition("?")[0]) == (302, "/login")
    assert "The book" not in text


def test_no_file_outside_the_pages_is_served(server: Started) -> None:
    server.get(f"/book/?token={server.token}")
    connection = http.client.HTTPConnection(server.base.removeprefix("http://"))
    connection.request("GET", f"/book/../a%20workspace/mykit/splits.py?token={server.token}")
    answer = connection.getresponse()

    assert (answer.status, "mine" in answer.read().decode()) == (403, False)
    connection.close()


def test_a_run_link_makes_the_learners_copy_once_and_opens_it(server: Started) -> None:
    """Whatever the learner writes into the copy stays."""
    copy = server.workspace / "lessons" / "first_model.ipynb"
    first = server.get(f"/run/first_model?token={server.token}")
    made = json.loads(copy.read_text())
    copy.write_text(json.dumps({**made, "cells": []}))
    second = server.get("/run/first_model")

    assert first[::2] == second[::2] == (302, "/lab/tree/lessons/first_model.ipynb")
    assert made["cells"]
    assert json.loads(copy.read_text())["cells"] == []
    assert [file.name for file in copy.parent.iterdir()] == ["first_model.ipynb"]


def test_pages_are_told_which_exercises_were_checked(server: Started) -> None:
    Progress(server.workspace).note("tensors", passed=True, points=6, of=6)
    server.get("/book/index.html?token=" + server.token)
    status, text, _ = server.get("/run/progress.json")

    assert status == 200
    assert json.loads(text)["exercises"]["tensors"]["points"] == 6


def test_a_run_link_to_no_lesson_says_which_was_meant(server: Started) -> None:
    status, text, _ = server.get(f"/run/first_modle?token={server.token}")

    assert status == 404
    assert "There is no lesson 'first_modle'. Did you mean 'first_model'?" in html.unescape(text)


def test_a_book_that_is_not_built_says_so(server: Started) -> None:
    index = server.pages / "index.html"
    index.rename(index.with_suffix(".away"))
    status, text, _ = server.get(f"/book/?token={server.token}")
    index.with_suffix(".away").rename(index)

    assert status == 404
    assert "The book is not built yet" in text


def test_a_run_link_starts_an_exercise(server: Started) -> None:
    status, _, where = server.get(f"/run/exercise/first_model?token={server.token}")

    assert (status, where) == (302, "/lab/tree/exercises/first_model.ipynb")
    assert (server.workspace / "exercises" / "first_model.ipynb").exists()


def ask_a_kernel(server: Started, folder: str, code: str) -> str:
    """What a notebook of this folder prints, through the server's own kernels."""
    (server.workspace / folder).mkdir(exist_ok=True)
    request = urllib.request.Request(
        f"{server.base}/api/kernels?token={server.token}",
        data=json.dumps({"path": f"{folder}/any.ipynb".lstrip("/")}).encode(),
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        kernel = json.load(answer)["id"]
    client = jupyter_client.BlockingKernelClient(
        connection_file=str(server.runtime / f"kernel-{kernel}.json")
    )
    client.load_connection_file()
    # While it imports a kernel answers no heartbeat, on a busy machine for more than the usual second.
    client.hb_channel.time_to_dead = 30
    client.start_channels()
    client.wait_for_ready(timeout=60)
    said: list[dict[str, str]] = []
    client.execute_interactive(code, timeout=60, output_hook=lambda message: said.append(message["content"]))
    client.stop_channels()
    return "".join(content.get("text") or content.get("evalue") or "" for content in said).strip()


@pytest.mark.parametrize("folder", ["", "lessons"])
def test_a_kernel_anywhere_in_the_workspace_has_the_learners_library(server: Started, folder: str) -> None:
    """And it is a kernel of this environment."""
    code = "import sys, mykit; print(mykit.splits.group_split([1]), sys.executable)"

    assert ask_a_kernel(server, folder, code) == f"mine {sys.executable}"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that stands for Ctrl-C in a test")
def test_one_ctrl_c_stops_the_server_and_its_kernels(server: Started) -> None:
    """Last, as it ends what the others use."""
    kernel = int(ask_a_kernel(server, "", "import os; print(os.getpid())"))
    server.process.send_signal(signal.SIGINT)

    assert server.process.wait(timeout=30) == 0
    # A kernel notices within seconds; where nobody buries it afterwards, it stays on the list as a zombie.
    with contextlib.suppress(psutil.NoSuchProcess):
        process, deadline = psutil.Process(kernel), time.monotonic() + 15
        while process.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "the kernel outlives its server"
            time.sleep(0.1)
