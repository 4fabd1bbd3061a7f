"""Files that a cell reads beside the telemetry: known by their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from workspace_ext.foundation.canonical import PREFIX
from workspace_ext.foundation.errors import BadInput, NotFound


def digest_file(path: Path) -> tuple[int, str]:
    """A file's size in bytes and its SHA-256.

    Raises:
        NotFound: There is no such file.
        BadInput: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no file {path}", hint="paths begin at the notebook's folder"
        ) from error
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}", hint="give a file", code="unreadable"
        ) from error
    return size, f"{PREFIX}{digest}"
