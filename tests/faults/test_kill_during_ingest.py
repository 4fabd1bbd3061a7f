"""kill -9 while files are ingested: what was reported is there, no file is there by half."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.store import INCIDENT, open_store
from workspace_ext.client.discovery import connect
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.storage.folder import StoreFolder

WRITER = """
import json, sys
from pathlib import Path
from tests.support.store import INCIDENT, open_store

stop_in, stop_at = sys.argv[2], sys.argv[3]
def wait(where):
    print(json.dumps({"at": where}), flush=True)
    sys.stdin.readline()

with open_store(Path(sys.argv[1])) as store:
    for name in ("frontend", "metrics", "logs", "spans"):
        def progress(done, total):
            if name == stop_in and stop_at == "inside":
                wait("inside")
        mapping = (INCIDENT / f"{name}.mapping.yaml").read_text()
        report = store.service.ingest(
            INCIDENT / f"{name}.parquet", mapping=mapping, progress=progress
        )
        print(json.dumps(report.to_dict()), flush=True)
        if name == stop_in and stop_at == "after":
            wait("after")
"""

WHOLE = {
    "frontend.parquet": {"metrics": 85},
    "metrics.parquet": {"metrics": 14405},
    "logs.parquet": {"logs": 8353},
    "spans.parquet": {"spans": 15861},
}


def write_and_kill(path: Path, stop_in: str, stop_at: str) -> list[dict]:
    """Runs the writer until it says that it is there, and kills it; the reports it gave."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), stop_in, stop_at],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    reports = []
    for line in child.stdout:
        said = json.loads(line)
        if said.get("at") == stop_at:
            break
        reports.append(said)
    child.kill()
    child.communicate()
    return reports


def assert_whole(path: Path, reports: list[dict]) -> None:
    """All reported files are there and each file that is there is whole; the rest can follow."""
    with open_store(path) as store:
        batches = {batch["name"]: batch for batch in store.catalog.batches()}
        assert {report["name"] for report in reports} <= set(batches)
        rows = {
            (signal, batch_id): count
            for signal in ("spans", "logs", "metrics")
            for batch_id, count in store.rows(f"SELECT batch_id, count(*) FROM {signal} GROUP BY 1")
        }
        expected = {
            (signal, batch["batch_id"]): count
            for name, batch in batches.items()
            for signal, count in WHOLE[name].items()
        }
        assert rows == expected
        assert all(batch["rows"] == WHOLE[name] for name, batch in batches.items())
        for name in ("frontend", "metrics", "logs", "spans"):
            report = store.demo(name)
            assert report.already == (report.name in batches)
            assert report.rows == WHOLE[report.name]


@pytest.mark.parametrize("stop_at", ["inside", "after"])
@pytest.mark.parametrize("stop_in", ["metrics", "spans"])
def test_killed(tmp_path: Path, stop_in: str, stop_at: str) -> None:
    reports = write_and_kill(tmp_path / "store", stop_in, stop_at)
    names = ["frontend.parquet", "metrics.parquet", "logs.parquet", "spans.parquet"]
    expected = names.index(f"{stop_in}.parquet") + (stop_at == "after")
    assert [report["name"] for report in reports] == names[:expected]
    assert_whole(tmp_path / "store", reports)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_killed_at_no_chosen_moment(tmp_path: Path, after: int) -> None:
    """The writer does not wait: the kill lands anywhere in the next file, its commit included."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "store"), "", ""],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    reports = [json.loads(child.stdout.readline()) for _ in range(after)]
    os.kill(child.pid, signal.SIGKILL)
    rest, _ = child.communicate()
    reports += [json.loads(line) for line in rest.splitlines() if line.endswith("}")]
    assert_whole(tmp_path / "store", reports)


@pytest.mark.parametrize("after", ["frontend", "metrics", "logs"])
def test_the_broker_killed(tmp_path: Path, after: str) -> None:
    """The broker's clients send files one after another; the kill lands in the next one."""
    store = tmp_path / "store"
    reports = []
    StoreFolder.create(store)
    with connect(store, linger=1) as client:
        pid = json.loads((store / "broker.json").read_text())["pid"]

        def send() -> None:
            with suppress(InvestigationError):
                for name in ("frontend", "metrics", "logs", "spans"):
                    mapping = (INCIDENT / f"{name}.mapping.yaml").read_text()
                    report = client.ingest(INCIDENT / f"{name}.parquet", mapping=mapping)
                    reports.append(report)
                    if name == after:
                        reported.set()

        reported = threading.Event()
        sender = threading.Thread(target=send)
        sender.start()
        assert reported.wait(60)
        died = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        assert select.select([died], [], [], 60)[0]
        os.close(died)
        sender.join()
    assert_whole(store, reports)
