"""How commands write files."""

from __future__ import annotations

from pathlib import Path

from workspace_ext.foundation.errors import Unavailable


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole or not at all.

    Raises:
        Unavailable: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Unavailable(
            f"cannot write {path}: {error.strerror}", hint="choose another file with -o"
        ) from error
