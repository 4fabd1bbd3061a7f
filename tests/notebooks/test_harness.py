"""All tests of a notebook, headless: what is told, and when the answer is no."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.notebooks.conftest import notebook
from tests.support.command_line import Command
from workspace_ext.client.broker import BrokerClient

CPU = """\
cpu = investigation.hypothesis("basic has no CPU")
cpu.test("metrics.shift", service="ts-basic-service", expect="count(*) > 0")
"""
CONCLUDE = 'investigation.conclude("CPU of basic", confidence=0.9, hypothesis=cpu)'


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
    store: Path, investigation: str, tmp_path: Path, command: Command
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
    ran = command("test", path, "--store", store, "--junit", path / "report.xml")
    assert (ran.code, "cannot write" in ran.err) == (3, True)  # and nothing was run
    ran = command("test", path, "--store", store, "--json", "--junit", tmp_path / "report.xml")
    assert ran.code == 0, ran.out + ran.err
    assert path.read_bytes() == before
    told = ran.json
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
    store: Path, client: BrokerClient, investigation: str, tmp_path: Path, command: Command
) -> None:
    path = _write(tmp_path / "work.ipynb", investigation, CPU, CONCLUDE)
    assert command("test", path, "--store", store).code == 0
    # another week, another test: the claim was published, and nothing shows it any more
    _write(path, investigation, CPU.replace("> 0", "> 1000000"), CONCLUDE)
    ran = command("test", path, "--store", store, "--junit", tmp_path / "report.xml")
    assert ran.code == 1
    assert "1 of 1 published claims do not hold" in ran.out
    assert "cannot be published as root cause" in ran.out
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("errors")) == ("1", "1")
    # a claim whose test is gone is not taken for granted either
    _write(path, investigation, "1 + 1")
    client.report(investigation, [])
    gone = command("test", path, "--store", store)
    assert "no cell of the notebook ran it" in gone.out


@pytest.mark.usefixtures("client")
def test_hypotheses_and_calibration_from_the_shell(
    store: Path, investigation: str, tmp_path: Path, command: Command
) -> None:
    path = _write(tmp_path / "work.ipynb", investigation, CPU, CONCLUDE)
    assert command("run", path, "--store", store).code == 0
    found = command("hypotheses", "no", "cpu", "--state", "root_cause", "--store", store, "--json")
    assert investigation in {each["investigation"] for each in found.json["hypotheses"]}
    assert "root cause: basic has no CPU" in command("hypotheses", "--store", store).out
    wrong = command("hypotheses", "--state", "refutet", "--store", store)
    assert (wrong.code, "refuted" in wrong.err) == (2, True)

    record = ("--record", investigation, "--right", "--because", "no alert since")
    known = command("calibration", "--store", store, "--json").json["n"]
    told = command("calibration", "--store", store, *record, "--json").json
    assert told["n"] == known + 1
    assert told["says"] == f"n = {told['n']}: says little"
    assert 0 < told["brier"] < 1
    for arguments in (("--record", investigation), ("--right",)):
        assert command("calibration", "--store", store, *arguments).code == 2
    unreasoned = command("calibration", "--store", store, *record[:3])
    assert (unreasoned.code, "without a reason" in unreasoned.err) == (2, True)


def test_what_is_no_notebook_and_no_store(tmp_path: Path, command: Command) -> None:
    path = _write(tmp_path / "work.ipynb", "", "1")
    for words in ("test", tmp_path / "no.ipynb"), ("test", path), ("hypotheses",):
        ran = command(*words, "--store", tmp_path / "nothing")
        assert ran.code == 2
        assert [line.split(":")[0] for line in ran.err.splitlines()] == ["Error", "Hint"]
