"""Real senders of telemetry: the OpenTelemetry SDK, and programs that a test starts."""

from __future__ import annotations

import logging
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

from tests.support.waiting import until

SBIN = "/usr/sbin:/usr/local/sbin"


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


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


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


def listening(port: int, what: str) -> None:
    """Waits until something answers at a port of this machine."""

    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    until(answers, f"{what} listens")
