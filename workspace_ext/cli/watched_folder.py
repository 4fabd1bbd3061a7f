"""What comes to lie in a folder: files, told of once they have settled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

Signature = tuple[tuple[int, int, int], ...]
"""Inode, size in bytes and time of change in nanoseconds, of a file and of its mapping."""

_UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".swp", "~")
_MAPPING = ".mapping.yaml"
_LOOKS_TOLD = 15


class FolderWatch:
    """Looks at a folder and all below it. Hidden and unfinished files, and mappings, are no data.

    A file has settled when two looks, one after the other, find it the same. One that changes after
    it was taken is taken again.

    Args:
        folder: Where to look.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[Path, Signature] = {}
        self._done: dict[Path, Signature] = {}
        self._unsettled: dict[Path, int] = {}

    def look(self) -> list[Path]:
        """What has settled and was not taken since it changed; by name."""
        found = {path: _signature(path) for path in self._files()}
        settled = [
            path
            for path, signature in found.items()
            if signature and self._seen.get(path) == signature != self._done.get(path)
        ]
        self._unsettled = {
            path: self._unsettled.get(path, 0) + 1
            for path, signature in found.items()
            if self._seen.get(path) not in (None, signature)
        }
        self._seen = found
        self._done = {path: self._done[path] for path in found if path in self._done}
        return sorted(settled)

    def done(self, path: Path) -> None:
        """It is taken, or cannot be, until it changes."""
        self._done[path] = self._seen[path]

    def restless(self) -> list[Path]:
        """Files that have changed at each of many looks now; each is told once in so many."""
        return [path for path, looks in self._unsettled.items() if looks == _LOOKS_TOLD]

    def _files(self) -> Iterator[Path]:
        for where, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if not name.startswith(".") and not name.endswith((*_UNFINISHED, _MAPPING)):
                    yield Path(where, name)


def _signature(path: Path) -> Signature:
    """Empty when it is no file that can be looked at, or when it has nothing in it yet."""
    try:
        own = path.stat()
        if not path.is_file() or not own.st_size:
            return ()
        made = [(own.st_ino, own.st_size, own.st_mtime_ns)]
    except OSError:
        return ()
    try:
        beside = path.with_name(f"{path.name.split('.')[0]}{_MAPPING}").stat()
        made.append((beside.st_ino, beside.st_size, beside.st_mtime_ns))
    except OSError:
        pass
    return tuple(made)
