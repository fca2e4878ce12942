"""One local server for the book and the live lessons: what `make learn` starts.

It is JupyterLab with three things added. `/book/` serves the pages. `/run/first_model` makes the learner's
own copy of a lesson, once, and opens it; `/run/exercise/first_model` does the same with an exercise.
`/run/progress.json` tells the pages which exercises were checked. All of this needs JupyterLab's token, which
the printed address carries: nobody else on the machine can run code.

>>> [rule[0] for rule in routes("/", Path("pages"), Workspace(Path("workspace")))]
['/book/(.*)', '/book', '/run/progress.json', '/run/(exercise/)?([a-z0-9_]+)']
"""

from __future__ import annotations

import os
import secrets
from html import escape
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from jupyterlab.labapp import LabApp
from tornado import web

from .kit import KitError
from .progress import WorkspaceError
from .workspace import Workspace


def say(handler: JupyterHandler, sentence: str) -> None:
    """Answer 404 with a sentence instead of a page."""
    handler.set_status(404)
    handler.finish(f"<!DOCTYPE html><title>coursekit</title><p>{escape(sentence)}</p>")


class BookPage(JupyterHandler, web.StaticFileHandler):
    """A file of the built book, for whoever has the token."""

    auth_resource = "contents"

    @web.authenticated
    @authorized
    async def get(self, path: str, include_body: bool = True) -> None:  # type: ignore[override]
        """Send the page; a book that is not built says so."""
        if (Path(self.root) / "index.html").is_file():
            await super().get(path, include_body)
        else:
            say(self, "The book is not built yet: `make book` builds it.")

    def set_extra_headers(self, path: str) -> None:
        """Ask for changes each time, so that a book built anew is seen at once."""
        self.set_header("Cache-Control", "no-cache")


class Standing(JupyterHandler):
    """Which exercises of this workspace were checked, for the pages to show."""

    auth_resource = "contents"

    def initialize(self, workspace: Workspace) -> None:
        """Remember whose progress it is."""
        self.workspace = workspace

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Send it as the text that the pages take in."""
        self.set_header("Content-Type", "application/json")
        self.finish(self.workspace.progress.for_pages())


class Run(JupyterHandler):
    """A "run this" link: make the learner's copy if there is none, and open it in JupyterLab."""

    auth_resource = "contents"

    def initialize(self, workspace: Workspace) -> None:
        """Remember where copies go."""
        self.workspace = workspace

    @web.authenticated
    @authorized
    def get(self, kind: str, word: str) -> None:
        """Redirect to the copy; a word that names nothing says what there is."""
        make = self.workspace.start if kind else self.workspace.lesson_copy
        try:
            copy = make(word).relative_to(self.workspace.folder)
        except (LookupError, KitError, WorkspaceError) as error:
            say(self, str(error))
            return
        self.redirect(url_path_join(self.base_url, "lab/tree", copy.as_posix()))


def serve(pages: Path, workspace: Path, browser: bool = True) -> None:
    """Serve the book and JupyterLab from one address until Ctrl-C, which stops kernels and all.

    Args:
        pages: The folder of built pages.
        workspace: The learner's folder; made if it is missing, and on the path of every kernel.
        browser: Whether to open the book in a browser.
    """
    server = prepare(pages, workspace, browser)
    said = f"\n  The book and the lessons:  {book_address(server)}\n  Ctrl-C stops them.\n"
    # Once the loop runs: by then the port is open.
    server.io_loop.add_callback(print, said, flush=True)
    server.start()


def prepare(pages: Path, folder: Path, browser: bool = False) -> ServerApp:
    """The server, with a free port chosen, ready to start."""
    workspace = Workspace(folder.resolve()).make()
    # Wherever a notebook of the workspace lies, its kernel finds the learner's own library.
    kernels = [str(workspace.jupyter_path()), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(kernels)
    os.environ["COURSEKIT_WORKSPACE"] = str(workspace.folder)
    server = LabApp.initialize_server(argv=settings(workspace.folder, browser))
    # No question about news from elsewhere before the first lesson.
    server.web_app.settings["page_config_data"]["news"] = {"disabled": True}
    server.web_app.add_handlers(".*$", routes(server.base_url, pages, workspace))
    return server


def settings(workspace: Path, browser: bool) -> list[str]:
    """How JupyterLab is started: for one person, in the workspace, asking no other host for anything."""
    return [
        f"--ServerApp.root_dir={workspace}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.open_browser={browser}",
        f"--IdentityProvider.token={secrets.token_hex(24)}",
        "--LabApp.default_url=/book/index.html",
        "--ServerApp.log_level=WARN",
        "--LabApp.log_level=WARN",
        # One Ctrl-C is enough; a container's only user may be root.
        "--ServerApp.answer_yes=True",
        "--ServerApp.allow_root=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]


def routes(base: str, pages: Path, workspace: Workspace) -> list[tuple[Any, ...]]:
    """What is served beside JupyterLab."""
    book = {"path": str(pages), "default_filename": "index.html"}
    return [
        (url_path_join(base, r"/book/(.*)"), BookPage, book),
        (
            url_path_join(base, r"/book"),
            web.RedirectHandler,
            {"url": url_path_join(base, "/book/index.html")},
        ),
        (url_path_join(base, r"/run/progress.json"), Standing, {"workspace": workspace}),
        (url_path_join(base, r"/run/(exercise/)?([a-z0-9_]+)"), Run, {"workspace": workspace}),
    ]


def book_address(server: ServerApp) -> str:
    """Where the book is read, with the token."""
    return f"http://127.0.0.1:{server.port}{server.base_url}book/index.html?token={server.identity_provider.token}"
