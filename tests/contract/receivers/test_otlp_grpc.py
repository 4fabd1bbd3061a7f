"""OTLP over gRPC: the exporters of the OpenTelemetry SDK, and what they never send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.live import Receiver, export_request, receiver
from tests.support.senders import send_logs, send_metrics, send_spans
from tests.support.waiting import until

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
GRPC = ("--otlp-grpc", "127.0.0.1:0")
COUNT = "SELECT count(*) AS n FROM spans WHERE service = '{}'"
BUSY = """
from workspace_ext.foundation.errors import Unavailable
from workspace_ext.telemetry.ingest.live.service import LiveIngest
check, told = LiveIngest.check_room, []
def busy(self):
    told.append(1)
    if len(told) <= 3:
        raise Unavailable("more comes in than can be merged", code="ingest_busy")
    check(self)
LiveIngest.check_room = busy
"""


@pytest.fixture(scope="module")
def call(open_receiver: Receiver) -> Iterator[Any]:
    """The call that exports spans, with bytes in and out."""
    with grpc.insecure_channel(target(open_receiver)) as channel:
        yield channel.unary_unary(EXPORT)


def target(open_receiver: Receiver) -> str:
    return open_receiver.doors["otlp-grpc"].removeprefix("http://")


def refusal(call: Any, body: bytes, **options: Any) -> tuple[grpc.RpcError, Status]:
    with pytest.raises(grpc.RpcError) as refused:
        call(body, timeout=60, **options)
    trailing = dict(refused.value.trailing_metadata())
    return refused.value, Status.FromString(trailing.get("grpc-status-details-bin", b""))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_sdk_spans(open_receiver: Receiver, compression: grpc.Compression) -> None:
    service = f"grpc-{compression.name}"
    endpoint = open_receiver.doors["otlp-grpc"]
    send_spans(OTLPSpanExporter(endpoint, compression=compression), service)
    assert open_receiver.rows(COUNT.format(service)) == [{"n": 100}]


def test_sdk_logs_and_metrics(open_receiver: Receiver) -> None:
    endpoint = open_receiver.doors["otlp-grpc"]
    send_logs(OTLPLogExporter(endpoint), "grpc-rest", "pool exhausted")
    send_metrics(OTLPMetricExporter(endpoint), "grpc-rest")
    assert open_receiver.rows("SELECT body FROM logs WHERE service = 'grpc-rest'") == [
        {"body": "pool exhausted"}
    ]
    found = open_receiver.rows("SELECT name FROM metrics WHERE service = 'grpc-rest' ORDER BY 1")
    assert found == [{"name": "latency"}, {"name": "orders"}]


def test_success_is_empty_and_partial_success_tells(open_receiver: Receiver, call: Any) -> None:
    assert call(export_request(20_000, 3, service="grpc-hand")) == b""
    assert call(export_request(20_000, 3, service="grpc-hand")) == b""
    request = ExportTraceServiceRequest.FromString(export_request(20_010, 3, service="grpc-hand"))
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    told = ExportTraceServiceResponse.FromString(call(request.SerializeToString()))
    assert told.partial_success.rejected_spans == 1
    assert "trace id" in told.partial_success.error_message
    assert open_receiver.rows(COUNT.format("grpc-hand")) == [{"n": 5}]
    assert call(b"") == b""


def test_what_can_never_be_read(call: Any) -> None:
    error, status = refusal(call, b"\xff\xff\xff")
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert status.code == 3
    assert status.message == error.details()
    detail = BadRequest()
    assert status.details[0].Unpack(detail)
    assert detail.field_violations[0].description == status.message


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_too_large(call: Any, compression: grpc.Compression) -> None:
    error, _ = refusal(call, bytes(5 << 20), compression=compression)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert call(export_request(20_100, 1)) == b""


def test_unknown_call(open_receiver: Receiver) -> None:
    with grpc.insecure_channel(target(open_receiver)) as channel:
        error, _ = refusal(channel.unary_unary("/no.such.Service/Export"), b"")
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def test_counted(open_receiver: Receiver, call: Any) -> None:
    import urllib3

    call(export_request(20_200, 1))
    refusal(call, b"\xff\xff\xff")
    text = urllib3.request("GET", open_receiver.address + "/metrics").data.decode()
    assert f'refused_requests_total{{reason="bad_request_body",receiver="{EXPORT}"}}' in text
    assert f'acknowledge_duration_seconds_count{{receiver="{EXPORT}"}}' in text


def test_with_a_token(tmp_path: Path) -> None:
    preamble = "import os; os.environ['INVESTIGATION_INGEST_TOKEN'] = 'let-me-in'"
    with receiver(tmp_path / "s", *GRPC, preamble=preamble) as guarded:
        with grpc.insecure_channel(target(guarded)) as channel:
            error, status = refusal(channel.unary_unary(EXPORT), export_request(0, 1))
        assert (error.code(), status.code) == (grpc.StatusCode.UNAUTHENTICATED, 16)
        exporter = OTLPSpanExporter(
            guarded.doors["otlp-grpc"], headers={"authorization": "Bearer let-me-in"}
        )
        send_spans(exporter, "let-in")
        assert guarded.rows("SELECT count(*) AS n FROM spans") == [{"n": 100}]


def test_overload(tmp_path: Path) -> None:
    """The exporter comes again when it was told to: nothing is lost, nothing is there twice."""
    with receiver(tmp_path / "s", *GRPC, preamble=BUSY) as busy:
        with grpc.insecure_channel(target(busy)) as channel:
            error, status = refusal(channel.unary_unary(EXPORT), export_request(0, 1))
        assert (error.code(), status.code) == (grpc.StatusCode.UNAVAILABLE, 14)
        detail = RetryInfo()
        assert status.details[0].Unpack(detail)
        assert detail.retry_delay.seconds == 1
        send_spans(OTLPSpanExporter(busy.doors["otlp-grpc"]), "patient")
        assert busy.rows(COUNT.format("patient")) == [{"n": 100}]


def test_a_port_that_is_taken(open_receiver: Receiver, tmp_path: Path) -> None:
    from tests.support.broker import run_broker
    from workspace_ext.storage.folder import StoreFolder

    StoreFolder.create(tmp_path / "s")
    taken = target(open_receiver)
    done = run_broker("--store", str(tmp_path / "s"), "--otlp-grpc", taken)
    assert done.returncode == 3
    assert "is taken" in done.stderr
    assert "--otlp-grpc" in done.stderr


def test_without_grpcio(tmp_path: Path) -> None:
    """Who asks for gRPC and has it not is told what to install."""
    from tests.support.broker import run_code

    done = run_code(
        "import sys; sys.modules['grpc'] = None\n"
        "from workspace_ext.broker.doors import open_doors\n"
        "from workspace_ext.broker.receiving import Receiving\n"
        "try: open_doors([Receiving('127.0.0.1', 0, door='otlp-grpc')])\n"
        "except Exception as error: print(error.code, error.hint)\n"
        "print(open_doors([Receiving('127.0.0.1', 0, door='otlp-grpc', required=False)]))"
    )
    assert done.stdout.splitlines() == [
        "no_grpc pip install 'investigation-workspace[grpc]'",
        "[]",
    ]


def test_leaves_in_order(tmp_path: Path) -> None:
    with receiver(tmp_path / "s", *GRPC, "--syslog", "127.0.0.1:0") as leaving:
        send_spans(OTLPSpanExporter(leaving.doors["otlp-grpc"]), "leaving")
        leaving.process.terminate()
        until(lambda: leaving.process.poll() is not None, "the broker leaves")
        assert leaving.process.returncode == 0
        assert "Traceback" not in (leaving.folder / "logs" / "test.log").read_text()
