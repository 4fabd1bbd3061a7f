"""OTLP over gRPC: the three Export calls, over the same intake as the routes of HTTP.

An Export is answered as a stream of one message, which is the same on the wire: so a request that
will be refused is refused before its body is read, and the body comes as the bytes that were sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from time import perf_counter
from typing import Any, NoReturn

import grpc
import grpc.aio

from workspace_ext.broker.answers import RETRY_INFO_HEADER, OtlpAnswers
from workspace_ext.broker.intake import Request
from workspace_ext.broker.listening import reachable
from workspace_ext.broker.receiving import Door, Receiving
from workspace_ext.foundation.errors import InvestigationError, Unavailable
from workspace_ext.telemetry.ingest.model import Parsed

_log = logging.getLogger(__name__)

MOST_MESSAGE_BYTES = 4 << 20
"""Of one request, before and after decompression: what the specification advises, and collectors
and exporters keep to. gRPC tells the size of a message when it is there, so room for the largest is
held until then.
"""

_MOST_STREAMS = 32  # requests at once on one connection; the others wait at the sender
_GRACE_SECONDS = 5.0
_SERVICES = {
    "opentelemetry.proto.collector.trace.v1.TraceService": ("spans", "rejectedSpans"),
    "opentelemetry.proto.collector.logs.v1.LogsService": ("logs", "rejectedLogRecords"),
    "opentelemetry.proto.collector.metrics.v1.MetricsService": ("metrics", "rejectedDataPoints"),
}
_IN_PROTOBUF = {"content-type": "application/x-protobuf"}
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # else a second broker would share the port in silence
    ("grpc.max_receive_message_length", MOST_MESSAGE_BYTES),
    ("grpc.max_concurrent_streams", _MOST_STREAMS),
)


class GrpcListener:
    """The server. Lives on the event loop's thread.

    Args:
        receive: Where.

    Raises:
        InvestigationError: The port cannot be had.
    """

    def __init__(self, receive: Receiving) -> None:
        self.receive = receive
        for probe in receive.bind():  # gRPC does not say why it cannot have a port
            probe.close()
        host = f"[{receive.host}]" if ":" in receive.host else receive.host
        self._server = grpc.aio.server(options=_OPTIONS)
        port = self._server.add_insecure_port(f"{host}:{receive.port}")
        self.address = reachable(receive.host, port)
        self._stopped: asyncio.Future[None] | None = None

    async def serve(self, door: Door) -> None:
        """Begins to take requests."""
        self._server.add_generic_rpc_handlers(
            tuple(
                grpc.method_handlers_generic_handler(
                    service,
                    {
                        "Export": grpc.stream_unary_rpc_method_handler(
                            partial(_export, door, service)
                        )
                    },
                )
                for service in _SERVICES
            )
        )
        await self._server.start()

    def stop(self) -> None:
        """Takes no new requests."""
        self._stopped = asyncio.ensure_future(self._server.stop(_GRACE_SECONDS))

    async def close(self) -> None:
        """Ends what is still open."""
        if self._stopped is not None:
            await self._stopped


async def _export(door: Door, service: str, messages: AsyncIterator[bytes], context: Any) -> bytes:
    started = perf_counter()
    signal, counted = _SERVICES[service]
    label, answers = f"/{service}/Export", OtlpAnswers(counted)
    try:
        with door.presence.request():
            parsed = await _take(door, signal, messages, context)
    except InvestigationError as error:
        door.metrics.refused(label, error.code)
        await _refuse(context, answers, error)
    except Exception:
        _log.exception("%s failed", label)
        failed = InvestigationError("the broker failed while it did this", code="internal")
        await _refuse(context, answers, failed)
    door.metrics.acknowledged(label, perf_counter() - started)
    return answers.accepted(parsed, _IN_PROTOBUF).body


async def _take(door: Door, signal: str, messages: AsyncIterator[bytes], context: Any) -> Parsed:
    shown = dict(context.invocation_metadata()).get("authorization", "")
    door.check(shown if isinstance(shown, str) else "")
    room = MOST_MESSAGE_BYTES
    door.intake.reserve(room)
    body = b""
    try:
        async with asyncio.timeout(door.body_seconds):
            body = await anext(aiter(messages), b"")
    except TimeoutError:
        raise Unavailable("the message took too long to come", code="slow_sender") from None
    finally:
        door.intake.release(room - len(body))
    return await door.intake.receive(
        Request(
            format="otlp-proto",
            signal=signal,
            source=f"OTLP/gRPC from {_sender(context.peer())}",
            encoding="",
            headers={},
            body=body,
        )
    )


async def _refuse(context: Any, answers: OtlpAnswers, error: InvestigationError) -> NoReturn:
    """Ends the call with the status, its details, and what the Python exporter looks for."""
    status = answers.status(error)
    trailing = [("grpc-status-details-bin", status.encode())]
    if status.retry_seconds:
        trailing.append((RETRY_INFO_HEADER, status.retry_info()))
    context.set_trailing_metadata(tuple(trailing))
    await context.abort(_CODES[status.code], status.message)
    raise AssertionError("a call that was ended went on")


def _sender(peer: str) -> str:
    """As in 127.0.0.1, of ipv4:127.0.0.1:50000."""
    return peer.partition(":")[2].rpartition(":")[0].replace("%5B", "").replace("%5D", "") or peer
