"""Opening the doors that a broker was told to receive at."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from tornado.httpserver import HTTPServer

from workspace_ext.broker.listening import address_of
from workspace_ext.broker.receivers import receiving
from workspace_ext.broker.receiving import OTLP_GRPC, SYSLOG, Door, Listener, Receiving
from workspace_ext.broker.runtime import Runtime
from workspace_ext.broker.syslog_tcp import SyslogListener
from workspace_ext.foundation.errors import InvestigationError, Unavailable

_log = logging.getLogger(__name__)

_BODY_SECONDS = 60.0


class HttpListener:
    """The routes of `receivers` on a port of their own.

    Args:
        receive: Where.
        settings: Of Tornado's application.

    Raises:
        InvestigationError: The port cannot be had.
    """

    def __init__(self, receive: Receiving, **settings: Any) -> None:
        self.receive = receive
        self._sockets = receive.bind()
        self._settings = settings
        self._server: HTTPServer | None = None
        self.address = address_of(self._sockets[0])

    async def serve(self, door: Door) -> None:
        """Begins to take requests."""
        self._server = HTTPServer(receiving(door, **self._settings), body_timeout=door.body_seconds)
        self._server.add_sockets(self._sockets)

    def stop(self) -> None:
        """Takes no new connections."""
        if self._server is not None:
            self._server.stop()

    async def close(self) -> None:
        """Ends those that are still open."""
        if self._server is not None:
            await self._server.close_all_connections()


def open_doors(receive: Iterable[Receiving], **settings: Any) -> list[Listener]:
    """The ports, each held and not served yet.

    Args:
        receive: Where.
        settings: Of the application behind HTTP.

    Raises:
        InvestigationError: A port cannot be had that the broker must not start without.
    """
    opened: list[Listener] = []
    for each in receive:
        try:
            opened.append(_open(each, settings))
        except InvestigationError as error:
            if each.required:
                raise
            _log.warning("nothing is received by %s: %s (%s)", each.door, error, error.hint)
    return opened


async def serve_doors(runtime: Runtime, listeners: Iterable[Listener]) -> None:
    """Begins to receive."""
    for each in listeners:
        token = each.receive.token
        await each.serve(
            Door(runtime.intake, runtime.metrics, runtime.presence, token, _BODY_SECONDS)
        )
        open_to = each.receive.open_to
        runtime.doors[each.receive.door] = {"address": each.address, "open_to": open_to}
        level = logging.INFO if open_to.islower() else logging.WARNING
        _log.log(level, "receives %s at %s from %s", each.receive.door, each.address, open_to)


def _open(receive: Receiving, settings: dict[str, Any]) -> Listener:
    if receive.door == SYSLOG:
        return SyslogListener(receive)
    if receive.door != OTLP_GRPC:
        return HttpListener(receive, **settings)
    try:
        from workspace_ext.broker.otlp_grpc import GrpcListener
    except ImportError as error:
        raise Unavailable(
            f"OTLP over gRPC needs the package grpcio: {error}",
            hint="pip install 'investigation-workspace[grpc]'",
            code="no_grpc",
        ) from error
    return GrpcListener(receive)
