"""The bytes of a file: their digest, and reading them whether compressed or not."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from workspace_ext.foundation.canonical import PREFIX
from workspace_ext.foundation.errors import BadInput, NotFound

_GZIP = b"\x1f\x8b"


def check_readable(path: Path, name: str) -> None:
    """Raises when a path is no file that can be read.

    Raises:
        NotFound: There is no such file.
        BadInput: It is a folder, or may not be read.
    """
    if path.is_dir():
        raise BadInput(f"{name} is a folder", hint="name the files in it", code="unreadable_file")
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise NotFound(f"no file {name}", hint="check the path", code="no_file") from None
    except OSError as error:
        raise BadInput(
            f"{name} cannot be read: {error.strerror or error}",
            hint="check the permissions of the file",
            code="unreadable_file",
        ) from error


def digest_file(path: Path) -> str:
    """The digest of a file's bytes."""
    with path.open("rb") as file:
        return PREFIX + hashlib.file_digest(file, "sha256").hexdigest()


class Opened:
    """A file to be read, decompressed when it is gzip; `position` is for progress.

    Leaving it by an error of reading, as broken compression gives, raises `BadInput`.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._name = name
        self._file = path.open("rb")
        compressed = self._file.read(2) == _GZIP
        self._file.seek(0)
        self.stream: IO[bytes] = (
            cast("IO[bytes]", gzip.GzipFile(fileobj=self._file)) if compressed else self._file
        )

    def position(self) -> int:
        """How many bytes of the file itself have been read."""
        return self._file.tell()

    def __enter__(self) -> Opened:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stream.close()
        self._file.close()
        if isinstance(error, (OSError, EOFError, zlib.error)):
            raise unreadable(self._name, str(error)) from error


def unreadable(name: str, why: str) -> BadInput:
    """The error for a file that is not whole."""
    return BadInput(
        f"{name} cannot be read: {why.splitlines()[0][:200]}",
        hint="check that the file is whole",
        code="unreadable_file",
    )


def opening_bytes(path: Path, name: str, count: int) -> bytes:
    """The first bytes of the content; fewer when it is shorter.

    Raises:
        BadInput: Its compression is broken.
    """
    with Opened(path, name) as opened:
        return opened.stream.read(count)
