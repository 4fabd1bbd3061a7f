"""All tests of a notebook, headless: what is told, and when the answer is no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.notebooks.conftest import notebook
from tests.support.waiting import COMMAND_SECONDS
from workspace_ext.client.broker import BrokerClient

CLI = (sys.executable, "-c", "from workspace_ext.cli.main import run; run()")
CPU = """\
cpu = investigation.hypothesis("basic has no CPU")
cpu.test("metrics.shift", service="ts-basic-service", expect="count(*) > 0")
"""
CONCLUDE = 'investigation.conclude("CPU of basic", confidence=0.9, hypothesis=cpu)'


def _cli(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def _write(path: Path, uid: str, *sources: str) -> Path:
    made = notebook(uid=uid)
    kinds = {"*": new_markdown_cell}
    made.cells = [
        kinds.get(source[0], new_code_cell)(source, id=f"cell-{n}")
        for n, source in enumerate(sources)
    ]
    path.write_text(nbformat.writes(made))
    return path


@pytest.mark.usefixtures("client")
def test_every_hypothesis_and_each_of_its_tests(
    store: Path, investigation: str, tmp_path: Path
) -> None:
    path = _write(
        tmp_path / "work.ipynb",
        investigation,
        "*Hypothesis:* basic has no CPU\n*Prediction:* its use leaves its level",
        CPU,
        'config = investigation.hypothesis("config is down")\n'
        'config.test("latency.shift", service="ts-config-service")',
        'config.test(lambda: None)\ninvestigation.hypothesis("nobody tested this")',
        CONCLUDE,
    )
    before = path.read_bytes()
    ran = _cli("test", path, "--store", store, "--json", "--junit", tmp_path / "report.xml")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert path.read_bytes() == before
    told = json.loads(ran.stdout)
    claims = {claim["text"]: claim for claim in told["claims"]}
    held = claims["basic has no CPU"]
    assert (held["state"], held["published"], held["holds"]) == ("root_cause", True, True)
    assert (held["prediction"], held["prediction_late"]) == ("its use leaves its level", False)
    (trial,) = held["trials"]
    assert (trial["status"], trial["judge"]) == ("passed", "broker")
    assert trial["query"]
    assert trial["why"].startswith("count(*) > 0: true")
    statuses = [trial["status"] for trial in claims["config is down"]["trials"]]
    assert statuses == ["failed", "inconclusive"]
    assert claims["config is down"]["holds"] is None
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]  # our own
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == [
        "4",
        "0",
        "0",
        "2",
    ]


@pytest.mark.usefixtures("client")
def test_a_published_claim_that_does_not_hold(
    store: Path, client: BrokerClient, investigation: str, tmp_path: Path
) -> None:
    path = _write(tmp_path / "work.ipynb", investigation, CPU, CONCLUDE)
    assert _cli("test", path, "--store", store).returncode == 0
    # another week, another test: the claim was published, and nothing shows it any more
    _write(path, investigation, CPU.replace("> 0", "> 1000000"), CONCLUDE)
    ran = _cli("test", path, "--store", store, "--junit", tmp_path / "report.xml")
    assert ran.returncode == 1
    assert "1 of 1 published claims do not hold" in ran.stdout
    assert "cannot be published as root cause" in ran.stdout
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")
    # a claim whose test is gone is not taken for granted either
    _write(path, investigation, "1 + 1")
    client.report(investigation, [])
    gone = _cli("test", path, "--store", store)
    assert "no cell of the notebook ran it" in gone.stdout


@pytest.mark.usefixtures("client")
def test_hypotheses_and_calibration_from_the_shell(
    store: Path, investigation: str, tmp_path: Path
) -> None:
    path = _write(tmp_path / "work.ipynb", investigation, CPU, CONCLUDE)
    assert _cli("run", path, "--store", store).returncode == 0
    found = _cli("hypotheses", "no", "cpu", "--state", "root_cause", "--store", store, "--json")
    assert investigation in {each["investigation"] for each in json.loads(found.stdout)}
    assert "root cause: basic has no CPU" in _cli("hypotheses", "--store", store).stdout
    wrong = _cli("hypotheses", "--state", "refutet", "--store", store)
    assert (wrong.returncode, "refuted" in wrong.stderr) == (2, True)

    record = ("--record", investigation, "--right", "--because", "no alert since")
    known = json.loads(_cli("calibration", "--store", store, "--json").stdout)["n"]
    told = json.loads(_cli("calibration", "--store", store, *record, "--json").stdout)
    assert told["n"] == known + 1
    assert told["says"] == f"n = {told['n']}: says little"
    assert 0 < told["brier"] < 1
    for arguments in (("--record", investigation), ("--right",)):
        assert _cli("calibration", "--store", store, *arguments).returncode == 2
    unreasoned = _cli("calibration", "--store", store, *record[:3])
    assert (unreasoned.returncode, "without a reason" in unreasoned.stderr) == (2, True)


def test_what_is_no_notebook_and_no_store(tmp_path: Path) -> None:
    path = _write(tmp_path / "work.ipynb", "", "1")
    for command in ("test", tmp_path / "no.ipynb"), ("test", path), ("hypotheses",):
        ran = _cli(*command, "--store", tmp_path / "nothing")
        assert ran.returncode == 2
        assert [line.split(":")[0] for line in ran.stderr.splitlines()] == ["Error", "Hint"]
