"""The hearts of five templates beside chdb, polars and plain pandas, over an hour and its baseline.

Ours is DuckDB over the guarded views of the large store, as templates run; the peers read Parquet
files of the same rows, sorted by time. They come from PyPI into an environment of their own, made
for this run unless ``INVESTIGATION_PEERS`` names its Python: they are never dependencies. Answers
must agree in their number of rows and sum of counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from statistics import median

import duckdb

from tests.benchmarks import peer_queries
from tests.benchmarks.table import Row
from tests.benchmarks.templates import FIRST_HOUR, LAST_HOUR, SCALE, WINDOW
from tests.support.large_store import make
from tests.support.store import open_store

PEERS = ("chdb", "polars", "pandas", "pyarrow")
FILES = {
    "spans": "time, duration_ns, trace_id, span_id, parent_span_id, service, name, kind, status",
    "logs": "time, service, severity, body, trace_id",
    "metrics": "time, service, pod, name, value",
}
MOST_RATIO = 1.0
"""Ours over theirs."""


def environment(folder: Path) -> Path:
    """A Python that has the peers."""
    given = os.environ.get("INVESTIGATION_PEERS")
    if given:
        return Path(given)
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def export(cursor: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, str]:
    """Writes the files. Row groups as `telemetry.query.segments` has them."""
    found = {}
    for name, columns in FILES.items():
        found[name] = str(folder / f"{name}.parquet")
        cursor.execute(
            f"COPY (SELECT {columns} FROM {name} ORDER BY time) TO '{found[name]}'"
            " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)"
        )
    return found


def ours(cursor: duckdb.DuckDBPyConnection, start: int, end: int) -> dict[str, dict]:
    """Each question's seconds and answer."""
    found = {}
    tables = {name: name for name in FILES}
    for name, text in peer_queries.filled("duckdb", tables, start, end).items():

        def ask(text: str = text) -> tuple[int, int]:
            table = cursor.execute(text).to_arrow_table()
            return table.num_rows, sum(table["n"].to_pylist())

        found[name] = peer_queries.timed(ask)
    return found


def run() -> list[Row]:
    """Ours, then each peer."""
    start, end = WINDOW.start_ns // 1000, WINDOW.end_ns // 1000
    kept = os.environ.get("INVESTIGATION_STORE")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(kept) if kept else Path(name) / "store"
        make(folder, SCALE, (FIRST_HOUR, LAST_HOUR))
        python = environment(Path(name) / "peers")
        with open_store(folder) as store, store.engine.cursor() as cursor:
            cursor.execute(f"SET VARIABLE pin = {store.catalog.pin()}::BIGINT")
            files = export(cursor, Path(name))
            mine = ours(cursor, start, end)
        script = str(Path(peer_queries.__file__))
        arguments = [*files.values(), str(start), str(end)]
        done = subprocess.run(
            [python, script, *arguments], stdout=subprocess.PIPE, text=True, check=True
        )
    rows = []
    for peer, answers in json.loads(done.stdout).items():
        for name, theirs in answers.items():
            assert theirs["answer"] == mine[name]["answer"], (peer, name, theirs, mine[name])
            both = (mine[name], theirs)
            figures = (median(each["seconds"][1:]) for each in both)
            worked = [median(each["processor"][1:]) for each in both]
            what = f"heart of {name}, scale {SCALE:g}"
            rows.append(Row(what, f"{peer} on Parquet", *figures, "ratio", MOST_RATIO))
            print(
                f"{name}, processor: {worked[0]:.2f} s, {peer} {worked[1]:.2f} s,"
                f" {worked[0] / worked[1]:.2f} x",
                file=sys.stderr,
            )
    return rows
