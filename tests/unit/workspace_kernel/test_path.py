"""From an answer on: what is asked of the broker, and what is refused before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from workspace_kernel.ahead import ahead, answered_by
from workspace_kernel.display import parts
from workspace_kernel.path import Proposals
from workspace_kernel.result import Result

from tests.unit.workspace_kernel.conftest import answer
from workspace_ext.client.broker import QueryResult
from workspace_ext.foundation.errors import BadInput, NotFound, Unavailable
from workspace_ext.inquiry.archive.shown import pieces

WINDOW = {"start": "2024-05-01T10:00:00Z", "end": "2024-05-01T10:10:00Z"}
NEXT = {"title": "T", "question": "Q?", "params": {"window": WINDOW}}
STEPS = [
    {**NEXT, "template": "errors.origin", "columns": {"service": "service"}, "rows": [1]},
    {**NEXT, "template": "traces.exemplars", "columns": {"name": "name"}, "rows": None},
]
ROWS = {"service": ["cart", "pay"], "name": ["GET", None]}


class Broker:
    """Remembers what it was asked and answers always the same."""

    def __init__(self, steps: list[dict[str, Any]]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.steps = steps
        self.client = self
        self.uid = "i1"
        self.ref = None

    def here(self) -> Broker:
        return self

    def lineage(self, query: str) -> dict[str, Any]:
        return {}

    def query(self, request: dict[str, Any]) -> QueryResult:
        self.asked.append(request)
        params = {"window": WINDOW, "baseline": WINDOW, **request.get("params", {})}
        told = answer(query=f"q{len(self.asked)}", params=params, next=self.steps)
        if "sql" in request:
            told |= {"template": None, "params": request["params"]}
        return QueryResult(pa.table(ROWS), told)  # type: ignore[arg-type]


@pytest.fixture
def broker() -> Broker:
    return Broker(STEPS)


@pytest.fixture
def result(broker: Broker) -> Result:
    from workspace_kernel.asking import Asker

    return Asker(broker).template("latency.shift", {})  # type: ignore[arg-type]


def test_a_condition_is_asked_on_the_same_data(broker: Broker, result: Result) -> None:
    result.where("service = 'cart'").where("ratio > 2")

    first, second = broker.asked[1:]
    assert (first["where"], first["parent"], first["pin"], first["version"]) == (
        "service = 'cart'",
        "q1",
        4,
        2,
    )
    assert first["params"]["window"] == WINDOW
    assert (second["where"], second["parent"]) == ("(service = 'cart') AND (ratio > 2)", "q2")


def test_another_baseline(broker: Broker, result: Result) -> None:
    result.compare("2024-04-30T10:00:00Z/2024-04-30T10:10:00Z")

    asked = broker.asked[-1]
    assert asked["params"]["baseline"]["start"] == "2024-04-30T10:00:00Z"
    assert (asked["template"], asked["parent"]) == ("latency.shift", "q1")


def test_a_row_proposes_and_runs_what_follows(broker: Broker, result: Result) -> None:
    proposed = result.drill(1)

    assert isinstance(proposed, Proposals)
    assert [each.params for each in proposed] == [
        {"window": WINDOW, "service": "pay"},
        {"window": WINDOW},
    ]
    assert "errors.origin" in repr(proposed)
    assert "service=pay" in proposed._repr_html_()

    result.drill(1, "errors.origin", least=3)
    asked = broker.asked[-1]
    assert (asked["template"], asked["parent"]) == ("errors.origin", "q1")
    assert asked["params"] == {"window": WINDOW, "service": "pay", "least": 3}


def test_the_only_one_needs_no_name(broker: Broker, result: Result) -> None:
    only = result.drill(0)

    assert len(only) == 1
    only.run()
    assert broker.asked[-1]["template"] == "traces.exemplars"
    result.drill(-1)[0].run()
    assert broker.asked[-1]["params"]["service"] == "pay"
    assert len(result.drill({"service": "stock"})) == 2


def test_free_sql_goes_on_too(broker: Broker) -> None:
    from workspace_kernel.asking import Asker

    Asker(broker).sql("SELECT 1 AS a", {"n": 1}).where("a = 1")  # type: ignore[arg-type]

    assert broker.asked[-1]["sql"] == "SELECT 1 AS a"
    assert broker.asked[-1]["where"] == "a = 1"


def test_an_answer_tells_where_its_rows_lead(result: Result) -> None:
    *_, last = parts(result)

    told = last["metadata"]["investigation"]
    assert (told["query"], told["template"]) == ("q1", "latency.shift")
    assert [(each["template"], each["params"]) for each in told["next"]] == [
        ("errors.origin", {"window": WINDOW, "service": "pay"}),  # the first row that leads there
        ("traces.exemplars", {"window": WINDOW, "name": "GET"}),
    ]
    assert last["data"]["text/plain"].endswith("Next: T (service=pay) · T (name=GET)")
    assert 'class="investigation-next"' in last["data"]["text/html"]


def test_an_answer_that_leads_nowhere(broker: Broker) -> None:
    from workspace_kernel.asking import Asker

    broker.steps = [{**STEPS[0], "rows": []}]
    asked = Asker(broker).template("latency.shift", {})  # type: ignore[arg-type]
    *_, last = parts(asked)
    assert last["metadata"] == {"investigation": {"query": "q1"}}
    assert "Next" not in last["data"]["text/plain"]


def test_what_cannot_be_asked_with_is_left_out() -> None:
    naive = pa.table({"service": [datetime(2024, 5, 1)]})  # noqa: DTZ001
    (found,) = ahead(answer(next=[{**STEPS[0], "rows": None}]), naive)  # type: ignore[typeddict-item]
    assert found.params == {"window": WINDOW}


def test_a_path_is_named_by_its_template() -> None:
    def query(key: str, at: int, template: str = "latency.shift", ok: bool = True) -> Any:
        return {"id": key, "at": str(at), "ok": ok, "template": {"id": template}}

    queries = [query("ab1", 1), query("cd2", 2), query("ef3", 3, ok=False), query("x", 4, "a.b")]
    queries.append({**query("sql", 5), "template": None})
    assert answered_by(queries, "latency.shift") == "cd2"
    assert answered_by(queries, "latency.shift#ab") == "ab1"
    assert answered_by(queries, "latency.shift#zz") == ""
    assert answered_by(queries, "errors.origin") == ""


def test_what_follows_is_recorded_so(broker: Broker, result: Result) -> None:
    from workspace_kernel.investigation import Investigation

    investigation = Investigation(broker)  # type: ignore[arg-type]
    investigation.run("errors.origin", service="pay", follows=result)
    assert broker.asked[-1]["parent"] == "q1"
    assert broker.asked[-1]["params"] == {"service": "pay"}
    with pytest.raises(BadInput, match="follows is a int"):
        investigation.run("errors.origin", follows=3)  # type: ignore[arg-type]


@pytest.mark.parametrize("row", [2, -3, 1.0, True, "0"])
def test_a_row_that_is_not_there(result: Result, row: Any) -> None:
    with pytest.raises(BadInput, match="there is no row"):
        result.drill(row)


def test_what_cannot_follow(result: Result) -> None:
    with pytest.raises(NotFound, match=r"errors\.origin does not follow"):
        result.drill(0, "errors.origin")
    with pytest.raises(BadInput, match=r"leads to errors\.origin, traces\.exemplars"):
        result.drill(1).run()
    with pytest.raises(BadInput, match="the condition is empty"):
        result.where(" ")
    assert repr(Proposals(())) == "nothing follows from this row"
    assert "nothing follows" in Proposals(())._repr_html_()


def test_an_answer_without_baseline_or_broker(broker: Broker, make: Any) -> None:
    from workspace_kernel.asking import Asker

    free = Asker(broker).sql("SELECT 1 AS a", {})  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="has no baseline"):
        free.compare("2024-04-30T10:00:00Z/2024-04-30T10:10:00Z")
    with pytest.raises(Unavailable):
        make(ROWS).where("a = 1")


def test_what_there_is_to_ask_is_no_result_that_a_replay_compares(result: Result) -> None:
    forms, metadata = result.drill(1)._repr_mimebundle_()
    assert "errors.origin" in forms["text/plain"]
    output = {"output_type": "execute_result", "data": forms, "metadata": metadata}
    assert pieces([output]) == []
