"""The spool: events on their way to the broker, kept on disk until it has them.

A spool is one append-only file of JSON lines, and beside it how many bytes of that file are
done with. Events leave in the order they came. After a crash in the wrong moment some are sent
again; the broker knows them by their ids. Each spool has one owner, who holds its lock; what a
dead owner left behind is taken over by the next one who opens a spool in the same folder, who also
says that the runs which the dead one did not see the end of are over.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import NamedTuple, TypeVar

from filelock import FileLock, Timeout

from workspace_ext.foundation.errors import Unavailable
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.capture.runs import cut_short
from workspace_ext.protocol.messages import EventIn

T = TypeVar("T")

COMPACT_BYTES = 1 << 20
"""An emptied file larger than this starts anew."""


class Entry(NamedTuple):
    """One event and the investigation it belongs to."""

    investigation: str
    event: EventIn
    size: int  # of its line, in bytes; 0 while it is not on disk


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
        self._unkept = 0  # how many of them, the last ones, are not on disk
        self._running: dict[str, bytes] = {}  # the lines of runs without an end
        self._unwritten: dict[str, bytes] = {}  # the same, of those begun while the disk was full
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

        They wait in memory even when the disk refuses them, so that only a crash loses them, and go
        to the disk with the next ones that it takes.

        Raises:
            Unavailable: The disk refused.
        """
        if not events:
            return
        with self._guard:
            fresh = [Entry(investigation, event, 0) for event in events]
            late = [self._waiting.pop() for _ in range(self._unkept)][::-1] + fresh
            lines = [_line(entry) for entry in late]
            lines[0] = b"".join([*self._unwritten.values(), lines[0]])
            before = os.fstat(self._file).st_size
            try:
                _write(self._file, b"".join(lines))
            except OSError as error:
                self._waiting += late
                self._unkept = len(late)
                for entry in fresh:
                    _follow(self._unwritten, entry.event, _line(entry))
                os.ftruncate(self._file, before)
                raise _unwritable(self._path, error) from error
            self._running |= self._unwritten
            self._unwritten, self._unkept = {}, 0
            for entry, line in zip(late, lines, strict=True):
                self._waiting.append(entry._replace(size=len(line)))
                _follow(self._running, entry.event, line)

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
            self._unkept = min(self._unkept, len(self._waiting))
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
        # In this order: dying between the steps repeats events, never skips any.
        _note(self._path, 0)
        os.truncate(self._path, 0)
        kept = b"".join(self._running.values())
        _write(self._file, kept)
        _note(self._path, len(kept))
        self._done = len(kept)

    def _take_over(self, left: Path) -> None:
        lock = _lock(left)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return  # its owner lives
        try:
            for entry in _left_in(left):
                self._waiting.append(entry)
                _write(self._file, _line(entry))
            _remove(left)
        finally:
            lock.release()
        _lock_path(left).unlink(missing_ok=True)


def _line(entry: Entry) -> bytes:
    told = {"investigation": entry.investigation, "event": entry.event}
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _left_in(path: Path) -> list[Entry]:
    """What waits in a file, and the ends of the runs that its writer did not live to see."""
    if not path.exists():
        return []  # another owner took it over a moment ago
    noted = _noted(path)
    start = int(noted.read_text() or 0) if noted.exists() else 0
    content = path.read_bytes()
    running: dict[str, Entry] = {}
    for entry in _entries(content):
        _follow(running, entry.event, entry)
    ends = [entry._replace(event=cut_short(entry.event)) for entry in running.values()]
    return [*_entries(content[start:]), *(end._replace(size=len(_line(end))) for end in ends)]


def _entries(content: bytes) -> Iterator[Entry]:
    """What lines tell; one that its writer did not finish says nothing."""
    for line in content.splitlines():
        try:
            entry = json.loads(line)
            yield Entry(entry["investigation"], entry["event"], len(line) + 1)
        except (ValueError, KeyError, TypeError):
            continue


def _follow(running: dict[str, T], event: EventIn, held: T) -> None:
    """Holds something of each run from its begin to its end."""
    if event["type"] == "run.started":
        running[event["subject"]] = held
    elif event["type"] == "run.finished":
        running.pop(event["subject"], None)


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
