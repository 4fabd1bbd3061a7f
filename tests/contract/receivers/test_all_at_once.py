"""Every real sender feeds one store at the same time, and every record is found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans

from tests.support.live import Receiver, receiver
from tests.support.rsyslog import elastic, forward, rsyslog
from tests.support.senders import prometheus, send_logs, send_metrics, send_spans, vmagent
from tests.support.waiting import until

ROUNDS = 10
SPANS = 100  # of each round of each exporter
LINES = 1000
ARRIVED = """
SELECT
  (SELECT count(*) FROM spans WHERE service LIKE 'http-%') AS http_spans,
  (SELECT count(*) FROM spans WHERE service LIKE 'grpc-%') AS grpc_spans,
  (SELECT count(DISTINCT body) FROM logs WHERE service = 'sdk') AS sdk_logs,
  (SELECT count(*) FROM metrics WHERE service = 'sdk') AS sdk_metrics,
  (SELECT count(DISTINCT body) FROM logs WHERE service = 'shop'
    AND attributes['syslog.facility'] = '19') AS syslog,
  (SELECT count(DISTINCT body) FROM logs WHERE service = 'shop'
    AND attributes['_index'] = 'logs') AS elastic,
  (SELECT count(*) > 2 FROM metrics WHERE name = 'up' AND attributes['job'] = 'prometheus') AS prom,
  (SELECT count(*) > 2 FROM metrics WHERE name = 'up' AND attributes['job'] = 'agent') AS agent,
  (SELECT count(DISTINCT fingerprint) FROM events WHERE kind = 'alert') AS alerts
"""
ALL = {
    "http_spans": ROUNDS * SPANS,
    "grpc_spans": ROUNDS * SPANS,
    "sdk_logs": ROUNDS,
    "sdk_metrics": 2,
    "syslog": LINES,
    "elastic": LINES,
    "prom": True,
    "agent": True,
    "alerts": 1,
}


def test_all_at_once(tmp_path: Path) -> None:
    doors = "--otlp-grpc", "127.0.0.1:0", "--syslog", "127.0.0.1:0"
    with receiver(tmp_path / "store", *doors) as store:
        folders = {name: tmp_path / name for name in ("prometheus", "agent", "rsyslog")}
        for folder in folders.values():
            folder.mkdir()
        with ExitStack() as running:
            running.enter_context(prometheus(folders["prometheus"], store.address, "prometheus"))
            running.enter_context(vmagent(folders["agent"], store.address, "agent"))
            log = running.enter_context(
                rsyslog(
                    folders["rsyslog"],
                    "shop",
                    forward(store.doors["syslog"]),
                    elastic(store.address, folders["rsyslog"]),
                )
            )
            with ThreadPoolExecutor() as sending:
                lines = "".join(f"order {number} failed\n" for number in range(LINES))
                sent = [sending.submit(log.write_text, lines), *sdk(sending, store)]
            for each in sent:
                each.result()
            until(lambda: store.rows(ARRIVED) == [ALL], "all of it arrives", 120)
        (twice,) = store.rows("SELECT count(*) - count(DISTINCT span_id) AS n FROM spans")
        assert twice == {"n": 0}
        assert store.client.quarantine() == []
        sources = {each["format"] for each in store.client.batches(limit=1000)}
    assert sources >= {
        "otlp-proto", "prometheus-remote-write", "alertmanager", "syslog", "elastic-bulk",
    }  # fmt: skip


def sdk(sending: ThreadPoolExecutor, store: Receiver) -> list:
    """The OpenTelemetry SDK, over HTTP and over gRPC."""
    http, grpc = store.address, store.doors["otlp-grpc"]
    messages = [f"error {number}" for number in range(ROUNDS)]
    return [
        sending.submit(send_logs, HttpLogs(f"{http}/v1/logs"), "sdk", *messages),
        sending.submit(send_metrics, HttpMetrics(f"{http}/v1/metrics"), "sdk"),
        *(
            sending.submit(send_spans, HttpSpans(f"{http}/v1/traces"), f"http-{n}")
            for n in range(ROUNDS)
        ),
        *(sending.submit(send_spans, GrpcSpans(grpc), f"grpc-{n}") for n in range(ROUNDS)),
    ]
