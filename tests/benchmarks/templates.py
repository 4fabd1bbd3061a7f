"""Every template over an hour of a large store: warm, cold, and beside the same SQL in-process.

The store has a day of spans, log lines, metric points and events, made once by DuckDB through the
real schema: at ``INVESTIGATION_SCALE`` 1.0 20 million spans, 20 million lines, 50 million points
(0.05 when not given). ``INVESTIGATION_STORE`` keeps it; ``INVESTIGATION_HOURS=12.5-15.25`` makes
only that part of the day, for who has no time for the rest. Questions look at one hour, the hour
before is the baseline: at full scale 1.7 million spans, as many lines and 4.2 million points. What
other programs on the machine do shows in the seconds, hardly in those of the processors, which
standard error has.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.benchmarks.ingest import memory_bytes
from tests.benchmarks.table import Row
from tests.benchmarks.transport import in_process
from tests.support.large_store import DAY, make
from tests.support.live import receiver
from workspace_ext.foundation.clock import Window, to_rfc3339
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.model import BindContext, Template

SCALE = float(os.environ.get("INVESTIGATION_SCALE", "0.05"))
FIRST_HOUR, LAST_HOUR = map(float, os.environ.get("INVESTIGATION_HOURS", "0-24").split("-"))
HOUR_NS = 3_600_000_000_000
WINDOW = Window(DAY.start_ns + 14 * HOUR_NS, DAY.start_ns + 15 * HOUR_NS)
TIMES = 3
MOST_WARM_SECONDS = 1.0
MOST_COLD_SECONDS = 3.0
MOST_RATIO = 1.2
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
    values = dict(template.bind({}, BindContext(WINDOW, WINDOW.before())).values)
    with open_store(Path(copy)) as store, store.engine.cursor() as cursor:
        cursor.execute(f"SET VARIABLE pin = {store.catalog.pin()}::BIGINT")
        begun = time.perf_counter()
        cursor.execute(template.sql, values).to_arrow_table()
        return time.perf_counter() - begun


def run() -> list[Row]:
    """All templates."""
    kept = os.environ.get("INVESTIGATION_STORE")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(kept) if kept else Path(name) / "store"
        make(folder, SCALE, (FIRST_HOUR, LAST_HOUR))
        copy = Path(name) / "copy"
        ours, plain, colds = {}, {}, {}
        with in_process(folder, copy) as cursor:
            for template in library():
                values = dict(template.bind({}, BindContext(WINDOW, WINDOW.before())).values)
                seconds, worked = [], []
                for _ in range(TIMES + 1):
                    begun, processor = time.perf_counter(), time.process_time()
                    cursor.execute(template.sql, values).to_arrow_table()
                    seconds.append(time.perf_counter() - begun)
                    worked.append(time.process_time() - processor)
                plain[template.id] = median(seconds[1:])
                print(
                    f"{template.id}: {plain[template.id]:.3f} s,"
                    f" {median(worked[1:]):.3f} s of the processors",
                    file=sys.stderr,
                    flush=True,
                )
        for template in library():
            colds[template.id] = cold(copy, template)
        shutil.rmtree(copy)
        with receiver(folder) as broker:
            for template in library():
                seconds = []
                for turn in range(TIMES + 1):
                    # never twice the same question, so that no answer comes from what was kept
                    window = {
                        "start": to_rfc3339(WINDOW.start_ns),
                        "end": to_rfc3339(WINDOW.end_ns - turn * 1000),
                    }
                    begun = time.perf_counter()
                    broker.client.query({"template": template.id, "params": {"window": window}})
                    seconds.append(time.perf_counter() - begun)
                ours[template.id] = median(seconds[1:])
            memory = memory_bytes(broker.process.pid)
    rows = []
    for name, seconds_ours in ours.items():
        what = f"{name}, scale {SCALE:g}"
        rows.append(Row(what, "the same SQL", seconds_ours, plain[name], "ratio", MOST_RATIO))
        rows.append(Row(f"{what}, warm", "-", plain[name], 0.0, "absolute", MOST_WARM_SECONDS))
        rows.append(Row(f"{what}, cold", "-", colds[name], 0.0, "absolute", MOST_COLD_SECONDS))
    most = Row("memory of the broker", "-", memory / 1e6, 0.0, "absolute", MOST_MEMORY_MB, "MB")
    return [*rows, most]
