"""How commands write files."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from workspace_ext.foundation.errors import Unavailable


def require_writable(path: Path) -> None:
    """Looks whether a file can be written, before the long work that it is about.

    Raises:
        Unavailable: It could not be written then.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.close(folder)
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that is there whole in the end, or not at all.

    Raises:
        Unavailable: It cannot be written.
    """
    from workspace_ext.storage import files

    try:
        with files.whole_file(path) as file:
            yield file
    except OSError as error:
        raise _unwritable(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Writes a text whole, in folders that are made for it.

    Raises:
        Unavailable: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error
    with whole_file(path) as file:
        file.write(text.encode())


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"cannot write {path}: {error.strerror or error}", hint="choose another place"
    )
