"""Two processes and one store: the second is told who holds it, and nothing is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.processes import started
from tests.support.store import open_store
from workspace_ext.foundation.errors import Conflict
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.migrations import MIGRATIONS

HOLDER = """
import sys
from pathlib import Path
from tests.support.store import open_store
with open_store(Path(sys.argv[1])) as store:
    store.demo("frontend")
    print("holding", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def held(tmp_path: Path):
    child = started(HOLDER, tmp_path / "store", says="holding")
    yield child, StoreFolder.open(tmp_path / "store")
    child.kill()
    child.communicate()


def test_the_lock_names_its_holder(held) -> None:
    child, folder = held
    with pytest.raises(Conflict, match=f"held by test \\(process {child.pid}, since"):
        folder.hold("second").__enter__()


def test_without_the_lock_the_database_refuses(held) -> None:
    _, folder = held
    with pytest.raises(Conflict, match="open in another process"):
        TelemetryEngine(folder, MIGRATIONS)


def test_a_killed_holder_leaves_no_lock(held) -> None:
    child, folder = held
    child.kill()
    child.wait()
    with open_store(folder.path) as store:
        assert store.catalog.pin() == 1
