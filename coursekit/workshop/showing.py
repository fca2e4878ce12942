"""The studio and the cleaner in a notebook: a page beside the kernel that hands on what is pressed.

All that is to be seen goes to the page as `state`; what a person does comes as a message. Small pictures are
sent when they are asked for, and a photo to be tried comes in pieces, as a notebook's messages are limited.
"""

from __future__ import annotations

import os
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from ..widgets.widget import kind
from .changes import Changes
from .cleaners import Cleaner
from .studios import Studio

if TYPE_CHECKING:
    import pandas

    from ..learner import Learner

MOST_BYTES = 50_000_000


class Shown(Protocol):
    """What a page can show: it is told what a person did, and says what is to be seen."""

    listeners: list[Any]

    def act(self, what: dict[str, Any]) -> None:
        """Do what was asked for."""

    def view(self) -> dict[str, Any]:
        """All that is to be seen."""

    def pictures(self, names: list[str]) -> dict[str, bytes]:
        """Small pictures, JPEG, by their names."""


class Link:
    """A page in a notebook, and what it shows.

    Args:
        shown: What it shows.
        name: The name of the script that shows it.
    """

    def __init__(self, shown: Shown, name: str) -> None:
        self.shown, self._lock = shown, threading.Lock()
        self._pieces: dict[str, list[bytes]] = {}
        self.widget = kind(name)(data={}, state=shown.view())
        self.widget.on_msg(self.hear)
        shown.listeners.append(self.tell)

    def tell(self) -> None:
        """Show what is to be seen now. It is called from the thread that trains as well."""
        with self._lock:
            self.widget.state = self.shown.view()

    def hear(self, widget: Any, what: dict[str, Any], buffers: list[Any]) -> None:
        """Take a message from the page."""
        if what["do"] == "pictures":
            made = self.shown.pictures(what["names"])
            self.widget.send({"pictures": list(made)}, list(made.values()))
        elif what["do"] == "piece":
            self._take_piece(what, bytes(buffers[0]) if buffers else b"")
        else:
            self.shown.act(what)

    def _take_piece(self, what: dict[str, Any], data: bytes) -> None:
        """Keep a piece of a photo; with the last one, try it."""
        pieces = self._pieces.setdefault(what["name"], [])
        pieces.append(data)
        if what["last"]:
            whole = b"".join(self._pieces.pop(what["name"]))
            self.shown.act({"do": "try", "name": what["name"], "data": whole[:MOST_BYTES]})


class Cleaning:
    """Labels to be looked through and corrected, shown by a notebook; made by `clean`.

    Attributes:
        cleaner: What is looked through; `cleaner.items` has what the model says about each photo.
    """

    def __init__(self, learner: Learner, file: str | os.PathLike[str] | None) -> None:
        self.cleaner = Cleaner(learner, Changes(file))
        self.listeners: list[Any] = []

    @property
    def changes(self) -> pandas.DataFrame:
        """The changes so far: a table with the columns `item`, `was`, `now` (nothing: left out) and `why`."""
        return self.cleaner.changes.table()

    def act(self, what: dict[str, Any]) -> None:
        """Do what was asked for in the page."""
        self.cleaner.act(what)
        for listener in self.listeners:
            listener()

    def view(self) -> dict[str, Any]:
        """All that is to be seen."""
        return self.cleaner.view()

    def pictures(self, names: list[str]) -> dict[str, bytes]:
        """Small pictures by the names of their items."""
        return self.cleaner.pictures(names)

    def __repr__(self) -> str:
        return f"Cleaning({len(self.cleaner.items)} photos, {len(self.cleaner.changes)} changes)"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return bundle(self, "cleaner", options)


class ShownStudio(Studio):
    """A studio that a notebook shows."""

    def say_again(self) -> None:
        """Say that this is the studio that was there before."""
        self._say("note", "This is your studio as you left it. For a new one: kit.studio(anew=True).")
        self.tell()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return bundle(self, "studio", options)


