"""What lies in a folder or a zip archive, as one tree of items: nothing is unpacked, nothing is followed.

Whoever made a submission decided how large it is, how deep, and what it is called. How much of it is read is
decided here: an item says what is wrong with it before it is opened, and reading stops at the reader's limit.

>>> import io
>>> made = io.BytesIO()
>>> with zipfile.ZipFile(made, "w") as archive:
...     archive.writestr("mykit/metrics.py", "RATE = 1")
...     archive.writestr("../secrets.py", "RATE = 2")
>>> outside, kit = in_archive(made)
>>> kit.name, [item.read(100) for item in kit.inside()], outside.fault
('mykit', [b'RATE = 1'], 'would lie outside its archive')
"""

from __future__ import annotations

import os
import stat
import struct
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

MOST_ITEMS = 2_000  # of one learner: a kit has some dozen files
MOST_DEEP = 12  # folders in folders
# Each entry of an archive's table of contents takes at least 46 bytes, and some 500 once it is read.
MOST_TABLE = 2**20

_KINDS = {
    stat.S_IFLNK: "is a link, and links are not followed",
    stat.S_IFIFO: "is a pipe, not a file",
    stat.S_IFSOCK: "is a socket, not a file",
    stat.S_IFCHR: "is a device, not a file",
    stat.S_IFBLK: "is a device, not a file",
}


class LeftOut(Exception):
    """Something that is not read; the message is the rest of a sentence that begins with "it"."""


@dataclass(frozen=True)
class Item:
    """One thing in a folder or an archive, not opened yet.

    Attributes:
        name: Its own name, without the folders above it; in one spelling for what looks the same.
        fault: Why it must not be opened, as `LeftOut` says it; else "".
        is_folder: Whether it holds other items.
        size: Bytes of a file, as far as it says so itself.
        read: Its bytes, if they are not more than the given number.
        inside: The items of a folder, by name.

    `read` and `inside` raise `LeftOut`.
    """

    name: str
    fault: str = ""
    is_folder: bool = False
    size: int = 0
    read: Callable[[int], bytes] = lambda most: b""
    inside: Callable[[], list[Item]] = list


def spelt(name: str) -> str:
    """A name as it is compared: composed letters, for some systems store them taken apart."""
    return unicodedata.normalize("NFC", name)


def in_folder(folder: Path, most: int = MOST_ITEMS) -> list[Item]:
    """The items of a folder, by name.

    Raises:
        LeftOut: It cannot be opened, or holds more than `most` items.
    """
    found: list[Item] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found.append(item(Path(entry.path), follow=False))
                if len(found) > most:
                    raise LeftOut(f"holds more than {most:,} files")
    except OSError as error:
        raise LeftOut(f"cannot be opened: {error.strerror}") from None
    return sorted(found, key=lambda one: one.name)


def item(path: Path, follow: bool = True) -> Item:
    """One file or folder; a link is followed only where the instructor named it."""
    name = spelt(path.name)
    try:
        about = path.stat(follow_symlinks=follow)
    except (OSError, ValueError) as error:
        return Item(name, f"cannot be opened: {getattr(error, 'strerror', '') or error}")
    if stat.S_ISDIR(about.st_mode):
        return Item(name, is_folder=True, inside=partial(in_folder, path))
    fault = _KINDS.get(stat.S_IFMT(about.st_mode), "")
    return Item(name, fault, size=about.st_size, read=partial(_read_file, path))


