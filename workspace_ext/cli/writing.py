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
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise Unavailable(
            f"cannot write {path}: {error.strerror or error}", hint="choose another file with -o"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
