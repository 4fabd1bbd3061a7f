"""Library SQL: runs in the broker's threads, on a cursor of its own.

Only text that is part of a template comes here: it was linted when it was loaded, and no
person's words are in it but as bound values.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import duckdb

from workspace_ext.foundation.priority import yield_to_others
from workspace_ext.telemetry.query.failures import explain_query, row_limit
from workspace_ext.telemetry.query.lanes import Lane, Pace
from workspace_ext.telemetry.query.model import BATCH_ROWS, Limits
from workspace_ext.telemetry.query.watch import Watchdog

if TYPE_CHECKING:
    import pyarrow as pa

_RELATIONS_STREAM = int(duckdb.__version__.split(".", maxsplit=1)[0]) >= 2
"""From 2.0 on ``execute`` gathers the whole result first; before, a relation did. There a
relation is planned twice, which costs a template with a small result a third of its time."""

_INTERACTIVE = 4
_HEAVY = 1
"""How many short queries run at a time, and how many of those known to be long."""

_PATIENCE_SECONDS = 1.0
"""After which a query that is not known to be long counts as one."""

_NICE = 10

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
    """What gives cursors: the telemetry engine."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A new connection for reading."""
        ...


class TrustedRunner:
    """Runs library SQL: short queries in one lane, those known to be long in another.

    The threads of long ones let all others go first, so a short query that comes while they run
    takes a processor from them at once. What turns out to be long only while it runs becomes one
    of them, and gives its turn to the next.
    """

    def __init__(self, engine: Engine, watchdog: Watchdog) -> None:
        self._engine = engine
        self._watchdog = watchdog
        self._pace = Pace()
        self._interactive = Lane(_INTERACTIVE, "interactive")
        self._heavy = Lane(_HEAVY, "heavy")

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
        lane = self._heavy if self._pace.is_heavy(sql) else self._interactive
        patience = 0.0 if lane is self._heavy else _PATIENCE_SECONDS
        rows = TrustedRows(self._engine.cursor(), self._watchdog, lane, limits, cancelled, patience)
        try:
            rows.start(query, values, pin, stream=self._pace.is_large(sql))
        finally:
            self._pace.took(sql, rows.processor_seconds, large=rows.large)
        return rows


class TrustedRows:
    """The rows of one query; it holds a turn while rows are made, not while they travel.

    Attributes:
        lane: The name of the lane that it waits in.
        processor_seconds: What its own thread worked; the engine's others worked about as much.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        watchdog: Watchdog,
        lane: Lane,
        limits: Limits,
        cancelled: threading.Event,
        patience: float,
    ) -> None:
        self._cursor = cursor
        self._lane = lane
        self._patience = patience
        self.lane = lane.name
        self.processor_seconds = 0.0
        self._limits = limits
        self._watchdog = watchdog
        self._watch = watchdog.watch(limits.seconds, cancelled, cursor.interrupt)
        self._reader: pa.RecordBatchReader | None = None
        self._next: pa.RecordBatch | None = None
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

    def start(
        self, query: duckdb.Statement, values: Mapping[str, object], pin: int, *, stream: bool
    ) -> None:
        """Runs it up to its first rows."""

        def begin() -> pa.RecordBatch | None:
            self._cursor.execute(f"SET VARIABLE pin = {int(pin)}::BIGINT")
            self._reader = open_reader(self._cursor, query, values, stream=stream)
            return self._read()

        try:
            self._next = self._in_turn(begin)
        except BaseException as error:
            raise self._failed(error) from error

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows. Raises LimitExceeded when time, rows or memory run out."""
        try:
            while self._next is not None:
                batch, self._next = self._next, None
                yield batch
                self._next = self._in_turn(self._read)
        except GeneratorExit:
            self.close()
            raise
        except BaseException as error:
            raise self._failed(error) from error
        self.close()

    def close(self) -> None:
        """Ends it and gives back its cursor. Closing twice is harmless."""
        self._watchdog.forget(self._watch)
        self._next = None
        with suppress(duckdb.Error):
            self._cursor.close()

    def _in_turn(self, work: Callable[[], pa.RecordBatch | None]) -> pa.RecordBatch | None:
        """Runs a piece of work in a thread of its own, which may be told to yield."""
        done: Future[pa.RecordBatch | None] = Future()

        def run() -> None:
            begun = time.thread_time()
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)
            finally:
                self.processor_seconds += time.thread_time() - begun

        self._lane.enter(self._watch)
        has_turn = True
        try:
            thread = threading.Thread(target=run, name="query-work", daemon=True)
            thread.start()
            try:
                done.exception(timeout=self._patience)
            except TimeoutError:
                yield_to_others(thread.native_id, nice=_NICE)
                if self._patience:
                    self._lane.leave()
                    has_turn = False
            thread.join()
            return done.result()
        finally:
            if has_turn:
                self._lane.leave()

    def _read(self) -> pa.RecordBatch | None:
        assert self._reader is not None
        self._watch.check()
        try:
            batch = self._reader.read_next_batch()
        except StopIteration:
            return None
        self._rows += batch.num_rows
        if self._rows > self._limits.rows:
            raise row_limit(self._limits.rows)
        return batch

    def _failed(self, error: BaseException) -> BaseException:
        self.close()
        if not isinstance(error, Exception):
            return error
        return self._watch.error() or explain_query(error)
