"""Every template over an hour of a large store: warm, cold, and beside the same SQL in-process.

The store has a day of spans, log lines, metric points and events, made once by DuckDB through the
real schema: at ``INVESTIGATION_SCALE`` 1.0 20 million spans, 20 million lines, 50 million points
(0.05 when not given). ``INVESTIGATION_STORE`` keeps it; ``INVESTIGATION_HOURS=12.5-15.25`` makes
only that part of the day, for who has no time for the rest. Questions look at one hour, the hour
before is the baseline: at full scale 1.7 million spans, as many lines and 4.2 million points. What
other programs on the machine do shows in the seconds, hardly in those of the processors, which
standard error has. Where a template has a step in Python, what the broker takes is compared with
SQL and step in one process.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb
import pyarrow as pa

from tests.benchmarks.ingest import memory_bytes
from tests.benchmarks.table import Row
from tests.benchmarks.transport import in_process
from tests.support.large_store import DAY, make
from tests.support.live import receiver
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.clock import Window, to_rfc3339
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.stepping import after

SCALE = float(os.environ.get("INVESTIGATION_SCALE", "0.05"))
FIRST_HOUR, LAST_HOUR = map(float, os.environ.get("INVESTIGATION_HOURS", "0-24").split("-"))
HOUR_NS = 3_600_000_000_000
WINDOW = Window(DAY.start_ns + 14 * HOUR_NS, DAY.start_ns + 15 * HOUR_NS)
TIMES = 5
MOST_WARM_SECONDS = 1.0
MOST_COLD_SECONDS = 3.0
MOST_RATIO = 1.2
MOST_MORE_SECONDS = 0.005
MOST_MEMORY_MB = 2_147.5


def library() -> list[Template]:
    """What needs no more than a window."""
    every = TemplateLibrary(default_paths()).list()
    return [each for each in every if not any(param.required for param in each.params.values())]


def cold(copy: Path, template: Template) -> float:
    """Seconds of the first question of a process that has just opened the store."""
    code = f"from {__name__} import first; print(first({str(copy)!r}, {template.id!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def first(copy: str, name: str) -> float:
    """Asks once, in this process."""
    from tests.support.store import open_store

    template = TemplateLibrary(default_paths()).get(name)
    values = dict(bind(template, {}, BindContext(WINDOW, WINDOW.before())).values)
    with open_store(Path(copy)) as store, store.engine.cursor() as cursor:
        cursor.execute(f"SET VARIABLE pin = {store.catalog.pin()}::BIGINT")
        begun = time.perf_counter()
        cursor.execute(template.sql, values).to_arrow_table()
        return time.perf_counter() - begun


def by_turns(*asks: Callable[[int], object]) -> list[tuple[float, float]]:
    """Median seconds of each, by the clock and of this process, so that a busy moment hits all.

    The first turn is left out.
    """
    seconds: list[list[float]] = [[] for _ in asks]
    worked: list[list[float]] = [[] for _ in asks]
    for turn in range(TIMES + 1):
        for ask, clock, processors in zip(asks, seconds, worked, strict=True):
            begun, processor = time.perf_counter(), time.process_time()
            ask(turn)
            if turn:
                clock.append(time.perf_counter() - begun)
                processors.append(time.process_time() - processor)
    return [(median(clock), median(used)) for clock, used in zip(seconds, worked, strict=True)]


def warm(
    cursor: duckdb.DuckDBPyConnection, client: BrokerClient, template: Template
) -> tuple[float, float, float | None]:
    """Seconds of a question through the broker, of its SQL, and of its SQL and step if it has one.

    Never twice the same question, so that no answer comes from what was kept.
    """
    bound = bind(template, {}, BindContext(WINDOW, WINDOW.before()))
    values = dict(bound.values)

    def through_broker(turn: int) -> object:
        window = {
            "start": to_rfc3339(WINDOW.start_ns),
            "end": to_rfc3339(WINDOW.end_ns - turn * 1000),
        }
        return client.query({"template": template.id, "params": {"window": window}})

    def in_one_process(_turn: int) -> pa.Table:
        return cursor.execute(template.sql, values).to_arrow_table()

    def with_step(turn: int) -> pa.Table:
        return after(template, in_one_process(turn), bound.arguments)

    asks = [through_broker, in_one_process, *([with_step] if template.step else [])]
    (ours, _), (plain, worked), *stepped = by_turns(*asks)
    print(f"{template.id}: {plain:.3f} s, {worked:.3f} s of the processors", file=sys.stderr)
    return ours, plain, stepped[0][0] if stepped else None


def beside(what: str, ours: float, plain: float, stepped: float | None) -> Row:
    """A question through the broker beside what it is compared with.

    A fifth of what takes a few milliseconds is less than any way to another process; there the
    bound is a few more.
    """
    reference = "the same SQL" if stepped is None else "the same SQL and step"
    taken = plain if stepped is None else stepped
    if taken * (MOST_RATIO - 1) < MOST_MORE_SECONDS:
        return Row(what, reference, ours, taken, "difference", MOST_MORE_SECONDS)
    return Row(what, reference, ours, taken, "ratio", MOST_RATIO)


def run() -> list[Row]:
    """All templates."""
    kept = os.environ.get("INVESTIGATION_STORE")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(kept) if kept else Path(name) / "store"
        make(folder, SCALE, (FIRST_HOUR, LAST_HOUR))
        copy = Path(name) / "copy"
        with in_process(folder, copy) as cursor, receiver(folder) as broker:
            warms = {each.id: warm(cursor, broker.client, each) for each in library()}
            memory = memory_bytes(broker.process.pid)
        colds = {each.id: cold(copy, each) for each in library()}
    rows = []
    for name, (ours, plain, stepped) in warms.items():
        what = f"{name}, scale {SCALE:g}"
        rows.append(beside(what, ours, plain, stepped))
        rows.append(Row(f"{what}, warm", "-", plain, 0.0, "absolute", MOST_WARM_SECONDS))
        rows.append(Row(f"{what}, cold", "-", colds[name], 0.0, "absolute", MOST_COLD_SECONDS))
    most = Row("memory of the broker", "-", memory / 1e6, 0.0, "absolute", MOST_MEMORY_MB, "MB")
    return [*rows, most]
