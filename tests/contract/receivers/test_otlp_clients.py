"""Real senders of OTLP: the OpenTelemetry SDK, and a collector."""

from __future__ import annotations

import importlib.util
import logging
import socket
import subprocess
import time
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.support.live import Receiver


def rotel() -> Path | None:
    """The program that the package brings."""
    found = importlib.util.find_spec("rotel")
    return (
        None if found is None or not found.origin else Path(found.origin).with_name("rotel-agent")
    )


ROTEL = rotel()


def send_spans(endpoint: str, service: str, compression: Compression) -> None:
    provider = TracerProvider(resource=Resource({"service.name": service}))
    exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", compression=compression)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("parent", attributes={"order": 7}) as parent:
        for number in range(99):
            with tracer.start_as_current_span("child", attributes={"n": number}):
                parent.add_event("begun", {"n": number})
    provider.shutdown()


@pytest.mark.parametrize("compression", list(Compression))
def test_sdk_spans(open_receiver: Receiver, compression: Compression) -> None:
    service = f"sdk-{compression.value}"
    send_spans(open_receiver.address, service, compression)
    found = open_receiver.rows(
        "SELECT count(*) AS n, count(parent_span_id) AS children,"
        " count(DISTINCT trace_id) AS traces, max(len(span_events)) AS events"
        f" FROM spans WHERE service = '{service}'"
    )
    assert found == [{"n": 100, "children": 99, "traces": 1, "events": 99}]


def test_sdk_logs_and_metrics(open_receiver: Receiver) -> None:
    resource = Resource({"service.name": "sdk-rest", "deployment.environment.name": "test"})
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(
        BatchLogRecordProcessor(OTLPLogExporter(f"{open_receiver.address}/v1/logs"))
    )
    logger = logging.getLogger("tests.otlp")
    handler = LoggingHandler(logger_provider=logs)
    logger.addHandler(handler)
    logger.error("pool exhausted after %s", 30)
    logger.removeHandler(handler)
    logs.shutdown()
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(f"{open_receiver.address}/v1/metrics"), export_interval_millis=3_600_000
    )
    meters = MeterProvider([reader], resource=resource)
    meters.get_meter("test").create_counter("orders").add(3, {"kind": "book"})
    meters.get_meter("test").create_histogram("latency").record(0.2)
    meters.shutdown()
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
def test_collector(open_receiver: Receiver, tmp_path: Path) -> None:
    """The SDK sends to rotel, and rotel to us."""
    assert ROTEL is not None
    with socket.socket() as free, socket.socket() as other:
        free.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        http, grpc = free.getsockname()[1], other.getsockname()[1]
    with (tmp_path / "rotel.log").open("w") as log:
        collector = subprocess.Popen(
            [ROTEL, "start", "--otlp-http-endpoint", f"127.0.0.1:{http}",
             "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
             "--otlp-exporter-protocol", "http",
             "--otlp-exporter-endpoint", open_receiver.address],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", http), 1).close()
                break
            except OSError:
                assert collector.poll() is None, (tmp_path / "rotel.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
        send_spans(f"http://127.0.0.1:{http}", "rotel", Compression.Gzip)
    finally:
        collector.terminate()
        collector.wait(60)
    found = open_receiver.rows("SELECT count(*) AS n FROM spans WHERE service = 'rotel'")
    assert found == [{"n": 100}], (tmp_path / "rotel.log").read_text()
