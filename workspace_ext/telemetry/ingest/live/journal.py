"""The journal: numbered files that deliveries are appended to before anybody is told of success.

A file is a magic line and frames: length and CRC-32 of the content, four bytes each,
little-endian, then the content. Only the last frames of the last file can be torn, by a crash
before their sync; nobody was told of them.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workspace_ext.storage.failures import explain
from workspace_ext.storage.files import sync_folder

_log = logging.getLogger(__name__)

_MAGIC = b"investigation journal 2\n"
_HEAD = struct.Struct("<II")
_SUFFIX = ".journal"


@dataclass(frozen=True)
class Scan:
    """What was found in a file.

    Attributes:
        contents: Of the frames that are whole.
        end: Where the last frame ends; of a file of another form, where the file does.
        lost: Whether something that had been synced is unreadable, which no crash explains.
    """

    contents: list[bytes]
    end: int
    lost: bool


class Journal:
    """Appends to one file after another. One thread at a time may use it.

    Args:
        folder: Where the files lie; only this journal's.
        first: The number of the next file, higher than that of any file before.
    """

    def __init__(self, folder: Path, first: int) -> None:
        self._folder = folder
        self.number = first
        self._file: int | None = None
        self._end = 0

    def append(self, contents: Sequence[bytes]) -> None:
        """Writes all contents and syncs once; when this returns they are on disk.

        Raises:
            Unavailable: They cannot be kept, for want of space for instance; then none of them is.
        """
        path = file_of(self._folder, self.number)
        frames = [part for content in contents for part in (_head(content), content)]
        try:
            file = self._open(path)
            _write_all(file, frames)
            os.fdatasync(file)
        except OSError as error:
            self._undo()
            raise explain(error, path) from error
        self._end += sum(map(len, frames))

    def rotate(self) -> None:
        """Ends the file, if one was begun; the next append begins another."""
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)
            self.number += 1

    def _open(self, path: Path) -> int:
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            self._file = os.open(path, flags, 0o600)
            self._end = 0
            _write_all(self._file, [_MAGIC])
            self._end = len(_MAGIC)
            sync_folder(self._folder)
        return self._file

    def _undo(self) -> None:
        """Cuts off what lies beyond the last sync, of which nothing is known after a failure.

        And ends the file, so that nothing is ever appended after what may be torn.
        """
        if self._file is not None:
            with suppress(OSError):
                os.ftruncate(self._file, self._end)
                os.fdatasync(self._file)
            self.rotate()


def files(folder: Path) -> list[tuple[int, Path]]:
    """The journal's files by number, oldest first."""
    found = [(path.stem, path) for path in folder.glob(f"*{_SUFFIX}")]
    return sorted((int(stem), path) for stem, path in found if stem.isdigit())


def file_of(folder: Path, number: int) -> Path:
    """The place of a file."""
    return folder / f"{number:012d}{_SUFFIX}"


def trim(path: Path) -> None:
    """Cuts off what a crash tore at the end of the newest file; nobody was told that it is there.

    Raises:
        OSError: It cannot be written.
    """
    torn = path.stat().st_size - scan(path).end
    if torn > 0:
        _log.warning("%s: its last %s bytes had not been confirmed, and are torn", path, torn)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - torn)
            os.fsync(file.fileno())


def scan(path: Path) -> Scan:
    """Reads a file.

    Raises:
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    if _MAGIC.startswith(data) and data != _MAGIC:  # a crash came while it was begun
        return Scan([], 0, lost=False)
    if not data.startswith(_MAGIC):
        return Scan([], len(data), lost=True)
    contents: list[bytes] = []
    at = end = len(_MAGIC)  # end: behind the last whole frame
    while at + _HEAD.size <= len(data):
        size, checksum = _HEAD.unpack_from(data, at)
        content = data[at + _HEAD.size : at + _HEAD.size + size]
        if not size or len(content) < size:
            break
        at += _HEAD.size + size
        if zlib.crc32(content) == checksum:
            contents.append(content)
            end = at
    whole = sum(map(len, contents)) + len(contents) * _HEAD.size + len(_MAGIC)
    return Scan(contents, end, lost=whole < len(data))


def drop(folder: Path, upto: int) -> None:
    """Deletes the files up to a number: what they hold is in the store."""
    for number, path in files(folder):
        if number <= upto:
            with suppress(OSError):  # the next start deletes it
                path.unlink(missing_ok=True)


def set_aside(path: Path) -> None:
    """Keeps a file that is damaged for whoever can tell more of it."""
    aside = path.with_suffix(".damaged")
    path.replace(aside)
    _log.error(
        "%s: what could be read is in the store, the rest is not; kept as %s",
        path,
        aside.name,
    )


def _head(content: bytes) -> bytes:
    return _HEAD.pack(len(content), zlib.crc32(content))


def _write_all(file: int, parts: Sequence[bytes]) -> None:
    view = memoryview(b"".join(parts))
    while view:
        view = view[os.write(file, view) :]
