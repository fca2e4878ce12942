"""Look at a folder of photos before anything is learned: which kinds there are, and what is wrong with it.

What can be said is said in sentences for people who do not program; what cannot serve is left out by name,
with the reason, and never touched.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..files import FAMILIES, readable, walk
from ..samples import list_some
from ..splitters import HELD_OUT
from .changes import COPY, LONELY, UNREADABLE
from .thumbnails import shrunk

LEARNED = {"train", "training"}
# Fewer photos of a kind than these say little; a kind that many times as frequent hides the others.
FEW, LOPSIDED = 10, 5
HEIC = {".heic", ".heif"}
ADVICE = "Make a folder for each kind, named after the kind, and put the photos of that kind into it."


class UnfitError(ValueError):
    """A folder that nothing can be learned from; the message says why, and what would help."""


@dataclass(frozen=True)
class Note:
    """Something that was noticed: of weight "warn" if it may spoil the result, else "note"."""

    text: str
    weight: str = "note"


@dataclass
class Survey:
    """What there is in a folder.

    Attributes:
        folder: Where the folders of the kinds lie: the one that was given, or the only one in it.
        labels: The kind of each photo that may serve, by its file.
        arrangement: What says the kind: "last", the folder a photo lies in; "first", the first folder below;
            "sides", likewise the folder it lies in, with one such as `train` or `test` above it.
        may_choose: Whether the other one of "first" and "last" would give other kinds.
        sides: For "sides", the names of the folders that are held out and of those that are learned from.
        beside: How many photos lie beside the folders of the kinds, and so are of none.
        left_out: Why a photo is left out, by its file.
        small: Each photo as a small JPEG, by its file.
        notes: What else was noticed.
    """

    folder: Path
    labels: dict[str, str]
    arrangement: str = "last"
    may_choose: bool = False
    sides: tuple[list[str], list[str]] = ((), ())  # type: ignore[assignment]
    beside: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    small: dict[str, bytes] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many photos of each kind will serve, the largest kind first."""
        return dict(Counter(self.serving().values()).most_common())

    def serving(self) -> dict[str, str]:
        """The kind of each photo that will serve, by its file."""
        return {file: label for file, label in self.labels.items() if file not in self.left_out}

    def alone(self) -> bool:
        """Whether a kind has a single photo, which cannot be split."""
        return 1 in Counter(self.labels.values()).values()


def survey(
    folder: str | os.PathLike[str],
    arrangement: str = "",
    tell: Callable[[int, int], Any] = lambda done, count: None,
) -> Survey:
    """Look at every photo of a folder.

    Args:
        folder: One that holds a folder for each kind of photo.
        arrangement: What says the kind, if it was chosen; see `Survey`.
        tell: Is called with how many photos were looked at, and how many there are.

    Raises:
        UnfitError: Nothing can be learned from it.

    >>> survey("no such folder")
    Traceback (most recent call last):
    coursekit.workshop.surveys.UnfitError: There is no folder 'no such folder'.
    """
    top = named_folder(folder)
    every = sorted(walk(top), key=lambda file: file.parts)
    photos = [file for file in every if file.name.lower().endswith(FAMILIES["photos"])]
    others = Counter(file.suffix.lower() or "without an ending" for file in every if file not in set(photos))
    if not photos:
        raise UnfitError(describe_none(top, others))
    top = innermost(top, photos)
    found = arranged(top, photos, arrangement)
    demand_kinds(found)
    sizes = look(found, tell)
    leave_out_copies(found)
    leave_out_lonely(found)
    if len(found.counts()) < 2:
        raise UnfitError(describe_lost(found))
    found.notes += [
        *notes_on_files(found, top != named_folder(folder), others),
        *notes_on_kinds(found, sizes),
    ]
    return found


