"""Where a broker receives, who may send there, and what all its doors share."""

from __future__ import annotations

import hmac
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tornado.netutil import bind_sockets

from workspace_ext.broker.intake import Intake
from workspace_ext.broker.listening import no_socket
from workspace_ext.broker.metrics import Metrics
from workspace_ext.broker.presence import Presence
from workspace_ext.foundation.errors import BadInput, Denied, InvestigationError

OTLP, OTLP_GRPC, SYSLOG = "otlp", "otlp-grpc", "syslog"
"""The doors: HTTP with all its routes, OTLP over gRPC, and syslog over TCP."""

DEFAULTS = {OTLP: "127.0.0.1:4318", OTLP_GRPC: "127.0.0.1:4317", SYSLOG: "off"}
VARIABLES = {
    OTLP: "INVESTIGATION_OTLP",
    OTLP_GRPC: "INVESTIGATION_OTLP_GRPC",
    SYSLOG: "INVESTIGATION_SYSLOG",
}
TOKEN_VARIABLE = "INVESTIGATION_INGEST_TOKEN"  # noqa: S105 - the name of one
_OFF = "off"
_LOOPBACK = ("127.", "::1", "localhost")


@dataclass(frozen=True)
class Receiving:
    """Where a broker receives, at one of its doors.

    Attributes:
        host: The address.
        port: The port; 0 takes any.
        token: What senders must show; None lets in everybody who can reach the port. Syslog has
            no way to show one.
        required: Whether the broker must not start without.
        door: Which door it is.
    """

    host: str
    port: int
    token: str | None = None
    required: bool = True
    door: str = OTLP

    @classmethod
    def parse(
        cls, text: str, *, door: str = OTLP, token_file: Path | None = None, required: bool = True
    ) -> Receiving | None:
        """From ``HOST:PORT``, ``:PORT``, ``PORT`` or ``off``; None when it is off.

        Args:
            text: The address.
            door: See above.
            token_file: Holds the token; ``INVESTIGATION_INGEST_TOKEN`` does when None.
            required: See above.

        Raises:
            BadInput: It is no address, or the token cannot be read.
        """
        if text.strip().lower() == _OFF:
            return None
        host, _, port = text.strip().rpartition(":")
        if not port.isascii() or not port.isdigit() or int(port) > 65_535:
            raise BadInput(
                f"{text!r} is no address for --{door}", hint=f"as in {_example(door)}, or: {_OFF}"
            )
        return cls(host.strip("[]") or "127.0.0.1", int(port), _token(token_file), required, door)

    @property
    def open_to(self) -> str:
        """Who may send, as a user should read it."""
        if self.token and self.door != SYSLOG:
            return "whoever has the ingest token"
        local = self.host.startswith(_LOOPBACK)
        return "everybody on this machine" if local else "EVERYBODY WHO CAN REACH THE PORT"

    def bind(self) -> list[socket.socket]:
        """Listening sockets.

        Raises:
            Conflict: The port is taken.
            BadInput: There is no such address.
        """
        try:
            return bind_sockets(self.port, self.host)
        except OSError as error:
            raise no_socket(error, self.host, self.port, f"--{self.door}") from error


@dataclass(frozen=True)
class Door:
    """What all doors of a broker share.

    Attributes:
        intake: Where requests go.
        metrics: Where they are counted.
        presence: Who uses the broker.
        token: What senders must show; None lets everybody in who can reach the port.
        body_seconds: How long a sender may take for a body, for which room is held meanwhile.
    """

    intake: Intake
    metrics: Metrics
    presence: Presence
    token: str | None
    body_seconds: float

    def check(self, shown: str) -> None:
        """Whether a sender may come in.

        Args:
            shown: Its ``Authorization``.

        Raises:
            Denied: No token, or a wrong one.
        """
        wanted = f"Bearer {self.token}".encode()
        if self.token and not hmac.compare_digest(shown.encode(), wanted):
            raise Denied(
                "no token, or a wrong one",
                hint="send the header Authorization: Bearer TOKEN, with this broker's ingest token",
                code="no_token",
            )


class Listener(Protocol):
    """An open door. It has its port before the store is opened, and serves after.

    Attributes:
        receive: What it was opened for.
        address: Where senders reach it.
    """

    receive: Receiving
    address: str

    async def serve(self, door: Door) -> None:
        """Begins to take requests."""

    def stop(self) -> None:
        """Takes no new ones; those under way go on."""

    async def close(self) -> None:
        """Ends what is still open."""


def wanted(
    given: Mapping[str, str | None],
    *,
    defaults: Mapping[str, str] | None = None,
    token_file: Path | None = None,
) -> tuple[Receiving, ...]:
    """Where to receive.

    Args:
        given: The address that was asked for at each door; None when nothing was said.
        defaults: Used then, if it can be had; what the environment says when None.
        token_file: See `Receiving.parse`.

    Raises:
        BadInput: An address or the token is nonsense.
    """
    if defaults is None:
        defaults = {door: os.environ.get(name, _OFF) for door, name in VARIABLES.items()}
    made = (
        Receiving.parse(
            defaults.get(door, _OFF) if text is None else text,
            door=door,
            token_file=token_file,
            required=text is not None,
        )
        for door, text in given.items()
    )
    return tuple(each for each in made if each is not None)


def _example(door: str) -> str:
    return "127.0.0.1:5514" if door == SYSLOG else DEFAULTS[door]


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
