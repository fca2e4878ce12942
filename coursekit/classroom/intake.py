"""Read what was handed in: kits, files, notebooks and archives, in folders as they were downloaded.

Nothing is run and nothing is unpacked. Whatever cannot be read is a submission with a problem, in a sentence
that its learner understands; one bad submission never keeps the next from being read.

What is given may be a folder or a zip archive of

- a download from Canvas, Moodle, Gradescope or nbgrader (see `senders`);
- a folder or file for each learner, by their names: `ana/`, `ben.zip`, `eve.ipynb`, `ida.py`;
- one learner's kit.

A learner's part may hold the zip that `coursekit submit` makes (see `manifest`), a workspace, modules of a
kit, notebooks (see `notebooks`), other Python files, or several such uploads in archives and folders of their
own: each of which something can be graded is a submission.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     size = Path(folder, "ana.py").write_text("def accuracy(predictions, targets): ...")
...     [(one.learner, sorted(one.files)) for one in read_submissions([Path(folder)])]
[('ana', ['metrics'])]
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from .. import kit
from ..grader import exercises
from ..progress import WorkspaceError
from .assembling import MOST_NOTES, MOST_READ, Assembly, Upload, learner_of, shown, unversioned
from .contents import MOST_DEEP, MOST_ITEMS, Item, LeftOut, in_archive, in_folder, item
from .manifest import NAME
from .python_text import modules
from .senders import METADATA, TIMESTAMP, Sender, gradescope, moment, sender
from .submission import Submission

MOST_LEARNERS = 200_000
MOST_ARCHIVES = 2  # in one another
MOST_VERSIONS = 20  # in one learner's part
MOST_METADATA = 2**28
# The table of contents of a whole download: some 100 bytes for each file of each learner.
MOST_TABLE = 2**28

_READ = (".py", ".ipynb")
_OTHER_ARCHIVES = (".rar", ".7z", ".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst")
# What learners hand in by mistake; a file of another kind beside theirs is the instructor's own.
_DOCUMENTS = (
    *(".pdf", ".doc", ".docx", ".odt", ".rtf", ".pages", ".txt", ".html", ".htm", ".mhtml"),
    *(".png", ".jpg", ".jpeg", ".heic", ".pyc", ".pyw", ".pt", ".pth", ".onnx", ".safetensors"),
)
_ENDINGS = (*_READ, ".zip", *_OTHER_ARCHIVES, *_DOCUMENTS)
_LEFT_BY_TOOLS = ("__MACOSX", "__pycache__", "__init__.py", "node_modules", "venv")
_OF_A_WORKSPACE = ("exercises", "lessons", "copies")
_SUBMIT = "hand in the zip that `coursekit submit` makes"


def read_submissions(given: Sequence[Path]) -> Iterator[Submission]:
    """Every submission in these folders, archives or files, one after the other, in the order of names.

    Raises:
        WorkspaceError: One of them is not there, or cannot be opened; of a learner's part that is a problem.
    """
    for path in given:
        with ExitStack() as stack:
            try:
                name, items = _opened(path, stack)
            except LeftOut as error:
                raise WorkspaceError(f"{path} cannot be read: it {error}.") from None
            yield from _course(name, items)


def _opened(path: Path, stack: ExitStack) -> tuple[str, list[Item]]:
    whole = path.absolute()
    if whole.is_dir():
        return whole.resolve().name, in_folder(whole, MOST_LEARNERS)
    if whole.suffix.lower() == ".zip" and whole.is_file():
        try:
            stream = stack.enter_context(whole.open("rb"))
        except OSError as error:
            raise LeftOut(f"cannot be opened: {error.strerror}") from None
        return whole.stem, in_archive(stream, MOST_TABLE)
    one = item(whole)
    if one.fault:
        raise LeftOut(one.fault)
    return whole.stem, [one]


def _course(name: str, items: list[Item]) -> Iterator[Submission]:
    """The submissions of a whole download, or of a folder with something for each learner."""
    items = _visible(items)
    if len(items) == 1 and items[0].is_folder:
        inside = _visible(_inside(items[0]))
        # A download was unpacked into a folder of its own, or a folder packed as a whole.
        items = inside if items[0].name == name or _is_download(inside) else items
    metadata = next((one for one in items if one.name == METADATA and not one.is_folder), None)
    if metadata:
        groups = _by_metadata(metadata, items)
    else:
        groups = [([Sender(name)], items, {})] if _is_kit(items) else _by_name(items)
    for senders, group, given_names in groups:
        yield from _of_learners(senders, group, given_names)


# Who, what they handed in, and for a file that a system gave another name the name it has now.
_Groups = list[tuple[list[Sender], list[Item], dict[str, str]]]


def _by_metadata(metadata: Item, items: list[Item]) -> _Groups:
    """The folders of a download from Gradescope, each with those who handed it in."""
    try:
        known = gradescope(metadata.read(MOST_METADATA).decode("utf-8-sig", "replace"))
    except LeftOut as error:
        raise WorkspaceError(f"{METADATA} cannot be read: it {error}.") from None
    return [(known.get(one.name) or [Sender(one.name)], [one], {}) for one in items if one.is_folder]


def _by_name(items: list[Item]) -> _Groups:
    """The items of each learner, told apart by their names."""
    groups: dict[Sender, tuple[list[Item], dict[str, str]]] = {}
    for one in items:
        known = sender(one.name)
        if known:
            who, own_name = known
        elif one.is_folder or one.fault or one.name.lower().endswith(_ENDINGS):
            who, own_name = Sender(one.name if one.is_folder else _without_ending(one.name)), ""
        else:
            continue
        group, given_names = groups.setdefault(who, ([], {}))
        group.append(replace(one, name=own_name or one.name))
        given_names[own_name or one.name] = one.name
    return [([who], group, given_names) for who, (group, given_names) in groups.items()]


def _without_ending(name: str) -> str:
    """A file's name as that of a learner, whose own name may have dots in it."""
    endings = [one for one in (".tar.gz", *_ENDINGS) if name.lower().endswith(one)]
    return name[: -len(endings[0])] or name if endings else name


