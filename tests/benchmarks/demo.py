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
    """From an empty folder to the demo's end, and to a first table; an archive and its replay."""
    with tempfile.TemporaryDirectory() as name:
        started = time.perf_counter()
        demo = [*COMMAND, "demo", "--headless", "--dir", str(Path(name) / "demo"), "--json"]
        subprocess.run(demo, check=True, stdout=subprocess.DEVNULL)
        headless = time.perf_counter() - started
        archive = _archive(Path(name) / "demo")
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
        *archive,
        Row("empty folder to first table, from the shell", "-", table, 0.0, "absolute", 60.0),
    ]


def _archive(demo: Path) -> list[Row]:
    """The demo frozen and replayed, each by its command, the broker's start included."""
    path = demo / "again.zip"
    notebook, store = demo / "trainticket.ipynb", demo / ".investigation"
    started = time.perf_counter()
    freeze = [*COMMAND, "archive", str(notebook), "--store", str(store), "-o", str(path)]
    subprocess.run(freeze, check=True, stdout=subprocess.DEVNULL)
    frozen = time.perf_counter() - started
    started = time.perf_counter()
    subprocess.run([*COMMAND, "replay", str(path)], check=True, stdout=subprocess.DEVNULL)
    replayed = time.perf_counter() - started
    return [
        Row("archive of the demo, broker's start included", "-", frozen, 0.0, "absolute", 5.0),
        Row("replay of the demo's archive", "-", replayed, 0.0, "absolute", 60.0),
    ]
