"""What becomes spans besides OTLP: Jaeger and Zipkin."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.payloads import ZIPKIN, decode, reasons, rows
from tests.support.places import shared_data
from tests.support.store import Store
from workspace_ext.foundation.errors import BadInput


def fixture(name: str) -> Any:
    return json.loads(shared_data("payloads", "jaeger-fixtures", name).read_text())


def test_an_answer_of_jaeger_s_query_service() -> None:
    first, second = rows(decode("jaeger", fixture("otlp2jaeger-out.json")), "spans")
    assert first == second
    assert {key: first[key] for key in first if key not in ("attributes", "links")} == {
        "time_ns": 1706678909209712000, "duration_ns": 123000, "service": "telemetrygen",
        "trace_id": "83a9efd15c1c98a977e0711cc93ee28b", "span_id": "e127af99e3b3e074",
        "parent_span_id": "909541b92cf05311", "name": "okey-dokey-0", "kind": "server",
        "status": "unset", "scope": "telemetrygen", "resource": {"service.name": "telemetrygen"},
        "span_events": [],
    }  # fmt: skip
    assert first["attributes"]["peer.service"] == "telemetrygen-client"


def test_a_trace_of_jaeger_s_user_interface(store: Store) -> None:
    path = shared_data("payloads", "jaeger-fixtures", "ui_01.json")
    report = store.ingest(path)
    # Two of the five have the same id: it is a fixture.
    assert (report.format, report.rows, report.duplicates) == ("jaeger", {"spans": 4}, 1)
    found = {row["span_id"][-1]: row for row in rows(decode("jaeger", path.read_bytes()), "spans")}
    assert {row["trace_id"] for row in found.values()} == {f"{1:032x}"}
    assert found["2"]["status"] == "error"
    assert found["2"]["attributes"]["javascript_limit"] == "9223372036854775222"
    assert (found["3"]["parent_span_id"], found["3"]["service"]) == (f"{2:016x}", "service-y")
    assert found["4"]["parent_span_id"] == f"{2:016x}"
    assert [link["span_id"] for link in found["4"]["links"]] == [f"{255:016x}"]
    (first, *_) = rows(decode("jaeger", path.read_bytes()), "spans")
    assert [event["name"] for event in first["span_events"]] == ["some-event", ""]
    assert dict(first["span_events"][1]["attributes"]) == {"x": "y"}


def test_one_trace_a_line(store: Store, tmp_path: Path) -> None:
    trace = fixture("ui_01.json")
    lines = [json.dumps(trace), "{torn", json.dumps({"traceID": "1"}), json.dumps(trace)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    report = store.ingest(tmp_path / "x.jsonl")
    assert (report.format, report.rows, report.quarantined) == ("jaeger", {"spans": 4}, 2)
    assert sorted(line for line, _ in store.quarantine()) == [2, 3]


def test_bad_spans_of_jaeger_cost_themselves_only() -> None:
    trace = fixture("ui_01.json")
    changes = [{"traceID": "xyz"}, {"spanID": ""}, {"startTime": "soon"}, {"startTime": 5},
               {"tags": [7]}, {"duration": -1}, {"references": 5}, {"logs": [{}]}]  # fmt: skip
    good = trace["spans"][2]
    trace["spans"] = [good, *({**good, **change} for change in changes), 7]
    parsed = decode("jaeger", [trace, 7, {"spans": [good], "processes": 5}])
    assert len(rows(parsed, "spans")) == 1
    assert len(reasons(parsed)) == len(changes) + 3


def test_zipkin_s_example() -> None:
    (row,) = rows(decode("zipkin", ZIPKIN), "spans")
    events = row.pop("span_events")
    assert row == {
        "time_ns": 1556604172355737000, "duration_ns": 1431000, "kind": "server",
        "trace_id": "00000000000000005af7183fb1d4cf5f", "span_id": "352bff9a74ca9ad2",
        "parent_span_id": "6b221d5bc9e6496c", "name": "get /api", "status": "unset",
        "service": "backend", "resource": {"service.name": "backend"}, "links": [],
        "attributes": {"http.method": "GET", "http.path": "/api", "peer.address": "172.19.0.2",
                       "peer.port": "58648"},
    }  # fmt: skip
    assert [event["name"] for event in events] == ["ws"]


def test_both_sides_of_a_shared_span_are_kept(store: Store, tmp_path: Path) -> None:
    server = {**copy.deepcopy(ZIPKIN[0]), "shared": True}
    client = {**ZIPKIN[0], "kind": "CLIENT", "localEndpoint": {"serviceName": "frontend"}}
    child = {**ZIPKIN[0], "id": "1", "parentId": server["id"], "kind": "CLIENT"}
    (tmp_path / "z.json").write_text(json.dumps([client, server, child]))
    report = store.ingest(tmp_path / "z.json")
    assert (report.format, report.rows, report.duplicates) == ("zipkin", {"spans": 3}, 0)
    edges = store.rows(
        "SELECT parent.service || '/' || parent.kind, child.service || '/' || child.kind"
        " FROM spans child JOIN spans parent ON child.parent_span_id = parent.span_id ORDER BY 1"
    )
    assert edges == [("backend/server", "backend/client"), ("frontend/client", "backend/server")]
    (tmp_path / "again.json").write_text(json.dumps([server, child]))
    assert store.ingest(tmp_path / "again.json").duplicates == 2


def test_bad_spans_of_zipkin_cost_themselves_only() -> None:
    changes = [{"id": None}, {"traceId": "x"}, {"timestamp": None}, {"timestamp": "soon"},
               {"tags": [1]}, {"annotations": [5]}, {"duration": -9}]  # fmt: skip
    errors = {"tags": {"error": "it broke"}, "localEndpoint": None, "kind": 7}
    spans = [{**ZIPKIN[0], **change} for change in (errors, *changes)]
    parsed = decode("zipkin", [*spans, 7, None])
    (row,) = rows(parsed, "spans")
    assert (row["status"], row["status_message"], row["kind"]) == (
        "error",
        "it broke",
        "unspecified",
    )
    assert [line for line, _ in reasons(parsed)] == list(range(2, 11))


@pytest.mark.parametrize("name", ["zipkin", "jaeger"])
@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b"[1,"])
def test_what_is_no_json_is_one_error(name: str, body: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        decode(name, body)
    assert caught.value.hint
    assert caught.value.code == "bad_request_body"
