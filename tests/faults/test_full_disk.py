"""No space left: one clear error, nothing half written, and all goes on once there is space.

The limit on file sizes gives the same errors as a full disk, and needs no disk of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.store import open_store

WRITER = r"""
import json, resource, sys
from pathlib import Path
from tests.support.store import open_store
from workspace_ext.foundation.errors import InvestigationError

limit = int(sys.argv[2])
with open_store(Path(sys.argv[1])) as store:
    store.demo("frontend")
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    try:
        store.demo("logs")
        said = None
    except InvestigationError as error:
        said = error.to_dict()
    seen = store.rows("SELECT count(*) FROM logs")[0][0]
    pin = store.catalog.pin()
    resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
    again = store.demo("logs").to_dict()
    print("\n" + json.dumps({"error": said, "seen": seen, "pin": pin, "again": again}))
"""


@pytest.mark.parametrize("limit", [1_000, 100_000, 1_000_000])
def test_no_space_left(tmp_path: Path, limit: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(tmp_path / "store"), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])  # DuckDB shows a slow statement's progress
    assert said["error"]["code"] == "disk_full"
    assert said["error"]["message"].startswith("no space left to write")
    assert "free some disk space" in said["error"]["hint"]
    assert (said["seen"], said["pin"]) == (0, 1)
    assert (said["again"]["batch_id"], said["again"]["already"]) == (2, False)
    with open_store(tmp_path / "store") as store:
        assert store.rows("SELECT count(*) FROM logs") == [(8353,)]
