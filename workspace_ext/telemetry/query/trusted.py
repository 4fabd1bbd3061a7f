"""Library SQL: runs in the broker's threads, on a cursor of its own.

Only text that is part of a template comes here: it was linted when it was loaded, and no
person's words are in it but as bound values.
"""

from __future__ import annotations

import math
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import duckdb

from workspace_ext.telemetry.query.failures import explain_query, row_limit
from workspace_ext.telemetry.query.lanes import Effort, Lane, Pace
from workspace_ext.telemetry.query.model import BATCH_ROWS, Limits
from workspace_ext.telemetry.query.threads import KeptThreads
from workspace_ext.telemetry.query.watch import Watchdog

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.storage.telemetry import Reading

_RELATIONS_STREAM = int(duckdb.__version__.split(".", maxsplit=1)[0]) >= 2
"""From 2.0 on ``execute`` gathers the whole result first; before, a relation did. There a
relation is planned twice, which costs a template with a small result a third of its time."""


@dataclass(frozen=True)
class Level:
    """Queries of about one length, in a lane of their own.

    Attributes:
        name: Of the lane.
        seconds: Of the processors that they need at most.
        width: How many run at a time.
        nice: How much they yield to those of shorter levels.
        patience: After so many seconds of the processor, of the thread that asks, one falls to the
            next level.
    """

    name: str
    seconds: float
    width: int
    nice: int
    patience: float


_LEVELS = (
    Level("short", 0.8, 2, 0, 1.5),
    Level("long", math.inf, 1, 10, 6.0),
    Level("endless", math.inf, 0, 10, math.inf),
)
"""Fair is that who asks little waits little: a feedback queue of several levels, each with a lane
where who needs less goes before who needs more (`Lane.enter`). What is known to be long starts as
such; what turns out to need longer falls from level to level, where it goes on at once and the next
waits for longer. So there are never many that hold memory: once that runs out, short ones write it
to the disk and need twice as long. What never ends falls to where nobody waits for a turn; it
yields no more than that, or it could not even be ended where other programs are busy.

Short is what people call light, 0.35 s of two processors, and a seventh more: beside others the
same query is more work. Were the bound lower, some of those would wait behind longer ones; were it
higher, for those that are just longer. Longer ones go one at a time, whatever their length: each
has the engine's threads to help it, so two together are done no sooner, and leave less of those
threads to short ones. In the same way, three short ones together are each as slow as the last."""

warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)
"""It advises the relation, whose price is told above."""


def open_reader(
    cursor: duckdb.DuckDBPyConnection,
    query: str | duckdb.Statement,
    values: Mapping[str, object],
    *,
    stream: bool = True,
) -> pa.RecordBatchReader:
    """Starts a query.

    Args:
        cursor: Where to run it.
        query: One SELECT.
        values: What its ``$names`` are.
        stream: Whether rows shall come as they are made, on either line of DuckDB. Gathering
            them first saves planning the query twice.
    """
    given = dict(values)
    if _RELATIONS_STREAM and stream:
        return cursor.sql(query, params=given).to_arrow_reader(BATCH_ROWS)
    return cursor.execute(query, given).to_arrow_reader(BATCH_ROWS)


class Engine(Protocol):
    """What gives connections: the telemetry engine."""

    def reading(self, pin: int) -> Reading:
        """A connection that reads at a pin."""
        ...

    def keep(self, reading: Reading) -> None:
        """Takes it back for the next."""
        ...


@dataclass(frozen=True)
class Shared:
    """What all queries have together."""

    watchdog: Watchdog
    threads: KeptThreads
    lanes: Mapping[Level, Lane]
    effort: Effort


class TrustedRunner:
    """Runs library SQL: short queries never wait for a turn of those known to be longer.

    The threads of longer ones let shorter ones go first, so a short query that comes while they
    run takes a processor from them at once.
    """

    def __init__(self, engine: Engine, watchdog: Watchdog) -> None:
        self._engine = engine
        self._pace = Pace()
        lanes = {level: Lane(level.width, level.name) for level in _LEVELS}
        self._shared = Shared(watchdog, KeptThreads(), lanes, Effort(os.cpu_count() or 1))

    def run(
        self,
        query: duckdb.Statement,
        values: Mapping[str, object],
        *,
        pin: int,
        limits: Limits,
        cancelled: threading.Event,
    ) -> TrustedRows:
        """Starts one; it has its first rows when this returns.

        Raises:
            LimitExceeded: Time or memory ran out.
            BadInput: The SQL does not fit the data.
        """
        sql = query.query
        needed = self._pace.seconds(sql)
        level = next(level for level in _LEVELS if needed <= level.seconds)
        rows = TrustedRows(self._engine, pin, self._shared, level, needed, limits, cancelled)
        try:
            rows.start(query, values, stream=self._pace.is_large(sql))
        except BaseException:
            self._pace.ended(sql, rows.processor_seconds)
            raise
        self._pace.took(sql, rows.processor_seconds, large=rows.large)
        return rows

    def close(self) -> None:
        """Ends its threads; a query that runs keeps its own until it is over."""
        self._shared.threads.close()