def named_folder(folder: str | os.PathLike[str]) -> Path:
    """The folder that somebody named, perhaps with quotes around it or a space behind."""
    said = os.fspath(folder).strip().strip("'\"").removeprefix("file://")
    place = Path(said or ".").expanduser()
    if place.is_dir():
        return place.resolve()
    if place.exists():
        unpack = (
            " Unpack it first, and choose the folder that comes out."
            if place.suffix in (".zip", ".gz")
            else ""
        )
        raise UnfitError(f"{place.name} is a file, and a folder of photos is needed.{unpack}")
    there = next((parent for parent in place.absolute().parents if parent.is_dir()), None)
    hint = (
        f" There is {str(there)!r}: go there and choose from what it holds."
        if place.is_absolute() and there
        else ""
    )
    raise UnfitError(f"There is no folder {str(place)!r}.{hint}")


def describe_none(top: Path, others: Counter) -> str:
    """Say that a folder holds no photo, and what it holds instead."""
    if not others:
        return f"{top.name} is empty. {ADVICE}"
    held = list_some([f"{count} {ending}" for ending, count in others.most_common()])
    said = (
        f"{top.name} holds no photo that can be read here (.jpg, .png, .webp and the like). It holds {held}."
    )
    if has_heic(others):
        said += " Photos ending in .heic come from an iPhone: export them as JPEG, or set its camera to "
        said += "“Most Compatible”."
    return said


def innermost(top: Path, photos: Sequence[Path]) -> Path:
    """The folder that parts photos: what holds nothing but one folder of folders is only a wrapping."""
    while True:
        below = {file.relative_to(top).parts[0] for file in photos}
        if len(below) != 1 or any(file.parent in (top, top / min(below)) for file in photos):
            return top
        top = top / below.pop()


def arranged(top: Path, photos: Sequence[Path], wanted: str) -> Survey:
    """Give each photo its kind, by the folders it lies in."""
    inside = [file for file in photos if file.parent != top]
    firsts = {file: file.relative_to(top).parts[0] for file in inside}
    names = sorted(set(firsts.values()))
    held = [name for name in names if name.lower() in HELD_OUT]
    learned = [name for name in names if name.lower() in LEARNED]
    deeper = any(len(file.relative_to(top).parts) > 2 for file in inside)
    if held and learned and len(held) + len(learned) == len(names) and deeper:
        arrangement, may_choose, inside = "sides", False, [f for f in inside if f.parent != top / firsts[f]]
    else:
        may_choose = deeper and len(names) > 1
        arrangement = (wanted or "first") if may_choose else "last"
    kind = firsts.__getitem__ if arrangement == "first" else lambda file: file.parent.name
    labels = {str(file): readable(kind(file)) for file in inside}
    sides = (held, learned) if arrangement == "sides" else ([], [])
    return Survey(top, labels, arrangement, may_choose, sides, beside=len(photos) - len(inside))


def demand_kinds(found: Survey) -> None:
    """Raise UnfitError where there are no two kinds to tell apart."""
    kinds, name = sorted(set(found.labels.values())), found.folder.name
    if not kinds:
        photos = f"All {found.beside} photos lie" if found.beside > 1 else "The only photo lies"
        raise UnfitError(
            f"{photos} directly in {name}, so nothing says what is on them. {ADVICE} For example: "
            f"{name}/ripe and {name}/raw."
        )
    if len(kinds) == 1:
        raise UnfitError(
            f"All photos ({len(found.labels)}) are of one kind, {kinds[0]!r}, and a model learns to tell "
            "kinds apart. Add a folder with photos of another kind beside it"
            + (
                f"; {found.beside} photos lie beside that folder, and nothing says what they are."
                if found.beside
                else "."
            )
        )


def look(found: Survey, tell: Callable[[int, int], Any]) -> dict[str, tuple[int, int]]:
    """Make every photo small; the sizes they had. Those that cannot be read are left out."""
    files, sizes = list(found.labels), {}
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for done, (file, (small, about)) in enumerate(zip(files, pool.map(shrunk, files), strict=True), 1):
            if small:
                found.small[file], sizes[file] = small, about
            else:
                found.left_out[file] = f"{UNREADABLE}: {about}"
            tell(done, len(files))
    return sizes


