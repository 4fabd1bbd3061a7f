"""Environment and version, from whatever name a sender gives them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import payloads
from tests.support.payloads import decode, rows, snappy, written

LABELS = {
    "service": "cart",
    "deployment_environment_name": "prod",
    "app_kubernetes_io_version": "2.3",
}
SHORT = {"service": "cart", "environment": "prod", "version": "2.3"}
ECS = {"name": "cart", "environment": "prod", "version": "2.3"}
OTEL = {"service.name": "cart", "deployment.environment.name": "prod", "service.version": "2.3"}
OLD = {"service.name": "cart", "deployment.environment": "prod",
       "k8s.pod.labels.app.kubernetes.io/version": "2.3"}  # fmt: skip


def otlp(resource: dict[str, str]) -> dict[str, Any]:
    """Logs of a resource, in OTLP's JSON."""
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in resource.items()]
    record = {"timeUnixNano": str(payloads.MS * 1_000_000), "body": {"stringValue": "x"}}
    scope = {"scopeLogs": [{"logRecords": [record]}]}
    return {"resourceLogs": [{"resource": {"attributes": attributes}, **scope}]}


def jaeger(tags: dict[str, str]) -> dict[str, Any]:
    process = {
        "serviceName": "cart",
        "tags": [{"key": key, "type": "string", "value": value} for key, value in tags.items()],
    }
    span = {"traceID": "1f", "spanID": "2f", "operationName": "x", "processID": "p1",
            "startTime": payloads.MS * 1000, "duration": 1}  # fmt: skip
    return {"data": [{"traceID": "1f", "spans": [span], "processes": {"p1": process}}]}


def zipkin(tags: dict[str, str]) -> list[Any]:
    return [{**payloads.ZIPKIN[0], "localEndpoint": {"serviceName": "cart"}, "tags": tags}]


def loki(labels: dict[str, str]) -> dict[str, Any]:
    return {"streams": [{"stream": labels, "values": [[str(payloads.MS * 1_000_000), "x"]]}]}


def elastic(document: dict[str, Any]) -> str:
    document = {"@timestamp": "2023-11-14T22:13:20Z", "message": "x", **document}
    return f'{{"index":{{"_index":"logs"}}}}\n{json.dumps(document)}\n'


def alert(labels: dict[str, str]) -> dict[str, Any]:
    return {**payloads.WEBHOOK, "alerts": [{**payloads.ALERT, "labels": labels}]}


def event(data: dict[str, str]) -> dict[str, Any]:
    return {**payloads.CLOUD_EVENT, "data": data}


def scraped(labels: dict[str, str]) -> str:
    return "up{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "} 1\n"


def pushed(labels: dict[str, str]) -> bytes:
    series = ({"__name__": "up", **labels}, [(1.0, payloads.MS)])
    return snappy(written(series))


@pytest.mark.parametrize(
    ("format_", "body", "signal"),
    [
        ("otlp-json", otlp(OTEL), "logs"),
        ("otlp-json", otlp(OLD), "logs"),
        ("jaeger", jaeger(OTEL), "spans"),
        ("zipkin", zipkin(OTEL), "spans"),
        ("loki", loki(LABELS), "logs"),
        ("alertmanager", alert(LABELS), "events"),
        ("cloudevents", event(OTEL), "events"),
        ("cloudevents", event(SHORT), "events"),
        ("elastic-bulk", elastic(OTEL), "logs"),
        ("elastic-bulk", elastic({"service": ECS}), "logs"),
        ("prometheus", scraped(LABELS), "metrics"),
        ("prometheus-remote-write", pushed(LABELS), "metrics"),
    ],
)
def test_environment_and_version_are_columns(format_: str, body: Any, signal: str) -> None:
    (row, *_) = rows(decode(format_, body), signal)
    assert (row["service"], row["environment"], row["version"]) == ("cart", "prod", "2.3")