def _visible(items: Iterable[Item]) -> list[Item]:
    """Without what systems and tools leave behind; what must not be opened stays, to be named."""
    return [one for one in items if one.fault or not (one.name.startswith(".") or one.name in _LEFT_BY_TOOLS)]


def _inside(folder: Item) -> list[Item]:
    try:
        return folder.inside()
    except LeftOut:
        return []


def _is_download(items: list[Item]) -> bool:
    return any(one.name == METADATA or sender(one.name) for one in items)


def _is_kit(items: list[Item]) -> bool:
    """Whether these are one learner's own, and not what many handed in, one of whom may be called "mykit"."""
    known = {kit.NAME, *_OF_A_WORKSPACE, *_packages()}
    if any(one.is_folder and one.name not in known for one in items):
        return False
    if any((one.name == kit.NAME and one.is_folder) or one.name == NAME for one in items):
        return True
    archives = [one for one in items if one.name.lower().endswith((".zip", *_OTHER_ARCHIVES))]
    return not archives and any(_is_module(one) for one in items)


def _is_module(one: Item) -> bool:
    return one.name.endswith(".py") and one.name[:-3] in modules()


def _packages() -> set[str]:
    return {name.partition(".")[0] for name in modules() if "." in name}


def _of_learners(
    senders: list[Sender], items: list[Item], given_names: dict[str, str]
) -> Iterator[Submission]:
    """The submissions of one learner, or of a group that handed in together."""
    walk, place = _Walk(), _Place(senders[0].learner)
    try:
        uploads = list(walk.uploads(items, place)) or [Upload((items[0].name,), problem=walk.nothing())]
    except LeftOut as error:
        uploads = [Upload((items[0].name,), problem=f"Nothing of it was read, as it {error}; {_SUBMIT}.")]
    made = []
    for upload in uploads:
        upload.where = tuple(given_names.get(name, name) for name in upload.where[:1]) + upload.where[1:]
        assembly = Assembly(upload, walk.left)
        made.append(assembly.submission(senders[0], walk.notes))
        walk.left = assembly.left
    if len(made) > MOST_VERSIONS:
        many = f"There are {len(made):,} kits in it; hand in the one that counts."
        made = [replace(made[0], files={}, problem=many)]
    # What cannot be graded beside what can is no version of it, but something to tell.
    for submission in [one for one in made if not one.problem] or made[:1]:
        told = [f"{one.origin}: {one.problem}" for one in made if one.problem and one is not submission]
        whole = replace(submission, notes=(*submission.notes, *told)[:MOST_NOTES])
        yield from (replace(whole, learner=learner_of(one)) for one in senders)


@dataclass(frozen=True)
class _Place:
    """How far in the walk is: through which folders and archives, and for which exercises these say it is.

    A name that is the learner's own says nothing of exercises, even if one is called the same.
    """

    learner: str
    where: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    archives: int = 0

    def into(self, name: str, archives: int = 0) -> _Place:
        if len(self.where) >= MOST_DEEP:
            raise LeftOut(f"has folders more than {MOST_DEEP} deep")
        return replace(self.saying(name), where=(*self.where, name), archives=self.archives + archives)

    def saying(self, name: str) -> _Place:
        """The same place, with the exercise that a name says it is for."""
        stem = unversioned(name.partition(".")[0])
        is_news = stem in exercises.words() and stem not in self.words
        return replace(self, words=(*self.words, stem)) if is_news and not self._is_own(name) else self

    def _is_own(self, name: str) -> bool:
        return not self.where and self.learner in (name, _without_ending(name))


