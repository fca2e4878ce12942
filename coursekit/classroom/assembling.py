"""Make a submission of the files that were handed in together: which of them counts for which module.

A file named after a module counts before a notebook's `%%kit` cells, and those before what is found by the
names of definitions. What cannot be read is left out with a sentence, and the rest is graded; where two files
claim one module in the same way and differ, nobody can know which is meant, and nothing is graded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from .. import kit
from .contents import Item, LeftOut
from .manifest import MOST_MANIFEST, NAME, Manifest, digest, read_manifest
from .neutral import line
from .notebooks import MOST_NOTEBOOK, read_notebook
from .python_text import MOST_TEXT, doubts, home_of, modules, text_of
from .senders import Sender
from .submission import OWN_CLOCK, Submission

MOST_NOTES = 20
MOST_READ = 64 * 2**20  # bytes of one learner, notebooks with their outputs included

BY_FILE, BY_CELL, BY_NAME = range(3)

# What systems and browsers add to a name that was there before: metrics-1.py, metrics (1).py, metrics_2.py.
_AGAIN = re.compile(r"[-_ ]?\(?\d{1,3}\)?$")


@dataclass
class Upload:
    """Files that were handed in together.

    Attributes:
        where: The names of what they lie in, below what was given to read.
        files: Each file's place in the upload, and the file.
        manifest: What `coursekit submit` packed with them, if it did.
        words: The exercises that the names of what they lie in say they are for.
        received: When they came, where a file beside them says so.
        problem: Why nothing of it can be read, in one sentence.
    """

    where: tuple[str, ...] = ()
    files: list[tuple[tuple[str, ...], Item]] = field(default_factory=list)
    manifest: Item | None = None
    words: tuple[str, ...] = ()
    received: datetime | None = None
    problem: str = ""


def shown(parts: Iterable[str]) -> str:
    """A place in an upload, safe to print."""
    return line("/".join(parts), 120)


def unversioned(stem: str) -> str:
    """A name without the number that a second version of it was given."""
    return _AGAIN.sub("", stem)


def module_of(parts: tuple[str, ...]) -> str:
    """The module that a file stands in for by its place, or "".

    >>> module_of(("mykit", "widgets", "descents.py")), module_of(("metrics (1).py",)), module_of(("me.py",))
    ('widgets.descents', 'metrics', '')
    """
    below = parts[1:] if parts[0] == kit.NAME else parts
    dotted = ".".join(below).removesuffix(".py")
    return next((name for name in (dotted, unversioned(dotted)) if name in modules()), "")


def learner_of(sender: Sender) -> str:
    """Whose it is, as it may be printed."""
    return line(sender.learner, 120) or "nobody"


class Assembly:
    """What has been found in one upload so far.

    Args:
        upload: The files.
        left: How many bytes of this learner may still be read.
    """

    def __init__(self, upload: Upload, left: int = MOST_READ) -> None:
        self.upload, self.left, self.problem = upload, left, upload.problem
        self.notes: list[str] = []
        self.manifest: Manifest | None = None
        self.parts: dict[str, tuple[int, str, str]] = {}

    def submission(self, sender: Sender, notes: Iterable[str] = ()) -> Submission:
        """All of it read, as the submission of one learner."""
        if not self.problem:
            for place, item in self._chosen():
                try:
                    self._take(place, item)
                except LeftOut as error:
                    self.note(f"{shown(place)} was left out: it {error}.")
        told = list(dict.fromkeys([*self.notes, *notes]))
        if not self.parts and not self.problem:
            self.problem = " ".join(["Nothing of it can be graded.", *told[:3]])
        words = self.manifest.words if self.manifest else self.upload.words
        return Submission(
            learner=learner_of(sender),
            files={} if self.problem else {name: text for name, (_, _, text) in sorted(self.parts.items())},
            words=words or tuple(filter(None, [sender.word])),
            received=sender.received or self.upload.received or self._packed(told),
            origin=line("/".join(self.upload.where), 400),
            notes=tuple(told[:MOST_NOTES]),
            problem=self.problem,
            marked_late=sender.marked_late,
        )

    def note(self, sentence: str) -> None:
        """Tell a person something, with whatever the learner wrote in it made harmless."""
        self.notes.append(line(sentence, 600))

    def _packed(self, told: list[str]) -> datetime | None:
        """When it was packed, where nothing better tells when it came."""
        if self.manifest and self.manifest.packed:
            told.append(OWN_CLOCK)
            return self.manifest.packed
        return None

    def _chosen(self) -> list[tuple[tuple[str, ...], Item]]:
        """The files that count: with a manifest those it lists, if they are what was packed."""
        if self.upload.manifest is None:
            return self.upload.files
        try:
            self.manifest = read_manifest(self._read(self.upload.manifest, MOST_MANIFEST))
        except LeftOut as error:
            self.problem = f"{NAME} {error}."
            return []
        files = {"/".join(place): (place, item) for place, item in self.upload.files}
        for name in sorted(self.manifest.files):
            if fault := self._changed(name, files):
                self.problem = f"{shown([name])} {fault}; hand in the zip as `coursekit submit` made it."
                return []
        for name in sorted(files.keys() - self.manifest.files.keys()):
            self.note(f"{shown([name])} was left out: it was not packed by `coursekit submit`.")
        return [files[name] for name in sorted(self.manifest.files)]

    def _changed(self, name: str, files: dict[str, tuple[tuple[str, ...], Item]]) -> str:
        """What is wrong with a file that a manifest lists, or ""."""
        if name not in files:
            return "was packed, and is missing"
        try:
            same = digest(self._read(files[name][1], MOST_TEXT)) == self.manifest.files[name]  # type: ignore[union-attr]
        except LeftOut as error:
            return str(error)
        return "" if same else "is not the file that was packed"

    def _read(self, item: Item, most: int) -> bytes:
        if item.fault:
            raise LeftOut(item.fault)
        if self.left < item.size <= most:
            raise LeftOut(f"is too much: more than {MOST_READ // 2**20} MiB were handed in")
        data = item.read(min(most, self.left))
        self.left -= len(data)
        return data

    def _take(self, place: tuple[str, ...], item: Item) -> None:
        """Read one file for the modules that it holds something for."""
        if place[-1].lower().endswith(".ipynb"):
            notebook = read_notebook(self._read(item, MOST_NOTEBOOK))
            for note in notebook.notes:
                self.note(f"{shown(place)} {note}.")
            for module, text in notebook.files.items():
                self._add(module, BY_NAME if notebook.by_name else BY_CELL, place, text)
            return
        text = text_of(self._read(item, MOST_TEXT))
        if module := module_of(place):
            self._add(module, BY_FILE, place, text)
        elif homes := home_of(text):
            for home in sorted(homes):
                self._add(home, BY_NAME, place, text)
        else:
            raise LeftOut(
                "defines nothing that an exercise asks for; name it after its module, such as metrics.py"
            )
        for doubt in doubts(text):
            self.note(f"{shown(place)} {doubt}.")

    def _add(self, module: str, way: int, place: tuple[str, ...], text: str) -> None:
        """Let a text count for a module, if no better one is there."""
        name = shown(place)
        before, other, there = self.parts.get(module, (way, name, text))
        if before == way and there != text:
            self.problem = f"{other} and {name} both hold {module}, and differ; hand in the one that counts."
        elif before != way and there != text:
            kept, lost = (name, other) if way < before else (other, name)
            self.note(f"For {module} what stands in {kept} counts, not what stands in {lost}.")
        if way <= before:
            self.parts[module] = (way, name, text)
