"""A notebook run without a browser: what is recorded, what is saved, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from tests.notebooks.conftest import ALICE, Run, notebook, said
from tests.support.command_line import COMMAND_LINE, Command
from tests.support.processes import alive
from tests.support.waiting import COMMAND_SECONDS, until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import NotFound
from workspace_ext.inquiry.headless import execution
from workspace_ext.inquiry.headless.execution import _CapturedClient
from workspace_ext.inquiry.headless.runner import run_notebook


def _write(path: Path, *sources: str, **more: Any) -> Path:
    path.write_text(nbformat.writes(notebook(*sources, **more)))
    return path


def test_runs_are_recorded_as_from_a_browser(
    run: Run, client: BrokerClient, investigation: str
) -> None:
    made, _ = run("1 + 1", "1 / 0", "investigation.run('triage.overview').verdict['rows']")
    state = client.state(investigation)
    steps = list(state["steps"].values())
    assert [(step["cell"], step["status"], step["by"]) for step in steps] == [
        ("cell-0", "ok", "user:alice"),
        ("cell-1", "error", "user:alice"),
        ("cell-2", "ok", "user:alice"),
    ]
    assert steps[1]["error"] == "ZeroDivisionError: division by zero"
    assert steps[2]["queries"] == list(state["queries"])
    entries = client.entries(investigation)
    asked = next(entry for entry in entries if entry["type"] == "query.answered")
    assert asked["actor"].startswith("kernel:")
    assert asked["on_behalf_of"] == "user:alice"
    assert made.metadata["investigation"]["ledger"]["seq"] == state["seq"]
    last = made.cells[2].metadata["investigation"]["last"]
    assert last["result_digest"] == next(iter(state["queries"].values()))["digest"]
    assert client.verify(investigation)["ok"]


def test_a_notebook_without_investigation_gets_one(client: BrokerClient, tmp_path: Path) -> None:
    made = notebook("1")
    report = run_notebook(made, client, path=tmp_path / "Slow cart.ipynb", actor=ALICE)
    state = client.state(report.investigation)
    assert (state["title"], state["notebook"]) == ("Slow cart", "Slow cart.ipynb")
    assert made.metadata["investigation"]["uid"] == report.investigation
    again = run_notebook(made, client, path=tmp_path / "Slow cart.ipynb", actor=ALICE)
    assert again.investigation == report.investigation


def test_a_notebook_of_another_store_is_refused(client: BrokerClient, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is not in this store"):
        run_notebook(notebook("1", uid="0" * 32), client, path=tmp_path / "x.ipynb", actor=ALICE)


def test_it_stops_at_the_first_error(run: Run) -> None:
    made, report = run("print(1)", "boom", "print(2)", allow_errors=False)
    assert (report.ran, report.cells, report.ok) == (2, 3, False)
    assert report.failures[0].cell == 2
    assert made.cells[2].outputs == []


def test_a_cell_has_a_time_limit(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run("while True: pass", "1", timeout=1.0)
    assert [failure.name for failure in report.failures] == ["CellTimeoutError"]
    assert made.cells[0].outputs[-1]["output_type"] == "error"
    (step,) = client.state(investigation)["steps"].values()
    assert (step["status"], step["error"]) == ("aborted", "the cell took longer than 1 s")


def test_a_kernel_that_dies(run: Run) -> None:
    _, report = run("import os\nos._exit(3)", "1", timeout=None)
    assert [failure.name for failure in report.failures] == ["DeadKernelError"]


def test_the_command_saves_outputs_and_metadata(
    store: Path, client: BrokerClient, tmp_path: Path, command: Command
) -> None:
    path = _write(tmp_path / "work.ipynb", "6 * 7")
    before = path.read_bytes()
    ran = command("run", path, "--store", store, "--output", tmp_path / "done.ipynb", "--json")
    assert ran.code == 0, ran.err
    told = ran.json
    assert (told["ok"], told["ran"]) == (True, 1)
    assert path.read_bytes() == before
    done = nbformat.read(tmp_path / "done.ipynb", as_version=4)
    assert said(done.cells[0]) == "42"
    assert done.metadata["investigation"]["uid"] == told["investigation"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["done.ipynb", "work.ipynb"]


def test_the_command_says_which_cell_failed(
    store: Path, client: BrokerClient, tmp_path: Path, command: Command
) -> None:
    path = _write(tmp_path / "work.ipynb", "1", "1 / 0", "2")
    ran = command("run", path, "--store", store)
    assert ran.code == 1
    assert "2 of 3 cells ran" in ran.out
    assert "Cell 2 failed: ZeroDivisionError: division by zero" in ran.out
    assert "Traceback" not in ran.out + ran.err
    assert nbformat.read(path, as_version=4).cells[1].outputs[0]["ename"] == "ZeroDivisionError"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no notebook"),
        (b"not json", "is not a notebook"),
        (b"[1, 2]", "is not a notebook"),
        (b"\xff\xfe\x00", "is not a notebook"),
        (b'{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "notebook"),
    ],
)
def test_what_is_no_notebook(
    tmp_path: Path, content: bytes | None, message: str, command: Command
) -> None:
    path = tmp_path / "work.ipynb"
    if content is not None:
        path.write_bytes(content)
    ran = command("run", path, "--store", tmp_path / "store")
    assert ran.code == 2
    lines = ran.err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["Error", "Hint"]
    assert message in lines[0]


def test_no_store_and_no_kernel(
    store: Path, client: BrokerClient, tmp_path: Path, command: Command
) -> None:
    path = _write(tmp_path / "work.ipynb", "1", kernel="no-such-kernel")
    before = path.read_bytes()
    ran = command("run", path, "--store", tmp_path / "nothing")
    assert (ran.code, "no store in" in ran.err) == (2, True)
    ran = command("run", path, "--store", store)
    assert (ran.code, "no kernel 'no-such-kernel'" in ran.err) == (2, True)
    assert path.read_bytes() == before


def test_ctrl_c_saves_what_has_run_and_leaves_no_kernel(
    store: Path, client: BrokerClient, tmp_path: Path
) -> None:
    marker = tmp_path / "kernel.pid"
    path = _write(
        tmp_path / "work.ipynb",
        "print('done')",
        f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)",
        "print('never')",
    )
    process = subprocess.Popen(
        [*COMMAND_LINE, "run", str(path), "--store", str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: marker.exists() and marker.read_text(), "the cell runs")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=COMMAND_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 130, stderr
    assert "interrupted" in stderr
    assert not alive(int(marker.read_text()))
    saved = nbformat.read(path, as_version=4)
    assert said(saved.cells[0]).strip() == "done"
    assert saved.cells[1].outputs[-1]["ename"] == "KeyboardInterrupt"
    assert saved.cells[2].outputs == []
    uid = saved.metadata["investigation"]["uid"]
    assert [step["status"] for step in client.state(uid)["steps"].values()] == ["ok", "error"]


def test_ctrl_c_ends_the_kernel_of_a_cell_that_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "GRACE_SECONDS", 0.2)
    made, report = run(
        "import os, signal, time\n"
        "presses = iter([signal.SIGINT])\n"
        "while True:\n"
        "    try:\n"
        "        for press in presses:\n"
        "            os.kill(os.getppid(), press)\n"
        "        time.sleep(600)\n"
        "    except KeyboardInterrupt:\n"
        "        print('not now', flush=True)\n"
    )
    assert report.interrupted
    assert made.cells[0].outputs[-1]["ename"] == "KeyboardInterrupt"
    assert "its kernel was ended" in report.failures[0].message


@pytest.mark.parametrize("moment", ["begin", "end"])
def test_ctrl_c_twice_while_the_kernel_starts_or_ends(
    run: Run, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The second one comes while the kernel is ended: that goes on to its end."""
    begin, end = _CapturedClient.begin, _CapturedClient.end

    async def interrupt(client: _CapturedClient) -> None:
        report = client._run.report
        report.interrupted = False
        os.kill(os.getpid(), signal.SIGINT)
        while not report.interrupted:
            await asyncio.sleep(0.01)

    async def interrupted_begin(client: _CapturedClient, *given: Any) -> None:
        await begin(client, *given)
        if moment == "begin":
            await interrupt(client)

    async def interrupted_end(client: _CapturedClient) -> None:
        await interrupt(client)
        await end(client)

    monkeypatch.setattr(_CapturedClient, "begin", interrupted_begin)
    monkeypatch.setattr(_CapturedClient, "end", interrupted_end)
    before = set(psutil.Process().children())  # the kernel would be one; the broker has its own
    made, report = run("1 + 1")
    assert report.interrupted
    assert report.ran == (0 if moment == "begin" else 1)
    assert made.metadata["investigation"]["uid"] == report.investigation
    assert set(psutil.Process().children()) <= before


def test_the_kernel_gets_no_path_to_the_store(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "INVESTIGATION_STORE", "/somewhere/store")
    made, _ = run(
        "import os\n"
        "[f'INVESTIGATION_{name}' in os.environ for name in ('STORE', 'BROKER', 'TOKEN')]"
    )
    assert said(made.cells[0]) == "[False, True, True]"