@dataclass
class _Walk:
    """Through all that one learner handed in, within limits.

    Attributes:
        seen: How many files and folders were met.
        left: How many bytes may still be read.
        notes: Sentences about what was left out on the way.
        others: The names of files that are none of ours.
    """

    seen: int = 0
    left: int = MOST_READ
    notes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def uploads(self, items: list[Item], place: _Place) -> Iterator[Upload]:
        """What was handed in together: a kit, or the loose files of a folder; then each archive and folder.

        Raises:
            LeftOut: There is too much of it.
        """
        items = self._sound(items, place)
        packed = next((one for one in items if one.name == NAME and not one.is_folder), None)
        own = [one for one in items if one.name == kit.NAME and one.is_folder]
        stamp = None if place.archives else self._stamp(items)
        if packed or own:
            files = list(self._files(items if packed else own, place, (".py",)))
            yield Upload(place.where, files, packed, place.words, stamp)
            return
        parts = [one for one in items if one.is_folder and one.name in _packages()]
        loose = [one for one in items if not one.is_folder]
        if files := list(self._files([*loose, *parts], place, _READ)):
            said = place
            for name in [way[-1] for way, _ in files if way[-1].endswith(".ipynb")]:
                said = said.saying(name)
            yield Upload(place.where or files[0][0], files, None, said.words, stamp)
        for one in items:
            if one.is_folder and one.name == kit.LIBRARY.name:
                self._note(one, place, "is the library itself")
            elif one.is_folder and one not in parts:
                yield from self.uploads(self._open(one, place), place.into(one.name))
            elif one.name.lower().endswith((".zip", *_OTHER_ARCHIVES)):
                yield from self._archive(one, place)

    def nothing(self) -> str:
        """That nothing to read was found, and what was there instead."""
        if self.notes:
            return f"Nothing of it can be graded. {' '.join(self.notes[:3])}"
        there = f", only {self.others[0]}" if self.others else ""
        return f"There is no Python file, notebook or zip archive in it{there}; {_SUBMIT}."

    def _sound(self, items: list[Item], place: _Place) -> list[Item]:
        """The items that may be opened; the others are noted."""
        self.seen += len(items)
        if self.seen > MOST_ITEMS:
            raise LeftOut(f"holds more than {MOST_ITEMS:,} files")
        items = _visible(items)
        for one in items:
            if one.fault:
                self._note(one, place, one.fault)
        return [one for one in items if not one.fault]

    def _note(self, one: Item, place: _Place, why: str) -> None:
        if len(self.notes) < MOST_NOTES:
            self.notes.append(f"{shown([*place.where, one.name])} was left out: it {why}.")

    def _open(self, folder: Item, place: _Place) -> list[Item]:
        try:
            return folder.inside()
        except LeftOut as error:
            self._note(folder, place, str(error))
            return []

    def _files(
        self, items: list[Item], place: _Place, endings: tuple[str, ...], way: tuple[str, ...] = ()
    ) -> Iterator[tuple[tuple[str, ...], Item]]:
        """The files with these endings, those of folders too, each with its way there."""
        for one in items:
            if one.is_folder:
                inside = self._sound(self._open(one, place), below := place.into(one.name))
                yield from self._files(inside, below, endings, (*way, one.name))
            elif one.name.lower().endswith(endings):
                yield (*way, one.name), one
            elif len(self.others) < MOST_NOTES and not one.name.lower().endswith((".zip", *_OTHER_ARCHIVES)):
                self.others.append(shown([one.name]))

    def _stamp(self, items: list[Item]) -> datetime | None:
        """When it came, if the system wrote that beside it."""
        for one in items:
            if one.name == TIMESTAMP and not one.is_folder:
                try:
                    return moment(one.read(200).decode("utf-8", "replace"))
                except LeftOut:
                    return None
        return None

    def _archive(self, one: Item, place: _Place) -> Iterator[Upload]:
        """What lies in an archive; one that cannot be read is an upload with a problem."""
        where = (*place.where, one.name)
        try:
            found = list(self.uploads(self._unpacked(one, place), place.into(one.name, archives=1)))
            problem = "" if found else f"{shown([one.name])} holds no Python file and no notebook; {_SUBMIT}."
        except _Closed as error:
            found, problem = [], f"{shown([one.name])} cannot be read: it {error}."
        yield from found or [Upload(where, words=place.words, problem=problem)]

    def _unpacked(self, one: Item, place: _Place) -> list[Item]:
        try:
            if not one.name.lower().endswith(".zip"):
                raise LeftOut(f"is no zip archive; {_SUBMIT}")
            if place.archives >= MOST_ARCHIVES:
                raise LeftOut("is an archive in an archive in an archive")
            data = one.read(min(MOST_READ, self.left))
            self.left -= len(data)
            return in_archive(io.BytesIO(data))
        except LeftOut as error:
            raise _Closed(str(error)) from None


class _Closed(Exception):
    """An archive that cannot be opened: it is refused, and not all that was handed in with it."""
