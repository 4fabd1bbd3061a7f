"""A real broker with the sample incident in it, and real kernels that run cells against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.support.broker import broker
from tests.support.places import kernels_of_this_checkout
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.headless.model import RunOptions, RunReport
from workspace_ext.inquiry.headless.runner import run_notebook
from workspace_ext.telemetry.ingest.incident import Incident, incident_folder, load_incident

Run = Callable[..., tuple[Any, RunReport]]
ALICE = Actor("user", "alice")


@pytest.fixture(scope="session", autouse=True)
def _kernels_of_this_checkout() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        kernels_of_this_checkout(patch)
        yield


@pytest.fixture(scope="session")
def incident() -> Incident:
    return load_incident(incident_folder("trainticket"))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("incident") / "store"


@pytest.fixture(scope="session")
def client(store: Path, incident: Incident) -> Iterator[BrokerClient]:
    """The broker of a store that holds the incident."""
    with broker(store) as client:
        for file in incident.files:
            client.ingest(file.path, mapping=file.mapping)
        yield client


@pytest.fixture
def investigation(client: BrokerClient, incident: Incident) -> str:
    """The uid of a new investigation, with the incident's windows."""
    opened = client.open_investigation(
        "Slow", window=incident.window.to_dict(), baseline=incident.baseline.to_dict()
    )
    return opened["uid"]


def notebook(*sources: str, kernel: str = "investigation", uid: str = "") -> Any:
    cells = [new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
    metadata: dict[str, Any] = {"kernelspec": {"name": kernel, "display_name": kernel}}
    if uid:
        metadata["investigation"] = {"schema": 1, "uid": uid}
    return new_notebook(cells=cells, metadata=metadata)


@pytest.fixture
def run(client: BrokerClient, investigation: str, tmp_path: Path) -> Run:
    """Runs cells, as alice, in the investigation; all of them, whatever fails."""

    def run(*sources: str, kernel: str = "investigation", **options: Any) -> tuple[Any, RunReport]:
        made = notebook(*sources, kernel=kernel, uid=investigation)
        how = RunOptions(**{"allow_errors": True, "timeout": 60.0, **options})
        path = tmp_path / "work.ipynb"
        return made, run_notebook(made, client, path=path, actor=ALICE, options=how)

    return run


def said(cell: Any, form: str = "text/plain") -> str:
    """All that a cell shows, in one form."""
    return "\n".join(
        output["data"].get(form, "") if "data" in output else output.get("text", "")
        for output in cell.outputs
    )
