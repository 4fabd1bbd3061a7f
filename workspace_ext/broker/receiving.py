"""The port that senders push to: where it is, who may use it, and its server."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from workspace_ext.broker.listening import address_of, no_socket
from workspace_ext.broker.receivers import Door, receiving
from workspace_ext.broker.runtime import Runtime
from workspace_ext.foundation.errors import BadInput, InvestigationError

_log = logging.getLogger(__name__)

DEFAULT = "127.0.0.1:4318"
OFF = "off"
ADDRESS_VARIABLE = "INVESTIGATION_OTLP"
TOKEN_VARIABLE = "INVESTIGATION_INGEST_TOKEN"  # noqa: S105 - the name of one
_LOOPBACK = ("127.", "::1", "localhost")


@dataclass(frozen=True)
class Receiving:
    """Where a broker receives.

    Attributes:
        host: The address.
        port: The port; 0 takes any.
        token: What senders must show; None lets in everybody who can reach the port.
        required: Whether the broker must not start without.
    """

    host: str
    port: int
    token: str | None = None
    required: bool = True

    @classmethod
    def parse(
        cls, text: str, *, token_file: Path | None = None, required: bool = True
    ) -> Receiving | None:
        """From ``HOST:PORT``, ``:PORT``, ``PORT`` or ``off``; None when it is off.

        Args:
            text: The address.
            token_file: Holds the token; ``INVESTIGATION_INGEST_TOKEN`` does when None.
            required: See above.

        Raises:
            BadInput: It is no address, or the token cannot be read.
        """
        if text.strip().lower() == OFF:
            return None
        host, _, port = text.strip().rpartition(":")
        if not port.isascii() or not port.isdigit() or int(port) > 65_535:
            raise BadInput(f"{text!r} is no address", hint=f"as in {DEFAULT}, or: {OFF}")
        return cls(host.strip("[]") or "127.0.0.1", int(port), _token(token_file), required)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Receiving | None:
        """As ``INVESTIGATION_OTLP`` says; None when it says nothing.

        Raises:
            BadInput: It says nonsense.
        """
        given = (os.environ if environment is None else environment).get(ADDRESS_VARIABLE, OFF)
        return cls.parse(given, required=False)

    @property
    def open_to(self) -> str:
        """Who may send, as a user should read it."""
        if self.token:
            return "whoever has the ingest token"
        local = self.host.startswith(_LOOPBACK)
        return "everybody on this machine" if local else "EVERYBODY WHO CAN REACH THE PORT"


def bind_receiver(receive: Receiving) -> list[socket.socket]:
    """Listening sockets; none when the port is taken and the broker can do without.

    Raises:
        Conflict: The port is taken.
        BadInput: There is no such address.
    """
    try:
        return bind_sockets(receive.port, receive.host)
    except OSError as error:
        refused = no_socket(error, receive.host, receive.port, "--otlp")
    if receive.required:
        raise refused
    _log.warning("no telemetry is received: %s (%s)", refused.message, refused.hint)
    return []


def serve_receiver(
    runtime: Runtime, receive: Receiving, sockets: list[socket.socket], **settings: Any
) -> tuple[HTTPServer, str]:
    """Begins to receive; the server, and its address."""
    door = Door(runtime.intake, runtime.metrics, runtime.presence, receive.token)
    server = HTTPServer(receiving(door, **settings), decompress_request=False)
    server.add_sockets(sockets)
    address = address_of(sockets[0])
    level = logging.INFO if receive.open_to.islower() else logging.WARNING
    _log.log(level, "receives telemetry at %s from %s", address, receive.open_to)
    return server, address


def _token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_token(path, str(error)) from error
    if not token:
        raise _no_token(path, "it is empty")
    return token


def _no_token(path: Path, why: str) -> InvestigationError:
    return BadInput(f"no token in {path}: {why}", hint="put it there as one line", code="no_token")
