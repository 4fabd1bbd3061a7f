"""A worker: runs one free query in a process of its own, then ends.

``python -m workspace_ext.telemetry.query.worker ADDRESS_SPACE_MB``. It reads its `Job` from its
standard input and writes Arrow to standard output. It has no store, only the segments; it may
not read anything else, nor use more memory than it was given. When standard input ends, so does it:
the broker is gone.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from typing import BinaryIO

import duckdb
import pyarrow as pa

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.foundation.priority import yield_with_all_threads
from workspace_ext.telemetry.query.failures import explain_query, row_limit
from workspace_ext.telemetry.query.job import ENDING_KEY, Ending, Job
from workspace_ext.telemetry.query.model import Scan
from workspace_ext.telemetry.query.scan import PlanReader
from workspace_ext.telemetry.query.syntax import Parser
from workspace_ext.telemetry.query.trusted import open_reader
from workspace_ext.telemetry.schema import SIGNALS, Signal, visible

_LOOK_SECONDS = 0.05
_YIELDS = ((1.5, 5), (4.5, 5))
"""After so many seconds of the processors it yields so much more: one that never ends would take as
much of them as all short questions together."""


def main() -> None:
    """Runs one job."""
    limit = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    plans = PlanReader(Parser())
    line = sys.stdin.buffer.readline()
    if not line:
        return
    threading.Thread(target=_end_with_broker, daemon=True).start()
    job = Job.from_line(line)
    threading.Thread(target=_yield_to_short_ones, args=(job.threads,), daemon=True).start()
    _answer(job, plans, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing to tidy: no file is open for writing, the spill folder is the broker's


def _end_with_broker() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _yield_to_short_ones(threads: int) -> None:
    begun = time.process_time()
    for seconds, nice in _YIELDS:
        while (left := begun + seconds - time.process_time()) > 0:
            time.sleep(max(left / threads, _LOOK_SECONDS))
        yield_with_all_threads(nice=nice)


def _answer(job: Job, plans: PlanReader, out: BinaryIO) -> None:
    writer, schema = None, pa.schema([])
    error: InvestigationError | None = None
    scan: tuple[Scan, ...] = ()
    try:
        scan = plans.scan(job.sql, job.values)
        reader = open_reader(_database(job), job.sql, job.values)
        schema = reader.schema
        writer = pa.ipc.new_stream(out, schema)
        rows = 0
        for batch in reader:
            rows += batch.num_rows
            if rows > job.rows:
                raise row_limit(job.rows)
            writer.write_batch(batch)
    except (InvestigationError, duckdb.Error, pa.ArrowException, MemoryError) as failure:
        error = explain_query(failure)
    if writer is None:
        writer = pa.ipc.new_stream(out, schema)
    ending = Ending(scan, error.to_dict() if error else None)
    nothing = [pa.nulls(0, kind) for kind in schema.types]
    empty = pa.RecordBatch.from_arrays(nothing, schema=schema)
    writer.write_batch(empty, custom_metadata={ENDING_KEY: ending.to_bytes()})
    writer.close()


def _database(job: Job) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={
            "memory_limit": f"{job.memory_mb}MiB",
            "max_temp_directory_size": f"{job.spill_mb}MiB",
            "temp_directory": job.spill,
            "threads": job.threads,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET VARIABLE pin = {int(job.pin)}::BIGINT")
    connection.execute(f"SET allowed_directories = [{_quoted(job.folder)}]")
    connection.execute("SET enable_external_access = false")
    for signal in SIGNALS.values():
        connection.execute(_view(signal, job.segments.get(signal.name) or []))
    connection.execute("SET lock_configuration = true")
    return connection


def _view(signal: Signal, segments: list[str]) -> str:
    names = ", ".join((*signal.names, "batch_id"))
    if segments:
        files = ", ".join(_quoted(path) for path in segments)
        return (
            f"CREATE VIEW {signal.name} AS SELECT {names} FROM read_parquet([{files}])"  # noqa: S608
            f" {visible(signal)}"
        )
    columns = (*signal.columns, ("batch_id", "BIGINT"))
    empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns)
    return f"CREATE VIEW {signal.name} AS SELECT {empty} WHERE false"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    main()