class TrustedRows:
    """The rows of one query; it holds a turn while rows are made, not while they travel.

    Attributes:
        lane: The name of the lane that it waits in.
        processor_seconds: What it was worked on; see `Effort`.
    """

    def __init__(
        self,
        engine: Engine,
        pin: int,
        shared: Shared,
        level: Level,
        needed: float,
        limits: Limits,
        cancelled: threading.Event,
    ) -> None:
        self._engine = engine
        self._reading: Reading | None = engine.reading(pin)
        self._cursor = self._reading.cursor
        self._shared = shared
        self._level = level
        self._needed = needed
        self._begun = False
        self.lane = level.name
        self.processor_seconds = 0.0
        self._limits = limits
        self._watch = shared.watchdog.watch(limits.seconds, cancelled, self._cursor.interrupt)
        self._reader: pa.RecordBatchReader | None = None
        self._ready: list[pa.RecordBatch] = []
        self._ended = False
        self._rows = 0

    @property
    def schema(self) -> pa.Schema:
        """The result's columns."""
        assert self._reader is not None
        return self._reader.schema

    @property
    def large(self) -> bool:
        """Whether more rows than one batch holds are to come."""
        return self._rows >= BATCH_ROWS

    def start(self, query: duckdb.Statement, values: Mapping[str, object], *, stream: bool) -> None:
        """Runs it up to its first rows."""

        def begin() -> list[pa.RecordBatch]:
            self._reader = open_reader(self._cursor, query, values, stream=stream)
            return self._read()

        try:
            self._ready = self._in_turn(begin)
        except BaseException as error:
            raise self._failed(error) from error

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows. Raises LimitExceeded when time, rows or memory run out."""
        try:
            while self._ready:
                yield self._ready.pop(0)
                if not self._ready and not self._ended:
                    self._ready = self._in_turn(self._read)
        except GeneratorExit:
            self.close()
            raise
        except BaseException as error:
            raise self._failed(error) from error
        self._end(whole=True)

    def close(self) -> None:
        """Ends it. Closing twice is harmless."""
        self._end(whole=False)

    def _end(self, *, whole: bool) -> None:
        self._shared.watchdog.forget(self._watch)  # which ends nothing on this connection any more
        self._ready = []
        reading, self._reading = self._reading, None
        if reading is None:
            return
        if whole:
            self._engine.keep(reading)
            return
        with suppress(duckdb.Error):
            reading.cursor.close()

    def _in_turn(self, work: Callable[[], list[pa.RecordBatch]]) -> list[pa.RecordBatch]:
        """Runs a piece of work in a thread that may be told to yield."""

        def measured() -> list[pa.RecordBatch]:
            with self._shared.effort.of_this(self._worked):
                return work()

        lanes, threads = self._shared.lanes, self._shared.threads
        lane = lanes[self._level]
        lane.enter(self._watch, needed=self._needed, begun=self._begun)
        self._begun = True
        try:
            thread = threads.take(self._level.nice)
            try:
                done = thread.submit(measured)
                for level, later in pairwise(_LEVELS[_LEVELS.index(self._level) :]):
                    if thread.is_done(done, level.patience):
                        break
                    thread.slow(later.nice)
                    lanes[later].push_in()
                    lane.leave()
                    lane = lanes[later]
                return done.result()
            finally:
                threads.give_back(thread)
        finally:
            lane.leave()

    def _worked(self, seconds: float) -> None:
        self.processor_seconds += seconds

    def _read(self) -> list[pa.RecordBatch]:
        """Up to a full batch, or to the end: a small answer takes one turn."""
        assert self._reader is not None
        batches: list[pa.RecordBatch] = []
        while not batches or batches[-1].num_rows < BATCH_ROWS:
            self._watch.check()
            try:
                batch = self._reader.read_next_batch()
            except StopIteration:
                self._ended = True
                break
            self._rows += batch.num_rows
            if self._rows > self._limits.rows:
                raise row_limit(self._limits.rows)
            batches.append(batch)
        return batches

    def _failed(self, error: BaseException) -> BaseException:
        self.close()
        if not isinstance(error, Exception):
            return error
        return self._watch.error() or explain_query(error)
