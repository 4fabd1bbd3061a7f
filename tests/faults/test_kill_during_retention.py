"""kill -9 while data is removed: what is gone is noted, what is needed stays, no copy is stale."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

from tests.support.processes import started
from tests.support.spans import ROWS, add_batch
from tests.support.store import Store, open_store
from workspace_ext.telemetry.query.segments import Segments

BATCHES = 12
NEEDED = 300

REMOVER = """
import sys
from pathlib import Path
from tests.support.store import open_store
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import Window, now_ns, parse_rfc3339
from workspace_ext.telemetry.retention.model import Policy, Spared
from workspace_ext.telemetry.retention.service import RetentionService

start = parse_rfc3339("2024-05-01T10:05:00Z")
needed = [Spared("spans", (Window(start, start + 600 * 10**9),), 1, "a test")]
with open_store(Path(sys.argv[1])) as store:
    late = lambda: now_ns() + 2 * 86400 * 10**9
    service = RetentionService(store.engine, lambda _: needed, clock=late, step_rows=50)
    print("ready", flush=True)
    service.apply(Policy(older_than="1d"), Actor("user", "alice"))
    print("done", flush=True)
"""


def check(store: Store) -> int:
    """Whether all is accounted for; how many spans are left."""
    for signal in ("spans", "logs"):
        left = store.rows(f"SELECT count(*) FROM {signal}")[0][0]
        with store.engine.cursor() as cursor:
            noted = cursor.execute(
                "SELECT coalesce(sum(rows), 0)::BIGINT FROM raw.removals WHERE signal = $1",
                [signal],
            ).fetchall()[0][0]
        assert left + noted == BATCHES * ROWS
    needed = store.rows(
        "SELECT count(*) FROM spans WHERE batch_id = 1 AND time >= TIMESTAMPTZ '2024-05-01T10:05Z'"
    )
    assert needed == [(NEEDED,)]
    segments = Segments(store.engine)
    with segments.upto(BATCHES) as found:
        copied = sum(pq.read_metadata(path).num_rows for path in found["spans"])
    segments.close()
    left = store.rows("SELECT count(*) FROM spans")[0][0]
    assert copied == left
    return int(left)


def test_killed_at_any_moment(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        for _ in range(BATCHES):
            add_batch(store)
        assert check(store) == BATCHES * ROWS  # and seals all of it
    for _ in range(4):
        child = started(REMOVER, tmp_path / "store", says="ready")
        time.sleep(random.uniform(0, 0.3))  # any moment will do: that is the test
        child.kill()
        child.communicate()
        with open_store(tmp_path / "store") as store:
            check(store)
    done = subprocess.run(
        [sys.executable, "-c", REMOVER, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "done" in done.stdout
    with open_store(tmp_path / "store") as store:
        assert check(store) == NEEDED
