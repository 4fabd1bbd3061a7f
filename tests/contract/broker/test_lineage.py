"""From any answer back to where it came from."""

from __future__ import annotations

import json

import pytest
from workspace_kernel.result import Result

from tests.support.live import START_NS, Receiver, export_request
from workspace_ext.foundation.clock import to_rfc3339
from workspace_ext.foundation.errors import BadInput, NotFound, Unavailable
from workspace_ext.protocol.validation import validate

WINDOW = {"start": to_rfc3339(START_NS), "end": to_rfc3339(START_NS + 60_000_000_000)}
IN_WINDOW = "time >= $window_start AND time < $window_end"
VALUES = {f"window_{part}": text for part, text in WINDOW.items()}


@pytest.fixture(scope="module", autouse=True)
def _data(live: Receiver) -> None:
    """Spans of two requests and a log line, each a batch of its own; one of them much later."""
    live.post("/v1/traces", export_request(0, 20), "application/x-protobuf")
    live.client.catalog()
    live.post("/v1/traces", export_request(10, 30), "application/x-protobuf")
    live.client.catalog()
    late = [str(START_NS + 3_600_000_000_000), "hello"]
    push = {"streams": [{"stream": {"app": "cart"}, "values": [late]}]}
    live.post("/loki/api/v1/push", json.dumps(push))
    live.client.catalog()


def test_a_batch_tells_where_it_came_from(live: Receiver) -> None:
    log, second, first = live.client.batches()
    assert (second["records"], second["kept"], second["duplicates"]) == (30, 20, 10)
    assert (first["format"], first["adapter_version"]) == ("otlp-proto", "1")
    assert (log["format"], log["kept"]) == ("loki", 1)
    assert first["digest"].startswith("sha256:")
    assert first["received_at"] <= first["committed_at"]


def test_an_aggregate_leads_to_the_batches_of_its_window(live: Receiver) -> None:
    sql = f"SELECT count(*) AS n FROM spans WHERE {IN_WINDOW}"
    result = live.client.query({"sql": sql, "params": VALUES})
    found = live.client.lineage(result.answer["query"])
    assert not found["exact"]
    assert [(each["batch_id"], each["contributed"]) for each in found["batches"]] == [
        (2, {"spans": 20}),
        (1, {"spans": 20}),
    ]
    (source,) = found["sources"]
    assert (source["format"], source["batches"], source["contributed"]) == ("otlp-proto", 2, 40)
    (read,) = found["reads"]
    assert (read["table"], read["window"]) == ("spans", WINDOW)


def test_a_pin_hides_later_batches(live: Receiver) -> None:
    result = live.client.query({"sql": "SELECT count(*) AS n FROM spans", "pin": 1})
    found = live.client.lineage(result.answer["query"])
    assert [each["batch_id"] for each in found["batches"]] == [1]
    assert found["reads"][0]["window"] is None


@pytest.mark.parametrize(
    ("sql", "exact"),
    [
        ("SELECT span_id, batch_id FROM spans ORDER BY time DESC LIMIT 5", True),
        ("SELECT * FROM spans ORDER BY time DESC LIMIT 5", True),
        ("SELECT *, batch_id FROM spans ORDER BY time DESC LIMIT 5", True),
        ("SELECT max(batch_id) AS batch_id FROM spans", False),
        ("SELECT DISTINCT batch_id FROM spans", False),
        ("SELECT s.batch_id FROM spans s JOIN logs l USING (service) LIMIT 5", False),
        ("SELECT batch_id FROM spans WHERE time > (SELECT min(time) FROM logs)", False),
        ("SELECT batch_id, row_number() OVER () AS n FROM spans", False),
    ],
)
def test_rows_that_carry_their_batch_are_told_exactly(
    live: Receiver, sql: str, exact: bool
) -> None:
    found = live.client.lineage(live.client.query({"sql": sql}).answer["query"])
    assert found["exact"] is exact
    if exact:
        assert [each["contributed"] for each in found["batches"]] == [{"result": 5}]


def test_a_template_s_lineage_follows_its_plan(live: Receiver) -> None:
    asked = {"template": "triage.overview", "params": {"window": WINDOW, "baseline": WINDOW}}
    answer = live.client.query(asked).answer  # type: ignore[arg-type]
    found = live.client.lineage(answer["query"])
    assert {each["table"] for each in found["reads"]} >= {"spans"}
    assert sum(each["contributed"].get("spans", 0) for each in found["batches"]) == 40


def test_a_result_in_the_kernel_shows_its_sources(live: Receiver) -> None:
    answered = live.client.query({"sql": "SELECT count(*) AS n FROM spans"})
    result = Result(answered.table, answered.answer, trace=live.client.lineage)
    lineage = result.lineage()
    assert "otlp-proto v1" in repr(lineage)
    assert "<table>" in lineage._repr_html_()
    assert len(lineage.batches) == 2
    with pytest.raises(Unavailable, match="lost its broker"):
        Result(answered.table, answered.answer).lineage()


def test_what_has_no_lineage_says_so(live: Receiver) -> None:
    with pytest.raises(NotFound, match="no query 'nowhere'"):
        live.client.lineage("nowhere")
    uid = live.client.open_investigation("x")["uid"]
    with pytest.raises(BadInput):
        live.client.query({"sql": "SELECT nothing", "investigation": uid})
    (failed,) = live.client.state(uid)["queries"]
    with pytest.raises(BadInput, match="failed"):
        live.client.lineage(failed)


def test_provenance_has_all_that_stands_behind_an_answer(live: Receiver) -> None:
    client = live.client
    uid = client.open_investigation("Why?")["uid"]
    sql = f"SELECT service, count(*) AS n FROM spans WHERE {IN_WINDOW} GROUP BY service"
    asked = client.query({"sql": sql, "params": VALUES, "investigation": uid}).answer
    found = client.provenance(uid, asked["query"])
    validate("messages", found, definition="Provenance")
    assert (found["statement"], found["query"]["digest"]) == (sql, asked["digest"])
    assert found["kept"] is not None
    assert (found["kept"]["columns"], found["kept"]["total"]) == (["service", "n"], 1)
    assert found["kept"]["rows"][0][1] == 40
    assert found["origin"] is not None
    assert [batch["batch_id"] for batch in found["origin"]["batches"]] == [2, 1]
    assert found["origin"]["sources"][0]["format"] == "otlp-proto"


def test_an_answer_with_times_that_python_has_not_is_shown(live: Receiver) -> None:
    client = live.client
    uid = client.open_investigation("Until when?")["uid"]
    sql = "SELECT 'infinity'::TIMESTAMPTZ AS until, service FROM spans LIMIT 1"
    asked = client.query({"sql": sql, "investigation": uid}).answer
    kept = client.provenance(uid, asked["query"])["kept"]
    assert kept is not None
    assert kept["rows"] == [["after 9999", "cart"]]


def test_provenance_of_a_failed_query_says_why_it_has_no_origin(live: Receiver) -> None:
    client = live.client
    uid = client.open_investigation("Why not?")["uid"]
    with pytest.raises(BadInput):
        client.query({"sql": "SELECT nothing FROM spans", "investigation": uid})
    (query,) = client.state(uid)["queries"]
    found = client.provenance(uid, query)
    assert (found["origin"], found["kept"]) == (None, None)
    assert "failed" in found["gap"]
    with pytest.raises(NotFound, match="no query"):
        client.provenance(uid, "another's")
    other = client.open_investigation("Somebody else's")["uid"]
    with pytest.raises(NotFound):
        client.provenance(other, query)
