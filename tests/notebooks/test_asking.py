"""Questions from a real kernel to a real broker, and what the analyst sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from workspace_kernel.chart import MIME

from tests.notebooks.conftest import ALICE, Run, notebook, said
from tests.support.kernels import HeldPorts
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import system_user
from workspace_ext.inquiry.headless.model import RunOptions
from workspace_ext.inquiry.headless.runner import run_notebook


def test_a_template_in_one_call(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(
        'r = investigation.run("triage.overview")',
        "r",
        "print(len(r.df), len(r.arrow), r.verdict['interesting'], r.run_id)",
    )
    assert report.ok, report.failures
    shown = [set(output["data"]) for output in made.cells[1].outputs]
    assert shown == [
        {"text/plain", "text/html"},
        {"text/plain", MIME},
        {"text/plain", "text/html"},
    ]
    assert said(made.cells[1]).startswith("Triage overview\nInteresting: ")
    assert "<table>" in said(made.cells[1], "text/html")
    assert len(json.dumps(made.cells[1].outputs)) < 50_000
    rows, same, interesting, query = said(made.cells[2]).split()
    assert (rows, interesting) == (same, "True")
    recorded = client.state(investigation)["queries"][query]
    assert recorded["cell"] == "cell-0"
    assert recorded["template"]["id"] == "triage.overview"  # type: ignore[index]
    assert recorded["rows"] == int(rows)


@pytest.mark.parametrize(
    ("call", "message", "hint"),
    [
        ('run("latency.shfit")', "latency.shfit", "latency.shift"),
        ('run("latency.shift", servise="x")', "servise", "service"),
        ('run("latency.shift", service="ts-basic-servic")', "ts-basic-servic", "ts-basic-service"),
        ('run("latency.shift", window="yesterday")', "window", "2023"),
        ('sql("DROP TABLE spans")', "", ""),
        ('sql("  ")', "no SQL", "SELECT"),
        ('sql("SELECT * FROM spans WHERE service = $service")', "service", ""),
        ('help("nothing.here")', "nothing.here", ""),
        ('conclude("x", confidence=80)', "not between 0 and 1", "0.8"),
        ('note("  ")', "empty", "sentence"),
    ],
)
def test_a_mistake_is_one_line_with_a_hint(run: Run, call: str, message: str, hint: str) -> None:
    made, report = run(f"investigation.{call}")
    assert len(report.failures) == 1
    (shown,) = made.cells[0].outputs
    assert shown["output_type"] == "error"
    assert len(shown["traceback"]) == 2
    assert message in shown["traceback"][0]
    assert hint in shown["traceback"][1]
    assert "Traceback" not in "".join(shown["traceback"])


def test_free_sql_with_the_magic(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(
        "who = 'ts-basic-service'",
        "%%telemetry --params service={who} least=1 --name slow\n"
        "SELECT count(*) AS n, min(time) >= $window_start AS inside FROM spans\n"
        "WHERE service = $service AND time >= $window_start AND time < $window_end\n"
        "  AND duration_ns > $least",
        "print(type(slow).__name__, int(slow.n[0]) > 100, bool(slow.inside[0]))",
    )
    assert report.ok, report.failures
    assert said(made.cells[1]).startswith("slow\n")
    assert said(made.cells[2]).split() == ["DataFrame", "True", "True"]
    (query,) = client.state(investigation)["queries"].values()
    assert query["params"]["service"] == "ts-basic-service"
    assert query["params"]["window_start"] == "2023-01-30T11:59:00Z"


def test_wrong_use_of_the_magic(run: Run) -> None:
    made, _ = run(
        "%%telemetry --params service\nSELECT 1",
        "%%telemetry --name 1x\nSELECT 1",
        "%%telemetry --nmae x\nSELECT 1",
    )
    for cell, message in zip(made.cells, ("'service'", "'1x'", "--nmae"), strict=True):
        assert message in cell.outputs[0]["evalue"]
        assert len(cell.outputs[0]["traceback"]) == 2


def test_in_a_plain_kernel(run: Run) -> None:
    made, report = run(
        "%load_ext workspace_kernel",
        "len(investigation.templates()) >= 8",
        "%reload_ext workspace_kernel",
        "investigation.help('latency.shift')",
        "%unload_ext workspace_kernel\n'investigation' in globals()",
        kernel="python3",
    )
    assert report.ok, report.failures
    assert said(made.cells[1]) == "True"
    assert "Does not cover" in said(made.cells[3])
    assert said(made.cells[4]) == "False"


def test_a_kernel_that_was_told_nothing(
    client: BrokerClient, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under nbval or `jupyter execute`: only the store is known; an investigation is opened."""
    from nbclient import NotebookClient

    known = {each["uid"] for each in client.investigations()}
    made = notebook(
        'investigation.scope(window="2023-01-30T11:59:00Z/2023-01-30T12:02:00Z")',
        'investigation.run("triage.overview").verdict["rows"] > 0',
        "print(investigation.uid)",
    )
    monkeypatch.setenv("INVESTIGATION_STORE", str(store))
    NotebookClient(made, kernel_name="investigation", kernel_manager_class=HeldPorts).execute()
    assert said(made.cells[1]) == "True"
    uid = said(made.cells[2]).strip()
    assert uid not in known
    state = client.state(uid)
    assert state["title"] == "Untitled"
    assert len(state["queries"]) == 1
    assert list(state["participants"]) == [str(system_user())]


def test_a_kernel_without_a_broker() -> None:
    from nbclient import NotebookClient

    made = notebook('investigation.run("triage.overview")')
    NotebookClient(
        made, kernel_name="investigation", kernel_manager_class=HeldPorts, allow_errors=True
    ).execute()
    (shown,) = made.cells[0].outputs
    assert shown["ename"] == "Unavailable"
    assert "INVESTIGATION_STORE" in shown["traceback"][1]


def test_a_broker_that_has_gone(client: BrokerClient, tmp_path: Path) -> None:
    made = notebook(
        "import os\nos.environ['INVESTIGATION_BROKER'] = 'http://127.0.0.1:9'",
        'investigation.run("triage.overview")',
    )
    report = run_notebook(
        made,
        client,
        path=tmp_path / "gone.ipynb",
        actor=ALICE,
        options=RunOptions(allow_errors=True),
    )
    assert [failure.name for failure in report.failures] == ["Unavailable"]
    assert len(made.cells[1].outputs[0]["traceback"]) == 2


def test_a_notebook_that_is_no_investigation(
    client: BrokerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in JupyterLab with another kernel: a kernel's token opens nothing."""
    from nbclient import NotebookClient

    monkeypatch.setenv("INVESTIGATION_BROKER", client.address)
    monkeypatch.setenv("INVESTIGATION_TOKEN", client.token("k2", user="alice"))
    made = notebook("%load_ext workspace_kernel", 'investigation.run("triage.overview")')
    NotebookClient(
        made, kernel_name="python3", kernel_manager_class=HeldPorts, allow_errors=True
    ).execute()
    (shown,) = made.cells[1].outputs
    assert shown["evalue"] == "this notebook belongs to no investigation"
    assert "Investigation (Python)" in shown["traceback"][1]
