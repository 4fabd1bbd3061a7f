"""The demo: its notebook, its command, and that nothing of it stays behind."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
import yaml

from tests.support.command_line import COMMAND_LINE, Command, Done, run_command
from tests.support.places import REPOSITORY
from tests.support.ports import free_port
from tests.support.processes import kill_with_all_below
from tests.support.waiting import COMMAND_SECONDS, until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.telemetry.ingest.incident import incident_folder

NOTEBOOK = REPOSITORY / "templates" / "notebooks" / "trainticket.ipynb"
HEADLESS_SECONDS = 90.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "place"


def _demo(folder: Path, *options: str, **process: Any) -> Done:
    return run_command("demo", "--dir", folder, *options, **process)


def _processor_seconds() -> float:
    """What all that was started and has ended used: the clock would count other people's work."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_notebook_is_light_and_knows_no_answer() -> None:
    text = NOTEBOOK.read_text("utf-8")
    notebook: Any = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) <= 16
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert "investigation" not in notebook.metadata
    assert "ground_truth" not in text
    assert len(text) < 20_000


def test_the_headless_demo(folder: Path) -> None:
    before = _processor_seconds()
    ran = _demo(folder, "--headless", "--json")
    assert ran.code == 0, ran.err
    assert _processor_seconds() - before < HEADLESS_SECONDS
    told = ran.json
    truth = yaml.safe_load((incident_folder("trainticket") / "ground_truth.yaml").read_text())
    assert truth["service"] in told["conclusion"]
    assert (told["ran"], told["cells"], told["failures"]) == (16, 16, [])
    assert sorted(told["hypotheses"].values()) == ["refuted", "refuted", "root_cause"]
    assert told["replay"]["verdict"] == "same"
    assert told["replay"]["same"] == told["cells"]
    assert told["seconds"] > 0
    notebook: Any = nbformat.read(folder / "trainticket.ipynb", as_version=4)
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        pictures = sum(len(output.get("data", {}).get("image/png", "")) for output in outputs)
        assert pictures < 50_000
        assert len(json.dumps(outputs)) - pictures < 50_000
        assert len(json.dumps(cell.metadata.get("investigation", {}))) <= 1100
    names = {each.name for each in folder.iterdir()}
    assert names == {".investigation", "trainticket.ipynb", "trainticket.investigation.zip"}


def test_again_everything_is_there(folder: Path) -> None:
    before = json.loads((folder / "trainticket.ipynb").read_text())["metadata"]["investigation"]
    ran = _demo(folder, "--headless")
    assert ran.code == 0, ran.err
    assert ran.err.count("already there, nothing added") == 4
    assert "kept as it was" in ran.err
    assert "replay of the archive" in ran.out
    after = json.loads((folder / "trainticket.ipynb").read_text())["metadata"]["investigation"]
    assert after["uid"] == before["uid"]
    assert len(after["hypotheses"]) == 3


def test_somebody_s_folder_is_left_alone(tmp_path: Path, command: Command) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    ran = command("demo", "--dir", tmp_path)
    assert ran.code == 3
    assert [line.split(":")[0] for line in ran.err.splitlines()] == ["Error", "Hint"]
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be(tmp_path: Path, command: Command) -> None:
    (tmp_path / "file").write_text("")
    ran = command("demo", "--dir", tmp_path / "file" / "place")
    assert ran.code == 3
    assert "Traceback" not in ran.err


def test_nbval_finds_nothing_wrong(client: BrokerClient, store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "trainticket.ipynb"
    copy.write_bytes(NOTEBOOK.read_bytes())
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", str(copy), "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, "INVESTIGATION_STORE": str(store)},
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "16 passed" in ran.stdout


def test_ctrl_c_stops_jupyterlab_and_the_broker(folder: Path) -> None:
    port = free_port()
    demo = subprocess.Popen(
        [*COMMAND_LINE, "demo", "--dir", str(folder), "--no-browser", "--port", str(port)],
        env={**os.environ, "JUPYTER_TOKEN": "t"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stderr is not None
    try:
        said = next((line for line in demo.stderr if "JupyterLab at" in line), "")
        assert f":{port}/lab/tree/trainticket.ipynb?token=t (Ctrl-C stops everything)" in said
        url = f"http://127.0.0.1:{port}/api/contents/trainticket.ipynb?token=t&content=0"
        until(lambda: _answers(url), "JupyterLab answers")
        started = psutil.Process(demo.pid).children(recursive=True)
        assert started
        demo.send_signal(signal.SIGINT)
        _, rest = demo.communicate(timeout=COMMAND_SECONDS)
    finally:
        kill_with_all_below(demo)
    assert demo.returncode == 0, rest
    assert "Traceback" not in rest
    gone, alive = psutil.wait_procs(started, timeout=COMMAND_SECONDS)
    assert alive == []
    assert len(gone) == len(started)


def test_jupyterlab_that_cannot_start_is_one_line(folder: Path) -> None:
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config")}
    config = folder / "config" / "jupyter_server_config.py"
    config.parent.mkdir()
    config.write_text("raise SystemExit('no such luck')")
    ran = _demo(folder, "--no-browser", env=environment)
    assert ran.code == 3
    assert "Error: JupyterLab ended: no such luck" in ran.err
    assert "jupyterlab.log" in ran.err
    assert "Traceback" not in ran.err


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True
