"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_UNFINISHED = ".writing-"


@contextmanager
def whole_file(path: Path, *, mode: int | None = None, keep: bool = False) -> Iterator[IO[bytes]]:
    """A file to write; nobody sees it before the context ends, nor ever after an error.

    Args:
        path: The file.
        mode: Its permissions; when None those of the file it replaces, or the usual ones.
        keep: Whether a file that somebody else put there meanwhile stays.
    """
    temporary = path.with_name(f"{_UNFINISHED}{secrets.token_hex(8)}")
    descriptor = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is None and path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        if keep:
            _put_if_absent(temporary, path)
        else:
            temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, text: str, *, mode: int | None = None, keep: bool = False) -> None:
    """Writes a text as `whole_file` does."""
    with whole_file(path, mode=mode, keep=keep) as file:
        file.write(text.encode())


def sync_folder(folder: Path) -> None:
    """Sees to it that the names in a folder are on disk, where its file system can do that."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def size_of(path: Path) -> int:
    """Of a file, in bytes; 0 when it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def is_unfinished(path: Path) -> bool:
    """Whether somebody is writing this file just now, or died in the middle of it."""
    return path.name.startswith(_UNFINISHED)


def _put_if_absent(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        temporary.replace(path)