def leave_out_copies(found: Survey) -> None:
    """Leave out files that hold, to the byte, what another one holds; else one may be on both sides."""
    by_size: dict[int, list[str]] = {}
    for file in found.small:
        by_size.setdefault(os.path.getsize(file), []).append(file)
    first: dict[str, str] = {}
    for file in [file for files in by_size.values() if len(files) > 1 for file in files]:
        with open(file, "rb") as opened:
            same = first.setdefault(hashlib.file_digest(opened, "sha256").hexdigest(), file)
        if same != file:
            other = found.labels[same] != found.labels[file]
            kind = f", which lies in {found.labels[same]!r}" if other else ""
            found.left_out[file] = f"{COPY} {Path(same).name}{kind}"


def leave_out_lonely(found: Survey) -> None:
    """Leave out what is left of a kind if that is a single photo."""
    lonely = {kind for kind, count in found.counts().items() if count == 1}
    for file, label in found.labels.items():
        if label in lonely and file not in found.left_out:
            found.left_out[file] = f"{LONELY} {label!r}, and one is learned from while another is held out"


def describe_lost(found: Survey) -> str:
    """Say that too little is left, and of what."""
    kinds = list_some([f"{kind!r} has {count}" for kind, count in Counter(found.labels.values()).items()])
    reasons = Counter(
        why.partition(":")[0].partition(",")[0].replace("it ", "", 1) for why in found.left_out.values()
    )
    lost = list_some([f"{count} because it {why}" for why, count in reasons.items()])
    return (
        f"At least two kinds with two photos each are needed, better thirty each: {kinds}, and "
        f"{len(found.left_out)} of {len(found.labels)} photos cannot serve ({lost})."
    )


def photos(count: int) -> str:
    """So many photos, in words.

    >>> photos(1), photos(3)
    ('1 photo', '3 photos')
    """
    return f"{count} photo{'s' * (count != 1)}"


def notes_on_files(found: Survey, is_inner: bool, others: Counter) -> list[Note]:
    """What is to be said about files and folders."""
    notes = []
    if is_inner:
        notes.append(Note(f"All photos lie in {str(found.folder)!r}, so that folder was taken."))
    if found.arrangement == "sides":
        held, learned = (list_some(names) for names in found.sides)
        notes.append(Note(f"The folders say what is held out: {held}. Learned from is {learned}."))
    if found.beside:
        beside = f"Beside the folders of the kinds: {photos(found.beside)}. Nothing says what is on them, so "
        notes.append(Note(f"{beside}they are passed over.", "warn"))
    if others:
        held = list_some([f"{count} {ending}" for ending, count in others.most_common()])
        heic = "Of these, .heic are photos of an iPhone: export them as JPEG to use them." * has_heic(others)
        notes.append(Note(f"Other files are passed over: {held}. {heic}".strip(), "warn" if heic else "note"))
    if found.left_out:
        many = photos(len(found.left_out))
        notes.append(Note(f"Left out: {many}, listed below with the reason. The files stay.", "warn"))
    return notes


def has_heic(others: Counter) -> bool:
    """Whether there are photos of a kind that only telephones read."""
    return bool(HEIC & set(others))


def notes_on_kinds(found: Survey, sizes: dict[str, tuple[int, int]]) -> list[Note]:
    """What is to be said about the kinds and the photos of each."""
    counts, notes = found.counts(), []
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if counts[least] < FEW:
        few = list_some([f"{kind} ({count})" for kind, count in counts.items() if count < FEW])
        said = (
            f"Few photos: {few}. What is measured on so few says little; thirty of each kind are a beginning."
        )
        notes.append(Note(said, "warn"))
    if counts[most] >= LOPSIDED * counts[least]:
        share = counts[most] / sum(counts.values())
        said = f"{most} is on {share:.0%} of the photos: who always says {most} is right that often."
        notes.append(Note(f"{said} Compare with it.", "warn"))
    if has_own_sizes(found, sizes):
        said = "Each kind has photos of a size of its own. Were they taken with different cameras?"
        notes.append(Note(f"{said} The model may learn the camera.", "warn"))
    return notes


def has_own_sizes(found: Survey, sizes: dict[str, tuple[int, int]]) -> bool:
    """Whether the size of a photo tells its kind."""
    shapes: dict[str, set[tuple[int, int]]] = {}
    for file, size in sizes.items():
        shapes.setdefault(found.labels[file], set()).add(size)
    return sum(map(len, shapes.values())) == len(shapes) == len(set().union(*shapes.values()))
