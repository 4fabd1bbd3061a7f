"""Real senders of OTLP: the OpenTelemetry SDK, and a collector."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tests.support.live import Receiver
from tests.support.ports import free_port
from tests.support.senders import (
    listening,
    running,
    send_logs,
    send_metrics,
    send_spans,
)
from tests.support.waiting import until


def rotel() -> Path | None:
    """The program that the package brings."""
    found = importlib.util.find_spec("rotel")
    return (
        None if found is None or not found.origin else Path(found.origin).with_name("rotel-agent")
    )


ROTEL = rotel()


@pytest.mark.parametrize("compression", list(Compression))
def test_sdk_spans(open_receiver: Receiver, compression: Compression) -> None:
    service = f"sdk-{compression.value}"
    send_spans(
        OTLPSpanExporter(f"{open_receiver.address}/v1/traces", compression=compression), service
    )
    found = open_receiver.rows(
        "SELECT count(*) AS n, count(parent_span_id) AS children,"
        " count(DISTINCT trace_id) AS traces, max(len(span_events)) AS events"
        f" FROM spans WHERE service = '{service}'"
    )
    assert found == [{"n": 100, "children": 99, "traces": 1, "events": 99}]


def test_sdk_logs_and_metrics(open_receiver: Receiver) -> None:
    logs = OTLPLogExporter(f"{open_receiver.address}/v1/logs")
    send_logs(logs, "sdk-rest", "pool exhausted after 30")
    send_metrics(OTLPMetricExporter(f"{open_receiver.address}/v1/metrics"), "sdk-rest")
    assert open_receiver.rows("SELECT body, severity, environment FROM logs") == [
        {"body": "pool exhausted after 30", "severity": "ERROR", "environment": "test"}
    ]
    found = open_receiver.rows(
        "SELECT name, kind, value, count FROM metrics WHERE service = 'sdk-rest' ORDER BY name"
    )
    assert found == [
        {"name": "latency", "kind": "histogram", "value": None, "count": 1},
        {"name": "orders", "kind": "sum", "value": 3.0, "count": None},
    ]


@pytest.mark.skipif(ROTEL is None, reason="needs rotel (pip install rotel)")
@pytest.mark.parametrize(("protocol", "door"), [("http", "otlp"), ("grpc", "otlp-grpc")])
def test_collector(open_receiver: Receiver, tmp_path: Path, protocol: str, door: str) -> None:
    """The SDK sends to rotel, and rotel to us."""
    assert ROTEL is not None
    http, grpc = free_port(), free_port()
    log = tmp_path / "rotel.log"
    with running(
        log, ROTEL, "start", "--otlp-http-endpoint", f"127.0.0.1:{http}",
        "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-exporter-protocol", protocol,
        "--otlp-exporter-endpoint", open_receiver.doors[door],
    ):  # fmt: skip
        listening(http, "rotel")
        exporter = OTLPSpanExporter(
            f"http://127.0.0.1:{http}/v1/traces", compression=Compression.Gzip
        )
        send_spans(exporter, f"rotel-{protocol}")
    sql = f"SELECT count(*) AS n FROM spans WHERE service = 'rotel-{protocol}'"
    until(lambda: open_receiver.rows(sql) == [{"n": 100}], log.read_text())
