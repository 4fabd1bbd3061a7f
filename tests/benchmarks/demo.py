"""How long a new user waits: the headless demo, and the first useful table in it."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.table import Row
from workspace_ext.telemetry.ingest.incident import incident_folder

COMMAND = [sys.executable, "-m", "jupyter", "investigation"]


def run() -> list[Row]:
    """Two waits, from an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        started = time.perf_counter()
        demo = [*COMMAND, "demo", "--headless", "--dir", str(Path(name) / "demo"), "--json"]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
        headless = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "store"
        incident = incident_folder("trainticket")
        started = time.perf_counter()
        subprocess.run([*COMMAND, "init", str(store)], check=True, stdout=subprocess.DEVNULL)
        for files in ("spans", "logs", "metrics"):
            ingest = [*COMMAND, "ingest", "--store", str(store)]
            ingest += map(str, sorted(incident.glob(f"{files}*.parquet")))
            subprocess.run(ingest, check=True, stdout=subprocess.DEVNULL)
        query = [*COMMAND, "query", "--store", str(store), "--sql"]
        query.append("SELECT service, count(*) AS n FROM spans GROUP BY ALL ORDER BY n DESC")
        subprocess.run(query, check=True, stdout=subprocess.DEVNULL)
        table = time.perf_counter() - started
    return [
        Row("headless demo: load, run, archive, replay", "-", headless, 0.0, "absolute", 90.0),
        Row("empty folder to first table, from the shell", "-", table, 0.0, "absolute", 60.0),
    ]
