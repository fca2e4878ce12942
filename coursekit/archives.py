"""Archives unpacked safely: nothing outside the folder, no links, nothing absurdly large, nothing twice.

Whoever made an archive decides what it says; where it may write is decided here, before each member.

>>> from tempfile import TemporaryDirectory
>>> with TemporaryDirectory() as folder:
...     with zipfile.ZipFile(f"{folder}/pets.zip", "w") as made:
...         made.writestr("cat/1.txt", "a cat")
...     unpack(Path(folder, "pets.zip"), Path(folder, "pets"))
...     Path(folder, "pets", "cat", "1.txt").read_text()
'a cat'
"""

from __future__ import annotations

import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

# An archive that unpacks to more than this, or to more files, is not one of ours.
MOST_BYTES, MOST_MEMBERS = 2**31, 200_000
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)


class ArchiveError(ValueError):
    """An archive that is broken, or that should not be unpacked; the message names it and says why."""


@dataclass(frozen=True)
class Member:
    """One thing in an archive: its name, what it is ("file", "folder" or something else), size and bytes."""

    name: str
    kind: str
    size: int
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar archive into a folder, or lay a file of any other kind into it.

    What was written before an error stays: unpack into a folder that is thrown away then.

    Args:
        archive: Its name says what it is: `.zip`, `.tar`, `.tar.gz`, `.tgz`, `.tar.bz2` or `.tar.xz`.
        folder: Where its contents go; it is made if it is not there. Nothing in it is written over.

    Raises:
        ArchiveError: It is broken; or a member would lie outside the folder, is a link or a device, or stands
            twice; or there are more than 200,000 members, or more than 2 GiB when unpacked.
        OSError: The disk is full, or the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not archive.name.lower().endswith((".zip", *TARS)):
        shutil.copyfile(archive, folder / archive.name)
        return
    count = size = 0
    try:
        for member in _members(archive):
            count, size = count + 1, size + member.size
            if size > MOST_BYTES or count > MOST_MEMBERS:
                much = f"{MOST_BYTES / 2**30:g} GiB" if size > MOST_BYTES else f"{MOST_MEMBERS:,} files"
                raise ArchiveError(f"{archive} is not safe: it would unpack to more than {much}.")
            _write(member, folder, archive)
    except BROKEN as error:
        raise ArchiveError(f"{archive} is broken: {str(error) or type(error).__name__}.") from error
    except RuntimeError as error:  # A password is asked for, or it is packed in a way that zipfile lacks.
        raise ArchiveError(f"{archive} cannot be unpacked: {error}.") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise ArchiveError(f"{archive} is broken: {error}.") from error  # gzip and bz2 say so this way.
    if not count:
        raise ArchiveError(f"{archive} is broken: there is nothing in it.")


def _members(archive: Path) -> Iterator[Member]:
    """One after the other, so that nothing is read of a large archive after the first refusal."""
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as files:
            for info in files.infolist():
                # The upper half holds the mode of a Unix file, or nothing.
                kind = {0xA: "link", 0x8: "file", 0x0: "file", 0x4: "folder"}.get(info.external_attr >> 28)
                kind = "folder" if info.is_dir() else kind or "device"
                yield Member(info.filename, kind, info.file_size, partial(files.open, info))
    else:
        with tarfile.open(archive) as parts:
            for part in parts:
                kind = "file" if part.isreg() else "folder" if part.isdir() else "device"
                kind = "link" if part.issym() or part.islnk() else kind
                yield Member(part.name, kind, part.size, partial(parts.extractfile, part))


def _write(member: Member, folder: Path, archive: Path) -> None:
    """One member into its place, which is inside the folder."""
    path = PurePosixPath(member.name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or any(":" in part for part in path.parts):
        raise ArchiveError(f"{archive} is not safe: {member.name!r} would lie outside its folder.")
    if member.kind not in ("file", "folder"):
        raise ArchiveError(f"{archive} is not safe: {member.name!r} is a {member.kind}, not a file.")
    place = folder / path
    try:
        (place if member.kind == "folder" else place.parent).mkdir(parents=True, exist_ok=True)
        if member.kind == "file":
            with place.open("xb") as target, member.open() as source:  # type: ignore[union-attr]
                shutil.copyfileobj(source, target)
    except (FileExistsError, NotADirectoryError) as error:
        raise ArchiveError(f"{archive} is not safe: {member.name!r} stands in it twice.") from error
