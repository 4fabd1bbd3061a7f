"""Several archives at once, and archives as tests of pytest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from tests.support.archive import Frozen, Parts, forged, rewritten
from tests.support.command_line import COMMAND_LINE, Command
from tests.support.places import REPOSITORY
from tests.support.processes import alive
from tests.support.waiting import files_named, until

LOGS = "data/slices/logs.parquet"
FOREVER = "import time\nopen('begun', 'w').close()\ntime.sleep(600)"


@pytest.fixture
def several(frozen: Frozen, tmp_path: Path) -> Path:
    """A folder with a whole archive, a damaged one, and one that is none."""
    folder = tmp_path / "archives"
    folder.mkdir()
    (folder / "whole.investigation.zip").write_bytes(frozen.path.read_bytes())
    damage = folder / "damaged.investigation.zip"
    rewritten(frozen.path, damage, lambda parts: parts.update({LOGS: b"x"}))
    (folder / "none.investigation.zip").write_text("no archive")
    return folder


def test_several_archives_give_one_table_and_the_worst_exit_code(
    command: Command, several: Path, tmp_path: Path
) -> None:
    junit = tmp_path / "replays.xml"
    asked = ("replay", several, "-j", 2, "--report", tmp_path / "report", "--junit", junit)
    done = command(*asked, "--json")
    assert done.code == 2
    found = {Path(each["archive"]).name.split(".")[0]: each for each in done.json["archives"]}
    assert {name: each["exit_code"] for name, each in found.items()} == {
        "whole": 0,
        "damaged": 1,
        "none": 2,
    }
    assert found["damaged"]["error"]["code"] == "damaged_archive"
    report = json.loads((tmp_path / "report" / "whole" / "report.json").read_text("utf-8"))
    assert report["verdict"] == "same"
    suites = {suite.attrib["name"]: suite.attrib for suite in ET.parse(junit).getroot()}
    assert suites["whole.investigation.zip"]["failures"] == "0"
    assert int(suites["whole.investigation.zip"]["tests"]) > 10
    assert suites["damaged.investigation.zip"]["errors"] == "1"


def test_ctrl_c_ends_every_replay_and_leaves_no_process(frozen: Frozen, tmp_path: Path) -> None:
    def forever(parts: Parts) -> None:
        notebook = json.loads(parts["data/notebook.ipynb"])
        notebook["cells"][1]["source"] = FOREVER
        parts["data/notebook.ipynb"] = json.dumps(notebook).encode()

    for name in ("one", "two"):
        forged(frozen.path, tmp_path / f"{name}.investigation.zip", forever)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [*COMMAND_LINE, "replay", str(tmp_path), "-j", "2"],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: len(files_named("begun", temporary)) == 2, "both run", 120)
        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
    until(lambda: not any(alive(each.pid) for each in started), "all have ended")
    assert list(temporary.glob("replay-*")) == []


def test_pytest_collects_archives_when_asked(several: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "workspace_ext.pytest_archives"]
    command += ["-p", "no:cacheprovider", "-rA", "--rootdir", str(several), str(several)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}

    def run(*more: str) -> str:
        return subprocess.run(
            [*command, *more], cwd=several, env=environment, text=True, capture_output=True,
            check=False,
        ).stdout  # fmt: skip

    assert "no tests ran" in run()
    (several / "none.investigation.zip").unlink()
    said = run("--investigation-archives")
    assert "PASSED whole.investigation.zip::hypothesis The cart is slow" in said
    assert "PASSED whole.investigation.zip::archive" in said
    assert "FAILED damaged.investigation.zip::archive" in said
    assert "data missing" in said
    assert "Traceback" not in said


def test_an_archive_that_cannot_be_replayed_here_is_tried_once_and_says_why(
    frozen: Frozen, tmp_path: Path
) -> None:
    def of_another_kernel(parts: Parts) -> None:
        notebook = json.loads(parts["data/notebook.ipynb"])
        notebook["metadata"]["kernelspec"]["name"] = "absent"
        parts["data/notebook.ipynb"] = json.dumps(notebook).encode()

    forged(frozen.path, tmp_path / "a.investigation.zip", of_another_kernel)
    command = [sys.executable, "-m", "pytest", "-p", "workspace_ext.pytest_archives", "-rA"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "--investigation-archives", "--rootdir", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be replayed: there is no kernel 'absent'" in done.stdout
    assert "Traceback" not in done.stdout
    assert "InvestigationError" not in done.stdout


def test_the_plugin_costs_other_test_runs_nothing() -> None:
    code = (
        "import sys, workspace_ext.pytest_archives; heavy = {'nbformat', 'pyarrow', 'duckdb',"
        " 'nbclient', 'workspace_ext.inquiry'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, text=True, capture_output=True, check=True
    )
    assert done.stdout.strip() == "[]"
