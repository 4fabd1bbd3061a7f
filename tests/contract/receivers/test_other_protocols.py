"""The other routes: each protocol's own example, and its own answer."""

from __future__ import annotations

import json

import pytest

from tests.support.live import Receiver

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
        ("/events", EVENT, "application/cloudevents+json", 202,
         "SELECT 2 * count(*) AS n FROM events WHERE kind = 'deploy'"),
    ],
    ids=["loki", "zipkin", "cloudevents"],
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
