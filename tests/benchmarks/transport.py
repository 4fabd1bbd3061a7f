"""What the way through the broker costs: the same SQL on the same data, in-process.

A small question waits for its record to be on disk, and for other programs. What it takes of the
processors, which hardly depends on those, is told on standard error.
"""

import itertools
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import Any

import duckdb

from tests.benchmarks.ingest import cpu_seconds
from tests.benchmarks.table import Row, alternate
from tests.support.broker import broker, load_demo
from tests.support.live import Receiver, receiver
from tests.support.spans import add_batch
from tests.support.store import open_store
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.clock import Window, to_rfc3339
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.protocol.messages import QueryRequest
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.catalog.service import Catalog
from workspace_ext.telemetry.ingest.incident import incident_folder, load_incident
from workspace_ext.telemetry.migrations import MIGRATIONS

ROWS = 1_000_000
SMALL_TIMES = 100
LARGE_TIMES = 5

LARGE = """/*---
id: bench.rows
version: 1
title: Many rows
question: What are the spans?
status: stable
params:
  window: {type: window}
returns:
  time: TIMESTAMP WITH TIME ZONE
  time_ns: BIGINT
  duration_ns: BIGINT
  trace_id: VARCHAR
  span_id: VARCHAR
  name: VARCHAR
  service: VARCHAR
  status: VARCHAR
  batch_id: BIGINT
  ms: DOUBLE
interesting: "ms > 1e9"
---*/
SELECT time, time_ns, duration_ns, trace_id, span_id, name, service, status, batch_id,
       duration_ns / 1e6 AS ms
FROM spans WHERE time >= $window_start AND time < $window_end
ORDER BY time
"""
LARGE_WINDOW = Window.parse("2024-05-01T00:00:00Z/2024-06-01T00:00:00Z")
SMALL = "triage.overview"


@contextmanager
def in_process(store: Path, copy: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a copy of a store, since its broker holds the store itself; same pin."""
    folder = StoreFolder.create(copy)
    shutil.copy(StoreFolder.open(store).telemetry, folder.telemetry)
    engine = TelemetryEngine(folder, MIGRATIONS)
    try:
        with engine.cursor() as cursor:
            cursor.execute(f"SET VARIABLE pin = {Catalog(engine).pin()}::BIGINT")
            yield cursor
    finally:
        engine.close()


def bound(store: Path, name: str, window: Window, baseline: Window | None = None) -> Any:
    """A template's SQL and values."""
    template = TemplateLibrary(default_paths(store)).get(name)
    return template.sql, dict(bind(template, {}, BindContext(window, baseline)).values)


def small(serving: Receiver, cursor: duckdb.DuckDBPyConnection) -> list[Row]:
    """A template of the demo, with a small result; never twice with the same parameters."""
    client = serving.client
    incident = load_incident(incident_folder("trainticket"))
    window = incident.window
    uid = client.investigations()[0]["uid"]
    sql, values = bound(serving.folder, SMALL, window, incident.baseline)
    microseconds = itertools.count(1000, 1000)

    def ask() -> None:
        end = to_rfc3339(window.end_ns - next(microseconds))
        params = {"window": {"start": to_rfc3339(window.start_ns), "end": end}}
        client.query({"template": SMALL, "params": params, "investigation": uid})

    def again() -> None:
        client.query({"template": SMALL, "investigation": uid})

    def reference() -> None:
        cursor.execute(sql, values).to_arrow_table()

    what = f"template with a small result ({SMALL})"
    rows = [
        Row(f"{what}, new", "in-process", *measure(ask, reference), "difference", 0.005),
        Row(f"{what}, again", "in-process", *measure(again, reference), "difference", 0.005),
    ]
    ours, plain = (worked(serving.process.pid, run) for run in (ask, reference))
    print(f"{what}: {ours:.1f} ms of the processors, in-process {plain:.1f} ms", file=sys.stderr)
    return rows


def worked(pid: int, run: Callable[[], None]) -> float:
    """Milliseconds of the processors that a call takes in this process and the broker's."""
    begun = process_time() + cpu_seconds(pid)
    for _ in range(SMALL_TIMES):
        run()
    return (process_time() + cpu_seconds(pid) - begun) / SMALL_TIMES * 1000


def measure(ours: Any, reference: Any) -> tuple[float, float]:
    """Medians of many turns."""
    return alternate(ours, reference, times=SMALL_TIMES)


def large(client: BrokerClient, cursor: duckdb.DuckDBPyConnection, store: Path) -> list[Row]:
    """A million rows, to pandas and to Arrow."""
    sql, values = bound(store, "bench.rows", LARGE_WINDOW)
    request: QueryRequest = {
        "template": "bench.rows",
        "params": {"window": LARGE_WINDOW.to_dict()},
    }

    def relation() -> Any:
        return cursor.sql(sql, params=values)

    def ask() -> Any:
        return client.query(request).table

    to_pandas = alternate(
        lambda: ask().to_pandas(),
        lambda: relation().df(),
        times=LARGE_TIMES,
    )
    to_arrow = alternate(
        ask,
        lambda: relation().to_arrow_table(),
        times=LARGE_TIMES,
    )
    what = f"{ROWS:,} rows x 10 columns"
    return [
        Row(f"{what} to pandas", "in-process `.df()`", *to_pandas, "ratio", 1.0),
        Row(f"{what} to Arrow", "in-process `.to_arrow_table()`", *to_arrow, "ratio", 2.5),
    ]


def run() -> list[Row]:
    """Small and large results."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        with broker(root / "demo") as client:
            load_demo(client)
        with (
            in_process(root / "demo", root / "demo copy") as cursor,
            receiver(root / "demo") as serving,
        ):
            rows = small(serving, cursor)
        with open_store(root / "many") as store:
            add_batch(store, rows=ROWS)
            path = store.folder.templates / "bench" / "rows.sql"
            path.parent.mkdir()
            path.write_text(LARGE)
        with (
            in_process(root / "many", root / "many copy") as cursor,
            broker(root / "many") as client,
        ):
            rows += large(client, cursor, root / "many")
    return rows
