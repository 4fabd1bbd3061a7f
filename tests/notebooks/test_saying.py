"""Hypotheses, notes, decisions and the conclusion, from a real kernel into the record."""

from __future__ import annotations

from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.notebooks.conftest import ALICE, Run, said
from workspace_ext.client.broker import BrokerClient
from workspace_ext.inquiry.headless.runner import run_notebook

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
    assert "\nHypothesis refuted\n" in said(made.cells[1])  # why is the verdict, just above
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


def test_the_same_words_are_the_same_hypothesis(run: Run) -> None:
    made, _ = run(CONFIG + 'g = investigation.hypothesis("Config  is down")\ng.id == h.id')
    assert said(made.cells[0]) == "True"


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
        CONFIG + 'seen = investigation.sql("SELECT count(*) AS n FROM logs")\n'
        'for _ in range(2):\n    h.support("seen in the logs", evidence=seen)',
        'h.refute("the pod was up")',
        'h.support("seen in the logs", evidence=seen)',
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
        "somebody looks at it",
        "seen in the logs",
        "the pod was up",
        "seen in the logs",
    ]
    assert {entry["actor"] for entry in changed} == {"user:alice"}


def test_wrong_tests(run: Run) -> None:
    made, report = run(
        CONFIG + 'h.test("latency.shift", expect="maybe(")',
        'h.test("latency.shfit")',
        'investigation.conclude("x", confidence=0.5, evidence=["no such query"])',
        'investigation.scope(window="2023-01-30T12:02:00Z/2023-01-30T11:59:00Z")',
        "investigation.hypothesis('')",
    )
    assert len(report.failures) == 5
    for cell in made.cells:
        assert len(cell.outputs[0]["traceback"]) == 2, cell.outputs


def test_sql_is_judged_by_a_condition(run: Run, client: BrokerClient, investigation: str) -> None:
    sql = "SELECT count(*) AS n FROM spans"
    made, report = run(
        CONFIG + f'h.test("{sql}", expect="n > 100")',
        f'h.test("{sql}")',
        f'h.test("{sql}", expect="maximum(n) > 100")',
    )
    assert [failure.message.split(":")[0] for failure in report.failures] == [
        "SQL has no rule that could find it interesting",
        "expect='maximum(n) > 100' is no condition",
    ]
    assert "Hypothesis supported: n > 100: true, on 1 row" in said(made.cells[0])
    (claim,) = client.state(investigation)["hypotheses"].values()
    assert (claim["state"], len(claim["tests"]), len(claim["evidence"])) == ("supported", 1, 1)


def test_a_prediction_after_the_test_is_late(
    run: Run, client: BrokerClient, investigation: str
) -> None:
    made, report = run(
        'h = investigation.hypothesis("config is down")\nh.predict("it is slow")\nh',
        'h.test("latency.shift", service="ts-config-service")',
        'investigation.hypothesis("Config is  down", predicts="it is not slow")',
    )
    assert report.ok, report.failures
    assert "Predicts: it is slow" in said(made.cells[0])
    assert "Predicts (written after a test began): it is not slow" in said(made.cells[2])
    (claim,) = client.state(investigation)["hypotheses"].values()
    assert (claim["state"], claim["prediction_late"]) == ("refuted", True)


FUNCTIONS = """
import pandas as pd
def yes(): return True
def with_evidence(): return False, investigation.run("triage.overview")
def rows(least=1): return pd.DataFrame({"x": [1.5, float("nan")], "at": pd.Timestamp("2024-05-01")})
def nothing(): return None
def empty(): return pd.DataFrame({"x": []})
def breaks(): raise ValueError("no such pod")
"""


