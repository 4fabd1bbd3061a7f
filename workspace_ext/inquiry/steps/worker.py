"""A worker: runs steps in a process of its own, one after the other.

``python -m workspace_ext.inquiry.steps.worker ADDRESS_SPACE_MB``. Each job is a line of JSON and an
Arrow stream on standard input; each answer is an Arrow stream on standard output that ends as a
free query's does. It ends with standard input, and with the broker.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from typing import Any, BinaryIO

import pyarrow as pa

from workspace_ext.foundation.errors import InvestigationError, LimitExceeded
from workspace_ext.inquiry.steps.contract import apply
from workspace_ext.inquiry.steps.job import StepJob
from workspace_ext.inquiry.steps.registry import find
from workspace_ext.telemetry.query.job import ENDING_KEY, Ending
from workspace_ext.telemetry.query.model import BATCH_ROWS

_LOOK_SECONDS = 1.0

_RAN: set[str] = set()
"""The steps that ran in this process: the first time, what they import takes longest."""


def main() -> None:
    """Runs jobs until there are no more."""
    limit = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with_broker, args=(os.getppid(),), daemon=True).start()
    source, out = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        _answer(line, source, out)
        out.flush()


def _end_with_broker(parent: int) -> None:
    never = threading.Event()
    while os.getppid() == parent:
        never.wait(_LOOK_SECONDS)
    os._exit(1)


def _answer(line: bytes, source: BinaryIO, out: BinaryIO) -> None:
    begun, ran_before = time.process_time(), False
    error: InvestigationError | None = None
    schema, result = pa.schema([]), None
    try:
        job = StepJob.from_line(line)
        with pa.ipc.open_stream(source) as rows:
            table = rows.read_all()
        schema = job.returns
        ran_before = job.step in _RAN
        _RAN.add(job.step)
        result = apply(find(job.step), table, job.params, job.returns, of=job.template)
        error = _too_many(result, job)
    except MemoryError:  # Arrow's own is one
        error = LimitExceeded(
            "the step ran out of memory",
            hint="narrow the time window, or ask for fewer services",
            code="memory_limit",
        )
    except InvestigationError as failure:
        error = failure
    told = error.to_dict() if error else None
    ending = Ending(error=told, seconds=time.process_time() - begun if ran_before else None)
    _write(out, schema, None if error else result, ending)


def _too_many(result: pa.Table, job: StepJob) -> InvestigationError | None:
    if result.num_rows <= job.rows:
        return None
    return LimitExceeded(
        f"{job.template}: its step {job.step} gave more than {job.rows:,} rows",
        hint="narrow the time window, or ask for fewer services",
        code="row_limit",
    )


def _write(out: BinaryIO, schema: pa.Schema, result: Any, ending: Ending) -> None:
    with pa.ipc.new_stream(out, schema) as writer:
        if result is not None:
            writer.write_table(result, max_chunksize=BATCH_ROWS)
        nothing = [pa.nulls(0, kind) for kind in schema.types]
        writer.write_batch(
            pa.RecordBatch.from_arrays(nothing, schema=schema),
            custom_metadata={ENDING_KEY: ending.to_bytes()},
        )


if __name__ == "__main__":
    main()
