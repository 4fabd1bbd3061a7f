"""How commands write files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from workspace_ext.foundation.errors import Unavailable


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