def test_python_functions_as_tests(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(
        FUNCTIONS + CONFIG + "h.test(yes)",
        "h.test(with_evidence)",
        'h.test(rows, expect="max(x) > 1", least=2)',
        "h.test(nothing)",
        'h.test(empty, expect="max(x) > 1")',
        "h.test(breaks)",
        "h.test(rows)",
        'h.test(yes, expect="max(x) > 1")',
        "h",
    )
    assert [failure.cell for failure in report.failures] == [6, 7, 8]
    (claim,) = client.state(investigation)["hypotheses"].values()
    outcomes = [(test["name"], test["outcome"]) for test in claim["tests"].values()]
    assert outcomes == [
        ("yes", "supported"),
        ("with_evidence", "refuted"),
        ("rows", "supported"),
        ("nothing", "inconclusive"),
        ("empty", "inconclusive"),
        ("breaks", "inconclusive"),
        ("rows", "inconclusive"),
        ("yes", "inconclusive"),
    ]
    tests = list(claim["tests"].values())
    assert tests[5]["reason"] == "ValueError: no such pod"
    assert {test["judge"] for test in tests} == {"kernel"}
    assert tests[0]["source_digest"] != tests[1]["source_digest"]
    assert claim["evidence"] == list(client.state(investigation)["queries"])
    assert "Found by code in this kernel" in said(made.cells[0])
    assert "Refuted by with_evidence" in said(made.cells[8])


def test_what_its_tests_do_not_show_is_not_published(
    run: Run, client: BrokerClient, investigation: str
) -> None:
    conclude = 'investigation.conclude("config", confidence=0.9, hypothesis=h'
    made, report = run(
        CONFIG + conclude + ")",
        't = h.test("latency.shift", service="ts-config-service")',
        conclude + ")",
        'h.support("I feel it")',
        conclude + ', despite="the template misses start-up")',
        "h",
        'investigation.outcome(correct=False, because="it came back without config")',
    )
    codes = [failure.message for failure in report.failures]
    assert len(codes) == 3, codes
    assert codes[0] == "a hypothesis that is proposed cannot become root cause"
    assert "speaks against it" in codes[1]
    assert "cannot be published as supported" in codes[2]
    assert "Published despite its tests: the template misses start-up" in said(made.cells[5])
    conclusion = client.state(investigation)["conclusion"]
    assert conclusion is not None
    assert conclusion["outcome"] is not None
    assert conclusion["outcome"]["correct"] is False


def test_a_file_is_an_input_of_its_step(
    run: Run, client: BrokerClient, investigation: str, tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n1,2\n")
    read = 'import pandas as pd\nlen(pd.read_csv(investigation.file("orders.csv")))'
    made, report = run(read, 'investigation.file("nothing.csv")')
    assert said(made.cells[0]) == "1"
    assert [failure.message for failure in report.failures] == ["there is no file nothing.csv"]
    steps = list(client.state(investigation)["steps"].values())
    (file,) = steps[0]["files"]
    assert (file["name"], file["size"]) == ("orders.csv", 8)


def test_an_action_is_its_text(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(
        'investigation.action("Roll back", owner="carol")',
        'investigation.action("roll  back", done=True)',
        'investigation.action(" ")',
    )
    (action,) = client.state(investigation)["actions"].values()
    assert (action["text"], action["owner"], action["done"]) == ("Roll back", "carol", True)
    assert "For carol" in said(made.cells[1])
    assert [failure.message for failure in report.failures] == ["the action is empty"]


def test_magics_say_the_same(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(
        "h = %hypothesis it's the pool --predicts waits before errors",
        'h.id == investigation.hypothesis("it\'s the pool").id',
        "%finding the pool is empty since 10:05",
        "%decision restart it --because its pool does not recover",
        "%hypothesis the pool --predicts ",
        "%finding",
        "%unload_ext workspace_kernel\n%finding x",
    )
    assert said(made.cells[1]) == "True"
    (claim,) = client.state(investigation)["hypotheses"].values()
    assert (claim["text"], claim["prediction"]) == ("it's the pool", "waits before errors")
    notes = client.state(investigation)["notes"].values()
    assert [(note["kind"], note["text"], note["because"]) for note in notes] == [
        ("finding", "the pool is empty since 10:05", ""),
        ("decision", "restart it", "its pool does not recover"),
    ]
    assert [failure.message for failure in report.failures][:2] == [
        "--predicts is empty",
        "the finding is empty",
    ]


def test_code_takes_up_what_a_text_cell_claims(
    run: Run, client: BrokerClient, tmp_path: Path
) -> None:
    made, _ = run("1")
    text = new_markdown_cell("## Hypothesis\n\nconfig is down\n\nPrediction: slow", id="t")
    made.cells = [text, new_code_cell('investigation.hypothesis("Config is down")', id="c")]
    run_notebook(made, client, path=tmp_path / "work.ipynb", actor=ALICE)
    assert said(made.cells[1]) == "Hypothesis [proposed]: Config is down\n  Predicts: slow"
    assert made.cells[0].metadata["investigation"]["role"] == "hypothesis"
