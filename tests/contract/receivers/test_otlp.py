"""OTLP over HTTP as the specification has it, by requests made by hand."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.live import Receiver, export_request, receiver

PROTOBUF = "application/x-protobuf"
COUNT = "SELECT count(*) AS n FROM spans WHERE service = '{}'"


def in_zstd(body: bytes) -> bytes:
    return pa.compress(body, codec="zstd", asbytes=True)


def count(open_receiver: Receiver, service: str) -> int:
    return int(open_receiver.rows(COUNT.format(service))[0]["n"])


def as_json(first: int, count: int, service: str) -> dict:
    span = {"name": "x", "kind": 1, "startTimeUnixNano": "1700000000000000000"}
    spans = [
        {**span, "traceId": f"{n + 1:032x}", "spanId": f"{n + 1:016x}"}
        for n in range(first, first + count)
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}


@pytest.mark.parametrize(("encoding", "first"), [("", 1000), ("gzip", 1100), ("zstd", 1200)])
def test_protobuf(open_receiver: Receiver, encoding: str, first: int) -> None:
    service = f"proto{encoding}"
    body = export_request(first, 20, service=service)
    body = {"": bytes, "gzip": gzip.compress, "zstd": in_zstd}[encoding](body)
    headers = {"Content-Encoding": encoding} if encoding else {}
    answer = open_receiver.post("/v1/traces", body, PROTOBUF, **headers)
    assert (answer.status, answer.headers["Content-Type"], answer.data) == (200, PROTOBUF, b"")
    assert count(open_receiver, service) == 20


def test_json(open_receiver: Receiver) -> None:
    answer = open_receiver.post(
        "/v1/traces", json.dumps(as_json(5000, 3, "json")), "application/json; charset=utf-8"
    )
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {}
    assert count(open_receiver, "json") == 3


def test_partial_success_in_json(open_receiver: Receiver) -> None:
    request = as_json(6000, 3, "partial")
    request["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["spanId"] = "00"
    answer = open_receiver.post("/v1/traces", json.dumps(request))
    assert answer.status == 200
    told = answer.json()["partialSuccess"]
    assert told["rejectedSpans"] == "1"
    assert "span id" in told["errorMessage"]
    assert count(open_receiver, "partial") == 2


def test_partial_success_in_protobuf(open_receiver: Receiver) -> None:
    request = ExportTraceServiceRequest.FromString(export_request(7000, 3, service="partial-p"))
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    answer = open_receiver.post("/v1/traces", request.SerializeToString(), PROTOBUF)
    assert answer.status == 200
    told = ExportTraceServiceResponse.FromString(answer.data).partial_success
    assert told.rejected_spans == 1
    assert "trace id" in told.error_message
    assert count(open_receiver, "partial-p") == 2


@pytest.mark.parametrize(
    ("body", "content_type", "headers", "status"),
    [
        (b"\xff\xff\xff", PROTOBUF, {}, 400),
        (b"\n" + b"\xff" * 9 + b"\x01", PROTOBUF, {}, 400),
        (b"{", "application/json", {}, 400),
        (b"not gzip", PROTOBUF, {"Content-Encoding": "gzip"}, 400),
        (b"", PROTOBUF, {"Content-Encoding": "br"}, 415),
        (b"<xml/>", "text/xml", {}, 415),
        (bytes(33 << 20), PROTOBUF, {}, 413),
        (gzip.compress(bytes(200 << 20), 1), PROTOBUF, {"Content-Encoding": "gzip"}, 413),
    ],
    ids=["protobuf", "endless", "json", "gzip", "encoding", "type", "large", "bomb"],
)
def test_what_can_never_be_read(
    open_receiver: Receiver, body: bytes, content_type: str, headers: dict[str, str], status: int
) -> None:
    answer = open_receiver.post("/v1/traces", body, content_type, **headers)
    assert answer.status == status
    assert "Retry-After" not in answer.headers
    assert answer.data
    if content_type == "application/json":
        assert answer.json()["code"] == 3
    good = open_receiver.post("/v1/traces", export_request(8000, 1, service="after"), PROTOBUF)
    assert good.status == 200


def test_nothing_to_keep(open_receiver: Receiver) -> None:
    assert open_receiver.post("/v1/logs", b"", PROTOBUF).status == 200


def test_other_methods(open_receiver: Receiver) -> None:
    import urllib3

    refused = urllib3.request("GET", open_receiver.address + "/v1/traces")
    assert (refused.status, refused.json()["code"]) == (405, 3)
    assert "POST" in refused.json()["message"]
    assert urllib3.request("PUT", open_receiver.address + "/api/v1/write", body=b"x").status == 405
    nowhere = urllib3.request("POST", open_receiver.address + "/v1/trace", body=b"x" * 100_000)
    assert nowhere.status == 404
    assert "at: /v1/traces, " in nowhere.data.decode()


def test_health(open_receiver: Receiver) -> None:
    import urllib3

    open_receiver.post("/v1/traces", b"\xff", PROTOBUF)
    text = urllib3.request("GET", open_receiver.address + "/metrics").data.decode()
    assert 'investigation_ingest_requests_total{adapter="otlp-proto"}' in text
    assert 'investigation_ingest_records_total{adapter="otlp-proto",outcome="kept"}' in text
    assert 'refused_requests_total{reason="bad_request_body",receiver="/v1/traces"}' in text
    assert "investigation_ingest_lag_seconds " in text


def test_with_a_token(tmp_path) -> None:  # type: ignore[no-untyped-def]
    preamble = "import os; os.environ['INVESTIGATION_INGEST_TOKEN'] = 'let-me-in'"
    with receiver(tmp_path / "s", preamble=preamble) as guarded:
        refused = guarded.post("/v1/traces", export_request(0, 1), PROTOBUF)
        assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        taken = guarded.post(
            "/v1/traces", export_request(0, 1), PROTOBUF, Authorization="Bearer let-me-in"
        )
        assert taken.status == 200
        assert guarded.rows("SELECT count(*) AS n FROM spans") == [{"n": 1}]