def _read_file(path: Path, most: int) -> bytes:
    # Since it was looked at it may have become a link or a pipe, which would be followed or waited for.
    flags = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    try:
        with open(os.open(path, flags), "rb") as stream:
            about = os.fstat(stream.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise LeftOut("is no ordinary file")
            _refuse_larger(about.st_size, most)
            data = stream.read(min(most, about.st_size) + 1)
    except OSError as error:
        raise LeftOut(f"cannot be opened: {error.strerror}") from None
    _refuse_larger(len(data), most)
    return data


def _refuse_larger(size: int, most: int) -> None:
    if size > most:
        said = f"{most / 2**20:g} MiB" if most >= 2**20 else f"{most:,} bytes"
        raise LeftOut(f"is larger than {said}")


def in_archive(file: BinaryIO, most_table: int = MOST_TABLE) -> list[Item]:
    """The items at the top of a zip archive, by name; its file has to stay open while they are read.

    Args:
        file: The archive.
        most_table: How many bytes its table of contents may take.

    Raises:
        LeftOut: It is broken, split, made to fool its reader, or holds too many files.
    """
    bounded = _Bounded(file, most_table)
    try:
        archive = zipfile.ZipFile(bounded)
        members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
        raise LeftOut("is no zip archive that can be read, or only a part of one") from None
    bounded.most = sys.maxsize
    _refuse_overlaps(members)
    tree: _Tree = {}
    for member in members:
        _plant(tree, member, archive)
    return _items(tree)


_Tree = dict[str, "Item | _Tree"]


class _Bounded:
    """A file of which at most so many bytes are read at once: an archive's table of contents is."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self.most, self.size = most, file.seek(0, os.SEEK_END)
        self.file, self.seek, self.tell, self.close = file, file.seek, file.tell, file.close
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        left = self.size - self.file.tell()
        if (min(size, left) if size >= 0 else left) > self.most:
            raise LeftOut(f"holds more than {MOST_ITEMS:,} files")
        return self.file.read(size)


def _refuse_overlaps(members: list[zipfile.ZipInfo]) -> None:
    """No two members may be made of the same bytes: that is how a small archive becomes an endless one."""
    free = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < free:
            raise LeftOut("is made to fool its reader: several of its files are the same bytes")
        free = member.header_offset + 30 + member.compress_size


def _plant(tree: _Tree, member: zipfile.ZipInfo, archive: zipfile.ZipFile) -> None:
    """Put a member into its place in the tree, or at its top if it has no place."""
    name = _name(member)
    parts = [spelt(part) for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    fault = _fault(member, name, parts)
    if fault or not parts:
        tree[name] = Item(name, fault or "has no name")
        return
    for part in parts[:-1]:
        below = tree.setdefault(part, {})
        if not isinstance(below, dict):
            tree[part] = Item(part, "stands in its archive twice")
            return
        tree = below
    if member.is_dir():
        tree.setdefault(parts[-1], {})
    elif parts[-1] in tree:
        tree[parts[-1]] = Item(parts[-1], "stands in its archive twice")
    else:
        read = partial(_read_member, archive, member)
        tree[parts[-1]] = Item(parts[-1], size=member.file_size, read=read)


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name; many write UTF-8 without saying so, and then it is read as a code page of 1981."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _fault(member: zipfile.ZipInfo, name: str, parts: list[str]) -> str:
    kind = member.external_attr >> 16
    if name.startswith(("/", "\\")) or ".." in parts or any(":" in part for part in parts):
        return "would lie outside its archive"
    if "\0" in member.orig_filename:
        return "has a NUL byte in its name"
    if len(parts) > MOST_DEEP:
        return f"lies more than {MOST_DEEP} folders deep"
    if member.flag_bits & 0x1:
        return "is locked with a password"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that is not read here"
    return _KINDS.get(stat.S_IFMT(kind), "")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    """A member's bytes: never more than it said it has, and those must have its checksum."""
    _refuse_larger(member.file_size, most)
    try:
        with archive.open(member) as stream:
            return stream.read(member.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, struct.error):
        raise LeftOut("is damaged, or not as large as its archive says") from None


def _items(tree: _Tree) -> list[Item]:
    items: Iterable[Item] = (
        Item(name, is_folder=True, inside=partial(_items, below)) if isinstance(below, dict) else below
        for name, below in tree.items()
    )
    return sorted(items, key=lambda one: one.name)
