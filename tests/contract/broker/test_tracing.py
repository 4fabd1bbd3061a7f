"""The broker traces itself, to itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from tests.support.live import Receiver, export_request, receiver
from tests.support.ports import free_port
from tests.support.waiting import until
from workspace_ext.broker import tracing
from workspace_ext.foundation.errors import BadInput

SPANS = f"SELECT * FROM spans WHERE service = '{tracing.SERVICE}'"


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    port = free_port()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    with receiver(tmp_path / "s", "--trace", "--otlp", f"127.0.0.1:{port}") as started:
        yield started


def found(broker: Receiver, name: str) -> dict[str, str]:
    """The attributes of the first span of a name."""
    rows = until(lambda: broker.rows(f"{SPANS} AND name = '{name}' ORDER BY time"), name)
    return {**dict(rows[0]["attributes"]), "trace": rows[0]["trace_id"], **rows[0]}


def test_what_it_does_is_in_its_own_store(traced: Receiver) -> None:
    body = export_request(0, 25, service="cart")
    assert traced.post("/v1/traces", body, "application/x-protobuf").status == 200
    came = found(traced, "ingest")
    assert came["investigation.adapter"] == "otlp-proto"
    assert came["investigation.rows"] == "25"
    assert int(found(traced, "merge")["investigation.rows"]) >= 25

    traced.client.query({"sql": "SELECT 'secret' AS s FROM spans WHERE name = 'a secret'"})
    asked = found(traced, "query")
    assert asked["investigation.kind"] == "sql"
    assert asked["investigation.lane"] == "free"
    traced.client.retain({"older_than": "300d"})
    assert found(traced, "retention")["investigation.rows"] == "0"
    assert "secret" not in str(traced.rows(SPANS))


def test_the_caller_and_the_broker_are_one_trace(traced: Receiver) -> None:
    tracer = TracerProvider().get_tracer("a kernel")
    with tracer.start_as_current_span("cell") as cell:
        traced.client.query({"sql": "SELECT 1 AS one"})
        expected = trace.format_trace_id(cell.get_span_context().trace_id)
    wanted = f"{SPANS} AND name = 'query' AND trace_id = '{expected}'"
    assert until(lambda: traced.rows(wanted), "the broker's part of the caller's trace")


def test_a_failed_query_says_which_error(traced: Receiver) -> None:
    with pytest.raises(BadInput):
        traced.client.query({"sql": "SELECT * FROM nowhere"})
    wanted = f"{SPANS} AND name = 'query' AND status = 'error'"
    (row, *_) = until(lambda: traced.rows(wanted), "the failed query's span")
    assert dict(row["attributes"])["error.type"]


def test_its_own_spans_do_not_go_round(traced: Receiver) -> None:
    traced.post("/v1/traces", export_request(0, 5), "application/x-protobuf")
    until(lambda: traced.client.catalog()["signals"]["spans"]["rows"] >= 7, "its spans are in")

    def settled() -> bool:
        before = traced.client.catalog()["signals"]["spans"]["rows"]
        time.sleep(1.5)  # several times as long as spans wait to be sent and merged
        return bool(traced.client.catalog()["signals"]["spans"]["rows"] == before)

    until(settled, "no more of its own spans")


def test_without_being_asked_it_traces_nothing() -> None:
    assert not tracing.wanted()
    with tracing.span("query", {}, rows=1) as work:
        work.tell(pin=1)
    tracing.merged([], 1.0)
    tracing.stop()
