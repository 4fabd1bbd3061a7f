"""A real broker on a fresh store, for tests of everything that needs one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import COMMAND_SECONDS
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import connect
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.telemetry.ingest.incident import incident_folder, load_incident

LINGER_SECONDS = 5.0


@contextmanager
def broker(path: Path) -> Iterator[BrokerClient]:
    """Starts a broker; it is gone when the context ends.

    Args:
        path: The store's folder; made when it is not there.
    """
    StoreFolder.create(path)
    with connect(path, linger=LINGER_SECONDS) as client:
        yield client


def run_broker(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``python -m workspace_ext.broker`` until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "workspace_ext.broker", *arguments],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def run_code(code: str) -> subprocess.CompletedProcess[str]:
    """Runs Python in a process of its own, to its end."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=True,
    )


def load_demo(client: BrokerClient, *, only: str = "") -> str:
    """Ingests the incident that ships with the product and opens an investigation of it.

    Args:
        client: The broker.
        only: The one file that is wanted, as in "spans"; all when empty.

    Returns:
        The investigation's uid.
    """
    incident = load_incident(incident_folder("trainticket"))
    for file in incident.files:
        if only in ("", file.path.stem):
            client.ingest(file.path, mapping=file.mapping)
    state = client.open_investigation(
        incident.title,
        severity=incident.severity,
        window=incident.window.to_dict(),
        baseline=incident.baseline.to_dict(),
    )
    return state["uid"]
