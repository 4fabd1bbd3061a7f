"""Free SQL: passes the guard, then runs in a worker process that is used once.

A single expression can eat a machine's memory and ignore interrupts; a process has an
address-space limit and can be killed.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from workspace_ext.foundation.errors import Unavailable, from_dict
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.query.failures import memory_limit
from workspace_ext.telemetry.query.job import ENDING_KEY, Ending, Job
from workspace_ext.telemetry.query.lanes import Lane
from workspace_ext.telemetry.query.model import Limits, Scan
from workspace_ext.telemetry.query.segments import Segments
from workspace_ext.telemetry.query.watch import Watchdog

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)

_ADDRESS_SPACE_OVER_MB = 3072
"""What a process with DuckDB and Arrow maps without using it, and then some."""

_MEMORY_MB = 1024
"""How much memory one query may use."""

_SPILL_MB = 4096
"""How much disk one query may use."""

_WORKERS = 2


class Worker:
    """One worker process, started and waiting for its job.

    Args:
        module: What it runs.
        address_space_mb: How much it may map.

    Raises:
        Unavailable: The system gives no more processes.
    """

    def __init__(self, module: str, address_space_mb: int) -> None:
        try:
            self.process = subprocess.Popen(
                # -P: no module from the working folder runs there
                [sys.executable, "-P", "-m", module, str(address_space_mb)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError as error:
            raise Unavailable(
                f"no worker process could be started: {error}",
                hint="check the machine's memory and its limit of processes",
                code="no_worker",
            ) from error

    def kill(self) -> None:
        """Ends it at once; harmless when it has ended."""
        with suppress(ProcessLookupError):
            self.process.kill()

    def close(self) -> None:
        """Ends it and gives back what it held."""
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.process.wait()


class FreeRunner:
    """Runs free SQL that the guard has let pass; keeps one worker ready.

    Args:
        engine: The open store.
        watchdog: Ends what takes too long.
    """

    def __init__(self, engine: TelemetryEngine, watchdog: Watchdog) -> None:
        self._folder = engine.folder
        self._segments = Segments(engine)
        self._watchdog = watchdog
        self._lane = Lane(_WORKERS)
        self._lock = threading.Lock()
        self._spare: Worker | None = None
        self._closed = False
        self._warm()

    def run(
        self,
        sql: str,
        values: Mapping[str, object],
        *,
        pin: int,
        limits: Limits,
        cancelled: threading.Event,
    ) -> FreeRows:
        """Starts one; it has its first rows when this returns.

        Raises:
            BadInput: The SQL does not fit the tables.
            LimitExceeded: Time or memory ran out.
        """
        rows = FreeRows(self._watchdog, self._lane, limits, cancelled, self._warm)
        try:
            segments = rows.held.enter_context(self._segments.upto(pin, rows.watch))
            rows.wait()
            rows.spill = mkdtemp(prefix="free-", dir=self._folder.spill)
            job = Job(
                sql=sql,
                values=dict(values),
                pin=pin,
                rows=limits.rows,
                segments={name: [str(path) for path in paths] for name, paths in segments.items()},
                folder=str(self._folder.segments),
                spill=rows.spill,
                memory_mb=_MEMORY_MB,
                spill_mb=_SPILL_MB,
                threads=min(os.cpu_count() or 1, 4),
            )
            rows.start(self._take(), job)
        except BaseException:
            rows.close()
            raise
        return rows

    def close(self) -> None:
        """Ends the worker that waits, and the work on segments."""
        self._segments.close()
        with self._lock:
            self._closed = True
            spare, self._spare = self._spare, None
        if spare is not None:
            spare.close()

    def _take(self) -> Worker:
        with self._lock:
            spare, self._spare = self._spare, None
        worker = spare
        if worker is None or worker.process.poll() is not None:
            worker = self._start()
        return worker

    def _warm(self) -> None:
        """Starts the next worker; once a query is over, so that the two do not compete."""
        with self._lock:
            if self._spare is None and not self._closed:
                self._spare = self._start()

    @staticmethod
    def _start() -> Worker:
        return Worker(__package__ + ".worker", _MEMORY_MB + _ADDRESS_SPACE_OVER_MB)


class FreeRows:
    """The rows of one free query.

    Attributes:
        scan: What it read; known when the rows have ended.
        spill: The folder for what does not fit into memory; removed with the rows.
        held: What must stay until the rows are closed.
        watch: Its deadline.
    """

    def __init__(
        self,
        watchdog: Watchdog,
        lane: Lane,
        limits: Limits,
        cancelled: threading.Event,
        on_close: Callable[[], None],
    ) -> None:
        self.scan: tuple[Scan, ...] = ()
        self.spill: str | None = None
        self.held = ExitStack()
        self._on_close = on_close
        self._watchdog = watchdog
        self._lane = lane
        self._worker: Worker | None = None
        self._entered = False
        self.watch = watchdog.watch(limits.seconds, cancelled, self._end)
        self._reader: pa.RecordBatchReader | None = None
        self._next: pa.RecordBatch | None = None

    @property
    def schema(self) -> pa.Schema:
        """The result's columns."""
        assert self._reader is not None
        return self._reader.schema

    def wait(self) -> None:
        """Waits for a turn."""
        self._lane.enter(self.watch)
        self._entered = True

    def start(self, worker: Worker, job: Job) -> None:
        """Hands the job to the worker and waits for its first rows."""
        import pyarrow as pa

        self._worker = worker
        stdin, stdout = worker.process.stdin, worker.process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(job.to_line())
            stdin.flush()
            self._reader = pa.ipc.open_stream(stdout)
        except (OSError, pa.ArrowException) as error:
            raise self._died() from error
        self._next = self._read()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows. Raises LimitExceeded when time, rows or memory run out."""
        try:
            while self._next is not None:
                batch, self._next = self._next, None
                yield batch
                self._next = self._read()
        finally:
            self.close()

    def close(self) -> None:
        """Ends it and gives back its turn. Closing twice is harmless."""
        self._watchdog.forget(self.watch)
        self._next = None
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        if self.spill is not None:
            shutil.rmtree(self.spill, ignore_errors=True)
            self.spill = None
        self.held.close()
        if self._entered:
            self._entered = False
            self._lane.leave()
            self._on_close()

    def _end(self) -> None:
        worker = self._worker
        if worker is not None:
            worker.kill()

    def _read(self) -> pa.RecordBatch | None:
        import pyarrow as pa

        assert self._reader is not None
        try:
            batch, metadata = self._reader.read_next_batch_with_custom_metadata()
        except (StopIteration, OSError, pa.ArrowException) as error:
            raise self._died() from error
        if metadata is None or ENDING_KEY not in metadata:
            return batch
        ending = Ending.from_bytes(metadata[ENDING_KEY])
        self.scan = ending.scan
        if ending.error is not None:
            raise self.watch.error() or from_dict(ending.error)
        return None

    def _died(self) -> Exception:
        """Why there is no more: we ended it, or it met the limit of its address space."""
        return self.watch.error() or memory_limit("its process was ended")
