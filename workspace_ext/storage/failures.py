"""What a database or a file system says when it fails, in words a user can act on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from workspace_ext.foundation.errors import (
    Conflict,
    Damaged,
    InvestigationError,
    LimitExceeded,
    Unavailable,
)
from workspace_ext.foundation.permissions import not_permitted

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FULL_TEXTS = ("no space left", "disk full", "disk is full", "file too large", "disk quota")
_LOCKED_TEXTS = ("could not set lock", "database is locked", "conflicting lock")
_MEMORY_TEXTS = ("out of memory", "failed to allocate", "max_temp_directory_size")
_DAMAGED_TEXTS = (
    "not a valid duckdb database",
    "not a database",
    "malformed",
    "corrupt",
    "checksum",
    "failed to deserialize",
    "serialization",
    "replaying wal",
    "could not read enough bytes",
    "internal error",
)


def disk_full(path: Path) -> Unavailable:
    """The error for a disk, quota or file size that has run out."""
    return Unavailable(
        f"no space left to write {path}",
        hint="free some disk space and try again; nothing was half written",
        code="disk_full",
    )


def damaged(path: Path, why: str) -> Damaged:
    """The error for a database file that is not what was written."""
    return Damaged(
        f"{path} is damaged: {why}",
        hint="restore the folder from a backup, or move the file away and ingest again",
        code="store_damaged",
    )


def explain(error: BaseException, path: Path) -> InvestigationError:
    """An error of a driver or of the file system as one of ours.

    Args:
        error: What was raised; one of ours comes back as it is.
        path: The file that was worked on.
    """
    if isinstance(error, InvestigationError):
        return error
    text = _said(error, path)
    low = str(error).lower()
    if (isinstance(error, OSError) and error.errno in _FULL) or _any(_FULL_TEXTS, low):
        return disk_full(path)
    if isinstance(error, MemoryError) or _any(_MEMORY_TEXTS, low):
        return _used_up("memory", text)
    if _any(_LOCKED_TEXTS, low):
        return Conflict(
            f"{path} is open in another process",
            hint="stop that process, or use its broker",
            code="store_held",
        )
    if _any(_DAMAGED_TEXTS, low):
        return damaged(path, text)
    return _unusable(error, path, text)


def _unusable(error: BaseException, path: Path, text: str) -> Unavailable:
    if isinstance(error, PermissionError):
        return not_permitted(Path(error.filename or path))
    if not isinstance(error, OSError) and path.exists() and not os.access(path, os.R_OK | os.W_OK):
        return not_permitted(path)  # a driver's own words do not always say so
    return Unavailable(
        f"{path} cannot be used: {text}",
        hint="check that the folder exists and may be read and written",
        code="store_unavailable",
    )


def _used_up(what: str, text: str) -> LimitExceeded:
    return LimitExceeded(
        f"{what} ran out: {text}",
        hint="ask for less at once: a narrower time window, or a smaller file",
        code=f"{what}_limit",
    )


def _any(needles: tuple[str, ...], text: str) -> bool:
    return any(needle in text for needle in needles)


def _said(error: BaseException, path: Path) -> str:
    """The first line of what it said, without the file's name, which is told already."""
    lines = str(error).strip().splitlines()
    said = lines[0] if lines else type(error).__name__
    said = said.removeprefix("IO Error: ").replace(f'The file "{path}" exists, but ', "")
    return said.rstrip("!")[:300]
