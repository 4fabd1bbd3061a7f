"""The spool: events on their way to the broker, kept on disk until it has them.

A spool is one append-only file of JSON lines, and beside it how many bytes of that file are
done with. Events leave in the order they came. After a crash in the wrong moment some are sent
again; the broker knows them by their ids. Each spool has one owner, who holds its lock; what a
dead owner left behind is taken over by the next one who opens a spool in the same folder.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from workspace_ext.foundation.errors import Unavailable
from workspace_ext.foundation.ids import new_id
from workspace_ext.protocol.messages import EventIn

COMPACT_BYTES = 1 << 20
"""An emptied file larger than this starts anew."""


class Entry(NamedTuple):
    """One event and the investigation it belongs to."""

    investigation: str
    event: EventIn
    size: int  # of its line, in bytes


class Spool:
    """Events that wait for the broker. Safe to share between threads.

    Args:
        folder: Where spools live; made when it is not there.

    Raises:
        Unavailable: The folder or a file in it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[Entry] = deque()
        self._done = 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path = folder / f"{new_id()}.jsonl"
            self._lock = _lock(self._path)
            self._lock.acquire(blocking=False)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            for left in sorted(folder.glob("*.jsonl")):
                if left != self._path:
                    self._take_over(left)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._waiting)

    def append(self, investigation: str, events: Sequence[EventIn]) -> None:
        """Adds events at the end.

        They wait in memory even when the disk refuses them, so that only a crash loses them.

        Raises:
            Unavailable: The disk refused.
        """
        lines = [_line(investigation, event) for event in events]
        with self._guard:
            before = os.fstat(self._file).st_size
            kept = False
            try:
                _write(self._file, b"".join(lines))
                kept = True
            except OSError as error:
                os.ftruncate(self._file, before)
                raise _unwritable(self._path, error) from error
            finally:
                for line, event in zip(lines, events, strict=True):
                    self._waiting.append(Entry(investigation, event, len(line) if kept else 0))

    def oldest(self, limit: int) -> list[Entry]:
        """The oldest events that wait, all of one investigation; they go on waiting."""
        with self._guard:
            if not self._waiting:
                return []
            first = self._waiting[0].investigation
            same = takewhile(lambda entry: entry.investigation == first, self._waiting)
            return list(islice(same, limit))

    def done(self, count: int) -> None:
        """The oldest ``count`` events need to wait no longer.

        Raises:
            Unavailable: The disk refused to note it; they may be sent again after a crash.
        """
        with self._guard:
            for _ in range(count):
                self._done += self._waiting.popleft().size
            try:
                if not self._waiting and self._done > COMPACT_BYTES:
                    self._start_anew()
                else:
                    _note(self._path, self._done)
            except OSError as error:
                raise _unwritable(self._path, error) from error

    def close(self) -> None:
        """Lets go of the files, and removes them when nothing waits."""
        with self._guard:
            os.close(self._file)
            if not self._waiting:
                _remove(self._path)
            self._lock.release()
            if not self._waiting:
                _lock_path(self._path).unlink(missing_ok=True)

    def _start_anew(self) -> None:
        # In this order: dying between the two steps repeats events, never skips any.
        _note(self._path, 0)
        os.truncate(self._path, 0)
        self._done = 0

    def _take_over(self, left: Path) -> None:
        lock = _lock(left)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return  # its owner lives
        try:
            for entry in _read(left):
                self._waiting.append(entry)
                _write(self._file, _line(entry.investigation, entry.event))
            _remove(left)
        finally:
            lock.release()
        _lock_path(left).unlink(missing_ok=True)


def _line(investigation: str, event: EventIn) -> bytes:
    entry = {"investigation": investigation, "event": event}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _read(path: Path) -> list[Entry]:
    """What waits in a file; a line that its writer did not finish says nothing."""
    if not path.exists():
        return []  # another owner took it over a moment ago
    noted = _noted(path)
    start = int(noted.read_text() or 0) if noted.exists() else 0
    entries = []
    for line in path.read_bytes()[start:].splitlines():
        try:
            entry = json.loads(line)
            entries.append(Entry(entry["investigation"], entry["event"], len(line) + 1))
        except (ValueError, KeyError, TypeError):
            continue
    return entries


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]


def _note(path: Path, done: int) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(str(done))
    fresh.replace(_noted(path))


def _noted(path: Path) -> Path:
    return path.with_suffix(".done")


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _lock(path: Path) -> FileLock:
    return FileLock(_lock_path(path), mode=0o600)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _noted(path).unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"captured events cannot be kept in {path}: {error.strerror or error}",
        hint="make room on the disk or set JUPYTER_DATA_DIR to a folder that can be written",
        code="spool_unwritable",
    )
