"""Deliveries of made-up spans, and a broker that receives."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.store import Store
from tests.support.waiting import until
from workspace_ext.client.answers import QueryResult
from workspace_ext.client.broker import BrokerClient
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.telemetry.ingest.columns import table
from workspace_ext.telemetry.ingest.live.delivery import Delivery
from workspace_ext.telemetry.ingest.live.groups import LiveLimits
from workspace_ext.telemetry.ingest.live.request import Request
from workspace_ext.telemetry.ingest.live.service import LiveIngest
from workspace_ext.telemetry.ingest.model import Reject
from workspace_ext.telemetry.ingest.resources import with_texts

START_NS = 1_700_000_000_000_000_000
SECOND = 1_000_000_000


def delivery(
    first: int,
    count: int = 10,
    *,
    source: str = "test",
    received_ns: int = START_NS,
    rejects: tuple[Reject, ...] = (),
    warnings: tuple[str, ...] = (),
    service: Callable[[int], str | None] = lambda number: "cart",
) -> Delivery:
    """Spans numbered from ``first``, one a microsecond."""
    rows = [
        {
            "time_ns": START_NS + number * 1000,
            "trace_id": f"{number + 1:032x}",
            "span_id": f"{number + 1:016x}",
            "name": "GET /",
            "service": service(number),
            "attributes": [("number", str(number))],
            "resource": [("service.name", "cart")],
        }
        for number in range(first, first + count)
    ]
    return Delivery(
        adapter="otlp-proto",
        version=1,
        source=source,
        received_ns=received_ns,
        digest=f"sha256:{first}-{count}",
        size=count,
        tables={"spans": with_texts(table("spans", rows))} if rows else {},
        rejected=len(rejects),
        rejects=rejects,
        warnings=warnings,
    )


def request(
    first: int, count: int = 10, *, source: str = "test", received_ns: int = START_NS
) -> Request:
    """Spans with the same numbers, as a request that came."""
    return Request(
        format="otlp-proto",
        signal="spans",
        source=source,
        encoding="",
        headers={"content-type": "application/x-protobuf"},
        body=export_request(first, count),
        received_ns=received_ns,
    )


def sent(first: int, count: int = 10, **given: Any) -> tuple[Request, Delivery]:
    """What `LiveIngest.accept` takes: a request, and a `delivery`.

    The request's spans have the same numbers, but are other records (their trace is another one):
    whatever reads the journal again needs ``decode(request).delivery`` in the delivery's place.
    """
    made = delivery(first, count, **given)
    came = request(first, count, source=made.source, received_ns=made.received_ns)
    return came, made


@contextmanager
def live_ingest(store: Store, limits: LiveLimits | None = None) -> Iterator[LiveIngest]:
    """Takes deliveries into a store, for as long as the context."""
    live = LiveIngest(store.engine, lambda: START_NS, limits)
    try:
        yield live
    finally:
        live.close()


def done(futures: list[Future[None]]) -> None:
    """Waits until all are on disk."""
    for future in futures:
        future.result(timeout=60)


def export_request(first: int, count: int, *, service: str = "cart") -> bytes:
    """A request of an OpenTelemetry exporter, in protobuf, with spans numbered from ``first``."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in {"service.name": service, "host.name": "h1", "service.version": "1"}.items():
        group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_spans.add()
    scope.scope.name = "bench"
    for number in range(first, first + count):
        start = START_NS + number * 1000
        span = scope.spans.add(
            trace_id=(number // 8 + 1).to_bytes(16, "big"),
            span_id=(number + 1).to_bytes(8, "big"),
            parent_span_id=b"" if number % 8 == 0 else (number // 8 * 8 + 1).to_bytes(8, "big"),
            name=f"GET /api/{number % 50}",
            kind=2 + number % 2,
            start_time_unix_nano=start,
            end_time_unix_nano=start + 1_000_000 + number % 1000,
        )
        for key, text in (
            ("http.request.method", "GET"),
            ("http.route", f"/api/{number % 50}"),
            ("url.path", f"/api/{number % 50}/{number}"),
            ("server.address", f"10.0.{number % 7}.{number % 250}"),
            ("user.id", f"u{number % 9973}"),
        ):
            span.attributes.add(key=key).value.string_value = text
        span.attributes.add(key="http.response.status_code").value.int_value = 200
    return request.SerializeToString()


@dataclass
class Receiver:
    """A broker's addresses, and its process."""

    address: str
    doors: dict[str, str]
    client: BrokerClient
    process: subprocess.Popen[str]
    folder: Path

    def post(
        self, path: str, body: bytes | str, content_type: str = "application/json", **headers: str
    ) -> urllib3.BaseHTTPResponse:
        """One request, not tried again."""
        return urllib3.request(
            "POST",
            self.address + path,
            body=body,
            headers={"Content-Type": content_type, **headers},
            retries=False,
            timeout=60,
        )

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a query at the newest pin, once that has all that was acknowledged before."""

        def whole() -> QueryResult | None:
            result = self.client.query({"sql": sql})
            behind = any("more comes in" in each for each in result.answer["verdict"]["warnings"])
            return None if behind else result

        result: QueryResult = until(whole, "what was acknowledged is merged", 120)
        return list(result.table.to_pylist())

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(60)


@contextmanager
def receiver(folder: Path, *arguments: str, preamble: str = "") -> Iterator[Receiver]:
    """A broker that receives on a free port.

    Args:
        folder: The store; made when it is not there.
        arguments: For the broker's command line.
        preamble: Python that the broker's process runs first.
    """
    StoreFolder.create(folder)
    run = "import runpy; runpy.run_module('workspace_ext.broker', run_name='__main__')"
    command = [sys.executable, "-c", f"{preamble}\n{run}", "--store", str(folder), "--json"]
    with (folder / "logs" / "test.log").open("a") as log:
        process = subprocess.Popen(
            [*command, "--otlp", "127.0.0.1:0", *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        ready = next(json.loads(line) for line in process.stdout if line.strip())["ready"]
        token = json.loads((folder / "broker.json").read_text())["token"]
        client = BrokerClient(ready["address"], token)
        yield Receiver(ready["doors"]["otlp"], ready["doors"], client, process, folder)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()
