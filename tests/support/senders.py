"""Real senders of telemetry: the OpenTelemetry SDK, and programs that a test starts."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tests.support.ports import free_port
from tests.support.waiting import until

SBIN = "/usr/sbin:/usr/local/sbin"

os.environ.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
"""Seconds until an exporter gives up: else 10, which a busy machine may need for a start."""


def send_spans(exporter: Any, service: str) -> None:
    """A trace of a parent and 99 children, each with an event on the parent."""
    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("parent", attributes={"order": 7}) as parent:
        for number in range(99):
            with tracer.start_as_current_span("child", attributes={"n": number}):
                parent.add_event("begun", {"n": number})
    provider.shutdown()


def send_logs(exporter: Any, service: str, *messages: str) -> None:
    """Errors, by Python's logging."""
    provider = LoggerProvider(
        resource=Resource({"service.name": service, "deployment.environment.name": "test"})
    )
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = logging.getLogger(f"tests.{service}")
    handler = LoggingHandler(logger_provider=provider)
    logger.addHandler(handler)
    for message in messages:
        logger.error(message)
    logger.removeHandler(handler)
    provider.shutdown()


def send_metrics(exporter: Any, service: str) -> None:
    """A counter of three orders, and a histogram with one value."""
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    provider = MeterProvider([reader], resource=Resource({"service.name": service}))
    provider.get_meter("test").create_counter("orders").add(3, {"kind": "book"})
    provider.get_meter("test").create_histogram("latency").record(0.2)
    provider.shutdown()


def program(*names: str, package: str) -> str:
    """The path of a program by any of its names; the test is skipped where there is none."""
    for name in names:
        found = shutil.which(name) or shutil.which(name, path=SBIN)
        if found:
            return found
    pytest.skip(f"needs Debian's {package}")


@contextmanager
def running(log: Path, *command: str | Path) -> Iterator[None]:
    """A program, for as long as the context; what it says goes to ``log``."""
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


@contextmanager
def prometheus(folder: Path, address: str, job: str) -> Iterator[None]:
    """Prometheus and Alertmanager: a broker's own health, and an alert that it is up.

    Args:
        folder: Of their own, and empty.
        address: The broker's door for HTTP.
        job: What the samples' job is called.
    """
    binary = program("prometheus", package="prometheus")
    manager = program("prometheus-alertmanager", "alertmanager", package="prometheus-alertmanager")
    own, alerts = free_port(), free_port()
    target = address.removeprefix("http://")
    (folder / "rules.yml").write_text(
        "groups: [{name: test, rules: [{alert: BrokerIsUp, expr: up == 1,"
        " labels: {severity: page}, annotations: {summary: It is up}}]}]\n"
    )
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [rules.yml]\n"
        "alerting: {alertmanagers: [{static_configs:"
        f" [{{targets: ['127.0.0.1:{alerts}']}}]}}]}}\n"
        f"scrape_configs: [{{job_name: {job}, static_configs: [{{targets: ['{target}']}}]}}]\n"
        f"remote_write: [{{url: '{address}/api/v1/write'}}]\n"
    )
    (folder / "alertmanager.yml").write_text(
        "route: {receiver: us, group_wait: 0s, group_interval: 1s}\n"
        "receivers: [{name: us, webhook_configs:"
        f" [{{url: '{address}/webhook/alertmanager', send_resolved: true}}]}}]\n"
    )
    with (
        running(
            folder / "alertmanager.log", manager, f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alerts", f"--web.listen-address=127.0.0.1:{alerts}",
            "--cluster.listen-address=",
        ),
        running(
            folder / "prometheus.log", binary, f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{own}",
            "--storage.remote.flush-deadline=1s",
        ),
    ):  # fmt: skip
        yield


@contextmanager
def vmagent(folder: Path, address: str, job: str) -> Iterator[None]:
    """VictoriaMetrics' agent: it scrapes a broker each second, and writes that to it.

    Args:
        folder: Of its own, and empty.
        address: The broker's door for HTTP.
        job: What the samples' job is called.
    """
    binary = program("vmagent", package="victoria-metrics")
    configuration = folder / "vmagent.yml"
    target = address.removeprefix("http://")
    configuration.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: {job}, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    with running(
        folder / "vmagent.log", binary, f"-promscrape.config={configuration}",
        f"-remoteWrite.url={address}/api/v1/write", f"-remoteWrite.label=test={job}",
        f"-remoteWrite.tmpDataPath={folder}/vmagent-queue", "-remoteWrite.flushInterval=1s",
        f"-httpListenAddr=127.0.0.1:{free_port()}",
    ):  # fmt: skip
        yield


def listening(port: int, what: str) -> None:
    """Waits until something answers at a port of this machine."""

    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    until(answers, f"{what} listens")
