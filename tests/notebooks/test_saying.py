"""Hypotheses, notes, decisions and the conclusion, from a real kernel into the record."""

from __future__ import annotations

from tests.notebooks.conftest import Run, said
from workspace_ext.client.broker import BrokerClient

CONFIG = 'h = investigation.hypothesis("config is down", predicts="config is slow")\n'
STORY = (
    CONFIG + "h",
    'a = h.test("latency.shift", service="ts-config-service")\na',
    'n = investigation.note("the errors come later")\nn',
    'investigation.decide("look at basic", because="its callers wait")',
    'cpu = investigation.hypothesis("basic has no CPU", predicts="its CPU use leaves its level")',
    'b = cpu.test("metrics.shift", service="ts-basic-service"); b.answer["test"]["outcome"]',
    'investigation.conclude("CPU of basic", confidence=0.85, evidence=[b, a], hypothesis=cpu)',
    "print(h.state, cpu.state)",
)


def _types(client: BrokerClient, uid: str) -> list[str]:
    return [entry["type"] for entry in client.entries(uid)]


def test_a_whole_story(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(*STORY)
    assert report.ok, report.failures
    assert (
        said(made.cells[0]) == "Hypothesis [proposed]: config is down\n  Predicts: config is slow"
    )
    assert "Hypothesis refuted: " in said(made.cells[1])
    assert said(made.cells[5]) == "'supported'"
    assert said(made.cells[7]).split() == ["refuted", "root_cause"]
    state = client.state(investigation)
    assert state["state"] == "concluded"
    claims = {claim["text"]: claim for claim in state["hypotheses"].values()}
    assert claims["config is down"]["state"] == "refuted"
    assert claims["config is down"]["by"] == "user:alice"
    assert claims["config is down"]["cell"] == "cell-0"
    assert len(claims["basic has no CPU"]["evidence"]) == 1
    assert [note["because"] for note in state["notes"].values()] == ["", "its callers wait"]
    conclusion = state["conclusion"]
    assert conclusion is not None
    assert conclusion["confidence_percent"] == 85
    assert len(conclusion["evidence"]) == 2


def test_running_it_again_says_nothing_twice(
    run: Run, client: BrokerClient, investigation: str
) -> None:
    run(*STORY)
    before = client.state(investigation)
    _, report = run(*STORY)
    assert report.ok, report.failures
    after = client.state(investigation)
    assert after["hypotheses"].keys() == before["hypotheses"].keys()
    assert after["notes"] == before["notes"]
    kinds = _types(client, investigation)
    assert kinds.count("hypothesis.proposed") == 2
    assert kinds.count("note.added") == 1
    assert kinds.count("run.started") == 2 * len(STORY)
    assert kinds.count("query.answered") == 4


def test_another_prediction_is_another_hypothesis(run: Run, client: BrokerClient) -> None:
    made, _ = run(CONFIG + 'g = investigation.hypothesis("config is down")\ng.id == h.id')
    assert said(made.cells[0]) == "False"


def test_scope_is_recorded_when_it_changes(
    run: Run, client: BrokerClient, investigation: str
) -> None:
    scope = 'investigation.scope(title="Very slow", services="ts-basic-service")'
    made, report = run(scope, scope, "investigation.scope()", "investigation")
    assert report.ok, report.failures
    assert said(made.cells[3]).startswith("Investigation [open]: Very slow\n")
    assert _types(client, investigation).count("investigation.scoped") == 1
    assert client.state(investigation)["services"] == ["ts-basic-service"]


def test_a_person_can_judge(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(
        CONFIG + 'h.support("seen in the logs")\nh.support("seen in the logs")',
        'h.refute("the pod was up")',
        'h.support("seen in the logs")',
        'h.refute(" ")',
    )
    assert [failure.message for failure in report.failures] == [
        "a hypothesis is not refuted without a reason"
    ]
    assert said(made.cells[1]).startswith("Hypothesis [refuted]")
    changed = [
        entry for entry in client.entries(investigation) if entry["type"] == "hypothesis.changed"
    ]
    assert [entry["rationale"] for entry in changed] == [
        "seen in the logs",
        "the pod was up",
        "seen in the logs",
    ]
    assert {entry["actor"] for entry in changed} == {"user:alice"}


def test_wrong_tests(run: Run) -> None:
    made, report = run(
        CONFIG + 'h.test("latency.shift", expect="maybe")',
        'h.test("latency.shfit")',
        'investigation.conclude("x", confidence=0.5, evidence=["no such query"])',
        'investigation.scope(window="2023-01-30T12:02:00Z/2023-01-30T11:59:00Z")',
        "investigation.hypothesis('')",
    )
    assert len(report.failures) == 5
    for cell in made.cells:
        assert len(cell.outputs[0]["traceback"]) == 2, cell.outputs


def test_sql_as_a_test_is_evidence_without_a_verdict(
    run: Run, client: BrokerClient, investigation: str
) -> None:
    made, report = run(CONFIG + 'h.test("SELECT count(*) AS n FROM spans")')
    assert report.ok, report.failures
    assert "Hypothesis inconclusive" in said(made.cells[0])
    (claim,) = client.state(investigation)["hypotheses"].values()
    assert len(claim["evidence"]) == 1
