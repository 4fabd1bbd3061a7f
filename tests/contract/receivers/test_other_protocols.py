"""The other routes: each protocol's own example, and its own answer."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from logging_loki import LokiHandler

from tests.support.live import Receiver
from tests.support.payloads import CATALOG

LOKI = {
    "streams": [
        {
            "stream": {"service_name": "loki-test", "level": "error"},
            "values": [["1700000000000000000", "fizzbuzz"], ["1700000000000000001", "again"]],
        }
    ]
}
ZIPKIN = [
    {
        "id": "352bff9a74ca9ad2",
        "traceId": "5af7183fb1d4cf5f",
        "name": "get /api",
        "timestamp": 1556604172355737,
        "duration": 1431,
        "kind": "SERVER",
        "localEndpoint": {"serviceName": "zipkin-test"},
    }
]
JAEGER = {
    "traceID": "5af7183fb1d4cf60",
    "spans": [
        {
            "traceID": "5af7183fb1d4cf60",
            "spanID": "352bff9a74ca9ad3",
            "operationName": "get /jaeger",
            "startTime": 1556604172355737,
            "duration": 1432,
            "processID": "p1",
        }
    ],
    "processes": {"p1": {"serviceName": "jaeger-test", "tags": []}},
}
EVENT = {
    "specversion": "1.0",
    "id": "42",
    "source": "/ci/shop",
    "type": "dev.cdevents.service.deployed.0.1.1",
    "time": "2024-05-01T10:00:00Z",
    "data": {"version": "1.2"},
}
BULK = (
    '{"index": {"_index": "logs"}}\n'
    '{"@timestamp": "2024-05-01T10:00:00Z", "message": "hello", "service": {"name": "elastic"}}\n'
)


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status", "sql"),
    [
        ("/loki/api/v1/push", LOKI, "application/json", 204,
         "SELECT count(*) AS n FROM logs WHERE service = 'loki-test'"),
        ("/api/v2/spans", ZIPKIN, "application/json", 202,
         "SELECT 2 * count(*) AS n FROM spans WHERE duration_ns = 1431000"),
        ("/api/traces", JAEGER, "application/json", 202,
         "SELECT 2 * count(*) AS n FROM spans WHERE service = 'jaeger-test'"),
        ("/events", EVENT, "application/cloudevents+json", 202,
         "SELECT 2 * count(*) AS n FROM events WHERE kind = 'deploy'"),
    ],
    ids=["loki", "zipkin", "jaeger", "cloudevents"],
)  # fmt: skip
def test_taken_once(
    open_receiver: Receiver, path: str, body: object, content_type: str, status: int, sql: str
) -> None:
    for _ in range(2):
        answer = open_receiver.post(path, json.dumps(body), content_type)
        assert (answer.status, answer.data) == (status, b"")
    assert open_receiver.rows(sql) == [{"n": 2}]


@pytest.mark.parametrize("path", ["/_bulk", "/logs/_bulk"])
def test_elastic_bulk(open_receiver: Receiver, path: str) -> None:
    answer = open_receiver.post(path, BULK, "application/x-ndjson")
    assert answer.status == 200
    told = answer.json()
    assert (told["errors"], len(told["items"])) == (False, 1)
    assert told["items"][0]["create"]["status"] == 201
    assert open_receiver.rows("SELECT count(*) AS n FROM logs WHERE body = 'hello'") == [{"n": 1}]


@pytest.mark.parametrize(
    "path",
    ["/loki/api/v1/push", "/api/v2/spans", "/events", "/webhook/alertmanager", "/api/v1/write"],
)
def test_nonsense(open_receiver: Receiver, path: str) -> None:
    answer = open_receiver.post(path, b"\x00nonsense")
    assert answer.status == 400
    assert answer.data


def test_jaeger_s_thrift_is_told_what_is_taken(open_receiver: Receiver) -> None:
    answer = open_receiver.post("/api/traces", b"\x80\x01", "application/vnd.apache.thrift.binary")
    assert answer.status == 415
    assert b"application/json" in answer.data


def test_loki_handler(open_receiver: Receiver) -> None:
    """Python's logging, by a package that sends to Loki."""
    handler = LokiHandler(
        f"{open_receiver.address}/loki/api/v1/push", tags={"service": "loki-sdk"}, version="1"
    )
    logger = logging.getLogger("tests.loki")
    logger.addHandler(handler)
    try:
        logger.error("pool exhausted", extra={"tags": {"shard": "7"}})
    finally:
        logger.removeHandler(handler)
        handler.close()
    assert open_receiver.rows(
        "SELECT body, severity_number AS n, attributes['shard'] AS shard FROM logs"
        " WHERE service = 'loki-sdk'"
    ) == [{"body": "pool exhausted", "n": 17, "shard": "7"}]


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_cloudevents_sdk(open_receiver: Receiver, mode: str) -> None:
    attributes = {
        "type": "dev.cdevents.service.deployed.0.1.1", "source": "/ci/sdk", "id": f"sdk-{mode}",
        "specversion": "1.0", "time": datetime(2024, 5, 1, 10, tzinfo=UTC),
    }  # fmt: skip
    event = CloudEvent(attributes, {"version": "1.3", "mode": mode})
    message = {"structured": to_structured_event, "binary": to_binary_event}[mode](event)
    headers = {name.lower(): value for name, value in message.headers.items()}
    content_type = headers.pop("content-type", "application/json")
    for _ in range(2):
        answer = open_receiver.post("/events", message.body, content_type, **headers)
        assert answer.status == 202
    sql = f"SELECT kind FROM events WHERE attributes['data.mode'] = '{mode}'"
    assert open_receiver.rows(sql) == [{"kind": "deploy"}]


def test_catalog(open_receiver: Receiver) -> None:
    """Backstage's own file, as curl sends it."""
    for _ in range(2):
        answer = open_receiver.post("/catalog", CATALOG, "application/yaml")
        assert (answer.status, answer.data) == (202, b"")
    found = open_receiver.rows("SELECT * FROM services WHERE name = 'cart'")
    assert [(row["owner"], row["lifecycle"]) for row in found] == [("red", "production")]
    answer = open_receiver.post("/catalog", "a: [", "application/yaml")
    assert answer.status == 400
    assert b"YAML" in answer.data or b"yaml" in answer.data
