"""Payloads as the protocols' documentation has them, and decoding them."""

from __future__ import annotations

import json
from typing import Any

import cramjam

from tests.support.store import NOW_NS
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.adapters import loki, remote_write
from workspace_ext.telemetry.ingest.model import Parsed

V2 = {"content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
MS = 1_700_000_000_000


def decode(format_: str, body: bytes | str | Any, **headers: str) -> Parsed:
    """A request, decoded; what is neither bytes nor text is sent as JSON."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    content = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return registry.decode(format_, content, Context(NOW_NS, "x", named))


def rows(parsed: Parsed, signal: str) -> list[dict[str, Any]]:
    """Its records of a signal; maps are dictionaries."""
    table = parsed.tables.get(signal)
    return [] if table is None else [_plain(row) for row in table.to_pylist()]


def reasons(parsed: Parsed) -> list[tuple[int | None, str]]:
    """Line and reason of what was put aside."""
    return [(reject.line, reject.reason) for reject in parsed.rejects]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    maps = {"attributes": dict, "resource": json.loads}
    return {
        key: maps.get(key, lambda same: same)(value)
        for key, value in row.items()
        if value is not None and key != "time"
    }


def snappy(message: Any) -> bytes:
    """A protobuf message as it is sent."""
    return bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


def written(*series: tuple[dict[str, str], list[tuple[float, int]]]) -> Any:
    """A remote write 1.0 request: labels, and samples with their milliseconds."""
    message = remote_write._V1()
    for labels, samples in series:
        made = message.timeseries.add()
        for name, value in sorted(labels.items()):
            made.labels.add(name=name.encode(), value=value.encode())
        for value, at in samples:
            made.samples.add(value=value, timestamp=at)
    return message


def written_2(*series: tuple[dict[str, str], list[tuple[float, int]]]) -> Any:
    """The same as remote write 2.0."""
    message = remote_write._V2()
    symbols: dict[str, int] = {"": 0}
    for labels, samples in series:
        made = message.timeseries.add()
        for pair in sorted(labels.items()):
            made.labels_refs.extend(symbols.setdefault(text, len(symbols)) for text in pair)
        for value, at in samples:
            made.samples.add(value=value, timestamp=at)
    message.symbols.extend(symbol.encode() for symbol in symbols)
    return message


def pushed(labels: str, *lines: tuple[int, str, dict[str, str]]) -> Any:
    """A Loki push request: labels, and lines with their seconds and metadata."""
    message = loki._PUSH()
    stream = message.streams.add(labels=labels.encode())
    for seconds, line, metadata in lines:
        entry = stream.entries.add(line=line.encode())
        entry.timestamp.seconds, entry.timestamp.nanos = seconds, 5
        for name, value in metadata.items():
            entry.metadata.add(name=name.encode(), value=value.encode())
    return message


ALERT = {
    "status": "firing",
    "labels": {"alertname": "ProbeFailure", "job": "http_checks", "severity": "critical"},
    "annotations": {"summary": "Probe failed", "description": "Down for over 5m."},
    "startsAt": "2023-02-06T13:08:45.828000001Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=up",
    "fingerprint": "1a30ba71cca2921f",
}
WEBHOOK = {
    "receiver": "sms",
    "status": "firing",
    "alerts": [ALERT],
    "groupLabels": {"alertname": "ProbeFailure"},
    "commonLabels": {"alertname": "ProbeFailure"},
    "commonAnnotations": {},
    "externalURL": "http://prometheus.example.org:9093",
    "version": "4",
    "groupKey": '{}:{alertname="ProbeFailure"}',
    "truncatedAlerts": 0,
}
CLOUD_EVENT = {
    "specversion": "1.0",
    "type": "dev.cdevents.service.deployed.0.1.1",
    "source": "/cluster/argo",
    "id": "A234-1234-1234",
    "time": "2023-11-14T22:13:20Z",
    "datacontenttype": "application/json",
    "subject": "cart",
    "data": {"service": "cart", "version": "2.3", "status": "done", "change": {"sha": "abc"}},
}
ZIPKIN = [
    {
        "id": "352bff9a74ca9ad2", "traceId": "5af7183fb1d4cf5f", "parentId": "6b221d5bc9e6496c",
        "name": "get /api", "timestamp": 1556604172355737, "duration": 1431, "kind": "SERVER",
        "localEndpoint": {"serviceName": "backend", "ipv4": "192.168.99.1", "port": 3306},
        "remoteEndpoint": {"ipv4": "172.19.0.2", "port": 58648},
        "tags": {"http.method": "GET", "http.path": "/api"},
        "annotations": [{"timestamp": 1556604172355800, "value": "ws"}],
    }
]  # fmt: skip
BULK = """\
{"index":{"_index":"logs","_id":"1"}}
{"@timestamp":"2023-11-14T22:13:20.123Z","message":"it broke","log":{"level":"error"},"service":{"name":"cart"},"host":{"name":"h1"},"tags":["a"]}
{"create":{"_index":"logs"}}
{"@timestamp":1700000001000,"msg":"it works","severity":"info"}
"""  # noqa: E501
SYSLOG = (
    "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 -"
    " \ufeff'su root' failed for lonvick on /dev/pts/8\n"
    "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make"
    " the do-nuts.\n"
    "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47"
    ' [exampleSDID@32473 iut="3" eventSource="Appli\\"cation" eventID="1011"]'
    '[examplePriority@32473 class="high"]\n'
)
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: cart
  description: The cart
  annotations: {github.com/project-slug: shop/cart, example.org/tier: 1}
  labels: {team: red}
  tags: [java]
spec:
  type: service
  lifecycle: production
  owner: group:default/red
  system: shop
  dependsOn: ['component:default/payment', 'resource:default/cart-db', stock]
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: red}
"""
