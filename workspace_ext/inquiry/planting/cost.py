"""Cost: what a template takes over an hour of a day with ten million rows.

Asked warm, on two threads and with a limited memory, as a broker would ask; what is told is the
time of the SQL alone, and how many rows it read: one that reads much more than its windows hold
does not filter its scans by time. Judged is the time of the processors, which says the same on a
busy machine.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.planting.bulk import DAY, fill
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.check import CheckResult, files_of
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.lint import sample
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.telemetry.migrations import MIGRATIONS

SPANS, LINES, POINTS = 4_000_000, 3_000_000, 3_000_000
THREADS = 2
MOST_SECONDS = 1.0
"""With all threads at work."""
MEMORY = "1GB"
_HOUR_NS = 3_600_000_000_000
_WINDOW = Window(DAY.start_ns + 14 * _HOUR_NS, DAY.start_ns + 15 * _HOUR_NS)
_TIMES = 3


@dataclass(frozen=True)
class Cost:
    """What a question takes.

    Attributes:
        seconds: By the clock.
        worked: Seconds of the processors.
        rows: Those that its scans read.
        memory: Bytes at most.
    """

    seconds: float
    worked: float
    rows: int
    memory: int


def costs(paths: Iterable[Path], *, scale: float = 1.0) -> Iterator[CheckResult]:
    """Asks templates over a store that is made for it, which takes about a minute.

    Args:
        paths: Template files, or folders that are searched for them.
        scale: Of ten million rows.

    Raises:
        NotFound: A path is not there, or no template is under it.
    """
    files = list(files_of(paths))
    with tempfile.TemporaryDirectory() as folder:
        store = _made(Path(folder) / "cost.duckdb", scale)
        try:
            rows = round((SPANS + LINES + POINTS) * scale)
            for path in files:
                name = f"{path.parent.name}.{path.stem}"
                case = f"cost on {rows:,} rows"
                try:
                    found = cost(store, parse(path.read_bytes(), path))
                except (BadInput, duckdb.Error) as error:
                    yield CheckResult(name, path, None, case, ok=False, message=str(error))
                    continue
                told = (
                    f"{found.seconds:.2f} s, {found.worked:.2f} s of the processors,"
                    f" {found.memory / 1e6:.0f} MB, {found.rows:,} rows read"
                )
                most = THREADS * MOST_SECONDS
                good = found.worked <= most
                more = "" if good else f"; the processors must not work longer than {most:g} s"
                yield CheckResult(name, path, None, case, ok=good, message=told + more)
        finally:
            store.close()


def cost(store: duckdb.DuckDBPyConnection, template: Template) -> Cost:
    """What a template's SQL takes; its times are the best of three.

    Raises:
        BadInput: The template cannot be bound.
        duckdb.Error: Its SQL fails, also for want of memory.
    """
    required = {name: sample(p) for name, p in template.params.items() if p.required}
    values = dict(bind(template, required, BindContext(_WINDOW, _WINDOW.before())).values)
    seconds, worked = [], []
    for _ in range(_TIMES):
        begun, processor = time.perf_counter(), time.process_time()
        store.execute(template.sql, values).to_arrow_table()
        seconds.append(time.perf_counter() - begun)
        worked.append(time.process_time() - processor)
    store.execute("PRAGMA enable_profiling='no_output'")
    try:
        store.execute(template.sql, values).fetchall()  # only so it leaves a profile
        told = json.loads(store.get_profiling_information(format="json"))
    finally:
        store.execute("PRAGMA disable_profiling")
    query, system = told.get("query", told), told.get("system", told)  # flat before DuckDB 2
    rows = query.get("total_rows_scanned", query.get("cumulative_rows_scanned", 0))
    memory = system.get("peak_buffer_memory", system.get("system_peak_buffer_memory", 0))
    return Cost(min(seconds), min(worked), int(rows), int(memory))


def _made(path: Path, scale: float) -> duckdb.DuckDBPyConnection:
    store = duckdb.connect(str(path), config={"threads": THREADS, "memory_limit": MEMORY})
    store.execute("SET TimeZone='UTC'")
    store.execute("SET enable_progress_bar=false")
    for migration in MIGRATIONS:
        store.execute(migration.sql)
    fill(store, *(round(count * scale) for count in (SPANS, LINES, POINTS)))
    store.execute("CHECKPOINT")
    store.execute("SET VARIABLE pin = 9223372036854775807")
    return store