def bundle(shown: Any, name: str, options: dict[str, Any]) -> Any:
    """What a notebook is given: the page, and a sentence for where there is no kernel."""
    if not hasattr(shown, "link"):
        shown.link = Link(shown, name)
    made = shown.link.widget._repr_mimebundle_(**options)
    data, *about = made if isinstance(made, tuple) else (made,)
    said = f"<p>The {name} works beside a kernel: run this cell, and it stands here.</p>"
    data = {**data, "text/html": said, "text/plain": repr(shown)}
    return (data, *about) if about else data


def demand_notebook(name: str) -> None:
    """Raise ImportError, with the package's name, where a notebook could not show it."""
    if find_spec("anywidget") is None:
        raise ImportError(
            f"{name} stands in a notebook and needs anywidget, of the extra `notebook`: "
            "pip install anywidget."
        )


# The studios of this kernel by the folder they began with: a page that was loaded again, without its output,
# gets back what was done when the cell is run again.
STUDIOS: dict[str, ShownStudio] = {}


def studio(folder: str | os.PathLike[str] | None = None, anew: bool = False) -> ShownStudio:
    """Train a model on your own photos without a line of code, in a notebook.

    Choose a folder that holds a folder for each kind of photo, or a set of the course; look at what is in
    it, train, see the mistakes, correct labels, try the model on a photo, and export it. At any moment the
    code that was run can be read and copied. Photos are never changed and never deleted; corrected labels
    stand in a list, NAME-changes.csv, beside the notebook.

    Args:
        folder: The folder to begin with; without it, choose one.
        anew: Begin a new studio. Else the one that this kernel has made for the folder goes on, with all that
            was done in it: a cell that is run again, after the page was loaded again, loses nothing.

    Returns:
        What a notebook shows if it is the last line of a cell. It keeps `learner`, the model that was
        trained, `changes`, the corrected labels as a table, and `code`.

    Raises:
        ImportError: The package anywidget is missing.

    >>> kit_studio = studio()
    >>> kit_studio.step, kit_studio.open_steps()
    ('choose', ['choose'])
    """
    demand_notebook("a studio")
    name = "" if folder is None else os.path.abspath(os.path.expanduser(folder))
    before = STUDIOS.get(name)
    if before is None or anew or not (before.projects or before.busy):
        STUDIOS[name] = ShownStudio(folder)
    else:
        before.say_again()
    return STUDIOS[name]


def clean(learner: Learner, changes: str | os.PathLike[str] | None = "label-changes.csv") -> Cleaning:
    """Look through what a model says about each photo, most surprising first, and correct wrong labels.

    By kind, by what was said and by side, held out or learned from; whatever you switch to, decisions stay.
    They are a list of changes, saved at each of them, and change nothing until you say so:
    `table = kit.apply_changes(table, "label-changes.csv")`, and train again. No file is ever deleted.

    Args:
        learner: A trained learner whose data a `DataBlock` made: photos, each of one kind.
        changes: The CSV file for the changes; what it holds already is taken up. None keeps them in memory
            alone, in `changes` of the result.

    Returns:
        What a notebook shows if it is the last line of a cell.

    Raises:
        TypeError: The learner's items are no photos, or are not of one kind each.
        ValueError: The file is no list of changes.
        ImportError: The package anywidget is missing.

    >>> import torch
    >>> from ..datablock import DataBlock
    >>> from ..tensors import Category, Image
    >>> from ..vision import vision_learner
    >>> photos = [{"photo": torch.zeros(3, 32, 32, dtype=torch.uint8), "label": name} for name in "abab"]
    >>> data = DataBlock(Image, Category, split=([0, 1], [2, 3])).loaders(photos)
    >>> cleaning = clean(vision_learner(data, pretrained=False, device="cpu"), changes=None)
    >>> cleaning.act({"do": "label", "item": "3", "now": "a"})
    >>> cleaning.changes.values.tolist()
    [['3', 'b', 'a', '']]
    """
    demand_notebook("clean")
    return Cleaning(learner, changes)
