"""Runs steps: in worker processes that are kept, so that a step costs milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import LimitExceeded, from_dict
from workspace_ext.inquiry.steps.job import StepJob
from workspace_ext.protocol.messages import Compare
from workspace_ext.telemetry.query.compare import has_float
from workspace_ext.telemetry.query.free import Worker
from workspace_ext.telemetry.query.job import ENDING_KEY, Ending
from workspace_ext.telemetry.query.lanes import Lane, Pace
from workspace_ext.telemetry.query.model import Limits, RunningQuery, Scan
from workspace_ext.telemetry.query.watch import Watch, Watchdog

if TYPE_CHECKING:
    import pyarrow as pa

_MODULE = "workspace_ext.inquiry.steps.worker"
_ADDRESS_SPACE_MB = 4096
"""The same as a process of free SQL has."""

_SHORT = 2
_LONG = 1
"""How many short steps run at a time, and how many of those known to be long."""

_SHORT_SECONDS = 0.3
"""A step that needs more is long."""


class StepRunner:
    """Runs steps: short ones never wait for those known to be long. For many threads at once."""

    def __init__(self) -> None:
        self._watchdog = Watchdog()
        self._pace = Pace()
        self._short = Lane(_SHORT, "step")
        self._long = Lane(_LONG, "long step")
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._closed = False

    def warm(self) -> None:
        """Starts a worker when none waits: it comes up while the SQL runs."""
        with self._lock:
            if not self._idle and not self._closed:
                self._idle.append(self._start())

    def run(
        self, running: RunningQuery, job: StepJob, limits: Limits, cancelled: threading.Event
    ) -> SteppedQuery:
        """Puts a query's rows through a step; all of the answer is there when this returns.

        Args:
            running: The query; closed in any case.
            job: The step, and what it is given beside the rows.
            limits: What query and step may use together.
            cancelled: Set it to end them.

        Raises:
            BadInput: The step failed.
            LimitExceeded: Time, memory or rows ran out.
        """
        used: list[Worker] = []
        watch = self._watchdog.watch(limits.seconds, cancelled, lambda: _kill(used))
        try:
            lane = self._long if self._pace.seconds(job.step) > _SHORT_SECONDS else self._short
            with lane.turn(watch):
                worker = self._take()
                used.append(worker)
                try:
                    rows, ending = _exchange(worker, running, job, watch)
                except BaseException:
                    worker.close()
                    raise
                finally:
                    self._watchdog.forget(watch)  # from here on nobody kills it
                if ending.seconds is not None:
                    self._pace.took(job.step, ending.seconds, large=False)
                self._give_back(worker)
        finally:
            self._watchdog.forget(watch)
            running.close()
        if ending.error is not None:
            raise from_dict(ending.error)
        return SteppedQuery(running, rows, job.returns)

    def close(self) -> None:
        """Ends the workers."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()
        self._watchdog.close()

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.process.poll() is None:
                    return worker
                worker.close()
            return self._start()

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            if not self._closed and worker.process.poll() is None:
                self._idle.append(worker)
                return
        worker.close()

    @staticmethod
    def _start() -> Worker:
        return Worker(_MODULE, _ADDRESS_SPACE_MB)


def _kill(used: list[Worker]) -> None:
    for worker in used:
        worker.kill()


def _exchange(
    worker: Worker, running: RunningQuery, job: StepJob, watch: Watch
) -> tuple[list[pa.RecordBatch], Ending]:
    """Hands over the rows and takes those of the step, and how it went."""
    import pyarrow as pa

    stdin, stdout = worker.process.stdin, worker.process.stdout
    assert stdin is not None
    assert stdout is not None
    try:
        stdin.write(job.to_line())
        with pa.ipc.new_stream(stdin, running.schema) as writer:
            for batch in running:
                writer.write_batch(batch)
        stdin.flush()
        *rows, (_, told) = _answer(pa.ipc.open_stream(stdout))
        ending = Ending.from_bytes(told[ENDING_KEY])
    except (ValueError, TypeError, OSError, pa.ArrowException) as died:
        watch.check()
        raise LimitExceeded(
            f"{job.template}: its step {job.step} ran out of memory: its process was ended",
            hint="narrow the time window, or ask for fewer services",
            code="memory_limit",
        ) from died
    return [batch for batch, _ in rows], ending


def _answer(reader: pa.RecordBatchReader) -> Iterator[tuple[pa.RecordBatch, Any]]:
    """Batches with what they carry, to the mark at the stream's end."""
    with suppress(StopIteration):
        while True:
            yield reader.read_next_batch_with_custom_metadata()


class SteppedQuery:
    """A `RunningQuery` whose rows went through a step."""

    scan: tuple[Scan, ...] = ()

    def __init__(
        self, running: RunningQuery, rows: list[pa.RecordBatch], returns: pa.Schema
    ) -> None:
        self._rows = rows
        self.lane = running.lane
        self.schema = returns
        self.compare: Compare = running.compare
        if self.compare["mode"] in ("ordered", "unordered") and any(
            has_float(field.type) for field in returns
        ):
            reason = "a step's floats may differ in their last bits from machine to machine"
            self.compare = {"mode": "tolerance", "reason": reason}

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows of the step."""
        return iter(self._rows)

    def close(self) -> None:
        """Nothing is left to end."""
