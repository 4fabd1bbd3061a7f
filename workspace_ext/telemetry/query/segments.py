"""Sealed segments: Parquet copies of the telemetry, for who may not open the store.

``segments/<table>/<from>-<to>-<removals>.parquet`` holds the rows of the batches from … to, both
included, as they were after so many removals. A segment appears whole or not at all, and is never
changed: sealing again adds what is new, and where many small ones lie side by side, one that holds
all of them is sealed. Both go on in the background, whoever waits for them. What holds removed
rows, or lies within another, goes.

Rows lie as they came. Each batch was put in order of time when it came, so a row group spans little
time; to sort them once more would double the work, and take all the memory there is.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from workspace_ext.foundation.errors import InvestigationError, LimitExceeded
from workspace_ext.foundation.priority import yield_to_others
from workspace_ext.storage.failures import explain
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.query.watch import Cancelled, Watch
from workspace_ext.telemetry.schema import SIGNALS, Signal, selection

_log = logging.getLogger(__name__)

_NAME = re.compile(r"(\d+)-(\d+)-(\d+)\.parquet")
_ROW_GROUP_ROWS = 100_000

FAN = 8
"""So many neighbours of about one size become one."""

_SMALL_BYTES = 256 << 10
_LARGE_BYTES = 512 << 20
"""Not made any larger: sealing it again would cost more than it saves."""

_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Segment:
    """One file.

    Attributes:
        first: The first batch in it.
        last: The last batch in it.
        removals: The number of the newest removal that it knows of.
        path: The file.
        size: In bytes.
    """

    first: int
    last: int
    removals: int
    path: Path
    size: int

    @property
    def tier(self) -> int:
        """How often a small one must grow `FAN` times to be as large as this."""
        tier, size = 0, self.size
        while size > _SMALL_BYTES:
            tier, size = tier + 1, size // FAN
        return tier


class Segments:
    """Seals batches when somebody needs them. Safe to use from several threads.

    Args:
        engine: The open store; segments go into its folder.
    """

    def __init__(self, engine: TelemetryEngine) -> None:
        self._engine = engine
        self._folder = engine.folder.segments
        self._lock = threading.Lock()
        self._sealer = ThreadPoolExecutor(1, "seal", initializer=yield_to_others)
        self._sealing: tuple[int, Future[None]] | None = None
        self._at_work: set[duckdb.DuckDBPyConnection] = set()
        self._compacting = threading.Lock()
        self._compactor: threading.Thread | None = None
        self._closed = False
        self._read: Counter[Path] = Counter()
        self._unwanted: set[Path] = set()
        for left_over in self._folder.glob("*/.*"):
            left_over.unlink(missing_ok=True)

    @contextmanager
    def upto(self, pin: int, watch: Watch | None = None) -> Iterator[Mapping[str, list[Path]]]:
        """The segments of each table that together hold every batch up to a pin.

        They may hold later batches too: filter by ``batch_id``. They stay until the context ends.

        Args:
            pin: The last batch that is needed.
            watch: Tells when waiting for them is over; sealing goes on.

        Raises:
            LimitExceeded: They are not sealed in time.
            Cancelled: Whoever asked has gone.
            Unavailable: No space left, for instance.
        """
        try:
            while (found := self._taken(pin)) is None:
                self._wait(self._begin_sealing(pin), watch)
        except (duckdb.Error, OSError) as error:
            raise explain(error, self._folder) from error
        if any(_crowded(of) for of in found.values()):
            self._begin_compaction()
        paths = {name: [each.path for each in of] for name, of in found.items()}
        try:
            yield paths
        finally:
            with self._lock:
                self._read.subtract(path for of in paths.values() for path in of)
                self._unlink([path for path in self._unwanted if not self._read[path]])

    def compact(self) -> None:
        """Makes one of many small ones, as long as there are many; `upto` does it by itself."""
        with self._compacting:
            for signal in SIGNALS.values():
                while not self._closed and self._compact(signal):
                    pass

    def close(self) -> None:
        """Ends what works in the background; what is half sealed is sealed anew when needed."""
        with self._lock:
            self._closed = True
        self._sealer.shutdown(wait=False)
        while self._is_working():
            with self._lock:
                for cursor in self._at_work:
                    cursor.interrupt()  # again and again: between two statements it is forgotten
            time.sleep(_LOOK_SECONDS)

    def _is_working(self) -> bool:
        seals = self._sealing is not None and not self._sealing[1].done()
        return seals or (self._compactor is not None and self._compactor.is_alive())

    def _taken(self, pin: int) -> dict[str, list[Segment]] | None:
        """The segments that hold all up to a pin, which stay now; None when some are missing."""
        found: dict[str, list[Segment]] = {}
        with self._lock, self._engine.cursor() as cursor:
            for name, signal in SIGNALS.items():
                sealed, missing = self._known(cursor, signal, pin)
                if missing:
                    return None
                found[name] = [segment for segment in sealed if segment.first <= pin]
            self._read.update(each.path for of in found.values() for each in of)
        return found

    def _begin_sealing(self, pin: int) -> Future[None]:
        with self._lock:
            self._check_open()
            if self._sealing is None or self._sealing[0] < pin or self._sealing[1].done():
                self._sealing = pin, self._sealer.submit(self._seal_upto, pin)
            return self._sealing[1]

    @staticmethod
    def _wait(sealing: Future[None], watch: Watch | None) -> None:
        while watch is not None and not wait([sealing], _LOOK_SECONDS).done:
            if watch.look() and watch.reason == "deadline":
                raise LimitExceeded(
                    f"{watch.seconds:g} s were over while new data was being sealed, that is,"
                    " made ready for SQL of your own",
                    hint="ask again in a moment: sealing goes on, and is done once",
                    code="sealing",
                )
            watch.check()
        sealing.result()

    def _seal_upto(self, pin: int) -> None:
        for signal in SIGNALS.values():
            with self._lock, self._engine.cursor() as cursor:
                _, missing = self._known(cursor, signal, pin)
            for first, last in missing:
                self._seal(signal, first, last)

    def _known(
        self, cursor: duckdb.DuckDBPyConnection, signal: Signal, pin: int
    ) -> tuple[list[Segment], list[tuple[int, int]]]:
        """The segments of a table; and what is in none up to a pin, by first and last batch."""
        sealed = self._valid(cursor, signal)
        after, gaps = 0, []
        for segment in sealed:
            if segment.first > after + 1:
                gaps.append((after + 1, segment.first - 1))
            after = segment.last
        gaps.append((after + 1, pin))
        missing = []
        for first, last in gaps:
            row = cursor.execute(
                f"SELECT max(batch_id) FROM raw.{signal.name}"  # noqa: S608 - own names and numbers
                f" WHERE batch_id >= {first} AND batch_id <= {min(last, pin)}"
            ).fetchone()
            if row is not None and row[0] is not None:
                missing.append((first, int(row[0])))
        return sealed, missing

    def _valid(self, cursor: duckdb.DuckDBPyConnection, signal: Signal) -> list[Segment]:
        """The segments that hold what the store holds; the others go."""
        found = _sealed(self._folder / signal.name)
        oldest = min((segment.removals for segment in found), default=0)
        removals = cursor.execute(
            "SELECT number, from_batch, upto_batch FROM raw.removals"
            " WHERE signal = $1 AND number > $2",
            [signal.name, oldest],
        ).fetchall()
        valid: list[Segment] = []
        for segment in found:
            removed = any(
                number > segment.removals and first <= segment.last and last >= segment.first
                for number, first, last in removals
            )
            if removed or (valid and segment.last <= valid[-1].last):
                self._drop([segment])
            else:
                valid.append(segment)
        return valid

    def _seal(self, signal: Signal, first: int, last: int) -> None:
        with self._working() as cursor:
            # the rows and the number of removals are of one moment
            cursor.execute("BEGIN")
            row = cursor.execute("SELECT coalesce(max(number), 0) FROM raw.removals").fetchall()
            removals = int(row[0][0])
            folder = self._folder / signal.name
            folder.mkdir(exist_ok=True)
            _write(cursor, signal, first, last, folder / f"{first}-{last}-{removals}.parquet")

    def _check_open(self) -> None:
        if self._closed:
            raise Cancelled

    @contextmanager
    def _working(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection whose work ends when the segments are closed."""
        with self._engine.cursor() as cursor:
            with self._lock:
                self._check_open()
                self._at_work.add(cursor)
            try:
                yield cursor
            finally:
                with self._lock:
                    self._at_work.discard(cursor)

    def _drop(self, segments: Sequence[Segment]) -> None:
        self._unwanted.update(segment.path for segment in segments)
        self._unlink([each.path for each in segments if not self._read[each.path]])

    def _unlink(self, paths: Sequence[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
            self._unwanted.discard(path)
            self._read.pop(path, None)

    def _begin_compaction(self) -> None:
        with self._lock:
            if self._closed or (self._compactor is not None and self._compactor.is_alive()):
                return
            self._compactor = threading.Thread(target=self._compact_all, name="compact")
            self._compactor.start()

    def _compact_all(self) -> None:
        try:
            self.compact()
        except (InvestigationError, duckdb.Error, OSError):
            if not self._closed:
                _log.exception("small segments stay as they are")  # nothing is lost by it

    def _compact(self, signal: Signal) -> bool:
        """Seals one run of neighbours again, as one; whether there was one."""
        with self._lock, self._engine.cursor() as cursor:
            run = _crowded(self._valid(cursor, signal))
        if not run:
            return False
        self._seal(signal, run[0].first, run[-1].last)
        with self._lock:
            self._drop(run)
        return True


def _first(segment: Segment) -> int:
    return segment.first


def _crowded(segments: Sequence[Segment]) -> list[Segment]:
    """`FAN` or more neighbours of one tier or below it, the lowest tier first; else nothing."""
    for tier in sorted({segment.tier for segment in segments if segment.size < _LARGE_BYTES}):
        run: list[Segment] = []
        for segment in (*segments, None):
            if segment is not None and segment.tier <= tier and segment.size < _LARGE_BYTES:
                run.append(segment)
                if len(run) < 2 * FAN:
                    continue
            if len(run) >= FAN:
                return run
            run = []
    return []


def _sealed(folder: Path) -> list[Segment]:
    """By their first batch; of those that begin together, the one that holds the others first."""
    found = []
    for path in folder.glob("*.parquet"):
        match = _NAME.fullmatch(path.name)
        if match:
            first, last, removals = map(int, match.groups())
            found.append(Segment(first, last, removals, path, path.stat().st_size))
    return sorted(found, key=lambda each: (each.first, -each.last, -each.removals))


def _write(
    cursor: duckdb.DuckDBPyConnection, signal: Signal, first: int, last: int, path: Path
) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    names = (*signal.names, "batch_id")
    try:
        write_parquet(
            cursor, selection(signal, names, f"batch_id BETWEEN {first} AND {last}"), temporary
        )
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_parquet(cursor: duckdb.DuckDBPyConnection, sql: str, path: Path) -> int:
    """Writes a query's rows as Parquet, in row groups that suit a time window.

    Returns:
        How many rows.
    """
    quoted = str(path).replace("'", "''")
    row = cursor.execute(
        f"COPY ({sql}) TO '{quoted}'"
        f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP_ROWS})"
    ).fetchone()
    return int(row[0]) if row else 0
